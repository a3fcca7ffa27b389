//! The compiling child as a program of its own, for tests; the binary `weir` is its own compiling child.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|word| word == host::COMPILE_CHILD) {
        return host::compile_child_main(arguments);
    }
    eprintln!("usage: weir-compile-plugin {} MEMORY_BYTES CPU_SECONDS < COMPONENT > CODE", host::COMPILE_CHILD);
    ExitCode::from(64)
}
