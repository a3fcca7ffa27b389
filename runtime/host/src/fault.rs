use model::{Fault, FaultKind};
use wasmtime::{FrameInfo, Trap, WasmBacktrace};

use crate::ledger::clean;
use crate::limits::{Exceeded, Limits};
use crate::native::Broken;
use crate::wasi::Exited;

/// Lines of a backtrace that are kept.
const BACKTRACE_LINES_MAX: usize = 64;

/// How wasmtime 48 says that a guest gives the host more than it may; it has no type for that.
const TOO_MUCH_DATA: &str = "fuel allocated for hostcalls has been exhausted";

/// What a call's end in an error means: a limit, a trap, or an answer that breaks the contract. `refused` is the limit at
/// which something was refused to the guest before.
pub(crate) fn of_error(error: &wasmtime::Error, limits: &Limits, refused: Option<Exceeded>) -> Fault {
    if let Some(exceeded) = limit(error, limits, refused) {
        return with_backtrace(of_limit(exceeded, FaultKind::Internal), error);
    }
    let (code, message) = match (error.downcast_ref::<Trap>(), error.downcast_ref::<Exited>()) {
        (Some(trap), _) => ("weir.trap", format!("the plugin trapped: {trap}")),
        (_, Some(exited)) => ("weir.trap", exited.to_string()),
        _ if error.downcast_ref::<Broken>().is_some_and(Broken::is_end) => ("weir.trap", clean(&error.to_string())),
        // None of them: what the guest gave cannot be read, such as text that is no UTF-8.
        _ => ("weir.contract", format!("the plugin broke the contract: {}", clean(&error.root_cause().to_string()))),
    };
    with_backtrace(Fault::new(FaultKind::Internal, code, message), error)
}

/// The fault of a limit.
pub(crate) fn of_limit(exceeded: Exceeded, kind: FaultKind) -> Fault {
    Fault::new(kind, exceeded.code(), exceeded.to_string())
}

fn limit(error: &wasmtime::Error, limits: &Limits, refused: Option<Exceeded>) -> Option<Exceeded> {
    if let Some(exceeded) = error.downcast_ref::<Exceeded>() {
        return Some(*exceeded);
    }
    if error.root_cause().to_string().contains(TOO_MUCH_DATA) {
        return Some(Exceeded::Output(limits.output_bytes));
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => Some(Exceeded::Stack),
        // A guest that was refused memory aborts: the reason is the limit, not the abort.
        _ => refused,
    }
}

fn with_backtrace(fault: Fault, error: &wasmtime::Error) -> Fault {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return fault };
    let at = backtrace.frames().iter().flat_map(FrameInfo::symbols).filter_map(|symbol| {
        let file = symbol.file()?;
        // The innermost frames are most often the standard library's; the plugin's own says more.
        let is_library = file.starts_with("/rustc/") || file.contains("/.cargo/registry/");
        (!is_library).then(|| symbol.line().map_or_else(|| file.to_owned(), |line| format!("{file}:{line}")))
    });
    let source = at.into_iter().next();
    let text = backtrace.to_string();
    let lines: Vec<_> = text.lines().take(BACKTRACE_LINES_MAX).map(clean).collect();
    let fault = match source {
        Some(source) => fault.with_detail("source", clean(&source)),
        None => fault,
    };
    fault.with_detail("backtrace", lines.join("\n"))
}
