import { connector, Receipt, Settlement, shape, taking } from "@weir/sdk";

const Item = shape.object({ name: shape.text(), reference: shape.text() }, "refuse");

/** An item at the destination; further fields are passed on as they are. */
const Stored = shape.object({ id: shape.text() }, "keep");

const createItem = taking(Item, (call, http) => {
  const { idempotencyKey } = call.context;
  const stored = http.post("/items", { json: call.input, idempotencyKey }).check().json(Stored);
  return new Receipt(stored, { externalId: stored.id });
});

/** Settles a `create-item` whose answer was lost, by the reference that is the sender's own. */
const verifyCreate = taking(Item, (call, http) => {
  const { reference } = call.input;
  const [found] = http.get("/items", { query: { reference } }).check().json(shape.list(Stored));
  return found ? Settlement.happened(new Receipt(found, { externalId: found.id })) : Settlement.absent();
});

export default connector({
  actions: { "create-item": createItem },
  verify: { "create-item": verifyCreate },
  check: (_, http) => ({ label: http.get("/me").check().json(shape.object({ name: shape.text() })).name }),
});
