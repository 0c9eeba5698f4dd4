//! Which Rust types may stand in a `fn` field of `#[wasm_exports]`, and how they go to the guest and
//! come back.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;

use super::result::{New, allocate};
use crate::api::convert::WasmTy;
use crate::api::func::typed::{WasmParams, WasmResults};
use crate::api::refs::{ExternRef, ManuallyRooted};
use crate::error::Result;
use crate::instance::store::StoreInner;

/// A type that a parameter of an exported function may have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of an exported function",
    label = "cannot be passed to a guest",
    note = "a guest takes numbers of up to 64 bits, `bool`, `char`, types with `#[derive(WasmTy)]`, \
            `Rooted<ExternRef<T>>`, `New<T>` for a new object, and `Option`s of references and `New`"
)]
pub trait ExportParam {
    /// What it travels as.
    type Wasm: WasmTy;

    /// The value as it travels. A safepoint.
    #[doc(hidden)]
    fn prepare(self, store: &mut StoreInner) -> Result<Self::Wasm>;
}

#[diagnostic::do_not_recommend]
impl<T: WasmTy> ExportParam for T {
    type Wasm = T;

    #[inline]
    fn prepare(self, _: &mut StoreInner) -> Result<T> {
        Ok(self)
    }
}

// The root belongs to no scope, so that calling in a loop roots nothing for ever.
#[diagnostic::do_not_recommend]
impl<T: Any + Send + Sync> ExportParam for New<T> {
    type Wasm = ManuallyRooted<ExternRef<T>>;

    fn prepare(self, store: &mut StoreInner) -> Result<ManuallyRooted<ExternRef<T>>> {
        let object = allocate(store, self.0)?;
        Ok(ManuallyRooted::from_gc_ref(store, object))
    }
}

#[diagnostic::do_not_recommend]
impl<T: Any + Send + Sync> ExportParam for Option<New<T>> {
    type Wasm = Option<ManuallyRooted<ExternRef<T>>>;

    fn prepare(self, store: &mut StoreInner) -> Result<Self::Wasm> {
        self.map(|new| new.prepare(store)).transpose()
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
pub trait ExportResult {
    /// What it travels as.
    type Wasm: WasmResults;

    /// The value that came back.
    #[doc(hidden)]
    fn finish(wasm: Self::Wasm) -> Self;
}

#[diagnostic::do_not_recommend]
impl<R: WasmResults> ExportResult for R {
    type Wasm = R;

    #[inline]
    fn finish(wasm: R) -> R {
        wasm
    }
}

/// The marker of a parameter.
pub struct Argument<P: ExportParam>(PhantomData<fn(P)>);

/// The marker of a result.
pub struct Outcome<R: ExportResult>(PhantomData<fn() -> R>);

impl<P: ExportParam> fmt::Debug for Argument<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Argument")
    }
}

impl<R: ExportResult> fmt::Debug for Outcome<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outcome")
    }
}

/// The result of an exported function: an [`Outcome`].
pub trait Outcomes {
    /// What the caller gets.
    type Value: ExportResult;
}

impl<R: ExportResult> Outcomes for Outcome<R> {
    type Value = R;
}

/// The parameters of an exported function: a tuple of [`Argument`]s.
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
    ($($($name:ident)*;)*) => {$(
        #[allow(
            non_snake_case, unused_variables, clippy::unused_unit,
            reason = "values are named by their types, and there may be none"
        )]
        impl<$($name: ExportParam),*> Arguments for ($(Argument<$name>,)*) {
            type Values = ($($name,)*);
            type Wasm = ($($name::Wasm,)*);

            #[inline]
            fn prepare(values: Self::Values, store: &mut StoreInner) -> Result<Self::Wasm> {
                let ($($name,)*) = values;
                Ok(($($name.prepare(store)?,)*))
            }
        }
    )*};
}

argument_tuples! {
    ;
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
    A B C D E F G H I;
    A B C D E F G H I J;
    A B C D E F G H I J K;
    A B C D E F G H I J K L;
    A B C D E F G H I J K L M;
    A B C D E F G H I J K L M N;
    A B C D E F G H I J K L M N O;
    A B C D E F G H I J K L M N O P;
}
