//! A minor collection: moves what lives in the nursery to the end of the old objects. It looks at
//! what may lead to young objects and at nothing else, so how much is old does not matter.
//!
//! Whoever runs it has made sure that the memory behind the old objects has room for all young ones:
//! it cannot fail.

use std::ops::Range;

use super::externs::HostTable;
use super::object::is_young;
use super::space::Memory;
use super::trace::Shape;
use crate::abi::object::HEADER_GC;
use crate::vm::type_table::Shapes;

/// A minor collection in progress.
pub(super) struct Minor<'a> {
    memory: Memory<'a>,
    shapes: Shapes<'a>,
    hosts: &'a mut HostTable,
    nursery: Range<u32>,
    /// Objects before it have had their references updated.
    scanned: u32,
    /// Where the next object goes.
    top: u32,
}

impl<'a> Minor<'a> {
    /// Begins to move the objects in `nursery` to `top` and behind it.
    pub(super) fn new(
        memory: Memory<'a>,
        shapes: Shapes<'a>,
        hosts: &'a mut HostTable,
        nursery: Range<u32>,
        top: u32,
    ) -> Minor<'a> {
        hosts.begin_cycle();
        Minor { memory, shapes, hosts, nursery, scanned: top, top }
    }

    /// Updates a root, whose object it moves if it is young.
    #[inline]
    pub(super) fn root(&mut self, slot: &mut u32) {
        if is_young(*slot) {
            *slot = self.evacuate(*slot);
        }
    }

    /// Where the young object at `at` is now; moves it there if nobody did.
    pub(super) fn evacuate(&mut self, at: u32) -> u32 {
        self.evacuate_here(at)
    }

    /// [`Minor::evacuate`], for the loop over all objects that have been moved.
    #[inline(always)]
    fn evacuate_here(&mut self, at: u32) -> u32 {
        let memory = self.memory;
        if at.wrapping_sub(self.nursery.start) >= self.nursery.end - self.nursery.start {
            no_object(at);
        }
        let [ty, moved] = memory.header(at);
        if moved != 0 {
            return moved;
        }
        let shape = Shape::of(memory, self.shapes, at, ty);
        let (to, size) = (self.top, shape.size());
        memory.copy(at, to, size);
        memory.set_word(at + HEADER_GC, to);
        self.top += size;
        if let Shape::Host(row) = shape {
            self.hosts.reach(row);
        }
        to
    }

    /// Moves what the moved objects lead to, and so on. Returns where the next old object goes.
    pub(super) fn finish(mut self) -> u32 {
        let memory = self.memory;
        while self.scanned < self.top {
            let at = self.scanned;
            let [ty, _] = memory.header(at);
            let shape = Shape::of(memory, self.shapes, at, ty);
            shape.references(at, |slot| {
                let reference = memory.word(slot);
                if is_young(reference) {
                    memory.set_word(slot, self.evacuate_here(reference));
                }
            });
            self.scanned += shape.size();
        }
        self.hosts.end_minor_cycle();
        self.top
    }
}

#[cold]
#[inline(never)]
fn no_object(at: u32) -> ! {
    panic!("root invariant: {at:#x} was no reference to an object")
}
