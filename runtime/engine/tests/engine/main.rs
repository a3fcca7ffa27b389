//! The engine on a real store, which stands on a simulated disk, with scripted plugins and a clock that is moved by hand.

mod children;
mod faults;
mod ground;
mod lanes;
mod limits;
mod orders;
mod plugins;
mod script;
mod simulation;
mod stopping;
mod world;
