use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::bindings::cli::{
    environment, exit, stderr, stdin, stdout, terminal_input, terminal_output, terminal_stderr, terminal_stdin,
    terminal_stdout,
};
use wasmtime_wasi::p2::pipe::ClosedInputStream;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, OutputStream, Pollable, StreamResult};

use crate::ledger::{Ledger, Stdio};
use crate::state::CallState;

/// Bytes that the guest may write at once.
const WRITE_BYTES_MAX: usize = 16 * 1024;

/// The guest called `exit`: a plugin answers, it does not exit.
#[derive(Debug, thiserror::Error)]
#[error("the plugin called exit with status {0}")]
pub(crate) struct Exited(u8);

impl environment::Host for CallState {
    fn get_environment(&mut self) -> Result<Vec<(String, String)>> {
        Ok(Vec::new())
    }

    fn get_arguments(&mut self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn initial_cwd(&mut self) -> Result<Option<String>> {
        Ok(None)
    }
}

impl exit::Host for CallState {
    fn exit(&mut self, status: std::result::Result<(), ()>) -> Result<()> {
        self.exit_with_code(u8::from(status.is_err()))
    }

    fn exit_with_code(&mut self, status: u8) -> Result<()> {
        Err(Exited(status).into())
    }
}

impl stdin::Host for CallState {
    fn get_stdin(&mut self) -> Result<Resource<DynInputStream>> {
        let stream: DynInputStream = Box::new(ClosedInputStream);
        Ok(self.table.push(stream)?)
    }
}

impl stdout::Host for CallState {
    fn get_stdout(&mut self) -> Result<Resource<DynOutputStream>> {
        self.captured(Stdio::Output)
    }
}

impl stderr::Host for CallState {
    fn get_stderr(&mut self) -> Result<Resource<DynOutputStream>> {
        self.captured(Stdio::Error)
    }
}

impl CallState {
    fn captured(&mut self, stream: Stdio) -> Result<Resource<DynOutputStream>> {
        let ledger = self.stdio_ledger.get_or_insert_with(|| Arc::new(Mutex::new(Arc::clone(&self.ledger))));
        let captured: DynOutputStream = Box::new(Captured { stream, ledger: Arc::clone(ledger) });
        Ok(self.table.push(captured)?)
    }
}

/// Where the standard streams of a sandbox end: in the ledger of the call that it serves now. A guest may hold on to a
/// stream from one call to the next.
pub(crate) type StdioLedger = Arc<Mutex<Arc<Ledger>>>;

/// A standard stream that ends in the log.
struct Captured {
    stream: Stdio,
    ledger: StdioLedger,
}

impl OutputStream for Captured {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.write(self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

#[async_trait]
impl Pollable for Captured {
    async fn ready(&mut self) {}
}

impl terminal_input::Host for CallState {}

impl terminal_input::HostTerminalInput for CallState {
    fn drop(&mut self, terminal: Resource<terminal_input::TerminalInput>) -> Result<()> {
        self.table.delete(terminal)?;
        Ok(())
    }
}

impl terminal_output::Host for CallState {}

impl terminal_output::HostTerminalOutput for CallState {
    fn drop(&mut self, terminal: Resource<terminal_output::TerminalOutput>) -> Result<()> {
        self.table.delete(terminal)?;
        Ok(())
    }
}

impl terminal_stdin::Host for CallState {
    fn get_terminal_stdin(&mut self) -> Result<Option<Resource<terminal_input::TerminalInput>>> {
        Ok(None)
    }
}

impl terminal_stdout::Host for CallState {
    fn get_terminal_stdout(&mut self) -> Result<Option<Resource<terminal_output::TerminalOutput>>> {
        Ok(None)
    }
}

impl terminal_stderr::Host for CallState {
    fn get_terminal_stderr(&mut self) -> Result<Option<Resource<terminal_output::TerminalOutput>>> {
        Ok(None)
    }
}
