//! `StructRef`: references to structs. Making them, and reading and writing their fields.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use anyhow::{Context as _, ensure};

use super::eqref::{EqRef, typed_eq_ref};
use super::parts::{Part, Parts};
use super::sealed::GcRefImpl;
use super::{GcHeapOutOfMemory, Rooted};
use crate::api::engine::Engine;
use crate::api::gc_field::GcField;
use crate::api::gc_types::StructType;
use crate::api::store::{AsContext, AsContextMut, StoreContextMut};
use crate::api::value::Val;
use crate::error::Result;
use crate::gc::{self, RootIndex};
use crate::instance::object_types::ObjectType;
use crate::instance::store::StoreInner;
use crate::wasm::types as wasm;

/// A reference to a struct: WebAssembly's `structref`. It has the methods of [`AnyRef`](crate::AnyRef)
/// as well.
///
/// ```
/// use hostref::{Engine, FieldType, Mutability, Result, Store, StorageType, StructRef, StructRefPre};
/// use hostref::{StructType, Val, ValType};
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let mut store = Store::new(&engine, ());
/// let ty = StructType::new(&engine, [
///     FieldType::new(Mutability::Var, StorageType::I8),
///     FieldType::new(Mutability::Const, ValType::EXTERNREF.into()),
/// ])?;
/// let allocator = StructRefPre::new(&mut store, ty);
/// let object = StructRef::new(&mut store, &allocator, &[Val::I32(7), Val::ExternRef(None)])?;
/// assert_eq!(object.field(&mut store, 0)?.unwrap_i32(), 7);
/// object.set_field(&mut store, 0, Val::I32(300))?;
/// assert_eq!(object.field_typed::<u8>(&mut store, 0)?, 44);
/// let error = object.set_field(&mut store, 1, Val::ExternRef(None)).unwrap_err();
/// assert_eq!(format!("{error:#}"), "field 1: it is immutable");
/// # Ok(())
/// # }
/// ```
///
/// `StructRef<T>` is one to a struct of the type that the Rust type `T` defines, `StructRef` alone one to a
/// struct of any type.
pub struct StructRef<T: ?Sized = AnyStruct> {
    eq: EqRef,
    ty: PhantomData<fn(*mut T)>,
}

/// What a [`StructRef`] refers to when its type is no type of Rust: a struct of any type.
#[derive(Clone, Copy, Debug)]
pub enum AnyStruct {}

/// Makes structs of one type. What can be checked of the type is checked once.
///
/// It serves every store of the type's engine.
#[derive(Clone)]
pub struct StructRefPre {
    engine: Engine,
    ty: Arc<ObjectType>,
}

impl StructRefPre {
    /// For structs of type `ty`.
    pub fn new(_store: impl AsContextMut, ty: StructType) -> StructRefPre {
        let engine = ty.engine().clone();
        StructRefPre { ty: engine.shared().object_type(ty.id()), engine }
    }

    /// The type of the structs.
    pub fn ty(&self) -> StructType {
        StructType::from_id(&self.engine, self.ty.id)
    }
}

impl fmt::Debug for StructRefPre {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StructRefPre").field(&self.ty()).finish()
    }
}

/// Making structs.
impl StructRef {
    /// A new struct with these fields, rooted in the current scope. Never collects, as
    /// [`ExternRef::new`](crate::ExternRef::new).
    ///
    /// # Errors
    ///
    /// If the number or the type of a field is not the type's, a reference among them is not rooted any
    /// more or belongs to another store, or the type belongs to another engine;
    /// [`GcHeapOutOfMemory<()>`](GcHeapOutOfMemory) when the heap is full; an error of the store's
    /// [limiter](crate::Store::limiter).
    pub fn new(
        mut store: impl AsContextMut,
        allocator: &StructRefPre,
        fields: &[Val],
    ) -> Result<Rooted<StructRef>> {
        let inner = store.as_context_mut().into_inner();
        let ty = &*allocator.ty;
        let same = Arc::ptr_eq(allocator.engine.shared(), &inner.engine);
        ensure!(same, "the type of the struct belongs to another engine than the store's");
        let (expected, found) = (ty.fields.len(), fields.len());
        ensure!(expected == found, "expected {expected} fields, found {found}");
        let object = inner.host_struct(ty)?.ok_or_else(GcHeapOutOfMemory::error)?;
        for (index, field) in fields.iter().enumerate() {
            let stored = Part::field(object, ty, index)?.store(inner, field);
            stored.with_context(|| format!("field {index}"))?;
        }
        Ok(Rooted::from_gc_ref(inner, object))
    }
}

/// Looking at structs, and changing them.
impl<T: ?Sized + 'static> StructRef<T> {
    /// The type of the struct.
    ///
    /// # Errors
    ///
    /// If the reference is not rooted any more or belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> Result<StructType> {
        let store = store.as_context();
        let object = self.gc_ref(store.inner())?;
        Ok(StructType::from_id(store.engine(), type_id(store.inner(), object)))
    }

    /// Whether the struct is of type `ty`.
    ///
    /// # Errors
    ///
    /// As [`ty`](StructRef::ty).
    pub fn matches_ty(&self, store: impl AsContext, ty: &StructType) -> Result<bool> {
        Ok(self.ty(store)?.matches(ty))
    }

    /// The value of the field at `index`; a reference is rooted in the current scope. Integers of 8 and
    /// 16 bits are extended with zeros.
    ///
    /// # Errors
    ///
    /// As [`ty`](StructRef::ty), and if the struct has fewer fields.
    pub fn field(&self, mut store: impl AsContextMut, index: usize) -> Result<Val> {
        let inner = store.as_context_mut().into_inner();
        Ok(self.part(inner, index)?.load(inner))
    }

    /// The values of the fields; references are rooted in the current scope.
    ///
    /// # Errors
    ///
    /// As [`ty`](StructRef::ty).
    pub fn fields<'a, U: 'static>(
        &self,
        store: impl Into<StoreContextMut<'a, U>>,
    ) -> Result<impl ExactSizeIterator<Item = Val> + 'a> {
        let mut store: StoreContextMut<'a, U> = store.into();
        let inner = store.inner_mut();
        let object = self.gc_ref(inner)?;
        let ty = inner.object_type(type_id(inner, object)).clone();
        let count = u32::try_from(ty.fields.len()).expect("a struct has at most 10 000 fields");
        let part = move |index| {
            Part::field(object, &ty, index as usize).expect("the index is in the range")
        };
        Ok(Parts { store, range: 0..count, part })
    }

    /// Replaces the value of the field at `index`. Of a field of 8 or 16 bits the lowest bits of an
    /// `i32`.
    ///
    /// # Errors
    ///
    /// As [`ty`](StructRef::ty); if the struct has fewer fields, the field is immutable, or the value is
    /// not of its type, is not rooted any more or belongs to another store.
    pub fn set_field(&self, mut store: impl AsContextMut, index: usize, value: Val) -> Result<()> {
        let inner = store.as_context_mut().into_inner();
        let field = self.part(inner, index)?;
        field.replace(|part| part.store(inner, &value)).with_context(|| format!("field {index}"))
    }

    /// As [`field`](StructRef::field), as a value of a Rust type: `i8` and `u8` for fields of 8 bits, and
    /// so on. Faster, for what is checked is only that the field has this type.
    ///
    /// # Errors
    ///
    /// As [`field`](StructRef::field); if the field is of another type; if it is null and `F` has no
    /// null.
    #[inline]
    pub fn field_typed<F: GcField>(&self, mut store: impl AsContextMut, index: usize) -> Result<F> {
        let inner = store.as_context_mut().into_inner();
        let field = self.part(inner, index)?;
        F::load_part(inner, field).with_context(|| format!("field {index}"))
    }

    /// As [`set_field`](StructRef::set_field), with a value of a Rust type.
    ///
    /// # Errors
    ///
    /// As [`set_field`](StructRef::set_field).
    #[inline]
    pub fn set_field_typed<F: GcField>(
        &self,
        mut store: impl AsContextMut,
        index: usize,
        value: F,
    ) -> Result<()> {
        let inner = store.as_context_mut().into_inner();
        let field = self.part(inner, index)?;
        field
            .replace(|part| value.store_part(inner, part))
            .with_context(|| format!("field {index}"))
    }

    #[inline]
    fn part(&self, inner: &mut StoreInner, index: usize) -> Result<Part> {
        let object = self.gc_ref(inner)?;
        let ty = type_id(inner, object);
        Part::field(object, inner.object_type(ty), index)
    }
}

/// The type of the struct or the array that `object` leads to.
#[inline]
pub(in crate::api) fn type_id(inner: &StoreInner, object: gc::GcRef) -> wasm::TypeId {
    match inner.gc.referent(object) {
        gc::Referent::Object(ty) => ty,
        _ => panic!("validated: a reference to a struct or an array leads to one"),
    }
}

typed_eq_ref!(StructRef);
