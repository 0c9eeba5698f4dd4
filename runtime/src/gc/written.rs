//! The globals and the tables that references were written to since the last collection: two lists that go
//! through their definitions, so that compiled code adds to them without a call. Of a table, marks say
//! which elements are meant.
//!
//! Invariant: the lists of a [`VmHeap`] consist of definitions of their kind, of globals whose first bytes
//! are a reference and of tables of references, which live as long as their store. Base, length and marks
//! of such a table are always true. While a collection runs, all of that is nobody else's.

use std::ops::Range;

use super::store_buffer::update;
use crate::abi::layout::END;
use crate::abi::layout::global::LINK;
use crate::abi::layout::table::CARD_LOG2;
use crate::vm::context::{VmHeap, VmTable};

/// Adds the global at `definition`, unless it is in the list.
///
/// # Safety
///
/// It must keep the invariant of this module. The link is 0 at first and written by nobody else.
pub(crate) unsafe fn global_written(heap: &VmHeap, definition: usize) {
    let link = link_of_global(definition);
    // SAFETY: the caller's duty.
    unsafe {
        if link.read() == 0 {
            link.write(heap.written_globals.replace(definition));
        }
    }
}

/// Adds the table at `definition`, unless it is in the list. Whoever sets one of its marks does.
///
/// # Safety
///
/// As for [`global_written`].
pub(crate) unsafe fn table_written(heap: &VmHeap, definition: usize) {
    // SAFETY: the caller's duty.
    let table = unsafe { table_at(definition) };
    if table.link.get() == 0 {
        table.link.set(heap.written_tables.replace(definition));
    }
}

/// Empties both lists, clears the marks, and calls `visit` with every young reference, which it replaces
/// by the result.
pub(super) fn drain(heap: &VmHeap, mut visit: impl FnMut(u32) -> u32) {
    for global in globals(heap.written_globals.replace(END)) {
        // SAFETY: slot and link are valid and ours alone during a collection, by the invariant; the iterator
        // has read the link.
        unsafe {
            update(global, &mut visit);
            link_of_global(global).write(0);
        }
    }
    for table in tables(heap.written_tables.replace(END)) {
        for card in marked_cards(table) {
            // SAFETY: as above; the card is one of this table.
            slots(table, card).for_each(|slot| unsafe { update(slot, &mut visit) });
            // SAFETY: as above.
            unsafe { mark(table, card).write(0) };
        }
        table.link.set(0);
    }
}

/// The addresses of all references that [`drain`] would look at.
pub(super) fn addresses(heap: &VmHeap) -> impl Iterator<Item = usize> {
    let tables = tables(heap.written_tables.get());
    let elements =
        tables.flat_map(|table| marked_cards(table).flat_map(move |card| slots(table, card)));
    globals(heap.written_globals.get()).chain(elements)
}

/// The global at `first` and those that its link leads to.
fn globals(first: usize) -> impl Iterator<Item = usize> {
    let exists = |definition: &usize| *definition != END;
    std::iter::successors(Some(first).filter(exists), move |global| {
        // SAFETY: the list consists of globals by the invariant.
        Some(unsafe { link_of_global(*global).read() }).filter(exists)
    })
}

fn link_of_global(definition: usize) -> *mut usize {
    std::ptr::with_exposed_provenance_mut(definition + LINK as usize)
}

/// The table at `first` and those that its link leads to.
fn tables<'a>(first: usize) -> impl Iterator<Item = &'a VmTable> {
    // SAFETY: the list consists of tables by the invariant.
    let table = |definition: usize| (definition != END).then(|| unsafe { table_at(definition) });
    std::iter::successors(table(first), move |previous| table(previous.link.get()))
}

/// # Safety
///
/// There must be the definition of a table, which lives as long as its store.
unsafe fn table_at<'a>(definition: usize) -> &'a VmTable {
    // SAFETY: the caller's duty; all that is written of a definition is in cells.
    unsafe { &*std::ptr::with_exposed_provenance::<VmTable>(definition) }
}

/// The addresses of the elements.
fn elements(table: &VmTable) -> Range<usize> {
    let start = table.base.get().expose_provenance();
    start..start + table.len.get() as usize * size_of::<u32>()
}

/// The cards whose marks are set: the addresses of their elements without the last bits.
fn marked_cards(table: &VmTable) -> impl Iterator<Item = usize> {
    /// So many marks are looked at together.
    const GROUP: usize = 64;
    let elements = elements(table);
    let end = if elements.is_empty() { 0 } else { ((elements.end - 1) >> CARD_LOG2) + 1 };
    let is_marked = |card: usize| {
        // SAFETY: there is a mark for every card of elements, by the invariant.
        unsafe { mark(table, card).read() }
    };
    let groups = (elements.start >> CARD_LOG2..end).step_by(GROUP);
    let groups = groups.map(move |first| first..(first + GROUP).min(end));
    let groups =
        groups.filter(move |group| group.clone().fold(0, |any, card| any | is_marked(card)) != 0);
    groups.flatten().filter(move |card| is_marked(*card) != 0)
}

fn mark(table: &VmTable, card: usize) -> *mut u8 {
    std::ptr::with_exposed_provenance_mut(table.marks.get().wrapping_add(card))
}

/// The addresses of the elements of a card.
fn slots(table: &VmTable, card: usize) -> impl Iterator<Item = usize> + use<> {
    let elements = elements(table);
    let start = elements.start.max(card << CARD_LOG2);
    let end = elements.end.min((card + 1) << CARD_LOG2);
    (start..end).step_by(size_of::<u32>())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::abi::object::{NULL_GUARD, YOUNG_END};

    /// What [`drain`] shows, when it adds 8 to each.
    fn drained(heap: &VmHeap) -> Vec<u32> {
        let mut seen = Vec::new();
        drain(heap, |reference| {
            seen.push(reference);
            reference + 8
        });
        assert_eq!(addresses(heap).count(), 0);
        seen
    }

    #[test]
    fn a_global_is_shown_once_until_it_is_written_again() {
        #[repr(C, align(16))]
        struct Global(u32, usize);
        let heap = VmHeap::default();
        let mut globals = [NULL_GUARD, 0, YOUNG_END].map(|reference| Global(reference, 0));
        for round in 0..2 {
            for _ in 0..2 {
                for global in &mut globals {
                    // SAFETY: the globals outlive the list and are not used while it is drained.
                    unsafe {
                        global_written(&heap, std::ptr::from_mut(global).expose_provenance())
                    };
                }
            }
            assert_eq!(addresses(&heap).count(), 3);
            assert_eq!(drained(&heap), [NULL_GUARD + 8 * round]);
            assert!(globals.iter().all(|global| global.1 == 0));
        }
        assert_eq!(globals.map(|global| global.0), [NULL_GUARD + 16, 0, YOUNG_END]);
    }

    #[test]
    fn marked_elements_are_shown_and_no_others() {
        // The elements begin in the middle of a card.
        const CARD: usize = 1 << CARD_LOG2;
        #[repr(align(512))]
        struct Elements([Cell<u32>; 90 * CARD / 4]);
        let elements = Elements([const { Cell::new(NULL_GUARD) }; 90 * CARD / 4]);
        let first = elements.0.as_ptr().expose_provenance() + CARD / 2;
        let marks = [const { Cell::new(0_u8) }; 91];
        let table = VmTable {
            base: Cell::new(std::ptr::with_exposed_provenance_mut(first)),
            len: Cell::new(80 * CARD as u64 / 4),
            marks: Cell::new(marks.as_ptr().expose_provenance().wrapping_sub(first >> CARD_LOG2)),
            link: Cell::new(0),
        };
        let heap = VmHeap::default();
        for _ in 0..2 {
            for card in [0, 3, 70, 80] {
                marks[card].set(1);
                // SAFETY: the table outlives the list, and nobody uses it while that is drained.
                unsafe { table_written(&heap, (&raw const table).expose_provenance()) };
            }
            let half = CARD / 2 / 4;
            assert_eq!(drained(&heap).len(), half + 2 * half + 2 * half + half);
            assert!(marks.iter().all(|mark| mark.get() == 0) && table.link.get() == 0);
        }
        let at = |card: usize| elements.0[card * CARD / 4].get();
        assert_eq!([at(1), at(3), at(69), at(70)], [0, 16, 0, 16].map(|more| NULL_GUARD + more));
        assert_eq!(elements.0[0].get(), NULL_GUARD, "before the first element");
        assert_eq!(elements.0[80 * CARD / 4 + CARD / 8].get(), NULL_GUARD, "behind the last one");
    }
}
