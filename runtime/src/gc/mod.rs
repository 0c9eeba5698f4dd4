//! The GC heap of one store: objects, roots held by Rust, payloads of host objects. Knows neither
//! the store's data, nor compiled code, nor where Wasm keeps its references.
//!
//! | file | owns |
//! |---|---|
//! | `space.rs` | the memory |
//! | `object.rs` | references and headers |
//! | `trace.rs` | what an object consists of |
//! | `collector.rs` | one collection |
//! | `roots.rs` | references held by Rust |
//! | `externs.rs` | the host table, outside the heap |
//! | `exceptions.rs` | exceptions and their payloads |
//! | `payload.rs` | one host value, type erased |
//! | `borrow.rs` | who borrows it |
//! | `object_kind.rs` | what a derived type says of its objects |
//! | `check.rs` | the heap checker |
//!
//! # When objects move
//!
//! Only in [`GcStore::collect`], which takes `&mut`. A [`GcRef`] is therefore good until then, and
//! who must not see it change holds a shared borrow of the store.
//!
//! # When payloads are dropped
//!
//! Never inside this module, where a destructor would run in the middle of a collection: `collect`
//! puts them aside, and the layer above pops them with [`GcStore::take_dead`].

#[allow(unsafe_code, reason = "borrows of host values that are no Rust references")]
mod borrow;
mod check;
mod collector;
mod exceptions;
#[allow(unsafe_code, reason = "compares type tags for typed access")]
mod externs;
pub(crate) mod object;
mod object_kind;
#[allow(unsafe_code, reason = "host values with their type erased")]
mod payload;
pub(crate) mod roots;
#[allow(unsafe_code, reason = "heap words as raw memory")]
mod space;
#[cfg(test)]
#[allow(unsafe_code, reason = "the model borrows as a caller that keeps the order")]
mod tests;
mod trace;

use std::any::Any;

use crate::abi::object::EXTERN_SIZE;
use crate::error::Result;
use check::check_heap;
use collector::Collection;
use externs::HostTable;
use roots::{RootSet, StoreId};
use space::Space;

pub use borrow::BorrowSite;
pub(crate) use borrow::{
    BorrowError, Borrowed, BorrowedAny, BorrowedMut, Detached, DetachedMut, Located, LocatedAny,
};
pub(crate) use collector::VisitRoots;
pub(crate) use externs::HostRefError;
pub(crate) use object::{GcRef, RowId};
pub use object_kind::{Cast, CastFn, ObjectKind};
pub(crate) use payload::{HostData, Payload, Properties};
pub(crate) use roots::RootIndex;
pub(crate) use roots::{Liveness, Scope};

/// What a store says about its heap when it is made.
#[derive(Clone, Debug)]
pub(crate) struct GcConfig {
    /// The most bytes that objects may occupy; what the reservation can hold is an upper bound.
    pub(crate) heap_limit: usize,
    /// The most bytes that payloads may own; `None` for no limit.
    pub(crate) host_memory_limit: Option<usize>,
    /// Collect at every safepoint, and check the heap each time.
    pub(crate) stress: bool,
}

impl Default for GcConfig {
    fn default() -> GcConfig {
        GcConfig { heap_limit: usize::MAX, host_memory_limit: None, stress: false }
    }
}

/// What a heap holds and has done.
#[cfg(test)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct GcStats {
    /// Collections so far.
    pub(crate) collections: u64,
    /// Bytes of objects, including those that died since the latest collection.
    pub(crate) heap_bytes: usize,
    /// Bytes of memory that stand ready for objects.
    pub(crate) heap_committed: usize,
    /// Payloads whose object has not been found dead.
    pub(crate) host_objects: usize,
    /// Payloads to be dropped.
    pub(crate) host_objects_dead: usize,
    /// Bytes that payloads own, dead ones included.
    pub(crate) host_bytes: usize,
    /// Roots in scopes.
    pub(crate) scoped_roots: usize,
    /// Roots of manually rooted handles.
    pub(crate) owned_roots: usize,
}

/// No collection is worth its time below this many bytes.
const BUDGET_MIN: usize = 128 << 10;

/// The heap, the roots and the host objects of one store. Makes its memory at the first object.
#[derive(Debug)]
pub(crate) struct GcStore {
    space: Space,
    hosts: HostTable,
    roots: RootSet,
    config: GcConfig,
    /// Bytes allocated since the latest collection, in the heap and by payloads.
    spent: usize,
    /// How much may be spent before a collection is due.
    budget: usize,
    collections: u64,
}

impl GcStore {
    /// An empty heap with a store id of its own. Maps and allocates nothing.
    pub(crate) fn new(config: GcConfig) -> GcStore {
        let mut store = GcStore {
            space: Space::new(config.heap_limit),
            hosts: HostTable::default(),
            roots: RootSet::new(StoreId::allocate()),
            config,
            spent: 0,
            budget: 0,
            collections: 0,
        };
        store.renew_budget(0);
        store
    }

    /// The identity of the store.
    #[inline]
    pub(crate) fn id(&self) -> StoreId {
        self.roots.store()
    }

    /// What references are relative to: null until the heap is reserved, then the same for ever.
    #[inline]
    pub(crate) fn base(&self) -> *mut u8 {
        self.space.base()
    }

    /// What the heap holds and has done.
    #[cfg(test)]
    pub(crate) fn stats(&self) -> GcStats {
        let (scoped_roots, owned_roots) = self.roots.len();
        GcStats {
            collections: self.collections,
            heap_bytes: self.space.used() as usize,
            heap_committed: self.space.committed() as usize,
            host_objects: self.hosts.live(),
            host_objects_dead: self.hosts.dead(),
            host_bytes: self.hosts.bytes(),
            scoped_roots,
            owned_roots,
        }
    }
}

/// Allocating and collecting.
impl GcStore {
    /// Makes a host object for `payload`. Never collects: when a limit is reached, the payload
    /// comes back, and a collection is due.
    #[inline]
    pub(crate) fn alloc_host(&mut self, payload: Payload) -> Result<GcRef, Payload> {
        let bytes = payload.bytes();
        let Some(at) = self.alloc_host_words(bytes) else {
            self.spent = self.spent.max(self.budget);
            return Err(payload);
        };
        self.spent = self.spent.saturating_add(bytes).saturating_add(EXTERN_SIZE as usize);
        let row = self.hosts.insert(payload);
        object::write_host(&mut self.space, at, row);
        Ok(GcRef::from_raw(at).expect("the first 64 KiB of the heap hold no objects"))
    }

    #[inline]
    fn alloc_host_words(&mut self, bytes: usize) -> Option<u32> {
        if let Some(limit) = self.config.host_memory_limit
            && self.hosts.bytes().saturating_add(bytes) > limit
        {
            return None;
        }
        self.space.alloc(EXTERN_SIZE)
    }

    /// Whether the next safepoint should collect.
    #[inline]
    pub(crate) fn should_collect(&self) -> bool {
        self.spent >= self.budget || (self.config.stress && self.space.used() > 0)
    }

    /// Moves all objects that roots lead to and forgets the others. `visit_roots` shows every
    /// place outside of this module that holds a reference, each once; roots held by Rust handles
    /// are known here.
    ///
    /// The payloads of forgotten host objects wait in [`GcStore::take_dead`].
    pub(crate) fn collect(&mut self, visit_roots: &mut VisitRoots<'_>) {
        let GcStore { space, hosts, roots, .. } = self;
        let mut visited = 0;
        roots.trim();
        Collection::run(space, hosts, &mut |visit| {
            let visit = &mut |slot: &mut u32| {
                visited += 1;
                visit(slot);
            };
            roots.visit(visit);
            visit_roots(visit);
        });
        self.collections += 1;
        self.renew_budget(visited);
        if self.config.stress || cfg!(test) {
            check_heap(&self.space, &self.hosts, &mut self.roots);
        }
    }

    /// As much as a collection has to look at, so that collecting costs a constant factor; less near
    /// a limit, so that a collection comes before the limit does. `roots` is how many places hold
    /// references.
    fn renew_budget(&mut self, roots: usize) {
        let (heap, host) = (self.space.used() as usize, self.hosts.live_bytes());
        let heap_left = (self.space.limit() as usize).saturating_sub(heap);
        let host_limit = self.config.host_memory_limit.unwrap_or(usize::MAX);
        let host_left = host_limit.saturating_sub(host);
        let looked_at = (roots + self.hosts.rows()).saturating_mul(EXTERN_SIZE as usize);
        let wanted = heap.saturating_add(host).max(looked_at).max(BUDGET_MIN);
        self.budget = wanted.min(heap_left / 2).min(host_left / 2).max(1);
        self.spent = 0;
    }

    /// A payload whose object is gone. Dropping it runs the embedder's code: do so outside of all
    /// borrows, one at a time, and leave the rest here if that code panics.
    pub(crate) fn take_dead(&mut self) -> Option<Payload> {
        self.hosts.take_dead()
    }

    /// Any payload, its object alive or not. For the end of the store, after which no reference is
    /// used.
    pub(crate) fn take_any(&mut self) -> Option<Payload> {
        self.hosts.take_any()
    }
}

/// Roots held by Rust.
impl GcStore {
    /// Begins a scope of [`GcStore::root`].
    #[inline]
    pub(crate) fn enter_scope(&self) -> Scope {
        self.roots.enter_scope()
    }

    /// Ends a scope: what was rooted since it began is not rooted any more. A scope of another
    /// store changes nothing.
    #[inline]
    pub(crate) fn exit_scope(&mut self, scope: Scope) {
        self.roots.exit_scope(scope);
    }

    /// Makes room for `additional` roots in the current scope.
    pub(crate) fn reserve_roots(&mut self, additional: usize) {
        self.roots.reserve(additional);
    }

    /// Roots `reference` until the current scope ends.
    #[inline]
    pub(crate) fn root(&mut self, reference: GcRef) -> RootIndex {
        self.roots.push(reference)
    }

    /// Roots `reference` until [`GcStore::disown`], or until the token is dropped without it.
    pub(crate) fn own(&mut self, reference: GcRef) -> (RootIndex, Liveness) {
        self.roots.own(reference)
    }

    /// Gives an owned root back.
    pub(crate) fn disown(&mut self, index: RootIndex, liveness: Liveness) {
        self.roots.disown(index, liveness);
    }

    /// What a root of this store refers to; `None` when it has ended.
    ///
    /// # Panics
    ///
    /// Panics when `index` belongs to another store.
    #[inline]
    pub(crate) fn rooted(&self, index: RootIndex) -> Option<GcRef> {
        self.roots.get(index)
    }
}

/// Host objects.
impl GcStore {
    /// The row of a host object, given the bits of a reference that a guest passed.
    #[inline]
    pub(crate) fn host_row(&self, raw: u32) -> Result<RowId, HostRefError> {
        let reference = GcRef::from_raw(raw).ok_or(HostRefError::Null)?;
        let at = reference.offset().ok_or(HostRefError::NotHostObject)?;
        object::host_row(&self.space, at).ok_or(HostRefError::NotHostObject)
    }

    /// The value of a host object of type `T`, to be borrowed, given the bits of a reference that a
    /// guest passed. The guard also keeps the value from being dropped.
    #[inline]
    pub(crate) fn locate<T: Any>(&self, raw: u32) -> Result<Located<T>, HostRefError> {
        self.hosts.locate(self.host_row(raw)?)
    }

    /// The value of a host object, to be borrowed without naming its type.
    pub(crate) fn locate_any(&self, raw: u32) -> Result<LocatedAny, HostRefError> {
        Ok(self.hosts.payload(self.host_row(raw)?).located())
    }

    /// How a host object is seen as a `D`, for `&D` and the like.
    pub(crate) fn host_cast<D: ?Sized + 'static>(
        &self,
        reference: GcRef,
    ) -> Result<CastFn<D>, HostRefError> {
        let payload = self.hosts.payload(self.host_row(reference.to_raw())?);
        let kind = payload.kind();
        kind.and_then(ObjectKind::cast).ok_or_else(|| HostRefError::NoCast {
            found: payload.type_name(),
            plain: kind.is_none(),
        })
    }

    /// The value of a host object.
    pub(crate) fn host_data(&self, reference: GcRef) -> Result<&HostData, HostRefError> {
        self.hosts.any(self.host_row(reference.to_raw())?)
    }

    /// The value of a host object, for writing.
    pub(crate) fn host_data_mut(
        &mut self,
        reference: GcRef,
    ) -> Result<&mut HostData, HostRefError> {
        self.hosts.any_mut(self.host_row(reference.to_raw())?)
    }

    /// The value of a host object of type `T`.
    #[inline]
    pub(crate) fn host_value<T: Any>(&self, reference: GcRef) -> Result<&T, HostRefError> {
        self.hosts.value(self.host_row(reference.to_raw())?)
    }

    /// The value of a host object of type `T`, for writing.
    pub(crate) fn host_value_mut<T: Any>(
        &mut self,
        reference: GcRef,
    ) -> Result<&mut T, HostRefError> {
        self.hosts.value_mut(self.host_row(reference.to_raw())?)
    }

    /// The name of a host object's type.
    pub(crate) fn host_type_name(&self, reference: GcRef) -> Result<&'static str, HostRefError> {
        Ok(self.hosts.payload(self.host_row(reference.to_raw())?).type_name())
    }

    /// A number that no collection changes: what a hash may depend on. It tells live references
    /// apart, but for exceptions of one tag.
    pub(crate) fn identity(&self, reference: GcRef) -> u64 {
        match self.host_row(reference.to_raw()) {
            Ok(row) => u64::from(row.0) << 32,
            Err(_) if reference.is_i31() => u64::from(reference.to_raw()),
            Err(_) => u64::MAX - u64::from(self.exception_tag(reference)),
        }
    }

    /// Whether a reference is one to a host object of type `T`.
    #[inline]
    pub(crate) fn check_host<T: Any>(&self, reference: GcRef) -> Result<(), HostRefError> {
        self.hosts.check::<T>(self.host_row(reference.to_raw())?)
    }
}
