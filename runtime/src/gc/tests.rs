//! The heap against a model: random host programs, every collection checked by the heap checker
//! (which runs after each one in unit tests) and by comparing what lives with what should.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use super::blocks::Blocks;
use super::borrow::Holder;
use super::*;
use crate::abi::object::EXTERN_SIZE;

/// A heap with what compiled code would know of it, and without definitions or frames.
pub(super) struct Heap {
    pub(super) gc: GcStore,
    pub(super) vm: VmHeap,
}

impl Heap {
    /// A heap for host objects and exceptions only.
    pub(super) fn new(config: &GcConfig) -> Heap {
        let types = TypeTable::new().unwrap();
        for _ in 0..crate::abi::object::FIRST_TYPE {
            types.push([].into_iter(), &crate::abi::gc_layout::ObjectLayout::Func).unwrap();
        }
        Heap { gc: GcStore::new(config, types, Arc::default()), vm: VmHeap::default() }
    }

    pub(super) fn alloc_host(&mut self, payload: Payload) -> Result<GcRef, Payload> {
        self.gc.alloc_host(&self.vm, payload)
    }

    pub(super) fn collect(&mut self, why: Why) {
        self.gc.collect(&self.vm, why, &mut |_, _| {});
    }

    pub(super) fn stats(&self) -> GcStats {
        self.gc.stats(&self.vm)
    }
}

mod graph;

fn boxed<T: Any + Send + Sync>(value: T) -> Payload {
    Payload::new(value, Properties::default(), &mut Blocks::default())
}

/// A payload that owns memory besides itself.
fn owning(external: usize) -> Payload {
    let properties = Properties { external, ..Properties::default() };
    Payload::new((), properties, &mut Blocks::default())
}

type Dropped = Arc<Mutex<HashSet<u64>>>;

/// A payload that says when it is dropped.
struct Tracked {
    id: u64,
    dropped: Dropped,
}

impl Drop for Tracked {
    fn drop(&mut self) {
        assert!(self.dropped.lock().unwrap().insert(self.id), "{} dropped twice", self.id);
    }
}

/// A small generator of pseudo-random numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % bound
    }
}

/// The heap together with what it should contain. Identities are what a root is expected to lead
/// to.
struct Model {
    /// First, so that guards go before the heap does.
    held: Vec<(Guard, u64)>,
    gc: GcStore,
    vm: VmHeap,
    dropped: Dropped,
    next: u64,
    scopes: Vec<(Scope, usize)>,
    scoped: Vec<(RootIndex, u64)>,
    ended: Vec<RootIndex>,
    owned: Vec<(RootIndex, Liveness, u64)>,
    /// Stands for tables and globals: raw words, null and i31 among them.
    table: Box<[u32; 8]>,
    table_ids: [Option<u64>; 8],
}

/// A borrow that has not ended.
enum Guard {
    Shared(Borrowed<Tracked>),
    Exclusive(BorrowedMut<Tracked>),
}

impl Guard {
    fn value(&self) -> &Tracked {
        match self {
            Guard::Shared(value) => value,
            Guard::Exclusive(value) => value,
        }
    }
}

/// Who borrows.
const SITE: &BorrowSite = &BorrowSite::new("model", "step", "held");

impl Model {
    fn new(config: &GcConfig) -> Model {
        let Heap { gc, vm } = Heap::new(config);
        Model {
            gc,
            vm,
            dropped: Dropped::default(),
            next: 0,
            scopes: Vec::new(),
            scoped: Vec::new(),
            ended: Vec::new(),
            owned: Vec::new(),
            table: Box::default(),
            table_ids: [None; 8],
            held: Vec::new(),
        }
    }

    fn alloc(&mut self) -> (GcRef, u64) {
        self.next += 1;
        let value = Tracked { id: self.next, dropped: self.dropped.clone() };
        let payload = boxed(value);
        (self.gc.alloc_host(&self.vm, payload).expect("no limit is set"), self.next)
    }

    /// Some reference that is rooted, and its identity.
    fn pick(&mut self, random: &mut Random) -> Option<(GcRef, u64)> {
        let (index, id) = *self.scoped.get(random.below(self.scoped.len().max(1)))?;
        Some((self.gc.rooted(index).unwrap(), id))
    }

    fn step(&mut self, random: &mut Random) {
        match random.below(14) {
            0..=3 => {
                let (reference, id) = self.alloc();
                self.scoped.push((self.gc.root(reference), id));
            }
            4 => drop(self.alloc()),
            5 => self.scopes.push((self.gc.enter_scope(), self.scoped.len())),
            6 => self.leave_scope(),
            7 => self.own_one(random),
            8 => self.give_up_one(random),
            9..=10 => self.set_table(random),
            11 => self.hold_one(random),
            12 if !self.held.is_empty() => {
                drop(self.held.swap_remove(random.below(self.held.len())));
            }
            _ => match random.below(8) {
                0 => self.collect(Why::Asked),
                1..3 => self.collect(Why::Due),
                _ => {}
            },
        }
    }

    fn leave_scope(&mut self) {
        if let Some((scope, len)) = self.scopes.pop() {
            self.gc.exit_scope(scope);
            self.ended.extend(self.scoped.drain(len..).map(|(index, _)| index));
        }
    }

    fn own_one(&mut self, random: &mut Random) {
        if let Some((reference, id)) = self.pick(random) {
            let (index, liveness) = self.gc.own(reference);
            self.owned.push((index, liveness, id));
        }
    }

    fn give_up_one(&mut self, random: &mut Random) {
        if self.owned.is_empty() {
            return;
        }
        let (index, liveness, _) = self.owned.swap_remove(random.below(self.owned.len()));
        if random.below(2) == 0 {
            self.gc.disown(index, liveness);
            self.ended.push(index);
        }
    }

    fn set_table(&mut self, random: &mut Random) {
        let at = random.below(self.table.len());
        let (word, id) = match (random.below(4), self.pick(random)) {
            (0, _) | (_, None) => (0, None),
            (1, _) => (random.below(1 << 20) as u32 * 2 + 1, None),
            (_, Some((reference, id))) => (reference.to_raw(), Some(id)),
        };
        (self.table[at], self.table_ids[at]) = (word, id);
        let address = std::ptr::from_mut(&mut self.table[at]).expose_provenance();
        // SAFETY: the table outlives the heap, and is not used during a collection.
        unsafe { self.gc.log_young(address, word) };
    }

    fn hold_one(&mut self, random: &mut Random) {
        let Some((reference, id)) = self.pick(random) else { return };
        let value = self.gc.locate::<Tracked>(reference.to_raw()).unwrap();
        let held = self.held.iter().any(|(_, other)| *other == id);
        let guard = if random.below(2) == 0 {
            // SAFETY: nothing was dropped since, and guards go before the heap does.
            unsafe { value.borrow(SITE) }.map(Guard::Shared)
        } else {
            // SAFETY: as above.
            let guard = unsafe { value.borrow_mut(SITE) }.map(Guard::Exclusive);
            assert_eq!(guard.is_err(), held);
            guard
        };
        if let Ok(guard) = guard {
            assert_eq!(guard.value().id, id);
            self.held.push((guard, id));
        }
    }

    fn collect(&mut self, why: Why) {
        let Model { gc, vm, table, .. } = self;
        gc.collect(vm, why, &mut |roots, visit| match roots {
            Roots::Frames => {}
            Roots::Definitions => table.iter_mut().for_each(visit),
        });
        while let Some(payload) = self.gc.take_dead() {
            drop(payload);
        }
        self.check(why == Why::Asked);
    }

    /// Compares what lives with what should. After a minor collection old garbage lives on.
    fn check(&self, is_full: bool) {
        let mut expected: HashSet<u64> = HashSet::new();
        let mut places: HashMap<u64, u32> = HashMap::new();
        let mut expect = |raw: u32, id: u64| {
            let held = self.held.iter().any(|(_, other)| *other == id);
            let found = self.gc.host_value_or_reason::<Tracked>(raw);
            assert_eq!(self.gc.host_value::<Tracked>(raw).is_some(), found.is_ok());
            match found {
                Ok(tracked) => assert_eq!(tracked.id, id),
                Err(reason) => {
                    let holder = Holder::Parameter(SITE);
                    assert_eq!(reason, HostRefError::Borrow(BorrowError::Exclusive { holder }));
                    assert!(held);
                }
            }
            assert_eq!(*places.entry(id).or_insert(raw), raw, "one object, one place");
            expected.insert(id);
        };
        for (index, id) in &self.scoped {
            expect(self.gc.rooted(*index).unwrap().to_raw(), *id);
        }
        for (index, _, id) in &self.owned {
            expect(self.gc.rooted(*index).unwrap().to_raw(), *id);
        }
        for (word, id) in self.table.iter().zip(&self.table_ids) {
            match id {
                Some(id) => expect(*word, *id),
                None => assert!(*word == 0 || *word & 1 == 1, "null and i31 are left alone"),
            }
        }
        let rooted = expected.len();
        expected.extend(self.held.iter().map(|(_, id)| *id));
        let dropped = self.dropped.lock().unwrap();
        let living: HashSet<u64> = (1..=self.next).filter(|id| !dropped.contains(id)).collect();
        assert!(living.is_superset(&expected), "the reachable and the held ones live");
        let stats = self.gc.stats(&self.vm);
        assert_eq!(stats.host_objects, living.len());
        if is_full {
            assert_eq!(living, expected, "nothing else does");
            assert_eq!(stats.heap_bytes, rooted * EXTERN_SIZE as usize);
        }
        assert!(self.ended.iter().all(|index| self.gc.rooted(*index).is_none()));
    }
}

#[test]
fn random_programs_agree_with_the_model() {
    for seed in 1..=40 {
        let mut random = Random(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15));
        let config = GcConfig { stress: seed % 4 == 0, ..GcConfig::default() };
        let mut model = Model::new(&config);
        for _ in 0..600 {
            model.step(&mut random);
        }
        model.collect(Why::Asked);
        let (next, dropped) = (model.next, model.dropped.clone());
        drop(model);
        assert_eq!(dropped.lock().unwrap().len() as u64, next, "nothing outlives the store");
    }
}

#[test]
fn a_store_without_references_maps_nothing() {
    let mut heap = Heap::new(&GcConfig { stress: true, ..GcConfig::default() });
    assert!(!heap.gc.should_collect());
    heap.collect(Why::Asked);
    assert!(heap.vm.base.get().is_null() && heap.stats().committed_bytes == 0);
    heap.alloc_host(boxed(1)).unwrap();
    assert!(!heap.vm.base.get().is_null() && heap.gc.should_collect());
}

#[test]
fn a_full_heap_gives_the_payload_back_and_a_collection_makes_room() {
    let mut heap = Heap::new(&GcConfig { heap_limit: 160, ..GcConfig::default() });
    for number in 0..10 {
        assert!(heap.alloc_host(boxed(number)).is_ok());
    }
    let payload = heap.alloc_host(boxed(10)).unwrap_err();
    assert_eq!(payload.into_value::<i32>().unwrap(), 10);
    assert!(heap.gc.should_collect());
    heap.collect(Why::Due);
    assert!(heap.alloc_host(boxed(10)).is_ok());
}

#[test]
fn old_garbage_makes_room_too() {
    let mut heap = Heap::new(&GcConfig { heap_limit: 160, ..GcConfig::default() });
    let scope = heap.gc.enter_scope();
    for number in 0..10 {
        let object = heap.alloc_host(boxed(number)).unwrap();
        heap.gc.root(object);
    }
    heap.collect(Why::Due);
    assert_eq!(heap.stats().host_objects, 10);
    assert!(heap.alloc_host(boxed(10)).is_err());
    heap.collect(Why::Due);
    assert!(heap.alloc_host(boxed(10)).is_err(), "all live");
    heap.gc.exit_scope(scope);
    heap.collect(Why::Due);
    assert_eq!(heap.stats().host_objects, 0);
    assert!(heap.alloc_host(boxed(10)).is_ok());
}

#[test]
fn hosts_take_old_space_when_the_nursery_is_full() {
    let mut heap = Heap::new(&GcConfig { nursery_size: 64 << 10, ..GcConfig::default() });
    let mut young = 0;
    for number in 0..10_000_u32 {
        let object = heap.alloc_host(boxed(number)).unwrap();
        young += usize::from(object::is_young(object.to_raw()));
        heap.gc.root(object);
    }
    assert_eq!(young, (64 << 10) / EXTERN_SIZE as usize);
    assert!(heap.gc.should_collect());
    heap.collect(Why::Due);
    let stats = heap.stats();
    assert_eq!((stats.host_objects, stats.heap_bytes), (10_000, 160_000));
    assert_eq!((stats.minor_collections, stats.full_collections), (1, 0));
    assert_eq!(stats.promoted_bytes, 64 << 10);
}

#[test]
fn memory_of_host_values_is_limited_and_counts_until_they_are_dropped() {
    let limit = Some(1 << 20);
    let mut heap = Heap::new(&GcConfig { host_memory_limit: limit, ..GcConfig::default() });
    let big = || owning(600 << 10);
    heap.alloc_host(big()).unwrap();
    assert!(heap.gc.should_collect(), "more than half of the limit is gone");
    assert!(heap.alloc_host(big()).is_err());
    heap.collect(Why::Due);
    assert!(heap.alloc_host(big()).is_err(), "the dead value still owns its memory");
    while heap.gc.take_dead().is_some() {}
    assert!(heap.alloc_host(big()).is_ok());
}

#[test]
fn external_memory_brings_the_next_collection_closer() {
    let mut heap = Heap::new(&GcConfig::default());
    heap.alloc_host(boxed(())).unwrap();
    assert!(!heap.gc.should_collect());
    let external = 1 << 30;
    heap.alloc_host(owning(external)).unwrap();
    assert!(heap.gc.should_collect());
}

#[test]
fn external_memory_of_old_objects_brings_full_collections() {
    let mut heap = Heap::new(&GcConfig::default());
    for _ in 0..100 {
        let scope = heap.gc.enter_scope();
        let external = 1 << 20;
        let big = owning(external);
        let object = heap.alloc_host(big).unwrap();
        heap.gc.root(object);
        // Old before it dies.
        heap.collect(Why::Due);
        heap.gc.exit_scope(scope);
        while heap.gc.take_dead().is_some() {}
        assert!(heap.stats().host_bytes < 10 << 20, "{:?}", heap.stats());
    }
    assert!(heap.stats().full_collections > 10);
}

#[test]
fn garbage_does_not_make_the_heap_grow() {
    let mut heap = Heap::new(&GcConfig::default());
    for number in 0..200_000_u32 {
        heap.alloc_host(boxed(number)).unwrap();
        if heap.gc.should_collect() {
            heap.collect(Why::Due);
            while heap.gc.take_dead().is_some() {}
        }
    }
    let stats = heap.stats();
    assert!(stats.committed_bytes <= 2 << 20, "{stats:?}");
    assert!(stats.host_objects < 66_000, "{stats:?}");
    assert!(stats.minor_collections > 2 && stats.full_collections == 0, "{stats:?}");
}

#[test]
fn only_host_objects_lead_to_values() {
    let mut heap = Heap::new(&GcConfig::default());
    let reference = heap.alloc_host(boxed(1_u8)).unwrap();
    let gc = &mut heap.gc;
    assert!(gc.locate::<u8>(reference.to_raw()).is_some());
    assert_eq!(gc.host_row(0), Err(HostRefError::Null));
    assert_eq!(gc.host_row(7), Err(HostRefError::NotHostObject("an i31")));
    let found = "u8";
    assert!(!gc.is_host::<u16>(reference.to_raw()) && gc.is_host::<u8>(reference.to_raw()));
    assert_eq!(gc.mismatch(reference.to_raw()), HostRefError::WrongType { found });
    object::write_host(&mut gc.space, reference.to_raw(), RowId(0));
    gc.space.write(reference.to_raw(), [crate::abi::object::TYPE_EXN]);
    let error = HostRefError::NotHostObject("an exception");
    assert_eq!(gc.host_row(reference.to_raw()), Err(error));
}

#[test]
fn a_panicking_destructor_leaves_the_rest_to_be_dropped() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("bomb");
        }
    }
    for why in [Why::Due, Why::Asked] {
        let mut heap = Heap::new(&GcConfig::default());
        for _ in 0..3 {
            heap.alloc_host(boxed(Bomb)).unwrap();
        }
        heap.collect(why);
        for left in (0..3).rev() {
            let payload = heap.gc.take_dead().unwrap();
            let dropping = std::panic::AssertUnwindSafe(|| drop(payload));
            assert!(std::panic::catch_unwind(dropping).is_err());
            assert_eq!(heap.stats().host_objects_dead, left);
        }
    }
}
