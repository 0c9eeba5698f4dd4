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
use crate::vm::type_table::TypeTable;

/// A full collection in progress.
pub(super) struct Full<'a> {
    memory: Memory<'a>,
    types: &'a TypeTable,
    hosts: &'a mut HostTable,
    large: &'a LargeObjects,
    bits: MarkBits,
    /// Marked objects whose references have not been looked at.
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
        types: &'a TypeTable,
        hosts: &'a mut HostTable,
        large: &'a LargeObjects,
        bits: MarkBits,
        stack_limit: usize,
    ) -> Full<'a> {
        hosts.begin_cycle();
        Full {
            memory,
            types,
            hosts,
            large,
            bits,
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
        let memory = self.memory;
        let [ty, _] = memory.header(at);
        let shape = if at >= self.large.start() {
            if !LargeObjects::mark(memory, at) {
                return;
            }
            Shape::of(memory, self.types, at, ty)
        } else {
            if self.bits.is_marked(at) {
                return;
            }
            let shape = Shape::of(memory, self.types, at, ty);
            self.bits.mark(at, shape.size());
            shape
        };
        if let Shape::Host(row) = shape {
            self.hosts.reach(row);
        } else if shape.has_references() {
            self.push(at);
        }
    }

    #[inline]
    fn push(&mut self, at: u32) {
        let has_room =
            self.stack.len() < self.stack.capacity() || self.stack.try_reserve(1).is_ok();
        if has_room && self.stack.len() < self.stack_limit {
            self.stack.push(at);
        } else {
            self.overflowed = true;
        }
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
                    at += self.mark_references(at).size();
                    self.drain();
                }
            }
            let (large, memory) = (self.large, self.memory);
            for at in large.objects().filter(|at| LargeObjects::is_marked(memory, *at)) {
                self.mark_references(at);
                self.drain();
            }
        }
        self.hosts.end_cycle();
    }

    fn drain(&mut self) {
        while let Some(at) = self.stack.pop() {
            self.mark_references(at);
        }
    }

    #[inline]
    fn mark_references(&mut self, at: u32) -> Shape<'a> {
        let memory = self.memory;
        let [ty, _] = memory.header(at);
        let shape = Shape::of(memory, self.types, at, ty);
        shape.references(at, |slot| self.mark(memory.word(slot)));
        shape
    }

    /// Decides where the old objects go: together, from `start` on. Returns where that is.
    pub(super) fn place(&mut self, start: u32) -> Range<u32> {
        start..self.bits.place(start)
    }

    /// Updates a reference to where its object goes.
    #[inline]
    pub(super) fn update(&self, slot: &mut u32) {
        *slot = self.target(*slot);
    }

    #[inline]
    fn target(&self, reference: u32) -> u32 {
        match GcRef::from_raw(reference).and_then(GcRef::offset) {
            Some(at) if at < self.large.start() => self.bits.target(at),
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
                at += self.update_references(at).size();
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

    #[inline]
    fn update_references(&self, at: u32) -> Shape<'a> {
        let memory = self.memory;
        let [ty, _] = memory.header(at);
        let shape = Shape::of(memory, self.types, at, ty);
        shape.references(at, |slot| memory.set_word(slot, self.target(memory.word(slot))));
        shape
    }
}
