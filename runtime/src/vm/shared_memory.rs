//! The bytes of one linear memory that any number of threads use at once, with the definition that
//! compiled code of all of them reads. Knows nothing of waiting.
//!
//! Invariant: the base never changes; the length never shrinks, and is written after the bytes up to
//! it became accessible. Nobody makes a Rust reference to the bytes but as `UnsafeCell`s: compiled
//! code and other threads write them at any time.

use std::cell::UnsafeCell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::context::VmMemory;
use super::memory::LinearMemory;

/// A linear memory that is shared between threads.
pub(crate) struct SharedLinearMemory {
    /// In a box of its own, because compiled code knows the address.
    definition: Box<VmMemory>,
    /// Locked to grow.
    memory: Mutex<LinearMemory>,
}

// SAFETY: the pointer in the definition is to bytes that `memory` owns. The length is atomic, and the
// bytes are handed out as raw pointers, atomics and cells only.
unsafe impl Send for SharedLinearMemory {}
// SAFETY: as above.
unsafe impl Sync for SharedLinearMemory {}

impl SharedLinearMemory {
    /// Lets threads share `memory`.
    pub(crate) fn new(memory: LinearMemory) -> SharedLinearMemory {
        let definition =
            VmMemory { base: memory.base().as_ptr(), len: AtomicUsize::new(memory.len()) };
        SharedLinearMemory { definition: Box::new(definition), memory: Mutex::new(memory) }
    }

    /// The address of the definition.
    pub(crate) fn address(&self) -> usize {
        std::ptr::from_ref(&*self.definition).expose_provenance()
    }

    /// The address of byte 0.
    pub(crate) fn base(&self) -> NonNull<u8> {
        NonNull::new(self.definition.base).expect("the base of a reservation is not null")
    }

    /// The length in bytes: at least so many are accessible from now on.
    pub(crate) fn len(&self) -> usize {
        self.definition.len.load(Ordering::SeqCst)
    }

    /// Makes the memory as long as `new_len` says of the present length, which is returned. `None` if
    /// `new_len` says so or memory is short; the memory is then as before.
    ///
    /// # Panics
    ///
    /// As [`LinearMemory::grow`].
    pub(crate) fn grow(&self, new_len: impl FnOnce(usize) -> Option<usize>) -> Option<usize> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let old = memory.len();
        memory.grow(new_len(old)?).ok()?;
        self.definition.len.store(memory.len(), Ordering::SeqCst);
        Some(old)
    }

    /// The bytes.
    pub(crate) fn data(&self) -> &[UnsafeCell<u8>] {
        let len = self.len();
        // SAFETY: `len` bytes are accessible and stay so while `self` lives. Cells promise nothing
        // about who writes them, and nobody has another kind of reference to them.
        unsafe { std::slice::from_raw_parts(self.base().as_ptr().cast(), len) }
    }

    /// The number at `at`, loaded atomically.
    ///
    /// # Panics
    ///
    /// If `at` is not aligned, or the number not in the memory.
    pub(crate) fn load_u32(&self, at: usize) -> u32 {
        let pointer = self.pointer::<u32>(at);
        // SAFETY: `pointer` checked alignment and bounds; whoever else uses the bytes while this
        // thread loads them is a guest, whose accesses are machine code and race as the processor
        // says, or an embedder who answers for it.
        u32::from_le(unsafe { AtomicU32::from_ptr(pointer) }.load(Ordering::SeqCst))
    }

    /// As [`load_u32`](SharedLinearMemory::load_u32).
    pub(crate) fn load_u64(&self, at: usize) -> u64 {
        let pointer = self.pointer::<u64>(at);
        // SAFETY: as for `load_u32`.
        u64::from_le(unsafe { AtomicU64::from_ptr(pointer) }.load(Ordering::SeqCst))
    }

    fn pointer<V>(&self, at: usize) -> *mut V {
        let end = at.checked_add(size_of::<V>());
        assert!(end.is_some_and(|end| end <= self.len()), "atomic load inside the memory");
        assert!(at.is_multiple_of(size_of::<V>()), "atomic load at an aligned address");
        self.base().as_ptr().wrapping_add(at).cast()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::abi::layout::memory::Bounds;

    const PAGE: usize = 64 << 10;

    fn memory(max: usize) -> SharedLinearMemory {
        let memory = LinearMemory::new(&Arc::default(), Bounds::Pages, PAGE, max * PAGE, None);
        SharedLinearMemory::new(memory.unwrap())
    }

    #[test]
    fn threads_grow_one_memory_page_by_page() {
        let memory = memory(33);
        let base = memory.base();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..8 {
                        let old = memory.grow(|old| Some(old + PAGE)).unwrap();
                        // What was published is accessible.
                        assert_eq!(memory.load_u64(old + PAGE - 8), 0);
                        assert!(memory.data().len() >= old + PAGE);
                    }
                });
            }
        });
        assert_eq!((memory.len(), memory.base()), (33 * PAGE, base));
        assert_eq!(memory.grow(|old| Some(old + PAGE)), None);
        assert_eq!(memory.grow(|_| None), None);
        assert_eq!(memory.len(), 33 * PAGE);
    }

    #[test]
    fn numbers_are_little_endian() {
        let memory = memory(1);
        for (cell, byte) in memory.data().iter().zip(1..=8) {
            // SAFETY: no other thread knows this memory.
            unsafe { *cell.get() = byte };
        }
        assert_eq!(memory.load_u32(4), 0x0807_0605);
        assert_eq!(memory.load_u64(0), 0x0807_0605_0403_0201);
    }

    #[test]
    #[should_panic(expected = "aligned address")]
    fn an_unaligned_load_is_refused() {
        memory(1).load_u32(2);
    }

    #[test]
    #[should_panic(expected = "inside the memory")]
    fn a_load_outside_is_refused() {
        memory(1).load_u64(PAGE);
    }
}
