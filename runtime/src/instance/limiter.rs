//! The embedder's say in what a store may hold: what may be asked, and who asks it. Never grows
//! anything itself but the GC heap's limit.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use anyhow::{Error, ensure};

use super::definition::RawRef;
use super::module::ModuleShared;
use super::store::StoreInner;
use crate::error::Result;
use crate::trap::Trap;
use crate::vm::context::VmStore;
use crate::wasm::types::{Limits, MemoryType};

/// Decides what a store may hold. [`Store::limiter`](crate::Store::limiter) says where in the store's
/// data it is; [`StoreLimits`](crate::StoreLimits) is one with fixed limits.
///
/// It is asked before a memory or a table is made, by a guest's instantiation or by the embedder, before
/// one grows, and before the GC heap of the store takes more memory. It is not asked for a
/// [`SharedMemory`](crate::SharedMemory), which belongs to no store: its type has a maximum. What host
/// objects own is limited by [`Config::host_memory_limit`](crate::Config::host_memory_limit), and the
/// limits of [`Config`](crate::Config) hold whatever the limiter says.
///
/// A panic of a limiter resumes in the embedder, as one of a host function does.
///
/// ```
/// use hostref::{Engine, Instance, Module, ResourceLimiter, Result, Store};
///
/// /// So many bytes for everything together.
/// struct Budget(usize);
///
/// impl ResourceLimiter for Budget {
///     fn memory_growing(
///         &mut self,
///         current: usize,
///         desired: usize,
///         _maximum: Option<usize>,
///     ) -> Result<bool> {
///         let left = self.0.checked_sub(desired - current);
///         self.0 = left.unwrap_or(self.0);
///         Ok(left.is_some())
///     }
///
///     fn table_growing(
///         &mut self,
///         current: usize,
///         desired: usize,
///         maximum: Option<usize>,
///     ) -> Result<bool> {
///         self.memory_growing(current * 8, desired * 8, maximum.map(|elements| elements * 8))
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"
///     (module
///         (memory 1)
///         (func (export "grow") (result i32) (memory.grow (i32.const 1))))
/// "#)?;
/// let mut store = Store::new(&engine, Budget(150_000));
/// store.limiter(|budget| budget);
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let grow = instance.get_typed_func::<(), i32>(&mut store, "grow")?;
/// assert_eq!(grow.call(&mut store, ())?, 1);
/// assert_eq!(grow.call(&mut store, ())?, -1);
/// # Ok(())
/// # }
/// ```
pub trait ResourceLimiter: Send {
    /// Whether a memory of `current` bytes may have `desired` bytes. A memory that is being made has
    /// `current` 0. `maximum` is what its type allows, also in bytes, which `desired` may exceed: then it
    /// does not grow whatever the answer.
    ///
    /// `false` makes `memory.grow` answer -1, and [`Memory::grow`](crate::Memory::grow) and
    /// [`Memory::new`](crate::Memory::new) fail. An error stops the guest, or is the embedder's.
    ///
    /// The GC heap of a store counts as a memory that begins empty and grows in steps; its maximum is
    /// [`Config::gc_heap_limit`](crate::Config::gc_heap_limit). It asks twice for each step if it must:
    /// first for so much that collections stay rare, where an error is as good as `false`; then, after
    /// `false`, for the least that will do. When it may not have that either, it makes do with what
    /// garbage leaves, or a guest traps with
    /// [`Trap::GcHeapOutOfMemory`](crate::Trap::GcHeapOutOfMemory), and the embedder gets
    /// [`GcHeapOutOfMemory`](crate::GcHeapOutOfMemory).
    ///
    /// # Errors
    ///
    /// Whatever should stop the guest.
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool>;

    /// A memory that was allowed to grow could not: because of its maximum, a limit of
    /// [`Config`](crate::Config), or for want of memory. `error` says which.
    ///
    /// # Errors
    ///
    /// Whatever should stop the guest. Without one `memory.grow` answers -1.
    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        let _ = error;
        Ok(())
    }

    /// As [`memory_growing`](ResourceLimiter::memory_growing) for a table and its elements. One takes
    /// the bytes of an address if the table is one of functions, else 4 bytes.
    ///
    /// # Errors
    ///
    /// Whatever should stop the guest.
    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool>;

    /// As [`memory_grow_failed`](ResourceLimiter::memory_grow_failed) for a table.
    ///
    /// # Errors
    ///
    /// Whatever should stop the guest. Without one `table.grow` answers -1.
    fn table_grow_failed(&mut self, error: Error) -> Result<()> {
        let _ = error;
        Ok(())
    }

    /// How many instances the store may hold. 10,000 unless the implementor says otherwise.
    fn instances(&self) -> usize {
        DEFAULT_COUNT
    }

    /// How many tables the store may hold, whoever made them. 10,000 unless the implementor says
    /// otherwise.
    fn tables(&self) -> usize {
        DEFAULT_COUNT
    }

    /// How many memories the store may hold, whoever made them; the GC heap is none of them. 10,000
    /// unless the implementor says otherwise.
    fn memories(&self) -> usize {
        DEFAULT_COUNT
    }
}

/// The number of instances, tables and memories that limiters allow unless they say otherwise.
pub(crate) const DEFAULT_COUNT: usize = 10_000;

/// Shows the limiter of a store to its second argument. The function knows the store's `T`, and uses
/// nothing of the store but its data.
pub(crate) type Limiter =
    Box<dyn FnMut(*mut VmStore, &mut dyn FnMut(&mut dyn ResourceLimiter)) + Send + Sync>;

/// What grows.
#[derive(Clone, Copy)]
enum Resource {
    Memory,
    Table,
}

/// From how many bytes or elements to how many, and how many its type allows.
#[derive(Clone, Copy)]
struct Growth {
    current: u64,
    desired: u64,
    maximum: Option<u64>,
}

impl Growth {
    /// A new memory.
    fn of_new_memory(ty: &MemoryType) -> Growth {
        Growth { current: 0, desired: bytes(ty, ty.limits.min), maximum: max_bytes(ty) }
    }

    /// A new table.
    fn of_new_table(limits: Limits) -> Growth {
        Growth { current: 0, desired: limits.min, maximum: limits.max }
    }
}

impl StoreInner {
    /// Uses `limiter` from now on. What the store holds already is not asked for again.
    pub(crate) fn set_limiter(&mut self, limiter: Limiter) {
        self.limiter = Some(limiter);
        self.gc.limit_to_use(&self.vm.heap);
    }

    /// Grows a memory by `delta` pages and returns the size before; `None` if it may not have so many.
    ///
    /// # Errors
    ///
    /// The limiter's.
    pub(crate) fn grow_memory(&mut self, memory: usize, delta: u64) -> Result<Option<u64>> {
        let limit = self.engine.settings.memory_limit;
        let Some(growth) = self.memory_growth(memory, delta) else {
            return Ok(self.memories[memory].grow(delta, limit));
        };
        if !self.permits(Resource::Memory, growth)? {
            return Ok(None);
        }
        let old = self.memories[memory].grow(delta, limit);
        if old.is_none() {
            let error = refusal("a memory", growth, "bytes", limit);
            self.ask_limiter(|limiter| limiter.memory_grow_failed(error)).transpose()?;
        }
        Ok(old)
    }

    /// What growing a memory by `delta` pages means, if somebody has a say in it.
    fn memory_growth(&self, memory: usize, delta: u64) -> Option<Growth> {
        let memory = &self.memories[memory];
        let asked = self.limiter.is_some() && delta > 0 && memory.as_shared().is_none();
        asked.then(|| {
            let desired = bytes(&memory.ty, memory.pages().saturating_add(delta));
            Growth { current: memory.len() as u64, desired, maximum: max_bytes(&memory.ty) }
        })
    }

    /// Grows a table by `delta` elements with the value `init` and returns the size before; `None` if it
    /// may not have so many. Nothing is collected.
    ///
    /// # Errors
    ///
    /// The limiter's.
    pub(crate) fn grow_table(
        &mut self,
        table: usize,
        delta: u64,
        init: RawRef,
    ) -> Result<Option<u64>> {
        let limit = self.engine.settings.table_limit;
        let (current, maximum) = (self.tables[table].len(), self.tables[table].ty.limits.max);
        let growth = Growth { current, desired: current.saturating_add(delta), maximum };
        if delta > 0 && !self.permits(Resource::Table, growth)? {
            return Ok(None);
        }
        let old = self.tables[table].grow(&self.vm.heap, delta, init, limit);
        if old.is_none() {
            let error = refusal("a table", growth, "elements", limit);
            self.ask_limiter(|limiter| limiter.table_grow_failed(error)).transpose()?;
        }
        Ok(old)
    }

    /// Asks whether there may be a memory of `ty`, which is not shared, besides those that there are.
    ///
    /// # Errors
    ///
    /// If not; or the limiter's.
    pub(crate) fn permit_memory(&mut self, ty: &MemoryType) -> Result<()> {
        self.permit_count("memory", self.memories.len() + 1, |limiter| limiter.memories())?;
        self.permit_new(Resource::Memory, Growth::of_new_memory(ty))
    }

    /// Asks whether there may be a table of these `limits` besides those that there are.
    ///
    /// # Errors
    ///
    /// If not; or the limiter's.
    pub(crate) fn permit_table(&mut self, limits: Limits) -> Result<()> {
        self.permit_count("table", self.tables.len() + 1, |limiter| limiter.tables())?;
        self.permit_new(Resource::Table, Growth::of_new_table(limits))
    }

    /// Asks whether there may be an instance of `module`, with its memories and tables.
    ///
    /// # Errors
    ///
    /// If not; or the limiter's.
    pub(super) fn permit_instance(&mut self, module: &ModuleShared) -> Result<()> {
        if self.limiter.is_none() {
            return Ok(());
        }
        let info = &module.info;
        let memories = &info.memories[info.imported_memories as usize..];
        let tables = &info.tables[info.imported_tables as usize..];
        let (instance, memory, table) = (
            self.instances.len() + 1,
            self.memories.len() + memories.len(),
            self.tables.len() + tables.len(),
        );
        self.permit_count("instance", instance, |limiter| limiter.instances())?;
        self.permit_count("memory", memory, |limiter| limiter.memories())?;
        self.permit_count("table", table, |limiter| limiter.tables())?;
        for ty in memories.iter().filter(|ty| !ty.shared) {
            self.permit_new(Resource::Memory, Growth::of_new_memory(ty))?;
        }
        for table in tables {
            self.permit_new(Resource::Table, Growth::of_new_table(table.ty.limits))?;
        }
        Ok(())
    }

    fn permit_count(
        &mut self,
        what: &str,
        count: usize,
        limit: impl FnOnce(&dyn ResourceLimiter) -> usize,
    ) -> Result<()> {
        let limit = self.ask_limiter(|limiter| limit(limiter));
        let limit = limit.unwrap_or(usize::MAX);
        ensure!(
            count <= limit,
            "resource limit exceeded: {what} count too high at {count}, the store's limit is {limit}"
        );
        Ok(())
    }

    fn permit_new(&mut self, what: Resource, growth: Growth) -> Result<()> {
        let size = growth.desired;
        let permitted = self.permits(what, growth)?;
        match what {
            Resource::Memory => {
                ensure!(permitted, "a memory of {size} bytes exceeds the limits of the store");
            }
            Resource::Table => {
                ensure!(permitted, "a table of {size} elements exceeds the limits of the store");
            }
        }
        Ok(())
    }

    /// Whether the limiter permits `growth`, or there is none.
    fn permits(&mut self, what: Resource, growth: Growth) -> Result<bool> {
        // The address space has no more, and what the type allows may be more.
        let size = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
        let (current, desired) = (size(growth.current), size(growth.desired));
        let maximum = growth.maximum.map(size);
        let answer = self.ask_limiter(|limiter| match what {
            Resource::Memory => limiter.memory_growing(current, desired, maximum),
            Resource::Table => limiter.table_growing(current, desired, maximum),
        });
        answer.unwrap_or(Ok(true))
    }

    /// What `ask` learns from the limiter, if there is one.
    fn ask_limiter<R>(&mut self, ask: impl FnOnce(&mut dyn ResourceLimiter) -> R) -> Option<R> {
        let mut limiter = self.limiter.take()?;
        let (mut ask, mut answer) = (Some(ask), None);
        let store = self.vm_ptr();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            limiter(store, &mut |limiter| answer = ask.take().map(|ask| ask(limiter)));
        }));
        self.limiter = Some(limiter);
        match outcome {
            Ok(()) => answer,
            Err(panic) => resume_unwind(panic),
        }
    }
}

/// The GC heap.
impl StoreInner {
    /// Lets the GC heap grow so that it has room for an object of `size` bytes, and returns whether it
    /// has now. Never collects; a full collection is due when it may not grow.
    ///
    /// # Errors
    ///
    /// The limiter's.
    #[cold]
    pub(crate) fn grow_heap(&mut self, size: u32) -> Result<bool> {
        let Some(wanted) = self.gc.wanted_growth(&self.vm.heap, size) else {
            return Ok(false);
        };
        let growth = |desired: u32| Growth {
            current: wanted.current.into(),
            desired: desired.into(),
            maximum: Some(wanted.maximum.into()),
        };
        let well = wanted.well > wanted.least
            && self.permits(Resource::Memory, growth(wanted.well)).unwrap_or(false);
        let permitted = match well {
            true => Some(wanted.well),
            false if self.permits(Resource::Memory, growth(wanted.least))? => Some(wanted.least),
            false => None,
        };
        if permitted.is_some_and(|limit| self.gc.grow_to(&self.vm.heap, limit)) {
            return Ok(true);
        }
        self.gc.starve();
        if permitted.is_some() {
            let error = Error::from(Trap::GcHeapOutOfMemory);
            self.ask_limiter(|limiter| limiter.memory_grow_failed(error)).transpose()?;
        }
        Ok(false)
    }
}

/// The bytes of so many pages.
fn bytes(ty: &MemoryType, pages: u64) -> u64 {
    pages.saturating_mul(1 << ty.page_size_log2)
}

fn max_bytes(ty: &MemoryType) -> Option<u64> {
    ty.limits.max.map(|pages| bytes(ty, pages))
}

/// Why something could not grow although its limiter permitted it.
#[cold]
fn refusal(what: &str, Growth { desired, maximum, .. }: Growth, unit: &str, limit: u64) -> Error {
    match maximum {
        Some(maximum) if desired > maximum => {
            anyhow::anyhow!("{what} of {desired} {unit} exceeds its maximum of {maximum} {unit}")
        }
        _ if desired > limit => {
            anyhow::anyhow!("{what} of {desired} {unit} exceeds the limit of {limit} {unit}")
        }
        _ => anyhow::anyhow!("there is no room for {what} of {desired} {unit}"),
    }
}
