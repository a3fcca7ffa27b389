//! The outgoing gate: every request of a plugin, and of the host itself, passes here and nowhere else. It checks the URL,
//! the name's addresses, headers and sizes, adds the credential last, follows redirects through the same checks, and
//! records what was done without anything secret. Never learns what a flow or an execution is. Start at [`Egress::send`].

mod body;
mod call;
mod dial;
mod fault;
mod gate;
mod header;
mod hop;
mod kept;
mod pool;
mod request;
mod resolve;
mod timer;
mod transport;
mod wire;

pub use gate::{BuildError, Config, Egress};
pub use header::{HEADER_FIELD, is_framing_header};
pub use request::{Auth, HttpFault, HttpFaultKind, Limits, Request, Response};
pub use resolve::{Resolver, SystemResolver};
pub use transport::{NoAnswer, SentRequest, SentResponse, Transport};
