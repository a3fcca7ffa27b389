use std::panic::PanicHookInfo;
use std::sync::Once;

use crate::log::{self, Level};

/// Lets a panic say its message and its line before the sandbox traps, which alone would say neither.
pub fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| std::panic::set_hook(Box::new(report)));
}

fn report(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("a value that is no text");
    let at = panic.location().map(ToString::to_string).unwrap_or_default();
    log::write(Level::Error, &format!("panicked: {message}"), &[("at", &at)]);
}
