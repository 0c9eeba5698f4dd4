//! Structs and arrays: making them, and their parts as bits. What the bits mean is the business of the
//! layer above, which knows the types; references among them are raw, and nothing has collected since
//! they were taken from their roots.

use super::GcStore;
use super::object::{self, GcRef, type_word};
use super::space::Space;
use crate::abi::gc_layout::{ArrayLayout, Storage};
use crate::abi::object::{ARRAY_LEN, FIRST_TYPE, HEADER_TYPE};
use crate::abi::shape::Shape;
use crate::vm::context::VmHeap;
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
    array: GcRef,
    /// Whether they are references.
    references: bool,
    /// Where the first one is.
    at: u32,
    pub(crate) len: u32,
    /// Binary logarithm of the size of one.
    pub(crate) size_log2: u32,
}

/// Making objects.
impl GcStore {
    /// Whether an object of `size` bytes fits an empty heap.
    pub(crate) fn may_hold(&self, size: u32) -> bool {
        size <= self.limit
    }

    /// A young object of type `ty` with `size` bytes, at most [`LARGE`](crate::abi::object::LARGE),
    /// of zeros but for its header. `None` when the nursery is full.
    pub(crate) fn alloc_young_object(
        &mut self,
        heap: &VmHeap,
        ty: TypeId,
        size: u32,
    ) -> Option<u32> {
        let at = self.alloc_young(heap, size)?;
        self.space.bytes_mut(at, size).fill(0);
        self.space.write(at + HEADER_TYPE, [ty.0]);
        Some(at)
    }

    /// Says how many elements an array has that was made as an object of zeros.
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
            array,
            references,
            at: at + first + (start << size_log2),
            len,
            size_log2,
        })
    }

    /// Replaces every element by the lowest bits of `bits`.
    pub(crate) fn fill(&mut self, to: Elements, bits: u128) {
        fn fill<const N: usize>(bytes: &mut [u8], bits: u128) {
            let bits = bits.to_le_bytes();
            let element = bits.first_chunk::<N>().expect("no element has more than 16 bytes");
            bytes.as_chunks_mut::<N>().0.fill(*element);
        }
        let bytes = self.space.bytes_mut(to.at, to.len << to.size_log2);
        match to.size_log2 {
            0 => fill::<1>(bytes, bits),
            1 => fill::<2>(bytes, bits),
            2 => fill::<4>(bytes, bits),
            3 => fill::<8>(bytes, bits),
            _ => fill::<16>(bytes, bits),
        }
        self.elements_written(to);
    }

    /// Copies elements, which may overlap, to as many of the same size.
    pub(crate) fn copy(&mut self, to: Elements, from: Elements) {
        debug_assert_eq!((to.len, to.size_log2), (from.len, from.size_log2));
        self.space.copy_within(from.at, to.at, to.len << to.size_log2);
        self.elements_written(to);
    }

    /// Replaces the elements by what `bytes`, as many as they have, says.
    pub(crate) fn write_bytes(&mut self, to: Elements, bytes: &[u8]) {
        self.space.bytes_mut(to.at, to.len << to.size_log2).copy_from_slice(bytes);
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

    fn elements_written(&mut self, to: Elements) {
        if to.references {
            self.references_written(to.array, to.at, to.len);
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

/// The number of elements of the array at `at`.
fn array_len(space: &Space, at: u32) -> u32 {
    let [len] = space.read(at + ARRAY_LEN);
    len
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::gc_layout::ObjectLayout;
    use crate::abi::object::{KIND_ARRAY, LARGE};
    use crate::gc::tests::Heap;
    use crate::gc::{GcConfig, Why};

    const ARRAY: TypeId = TypeId(FIRST_TYPE);
    const LAYOUT: ArrayLayout = ArrayLayout { element: Storage::Reference };

    /// A heap with one type, of arrays of references.
    fn heap() -> Heap {
        let heap = Heap::new(&GcConfig::default());
        heap.gc.types.push([KIND_ARRAY].into_iter(), &ObjectLayout::Array(LAYOUT)).unwrap();
        heap
    }

    fn array(heap: &mut Heap, len: u32) -> GcRef {
        let size = LAYOUT.size(len).unwrap();
        let at = match size > LARGE {
            true => heap.gc.alloc_large(&heap.vm, ARRAY.0, size),
            false => heap.gc.alloc_young_object(&heap.vm, ARRAY, size),
        };
        let array = GcRef::from_raw(at.unwrap()).unwrap();
        heap.gc.set_array_len(array, len);
        array
    }

    #[test]
    fn elements_are_those_of_the_array() {
        let mut heap = heap();
        let array = array(&mut heap, 4);
        let gc = &mut heap.gc;
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
    fn bulk_writes_to_old_arrays_keep_what_they_write() {
        let mut heap = heap();
        let old = array(&mut heap, 10_000);
        let root = heap.gc.root(old);
        let young = [1, 2, 3].map(|len| array(&mut heap, len));
        let gc = &mut heap.gc;
        gc.fill(gc.elements(old, 0, 2).unwrap(), young[0].to_raw().into());
        gc.write_each(gc.elements(old, 5, 1).unwrap(), [young[1].to_raw().into()].into_iter());
        gc.copy(gc.elements(old, 9_999, 1).unwrap(), gc.elements(old, 5, 1).unwrap());
        gc.set_elements(young[2], LAYOUT, [young[1].to_raw().into()].into_iter());
        gc.set_part(old, LAYOUT.offset(7), Storage::Reference, young[2].to_raw().into());
        heap.collect(Why::Due);
        let old = heap.gc.rooted(root).unwrap();
        let element = |array: GcRef, index| {
            let [raw] = heap.gc.space.read(array.to_raw() + LAYOUT.offset(index));
            GcRef::from_raw(raw).unwrap()
        };
        let len = |array| array_len(&heap.gc.space, GcRef::to_raw(array));
        assert_eq!([0, 1, 5, 7, 9_999].map(|at| len(element(old, at))), [1, 1, 2, 3, 2]);
        assert_eq!(element(old, 5), element(element(old, 7), 0));
    }
}
