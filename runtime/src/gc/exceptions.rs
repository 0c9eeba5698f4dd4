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
