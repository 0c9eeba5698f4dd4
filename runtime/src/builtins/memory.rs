//! Instructions over linear memories.

use super::Caller;
use crate::error::Result;
use crate::instance::store::StoreInner;

/// The old size in pages, or -1.
pub(super) fn grow(store: &mut StoreInner, caller: Caller, memory: u32, pages: u64) -> Result<u64> {
    let memory = position(store, caller, memory);
    Ok(store.grow_memory(memory, pages)?.unwrap_or(u64::MAX))
}

pub(super) fn copy(
    store: &mut StoreInner,
    caller: Caller,
    to_memory: u32,
    from_memory: u32,
    to: u64,
    from: u64,
    len: u64,
) -> Result<()> {
    let to_memory = position(store, caller, to_memory);
    let from_memory = position(store, caller, from_memory);
    store.charge_bulk_within(len, room(store, to_memory))?;
    Ok(store.memory_copy(to_memory, from_memory, to, from, len)?)
}

pub(super) fn fill(
    store: &mut StoreInner,
    caller: Caller,
    memory: u32,
    at: u64,
    byte: u32,
    len: u64,
) -> Result<()> {
    let memory = position(store, caller, memory);
    store.charge_bulk_within(len, room(store, memory))?;
    Ok(store.memory_fill(memory, at, byte as u8, len)?)
}

pub(super) fn init(
    store: &mut StoreInner,
    caller: Caller,
    memory: u32,
    segment: u32,
    to: u64,
    from: u64,
    len: u64,
) -> Result<()> {
    let room = room(store, position(store, caller, memory));
    store.charge_bulk_within(len, room)?;
    Ok(store.memory_init(caller.0, memory as usize, segment as usize, to, from, len)?)
}

pub(super) fn data_drop(store: &mut StoreInner, caller: Caller, segment: u32) -> Result<()> {
    store.instances[caller.0].drop_data(segment as usize);
    Ok(())
}

/// The position in the store of a memory of the calling instance.
pub(super) fn position(store: &StoreInner, caller: Caller, memory: u32) -> usize {
    store.instances[caller.0].memories[memory as usize]
}

/// The bytes of a memory at this position of the store.
fn room(store: &StoreInner, memory: usize) -> u64 {
    store.memories[memory].len() as u64
}
