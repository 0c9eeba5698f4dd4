//! From a method to a linker's definition. Generated code calls [`HostModule`] and nothing else of
//! the runtime.

use std::fmt;
use std::marker::PhantomData;

use super::call::{Arg, Args, Call};
use super::param::{AfterFirst, Param};
use super::probe::Looked;
use super::result::{HostError, HostResult, HostValues, Returns};
use super::spans;
use crate::api::caller::Caller;
use crate::api::func::shim::{HostFn, HostSignature};
use crate::api::linker::Linker;
use crate::error::{Error, Result};

/// A block of host functions on its way into a linker.
pub struct HostModule<'l, D: 'static> {
    linker: &'l mut Linker<D>,
    name: &'static str,
    errors: Vec<Error>,
}

impl<'l, D: 'static> HostModule<'l, D> {
    /// The module `name` of `linker`.
    pub fn new(linker: &'l mut Linker<D>, name: &'static str) -> HostModule<'l, D> {
        HostModule { linker, name, errors: Vec::new() }
    }

    /// The marker of a first parameter of type `P`.
    pub fn first_argument<P: Param<D, Kind>, Kind>(&self, _looked: Looked) -> P::Arg {
        P::Arg::MARKER
    }

    /// The marker of another parameter of type `P`.
    pub fn argument<P: Param<D, Kind>, Kind>(&self, _looked: Looked) -> P::Arg
    where
        P::Arg: AfterFirst,
    {
        P::Arg::MARKER
    }

    /// The marker of a result of type `R`.
    pub fn result<R: HostResult<Kind>, Kind>(&self) -> R::Marker
    where
        R::Error: HostError,
    {
        R::marker(R::Error::into_error)
    }

    /// Defines a function.
    pub fn function<V, A, M, F>(
        &mut self,
        name: &'static str,
        sites: A::Sites,
        receiver: V,
        _arguments: A,
        returns: M,
        method: F,
    ) where
        V: Receiver<D>,
        A: Args<D>,
        M: Returns,
        F: for<'g> Fn(V::Out<'g>, A::Out<'g>) -> M::Value + Send + Sync + 'static,
    {
        let module = self.name;
        let method = Method { receiver, method, _arguments: PhantomData::<fn(A)> };
        let function = HostFunction { module, name, sites, method, returns };
        if let Err(error) = self.linker.define_host(module, name, function) {
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

impl<D: 'static> fmt::Debug for HostModule<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostModule").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Where the `self` of a method comes from, when it is not an argument.
pub trait Receiver<D: 'static>: Send + Sync + 'static {
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

/// A part of the store's data.
pub struct State<D, S>(pub fn(&mut D) -> &mut S);

impl<D: 'static, S: 'static> Receiver<D> for State<D, S> {
    type Out<'g> = &'g mut S;

    #[inline]
    fn out<'g>(&self, caller: Option<&'g mut Caller<'g, D>>) -> &'g mut S {
        let caller =
            caller.expect("a method of the store's data has no caller among its parameters");
        (self.0)(caller.data_mut())
    }
}

impl<D, S> fmt::Debug for State<D, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State")
    }
}

/// A method as a host function.
struct HostFunction<S, M, R> {
    module: &'static str,
    name: &'static str,
    sites: S,
    method: M,
    returns: R,
}

/// The method itself.
struct Method<V, F, A> {
    receiver: V,
    method: F,
    _arguments: PhantomData<fn(A)>,
}

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

impl<D, V, A, M, F> HostFn<D> for HostFunction<A::Sites, Method<V, F, A>, M>
where
    D: 'static,
    V: Receiver<D>,
    A: Args<D>,
    M: Returns,
    F: for<'g> Fn(V::Out<'g>, A::Out<'g>) -> M::Value + Send + Sync + 'static,
{
    type Params = A::Abi;
    type Results = <M::Values as HostValues>::Abi;
    const SCOPE: bool = A::SCOPE || <M::Values as HostValues>::SCOPE;

    fn signature(&self) -> HostSignature {
        let results = <M::Values as HostValues>::wasm_types();
        HostSignature { params: A::wasm_types(), results }
    }

    #[inline]
    fn call(&self, caller: &mut Caller<'_, D>, params: A::Abi) -> Result<Self::Results> {
        let _span = spans::host_function(self.module, self.name);
        let returned = A::call(caller, params, self.sites, &self.method)?;
        let values = self.returns.into_result(returned);
        let lowered = values.and_then(|values| {
            let store = caller.inner_mut();
            // References may have been made: collect while the results are still rooted.
            if <Self as HostFn<D>>::SCOPE {
                store.safepoint();
            }
            values.lower_values(store)
        });
        lowered.map_err(|error| in_function(error, self.module, self.name))
    }
}

/// Says which host function failed.
#[cold]
fn in_function(error: Error, module: &str, name: &str) -> Error {
    error.context(format!("host function `{module}::{name}`"))
}
