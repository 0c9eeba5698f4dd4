//! Exceptions as objects of the heap: making them, and their payload as bits. What the bits mean is
//! the business of the layer above, which knows the tag's type.

use super::GcStore;
use super::object::{self, GcRef};
use crate::abi::exception::ExnField;
use crate::abi::object::EXN_TAG;
use crate::abi::signature::LoweredType;

impl GcStore {
    /// The position of an exception's tag in the store.
    ///
    /// # Panics
    ///
    /// If `reference` is not one to an exception.
    pub(crate) fn exception_tag(&self, reference: GcRef) -> u32 {
        let at = self.exception_at(reference);
        let [tag] = self.space.read(at + EXN_TAG);
        tag
    }

    /// A value of an exception's payload, as the bits of a slot.
    pub(crate) fn exception_field(&self, reference: GcRef, field: ExnField) -> u128 {
        let at = self.exception_at(reference) + field.offset;
        match words(field.ty) {
            1 => u128::from(self.space.read::<1>(at)[0]),
            2 => join(&self.space.read::<2>(at)),
            _ => join(&self.space.read::<4>(at)),
        }
    }

    /// Replaces a value of an exception's payload by the bits of a slot. A reference is raw: nothing has
    /// collected since it was taken from its root.
    pub(crate) fn set_exception_field(&mut self, reference: GcRef, field: ExnField, bits: u128) {
        let at = self.exception_at(reference) + field.offset;
        if field.is_reference {
            return self.write_reference(reference, at, bits as u32);
        }
        let words_of_bits = [0, 32, 64, 96].map(|shift| (bits >> shift) as u32);
        for (word, at) in words_of_bits[..words(field.ty)].iter().zip((at..).step_by(4)) {
            self.space.write(at, [*word]);
        }
    }

    fn exception_at(&self, reference: GcRef) -> u32 {
        let at =
            reference.offset().filter(|at| object::exception_shape(&self.space, *at).is_some());
        at.expect("validated: a reference of type exnref leads to an exception")
    }
}

fn words(ty: LoweredType) -> usize {
    match ty {
        LoweredType::I32 | LoweredType::F32 => 1,
        LoweredType::I64 | LoweredType::F64 => 2,
        LoweredType::V128 => 4,
    }
}

fn join(words: &[u32]) -> u128 {
    words.iter().rev().fold(0, |bits, word| bits << 32 | u128::from(*word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::exception::ExnLayout;
    use crate::gc::tests::Heap;
    use crate::gc::{GcConfig, Why};

    #[test]
    fn a_collection_moves_exceptions_and_what_they_lead_to() {
        use LoweredType::{F64, I32, I64, V128};
        let mut heap = Heap::new(&GcConfig::default());
        let types = [(I64, false), (I32, true), (V128, false), (I32, false), (F64, false)];
        let layout = ExnLayout::new(&types);
        let [garbage, inner, outer] =
            [1, 2, 3].map(|tag| heap.gc.alloc_exception(&heap.vm, tag, &layout).unwrap());
        let gc = &mut heap.gc;
        let bits = [u128::from(u64::MAX), u128::from(inner.to_raw()), u128::MAX - 1, 7, 1 << 63];
        for (field, bits) in layout.fields.iter().zip(bits) {
            gc.set_exception_field(outer, *field, bits);
            // Looks like a reference to garbage, but is none.
            gc.set_exception_field(inner, layout.fields[0], u128::from(garbage.to_raw()));
        }
        let root = gc.root(outer);
        heap.collect(Why::Due);
        assert_eq!(heap.stats().heap_bytes, 2 * layout.size as usize);
        let gc = &heap.gc;
        let moved = gc.rooted(root).unwrap();
        assert_ne!(moved, outer);
        assert_eq!(gc.exception_tag(moved), 3);
        let value = |reference, field: usize| gc.exception_field(reference, layout.fields[field]);
        for field in [0, 2, 3, 4] {
            assert_eq!(value(moved, field), bits[field], "field {field}");
        }
        let inner = GcRef::from_raw(value(moved, 1) as u32).unwrap();
        assert_eq!(gc.exception_tag(inner), 2);
        assert_eq!(value(inner, 0), u128::from(garbage.to_raw()));
        assert_eq!(value(inner, 1), 0);
    }

    #[test]
    fn a_full_heap_makes_no_exception() {
        let config = GcConfig { heap_limit: 40, ..GcConfig::default() };
        let mut heap = Heap::new(&config);
        let layout = ExnLayout::new(&[]);
        let alloc = |heap: &mut Heap| heap.gc.alloc_exception(&heap.vm, 0, &layout);
        assert!(alloc(&mut heap).is_some());
        assert!(alloc(&mut heap).is_some());
        assert!(alloc(&mut heap).is_none());
        assert!(heap.gc.should_collect());
        heap.collect(Why::Due);
        assert!(alloc(&mut heap).is_some());
    }

    #[test]
    fn a_field_of_an_old_exception_may_lead_to_a_young_one() {
        let mut heap = Heap::new(&GcConfig::default());
        let layout = ExnLayout::new(&[(LoweredType::I32, true)]);
        let field = layout.fields[0];
        let old = heap.gc.alloc_exception(&heap.vm, 1, &layout).unwrap();
        let root = heap.gc.root(old);
        heap.collect(Why::Due);
        let young = heap.gc.alloc_exception(&heap.vm, 2, &layout).unwrap();
        let old = heap.gc.rooted(root).unwrap();
        heap.gc.set_exception_field(old, field, u128::from(young.to_raw()));
        heap.collect(Why::Due);
        let moved = GcRef::from_raw(heap.gc.exception_field(old, field) as u32).unwrap();
        assert_ne!(moved, young);
        assert_eq!(heap.gc.exception_tag(moved), 2);
    }
}
