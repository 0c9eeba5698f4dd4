//! Making objects of the GC heap where compiled code does not find room itself.

use super::Caller;
use crate::error::Result;
use crate::instance::store::StoreInner;

/// Room for a young object.
pub(super) fn alloc(store: &mut StoreInner, _: Caller, size: u32) -> Result<u32> {
    Ok(store.make_room(size)?)
}

/// A zeroed large object.
pub(super) fn alloc_large(store: &mut StoreInner, _: Caller, ty: u32, size: u32) -> Result<u32> {
    Ok(store.make_large(ty, size)?)
}
