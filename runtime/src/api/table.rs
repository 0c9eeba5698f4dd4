//! `Table`: a handle to a table.

use anyhow::{Context as _, bail, ensure};

use super::store::{AsContext, AsContextMut};
use super::types::TableType;
use super::value::Ref;
use crate::error::Result;
use crate::gc::roots::StoreId;
use crate::instance::definition::DefSlot;
use crate::instance::segments::table_trap;
use crate::instance::store::StoreInner;
use crate::instance::table::Table as Definition;

/// A table of a store.
///
/// ```
/// use hostref::{Engine, ExternRef, Ref, RefType, Result, Store, Table, TableType};
///
/// # fn main() -> Result<()> {
/// let mut store = Store::new(&Engine::default(), ());
/// let table = Table::new(&mut store, TableType::new(RefType::EXTERNREF, 2, None), Ref::Extern(None))?;
/// let object = ExternRef::new(&mut store, "kept alive by the table")?;
/// table.set(&mut store, 1, object.into())?;
/// assert!(table.get(&mut store, 0).unwrap().is_null());
/// assert!(table.get(&mut store, 2).is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    store: StoreId,
    index: usize,
}

impl Table {
    /// A new table, filled with `init`.
    ///
    /// # Errors
    ///
    /// If the type is not a valid one or of another engine, `init` is not of the element type, the
    /// size exceeds the configured limit, or the store's [limiter](crate::Store::limiter) refuses.
    pub fn new(mut store: impl AsContextMut, ty: TableType, init: Ref) -> Result<Table> {
        let mut store = store.as_context_mut();
        let inner = store.inner_mut();
        ensure!(ty.element().belongs_to(&inner.engine), "{ty} belongs to another engine");
        let max = ty.maximum().unwrap_or(u64::MAX);
        ensure!(ty.minimum() <= max, "table limits out of range: {ty}");
        let ty = ty.to_wasm();
        let init = init.lower_as(inner, ty.element).context("initial element of a table")?;
        inner.permit_table(ty.limits)?;
        let index = inner.add_table(ty, DefSlot::boxed(), init)?;
        Ok(Table::from_position(inner, index))
    }

    /// The table's type.
    ///
    /// # Panics
    ///
    /// If the table belongs to another store, as the other methods without a `Result` do.
    pub fn ty(&self, store: impl AsContext) -> TableType {
        let store = store.as_context();
        let engine = store.inner().engine_handle.clone();
        TableType::from_wasm(&engine, self.definition(store.inner()).ty)
    }

    /// The current number of elements.
    pub fn size(&self, store: impl AsContext) -> u64 {
        self.definition(store.as_context().inner()).len()
    }

    /// The element at `index`, rooted in the current root scope; `None` if the table is shorter.
    pub fn get(&self, mut store: impl AsContextMut, index: u64) -> Option<Ref> {
        let mut store = store.as_context_mut();
        let definition = self.definition(store.inner());
        let (raw, heap) = (definition.get(index)?, definition.ty.element.heap);
        Some(Ref::load(store.inner_mut(), raw, heap))
    }

    /// Replaces the element at `index`.
    ///
    /// # Errors
    ///
    /// If the table is shorter, or `value` not of its element type.
    pub fn set(&self, store: impl AsContextMut, index: u64, value: Ref) -> Result<()> {
        self.fill(store, index, value, 1)
    }

    /// Replaces `len` elements from `index` on.
    ///
    /// # Errors
    ///
    /// If the table is shorter, or `value` not of its element type; then nothing is replaced.
    pub fn fill(
        &self,
        mut store: impl AsContextMut,
        index: u64,
        value: Ref,
        len: u64,
    ) -> Result<()> {
        let inner = store.as_context_mut().into_inner();
        let position = self.checked(inner)?;
        let value = value.lower_as(inner, inner.tables[position].ty.element)?;
        Ok(inner.tables[position].fill(&inner.vm.heap, index, value, len).map_err(table_trap)?)
    }

    /// Grows by `delta` elements with the value `init` and returns the size before.
    ///
    /// # Errors
    ///
    /// If the maximum, the configured limit or the store's [limiter](crate::Store::limiter) does not
    /// allow it, or `init` is not of the element type.
    pub fn grow(&self, mut store: impl AsContextMut, delta: u64, init: Ref) -> Result<u64> {
        let inner = store.as_context_mut().into_inner();
        let position = self.checked(inner)?;
        let init = init.lower_as(inner, inner.tables[position].ty.element)?;
        match inner.grow_table(position, delta, init)? {
            Some(old) => Ok(old),
            None => {
                bail!("failed to grow the table by {delta} elements: over its maximum or limit")
            }
        }
    }

    /// Copies `len` elements from `source` to `target`, which may be the same table.
    ///
    /// # Errors
    ///
    /// If a range is not inside its table or the element types do not fit; then nothing is copied.
    pub fn copy(
        mut store: impl AsContextMut,
        target: &Table,
        target_index: u64,
        source: &Table,
        source_index: u64,
        len: u64,
    ) -> Result<()> {
        let inner = store.as_context_mut().into_inner();
        let (to, from) = (target.checked(inner)?, source.checked(inner)?);
        let (to_ty, from_ty) = (inner.tables[to].ty.element, inner.tables[from].ty.element);
        if !inner.engine.types().ref_matches(from_ty, to_ty) {
            bail!("type mismatch: the tables' element types differ");
        }
        Ok(inner.table_copy(to, from, target_index, source_index, len)?)
    }

    pub(crate) fn from_position(store: &StoreInner, index: usize) -> Table {
        Table { store: store.id(), index }
    }

    /// The position in the store, if the table belongs to it.
    pub(crate) fn position(&self, store: &StoreInner) -> Option<usize> {
        (self.store == store.id()).then_some(self.index)
    }

    fn checked(&self, store: &StoreInner) -> Result<usize> {
        self.position(store).context("the table belongs to another store")
    }

    fn definition<'a>(&self, store: &'a StoreInner) -> &'a Definition {
        &store.tables[self.position(store).expect("the table belongs to this store")]
    }
}
