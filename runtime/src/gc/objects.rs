//! Structs and arrays: making them, and their parts as bits. What the bits mean is the business of the
//! layer above, which knows the types; references among them are raw, and nothing has collected since
//! they were taken from their roots.

use super::GcStore;
use super::object::{self, GcRef, array_len, is_young, type_word};
use crate::abi::gc_layout::{ArrayLayout, Storage, StructLayout};
use crate::abi::object::{ARRAY_LEN, FIRST_TYPE, HEADER_TYPE, LARGE_OBJECT};
use crate::abi::shape::Shape;
use crate::vm::context::VmHeap;
use crate::vm::fill::fill;
use crate::wasm::types::TypeId;

/// What a reference leads to, as far as the heap knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Referent {
    I31,
    Host,
    Exception,
    /// A struct or an array of this type.
    Object(TypeId),
}

/// The elements of an array as bytes of the heap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elements {
    /// Where the first one is.
    at: u32,
    pub(crate) len: u32,
    /// Binary logarithm of the size of one.
    pub(crate) size_log2: u32,
    /// Whether they are references in an old array: what is written must be logged.
    is_logged: bool,
}

/// Making objects. Nothing here collects: `None` when the heap is full, and then a collection is due.
impl GcStore {
    /// Whether an object of `size` bytes fits an empty heap that has grown as far as it may.
    pub(crate) fn may_hold(&self, size: u32) -> bool {
        size <= self.ceiling
    }

    /// Room for a young object of `size` bytes, in which nothing is initialised: its maker writes it
    /// before the next safepoint.
    pub(crate) fn alloc_room(&mut self, heap: &VmHeap, size: u32) -> Option<GcRef> {
        GcRef::from_raw(self.alloc_young(heap, size)?)
    }

    /// An object of type `ty` with `size` bytes, of zeros but for its header.
    pub(crate) fn alloc_object(&mut self, heap: &VmHeap, ty: TypeId, size: u32) -> Option<GcRef> {
        if size > LARGE_OBJECT {
            return GcRef::from_raw(self.alloc_large(heap, ty.0, size)?);
        }
        let at = self.alloc(heap, size)?;
        self.space.fill(at..at + size, 0);
        self.space.write(at + HEADER_TYPE, [ty.0]);
        GcRef::from_raw(at)
    }

    /// As [`GcStore::alloc_object`], for the host, between whose allocations nothing collects: when a
    /// large object uses up what is allowed between two full collections, the next one is due.
    pub(crate) fn alloc_object_for_host(
        &mut self,
        heap: &VmHeap,
        ty: TypeId,
        size: u32,
    ) -> Option<GcRef> {
        let made = self.alloc_object(heap, ty, size);
        match made {
            None if self.may_hold(size) && !self.may_grow() => self.pacer.starve(),
            Some(_) if size > LARGE_OBJECT && self.pacer.is_full_due(self.sizes()) => {
                self.pacer.nursery_is_full();
            }
            _ => {}
        }
        made
    }

    /// A struct of type `ty` whose fields are zero or null.
    pub(crate) fn alloc_struct(
        &mut self,
        heap: &VmHeap,
        ty: TypeId,
        layout: &StructLayout,
    ) -> Option<GcRef> {
        self.alloc_object(heap, ty, layout.size)
    }

    /// An array of type `ty` with `len` elements, `size` bytes together, which are zero or null.
    pub(crate) fn alloc_array(
        &mut self,
        heap: &VmHeap,
        ty: TypeId,
        len: u32,
        size: u32,
    ) -> Option<GcRef> {
        let array = self.alloc_object(heap, ty, size)?;
        self.set_array_len(array, len);
        Some(array)
    }

    /// Says how many elements a fresh array has.
    pub(crate) fn set_array_len(&mut self, array: GcRef, len: u32) {
        self.space.write(array.to_raw() + ARRAY_LEN, [len]);
    }
}

/// Looking at objects, and changing them.
impl GcStore {
    /// What `reference` leads to.
    pub(crate) fn referent(&self, reference: GcRef) -> Referent {
        let Some(at) = reference.offset() else { return Referent::I31 };
        match type_word(&self.space, at) {
            ty if ty >= FIRST_TYPE => Referent::Object(TypeId(ty)),
            _ if object::host_row(&self.space, at).is_some() => Referent::Host,
            _ => Referent::Exception,
        }
    }

    /// Whether objects of type `ty` are structs. They are arrays otherwise.
    pub(crate) fn are_structs(&self, ty: TypeId) -> bool {
        matches!(self.types.shape(ty.0), Shape::Struct { .. })
    }

    /// The number of elements of an array.
    pub(crate) fn array_len(&self, array: GcRef) -> u32 {
        array_len(&self.space, array.to_raw())
    }

    /// The elements of an array, from `start` on, `len` of them; `None` if it has fewer.
    ///
    /// # Panics
    ///
    /// If `array` does not lead to an array.
    pub(crate) fn elements(&self, array: GcRef, start: u32, len: u32) -> Option<Elements> {
        let at = array.to_raw();
        let Shape::Array { first, size_log2, references } =
            self.types.shape(type_word(&self.space, at))
        else {
            panic!("validated: the reference is one to an array")
        };
        let end = start.checked_add(len)?;
        (end <= array_len(&self.space, at)).then_some(Elements {
            at: at + first + (start << size_log2),
            len,
            size_log2,
            is_logged: references && !is_young(at),
        })
    }

    /// Replaces every element by the lowest bits of `bits`.
    pub(crate) fn fill(&mut self, to: Elements, bits: u128) {
        let bytes = self.space.bytes_mut(to.at, to.len << to.size_log2);
        // All ones in the lowest bits of an element, and one in each element of 16 bytes.
        let mask = u128::MAX >> (u128::BITS - (8 << to.size_log2));
        fill(bytes, (bits & mask).wrapping_mul(u128::MAX / mask));
        self.elements_written(to);
    }

    /// Copies elements, which may overlap, to as many of the same size.
    pub(crate) fn copy(&mut self, to: Elements, from: Elements) {
        debug_assert_eq!((to.len, to.size_log2), (from.len, from.size_log2));
        self.space.copy_within(from.at, to.at, to.len << to.size_log2);
        self.elements_written(to);
    }

    /// The elements as they lie in memory.
    pub(crate) fn bytes(&self, elements: Elements) -> &[u8] {
        self.space.bytes(elements.at, elements.len << elements.size_log2)
    }

    /// As [`GcStore::bytes`], for writing; they are no references.
    pub(crate) fn bytes_mut(&mut self, elements: Elements) -> &mut [u8] {
        debug_assert!(!elements.is_logged, "validated: the elements are numbers");
        self.space.bytes_mut(elements.at, elements.len << elements.size_log2)
    }

    /// Replaces the elements, which are no references, by what `bytes`, as many as they have, says.
    pub(crate) fn write_bytes(&mut self, to: Elements, bytes: &[u8]) {
        self.bytes_mut(to).copy_from_slice(bytes);
    }

    /// Replaces each element by the lowest bits of one of `values`.
    pub(crate) fn write_each(&mut self, to: Elements, values: impl Iterator<Item = u128>) {
        let size = 1 << to.size_log2;
        let bytes = self.space.bytes_mut(to.at, to.len << to.size_log2);
        for (element, bits) in bytes.chunks_exact_mut(size).zip(values) {
            element.copy_from_slice(&bits.to_le_bytes()[..size]);
        }
        self.elements_written(to);
    }

    /// Logs those of the elements that lead to young objects, if the array is old.
    fn elements_written(&mut self, elements: Elements) {
        if elements.is_logged {
            self.log_words(elements.at, elements.len);
        }
    }

    /// The bits of a part of an object that lies `offset` bytes from its start.
    pub(crate) fn part(&self, object: GcRef, offset: u32, storage: Storage) -> u128 {
        fn read<const N: usize>(bytes: &[u8]) -> [u8; N] {
            *bytes.first_chunk().expect("as many bytes as the part has")
        }
        let bytes = self.space.bytes(object.to_raw() + offset, storage.size());
        match storage.size_log2() {
            0 => bytes[0].into(),
            1 => u16::from_le_bytes(read(bytes)).into(),
            2 => u32::from_le_bytes(read(bytes)).into(),
            3 => u64::from_le_bytes(read(bytes)).into(),
            _ => u128::from_le_bytes(read(bytes)),
        }
    }

    /// Replaces the bits of a part of an object that lies `offset` bytes from its start.
    pub(crate) fn set_part(&mut self, object: GcRef, offset: u32, storage: Storage, bits: u128) {
        let (at, size) = (object.to_raw() + offset, storage.size());
        if storage == Storage::Reference {
            return self.write_reference(object, at, bits as u32);
        }
        let bytes = self.space.bytes_mut(at, size);
        bytes.copy_from_slice(&bits.to_le_bytes()[..size as usize]);
    }

    /// Replaces the elements of an array, from its first on.
    pub(crate) fn set_elements(
        &mut self,
        array: GcRef,
        layout: ArrayLayout,
        values: impl Iterator<Item = u128>,
    ) {
        for (index, bits) in (0..).zip(values) {
            self.set_part(array, layout.offset(index), layout.element, bits);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::gc_layout::ObjectLayout;
    use crate::abi::object::KIND_ARRAY;
    use crate::gc::tests::Heap;
    use crate::gc::{GcConfig, Why};

    /// A heap with three types: a struct whose reference stands behind the short bitmap, an array of
    /// references, and one of bytes.
    fn heap() -> (Heap, StructLayout, [ArrayLayout; 2]) {
        let heap = Heap::new(&GcConfig::default());
        let types = &heap.gc.types;
        let fields = [Storage::Plain(crate::abi::signature::LoweredType::V128); 20];
        let layout = StructLayout::new(fields.into_iter().chain([Storage::Reference]));
        let arrays = [Storage::Reference, Storage::I8].map(|element| ArrayLayout { element });
        types.push([].into_iter(), &ObjectLayout::Struct(layout.clone())).unwrap();
        for array in arrays {
            types.push([KIND_ARRAY].into_iter(), &ObjectLayout::Array(array)).unwrap();
        }
        (heap, layout, arrays)
    }

    const STRUCT: TypeId = TypeId(FIRST_TYPE);
    const ARRAY: TypeId = TypeId(FIRST_TYPE + 1);
    const BYTES: TypeId = TypeId(FIRST_TYPE + 2);

    #[test]
    fn a_collection_moves_what_structs_and_arrays_lead_to() {
        let (mut heap, layout, [references, bytes]) = heap();
        let Heap { gc, vm } = &mut heap;
        gc.alloc_struct(vm, STRUCT, &layout).unwrap();
        let text = gc.alloc_array(vm, BYTES, 5, bytes.size(5).unwrap()).unwrap();
        let elements = gc.elements(text, 0, 5).unwrap();
        gc.write_bytes(elements, b"hello");
        let list = gc.alloc_array(vm, ARRAY, 3, references.size(3).unwrap()).unwrap();
        let object = gc.alloc_struct(vm, STRUCT, &layout).unwrap();
        let field = layout.fields[20];
        gc.set_part(object, field.offset, field.storage, list.to_raw().into());
        gc.set_elements(list, references, [0, 7, text.to_raw().into()].into_iter());
        let root = gc.root(object);
        heap.collect(Why::Due);
        let gc = &mut heap.gc;
        let word = |gc: &GcStore, object: GcRef, offset: u32| {
            gc.space.read::<1>(object.to_raw() + offset)[0]
        };
        let object = gc.rooted(root).unwrap();
        let list = GcRef::from_raw(word(gc, object, field.offset)).unwrap();
        assert_eq!(gc.referent(list), Referent::Object(ARRAY));
        assert_eq!([12, 16].map(|offset| word(gc, list, offset)), [0, 7]);
        let text = GcRef::from_raw(word(gc, list, 20)).unwrap();
        assert_eq!(gc.space.bytes_mut(text.to_raw() + 12, 5), b"hello");
        let kept = layout.size + references.size(3).unwrap() + bytes.size(5).unwrap();
        assert_eq!(heap.stats().heap_bytes, kept as usize);
    }

    #[test]
    fn elements_are_those_of_the_array() {
        let (mut heap, _, [references, _]) = heap();
        let Heap { gc, vm } = &mut heap;
        let array = gc.alloc_array(vm, ARRAY, 4, references.size(4).unwrap()).unwrap();
        assert!(gc.elements(array, 4, 0).is_some());
        assert!(gc.elements(array, 4, 1).is_none());
        assert!(gc.elements(array, u32::MAX, 2).is_none());
        let all = gc.elements(array, 0, 4).unwrap();
        gc.write_each(all, [1, 3, 5, 7].into_iter());
        let (to, from) = (gc.elements(array, 1, 3).unwrap(), gc.elements(array, 0, 3).unwrap());
        gc.copy(to, from);
        assert_eq!(gc.space.read(array.to_raw() + 12), [1, 1, 3, 5]);
        let middle = gc.elements(array, 1, 2).unwrap();
        gc.fill(middle, 9);
        assert_eq!(gc.space.read(array.to_raw() + 12), [1, 9, 9, 5]);
    }

    #[test]
    fn elements_of_old_arrays_may_lead_to_young_objects() {
        let (mut heap, layout, [references, _]) = heap();
        let size = references.size(20_000).unwrap();
        let large = heap.gc.alloc_array(&heap.vm, ARRAY, 20_000, size).unwrap();
        assert!(!is_young(large.to_raw()));
        heap.gc.root(large);
        let young = |heap: &mut Heap| {
            let made = heap.gc.alloc_struct(&heap.vm, STRUCT, &layout).unwrap();
            assert!(is_young(made.to_raw()));
            u128::from(made.to_raw())
        };
        let some = |heap: &Heap, at| heap.gc.elements(large, at, 10).unwrap();
        // Each way of writing is followed by a collection, which checks the heap.
        let bits = young(&mut heap);
        heap.gc.fill(some(&heap, 0), bits);
        heap.collect(Why::Due);
        let bits = young(&mut heap);
        heap.gc.write_each(some(&heap, 10), std::iter::repeat_n(bits, 10));
        heap.collect(Why::Due);
        let bits = young(&mut heap);
        heap.gc.set_elements(large, references, [bits, 7].into_iter());
        heap.collect(Why::Due);
        let bits = young(&mut heap);
        heap.gc.set_part(large, references.offset(19_999), Storage::Reference, bits);
        heap.gc.copy(some(&heap, 30), some(&heap, 19_990));
        heap.collect(Why::Due);
        heap.collect(Why::Asked);
        let live = 5 * layout.size + crate::gc::LargeObjects::footprint(size).unwrap();
        assert!(heap.stats().heap_bytes <= live as usize);
        let word = |at| heap.gc.space.read::<1>(large.to_raw() + references.offset(at))[0];
        assert_eq!((word(39), word(1), word(5) != 0), (word(19_999), 7, true));
    }
}
