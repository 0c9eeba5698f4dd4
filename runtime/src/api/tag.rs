//! `Tag`: a handle to a tag of exceptions.

use anyhow::{Context as _, ensure};

use super::store::{AsContext, AsContextMut};
use super::types::{FuncType, TagType};
use crate::error::Result;
use crate::gc::roots::StoreId;
use crate::instance::store::StoreInner;

/// A tag of a store: what tells kinds of exceptions apart.
///
/// Every tag is another one, whatever its type: a `catch` clause gets the exceptions of the tag it
/// names and of no other.
///
/// ```
/// use hostref::{Engine, FuncType, Result, Store, Tag, TagType, ValType};
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let mut store = Store::new(&engine, ());
/// let ty = TagType::new(FuncType::new(&engine, [ValType::I32], []));
/// let (a, b) = (Tag::new(&mut store, &ty)?, Tag::new(&mut store, &ty)?);
/// assert_eq!(a.ty(&store), b.ty(&store));
/// assert_ne!(a, b);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tag {
    store: StoreId,
    index: usize,
}

impl Tag {
    /// A new tag.
    ///
    /// # Errors
    ///
    /// If the type belongs to another engine, or has results.
    pub fn new(mut store: impl AsContextMut, ty: &TagType) -> Result<Tag> {
        let inner = store.as_context_mut().into_inner();
        let same = std::sync::Arc::ptr_eq(ty.ty().engine().shared(), &inner.engine);
        ensure!(same, "the type belongs to another engine");
        ensure!(ty.ty().results().len() == 0, "a tag's type has no results: {}", ty.ty());
        let index = inner.add_tag(ty.ty().info().id);
        Ok(Tag::from_position(inner, index))
    }

    /// The tag's type.
    ///
    /// # Panics
    ///
    /// If the tag belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> TagType {
        let store = store.as_context();
        let position = self.position(store.inner()).expect("the tag belongs to this store");
        let engine = store.inner().engine_handle.clone();
        let info = store.inner().tags[position].ty.clone();
        TagType::new(FuncType::from_info(engine, info))
    }

    /// Whether both are the same tag of `store`. Tags of one store may also be compared with `==`.
    ///
    /// # Panics
    ///
    /// If one of them belongs to another store.
    pub fn eq(a: &Tag, b: &Tag, store: impl AsContext) -> bool {
        let store = store.as_context();
        let position = |tag: &Tag| tag.position(store.inner()).expect("the tag is of this store");
        position(a) == position(b)
    }

    pub(crate) fn from_position(store: &StoreInner, index: usize) -> Tag {
        Tag { store: store.id(), index }
    }

    /// The position in the store, if the tag belongs to it.
    pub(crate) fn position(&self, store: &StoreInner) -> Option<usize> {
        (self.store == store.id()).then_some(self.index)
    }

    /// The position in the store.
    ///
    /// # Errors
    ///
    /// If the tag belongs to another store.
    pub(crate) fn checked(&self, store: &StoreInner) -> Result<usize> {
        self.position(store).context("the tag belongs to another store")
    }
}
