//! Instructions over tables.

use super::Caller;
use crate::error::Result;
use crate::instance::definition::RawRef;
use crate::instance::segments::table_trap;
use crate::instance::store::StoreInner;

pub(super) fn grow_func(
    store: &mut StoreInner,
    caller: Caller,
    table: u32,
    elements: u64,
    func: usize,
) -> Result<u64> {
    grow(store, caller, table, elements, RawRef::func_from_bits(func as u128))
}

pub(super) fn grow_gc(
    store: &mut StoreInner,
    caller: Caller,
    table: u32,
    elements: u64,
    raw: u32,
) -> Result<u64> {
    grow(store, caller, table, elements, RawRef::Gc(raw))
}

pub(super) fn fill_func(
    store: &mut StoreInner,
    caller: Caller,
    table: u32,
    at: u64,
    func: usize,
    len: u64,
) -> Result<()> {
    fill(store, caller, table, at, RawRef::func_from_bits(func as u128), len)
}

pub(super) fn fill_gc(
    store: &mut StoreInner,
    caller: Caller,
    table: u32,
    at: u64,
    raw: u32,
    len: u64,
) -> Result<()> {
    fill(store, caller, table, at, RawRef::Gc(raw), len)
}

pub(super) fn copy(
    store: &mut StoreInner,
    caller: Caller,
    to_table: u32,
    from_table: u32,
    to: u64,
    from: u64,
    len: u64,
) -> Result<()> {
    let to_table = position(store, caller, to_table);
    let from_table = position(store, caller, from_table);
    store.charge_bulk_within(len, store.tables[to_table].len())?;
    Ok(store.table_copy(to_table, from_table, to, from, len)?)
}

pub(super) fn init(
    store: &mut StoreInner,
    caller: Caller,
    table: u32,
    segment: u32,
    to: u64,
    from: u64,
    len: u64,
) -> Result<()> {
    let room = store.tables[position(store, caller, table)].len();
    store.charge_bulk_within(len, room)?;
    Ok(store.table_init(caller.0, table as usize, segment as usize, to, from, len)?)
}

pub(super) fn elem_drop(store: &mut StoreInner, caller: Caller, segment: u32) -> Result<()> {
    store.drop_segment(caller.0, segment as usize);
    Ok(())
}

/// The old number of elements, or -1.
fn grow(
    store: &mut StoreInner,
    caller: Caller,
    table: u32,
    elements: u64,
    init: RawRef,
) -> Result<u64> {
    let table = position(store, caller, table);
    Ok(store.grow_table(table, elements, init)?.unwrap_or(u64::MAX))
}

fn fill(
    store: &mut StoreInner,
    caller: Caller,
    table: u32,
    at: u64,
    value: RawRef,
    len: u64,
) -> Result<()> {
    let table = position(store, caller, table);
    store.charge_bulk_within(len, store.tables[table].len())?;
    Ok(store.tables[table].fill(&store.vm.heap, at, value, len).map_err(table_trap)?)
}

fn position(store: &StoreInner, caller: Caller, table: u32) -> usize {
    store.instances[caller.0].tables[table as usize]
}
