//! `ExnRef`: references to exceptions. Making them, and reading their tag and payload.

use std::fmt;

use anyhow::{Context as _, ensure};

use super::sealed::GcRefImpl;
use super::{GcHeapOutOfMemory, Rooted, resolve};
use crate::api::store::{AsContext, AsContextMut};
use crate::api::tag::Tag;
use crate::api::value::Val;
use crate::error::Result;
use crate::gc::{self, RootIndex};
use crate::instance::store::StoreInner;
use crate::vm::value::ValRaw;

/// A reference to an exception: WebAssembly's `exnref`.
///
/// An exception has a [`Tag`] and the values that the tag's type lists, which never change.
///
/// ```
/// use hostref::{Engine, ExnRef, FuncType, Result, Store, Tag, TagType, Val, ValType};
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let mut store = Store::new(&engine, ());
/// let ty = TagType::new(FuncType::new(&engine, [ValType::I32, ValType::EXTERNREF], []));
/// let tag = Tag::new(&mut store, &ty)?;
/// let exception = ExnRef::new(&mut store, &tag, &[Val::I32(7), Val::ExternRef(None)])?;
/// assert_eq!(exception.tag(&store)?, tag);
/// assert_eq!(exception.field(&mut store, 0)?.unwrap_i32(), 7);
/// assert_eq!(exception.fields(&mut store)?.len(), 2);
/// # Ok(())
/// # }
/// ```
///
/// To throw one, return [`Caller::throw`](crate::Caller::throw) from a host function.
#[derive(Clone, Copy)]
pub struct ExnRef {
    index: RootIndex,
}

impl ExnRef {
    /// A new exception with the payload `fields`, rooted in the current scope. Never collects, as
    /// [`ExternRef::new`](crate::ExternRef::new).
    ///
    /// # Errors
    ///
    /// If the number or the type of a field is not the tag's, or the tag belongs to another store;
    /// [`GcHeapOutOfMemory<()>`](GcHeapOutOfMemory) when the heap is full; an error of the store's
    /// [limiter](crate::Store::limiter).
    pub fn new(mut store: impl AsContextMut, tag: &Tag, fields: &[Val]) -> Result<Rooted<ExnRef>> {
        let inner = store.as_context_mut().into_inner();
        let tag = tag.checked(inner)?;
        let (ty, layout) = (inner.tags[tag].ty.clone(), inner.tags[tag].layout.clone());
        let (expected, found) = (ty.ty.params.len(), fields.len());
        ensure!(expected == found, "expected {expected} fields, found {found}");
        let mut slots = Vec::with_capacity(fields.len());
        for (index, (field, ty)) in fields.iter().zip(&ty.ty.params).enumerate() {
            let raw = field.lower_as(inner, *ty).with_context(|| format!("field {index}"))?;
            slots.push(raw.get_v128());
        }
        let exception = inner.alloc_exception(tag)?;
        let exception = exception.ok_or_else(GcHeapOutOfMemory::error)?;
        for (field, bits) in layout.fields.iter().zip(slots) {
            inner.gc.set_exception_field(exception, *field, bits);
        }
        Ok(Rooted::from_gc_ref(inner, exception))
    }

    /// The exception's tag.
    ///
    /// # Errors
    ///
    /// If the reference is not rooted any more or belongs to another store.
    pub fn tag(&self, store: impl AsContext) -> Result<Tag> {
        let store = store.as_context();
        let inner = store.inner();
        let reference = self.gc_ref(inner)?;
        Ok(Tag::from_position(inner, inner.gc.exception_tag(reference) as usize))
    }

    /// One value of the payload; a reference is rooted in the current scope.
    ///
    /// # Errors
    ///
    /// As [`tag`](ExnRef::tag), and if the payload has fewer values.
    pub fn field(&self, mut store: impl AsContextMut, index: usize) -> Result<Val> {
        let inner = store.as_context_mut().into_inner();
        let reference = self.gc_ref(inner)?;
        load(inner, reference, index)
    }

    /// The payload; references are rooted in the current scope.
    ///
    /// # Errors
    ///
    /// As [`tag`](ExnRef::tag).
    pub fn fields(&self, mut store: impl AsContextMut) -> Result<std::vec::IntoIter<Val>> {
        let inner = store.as_context_mut().into_inner();
        let reference = self.gc_ref(inner)?;
        let tag = inner.gc.exception_tag(reference) as usize;
        let count = inner.tags[tag].layout.fields.len();
        let fields = (0..count).map(|index| load(inner, reference, index));
        Ok(fields.collect::<Result<Vec<Val>>>()?.into_iter())
    }
}

impl ExnRef {
    /// The reference itself, good until the next collection.
    pub(in crate::api) fn gc_ref(&self, inner: &StoreInner) -> Result<gc::GcRef> {
        resolve(inner, self.index)
    }
}

/// A value of the payload of `exception`.
fn load(inner: &mut StoreInner, exception: gc::GcRef, index: usize) -> Result<Val> {
    let tag = &inner.tags[inner.gc.exception_tag(exception) as usize];
    let count = tag.layout.fields.len();
    ensure!(index < count, "the exception has {count} fields, and no field {index}");
    let ty = tag.ty.ty.params[index];
    let bits = inner.gc.exception_field(exception, tag.layout.fields[index]);
    Ok(Val::load(inner, ValRaw::v128(bits), ty))
}

impl GcRefImpl for ExnRef {
    fn from_index(index: RootIndex) -> Self {
        ExnRef { index }
    }

    fn index(&self) -> RootIndex {
        self.index
    }
}

impl fmt::Debug for ExnRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExnRef({:?})", self.index)
    }
}
