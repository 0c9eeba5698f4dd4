//! `AnyRef`: references to what guests make, structs, arrays and `i31`s, and to anything that was
//! converted to such.

use std::fmt;

use super::sealed::GcRefImpl;
use super::{ArrayRef, EqRef, ExternRef, I31, Rooted, StructRef, resolve};
use crate::api::store::{AsContext, AsContextMut};
use crate::api::types::HeapType;
use crate::error::Result;
use crate::gc::{self, RootIndex};
use crate::instance::store::StoreInner;
use crate::wasm::types as wasm;

/// A reference of WebAssembly's `anyref`: to a struct, an array, an `i31`, or to a host object that
/// was converted to one.
///
/// What is found out about one here, the references of the narrower types have as well: a
/// [`StructRef`] is an [`EqRef`], which is an `AnyRef`. The casts `as_..` give the same root, which
/// lasts as long as this one.
///
/// ```
/// use hostref::{AnyRef, Engine, Instance, Module, Result, Rooted, Store};
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"
///     (module
///         (type $pair (struct (field i32) (field i32)))
///         (func (export "pair") (param i32 i32) (result anyref)
///             (struct.new $pair (local.get 0) (local.get 1)))
///         (func (export "first") (param anyref) (result i32)
///             (struct.get $pair 0 (ref.cast (ref $pair) (local.get 0)))))
/// "#)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let pair = instance.get_typed_func::<(i32, i32), Rooted<AnyRef>>(&mut store, "pair")?;
/// let first = instance.get_typed_func::<Rooted<AnyRef>, i32>(&mut store, "first")?;
/// let object = pair.call(&mut store, (3, 4))?;
/// assert!(object.is_struct(&store)?);
/// assert_eq!(first.call(&mut store, object)?, 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct AnyRef {
    index: RootIndex,
}

impl AnyRef {
    /// A reference that holds `value`, rooted in the current scope.
    ///
    /// ```
    /// use hostref::{AnyRef, HeapType, I31, Result, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let five = AnyRef::from_i31(&mut store, I31::wrapping_u32(5));
    /// assert!(five.matches_ty(&store, &HeapType::Eq)?);
    /// assert_eq!(five.as_i31(&store)?.map(|five| five.get_u32()), Some(5));
    /// assert!(five.as_struct(&store)?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_i31(mut store: impl AsContextMut, value: I31) -> Rooted<AnyRef> {
        Rooted::from_gc_ref(store.as_context_mut().into_inner(), value.to_gc_ref())
    }

    /// The reference as an `anyref`: what `any.convert_extern` does. Rooted in the current scope.
    ///
    /// # Errors
    ///
    /// If `reference` is not rooted any more or belongs to another store.
    pub fn convert_extern(
        mut store: impl AsContextMut,
        reference: Rooted<ExternRef>,
    ) -> Result<Rooted<AnyRef>> {
        let inner = store.as_context_mut().into_inner();
        let reference = reference.gc_ref(inner)?;
        Ok(Rooted::from_gc_ref(inner, reference))
    }

    /// The narrowest type of what it refers to. For a host object that was converted that is `any`.
    ///
    /// # Errors
    ///
    /// If the reference is not rooted any more or belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> Result<HeapType> {
        let store = store.as_context();
        let inner = store.inner();
        Ok(HeapType::from_wasm(store.engine(), inner.heap_type_of(self.gc_ref(inner)?)))
    }

    /// Whether what it refers to is of type `ty`.
    ///
    /// # Errors
    ///
    /// As [`ty`](AnyRef::ty).
    pub fn matches_ty(&self, store: impl AsContext, ty: &HeapType) -> Result<bool> {
        Ok(self.ty(store)?.matches(ty))
    }

    /// Whether it is of type `eqref`: a struct, an array or an `i31`.
    ///
    /// # Errors
    ///
    /// As [`ty`](AnyRef::ty).
    pub fn is_eqref(&self, store: impl AsContext) -> Result<bool> {
        self.is(store, wasm::HeapType::Eq)
    }

    /// The same root as an [`EqRef`], if it is of type `eqref`: a struct, an array or an `i31`.
    ///
    /// # Errors
    ///
    /// As [`ty`](AnyRef::ty).
    pub fn as_eqref(&self, store: impl AsContext) -> Result<Option<Rooted<EqRef>>> {
        self.cast(store, wasm::HeapType::Eq)
    }

    /// The same root as an [`EqRef`].
    ///
    /// # Errors
    ///
    /// As [`ty`](AnyRef::ty).
    ///
    /// # Panics
    ///
    /// Unless it is of type `eqref`: a struct, an array or an `i31`.
    pub fn unwrap_eqref(&self, store: impl AsContext) -> Result<Rooted<EqRef>> {
        Ok(self.as_eqref(store)?.expect("AnyRef::unwrap_eqref on something else"))
    }

    /// Whether it refers to a struct.
    ///
    /// # Errors
    ///
    /// As [`ty`](AnyRef::ty).
    pub fn is_struct(&self, store: impl AsContext) -> Result<bool> {
        self.is(store, wasm::HeapType::Struct)
    }

    /// The same root as a [`StructRef`], if it refers to a struct.
    ///
    /// # Errors
    ///
    /// As [`ty`](AnyRef::ty).
    pub fn as_struct(&self, store: impl AsContext) -> Result<Option<Rooted<StructRef>>> {
        self.cast(store, wasm::HeapType::Struct)
    }

    /// The same root as a [`StructRef`].
    ///
    /// # Errors
    ///
    /// As [`ty`](AnyRef::ty).
    ///
    /// # Panics
    ///
    /// Unless it refers to a struct.
    pub fn unwrap_struct(&self, store: impl AsContext) -> Result<Rooted<StructRef>> {
        Ok(self.as_struct(store)?.expect("AnyRef::unwrap_struct on something else"))
    }

    /// Whether it refers to an array.
    ///
    /// # Errors
    ///
    /// As [`ty`](AnyRef::ty).
    pub fn is_array(&self, store: impl AsContext) -> Result<bool> {
        self.is(store, wasm::HeapType::Array)
    }

    /// The same root as an [`ArrayRef`], if it refers to an array.
    ///
    /// # Errors
    ///
    /// As [`ty`](AnyRef::ty).
    pub fn as_array(&self, store: impl AsContext) -> Result<Option<Rooted<ArrayRef>>> {
        self.cast(store, wasm::HeapType::Array)
    }

    /// The same root as an [`ArrayRef`].
    ///
    /// # Errors
    ///
    /// As [`ty`](AnyRef::ty).
    ///
    /// # Panics
    ///
    /// Unless it refers to an array.
    pub fn unwrap_array(&self, store: impl AsContext) -> Result<Rooted<ArrayRef>> {
        Ok(self.as_array(store)?.expect("AnyRef::unwrap_array on something else"))
    }

    /// Whether it holds an `i31`.
    ///
    /// # Errors
    ///
    /// As [`ty`](AnyRef::ty).
    pub fn is_i31(&self, store: impl AsContext) -> Result<bool> {
        Ok(self.as_i31(store)?.is_some())
    }

    /// The integer, if it holds an `i31`.
    ///
    /// # Errors
    ///
    /// As [`ty`](AnyRef::ty).
    pub fn as_i31(&self, store: impl AsContext) -> Result<Option<I31>> {
        Ok(I31::of_gc_ref(self.gc_ref(store.as_context().inner())?))
    }

    /// The integer.
    ///
    /// # Errors
    ///
    /// As [`ty`](AnyRef::ty).
    ///
    /// # Panics
    ///
    /// Unless it holds an `i31`.
    pub fn unwrap_i31(&self, store: impl AsContext) -> Result<I31> {
        Ok(self.as_i31(store)?.expect("AnyRef::unwrap_i31 on something else"))
    }

    fn is(&self, store: impl AsContext, wanted: wasm::HeapType) -> Result<bool> {
        let inner = store.as_context().inner();
        Ok(inner.is_of_type(self.gc_ref(inner)?, wanted))
    }

    fn cast<T: super::GcRef>(
        &self,
        store: impl AsContext,
        wanted: wasm::HeapType,
    ) -> Result<Option<Rooted<T>>> {
        Ok(self.is(store, wanted)?.then(|| Rooted::from_index(self.index)))
    }

    /// The reference itself, good until the next collection.
    #[inline]
    pub(in crate::api) fn gc_ref(&self, inner: &StoreInner) -> Result<gc::GcRef> {
        resolve(inner, self.index)
    }
}

impl ExternRef {
    /// The reference as an `externref`: what `extern.convert_any` does. Rooted in the current scope.
    ///
    /// # Errors
    ///
    /// If `reference` is not rooted any more or belongs to another store.
    pub fn convert_any(
        mut store: impl AsContextMut,
        reference: Rooted<AnyRef>,
    ) -> Result<Rooted<ExternRef>> {
        let inner = store.as_context_mut().into_inner();
        let reference = reference.gc_ref(inner)?;
        Ok(Rooted::from_gc_ref(inner, reference))
    }
}

impl GcRefImpl for AnyRef {
    fn from_index(index: RootIndex) -> Self {
        AnyRef { index }
    }

    fn index(&self) -> RootIndex {
        self.index
    }
}

impl fmt::Debug for AnyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnyRef({:?})", self.index)
    }
}
