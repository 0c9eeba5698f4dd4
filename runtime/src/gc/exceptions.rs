//! Exceptions as objects of the heap: making them, and their payload as bits. What the bits mean is
//! the business of the layer above, which knows the tag's type.

use super::GcStore;
use super::object::{self, GcRef};
use crate::abi::exception::{ExnField, ExnLayout};
use crate::abi::object::EXN_TAG;
use crate::abi::signature::LoweredType;

impl GcStore {
    /// Makes an exception of the tag at position `tag`, with a payload of zeros. Never collects:
    /// `None` when the heap is full, and then a collection is due.
    pub(crate) fn alloc_exception(&mut self, tag: u32, layout: &ExnLayout) -> Option<GcRef> {
        let Some(at) = self.space.alloc(layout.size) else {
            self.spent = self.spent.max(self.budget);
            return None;
        };
        self.spent = self.spent.saturating_add(layout.size as usize);
        object::write_exception(&mut self.space, at, tag, layout);
        GcRef::from_raw(at)
    }

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

    /// Replaces a value of an exception's payload by the bits of a slot. References among them are
    /// raw: nothing has collected since they were taken from their roots.
    pub(crate) fn set_exception_field(&mut self, reference: GcRef, field: ExnField, bits: u128) {
        let at = self.exception_at(reference) + field.offset;
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
    use crate::gc::GcConfig;

    #[test]
    fn a_collection_moves_exceptions_and_what_they_lead_to() {
        use LoweredType::{F64, I32, I64, V128};
        let mut gc = GcStore::without_types(GcConfig::default());
        let types = [(I64, false), (I32, true), (V128, false), (I32, false), (F64, false)];
        let layout = ExnLayout::new(&types);
        let garbage = gc.alloc_exception(1, &layout).unwrap();
        let inner = gc.alloc_exception(2, &layout).unwrap();
        let outer = gc.alloc_exception(3, &layout).unwrap();
        let bits = [u128::from(u64::MAX), u128::from(inner.to_raw()), u128::MAX - 1, 7, 1 << 63];
        for (field, bits) in layout.fields.iter().zip(bits) {
            gc.set_exception_field(outer, *field, bits);
            // Looks like a reference to garbage, but is none.
            gc.set_exception_field(inner, layout.fields[0], u128::from(garbage.to_raw()));
        }
        let root = gc.root(outer);
        gc.collect(&mut |_| {});
        assert_eq!(gc.stats().heap_bytes, 2 * layout.size as usize);
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
        let mut gc = GcStore::without_types(config);
        let layout = ExnLayout::new(&[]);
        assert!(gc.alloc_exception(0, &layout).is_some());
        assert!(gc.alloc_exception(0, &layout).is_some());
        assert!(gc.alloc_exception(0, &layout).is_none());
        assert!(gc.should_collect());
        gc.collect(&mut |_| {});
        assert!(gc.alloc_exception(0, &layout).is_some());
    }
}
