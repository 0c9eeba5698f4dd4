//! What an object consists of: its size, and which of its words are references. The only file of
//! the collector that knows kinds of objects.

use super::object::{RowId, exception_shape, host_row, type_word};
use super::space::Space;
use crate::abi::exception::{references_of_shape, size_of_shape};
use crate::abi::object::{EXN_FIELDS, EXTERN_SIZE};

/// What the collector must know of an object.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// A host object: no references, one row.
    Host(RowId),
    /// An exception, described by its shape word.
    Exception(u32),
}

impl Shape {
    /// The shape of the object at `at`.
    ///
    /// # Panics
    ///
    /// Panics when there is no object: a reference in a root or a field was not one.
    pub(super) fn of(space: &Space, at: u32) -> Shape {
        if let Some(row) = host_row(space, at) {
            Shape::Host(row)
        } else if let Some(shape) = exception_shape(space, at) {
            Shape::Exception(shape)
        } else {
            panic!(
                "heap invariant: the object at {at:#x} has the unknown type {:#x}",
                type_word(space, at)
            )
        }
    }

    /// The bytes it occupies.
    pub(super) fn size(self) -> u32 {
        match self {
            Shape::Host(_) => EXTERN_SIZE,
            Shape::Exception(shape) => size_of_shape(shape),
        }
    }

    /// The offsets, from the start of the object, of its words that are references.
    pub(super) fn references(self) -> impl Iterator<Item = u32> {
        let count = match self {
            Shape::Host(_) => 0,
            Shape::Exception(shape) => references_of_shape(shape),
        };
        (EXN_FIELDS..).step_by(size_of::<u32>()).take(count as usize)
    }
}
