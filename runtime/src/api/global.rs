//! `Global`: a handle to a global.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use anyhow::{Context as _, bail, ensure};

use super::convert::{Abi, WasmBasic, WasmTy, load};
use super::engine::Engine;
use super::store::{AsContext, AsContextMut};
use super::types::GlobalType;
use super::value::Val;
use crate::error::Result;
use crate::gc::roots::StoreId;
use crate::instance::definition::DefSlot;
use crate::instance::store::StoreInner;
use crate::vm::value::ValRaw;
use crate::wasm::types::{GlobalType as WasmGlobal, RefType, ValType};

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
///
/// `Global<T>` is one whose values are known to be `T`s; `Global` alone is one whose type is known at
/// run time.
pub struct Global<T = Val> {
    store: StoreId,
    index: usize,
    _value: PhantomData<fn() -> T>,
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

    /// The same global, its values known to be `T`s.
    ///
    /// # Errors
    ///
    /// If its type is not that of `T`; a reference that is a `T` or null is one, too. If it belongs to
    /// another store.
    ///
    /// ```
    /// use hostref::{Engine, Global, GlobalType, Mutability, Result, Store, Val, ValType};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::new(&Engine::default(), ());
    /// let ty = GlobalType::new(ValType::I32, Mutability::Var);
    /// let ticks: Global<u32> = Global::new(&mut store, ty, Val::I32(1))?.typed(&store)?;
    /// ticks.set(&mut store, 7)?;
    /// assert_eq!(ticks.get(&mut store)?, 7);
    /// # Ok(())
    /// # }
    /// ```
    pub fn typed<T: WasmTy>(&self, store: impl AsContext) -> Result<Global<T>> {
        self.typed_in(store.as_context().inner())
    }

    /// The same global, its values known to be `T`s.
    pub(crate) fn typed_in<T: WasmTy>(&self, inner: &StoreInner) -> Result<Global<T>> {
        let position = self.position(inner).context("the global belongs to another store")?;
        let found = inner.globals[position].ty;
        if !holds::<T>(&inner.engine_handle, found) {
            let found = GlobalType::from_wasm(&inner.engine_handle, found);
            let wanted = T::Wasm::wasm_type(&inner.engine_handle);
            bail!("expected a global of type {wanted}, found {found}");
        }
        Ok(Global { store: self.store, index: self.index, _value: PhantomData })
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
        inner.globals[position].set_bits(&inner.vm.heap, raw.get_v128());
        Ok(())
    }

    pub(crate) fn from_position(store: &StoreInner, index: usize) -> Global {
        Global { store: store.id(), index, _value: PhantomData }
    }
}

/// Whether a global of type `ty` holds `T`s.
pub(crate) fn holds<T: WasmTy>(engine: &Engine, ty: WasmGlobal) -> bool {
    let wanted = T::Wasm::wasm_type(engine).to_wasm();
    let types = engine.shared().types();
    types.fits_but_null(ty.content, wanted) && types.fits_but_null(wanted, ty.content)
}

impl<T: WasmTy> Global<T> {
    /// The value; a reference is rooted in the current root scope.
    ///
    /// # Errors
    ///
    /// If it is none of `T`'s. If the global belongs to another store.
    pub fn get(&self, mut store: impl AsContextMut) -> Result<T> {
        let inner = store.as_context_mut().into_inner();
        let position = self.position(inner).context("the global belongs to another store")?;
        let raw = ValRaw::v128(inner.globals[position].bits());
        Ok(load::<T>(inner, Abi::from_raw(raw))?)
    }

    /// Replaces the value.
    ///
    /// # Errors
    ///
    /// If the global is immutable, or never null and the value is. If one of them belongs to another
    /// store.
    pub fn set(&self, mut store: impl AsContextMut, value: T) -> Result<()> {
        let inner = store.as_context_mut().into_inner();
        let position = self.position(inner).context("the global belongs to another store")?;
        let ty = inner.globals[position].ty;
        ensure!(ty.mutable, "the global is immutable");
        let raw = value.into_wasm().lower(inner)?.into_raw();
        if let ValType::Ref(RefType { nullable: false, .. }) = ty.content {
            ensure!(raw.get_v128() as u64 != 0, "the global is never null");
        }
        inner.globals[position].set_bits(&inner.vm.heap, raw.get_v128());
        Ok(())
    }
}

impl<T> Global<T> {
    /// The position in the store, if the global belongs to it.
    pub(crate) fn position(&self, store: &StoreInner) -> Option<usize> {
        (self.store == store.id()).then_some(self.index)
    }
}

impl<T> Clone for Global<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Global<T> {}

impl<T> PartialEq for Global<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.store, self.index) == (other.store, other.index)
    }
}

impl<T> Eq for Global<T> {}

impl<T> Hash for Global<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.store, self.index).hash(state);
    }
}

impl<T> fmt::Debug for Global<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Global").field("store", &self.store).field("index", &self.index).finish()
    }
}
