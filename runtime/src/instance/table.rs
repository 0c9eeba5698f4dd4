//! Tables: their elements, and the marks on those that the collector will look at.
//!
//! Invariant: the definition of a table says where its elements and marks lie and how many elements
//! there are, and compiled code writes both only while the store is lent to an entry into Wasm.

use std::alloc::{Layout, alloc_zeroed};
use std::cell::Cell;
use std::ops::Range;

use anyhow::ensure;

use super::definition::{DefSlot, FuncPtr, OutOfBounds, RawRef, range};
use crate::abi::layout::table::CARD_LOG2;
use crate::abi::object::is_young;
use crate::error::Result;
use crate::gc;
use crate::vm::context::VmHeap;
use crate::wasm::types::TableType;

/// A table.
pub(crate) struct Table {
    pub(crate) ty: TableType,
    def: DefSlot,
    elements: Elements,
}

/// A table's elements. Compiled code writes them, hence the cells.
enum Elements {
    Func(Vec<Cell<usize>>),
    Gc(References),
}

/// Elements that are references into the GC heap. Those whose addresses agree but for the last
/// [`CARD_LOG2`] bits share a mark, a byte that is 1 if the collector must look at them, and 0 otherwise.
#[derive(Default)]
struct References {
    cells: Vec<Cell<u32>>,
    /// One for each such group that the capacity of the cells reaches into, and one before and behind
    /// them: compiled code looks there when it handles no elements.
    marks: Vec<Cell<u8>>,
}

// SAFETY: the cells are written through `&mut` of the table or by compiled code, which runs under
// `&mut` of the store; shared access only reads.
unsafe impl Sync for Elements {}

impl Table {
    /// A table of `ty` filled with `init`, which may have at most `limit` elements.
    pub(crate) fn new(
        heap: &VmHeap,
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
            RawRef::Gc(_) => Elements::Gc(References::default()),
        };
        let mut table = Table { ty, def, elements };
        table.resize(heap, min as usize, init)?;
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
            Elements::Gc(elements) => elements.cells.len() as u64,
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
            Elements::Gc(elements) => Some(RawRef::Gc(elements.cells.get(index)?.get())),
        }
    }

    /// Replaces `len` elements from `index` on.
    pub(crate) fn fill(
        &mut self,
        heap: &VmHeap,
        index: u64,
        value: RawRef,
        len: u64,
    ) -> Result<(), OutOfBounds> {
        let range = range(index, len, self.len())?;
        self.write(heap, range.clone(), range.map(|_| value));
        Ok(())
    }

    /// Replaces the elements from `index` on by `values`.
    pub(crate) fn init(
        &mut self,
        heap: &VmHeap,
        index: u64,
        values: impl ExactSizeIterator<Item = RawRef>,
    ) -> Result<(), OutOfBounds> {
        let range = range(index, values.len() as u64, self.len())?;
        self.write(heap, range, values);
        Ok(())
    }

    /// Replaces the elements in `range` by `values`.
    fn write(&mut self, heap: &VmHeap, range: Range<usize>, values: impl Iterator<Item = RawRef>) {
        let of_other_kind =
            || -> ! { panic!("validated: a table holds references of one hierarchy") };
        match &self.elements {
            Elements::Func(elements) => {
                for (element, value) in elements[range].iter().zip(values) {
                    let RawRef::Func(func) = value else { of_other_kind() };
                    element.set(FuncPtr::to_address(func));
                }
            }
            Elements::Gc(elements) => {
                for (element, value) in elements.cells[range.clone()].iter().zip(values) {
                    let RawRef::Gc(raw) = value else { of_other_kind() };
                    element.set(raw);
                }
                if elements.mark_young(range) {
                    self.written(heap);
                }
            }
        }
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
        heap: &VmHeap,
        to: u64,
        from: u64,
        len: u64,
    ) -> Result<(), OutOfBounds> {
        let from = range(from, len, self.len())?;
        let to = range(to, len, self.len())?;
        match &self.elements {
            Elements::Func(elements) => copy_cells(elements, to.start, from),
            Elements::Gc(elements) => {
                copy_cells(&elements.cells, to.start, from);
                if elements.mark_young(to) {
                    self.written(heap);
                }
            }
        }
        Ok(())
    }

    /// Has the collector look at the elements that are marked.
    fn written(&self, heap: &VmHeap) {
        // SAFETY: the definition is one of a table of references, lives as long as its store, and is true
        // before a collection can run; its link is 0 at first. Compiled code does not run during a
        // collection.
        unsafe { gc::table_written(heap, self.def.address()) };
    }

    /// Grows by `delta` elements with the value `init` and returns the size before; `None` if the
    /// table may not have so many.
    pub(crate) fn grow(
        &mut self,
        heap: &VmHeap,
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
        self.resize(heap, usize::try_from(len).ok()?, init).ok()?;
        Some(old)
    }

    /// Lets the collector see and update every reference.
    pub(crate) fn visit_refs(&mut self, visit: &mut dyn FnMut(&mut u32)) {
        if let Elements::Gc(elements) = &mut self.elements {
            elements.cells.iter_mut().for_each(|element| visit(element.get_mut()));
        }
    }

    fn resize(&mut self, heap: &VmHeap, len: usize, init: RawRef) -> Result<()> {
        let mut is_marked = false;
        let base = match (&mut self.elements, init) {
            (Elements::Func(elements), RawRef::Func(func)) => {
                resize_cells(elements, len, FuncPtr::to_address(func))?;
                elements.as_ptr().expose_provenance()
            }
            (Elements::Gc(elements), RawRef::Gc(raw)) => {
                is_marked = elements.resize(len, raw)?;
                self.def.store_marks(elements.biased_marks());
                elements.start()
            }
            _ => panic!("validated: a table holds references of one hierarchy"),
        };
        self.def.store_base_and_len(base, len);
        if is_marked {
            self.written(heap);
        }
        Ok(())
    }
}

impl References {
    fn start(&self) -> usize {
        self.cells.as_ptr().expose_provenance()
    }

    /// Where the mark of the elements around address 0 would be: compiled code adds the address of
    /// an element without its last bits.
    fn biased_marks(&self) -> usize {
        let first = self.marks.as_ptr().expose_provenance() + 1;
        first.wrapping_sub(self.start() >> CARD_LOG2)
    }

    /// Grows to `len` elements, with the new ones set to `raw`. Returns whether some are marked now.
    fn resize(&mut self, len: usize, raw: u32) -> Result<bool> {
        let old = self.cells.len();
        if len <= self.cells.capacity() && !self.marks.is_empty() {
            self.cells.resize_with(len, || Cell::new(raw));
            return Ok(self.mark_young(old..len));
        }
        *self = self.with_capacity_for(len, raw)?;
        Ok((old > 0 || is_young(raw)) && self.mark_young(0..len))
    }

    /// A copy of these elements in another place, `len` with those that are set to `raw`. Nothing is
    /// marked.
    fn with_capacity_for(&self, len: usize, raw: u32) -> Result<References> {
        let mut cells = Vec::new();
        if self.cells.is_empty() {
            resize_cells(&mut cells, len, raw)?;
        } else {
            cells.try_reserve_exact(len.max(2 * self.cells.len()))?;
            cells.extend(self.cells.iter().cloned());
            cells.resize_with(len, || Cell::new(raw));
        }
        let mut moved = References { cells, marks: Vec::new() };
        moved.marks = zeroed_cells(moved.mark_position(moved.cells.capacity()) + 2)?;
        Ok(moved)
    }

    /// The position of the mark of the element at `index`.
    fn mark_position(&self, index: usize) -> usize {
        1 + (self.address(index) >> CARD_LOG2) - (self.start() >> CARD_LOG2)
    }

    fn address(&self, index: usize) -> usize {
        self.start() + index * size_of::<u32>()
    }

    /// Marks the elements in `range` that lead to young objects, with those that share their marks. Returns
    /// whether there are any.
    fn mark_young(&self, range: Range<usize>) -> bool {
        let mut at = range.start;
        let mut any = false;
        while at < range.end {
            let end = self.card(at).end.min(range.end);
            if self.cells[at..end].iter().any(|element| is_young(element.get())) {
                self.marks[self.mark_position(at)].set(1);
                any = true;
            }
            at = end;
        }
        any
    }

    /// The elements that share the mark of the one at `index`.
    fn card(&self, index: usize) -> Range<usize> {
        let (start, len) = (self.start(), self.cells.len());
        let card = self.address(index) >> CARD_LOG2;
        let index = |address: usize| address.saturating_sub(start) / size_of::<u32>();
        index(card << CARD_LOG2)..index((card + 1) << CARD_LOG2).min(len)
    }
}

fn resize_cells<V: Copy + Zero>(cells: &mut Vec<Cell<V>>, len: usize, value: V) -> Result<()> {
    if cells.is_empty() && value == V::ZERO {
        *cells = zeroed_cells(len)?;
    } else {
        cells.try_reserve(len - cells.len())?;
        cells.resize_with(len, || Cell::new(value));
    }
    Ok(())
}

/// Null references, in pages that the system provides when they are first touched: a guest that
/// declares huge tables does not cost their memory.
fn zeroed_cells<V: Copy + Zero>(len: usize) -> Result<Vec<Cell<V>>> {
    if len == 0 {
        return Ok(Vec::new());
    }
    let layout = Layout::array::<Cell<V>>(len)?;
    // SAFETY: the layout is not empty, because neither `len` nor the size of an address, a reference
    // or a mark is zero.
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

impl Zero for u8 {
    const ZERO: u8 = 0;
}

impl Zero for u32 {
    const ZERO: u32 = 0;
}

impl Zero for usize {
    const ZERO: usize = 0;
}

fn copy_cells<V: Copy>(cells: &[Cell<V>], to: usize, from: Range<usize>) {
    let (start, len) = (from.start, from.len());
    if to <= start {
        (0..len).for_each(|i| cells[to + i].set(cells[start + i].get()));
    } else {
        (0..len).rev().for_each(|i| cells[to + i].set(cells[start + i].get()));
    }
}
