//! The mark bitmap of a full collection: one bit for every 8 bytes of old objects, set for all bytes
//! of those that live, and with it where each goes when all slide together.

use std::ops::Range;

use crate::abi::object::{OBJECT_ALIGN, YOUNG_END};

/// Bytes that one word of the bitmap stands for.
const BLOCK: u32 = u64::BITS * OBJECT_ALIGN;

/// The bits, and after [`MarkBits::place`] the targets.
#[derive(Debug)]
pub(super) struct MarkBits {
    bits: Vec<u64>,
    /// By word of `bits`: where the first live byte of its block goes.
    targets: Vec<u32>,
}

impl MarkBits {
    /// A clear bitmap for old objects up to `top`; `None` if there is no memory for it.
    pub(super) fn new(top: u32) -> Option<MarkBits> {
        let blocks = (top - YOUNG_END).div_ceil(BLOCK) as usize;
        let (mut bits, mut targets) = (Vec::new(), Vec::new());
        bits.try_reserve_exact(blocks).ok()?;
        targets.try_reserve_exact(blocks).ok()?;
        bits.resize(blocks, 0);
        targets.resize(blocks, 0);
        Some(MarkBits { bits, targets })
    }

    /// Marks the first bytes of the object at `at`; returns whether they were not.
    #[inline]
    pub(super) fn mark_first(&mut self, at: u32) -> bool {
        let (block, bit) = position(at);
        let bits = &mut self.bits[block];
        let is_new = *bits & 1 << bit == 0;
        *bits |= 1 << bit;
        is_new
    }

    /// Marks all of an object of `size` bytes at `at`, whose first bytes are marked.
    #[inline]
    pub(super) fn mark_rest(&mut self, at: u32, size: u32) {
        let (block, bit) = position(at);
        let count = size / OBJECT_ALIGN;
        if bit + count <= u64::BITS {
            self.bits[block] |= u64::MAX >> (u64::BITS - count) << bit;
        } else {
            self.mark_blocks(block, bit, count);
        }
    }

    fn mark_blocks(&mut self, block: usize, bit: u32, count: u32) {
        self.bits[block] |= u64::MAX << bit;
        let rest = count - (u64::BITS - bit);
        let (whole, rest) = ((rest / u64::BITS) as usize, rest % u64::BITS);
        let next = block + 1;
        self.bits[next..next + whole].fill(u64::MAX);
        if rest != 0 {
            self.bits[next + whole] |= u64::MAX >> (u64::BITS - rest);
        }
    }

    /// Where the first byte is that is not marked.
    pub(super) fn first_gap(&self) -> u32 {
        let mut runs = self.runs();
        runs.skip_to(false).unwrap_or_else(|| runs.offset())
    }

    /// Decides where the marked objects go: to `start`, one after the other, in the order in which they
    /// lie. Returns where the last one will end.
    pub(super) fn place(&mut self, start: u32) -> u32 {
        let mut at = start;
        for (bits, target) in self.bits.iter().zip(&mut self.targets) {
            *target = at;
            at += bits.count_ones() * OBJECT_ALIGN;
        }
        at
    }

    /// Where the marked object at `at` goes.
    #[inline]
    pub(super) fn target(&self, at: u32) -> u32 {
        let (block, bit) = position(at);
        let before = self.bits[block] & !(u64::MAX << bit);
        self.targets[block] + before.count_ones() * OBJECT_ALIGN
    }

    /// The ranges of offsets in which all is marked, from the first to the last. A range holds whole
    /// objects.
    pub(super) fn runs(&self) -> Runs<'_> {
        Runs { bits: &self.bits, block: 0, bit: 0 }
    }
}

/// The word and the bit of an offset.
#[inline]
fn position(at: u32) -> (usize, u32) {
    let granule = at.wrapping_sub(YOUNG_END) / OBJECT_ALIGN;
    ((granule / u64::BITS) as usize, granule % u64::BITS)
}

/// See [`MarkBits::runs`].
pub(super) struct Runs<'a> {
    bits: &'a [u64],
    block: usize,
    /// Bits below are done.
    bit: u32,
}

impl Runs<'_> {
    /// Moves on to the first bit that is set, or if `set` is false to the first that is not.
    fn skip_to(&mut self, set: bool) -> Option<u32> {
        while let Some(&bits) = self.bits.get(self.block) {
            let bits = if set { bits } else { !bits };
            let left = bits & u64::MAX << self.bit;
            if left != 0 {
                self.bit = left.trailing_zeros();
                return Some(self.offset());
            }
            (self.block, self.bit) = (self.block + 1, 0);
        }
        None
    }

    fn offset(&self) -> u32 {
        YOUNG_END + self.block as u32 * BLOCK + self.bit * OBJECT_ALIGN
    }
}

impl Iterator for Runs<'_> {
    type Item = Range<u32>;

    fn next(&mut self) -> Option<Range<u32>> {
        let start = self.skip_to(true)?;
        let end = self.skip_to(false).unwrap_or_else(|| self.offset());
        Some(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_objects_slide_together() {
        let mut bits = MarkBits::new(YOUNG_END + 100_000).unwrap();
        let objects = [(0, 16), (24, 8), (504, 16), (1024, 512), (2048, 5000), (90_000, 64)];
        for (at, size) in objects {
            assert!(bits.mark_first(YOUNG_END + at) && !bits.mark_first(YOUNG_END + at));
            bits.mark_rest(YOUNG_END + at, size);
        }
        let mut target = YOUNG_END + 64;
        assert_eq!(bits.place(target), target + 16 + 8 + 16 + 512 + 5000 + 64);
        for (at, size) in objects {
            assert_eq!(bits.target(YOUNG_END + at), target);
            target += size;
        }
        assert_eq!(bits.first_gap(), YOUNG_END + 16);
        let runs: Vec<_> =
            bits.runs().map(|run| (run.start - YOUNG_END, run.len() as u32)).collect();
        assert_eq!(runs, objects);
    }

    #[test]
    fn neighbours_are_one_run_up_to_the_end() {
        let mut bits = MarkBits::new(YOUNG_END + 1024).unwrap();
        for at in (0..1024).step_by(16) {
            bits.mark_first(YOUNG_END + at);
            bits.mark_rest(YOUNG_END + at, 16);
        }
        assert_eq!(bits.first_gap(), YOUNG_END + 1024);
        assert_eq!(bits.runs().next(), Some(YOUNG_END..YOUNG_END + 1024));
        assert_eq!(bits.runs().count(), 1);
        let empty = MarkBits::new(YOUNG_END).unwrap();
        assert!(empty.runs().next().is_none());
        assert_eq!(empty.first_gap(), YOUNG_END);
    }
}
