//! CEL, the Common Expression Language: <https://github.com/google/cel-spec>. The crate `cel` parses; resolving names and
//! evaluating are ours, because its interpreter can neither be bounded nor keep the order of a map.
//!
//! What differs from the specification: integers are one type (see [`value::INTEGERS`]); an integer and a decimal may be
//! added, subtracted, multiplied and divided, because a sender's `10` may be `10.5` tomorrow; the keys of maps are texts;
//! there are neither bytes, timestamps, durations nor messages; and `matches` takes a pattern that is written out.

mod compile;
mod evaluate;
mod expr;
mod functions;
pub(crate) mod scan;
mod value;

pub(crate) use compile::{Finding, Names, compile};
pub(crate) use evaluate::{Meter, evaluate};
pub(crate) use expr::Node;
pub(crate) use value::Value;
