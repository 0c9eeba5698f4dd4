//! Memory for machine code, and the way from a pc to the tables of its code. Writes no code.
//!
//! One arena serves the whole process, so that all code is within reach of a 32-bit relative call
//! and "is this pc ours" is one comparison. A page is either writable or executable.
//!
//! Invariant: an entry of the page table is null or points to the `CodeMap` of the region that
//! owns the page; the region owns that map too and clears its entries before anything else goes.

use std::collections::BTreeMap;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use anyhow::{Context as _, anyhow};
use rustix::mm::{self, Advice, MapFlags, MprotectFlags, ProtFlags};
use wasmtime_internal_jit_icache_coherence as icache;

use super::reservation::{Reservation, page_align, page_size};
use crate::abi::code_map::CodeMap;
use crate::error::{Error, Result};

/// Less than the 2 GiB that a relative call reaches in either direction.
const ARENA_SIZE: usize = 1 << 30;

/// The size of a huge page, where the system has such. As much code or more begins where one may begin:
/// they are got, protected and given back at a fraction of the cost, and calls find their way faster.
const HUGE_PAGE: usize = 2 << 20;

static ARENA: OnceLock<Result<Arena>> = OnceLock::new();

/// The address of a function in published code. Stays valid while its code lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CodePtr(NonNull<u8>);

// SAFETY: an address of immutable code; calling it is unsafe and argued for there.
unsafe impl Send for CodePtr {}
// SAFETY: as for `Send`.
unsafe impl Sync for CodePtr {}

impl CodePtr {
    pub(crate) fn new(pointer: NonNull<u8>) -> CodePtr {
        CodePtr(pointer)
    }

    pub(crate) fn as_ptr(self) -> *const u8 {
        self.0.as_ptr()
    }
}

struct Arena {
    reservation: Reservation,
    /// The page table: one pointer per page of `reservation`. Zeroed memory that the kernel
    /// provides where it is touched.
    table: Reservation,
    /// Free ranges in pages: first page and count. No two of them touch.
    free: Mutex<BTreeMap<usize, usize>>,
}

/// Whole pages for one piece of code; given back on drop.
pub(crate) struct CodeRegion {
    arena: &'static Arena,
    pub(crate) ptr: NonNull<u8>,
    /// Bytes, in whole pages.
    pub(crate) len: usize,
    /// The tables of the code, once they are registered.
    map: OnceLock<Arc<CodeMap>>,
}

// SAFETY: a region owns its pages; they are written only before they become executable, by the
// one publisher that holds the region then.
unsafe impl Send for CodeRegion {}
// SAFETY: as for `Send`; what `&CodeRegion` can do is synchronised by the kernel and `OnceLock`.
unsafe impl Sync for CodeRegion {}

/// Takes writable pages for `len` bytes of code.
///
/// # Errors
///
/// If the arena is full or the kernel refuses.
pub(crate) fn alloc(len: usize) -> Result<CodeRegion> {
    let arena = arena()?;
    let len = page_align(len.max(1));
    let align = if len < HUGE_PAGE { page_size() } else { HUGE_PAGE };
    let page = arena.take(len / page_size(), align).ok_or_else(|| {
        anyhow!("the {ARENA_SIZE:#x} bytes for machine code are used up ({len:#x} more needed)")
    })?;
    let offset = page * page_size();
    let base = arena.reservation.base();
    let ptr = base.map_addr(|base| base.checked_add(offset).expect("the arena is mapped"));
    let region = CodeRegion { arena, ptr, len, map: OnceLock::new() };
    region.protect(MprotectFlags::READ | MprotectFlags::WRITE)?;
    region.populate();
    Ok(region)
}

/// The tables of the code that contains `pc`, or whose pages do. Takes no lock and allocates
/// nothing, so a signal handler may call it.
///
/// # Safety
///
/// If `pc` is in published code, that code lives for `'a`: for example because a frame of it is on
/// the stack, which keeps its owner alive.
pub(crate) unsafe fn lookup<'a>(pc: usize) -> Option<&'a CodeMap> {
    let arena = ARENA.get()?.as_ref().ok()?;
    let offset = pc.wrapping_sub(arena.base());
    let map = arena.maps().get(offset / page_size())?.load(Ordering::Acquire);
    // SAFETY: a non-null entry points to a map that lives as long as its region, which owns the
    // code at `pc`, which lives for `'a` by the caller's duty.
    unsafe { map.as_ref() }
}

impl CodeRegion {
    /// Makes the pages executable and no longer writable. The code in them is complete.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub(crate) fn make_executable(&self) -> Result<()> {
        // SAFETY: the range is this region's, accessible memory.
        unsafe { icache::clear_cache(self.ptr.as_ptr().cast_const().cast(), self.len) }
            .map_err(|error| anyhow!("cannot clear the instruction cache: {error}"))?;
        self.protect(MprotectFlags::READ | MprotectFlags::EXEC)?;
        icache::pipeline_flush_mt().map_err(|error| anyhow!("cannot flush the pipeline: {error}"))
    }

    /// The content.
    ///
    /// # Panics
    ///
    /// If the region has not been registered, that is, may still be written.
    pub(crate) fn code(&self) -> &[u8] {
        assert!(self.map.get().is_some(), "code is read when it is complete");
        // SAFETY: the pages are this region's and readable; who registered the region has made them
        // executable, and so nobody can write to them.
        unsafe { std::slice::from_raw_parts(self.ptr.as_ptr(), self.len) }
    }

    /// From now on [`lookup`] finds `map` for every pc in this region.
    ///
    /// # Panics
    ///
    /// If the region has a map already, or `map` is about code elsewhere.
    pub(crate) fn register(&self, map: Arc<CodeMap>) {
        assert!(
            map.base == self.ptr.addr().get() && map.len <= self.len,
            "a code map describes the region it is registered for"
        );
        let pointer = Arc::as_ptr(&map).cast_mut();
        assert!(self.map.set(map).is_ok(), "a region is registered once");
        self.fill_page_table(pointer);
    }

    fn fill_page_table(&self, map: *mut CodeMap) {
        let first = self.first_page();
        for entry in &self.arena.maps()[first..first + self.len / page_size()] {
            entry.store(map, Ordering::Release);
        }
    }

    fn first_page(&self) -> usize {
        (self.ptr.addr().get() - self.arena.base()) / page_size()
    }

    /// Gets the pages at once, which is several times faster than one by one as they are written, and
    /// huge ones if there are. Whatever the kernel does not give now comes when it is needed.
    fn populate(&self) {
        if self.len >= HUGE_PAGE {
            self.advise(Advice::LinuxHugepage);
        }
        self.advise(Advice::LinuxPopulateWrite);
    }

    fn advise(&self, advice: Advice) {
        // SAFETY: the pages are this region's and writable; their content stays as it is, whatever the
        // kernel makes of such advice.
        let _ = unsafe { mm::madvise(self.ptr.as_ptr().cast(), self.len, advice) };
    }

    fn protect(&self, protection: MprotectFlags) -> Result<()> {
        // SAFETY: the pages are this region's, and nobody runs code in them or writes to them
        // while their publisher changes their protection.
        unsafe { mm::mprotect(self.ptr.as_ptr().cast(), self.len, protection) }
            .with_context(|| format!("cannot protect {:#x} bytes of machine code", self.len))
    }
}

impl Drop for CodeRegion {
    fn drop(&mut self) {
        self.fill_page_table(std::ptr::null_mut());
        // One fresh mapping over the old one frees the memory and makes the pages inaccessible.
        // SAFETY: the pages are this region's; its owner says by dropping it that no code in them
        // runs or will be called.
        let unmapped = unsafe {
            mm::mmap_anonymous(
                self.ptr.as_ptr().cast(),
                self.len,
                ProtFlags::empty(),
                MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED,
            )
        };
        // Pages in an unknown state are never handed out again.
        if unmapped.is_ok() {
            self.arena.give_back(self.first_page(), self.len / page_size());
        }
    }
}

impl Arena {
    fn new(size: usize) -> Result<Arena> {
        let reservation = Reservation::new(size).context("no address space for code")?;
        let pages = reservation.len() / page_size();
        let mut table = Reservation::new(pages * size_of::<AtomicPtr<CodeMap>>())?;
        table.commit(0..table.len())?;
        Ok(Arena { reservation, table, free: Mutex::new(BTreeMap::from([(0, pages)])) })
    }

    fn base(&self) -> usize {
        self.reservation.base().addr().get()
    }

    /// The page table.
    fn maps(&self) -> &[AtomicPtr<CodeMap>] {
        let pages = self.reservation.len() / page_size();
        // SAFETY: `table` is accessible for that many entries, and zeros are null pointers.
        unsafe { std::slice::from_raw_parts(self.table.base().as_ptr().cast(), pages) }
    }

    /// The first of `count` free pages in a row, the lowest there is whose address is a multiple of
    /// `align`, which is one of the page size.
    fn take(&self, count: usize, align: usize) -> Option<usize> {
        let mut free = self.free();
        let aligned = |first: usize| {
            let address = self.base() + first * page_size();
            first + (address.next_multiple_of(align) - address) / page_size()
        };
        let fits = |(first, found): (&usize, &usize)| {
            let start = aligned(*first);
            (start + count <= first + found).then_some((*first, start, first + found))
        };
        let (first, start, end) = free.iter().find_map(fits)?;
        free.remove(&first);
        for (from, to) in [(first, start), (start + count, end)] {
            if from < to {
                free.insert(from, to - from);
            }
        }
        Some(start)
    }

    fn give_back(&self, mut first: usize, mut count: usize) {
        let mut free = self.free();
        if let Some(after) = free.remove(&(first + count)) {
            count += after;
        }
        if let Some((&before, &length)) = free.range(..first).next_back()
            && before + length == first
        {
            first = before;
            count += length;
        }
        free.insert(first, count);
    }

    fn free(&self) -> MutexGuard<'_, BTreeMap<usize, usize>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn arena() -> Result<&'static Arena> {
    match ARENA.get_or_init(|| Arena::new(ARENA_SIZE)) {
        Ok(arena) => Ok(arena),
        Err(error) => Err(Error::msg(format!("{error:#}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freed_neighbours_become_one_range() {
        let pages = 16;
        let arena = Arena::new(pages * page_size()).unwrap();
        let taken: Vec<usize> = (0..4).map(|_| arena.take(4, page_size()).unwrap()).collect();
        assert_eq!(taken, [0, 4, 8, 12]);
        assert_eq!(arena.take(1, page_size()), None);
        for page in [4, 12, 8, 0] {
            arena.give_back(page, 4);
        }
        assert_eq!(*arena.free(), BTreeMap::from([(0, pages)]));
        assert_eq!(arena.take(3, page_size()), Some(0));
    }

    #[test]
    fn what_is_aligned_leaves_the_pages_around_it_free() {
        let pages = 64;
        let arena = Arena::new(pages * page_size()).unwrap();
        let align = 16 * page_size();
        let one = arena.take(1, page_size()).unwrap();
        let taken = [17, 1, 20].map(|count| arena.take(count, align));
        for first in taken.iter().flatten() {
            assert!((arena.base() + first * page_size()).is_multiple_of(align));
        }
        let [Some(large), Some(small), None] = taken else { panic!("{taken:?}") };
        assert!(one < large && large + 17 <= small);
        let beside = arena.take(1, page_size()).unwrap();
        assert!(beside < small && !(large..large + 17).contains(&beside));
        for (first, count) in [(one, 1), (small, 1), (beside, 1), (large, 17)] {
            arena.give_back(first, count);
        }
        assert_eq!(*arena.free(), BTreeMap::from([(0, pages)]));
    }

    #[test]
    fn a_pc_finds_its_map_while_the_region_lives() {
        let region = alloc(3 * page_size()).unwrap();
        let base = region.ptr.addr().get();
        let map = Arc::new(CodeMap { base, len: 2 * page_size() + 1, ..CodeMap::default() });
        region.register(map.clone());
        // SAFETY: the region lives until the end of this test, and no code runs.
        unsafe {
            assert!(lookup(0).is_none());
            assert!(std::ptr::eq(lookup(base).unwrap(), &*map));
            assert!(std::ptr::eq(lookup(base + 3 * page_size() - 1).unwrap(), &*map));
        }
        assert_eq!(Arc::strong_count(&map), 2);
        drop(region);
        assert_eq!(Arc::strong_count(&map), 1);
    }
}
