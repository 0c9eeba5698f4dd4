//! The bytes of one linear memory. Knows no `VmMemory`: whoever grows a memory updates the
//! definition that compiled code reads.
//!
//! Invariant: `base` never changes, bytes `0..len` are accessible, the rest of the reservation is
//! not, from the next page of the host on, and no access of compiled code can leave the reservation:
//! `Bounds` says why.

use std::ptr::NonNull;
use std::sync::Arc;

use anyhow::{Context as _, ensure};

use super::image::MemoryImage;
use super::pool::{Loan, ReservationPool};
use super::reservation::page_align;
use crate::abi::layout::memory::{Bounds, GUARD};
use crate::error::Result;

/// The size of a usual Wasm page; a multiple of the host's page size.
const WASM_PAGE: usize = 64 << 10;

/// The largest memory with 32-bit indices.
const MAX_BYTES_32: usize = 1 << 32;

/// The largest memory with 64-bit indices: address space is finite, and a memory reserves all that
/// it may grow to, since it never moves.
const MAX_BYTES_64: usize = 1 << 40;

/// The address of an access is `base + index + offset`, both `u32`, and it spans at most 16 bytes.
const RESERVED: usize = (8 << 30) + GUARD as usize;
const _: () = assert!(RESERVED >= 2 * u32::MAX as usize + 16);

/// A linear memory.
#[derive(Debug)]
pub(crate) struct LinearMemory {
    loan: Loan,
    len: usize,
    max: usize,
    bounds: Bounds,
}

impl LinearMemory {
    /// The most bytes that a memory may have, with 64-bit indices or without.
    pub(crate) fn most_bytes(is_64: bool) -> usize {
        if is_64 { MAX_BYTES_64 } else { MAX_BYTES_32 }
    }

    /// A memory of `min_bytes` that may grow to `max_bytes`, both in whole Wasm pages, in a reservation of
    /// `pool`. It holds `image` at its place, and zeros elsewhere.
    ///
    /// # Errors
    ///
    /// If `max_bytes` is less than `min_bytes` or more than a memory with such bounds may have, or
    /// memory is short.
    ///
    /// # Panics
    ///
    /// If the place of the image is outside the memory.
    pub(crate) fn new(
        pool: &Arc<ReservationPool>,
        bounds: Bounds,
        min_bytes: usize,
        max_bytes: usize,
        image: Option<&Arc<MemoryImage>>,
    ) -> Result<LinearMemory> {
        ensure!(min_bytes <= max_bytes, "the minimum of a memory exceeds its maximum");
        let most = LinearMemory::most_bytes(bounds != Bounds::Reserved);
        ensure!(max_bytes <= most, "a memory of {max_bytes:#x} bytes exceeds {most:#x}");
        let reserved = match bounds {
            Bounds::Reserved => RESERVED,
            Bounds::Pages | Bounds::Bytes => page_align(max_bytes) + GUARD as usize,
        };
        check_whole(bounds, min_bytes);
        let loan = Loan::new(pool, reserved, 0..min_bytes, image);
        let loan = loan.context("cannot create a linear memory")?;
        Ok(LinearMemory { loan, len: min_bytes, max: max_bytes, bounds })
    }

    /// Makes the memory `new_len` bytes long; the new bytes are zero.
    ///
    /// # Errors
    ///
    /// If that exceeds the maximum, or memory is short; the memory is then as before.
    ///
    /// # Panics
    ///
    /// If `new_len` is less than the present length, or not in whole pages of 64 KiB unless the
    /// memory's bounds are bytes.
    pub(crate) fn grow(&mut self, new_len: usize) -> Result<()> {
        assert!(new_len >= self.len, "a memory never shrinks");
        check_whole(self.bounds, new_len);
        ensure!(new_len <= self.max, "a memory cannot grow past its maximum");
        self.loan.extend(new_len)?;
        self.len = new_len;
        Ok(())
    }

    /// The address of byte 0, the same for the memory's whole life.
    #[inline]
    pub(crate) fn base(&self) -> NonNull<u8> {
        self.loan.base()
    }

    /// The length in bytes.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The content.
    #[inline]
    pub(crate) fn data(&self) -> &[u8] {
        // SAFETY: `0..len` is accessible. Compiled code, the only other user of these bytes, runs
        // with exclusive access to the store that owns this memory, thus not while it is borrowed.
        unsafe { std::slice::from_raw_parts(self.base().as_ptr(), self.len) }
    }

    /// The content, to change it.
    #[inline]
    pub(crate) fn data_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `data`; `&mut self` excludes other borrows of the content.
        unsafe { std::slice::from_raw_parts_mut(self.base().as_ptr(), self.len) }
    }
}

fn check_whole(bounds: Bounds, len: usize) {
    let whole = bounds == Bounds::Bytes || len.is_multiple_of(WASM_PAGE);
    assert!(whole, "a memory has whole pages");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(bounds: Bounds, min_bytes: usize, max_bytes: usize) -> Result<LinearMemory> {
        LinearMemory::new(&Arc::default(), bounds, min_bytes, max_bytes, None)
    }

    #[test]
    fn a_memory_grows_in_place_up_to_its_maximum() {
        let mut memory = memory(Bounds::Reserved, WASM_PAGE, 3 * WASM_PAGE).unwrap();
        let base = memory.base();
        memory.data_mut()[WASM_PAGE - 1] = 9;
        memory.grow(3 * WASM_PAGE).unwrap();
        assert_eq!(memory.base(), base);
        assert_eq!(memory.data().len(), 3 * WASM_PAGE);
        assert_eq!(memory.data()[WASM_PAGE - 1..WASM_PAGE + 1], [9, 0]);
        assert!(memory.grow(4 * WASM_PAGE).is_err());
        assert_eq!(memory.len(), 3 * WASM_PAGE);
    }

    #[test]
    fn sizes_are_checked() {
        assert!(memory(Bounds::Reserved, 2 * WASM_PAGE, WASM_PAGE).is_err());
        for (bounds, most) in [(Bounds::Reserved, MAX_BYTES_32), (Bounds::Pages, MAX_BYTES_64)] {
            assert!(memory(bounds, 0, most + WASM_PAGE).is_err());
            assert_eq!(memory(bounds, 0, most).unwrap().data(), []);
        }
    }

    #[test]
    fn checked_memories_reserve_what_they_may_grow_to() {
        let memory = memory(Bounds::Pages, WASM_PAGE, 5 << 30).unwrap();
        assert_eq!(memory.loan.len(), (5 << 30) + GUARD as usize);
    }

    #[test]
    fn a_memory_of_bytes_grows_within_a_page() {
        let mut memory = memory(Bounds::Bytes, 1, 10_000).unwrap();
        memory.data_mut()[0] = 7;
        for len in [2, 4096, 4097, 10_000] {
            memory.grow(len).unwrap();
            assert_eq!(memory.len(), len);
        }
        memory.grow(10_000).unwrap();
        assert!(memory.grow(10_001).is_err());
        assert_eq!(memory.data()[0], 7);
        assert!(memory.data()[1..].iter().all(|byte| *byte == 0));
    }
}
