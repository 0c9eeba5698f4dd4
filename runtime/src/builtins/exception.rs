//! Making exceptions. Throwing them is the business of `vm`.

use super::Caller;
use crate::error::Result;
use crate::instance::store::StoreInner;

/// The raw reference of a new exception.
pub(super) fn new(store: &mut StoreInner, caller: Caller, tag: u32) -> Result<u32> {
    let tag = store.instances[caller.0].tags[tag as usize];
    Ok(store.collect_and_alloc_exception(tag)?.to_raw())
}
