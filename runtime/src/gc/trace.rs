//! What an object consists of: its size, and which of its words are references. The only file of
//! the collector that knows kinds of objects.

use super::object::RowId;
use super::space::Memory;
use crate::abi::exception::{references_of_shape, size_of_shape};
use crate::abi::object::{
    EXN_FIELDS, EXN_SHAPE, EXTERN_ROW, EXTERN_SIZE, HEADER_GC, TYPE_EXN, TYPE_EXTERN, TYPE_GAP,
};

/// What the collector must know of an object.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// A host object: no references, one row.
    Host(RowId),
    /// An exception, described by its shape word.
    Exception(u32),
    /// No object, but so many bytes between two.
    Gap(u32),
}

impl Shape {
    /// The shape of the object at `at`, whose type word is `ty`.
    ///
    /// # Panics
    ///
    /// Panics when there is no object: a reference in a root or a field was not one.
    #[inline(always)]
    pub(super) fn of(memory: Memory<'_>, at: u32, ty: u32) -> Shape {
        match ty {
            TYPE_EXTERN => Shape::Host(RowId(memory.word(at + EXTERN_ROW))),
            TYPE_EXN => Shape::Exception(memory.word(at + EXN_SHAPE)),
            TYPE_GAP => Shape::Gap(memory.word(at + HEADER_GC)),
            _ => unknown(at, ty),
        }
    }

    /// The bytes it occupies.
    #[inline(always)]
    pub(super) fn size(self) -> u32 {
        match self {
            Shape::Host(_) => EXTERN_SIZE,
            Shape::Exception(shape) => size_of_shape(shape),
            Shape::Gap(size) => size,
        }
    }

    /// Whether it may hold references.
    #[inline(always)]
    pub(super) fn has_references(self) -> bool {
        match self {
            Shape::Host(_) | Shape::Gap(_) => false,
            Shape::Exception(shape) => references_of_shape(shape) != 0,
        }
    }

    /// Calls `visit` with the offset of each reference of the object at `at`.
    #[inline(always)]
    pub(super) fn references(self, at: u32, mut visit: impl FnMut(u32)) {
        match self {
            Shape::Host(_) | Shape::Gap(_) => {}
            Shape::Exception(shape) => {
                for number in 0..references_of_shape(shape) {
                    visit(at + EXN_FIELDS + number * size_of::<u32>() as u32);
                }
            }
        }
    }
}

#[cold]
#[inline(never)]
fn unknown(at: u32, ty: u32) -> ! {
    panic!("heap invariant: the object at {at:#x} has the unknown type {ty:#x}")
}
