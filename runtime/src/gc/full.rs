//! A full collection: marks what the roots lead to, then slides the old objects that live together
//! and frees the large ones that do not. The nursery is empty meanwhile.
//!
//! 1. [`Full::mark_root`] for every root, then [`Full::finish_marking`];
//! 2. [`Full::place`] decides where objects go;
//! 3. [`Full::update`] for every root, and [`Full::slide`] for all objects.

use std::ops::Range;

use super::externs::HostTable;
use super::large::LargeObjects;
use super::mark_bits::MarkBits;
use super::object::GcRef;
use super::space::Memory;
use super::trace::Shape;
use crate::abi::object::YOUNG_END;
use crate::vm::type_table::Shapes;

/// A full collection in progress.
pub(super) struct Full<'a> {
    memory: Memory<'a>,
    shapes: Shapes<'a>,
    hosts: &'a mut HostTable,
    large: &'a LargeObjects,
    /// Where large objects begin.
    large_start: u32,
    bits: MarkBits,
    /// Old objects before it all live and do not move: known once objects have their places.
    settled: u32,
    /// Objects that have been reached and not been looked at. Of an old one the first bytes are marked.
    stack: Vec<u32>,
    /// How many of them there may be.
    stack_limit: usize,
    /// Some object did not fit on the stack.
    overflowed: bool,
}

impl<'a> Full<'a> {
    /// Begins a collection. `bits` is clear and has room for all of `old`.
    pub(super) fn new(
        memory: Memory<'a>,
        shapes: Shapes<'a>,
        hosts: &'a mut HostTable,
        large: &'a LargeObjects,
        bits: MarkBits,
        stack_limit: usize,
    ) -> Full<'a> {
        hosts.begin_cycle();
        Full {
            memory,
            shapes,
            hosts,
            large,
            large_start: large.start(),
            bits,
            settled: YOUNG_END,
            stack: Vec::new(),
            stack_limit,
            overflowed: false,
        }
    }

    /// Marks the object that a root leads to.
    #[inline]
    pub(super) fn mark_root(&mut self, reference: u32) {
        self.mark(reference);
    }

    #[inline]
    fn mark(&mut self, reference: u32) {
        let Some(at) = GcRef::from_raw(reference).and_then(GcRef::offset) else { return };
        let is_new = match at >= self.large_start {
            true => LargeObjects::mark(self.memory, at),
            false => self.bits.mark_first(at),
        };
        if is_new && (self.stack.len() < self.stack.capacity() || self.has_room()) {
            self.stack.push(at);
        } else if is_new {
            // Whoever looks for it again finds whole objects only.
            self.mark_rest(at);
            self.overflowed = true;
        }
    }

    #[cold]
    fn has_room(&mut self) -> bool {
        let len = self.stack.len();
        let additional = len.max(1024).min(self.stack_limit.saturating_sub(len));
        additional > 0 && self.stack.try_reserve_exact(additional).is_ok()
    }

    /// Marks all bytes of an object whose first ones are marked, and the payload of a host object.
    #[inline(always)]
    fn mark_rest(&mut self, at: u32) -> Shape<'a> {
        let shape = self.shape(at);
        if at < self.large_start {
            self.bits.mark_rest(at, shape.size());
        }
        if let Shape::Host(row) = shape {
            self.hosts.reach(row);
        }
        shape
    }

    #[inline(always)]
    fn shape(&self, at: u32) -> Shape<'a> {
        let [ty, _] = self.memory.header(at);
        Shape::of(self.memory, self.shapes, at, ty)
    }

    /// Marks everything that marked objects lead to.
    pub(super) fn finish_marking(&mut self) {
        self.drain();
        // Rare: without memory for the stack, what is marked is looked at again as a whole.
        while std::mem::take(&mut self.overflowed) {
            let runs: Vec<_> = self.bits.runs().collect();
            for run in runs {
                let mut at = run.start;
                while at < run.end {
                    let shape = self.shape(at);
                    self.mark_references(at, shape);
                    at += shape.size();
                    self.drain();
                }
            }
            let (large, memory) = (self.large, self.memory);
            for at in large.objects().filter(|at| LargeObjects::is_marked(memory, *at)) {
                self.mark_references(at, self.shape(at));
                self.drain();
            }
        }
        self.hosts.end_cycle();
    }

    fn drain(&mut self) {
        while let Some(at) = self.stack.pop() {
            let shape = self.mark_rest(at);
            self.mark_references(at, shape);
        }
    }

    #[inline(always)]
    fn mark_references(&mut self, at: u32, shape: Shape<'a>) {
        let memory = self.memory;
        shape.references(at, |slot| self.mark(memory.word(slot)));
    }

    /// Decides where the old objects go: together, from `start` on. Returns where that is.
    pub(super) fn place(&mut self, start: u32) -> Range<u32> {
        if start == YOUNG_END {
            self.settled = self.bits.first_gap();
        }
        start..self.bits.place(start)
    }

    /// Updates a reference to where its object goes.
    #[inline]
    pub(super) fn update(&self, slot: &mut u32) {
        *slot = self.target(*slot);
    }

    #[inline]
    fn target(&self, reference: u32) -> u32 {
        // Null is before all objects.
        let stays = reference < self.settled || reference >= self.large_start;
        match GcRef::from_raw(reference).and_then(GcRef::offset) {
            Some(at) if !stays => self.bits.target(at),
            _ => reference,
        }
    }

    /// Updates the references in all objects that live, and moves the old ones to their places.
    pub(super) fn slide(self, placement: &Range<u32>) {
        let Full { memory, large, .. } = self;
        for at in large.objects().filter(|at| LargeObjects::is_marked(memory, *at)) {
            self.update_references(at);
        }
        // They slide down first, and then up as a whole.
        let lifted = placement.start - YOUNG_END;
        for run in self.bits.runs() {
            let mut at = run.start;
            while at < run.end {
                at += self.update_references(at);
            }
            let to = self.bits.target(run.start) - lifted;
            if to != run.start {
                memory.slide(run.start, to, run.end - run.start);
            }
        }
        if lifted != 0 {
            memory.slide(YOUNG_END, placement.start, placement.end - placement.start);
        }
    }

    /// Updates the references in the object at `at`; returns its size.
    #[inline(always)]
    fn update_references(&self, at: u32) -> u32 {
        let (memory, shape) = (self.memory, self.shape(at));
        shape.references(at, |slot| {
            let reference = memory.word(slot);
            let target = self.target(reference);
            if target != reference {
                memory.set_word(slot, target);
            }
        });
        shape.size()
    }
}
