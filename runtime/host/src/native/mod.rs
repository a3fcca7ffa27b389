//! Plugins that run as processes of this machine, for whoever writes them: a change is served as soon as it is saved, where
//! building a component takes seconds. The process has the rights of whoever started Weir, so that only `weir dev` has any.
//! What it is called with, and what it sends, is what a component would: requests pass the same gate, lines go to the same
//! ledger. There is no sandbox around it: its time is limited, its memory is not, and what one call leaves behind is there
//! in the next.

mod messages;
mod process;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use engine::{Receipt, Settlement};
use model::{Document, Fault};

pub(crate) use self::messages::Ask;
use self::messages::{Log, Returned, Said};
pub(crate) use self::process::Broken;
use self::process::Process;
use crate::gate::Gate;
use crate::ledger::{Ledger, Stdio};
use crate::limits::Limits;
use crate::load::LoadError;
use crate::v0_1;

/// Bytes of what a process prints before it is ready that are kept: the end says why it does not start.
const PRINTED_BYTES_MAX: usize = 16 * 1024;

/// A program that is a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// What is started; looked for on `PATH` unless it is a path.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Added to the environment of Weir itself.
    pub environment: Vec<(String, String)>,
    /// Where it runs.
    pub folder: PathBuf,
    /// Tells one content of the plugin from another, as a component's digest does.
    pub digest: String,
}

/// Who calls: what the host keeps of one call.
pub(crate) struct Caller {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) limits: Arc<Limits>,
    /// The way out; a mapper has none.
    pub(crate) gate: Option<Arc<Gate>>,
}

/// A plugin's processes.
pub(crate) struct Native {
    program: Program,
    message_bytes_max: usize,
    idle: Mutex<Vec<Process>>,
}

impl Native {
    /// Starts the program, and waits until it can be called.
    pub(crate) async fn start(program: Program, limits: &Limits) -> Result<Self, LoadError> {
        // Base64 makes four bytes of three, and JSON escapes what it must.
        let message_bytes_max = 2 * usize::try_from(limits.output_bytes).unwrap_or(usize::MAX / 2);
        let native = Self { program, message_bytes_max, idle: Mutex::default() };
        let mut printed = Vec::new();
        let ready = async {
            let mut process = Process::start(&native.program, message_bytes_max)?;
            match process.hear(&mut |_, bytes| printed.extend_from_slice(bytes)).await? {
                Said::Ready(ready) => Ok((process, ready)),
                _ => Err(Broken::OutOfTurn),
            }
        };
        let (process, ready) = ready.await.map_err(|broken| LoadError::Native(why(&broken, &printed)))?;
        if ready.contract != v0_1::VERSION {
            return Err(LoadError::Contract { found: ready.contract, spoken: v0_1::VERSION });
        }
        native.keep(process);
        Ok(native)
    }

    /// Lets go of the processes that wait for a call.
    pub(crate) fn cool(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) async fn transform(
        &self,
        ask: Ask<'_>,
        caller: &Caller,
    ) -> wasmtime::Result<Result<Vec<Document>, Fault>> {
        let documents = self.call(ask, caller).await?.documents().map_err(Broken::Message)?;
        if let Ok(documents) = &documents {
            caller.limits.check_documents(documents)?;
        }
        Ok(documents)
    }

    pub(crate) async fn invoke(&self, ask: Ask<'_>, caller: &Caller) -> wasmtime::Result<Result<Receipt, Fault>> {
        let receipt = self.call(ask, caller).await?.receipt().map_err(Broken::Message)?;
        if let Ok(receipt) = &receipt {
            caller.limits.check_output(receipt.output.data.len())?;
        }
        Ok(receipt)
    }

    pub(crate) async fn verify(&self, ask: Ask<'_>, caller: &Caller) -> wasmtime::Result<Result<Settlement, Fault>> {
        let settlement = self.call(ask, caller).await?.settlement().map_err(Broken::Message)?;
        if let Ok(Settlement::Happened(receipt)) = &settlement {
            caller.limits.check_output(receipt.output.data.len())?;
        }
        Ok(settlement)
    }

    /// Asks a process, serves it until it has answered, and keeps it. One that does not come to an answer is killed, as
    /// when the call is out of time.
    async fn call(&self, ask: Ask<'_>, caller: &Caller) -> wasmtime::Result<Returned> {
        let Caller { ledger, limits, gate } = caller;
        let mut process = self.take(ledger).await?;
        process.say(&ask).await?;
        loop {
            match process.hear(&mut |stream, bytes| ledger.write(stream, bytes)).await? {
                Said::Log(Log { level, message, fields }) => {
                    ledger.note_host_call();
                    limits.check_host_calls(ledger.host_calls())?;
                    ledger.log(level, &message, fields);
                }
                Said::Send(requests) => {
                    ledger.note_host_call();
                    limits.check_host_calls(ledger.host_calls())?;
                    let gate = gate.as_ref().ok_or(Broken::OutOfTurn)?;
                    let answers = gate.send_all(ledger, requests, limits).await?;
                    process.say(&Ask::Answers(answers.into_iter().map(Into::into).collect())).await?;
                }
                Said::Returned(returned) => {
                    self.keep(process);
                    return Ok(returned);
                }
                Said::Ready(_) => return Err(Broken::OutOfTurn.into()),
            }
        }
    }

    /// A process that waits for a call, or a new one.
    async fn take(&self, ledger: &Arc<Ledger>) -> Result<Process, Broken> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(process) = idle {
            return Ok(process);
        }
        let mut process = Process::start(&self.program, self.message_bytes_max)?;
        match process.hear(&mut |stream: Stdio, bytes| ledger.write(stream, bytes)).await? {
            Said::Ready(_) => Ok(process),
            _ => Err(Broken::OutOfTurn),
        }
    }

    fn keep(&self, process: Process) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(process);
    }
}

/// Why a program does not start: what it printed, if it did.
fn why(broken: &Broken, printed: &[u8]) -> String {
    let end = &printed[printed.len().saturating_sub(PRINTED_BYTES_MAX)..];
    match String::from_utf8_lossy(end).trim_end() {
        "" => broken.to_string(),
        words => format!("{broken}\n{words}"),
    }
}
