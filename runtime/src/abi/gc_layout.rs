//! Where the fields of structs and the elements of arrays lie in their objects. `compile`, `gc` and the
//! API all ask here; nobody else adds up offsets.
//!
//! Fields follow the header in the order of their declaration, each aligned to its size, vectors to
//! 8 bytes: the layout of a subtype begins with that of its supertype.

use super::object::{ARRAY_LEN, FIELDS, OBJECT_ALIGN};
use super::signature::{LoweredType, is_func_heap, lower_val};
use crate::wasm::index::TypeIndex;
use crate::wasm::module::ModuleInfo;
use crate::wasm::types::{
    CompositeType, FieldType, HeapType, StorageType, TypeId, TypeRegistry, ValType,
};

/// What a field or an element is in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Storage {
    I8,
    I16,
    /// A number, a vector, or the address of a function record: nothing that the collector sees.
    Plain(LoweredType),
    /// A reference into the GC heap.
    Reference,
}

impl Storage {
    fn new<I: Copy>(ty: StorageType<I>, is_func_heap: impl Fn(HeapType<I>) -> bool) -> Storage {
        match ty {
            StorageType::I8 => Storage::I8,
            StorageType::I16 => Storage::I16,
            StorageType::Val(ValType::Ref(ty)) if !is_func_heap(ty.heap) => Storage::Reference,
            StorageType::Val(ty) => Storage::Plain(lower_val(ty, is_func_heap)),
        }
    }

    /// The machine-level type of the value, packed ones unpacked.
    pub(crate) fn lowered(self) -> LoweredType {
        match self {
            Storage::I8 | Storage::I16 | Storage::Reference => LoweredType::I32,
            Storage::Plain(ty) => ty,
        }
    }

    /// Binary logarithm of its size in bytes.
    pub(crate) fn size_log2(self) -> u32 {
        match self {
            Storage::I8 => 0,
            Storage::I16 => 1,
            Storage::Plain(LoweredType::I32 | LoweredType::F32) | Storage::Reference => 2,
            Storage::Plain(LoweredType::I64 | LoweredType::F64) => 3,
            Storage::Plain(LoweredType::V128) => 4,
        }
    }

    /// Its size in bytes.
    pub(crate) fn size(self) -> u32 {
        1 << self.size_log2()
    }
}

/// A field of a struct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FieldLayout {
    /// Bytes from the start of the object.
    pub(crate) offset: u32,
    pub(crate) storage: Storage,
}

/// The objects of a struct type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StructLayout {
    pub(crate) fields: Box<[FieldLayout]>,
    /// Bytes of an object.
    pub(crate) size: u32,
}

/// The objects of an array type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ArrayLayout {
    pub(crate) element: Storage,
}

/// The objects of a type; functions have none in the GC heap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ObjectLayout {
    Func,
    Struct(StructLayout),
    Array(ArrayLayout),
}

impl StructLayout {
    /// The layout of a struct with these fields.
    pub(crate) fn new(fields: impl Iterator<Item = Storage>) -> StructLayout {
        let mut end = FIELDS;
        let place = |storage: Storage| {
            let offset = end.next_multiple_of(storage.size().min(OBJECT_ALIGN));
            end = offset + storage.size();
            FieldLayout { offset, storage }
        };
        // Validated: at most 10 000 fields, so nothing overflows.
        let fields = fields.map(place).collect();
        StructLayout { fields, size: end.next_multiple_of(OBJECT_ALIGN) }
    }

    /// Which words hold references: bit `i` of the whole is for the one `4 * i` bytes behind the
    /// header. No longer than need be.
    pub(crate) fn reference_bits(&self) -> Vec<u64> {
        let mut bits = Vec::new();
        for field in self.fields.iter().filter(|field| field.storage == Storage::Reference) {
            let word = (field.offset - FIELDS) / 4;
            let (at, bit) = ((word / u64::BITS) as usize, word % u64::BITS);
            bits.resize(bits.len().max(at + 1), 0);
            bits[at] |= 1 << bit;
        }
        bits
    }
}

impl ArrayLayout {
    /// Bytes from the start of the object to the first element.
    pub(crate) fn first(self) -> u32 {
        (ARRAY_LEN + 4).next_multiple_of(self.element.size().min(OBJECT_ALIGN))
    }

    /// Bytes of an array of `len` elements; `None` for more than any heap has.
    pub(crate) fn size(self, len: u32) -> Option<u32> {
        let end = u64::from(self.first()) + (u64::from(len) << self.element.size_log2());
        u32::try_from(end).ok()?.checked_next_multiple_of(OBJECT_ALIGN)
    }

    /// Bytes from the start of the object to element `index`, which is in an array that exists.
    pub(crate) fn offset(self, index: u32) -> u32 {
        self.first() + (index << self.element.size_log2())
    }
}

impl ObjectLayout {
    /// The layout of the module's type `index`.
    pub(crate) fn of_module(info: &ModuleInfo, index: TypeIndex) -> ObjectLayout {
        let composite = &info.types[index.index()].composite;
        ObjectLayout::new(composite, |heap| info.is_func_heap(heap))
    }

    /// The layout of the type with this id.
    pub(crate) fn of_registered(types: &TypeRegistry, id: TypeId) -> ObjectLayout {
        ObjectLayout::new(&types.get(id).composite, |heap| is_func_heap(types, heap))
    }

    fn new<I: Copy>(
        composite: &CompositeType<I>,
        is_func_heap: impl Fn(HeapType<I>) -> bool,
    ) -> ObjectLayout {
        let storage = |field: &FieldType<I>| Storage::new(field.storage, &is_func_heap);
        match composite {
            CompositeType::Func(_) => ObjectLayout::Func,
            CompositeType::Struct(fields) => {
                ObjectLayout::Struct(StructLayout::new(fields.iter().map(storage)))
            }
            CompositeType::Array(field) => {
                ObjectLayout::Array(ArrayLayout { element: storage(field) })
            }
        }
    }

    /// The layout of a struct type.
    ///
    /// # Panics
    ///
    /// If it is another type.
    pub(crate) fn unwrap_struct(&self) -> &StructLayout {
        match self {
            ObjectLayout::Struct(layout) => layout,
            _ => panic!("validated: the type is a struct type"),
        }
    }

    /// The layout of an array type.
    ///
    /// # Panics
    ///
    /// If it is another type.
    pub(crate) fn unwrap_array(&self) -> ArrayLayout {
        match self {
            ObjectLayout::Array(layout) => *layout,
            _ => panic!("validated: the type is an array type"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const I32: Storage = Storage::Plain(LoweredType::I32);
    const I64: Storage = Storage::Plain(LoweredType::I64);
    const V128: Storage = Storage::Plain(LoweredType::V128);

    #[test]
    fn fields_keep_their_order_and_are_aligned() {
        let fields = [Storage::I8, Storage::I16, Storage::Reference, Storage::I8, I64, I32, V128];
        let layout = StructLayout::new(fields.into_iter());
        let offsets: Vec<u32> = layout.fields.iter().map(|field| field.offset).collect();
        assert_eq!(offsets, [8, 10, 12, 16, 24, 32, 40]);
        assert_eq!(layout.size, 56);
        assert_eq!(layout.reference_bits(), [0b10]);
        assert_eq!(StructLayout::new([].into_iter()).size, 8);
    }

    #[test]
    fn references_far_behind_need_more_bits() {
        let fields = [I64; 40].into_iter().chain([Storage::Reference; 2]);
        let layout = StructLayout::new(fields);
        assert_eq!(layout.reference_bits(), [0, 0b11 << 16]);
    }

    #[test]
    fn sizes_of_arrays_do_not_wrap() {
        let bytes = ArrayLayout { element: Storage::I8 };
        assert_eq!((bytes.first(), bytes.size(0), bytes.size(5)), (12, Some(16), Some(24)));
        assert_eq!(bytes.size(u32::MAX - 19), Some(u32::MAX - 7));
        assert_eq!(bytes.size(u32::MAX - 18), None);
        assert_eq!(bytes.size(u32::MAX), None);
        let longs = ArrayLayout { element: I64 };
        assert_eq!((longs.first(), longs.size(1), longs.offset(1)), (16, Some(24), 24));
        assert_eq!(longs.size((1 << 29) - 3), Some(u32::MAX - 7));
        assert_eq!(longs.size((1 << 29) - 2), None);
        assert_eq!(ArrayLayout { element: V128 }.size(u32::MAX), None);
    }
}
