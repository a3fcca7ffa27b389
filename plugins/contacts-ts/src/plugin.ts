// The contacts of a directory with many tenants, whose search lags behind. Start at `createContact` and `verifyCreate`, which
// settle together what happens when an answer is lost.

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

/** A contact to be. */
const Contact = shape.object({ email: shape.text(), name: shape.optional(shape.text()) });
type Contact = Infer<typeof Contact>;

const Search = shape.object({ email: shape.text() });
const Listing = shape.object({ limit: shape.withDefault(shape.integer(), 1000) });

/** Those of the connection. */
const Settings = shape.object({ workspace: shape.withDefault(shape.text(), "main") });

/** A contact in the directory. Its further fields are passed on as they are, with every digit. */
const Stored = shape.object({ id: shape.exact() }, "keep");
type Stored = Infer<typeof Stored>;

/** What the directory answers to a search and to a listing. */
const Page = shape.object({
  contacts: shape.list(Stored),
  next_cursor: shape.optional(shape.text()),
  lag_ms: shape.withDefault(shape.integer(), 0),
});

/** What the directory says when it declines. */
const Refusal = shape.object({
  error: shape.object({
    code: shape.text(),
    message: shape.text(),
    details: shape.withDefault(shape.list(shape.object({ field: shape.text(), problem: shape.text() })), []),
  }),
});

const Account = shape.object({ tenant: shape.text(), name: shape.text() });

/** The step's key is the contact's reference, by which it is found again. */
function createContact({ input, context }: Call<Contact>, http: Http): Receipt {
  const { idempotencyKey } = context;
  const answer = http.post(contactsOf(context), { json: { ...input, reference: idempotencyKey }, idempotencyKey });
  return receiptOf(checked(answer).json(Stored));
}

/**
 * Settles a `create-contact` whose answer was lost. The directory says for how long its search does not find what is new:
 * what is not found while it does may still be there.
 */
function verifyCreate({ context }: Call<Contact>, http: Http): Settlement {
  const page = search(context, http, { reference: context.idempotencyKey });
  const [found] = page.contacts;
  if (found) return Settlement.happened(receiptOf(found));
  return page.lag_ms > 0 ? Settlement.undecided(page.lag_ms) : Settlement.absent();
}

/** A contact that is not there is an answer, not a fault. */
function findContact({ input, context }: Call<Infer<typeof Search>>, http: Http): Receipt {
  const [found] = search(context, http, { email: input.email }).contacts;
  return new Receipt({ found: found !== undefined, contact: found ?? null }, { externalId: found && String(found.id) });
}

/** One page, and the cursor of the next. */
function listContacts({ input, context, cursor }: Call<Infer<typeof Listing>>, http: Http): Receipt {
  const answer = http.get(contactsOf(context), { query: { limit: input.limit, cursor } });
  const page = checked(answer).json(Page);
  return new Receipt(page.contacts, { next: page.next_cursor });
}

/** Asks the directory whose key it is. */
function check(_: Context, http: Http): Identity {
  const account = checked(http.get("/v2/{{key}}/account")).json(Account);
  return { label: account.name, account: account.tenant };
}

/**
 * The path of the workspace's contacts below the tenant's base URL. Weir puts the key in when the request has left the
 * plugin.
 */
function contactsOf(context: Context): string {
  const { workspace } = context.readSettings(Settings);
  return `/v2/{{key}}/workspaces/${encode(workspace)}/contacts`;
}

function search(context: Context, http: Http, query: Record<string, string>): Infer<typeof Page> {
  return checked(http.get(`${contactsOf(context)}/search`, { query })).json(Page);
}

function receiptOf(contact: Stored): Receipt {
  return new Receipt(contact, { externalId: String(contact.id) });
}

/** As `Response.check`, with what the directory says more in its body and its header fields. */
function checked(response: Response): Response {
  if (response.ok) return response;
  const fault = response.toFault();
  const reset = response.header("x-ratelimit-reset") ?? "";
  if (response.status === 429 && /^\d+$/.test(reset)) fault.retryAfterMs ??= Number(reset) * 1000;
  try {
    const { error } = response.json(Refusal);
    fault.withCode(error.code).withMessage(`the directory says: ${error.message}`);
    for (const { field, problem } of error.details) fault.field(`/${field}`, problem);
  } catch {
    // A gateway in between answers in its own words, which the fault holds already.
  }
  throw fault;
}

export default connector({
  actions: {
    "create-contact": taking(Contact, createContact),
    "find-contact": taking(Search, findContact),
    "list-contacts": taking(Listing, listContacts),
  },
  verify: { "create-contact": taking(Contact, verifyCreate) },
  check,
});
