//! The nursery: where objects begin their life, one after the other. Compiled code allocates here on
//! its own, through the two offsets in [`VmHeap`]; this file is the same for Rust. It collects
//! nothing.

use std::ops::{Range, RangeInclusive};

use super::space::COMMIT_UNIT;
use crate::abi::object::{LARGE_OBJECT, NULL_GUARD, OBJECT_ALIGN, YOUNG_END};
use crate::vm::context::VmHeap;

/// The smallest nursery: every object that is not large fits in.
const SMALLEST: usize = 2 * LARGE_OBJECT as usize;
/// The largest: it ends at [`YOUNG_END`], and its first page is not that of null.
const LARGEST: usize = (YOUNG_END - NULL_GUARD) as usize;

/// How many times as large as configured it may become.
const GROWTH_MAX: u32 = 4;

/// The bounds of the nursery. It ends where old objects begin, so that both are one mapping.
#[derive(Debug)]
pub(super) struct Nursery {
    /// Bytes that it may have.
    size: u32,
    /// The least and the most that `size` may be.
    sizes: RangeInclusive<u32>,
    /// What Rust may allocate up to.
    end: u32,
    /// Whether compiled code finds no room at all, so that it asks each time.
    stress: bool,
}

impl Nursery {
    /// A nursery of about `size` bytes that does not exist yet.
    pub(super) fn new(size: usize, stress: bool) -> Nursery {
        let size = (size.clamp(SMALLEST, LARGEST) as u32).next_multiple_of(COMMIT_UNIT);
        let most = size.saturating_mul(GROWTH_MAX).min(LARGEST as u32);
        Nursery { size, sizes: size..=most, end: 0, stress }
    }

    /// The most bytes it has.
    pub(super) fn size(&self) -> u32 {
        self.size
    }

    /// The size that the nursery should have after a collection that found `live` bytes of objects
    /// alive. Objects of a nursery that is larger have more time to die, and fewer objects are moved;
    /// one that is smaller stays in the processor's caches.
    pub(super) fn wanted_size(&self, heap: &VmHeap, live: u32) -> u32 {
        let used = self.used(heap);
        let wanted = match () {
            // It was collected for another reason than being full.
            () if used < self.size / 2 => self.size,
            () if live > used / 4 => self.size.saturating_mul(2),
            () if live < used / 32 => self.size / 2,
            () => self.size,
        };
        wanted.clamp(*self.sizes.start(), *self.sizes.end())
    }

    /// Sets the size of a nursery in which no object is needed any more, before [`Nursery::clear`].
    pub(super) fn resize(&mut self, size: u32) {
        debug_assert!(self.sizes.contains(&size) && size.is_multiple_of(OBJECT_ALIGN));
        self.size = size;
    }

    /// The offset of its first byte.
    pub(super) fn start(&self) -> u32 {
        YOUNG_END - self.size
    }

    /// Room for an object of `size` bytes, if there is.
    #[inline]
    pub(super) fn alloc(&self, heap: &VmHeap, size: u32) -> Option<u32> {
        debug_assert!(size.is_multiple_of(OBJECT_ALIGN));
        let at = heap.nursery_top.get();
        if size > self.end - at {
            return None;
        }
        heap.nursery_top.set(at + size);
        if self.stress {
            heap.nursery_end.set(at + size);
        }
        Some(at)
    }

    /// The offsets that hold objects.
    pub(super) fn objects(&self, heap: &VmHeap) -> Range<u32> {
        match heap.nursery_top.get() {
            0 => 0..0,
            top => self.start()..top,
        }
    }

    /// Bytes of objects.
    pub(super) fn used(&self, heap: &VmHeap) -> u32 {
        self.objects(heap).len() as u32
    }

    /// Bytes that there is room for.
    pub(super) fn room(&self, heap: &VmHeap) -> u32 {
        self.end - heap.nursery_top.get()
    }

    /// Forgets all objects; there is no room until [`Nursery::fit`].
    pub(super) fn clear(&mut self, heap: &VmHeap) {
        heap.nursery_top.set(self.start());
        self.fit(heap, 0);
    }

    /// Sets how many bytes the nursery may have now; what it holds stays.
    pub(super) fn fit(&mut self, heap: &VmHeap, bytes: u32) {
        let top = heap.nursery_top.get();
        let end = self.start() + bytes.min(self.size) / OBJECT_ALIGN * OBJECT_ALIGN;
        self.end = end.max(top);
        heap.nursery_end.set(if self.stress { top } else { self.end });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocation_stops_at_the_end_and_begins_again() {
        let (mut nursery, heap) = (Nursery::new(0, false), VmHeap::default());
        assert_eq!(nursery.alloc(&heap, 8), None);
        assert_eq!(nursery.used(&heap), 0);
        nursery.clear(&heap);
        nursery.fit(&heap, 100);
        let all: Vec<u32> = std::iter::from_fn(|| nursery.alloc(&heap, 16)).collect();
        assert_eq!((all.len(), all[0], all[5]), (6, nursery.start(), nursery.start() + 80));
        nursery.fit(&heap, 8);
        assert_eq!((nursery.used(&heap), nursery.room(&heap)), (96, 0));
        nursery.fit(&heap, u32::MAX);
        assert_eq!(nursery.room(&heap), nursery.size() - 96);
        assert_eq!(heap.nursery_end.get(), YOUNG_END);
    }

    #[test]
    fn under_stress_compiled_code_never_finds_room() {
        let (mut nursery, heap) = (Nursery::new(1 << 20, true), VmHeap::default());
        nursery.clear(&heap);
        nursery.fit(&heap, 1000);
        for _ in 0..3 {
            assert_eq!(heap.nursery_end.get(), heap.nursery_top.get());
            nursery.alloc(&heap, 8).unwrap();
        }
    }

    #[test]
    fn every_configured_size_is_possible() {
        for size in [0, 1, 100_000, 1 << 20, usize::MAX] {
            let mut nursery = Nursery::new(size, false);
            assert!(nursery.start() >= NULL_GUARD && nursery.size() >= 2 * LARGE_OBJECT, "{size}");
            nursery.resize(*nursery.sizes.end());
            assert!(nursery.start() >= NULL_GUARD, "{size}");
        }
    }

    #[test]
    fn the_size_follows_what_survives() {
        let (mut nursery, heap) = (Nursery::new(1 << 20, false), VmHeap::default());
        let mut collect = |used: u32, live: u32| {
            nursery.clear(&heap);
            nursery.fit(&heap, u32::MAX);
            nursery.alloc(&heap, used).unwrap();
            nursery.resize(nursery.wanted_size(&heap, live));
            nursery.size() >> 20
        };
        assert_eq!(collect(1 << 18, 1 << 18), 1, "collected before it was full");
        assert_eq!(collect(1 << 20, 1 << 17), 1);
        assert_eq!(collect(1 << 20, 1 << 19), 2);
        assert_eq!(collect(2 << 20, 1 << 20), 4);
        assert_eq!(collect(4 << 20, 4 << 20), 4, "no larger");
        assert_eq!(collect(4 << 20, 1 << 18), 4);
        assert_eq!(collect(4 << 20, 0), 2);
        assert_eq!(collect(2 << 20, 0), 1);
        assert_eq!(collect(1 << 20, 0), 1, "no smaller");
    }
}
