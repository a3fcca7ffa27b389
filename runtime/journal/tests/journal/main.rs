//! The journal as whoever stands on it sees it, on a simulated disk and on a real one.

mod basics;
mod damage;
mod faults;
mod golden;
mod power_loss;
mod world;
