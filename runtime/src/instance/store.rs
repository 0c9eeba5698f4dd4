//! The store below `T`: everything that instances share and handles point into. It never touches
//! the embedder's data.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;

use super::backtrace::WasmBacktrace;
use super::call;
use super::definition::{DefSlot, FuncPtr, Global, RawRef};
use super::engine::{Engine, EngineShared, FuncTypeInfo};
use super::exception::Tag;
use super::host_func::{HostContexts, HostFunc};
use super::limiter::Limiter;
use super::memory::Memory;
use super::object_types::ObjectType;
use super::shared_memory::SharedMemory;
use super::table::Table;
use super::vmctx::Instance;
use crate::abi::object::LARGE_OBJECT;
use crate::error::{Error, Result};
use crate::gc::roots::StoreId;
use crate::gc::{GcStats, GcStore, Roots, Why};
use crate::trap::Trap;
use crate::vm::context::{VmHeap, VmStore};
use crate::vm::image::MemoryImage;
use crate::wasm::types::{GlobalType, MemoryType, TableType, TypeId, ValType};

/// A store with the embedder's data. Compiled code and host shims know its address as that of the
/// [`VmStore`] it begins with; a shim that was made for this `T` gets the whole back.
#[repr(C)]
pub(crate) struct StoreShell<T> {
    pub(crate) inner: StoreInner,
    pub(crate) data: T,
}

impl<T> StoreShell<T> {
    /// The pointer that an entry into Wasm passes along: it may be used for the whole shell.
    pub(crate) fn vm_ptr(&mut self) -> *mut VmStore {
        std::ptr::from_mut(self).cast()
    }
}

/// The part of a store that does not depend on `T`.
#[doc(hidden)]
#[repr(C)]
pub struct StoreInner {
    /// What compiled code touches. First, so that its address is the store's.
    pub(crate) vm: VmStore,
    /// The engine's setting, within reach of every entry into Wasm.
    pub(super) max_wasm_stack: usize,
    pub(crate) engine: Arc<EngineShared>,
    /// The same engine as the API hands it out.
    pub(crate) engine_handle: Engine,
    pub(crate) gc: GcStore,
    pub(crate) instances: Vec<Instance>,
    pub(crate) memories: Vec<Memory>,
    /// The positions of the shared ones, by the addresses of their definitions. `None` without any.
    shared_memories: Option<Box<FxHashMap<usize, usize>>>,
    pub(crate) tables: Vec<Table>,
    pub(crate) globals: Vec<Global>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) epoch: EpochBehavior,
    /// Who has a say in what grows. None while it is being asked.
    pub(super) limiter: Option<Limiter>,
    /// Function types met so far, by id: what a call needs without the engine's lock.
    func_types: Vec<Option<Arc<FuncTypeInfo>>>,
    /// Struct and array types met by the host so far, by id.
    pub(super) object_types: Vec<Option<Arc<ObjectType>>>,
    host_funcs: HostContexts,
    failure: Option<Failure>,
    /// Fuel beyond what compiled code can count.
    fuel_reserve: u64,
}

/// The bytes or elements that a bulk operation handles for one unit of fuel.
const BULK_PER_UNIT: u64 = 16;

/// What happens at the epoch deadline.
#[derive(Default)]
pub(crate) enum EpochBehavior {
    #[default]
    Trap,
    /// Calls the embedder, which gives the number of further epochs. The function knows the
    /// store's `T`.
    Callback(Box<dyn FnMut(*mut VmStore) -> Result<u64> + Send + Sync>),
}

/// Why a guest was stopped by Rust code.
pub(crate) enum Failure {
    Error(Error),
    /// The payload. The mutex makes it `Sync`, and with it the store; nobody locks it.
    Panic(Mutex<Box<dyn Any + Send>>),
}

impl Failure {
    /// A panic with this payload.
    pub(crate) fn panic(payload: Box<dyn Any + Send>) -> Failure {
        Failure::Panic(Mutex::new(payload))
    }
}

impl StoreInner {
    /// An empty store.
    pub(crate) fn new(engine_handle: &Engine) -> StoreInner {
        let engine = engine_handle.shared().clone();
        let types = engine.code.types().table().clone();
        let vm = VmStore::new(&engine.code.epoch, types.base());
        vm.backtrace_limit.set(engine.settings.backtrace_limit);
        StoreInner {
            vm,
            max_wasm_stack: engine.settings.max_wasm_stack,
            gc: GcStore::new(&engine.settings.gc, types, engine.pool.clone()),
            engine,
            engine_handle: engine_handle.clone(),
            instances: Vec::new(),
            memories: Vec::new(),
            shared_memories: None,
            tables: Vec::new(),
            globals: Vec::new(),
            tags: Vec::new(),
            epoch: EpochBehavior::default(),
            limiter: None,
            func_types: Vec::new(),
            object_types: Vec::new(),
            host_funcs: HostContexts::default(),
            failure: None,
            fuel_reserve: 0,
        }
    }

    /// The store's identity.
    pub(crate) fn id(&self) -> StoreId {
        self.gc.id()
    }

    /// What the heap holds and has done.
    pub(crate) fn gc_stats(&self) -> GcStats {
        self.gc.stats(&self.vm.heap)
    }

    /// The pointer that compiled code uses for its own loads and stores.
    pub(crate) fn vm_ptr(&mut self) -> *mut VmStore {
        std::ptr::from_mut(self).cast()
    }

    /// The function type `id`.
    pub(crate) fn func_type(&mut self, id: TypeId) -> &Arc<FuncTypeInfo> {
        let index = id.0 as usize;
        if self.func_types.len() <= index {
            self.func_types.resize(index + 1, None);
        }
        self.func_types[index].get_or_insert_with(|| self.engine.func_type(id))
    }

    /// A function type that [`StoreInner::func_type`] has looked up before.
    #[inline]
    pub(crate) fn known_func_type(&self, id: TypeId) -> &FuncTypeInfo {
        let known = self.func_types.get(id.0 as usize);
        known.and_then(Option::as_ref).expect("a function type is looked up before it is used")
    }

    /// A point at which every reference is rooted: collects if that is due.
    #[inline]
    pub(crate) fn safepoint(&mut self) {
        if self.gc.should_collect() {
            self.collect(Why::Due);
        }
    }

    /// Collects, then drops the payloads of dead host objects, one by one.
    ///
    /// # Panics
    ///
    /// If a payload's destructor panics; the remaining ones are dropped at the next collection.
    #[cold]
    pub(crate) fn collect(&mut self, why: Why) {
        let StoreInner { vm, gc, instances, tables, globals, .. } = self;
        let vm = &*vm;
        gc.collect(&vm.heap, why, &mut |roots, visit| match roots {
            Roots::Frames => {
                call::visit_stack_refs(vm, visit);
                let mut exception = vm.exception.get();
                visit(&mut exception);
                vm.exception.set(exception);
            }
            Roots::Definitions => {
                tables.iter_mut().for_each(|table| table.visit_refs(visit));
                globals.iter_mut().for_each(|global| global.visit_refs(visit));
                let segments = instances.iter_mut().flat_map(|instance| &mut instance.elements);
                segments.for_each(|segment| segment.visit_refs(visit));
            }
        });
        while let Some(payload) = self.gc.take_dead() {
            if let Some(block) = payload.drop_value() {
                self.gc.keep_block(block);
            }
        }
    }

    /// What `alloc` makes of `size` bytes. A safepoint: collects when that is due, and when there is no
    /// room.
    ///
    /// # Errors
    ///
    /// If the heap is full of live objects; the limiter's.
    pub(super) fn make<R>(
        &mut self,
        size: u32,
        alloc: impl Fn(&mut GcStore, &VmHeap) -> Option<R>,
    ) -> Result<R> {
        let is_large = size > LARGE_OBJECT;
        let full = if is_large { Why::Large(size) } else { Why::Small(size) };
        let may_grow = self.gc.may_grow();
        if is_large && self.gc.wants_full_for_large(&self.vm.heap, size) {
            self.collect(full);
        } else {
            self.safepoint();
            if let Some(made) = alloc(&mut self.gc, &self.vm.heap) {
                return Ok(made);
            }
            // A heap that may grow does so before it is worth a full collection.
            self.collect(if may_grow { Why::Due } else { full });
        }
        if may_grow {
            if let Some(made) = alloc(&mut self.gc, &self.vm.heap) {
                return Ok(made);
            }
            if !self.grow_heap(size)? {
                self.collect(full);
            }
        }
        match alloc(&mut self.gc, &self.vm.heap) {
            Some(made) if !self.gc.gives_up() => Ok(made),
            _ => Err(Trap::GcHeapOutOfMemory.into()),
        }
    }

    /// Adds a memory, made with `image`, and returns its position.
    pub(crate) fn add_memory(
        &mut self,
        ty: MemoryType,
        def: DefSlot,
        image: Option<&Arc<MemoryImage>>,
    ) -> Result<usize> {
        self.memories.push(Memory::new(&self.engine, ty, def, image)?);
        Ok(self.memories.len() - 1)
    }

    /// The position of a shared memory of this engine; it is added if it is not there.
    pub(crate) fn add_shared_memory(&mut self, memory: &Arc<SharedMemory>) -> usize {
        let StoreInner { memories, shared_memories, .. } = self;
        let known = shared_memories.get_or_insert_default();
        *known.entry(memory.bytes.address()).or_insert_with(|| {
            memories.push(Memory::shared(memory.clone()));
            memories.len() - 1
        })
    }

    /// Forgets the memories from position `len` on.
    pub(crate) fn truncate_memories(&mut self, len: usize) {
        self.memories.truncate(len);
        if let Some(known) = &mut self.shared_memories {
            known.retain(|_, position| *position < len);
        }
    }

    /// Adds a table and returns its position.
    pub(crate) fn add_table(&mut self, ty: TableType, def: DefSlot, init: RawRef) -> Result<usize> {
        let limit = self.engine.settings.table_limit;
        let table = Table::new(&self.vm.heap, ty, def, init, limit)?;
        self.tables.push(table);
        Ok(self.tables.len() - 1)
    }

    /// Adds a global and returns its position.
    pub(crate) fn add_global(&mut self, ty: GlobalType, def: DefSlot, bits: u128) -> usize {
        let is_gc_ref = match ty.content {
            ValType::Ref(ty) => !self.engine.is_func_heap(ty.heap),
            _ => false,
        };
        self.globals.push(Global::new(&self.vm.heap, ty, is_gc_ref, def, bits));
        self.globals.len() - 1
    }

    /// The record of host function `def` with exactly the type `ty`.
    pub(crate) fn host_record(&mut self, def: &Arc<HostFunc>, ty: TypeId) -> Result<FuncPtr> {
        let exit = def.exit_code(&self.engine)?;
        let store = self.vm_ptr();
        Ok(self.host_funcs.record(store, def, exit, ty))
    }

    /// Makes room for `count` more host functions, side by side if they are the first.
    pub(super) fn reserve_host_funcs(&mut self, count: usize) {
        self.host_funcs.reserve(count);
    }

    /// The definition behind a record that was made for a host function.
    pub(crate) fn host_func(&self, func: FuncPtr) -> Option<&Arc<HostFunc>> {
        self.host_funcs.find(func).map(|context| &context.def)
    }

    /// The fuel that is left.
    ///
    /// # Errors
    ///
    /// If the engine does not count fuel.
    pub(crate) fn fuel(&self) -> Result<u64> {
        self.counts_fuel()?;
        Ok(self.vm.fuel.get().max(0).cast_unsigned().saturating_add(self.fuel_reserve))
    }

    /// Gives guests `fuel` units, whatever they had.
    ///
    /// # Errors
    ///
    /// If the engine does not count fuel.
    pub(crate) fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.counts_fuel()?;
        // What compiled code counts is signed; nobody lives to see the rest used up.
        let counted = fuel.min(i64::MAX as u64);
        self.vm.fuel.set(counted as i64);
        self.fuel_reserve = fuel - counted;
        Ok(())
    }

    fn counts_fuel(&self) -> Result<()> {
        let counts = self.engine.code.tunables.consume_fuel;
        anyhow::ensure!(counts, "fuel is not counted in this store: see `Config::consume_fuel`");
        Ok(())
    }

    /// As [`charge_bulk`](Self::charge_bulk), where there are `room` bytes or elements: an operation
    /// over more does nothing but trap, and costs nothing.
    pub(crate) fn charge_bulk_within(&mut self, len: u64, room: u64) -> Result<(), Trap> {
        if len > room { Ok(()) } else { self.charge_bulk(len) }
    }

    /// Charges a bulk operation over `len` bytes or elements, before it is done.
    pub(crate) fn charge_bulk(&mut self, len: u64) -> Result<(), Trap> {
        if !self.engine.code.tunables.consume_fuel {
            return Ok(());
        }
        let units = i64::try_from(len / BULK_PER_UNIT).unwrap_or(i64::MAX);
        let left = self.vm.fuel.get().saturating_sub(units);
        self.vm.fuel.set(left);
        if left < 0 { Err(Trap::OutOfFuel) } else { Ok(()) }
    }

    /// Records why a host function or a builtin failed; its trampoline starts unwinding.
    #[cold]
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.failure = Some(failure);
        self.vm.unwinding.set(1);
    }

    /// What stopped the guest, after an entry into Wasm came back with `unwinding` set.
    ///
    /// # Panics
    ///
    /// Resumes the panic of a host function.
    #[cold]
    pub(crate) fn take_failure(&mut self) -> Error {
        self.vm.unwinding.set(0);
        let fault = self.vm.fault.take();
        let exception = self.take_exception();
        let error = match (self.failure.take(), fault) {
            (Some(Failure::Panic(payload)), _) => {
                let payload = payload.into_inner().unwrap_or_else(PoisonError::into_inner);
                resume_unwind(payload)
            }
            (Some(Failure::Error(error)), _) => error,
            (None, Some(fault)) => Error::from(fault.trap),
            (None, None) => exception.expect("a failed entry leaves its reason in the store"),
        };
        let backtrace = self.vm.backtrace.take();
        match backtrace.pcs.is_empty() || error.is::<WasmBacktrace>() {
            true => error,
            false => error.context(call::resolve_backtrace(&backtrace)),
        }
    }
}

impl Drop for StoreInner {
    /// Drops every host object, however many destructors panic, while everything else is still
    /// there. The first panic goes on afterwards.
    fn drop(&mut self) {
        let mut first = None;
        while let Some(payload) = self.gc.take_any() {
            let outcome = catch_unwind(AssertUnwindSafe(|| drop(payload)));
            first = first.or(outcome.err());
        }
        if let Some(panic) = first
            && !std::thread::panicking()
        {
            resume_unwind(panic);
        }
    }
}
