// The tickets of a help desk. A ticket is known by the reference that its sender gave, and the help desk honours
// `Idempotency-Key` for a day. Start at `createTicket` and `verifyCreate`, which settle together what happens when an answer
// is lost.

import {
  type Call,
  type Context,
  connector,
  encode,
  type Http,
  type Identity,
  type Infer,
  Receipt,
  type Response,
  Settlement,
  shape,
  taking,
} from "@weir/sdk";

const TICKETS = "/api/v1/tickets";

/** A ticket to be. */
const Ticket = shape.object(
  {
    title: shape.text(),
    body: shape.optional(shape.text()),
    priority: shape.optional(shape.oneOf("low", "normal", "high", "urgent")),
    reference: shape.text(),
    labels: shape.optional(shape.list(shape.text())),
  },
  "refuse",
);

/** A ticket at the help desk. Its further fields are passed on as they are. */
const Id = shape.either(shape.text(), shape.exact());
const Stored = shape.object({ id: Id, status: shape.text(), reference: shape.optional(shape.text()) }, "keep");
type Stored = Infer<typeof Stored>;

const Page = shape.object({ tickets: shape.list(Stored), next: shape.optional(shape.text()) });

const Search = shape.object({ reference: shape.text() }, "refuse");
const Closing = shape.object({ id: shape.text() }, "refuse");
const Listing = shape.object(
  {
    limit: shape.withDefault(shape.integer(), 100),
    status: shape.optional(shape.oneOf("open", "closed")),
  },
  "refuse",
);

/** What the help desk says when it declines. */
const Refusal = shape.object({
  error: shape.object({
    code: shape.text(),
    message: shape.text(),
    fields: shape.withDefault(shape.list(shape.object({ pointer: shape.text(), message: shape.text() })), []),
  }),
});

const Me = shape.object({ name: shape.text(), account: shape.text() });

function createTicket(call: Call<Infer<typeof Ticket>>, http: Http): Receipt {
  const { idempotencyKey } = call.context;
  const answer = http.post(TICKETS, { json: call.input, idempotencyKey });
  return receiptOf(checked(answer).json(Stored));
}

/** A ticket with the reference is the one that was to be created: references are the sender's own, and one of a kind. */
function verifyCreate(call: Call<Infer<typeof Ticket>>, http: Http): Settlement {
  const found = lookUp(call.input.reference, http);
  return found ? Settlement.happened(receiptOf(found)) : Settlement.absent();
}

/** A ticket that is not there is an answer, not a fault. */
function findTicket(call: Call<Infer<typeof Search>>, http: Http): Receipt {
  const found = lookUp(call.input.reference, http);
  return new Receipt({ found: found !== undefined, ticket: found ?? null }, { externalId: found && String(found.id) });
}

function closeTicket(call: Call<Infer<typeof Closing>>, http: Http): Receipt {
  const answer = http.patch(`${TICKETS}/${encode(call.input.id)}`, { json: { status: "closed" } });
  return receiptOf(checked(answer).json(Stored));
}

function verifyClose(call: Call<Infer<typeof Closing>>, http: Http): Settlement {
  const ticket = checked(http.get(`${TICKETS}/${encode(call.input.id)}`)).json(Stored);
  return ticket.status === "closed" ? Settlement.happened(receiptOf(ticket)) : Settlement.absent();
}

/** One page, and the cursor of the next. */
function listTickets(call: Call<Infer<typeof Listing>>, http: Http): Receipt {
  const { limit, status } = call.input;
  const page = checked(http.get(TICKETS, { query: { limit, status, after: call.cursor } })).json(Page);
  return new Receipt(page.tickets, { next: page.next });
}

function check(_: Context, http: Http): Identity {
  const me = checked(http.get("/api/v1/me")).json(Me);
  return { label: me.name, account: me.account };
}

function lookUp(reference: string, http: Http): Stored | undefined {
  const [ticket] = checked(http.get(TICKETS, { query: { reference, limit: 1 } })).json(Page).tickets;
  return ticket;
}

function receiptOf(ticket: Stored): Receipt {
  return new Receipt(ticket, { externalId: String(ticket.id) });
}

/** As `Response.check`, with what this help desk says more in its body: a code, a message, and the fields at fault. */
function checked(response: Response): Response {
  if (response.ok) return response;
  const fault = response.toFault();
  try {
    const { error } = response.json(Refusal);
    fault.withCode(error.code).withMessage(`the help desk says: ${error.message}`);
    for (const { pointer, message } of error.fields) fault.field(pointer, message);
  } catch {
    // Whatever stands between the help desk and Weir answers in its own way; the status says enough.
  }
  throw fault;
}

export default connector({
  actions: {
    "create-ticket": taking(Ticket, createTicket),
    "find-ticket": taking(Search, findTicket),
    "close-ticket": taking(Closing, closeTicket),
    "list-tickets": taking(Listing, listTickets),
  },
  verify: {
    "create-ticket": taking(Ticket, verifyCreate),
    "close-ticket": taking(Closing, verifyClose),
  },
  check,
});
