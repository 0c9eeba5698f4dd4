//! What an object consists of: its size, and which of its words are references. The only file of
//! the collector that knows kinds of objects.

use super::object::RowId;
use super::space::Memory;
use crate::abi::exception::{references_of_shape, size_of_shape};
use crate::abi::object::{
    ARRAY_LEN, EXN_FIELDS, EXN_SHAPE, EXTERN_ROW, EXTERN_SIZE, FIELDS, TYPE_EXN, TYPE_EXTERN,
};
use crate::abi::shape::{self, References, array_size};
use crate::vm::type_table::Shapes;

/// What the collector must know of an object.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape<'a> {
    /// A host object: no references, one row.
    Host(RowId),
    /// An exception, described by its shape word.
    Exception(u32),
    /// A struct of this size.
    Struct { size: u32, references: References<'a> },
    /// An array: where its elements begin, its size, and how many of its elements are references: all
    /// or none.
    Array { first: u32, size: u32, references: u32 },
}

impl<'a> Shape<'a> {
    /// The shape of the object at `at`, whose type word is `ty`.
    ///
    /// # Panics
    ///
    /// Panics when there is no object: a reference in a root or a field was not one.
    #[inline(always)]
    pub(super) fn of(memory: Memory<'_>, shapes: Shapes<'a>, at: u32, ty: u32) -> Shape<'a> {
        match shapes.get(ty) {
            shape::Shape::Struct { size, references } => Shape::Struct { size, references },
            shape::Shape::Array { first, size_log2, references } => {
                let len = memory.word(at + ARRAY_LEN);
                let size = array_size(first, size_log2, len);
                Shape::Array { first, size, references: if references { len } else { 0 } }
            }
            shape::Shape::None => match ty {
                TYPE_EXTERN => Shape::Host(RowId(memory.word(at + EXTERN_ROW))),
                TYPE_EXN => Shape::Exception(memory.word(at + EXN_SHAPE)),
                _ => unknown(at, ty),
            },
        }
    }

    /// The bytes it occupies.
    #[inline(always)]
    pub(super) fn size(self) -> u32 {
        match self {
            Shape::Host(_) => EXTERN_SIZE,
            Shape::Exception(shape) => size_of_shape(shape),
            Shape::Struct { size, .. } | Shape::Array { size, .. } => size,
        }
    }

    /// Calls `visit` with the offset of each reference of the object at `at`.
    #[inline(always)]
    pub(super) fn references(self, at: u32, mut visit: impl FnMut(u32)) {
        // Loops as the machine sees them: iterators are not sure to be inlined here.
        let (mut slot, left) = match self {
            Shape::Host(_) => return,
            Shape::Exception(shape) => (at + EXN_FIELDS, references_of_shape(shape)),
            Shape::Array { first, references, .. } => (at + first, references),
            Shape::Struct { references: References::Short(mut bits), .. } => {
                while bits != 0 {
                    visit(at + FIELDS + 4 * bits.trailing_zeros());
                    bits &= bits - 1;
                }
                return;
            }
            Shape::Struct { references, .. } => {
                return references.offsets().for_each(|offset| visit(at + offset));
            }
        };
        for _ in 0..left {
            visit(slot);
            slot += 4;
        }
    }
}

#[cold]
#[inline(never)]
fn unknown(at: u32, ty: u32) -> ! {
    panic!("heap invariant: the object at {at:#x} has the unknown type {ty:#x}")
}
