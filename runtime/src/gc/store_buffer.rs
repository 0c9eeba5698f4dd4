//! The store buffer: which slots of old objects and of passive segments may hold references to young
//! objects. Globals and tables have lists of their own, and what else leads there is the business of the
//! roots.
//!
//! Invariant: every address in the buffer is that of an aligned `u32`, valid and nobody else's while a
//! collection runs, until the buffer is emptied or the slot is forgotten.

use std::ops::Range;

use super::GcStore;
use super::object::{GcRef, is_young};

/// Looking for duplicates is not worth its time below this many.
const COMPACT_MIN: usize = 4096;

/// Addresses of slots, some perhaps more than once.
#[derive(Debug)]
pub(super) struct StoreBuffer {
    slots: Vec<usize>,
    /// How many there may be before looking for those that are there twice.
    compact_at: usize,
}

impl Default for StoreBuffer {
    fn default() -> StoreBuffer {
        StoreBuffer { slots: Vec::new(), compact_at: COMPACT_MIN }
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
        if self.slots.len() >= self.compact_at {
            self.compact();
        }
        self.slots.push(address);
    }

    /// Throws out what is there twice, so that writing the same slots for ever takes no more memory.
    #[cold]
    fn compact(&mut self) {
        self.slots.sort_unstable();
        self.slots.dedup();
        self.compact_at = (self.slots.len() * 2).max(COMPACT_MIN);
    }

    /// Forgets all slots in a range of addresses: they are given up.
    pub(super) fn forget(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.slots.retain(|slot| !range.contains(slot));
        }
    }

    /// Empties the buffer and calls `visit` with every young reference in its slots, which it
    /// replaces by the result.
    pub(super) fn drain(&mut self, mut visit: impl FnMut(u32) -> u32) {
        for address in self.slots.drain(..) {
            // SAFETY: the slots are valid and ours alone during a collection, by the invariant.
            unsafe { update(address, &mut visit) };
        }
        self.slots.shrink_to(COMPACT_MIN);
        self.compact_at = COMPACT_MIN;
    }

    /// The addresses of all slots.
    pub(super) fn addresses(&self) -> impl Iterator<Item = usize> + '_ {
        self.slots.iter().copied()
    }
}

/// Replaces the reference in the slot at `address` by the result of `visit`, if it is young.
///
/// # Safety
///
/// The slot must be valid, and nobody else may use it.
#[inline]
pub(super) unsafe fn update(address: usize, visit: &mut impl FnMut(u32) -> u32) {
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
    use std::collections::HashSet;

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
        assert!(buffer.slots.len() <= COMPACT_MIN);
        assert_eq!(buffer.addresses().collect::<HashSet<_>>().len(), 2);
        let address = std::ptr::from_mut(&mut slots[0]).addr();
        buffer.forget(address..address + 4);
        assert_eq!(buffer.addresses().collect::<HashSet<_>>().len(), 1);
    }
}
