//! Which Rust types may be results of a host function, and how they go to the guest.

use std::any::{Any, type_name};
use std::convert::Infallible;
use std::fmt;

use super::param::{Never, kind};
use crate::api::convert::{WasmBasic, WasmTy};
use crate::api::func::arity::several_values;
use crate::api::func::shim::AbiResults;
use crate::api::refs::{ExternRef, GcHeapOutOfMemory, Rooted, externref};
use crate::api::types::ValType;
use crate::error::{Error, Result};
use crate::gc::{GcRef, Properties, Why};
use crate::instance::store::StoreInner;

/// A new host object, for a guest to own.
///
/// As the result of a [`#[host_module]`](crate::host_module) function it is boxed into a fresh
/// `ExternRef<T>`, and `Option<New<T>>` is null for `None`. As an argument of a
/// [`#[wasm_exports]`](crate::wasm_exports) function likewise.
///
/// ```
/// use hostref::{Engine, Linker, New, Result, host_module};
///
/// struct Text(String);
///
/// #[host_module(name = "text")]
/// impl Text {
///     fn empty() -> New<Text> {
///         New(Text(String::new()))
///     }
///
///     fn join(a: &Text, b: &Text) -> New<Text> {
///         New(Text(format!("{}{}", a.0, b.0)))
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let mut linker: Linker<()> = Linker::new(&Engine::default());
/// Text::add_to_linker(&mut linker)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct New<T>(pub T);

/// A result of a host function: values, or a `Result` of values.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a host function",
    label = "a guest cannot be given this",
    note = "a host function returns nothing, a number of up to 64 bits, `bool`, `char`, a type with \
            `#[derive(WasmTy)]`, `Rooted<ExternRef<T>>`, `New<T>` for a new object, `Option`s of \
            references and `New`, a tuple of up to 16 of these, or a `Result` of any of these"
)]
pub trait HostResult<Kind>: Sized {
    /// The results in the case of success.
    type Values: HostValues + 'static;
    /// Why there may be none.
    type Error: 'static;
    /// The marker of a function that returns this.
    type Marker: Returns<Value = Self>;

    /// The marker, given how errors are converted.
    #[doc(hidden)]
    fn marker(into_error: fn(Self::Error) -> Error) -> Self::Marker;

    /// The values or the error.
    #[doc(hidden)]
    fn into_result(self) -> Result<Self::Values, Self::Error>;
}

#[diagnostic::do_not_recommend]
impl<V: HostValues + 'static> HostResult<kind::Value> for V {
    type Values = V;
    type Error = Infallible;
    type Marker = ReturnsOf<V, kind::Value>;

    fn marker(into_error: fn(Infallible) -> Error) -> Self::Marker {
        ReturnsOf { into_error }
    }

    #[inline]
    fn into_result(self) -> Result<V, Infallible> {
        Ok(self)
    }
}

// Whether `E` can be converted is asked elsewhere, so that a wrong `E` is what rustc reports.
#[diagnostic::do_not_recommend]
impl<V: HostValues + 'static, E: 'static> HostResult<kind::Fallible> for Result<V, E> {
    type Values = V;
    type Error = E;
    type Marker = ReturnsOf<Result<V, E>, kind::Fallible>;

    fn marker(into_error: fn(E) -> Error) -> Self::Marker {
        ReturnsOf { into_error }
    }

    #[inline]
    fn into_result(self) -> Result<V, E> {
        self
    }
}

// See `kind::Never`.
#[diagnostic::do_not_recommend]
impl<T: Never + 'static> HostResult<kind::Never> for T {
    type Values = ();
    type Error = Infallible;
    type Marker = ReturnsOf<T, kind::Never>;

    fn marker(into_error: fn(Infallible) -> Error) -> Self::Marker {
        ReturnsOf { into_error }
    }

    fn into_result(self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// The marker of a function that returns a [`HostResult`]. Registration asks for the marker, not for
/// the result, so that a type that cannot be one is reported once.
pub trait Returns: Copy + Send + Sync + 'static {
    /// What it returns.
    type Value;
    /// The results in the case of success.
    type Values: HostValues + 'static;

    /// The values, or the error for the embedder.
    #[doc(hidden)]
    fn into_result(self, value: Self::Value) -> Result<Self::Values>;
}

/// The marker for results of type `R`.
pub struct ReturnsOf<R: HostResult<Kind>, Kind> {
    into_error: fn(R::Error) -> Error,
}

impl<R: HostResult<Kind> + 'static, Kind: 'static> Returns for ReturnsOf<R, Kind> {
    type Value = R;
    type Values = R::Values;

    #[inline]
    fn into_result(self, value: R) -> Result<R::Values> {
        value.into_result().map_err(self.into_error)
    }
}

impl<R: HostResult<Kind>, Kind> Clone for ReturnsOf<R, Kind> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: HostResult<Kind>, Kind> Copy for ReturnsOf<R, Kind> {}

impl<R: HostResult<Kind>, Kind> fmt::Debug for ReturnsOf<R, Kind> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Returns")
    }
}

/// An error that a host function may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a host function",
    label = "does not convert to `hostref::Error`",
    note = "implement `std::error::Error` for it, and let it be `Send + Sync + 'static`; or return \
            `hostref::Result`"
)]
pub trait HostError {
    /// The error for the embedder.
    #[doc(hidden)]
    fn into_error(self) -> Error;
}

#[diagnostic::do_not_recommend]
impl<E: Into<Error>> HostError for E {
    #[cold]
    fn into_error(self) -> Error {
        self.into()
    }
}

/// The results of a host function when it succeeds: nothing, one value, or a tuple.
pub trait HostValues {
    /// The ABI values.
    type Abi: AbiResults;
    /// Whether a root scope is needed.
    const SCOPE: bool;

    /// The Wasm types.
    #[doc(hidden)]
    fn wasm_types() -> Vec<ValType>;

    /// The values for the guest.
    #[doc(hidden)]
    fn lower_values(self, store: &mut StoreInner) -> Result<Self::Abi>;
}

/// One value that a host function may return.
pub trait HostValue {
    /// The basic type it travels as.
    type Wasm: WasmBasic;
    /// Whether it is a root that the method made.
    const ROOTED: bool;
    /// Whether a root is made of it while other results are made.
    const PREPARED_ROOTED: bool;

    /// The value in a form that survives a collection.
    #[doc(hidden)]
    fn prepare(self, store: &mut StoreInner) -> Result<Self::Wasm>;

    /// The value for the guest, when it is the only result.
    #[doc(hidden)]
    fn lower_only(self, store: &mut StoreInner) -> Result<<Self::Wasm as WasmBasic>::Abi>;
}

#[diagnostic::do_not_recommend]
impl<T: WasmTy> HostValue for T {
    type Wasm = T::Wasm;
    const ROOTED: bool = T::Wasm::ROOTS;
    const PREPARED_ROOTED: bool = T::Wasm::ROOTS;

    #[inline]
    fn prepare(self, _: &mut StoreInner) -> Result<T::Wasm> {
        Ok(self.into_wasm())
    }

    #[inline]
    fn lower_only(self, store: &mut StoreInner) -> Result<<T::Wasm as WasmBasic>::Abi> {
        self.into_wasm().lower(store)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Any + Send + Sync> HostValue for New<T> {
    type Wasm = Rooted<ExternRef<T>>;
    const ROOTED: bool = false;
    const PREPARED_ROOTED: bool = true;

    fn prepare(self, store: &mut StoreInner) -> Result<Rooted<ExternRef<T>>> {
        let object = allocate(store, self.0)?;
        Ok(Rooted::from_gc_ref(store, object))
    }

    #[inline]
    fn lower_only(self, store: &mut StoreInner) -> Result<i32> {
        Ok(allocate(store, self.0)?.to_raw() as i32)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Any + Send + Sync> HostValue for Option<New<T>> {
    type Wasm = Option<Rooted<ExternRef<T>>>;
    const ROOTED: bool = false;
    const PREPARED_ROOTED: bool = true;

    fn prepare(self, store: &mut StoreInner) -> Result<Option<Rooted<ExternRef<T>>>> {
        self.map(|new| new.prepare(store)).transpose()
    }

    #[inline]
    fn lower_only(self, store: &mut StoreInner) -> Result<i32> {
        self.map_or(Ok(0), |new| new.lower_only(store))
    }
}

/// A host object for `value`, not rooted yet. A safepoint; collects once when the heap is full.
#[inline]
pub(super) fn allocate<T: Any + Send + Sync>(store: &mut StoreInner, value: T) -> Result<GcRef> {
    store.safepoint();
    match externref::alloc(store, value, Properties::default()) {
        Ok(object) => Ok(object),
        Err(error) => allocate_again::<T>(store, error),
    }
}

#[cold]
fn allocate_again<T: Any + Send + Sync>(store: &mut StoreInner, error: Error) -> Result<GcRef> {
    let value = error.downcast::<GcHeapOutOfMemory<T>>()?.into_inner();
    store.collect(Why::Due);
    externref::alloc(store, value, Properties::default()).map_err(|error| {
        // The value has nowhere to go; an error that outlives the store should not carry it.
        drop(error);
        NoRoom { name: type_name::<T>() }.into()
    })
}

/// A host function's new object found no room.
#[derive(Debug)]
struct NoRoom {
    name: &'static str,
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no room for a new `{}`, even after a collection", self.name)
    }
}

impl std::error::Error for NoRoom {}

impl HostValues for () {
    type Abi = ();
    const SCOPE: bool = false;

    fn wasm_types() -> Vec<ValType> {
        Vec::new()
    }

    #[inline]
    fn lower_values(self, _: &mut StoreInner) -> Result<()> {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<V: HostValue> HostValues for V {
    type Abi = <V::Wasm as WasmBasic>::Abi;
    const SCOPE: bool = V::ROOTED;

    fn wasm_types() -> Vec<ValType> {
        vec![V::Wasm::wasm_type()]
    }

    #[inline]
    fn lower_values(self, store: &mut StoreInner) -> Result<Self::Abi> {
        self.lower_only(store)
    }
}

macro_rules! value_tuples {
    ($($($name:ident $index:tt)*;)*) => {$(
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case, reason = "values are named by their types")]
        impl<$($name: HostValue),*> HostValues for ($($name,)*) {
            type Abi = ($(<$name::Wasm as WasmBasic>::Abi,)*);
            const SCOPE: bool = false $(|| $name::PREPARED_ROOTED)*;

            fn wasm_types() -> Vec<ValType> {
                vec![$($name::Wasm::wasm_type()),*]
            }

            #[inline]
            fn lower_values(self, store: &mut StoreInner) -> Result<Self::Abi> {
                // Making the objects may collect, so nothing is lowered before all are made.
                let ($($name,)*) = self;
                $(let $name = $name.prepare(store)?;)*
                Ok(($($name.lower(store)?,)*))
            }
        }
    )*};
}

several_values!(value_tuples);
