//! Active data segments: what they leave in the memories of instances, whether it is copied there or
//! mapped, and whatever was in the memory's place before.

use hostref::{
    Config, Engine, Instance, Memory, Module, Ref, RefType, Result, Store, Table, TableType, Trap,
};

const PAGE: usize = 64 << 10;

/// A segment of `len` bytes at `at`, in which each byte tells where it is and whose.
fn segment(seed: usize, at: usize, len: usize) -> Vec<u8> {
    (at..at + len).map(|at| (at / 7 + at / 4096 + seed) as u8 | 1).collect()
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}

/// A module with a memory of `pages` and these segments, each as its place and its length; and what its
/// memory holds at first.
fn module(engine: &Engine, pages: usize, segments: &[(usize, usize)]) -> Result<(Module, Vec<u8>)> {
    let mut expected = vec![0; pages * PAGE];
    let mut data = String::new();
    for (seed, (at, len)) in segments.iter().enumerate() {
        let bytes = segment(seed, *at, *len);
        data += &format!("(data (i32.const {at}) \"{}\")\n", text(&bytes));
        expected[*at..at + len].copy_from_slice(&bytes);
    }
    let wat = format!(
        "(module (memory (export \"memory\") {pages} 100) {data}
            (func (export \"set\") (param i32 i32) (i32.store8 (local.get 0) (local.get 1))))"
    );
    Ok((Module::new(engine, wat)?, expected))
}

fn start(engine: &Engine, module: &Module) -> Result<(Store<()>, Instance, Memory)> {
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, module, &[])?;
    let memory = instance.get_memory(&mut store, "memory").expect("it exports one");
    Ok((store, instance, memory))
}

/// Segments that are copied, that are mapped, that overlap, that end with the memory, that begin within a
/// page, that are far apart.
const SHAPES: [(usize, &[(usize, usize)]); 7] = [
    (1, &[(5, 10), (65_500, 36)]),
    (4, &[(1000, 200_000)]),
    (4, &[(4096, 131_072)]),
    (4, &[(1, 140_000), (70_000, 100), (69_000, 10_000)]),
    (4, &[(4 * PAGE - 150_000, 150_000)]),
    (40, &[(100, 70_000), (39 * PAGE, 60_000)]),
    (90, &[(100, 70_000), (89 * PAGE, 60_000)]),
];

fn engines() -> Result<Vec<Engine>> {
    let mut checked = Config::new();
    checked.memory_reservation(0);
    Ok(vec![Engine::default(), Engine::new(&checked)?])
}

#[test]
fn every_instance_has_the_data_for_itself() -> Result<()> {
    for engine in engines()? {
        for (pages, segments) in SHAPES {
            let (module, expected) = module(&engine, pages, segments)?;
            let (mut one, instance, memory) = start(&engine, &module)?;
            assert!(memory.data(&one) == expected, "{segments:?}");
            let set = instance.get_typed_func::<(u32, i32), ()>(&mut one, "set")?;
            for at in (0..pages * PAGE).step_by(1021) {
                set.call(&mut one, (at as u32, 0xee))?;
            }
            memory.data_mut(&mut one)[pages * PAGE - 1] = 0xdd;
            let (other, _, untouched) = start(&engine, &module)?;
            assert!(untouched.data(&other) == expected, "{segments:?}");
            assert!(memory.data(&one).iter().step_by(1021).all(|byte| *byte >= 0xdd));
        }
    }
    Ok(())
}

#[test]
fn nothing_is_left_for_the_next_instance() -> Result<()> {
    for engine in engines()? {
        let modules: Result<Vec<_>> =
            SHAPES.iter().map(|(pages, segments)| module(&engine, *pages, segments)).collect();
        let modules = modules?;
        // In an order in which each comes after each.
        for (turn, step) in [(0, 1), (1, 2), (2, 3), (3, 5)] {
            for at in 0..modules.len() {
                let (module, expected) = &modules[(turn + at * step) % modules.len()];
                let (mut store, _, memory) = start(&engine, module)?;
                assert!(memory.data(&store) == *expected, "{turn} {at}");
                memory.grow(&mut store, 3)?;
                let data = memory.data_mut(&mut store);
                assert!(data[expected.len()..].iter().all(|byte| *byte == 0));
                data.iter_mut().step_by(511).for_each(|byte| *byte = 0xcc);
            }
        }
    }
    Ok(())
}

#[test]
fn a_serialized_module_brings_its_data() -> Result<()> {
    let engine = Engine::default();
    let (module, expected) = module(&engine, 4, &[(1000, 200_000)])?;
    // SAFETY: the bytes are those of a module that was just serialized.
    let again = unsafe { Module::deserialize(&engine, module.serialize()?)? };
    drop(module);
    for _ in 0..2 {
        let (store, _, memory) = start(&engine, &again)?;
        assert!(memory.data(&store) == expected);
    }
    Ok(())
}

/// What an instance of a module that is gone held is not in the memory of another module's.
#[test]
fn nothing_is_left_of_a_module_that_is_gone() -> Result<()> {
    for engine in engines()? {
        let plain = Module::new(&engine, "(module (memory (export \"memory\") 4 100))")?;
        for turn in 0..6 {
            let (gone, _) = module(&engine, 4, &[(1000 * turn, 200_000)])?;
            let stores = [start(&engine, &gone)?, start(&engine, &gone)?];
            match turn % 3 {
                0 => drop((gone, stores)),
                1 => drop((stores, gone)),
                _ => {
                    let [one, other] = stores;
                    drop((one, gone, other));
                }
            }
            for module in [&plain, &module(&engine, 4, &[(70_000, 140_000)])?.0] {
                let (store, _, memory) = start(&engine, module)?;
                let start = memory.data(&store)[..70_000].iter();
                assert!(start.copied().all(|byte| byte == 0), "{turn}");
            }
            let (mut store, _, memory) = start(&engine, &plain)?;
            assert!(memory.data(&store).iter().all(|byte| *byte == 0), "{turn}");
            memory.data_mut(&mut store).fill(0x99);
        }
    }
    Ok(())
}

/// Whether the data of a module gets into its memory depends on what it imports. Memories that did not get
/// it are used again.
#[test]
fn an_instance_that_failed_is_no_hindrance_for_the_next() -> Result<()> {
    let engine = Engine::default();
    let large = text(&segment(0, 0, 140_000));
    let module = Module::new(
        &engine,
        format!(
            "(module (import \"\" \"table\" (table 0 funcref)) (memory (export \"memory\") 3)
                (elem (i32.const 1) $f) (data (i32.const 5) \"{large}\") (func $f))"
        ),
    )?;
    for size in [2, 1, 2, 1, 1, 2] {
        let mut store = Store::new(&engine, ());
        let ty = TableType::new(RefType::FUNCREF, size, None);
        let table = Table::new(&mut store, ty, Ref::Func(None))?;
        match Instance::new(&mut store, &module, &[table.into()]) {
            Ok(instance) if size == 2 => {
                let memory = instance.get_memory(&mut store, "memory").unwrap();
                assert!(memory.data(&store)[5..140_005] == segment(0, 0, 140_000));
                assert_eq!(memory.data(&store)[..5], [0; 5]);
            }
            Err(error) if size == 1 => {
                assert_eq!(error.downcast::<Trap>()?, Trap::TableOutOfBounds);
            }
            outcome => panic!("{size}: {outcome:?}"),
        }
    }
    Ok(())
}

/// Instances outlive the handles of their module, and keep what it gave them.
#[test]
fn a_module_may_go_before_its_instances() -> Result<()> {
    let engine = Engine::default();
    let (module, expected) = module(&engine, 4, &[(1000, 200_000)])?;
    let (store, _, memory) = start(&engine, &module)?;
    drop((module, engine));
    assert!(memory.data(&store) == expected);
    Ok(())
}

/// Data is initialised segment by segment, after the tables: what was done before one that does not fit
/// stays, and is seen by who kept the instance's functions or its memory.
#[test]
fn what_comes_before_a_failure_stays() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let large = text(&segment(0, 0, 140_000));
    let owner = Module::new(
        &engine,
        "(module (memory (export \"memory\") 3) (table (export \"table\") 1 funcref)
            (func (export \"peek\") (param i32) (result i32)
                (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0))))",
    )?;
    let owner = Instance::new(&mut store, &owner, &[])?;
    let memory = owner.get_memory(&mut store, "memory").unwrap();
    let table = owner.get_table(&mut store, "table").unwrap();

    // An imported memory.
    let import = format!(
        "(module (import \"\" \"memory\" (memory 1)) (data (i32.const 0) \"{large}\")
            (data (i32.const 196_607) \"ab\"))"
    );
    let import = Module::new(&engine, import)?;
    let error = Instance::new(&mut store, &import, &[memory.into()]).unwrap_err();
    assert_eq!(error.downcast::<Trap>()?, Trap::MemoryOutOfBounds);
    assert!(memory.data(&store)[..140_000] == segment(0, 0, 140_000));
    assert_eq!(memory.data(&store)[196_607], 0);

    // A memory of its own, which only a function in another's table still reads.
    let own = |elements: &str, last: usize| {
        format!(
            "(module (import \"\" \"table\" (table 1 funcref)) (memory 3)
                (elem (i32.const 0) $peek) {elements}
                (data (i32.const 0) \"{large}\") (data (i32.const {last}) \"ab\")
                (func $peek (param i32) (result i32) (i32.load8_u (local.get 0))))"
        )
    };
    let peek = owner.get_typed_func::<u32, u32>(&mut store, "peek")?;
    let expected = u32::from(segment(0, 0, 140_000)[139_999]);
    for (elements, last, trap, found) in [
        ("", 196_607, Trap::MemoryOutOfBounds, expected),
        ("(elem (i32.const 1) $peek)", 196_606, Trap::TableOutOfBounds, 0),
    ] {
        let module = Module::new(&engine, own(elements, last))?;
        let error = Instance::new(&mut store, &module, &[table.into()]).unwrap_err();
        assert_eq!(error.downcast::<Trap>()?, trap);
        assert_eq!(peek.call(&mut store, 139_999)?, found);
    }
    Ok(())
}

#[test]
fn active_segments_are_dropped_and_passive_ones_are_not() -> Result<()> {
    let large = text(&segment(0, 0, 140_000));
    let wat = format!(
        "(module (memory (export \"memory\") 4) (data $active (i32.const 9) \"{large}\") (data $passive \"xyz\")
            (func (export \"active\") (param i32)
                (memory.init $active (i32.const 0) (i32.const 0) (local.get 0)))
            (func (export \"passive\") (param i32)
                (memory.init $passive (i32.const 0) (i32.const 0) (local.get 0)))
            (func (export \"drop\") (data.drop $active) (data.drop $passive)))"
    );
    let engine = Engine::default();
    let (mut store, instance, memory) = start(&engine, &Module::new(&engine, wat)?)?;
    let active = instance.get_typed_func::<u32, ()>(&mut store, "active")?;
    let passive = instance.get_typed_func::<u32, ()>(&mut store, "passive")?;
    active.call(&mut store, 0)?;
    assert_eq!(
        active.call(&mut store, 1).unwrap_err().downcast::<Trap>()?,
        Trap::MemoryOutOfBounds
    );
    passive.call(&mut store, 3)?;
    assert_eq!(memory.data(&store)[..3], *b"xyz");
    instance.get_typed_func::<(), ()>(&mut store, "drop")?.call(&mut store, ())?;
    passive.call(&mut store, 0)?;
    assert_eq!(
        passive.call(&mut store, 1).unwrap_err().downcast::<Trap>()?,
        Trap::MemoryOutOfBounds
    );
    Ok(())
}

/// 64-bit memories, and pages of one byte.
#[test]
fn memories_of_all_kinds() -> Result<()> {
    let mut config = Config::new();
    config.wasm_custom_page_sizes(true);
    let engine = Engine::new(&config)?;
    let bytes = segment(0, 0, 150_001);
    for (memory, offset) in [
        ("i64 3", "i64.const 40"),
        ("i64 3 100", "i64.const 40"),
        ("150041 (pagesize 1)", "i32.const 40"),
        ("150041 200000 (pagesize 1)", "i32.const 40"),
    ] {
        let wat = format!(
            "(module (memory (export \"memory\") {memory}) (data ({offset}) \"{}\"))",
            text(&bytes)
        );
        let module = Module::new(&engine, wat)?;
        for _ in 0..2 {
            let (mut store, _, memory) = start(&engine, &module)?;
            let data = memory.data_mut(&mut store);
            assert!(data[40..150_041] == bytes && data[..40] == [0; 40], "{memory:?}");
            data.fill(0x77);
        }
    }
    Ok(())
}
