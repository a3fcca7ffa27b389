// Creates notes at a destination that honours `Idempotency-Key`. Start at `createNote` and `verifyCreate`, which settle
// together what happens when an answer is lost.
import {
  type Call,
  type Context,
  connector,
  type Http,
  type Identity,
  type Infer,
  Receipt,
  Settlement,
  shape,
  taking,
} from "@weir/sdk";

/** A note to be: schemas/note.json. */
const Note = shape.object({ title: shape.text(), text: shape.text() });
type Note = Infer<typeof Note>;

/** A note at the destination: schemas/stored.json. */
const Stored = shape.object({ id: shape.text() });

/** Whose account it is. */
const Me = shape.object({ name: shape.text() });

/** It does not retry: `check` makes the fault of a status, and Weir repeats the step by its kind. */
function createNote(call: Call<Note>, http: Http): Receipt {
  const { idempotencyKey } = call.context;
  const stored = http.post("/notes", { json: call.input, idempotencyKey }).check().json(Stored);
  return new Receipt(stored, { externalId: stored.id });
}

/** Settles a `create-note` whose answer was lost. */
function verifyCreate(call: Call<Note>, http: Http): Settlement {
  const { title } = call.input;
  const [found] = http.get("/notes", { query: { title } }).check().json(shape.list(Stored));
  return found ? Settlement.happened(new Receipt(found, { externalId: found.id })) : Settlement.absent();
}

/** Tests a connection and says whose it is. */
function checkConnection(_: Context, http: Http): Identity {
  return { label: http.get("/me").check().json(Me).name };
}

export default connector({
  actions: { "create-note": taking(Note, createNote) },
  verify: { "create-note": taking(Note, verifyCreate) },
  check: checkConnection,
});
