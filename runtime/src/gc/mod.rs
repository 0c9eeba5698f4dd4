//! The GC heap of one store: objects, roots held by Rust, payloads of host objects. Knows neither
//! the store's data, nor compiled code, nor where Wasm keeps its references.
//!
//! | file | owns |
//! |---|---|
//! | `space.rs` | the memory |
//! | `nursery.rs`, `old.rs`, `large.rs` | young objects, old ones, and those that never move |
//! | `object.rs` | references and headers |
//! | `trace.rs` | what an object consists of |
//! | `alloc.rs` | making objects: where they go, and that there is room |
//! | `store_buffer.rs`, `written.rs` | which old places may lead to young objects: objects and segments, globals and tables |
//! | `minor.rs` | minor collections |
//! | `full.rs`, `mark_bits.rs` | full collections |
//! | `pacing.rs` | when to collect, and what |
//! | `collect.rs` | one collection from the beginning to the end |
//! | `roots.rs` | references held by Rust |
//! | `externs.rs` | the host table, outside the heap |
//! | `exceptions.rs` | exceptions and their payloads |
//! | `objects.rs` | structs and arrays |
//! | `payload.rs` | one host value, type erased |
//! | `blocks.rs` | the allocations of such values |
//! | `borrow.rs` | who borrows it |
//! | `object_kind.rs` | what a derived type says of its objects |
//! | `stats.rs` | what has been done |
//! | `check.rs` | the heap checker |
//!
//! # When objects move
//!
//! Only in [`GcStore::collect`], which takes `&mut`. A [`GcRef`] is therefore good until then, and
//! who must not see it change holds a shared borrow of the store.
//!
//! # When references are written
//!
//! A minor collection looks at no old object, table, global or segment, unless it was told. Whoever writes
//! a reference there sees to that if it is young:
//!
//! | who writes | what | how it is logged |
//! |---|---|---|
//! | compiled code | fields, elements of arrays | `compile/translate/gc/barrier.rs`, then [`GcStore::remember_slot`] |
//! | compiled code | elements of tables, globals | the same file, in the lists of `written.rs` |
//! | compiled code | what fresh objects begin with | not at all: they are young, and nothing collects before |
//! | compiled code | many elements of a young array at once | not at all: it is young |
//! | builtins, hosts, instantiation | elements of tables, globals | there too, by the definition's own methods |
//! | instantiation | passive element segments | [`GcStore::log_young`], by `StoreInner::set_segment` |
//! | builtins, constants, hosts | fields, exceptions' too, and elements | [`GcStore::write_reference`], `objects.rs` |
//!
//! Compiled code that writes to a table or a global looks at the mark or the link there, and never at the
//! reference.
//!
//! A segment that is dropped takes its slots back with [`GcStore::forget`].
//!
//! # When payloads are dropped
//!
//! Never inside this module, where a destructor would run in the middle of a collection: `collect`
//! puts them aside, and the layer above pops them with [`GcStore::take_dead`].

mod alloc;
#[allow(unsafe_code, reason = "allocations without a type")]
mod blocks;
#[allow(unsafe_code, reason = "borrows of host values that are no Rust references")]
mod borrow;
mod check;
mod collect;
mod exceptions;
#[allow(unsafe_code, reason = "compares type tags for typed access")]
mod externs;
mod full;
mod large;
mod mark_bits;
mod minor;
mod nursery;
pub(crate) mod object;
mod object_kind;
mod objects;
mod old;
mod pacing;
#[allow(unsafe_code, reason = "host values with their type erased")]
mod payload;
pub(crate) mod roots;
#[allow(unsafe_code, reason = "heap words as raw memory")]
mod space;
mod stats;
#[allow(unsafe_code, reason = "slots by their addresses")]
mod store_buffer;
#[cfg(test)]
#[allow(unsafe_code, reason = "the model borrows as a caller that keeps the order")]
mod tests;
mod trace;
#[allow(unsafe_code, reason = "lists through definitions")]
mod written;

use std::any::Any;
use std::sync::Arc;

use crate::abi::shape::Shape;
use crate::error::Result;
use crate::vm::context::VmHeap;
use crate::vm::pool::ReservationPool;
use crate::vm::type_table::TypeTable;
use externs::HostTable;
use large::LargeObjects;
use nursery::Nursery;
use old::Old;
use pacing::{Pacer, Sizes};
use roots::{RootSet, StoreId};
use space::Space;
use store_buffer::StoreBuffer;

use blocks::Block;
pub use borrow::BorrowSite;
pub(crate) use borrow::{
    BorrowError, Borrowed, BorrowedAny, BorrowedMut, Detached, DetachedMut, Located, LocatedAny,
};
pub(crate) use collect::{Roots, VisitRoots, Why};
pub(crate) use externs::HostRefError;
pub(crate) use object::{GcRef, RowId};
pub use object_kind::{Cast, CastFn, ObjectKind};
pub(crate) use objects::{Elements, Referent};
pub(crate) use payload::{HostData, Payload, Properties};
pub(crate) use roots::RootIndex;
pub(crate) use roots::{Liveness, Scope};
pub use stats::GcStats;
pub(crate) use written::{global_written, table_written};

/// What a store says about its heap when it is made.
#[derive(Clone, Debug)]
pub(crate) struct GcConfig {
    /// The most bytes that objects may occupy; what the reservation can hold is an upper bound.
    pub(crate) heap_limit: usize,
    /// About how many bytes of objects are made between two minor collections.
    pub(crate) nursery_size: usize,
    /// The most bytes that payloads may own; `None` for no limit.
    pub(crate) host_memory_limit: Option<usize>,
    /// Collect at every safepoint, and check the heap each time.
    pub(crate) stress: bool,
}

impl Default for GcConfig {
    fn default() -> GcConfig {
        GcConfig {
            heap_limit: usize::MAX,
            nursery_size: 1 << 20,
            host_memory_limit: None,
            stress: false,
        }
    }
}

/// The heap, the roots and the host objects of one store. Makes its memory at the first object.
///
/// What compiled code must know of it lies in a [`VmHeap`], which is always the same one.
#[derive(Debug)]
pub(crate) struct GcStore {
    /// What the objects of each type consist of.
    types: TypeTable,
    space: Space,
    nursery: Nursery,
    old: Old,
    large: LargeObjects,
    buffer: StoreBuffer,
    hosts: HostTable,
    roots: RootSet,
    pacer: Pacer,
    /// What collections have done; `None` before the first.
    stats: Option<Box<GcStats>>,
    /// The most bytes that all objects may occupy now.
    limit: u32,
    /// The most that `limit` may become.
    ceiling: u32,
    stress: bool,
    /// How many objects may wait to be marked.
    mark_stack_limit: usize,
}

impl GcStore {
    /// An empty heap for objects of `types` with a store id of its own, whose memory will be of `pool`.
    /// Maps and allocates nothing.
    pub(crate) fn new(config: &GcConfig, types: TypeTable, pool: Arc<ReservationPool>) -> GcStore {
        let nursery = Nursery::new(config.nursery_size, config.stress);
        let limit = alloc::limit(config.heap_limit);
        let host = config.host_memory_limit.unwrap_or(usize::MAX);
        let limits = Sizes { heap: limit as usize, host };
        GcStore {
            types,
            space: Space::new(pool),
            pacer: Pacer::new(limits, nursery.size() as usize, config.stress),
            nursery,
            old: Old::default(),
            large: LargeObjects::default(),
            buffer: StoreBuffer::default(),
            hosts: HostTable::default(),
            roots: RootSet::new(StoreId::allocate()),
            stats: None,
            limit,
            ceiling: limit,
            stress: config.stress,
            mark_stack_limit: usize::MAX,
        }
    }

    /// The identity of the store.
    #[inline]
    pub(crate) fn id(&self) -> StoreId {
        self.roots.store()
    }

    /// What the heap holds and has done.
    pub(crate) fn stats(&self, heap: &VmHeap) -> GcStats {
        let (scoped_roots, owned_roots) = self.roots.len();
        let old = self.old.used() as usize + self.large.used() as usize;
        GcStats {
            heap_bytes: old + self.nursery.used(heap) as usize,
            committed_bytes: self.space.committed(),
            host_objects: self.hosts.live(),
            host_objects_dead: self.hosts.dead(),
            host_bytes: self.hosts.bytes(),
            scoped_roots,
            owned_roots,
            ..self.stats.as_deref().copied().unwrap_or_default()
        }
    }

    /// Whether the next safepoint should collect.
    #[inline]
    pub(crate) fn should_collect(&self) -> bool {
        self.pacer.is_due()
    }

    /// What everything but young objects occupies.
    fn sizes(&self) -> Sizes {
        let heap = self.old.used() as usize + self.large.used() as usize;
        Sizes { heap, host: self.hosts.live_bytes() }
    }

    /// A payload whose object is gone. Dropping it runs the embedder's code: do so outside of all
    /// borrows, one at a time, and leave the rest here if that code panics. [`GcStore::keep_block`]
    /// takes what [`Payload::drop_value`] leaves.
    pub(crate) fn take_dead(&mut self) -> Option<Payload> {
        self.hosts.take_dead()
    }

    /// Keeps the allocation of a payload that was dropped for another one.
    #[inline]
    pub(crate) fn keep_block(&mut self, block: Block) {
        self.hosts.blocks.keep(block);
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

    /// How many roots the scopes hold.
    #[inline]
    pub(crate) fn scoped_roots(&self) -> usize {
        self.roots.scoped()
    }

    /// Ends what was rooted in scopes since there were so many roots.
    #[inline]
    pub(crate) fn unroot_from(&mut self, scoped: usize) {
        self.roots.truncate(scoped);
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
    /// A payload for [`GcStore::alloc_host`].
    #[inline]
    pub(crate) fn payload<T: Any + Send + Sync>(
        &mut self,
        value: T,
        properties: Properties,
    ) -> Payload {
        Payload::new(value, properties, &mut self.hosts.blocks)
    }

    /// The row of a host object, given the bits of a reference that a guest passed.
    fn host_row(&self, raw: u32) -> Result<RowId, HostRefError> {
        self.find_row(raw).ok_or_else(|| self.no_row(raw))
    }

    /// As [`GcStore::host_row`], without the reason.
    #[inline]
    fn find_row(&self, raw: u32) -> Option<RowId> {
        object::host_row(&self.space, GcRef::from_raw(raw)?.offset()?)
    }

    /// Why a reference has no row.
    #[cold]
    fn no_row(&self, raw: u32) -> HostRefError {
        match GcRef::from_raw(raw) {
            Some(reference) => HostRefError::NotHostObject(self.describe(reference)),
            None => HostRefError::Null,
        }
    }

    /// Why [`GcStore::locate`] or [`GcStore::is_host`] refused: the reference does not lead to a value of
    /// the type. They do not say it themselves: a call that succeeds should not make room for the reasons
    /// of one that fails.
    #[cold]
    #[inline(never)]
    pub(crate) fn mismatch(&self, raw: u32) -> HostRefError {
        match self.host_row(raw) {
            Ok(row) => externs::wrong_type(self.hosts.payload(row)),
            Err(reason) => reason,
        }
    }

    /// What a reference that is not one to a host object leads to, for messages.
    #[cold]
    fn describe(&self, reference: GcRef) -> &'static str {
        match self.referent(reference) {
            Referent::I31 => "an i31",
            Referent::Host => "a host object",
            Referent::Exception => "an exception",
            Referent::Object(ty) => match self.types.shape(ty.0) {
                Shape::Array { .. } => "an array of a guest",
                _ => "a struct of a guest",
            },
        }
    }

    /// The value of a host object of type `T`, to be borrowed, given the bits of a reference that a
    /// guest passed. The guard also keeps the value from being dropped.
    #[inline]
    pub(crate) fn locate<T: Any>(&self, raw: u32) -> Option<Located<T>> {
        self.hosts.locate(self.find_row(raw)?)
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

    /// The value of a host object that may be read, given the bits of a reference.
    #[inline]
    pub(crate) fn host_data(&self, raw: u32) -> Option<&HostData> {
        self.hosts.any(self.find_row(raw)?)
    }

    /// [`GcStore::host_data`] once more, with the reason if it refuses: it need not any longer, since
    /// another thread may have ended a borrow. None begins while the store is lent to us.
    pub(crate) fn host_data_or_reason(&self, raw: u32) -> Result<&HostData, HostRefError> {
        let payload = self.hosts.payload(self.host_row(raw)?);
        payload.check_shared()?;
        Ok(payload.any().expect("no borrow begins while the store is lent"))
    }

    /// The same of [`GcStore::host_value`].
    pub(crate) fn host_value_or_reason<T: Any>(&self, raw: u32) -> Result<&T, HostRefError> {
        self.hosts.value_or_reason(self.host_row(raw)?)
    }

    /// The value of a host object, for writing.
    pub(crate) fn host_data_mut(
        &mut self,
        reference: GcRef,
    ) -> Result<&mut HostData, HostRefError> {
        self.hosts.any_mut(self.host_row(reference.to_raw())?)
    }

    /// The value of a host object of type `T` that may be read, given the bits of a reference.
    #[inline]
    pub(crate) fn host_value<T: Any>(&self, raw: u32) -> Option<&T> {
        self.hosts.value(self.find_row(raw)?)
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
    /// apart, but for exceptions of one tag and for objects of one type.
    pub(crate) fn identity(&self, reference: GcRef) -> u64 {
        match (self.host_row(reference.to_raw()), self.referent(reference)) {
            (Ok(row), _) => u64::from(row.0) << 32,
            (_, Referent::Object(ty)) => u64::MAX << 32 | u64::from(ty.0),
            (_, Referent::Exception) => u64::MAX - u64::from(self.exception_tag(reference)),
            _ => u64::from(reference.to_raw()),
        }
    }

    /// Whether a reference, given its bits, is one to a host object of type `T`.
    #[inline]
    pub(crate) fn is_host<T: Any>(&self, raw: u32) -> bool {
        self.find_row(raw).is_some_and(|row| self.hosts.is::<T>(row))
    }
}
