//! Large objects: runs of whole pages, from the end of the heap down. They never move; a full
//! collection frees those that it did not mark.
//!
//! An object is marked by a collector's word that is not zero, which it is only while a full
//! collection runs.

use std::collections::BTreeMap;

use super::space::{HEAP_END, Memory, Space};
use crate::abi::object::HEADER_GC;
use crate::vm::reservation::page_size;

/// The runs of pages, by offset, with their bytes.
#[derive(Debug)]
pub(super) struct LargeObjects {
    objects: BTreeMap<u32, u32>,
    /// Runs between objects. Their pages are zero and cost no memory; no two are neighbours, and none
    /// is the first.
    free: BTreeMap<u32, u32>,
    /// Where the first object begins.
    start: u32,
    used: u32,
}

impl Default for LargeObjects {
    fn default() -> LargeObjects {
        LargeObjects { objects: BTreeMap::new(), free: BTreeMap::new(), start: HEAP_END, used: 0 }
    }
}

impl LargeObjects {
    /// Where large objects begin: references from here on lead to them.
    pub(super) fn start(&self) -> u32 {
        self.start
    }

    /// Bytes of their pages, dead ones included.
    pub(super) fn used(&self) -> u32 {
        self.used
    }

    /// The bytes of pages that an object of `size` bytes takes; `None` for more than any heap has.
    pub(super) fn footprint(size: u32) -> Option<u32> {
        size.checked_next_multiple_of(page_size() as u32)
    }

    /// Zeroed memory for an object of `size` bytes, if there is room above `old_top`.
    pub(super) fn alloc(&mut self, space: &mut Space, size: u32, old_top: u32) -> Option<u32> {
        let bytes = LargeObjects::footprint(size)?;
        let at = match self.take_free(bytes) {
            Some(at) => at,
            None => {
                let at = self.start.checked_sub(bytes)?;
                if at < old_top || !space.commit_large(at, old_top) {
                    return None;
                }
                self.start = at;
                at
            }
        };
        self.objects.insert(at, bytes);
        self.used += bytes;
        Some(at)
    }

    /// The end of the first free run that is long enough.
    fn take_free(&mut self, bytes: u32) -> Option<u32> {
        let (&at, &free) = self.free.iter().find(|(_, free)| **free >= bytes)?;
        if free == bytes {
            self.free.remove(&at);
        } else {
            self.free.insert(at, free - bytes);
        }
        Some(at + free - bytes)
    }

    /// The objects.
    pub(super) fn objects(&self) -> impl Iterator<Item = u32> {
        self.objects.keys().copied()
    }

    /// Whether the object at `at` is marked.
    pub(super) fn is_marked(memory: Memory<'_>, at: u32) -> bool {
        memory.word(at + HEADER_GC) != 0
    }

    /// Marks the object at `at`; returns whether it was not.
    pub(super) fn mark(memory: Memory<'_>, at: u32) -> bool {
        let new = !LargeObjects::is_marked(memory, at);
        memory.set_word(at + HEADER_GC, 1);
        new
    }

    /// Frees the objects that are not marked, and unmarks the others.
    pub(super) fn sweep(&mut self, space: &mut Space) {
        let memory = space.memory();
        let dead: Vec<(u32, u32)> =
            self.objects.extract_if(.., |at, _| !LargeObjects::is_marked(memory, *at)).collect();
        for at in self.objects.keys() {
            memory.set_word(at + HEADER_GC, 0);
        }
        for (at, bytes) in dead {
            self.used -= bytes;
            self.release(space, at, bytes);
        }
    }

    fn release(&mut self, space: &mut Space, at: u32, bytes: u32) {
        space.zero(at..at + bytes);
        let (mut at, mut bytes) = (at, bytes);
        if let Some(next) = self.free.remove(&(at + bytes)) {
            bytes += next;
        }
        if let Some((&before, &len)) = self.free.range(..at).next_back()
            && before + len == at
        {
            self.free.remove(&before);
            (at, bytes) = (before, bytes + len);
        }
        if at == self.start {
            self.start = at + bytes;
        } else {
            self.free.insert(at, bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::object::{LARGE_OBJECT, YOUNG_END};
    use crate::gc::space::COMMIT_UNIT;

    struct Fixture {
        space: Space,
        large: LargeObjects,
    }

    impl Fixture {
        fn new() -> Fixture {
            let mut space = Space::new(std::sync::Arc::default());
            space.reserve(COMMIT_UNIT).unwrap();
            Fixture { space, large: LargeObjects::default() }
        }

        fn alloc(&mut self, size: u32) -> u32 {
            let at = self.large.alloc(&mut self.space, size, YOUNG_END).unwrap();
            assert_eq!(self.space.read(at + size / 8 * 8 - 8), [0, 0]);
            self.space.fill(at..at + size, 0x77);
            self.space.write(at + HEADER_GC, [0]);
            at
        }

        fn sweep_but(&mut self, live: &[u32]) {
            for at in live {
                assert!(LargeObjects::mark(self.space.memory(), *at));
                assert!(!LargeObjects::mark(self.space.memory(), *at));
            }
            self.large.sweep(&mut self.space);
            assert!(self.large.objects().eq(live.iter().copied()));
        }
    }

    #[test]
    fn freed_pages_are_used_again_and_zero() {
        let mut fixture = Fixture::new();
        let mut all: Vec<u32> = (1..=4).map(|n| fixture.alloc(n * LARGE_OBJECT + 8)).collect();
        all.reverse();
        let start = fixture.large.start();
        assert_eq!(start, all[0]);
        fixture.sweep_but(&[all[0], all[2]]);
        let again = fixture.alloc(3 * LARGE_OBJECT);
        assert!(again > all[0] && again < all[2], "there was room between the two");
        fixture.sweep_but(&[again]);
        assert_eq!(fixture.large.start(), again);
        fixture.sweep_but(&[]);
        assert_eq!((fixture.large.start(), fixture.large.used()), (HEAP_END, 0));
        assert!(fixture.large.free.is_empty());
    }

    #[test]
    fn neighbours_that_are_free_become_one() {
        let mut fixture = Fixture::new();
        let all: Vec<u32> = (0..5).map(|_| fixture.alloc(LARGE_OBJECT + 8)).collect();
        fixture.sweep_but(&[all[4], all[2], all[0]]);
        assert_eq!(fixture.large.free.len(), 2);
        fixture.sweep_but(&[all[4], all[0]]);
        assert_eq!(fixture.large.free.len(), 1);
        let bytes = LargeObjects::footprint(LARGE_OBJECT + 8).unwrap();
        fixture.alloc(3 * bytes);
        assert!(fixture.large.free.is_empty());
    }

    #[test]
    fn there_is_no_room_below_the_old_objects() {
        let mut fixture = Fixture::new();
        let old_top = HEAP_END - 4 * COMMIT_UNIT;
        assert!(fixture.large.alloc(&mut fixture.space, 5 * COMMIT_UNIT, old_top).is_none());
        assert!(fixture.large.alloc(&mut fixture.space, u32::MAX, YOUNG_END).is_none());
        assert!(fixture.large.alloc(&mut fixture.space, 2 * COMMIT_UNIT, old_top).is_some());
    }
}
