//! References and object headers: what a `u32` in the GC heap means. Never touches memory itself.

use std::num::NonZeroU32;

use super::space::Space;
pub(super) use crate::abi::object::is_young;

use crate::abi::exception::ExnLayout;
use crate::abi::object::{
    ARRAY_LEN, EXN_SHAPE, EXN_TAG, EXTERN_ROW, EXTERN_SIZE, HEADER_TYPE, I31_TAG, OBJECT_ALIGN,
    TYPE_EXN, TYPE_EXTERN,
};

/// A non-null reference: an offset from the heap base, or an i31 in the reference itself.
///
/// It names an object only until the next collection; whoever keeps one longer keeps it in a place
/// that the collector visits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(transparent)]
pub(crate) struct GcRef(NonZeroU32);

impl GcRef {
    /// The reference with these bits; `None` for null.
    #[inline]
    pub(crate) fn from_raw(raw: u32) -> Option<GcRef> {
        NonZeroU32::new(raw).map(GcRef)
    }

    /// The bits as Wasm sees them.
    #[inline]
    pub(crate) fn to_raw(self) -> u32 {
        self.0.get()
    }

    /// Whether this is an i31 rather than an object.
    #[inline]
    pub(crate) fn is_i31(self) -> bool {
        self.to_raw() & I31_TAG != 0
    }

    /// Where the object starts; `None` for an i31.
    #[inline]
    pub(super) fn offset(self) -> Option<u32> {
        (!self.is_i31()).then_some(self.to_raw())
    }
}

/// The position of a payload in the host table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct RowId(pub(super) u32);

/// The words of a host object, in order.
const HOST_WORDS: usize = EXTERN_SIZE as usize / size_of::<u32>();
const TYPE_WORD: usize = HEADER_TYPE as usize / size_of::<u32>();
const ROW_WORD: usize = EXTERN_ROW as usize / size_of::<u32>();

const _: () = assert!(EXTERN_SIZE.is_multiple_of(OBJECT_ALIGN));

/// Makes the object at `at` a host object.
#[inline]
pub(super) fn write_host(space: &mut Space, at: u32, row: RowId) {
    let mut words = [0; HOST_WORDS];
    words[TYPE_WORD] = TYPE_EXTERN;
    words[ROW_WORD] = row.0;
    space.fill_in(at, words);
}

/// The row of the object at `at`, if it is a host object.
#[inline]
pub(super) fn host_row(space: &Space, at: u32) -> Option<RowId> {
    (space.word(at + HEADER_TYPE) == TYPE_EXTERN).then(|| RowId(space.word(at + EXTERN_ROW)))
}

/// Makes the object at `at` an exception of the tag at position `tag`, with a payload of zeros.
pub(super) fn write_exception(space: &mut Space, at: u32, tag: u32, layout: &ExnLayout) {
    for word in (0..layout.size).step_by(size_of::<u32>()) {
        space.write(at + word, [0]);
    }
    space.write(at + HEADER_TYPE, [TYPE_EXN]);
    space.write(at + EXN_TAG, [tag]);
    space.write(at + EXN_SHAPE, [layout.shape_word()]);
}

/// The shape word of the object at `at`, if it is an exception.
#[inline]
pub(super) fn exception_shape(space: &Space, at: u32) -> Option<u32> {
    (type_word(space, at) == TYPE_EXN).then(|| {
        let [shape] = space.read(at + EXN_SHAPE);
        shape
    })
}

/// The number of elements of the array at `at`.
#[inline]
pub(super) fn array_len(space: &Space, at: u32) -> u32 {
    let [len] = space.read(at + ARRAY_LEN);
    len
}

/// The `type` word of the object at `at`.
#[inline]
pub(super) fn type_word(space: &Space, at: u32) -> u32 {
    let [word] = space.read(at + HEADER_TYPE);
    word
}
