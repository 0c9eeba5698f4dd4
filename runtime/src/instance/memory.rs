//! Linear memories as a store has them: of its own, or shared with other stores.
//!
//! Invariant: the content of a memory of the store's own is touched through `&` or `&mut` of the
//! [`Memory`], or by compiled code, which runs under `&mut` of the store. That of a shared memory is
//! touched by other threads at any time: Rust code copies it through raw pointers and never refers
//! to it.

use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use super::definition::{DefSlot, OutOfBounds, range};
use super::engine::EngineShared;
use super::parking::WaitResult;
use super::shared_memory::{SharedMemory, check_atomic};
use crate::abi::layout::memory::Bounds;
use crate::error::Result;
use crate::trap::Trap;
use crate::vm::image::MemoryImage;
use crate::vm::memory::LinearMemory;
use crate::wasm::types::MemoryType;

/// A linear memory.
pub(crate) struct Memory {
    pub(crate) ty: MemoryType,
    storage: Storage,
}

enum Storage {
    Own { def: DefSlot, memory: LinearMemory },
    Shared(Arc<SharedMemory>),
}

impl Memory {
    /// A memory of `ty`, which is not shared. It holds `image` at its place, and zeros elsewhere.
    ///
    /// # Panics
    ///
    /// If the place of the image is outside the memory.
    pub(crate) fn new(
        engine: &EngineShared,
        ty: MemoryType,
        mut def: DefSlot,
        image: Option<&Arc<MemoryImage>>,
    ) -> Result<Memory> {
        assert!(!ty.shared, "a shared memory is made by `SharedMemory::new`");
        let memory = linear_memory(engine, &ty, image)?;
        define(&mut def, &memory);
        Ok(Memory { ty, storage: Storage::Own { def, memory } })
    }

    /// A shared memory in a store.
    pub(crate) fn shared(memory: Arc<SharedMemory>) -> Memory {
        Memory { ty: memory.ty, storage: Storage::Shared(memory) }
    }

    /// The shared memory that this is, if it is one.
    pub(crate) fn as_shared(&self) -> Option<&Arc<SharedMemory>> {
        match &self.storage {
            Storage::Own { .. } => None,
            Storage::Shared(memory) => Some(memory),
        }
    }

    /// The address of the definition.
    pub(crate) fn address(&self) -> usize {
        match &self.storage {
            Storage::Own { def, .. } => def.address(),
            Storage::Shared(memory) => memory.bytes.address(),
        }
    }

    /// The current size in bytes.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        match &self.storage {
            Storage::Own { memory, .. } => memory.len(),
            Storage::Shared(memory) => memory.bytes.len(),
        }
    }

    /// The current size in pages.
    pub(crate) fn pages(&self) -> u64 {
        self.len() as u64 >> self.ty.page_size_log2
    }

    /// Grows by `delta` pages and returns the size before; `None` if it may not have so many.
    pub(crate) fn grow(&mut self, delta: u64, limit: u64) -> Option<u64> {
        let old = self.pages();
        match &mut self.storage {
            Storage::Own { def, memory } => {
                memory.grow(grown(&self.ty, memory.len(), delta, limit)?).ok()?;
                define(def, memory);
                Some(old)
            }
            Storage::Shared(memory) => memory.grow(delta),
        }
    }

    /// The address of the first byte.
    #[inline]
    pub(crate) fn base(&self) -> NonNull<u8> {
        match &self.storage {
            Storage::Own { memory, .. } => memory.base(),
            Storage::Shared(memory) => memory.bytes.base(),
        }
    }

    /// The content.
    ///
    /// # Panics
    ///
    /// If the memory is shared.
    #[inline]
    pub(crate) fn data(&self) -> &[u8] {
        match &self.storage {
            Storage::Own { memory, .. } => memory.data(),
            Storage::Shared(_) => panic!("the content of a shared memory is never borrowed"),
        }
    }

    /// The content.
    ///
    /// # Panics
    ///
    /// If the memory is shared.
    #[inline]
    pub(crate) fn data_mut(&mut self) -> &mut [u8] {
        match &mut self.storage {
            Storage::Own { memory, .. } => memory.data_mut(),
            Storage::Shared(_) => panic!("the content of a shared memory is never borrowed"),
        }
    }

    // Bulk operations.

    /// Copies `bytes` to `to`.
    pub(crate) fn write(&mut self, to: u64, bytes: &[u8]) -> Result<(), OutOfBounds> {
        let (to, len) = self.bytes(to, bytes.len() as u64)?;
        // SAFETY: `len` bytes at `to` are accessible, as `bytes` checked, and as many in the slice,
        // which is no part of a memory: no slice of this one is while it is lent to us. If the memory
        // is shared, others may write the same bytes meanwhile; what is there then is a mixture, as
        // the specification has it, and only loaded as bytes.
        unsafe { to.copy_from_nonoverlapping(NonNull::from(bytes).cast(), len) };
        Ok(())
    }

    /// Sets `len` bytes from `at` on to `byte`.
    pub(crate) fn fill(&mut self, at: u64, byte: u8, len: u64) -> Result<(), OutOfBounds> {
        let (at, len) = self.bytes(at, len)?;
        // SAFETY: as for `write`.
        unsafe { at.write_bytes(byte, len) };
        Ok(())
    }

    /// Copies `len` bytes between two of `memories`, or within one; they may overlap, even if the
    /// memories are two: a shared one may be there twice.
    pub(crate) fn copy(
        memories: &mut [Memory],
        (to_memory, to): (usize, u64),
        (from_memory, from): (usize, u64),
        len: u64,
    ) -> Result<(), OutOfBounds> {
        let (from, _) = memories[from_memory].bytes(from, len)?;
        let (to, len) = memories[to_memory].bytes(to, len)?;
        // SAFETY: `len` bytes are accessible at either address. The content of memories of the
        // store's own is nobody else's while they are lent to us; as to shared ones see `write`.
        unsafe { to.copy_from(from, len) };
        Ok(())
    }

    /// The address and the number of the `len` bytes from `at` on.
    fn bytes(&mut self, at: u64, len: u64) -> Result<(NonNull<u8>, usize), OutOfBounds> {
        let Range { start, end } = range(at, len, self.len() as u64)?;
        let address = self.base().map_addr(|base| {
            base.checked_add(start).expect("a memory does not wrap around the address space")
        });
        Ok((address, end - start))
    }

    // Atomic operations.

    /// Wakes at most `count` threads that wait at `address`, and returns how many. Nobody waits at a
    /// memory that is not shared.
    pub(crate) fn notify(&self, address: u64, count: u32) -> Result<u32, Trap> {
        match &self.storage {
            Storage::Own { memory, .. } => check_atomic(address, 4, memory.len()).map(|_| 0),
            Storage::Shared(memory) => memory.notify(address, count),
        }
    }

    /// Waits at `address` as long as it holds `expected`.
    pub(crate) fn wait32(
        &self,
        address: u64,
        expected: u32,
        timeout: Option<Duration>,
    ) -> Result<WaitResult, Trap> {
        self.waitable(address, 4)?.wait32(address, expected, timeout)
    }

    /// Waits at `address` as long as it holds `expected`.
    pub(crate) fn wait64(
        &self,
        address: u64,
        expected: u64,
        timeout: Option<Duration>,
    ) -> Result<WaitResult, Trap> {
        self.waitable(address, 8)?.wait64(address, expected, timeout)
    }

    fn waitable(&self, address: u64, size: u64) -> Result<&SharedMemory, Trap> {
        check_atomic(address, size, self.len())?;
        self.as_shared().map(|memory| &**memory).ok_or(Trap::AtomicWaitNonSharedMemory)
    }
}

/// The bytes of a new memory of `ty`: `image` at its place, and zeros elsewhere.
///
/// # Errors
///
/// If the type asks for more than the engine allows, or memory is short.
pub(super) fn linear_memory(
    engine: &EngineShared,
    ty: &MemoryType,
    image: Option<&Arc<MemoryImage>>,
) -> Result<LinearMemory> {
    let limit = engine.settings.memory_limit;
    let bytes = |pages: u64| pages.saturating_mul(1 << ty.page_size_log2);
    let min = bytes(ty.limits.min);
    if min > limit {
        anyhow::bail!("a memory of {min} bytes exceeds the limit of {limit} bytes");
    }
    let most = LinearMemory::most_bytes(ty.is_64);
    let max = bytes(ty.limits.max.unwrap_or(u64::MAX)).min(limit).min(most as u64);
    let bounds = Bounds::of(ty, engine.code.tunables.reserve_memories);
    LinearMemory::new(&engine.pool, bounds, min as usize, max as usize, image)
}

/// The length of a memory of `ty` and `old` bytes that grows by `delta` pages; `None` if it may not.
pub(super) fn grown(ty: &MemoryType, old: usize, delta: u64, limit: u64) -> Option<usize> {
    let pages = (old as u64 >> ty.page_size_log2).checked_add(delta)?;
    let bytes = pages.checked_mul(1 << ty.page_size_log2)?;
    if pages > ty.limits.max.unwrap_or(u64::MAX) || bytes > limit {
        return None;
    }
    usize::try_from(bytes).ok()
}

/// Writes what compiled code reads.
fn define(def: &mut DefSlot, memory: &LinearMemory) {
    def.store_base_and_len(memory.base().as_ptr().expose_provenance(), memory.len());
}
