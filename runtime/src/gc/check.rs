//! The heap checker: walks the whole heap after a collection and panics at the first thing that is
//! not as the other files promise. Runs when `gc_stress` is on and in unit tests.

use std::collections::HashSet;

use super::externs::HostTable;
use super::object::{GcRef, forwarded};
use super::roots::RootSet;
use super::space::Space;
use super::trace::Shape;
use crate::vm::type_table::TypeTable;

/// Checks the state between two collections.
///
/// # Panics
///
/// Panics when it is inconsistent.
pub(super) fn check_heap(space: &Space, types: &TypeTable, hosts: &HostTable, roots: &mut RootSet) {
    let mut starts = HashSet::new();
    let mut rows = HashSet::new();
    let objects = space.objects();
    let mut at = objects.start;
    while at < objects.end {
        let shape = Shape::of(space, types, at);
        assert!(forwarded(space, at).is_none(), "heap check: {at:#x} is forwarded");
        if let Shape::Host(row) = shape {
            hosts.payload(row);
            assert!(rows.insert(row), "heap check: two objects share {row:?}");
        }
        starts.insert(at);
        at += shape.size();
    }
    assert_eq!(at, objects.end, "heap check: the last object reaches beyond the heap");
    check_references(space, types, roots, &starts);
    for (row, payload) in hosts.occupied() {
        let used = rows.contains(&row) || payload.is_borrowed();
        assert!(used, "heap check: {row:?} ({payload:?}) has lost its object");
    }
}

/// Every reference, in roots and in objects, is null, an i31 or the start of an object.
fn check_references(space: &Space, types: &TypeTable, roots: &mut RootSet, starts: &HashSet<u32>) {
    let check = |reference: u32| {
        if let Some(at) = GcRef::from_raw(reference).and_then(GcRef::offset) {
            assert!(starts.contains(&at), "heap check: {at:#x} is not the start of an object");
        }
    };
    for &at in starts {
        Shape::of(space, types, at).references(|field| {
            let [reference] = space.read(at + field);
            check(reference);
        });
    }
    roots.visit(&mut |slot| check(*slot));
}
