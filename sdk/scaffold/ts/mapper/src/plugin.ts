// Makes a greeting of a name. Start at `greet`.
import { Fault, type Infer, type Mapping, mapper, shape } from "@weir/sdk";

/** What comes in: schemas/input.json. Further fields are left alone. */
const Person = shape.object({ name: shape.text() });

/** What a flow may choose: schemas/options.json. */
const Options = shape.object({ salutation: shape.withDefault(shape.text(), "Hello") }, "refuse");

/** What goes out: schemas/output.json. */
interface Greeting {
  greeting: string;
}

/** The mapper. Pure: the same input gives the same output, at any time and anywhere. */
function greet({ input, options }: Mapping<Infer<typeof Person>, Infer<typeof Options>>): Greeting {
  const name = input.name.trim();
  if (name === "") {
    throw Fault.invalidInput("there is nobody to greet").withCode("no-name").field("/name", "is empty");
  }
  return { greeting: `${options.salutation}, ${name}!` };
}

export default mapper(greet, { input: Person, options: Options });
