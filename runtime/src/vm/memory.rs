//! The bytes of one linear memory. Knows no `VmMemory`: whoever grows a memory updates the
//! definition that compiled code reads.
//!
//! Invariant: `base` never changes, bytes `0..len` are accessible, the rest of the reservation is
//! not, and no access of compiled code can leave the reservation.

use std::ptr::NonNull;

use anyhow::{Context as _, ensure};

use super::reservation::Reservation;
use crate::error::Result;

/// The size of a Wasm page; a multiple of the host's page size.
const WASM_PAGE: usize = 64 << 10;

/// The largest 32-bit memory.
const MAX_BYTES: usize = 1 << 32;

/// The address of an access is `base + index + offset`, both `u32`, and it spans at most 16 bytes.
const RESERVED: usize = (8 << 30) + WASM_PAGE;
const _: () = assert!(RESERVED >= 2 * u32::MAX as usize + 16);

/// A linear memory with 32-bit addresses.
#[derive(Debug)]
pub(crate) struct LinearMemory {
    reservation: Reservation,
    len: usize,
    max: usize,
}

impl LinearMemory {
    /// A zeroed memory of `min_bytes` that may grow to `max_bytes`, both in whole Wasm pages.
    ///
    /// # Errors
    ///
    /// If `max_bytes` is less than `min_bytes` or more than 4 GiB, or memory is short.
    pub(crate) fn new(min_bytes: usize, max_bytes: usize) -> Result<LinearMemory> {
        ensure!(min_bytes <= max_bytes, "the minimum of a memory exceeds its maximum");
        ensure!(max_bytes <= MAX_BYTES, "a memory of {max_bytes:#x} bytes exceeds 4 GiB");
        let reservation = Reservation::new(RESERVED).context("cannot create a linear memory")?;
        let mut memory = LinearMemory { reservation, len: 0, max: max_bytes };
        memory.grow(min_bytes)?;
        Ok(memory)
    }

    /// Makes the memory `new_len` bytes long; the new bytes are zero.
    ///
    /// # Errors
    ///
    /// If that exceeds the maximum, or memory is short; the memory is then as before.
    ///
    /// # Panics
    ///
    /// If `new_len` is less than the present length or not in whole Wasm pages.
    pub(crate) fn grow(&mut self, new_len: usize) -> Result<()> {
        assert!(new_len >= self.len, "a memory never shrinks");
        assert!(new_len.is_multiple_of(WASM_PAGE), "a memory has whole pages");
        ensure!(new_len <= self.max, "a memory cannot grow past its maximum");
        if let Err(error) = self.reservation.commit(self.len..new_len) {
            // The kernel may have opened some of the pages before it gave up.
            self.reservation.decommit(self.len..new_len)?;
            return Err(error);
        }
        self.len = new_len;
        Ok(())
    }

    /// The address of byte 0, the same for the memory's whole life.
    pub(crate) fn base(&self) -> NonNull<u8> {
        self.reservation.base()
    }

    /// The length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The content.
    pub(crate) fn data(&self) -> &[u8] {
        // SAFETY: `0..len` is accessible. Compiled code, the only other user of these bytes, runs
        // with exclusive access to the store that owns this memory, thus not while it is borrowed.
        unsafe { std::slice::from_raw_parts(self.base().as_ptr(), self.len) }
    }

    /// The content, to change it.
    pub(crate) fn data_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `data`; `&mut self` excludes other borrows of the content.
        unsafe { std::slice::from_raw_parts_mut(self.base().as_ptr(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_grows_in_place_up_to_its_maximum() {
        let mut memory = LinearMemory::new(WASM_PAGE, 3 * WASM_PAGE).unwrap();
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
        assert!(LinearMemory::new(2 * WASM_PAGE, WASM_PAGE).is_err());
        assert!(LinearMemory::new(0, MAX_BYTES + WASM_PAGE).is_err());
        assert_eq!(LinearMemory::new(0, MAX_BYTES).unwrap().data(), []);
    }
}
