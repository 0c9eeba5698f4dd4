//! Which Rust types may stand in a `fn` field of `#[wasm_exports]`, and how they go to the guest and
//! come back.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;

use super::export_alloc::AllocParam;
use super::export_items::ExportItem;
use super::made::allocate;
use super::param::{Never, kind};
use super::result::New;
use crate::api::convert::WasmTy;
use crate::api::func::arity::any_values;
use crate::api::func::typed::{WasmParams, WasmResults};
use crate::api::refs::{ExternRef, ManuallyRooted};
use crate::error::Result;
use crate::gc::Properties;
use crate::instance::store::StoreInner;

/// A type that a parameter of an exported function may have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of an exported function",
    label = "cannot be passed to a guest",
    note = "a guest takes numbers of up to 64 bits, `bool`, `char`, types with `#[derive(WasmTy)]`, \
            `Rooted<ExternRef<T>>`, `New<T>` for a new object, and `Option`s of references and `New`"
)]
pub trait ExportParam<Kind>: Sized {
    /// What it travels as.
    type Wasm: WasmTy;
    /// The marker of such a parameter.
    type Marker: Passed<Value = Self> + Default;

    /// The value as it travels. A safepoint.
    #[doc(hidden)]
    fn prepare(self, store: &mut StoreInner) -> Result<Self::Wasm>;
}

#[diagnostic::do_not_recommend]
impl<T: WasmTy> ExportParam<kind::Value> for T {
    type Wasm = T;
    type Marker = Argument<T, kind::Value>;

    #[inline]
    fn prepare(self, _: &mut StoreInner) -> Result<T> {
        Ok(self)
    }
}

// The root belongs to no scope, so that calling in a loop roots nothing for ever.
#[diagnostic::do_not_recommend]
impl<T: Any + Send + Sync> ExportParam<kind::New> for New<T> {
    type Wasm = ManuallyRooted<ExternRef<T>>;
    type Marker = Argument<New<T>, kind::New>;

    fn prepare(self, store: &mut StoreInner) -> Result<ManuallyRooted<ExternRef<T>>> {
        let object = allocate(store, self.0, Properties::default())?;
        Ok(ManuallyRooted::from_gc_ref(store, object))
    }
}

#[diagnostic::do_not_recommend]
impl<T: Any + Send + Sync> ExportParam<kind::OptionNew> for Option<New<T>> {
    type Wasm = Option<ManuallyRooted<ExternRef<T>>>;
    type Marker = Argument<Option<New<T>>, kind::OptionNew>;

    fn prepare(self, store: &mut StoreInner) -> Result<Self::Wasm> {
        self.map(|new| new.prepare(store)).transpose()
    }
}

// See `kind::Never`.
#[diagnostic::do_not_recommend]
impl<T: Never> ExportParam<kind::Never> for T {
    type Wasm = i32;
    type Marker = Argument<T, kind::Never>;

    fn prepare(self, _: &mut StoreInner) -> Result<i32> {
        Ok(0)
    }
}

/// What an exported function may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of an exported function",
    label = "cannot come from a guest",
    note = "a guest returns nothing, a number of up to 64 bits, `bool`, `char`, a type with \
            `#[derive(WasmTy)]`, `Rooted<ExternRef<T>>`, an `Option` of a reference, or a tuple of these; \
            every `call_*` method returns a `hostref::Result` of that"
)]
pub trait ExportResult<Kind>: Sized {
    /// What it travels as.
    type Wasm: WasmResults;
    /// The marker of such a result.
    type Marker: Outcomes<Value = Self> + Default;

    /// The value that came back.
    #[doc(hidden)]
    fn finish(wasm: Self::Wasm) -> Self;
}

#[diagnostic::do_not_recommend]
impl<R: WasmResults> ExportResult<kind::Value> for R {
    type Wasm = R;
    type Marker = Outcome<R, kind::Value>;

    #[inline]
    fn finish(wasm: R) -> R {
        wasm
    }
}

// See `kind::Never`.
#[diagnostic::do_not_recommend]
impl<R: Never + WasmResults> ExportResult<kind::Never> for R {
    type Wasm = R;
    type Marker = Outcome<R, kind::Never>;

    fn finish(wasm: R) -> R {
        wasm
    }
}

/// Makes the markers of the types in a struct of exports. What follows asks for markers, not for types,
/// so that a type that may not stand there is reported once.
#[derive(Clone, Copy, Debug)]
pub struct Markers;

impl Markers {
    /// The marker of a parameter of type `P`.
    pub fn argument<P: ExportParam<Kind>, Kind>(&self) -> P::Marker {
        P::Marker::default()
    }

    /// The marker of a parameter of type `P` of a function that says `alloc`.
    pub fn alloc_argument<P: AllocParam<Kind>, Kind>(&self) -> P::Marker {
        P::Marker::default()
    }

    /// The marker of a result of type `R`.
    pub fn outcome<R: ExportResult<Kind>, Kind>(&self) -> R::Marker {
        R::Marker::default()
    }

    /// The marker of a field of type `T` that is no function.
    pub fn item<T: ExportItem<Kind>, Kind>(&self) -> T::Marker {
        T::Marker::default()
    }
}

/// The marker of a parameter.
pub trait Passed {
    /// What the caller passes.
    type Value;
    /// What it travels as.
    type Wasm: WasmTy;

    /// The value as it travels. A safepoint.
    #[doc(hidden)]
    fn prepare(value: Self::Value, store: &mut StoreInner) -> Result<Self::Wasm>;
}

/// The marker of a result.
pub trait Outcomes {
    /// What the caller gets.
    type Value;
    /// What it travels as.
    type Wasm: WasmResults;

    /// The value that came back.
    #[doc(hidden)]
    fn finish(wasm: Self::Wasm) -> Self::Value;
}

macro_rules! markers {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        pub struct $name<T, Kind>(PhantomData<fn(T) -> (T, Kind)>);

        impl<T, Kind> Default for $name<T, Kind> {
            fn default() -> Self {
                $name(PhantomData)
            }
        }

        impl<T, Kind> fmt::Debug for $name<T, Kind> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}

markers! {
    /// The marker of a parameter of type `T`.
    Argument;
    /// The marker of a result of type `T`.
    Outcome;
}

impl<P: ExportParam<Kind>, Kind> Passed for Argument<P, Kind> {
    type Value = P;
    type Wasm = P::Wasm;

    #[inline]
    fn prepare(value: P, store: &mut StoreInner) -> Result<P::Wasm> {
        value.prepare(store)
    }
}

impl<R: ExportResult<Kind>, Kind> Outcomes for Outcome<R, Kind> {
    type Value = R;
    type Wasm = R::Wasm;

    #[inline]
    fn finish(wasm: R::Wasm) -> R {
        R::finish(wasm)
    }
}

/// The parameters of an exported function: a tuple of markers.
pub trait Arguments {
    /// What the caller passes.
    type Values;
    /// What they travel as.
    type Wasm: WasmParams;

    /// The values as they travel.
    #[doc(hidden)]
    fn prepare(values: Self::Values, store: &mut StoreInner) -> Result<Self::Wasm>;
}

macro_rules! argument_tuples {
    ($($($name:ident $index:tt)*;)*) => {$(
        #[allow(
            unused_variables, clippy::unused_unit, reason = "there may be no values"
        )]
        impl<$($name: Passed),*> Arguments for ($($name,)*) {
            type Values = ($($name::Value,)*);
            type Wasm = ($($name::Wasm,)*);

            #[inline]
            fn prepare(values: Self::Values, store: &mut StoreInner) -> Result<Self::Wasm> {
                Ok(($($name::prepare(values.$index, store)?,)*))
            }
        }
    )*};
}

any_values!(argument_tuples);
