//! What an object consists of: its size, and which of its words are references. The only file of
//! the collector that knows kinds of objects.

use super::object::{RowId, host_row, type_word};
use super::space::Space;
use crate::abi::object::EXTERN_SIZE;

/// What the collector must know of an object.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// A host object: no references, one row.
    Host(RowId),
}

impl Shape {
    /// The shape of the object at `at`.
    ///
    /// # Panics
    ///
    /// Panics when there is no object: a reference in a root or a field was not one.
    pub(super) fn of(space: &Space, at: u32) -> Shape {
        match host_row(space, at) {
            Some(row) => Shape::Host(row),
            None => panic!(
                "heap invariant: the object at {at:#x} has the unknown type {:#x}",
                type_word(space, at)
            ),
        }
    }

    /// The bytes it occupies.
    pub(super) fn size(self) -> u32 {
        match self {
            Shape::Host(_) => EXTERN_SIZE,
        }
    }

    /// The offsets, from the start of the object, of its words that are references.
    pub(super) fn references(self) -> impl Iterator<Item = u32> {
        match self {
            Shape::Host(_) => std::iter::empty(),
        }
    }
}
