//! A range of address space whose pages are made accessible step by step. Knows nothing of what
//! is stored there.
//!
//! Invariant: `base..base + len` belongs to this reservation alone while it lives.

use std::ffi::c_void;
use std::ops::Range;
use std::ptr::NonNull;

use anyhow::Context as _;
use rustix::mm::{self, Advice, MapFlags, MprotectFlags, ProtFlags};

use super::image::MemoryImage;
use super::touched::touched;
use crate::error::Result;

/// A private mapping. It starts inaccessible; accessible pages start as zeros, unless an image is mapped
/// there.
#[derive(Debug)]
pub(crate) struct Reservation {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: a reservation owns its address range; its methods change page protections only, which
// any thread may do.
unsafe impl Send for Reservation {}
// SAFETY: through `&Reservation` only the bounds can be read.
unsafe impl Sync for Reservation {}

impl Reservation {
    /// Reserves at least `len` bytes, a multiple of the page size, without using memory.
    ///
    /// # Errors
    ///
    /// If the address space or the kernel's limits are used up.
    pub(crate) fn new(len: usize) -> Result<Reservation> {
        let len = page_align(len.max(1));
        // SAFETY: a new mapping at an address of the kernel's choice disturbs nothing.
        let base = unsafe {
            mm::mmap_anonymous(std::ptr::null_mut(), len, ProtFlags::empty(), map_flags())
        }
        .with_context(|| format!("cannot reserve {len:#x} bytes of address space"))?;
        let base = NonNull::new(base.cast()).expect("mmap succeeded and never returns page 0");
        Ok(Reservation { base, len })
    }

    /// The first byte.
    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// The number of reserved bytes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Makes the pages of `range` readable and writable; pages that already are keep their
    /// content.
    ///
    /// # Errors
    ///
    /// If the kernel refuses the memory.
    ///
    /// # Panics
    ///
    /// If `range` does not lie in the reservation.
    pub(crate) fn commit(&mut self, range: Range<usize>) -> Result<()> {
        let (start, len) = self.pages(range);
        if len == 0 {
            return Ok(());
        }
        // SAFETY: `pages` checked that the range belongs to this reservation.
        unsafe { mm::mprotect(start, len, MprotectFlags::READ | MprotectFlags::WRITE) }
            .with_context(|| format!("cannot commit {len:#x} bytes of memory"))
    }

    /// Gives the pages of `range` back and makes them inaccessible.
    ///
    /// # Errors
    ///
    /// If the kernel cannot split its mappings any further.
    ///
    /// # Panics
    ///
    /// If `range` does not lie in the reservation.
    pub(crate) fn decommit(&mut self, range: Range<usize>) -> Result<()> {
        self.map_anew(range, ProtFlags::empty())
    }

    /// Gives the pages of `range`, which are committed, back; they read as zeros from now on, or as what
    /// they show of an image.
    ///
    /// # Errors
    ///
    /// If the kernel refuses, for example because the pages are locked.
    ///
    /// # Panics
    ///
    /// If `range` does not lie in the reservation.
    pub(crate) fn reset(&mut self, range: Range<usize>) -> Result<()> {
        let (start, len) = self.pages(range);
        if len == 0 {
            return Ok(());
        }
        // SAFETY: `pages` checked that the range belongs to this reservation, and `&mut self`
        // says that nobody is using its content.
        unsafe { mm::madvise(start, len, Advice::LinuxDontNeed) }
            .with_context(|| format!("cannot reset {len:#x} bytes of memory"))
    }

    /// Shows the content of `image` at its place, until that is given back by
    /// [`decommit`](Reservation::decommit) or [`renew`](Reservation::renew): a page is this reservation's
    /// own once it is written. What was there is gone.
    ///
    /// # Errors
    ///
    /// If the kernel cannot split its mappings any further.
    ///
    /// # Panics
    ///
    /// If that place does not lie in the reservation.
    pub(super) fn map(&mut self, image: &MemoryImage) -> Result<()> {
        let (start, len) = self.pages(image.range());
        let access = ProtFlags::READ | ProtFlags::WRITE;
        let flags = map_flags() | MapFlags::FIXED;
        // SAFETY: `pages` checked that the range belongs to this reservation, and `&mut self` says that
        // nobody is using its content. The file is as long as the range, and nobody writes to it.
        unsafe { mm::mmap(start, len, access, flags, image.file(), 0) }
            .with_context(|| format!("cannot map {len:#x} bytes of initial memory"))?;
        Ok(())
    }

    /// Gives the pages of `range` back, whatever they show; they are accessible and zeros from now on.
    ///
    /// # Errors
    ///
    /// If the kernel cannot split its mappings any further.
    ///
    /// # Panics
    ///
    /// If `range` does not lie in the reservation.
    pub(super) fn renew(&mut self, range: Range<usize>) -> Result<()> {
        self.map_anew(range, ProtFlags::READ | ProtFlags::WRITE)
    }

    /// Gives the pages of `range` back, whatever they show, for pages of zeros with this access.
    fn map_anew(&mut self, range: Range<usize>, access: ProtFlags) -> Result<()> {
        let (start, len) = self.pages(range);
        if len == 0 {
            return Ok(());
        }
        // SAFETY: `pages` checked that the range belongs to this reservation, and `&mut self`
        // says that nobody is using its content.
        unsafe { mm::mmap_anonymous(start, len, access, map_flags() | MapFlags::FIXED) }
            .with_context(|| format!("cannot give {len:#x} bytes of memory back"))?;
        Ok(())
    }

    /// Fills the pages of `range`, which are committed, with zeros.
    ///
    /// # Panics
    ///
    /// If `range` does not lie in the reservation.
    pub(super) fn fill_zero(&mut self, range: Range<usize>) {
        let (start, len) = self.pages(range);
        // SAFETY: `pages` checked that the range belongs to this reservation, the caller committed
        // it, and `&mut self` says that nobody is using its content.
        unsafe { start.cast::<u8>().write_bytes(0, len) };
    }

    /// Writes to the pages of `range`, which are committed and lie in `image`, what they hold there.
    ///
    /// # Errors
    ///
    /// If the image cannot be read.
    ///
    /// # Panics
    ///
    /// If `range` does not lie in the reservation.
    pub(super) fn fill_from(&mut self, image: &MemoryImage, range: Range<usize>) -> Result<()> {
        let at = range.start;
        let (start, len) = self.pages(range);
        // SAFETY: as for `fill_zero`.
        let bytes = unsafe { std::slice::from_raw_parts_mut(start.cast::<u8>(), len) };
        image.read(at, bytes).context("cannot read initial memory")
    }

    /// The pages of `range` that may hold anything but zeros or what they show of an image, as few ranges;
    /// `None` if they are not known, or more than `most` bytes.
    ///
    /// # Panics
    ///
    /// If `range` does not lie in the reservation.
    pub(super) fn touched(
        &mut self,
        range: Range<usize>,
        most: usize,
    ) -> Option<Vec<Range<usize>>> {
        let (start, len) = self.pages(range);
        let touched = touched(start.addr()..start.addr() + len, most / page_size())?;
        let base = self.base.addr().get();
        Some(touched.ranges().map(|range| range.start - base..range.end - base).collect())
    }

    /// The start and the length of the pages that `range` touches.
    fn pages(&self, range: Range<usize>) -> (*mut c_void, usize) {
        assert!(range.start <= range.end && range.end <= self.len, "range outside a reservation");
        let first = range.start & !(page_size() - 1);
        (self.base.as_ptr().wrapping_add(first).cast(), page_align(range.end) - first)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // SAFETY: the mapping is exactly this range, and its owner goes.
        let unmapped = unsafe { mm::munmap(self.base.as_ptr().cast(), self.len) };
        debug_assert!(unmapped.is_ok(), "a reservation is one valid mapping");
    }
}

fn map_flags() -> MapFlags {
    MapFlags::PRIVATE | MapFlags::NORESERVE
}

/// The size of a host page.
pub(crate) fn page_size() -> usize {
    rustix::param::page_size()
}

/// `len` rounded up to whole host pages.
///
/// # Panics
///
/// If that exceeds the address space.
pub(crate) fn page_align(len: usize) -> usize {
    len.checked_next_multiple_of(page_size()).expect("a size in pages fits the address space")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_pages_are_zero_and_keep_their_content_until_reset() {
        let mut reservation = Reservation::new(1 << 20).unwrap();
        reservation.commit(0..8192).unwrap();
        let word = reservation.base().cast::<u64>().as_ptr();
        // SAFETY: the first two pages were committed above.
        unsafe {
            assert_eq!(*word, 0);
            *word = 7;
        }
        reservation.commit(0..65536).unwrap();
        // SAFETY: as above.
        unsafe { assert_eq!(*word, 7) };
        reservation.reset(0..8192).unwrap();
        // SAFETY: `reset` keeps pages accessible.
        unsafe { assert_eq!(*word, 0) };
        reservation.decommit(0..65536).unwrap();
        reservation.commit(0..1).unwrap();
        // SAFETY: the first page was committed again.
        unsafe { assert_eq!(*word, 0) };
    }

    #[test]
    fn more_than_the_address_space_is_an_error() {
        assert!(Reservation::new(1 << 60).is_err());
    }

    #[test]
    #[should_panic(expected = "range outside a reservation")]
    fn a_range_past_the_end_is_refused() {
        let mut reservation = Reservation::new(4096).unwrap();
        let end = reservation.len() + 1;
        let _ = reservation.commit(0..end);
    }
}
