use std::sync::{Arc, PoisonError};

use wasmtime::component::ResourceTable;
use wasmtime::{Engine, ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::filesystem::{WasiFilesystemCtx, WasiFilesystemCtxView};

use crate::cpu::CpuMeter;
use crate::gate::Gate;
use crate::ledger::Ledger;
use crate::limits::{Exceeded, Limits};
use crate::native::Caller;
use crate::sandbox::{MEMORIES_MAX, TABLE_ELEMENTS_MAX, TABLES_MAX, TICK};
use crate::wasi::{StdioLedger, Surroundings, WasiHttpState};

/// Handles that one call may hold of the host's resources.
const HANDLES_MAX: usize = 1_000;

/// Bytes that one call of the host may carry beside payloads: names, header fields, the frames of lists.
const FRAME_BYTES: u64 = 1024 * 1024;

/// What belongs to one call and lives in its sandbox's store.
pub(crate) struct CallState {
    pub(crate) table: ResourceTable,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) surroundings: Surroundings,
    pub(crate) wasi_http: WasiHttpState,
    pub(crate) limits: Arc<Limits>,
    pub(crate) meter: Arc<CpuMeter>,
    /// Made when the guest first asks for a standard stream.
    pub(crate) stdio_ledger: Option<StdioLedger>,
    filesystem: WasiFilesystemCtx,
    memory_bytes: u64,
}

impl CallState {
    pub(crate) fn new(limits: Arc<Limits>, surroundings: Surroundings) -> Self {
        let ledger = Ledger::new(&limits);
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES_MAX);
        Self {
            table,
            wasi_http: WasiHttpState::new(&surroundings, &ledger),
            ledger,
            surroundings,
            limits,
            meter: Arc::new(CpuMeter::new()),
            stdio_ledger: None,
            filesystem: WasiFilesystemCtx::default(),
            memory_bytes: 0,
        }
    }

    /// Makes this the state of the sandbox's next call. Its handles and its memory stay: the guest still holds them.
    pub(crate) fn replace_call(&mut self, next: Self) {
        next.ledger.note_memory(self.memory_bytes);
        let (table, stdio_ledger) = (std::mem::take(&mut self.table), self.stdio_ledger.take());
        if let Some(ledger) = &stdio_ledger {
            *ledger.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&next.ledger);
        }
        *self = Self { table, stdio_ledger, memory_bytes: self.memory_bytes, ..next };
    }

    /// Every function that the guest can call gets at the state through this, so that it is counted.
    pub(crate) fn counted(&mut self) -> &mut Self {
        self.ledger.note_host_call();
        self
    }

    /// The handles, for `wasi:io`.
    pub(crate) fn counted_table(&mut self) -> &mut ResourceTable {
        &mut self.counted().table
    }

    /// The files, for `wasi:filesystem`: there are none.
    pub(crate) fn counted_filesystem(&mut self) -> WasiFilesystemCtxView<'_> {
        let state = self.counted();
        WasiFilesystemCtxView { ctx: &mut state.filesystem, table: &mut state.table }
    }

    /// Fails if the host has been called too often.
    pub(crate) fn check_host_calls(&self) -> Result<(), Exceeded> {
        self.limits.check_host_calls(self.ledger.host_calls())
    }

    /// The way out for a connector's requests. A mapper has none: it is not loaded if it imports one.
    pub(crate) fn gate(&self) -> wasmtime::Result<Arc<Gate>> {
        self.surroundings.gate().ok_or_else(|| wasmtime::format_err!("a mapper has no way out"))
    }

    /// What is left of it for a call that needs no sandbox.
    pub(crate) fn into_caller(self) -> Caller {
        Caller { gate: self.surroundings.gate(), ledger: self.ledger, limits: self.limits }
    }

    /// Called when an epoch has ended while the guest runs: it is ended, or lets others run, or goes on.
    fn at_tick(&self) -> Result<UpdateDeadline, Exceeded> {
        if self.meter.spent() > self.limits.cpu {
            return Err(Exceeded::Cpu(self.limits.cpu));
        }
        // Functions of WASI that are not ours cannot fail for this reason, so it is looked at here too.
        self.check_host_calls()?;
        // Epochs go by while a call waits; only who has been on a core since the last one gives way.
        Ok(if self.meter.in_this_poll() >= TICK { UpdateDeadline::Yield(1) } else { UpdateDeadline::Continue(1) })
    }
}

impl ResourceLimiter for CallState {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let bytes = self.memory_bytes + (desired - current) as u64;
        if bytes > self.limits.memory_bytes {
            self.ledger.note_refusal(Exceeded::Memory(self.limits.memory_bytes));
            return Ok(false);
        }
        self.memory_bytes = bytes;
        self.ledger.note_memory(bytes);
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS_MAX {
            self.ledger.note_refusal(Exceeded::Tables(TABLE_ELEMENTS_MAX as u64));
            return Ok(false);
        }
        Ok(true)
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX as usize
    }

    fn tables(&self) -> usize {
        TABLES_MAX as usize
    }
}

/// A store for one call with every limit set, those that wasmtime leaves open or generous included.
pub(crate) fn store(engine: &Engine, state: CallState) -> Store<CallState> {
    let payload_bytes = state.limits.output_bytes.max(state.limits.request_body_bytes);
    let mut store = Store::new(engine, state);
    store.limiter(|state| state);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|store| Ok(store.data().at_tick()?));
    // What the guest passes to the host in one call is copied into memory of the host; the default is 128 MiB.
    store.set_hostcall_fuel(usize::try_from(payload_bytes.saturating_add(FRAME_BYTES)).unwrap_or(usize::MAX));
    store.set_max_component_handles(HANDLES_MAX);
    store
}
