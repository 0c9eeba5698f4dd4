//! An instance and its vmctx: the memory in which compiled code finds everything else. It is kept
//! between two instances of a module, because most of it is the same for both.
//!
//! Invariant: a vmctx is filled before any code of its instance runs, its imports, records and
//! pointers are never written again, and it lives until the store is dropped. One that is kept belongs to
//! no store, and the records in it of functions that its module defines are those of the next instance.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::definition::{DefSlot, FuncPtr, PassiveElements};
use super::module::{ModuleShared, RecordOf};
use crate::abi::layout::{Place, func_ref, vmctx};
use crate::vm::context::{VmCtx, VmFuncImport, VmFuncRef, VmStore};
use crate::wasm::index::{
    FuncIndex, FuncRefIndex, GlobalIndex, MemoryIndex, TableIndex, TagIndex, TypeIndex,
};
use crate::wasm::module::EntityIndex;

/// An instantiated module.
pub(crate) struct Instance {
    pub(crate) module: Arc<ModuleShared>,
    pub(crate) ctx: VmCtxMemory,
    /// Positions in the store's vectors, by the module's index spaces.
    pub(crate) memories: Box<[usize]>,
    pub(crate) tables: Box<[usize]>,
    pub(crate) globals: Box<[usize]>,
    pub(crate) tags: Box<[usize]>,
    /// Whether a passive data segment has been dropped; empty until one is.
    pub(super) dropped_data: Vec<bool>,
    /// The elements of passive segments; empty once dropped.
    pub(crate) elements: Box<[PassiveElements]>,
}

/// An imported or exported entity of a store: a function record or a position in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entity {
    Func(FuncPtr),
    Table(usize),
    Memory(usize),
    Global(usize),
    Tag(usize),
}

impl Instance {
    /// The record of a function; `None` if its reference cannot be observed.
    pub(crate) fn func(&self, func: FuncIndex) -> Option<FuncPtr> {
        let slot = self.module.info.func_refs[func.index()]?;
        self.in_slots(&[slot]).next().expect("as many as were asked for")
    }

    /// The records of the functions that element segment `segment` lists.
    pub(super) fn listed(&self, segment: usize) -> impl ExactSizeIterator<Item = Option<FuncPtr>> {
        self.in_slots(self.module.element_slots(segment))
    }

    /// The records in `slots`, which are the module's.
    fn in_slots(&self, slots: &[FuncRefIndex]) -> impl ExactSizeIterator<Item = Option<FuncPtr>> {
        let Range { start, end } = records(&self.module);
        let first = self.ctx.at_bytes(start, end - start).as_ptr().expose_provenance();
        slots.iter().map(move |slot| {
            // SAFETY: the record lies in this vmctx, which lives as long as the store: a module has as
            // many records as slots.
            unsafe { FuncPtr::from_address(first + slot.index() * func_ref::SIZE) }
        })
    }

    /// The content of a data segment: nothing, once it was dropped, as active ones are from the start.
    pub(crate) fn data(&self, segment: usize) -> &[u8] {
        let is_dropped = self.dropped_data.get(segment).is_some_and(|dropped| *dropped);
        match self.module.info.data[segment].is_passive() && !is_dropped {
            true => self.module.data(segment),
            false => &[],
        }
    }

    /// `data.drop`.
    pub(crate) fn drop_data(&mut self, segment: usize) {
        self.dropped_data.resize(self.module.info.data.len(), false);
        self.dropped_data[segment] = true;
    }

    /// The number of bytes of a data segment.
    pub(crate) fn data_len(&self, segment: usize) -> u64 {
        self.data(segment).len() as u64
    }

    /// The entity behind an export.
    pub(crate) fn entity(&self, index: EntityIndex) -> Entity {
        match index {
            EntityIndex::Func(func) => {
                Entity::Func(self.func(func).expect("decode gives exported functions a record"))
            }
            EntityIndex::Table(TableIndex(index)) => Entity::Table(self.tables[index as usize]),
            EntityIndex::Memory(MemoryIndex(index)) => {
                Entity::Memory(self.memories[index as usize])
            }
            EntityIndex::Global(GlobalIndex(index)) => Entity::Global(self.globals[index as usize]),
            EntityIndex::Tag(TagIndex(index)) => Entity::Tag(self.tags[index as usize]),
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if is_kept(&self.module) {
            self.module.spares().put(std::mem::take(&mut self.ctx));
        }
    }
}

/// The memory of a vmctx: 16-byte aligned, never moved.
#[derive(Default)]
pub(crate) struct VmCtxMemory {
    /// All but the records is initialised from the beginning, and nobody reads these before they are set.
    words: Box<[UnsafeCell<MaybeUninit<u128>>]>,
    /// Whether the records are written, and those of defined functions are right.
    has_records: bool,
}

// SAFETY: the addresses in it lead to what whoever uses them keeps; those of a memory in no store, to
// nothing but itself and the code of its module.
unsafe impl Send for VmCtxMemory {}
// SAFETY: Rust writes the memory only while its instance is made; later it is touched by compiled
// code, which runs under `&mut` of the store, and through the `DefSlot`s that own parts of it.
unsafe impl Sync for VmCtxMemory {}

impl VmCtxMemory {
    /// The vmctx of the instance at position `instance` of the store at `store`.
    pub(crate) fn new(module: &ModuleShared, store: *mut VmStore, instance: usize) -> VmCtxMemory {
        let words = module.layout.size().div_ceil(size_of::<u128>());
        let spare = if is_kept(module) { module.spares().take() } else { None };
        let ctx = spare.unwrap_or_else(|| VmCtxMemory {
            words: (0..words).map(|_| UnsafeCell::new(MaybeUninit::uninit())).collect(),
            has_records: false,
        });
        let records = records(module);
        ctx.clear(0..records.start);
        ctx.clear(records.end..ctx.len());
        ctx.write(vmctx::STORE, store);
        let instance = u32::try_from(instance).expect("a store has fewer than 2^32 instances");
        ctx.write(vmctx::INSTANCE, instance);
        for (index, id) in module.type_ids.iter().enumerate() {
            ctx.write(module.layout.type_id(TypeIndex::new(index)), id.0);
        }
        ctx
    }

    /// The address that compiled code knows.
    pub(crate) fn address(&self) -> *mut VmCtx {
        self.words.as_ptr().cast_mut().cast()
    }

    /// Fills in an imported function.
    pub(crate) fn set_import(&self, module: &ModuleShared, func: FuncIndex, import: VmFuncImport) {
        self.write(module.layout.func_import(func), import);
    }

    /// Fills in the function records; `imports` are those behind the imported functions.
    pub(crate) fn set_records(&mut self, module: &ModuleShared, imports: &[VmFuncRef]) {
        let ctx = self.address();
        let Range { start, end } = records(module);
        let first = self.at_bytes(start, end - start).cast::<VmFuncRef>();
        let set = |slot: usize| {
            let record = match module.records()[slot] {
                RecordOf::Defined { code, type_id } => {
                    VmFuncRef { code: code.as_ptr(), ctx, type_id: type_id.0 }
                }
                // A copy: the function keeps its own type, which may be a subtype of the import's.
                RecordOf::Import(func) => imports[func.index()],
            };
            // SAFETY: as in `write`; `at_bytes` checked the bounds of as many records as there are slots.
            unsafe { first.add(slot).write(record) };
        };
        match self.has_records {
            true => module.import_slots().iter().for_each(|slot| set(slot.index())),
            false => (0..module.records().len()).for_each(set),
        }
        self.has_records = true;
    }

    /// Fills in a tag, which is at `position` of the store.
    pub(crate) fn set_tag(&self, module: &ModuleShared, tag: TagIndex, position: usize) {
        let position = u32::try_from(position).expect("a store has fewer than 2^32 tags");
        self.write(module.layout.tag(tag), position);
    }

    /// Prepares the definition at `place`: the slot of a defined one, `None` for an imported one,
    /// whose address is filled in.
    pub(crate) fn definition(
        &self,
        place: Place,
        imported: impl FnOnce() -> usize,
    ) -> Option<DefSlot> {
        match place {
            Place::Pointer(offset) => {
                self.write(offset, imported());
                None
            }
            // SAFETY: each definition of the layout has its own bytes of this vmctx, as many as its kind
            // takes, and it lives as long as the store; it is asked for once, when the instance is made.
            Place::Inline(offset) => Some(unsafe { DefSlot::at(self.at::<u128>(offset)) }),
        }
    }

    fn at<V>(&self, offset: i32) -> NonNull<V> {
        let offset = usize::try_from(offset).expect("vmctx offsets are not negative");
        self.at_bytes(offset, size_of::<V>()).cast()
    }

    /// The address of the `len` bytes at `offset`.
    fn at_bytes(&self, offset: usize, len: usize) -> NonNull<u8> {
        assert!(offset + len <= self.len(), "vmctx access within its layout");
        let words = NonNull::from(&*self.words).cast::<u8>();
        words.map_addr(|at| at.checked_add(offset).expect("in bounds"))
    }

    fn len(&self) -> usize {
        size_of_val(&*self.words)
    }

    fn write<V: Copy>(&self, offset: i32, value: V) {
        // SAFETY: `at` checked the bounds, the layout aligns each entry to its size up to 8 bytes
        // within 16-byte words, and the memory is made of cells that nobody borrows.
        unsafe { self.at::<V>(offset).write(value) }
    }

    /// Sets the bytes of `range` to zero.
    fn clear(&self, range: Range<usize>) {
        let len = range.end - range.start;
        // SAFETY: `at_bytes` checked the bounds, and the memory is made of cells that nobody borrows.
        unsafe { self.at_bytes(range.start, len).write_bytes(0, len) }
    }
}

/// Where in a vmctx of `module` the function records are.
fn records(module: &ModuleShared) -> Range<usize> {
    const { assert!(size_of::<VmFuncRef>() == func_ref::SIZE) };
    let start = module.layout.func_ref(FuncRefIndex(0));
    let start = usize::try_from(start).expect("vmctx offsets are not negative");
    start..start + module.records().len() * func_ref::SIZE
}

/// Whether vmctxs of `module` are kept: few records are written faster.
fn is_kept(module: &ModuleShared) -> bool {
    records(module).len() >= MIN_KEPT
}

/// The least bytes of records with which a vmctx is kept.
const MIN_KEPT: usize = 4 << 10;

/// The most bytes of vmctxs that are kept for the next instances of one module, unless it is only one.
const MAX_KEPT: usize = 1 << 20;

/// The vmctxs of instances of one module that are gone.
#[derive(Default)]
pub(crate) struct SpareContexts {
    all: Mutex<Vec<VmCtxMemory>>,
}

impl SpareContexts {
    fn take(&self) -> Option<VmCtxMemory> {
        self.lock().pop()
    }

    fn put(&self, ctx: VmCtxMemory) {
        assert!(ctx.has_records, "the vmctx of an instance that was made has its records");
        let mut all = self.lock();
        if all.is_empty() || (all.len() + 1) * ctx.len() <= MAX_KEPT {
            all.push(ctx);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<VmCtxMemory>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
