//! Tests of references that compiled code does not make itself.

use super::Caller;
use crate::abi::object::FIRST_TYPE;
use crate::error::Result;
use crate::instance::store::StoreInner;
use crate::wasm::types::TypeId;

/// Whether the type with id `a` is a subtype of the one with id `b`: 1 or 0. The numbers of host
/// objects and exceptions are no types.
pub(super) fn is_subtype(store: &mut StoreInner, _: Caller, a: u32, b: u32) -> Result<u32> {
    Ok((a >= FIRST_TYPE && store.engine.types().is_subtype(TypeId(a), TypeId(b))).into())
}
