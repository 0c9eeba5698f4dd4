//! The heap checker: walks the whole heap around collections and panics at the first thing that is
//! not as the other files promise. Runs when `gc_stress` is on and in unit tests.

use std::collections::HashSet;
use std::ops::Range;

use super::externs::HostTable;
use super::large::LargeObjects;
use super::object::{GcRef, is_young};
use super::roots::RootSet;
use super::space::Memory;
use super::store_buffer::StoreBuffer;
use super::trace::Shape;
use super::{Roots, VisitRoots, written};
use crate::abi::object::HEADER_GC;
use crate::vm::context::VmHeap;
use crate::vm::type_table::Shapes;

/// The heap as the checker sees it.
pub(super) struct Checker<'a> {
    memory: Memory<'a>,
    shapes: Shapes<'a>,
    large: &'a LargeObjects,
    /// Where objects begin.
    starts: HashSet<u32>,
    /// The slots of old objects that hold references.
    old_slots: Vec<u32>,
    rows: HashSet<u32>,
}

impl<'a> Checker<'a> {
    /// Walks all objects.
    ///
    /// # Panics
    ///
    /// Panics when objects do not follow each other, or are not what they should be.
    pub(super) fn new(
        memory: Memory<'a>,
        shapes: Shapes<'a>,
        nursery: Range<u32>,
        old: Range<u32>,
        large: &'a LargeObjects,
        hosts: &HostTable,
    ) -> Checker<'a> {
        let (starts, old_slots, rows) = Default::default();
        let mut checker = Checker { memory, shapes, large, starts, old_slots, rows };
        checker.walk(nursery, hosts);
        checker.walk(old, hosts);
        for at in large.objects() {
            checker.object(at, hosts);
        }
        checker
    }

    fn walk(&mut self, objects: Range<u32>, hosts: &HostTable) {
        let mut at = objects.start;
        while at < objects.end {
            at += self.object(at, hosts).size();
        }
        assert_eq!(at, objects.end, "heap check: the last object reaches beyond its space");
    }

    fn object(&mut self, at: u32, hosts: &HostTable) -> Shape<'a> {
        let [ty, _] = self.memory.header(at);
        let shape = Shape::of(self.memory, self.shapes, at, ty);
        let word = self.memory.word(at + HEADER_GC);
        assert_eq!(word, 0, "heap check: {at:#x} is still marked or forwarded");
        if let Shape::Host(row) = shape {
            hosts.payload(row);
            assert!(self.rows.insert(row.0), "heap check: two objects share {row:?}");
        }
        self.starts.insert(at);
        if !is_young(at) {
            shape.references(at, |slot| self.old_slots.push(slot));
        }
        shape
    }

    /// Checks what must hold before a minor collection: everything that leads to young objects from
    /// outside the nursery is in the buffer, or a root that the collection looks at; and everything in
    /// the buffer still exists.
    pub(super) fn before_minor(
        &self,
        buffer: &StoreBuffer,
        heap: &VmHeap,
        visit_roots: &mut VisitRoots<'_>,
    ) {
        let known: HashSet<_> = buffer.addresses().chain(written::addresses(heap)).collect();
        let mut gone = known.clone();
        for slot in &self.old_slots {
            let (reference, address) = (self.memory.word(*slot), self.memory.address(*slot));
            gone.remove(&address);
            let found = !is_young(reference) || known.contains(&address);
            assert!(found, "heap check: nobody logged the young {reference:#x} in {slot:#x}");
        }
        visit_roots(Roots::Definitions, &mut |slot| {
            let (reference, address) = (*slot, std::ptr::from_mut(slot).addr());
            gone.remove(&address);
            let found = !is_young(reference) || known.contains(&address);
            assert!(found, "heap check: nobody logged the young {reference:#x} in a definition");
        });
        assert!(gone.is_empty(), "heap check: slots were given up but are logged: {gone:x?}");
    }

    /// Checks the state after a collection, with an empty nursery.
    pub(super) fn after(
        &self,
        hosts: &HostTable,
        roots: &mut RootSet,
        visit_roots: &mut VisitRoots<'_>,
    ) {
        let check = |reference: u32| {
            if let Some(at) = GcRef::from_raw(reference).and_then(GcRef::offset) {
                assert!(!is_young(at), "heap check: {at:#x} is left in the evacuated nursery");
                let found = self.starts.contains(&at);
                assert!(found, "heap check: {at:#x} is not the start of an object");
            }
        };
        for slot in &self.old_slots {
            check(self.memory.word(*slot));
        }
        roots.visit(&mut |slot| check(*slot));
        for kind in [Roots::Frames, Roots::Definitions] {
            visit_roots(kind, &mut |slot| check(*slot));
        }
        for at in self.large.objects() {
            assert!(!LargeObjects::is_marked(self.memory, at), "heap check: {at:#x} is marked");
        }
        for (row, payload) in hosts.occupied() {
            let used = self.rows.contains(&row.0) || payload.is_borrowed();
            assert!(used, "heap check: {row:?} ({payload:?}) has lost its object");
        }
    }
}
