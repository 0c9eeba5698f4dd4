//! Root set: the references that Rust code holds, in scopes and in owned slots. Never touches the
//! heap; the collector visits it.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::object::{GcRef, is_young};

/// The identity of a store, unique in the process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct StoreId(NonZeroU64);

impl StoreId {
    /// An id that no other store has.
    pub(crate) fn allocate() -> StoreId {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        StoreId(NonZeroU64::new(id).expect("2^64 stores cannot be made"))
    }
}

/// The name of one root. A copy that outlives the root finds that out: no two roots of a store ever
/// agree in slot and generation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[doc(hidden)]
pub struct RootIndex {
    store: StoreId,
    generation: u64,
    slot: u32,
}

/// The bit of a slot number that tells owned slots from scoped ones.
const OWNED: u32 = 1 << 31;

impl RootIndex {
    /// The store the root belongs to.
    #[inline]
    pub(crate) fn store(&self) -> StoreId {
        self.store
    }
}

/// Where the innermost scope began. Scopes are left in the reverse order of entering.
#[must_use = "a scope that is never left roots for ever"]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    store: StoreId,
    len: usize,
}

/// Shared by the root set and the handle of an owned root, and by nobody else: when the handle is
/// gone, one owner is left.
pub(crate) type Liveness = Arc<()>;

/// All roots of one store that Rust code holds.
#[derive(Debug)]
pub(super) struct RootSet {
    store: StoreId,
    scoped: Vec<ScopedRoot>,
    /// Scoped roots before this position lead to no young object.
    scoped_young_from: usize,
    owned: Vec<OwnedRoot>,
    /// The owned slots that may lead to young objects: those whose `is_young` is set.
    owned_young: Vec<u32>,
    vacant: Vec<u32>,
    /// The generation of the next root. Grows when a slot may be used again.
    generation: u64,
    /// How many owned slots there may be before looking for abandoned ones.
    trim_at: usize,
}

#[derive(Debug)]
struct ScopedRoot {
    generation: u64,
    reference: u32,
}

#[derive(Debug)]
struct OwnedRoot {
    /// 0 in a vacant slot.
    generation: u64,
    reference: u32,
    /// Whether the slot is in `owned_young`.
    is_young: bool,
    liveness: Liveness,
}

/// [`RootSet::trim`] is not worth its time below this many slots.
const TRIM_MIN: usize = 64;

impl RootSet {
    /// No roots. Allocates nothing.
    pub(super) fn new(store: StoreId) -> RootSet {
        RootSet {
            store,
            scoped: Vec::new(),
            scoped_young_from: 0,
            owned: Vec::new(),
            owned_young: Vec::new(),
            vacant: Vec::new(),
            generation: 1,
            trim_at: TRIM_MIN,
        }
    }

    /// The store whose roots these are.
    #[inline]
    pub(super) fn store(&self) -> StoreId {
        self.store
    }

    /// Begins a scope.
    #[inline]
    pub(super) fn enter_scope(&self) -> Scope {
        Scope { store: self.store, len: self.scoped.len() }
    }

    /// Ends a scope: everything rooted since it began is not rooted any more.
    #[inline]
    pub(super) fn exit_scope(&mut self, scope: Scope) {
        // Most scopes end as they began.
        if scope.len < self.scoped.len() && scope.store == self.store {
            self.truncate(scope.len);
        }
    }

    /// How many scoped roots there are.
    #[inline]
    pub(super) fn scoped(&self) -> usize {
        self.scoped.len()
    }

    /// Ends the scoped roots from position `len` on.
    #[inline]
    pub(super) fn truncate(&mut self, len: usize) {
        if len < self.scoped.len() {
            self.scoped.truncate(len);
            self.scoped_young_from = self.scoped_young_from.min(len);
            self.generation += 1;
        }
    }

    /// Makes room for roots to come.
    pub(super) fn reserve(&mut self, additional: usize) {
        self.scoped.reserve(additional);
    }

    /// Roots `reference` in the current scope.
    #[inline]
    pub(super) fn push(&mut self, reference: GcRef) -> RootIndex {
        let slot = self.scoped.len();
        assert!(slot < OWNED as usize, "a scope holds fewer than 2^31 roots");
        let generation = self.generation;
        self.scoped.push(ScopedRoot { generation, reference: reference.to_raw() });
        RootIndex { store: self.store, generation, slot: slot as u32 }
    }

    /// Roots `reference` until the handle, which keeps the token, gives it back or goes away.
    pub(super) fn own(&mut self, reference: GcRef) -> (RootIndex, Liveness) {
        if self.vacant.is_empty() && self.owned.len() >= self.trim_at {
            self.trim();
        }
        self.generation += 1;
        let (generation, reference) = (self.generation, reference.to_raw());
        let (slot, liveness) = self.fill_owned(generation, reference);
        let root = &mut self.owned[slot as usize];
        if is_young(reference) && !root.is_young {
            root.is_young = true;
            self.owned_young.push(slot);
        }
        (RootIndex { store: self.store, generation, slot: slot | OWNED }, liveness)
    }

    /// Puts a reference in a vacant or a new slot.
    fn fill_owned(&mut self, generation: u64, reference: u32) -> (u32, Liveness) {
        match self.vacant.pop() {
            Some(slot) => {
                let root = &mut self.owned[slot as usize];
                (root.generation, root.reference) = (generation, reference);
                (slot, root.liveness.clone())
            }
            None => {
                let slot = self.owned.len();
                assert!(slot < OWNED as usize, "a store holds fewer than 2^31 owned roots");
                let liveness = Liveness::default();
                let kept = liveness.clone();
                let is_young = false;
                self.owned.push(OwnedRoot { generation, reference, is_young, liveness: kept });
                (slot as u32, liveness)
            }
        }
    }

    /// Gives an owned root back. `liveness` is the handle's token; the root goes on while the token has
    /// clones.
    pub(super) fn disown(&mut self, index: RootIndex, liveness: Liveness) {
        let Some(slot) = self.owned_slot(index) else { return };
        let root = &mut self.owned[slot as usize];
        drop(liveness);
        if Arc::strong_count(&root.liveness) == 1 {
            root.vacate();
            self.vacant.push(slot);
        }
    }

    /// What the root refers to; `None` when it is not rooted any more.
    ///
    /// # Panics
    ///
    /// Panics when the index is one of another store.
    #[inline]
    pub(super) fn get(&self, index: RootIndex) -> Option<GcRef> {
        assert!(index.store == self.store, "root invariant: the caller compared the stores");
        if index.slot & OWNED == 0 {
            let root = self.scoped.get(index.slot as usize)?;
            if root.generation != index.generation {
                return None;
            }
            GcRef::from_raw(root.reference)
        } else {
            GcRef::from_raw(self.owned[self.owned_slot(index)? as usize].reference)
        }
    }

    fn owned_slot(&self, index: RootIndex) -> Option<u32> {
        let slot = index.slot & !OWNED;
        let root = self.owned.get(slot as usize)?;
        let same = index.store == self.store
            && index.slot & OWNED != 0
            && root.generation == index.generation;
        same.then_some(slot)
    }

    /// Frees the slots of handles that went away without giving them back. Every full collection
    /// does.
    pub(super) fn trim(&mut self) {
        for (slot, root) in (0..).zip(&mut self.owned) {
            if root.generation != 0 && Arc::strong_count(&root.liveness) == 1 {
                root.vacate();
                self.vacant.push(slot);
            }
        }
        let live = self.owned.len() - self.vacant.len();
        self.trim_at = (live * 2).max(TRIM_MIN);
    }

    /// Shows every reference that may lead to a young object to `visit`, which makes it an old one.
    pub(super) fn visit_young(&mut self, mut visit: impl FnMut(&mut u32)) {
        for root in &mut self.scoped[self.scoped_young_from..] {
            visit(&mut root.reference);
        }
        self.scoped_young_from = self.scoped.len();
        for slot in self.owned_young.drain(..) {
            let root = &mut self.owned[slot as usize];
            root.is_young = false;
            if root.generation != 0 && Arc::strong_count(&root.liveness) > 1 {
                visit(&mut root.reference);
            } else if is_young(root.reference) {
                // Nobody will ask for it, and no full collection should find it.
                root.reference = 0;
            }
        }
    }

    /// Shows every reference to `visit`, which may replace it.
    pub(super) fn visit(&mut self, visit: &mut dyn FnMut(&mut u32)) {
        for root in &mut self.scoped {
            visit(&mut root.reference);
        }
        for root in self.owned.iter_mut().filter(|root| root.generation != 0) {
            visit(&mut root.reference);
        }
    }

    /// How many roots there are: scoped, owned.
    pub(super) fn len(&self) -> (usize, usize) {
        (self.scoped.len(), self.owned.len() - self.vacant.len())
    }
}

impl OwnedRoot {
    fn vacate(&mut self) {
        (self.generation, self.reference) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::object::{NULL_GUARD, YOUNG_END};

    fn set() -> RootSet {
        RootSet::new(StoreId::allocate())
    }

    fn reference(raw: u32) -> GcRef {
        GcRef::from_raw(raw).unwrap()
    }

    #[test]
    fn a_root_ends_with_its_scope_even_if_the_slot_is_used_again() {
        let mut roots = set();
        let outer = roots.push(reference(8));
        let scope = roots.enter_scope();
        let inner = roots.push(reference(16));
        assert_eq!(roots.get(inner), Some(reference(16)));
        roots.exit_scope(scope);
        assert_eq!(roots.get(inner), None);
        let reused = roots.push(reference(24));
        assert_eq!((roots.get(inner), roots.get(reused)), (None, Some(reference(24))));
        assert_eq!(roots.get(outer), Some(reference(8)));
    }

    #[test]
    fn an_owned_root_ends_when_given_back() {
        let mut roots = set();
        let (index, liveness) = roots.own(reference(8));
        assert_eq!(roots.get(index), Some(reference(8)));
        roots.disown(index, liveness);
        assert_eq!(roots.get(index), None);
        let (again, _liveness) = roots.own(reference(16));
        assert_eq!((roots.get(index), roots.get(again)), (None, Some(reference(16))));
        assert_eq!(roots.len(), (0, 1));
    }

    #[test]
    fn abandoned_slots_are_reclaimed() {
        let mut roots = set();
        let (kept, _liveness) = roots.own(reference(8));
        for _ in 0..10_000 {
            let abandoned = roots.own(reference(16));
            drop(abandoned);
        }
        assert!(roots.owned.len() <= 2 * TRIM_MIN, "{}", roots.owned.len());
        roots.trim();
        assert_eq!(roots.len(), (0, 1));
        assert_eq!(roots.get(kept), Some(reference(8)));
    }

    #[test]
    fn roots_are_shown_once_while_they_may_be_young() {
        let mut roots = set();
        let young = |number: u32| reference(NULL_GUARD + number * 8);
        let shown = |roots: &mut RootSet| {
            let mut shown = Vec::new();
            roots.visit_young(|slot| {
                shown.push((*slot - NULL_GUARD) / 8);
                *slot = YOUNG_END;
            });
            shown
        };
        roots.push(young(0));
        let scope = roots.enter_scope();
        roots.push(young(1));
        let (index, liveness) = roots.own(young(2));
        let _old = roots.own(reference(YOUNG_END));
        assert_eq!(shown(&mut roots), [0, 1, 2]);
        assert_eq!(shown(&mut roots), []);
        roots.exit_scope(scope);
        roots.push(young(3));
        roots.disown(index, liveness);
        let kept = roots.own(young(4));
        drop(roots.own(young(5)));
        for _ in 0..100 {
            let (index, liveness) = roots.own(young(6));
            roots.disown(index, liveness);
        }
        assert!(roots.owned_young.len() < 10, "{:?}", roots.owned_young);
        assert_eq!(shown(&mut roots), [3, 4]);
        roots.visit(&mut |slot| assert!(!is_young(*slot)));
        drop(kept);
    }

    #[test]
    fn a_scope_of_another_store_changes_nothing() {
        let (mut ours, theirs) = (set(), set());
        let scope = theirs.enter_scope();
        let root = ours.push(reference(8));
        ours.exit_scope(scope);
        assert_eq!(ours.get(root), Some(reference(8)));
    }

    #[test]
    #[should_panic(expected = "root invariant")]
    fn an_index_of_another_store_is_refused() {
        let root = set().push(reference(8));
        set().get(root);
    }
}
