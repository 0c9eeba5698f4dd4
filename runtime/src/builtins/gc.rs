//! Making structs and arrays, and instructions over many elements of arrays.

use super::Caller;
use crate::error::Result;
use crate::gc::GcRef;
use crate::instance::store::StoreInner;
use crate::wasm::types::TypeId;

/// The raw reference of room for an object.
pub(super) fn alloc(store: &mut StoreInner, _: Caller, size: u32) -> Result<u32> {
    Ok(store.alloc_room(size)?.to_raw())
}

/// The raw reference of an object of zeros.
pub(super) fn alloc_large(store: &mut StoreInner, _: Caller, ty: u32, size: u32) -> Result<u32> {
    Ok(store.new_object(TypeId(ty), size)?.to_raw())
}

/// The raw reference of an array of zeros or nulls.
pub(super) fn array_new(store: &mut StoreInner, _: Caller, ty: u32, len: u32) -> Result<u32> {
    store.charge_bulk(len.into())?;
    Ok(store.new_array(TypeId(ty), len)?.to_raw())
}

pub(super) fn array_new_data(
    store: &mut StoreInner,
    caller: Caller,
    ty: u32,
    segment: u32,
    from: u32,
    len: u32,
) -> Result<u32> {
    store.charge_bulk(len.into())?;
    let array = store.new_array_of_data(caller.0, TypeId(ty), segment as usize, from, len)?;
    Ok(array.to_raw())
}

pub(super) fn array_new_elem(
    store: &mut StoreInner,
    caller: Caller,
    ty: u32,
    segment: u32,
    from: u32,
    len: u32,
) -> Result<u32> {
    store.charge_bulk(len.into())?;
    let array = store.new_array_of_elements(caller.0, TypeId(ty), segment as usize, from, len)?;
    Ok(array.to_raw())
}

pub(super) fn array_fill(
    store: &mut StoreInner,
    _: Caller,
    array: u32,
    at: u32,
    low: u64,
    high: u64,
    len: u32,
) -> Result<()> {
    store.charge_bulk(len.into())?;
    let bits = u128::from(low) | u128::from(high) << 64;
    Ok(store.array_fill(GcRef::from_raw(array), at, bits, len)?)
}

pub(super) fn array_copy(
    store: &mut StoreInner,
    _: Caller,
    to: u32,
    to_index: u32,
    from: u32,
    from_index: u32,
    len: u32,
) -> Result<()> {
    store.charge_bulk(len.into())?;
    let (to, from) = (GcRef::from_raw(to), GcRef::from_raw(from));
    Ok(store.array_copy((to, to_index), (from, from_index), len)?)
}

pub(super) fn array_init_data(
    store: &mut StoreInner,
    caller: Caller,
    array: u32,
    segment: u32,
    at: u32,
    from: u32,
    len: u32,
) -> Result<()> {
    store.charge_bulk(len.into())?;
    let array = GcRef::from_raw(array);
    Ok(store.array_init_data(caller.0, array, segment as usize, at, from, len)?)
}

pub(super) fn array_init_elem(
    store: &mut StoreInner,
    caller: Caller,
    array: u32,
    segment: u32,
    at: u32,
    from: u32,
    len: u32,
) -> Result<()> {
    store.charge_bulk(len.into())?;
    let array = GcRef::from_raw(array);
    Ok(store.array_init_elements(caller.0, array, segment as usize, at, from, len)?)
}
