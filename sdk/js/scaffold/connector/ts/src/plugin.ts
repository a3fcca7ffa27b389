import { type Call, connector, type Http, type Infer, Receipt, Settlement, shape, taking } from "@weir/sdk";

const Item = shape.object({ name: shape.text(), reference: shape.text() }, "refuse");
type Item = Infer<typeof Item>;

/** An item at the destination; further fields are passed on as they are. */
const Stored = shape.object({ id: shape.text() }, "keep");

function createItem(call: Call<Item>, http: Http): Receipt {
  const { idempotencyKey } = call.context;
  const stored = http.post("/items", { json: call.input, idempotencyKey }).check().json(Stored);
  return new Receipt(stored, { externalId: stored.id });
}

/** Settles a `create-item` whose answer was lost, by the reference that is the sender's own. */
function verifyCreate(call: Call<Item>, http: Http): Settlement {
  const { reference } = call.input;
  const [found] = http.get("/items", { query: { reference } }).check().json(shape.list(Stored));
  return found ? Settlement.happened(new Receipt(found, { externalId: found.id })) : Settlement.absent();
}

export default connector({
  actions: { "create-item": taking(Item, createItem) },
  verify: { "create-item": taking(Item, verifyCreate) },
  check: (_, http) => ({ label: http.get("/me").check().json(shape.object({ name: shape.text() })).name }),
});
