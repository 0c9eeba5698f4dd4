//! What a reference of some Rust type may lead to: a host value of one type, of any type, or of any
//! type that can be seen as a trait object.

use std::any::{Any, type_name};

use super::{HostAccessError, HostData};
use crate::error::{Error, Result};
use crate::gc::{GcRef, HostRefError};
use crate::instance::store::StoreInner;

/// What an `ExternRef<T>` may lead to: a `T` of any `Send + Sync` type of the host, `dyn Any + Send +
/// Sync` for a value of any type, or `dyn Trait` for a trait with
/// [`#[host_trait]`](macro@crate::host_trait).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be what a guest's reference leads to",
    label = "not a host object",
    note = "a host object is `Send + Sync + 'static`",
    note = "for `dyn Trait`, put `#[host_trait]` on the trait"
)]
pub trait ExternTarget: 'static {
    /// How an object is found to be one.
    #[doc(hidden)]
    type By: TargetCheck<Self>;
}

#[diagnostic::do_not_recommend]
impl<T: Any + Send + Sync> ExternTarget for T {
    type By = ByType;
}

impl ExternTarget for HostData {
    type By = ByNothing;
}

/// A trait whose objects guests may pass.
///
/// Implemented by [`#[host_trait]`](macro@crate::host_trait) for `dyn Trait`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be what a guest's reference leads to",
    label = "no host trait",
    note = "put `#[host_trait]` on the trait"
)]
pub trait HostTrait {
    /// The trait object with the longest lifetime.
    #[doc(hidden)]
    type Object: ?Sized + ExternTarget + HostTrait;
}

/// How an object is found to be a `T`.
#[doc(hidden)]
pub trait TargetCheck<T: ?Sized> {
    /// Fails when it is none.
    fn check(store: &StoreInner, raw: u32) -> Result<()>;

    /// The value.
    fn data(store: &StoreInner, raw: u32) -> Result<&T>;

    /// What messages call a `T`.
    fn name() -> &'static str;
}

/// By the identity of its type.
#[doc(hidden)]
#[derive(Debug)]
pub struct ByType;

/// By the casts that its type declares.
#[doc(hidden)]
#[derive(Debug)]
pub struct ByCast;

/// Any will do.
#[doc(hidden)]
#[derive(Debug)]
pub struct ByNothing;

impl<T: Any + Send + Sync> TargetCheck<T> for ByType {
    #[inline]
    fn check(store: &StoreInner, raw: u32) -> Result<()> {
        if store.gc.is_host::<T>(raw) { Ok(()) } else { Err(mismatched::<T>(store, raw)) }
    }

    #[inline]
    fn data(store: &StoreInner, raw: u32) -> Result<&T> {
        match store.gc.host_value(raw) {
            Some(value) => Ok(value),
            None => value_or_reason(store, raw),
        }
    }

    fn name() -> &'static str {
        type_name::<T>()
    }
}

impl<T: ?Sized + 'static> TargetCheck<T> for ByCast {
    fn check(store: &StoreInner, raw: u32) -> Result<()> {
        let cast = reference(raw).and_then(|object| store.gc.host_cast::<T>(object));
        cast.map(drop).map_err(|reason| denied::<T>(store, raw, reason))
    }

    fn data(store: &StoreInner, raw: u32) -> Result<&T> {
        let find = || {
            let object = reference(raw)?;
            let cast = store.gc.host_cast::<T>(object)?;
            let value = store.gc.host_data_or_reason(raw)?;
            Ok((cast.0)(value).expect("a cast is one of the object's own type"))
        };
        find().map_err(|reason| denied::<T>(store, raw, reason))
    }

    fn name() -> &'static str {
        type_name::<T>()
    }
}

impl TargetCheck<HostData> for ByNothing {
    #[inline]
    fn check(_: &StoreInner, _: u32) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn data(store: &StoreInner, raw: u32) -> Result<&HostData> {
        match store.gc.host_data(raw) {
            Some(value) => Ok(value),
            None => data_or_reason(store, raw),
        }
    }

    fn name() -> &'static str {
        "extern"
    }
}

#[inline]
fn reference(raw: u32) -> Result<GcRef, HostRefError> {
    GcRef::from_raw(raw).ok_or(HostRefError::Null)
}

#[cold]
#[inline(never)]
pub(super) fn mismatched<T: Any>(store: &StoreInner, raw: u32) -> Error {
    denied::<T>(store, raw, store.gc.mismatch(raw))
}

#[cold]
#[inline(never)]
fn value_or_reason<T: Any>(store: &StoreInner, raw: u32) -> Result<&T> {
    let found = store.gc.host_value_or_reason(raw);
    found.map_err(|reason| denied::<T>(store, raw, reason))
}

#[cold]
#[inline(never)]
fn data_or_reason(store: &StoreInner, raw: u32) -> Result<&HostData> {
    let found = store.gc.host_data_or_reason(raw);
    found.map_err(|reason| HostAccessError::at(&store.gc, raw, None, reason).into())
}

#[cold]
fn denied<T: ?Sized>(store: &StoreInner, raw: u32, reason: HostRefError) -> Error {
    HostAccessError::at(&store.gc, raw, Some(type_name::<T>()), reason).into()
}
