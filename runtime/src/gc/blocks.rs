//! Blocks: the allocations of payloads, and those that dead payloads have left for others of the same
//! layout. Knows nothing of what is in them.
//!
//! Host objects die by the thousand and are made again by the thousand; giving their memory back to the
//! allocator in between costs more than everything else about them.
//!
//! Invariant: a [`Block`], and whatever is in a list of [`Blocks`], is an allocation of the global
//! allocator with the layout that it is kept under, and is used by nobody else.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

/// The largest blocks that are kept, in bytes.
const LARGEST: usize = 31 * UNIT;
/// The alignment of all that are kept, and so what their sizes are multiples of.
const UNIT: usize = align_of::<usize>();
/// The most bytes in all lists.
const KEPT_MAX: usize = 1 << 20;

/// An allocation with nothing in it, which is freed when this is dropped.
#[derive(Debug)]
pub(crate) struct Block {
    start: NonNull<u8>,
    layout: Layout,
}

impl Block {
    /// Takes over an allocation.
    ///
    /// # Safety
    ///
    /// `start` is an allocation of the global allocator with this layout, which nobody else uses.
    pub(super) unsafe fn new(start: NonNull<u8>, layout: Layout) -> Block {
        Block { start, layout }
    }

    /// Room for `layout`, which is not empty, from the allocator.
    #[cold]
    #[inline(never)]
    fn allocate(layout: Layout) -> Block {
        assert!(layout.size() > 0, "a payload has a header");
        // SAFETY: the layout is not empty.
        let start = NonNull::new(unsafe { alloc(layout) });
        Block { start: start.unwrap_or_else(|| handle_alloc_error(layout)), layout }
    }

    /// The allocation, for the caller to free.
    #[inline]
    pub(super) fn into_raw(self) -> NonNull<u8> {
        ManuallyDrop::new(self).start
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: by the invariant of this module.
        unsafe { dealloc(self.start.as_ptr(), self.layout) }
    }
}

/// What the first word of a kept block leads to: the next one of its list.
type Link = Option<NonNull<u8>>;

/// The lists of all sizes that are kept.
type Lists = [Link; LARGEST / UNIT + 1];

/// The blocks that one store keeps, by their sizes.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// Made for the first block: most stores never have one.
    lists: Option<Box<Lists>>,
    bytes: usize,
}

// SAFETY: the blocks belong to this value alone.
unsafe impl Send for Blocks {}
// SAFETY: `&Blocks` does nothing.
unsafe impl Sync for Blocks {}

impl Blocks {
    /// The list for blocks of `layout`, if such are kept.
    #[inline]
    fn list(layout: Layout) -> Option<usize> {
        let size = layout.size();
        let kept = layout.align() == UNIT && (UNIT..=LARGEST).contains(&size);
        (kept && size.is_multiple_of(UNIT)).then_some(size / UNIT)
    }

    /// A block of `layout`, which is not empty.
    #[inline]
    pub(super) fn take(&mut self, layout: Layout) -> Block {
        let list = Blocks::list(layout).zip(self.lists.as_mut());
        let Some((list, lists)) = list else { return Block::allocate(layout) };
        let Some(start) = lists[list] else { return Block::allocate(layout) };
        // SAFETY: a block in a list holds a link, which `keep` wrote.
        lists[list] = unsafe { start.cast::<Link>().read() };
        self.bytes -= layout.size();
        // SAFETY: the block was in the list of this layout, and is no longer.
        unsafe { Block::new(start, layout) }
    }

    /// Keeps a block, unless there are enough.
    #[inline]
    pub(super) fn keep(&mut self, block: Block) {
        let layout = block.layout;
        let Some(list) = Blocks::list(layout) else { return };
        if self.bytes + layout.size() > KEPT_MAX {
            return;
        }
        self.bytes += layout.size();
        let lists = self.lists.get_or_insert_default();
        let start = block.into_raw();
        // SAFETY: the block is ours, aligned for a link and at least as large, as `list` says.
        unsafe { start.cast::<Link>().write(lists[list]) };
        lists[list] = Some(start);
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        for list in 0..=LARGEST / UNIT {
            let layout = Layout::from_size_align(list * UNIT, UNIT);
            let layout = layout.expect("a list holds blocks of a size that is possible");
            while self.lists.as_ref().is_some_and(|lists| lists[list].is_some()) {
                drop(self.take(layout));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    #[test]
    fn a_block_is_taken_again_for_its_own_layout_only() {
        let mut blocks = Blocks::default();
        let block = blocks.take(layout(64, UNIT));
        let start = block.start;
        blocks.keep(block);
        assert_eq!(blocks.bytes, 64);
        let others = [layout(72, UNIT), layout(64, 2 * UNIT), layout(64, 1)];
        assert!(others.map(|layout| blocks.take(layout)).iter().all(|block| block.start != start));
        let (again, fresh) = (blocks.take(layout(64, UNIT)), blocks.take(layout(64, UNIT)));
        assert_eq!((again.start, blocks.bytes), (start, 0));
        assert_ne!(fresh.start, start);
    }

    #[test]
    fn only_so_much_is_kept() {
        let mut blocks = Blocks::default();
        for size in [LARGEST, 64] {
            let layout = layout(size, UNIT);
            let all: Vec<Block> = (0..KEPT_MAX / 64).map(|_| Block::allocate(layout)).collect();
            all.into_iter().for_each(|block| blocks.keep(block));
            assert!((KEPT_MAX - size + 1..=KEPT_MAX).contains(&blocks.bytes), "{}", blocks.bytes);
        }
    }

    #[test]
    fn unusual_blocks_are_freed() {
        let mut blocks = Blocks::default();
        for layout in [layout(LARGEST + UNIT, UNIT), layout(64, 64), layout(4, 4), layout(12, UNIT)]
        {
            let block = blocks.take(layout);
            blocks.keep(block);
            assert_eq!(blocks.bytes, 0);
        }
    }
}
