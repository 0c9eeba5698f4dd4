//! The first content of a linear memory, kept as a file that is nowhere but in memory: many memories map
//! it, and each has a page of its own only once it writes there. Knows no segments.
//!
//! Invariant: nobody writes to the file once it is made. Its memory is free again when the image and the
//! last loan that shows it are gone.

use std::fs::File;
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::{MemfdFlags, memfd_create};

use super::pool::ReservationPool;
use super::reservation::{page_align, page_size};

/// The most images at the same time: each takes one of the files that the process may have open, and the
/// embedder wants some, too.
const MAX_IMAGES: usize = 128;

/// What the bytes of `range` of a memory are at first.
#[derive(Debug)]
pub(crate) struct MemoryImage {
    file: File,
    _counted: Counted,
    range: Range<usize>,
    /// Whose idle reservations may show it.
    pool: Arc<ReservationPool>,
}

impl MemoryImage {
    /// Zeros, but for each of `parts` at its place in the memory; where they overlap, a later one counts.
    /// `range` holds them all. Memories with reservations of `pool` may have it.
    ///
    /// # Errors
    ///
    /// If the system has no such files, or no memory, or if there are too many images.
    ///
    /// # Panics
    ///
    /// If a part is outside `range`.
    pub(crate) fn new<'a>(
        pool: &Arc<ReservationPool>,
        range: Range<usize>,
        parts: impl Iterator<Item = (usize, &'a [u8])>,
    ) -> io::Result<MemoryImage> {
        let counted = Counted::new().ok_or(io::ErrorKind::QuotaExceeded)?;
        let range = range.start & !(page_size() - 1)..page_align(range.end);
        let mut bytes = vec![0; range.len()];
        for (at, part) in parts {
            let at = at - range.start;
            bytes[at..at + part.len()].copy_from_slice(part);
        }
        let mut file = File::from(memfd_create("wasm memory", MemfdFlags::CLOEXEC)?);
        file.write_all(&bytes)?;
        Ok(MemoryImage { file, _counted: counted, range, pool: pool.clone() })
    }

    /// Whether reservations of `pool` may show it.
    pub(super) fn is_of(&self, pool: &Arc<ReservationPool>) -> bool {
        Arc::ptr_eq(&self.pool, pool)
    }

    /// Copies to `bytes` what the memory holds at first from `at` on.
    ///
    /// # Errors
    ///
    /// If the system cannot read the file.
    ///
    /// # Panics
    ///
    /// If that begins before the image.
    pub(super) fn read(&self, at: usize, bytes: &mut [u8]) -> io::Result<()> {
        let at = at.checked_sub(self.range.start).expect("what is read lies in the image");
        self.file.read_exact_at(bytes, at as u64)
    }

    /// The file, whose first byte is that at the start of the range.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// The bytes of the memory that this is about: whole pages.
    pub(crate) fn range(&self) -> Range<usize> {
        self.range.clone()
    }
}

impl Drop for MemoryImage {
    fn drop(&mut self) {
        self.pool.forget(self);
    }
}

/// One of the images of the process.
#[derive(Debug)]
struct Counted;

static IMAGES: AtomicUsize = AtomicUsize::new(0);

impl Counted {
    /// `None` if there are [`MAX_IMAGES`].
    fn new() -> Option<Counted> {
        let more = |count| (count < MAX_IMAGES).then_some(count + 1);
        IMAGES.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Counted)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        IMAGES.fetch_sub(1, Ordering::Relaxed);
    }
}
