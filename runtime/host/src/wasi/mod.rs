//! WASI for plugins. A mapper imports it because its language's standard library does; it is inert, so that nothing but
//! the event shows through. A connector gets the time and random numbers. Nobody gets files, sockets or an environment.

mod clocks;
mod http;
mod stdio;

use std::sync::Arc;
use std::time::SystemTime;

use model::{EventId, Timestamp};
use wasmtime::Result;
use wasmtime::component::{HasData, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::filesystem::WasiFilesystem;
use wasmtime_wasi::p2::bindings::{cli, clocks as wasi_clocks, filesystem, random};
use wasmtime_wasi_io::bindings::wasi::io;

pub(crate) use http::WasiHttpState;
pub(crate) use stdio::{Exited, StdioLedger};

use crate::gate::Gate;
use crate::state::CallState;

/// What a guest can perceive beside its arguments.
pub(crate) enum Surroundings {
    /// Nothing but the event: time stands still at its receipt, and what looks random follows from its id.
    Mapper { received: Timestamp, seed: u64 },
    /// The real time in milliseconds, real random numbers, and the gate to the network.
    Connector { now: Arc<dyn Fn() -> SystemTime + Send + Sync>, gate: Arc<Gate> },
}

impl Surroundings {
    pub(crate) fn of_event(event: EventId, received: Timestamp) -> Self {
        let (high, low) = event.as_bytes().split_at(8);
        let word = |bytes: &[u8]| bytes.iter().fold(0, |word: u64, &byte| word << 8 | u64::from(byte));
        Self::Mapper { received, seed: word(high).rotate_left(32) ^ word(low) }
    }

    pub(crate) fn gate(&self) -> Option<Arc<Gate>> {
        match self {
            Self::Mapper { .. } => None,
            Self::Connector { gate, .. } => Some(Arc::clone(gate)),
        }
    }
}

struct HasTable;

impl HasData for HasTable {
    type Data<'a> = &'a mut ResourceTable;
}

/// Links what every plugin may import, interface by interface.
pub(crate) fn link(linker: &mut Linker<CallState>) -> Result<()> {
    type Own = HasSelf<CallState>;
    io::error::add_to_linker::<_, HasTable>(linker, CallState::counted_table)?;
    io::poll::add_to_linker::<_, HasTable>(linker, CallState::counted_table)?;
    io::streams::add_to_linker::<_, HasTable>(linker, CallState::counted_table)?;
    filesystem::types::add_to_linker::<_, WasiFilesystem>(linker, CallState::counted_filesystem)?;
    filesystem::preopens::add_to_linker::<_, WasiFilesystem>(linker, CallState::counted_filesystem)?;
    wasi_clocks::wall_clock::add_to_linker::<_, Own>(linker, CallState::counted)?;
    wasi_clocks::monotonic_clock::add_to_linker::<_, Own>(linker, CallState::counted)?;
    random::random::add_to_linker::<_, Own>(linker, CallState::counted)?;
    random::insecure::add_to_linker::<_, Own>(linker, CallState::counted)?;
    random::insecure_seed::add_to_linker::<_, Own>(linker, CallState::counted)?;
    cli::environment::add_to_linker::<_, Own>(linker, CallState::counted)?;
    cli::exit::add_to_linker::<_, Own>(linker, CallState::counted)?;
    cli::stdin::add_to_linker::<_, Own>(linker, CallState::counted)?;
    cli::stdout::add_to_linker::<_, Own>(linker, CallState::counted)?;
    cli::stderr::add_to_linker::<_, Own>(linker, CallState::counted)?;
    cli::terminal_input::add_to_linker::<_, Own>(linker, CallState::counted)?;
    cli::terminal_output::add_to_linker::<_, Own>(linker, CallState::counted)?;
    cli::terminal_stdin::add_to_linker::<_, Own>(linker, CallState::counted)?;
    cli::terminal_stdout::add_to_linker::<_, Own>(linker, CallState::counted)?;
    cli::terminal_stderr::add_to_linker::<_, Own>(linker, CallState::counted)?;
    Ok(())
}

/// Links `wasi:http/outgoing-handler` for a connector: another way to the same gate.
pub(crate) fn link_http(linker: &mut Linker<CallState>) -> Result<()> {
    http::link(linker)
}
