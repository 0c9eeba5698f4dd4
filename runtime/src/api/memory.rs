//! `Memory`: a handle to a linear memory.

use anyhow::{Context as _, bail, ensure};

use super::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use super::types::MemoryType;
use crate::error::Result;
use crate::gc::roots::StoreId;
use crate::instance::definition::DefSlot;
use crate::instance::memory::Memory as Definition;
use crate::instance::store::StoreInner;

/// A linear memory of a store. Those that threads share are a
/// [`SharedMemory`](crate::SharedMemory).
///
/// ```
/// use hostref::{Engine, Memory, MemoryType, Result, Store};
///
/// # fn main() -> Result<()> {
/// let mut store = Store::new(&Engine::default(), ());
/// let memory = Memory::new(&mut store, MemoryType::new(1, Some(2)))?;
/// memory.write(&mut store, 8, b"hello")?;
/// assert_eq!(&memory.data(&store)[8..13], b"hello");
/// assert_eq!(memory.grow(&mut store, 1)?, 1);
/// assert_eq!(memory.size(&store), 2);
/// # Ok(())
/// # }
/// ```
///
/// Methods panic if the memory belongs to another store, except those that return a `Result`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Memory {
    store: StoreId,
    index: usize,
}

/// An access outside a linear memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryAccessError;

impl std::fmt::Display for MemoryAccessError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("out of bounds memory access")
    }
}

impl std::error::Error for MemoryAccessError {}

impl Memory {
    /// A new memory, zeroed.
    ///
    /// # Errors
    ///
    /// If the type is not a valid one or that of a shared memory, exceeds the configured limit, or no
    /// memory is left; if the store's [limiter](crate::Store::limiter) refuses.
    pub fn new(mut store: impl AsContextMut, ty: MemoryType) -> Result<Memory> {
        ensure!(!ty.is_shared(), "a memory of type {ty} is made by `SharedMemory::new`");
        let mut store = store.as_context_mut();
        let inner = store.inner_mut();
        let ty = ty.to_wasm()?;
        inner.permit_memory(&ty)?;
        let index = inner.add_memory(ty, DefSlot::boxed(), None)?;
        Ok(Memory::from_position(inner, index))
    }

    /// The memory's type.
    pub fn ty(&self, store: impl AsContext) -> MemoryType {
        MemoryType::from_wasm(self.definition(store.as_context().inner()).ty)
    }

    /// The current size in pages.
    pub fn size(&self, store: impl AsContext) -> u64 {
        self.definition(store.as_context().inner()).pages()
    }

    /// The size of a page in bytes: 64 KiB, but for memories that say otherwise.
    pub fn page_size(&self, store: impl AsContext) -> u64 {
        1 << self.definition(store.as_context().inner()).ty.page_size_log2
    }

    /// The binary logarithm of [`page_size`](Memory::page_size).
    pub fn page_size_log2(&self, store: impl AsContext) -> u8 {
        self.definition(store.as_context().inner()).ty.page_size_log2
    }

    /// The current size in bytes.
    pub fn data_size(&self, store: impl AsContext) -> usize {
        self.definition(store.as_context().inner()).len()
    }

    /// The content.
    pub fn data<'a, T: 'static>(&self, store: impl Into<StoreContext<'a, T>>) -> &'a [u8] {
        self.definition(store.into().inner()).data()
    }

    /// The content, for writing.
    pub fn data_mut<'a, T: 'static>(
        &self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> &'a mut [u8] {
        self.definition_mut(store.into().into_inner()).data_mut()
    }

    /// The content and the embedder's data at once.
    pub fn data_and_store_mut<'a, T: 'static>(
        &self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> (&'a mut [u8], &'a mut T) {
        let shell = store.into().0;
        (self.definition_mut(&mut shell.inner).data_mut(), &mut shell.data)
    }

    /// The address of the first byte, which never changes. What is behind it belongs to the store.
    pub fn data_ptr(&self, store: impl AsContext) -> *mut u8 {
        self.definition(store.as_context().inner()).base().as_ptr()
    }

    /// Copies from `offset` on into `buffer`.
    ///
    /// # Errors
    ///
    /// If the range is not inside the memory; then nothing is copied.
    pub fn read(
        &self,
        store: impl AsContext,
        offset: usize,
        buffer: &mut [u8],
    ) -> Result<(), MemoryAccessError> {
        let data = self.definition(store.as_context().inner()).data();
        let range = offset..offset.checked_add(buffer.len()).ok_or(MemoryAccessError)?;
        buffer.copy_from_slice(data.get(range).ok_or(MemoryAccessError)?);
        Ok(())
    }

    /// Copies `buffer` to `offset`.
    ///
    /// # Errors
    ///
    /// If the range is not inside the memory; then nothing is copied.
    pub fn write(
        &self,
        mut store: impl AsContextMut,
        offset: usize,
        buffer: &[u8],
    ) -> Result<(), MemoryAccessError> {
        let data = self.definition_mut(store.as_context_mut().into_inner()).data_mut();
        let range = offset..offset.checked_add(buffer.len()).ok_or(MemoryAccessError)?;
        data.get_mut(range).ok_or(MemoryAccessError)?.copy_from_slice(buffer);
        Ok(())
    }

    /// Grows by `delta` pages and returns the size before.
    ///
    /// # Errors
    ///
    /// If the memory's maximum, the configured limit or the store's [limiter](crate::Store::limiter)
    /// does not allow it; or if the memory belongs to another store.
    pub fn grow(&self, mut store: impl AsContextMut, delta: u64) -> Result<u64> {
        let inner = store.as_context_mut().into_inner();
        let position = self.position(inner).context("the memory belongs to another store")?;
        match inner.grow_memory(position, delta)? {
            Some(old) => Ok(old),
            None => bail!("failed to grow the memory by {delta} pages: over its maximum or limit"),
        }
    }

    pub(crate) fn from_position(store: &StoreInner, index: usize) -> Memory {
        Memory { store: store.id(), index }
    }

    /// The position in the store, if the memory belongs to it.
    #[inline]
    pub(crate) fn position(&self, store: &StoreInner) -> Option<usize> {
        (self.store == store.id()).then_some(self.index)
    }

    #[inline]
    fn definition<'a>(&self, store: &'a StoreInner) -> &'a Definition {
        &store.memories[self.position(store).expect("the memory belongs to this store")]
    }

    #[inline]
    fn definition_mut<'a>(&self, store: &'a mut StoreInner) -> &'a mut Definition {
        let position = self.position(store).expect("the memory belongs to this store");
        &mut store.memories[position]
    }
}
