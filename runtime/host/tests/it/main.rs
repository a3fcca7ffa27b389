//! The host against real components: hostile guests, generations under load, the way out, and what WASI lets through.

mod addresses;
mod bodies;
mod campaign;
mod credentials;
mod destination;
mod generations;
mod hostile;
mod http;
mod languages;
mod native;
mod refused;
mod same_output;
mod support;
mod surroundings;
mod together;
mod values;
