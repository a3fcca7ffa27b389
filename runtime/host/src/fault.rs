use model::{Fault, FaultKind};
use wasmtime::{Trap, WasmBacktrace};

use crate::limits::Exceeded;
use crate::wasi::Exited;

/// Frames of a backtrace that are kept.
const FRAMES_MAX: usize = 32;

/// What a call's end in an error means: a limit, a trap, or an answer that breaks the contract.
pub(crate) fn of_error(error: &wasmtime::Error, refused: Option<Exceeded>) -> Fault {
    if let Some(exceeded) = limit(error, refused) {
        return with_backtrace(of_limit(exceeded, FaultKind::Internal), error);
    }
    let (code, message) = match (error.downcast_ref::<Trap>(), error.downcast_ref::<Exited>()) {
        (Some(trap), _) => ("weir.trap", format!("the plugin trapped: {trap}")),
        (_, Some(exited)) => ("weir.trap", exited.to_string()),
        // Neither: what the guest gave cannot be read, such as text that is no UTF-8.
        _ => ("weir.contract", format!("the plugin broke the contract: {}", crate::ledger::clean(&root_cause(error)))),
    };
    with_backtrace(Fault::new(FaultKind::Internal, code, message), error)
}

/// The fault of a limit.
pub(crate) fn of_limit(exceeded: Exceeded, kind: FaultKind) -> Fault {
    Fault::new(kind, exceeded.code(), exceeded.to_string())
}

fn limit(error: &wasmtime::Error, refused: Option<Exceeded>) -> Option<Exceeded> {
    if let Some(exceeded) = error.downcast_ref::<Exceeded>() {
        return Some(*exceeded);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => Some(Exceeded::Stack),
        // A guest that was refused memory aborts: the reason is the limit, not the abort.
        _ => refused,
    }
}

fn root_cause(error: &wasmtime::Error) -> String {
    error.root_cause().to_string()
}

fn with_backtrace(mut fault: Fault, error: &wasmtime::Error) -> Fault {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return fault };
    let mut frames = Vec::new();
    let mut source = None;
    for frame in backtrace.frames().iter().take(FRAMES_MAX) {
        let symbols = frame.symbols();
        let at = symbols.iter().find_map(|symbol| {
            Some(format!("{}:{}", symbol.file()?, symbol.line().map_or_else(String::new, |line| line.to_string())))
        });
        let name = symbols.iter().find_map(|symbol| symbol.name()).or(frame.func_name()).unwrap_or("?");
        frames.push(match &at {
            Some(at) => format!("{name} at {at}"),
            None => name.to_owned(),
        });
        // The innermost frame with a line is most often the standard library's; the plugin's own says more.
        let is_library = |at: &String| at.starts_with("/rustc/") || at.contains("/.cargo/registry/");
        source = source.or_else(|| at.filter(|at| !is_library(at)));
    }
    if let Some(source) = source {
        fault = fault.with_detail("source", crate::ledger::clean(&source));
    }
    let frames: Vec<_> = frames.iter().map(|frame| crate::ledger::clean(frame)).collect();
    fault.with_detail("backtrace", frames.join("\n"))
}
