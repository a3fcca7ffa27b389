//! The host against real components: hostile guests, generations under load, the way out, and what WASI lets through.

mod figures;
mod generations;
mod hostile;
mod http;
mod refused;
mod support;
mod surroundings;
