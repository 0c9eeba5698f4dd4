//! `AnyRef`: references to what guests make, structs, arrays and `i31`s, and to anything that was
//! converted to such.

use std::fmt;

use super::sealed::GcRefImpl;
use super::{ExternRef, Rooted, resolve};
use crate::api::store::{AsContext, AsContextMut};
use crate::api::types::HeapType;
use crate::error::Result;
use crate::gc::{self, Referent, RootIndex};
use crate::instance::definition::RawRef;
use crate::instance::store::StoreInner;
use crate::wasm::types as wasm;

/// A reference of WebAssembly's `anyref`: to a struct, an array, an `i31`, or to a host object that
/// was converted to one.
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

    /// The narrowest type of what it refers to.
    ///
    /// # Errors
    ///
    /// If the reference is not rooted any more or belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> Result<HeapType> {
        let store = store.as_context();
        let raw = RawRef::Gc(self.gc_ref(store.inner())?.to_raw());
        let ty = store.inner().type_of_ref(raw, wasm::HeapType::Any);
        Ok(HeapType::from_wasm(store.engine(), ty.heap))
    }

    /// Whether it is of type `eqref`: a struct, an array or an `i31`.
    ///
    /// # Errors
    ///
    /// As [`ty`](AnyRef::ty).
    pub fn is_eqref(&self, store: impl AsContext) -> Result<bool> {
        self.is(store, wasm::HeapType::Eq)
    }

    /// Whether it is an `i31`.
    ///
    /// # Errors
    ///
    /// As [`ty`](AnyRef::ty).
    pub fn is_i31(&self, store: impl AsContext) -> Result<bool> {
        self.is(store, wasm::HeapType::I31)
    }

    /// Whether it refers to a struct.
    ///
    /// # Errors
    ///
    /// As [`ty`](AnyRef::ty).
    pub fn is_struct(&self, store: impl AsContext) -> Result<bool> {
        self.is(store, wasm::HeapType::Struct)
    }

    /// Whether it refers to an array.
    ///
    /// # Errors
    ///
    /// As [`ty`](AnyRef::ty).
    pub fn is_array(&self, store: impl AsContext) -> Result<bool> {
        self.is(store, wasm::HeapType::Array)
    }

    fn is(&self, store: impl AsContext, wanted: wasm::HeapType) -> Result<bool> {
        let store = store.as_context();
        let inner = store.inner();
        let heap = match inner.gc.referent(self.gc_ref(inner)?) {
            Referent::I31 => wasm::HeapType::I31,
            Referent::Object(ty) => wasm::HeapType::Concrete(ty),
            Referent::Host | Referent::Exception => return Ok(false),
        };
        Ok(inner.engine.types().heap_matches(heap, wanted))
    }

    /// The reference itself, good until the next collection.
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
