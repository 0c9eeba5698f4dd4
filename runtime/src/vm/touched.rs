//! Which pages of a range of this process were written, as the kernel knows it: from Linux 6.7 on,
//! and where `/proc` is there. Changes nothing.

use std::fs::File;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::sync::OnceLock;

/// The most ranges of pages that are of interest.
const MAX_RANGES: usize = 32;

/// Ranges of addresses, in order.
pub(super) struct Touched {
    ranges: [Region; MAX_RANGES],
    count: usize,
}

impl Touched {
    /// The ranges.
    pub(super) fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        let range = |region: &Region| region.start as usize..region.end as usize;
        self.ranges[..self.count].iter().map(range)
    }
}

/// The kernel's `struct page_region`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Region {
    start: u64,
    end: u64,
    categories: u64,
}

/// The kernel's `struct pm_scan_arg`.
#[repr(C)]
struct Scan {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

/// `_IOWR('f', 16, struct pm_scan_arg)`
const PAGEMAP_SCAN: libc::Ioctl =
    (3 << 30 | (size_of::<Scan>() as u32) << 16 | (b'f' as u32) << 8 | 16) as libc::Ioctl;

/// A page of a file that nobody wrote through a private mapping.
const IS_FILE: u64 = 1 << 2;
const IS_PRESENT: u64 = 1 << 3;
const IS_SWAPPED: u64 = 1 << 4;
/// The page of zeros that the kernel shows to who reads what nobody wrote.
const IS_ZERO_PAGE: u64 = 1 << 5;

/// The pages in `range` that may hold anything but zeros or what they show of a file; `None` if that is not
/// known, or if they are more than `most`, or too scattered. `range` is of private memory, in whole pages,
/// and nobody writes there meanwhile.
pub(super) fn touched(range: Range<usize>, most: usize) -> Option<Touched> {
    if most == 0 {
        // No limit, as the kernel understands it.
        return None;
    }
    let pagemap = pagemap()?;
    let mut touched = Touched { ranges: [Region::default(); MAX_RANGES], count: 0 };
    let mut scan = Scan {
        size: size_of::<Scan>() as u64,
        flags: 0,
        start: range.start as u64,
        end: range.end as u64,
        walk_end: 0,
        vec: touched.ranges.as_mut_ptr().expose_provenance() as u64,
        vec_len: MAX_RANGES as u64,
        max_pages: most as u64,
        category_inverted: IS_ZERO_PAGE | IS_FILE,
        category_mask: IS_ZERO_PAGE | IS_FILE,
        category_anyof_mask: IS_PRESENT | IS_SWAPPED,
        return_mask: IS_PRESENT,
    };
    // SAFETY: `scan` is what the request takes, and the kernel writes to it and to `vec_len` regions at
    // `vec`, both of which are ours.
    let count = unsafe { libc::ioctl(pagemap.as_raw_fd(), PAGEMAP_SCAN, &raw mut scan) };
    touched.count = usize::try_from(count).ok()?;
    // Else it stopped at one of the limits.
    (scan.walk_end == range.end as u64).then_some(touched)
}

/// The page table of this process; `None` also in a process that was forked from the one that opened
/// it, because the file goes on to be about that one.
fn pagemap() -> Option<&'static File> {
    static PAGEMAP: OnceLock<Option<(u32, File)>> = OnceLock::new();
    let opened = PAGEMAP.get_or_init(|| {
        let file = File::open("/proc/self/pagemap").ok()?;
        Some((std::process::id(), file))
    });
    let (process, file) = opened.as_ref()?;
    (*process == std::process::id()).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::reservation::{Reservation, page_size};

    const PAGES: usize = 512;

    /// Writes to `pages` of a new range, reads from another one, and says which are touched.
    fn after_writing(pages: &[usize], most: usize) -> Option<Vec<Range<usize>>> {
        let mut reservation = Reservation::new(PAGES * page_size()).unwrap();
        reservation.commit(0..PAGES * page_size()).unwrap();
        let base = reservation.base();
        let page = |page: usize| base.as_ptr().wrapping_add(page * page_size());
        // SAFETY: all pages were committed.
        assert_eq!(unsafe { page(PAGES - 1).read_volatile() }, 0);
        for at in pages {
            // SAFETY: as above.
            unsafe { page(*at).write_volatile(1) };
        }
        let base = base.addr().get();
        let touched = touched(base..base + PAGES * page_size(), most)?;
        let page = |at: usize| (at - base) / page_size();
        Some(touched.ranges().map(|range| page(range.start)..page(range.end)).collect())
    }

    #[test]
    fn what_was_written_is_touched_and_what_was_read_is_not() {
        // A kernel that does not know says so; this test then shows no more than that.
        let Some(touched) = after_writing(&[0, 7, 8, 300], PAGES) else { return };
        let found = |page: usize| touched.iter().any(|range| range.contains(&page));
        assert!([0, 7, 8, 300].into_iter().all(found), "{touched:?}");
        assert_eq!(after_writing(&[], PAGES), Some(vec![]));
    }

    #[test]
    fn too_many_pages_or_ranges_are_not_known() {
        assert!(after_writing(&[1, 2, 3], 2).is_none());
        assert!(after_writing(&[1], 0).is_none());
        let scattered: Vec<usize> = (0..2 * MAX_RANGES + 2).map(|page| 2 * page).collect();
        assert!(after_writing(&scattered, PAGES).is_none());
    }
}
