//! Waiting at addresses of linear memories, and waking those who wait.

use std::time::Duration;

use super::Caller;
use super::memory::position;
use crate::error::Result;
use crate::instance::store::StoreInner;
use crate::trap::Trap;

pub(super) fn notify(
    store: &mut StoreInner,
    caller: Caller,
    memory: u32,
    index: u64,
    offset: u64,
    count: u32,
) -> Result<u32> {
    let address = address(index, offset, 4)?;
    Ok(store.memories[position(store, caller, memory)].notify(address, count)?)
}

pub(super) fn wait32(
    store: &mut StoreInner,
    caller: Caller,
    memory: u32,
    index: u64,
    offset: u64,
    expected: u32,
    nanoseconds: u64,
) -> Result<u32> {
    let address = address(index, offset, 4)?;
    let memory = &store.memories[position(store, caller, memory)];
    Ok(memory.wait32(address, expected, timeout(nanoseconds))? as u32)
}

pub(super) fn wait64(
    store: &mut StoreInner,
    caller: Caller,
    memory: u32,
    index: u64,
    offset: u64,
    expected: u64,
    nanoseconds: u64,
) -> Result<u32> {
    let address = address(index, offset, 8)?;
    let memory = &store.memories[position(store, caller, memory)];
    Ok(memory.wait64(address, expected, timeout(nanoseconds))? as u32)
}

/// The address of an access of `size` bytes. One past the address space is outside every memory, but
/// alignment comes first.
fn address(index: u64, offset: u64, size: u64) -> Result<u64, Trap> {
    match index.checked_add(offset) {
        Some(address) => Ok(address),
        None if index.wrapping_add(offset).is_multiple_of(size) => Err(Trap::MemoryOutOfBounds),
        None => Err(Trap::HeapMisaligned),
    }
}

/// A negative number is no timeout.
fn timeout(nanoseconds: u64) -> Option<Duration> {
    let nanoseconds = u64::try_from(nanoseconds.cast_signed()).ok()?;
    Some(Duration::from_nanos(nanoseconds))
}
