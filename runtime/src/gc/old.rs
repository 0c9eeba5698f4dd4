//! The old generation but for large objects: one after the other, from [`YOUNG_END`] up. Nothing is
//! freed but by compaction.

use std::ops::Range;

use crate::abi::object::{OBJECT_ALIGN, YOUNG_END};

/// How far the old objects reach.
#[derive(Debug)]
pub(super) struct Old {
    /// Where the first object is: [`YOUNG_END`] or, under stress, a little further.
    start: u32,
    top: u32,
}

impl Default for Old {
    fn default() -> Old {
        Old { start: YOUNG_END, top: YOUNG_END }
    }
}

impl Old {
    /// The offsets that hold objects.
    pub(super) fn objects(&self) -> Range<u32> {
        self.start..self.top
    }

    /// Where the next object goes.
    pub(super) fn top(&self) -> u32 {
        self.top
    }

    /// Bytes of objects, dead ones included.
    pub(super) fn used(&self) -> u32 {
        self.top - self.start
    }

    /// Sets where the objects are, after a full collection has moved them.
    pub(super) fn set_objects(&mut self, objects: Range<u32>) {
        debug_assert!(objects.start >= YOUNG_END && objects.start <= objects.end);
        (self.start, self.top) = (objects.start, objects.end);
    }

    /// Sets where the next object goes, after objects were moved or made here.
    pub(super) fn set_top(&mut self, top: u32) {
        debug_assert!(top >= self.top && top.is_multiple_of(OBJECT_ALIGN));
        self.top = top;
    }
}
