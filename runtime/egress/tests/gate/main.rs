//! The gate against real servers on loopback addresses.

mod answers;
mod credentials;
mod destinations;
mod pooling;
mod recorded;
mod redirects;
mod support;
mod throughput;
mod tls;
