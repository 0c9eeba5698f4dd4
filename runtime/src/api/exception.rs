//! Exceptions at the boundary: `ThrownException` as an error, and throwing from the host.

use std::fmt;

use super::caller::Caller;
use super::refs::{ExnRef, Rooted};
use super::store::{AsContext, AsContextMut, Store, StoreContextMut};
use super::tag::Tag;
use super::types::FuncType;
use super::value::Val;
use crate::error::{Error, Result};
use crate::instance::store::StoreInner;

pub use crate::instance::exception::ThrownException;

impl ThrownException {
    /// The exception, rooted in the current scope.
    ///
    /// # Errors
    ///
    /// If it belongs to another store.
    pub fn exn_ref(&self, mut store: impl AsContextMut) -> Result<Rooted<ExnRef>> {
        let inner = store.as_context_mut().into_inner();
        let reference = super::refs::resolve(inner, self.root)?;
        Ok(Rooted::from_gc_ref(inner, reference))
    }

    /// The exception's tag.
    ///
    /// # Errors
    ///
    /// If the exception belongs to another store.
    pub fn tag(&self, store: impl AsContext) -> Result<Tag> {
        let store = store.as_context();
        let reference = super::refs::resolve(store.inner(), self.root)?;
        let tag = store.inner().gc.exception_tag(reference);
        Ok(Tag::from_position(store.inner(), tag as usize))
    }

    /// One value of the payload, as [`ExnRef::field`].
    ///
    /// # Errors
    ///
    /// If the exception belongs to another store or has fewer values.
    pub fn field(&self, mut store: impl AsContextMut, index: usize) -> Result<Val> {
        self.exn_ref(&mut store)?.field(store, index)
    }

    /// The payload, as [`ExnRef::fields`].
    ///
    /// # Errors
    ///
    /// If the exception belongs to another store.
    pub fn fields(&self, mut store: impl AsContextMut) -> Result<std::vec::IntoIter<Val>> {
        self.exn_ref(&mut store)?.fields(store)
    }
}

impl fmt::Debug for ThrownException {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThrownException").field("ty", &self.tag_type()).finish_non_exhaustive()
    }
}

impl fmt::Display for ThrownException {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a WebAssembly exception was not caught: its tag is of type {}", self.tag_type())
    }
}

impl ThrownException {
    fn tag_type(&self) -> FuncType {
        FuncType::from_info(self.engine.clone(), self.ty.clone())
    }
}

impl std::error::Error for ThrownException {}

fn throw<R>(inner: &mut StoreInner, exception: Rooted<ExnRef>) -> Result<R> {
    let reference = exception.gc_ref(inner)?;
    Err(Error::new(inner.thrown(reference)))
}

impl<T: 'static> Store<T> {
    /// The error that a host function returns to throw `exception`: always an error, of type
    /// [`ThrownException`].
    ///
    /// # Errors
    ///
    /// Always; another one if `exception` is not rooted any more or belongs to another store.
    pub fn throw<R>(&mut self, exception: Rooted<ExnRef>) -> Result<R> {
        throw(self.as_context_mut().into_inner(), exception)
    }
}

impl<T: 'static> StoreContextMut<'_, T> {
    /// As [`Store::throw`].
    ///
    /// # Errors
    ///
    /// Always.
    pub fn throw<R>(&mut self, exception: Rooted<ExnRef>) -> Result<R> {
        throw(self.inner_mut(), exception)
    }
}

impl<T: 'static> Caller<'_, T> {
    /// Throws `exception` when the host function returns this error.
    ///
    /// ```
    /// use hostref::{Caller, Engine, ExnRef, FuncType, Linker, Module, Result, Store, Tag};
    /// use hostref::{TagType, Val, ValType};
    ///
    /// # fn main() -> Result<()> {
    /// let engine = Engine::default();
    /// let mut store = Store::new(&engine, ());
    /// let ty = TagType::new(FuncType::new(&engine, [ValType::I32], []));
    /// let failed = Tag::new(&mut store, &ty)?;
    /// let mut linker = Linker::new(&engine);
    /// linker.define(&store, "env", "failed", failed)?;
    /// linker.func_wrap("env", "open", move |mut caller: Caller<'_, ()>| -> Result<i32> {
    ///     let exception = ExnRef::new(&mut caller, &failed, &[Val::I32(2)])?;
    ///     caller.throw(exception)
    /// })?;
    /// let module = Module::new(&engine, r#"
    ///     (module
    ///         (import "env" "failed" (tag $failed (param i32)))
    ///         (import "env" "open" (func $open (result i32)))
    ///         (func (export "run") (result i32)
    ///             (block $error (result i32)
    ///                 (return (try_table (result i32) (catch $failed $error) (call $open))))
    ///             (i32.mul (i32.const -1))))
    /// "#)?;
    /// let instance = linker.instantiate(&mut store, &module)?;
    /// let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
    /// assert_eq!(run.call(&mut store, ())?, -2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Always, as [`Store::throw`].
    pub fn throw<R>(&mut self, exception: Rooted<ExnRef>) -> Result<R> {
        throw(self.inner_mut(), exception)
    }
}
