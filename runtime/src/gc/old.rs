//! The old generation but for large objects: one after the other, from [`YOUNG_END`] up. Nothing is
//! freed but by compaction.

use std::ops::Range;

use crate::abi::object::{OBJECT_ALIGN, YOUNG_END};

/// How far the old objects reach.
#[derive(Debug)]
pub(super) struct Old {
    top: u32,
}

impl Default for Old {
    fn default() -> Old {
        Old { top: YOUNG_END }
    }
}

impl Old {
    /// The offsets that hold objects.
    pub(super) fn objects(&self) -> Range<u32> {
        YOUNG_END..self.top
    }

    /// Where the next object goes.
    pub(super) fn top(&self) -> u32 {
        self.top
    }

    /// Bytes of objects, dead ones included.
    pub(super) fn used(&self) -> u32 {
        self.top - YOUNG_END
    }

    /// Sets where the next object goes, after a collection has moved objects here or down.
    pub(super) fn set_top(&mut self, top: u32) {
        debug_assert!(top >= YOUNG_END && top.is_multiple_of(OBJECT_ALIGN));
        self.top = top;
    }
}
