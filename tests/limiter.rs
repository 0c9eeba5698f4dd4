//! `Store::limiter`: who is asked before a store grows, with which numbers, and what the answers do.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::bail;
use hostref::{
    Caller, Config, Engine, ExnRef, ExternRef, FuncType, GcHeapOutOfMemory, HostCx, HostObject,
    Instance, Linker, Memory, MemoryType, Module, New, Ref, RefType, ResourceLimiter, Result,
    RootScope, SharedMemory, Store, StoreLimits, StoreLimitsBuilder, Table, TableType, Tag,
    TagType, Trap, ValType, WasmBacktrace, host_module,
};
use support::{Mode, both_modes, export, instantiate};

const PAGE: usize = 1 << 16;

/// What a [`Witness`] answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Answer {
    #[default]
    Yes,
    No,
    Error,
    Panic,
}

impl Answer {
    fn give(self) -> Result<bool> {
        match self {
            Answer::Yes => Ok(true),
            Answer::No => Ok(false),
            Answer::Error => bail!("the witness objects"),
            Answer::Panic => panic!("the witness panics"),
        }
    }
}

/// Writes down what it is asked.
#[derive(Debug, Default)]
struct Witness {
    memories: Vec<(usize, usize, Option<usize>)>,
    tables: Vec<(usize, usize, Option<usize>)>,
    failures: Vec<String>,
    answer: Answer,
    on_failure: Answer,
}

impl ResourceLimiter for Witness {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        self.memories.push((current, desired, maximum));
        self.answer.give()
    }

    fn memory_grow_failed(&mut self, error: hostref::Error) -> Result<()> {
        self.failures.push(error.to_string());
        self.on_failure.give().map(drop)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        self.tables.push((current, desired, maximum));
        self.answer.give()
    }

    fn table_grow_failed(&mut self, error: hostref::Error) -> Result<()> {
        self.failures.push(error.to_string());
        self.on_failure.give().map(drop)
    }
}

fn witnessed(engine: &Engine) -> Store<Witness> {
    let mut store = Store::new(engine, Witness::default());
    store.limiter(|witness| witness);
    store
}

const GROWING: &str = r#"(module
    (memory (export "memory") 1 4)
    (table (export "table") 2 8 funcref)
    (table (export "objects") 3 externref)
    (func (export "grow_memory") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "grow_table") (param i32) (result i32)
        (table.grow 0 (ref.null func) (local.get 0)))
    (func (export "grow_objects") (param i32) (result i32)
        (table.grow 1 (ref.null extern) (local.get 0))))"#;

fn grow(store: &mut Store<Witness>, instance: Instance, what: &str, by: i32) -> Result<i32> {
    export::<i32, i32>(&mut *store, instance, what)?.call(store, by)
}

#[test]
fn instantiation_asks_for_memories_and_tables() {
    let mut store = witnessed(&Engine::default());
    instantiate(&mut store, GROWING, &[]).unwrap();
    assert_eq!(store.data().memories, [(0, PAGE, Some(4 * PAGE))]);
    assert_eq!(store.data().tables, [(0, 2, Some(8)), (0, 3, None)]);
}

#[test]
fn guests_ask_when_they_grow_something() {
    let mut store = witnessed(&Engine::default());
    let guest = instantiate(&mut store, GROWING, &[]).unwrap();
    *store.data_mut() = Witness::default();
    assert_eq!(grow(&mut store, guest, "grow_memory", 2).unwrap(), 1);
    assert_eq!(grow(&mut store, guest, "grow_table", 5).unwrap(), 2);
    assert_eq!(grow(&mut store, guest, "grow_objects", 1).unwrap(), 3);
    assert_eq!(store.data().memories, [(PAGE, 3 * PAGE, Some(4 * PAGE))]);
    assert_eq!(store.data().tables, [(2, 7, Some(8)), (3, 4, None)]);
}

#[test]
fn hosts_ask_when_they_make_or_grow_something() {
    let mut store = witnessed(&Engine::default());
    let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
    assert_eq!(memory.grow(&mut store, 2).unwrap(), 1);
    let ty = TableType::new(RefType::FUNCREF, 1, Some(9));
    let table = Table::new(&mut store, ty, Ref::Func(None)).unwrap();
    assert_eq!(table.grow(&mut store, 3, Ref::Func(None)).unwrap(), 1);
    assert_eq!(store.data().memories, [(0, PAGE, None), (PAGE, 3 * PAGE, None)]);
    assert_eq!(store.data().tables, [(0, 1, Some(9)), (1, 4, Some(9))]);
}

#[test]
fn growing_by_nothing_asks_nobody() {
    let mut store = witnessed(&Engine::default());
    let guest = instantiate(&mut store, GROWING, &[]).unwrap();
    *store.data_mut() = Witness { answer: Answer::No, ..Witness::default() };
    assert_eq!(grow(&mut store, guest, "grow_memory", 0).unwrap(), 1);
    assert_eq!(grow(&mut store, guest, "grow_table", 0).unwrap(), 2);
    assert!(store.data().memories.is_empty() && store.data().tables.is_empty());
}

#[test]
fn what_is_refused_does_not_grow() {
    let mut store = witnessed(&Engine::default());
    let guest = instantiate(&mut store, GROWING, &[]).unwrap();
    store.data_mut().answer = Answer::No;
    for what in ["grow_memory", "grow_table", "grow_objects"] {
        assert_eq!(grow(&mut store, guest, what, 1).unwrap(), -1, "{what}");
    }
    let memory = guest.get_memory(&mut store, "memory").unwrap();
    let error = memory.grow(&mut store, 1).unwrap_err();
    assert!(error.to_string().starts_with("failed to grow the memory by 1 pages"), "{error}");
    let table = guest.get_table(&mut store, "table").unwrap();
    let error = table.grow(&mut store, 1, Ref::Func(None)).unwrap_err();
    assert!(error.to_string().starts_with("failed to grow the table by 1 elements"), "{error}");
    assert_eq!((memory.size(&store), table.size(&store)), (1, 2));
    assert!(store.data().failures.is_empty(), "what is refused has not failed");
}

#[test]
fn instances_that_are_refused_leave_nothing_behind() {
    let mut store = witnessed(&Engine::default());
    store.data_mut().answer = Answer::No;
    let error = instantiate(&mut store, GROWING, &[]).unwrap_err();
    assert_eq!(error.to_string(), "a memory of 65536 bytes exceeds the limits of the store");
    let error = instantiate(&mut store, "(module (table 7 funcref))", &[]).unwrap_err();
    assert_eq!(error.to_string(), "a table of 7 elements exceeds the limits of the store");
    let error = Memory::new(&mut store, MemoryType::new(0, None)).unwrap_err();
    assert_eq!(error.to_string(), "a memory of 0 bytes exceeds the limits of the store");
    store.data_mut().answer = Answer::Yes;
    store.limiter(|_| Box::leak(Box::new(StoreLimitsBuilder::new().instances(1).build())));
    instantiate(&mut store, GROWING, &[]).unwrap();
}

#[test]
fn an_error_stops_the_guest() {
    let mut store = witnessed(&Engine::default());
    let guest = instantiate(&mut store, GROWING, &[]).unwrap();
    store.data_mut().answer = Answer::Error;
    for what in ["grow_memory", "grow_table", "grow_objects"] {
        let error = grow(&mut store, guest, what, 1).unwrap_err();
        assert_eq!(error.root_cause().to_string(), "the witness objects", "{what}");
        let trace = error.downcast_ref::<WasmBacktrace>().expect("it happened in a guest");
        assert_eq!(trace.frames().len(), 1, "{what}");
    }
    let error = instantiate(&mut store, GROWING, &[]).unwrap_err();
    assert_eq!(error.to_string(), "the witness objects");
    let memory = guest.get_memory(&mut store, "memory").unwrap();
    assert_eq!(memory.grow(&mut store, 1).unwrap_err().to_string(), "the witness objects");
    store.data_mut().answer = Answer::Yes;
    assert_eq!(grow(&mut store, guest, "grow_memory", 1).unwrap(), 1);
}

#[test]
fn a_panic_resumes_in_the_embedder() {
    let mut store = witnessed(&Engine::default());
    let guest = instantiate(&mut store, GROWING, &[]).unwrap();
    let memory = guest.get_memory(&mut store, "memory").unwrap();
    store.data_mut().answer = Answer::Panic;
    let panics = |outcome: std::thread::Result<()>| {
        let payload = outcome.expect_err("the witness panics");
        assert_eq!(payload.downcast_ref(), Some(&"the witness panics"));
    };
    let store = &mut store;
    for what in ["grow_memory", "grow_table", "grow_objects"] {
        panics(catch_unwind(AssertUnwindSafe(|| drop(grow(store, guest, what, 1)))));
    }
    panics(catch_unwind(AssertUnwindSafe(|| drop(memory.grow(&mut *store, 1)))));
    panics(catch_unwind(AssertUnwindSafe(|| drop(instantiate(store, GROWING, &[])))));
    panics(catch_unwind(AssertUnwindSafe(|| drop(ExternRef::new(&mut *store, "object")))));
    // It is still asked, and nothing is lost.
    store.data_mut().answer = Answer::Yes;
    let asked = store.data().memories.len();
    assert_eq!(grow(store, guest, "grow_memory", 1).unwrap(), 1);
    assert_eq!(store.data().memories.len(), asked + 1);
}

#[test]
fn failures_are_reported() {
    let engine = Engine::new(Config::new().memory_limit(3 << 16).table_limit(10)).unwrap();
    let mut store = witnessed(&engine);
    let guest = instantiate(&mut store, GROWING, &[]).unwrap();
    for (what, by) in [("grow_memory", 4), ("grow_memory", 3), ("grow_table", 7)] {
        assert_eq!(grow(&mut store, guest, what, by).unwrap(), -1, "{what} by {by}");
    }
    assert_eq!(grow(&mut store, guest, "grow_objects", i32::MAX).unwrap(), -1);
    assert_eq!(
        store.data().failures,
        [
            "a memory of 327680 bytes exceeds its maximum of 262144 bytes",
            "a memory of 262144 bytes exceeds the limit of 196608 bytes",
            "a table of 9 elements exceeds its maximum of 8 elements",
            "a table of 2147483650 elements exceeds the limit of 10 elements",
        ]
    );
    store.data_mut().on_failure = Answer::Error;
    for (what, by) in [("grow_memory", 4), ("grow_table", 7)] {
        let error = grow(&mut store, guest, what, by).unwrap_err();
        assert_eq!(error.root_cause().to_string(), "the witness objects", "{what} by {by}");
    }
}

#[test]
fn numbers_beyond_the_address_space_are_cut() {
    let mut store = witnessed(&Engine::default());
    let wat = r#"(module
        (memory i64 0)
        (table i64 0 funcref)
        (func (export "memory") (result i64) (memory.grow (i64.const -1)))
        (func (export "table") (result i64) (table.grow (ref.null func) (i64.const -1))))"#;
    let guest = instantiate(&mut store, wat, &[]).unwrap();
    *store.data_mut() = Witness::default();
    for what in ["memory", "table"] {
        let grow = export::<(), i64>(&mut store, guest, what).unwrap();
        assert_eq!(grow.call(&mut store, ()).unwrap(), -1, "{what}");
    }
    assert_eq!(store.data().memories, [(0, usize::MAX, None)]);
    assert_eq!(store.data().tables, [(0, usize::MAX, None)]);
    assert_eq!(store.data().failures.len(), 2);
}

#[test]
fn shared_memories_belong_to_no_store() {
    let engine = Engine::new(Config::new().wasm_threads(true)).unwrap();
    let mut store = witnessed(&engine);
    store.data_mut().answer = Answer::Error;
    let memory = SharedMemory::new(&engine, MemoryType::shared(1, 4)).unwrap();
    let wat = r#"(module (import "" "" (memory 1 4 shared)) (memory 1 1 shared)
        (func (export "grow") (result i32) (memory.grow (i32.const 1))))"#;
    let guest = instantiate(&mut store, wat, &[memory.clone().into()]).unwrap();
    let grow = export::<(), i32>(&mut store, guest, "grow").unwrap();
    assert_eq!((grow.call(&mut store, ()).unwrap(), memory.size()), (1, 2));
    assert!(store.data().memories.is_empty());
}

#[test]
fn counts_are_limited() {
    let engine = Engine::default();
    let limited = |limits: StoreLimitsBuilder| {
        let mut store = Store::new(&engine, limits.build());
        store.limiter(|limits| limits);
        store
    };
    let refused = |outcome: Result<()>| outcome.unwrap_err().to_string();

    let mut store = limited(StoreLimitsBuilder::new().instances(2));
    instantiate(&mut store, "(module)", &[]).unwrap();
    instantiate(&mut store, "(module)", &[]).unwrap();
    let text = refused(instantiate(&mut store, "(module)", &[]).map(drop));
    assert!(text.starts_with("resource limit exceeded: instance count too high at 3"), "{text}");

    let mut store = limited(StoreLimitsBuilder::new().memories(2));
    Memory::new(&mut store, MemoryType::new(0, None)).unwrap();
    let text = refused(instantiate(&mut store, "(module (memory 0) (memory 0))", &[]).map(drop));
    assert!(text.starts_with("resource limit exceeded: memory count too high at 3"), "{text}");
    instantiate(&mut store, "(module (memory 0))", &[]).unwrap();
    let text = refused(Memory::new(&mut store, MemoryType::new(0, None)).map(drop));
    assert!(text.starts_with("resource limit exceeded: memory count too high at 3"), "{text}");

    let mut store = limited(StoreLimitsBuilder::new().tables(1));
    let ty = TableType::new(RefType::FUNCREF, 1, None);
    let table = Table::new(&mut store, ty.clone(), Ref::Func(None)).unwrap();
    let text = refused(instantiate(&mut store, "(module (table 1 funcref))", &[]).map(drop));
    assert!(text.starts_with("resource limit exceeded: table count too high at 2"), "{text}");
    let text = refused(Table::new(&mut store, ty, Ref::Func(None)).map(drop));
    assert!(text.starts_with("resource limit exceeded: table count too high at 2"), "{text}");
    // What is imported has been counted.
    let wat = r#"(module (import "" "" (table 1 funcref)))"#;
    instantiate(&mut store, wat, &[table.into()]).unwrap();
}

#[test]
fn growth_failures_trap_when_asked_to() {
    let limits = StoreLimitsBuilder::new().memory_size(3 * PAGE).table_elements(4);
    let mut store = Store::new(&Engine::default(), limits.trap_on_grow_failure(true).build());
    store.limiter(|limits| limits);
    let guest = instantiate(&mut store, GROWING, &[]).unwrap();
    for (what, by, cause) in [
        ("grow_memory", 3, "a memory of 262144 bytes exceeds its limit of 196608 bytes"),
        ("grow_table", 7, "a table of 9 elements exceeds its limit of 4 elements"),
        ("grow_objects", 2, "a table of 5 elements exceeds its limit of 4 elements"),
    ] {
        let grow = export::<i32, i32>(&mut store, guest, what).unwrap();
        let error = grow.call(&mut store, by).unwrap_err();
        assert_eq!(error.root_cause().to_string(), cause);
        assert!(error.is::<WasmBacktrace>());
        assert!(grow.call(&mut store, 1).is_ok());
    }
}

// The GC heap.

/// Allows so many bytes for each memory.
fn limited(mode: Mode, bytes: usize) -> Store<StoreLimits> {
    let limits = StoreLimitsBuilder::new().memory_size(bytes).build();
    let mut store = Store::new(&mode.engine(), limits);
    store.limiter(|limits| limits);
    store
}

const LISTS: &str = r#"(module
    (type $node (struct (field $next (mut (ref null $node)))))
    (type $bytes (array (mut i8)))
    (type $chunk (struct (field (ref null $chunk)) (field (ref $bytes))))
    (tag $tag (param i32))
    (global $kept (mut (ref null $node)) (ref.null $node))
    (func (export "keep") (param i32)
        (loop
            (global.set $kept (struct.new $node (global.get $kept)))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "drop_all") (global.set $kept (ref.null $node)))
    (func (export "waste") (param i32)
        (loop
            (drop (struct.new $node (ref.null $node)))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "waste_large") (param i32)
        (loop
            (drop (array.new_default $bytes (i32.const 100000)))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "waste_exceptions") (param i32)
        (loop
            (block $caught (result i32)
                (try_table (result i32) (catch $tag $caught) (throw $tag (i32.const 1))))
            (drop)
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "keep_large") (param i32)
        (local $list (ref null $chunk))
        (loop
            (local.set $list (struct.new $chunk
                (local.get $list) (array.new_default $bytes (i32.const 100000))))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#;

both_modes! {
    guests_waste_for_ever_in_a_limited_heap,
    large_objects_are_limited,
    hosts_get_their_value_back,
    exceptions_of_the_host_are_limited,
}

fn guests_waste_for_ever_in_a_limited_heap(mode: Mode) -> Result<()> {
    let mut store = limited(mode, 4 * PAGE);
    let guest = instantiate(&mut store, LISTS, &[])?;
    let times = if mode == Mode::Stress { 300 } else { 200_000 };
    for what in ["waste", "waste_large", "waste_exceptions"] {
        let waste = export::<i32, ()>(&mut store, guest, what)?;
        waste.call(&mut store, times / if what == "waste_large" { 100 } else { 1 })?;
        assert!(store.gc_stats().heap_bytes <= 4 * PAGE, "{what}");
    }
    Ok(())
}

#[test]
fn guests_that_keep_too_much_trap() -> Result<()> {
    let (bytes, count) = (2 << 20, 150_000);
    let mut store = limited(Mode::Normal, bytes);
    let guest = instantiate(&mut store, LISTS, &[])?;
    let keep = export::<i32, ()>(&mut store, guest, "keep")?;
    let error = keep.call(&mut store, count).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::GcHeapOutOfMemory), "{error:?}");
    let heap = store.gc_stats().heap_bytes;
    assert!(heap > bytes / 4 * 3 && heap <= bytes, "{heap} of {bytes}");
    // When they let go there is room again.
    export::<(), ()>(&mut store, guest, "drop_all")?.call(&mut store, ())?;
    keep.call(&mut store, count / 3)
}

fn large_objects_are_limited(mode: Mode) -> Result<()> {
    let mut store = limited(mode, 16 * PAGE);
    let guest = instantiate(&mut store, LISTS, &[])?;
    let keep = export::<i32, ()>(&mut store, guest, "keep_large")?;
    keep.call(&mut store, 9)?;
    let error = keep.call(&mut store, 11).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::GcHeapOutOfMemory), "{error:?}");
    keep.call(&mut store, 9)
}

fn hosts_get_their_value_back(mode: Mode) -> Result<()> {
    let mut store = limited(mode, PAGE);
    let mut scope = RootScope::new(&mut store);
    let mut made = 0;
    let error = loop {
        match ExternRef::new(&mut scope, made) {
            Ok(_) => made += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(made, PAGE / 16);
    assert_eq!(error.downcast::<GcHeapOutOfMemory<usize>>()?.into_inner(), made);
    drop(scope);
    // Leaving the scope made room.
    ExternRef::new(&mut store, "object")?;
    Ok(())
}

#[derive(HostObject)]
struct Item;

struct Items;

#[host_module(name = "items")]
impl Items {
    fn make() -> New<Item> {
        New(Item)
    }
}

#[test]
fn new_host_objects_are_limited_and_collected() -> Result<()> {
    let mut store = limited(Mode::Normal, PAGE);
    let mut linker = Linker::new(store.engine());
    Items::add_to_linker(&mut linker)?;
    let wat = r#"(module
        (import "items" "make" (func $make (result externref)))
        (table $kept 5000 externref)
        (func (export "waste") (param i32)
            (loop
                (drop (call $make))
                (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
        (func (export "keep")
            (local i32)
            (loop
                (table.set $kept (local.get 0) (call $make))
                (local.set 0 (i32.add (local.get 0) (i32.const 1)))
                (br 0))))"#;
    let module = Module::new(store.engine(), wat)?;
    let guest = linker.instantiate(&mut store, &module)?;
    export::<i32, ()>(&mut store, guest, "waste")?.call(&mut store, 100_000)?;
    let keep = export::<(), ()>(&mut store, guest, "keep")?;
    let error = keep.call(&mut store, ()).unwrap_err();
    let text = error.root_cause().to_string();
    assert!(text.starts_with("no room for a new `"), "{text}");
    Ok(())
}

fn exceptions_of_the_host_are_limited(mode: Mode) -> Result<()> {
    let mut store = limited(mode, PAGE);
    let ty = TagType::new(FuncType::new(store.engine(), [ValType::I32], []));
    let tag = Tag::new(&mut store, &ty)?;
    let mut scope = RootScope::new(&mut store);
    let outcome =
        (0..10_000).try_for_each(|n| ExnRef::new(&mut scope, &tag, &[n.into()]).map(drop));
    assert!(outcome.unwrap_err().is::<GcHeapOutOfMemory<()>>());
    Ok(())
}

#[test]
fn the_heap_asks_for_room_in_steps() {
    let mut store = witnessed(&Engine::default());
    let guest = instantiate(&mut store, LISTS, &[]).unwrap();
    assert!(store.data().memories.is_empty(), "a heap without objects asks for nothing");
    let keep = export::<i32, ()>(&mut store, guest, "keep").unwrap();
    keep.call(&mut store, 1_000_000).unwrap();
    let steps = &store.data().memories;
    assert_eq!(steps[0], (0, 1 << 20, Some(1 << 30)));
    assert!(steps.windows(2).all(|pair| pair[0].1 == pair[1].0), "{steps:?}");
    assert!(steps.iter().all(|(current, desired, _)| current < desired), "{steps:?}");
    let (heap, last) = (store.gc_stats().heap_bytes, steps[steps.len() - 1].1);
    assert!(heap <= last && last <= 2 * heap, "{heap} bytes of {last}");
    assert!(steps.len() < 30, "{steps:?}");
    let stats = store.gc_stats();
    assert!(stats.full_collections < 8, "growing is no reason to collect everything: {stats:?}");
}

#[test]
fn when_the_heap_may_not_grow_well_it_asks_for_the_least() {
    let limits = StoreLimitsBuilder::new().memory_size(2 * PAGE).trap_on_grow_failure(true);
    let mut store = Store::new(&Engine::default(), limits.build());
    store.limiter(|limits| limits);
    let guest = instantiate(&mut store, LISTS, &[]).unwrap();
    export::<i32, ()>(&mut store, guest, "keep").unwrap().call(&mut store, 4_000).unwrap();
    let keep = export::<i32, ()>(&mut store, guest, "keep").unwrap();
    let error = keep.call(&mut store, 10_000).unwrap_err();
    let cause = error.root_cause().to_string();
    assert_eq!(cause, "a memory of 196608 bytes exceeds its limit of 131072 bytes");
}

#[test]
fn an_error_stops_a_guest_that_needs_a_larger_heap() {
    let mut store = witnessed(&Engine::default());
    store.data_mut().answer = Answer::Error;
    let guest = instantiate(&mut store, LISTS, &[]).unwrap();
    let waste = export::<i32, ()>(&mut store, guest, "waste").unwrap();
    let error = waste.call(&mut store, 1).unwrap_err();
    assert_eq!(error.root_cause().to_string(), "the witness objects");
    let error = ExternRef::new(&mut store, "object").unwrap_err();
    assert_eq!(error.to_string(), "the witness objects");
    store.data_mut().answer = Answer::Panic;
    let outcome = catch_unwind(AssertUnwindSafe(|| waste.call(&mut store, 1)));
    assert_eq!(outcome.unwrap_err().downcast_ref(), Some(&"the witness panics"));
    store.data_mut().answer = Answer::Yes;
    waste.call(&mut store, 1).unwrap();
}

#[test]
fn a_limiter_that_comes_late_is_asked_for_what_is_missing() {
    let mut store = Store::new(&Engine::default(), Witness::default());
    let guest = instantiate(&mut store, LISTS, &[]).unwrap();
    let keep = export::<i32, ()>(&mut store, guest, "keep").unwrap();
    keep.call(&mut store, 20_000).unwrap();
    store.limiter(|witness| witness);
    store.data_mut().answer = Answer::No;
    let error = keep.call(&mut store, 20_000).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::GcHeapOutOfMemory));
    let (current, ..) = store.data().memories[0];
    assert_eq!(current, (20_000_usize * 16).next_multiple_of(PAGE));
    store.data_mut().answer = Answer::Yes;
    keep.call(&mut store, 20_000).unwrap();
}

#[test]
fn libraries_that_see_a_part_of_the_data_reach_the_limiter() {
    #[derive(Default)]
    struct Library;

    #[host_module(receiver = "state")]
    impl Library {
        fn make(cx: &mut HostCx<'_, Self>) -> Result<u32> {
            let memory = Memory::new(&mut *cx, MemoryType::new(1, None))?;
            memory.grow(&mut *cx, 2)?;
            ExternRef::new(cx, "object").map(|_| 1)
        }
    }

    #[derive(Default)]
    struct App {
        _before: [u64; 9],
        library: Library,
        witness: Witness,
    }

    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    Library::add_to_linker(&mut linker, |app: &mut App| &mut app.library).unwrap();
    let wat = r#"(module (import "library" "make" (func (result i32))) (export "make" (func 0)))"#;
    let mut store = Store::new(&engine, App::default());
    store.limiter(|app| &mut app.witness);
    let guest = linker.instantiate(&mut store, &Module::new(&engine, wat).unwrap()).unwrap();
    let make = export::<(), u32>(&mut store, guest, "make").unwrap();
    make.call(&mut store, ()).unwrap();
    let asked = &store.data().witness.memories;
    assert_eq!(asked[..2], [(0, PAGE, None), (PAGE, 3 * PAGE, None)]);
    assert_eq!(asked[2].0, 0, "the GC heap");
}

#[test]
fn host_functions_that_grow_ask_the_limiter() {
    let mut store = witnessed(&Engine::default());
    let mut linker = Linker::new(store.engine());
    let grow = |mut caller: Caller<'_, Witness>| -> Result<u64> {
        let memory = caller.get_export("memory").and_then(|export| export.into_memory());
        memory.expect("the guest exports it").grow(&mut caller, 1)
    };
    linker.func_wrap("", "grow", grow).unwrap();
    let wat = r#"(module (import "" "grow" (func $grow (result i64)))
        (memory (export "memory") 1 2)
        (func (export "run") (result i64) (call $grow)))"#;
    let module = Module::new(store.engine(), wat).unwrap();
    let guest = linker.instantiate(&mut store, &module).unwrap();
    let run = export::<(), i64>(&mut store, guest, "run").unwrap();
    assert_eq!(run.call(&mut store, ()).unwrap(), 1);
    assert!(run.call(&mut store, ()).is_err());
    assert_eq!(store.data().memories.len(), 3);
    assert_eq!(store.data().failures.len(), 1);
}
