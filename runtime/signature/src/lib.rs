//! Proves who sent a webhook: the signature schemes of its senders, verified and signed. Pure: it is told the time and the
//! bytes. Never learns what is in a body, nor where secrets are kept. Start at [`Verifier`].

mod headers;
mod key;
mod scheme;
mod sign;
mod verify;

pub use headers::{Field, Headers};
pub use key::BadSecret;
pub use scheme::{Algorithm, Encoding, HmacHeader, Scheme};
pub use sign::Signer;
pub use verify::{Rejected, TOLERANCE, Verified, Verifier};
