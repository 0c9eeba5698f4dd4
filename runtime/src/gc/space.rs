//! The memory of the GC heap: one reservation, which parts of it are accessible, and access to words.
//! Knows nothing of objects or roots.
//!
//! ```text
//!  0       64 KiB                YOUNG_END                                 HEAP_END    4 GiB
//!  |         never         | young -> | old ->        | free |      <- large | never | guard |
//!                          `- low     ^- accessible -^ `- old_end   `- large_start
//! ```
//!
//! Invariants:
//! * `low..old_end` and `large_start..HEAP_END` are readable and writable, the rest is not accessible;
//! * `base` is that of the reservation, which is never replaced once it is made (compiled code keeps
//!   copies of the address);
//! * the reservation reaches [`GUARD`] bytes beyond what a `u32` can: an access at any offset whatever
//!   touches this heap's memory or stops the process.

use std::marker::PhantomData;
use std::ops::Range;
use std::ptr;
use std::sync::Arc;

use anyhow::Context as _;

use crate::abi::object::{HEADER_TYPE, NULL_GUARD, OBJECT_ALIGN, YOUNG_END};
use crate::error::Result;
use crate::vm::pool::{Loan, ReservationPool};

/// What a `u32` can reach.
const RESERVATION: usize = 4 << 30;
/// Inaccessible memory after the reservation, for accesses that start at a high offset.
const GUARD: usize = 1 << 20;
/// Where large objects end: the end of the last one is an offset too.
pub(super) const HEAP_END: u32 = u32::MAX - COMMIT_UNIT + 1;
/// The smallest amount of memory made accessible at a time: a multiple of every page size.
pub(super) const COMMIT_UNIT: u32 = 64 << 10;

/// The reservation, and how much of it is accessible. Costs nothing until [`Space::reserve`].
#[derive(Debug)]
pub(super) struct Space {
    pool: Arc<ReservationPool>,
    /// In a box, since most stores never have one.
    reservation: Option<Box<Loan>>,
    /// Where `reservation` begins; null without one.
    base: *mut u8,
    low: u32,
    old_end: u32,
    large_start: u32,
}

// SAFETY: the memory belongs to this value alone, and is reached only through its methods: reading
// takes `&self`, writing takes `&mut self`.
unsafe impl Send for Space {}
// SAFETY: as above; `&Space` only reads.
unsafe impl Sync for Space {}

impl Space {
    /// No memory so far; it will be of `pool`.
    pub(super) fn new(pool: Arc<ReservationPool>) -> Space {
        let base = ptr::null_mut();
        let (low, old_end, large_start) = (YOUNG_END, YOUNG_END, HEAP_END);
        Space { pool, reservation: None, base, low, old_end, large_start }
    }

    /// Makes the reservation, if it is not made, with `young` accessible bytes before [`YOUNG_END`]
    /// and as many behind it.
    pub(super) fn reserve(&mut self, young: u32) -> Result<()> {
        if self.reservation.is_some() {
            return Ok(());
        }
        assert!(
            young <= YOUNG_END - NULL_GUARD && young.is_multiple_of(COMMIT_UNIT),
            "the configuration fits the nursery to the address space"
        );
        let (low, old_end) = (YOUNG_END - young, YOUNG_END + young);
        let accessible = low as usize..old_end as usize;
        let made = Loan::new(&self.pool, RESERVATION + GUARD, accessible, None);
        let made = made.context("no room for a GC heap")?;
        (self.low, self.old_end) = (low, old_end);
        self.base = made.base().as_ptr();
        self.reservation = Some(Box::new(made));
        Ok(())
    }

    /// Offset 0; null until [`Space::reserve`] succeeded.
    pub(super) fn base(&self) -> *mut u8 {
        self.base
    }

    /// Accessible bytes.
    pub(super) fn committed(&self) -> usize {
        (self.old_end - self.low + (HEAP_END - self.large_start)) as usize
    }

    /// Where accessible memory for old objects ends.
    pub(super) fn old_end(&self) -> u32 {
        self.old_end
    }

    /// Makes memory for young objects accessible from `start` on; returns whether it is.
    pub(super) fn commit_young(&mut self, start: u32) -> bool {
        if start < self.low {
            let start = start / COMMIT_UNIT * COMMIT_UNIT;
            if start < NULL_GUARD || !self.commit(start..self.low) {
                return false;
            }
            self.low = start;
        }
        true
    }

    /// Makes memory for old objects accessible up to `end`; returns whether it is.
    pub(super) fn commit_old(&mut self, end: u32) -> bool {
        if end <= self.old_end {
            return true;
        }
        // In steps that grow with the heap, so that they are few.
        let step = ((self.old_end - YOUNG_END) / 4).next_multiple_of(COMMIT_UNIT);
        let wanted = end.max(self.old_end + step).min(self.large_start);
        let wanted = wanted.checked_next_multiple_of(COMMIT_UNIT).unwrap_or(HEAP_END);
        let wanted = wanted.min(self.large_start);
        if end > wanted || !self.commit(self.old_end..wanted) {
            return false;
        }
        self.old_end = wanted;
        true
    }

    /// Makes memory for large objects accessible from `start` on, all zeros; returns whether it is.
    /// Takes what was made accessible for old objects, but not what is in use there.
    pub(super) fn commit_large(&mut self, start: u32, old_top: u32) -> bool {
        let start = start / COMMIT_UNIT * COMMIT_UNIT;
        if start >= self.large_start {
            return true;
        }
        if start < old_top || !self.commit(start..self.large_start) {
            return false;
        }
        if start < self.old_end {
            self.zero(start..self.old_end);
            self.old_end = start;
        }
        self.large_start = start;
        true
    }

    fn commit(&mut self, range: Range<u32>) -> bool {
        let range = range.start as usize..range.end as usize;
        self.reservation.as_mut().is_some_and(|reservation| reservation.commit(range).is_ok())
    }

    /// Gives the pages of `range` back to the system. Their content is lost, and they stay accessible.
    pub(super) fn discard(&mut self, range: Range<u32>) {
        let range = range.start as usize..range.end as usize;
        if let Some(reservation) = self.reservation.as_mut().filter(|_| !range.is_empty()) {
            // When it fails, the memory stays with us, which harms nobody.
            let _ = reservation.reset(range);
        }
    }

    /// Fills `range`, whole pages, with zeros, by giving the pages back if possible.
    pub(super) fn zero(&mut self, range: Range<u32>) {
        let bytes = range.start as usize..range.end as usize;
        let zeroed = match &mut self.reservation {
            Some(reservation) => reservation.reset(bytes).is_ok(),
            None => false,
        };
        if !zeroed {
            self.fill(range, 0);
        }
    }

    /// Fills `range` with `byte`.
    pub(super) fn fill(&mut self, range: Range<u32>, byte: u8) {
        self.bytes_mut(range.start, range.end - range.start).fill(byte);
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

    /// The word at `at`, for who cannot spare more than one comparison: a wrong offset, which
    /// [`Space::read`] finds, may stop the process here.
    ///
    /// # Panics
    ///
    /// Panics when there is no heap.
    #[inline]
    pub(super) fn word(&self, at: u32) -> u32 {
        if self.base.is_null() {
            outside(at);
        }
        // SAFETY: there is a reservation, and it reaches further than any offset; `&self` excludes
        // writers, and its accessible pages began as zeros and so are initialised.
        unsafe { self.address(at).cast::<u32>().read_unaligned() }
    }

    /// Writes the words of a fresh object at `at`, as cheaply as [`Space::word`] reads one.
    ///
    /// # Panics
    ///
    /// Panics when there is no heap.
    #[inline]
    pub(super) fn fill_in<const WORDS: usize>(&mut self, at: u32, words: [u32; WORDS]) {
        const { assert!(WORDS * size_of::<u32>() <= GUARD) };
        if self.base.is_null() {
            outside(at);
        }
        // SAFETY: there is a reservation, and it reaches `GUARD` bytes further than any offset; `&mut
        // self` excludes others.
        unsafe { self.address(at).cast::<[u32; WORDS]>().write_unaligned(words) }
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

    /// The memory as a collection uses it.
    pub(super) fn memory(&mut self) -> Memory<'_> {
        Memory { base: self.base, _space: PhantomData }
    }

    /// The `len` bytes at `at`.
    ///
    /// # Panics
    ///
    /// Panics when they are not accessible.
    #[inline]
    pub(super) fn bytes(&self, at: u32, len: u32) -> &[u8] {
        self.check_bytes(at, len as usize);
        // SAFETY: `check_bytes` proved the range accessible, the pages began as zeros and so are
        // initialised, and `&self` excludes writers as long as the slice lives.
        unsafe { std::slice::from_raw_parts(self.address(at), len as usize) }
    }

    /// As [`Space::bytes`], for writing.
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
        let end = at as usize + len;
        let young_or_old = at >= self.low && end <= self.old_end as usize;
        let large = at >= self.large_start && end <= HEAP_END as usize;
        if !(young_or_old || large) {
            outside(at);
        }
    }

    #[inline]
    fn address(&self, at: u32) -> *mut u8 {
        self.base.wrapping_add(at as usize)
    }
}

/// The memory of a heap that nobody else uses meanwhile, without the checks of [`Space::read`]: by the
/// invariant of this module no offset leads out of the heap, and the heap checker finds wrong ones.
/// Copies stand for the same memory; no reference into it is ever made.
#[derive(Clone, Copy)]
pub(super) struct Memory<'a> {
    base: *mut u8,
    _space: PhantomData<&'a mut Space>,
}

impl Memory<'_> {
    /// The word at `at`.
    #[inline(always)]
    pub(super) fn word(self, at: u32) -> u32 {
        // SAFETY: any offset lies in the reservation, which the borrow keeps alive and to ourselves.
        unsafe { self.at(at).cast::<u32>().read_unaligned() }
    }

    /// Replaces the word at `at`.
    #[inline(always)]
    pub(super) fn set_word(self, at: u32, word: u32) {
        // SAFETY: as for `word`.
        unsafe { self.at(at).cast::<u32>().write_unaligned(word) }
    }

    /// The two words at `at`.
    #[inline(always)]
    pub(super) fn pair(self, at: u32) -> [u32; 2] {
        // SAFETY: as for `word`; the guard is larger than any access.
        unsafe { self.at(at).cast::<[u32; 2]>().read_unaligned() }
    }

    /// The two words of the header of the object at `at`: its type and the collector's.
    #[inline(always)]
    pub(super) fn header(self, at: u32) -> [u32; 2] {
        self.pair(at + HEADER_TYPE)
    }

    /// The address of the word at `at`.
    #[inline(always)]
    pub(super) fn address(self, at: u32) -> usize {
        self.at(at).expose_provenance()
    }

    /// Copies an object of `size` bytes, a multiple of [`OBJECT_ALIGN`], to where it is not yet.
    #[inline(always)]
    pub(super) fn copy(self, from: u32, to: u32, size: u32) {
        debug_assert!(from.abs_diff(to) >= size, "collector invariant: objects leave the nursery");
        debug_assert!(size >= OBJECT_ALIGN, "collector invariant: objects have a header");
        // Few bytes are not worth a call, nor a loop: the second half may overlap the first.
        match size {
            0..=16 => self.copy_ends::<8>(from, to, size),
            17..=32 => self.copy_ends::<16>(from, to, size),
            33..=64 => self.copy_ends::<32>(from, to, size),
            _ => {
                self.check(from.max(to), size);
                let (source, target) = (self.at(from), self.at(to));
                // SAFETY: both ranges lie in the reservation, as `check` said, and do not overlap,
                // because one object is young and the other is not.
                unsafe { ptr::copy_nonoverlapping(source, target, size as usize) }
            }
        }
    }

    /// Copies the first `HALF` of `size` bytes and the last ones: all, if there are no more than twice
    /// as many, and at least as many.
    #[inline(always)]
    fn copy_ends<const HALF: usize>(self, from: u32, to: u32, size: u32) {
        for at in [0, size - HALF as u32] {
            let (source, target) = (self.at(from + at), self.at(to + at));
            // SAFETY: any offset lies in the reservation, and the guard behind it is larger than this.
            unsafe {
                let half = source.cast::<[u8; HALF]>().read();
                target.cast::<[u8; HALF]>().write(half);
            }
        }
    }

    /// Moves `size` bytes, which may overlap with where they go.
    pub(super) fn slide(self, from: u32, to: u32, size: u32) {
        self.check(from.max(to), size);
        // SAFETY: both ranges lie in the reservation, as `check` said.
        unsafe { ptr::copy(self.at(from), self.at(to), size as usize) };
    }

    #[inline(always)]
    fn check(self, at: u32, size: u32) {
        assert!(
            at as usize + size as usize <= RESERVATION,
            "heap invariant: objects lie in the heap"
        );
    }

    #[inline(always)]
    fn at(self, at: u32) -> *mut u8 {
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

    fn reserved() -> Space {
        let mut space = Space::new(Arc::default());
        space.reserve(COMMIT_UNIT).unwrap();
        space
    }

    #[test]
    fn nothing_is_mapped_before_the_reservation() {
        let mut space = Space::new(Arc::default());
        assert!(space.base().is_null() && !space.commit_old(YOUNG_END + 8));
        space.reserve(COMMIT_UNIT).unwrap();
        let base = space.base();
        space.write(YOUNG_END - 8, [1, 2, 3, 4]);
        space.reserve(COMMIT_UNIT).unwrap();
        assert_eq!((space.base(), space.read(YOUNG_END)), (base, [3, 4]));
        assert!(space.commit_young(YOUNG_END - 3 * COMMIT_UNIT / 2));
        space.write(YOUNG_END - 2 * COMMIT_UNIT, [5, 6]);
        assert!(space.commit_young(NULL_GUARD) && !space.commit_young(NULL_GUARD - 8));
    }

    #[test]
    fn both_ends_grow_until_they_meet() {
        let mut space = reserved();
        assert!(space.commit_old(YOUNG_END + (3 << 20)));
        assert!(space.old_end() >= YOUNG_END + (3 << 20));
        assert!(space.commit_large(HEAP_END - 100, YOUNG_END));
        space.write(HEAP_END - 8, [1, 2]);
        assert!(!space.commit_old(HEAP_END - 100));
        assert!(!space.commit_large(YOUNG_END, YOUNG_END + 8));
        // What is accessible for old objects but not used serves large ones.
        assert!(space.commit_large(YOUNG_END + (1 << 20), YOUNG_END + 8));
        assert_eq!(space.old_end(), YOUNG_END + (1 << 20));
        space.write(YOUNG_END + (2 << 20), [7]);
        assert!(!space.commit_old(YOUNG_END + (2 << 20)));
    }

    #[test]
    fn discarded_memory_stays_accessible_and_zeroed_memory_is_zero() {
        let mut space = reserved();
        let range = YOUNG_END..YOUNG_END + COMMIT_UNIT;
        space.fill(range.clone(), 7);
        space.discard(range.clone());
        let _: [u32; 1] = space.read(range.start);
        space.fill(range.clone(), 7);
        space.zero(range.clone());
        assert_eq!(space.read(range.end - 4), [0]);
    }

    #[test]
    fn a_memory_copies_and_slides() {
        let mut space = reserved();
        let memory = space.memory();
        let words = [8, 128];
        for size in words {
            for at in (0..size).step_by(4) {
                memory.set_word(YOUNG_END - 1024 + at, at + 1);
            }
            memory.copy(YOUNG_END - 1024, YOUNG_END, size);
            memory.slide(YOUNG_END, YOUNG_END + 8, size);
            assert_eq!(memory.pair(YOUNG_END + size), [size - 7, size - 3]);
            assert_eq!(memory.header(YOUNG_END + 8), [1, 5]);
        }
        assert_eq!(memory.address(8), space.base().addr() + 8);
    }

    #[test]
    #[should_panic(expected = "heap invariant")]
    fn reading_null_panics() {
        let [_]: [u32; 1] = reserved().read(0);
    }

    #[test]
    #[should_panic(expected = "heap invariant")]
    fn reading_past_the_accessible_memory_panics() {
        let space = reserved();
        let [_, _]: [u32; 2] = space.read(space.old_end() - 4);
    }
}
