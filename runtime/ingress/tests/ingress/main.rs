//! The room as its clients see it: real sockets, and an engine that does as it is told.

mod answers;
mod events;
mod life;
mod protocol;
mod support;
