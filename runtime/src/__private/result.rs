//! Which Rust types may be results of a host function, and how they go to the guest.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;

use super::made::{Fresh, FreshList, Maker, Makers, NotFresh, allocate, prepare_new};
use super::param::{Never, kind};
use crate::api::convert::{WasmBasic, WasmNumber, WasmTy};
use crate::api::engine::Engine;
use crate::api::func::arity::several_values;
use crate::api::func::shim::AbiResults;
use crate::api::refs::{ExternRef, Rooted};
use crate::api::signature::names::TypeNames;
use crate::api::types::ValType;
use crate::error::{Error, Result};
use crate::instance::store::StoreInner;
use crate::vm::value::ValRaw;

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
pub trait HostResult<Kind>: Sized {
    /// The results in the case of success.
    type Values: HostValues + 'static;
    /// Why there may be none.
    type Error: 'static;
    /// The marker of a function that returns this.
    type Marker: Returns;

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
        ReturnsOf::new(into_error)
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
        ReturnsOf::new(into_error)
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
        ReturnsOf::new(into_error)
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

    /// The types of new objects among the values.
    #[doc(hidden)]
    fn fresh(self) -> FreshList<<Self::Values as HostValues>::Fresh> {
        FreshList::new()
    }
}

/// The marker for results of type `R`.
pub struct ReturnsOf<R: HostResult<Kind>, Kind> {
    into_error: fn(R::Error) -> Error,
}

impl<R: HostResult<Kind>, Kind> ReturnsOf<R, Kind> {
    pub(super) fn new(into_error: fn(R::Error) -> Error) -> Self {
        ReturnsOf { into_error }
    }
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
            `hostref::Result`, with `Error::msg` for text and `Error::from_boxed` for a boxed error"
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

/// A result that is passed as an error number: 0 for `Ok(())`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be passed as an error number",
    label = "`#[host(errno)]` wants `Result<(), E>`",
    note = "an error number leaves no room for another result: return values as a tuple without \
            `#[host(errno)]`, or write them through `Ptr<E>`"
)]
pub trait Errno: Sized + 'static {
    /// Why there may be none.
    type Error: 'static;
    /// The marker of a function that returns this.
    type Marker: Returns<Value = Self>;

    /// The marker, given the numbers of errors.
    #[doc(hidden)]
    fn marker(number: fn(Self::Error) -> i32) -> Self::Marker;
}

/// An error with a number.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no error number",
    label = "does not convert to `i32`",
    note = "implement `From<{Self}> for i32`, with a number other than 0"
)]
pub trait ErrorNumber: 'static {
    /// The number.
    #[doc(hidden)]
    fn number(self) -> i32;
}

#[diagnostic::do_not_recommend]
impl<E: Into<i32> + 'static> ErrorNumber for E {
    #[inline]
    fn number(self) -> i32 {
        self.into()
    }
}

// Whether `E` has a number is asked elsewhere, so that a wrong `E` is reported once.
impl<E: 'static> Errno for Result<(), E> {
    type Error = E;
    type Marker = ErrnoOf<E>;

    fn marker(number: fn(E) -> i32) -> ErrnoOf<E> {
        ErrnoOf { number }
    }
}

/// The marker for results that are passed as error numbers.
pub struct ErrnoOf<E> {
    number: fn(E) -> i32,
}

impl<E> Clone for ErrnoOf<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for ErrnoOf<E> {}

impl<E> fmt::Debug for ErrnoOf<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Errno")
    }
}

impl<E: 'static> Returns for ErrnoOf<E> {
    type Value = Result<(), E>;
    type Values = i32;

    #[inline]
    fn into_result(self, value: Result<(), E>) -> Result<i32> {
        match value.map_err(self.number) {
            Ok(()) => Ok(0),
            Err(0) => Err(Error::msg("the number of an error is 0, which means success")),
            Err(number) => Ok(number),
        }
    }
}

/// A value that a global may have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the value of a global",
    label = "not a number",
    note = "`#[host(global)]` is for numbers of up to 64 bits, `V128`, `bool`, `char`, and types with \
            `#[derive(WasmTy)]` that travel as such"
)]
pub trait Constant {
    /// Its type and its slot.
    #[doc(hidden)]
    fn into_slot(self) -> (ValType, ValRaw);
}

#[diagnostic::do_not_recommend]
impl<T: WasmTy> Constant for T
where
    T::Wasm: WasmNumber,
{
    fn into_slot(self) -> (ValType, ValRaw) {
        (T::Wasm::abstract_type(), WasmNumber::into_slot(self.into_wasm()))
    }
}

/// The results of a host function when it succeeds: nothing, one value, or a tuple.
pub trait HostValues {
    /// The ABI values.
    type Abi: AbiResults;
    /// The Wasm types, for traits to compare.
    type Types: TypeNames;
    /// Whether a root scope is needed.
    const SCOPE: bool;
    /// What each value says of new objects: `(first, (second, .. ()))`.
    type Fresh: 'static;

    /// The Wasm types.
    #[doc(hidden)]
    fn wasm_types(engine: &Engine) -> Vec<ValType>;

    /// The values for the guest.
    #[doc(hidden)]
    fn lower_values(self, store: &mut StoreInner, makers: &Makers) -> Result<Self::Abi>;
}

/// One value that a host function may return.
pub trait HostValue {
    /// The basic type it travels as.
    type Wasm: WasmBasic;
    /// [`Fresh`] with its type if it is a new object that its maker's properties are for.
    type Fresh: 'static;
    /// Whether it is a root that the method made.
    const ROOTED: bool;
    /// Whether a root is made of it while other results are made.
    const PREPARED_ROOTED: bool;

    /// The value in a form that survives a collection.
    #[doc(hidden)]
    fn prepare(self, store: &mut StoreInner, maker: Maker) -> Result<Self::Wasm>;

    /// The value for the guest, when it is the only result.
    #[doc(hidden)]
    fn lower_only(
        self,
        store: &mut StoreInner,
        maker: Maker,
    ) -> Result<<Self::Wasm as WasmBasic>::Abi>;
}

#[diagnostic::do_not_recommend]
impl<T: WasmTy> HostValue for T {
    type Wasm = T::Wasm;
    type Fresh = NotFresh;
    const ROOTED: bool = T::Wasm::ROOTS;
    const PREPARED_ROOTED: bool = T::Wasm::ROOTS;

    #[inline]
    fn prepare(self, _: &mut StoreInner, _: Maker) -> Result<T::Wasm> {
        Ok(self.into_wasm())
    }

    #[inline]
    fn lower_only(self, store: &mut StoreInner, _: Maker) -> Result<<T::Wasm as WasmBasic>::Abi> {
        self.into_wasm().lower(store)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Any + Send + Sync> HostValue for New<T> {
    type Wasm = Rooted<ExternRef<T>>;
    type Fresh = Fresh<T>;
    const ROOTED: bool = false;
    const PREPARED_ROOTED: bool = true;

    fn prepare(self, store: &mut StoreInner, maker: Maker) -> Result<Rooted<ExternRef<T>>> {
        prepare_new(self.0, store, maker)
    }

    #[inline]
    fn lower_only(self, store: &mut StoreInner, maker: Maker) -> Result<i32> {
        let properties = maker.properties(&self.0);
        Ok(allocate(store, self.0, properties)?.to_raw() as i32)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Any + Send + Sync> HostValue for Option<New<T>> {
    type Wasm = Option<Rooted<ExternRef<T>>>;
    type Fresh = Fresh<T>;
    const ROOTED: bool = false;
    const PREPARED_ROOTED: bool = true;

    fn prepare(self, store: &mut StoreInner, maker: Maker) -> Result<Self::Wasm> {
        self.map(|new| new.prepare(store, maker)).transpose()
    }

    #[inline]
    fn lower_only(self, store: &mut StoreInner, maker: Maker) -> Result<i32> {
        self.map_or(Ok(0), |new| new.lower_only(store, maker))
    }
}

impl HostValues for () {
    type Abi = ();
    type Types = ();
    const SCOPE: bool = false;
    type Fresh = ();

    fn wasm_types(_: &Engine) -> Vec<ValType> {
        Vec::new()
    }

    #[inline]
    fn lower_values(self, _: &mut StoreInner, _: &Makers) -> Result<()> {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<V: HostValue> HostValues for V {
    type Abi = <V::Wasm as WasmBasic>::Abi;
    type Types = (<V::Wasm as WasmBasic>::Type,);
    const SCOPE: bool = V::ROOTED;
    type Fresh = (V::Fresh, ());

    fn wasm_types(engine: &Engine) -> Vec<ValType> {
        vec![V::Wasm::wasm_type(engine)]
    }

    #[inline]
    fn lower_values(self, store: &mut StoreInner, makers: &Makers) -> Result<Self::Abi> {
        self.lower_only(store, makers.at(0))
    }
}

#[diagnostic::do_not_recommend]
impl<V: HostValue> HostValues for (V,) {
    type Abi = <V as HostValues>::Abi;
    type Types = <V as HostValues>::Types;
    const SCOPE: bool = <V as HostValues>::SCOPE;
    type Fresh = <V as HostValues>::Fresh;

    fn wasm_types(engine: &Engine) -> Vec<ValType> {
        <V as HostValues>::wasm_types(engine)
    }

    #[inline]
    fn lower_values(self, store: &mut StoreInner, makers: &Makers) -> Result<Self::Abi> {
        self.0.lower_values(store, makers)
    }
}

/// `(first, (second, .. ()))`.
macro_rules! nest {
    () => { () };
    ($first:ident::Fresh $($rest:tt)*) => { ($first::Fresh, nest!($($rest)*)) };
}

macro_rules! value_tuples {
    ($($($name:ident $index:tt)*;)*) => {$(
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case, reason = "values are named by their types")]
        impl<$($name: HostValue),*> HostValues for ($($name,)*) {
            type Abi = ($(<$name::Wasm as WasmBasic>::Abi,)*);
            type Types = ($(<$name::Wasm as WasmBasic>::Type,)*);
            const SCOPE: bool = false $(|| $name::PREPARED_ROOTED)*;
            type Fresh = nest!($($name::Fresh)*);

            fn wasm_types(engine: &Engine) -> Vec<ValType> {
                vec![$($name::Wasm::wasm_type(engine)),*]
            }

            #[inline]
            fn lower_values(self, store: &mut StoreInner, makers: &Makers) -> Result<Self::Abi> {
                // Making the objects may collect, so nothing is lowered before all are made.
                let ($($name,)*) = self;
                $(let $name = $name.prepare(store, makers.at($index))?;)*
                Ok(($($name.lower(store)?,)*))
            }
        }
    )*};
}

several_values!(value_tuples);
