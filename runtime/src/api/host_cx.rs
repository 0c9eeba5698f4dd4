//! `HostCx`: a host function's view of a store whose data it does not know, but for a part of it.
//!
//! Invariant: a [`HostCx`] has a store of some `D` to itself for its lifetime, by a pointer that may be
//! used for the whole of it; `projection` is one from that `D` to `S`.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;

use super::caller::Caller;
use super::engine::Engine;
use super::externs::Extern;
use super::func::shim::CallingCtx;
use super::instance::Instance;
use super::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::instance::store::StoreShell;

/// How the part `S` of a store's data is found: a function, or a closure that captures nothing but
/// what is `Copy`.
#[doc(hidden)]
pub trait Project<D, S>: Fn(&mut D) -> &mut S + Copy + Send + Sync + 'static {}

impl<D, S, P: Fn(&mut D) -> &mut S + Copy + Send + Sync + 'static> Project<D, S> for P {}

/// The projection `P` to the part `S`, for those who know neither type.
pub(crate) struct Projection<P, S>(P, PhantomData<fn() -> S>);

impl<P, S> Projection<P, S> {
    pub(crate) fn new<D>(project: P) -> Projection<P, S>
    where
        P: Project<D, S>,
    {
        Projection(project, PhantomData)
    }

    /// The projection itself.
    #[inline]
    pub(crate) fn project(&self) -> &P {
        &self.0
    }
}

impl<P: Copy, S> Clone for Projection<P, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Copy, S> Copy for Projection<P, S> {}

/// A projection from the data `D` to a part of some type.
#[doc(hidden)]
pub trait AnyProjection<D: 'static>: Send + Sync {
    /// The projection without its types.
    fn erased(&self) -> ErasedProjection;
}

/// A [`Project<D, S>`] for types that are known elsewhere.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct ErasedProjection {
    project: *const (),
    /// Applies `project` to the data of a store.
    ///
    /// The store must be one of that `D`, exclusively the caller's. The result is an `S`.
    apply: unsafe fn(NonNull<StoreShell<()>>, *const ()) -> NonNull<()>,
    /// `S`.
    target: TypeId,
}

impl<D: 'static, S: 'static, P: Project<D, S>> AnyProjection<D> for Projection<P, S> {
    fn erased(&self) -> ErasedProjection {
        ErasedProjection {
            project: std::ptr::from_ref(&self.0).cast(),
            apply: state::<D, S, P>,
            target: TypeId::of::<S>(),
        }
    }
}

/// What a host function of a library sees of the store that calls it: everything but the embedder's
/// data, of which it sees its own part, `S`.
///
/// It stands first among the parameters of a [`#[host_module]`](crate::host_module) function, as
/// `cx: &mut HostCx<'_, Self>`. The block has `receiver = "state"`, and the embedder says where in its
/// data the state is. As a context, for making objects and calling functions, it is one of a store
/// with data `()`.
///
/// ```
/// use hostref::{Engine, Func, HostCx, Linker, Module, Result, Store, host_module};
///
/// /// A library's state.
/// #[derive(Default)]
/// pub struct Timers {
///     fired: u32,
/// }
///
/// #[host_module(receiver = "state")]
/// impl Timers {
///     fn fire(cx: &mut HostCx<'_, Self>, callback: Func) -> Result<()> {
///         cx.state().fired += 1;
///         let fired = cx.state().fired;
///         callback.typed::<u32, ()>(&*cx)?.call(cx, fired)
///     }
/// }
///
/// /// An embedder's data.
/// #[derive(Default)]
/// struct App {
///     timers: Timers,
/// }
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"
///     (module
///         (import "timers" "fire" (func $fire (param funcref)))
///         (func $callback (export "callback") (param i32))
///         (func (export "run") (call $fire (ref.func $callback))))
/// "#)?;
/// let mut linker = Linker::new(&engine);
/// Timers::add_to_linker(&mut linker, |app: &mut App| &mut app.timers)?;
/// let mut store = Store::new(&engine, App::default());
/// let instance = linker.instantiate(&mut store, &module)?;
/// instance.get_typed_func::<(), ()>(&mut store, "run")?.call(&mut store, ())?;
/// assert_eq!(store.data().timers.fired, 1);
/// # Ok(())
/// # }
/// ```
pub struct HostCx<'a, S: 'static> {
    /// A store of some `D`, seen without its data.
    shell: NonNull<StoreShell<()>>,
    ctx: CallingCtx,
    /// One from that `D` to `S`.
    projection: ErasedProjection,
    _store: PhantomData<&'a mut S>,
}

/// Room for a [`HostCx`].
#[doc(hidden)]
pub struct HostCxSlot<S: 'static>(Option<HostCx<'static, S>>);

impl<S> Default for HostCxSlot<S> {
    fn default() -> HostCxSlot<S> {
        HostCxSlot(None)
    }
}

impl<S: 'static> HostCxSlot<S> {
    /// A context with the store of `caller`.
    ///
    /// # Panics
    ///
    /// If `projection` leads to something else than an `S`.
    #[inline]
    pub(crate) fn fill<'g, D: 'static>(
        &'g mut self,
        caller: &'g mut Caller<'g, D>,
        projection: &'g dyn AnyProjection<D>,
    ) -> &'g mut HostCx<'g, S> {
        let projection = projection.erased();
        assert!(projection.target == TypeId::of::<S>(), "the block's state is the context's");
        let (shell, ctx) = caller.as_parts();
        let cx = self.0.insert(HostCx {
            shell: NonNull::from(shell).cast(),
            ctx,
            projection,
            _store: PhantomData,
        });
        let cx: NonNull<HostCx<'static, S>> = NonNull::from(cx);
        // SAFETY: a lifetime is no part of the layout. The slot is borrowed for `'g`, as the caller's
        // store and the projection are, and is not looked at afterwards.
        unsafe { cx.cast::<HostCx<'g, S>>().as_mut() }
    }
}

/// The part of the data of a store of `D` that `project` finds.
///
/// # Safety
///
/// `shell` is a store of `D`, exclusively the caller's, and `project` points to a `P`.
unsafe fn state<D: 'static, S: 'static, P: Project<D, S>>(
    shell: NonNull<StoreShell<()>>,
    project: *const (),
) -> NonNull<()> {
    // SAFETY: by the caller's word.
    let project = unsafe { *project.cast::<P>() };
    // SAFETY: the caller has the store to itself.
    let shell = unsafe { shell.cast::<StoreShell<D>>().as_mut() };
    NonNull::from(project(&mut shell.data)).cast()
}

impl<S: 'static> HostCx<'_, S> {
    /// The library's part of the store's data.
    pub fn state(&mut self) -> &mut S {
        let projection = self.projection;
        // SAFETY: shell and projection are this context's own, and lead to an `S`; the result borrows
        // the context, which has the store to itself.
        unsafe { (projection.apply)(self.shell, projection.project).cast::<S>().as_mut() }
    }

    /// The store's engine.
    pub fn engine(&self) -> &Engine {
        &self.shell().inner.engine_handle
    }

    /// The export called `name` of the calling instance; `None` if there is no such export, or no
    /// calling instance because the embedder called this function itself.
    pub fn get_export(&mut self, name: &str) -> Option<Extern> {
        let instance = self.ctx.instance()?;
        let instance = Instance::from_position(&self.shell().inner, instance);
        instance.get_export(self, name)
    }

    fn shell(&self) -> &StoreShell<()> {
        // SAFETY: `StoreShell` has its data last: every one begins like one without data. The context
        // has it to itself.
        unsafe { self.shell.as_ref() }
    }
}

impl<S: 'static> AsContext for HostCx<'_, S> {
    type Data = ();

    fn as_context(&self) -> StoreContext<'_, ()> {
        StoreContext(self.shell())
    }
}

impl<S: 'static> AsContextMut for HostCx<'_, S> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, ()> {
        // SAFETY: as in `shell`, and the context is borrowed exclusively.
        StoreContextMut(unsafe { self.shell.as_mut() })
    }
}

impl<S: 'static> fmt::Debug for HostCx<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostCx").finish_non_exhaustive()
    }
}
