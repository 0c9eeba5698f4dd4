//! What an object consists of: its size, and which of its words are references. The only file of
//! the collector that knows kinds of objects.

use super::object::{RowId, array_len, exception_shape, host_row, type_word};
use super::space::Space;
use crate::abi::exception::{references_of_shape, size_of_shape};
use crate::abi::object::{EXN_FIELDS, EXTERN_SIZE};
use crate::abi::shape::{self, References, array_size};
use crate::vm::type_table::TypeTable;

/// What the collector must know of an object.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape<'a> {
    /// A host object: no references, one row.
    Host(RowId),
    /// An exception, described by its shape word.
    Exception(u32),
    /// A struct of this size.
    Struct(u32, References<'a>),
    /// An array: where its elements begin, and its size.
    Array { first: u32, size: u32, references: u32 },
}

impl<'a> Shape<'a> {
    /// The shape of the object at `at`.
    ///
    /// # Panics
    ///
    /// Panics when there is no object: a reference in a root or a field was not one.
    pub(super) fn of(space: &Space, types: &'a TypeTable, at: u32) -> Shape<'a> {
        let ty = type_word(space, at);
        match types.shape(ty) {
            shape::Shape::Struct { size, references } => Shape::Struct(size, references),
            shape::Shape::Array { first, size_log2, references } => {
                let len = array_len(space, at);
                let size = array_size(first, size_log2, len);
                Shape::Array { first, size, references: if references { len } else { 0 } }
            }
            shape::Shape::None => {
                if let Some(row) = host_row(space, at) {
                    Shape::Host(row)
                } else if let Some(shape) = exception_shape(space, at) {
                    Shape::Exception(shape)
                } else {
                    panic!("heap invariant: the object at {at:#x} has the unknown type {ty:#x}")
                }
            }
        }
    }

    /// The bytes it occupies.
    pub(super) fn size(self) -> u32 {
        match self {
            Shape::Host(_) => EXTERN_SIZE,
            Shape::Exception(shape) => size_of_shape(shape),
            Shape::Struct(size, _) | Shape::Array { size, .. } => size,
        }
    }

    /// Calls `visit` with the offsets, from the start of the object, of its words that are
    /// references.
    pub(super) fn references(self, visit: impl FnMut(u32)) {
        let words = |first: u32, count: u32| (first..).step_by(4).take(count as usize);
        match self {
            Shape::Host(_) => {}
            Shape::Exception(shape) => {
                words(EXN_FIELDS, references_of_shape(shape)).for_each(visit);
            }
            Shape::Struct(_, references) => references.offsets().for_each(visit),
            Shape::Array { first, references, .. } => words(first, references).for_each(visit),
        }
    }
}
