//! An instance and its vmctx: the memory in which compiled code finds everything else.
//!
//! Invariant: a vmctx is filled before any code of its instance runs, its imports, records and
//! pointers are never written again, and it lives until the store is dropped.

use std::cell::UnsafeCell;
use std::ptr::NonNull;
use std::sync::Arc;

use super::definition::{DefSlot, FuncPtr, PassiveElements};
use super::module::ModuleShared;
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
        self.funcs(&[func]).next().expect("as many as were asked for")
    }

    /// The records of `funcs`, as [`Instance::func`].
    pub(super) fn funcs(
        &self,
        funcs: &[FuncIndex],
    ) -> impl ExactSizeIterator<Item = Option<FuncPtr>> {
        let ModuleShared { info, layout, .. } = &*self.module;
        let records = info.func_ref_count as usize * size_of::<VmFuncRef>();
        let ctx = self.ctx.at_bytes(layout.func_ref(FuncRefIndex(0)), records);
        let ctx = ctx.as_ptr().expose_provenance();
        funcs.iter().map(move |func| {
            let slot = info.func_refs[func.index()]?;
            let address = ctx + slot.index() * size_of::<VmFuncRef>();
            // SAFETY: the record lies in this vmctx, which lives as long as the store: slots are counted.
            unsafe { FuncPtr::from_address(address) }
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

/// The memory of a vmctx: zeroed, 16-byte aligned, never moved.
pub(crate) struct VmCtxMemory {
    words: Box<[UnsafeCell<u128>]>,
}

// SAFETY: Rust writes the memory only while its instance is made; later it is touched by compiled
// code, which runs under `&mut` of the store, and through the `DefSlot`s that own parts of it.
unsafe impl Sync for VmCtxMemory {}

impl VmCtxMemory {
    /// The vmctx of the instance at position `instance` of the store at `store`.
    pub(crate) fn new(module: &ModuleShared, store: *mut VmStore, instance: usize) -> VmCtxMemory {
        let words = module.layout.size().div_ceil(size_of::<u128>());
        let ctx = VmCtxMemory { words: (0..words).map(|_| UnsafeCell::new(0)).collect() };
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

    /// Fills in all function records.
    pub(crate) fn set_records(
        &self,
        module: &ModuleShared,
        records: impl ExactSizeIterator<Item = VmFuncRef>,
    ) {
        const { assert!(size_of::<VmFuncRef>() == func_ref::SIZE) };
        let count = records.len();
        let first = module.layout.func_ref(FuncRefIndex(0));
        let first = self.at_bytes(first, count * size_of::<VmFuncRef>()).cast::<VmFuncRef>();
        for (slot, record) in (0..count).zip(records) {
            // SAFETY: as in `write`; `at_bytes` checked the bounds of all.
            unsafe { first.add(slot).write(record) };
        }
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
        self.at_bytes(offset, size_of::<V>()).cast()
    }

    /// The address of the `len` bytes at `offset`.
    fn at_bytes(&self, offset: i32, len: usize) -> NonNull<u8> {
        let offset = usize::try_from(offset).expect("vmctx offsets are not negative");
        let end = offset + len;
        assert!(end <= size_of_val(&*self.words), "vmctx access within its layout");
        let words = NonNull::from(&*self.words).cast::<u8>();
        words.map_addr(|at| at.checked_add(offset).expect("in bounds"))
    }

    fn write<V: Copy>(&self, offset: i32, value: V) {
        // SAFETY: `at` checked the bounds, the layout aligns each entry to its size up to 8 bytes
        // within 16-byte words, and the memory is made of cells that nobody borrows.
        unsafe { self.at::<V>(offset).write(value) }
    }
}
