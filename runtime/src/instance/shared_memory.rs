//! A linear memory that stores of one engine share: its type, its bytes, and who waits at them. It
//! belongs to no store.

use std::sync::Arc;
use std::time::Duration;

use super::engine::Engine;
use super::memory;
use super::parking::{Parking, WaitResult};
use crate::error::Result;
use crate::trap::Trap;
use crate::vm::shared_memory::SharedLinearMemory;
use crate::wasm::types::MemoryType;

/// A shared memory.
pub(crate) struct SharedMemory {
    pub(crate) ty: MemoryType,
    pub(crate) engine: Engine,
    pub(crate) bytes: SharedLinearMemory,
    parking: Parking,
}

impl SharedMemory {
    /// A zeroed memory of `ty`, which is shared and valid.
    pub(crate) fn new(engine: &Engine, ty: MemoryType) -> Result<Arc<SharedMemory>> {
        assert!(ty.shared && ty.limits.max.is_some(), "a shared memory has a maximum");
        let bytes = SharedLinearMemory::new(memory::linear_memory(engine.shared(), &ty, None)?);
        let (engine, parking) = (engine.clone(), Parking::default());
        Ok(Arc::new(SharedMemory { ty, engine, bytes, parking }))
    }

    /// The current size in pages.
    pub(crate) fn pages(&self) -> u64 {
        self.bytes.len() as u64 >> self.ty.page_size_log2
    }

    /// Grows by `delta` pages and returns the size before; `None` if it may not have so many.
    pub(crate) fn grow(&self, delta: u64) -> Option<u64> {
        let limit = self.engine.shared().settings.memory_limit;
        let old = self.bytes.grow(|old| memory::grown(&self.ty, old, delta, limit))?;
        Some(old as u64 >> self.ty.page_size_log2)
    }

    /// Wakes at most `count` threads that wait at `address`, and returns how many.
    pub(crate) fn notify(&self, address: u64, count: u32) -> Result<u32, Trap> {
        check_atomic(address, 4, self.bytes.len())?;
        Ok(self.parking.notify(address, count))
    }

    /// Waits at `address` as long as it holds `expected`.
    pub(crate) fn wait32(
        &self,
        address: u64,
        expected: u32,
        timeout: Option<Duration>,
    ) -> Result<WaitResult, Trap> {
        let at = check_atomic(address, 4, self.bytes.len())?;
        Ok(self.parking.wait(address, timeout, || self.bytes.load_u32(at) == expected))
    }

    /// Waits at `address` as long as it holds `expected`.
    pub(crate) fn wait64(
        &self,
        address: u64,
        expected: u64,
        timeout: Option<Duration>,
    ) -> Result<WaitResult, Trap> {
        let at = check_atomic(address, 8, self.bytes.len())?;
        Ok(self.parking.wait(address, timeout, || self.bytes.load_u64(at) == expected))
    }
}

/// Checks an atomic access to a memory of `len` bytes, in the order of the specification.
pub(crate) fn check_atomic(address: u64, size: u64, len: usize) -> Result<usize, Trap> {
    if !address.is_multiple_of(size) {
        return Err(Trap::HeapMisaligned);
    }
    match address.checked_add(size) {
        Some(end) if end <= len as u64 => Ok(address as usize),
        _ => Err(Trap::MemoryOutOfBounds),
    }
}
