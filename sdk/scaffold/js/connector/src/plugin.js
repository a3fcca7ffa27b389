// Creates notes at a destination that honours `Idempotency-Key`. Start at `createNote` and `verifyCreate`, which settle
// together what happens when an answer is lost.
import { connector, Receipt, Settlement, shape, taking } from "@weir/sdk";

/** A note to be: schemas/note.json. */
const Note = shape.object({ title: shape.text(), text: shape.text() });

/** A note at the destination: schemas/stored.json. */
const Stored = shape.object({ id: shape.text() });

/** Whose account it is. */
const Me = shape.object({ name: shape.text() });

/** It does not retry: `check` makes the fault of a status, and Weir repeats the step by its kind. */
const createNote = taking(Note, (call, http) => {
  const { idempotencyKey } = call.context;
  const stored = http.post("/notes", { json: call.input, idempotencyKey }).check().json(Stored);
  return new Receipt(stored, { externalId: stored.id });
});

/** Settles a `create-note` whose answer was lost. */
const verifyCreate = taking(Note, (call, http) => {
  const { title } = call.input;
  const [found] = http.get("/notes", { query: { title } }).check().json(shape.list(Stored));
  return found ? Settlement.happened(new Receipt(found, { externalId: found.id })) : Settlement.absent();
});

export default connector({
  actions: { "create-note": createNote },
  verify: { "create-note": verifyCreate },
  check: (_, http) => ({ label: http.get("/me").check().json(Me).name }),
});
