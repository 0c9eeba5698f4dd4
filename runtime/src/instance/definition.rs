//! Definitions that compiled code reaches by address: their places, tables, globals and function
//! records; memories are in `memory`. A definition stands in the vmctx of the instance that made it,
//! or in a box of its own if the embedder made it.
//!
//! Invariant: a [`DefSlot`]'s address is valid, 16-byte aligned and exclusively this definition's
//! until the store is dropped; compiled code touches it only while the store is lent to an entry
//! into Wasm, when no Rust reference into it exists.

use std::alloc::{Layout, alloc_zeroed};
use std::cell::{Cell, UnsafeCell};
use std::num::NonZeroUsize;
use std::ptr::NonNull;

use anyhow::ensure;

use super::host_func::HostContext;
use crate::abi::layout;
use crate::error::Result;
use crate::gc::GcStore;
use crate::vm::context::VmFuncRef;
use crate::wasm::types::{GlobalType, TableType, TypeId};

const _: () = assert!(
    layout::memory::SIZE == 16 && layout::table::SIZE == 16 && layout::global::SIZE == 16,
    "every definition is one DefSlot"
);

/// The 16 bytes of a definition.
pub(crate) struct DefSlot {
    at: NonNull<u128>,
    /// The memory itself, if the definition is in no vmctx.
    _own: Option<Box<UnsafeCell<u128>>>,
}

// SAFETY: a `DefSlot` is the only Rust handle to its bytes and belongs to one store; it is read
// through `&` and written through `&mut`, and compiled code runs only under `&mut` of the store.
unsafe impl Send for DefSlot {}
// SAFETY: as above: shared access only reads.
unsafe impl Sync for DefSlot {}

impl DefSlot {
    /// A definition outside any vmctx.
    pub(crate) fn boxed() -> DefSlot {
        let own = Box::new(UnsafeCell::new(0));
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

    /// Writes the definition of a memory or a table.
    pub(super) fn store_base_and_len(&mut self, base: usize, len: usize) {
        self.store(base as u128 | (len as u128) << 64);
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
        gc: &mut GcStore,
        ty: GlobalType,
        is_gc_ref: bool,
        def: DefSlot,
        bits: u128,
    ) -> Global {
        let mut global = Global { ty, is_gc_ref, def };
        global.set_bits(gc, bits);
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
        self.def.load()
    }

    /// Replaces the value's slot; it must hold a value of the global's type.
    pub(crate) fn set_bits(&mut self, gc: &mut GcStore, bits: u128) {
        if self.is_gc_ref {
            let before = self.def.load() as u32;
            // SAFETY: the slot holds a reference as long as its store lives, and compiled code does
            // not run during a collection.
            unsafe { gc.log_replaced(self.def.address(), before, bits as u32) };
        }
        self.def.store(bits);
    }

    /// Lets the collector see and update the reference, if the global holds one.
    pub(crate) fn visit_refs(&mut self, visit: &mut dyn FnMut(&mut u32)) {
        if self.is_gc_ref {
            visit(self.def.reference_mut());
        }
    }
}

/// A table.
pub(crate) struct Table {
    pub(crate) ty: TableType,
    def: DefSlot,
    elements: Elements,
}

/// A table's elements. Compiled code writes them, hence the cells.
enum Elements {
    Func(Vec<Cell<usize>>),
    Gc(Vec<Cell<u32>>),
}

// SAFETY: the cells are written through `&mut` of the table or by compiled code, which runs under
// `&mut` of the store; shared access only reads.
unsafe impl Sync for Elements {}

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

impl Table {
    /// A table of `ty` filled with `init`, which may have at most `limit` elements.
    pub(crate) fn new(
        gc: &mut GcStore,
        ty: TableType,
        def: DefSlot,
        init: RawRef,
        limit: u64,
    ) -> Result<Table> {
        let min = ty.limits.min;
        if min > limit {
            anyhow::bail!("a table of {min} elements exceeds the limit of {limit} elements");
        }
        let elements = match init {
            RawRef::Func(_) => Elements::Func(Vec::new()),
            RawRef::Gc(_) => Elements::Gc(Vec::new()),
        };
        let mut table = Table { ty, def, elements };
        table.resize(gc, min as usize, init)?;
        Ok(table)
    }

    /// The address of the definition.
    pub(crate) fn address(&self) -> usize {
        self.def.address()
    }

    /// The number of elements.
    pub(crate) fn len(&self) -> u64 {
        match &self.elements {
            Elements::Func(elements) => elements.len() as u64,
            Elements::Gc(elements) => elements.len() as u64,
        }
    }

    /// The element at `index`.
    pub(crate) fn get(&self, index: u64) -> Option<RawRef> {
        let index = usize::try_from(index).ok()?;
        match &self.elements {
            Elements::Func(elements) => {
                // SAFETY: the table holds null or addresses of records of its store.
                let func = unsafe { FuncPtr::from_address(elements.get(index)?.get()) };
                Some(RawRef::Func(func))
            }
            Elements::Gc(elements) => Some(RawRef::Gc(elements.get(index)?.get())),
        }
    }

    /// Replaces `len` elements from `index` on.
    pub(crate) fn fill(
        &mut self,
        gc: &mut GcStore,
        index: u64,
        value: RawRef,
        len: u64,
    ) -> Result<(), OutOfBounds> {
        let range = range(index, len, self.len())?;
        match (&self.elements, value) {
            (Elements::Func(elements), RawRef::Func(func)) => {
                elements[range].iter().for_each(|element| element.set(FuncPtr::to_address(func)));
            }
            (Elements::Gc(elements), RawRef::Gc(raw)) => {
                let elements = &elements[range];
                log_replaced(gc, elements, elements.iter().map(|_| raw));
                elements.iter().for_each(|element| element.set(raw));
            }
            _ => panic!("validated: a table holds references of one hierarchy"),
        }
        Ok(())
    }

    /// Replaces the elements from `index` on by `values`.
    pub(crate) fn init(
        &mut self,
        gc: &mut GcStore,
        index: u64,
        values: impl ExactSizeIterator<Item = RawRef>,
    ) -> Result<(), OutOfBounds> {
        range(index, values.len() as u64, self.len())?;
        for (index, value) in (index..).zip(values) {
            self.fill(gc, index, value, 1)?;
        }
        Ok(())
    }

    /// The `len` elements from `index` on.
    pub(crate) fn slice(&self, index: u64, len: u64) -> Result<Vec<RawRef>, OutOfBounds> {
        let range = range(index, len, self.len())?;
        let get = |index| self.get(index).expect("the range was checked");
        Ok((range.start as u64..range.end as u64).map(get).collect())
    }

    /// Copies `len` elements within the table.
    pub(crate) fn copy_within(
        &mut self,
        gc: &mut GcStore,
        to: u64,
        from: u64,
        len: u64,
    ) -> Result<(), OutOfBounds> {
        let from = range(from, len, self.len())?;
        let to = range(to, len, self.len())?;
        match &mut self.elements {
            Elements::Func(elements) => copy_cells(elements, to.start, from),
            Elements::Gc(elements) => {
                log_replaced(
                    gc,
                    &elements[to.clone()],
                    elements[from.clone()].iter().map(Cell::get),
                );
                copy_cells(elements, to.start, from);
            }
        }
        Ok(())
    }

    /// Grows by `delta` elements with the value `init` and returns the size before; `None` if the
    /// table may not have so many.
    pub(crate) fn grow(
        &mut self,
        gc: &mut GcStore,
        delta: u64,
        init: RawRef,
        limit: u64,
    ) -> Option<u64> {
        let old = self.len();
        let len = old.checked_add(delta)?;
        let type_max = if self.ty.is_64 { u64::MAX } else { u64::from(u32::MAX) };
        if len > self.ty.limits.max.unwrap_or(type_max).min(type_max) || len > limit {
            return None;
        }
        self.resize(gc, usize::try_from(len).ok()?, init).ok()?;
        Some(old)
    }

    /// Lets the collector see and update every reference.
    pub(crate) fn visit_refs(&mut self, visit: &mut dyn FnMut(&mut u32)) {
        if let Elements::Gc(elements) = &mut self.elements {
            elements.iter_mut().for_each(|element| visit(element.get_mut()));
        }
    }

    fn resize(&mut self, gc: &mut GcStore, len: usize, init: RawRef) -> Result<()> {
        let base = match (&mut self.elements, init) {
            (Elements::Func(elements), RawRef::Func(func)) => {
                resize_cells(elements, len, FuncPtr::to_address(func))?
            }
            (Elements::Gc(elements), RawRef::Gc(raw)) => {
                let before = addresses(elements);
                let base = resize_cells(elements, len, raw)?;
                let kept = before.len() / size_of::<u32>();
                if base == before.start {
                    log_young(gc, &elements[kept..]);
                } else {
                    gc.forget(before);
                    log_young(gc, elements);
                }
                base
            }
            _ => panic!("validated: a table holds references of one hierarchy"),
        };
        self.def.store_base_and_len(base, len);
        Ok(())
    }
}

/// Where the elements of a table lie.
fn addresses(elements: &[Cell<u32>]) -> std::ops::Range<usize> {
    let start = elements.as_ptr().expose_provenance();
    start..start + size_of_val(elements)
}

/// Logs the elements of a table that lead to young objects, after they were written.
fn log_young(gc: &mut GcStore, elements: &[Cell<u32>]) {
    for (address, element) in addresses(elements).step_by(size_of::<u32>()).zip(elements) {
        // SAFETY: elements stay where they are until the table grows, which forgets them, or goes
        // with its store; compiled code does not run during a collection.
        unsafe { gc.log_young(address, element.get()) };
    }
}

/// Logs the elements of a table that `values` will replace, as far as it must.
fn log_replaced(gc: &mut GcStore, elements: &[Cell<u32>], values: impl Iterator<Item = u32>) {
    let slots = addresses(elements).step_by(size_of::<u32>()).zip(elements);
    for ((address, element), value) in slots.zip(values) {
        // SAFETY: as for `log_young`.
        unsafe { gc.log_replaced(address, element.get(), value) };
    }
}

fn resize_cells<V: Copy + Zero>(cells: &mut Vec<Cell<V>>, len: usize, value: V) -> Result<usize> {
    if cells.is_empty() && value == V::ZERO {
        *cells = zeroed_cells(len)?;
    } else {
        cells.try_reserve(len - cells.len())?;
        cells.resize_with(len, || Cell::new(value));
    }
    Ok(cells.as_ptr().expose_provenance())
}

/// Null references, in pages that the system provides when they are first touched: a guest that
/// declares huge tables does not cost their memory.
fn zeroed_cells<V: Copy + Zero>(len: usize) -> Result<Vec<Cell<V>>> {
    if len == 0 {
        return Ok(Vec::new());
    }
    let layout = Layout::array::<Cell<V>>(len)?;
    // SAFETY: the layout is not empty, because neither `len` nor the size of an address or a
    // reference is zero.
    let cells = unsafe { alloc_zeroed(layout) };
    ensure!(!cells.is_null(), "no memory for a table of {len} elements");
    // SAFETY: the global allocator gave memory for exactly `len` cells, and zero bytes are the value
    // `V::ZERO`.
    Ok(unsafe { Vec::from_raw_parts(cells.cast(), len, len) })
}

/// Integers, whose zero has zero bytes only.
trait Zero: PartialEq {
    const ZERO: Self;
}

impl Zero for u32 {
    const ZERO: u32 = 0;
}

impl Zero for usize {
    const ZERO: usize = 0;
}

fn copy_cells<V: Copy>(cells: &[Cell<V>], to: usize, from: std::ops::Range<usize>) {
    let (start, len) = (from.start, from.len());
    if to <= start {
        (0..len).for_each(|i| cells[to + i].set(cells[start + i].get()));
    } else {
        (0..len).rev().for_each(|i| cells[to + i].set(cells[start + i].get()));
    }
}

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
