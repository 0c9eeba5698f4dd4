//! The unchecked half of the API: conversions between handles and the bits that Wasm sees, functions
//! over such bits, and machine code from outside. Nothing keeps the bits from going stale, or the code
//! from doing anything else, but the caller's care.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;

use anyhow::{Context as _, ensure};

use super::caller::Caller;
use super::engine::Engine;
use super::func::{Func, shim};
use super::linker::Linker;
use super::linking::Definition;
use super::module::Module;
use super::refs::{AnyRef, ExnRef, ExternRef, Rooted};
use super::store::AsContextMut;
use super::types::FuncType;
use crate::error::{Error, Result};
use crate::gc;
use crate::instance::definition::FuncPtr;
use crate::instance::host_func::HostFunc;
use crate::vm::value::ValRaw;

impl ExternRef {
    /// The reference with these bits, rooted in the current scope; `None` for null.
    ///
    /// For use with [`Func::new_unchecked`](crate::Func::new_unchecked) and
    /// [`Func::call_unchecked`](crate::Func::call_unchecked), whose [`ValRaw`](crate::ValRaw)s hold
    /// references that nothing roots.
    ///
    /// # Safety
    ///
    /// `raw` must be a value that the same store gave out as an `externref`
    /// ([`to_raw`](ExternRef::to_raw), a parameter, a result), and the store must not have collected
    /// garbage since. Anything that enters Wasm, returns to it or leaves a
    /// [`RootScope`](crate::RootScope) may collect.
    pub unsafe fn from_raw(mut store: impl AsContextMut, raw: u32) -> Option<Rooted<ExternRef>> {
        let reference = gc::GcRef::from_raw(raw)?;
        Some(Rooted::from_gc_ref(store.as_context_mut().into_inner(), reference))
    }
}

impl<T: ?Sized + 'static> ExternRef<T> {
    /// The bits of this reference, for a [`ValRaw`](crate::ValRaw).
    ///
    /// # Errors
    ///
    /// Fails when the reference is not rooted any more or belongs to another store.
    ///
    /// # Safety
    ///
    /// The bits must be passed to the same store only, and not after it has collected garbage: see
    /// [`from_raw`](ExternRef::from_raw).
    ///
    /// ```
    /// use hostref::{ExternRef, Result, Rooted, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let mut store = Store::<()>::default();
    /// let number = ExternRef::new(&mut store, 5_u8)?;
    /// // SAFETY: nothing happens to the store in between.
    /// let again = unsafe {
    ///     let raw = number.to_raw(&mut store)?;
    ///     ExternRef::from_raw(&mut store, raw).expect("references are not null")
    /// };
    /// assert!(Rooted::ref_eq(&store, &number, &again)?);
    /// # Ok(())
    /// # }
    /// ```
    pub unsafe fn to_raw(&self, mut store: impl AsContextMut) -> Result<u32> {
        Ok(self.gc_ref(store.as_context_mut().into_inner())?.to_raw())
    }
}

impl ExnRef {
    /// The exception with these bits, rooted in the current scope; `None` for null.
    ///
    /// # Safety
    ///
    /// As [`ExternRef::from_raw`], for a value that the store gave out as an `exnref`.
    pub unsafe fn from_raw(mut store: impl AsContextMut, raw: u32) -> Option<Rooted<ExnRef>> {
        let reference = gc::GcRef::from_raw(raw)?;
        Some(Rooted::from_gc_ref(store.as_context_mut().into_inner(), reference))
    }

    /// The bits of this reference, for a [`ValRaw`](crate::ValRaw).
    ///
    /// # Errors
    ///
    /// Fails when the reference is not rooted any more or belongs to another store.
    ///
    /// # Safety
    ///
    /// As [`ExternRef::to_raw`].
    pub unsafe fn to_raw(&self, mut store: impl AsContextMut) -> Result<u32> {
        Ok(self.gc_ref(store.as_context_mut().into_inner())?.to_raw())
    }
}

impl AnyRef {
    /// The reference with these bits, rooted in the current scope; `None` for null.
    ///
    /// # Safety
    ///
    /// As [`ExternRef::from_raw`], for a value that the store gave out as an `anyref`.
    pub unsafe fn from_raw(mut store: impl AsContextMut, raw: u32) -> Option<Rooted<AnyRef>> {
        let reference = gc::GcRef::from_raw(raw)?;
        Some(Rooted::from_gc_ref(store.as_context_mut().into_inner(), reference))
    }

    /// The bits of this reference, for a [`ValRaw`](crate::ValRaw).
    ///
    /// # Errors
    ///
    /// Fails when the reference is not rooted any more or belongs to another store.
    ///
    /// # Safety
    ///
    /// As [`ExternRef::to_raw`].
    pub unsafe fn to_raw(&self, mut store: impl AsContextMut) -> Result<u32> {
        Ok(self.gc_ref(store.as_context_mut().into_inner())?.to_raw())
    }
}

impl<T: 'static> Linker<T> {
    /// As [`Linker::func_new`], over raw slots: arguments in, results out, without checks.
    ///
    /// # Errors
    ///
    /// If the name is taken, or `ty` belongs to another engine.
    ///
    /// # Safety
    ///
    /// As [`Func::new_unchecked`](crate::Func::new_unchecked).
    pub unsafe fn func_new_unchecked(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &mut [ValRaw]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<&mut Linker<T>> {
        ensure!(Engine::same(ty.engine(), self.engine()), "the type belongs to another engine");
        let called = format!("{module}::{name}").into();
        let func =
            move |caller: Caller<'_, T>, _: &HostFunc, slots: &mut [ValRaw]| func(caller, slots);
        let def = shim::define_array(ty.info().clone(), called, func);
        self.insert(module, name, Definition::Host(def))
    }
}

impl Func {
    /// A host function of type `ty` over raw slots: arguments in, results out, without checks.
    ///
    /// # Safety
    ///
    /// The closure must read and write the slots as `ty` says; references it writes must have come
    /// from `to_raw` with nothing that may collect in between.
    ///
    /// # Panics
    ///
    /// If `ty` belongs to another engine.
    pub unsafe fn new_unchecked<T: 'static>(
        mut store: impl AsContextMut<Data = T>,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &mut [ValRaw]) -> Result<()> + Send + Sync + 'static,
    ) -> Func {
        let mut store = store.as_context_mut();
        assert!(Engine::same(ty.engine(), store.engine()), "the type belongs to another engine");
        let func =
            move |caller: Caller<'_, T>, _: &HostFunc, slots: &mut [ValRaw]| func(caller, slots);
        let def = shim::define_array(ty.info().clone(), "host function".into(), func);
        let inner = store.inner_mut();
        let ptr = inner.host_record(&def, def.ty.id);
        Func::from_ptr(inner, ptr.expect("a host function's trampoline compiles"))
    }

    /// The function at an address that [`to_raw`](Func::to_raw) or a
    /// [`ValRaw`](crate::ValRaw) gave; `None` for null.
    ///
    /// # Safety
    ///
    /// `raw` must be null or have come from a function of the same store.
    pub unsafe fn from_raw(
        mut store: impl AsContextMut,
        raw: *mut std::ffi::c_void,
    ) -> Option<Func> {
        // SAFETY: records live as long as their store, by the caller's word this one.
        let ptr = unsafe { FuncPtr::from_address(raw.expose_provenance()) }?;
        Some(Func::from_ptr(store.as_context_mut().into_inner(), ptr))
    }

    /// Calls the function with raw slots, which hold its arguments and receive its results.
    /// Nothing is checked, and there is no safepoint: references are as `to_raw` gave them.
    ///
    /// # Errors
    ///
    /// As [`call`](Func::call), if the guest is stopped.
    ///
    /// # Safety
    ///
    /// `slots` must have room for the parameters and for the results, whichever are more, and hold
    /// arguments of the function's parameter types. The function must belong to this store.
    pub unsafe fn call_unchecked(
        &self,
        mut store: impl AsContextMut,
        slots: &mut [ValRaw],
    ) -> Result<()> {
        let mut store = store.as_context_mut();
        let ptr = self.checked(store.inner())?;
        let engine = store.inner().engine.clone();
        let entry = store.inner_mut().func_type(ptr.type_id()).array_entry(&engine)?;
        // SAFETY: the caller's duties are the same, and the entry is that of the function's type.
        unsafe { store.0.call_array(std::ptr::null_mut(), ptr, entry, slots.as_mut_ptr()) }
    }
}

impl Module {
    /// Loads a module that [`serialize`](Module::serialize) or
    /// [`Engine::precompile_module`](crate::Engine::precompile_module) wrote. Takes a small part of the
    /// time that compiling takes.
    ///
    /// # Errors
    ///
    /// If `bytes` are something else, or truncated or corrupt; if the module was compiled by another
    /// version of this crate, for another processor, or by an engine with other settings, which the
    /// error names.
    ///
    /// # Safety
    ///
    /// `bytes` must come from one of these functions, unchanged: they contain machine code, which will
    /// run. A checksum finds accidents, but keeps nobody from writing other code.
    ///
    /// ```
    /// use hostref::{Engine, Instance, Module, Result, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let wat = r#"(module (func (export "answer") (result i32) (i32.const 42)))"#;
    /// let compiled = Engine::default().precompile_module(wat.as_bytes())?;
    ///
    /// // Later, in another process.
    /// let engine = Engine::default();
    /// // SAFETY: the bytes are those that were written.
    /// let module = unsafe { Module::deserialize(&engine, &compiled)? };
    /// let mut store = Store::new(&engine, ());
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let answer = instance.get_typed_func::<(), i32>(&mut store, "answer")?;
    /// assert_eq!(answer.call(&mut store, ())?, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub unsafe fn deserialize(engine: &Engine, bytes: impl AsRef<[u8]>) -> Result<Module> {
        Module::from_serialized(engine, bytes.as_ref())
    }

    /// As [`deserialize`](Module::deserialize), from a file.
    ///
    /// # Errors
    ///
    /// As [`deserialize`](Module::deserialize), or if the file cannot be read.
    ///
    /// # Safety
    ///
    /// As for [`deserialize`](Module::deserialize).
    pub unsafe fn deserialize_file(engine: &Engine, file: impl AsRef<Path>) -> Result<Module> {
        let file = file.as_ref();
        let bytes = std::fs::read(file);
        bytes
            .map_err(Error::from)
            .and_then(|bytes| Module::from_serialized(engine, &bytes))
            .with_context(|| format!("cannot load {}", file.display()))
    }

    /// As [`deserialize_file`](Module::deserialize_file), from an open file, which is read from its
    /// beginning: for processes that are handed files and may open none.
    ///
    /// # Errors
    ///
    /// As [`deserialize`](Module::deserialize), or if the file cannot be read.
    ///
    /// # Safety
    ///
    /// As for [`deserialize`](Module::deserialize).
    pub unsafe fn deserialize_open_file(engine: &Engine, mut file: File) -> Result<Module> {
        let mut bytes = Vec::new();
        file.rewind()
            .and_then(|()| file.read_to_end(&mut bytes))
            .context("cannot read the file of a compiled module")?;
        Module::from_serialized(engine, &bytes)
    }
}
