//! Layout of objects in the GC heap.
//!
//! ```text
//!  reference = u32 offset from the heap base; 0 is null; low bit 1 is an i31
//!
//!  object      0        4        8
//!              +--------+--------+----- ..
//!              | type   | gc     | fields, 8-byte aligned as a whole
//!              +--------+--------+----- ..
//!  host object 0        4        8        12
//!              +--------+--------+--------+--------+
//!              | EXTERN | gc     | row    | 0      |
//!              +--------+--------+--------+--------+
//!  exception   0        4        8        12
//!              +--------+--------+--------+--------+----- ..
//!              | EXN    | gc     | tag    | shape  | payload, see `exception`
//!              +--------+--------+--------+--------+----- ..
//!  struct      0        4        8
//!              +--------+--------+----- ..
//!              | id     | gc     | fields, see `gc_layout`
//!              +--------+--------+----- ..
//!  array       0        4        8        12 or 16
//!              +--------+--------+--------+----- ..
//!              | id     | gc     | length | elements, see `gc_layout`
//!              +--------+--------+--------+----- ..
//! ```
//!
//! `type` is an engine type id, or a reserved number below the first of them; either way it is the
//! number of an entry of the type table. `gc` belongs to the collector (mark, forwarding) and is 0 in
//! a fresh object, so that the header is one 8-byte store. `row` is a position in the store's host
//! table, where the payload lives: never in memory that a guest could reach.

use crate::wasm::types::TypeId;

/// The `type` word of a host object: no Wasm type can have it, so no guest object can pass for one.
pub(crate) const TYPE_EXTERN: u32 = 1;

/// The `type` word of an exception: no Wasm type can have it either.
pub(crate) const TYPE_EXN: u32 = 2;

/// Stands for the kind of all function types in displays; no object has it.
pub(crate) const KIND_FUNC: u32 = 3;
/// Stands for the kind of all struct types in displays; no object has it.
pub(crate) const KIND_STRUCT: u32 = 4;
/// Stands for the kind of all array types in displays; no object has it.
pub(crate) const KIND_ARRAY: u32 = 5;

/// The id of the first type; the numbers below are reserved.
pub(crate) const FIRST_TYPE: u32 = TypeId::FIRST;

/// Offset of the `type` word.
pub(crate) const HEADER_TYPE: u32 = 0;
/// Offset of the collector's word.
pub(crate) const HEADER_GC: u32 = 4;
/// Every object starts and ends at a multiple of this.
pub(crate) const OBJECT_ALIGN: u32 = 8;

/// Offset of the first field of a struct.
pub(crate) const FIELDS: u32 = 8;
/// Offset of an array's number of elements.
pub(crate) const ARRAY_LEN: u32 = 8;

/// Offset of a host object's row number.
pub(crate) const EXTERN_ROW: u32 = 8;
/// Size of a host object in bytes.
pub(crate) const EXTERN_SIZE: u32 = 16;

/// Offset of the position of an exception's tag in the store.
pub(crate) const EXN_TAG: u32 = 8;
/// Offset of the word that gives an exception's size and number of references.
pub(crate) const EXN_SHAPE: u32 = 12;
/// Offset of an exception's payload.
pub(crate) const EXN_FIELDS: u32 = 16;

/// The first bytes of the heap are never mapped: dereferencing null faults.
pub(crate) const NULL_GUARD: u32 = 64 << 10;

/// Where the nursery ends: a reference to an object is young exactly if it is below. Old objects start
/// here.
pub(crate) const YOUNG_END: u32 = 16 << 20;

/// Bytes of the largest object that is ever young. Larger ones are old from the beginning.
pub(crate) const LARGE_OBJECT: u32 = 32 << 10;

/// Whether a reference leads to a young object, which null and i31s do not. Compiled code computes the
/// same.
#[inline]
pub(crate) fn is_young(raw: u32) -> bool {
    raw.rotate_right(1).wrapping_sub(1) < YOUNG_END / 2 - 1
}

/// The bit that tells an i31 from an offset.
pub(crate) const I31_TAG: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_i31s_are_not_young() {
        assert!(is_young(NULL_GUARD) && is_young(YOUNG_END - OBJECT_ALIGN));
        for raw in [0, 1, 7, YOUNG_END - 1, YOUNG_END, YOUNG_END + 1, u32::MAX, u32::MAX - 7] {
            assert!(!is_young(raw), "{raw:#x}");
        }
    }
}
