//! Where the payload of an exception lies in its object. Compiled code writes and reads it there;
//! the collector needs nothing but the object itself.
//!
//! ```text
//!  0        4        8        12                16
//!  +--------+--------+--------+--------+--------+-- .. --+-- ..
//!  | EXN    | gc     | tag    | refs   | blocks | references, then other values
//!  +--------+--------+--------+--------+--------+-- .. --+-- ..
//! ```
//!
//! `tag` is the position of the tag in its store: the identity that handlers compare. `refs` (16
//! bits) counts the references into the GC heap, `blocks` (16 bits) the 8-byte units of the whole
//! object. Function references are 8-byte addresses among the other values: records never move.

use super::object::{EXN_FIELDS, OBJECT_ALIGN};
use super::signature::LoweredType;

/// The payload of the exceptions of one tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExnLayout {
    /// By parameter of the tag's type. Offsets are multiples of the value's size, but for vectors,
    /// which are aligned to 8 bytes.
    pub(crate) fields: Box<[ExnField]>,
    /// The number of references into the GC heap; they are the first of the fields.
    pub(crate) references: u32,
    /// Bytes of the object.
    pub(crate) size: u32,
}

/// One value of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExnField {
    /// Bytes from the start of the object.
    pub(crate) offset: u32,
    pub(crate) ty: LoweredType,
    /// Whether it is a reference into the GC heap.
    pub(crate) is_reference: bool,
}

impl ExnLayout {
    /// The layout of a payload of these types, each with whether it is a reference into the GC heap.
    pub(crate) fn new(types: &[(LoweredType, bool)]) -> ExnLayout {
        let field = |(ty, is_reference): &(LoweredType, bool)| ExnField {
            offset: 0,
            ty: *ty,
            is_reference: *is_reference,
        };
        let mut fields: Box<[ExnField]> = types.iter().map(field).collect();
        let mut end = EXN_FIELDS;
        for class in [Class::Reference, Class::Bytes4, Class::Bytes8, Class::Bytes16] {
            end = end.next_multiple_of(class.size().min(OBJECT_ALIGN));
            for (field, (ty, is_ref)) in fields.iter_mut().zip(types) {
                if Class::of(*ty, *is_ref) == class {
                    field.offset = end;
                    end += class.size();
                }
            }
        }
        let references = types.iter().filter(|(_, is_ref)| *is_ref).count();
        ExnLayout {
            fields,
            references: u32::try_from(references).expect("validated: at most 1000 parameters"),
            size: end.next_multiple_of(OBJECT_ALIGN),
        }
    }

    /// The word that tells the collector the size of the object and its references.
    pub(crate) fn shape_word(&self) -> u32 {
        (self.size / OBJECT_ALIGN) << 16 | self.references
    }
}

/// The size of an object with this shape word.
pub(crate) fn size_of_shape(word: u32) -> u32 {
    (word >> 16) * OBJECT_ALIGN
}

/// The number of references of an object with this shape word.
pub(crate) fn references_of_shape(word: u32) -> u32 {
    word & 0xffff
}

/// Values that stand side by side.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Reference,
    Bytes4,
    Bytes8,
    Bytes16,
}

impl Class {
    fn of(ty: LoweredType, is_ref: bool) -> Class {
        match ty {
            LoweredType::I32 if is_ref => Class::Reference,
            LoweredType::I32 | LoweredType::F32 => Class::Bytes4,
            LoweredType::I64 | LoweredType::F64 => Class::Bytes8,
            LoweredType::V128 => Class::Bytes16,
        }
    }

    fn size(self) -> u32 {
        match self {
            Class::Reference | Class::Bytes4 => 4,
            Class::Bytes8 => 8,
            Class::Bytes16 => 16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_come_first_and_everything_is_aligned() {
        use LoweredType::{F64, I32, I64, V128};
        let types =
            [(I64, false), (I32, true), (I32, false), (V128, false), (I32, true), (F64, false)];
        let layout = ExnLayout::new(&types);
        let offsets: Vec<u32> = layout.fields.iter().map(|field| field.offset).collect();
        assert_eq!(offsets, [32, 16, 24, 48, 20, 40]);
        assert_eq!((layout.references, layout.size), (2, 64));
        let word = layout.shape_word();
        assert_eq!((references_of_shape(word), size_of_shape(word)), (2, 64));
        assert_eq!(ExnLayout::new(&[]).size, EXN_FIELDS);
    }

    #[test]
    fn the_largest_payload_fits_the_shape_word() {
        let layout = ExnLayout::new(&[(LoweredType::V128, false); 1000]);
        assert_eq!(size_of_shape(layout.shape_word()), EXN_FIELDS + 16_000);
    }
}
