//! `SharedMemory`: a linear memory that guests in several stores use at once.

use std::cell::UnsafeCell;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use wasmparser::WasmFeatures;

use super::engine::Engine;
use super::types::MemoryType;
use crate::error::Result;
use crate::instance::parking::WaitResult;
use crate::instance::shared_memory::SharedMemory as Inner;
use crate::instance::store::StoreInner;
use crate::trap::Trap;

/// A linear memory that threads share. It belongs to an engine and to no store: modules of all stores
/// of the engine can import it, on any thread. Clones are the same memory.
///
/// Guests need [`Config::wasm_threads`](crate::Config::wasm_threads). The content can change at any
/// time, so there is no slice of it; [`data`](SharedMemory::data) gives cells.
///
/// ```
/// use hostref::{Config, Engine, Instance, MemoryType, Module, Result, SharedMemory, Store};
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// # fn main() -> Result<()> {
/// let engine = Engine::new(Config::new().wasm_threads(true))?;
/// let module = Module::new(&engine, r#"
///     (module
///         (import "" "memory" (memory 1 1 shared))
///         (func (export "count") (drop (i32.atomic.rmw.add (i32.const 8) (i32.const 1)))))
/// "#)?;
/// let memory = SharedMemory::new(&engine, MemoryType::shared(1, 1))?;
/// std::thread::scope(|scope| {
///     for _ in 0..2 {
///         scope.spawn(|| -> Result<()> {
///             let mut store = Store::new(&engine, ());
///             let instance = Instance::new(&mut store, &module, &[memory.clone().into()])?;
///             instance.get_typed_func::<(), ()>(&mut store, "count")?.call(&mut store, ())
///         });
///     }
/// });
/// // SAFETY: the address is aligned, and guests use it atomically only.
/// let count = unsafe { AtomicU32::from_ptr(memory.data()[8].get().cast()) };
/// assert_eq!(count.load(Ordering::SeqCst), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SharedMemory(Arc<Inner>);

impl SharedMemory {
    /// A new shared memory, zeroed. It reserves address space for all that it may grow to.
    ///
    /// # Errors
    ///
    /// If the type is not a valid one of shared memories, exceeds the configured limit, or no memory is
    /// left; or if the engine was made without
    /// [`Config::wasm_threads`](crate::Config::wasm_threads).
    pub fn new(engine: &Engine, ty: MemoryType) -> Result<SharedMemory> {
        ensure!(ty.is_shared(), "the type of a shared memory says so: {ty} does not");
        let threads = engine.shared().settings.features.contains(WasmFeatures::THREADS);
        ensure!(threads, "threads are off in this engine: see `Config::wasm_threads`");
        Inner::new(engine, ty.to_wasm()?).map(SharedMemory)
    }

    /// The memory's type.
    pub fn ty(&self) -> MemoryType {
        MemoryType::from_wasm(self.0.ty)
    }

    /// The current size in pages. Another thread may grow the memory at any time.
    pub fn size(&self) -> u64 {
        self.0.pages()
    }

    /// The size of a page in bytes: 64 KiB, but for memories that say otherwise.
    pub fn page_size(&self) -> u64 {
        1 << self.0.ty.page_size_log2
    }

    /// The current size in bytes.
    pub fn data_size(&self) -> usize {
        self.0.bytes.len()
    }

    /// The bytes that the memory has now; they stay where they are, and more may come. Reading and
    /// writing them is `unsafe`: other threads do so at the same time, and what they do atomically must
    /// be done atomically here.
    pub fn data(&self) -> &[UnsafeCell<u8>] {
        self.0.bytes.data()
    }

    /// Grows by `delta` pages and returns the size before.
    ///
    /// # Errors
    ///
    /// If the memory's maximum or the configured limit does not allow it, or memory is short.
    pub fn grow(&self, delta: u64) -> Result<u64> {
        self.0.grow(delta).with_context(|| {
            format!("failed to grow the memory by {delta} pages: over its maximum or limit")
        })
    }

    /// As the operator `memory.atomic.notify`: wakes at most `count` threads that wait at `addr`, those
    /// that have waited longest, and returns how many.
    ///
    /// # Errors
    ///
    /// The trap of an address that is not a multiple of 4 or outside the memory.
    pub fn atomic_notify(&self, addr: u64, count: u32) -> Result<u32, Trap> {
        self.0.notify(addr, count)
    }

    /// As the operator `memory.atomic.wait32`: blocks this thread if `expected` stands at `addr`, until
    /// another one wakes it or for `timeout`; for ever without one.
    ///
    /// ```
    /// use hostref::{Config, Engine, MemoryType, Result, SharedMemory, WaitResult};
    /// use std::time::Duration;
    ///
    /// # fn main() -> Result<()> {
    /// let engine = Engine::new(Config::new().wasm_threads(true))?;
    /// let memory = SharedMemory::new(&engine, MemoryType::shared(1, 1))?;
    /// assert_eq!(memory.atomic_wait32(0, 1, None)?, WaitResult::Mismatch);
    /// let short = Some(Duration::from_micros(1));
    /// assert_eq!(memory.atomic_wait32(0, 0, short)?, WaitResult::TimedOut);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The trap of an address that is not a multiple of 4 or outside the memory.
    pub fn atomic_wait32(
        &self,
        addr: u64,
        expected: u32,
        timeout: Option<Duration>,
    ) -> Result<WaitResult, Trap> {
        self.0.wait32(addr, expected, timeout)
    }

    /// As [`atomic_wait32`](SharedMemory::atomic_wait32), for 8 bytes.
    ///
    /// # Errors
    ///
    /// The trap of an address that is not a multiple of 8 or outside the memory.
    pub fn atomic_wait64(
        &self,
        addr: u64,
        expected: u64,
        timeout: Option<Duration>,
    ) -> Result<WaitResult, Trap> {
        self.0.wait64(addr, expected, timeout)
    }

    /// Whether both are handles to one memory.
    pub fn same(a: &SharedMemory, b: &SharedMemory) -> bool {
        Arc::ptr_eq(&a.0, &b.0)
    }

    pub(crate) fn from_inner(inner: Arc<Inner>) -> SharedMemory {
        SharedMemory(inner)
    }

    /// The memory, if modules in `store` may use it.
    pub(crate) fn checked(&self, store: &StoreInner) -> Result<&Arc<Inner>> {
        let same = Engine::same(&self.0.engine, &store.engine_handle);
        ensure!(same, "the shared memory belongs to another engine than the store");
        Ok(&self.0)
    }
}

impl std::fmt::Debug for SharedMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedMemory").field("ty", &self.ty()).finish_non_exhaustive()
    }
}
