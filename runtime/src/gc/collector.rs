//! One collection: copies what is reachable from the roots to the other semispace. Knows neither
//! where roots are nor what objects consist of.

use super::externs::HostTable;
use super::object::{GcRef, forward, forwarded};
use super::space::Space;
use super::trace::Shape;
use crate::vm::type_table::TypeTable;

/// Calls its argument with every place that holds a reference, null and i31 included; the argument
/// may replace the reference.
pub(crate) type VisitRoots<'a> = dyn FnMut(&mut dyn FnMut(&mut u32)) + 'a;

/// A collection in progress.
pub(super) struct Collection<'a> {
    space: &'a mut Space,
    types: &'a TypeTable,
    hosts: &'a mut HostTable,
    /// Where scanning continues: objects before it have had their references forwarded.
    scanned: u32,
    old: std::ops::Range<u32>,
}

impl<'a> Collection<'a> {
    /// Moves every object that `visit_roots` leads to, updates all references to it, and leaves
    /// the payloads of the other host objects dead in `hosts`.
    pub(super) fn run(
        space: &'a mut Space,
        types: &'a TypeTable,
        hosts: &'a mut HostTable,
        visit_roots: &mut VisitRoots<'_>,
    ) {
        let old = space.flip();
        let scanned = space.objects().start;
        let mut collection = Collection { space, types, hosts, scanned, old };
        collection.hosts.begin_cycle();
        visit_roots(&mut |slot| collection.forward_slot(slot));
        collection.scan();
        collection.hosts.end_cycle();
        collection.space.finish_flip(collection.old);
    }

    /// Forwards the references in the objects that were moved, which moves more.
    fn scan(&mut self) {
        while self.scanned < self.space.objects().end {
            let at = self.scanned;
            let shape = Shape::of(self.space, self.types, at);
            shape.references(|field| {
                let [mut reference] = self.space.read(at + field);
                self.forward_slot(&mut reference);
                self.space.write(at + field, [reference]);
            });
            self.scanned += shape.size();
        }
    }

    /// Replaces the reference in `slot` by one to where its object is now.
    fn forward_slot(&mut self, slot: &mut u32) {
        if let Some(at) = GcRef::from_raw(*slot).and_then(GcRef::offset) {
            *slot = self.evacuate(at);
        }
    }

    /// Where the object at `at` is now; moves it there if nobody did.
    fn evacuate(&mut self, at: u32) -> u32 {
        assert!(self.old.contains(&at), "root invariant: {at:#x} was no reference to an object");
        if let Some(to) = forwarded(self.space, at) {
            return to;
        }
        let shape = Shape::of(self.space, self.types, at);
        let to = self.space.copy(at, shape.size());
        forward(self.space, at, to);
        if let Shape::Host(row) = shape {
            self.hosts.reach(row);
        }
        to
    }
}
