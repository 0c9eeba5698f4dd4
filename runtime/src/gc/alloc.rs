//! Making objects: where they go, and that the heap has room for them. Never collects.
//!
//! Invariant: behind the old objects there is accessible memory for all that the nursery may hold,
//! and old, large and young objects together fit the limit. So a minor collection never fails.

use super::GcStore;
use super::large::LargeObjects;
use super::object::{self, GcRef, is_young};
use super::payload::Payload;
use super::space::{COMMIT_UNIT, HEAP_END};
use crate::abi::exception::ExnLayout;
use crate::abi::object::{EXTERN_SIZE, HEADER_TYPE, LARGE_OBJECT, OBJECT_ALIGN, YOUNG_END};
use crate::error::Result;
use crate::vm::context::VmHeap;

/// The limit of a heap that is asked to have at most `bytes`.
pub(super) fn limit(bytes: usize) -> u32 {
    let most = HEAP_END - YOUNG_END;
    let limit = u32::try_from(bytes).unwrap_or(most).min(most);
    limit - limit % OBJECT_ALIGN
}

/// How a heap would grow: from how many bytes to how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WantedGrowth {
    pub(crate) current: u32,
    /// Enough that collections stay rare; no less than `least`.
    pub(crate) well: u32,
    /// Enough for the next object.
    pub(crate) least: u32,
    /// The most that it may have.
    pub(crate) maximum: u32,
}

/// The limit of a heap that grows with permission.
impl GcStore {
    /// Limits the heap to about what is in use, until it grows.
    pub(crate) fn limit_to_use(&mut self, heap: &VmHeap) {
        let used = self.used(heap);
        let limit = used.checked_next_multiple_of(COMMIT_UNIT).unwrap_or(u32::MAX);
        self.limit = limit.min(self.ceiling);
        if !heap.base.get().is_null() {
            self.fit_nursery(heap);
        }
    }

    /// Whether the heap has not grown as far as it may.
    #[inline]
    pub(crate) fn may_grow(&self) -> bool {
        self.limit < self.ceiling
    }

    /// What would make room for an object of `size` bytes; `None` if there is room, or would not be in
    /// any case.
    pub(crate) fn wanted_growth(&self, heap: &VmHeap, size: u32) -> Option<WantedGrowth> {
        let size = match size > LARGE_OBJECT {
            true => LargeObjects::footprint(size)?,
            false => size,
        };
        let used = self.used(heap);
        let limit = |bytes: u32| {
            let limit = used.checked_add(bytes)?.checked_next_multiple_of(COMMIT_UNIT);
            Some(limit.unwrap_or(u32::MAX).min(self.ceiling))
        };
        let least = limit(size)?;
        if least <= self.limit || least - used < size {
            return None;
        }
        let well = limit(size.max(self.nursery.size()).max(used / 2)).unwrap_or(self.ceiling);
        Some(WantedGrowth { current: self.limit, well, least, maximum: self.ceiling })
    }

    /// Sets the limit, which is one of [`GcStore::wanted_growth`], and returns whether memory is
    /// ready for what the nursery may hold then.
    pub(crate) fn grow_to(&mut self, heap: &VmHeap, limit: u32) -> bool {
        self.limit = limit;
        self.pacer.relieve();
        self.reserve(heap).is_ok() && self.fit_nursery(heap)
    }

    /// Makes a full collection due.
    pub(crate) fn starve(&mut self) {
        self.pacer.starve();
    }
}

impl GcStore {
    /// Makes a host object for `payload`. When a limit is reached, the payload comes back, and a full
    /// collection is due.
    #[inline]
    pub(crate) fn alloc_host(&mut self, heap: &VmHeap, payload: Payload) -> Result<GcRef, Payload> {
        let bytes = payload.bytes();
        if self.pacer.exceeds_host_limit(self.hosts.bytes().saturating_add(bytes)) {
            self.pacer.starve();
            return Err(payload);
        }
        let Some(at) = self.alloc(heap, EXTERN_SIZE) else { return Err(payload) };
        self.pacer.spend(bytes.saturating_add(EXTERN_SIZE as usize));
        let row = self.hosts.insert(payload, is_young(at));
        object::write_host(&mut self.space, at, row);
        Ok(GcRef::from_raw(at).expect("the first 64 KiB of the heap hold no objects"))
    }

    /// Makes an exception of the tag at position `tag`, with a payload of zeros; `None` when the heap
    /// is full, and then a full collection is due.
    pub(crate) fn alloc_exception(
        &mut self,
        heap: &VmHeap,
        tag: u32,
        layout: &ExnLayout,
    ) -> Option<GcRef> {
        let at = self.alloc(heap, layout.size)?;
        object::write_exception(&mut self.space, at, tag, layout);
        GcRef::from_raw(at)
    }

    /// Room for `size` bytes in the nursery, not cleared.
    pub(super) fn alloc_young(&mut self, heap: &VmHeap, size: u32) -> Option<u32> {
        assert!(size <= LARGE_OBJECT, "who allocates young objects has compared their size");
        self.reserve(heap).ok()?;
        self.nursery.alloc(heap, size)
    }

    /// Room for `size` bytes, not cleared, in the nursery if possible.
    #[inline]
    pub(super) fn alloc(&mut self, heap: &VmHeap, size: u32) -> Option<u32> {
        match self.nursery.alloc(heap, size) {
            Some(at) => Some(at),
            None => self.alloc_slowly(heap, size),
        }
    }

    #[cold]
    #[inline(never)]
    fn alloc_slowly(&mut self, heap: &VmHeap, size: u32) -> Option<u32> {
        let at = match self.reserve(heap).ok().and_then(|()| self.nursery.alloc(heap, size)) {
            Some(at) => Some(at),
            None => self.alloc_old(heap, size),
        };
        if at.is_none() && !self.may_grow() {
            self.pacer.starve();
        }
        at
    }

    /// Room among the old objects. Whoever makes an object there has its references logged.
    fn alloc_old(&mut self, heap: &VmHeap, size: u32) -> Option<u32> {
        self.pacer.nursery_is_full();
        if size > self.room(heap) {
            return None;
        }
        let at = self.old.top();
        let young = self.nursery.used(heap);
        let end = at.checked_add(size)?.checked_add(young)?;
        if end > self.large.start() || !self.space.commit_old(end) {
            return None;
        }
        self.old.set_top(at + size);
        self.fit_nursery(heap);
        Some(at)
    }

    /// An object of type `ty` and `size` bytes, more than [`LARGE_OBJECT`], all zeros but for the type. It is
    /// old from the beginning: who writes references to it has them logged. `None` when there is no
    /// room for it.
    pub(super) fn alloc_large(&mut self, heap: &VmHeap, ty: u32, size: u32) -> Option<u32> {
        self.reserve(heap).ok()?;
        if LargeObjects::footprint(size)? > self.room(heap) {
            return None;
        }
        let reserved = self.old.top() + self.nursery.used(heap);
        let at = self.large.alloc(&mut self.space, size, reserved)?;
        self.space.write(at + HEADER_TYPE, [ty]);
        self.fit_nursery(heap);
        Some(at)
    }

    /// Makes the memory of the heap, if that has not been done, and tells compiled code.
    ///
    /// # Errors
    ///
    /// If the address space is used up.
    #[inline]
    pub(crate) fn reserve(&mut self, heap: &VmHeap) -> Result<()> {
        if heap.base.get().is_null() {
            self.space.reserve(self.nursery.size())?;
            heap.base.set(self.space.base());
            self.pacer.heap_is_made();
            self.nursery.clear(heap);
            self.fit_nursery(heap);
        }
        Ok(())
    }

    /// Bytes that further objects may occupy, beyond those that are there.
    pub(super) fn room(&self, heap: &VmHeap) -> u32 {
        self.limit.saturating_sub(self.used(heap))
    }

    /// Bytes that objects occupy.
    fn used(&self, heap: &VmHeap) -> u32 {
        self.old.used() + self.large.used() + self.nursery.used(heap)
    }

    /// Gives the nursery as many bytes as the invariant of this module allows; returns whether memory
    /// for all of them was there.
    pub(super) fn fit_nursery(&mut self, heap: &VmHeap) -> bool {
        let top = self.old.top();
        let most = self.nursery.used(heap).saturating_add(self.room(heap));
        let most = most.min(self.nursery.size()).min(self.large.start() - top);
        let committed = self.space.commit_old(top + most);
        let most = if committed { most } else { self.space.old_end() - top };
        self.nursery.fit(heap, most);
        committed
    }
}
