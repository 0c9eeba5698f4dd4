//! Tags and exceptions of a store below the API: their identity, how exceptions are made, and how
//! one that a guest did not catch becomes an error and goes on as an exception.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::engine::{Engine, FuncTypeInfo};
use super::store::{Failure, StoreInner};
use crate::abi::exception::ExnLayout;
use crate::abi::signature::{is_func_heap, lower_val};
use crate::error::{Error, Result};
use crate::gc::{GcRef, Liveness, RootIndex};
use crate::wasm::types::{TypeId, ValType};

/// A tag. Its identity is its position in the store.
pub(crate) struct Tag {
    /// The function type whose parameters are the payload.
    pub(crate) ty: Arc<FuncTypeInfo>,
    /// Where the payload lies in an exception.
    pub(crate) layout: Arc<ExnLayout>,
}

/// An exception that left WebAssembly: what a call returns as its error when no guest caught it.
///
/// The exception stays alive as long as this error. A host function that returns the error, with
/// context or without, throws the exception on into the frames further out, where a guest may catch
/// it. Make one from an [`ExnRef`](crate::ExnRef) with [`Store::throw`](crate::Store::throw).
///
/// ```
/// use hostref::{Engine, Instance, Module, Result, Store, ThrownException};
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"
///     (module
///         (tag $code (export "code") (param i32))
///         (func (export "run") (throw $code (i32.const 42))))
/// "#)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
///
/// let error = run.call(&mut store, ()).unwrap_err();
/// let thrown = error.downcast_ref::<ThrownException>().expect("an exception");
/// assert_eq!(thrown.field(&mut store, 0)?.unwrap_i32(), 42);
/// assert_eq!(Some(thrown.tag(&store)?), instance.get_tag(&mut store, "code"));
/// # Ok(())
/// # }
/// ```
pub struct ThrownException {
    pub(crate) root: RootIndex,
    /// Keeps the root.
    pub(crate) _liveness: Liveness,
    pub(crate) ty: Arc<FuncTypeInfo>,
    pub(crate) engine: Engine,
}

impl StoreInner {
    /// Adds a tag for payloads of the parameters of `ty` and returns its position.
    pub(crate) fn add_tag(&mut self, ty: TypeId) -> usize {
        let ty = self.func_type(ty).clone();
        let layout = {
            let types = self.engine.types();
            let is_func = |heap| is_func_heap(&types, heap);
            let is_gc = |ty| matches!(ty, ValType::Ref(ty) if !is_func(ty.heap));
            let fields = ty.ty.params.iter().map(|ty| (lower_val(*ty, is_func), is_gc(*ty)));
            ExnLayout::new(&fields.collect::<Vec<_>>())
        };
        self.tags.push(Tag { ty, layout: Arc::new(layout) });
        self.tags.len() - 1
    }

    /// An exception of the tag at position `tag` with a payload of zeros, not rooted yet. Never
    /// collects; `None` if the heap is full.
    ///
    /// # Errors
    ///
    /// The limiter's.
    pub(crate) fn alloc_exception(&mut self, tag: usize) -> Result<Option<GcRef>> {
        let layout = self.tags[tag].layout.clone();
        let made = self.gc.alloc_exception(&self.vm.heap, position(tag), &layout);
        if made.is_some() || !self.grow_heap(layout.size)? {
            return Ok(made);
        }
        Ok(self.gc.alloc_exception(&self.vm.heap, position(tag), &layout))
    }

    /// The error for `exception`, which is rooted with it.
    pub(crate) fn thrown(&mut self, exception: GcRef) -> ThrownException {
        let tag = self.gc.exception_tag(exception) as usize;
        let (root, liveness) = self.gc.own(exception);
        let (ty, engine) = (self.tags[tag].ty.clone(), self.engine_handle.clone());
        ThrownException { root, _liveness: liveness, ty, engine }
    }

    /// The exception that the guest did not catch, as an error, if that is what stopped it.
    pub(super) fn take_exception(&mut self) -> Option<Error> {
        let exception = GcRef::from_raw(self.vm.exception.take())?;
        Some(self.thrown(exception).into())
    }

    /// Records that a host function returned `error`: an exception of this store is thrown on, for
    /// guests further out to catch; everything else stops the guest.
    #[cold]
    pub(crate) fn fail_or_throw(&mut self, error: Error) {
        let thrown = error.downcast_ref::<ThrownException>();
        let root = thrown.map(|thrown| thrown.root).filter(|root| root.store() == self.id());
        match root.and_then(|root| self.gc.rooted(root)) {
            // Its handler, if there is one, is looked for before anything can collect.
            Some(exception) => {
                self.vm.exception.set(exception.to_raw());
                self.vm.unwinding.set(1);
                // Its context may be of any type, with any destructor.
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(error))) {
                    self.vm.exception.set(0);
                    self.fail(Failure::panic(panic));
                }
            }
            None => self.fail(Failure::Error(error)),
        }
    }
}

/// The position of a tag as exceptions hold it.
fn position(tag: usize) -> u32 {
    u32::try_from(tag).expect("a store has fewer than 2^32 tags")
}
