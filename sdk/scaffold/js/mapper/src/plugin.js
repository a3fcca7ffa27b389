// Makes a greeting of a name.
import { Fault, mapper, shape } from "@weir/sdk";

/** What comes in: schemas/input.json. Further fields are left alone. */
const Person = shape.object({ name: shape.text() });

/** What a flow may choose: schemas/options.json. */
const Options = shape.object({ salutation: shape.withDefault(shape.text(), "Hello") }, "refuse");

/** The mapper. Pure: the same input gives the same output, at any time and anywhere. */
export default mapper(
  ({ input, options }) => {
    const name = input.name.trim();
    if (name === "") {
      throw Fault.invalidInput("there is nobody to greet").withCode("no-name").field("/name", "is empty");
    }
    return { greeting: `${options.salutation}, ${name}!` };
  },
  { input: Person, options: Options },
);
