//! The store buffer: which places outside the nursery may hold references to young objects. What
//! else leads there is the business of the roots.
//!
//! Invariant: every address of a slot in the buffer is that of an aligned `u32`, and every mark a byte,
//! valid and nobody else's while a collection runs, until the buffer is emptied or the slot is forgotten.

use std::collections::HashSet;
use std::ops::Range;

use super::GcStore;
use super::object::{GcRef, is_young};
use crate::abi::layout::global;

/// What to look at.
#[derive(Debug, Default)]
pub(super) struct StoreBuffer {
    /// Addresses of slots.
    slots: Log<usize>,
    cards: Log<Card>,
}

/// Slots of definitions that share a mark: a byte that is 1 as long as the card is in the buffer, so that
/// whoever writes to one of them has nothing to do then. 0 otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Card {
    /// The address of the first slot; the others follow.
    pub(crate) slots: usize,
    /// The number of slots.
    pub(crate) count: usize,
    /// The address of the mark.
    pub(crate) mark: usize,
}

impl Card {
    /// The slot of the global whose definition is at `address`.
    pub(crate) fn of_global(address: usize) -> Card {
        Card { slots: address, count: 1, mark: address + global::MARK as usize }
    }

    fn slots(&self) -> impl Iterator<Item = usize> + use<> {
        (self.slots..).step_by(size_of::<u32>()).take(self.count)
    }
}

/// Looking for duplicates is not worth its time below this many.
const COMPACT_MIN: usize = 4096;

/// Entries, some perhaps more than once.
#[derive(Debug)]
struct Log<E> {
    entries: Vec<E>,
    /// How many there may be before looking for those that are there twice.
    compact_at: usize,
}

impl<E> Default for Log<E> {
    fn default() -> Log<E> {
        Log { entries: Vec::new(), compact_at: COMPACT_MIN }
    }
}

impl<E: Ord> Log<E> {
    #[inline]
    fn push(&mut self, entry: E) {
        if self.entries.len() >= self.compact_at {
            self.compact();
        }
        self.entries.push(entry);
    }

    /// Throws out what is there twice, so that writing the same slots for ever takes no more memory.
    #[cold]
    fn compact(&mut self) {
        self.entries.sort_unstable();
        self.entries.dedup();
        self.compact_at = (self.entries.len() * 2).max(COMPACT_MIN);
    }

    /// Empties it and calls `visit` with every entry.
    fn drain(&mut self, visit: impl FnMut(E)) {
        self.entries.drain(..).for_each(visit);
        self.entries.shrink_to(COMPACT_MIN);
        self.compact_at = COMPACT_MIN;
    }
}

impl StoreBuffer {
    /// Adds the slot at `address`.
    ///
    /// # Safety
    ///
    /// The address must keep the invariant of this module.
    #[inline]
    pub(super) unsafe fn push(&mut self, address: usize) {
        self.slots.push(address);
    }

    /// Adds `card` and sets its mark, if that is not set.
    ///
    /// # Safety
    ///
    /// The card must keep the invariant of this module.
    unsafe fn push_card(&mut self, card: Card) {
        let mark = std::ptr::with_exposed_provenance_mut::<u8>(card.mark);
        // SAFETY: the mark is valid by the invariant, and whoever writes to the slots is the caller.
        if unsafe { mark.replace(1) } == 0 {
            self.cards.push(card);
        }
    }

    /// Forgets all slots in a range of addresses: they are given up.
    pub(super) fn forget(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.slots.entries.retain(|slot| !range.contains(slot));
            self.cards.entries.retain(|card| !range.contains(&card.slots));
        }
    }

    /// Empties the buffer and calls `visit` with every young reference in its slots, which it
    /// replaces by the result.
    pub(super) fn drain(&mut self, mut visit: impl FnMut(u32) -> u32) {
        // SAFETY: the slots are valid and ours alone during a collection, by the invariant.
        self.slots.drain(|address| unsafe { update(address, &mut visit) });
        self.cards.drain(|card| {
            // SAFETY: as above.
            card.slots().for_each(|address| unsafe { update(address, &mut visit) });
            let mark = std::ptr::with_exposed_provenance_mut::<u8>(card.mark);
            // SAFETY: as above: the mark is as long there as the slots are.
            unsafe { mark.write(0) };
        });
    }

    /// The addresses of all slots.
    pub(super) fn addresses(&self) -> HashSet<usize> {
        let cards = self.cards.entries.iter().flat_map(Card::slots);
        self.slots.entries.iter().copied().chain(cards).collect()
    }
}

/// Replaces the reference in the slot at `address` by the result of `visit`, if it is young.
///
/// # Safety
///
/// The slot must be valid, and nobody else may use it.
#[inline]
unsafe fn update(address: usize, visit: &mut impl FnMut(u32) -> u32) {
    let slot = std::ptr::with_exposed_provenance_mut::<u32>(address);
    // SAFETY: the caller's duty.
    let reference = unsafe { slot.read() };
    if is_young(reference) {
        let moved = visit(reference);
        // SAFETY: the caller's duty.
        unsafe { slot.write(moved) };
    }
}

/// Writing references.
impl GcStore {
    /// Writes a reference to the word at `at` of the object at `holder`.
    pub(crate) fn write_reference(&mut self, holder: GcRef, at: u32, reference: u32) {
        self.space.write(at, [reference]);
        if !is_young(holder.to_raw()) && is_young(reference) {
            let address = self.space.memory().address(at);
            // SAFETY: the slot lies in an old object, which stays until a collection has emptied the
            // buffer.
            unsafe { self.buffer.push(address) };
        }
    }

    /// Logs those of the `len` references at `at`, in an old array, that are young.
    pub(super) fn log_words(&mut self, at: u32, len: u32) {
        let memory = self.space.memory();
        for at in (at..).step_by(4).take(len as usize) {
            if is_young(memory.word(at)) {
                // SAFETY: as for `write_reference`.
                unsafe { self.buffer.push(memory.address(at)) };
            }
        }
    }

    /// Logs a slot that may hold a young reference.
    ///
    /// # Safety
    ///
    /// `address` must be that of an aligned `u32` in an old object, or outside the heap: the slot of a
    /// reference that stays, and is used by nobody else while a collection runs, until the next
    /// collection or until [`GcStore::forget`].
    #[inline]
    pub(crate) unsafe fn remember_slot(&mut self, address: usize) {
        // SAFETY: the caller's duty is the buffer's invariant.
        unsafe { self.buffer.push(address) };
    }

    /// Logs slots that may hold young references, unless their mark says that they are logged.
    ///
    /// # Safety
    ///
    /// As for [`GcStore::remember_slot`]. The same holds for the mark, which is 0 at first and written
    /// by nobody else.
    pub(crate) unsafe fn remember(&mut self, card: Card) {
        // SAFETY: the caller's duty is the buffer's invariant.
        unsafe { self.buffer.push_card(card) };
    }

    /// Logs the slot that `reference` was written to, if it is young.
    ///
    /// # Safety
    ///
    /// As for [`GcStore::remember_slot`].
    #[inline]
    pub(crate) unsafe fn log_young(&mut self, address: usize, reference: u32) {
        if is_young(reference) {
            // SAFETY: the caller's duty.
            unsafe { self.remember_slot(address) };
        }
    }

    /// Takes back all slots in a range of addresses, which are given up.
    pub(crate) fn forget(&mut self, range: Range<usize>) {
        self.buffer.forget(range);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::object::{NULL_GUARD, YOUNG_END};

    #[test]
    fn young_references_are_replaced_once_and_others_never() {
        let mut buffer = StoreBuffer::default();
        let mut slots = [NULL_GUARD, 0, 7, YOUNG_END, NULL_GUARD + 8];
        for slot in &mut slots {
            for _ in 0..2 {
                // SAFETY: the array outlives the buffer, and is not used until it is drained.
                unsafe { buffer.push(std::ptr::from_mut(slot).expose_provenance()) };
            }
        }
        let mut seen = Vec::new();
        buffer.drain(|reference| {
            seen.push(reference);
            YOUNG_END + 16
        });
        assert_eq!(seen, [NULL_GUARD, NULL_GUARD + 8]);
        assert_eq!(slots, [YOUNG_END + 16, 0, 7, YOUNG_END, YOUNG_END + 16]);
        buffer.drain(|_| panic!("the buffer is empty"));
    }

    #[test]
    fn the_same_slot_for_ever_takes_no_memory() {
        let mut buffer = StoreBuffer::default();
        let mut slots = [0; 2];
        for _ in 0..10 * COMPACT_MIN {
            for slot in &mut slots {
                // SAFETY: the array outlives the buffer, and nobody reads it.
                unsafe { buffer.push(std::ptr::from_mut(slot).expose_provenance()) };
            }
        }
        assert!(buffer.slots.entries.len() <= COMPACT_MIN);
        assert_eq!(buffer.addresses().len(), 2);
        let address = std::ptr::from_mut(&mut slots[0]).addr();
        buffer.forget(address..address + 4);
        assert_eq!(buffer.addresses().len(), 1);
    }

    #[test]
    fn a_card_is_there_once_while_its_mark_is_set() {
        let mut buffer = StoreBuffer::default();
        let (mut slots, mut mark) = ([NULL_GUARD, 0, YOUNG_END], 0_u8);
        let card = Card {
            slots: std::ptr::from_mut(&mut slots).expose_provenance(),
            count: slots.len(),
            mark: std::ptr::from_mut(&mut mark).expose_provenance(),
        };
        for _ in 0..2 {
            for _ in 0..3 {
                // SAFETY: slots and mark outlive the buffer, and are not used until it is drained.
                unsafe { buffer.push_card(card) };
            }
            assert_eq!(buffer.cards.entries, [card]);
            assert_eq!(buffer.addresses().len(), 3);
            let mut seen = Vec::new();
            buffer.drain(|reference| {
                seen.push(reference);
                reference + 8
            });
            assert_eq!(seen, [slots[0] - 8]);
            assert_eq!(mark, 0);
        }
        assert_eq!(slots, [NULL_GUARD + 16, 0, YOUNG_END]);
        // SAFETY: as above.
        unsafe { buffer.push_card(card) };
        buffer.forget(card.slots..card.slots + 12);
        buffer.drain(|_| panic!("the buffer is empty"));
    }
}
