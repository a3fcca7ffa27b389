use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, nice, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::cache::Cache;
use crate::sandbox;

/// The first argument with which a program runs [`compile_child_main`] instead of itself.
pub const COMPILE_CHILD: &str = "compile-plugin-in-child";

/// Text of a fault that is taken from the child.
const FAULT_BYTES_MAX: u64 = 4 * 1024;

/// How wasmtime 48 says that a component does not fit into the pool; it has no type for that.
const NO_ROOM: &str = "pooling allocator";

/// Signals, as Linux and POSIX number them.
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;

/// How components are compiled: one at a time, in a child process that may use so much and no more. Compiling is the one
/// thing that wasmtime does not bound.
#[derive(Clone, Debug)]
pub struct CompileConfig {
    /// A program that calls [`compile_child_main`] when its first argument is [`COMPILE_CHILD`].
    pub program: PathBuf,
    /// `compile-memory`: bytes of address space.
    pub memory_bytes: u64,
    /// `compile-cpu`: time on a core, rounded up to seconds.
    pub cpu: Duration,
    /// `compile-wall`: time in all.
    pub wall: Duration,
    /// `compile-output`: bytes of compiled code.
    pub code_bytes_max: u64,
}

impl CompileConfig {
    /// Compiling by `program`, within limits that the largest language runtimes need: 17 s on a core for CPython were
    /// measured. The time in all is long, because a busy machine is no fault of the component: on one with eight others
    /// at work CPython took 90 s.
    pub fn new(program: PathBuf) -> Self {
        Self {
            program,
            memory_bytes: 2 << 30,
            cpu: Duration::from_secs(60),
            wall: Duration::from_secs(600),
            code_bytes_max: 256 << 20,
        }
    }
}

/// Why a component could not be compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// It is not valid.
    #[error("it is not valid here: {0}")]
    Invalid(String),
    /// It took too long.
    #[error("compiling took more than {} s on a core; make its functions smaller", .0.as_secs())]
    Cpu(Duration),
    /// It took too long.
    #[error("compiling did not end in {} s, in which it got too little of a core; try again when the machine is less busy", .0.as_secs())]
    Wall(Duration),
    /// It took too much memory.
    #[error("compiling took more than {0} bytes of memory; make its functions smaller")]
    Memory(u64),
    /// Its code is too large.
    #[error("it compiles to more than {0} bytes; make it smaller")]
    Output(u64),
    /// It compiles, and no sandbox has room for what it wants.
    #[error("it needs more than a sandbox has: {0}; merge its parts or build it smaller")]
    Sandbox(String),
    /// The child could not be run, or ended in a way that is no answer.
    #[error("the compiling process failed: {0}")]
    Child(String),
    /// The code that the child gave was refused: the server and the program that compiles are not of one build.
    #[error("the compiled code cannot be loaded: {0}")]
    Load(String),
}

impl CompileError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "weir.load.invalid",
            Self::Cpu(_) => "weir.limit.compile-cpu",
            Self::Wall(_) => "weir.limit.compile-wall",
            Self::Memory(_) => "weir.limit.compile-memory",
            Self::Output(_) => "weir.limit.compile-output",
            Self::Sandbox(_) => "weir.limit.sandbox",
            Self::Child(_) | Self::Load(_) => "weir.load.compile",
        }
    }
}

/// Turns components into code.
#[derive(Debug)]
pub(crate) struct Compiler {
    config: CompileConfig,
    cache: Cache,
    one_at_a_time: Semaphore,
}

impl Compiler {
    pub(crate) fn new(config: CompileConfig, cache: Cache) -> Self {
        Self { config, cache, one_at_a_time: Semaphore::new(1) }
    }

    /// The component, from the cache or compiled anew.
    pub(crate) async fn compile(&self, engine: &Engine, bytes: &[u8], digest: &str) -> Result<Component, CompileError> {
        if let Some(component) = self.cache.read(digest).and_then(|code| load(engine, &code).ok()) {
            return Ok(component);
        }
        let _turn = self.one_at_a_time.acquire().await;
        let code = self.compile_in_child(bytes).await?;
        let component = load(engine, &code)?;
        if let Err(cause) = self.cache.write(digest, &code) {
            // The plugin serves all the same; the next start compiles again.
            tracing::warn!(digest, %cause, "compiled code could not be kept");
        }
        Ok(component)
    }

    async fn compile_in_child(&self, bytes: &[u8]) -> Result<Vec<u8>, CompileError> {
        let failed = |cause: io::Error| CompileError::Child(cause.to_string());
        let config = &self.config;
        let mut child = Command::new(&config.program)
            .arg(COMPILE_CHILD)
            .arg(config.memory_bytes.to_string())
            .arg(config.cpu.as_secs().max(1).to_string())
            // Secrets that the server was given in its environment are nobody else's.
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(CompileError::Child("it has no pipes".to_owned()));
        };
        let work = async {
            let give = async {
                // A child that ends early closes its pipe; how it ended tells more.
                let _ = stdin.write_all(bytes).await;
                drop(stdin);
            };
            let (mut code, mut fault) = (Vec::new(), Vec::new());
            let (mut code_pipe, mut fault_pipe) =
                (stdout.take(config.code_bytes_max + 1), stderr.take(FAULT_BYTES_MAX));
            let take = async { tokio::try_join!(code_pipe.read_to_end(&mut code), fault_pipe.read_to_end(&mut fault)) };
            let ((), taken) = tokio::join!(give, take);
            taken?;
            // Closing the pipes stops a child that has more to say than is taken.
            drop((code_pipe, fault_pipe));
            io::Result::Ok((child.wait().await?, code, fault))
        };
        match tokio::time::timeout(config.wall, work).await {
            Ok(ended) => {
                let (status, code, fault) = ended.map_err(failed)?;
                self.judge(status, code, &String::from_utf8_lossy(&fault))
            }
            Err(_) => Err(CompileError::Wall(config.wall)),
        }
    }

    fn judge(&self, status: ExitStatus, code: Vec<u8>, fault: &str) -> Result<Vec<u8>, CompileError> {
        if code.len() as u64 > self.config.code_bytes_max {
            return Err(CompileError::Output(self.config.code_bytes_max));
        }
        match (status.code(), status.signal()) {
            (Some(0), _) => Ok(code),
            (Some(1), _) => Err(CompileError::Invalid(crate::ledger::clean(fault.trim()))),
            (_, Some(SIGXCPU | SIGKILL)) => Err(CompileError::Cpu(self.config.cpu)),
            // An allocation that fails ends a Rust program by aborting it.
            (_, Some(SIGABRT)) => Err(CompileError::Memory(self.config.memory_bytes)),
            _ => Err(CompileError::Child(format!("{status}: {}", crate::ledger::clean(fault.trim())))),
        }
    }
}

#[allow(unsafe_code)]
fn load(engine: &Engine, code: &[u8]) -> Result<Component, CompileError> {
    // SAFETY: the bytes come from our own child, or from our own folder with the checksum under which we wrote them.
    // Compiled code from anywhere else has no way here.
    unsafe { Component::deserialize(engine, code) }.map_err(|cause| {
        let text = format!("{cause:#}");
        if text.contains(NO_ROOM) { CompileError::Sandbox(text) } else { CompileError::Load(text) }
    })
}

/// The child's side: reads a component from standard input, compiles it and writes the code to standard output. `arguments`
/// are those behind [`COMPILE_CHILD`]. It lowers its own limits before it reads the first byte.
pub fn compile_child_main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match compile_child(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err((status, fault)) => {
            let _ = write!(io::stderr(), "{fault}");
            ExitCode::from(status)
        }
    }
}

fn compile_child(arguments: impl IntoIterator<Item = OsString>) -> Result<(), (u8, String)> {
    let failed = |cause: &dyn std::fmt::Display| (2, cause.to_string());
    let mut numbers = arguments.into_iter().map(|argument| argument.to_str().and_then(|text| text.parse().ok()));
    let (Some(Some(memory_bytes)), Some(Some(cpu_s))) = (numbers.next(), numbers.next()) else {
        return Err(failed(&"expected the bytes of memory and the seconds on a core"));
    };
    let limit = |current, maximum| Rlimit { current: Some(current), maximum: Some(maximum) };
    setrlimit(Resource::As, limit(memory_bytes, memory_bytes)).map_err(|cause| failed(&cause))?;
    // A second later it cannot be caught any more.
    setrlimit(Resource::Cpu, limit(cpu_s, cpu_s + 1)).map_err(|cause| failed(&cause))?;
    setrlimit(Resource::Core, limit(0, 0)).map_err(|cause| failed(&cause))?;
    nice(10).map_err(|cause| failed(&cause))?;
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes).map_err(|cause| failed(&cause))?;
    let engine = sandbox::compiler().map_err(|cause| failed(&format!("{cause:#}")))?;
    let code = engine.precompile_component(&bytes).map_err(|cause| (1, format!("{cause:#}")))?;
    io::stdout().write_all(&code).map_err(|cause| failed(&cause))
}
