//! Lines for whoever looks at the execution: `weir_sdk::info!("created contact {id}")`. Never log personal data, whole
//! payloads, or anything secret. In native tests the lines go to the standard error stream.

pub use crate::generated::imports::weir::plugin::log::Level;

/// Adds a line with structured fields.
pub fn write(level: Level, message: &str, fields: &[(&str, &str)]) {
    #[cfg(target_family = "wasm")]
    {
        let fields: Vec<_> = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        crate::generated::imports::weir::plugin::log::write(level, message, &fields);
    }
    #[cfg(not(target_family = "wasm"))]
    eprintln!("{level:?}: {message} {fields:?}");
}

/// Adds a line for the plugin's author.
#[macro_export]
macro_rules! debug {
    ($($message:tt)*) => { $crate::log::write($crate::log::Level::Debug, &format!($($message)*), &[]) };
}

/// Adds a line for whoever looks at the execution.
#[macro_export]
macro_rules! info {
    ($($message:tt)*) => { $crate::log::write($crate::log::Level::Info, &format!($($message)*), &[]) };
}

/// Adds a line about something that is off, while the call goes on.
#[macro_export]
macro_rules! warn {
    ($($message:tt)*) => { $crate::log::write($crate::log::Level::Warn, &format!($($message)*), &[]) };
}

/// Adds a line about something that failed.
#[macro_export]
macro_rules! error {
    ($($message:tt)*) => { $crate::log::write($crate::log::Level::Error, &format!($($message)*), &[]) };
}
