//! Parts of objects as `Val`s: the fields of structs and the elements of arrays. Allocates nothing.

use anyhow::ensure;

use crate::abi::gc_layout::FieldLayout;
use crate::api::store::StoreContextMut;
use crate::api::value::Val;
use crate::error::Result;
use crate::gc::GcRef;
use crate::instance::object_types::ObjectType;
use crate::instance::store::StoreInner;
use crate::vm::value::ValRaw;
use crate::wasm::types::{self as wasm, FieldType};

/// A field of a struct or an element of an array, good until the next collection.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Part {
    object: GcRef,
    layout: FieldLayout,
    /// What it holds.
    pub(in crate::api) ty: FieldType,
}

impl Part {
    /// A field of `object`, a struct of type `ty`.
    ///
    /// # Errors
    ///
    /// If it has fewer.
    #[inline]
    pub(in crate::api) fn field(object: GcRef, ty: &ObjectType, index: usize) -> Result<Part> {
        match ty.field(index) {
            Some((layout, ty)) => Ok(Part { object, layout, ty }),
            None => Err(no_field(ty, index)),
        }
    }

    /// An element of `object`, an array of type `ty` that has so many.
    #[inline]
    pub(in crate::api) fn element(object: GcRef, ty: &ObjectType, index: u32) -> Part {
        let array = ty.layout.unwrap_array();
        let layout = FieldLayout { offset: array.offset(index), storage: array.element };
        Part { object, layout, ty: ty.element() }
    }

    /// The value. `i8` and `i16` are extended with zeros.
    pub(super) fn load(self, inner: &mut StoreInner) -> Val {
        let bits = self.bits(inner);
        match self.ty.storage {
            wasm::StorageType::I8 | wasm::StorageType::I16 => Val::I32(bits as i32),
            wasm::StorageType::Val(ty) => Val::load(inner, ValRaw::v128(bits), ty),
        }
    }

    /// Replaces the value. `i8` and `i16` take the lowest bits of an `i32`.
    ///
    /// # Errors
    ///
    /// If `value` is of another type, not rooted any more, or of another store.
    pub(super) fn store(self, inner: &mut StoreInner, value: &Val) -> Result<()> {
        let bits = self.lower(inner, value)?;
        self.set_bits(inner, bits);
        Ok(())
    }

    /// The bits that stand for `value` here. A reference among them is raw.
    ///
    /// # Errors
    ///
    /// As [`Part::store`].
    pub(super) fn lower(self, inner: &StoreInner, value: &Val) -> Result<u128> {
        let ty = match self.ty.storage {
            wasm::StorageType::I8 | wasm::StorageType::I16 => wasm::ValType::I32,
            wasm::StorageType::Val(ty) => ty,
        };
        Ok(value.lower_as(inner, ty)?.get_v128())
    }

    #[inline]
    pub(in crate::api) fn bits(self, inner: &StoreInner) -> u128 {
        inner.gc.part(self.object, self.layout.offset, self.layout.storage)
    }

    #[inline]
    pub(in crate::api) fn set_bits(self, inner: &mut StoreInner, bits: u128) {
        inner.gc.set_part(self.object, self.layout.offset, self.layout.storage, bits);
    }

    /// Has `store` store to the part, if that may change.
    pub(super) fn replace(self, store: impl FnOnce(Part) -> Result<()>) -> Result<()> {
        ensure!(self.ty.mutable, "it is immutable");
        store(self)
    }
}

#[cold]
fn no_field(ty: &ObjectType, index: usize) -> crate::Error {
    let count = ty.fields.len();
    crate::Error::msg(format!("the struct has {count} fields, and no field {index}"))
}

/// The values of an object's parts. It borrows the store, so nothing collects meanwhile.
pub(super) struct Parts<'a, T: 'static, F> {
    pub(super) store: StoreContextMut<'a, T>,
    pub(super) range: std::ops::Range<u32>,
    /// The part at a position within the range.
    pub(super) part: F,
}

impl<T: 'static, F: Fn(u32) -> Part> Iterator for Parts<'_, T, F> {
    type Item = Val;

    fn next(&mut self) -> Option<Val> {
        let part = (self.part)(self.range.next()?);
        Some(part.load(self.store.inner_mut()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }
}

impl<T: 'static, F: Fn(u32) -> Part> ExactSizeIterator for Parts<'_, T, F> {}
