//! `Global`: a handle to a global.

use anyhow::{Context as _, bail, ensure};

use super::store::{AsContext, AsContextMut};
use super::types::GlobalType;
use super::value::Val;
use crate::error::Result;
use crate::gc::roots::StoreId;
use crate::instance::definition::DefSlot;
use crate::instance::store::StoreInner;
use crate::vm::value::ValRaw;

/// A global of a store.
///
/// ```
/// use hostref::{Engine, Global, GlobalType, Mutability, Result, Store, Val, ValType};
///
/// # fn main() -> Result<()> {
/// let mut store = Store::new(&Engine::default(), ());
/// let ty = GlobalType::new(ValType::I32, Mutability::Var);
/// let global = Global::new(&mut store, ty, Val::I32(1))?;
/// global.set(&mut store, Val::I32(2))?;
/// assert_eq!(global.get(&mut store).unwrap_i32(), 2);
/// assert!(global.set(&mut store, Val::I64(3)).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Global {
    store: StoreId,
    index: usize,
}

impl Global {
    /// A new global with the value `val`.
    ///
    /// # Errors
    ///
    /// If `val` is not of the type, or the type belongs to another engine.
    pub fn new(mut store: impl AsContextMut, ty: GlobalType, val: Val) -> Result<Global> {
        let inner = store.as_context_mut().into_inner();
        ensure!(ty.content().belongs_to(&inner.engine), "{ty} belongs to another engine");
        let ty = ty.to_wasm();
        let raw = val.lower_as(inner, ty.content).context("initial value of a global")?;
        let index = inner.add_global(ty, DefSlot::boxed(), raw.get_v128());
        Ok(Global::from_position(inner, index))
    }

    /// The global's type.
    ///
    /// # Panics
    ///
    /// If the global belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> GlobalType {
        let store = store.as_context();
        let position = self.position(store.inner()).expect("the global belongs to this store");
        let engine = store.inner().engine_handle.clone();
        GlobalType::from_wasm(&engine, store.inner().globals[position].ty)
    }

    /// The value; a reference is rooted in the current root scope.
    ///
    /// # Panics
    ///
    /// If the global belongs to another store.
    pub fn get(&self, mut store: impl AsContextMut) -> Val {
        let inner = store.as_context_mut().into_inner();
        let position = self.position(inner).expect("the global belongs to this store");
        let global = &inner.globals[position];
        let (bits, ty) = (global.bits(), global.ty.content);
        Val::load(inner, ValRaw::v128(bits), ty)
    }

    /// Replaces the value.
    ///
    /// # Errors
    ///
    /// If the global is immutable or belongs to another store, or `val` is not of its type.
    pub fn set(&self, mut store: impl AsContextMut, val: Val) -> Result<()> {
        let inner = store.as_context_mut().into_inner();
        let position = self.position(inner).context("the global belongs to another store")?;
        let ty = inner.globals[position].ty;
        if !ty.mutable {
            bail!("the global is immutable");
        }
        let raw = val.lower_as(inner, ty.content)?;
        inner.globals[position].set_bits(&mut inner.gc, raw.get_v128());
        Ok(())
    }

    pub(crate) fn from_position(store: &StoreInner, index: usize) -> Global {
        Global { store: store.id(), index }
    }

    /// The position in the store, if the global belongs to it.
    pub(crate) fn position(&self, store: &StoreInner) -> Option<usize> {
        (self.store == store.id()).then_some(self.index)
    }
}
