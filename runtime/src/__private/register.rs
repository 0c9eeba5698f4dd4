//! From a method to a linker's definition. Generated code calls [`HostModule`] and nothing else of
//! the runtime.

use std::fmt;
use std::marker::PhantomData;

use super::call::{About, Arg, Args, Call, Wrap};
use super::made::Makers;
use super::memory::Width;
use super::param::{Beside, FirstOf, Param};
use super::probe::Seen;
use super::result::{Constant, Errno, ErrorNumber, HostError, HostResult, HostValues, Returns};
use super::result_probe::SeenResult;
use super::spans;
use crate::api::caller::Caller;
use crate::api::engine::Engine;
use crate::api::func::shim::{HostFn, HostSignature, MemoryUse};
use crate::api::host_cx::{AnyProjection, Project, Projection};
use crate::api::linker::Linker;
use crate::error::{Error, Result};

/// A block of host functions on its way into a linker. `S` is the block's part of the store's data,
/// which `P` finds.
pub struct HostModule<'l, D: 'static, S: 'static, P = fn(&mut D) -> &mut S> {
    linker: &'l mut Linker<D>,
    name: &'static str,
    memory: &'static str,
    projection: Projection<P, S>,
    errors: Vec<Error>,
}

/// The whole of no state.
fn nothing<D>(_: &mut D) -> &mut () {
    // A box of nothing takes no memory.
    Box::leak(Box::new(()))
}

impl<'l, D: 'static> HostModule<'l, D, ()> {
    /// The module `name` of `linker`, whose functions find text and slices in the export `memory` of
    /// their callers.
    pub fn new(linker: &'l mut Linker<D>, name: &'static str, memory: &'static str) -> Self {
        HostModule::with_state(linker, name, memory, nothing)
    }
}

impl<'l, D: 'static, S: 'static, P: Project<D, S>> HostModule<'l, D, S, P> {
    /// As [`HostModule::new`], with a part of the store's data.
    pub fn with_state(
        linker: &'l mut Linker<D>,
        name: &'static str,
        memory: &'static str,
        project: P,
    ) -> Self {
        let projection = Projection::new(project);
        HostModule { linker, name, memory, projection, errors: Vec::new() }
    }

    /// The marker of a first parameter of type `A`.
    pub fn first_argument<A: Param<D, Kind>, Kind>(&self, _seen: Seen<A, D, Kind>) -> A::Arg
    where
        A::Arg: FirstOf<S>,
    {
        A::Arg::MARKER
    }

    /// The marker of another parameter of type `A`, where the first is passed as `F`.
    pub fn argument<A: Param<D, Kind>, Kind, F>(
        &self,
        _first: &F,
        _seen: Seen<A, D, Kind>,
    ) -> A::Arg
    where
        A::Arg: Beside<F>,
    {
        A::Arg::MARKER
    }

    /// The marker of a parameter of type `A` that is cut to its lower bits.
    pub fn wrapped<A: Wrap>(&self) -> A::Marker {
        A::marker()
    }

    /// The marker of a result of type `R`.
    pub fn result<R: HostResult<Kind>, Kind>(&self, _seen: SeenResult<R, Kind>) -> R::Marker
    where
        R::Error: HostError,
    {
        R::marker(R::Error::into_error)
    }

    /// The marker of a result of type `R` that is passed as an error number.
    pub fn errno<R: Errno>(&self) -> R::Marker
    where
        R::Error: ErrorNumber,
    {
        R::marker(R::Error::number)
    }

    /// Defines a global.
    pub fn global<V: Constant>(&mut self, name: &'static str, value: V) {
        let (ty, value) = value.into_slot();
        if let Err(error) = self.linker.define_constant(self.name, name, ty, value) {
            self.errors.push(error);
        }
    }

    /// Defines a function.
    #[allow(clippy::too_many_arguments, reason = "generated code passes each part once")]
    pub fn function<V, A, M, F>(
        &mut self,
        name: &'static str,
        sites: A::Sites,
        receiver: V,
        _arguments: A,
        returns: M,
        makers: Makers,
        method: F,
    ) where
        V: Receiver<D>,
        A: Args<D>,
        M: Returns,
        F: for<'g> Fn(V::Out<'g>, A::Out<'g>) -> M::Value + Copy + Send + Sync + 'static,
    {
        let HostModule { name: module, memory, projection, .. } = *self;
        let about = About { module, name, memory, sites };
        let method = Method { receiver, method, _arguments: PhantomData::<fn(A)> };
        let function = HostFunction {
            about,
            projection,
            method,
            returns,
            makers,
            _width: PhantomData::<fn() -> i32>,
        };
        let defined = match A::MEMORY {
            true => self.linker.define_host_with_memory(module, name, function, function.wide()),
            false => self.linker.define_host(module, name, function),
        };
        if let Err(error) = defined {
            self.errors.push(error);
        }
    }

    /// Whether all went well.
    ///
    /// # Errors
    ///
    /// The errors of all functions, in one.
    pub fn finish(mut self) -> Result<()> {
        match self.errors.len() {
            0 => Ok(()),
            1 => Err(self.errors.remove(0)),
            _ => {
                let texts: Vec<_> = self.errors.iter().map(|error| format!("{error:#}")).collect();
                Err(Error::msg(texts.join("\n")))
            }
        }
    }
}

impl<D: 'static, S: 'static, P> fmt::Debug for HostModule<'_, D, S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostModule").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Where the `self` of a method comes from, when it is not an argument.
pub trait Receiver<D: 'static>: Copy + Send + Sync + 'static {
    /// What the method gets.
    type Out<'g>;

    /// Takes it out of the store's data.
    #[doc(hidden)]
    fn out<'g>(&self, caller: Option<&'g mut Caller<'g, D>>) -> Self::Out<'g>;
}

/// There is none.
#[derive(Clone, Copy, Debug)]
pub struct NoReceiver;

impl<D: 'static> Receiver<D> for NoReceiver {
    type Out<'g> = ();

    #[inline]
    fn out<'g>(&self, _: Option<&'g mut Caller<'g, D>>) {}
}

/// The part `S` of the store's data, which `P` finds.
pub struct State<P, S>(Projection<P, S>);

impl<P, S> State<P, S> {
    /// What `project` finds.
    pub fn new<D>(project: P) -> State<P, S>
    where
        P: Project<D, S>,
    {
        State(Projection::new(project))
    }
}

impl<D: 'static, S: 'static, P: Project<D, S>> Receiver<D> for State<P, S> {
    type Out<'g> = &'g mut S;

    #[inline]
    fn out<'g>(&self, caller: Option<&'g mut Caller<'g, D>>) -> &'g mut S {
        let caller =
            caller.expect("a method of the store's data has no caller among its parameters");
        self.0.project()(caller.data_mut())
    }
}

impl<P: Copy, S> Clone for State<P, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Copy, S> Copy for State<P, S> {}

impl<P, S> fmt::Debug for State<P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State")
    }
}

/// A method as a host function for guests whose addresses are `W`s.
struct HostFunction<S, P, M, R, W> {
    about: About<S>,
    projection: P,
    method: M,
    returns: R,
    makers: Makers,
    _width: PhantomData<fn() -> W>,
}

impl<S: Copy, P: Copy, M: Copy, R: Copy, W> Clone for HostFunction<S, P, M, R, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: Copy, P: Copy, M: Copy, R: Copy, W> Copy for HostFunction<S, P, M, R, W> {}

impl<S, P, M, R> HostFunction<S, P, M, R, i32> {
    /// The same function for guests with a 64-bit memory.
    fn wide(self) -> HostFunction<S, P, M, R, i64> {
        let HostFunction { about, projection, method, returns, makers, .. } = self;
        HostFunction { about, projection, method, returns, makers, _width: PhantomData }
    }
}

/// The method itself.
struct Method<V, F, A> {
    receiver: V,
    method: F,
    _arguments: PhantomData<fn(A)>,
}

impl<V: Copy, F: Copy, A> Clone for Method<V, F, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V: Copy, F: Copy, A> Copy for Method<V, F, A> {}

impl<D, V, A, R, F> Call<D, A> for Method<V, F, A>
where
    D: 'static,
    V: Receiver<D>,
    A: Args<D>,
    F: for<'g> Fn(V::Out<'g>, A::Out<'g>) -> R,
{
    type Return = R;

    #[inline]
    fn call<'g>(&self, caller: Option<&'g mut Caller<'g, D>>, arguments: A::Out<'g>) -> R {
        (self.method)(self.receiver.out(caller), arguments)
    }
}

impl<D, P, V, A, M, F, W> HostFn<D> for HostFunction<A::Sites, P, Method<V, F, A>, M, W>
where
    D: 'static,
    P: AnyProjection<D> + 'static,
    V: Receiver<D>,
    A: Args<D>,
    M: Returns,
    F: for<'g> Fn(V::Out<'g>, A::Out<'g>) -> M::Value + Send + Sync + 'static,
    W: Width,
{
    type Params = A::Abi<W>;
    type Results = <M::Values as HostValues>::Abi;
    const SCOPE: bool = A::SCOPE || <M::Values as HostValues>::SCOPE;

    fn signature(&self, engine: &Engine) -> HostSignature {
        let results = <M::Values as HostValues>::wasm_types(engine);
        HostSignature { params: A::wasm_types::<W>(engine), results }
    }

    fn memory(&self) -> Option<MemoryUse> {
        A::MEMORY.then_some(MemoryUse { export: self.about.memory, is_64: W::IS_64 })
    }

    #[inline]
    fn call(&self, caller: &mut Caller<'_, D>, params: A::Abi<W>) -> Result<Self::Results> {
        let _span = spans::host_function(self.about.module, self.about.name);
        let returned =
            A::call::<W, _>(caller, params, &self.about, &self.projection, &self.method)?;
        let values = self.returns.into_result(returned);
        let lowered = values.and_then(|values| {
            let store = caller.inner_mut();
            // References may have been made: collect while the results are still rooted.
            if <Self as HostFn<D>>::SCOPE {
                store.safepoint();
            }
            values.lower_values(store, &self.makers)
        });
        lowered.map_err(|error| in_function(error, self.about.module, self.about.name))
    }
}

/// Which host function failed. As data: the errors of a host are often answered without being printed.
struct InFunction {
    module: &'static str,
    name: &'static str,
}

impl fmt::Display for InFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "host function `{}::{}`", self.module, self.name)
    }
}

/// Says which host function failed.
#[cold]
fn in_function(error: Error, module: &'static str, name: &'static str) -> Error {
    error.context(InFunction { module, name })
}
