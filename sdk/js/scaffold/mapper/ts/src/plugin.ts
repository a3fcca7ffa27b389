import { Fault, type Infer, log, type Mapping, mapper, shape } from "@weir/sdk";

/** What comes in. Further fields are left alone. */
const Lead = shape.object({
  email: shape.text(),
  name: shape.optional(shape.text()),
});

/** What the flow may choose. */
const Options = shape.object({ source: shape.withDefault(shape.text(), "web form") }, "refuse");

function map({ input, options }: Mapping<Infer<typeof Lead>, Infer<typeof Options>>) {
  if (!input.email.includes("@")) {
    throw Fault.invalidInput("the lead has no address to write to").field("/email", "is not an e-mail address");
  }
  log.debug("mapped a lead");
  return { address: input.email.toLowerCase(), name: input.name, source: options.source };
}

export default mapper(map, { input: Lead, options: Options });
