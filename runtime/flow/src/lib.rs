//! Turns text into a checked flow: YAML, CEL, `set`, JSON Schema; and evaluates what it compiled. Pure: no I/O, no clock,
//! no async. Never learns how a step is run, where a plugin comes from, or what a secret is. Start at [`check()`] and
//! [`Flow`].

mod catalogue;
mod cel;
mod check;
mod expect;
mod expression;
mod flow;
mod scope;
mod template;

pub use catalogue::{ActionInfo, Catalogue, ConnectionInfo, MapperInfo, Permissive, PluginName};
pub use check::check;
pub use expect::Expect;
pub use expression::{Condition, EvalError, Expression};
pub use flow::{
    Alert, Decode, Dedupe, Flow, HmacAlgorithm, HmacEncoding, OnFailure, Reply, Retry, Scheme, Source, SourceKind,
    Step, StepKind, Verify, Webhook,
};
pub use scope::Scope;
pub use template::{DOCUMENT_BYTES_MAX, Set, With};
pub use written::yaml::Problem;
