//! Stand-ins for the systems that Weir delivers to: a CRM, a chat, a directory of contacts and a sink for anything, on one port. Every request
//! is entered in a ledger with its idempotency key, so that a test can count what was lost and what came twice, and
//! each of them can be told to misbehave at a given rate. Knows nothing of Weir. Start at [`Standin::start`].
//!
//! | Route | Does |
//! | --- | --- |
//! | `POST /crm/v3/contacts` | creates a contact: `201`; `200` with the first answer if the `Idempotency-Key` repeats |
//! | `GET /crm/v3/contacts?email=…` | finds contacts |
//! | `GET /crm/v3/contacts?limit=…&after=…` | lists contacts in pages; `next` is the cursor for the following page |
//! | `GET /crm/v3/contacts/ID`, `PATCH …` | reads and updates a contact |
//! | `POST /services/…` | the chat's incoming webhook: the path is the secret |
//! | `POST /api/chat.postMessage` | posts a message with a bearer token |
//! | `POST /tenants/acme/v2/KEY/workspaces/W/contacts` | the directory: creates a contact, once for each `Idempotency-Key` |
//! | `GET …/contacts?limit=…&cursor=…` | lists contacts in pages; `next_cursor` is that of the following page |
//! | `GET …/contacts/search?reference=…` | finds contacts by any field, but those younger than the lag: `lag_ms` |
//! | `GET /tenants/acme/v2/KEY/account` | whose key it is |
//! | anything under `/sink` | takes it |
//! | `GET /_standin/summary` | a [`Summary`] by service |
//! | `GET /_standin/requests` | the last requests, oldest first, as [`Entry`] |
//! | `POST /_standin/faults` | sets [`Faults`] by service: `{"crm": {"unavailable": 0.1}}` |
//!
//! The CRM wants its key in `X-Api-Key`, the directory in the path.

mod chat;
mod crm;
mod directory;
mod faults;
mod ledger;
mod reply;
mod server;

pub use faults::{Fault, Faults};
pub use ledger::{Entry, Service, Summary};
pub use server::{Config, Observer, Standin};
