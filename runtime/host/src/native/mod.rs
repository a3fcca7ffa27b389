//! Plugins that run as processes of this machine, for whoever writes them: a change is served as soon as it is saved, where
//! building a component takes seconds. The process has the rights of whoever started Weir, so that only `weir dev` has any.
//! What it is called with, and what it sends, is what a component would: requests pass the same gate, lines go to the same
//! ledger. There is no sandbox around it: its time is limited, its memory is not, and what one call leaves behind is there
//! in the next. A process that is started later, because another was killed or several calls come at once, runs the plugin's
//! files as they are then.

mod messages;
mod process;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::{ActionCall, Receipt, Settlement, TransformCall};
use model::Document;
use tokio::time::timeout;

use self::messages::Ask;
use self::messages::{Log, Ready, Returned, Said};
pub(crate) use self::process::Broken;
use self::process::Process;
use crate::call::Outcome;
use crate::gate::Gate;
use crate::ledger::{Ledger, Stdio};
use crate::limits::Limits;
use crate::load::LoadError;
use crate::v0_1;

/// Bytes of what a process prints before it is ready that are kept: it says why it does not start.
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
    idle: Mutex<Idle>,
}

/// Those that wait for a call.
#[derive(Default)]
struct Idle {
    processes: Vec<Process>,
    /// None is kept any more.
    is_cold: bool,
}

impl Native {
    /// Starts the program, and waits until it can be called.
    pub(crate) async fn start(program: Program, limits: &Limits, within: Duration) -> Result<Self, LoadError> {
        let native = Self { program, idle: Mutex::default() };
        let mut printed = Vec::new();
        let mut print = |_, bytes: &[u8]| {
            let room = PRINTED_BYTES_MAX.saturating_sub(printed.len());
            printed.extend_from_slice(&bytes[..bytes.len().min(room)]);
        };
        let (process, contract) = match timeout(within, native.ready(limits, &mut print)).await {
            Ok(Ok(ready)) => ready,
            Ok(Err(error)) => return Err(why(&format!("{error:#}"), &printed)),
            Err(_) => return Err(why(&format!("it is not ready after {} s", within.as_secs()), &printed)),
        };
        if contract != v0_1::VERSION {
            return Err(LoadError::Contract { found: contract, spoken: v0_1::VERSION });
        }
        native.keep(process);
        Ok(native)
    }

    /// Lets go of the processes that wait for a call, and of those under way when theirs has ended.
    pub(crate) fn cool(&self) {
        *self.idle() = Idle { processes: Vec::new(), is_cold: true };
    }

    /// Keeps processes again.
    pub(crate) fn heat(&self) {
        self.idle().is_cold = false;
    }

    pub(crate) async fn transform(&self, call: &TransformCall, caller: &Caller) -> Outcome<Vec<Document>> {
        let documents = self.call(|| Ask::transform(call), caller).await?.documents().map_err(Broken::Message)?;
        if let Ok(documents) = &documents {
            caller.limits.check_documents(documents)?;
        }
        Ok(documents)
    }

    pub(crate) async fn invoke(&self, call: &ActionCall, gate: &Gate, caller: &Caller) -> Outcome<Receipt> {
        let receipt = self.call(|| Ask::invoke(call, gate), caller).await?.receipt().map_err(Broken::Message)?;
        if let Ok(receipt) = &receipt {
            caller.limits.check_output(receipt.output.data.len())?;
        }
        Ok(receipt)
    }

    pub(crate) async fn verify(&self, call: &ActionCall, gate: &Gate, caller: &Caller) -> Outcome<Settlement> {
        let settlement = self.call(|| Ask::verify(call, gate), caller).await?.settlement().map_err(Broken::Message)?;
        if let Ok(Settlement::Happened(receipt)) = &settlement {
            caller.limits.check_output(receipt.output.data.len())?;
        }
        Ok(settlement)
    }

    /// Asks a process, serves it until it has answered, and keeps it. One that does not come to an answer is killed, as
    /// when the call is out of time.
    async fn call<'a>(&self, ask: impl FnOnce() -> Ask<'a>, caller: &Caller) -> wasmtime::Result<Returned> {
        let Caller { ledger, limits, gate } = caller;
        let mut process = self.take(limits, ledger).await?;
        // Made now, because it says how much time is left.
        process.say(&ask()).await?;
        loop {
            match process.hear(limits, &mut |stream, bytes| ledger.write(stream, bytes)).await? {
                Said::Log(Log { level, message, fields }) => {
                    ledger.note_host_call();
                    limits.check_host_calls(ledger.host_calls())?;
                    ledger.log(level, &message, fields);
                }
                Said::Send(requests) => {
                    ledger.note_host_call();
                    limits.check_host_calls(ledger.host_calls())?;
                    // A mapper is pure, and has no way out.
                    let gate = gate.as_ref().ok_or(Broken::OutOfTurn("send"))?;
                    let answers = gate.send_all(ledger, requests, limits).await?;
                    process.say(&Ask::Answers(answers.into_iter().map(Into::into).collect())).await?;
                }
                Said::Returned(returned) => {
                    self.keep(process);
                    return Ok(returned);
                }
                Said::Ready(_) => return Err(Broken::OutOfTurn("ready").into()),
            }
        }
    }

    /// A process that waits for a call, or a new one.
    async fn take(&self, limits: &Limits, ledger: &Ledger) -> wasmtime::Result<Process> {
        let waiting = || self.idle().processes.pop();
        while let Some(mut process) = waiting() {
            if !process.has_ended() {
                return Ok(process);
            }
        }
        let (process, _) = self.ready(limits, &mut |stream, bytes| ledger.write(stream, bytes)).await?;
        Ok(process)
    }

    /// A process that can be called, and the contract that it speaks. What it logs before is taken as printed.
    async fn ready(
        &self,
        limits: &Limits,
        printed: &mut (dyn FnMut(Stdio, &[u8]) + Send),
    ) -> wasmtime::Result<(Process, String)> {
        let mut process = Process::start(&self.program)?;
        loop {
            match process.hear(limits, printed).await? {
                Said::Ready(Ready { contract }) => return Ok((process, contract)),
                Said::Log(Log { message, .. }) => printed(Stdio::Output, format!("{message}\n").as_bytes()),
                Said::Send(_) => return Err(Broken::OutOfTurn("send").into()),
                Said::Returned(_) => return Err(Broken::OutOfTurn("returned").into()),
            }
        }
    }

    fn keep(&self, process: Process) {
        let mut idle = self.idle();
        if !idle.is_cold {
            idle.processes.push(process);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a program does not start, with what it printed.
fn why(reason: &str, printed: &[u8]) -> LoadError {
    LoadError::Native(match String::from_utf8_lossy(printed).trim_end() {
        "" => reason.to_owned(),
        words => format!("{reason}\n{words}"),
    })
}
