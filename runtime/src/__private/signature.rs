//! The Wasm types of parameters and results at compile time, for the constant `SIGNATURES`. Refuses
//! nothing: types that cannot be parameters or results are reported where they are registered.

use std::fmt;
use std::marker::PhantomData;

use super::call::{CallerArg, HostCxArg, Reported, Value, Wrap, Wrapped};
use super::export_alloc::{AllocArgument, AllocParam, One};
use super::export_types::{Argument, ExportParam};
use super::memory::{Address, CopiedArg, Slice, SliceMut};
use super::objects::{Optional, Required};
use super::param::{Param, kind};
use super::result::{HostResult, HostValues};
use crate::api::convert::{WasmBasic, WasmTy};
use crate::api::signature::names::{TypeNames, address, externref, ref_extern};
use crate::api::signature::{ParamSignature, SignatureType};

/// The Wasm types that one parameter of a host function stands for.
pub trait ArgTypes {
    /// None, one or two.
    type Types: TypeNames;
}

impl<T: WasmTy> ArgTypes for Value<T> {
    type Types = (<T::Wasm as WasmBasic>::Type,);
}

impl<T: Wrap> ArgTypes for Wrapped<T> {
    type Types = (i32,);
}

impl<A> ArgTypes for Required<A> {
    type Types = (ref_extern,);
}

impl<A> ArgTypes for Optional<A> {
    type Types = (externref,);
}

impl<T: ?Sized> ArgTypes for Slice<T> {
    type Types = (address, address);
}

impl<E> ArgTypes for SliceMut<E> {
    type Types = (address, address);
}

impl<T: ?Sized> ArgTypes for CopiedArg<T> {
    type Types = (address, address);
}

impl<E> ArgTypes for Address<E> {
    type Types = (address,);
}

impl<S> ArgTypes for HostCxArg<S> {
    type Types = ();
}

impl ArgTypes for CallerArg {
    type Types = ();
}

impl<T> ArgTypes for Reported<T> {
    type Types = ();
}

/// The Wasm types that one parameter of an exported function stands for.
pub trait ExportArgTypes {
    /// One or two.
    type Types: TypeNames;
}

impl<P: ExportParam<Kind>, Kind> ExportArgTypes for Argument<P, Kind> {
    type Types = (<<P::Wasm as WasmTy>::Wasm as WasmBasic>::Type,);
}

impl<P: AllocParam<Kind>, Kind> ExportArgTypes for AllocArgument<P, Kind>
where
    (P::First, P::Second): PartTypes,
{
    type Types = <(P::First, P::Second) as PartTypes>::Types;
}

/// The Wasm types of the values of one parameter.
pub trait PartTypes {
    /// One or two.
    type Types: TypeNames;
}

impl<T: WasmTy> PartTypes for (One<T>, ()) {
    type Types = (<T::Wasm as WasmBasic>::Type,);
}

impl<T: WasmTy, U: WasmTy> PartTypes for (One<T>, One<U>) {
    type Types = (<T::Wasm as WasmBasic>::Type, <U::Wasm as WasmBasic>::Type);
}

/// The types of a parameter `P` of a function for stores of `D`.
pub struct ParamTypes<D, P, Kind>(PhantomData<fn(D, P, Kind)>);

impl<D: 'static, P: Param<D, Kind>, Kind> ParamTypes<D, P, Kind> {
    /// The parameter.
    pub const PARAM: ParamSignature = {
        let types = <<P::Arg as ArgTypes>::Types as TypeNames>::TYPES;
        ParamSignature::new("", types, <<P::Arg as ArgTypes>::Types as TypeNames>::IN_MEMORY)
    };
}

/// The types of a result `R`.
pub struct ResultTypes<R, Kind>(PhantomData<fn(R, Kind)>);

impl<R: HostResult<Kind>, Kind> ResultTypes<R, Kind> {
    /// The types.
    pub const TYPES: &'static [SignatureType] =
        <<R::Values as HostValues>::Types as TypeNames>::TYPES;
}

/// What types have none that can have no others.
pub trait NoTypes {
    /// No types of a result.
    const TYPES: &'static [SignatureType] = &[];
    /// A parameter without types.
    const PARAM: ParamSignature = ParamSignature::new("", &[], false);
}

// For one kind only, so that rustc knows which is meant.
impl<D, P> NoTypes for ParamTypes<D, P, kind::Never> {}
impl<R> NoTypes for ResultTypes<R, kind::Never> {}

impl<D, P, Kind> fmt::Debug for ParamTypes<D, P, Kind> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ParamTypes")
    }
}

impl<R, Kind> fmt::Debug for ResultTypes<R, Kind> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResultTypes")
    }
}
