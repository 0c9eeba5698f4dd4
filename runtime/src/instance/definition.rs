//! Definitions that compiled code reaches by address: their places, globals and function records;
//! memories are in `memory`, tables in `table`. A definition stands in the vmctx of the instance that
//! made it, or in a box of its own if the embedder made it.
//!
//! Invariant: a [`DefSlot`]'s address is valid for a definition of its kind, 16-byte aligned and
//! exclusively this definition's until the store is dropped; compiled code touches it only while the
//! store is lent to an entry into Wasm, when no Rust reference into it exists.

use std::cell::UnsafeCell;
use std::num::NonZeroUsize;
use std::ptr::NonNull;

use super::host_func::HostContext;
use crate::abi::layout;
use crate::abi::object::is_young;
use crate::gc::{self, GcStore};
use crate::vm::context::{VmFuncRef, VmHeap};
use crate::wasm::types::{GlobalType, TypeId};

/// The bytes of the largest definition.
type Bytes = UnsafeCell<[u128; 2]>;

const _: () = assert!(
    layout::memory::SIZE == 16 && layout::table::SIZE == 32 && layout::global::SIZE == 16,
    "every definition is one or two words"
);

/// The 16 bytes of a definition, or the 32 bytes of a table's.
pub(crate) struct DefSlot {
    at: NonNull<u128>,
    /// The memory itself, if the definition is in no vmctx.
    _own: Option<Box<Bytes>>,
}

// SAFETY: a `DefSlot` is the only Rust handle to its bytes and belongs to one store; it is read
// through `&` and written through `&mut`, and compiled code runs only under `&mut` of the store.
unsafe impl Send for DefSlot {}
// SAFETY: as above: shared access only reads.
unsafe impl Sync for DefSlot {}

impl DefSlot {
    /// A definition outside any vmctx.
    pub(crate) fn boxed() -> DefSlot {
        let own: Box<Bytes> = Box::default();
        DefSlot { at: NonNull::from(&*own).cast(), _own: Some(own) }
    }

    /// A definition at `at`.
    ///
    /// # Safety
    ///
    /// `at` must keep the invariant of this module.
    pub(crate) unsafe fn at(at: NonNull<u128>) -> DefSlot {
        DefSlot { at, _own: None }
    }

    /// The address that compiled code uses.
    pub(crate) fn address(&self) -> usize {
        self.at.as_ptr().expose_provenance()
    }

    fn load(&self) -> u128 {
        // SAFETY: the address is valid and aligned by the invariant, and `&self` means that nobody
        // writes at this time.
        unsafe { self.at.read() }
    }

    fn store(&mut self, bits: u128) {
        // SAFETY: the address is valid and aligned by the invariant, and `&mut self` is the only
        // access at this time.
        unsafe { self.at.write(bits) }
    }

    /// The reference into the GC heap that the definition of a global holds.
    fn reference_mut(&mut self) -> &mut u32 {
        // SAFETY: the address is valid and aligned by the invariant, the first bytes of a slot hold a
        // reference, and `&mut self` is the only access at this time.
        unsafe { self.at.cast::<u32>().as_mut() }
    }

    /// Writes the definition of a memory, or that of a table but for its marks.
    pub(super) fn store_base_and_len(&mut self, base: usize, len: usize) {
        self.store(base as u128 | (len as u128) << 64);
    }

    /// Writes where the marks of a table are. The definition must be a table's.
    pub(super) fn store_marks(&mut self, marks: usize) {
        // SAFETY: the definition of a table has two words by the invariant, the second begins with its
        // marks, and `&mut self` is the only access at this time.
        unsafe { self.at.add(1).cast::<usize>().write(marks) };
    }
}

/// A global.
pub(crate) struct Global {
    pub(crate) ty: GlobalType,
    /// Whether the value is a reference into the GC heap.
    is_gc_ref: bool,
    def: DefSlot,
}

impl Global {
    /// A global of `ty` with the value `bits`.
    pub(crate) fn new(
        heap: &VmHeap,
        ty: GlobalType,
        is_gc_ref: bool,
        def: DefSlot,
        bits: u128,
    ) -> Global {
        let mut global = Global { ty, is_gc_ref, def };
        global.set_bits(heap, bits);
        global
    }

    /// The address of the definition.
    pub(crate) fn address(&self) -> usize {
        self.def.address()
    }

    /// Whether the value is a reference into the GC heap.
    pub(crate) fn is_gc_ref(&self) -> bool {
        self.is_gc_ref
    }

    /// The value's slot.
    pub(crate) fn bits(&self) -> u128 {
        let bits = self.def.load();
        if self.is_gc_ref { u128::from(bits as u32) } else { bits }
    }

    /// Replaces the value's slot; it must hold a value of the global's type.
    pub(crate) fn set_bits(&mut self, heap: &VmHeap, bits: u128) {
        if !self.is_gc_ref {
            return self.def.store(bits);
        }
        let reference = bits as u32;
        *self.def.reference_mut() = reference;
        if is_young(reference) {
            // SAFETY: the definition is one of a reference, lives as long as its store, and its link is 0
            // at first; compiled code does not run during a collection.
            unsafe { gc::global_written(heap, self.def.address()) };
        }
    }

    /// Lets the collector see and update the reference, if the global holds one.
    pub(crate) fn visit_refs(&mut self, visit: &mut dyn FnMut(&mut u32)) {
        if self.is_gc_ref {
            visit(self.def.reference_mut());
        }
    }
}

/// A reference as tables and segments hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RawRef {
    Func(Option<FuncPtr>),
    Gc(u32),
}

impl RawRef {
    /// The function reference in the bits of a slot.
    pub(crate) fn func_from_bits(bits: u128) -> RawRef {
        // SAFETY: slots of function references hold null or addresses of records of their store.
        RawRef::Func(unsafe { FuncPtr::from_address(bits as usize) })
    }

    /// The reference in the bits of a slot, one to a function or into the GC heap.
    pub(crate) fn from_bits(bits: u128, is_func: bool) -> RawRef {
        if is_func { RawRef::func_from_bits(bits) } else { RawRef::Gc(bits as u32) }
    }

    /// Whether it is null.
    pub(crate) fn is_null(self) -> bool {
        matches!(self, RawRef::Func(None) | RawRef::Gc(0))
    }

    /// The bits of a slot that holds this reference.
    pub(crate) fn to_bits(self) -> u128 {
        match self {
            RawRef::Func(func) => FuncPtr::to_address(func) as u128,
            RawRef::Gc(raw) => u128::from(raw),
        }
    }
}

/// The references of a passive element segment, until it is dropped.
#[derive(Default)]
pub(crate) struct PassiveElements {
    items: Box<[RawRef]>,
}

impl PassiveElements {
    /// A segment that holds `items`.
    pub(crate) fn new(gc: &mut GcStore, items: Box<[RawRef]>) -> PassiveElements {
        let mut elements = PassiveElements { items };
        elements.visit_refs(&mut |slot| {
            let raw = *slot;
            // SAFETY: the slot stays where it is until the segment is dropped, which forgets it, or
            // goes with its store; it is used by nobody else during a collection.
            unsafe { gc.log_young(std::ptr::from_mut(slot).expose_provenance(), raw) };
        });
        elements
    }

    /// The references.
    pub(crate) fn items(&self) -> &[RawRef] {
        &self.items
    }

    /// Ends the segment: the collector must not look at it any more.
    pub(crate) fn forget(self, gc: &mut GcStore) {
        let start = self.items.as_ptr().addr();
        gc.forget(start..start + size_of_val(&*self.items));
    }

    /// Lets the collector see and update every reference.
    pub(crate) fn visit_refs(&mut self, visit: &mut dyn FnMut(&mut u32)) {
        for item in &mut self.items {
            if let RawRef::Gc(raw) = item {
                visit(raw);
            }
        }
    }
}

/// An index outside a table or a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfBounds;

/// `start..start + len` if it lies within `bound`.
pub(crate) fn range(
    start: u64,
    len: u64,
    bound: u64,
) -> Result<std::ops::Range<usize>, OutOfBounds> {
    let end = start.checked_add(len).filter(|end| *end <= bound).ok_or(OutOfBounds)?;
    Ok(start as usize..end as usize)
}

/// A function record of some store. Records live until their store is dropped, so a `FuncPtr` may be
/// followed whenever its store is at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FuncPtr(NonZeroUsize);

impl FuncPtr {
    /// The record at `address`; 0 is the null reference.
    ///
    /// # Safety
    ///
    /// `address` must be 0 or that of a record of a store that outlives every use of the result.
    pub(crate) unsafe fn from_address(address: usize) -> Option<FuncPtr> {
        NonZeroUsize::new(address).map(FuncPtr)
    }

    /// The record of a host function in a store.
    pub(crate) fn of_host(context: &HostContext) -> FuncPtr {
        let address = std::ptr::from_ref(&context.record).expose_provenance();
        FuncPtr(NonZeroUsize::new(address).expect("a reference is not null"))
    }

    /// The address of a reference: 0 for null.
    pub(crate) fn to_address(func: Option<FuncPtr>) -> usize {
        func.map_or(0, |func| func.0.get())
    }

    /// The engine's id of the function's type.
    pub(crate) fn type_id(self) -> TypeId {
        TypeId(self.record().type_id)
    }

    /// The record. Its store must be alive.
    pub(crate) fn record(self) -> VmFuncRef {
        let record = std::ptr::with_exposed_provenance::<VmFuncRef>(self.0.get());
        // SAFETY: a `FuncPtr` is the address of a record, which lives as long as its store and is
        // never written again; callers have compared the store before they follow it.
        unsafe { record.read() }
    }
}
