//! The memory of the GC heap: one reservation with two semispaces, allocation, word access. Knows
//! nothing of objects or roots.
//!
//! ```text
//!  0        64 KiB                     2 GiB      + 64 KiB                   4 GiB
//!  |  never |  semispace 0 ->  | free  |  never   |  semispace 1 ->  | free  | guard |
//! ```
//!
//! Invariants:
//! * in both semispaces the first `committed` bytes are readable and writable, the rest is not
//!   accessible;
//! * `base` is that of the reservation, which is never replaced once it is made (compiled code keeps
//!   copies of the address).
//!
//! The low offset bits are the same in both semispaces, so the top bit of an offset selects the
//! semispace and one subtraction and one comparison check an access.

use std::ops::Range;
use std::ptr;

use anyhow::Context as _;

use crate::abi::object::{NULL_GUARD, OBJECT_ALIGN};
use crate::error::Result;
use crate::vm::reservation::Reservation;

/// What a `u32` can reach.
const RESERVATION: usize = 4 << 30;
/// Inaccessible memory after the reservation, for accesses that start at a high offset.
const GUARD: usize = 1 << 20;
/// The bit of an offset that selects the semispace.
const HALF: u32 = 1 << 31;
/// Where a semispace starts in its half.
const START: u32 = NULL_GUARD;
/// The smallest amount of memory made accessible at a time: a multiple of every page size.
const COMMIT_UNIT: u32 = 64 << 10;
/// No semispace is larger. Less than half of the offsets, so that the end of one is an offset too.
const MAX_SEMISPACE: u32 = HALF - START - COMMIT_UNIT;
/// What a semispace that became empty keeps; the rest goes back to the system.
const KEEP_RESIDENT: u32 = 1 << 20;

/// The reservation and the state of its two semispaces. Costs nothing until [`Space::reserve`].
#[derive(Debug)]
pub(super) struct Space {
    reservation: Option<Reservation>,
    /// Where `reservation` begins; null without one.
    base: *mut u8,
    /// Accessible bytes at the start of each semispace.
    committed: u32,
    /// Offset of the first byte of the active semispace.
    start: u32,
    /// Offset of the next object.
    top: u32,
    /// The largest `top - start` that is allowed.
    limit: u32,
}

// SAFETY: the memory belongs to this value alone, and is reached only through its methods: reading
// takes `&self`, writing takes `&mut self`.
unsafe impl Send for Space {}
// SAFETY: as above; `&Space` only reads.
unsafe impl Sync for Space {}

impl Space {
    /// A space whose semispaces may hold `limit` bytes of objects each. Maps nothing.
    pub(super) fn new(limit: usize) -> Space {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX).min(MAX_SEMISPACE);
        let limit = limit - limit % OBJECT_ALIGN;
        let base = ptr::null_mut();
        Space { reservation: None, base, committed: 0, start: START, top: START, limit }
    }

    /// Makes the reservation, if it is not made.
    pub(super) fn reserve(&mut self) -> Result<()> {
        if self.reservation.is_none() {
            let made = Reservation::new(RESERVATION + GUARD).context("no room for a GC heap")?;
            self.base = made.base().as_ptr();
            self.reservation = Some(made);
        }
        Ok(())
    }

    /// Offset 0; null until [`Space::reserve`] succeeded.
    pub(super) fn base(&self) -> *mut u8 {
        self.base
    }

    /// Bytes of objects in the active semispace, dead ones included.
    pub(super) fn used(&self) -> u32 {
        self.top - self.start
    }

    /// The most bytes of objects there may be.
    pub(super) fn limit(&self) -> u32 {
        self.limit
    }

    /// Accessible bytes of each semispace.
    #[cfg(test)]
    pub(super) fn committed(&self) -> u32 {
        self.committed
    }

    /// The offsets that hold objects.
    pub(super) fn objects(&self) -> Range<u32> {
        self.start..self.top
    }

    /// Room for an object of `size` bytes; `None` when the heap is full and may not grow.
    /// The memory is not cleared.
    #[inline]
    pub(super) fn alloc(&mut self, size: u32) -> Option<u32> {
        debug_assert!(size.is_multiple_of(OBJECT_ALIGN));
        let used = self.used();
        if size > self.committed.min(self.limit) - used {
            self.grow(used.checked_add(size)?)?;
        }
        let at = self.top;
        self.top += size;
        Some(at)
    }

    /// Makes at least `needed` bytes of both semispaces accessible, so that a collection never has
    /// to.
    #[cold]
    fn grow(&mut self, needed: u32) -> Option<()> {
        if needed > self.limit {
            return None;
        }
        self.reserve().ok()?;
        let wanted = needed.max(self.committed.saturating_mul(2)).min(self.limit);
        let wanted = wanted.next_multiple_of(COMMIT_UNIT);
        let reservation = self.reservation.as_mut()?;
        for start in [START, HALF + START] {
            let (from, to) = (start + self.committed, start + wanted);
            reservation.commit(from as usize..to as usize).ok()?;
        }
        self.committed = wanted;
        Some(())
    }

    /// Makes the other semispace the active one and empties it. Returns where the objects to be
    /// rescued lie; they stay readable and writable until [`Space::finish_flip`].
    pub(super) fn flip(&mut self) -> Range<u32> {
        let old = self.objects();
        self.start ^= HALF;
        self.top = self.start;
        old
    }

    /// Copies the object of `size` bytes at `from` to the active semispace.
    pub(super) fn copy(&mut self, from: u32, size: u32) -> u32 {
        let at = self.top;
        self.check(from, size as usize);
        self.check(at, size as usize);
        assert!(
            (from ^ at) & HALF != 0,
            "collector invariant: objects move from one semispace to the other"
        );
        let (source, target) = (self.address(from), self.address(at));
        // SAFETY: `check` proved both ranges accessible, and they lie in different halves.
        unsafe { ptr::copy_nonoverlapping(source, target, size as usize) };
        self.top += size;
        at
    }

    /// Ends a collection: the memory of the emptied semispace beyond what is worth keeping goes
    /// back to the system. `old` is what [`Space::flip`] returned.
    pub(super) fn finish_flip(&mut self, old: Range<u32>) {
        let kept = old.start + KEEP_RESIDENT;
        if let Some(reservation) = self.reservation.as_mut().filter(|_| old.end > kept) {
            // When it fails, the memory stays with us, which harms nobody.
            let _ = reservation.reset(kept as usize..old.end as usize);
        }
    }

    /// The words at `at`.
    ///
    /// # Panics
    ///
    /// Panics when they are not accessible or not aligned: the offset was no reference.
    #[inline]
    pub(super) fn read<const WORDS: usize>(&self, at: u32) -> [u32; WORDS] {
        self.check(at, WORDS * size_of::<u32>());
        let source = self.address(at).cast::<[u32; WORDS]>();
        // SAFETY: `check` proved the range accessible and aligned for `u32`, and every bit pattern
        // is a `u32`; `&self` excludes writers.
        unsafe { source.read() }
    }

    /// Replaces the words at `at`.
    ///
    /// # Panics
    ///
    /// Panics when they are not accessible or not aligned: the offset was no reference.
    #[inline]
    pub(super) fn write<const WORDS: usize>(&mut self, at: u32, words: [u32; WORDS]) {
        self.check(at, WORDS * size_of::<u32>());
        let target = self.address(at).cast::<[u32; WORDS]>();
        // SAFETY: `check` proved the range accessible and aligned; `&mut self` excludes others.
        unsafe { target.write(words) }
    }

    /// The `len` bytes at `at`.
    ///
    /// # Panics
    ///
    /// Panics when they are not accessible.
    pub(super) fn bytes_mut(&mut self, at: u32, len: u32) -> &mut [u8] {
        self.check_bytes(at, len as usize);
        // SAFETY: `check_bytes` proved the range accessible, the pages began as zeros and so are
        // initialised, and `&mut self` excludes others as long as the slice lives.
        unsafe { std::slice::from_raw_parts_mut(self.address(at), len as usize) }
    }

    /// Copies `len` bytes, which may overlap, from `from` to `to`.
    ///
    /// # Panics
    ///
    /// Panics when they are not accessible.
    pub(super) fn copy_within(&mut self, from: u32, to: u32, len: u32) {
        self.check_bytes(from, len as usize);
        self.check_bytes(to, len as usize);
        let (source, target) = (self.address(from), self.address(to));
        // SAFETY: `check_bytes` proved both ranges accessible; `&mut self` excludes others.
        unsafe { ptr::copy(source, target, len as usize) }
    }

    #[inline]
    fn check(&self, at: u32, len: usize) {
        self.check_bytes(at, len);
        if !at.is_multiple_of(4) {
            outside(at);
        }
    }

    #[inline]
    fn check_bytes(&self, at: u32, len: usize) {
        let position = (at & !HALF).wrapping_sub(START) as usize;
        let accessible = self.committed as usize;
        if len > accessible || position > accessible - len {
            outside(at);
        }
    }

    #[inline]
    fn address(&self, at: u32) -> *mut u8 {
        self.base.wrapping_add(at as usize)
    }
}

#[cold]
#[inline(never)]
fn outside(at: u32) -> ! {
    panic!("heap invariant: {at:#x} is not the offset of a live object");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_mapped_before_the_first_allocation() {
        let mut space = Space::new(1 << 20);
        assert!(space.base().is_null());
        let at = space.alloc(16).unwrap();
        assert!(!space.base().is_null());
        assert_eq!(at, START);
        space.write(at, [1, 2, 3, 4]);
        assert_eq!(space.read(at + 8), [3, 4]);
    }

    #[test]
    fn allocation_stops_exactly_at_the_limit() {
        let mut space = Space::new(100_000);
        let mut count = 0;
        while space.alloc(16).is_some() {
            count += 1;
        }
        assert_eq!(count, 100_000 / 16);
        assert!(Space::new(0).alloc(8).is_none());
    }

    #[test]
    fn growth_keeps_the_base_and_the_contents() {
        let mut space = Space::new(usize::MAX);
        let first = space.alloc(8).unwrap();
        space.write(first, [7]);
        let base = space.base();
        while space.used() < 3 << 20 {
            space.alloc(4096).unwrap();
        }
        assert_eq!(space.base(), base);
        assert_eq!(space.read(first), [7]);
    }

    #[test]
    fn a_flip_moves_objects_and_keeps_the_old_ones_readable() {
        let mut space = Space::new(8 << 20);
        let mut last = 0;
        for word in 0..400_000 {
            last = space.alloc(8).unwrap();
            space.write(last, [word, word]);
        }
        let old = space.flip();
        assert_eq!(space.used(), 0);
        let moved = space.copy(last, 8);
        assert_eq!(space.read(moved), [399_999, 399_999]);
        assert_eq!(space.read(last), [399_999]);
        space.finish_flip(old);
        assert_eq!(space.read(moved), [399_999]);
        assert_eq!(space.objects(), moved..moved + 8);
    }

    #[test]
    #[should_panic(expected = "heap invariant")]
    fn reading_null_panics() {
        let mut space = Space::new(1 << 20);
        space.alloc(16).unwrap();
        let [_]: [u32; 1] = space.read(0);
    }

    #[test]
    #[should_panic(expected = "heap invariant")]
    fn reading_past_the_committed_memory_panics() {
        let mut space = Space::new(1 << 20);
        space.alloc(16).unwrap();
        let [_, _]: [u32; 2] = space.read(START + COMMIT_UNIT - 4);
    }
}
