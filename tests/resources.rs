//! Resources: memory and address space go back when their last user is gone. Each test looks at the
//! whole process, so they run one after the other, and apart from all others.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hostref::{Config, Engine, Instance, Linker, Module, Store};

/// Waits until no other test runs.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Pages of memory that this process occupies.
fn resident_pages() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn ten_thousand_modules_come_and_go_in_flat_memory() {
    let _alone = alone();
    let engine = Engine::new(Config::new().parallel_compilation(false)).unwrap();
    let round = |range: std::ops::Range<u32>| {
        for i in range {
            // The number makes each module another one.
            let wat = format!(r#"(module (func (export "f") (result i32) (i32.const {i})))"#);
            let module = Module::new(&engine, wat).unwrap();
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let f = instance.get_typed_func::<(), u32>(&mut store, "f").unwrap();
            assert_eq!(f.call(&mut store, ()).unwrap(), i);
        }
    };
    round(0..2_000);
    let before = resident_pages();
    round(2_000..10_000);
    let grown = resident_pages().saturating_sub(before);
    assert!(grown < 1024, "8,000 modules left {grown} pages behind");
}

#[test]
fn instantiations_that_fail_leave_no_memory_behind() {
    let _alone = alone();
    let engine = Engine::new(Config::new().table_limit(10)).unwrap();
    let module = Module::new(&engine, "(module (memory 1) (table 11 externref))").unwrap();
    let mut store = Store::new(&engine, ());
    // If each kept its reservation the address space would not suffice.
    for _ in 0..20_000 {
        let error = Instance::new(&mut store, &module, &[]).unwrap_err();
        assert!(error.to_string().contains("exceeds the limit of 10 elements"), "{error}");
    }
    store.gc();
}

#[test]
fn stores_give_their_address_space_back() {
    let _alone = alone();
    let engine = Engine::default();
    let module = Module::new(&engine, "(module (memory 1))").unwrap();
    let pre = Linker::new(&engine).instantiate_pre(&module).unwrap();
    for _ in 0..20_000 {
        pre.instantiate(&mut Store::new(&engine, ())).unwrap();
    }
}

#[test]
fn memories_beyond_the_address_space_are_an_error() {
    let _alone = alone();
    let engine = Engine::default();
    let module = Module::new(&engine, "(module (memory 1))").unwrap();
    let mut store = Store::new(&engine, ());
    let outcome = (0..40_000).try_for_each(|_| Instance::new(&mut store, &module, &[]).map(drop));
    assert!(outcome.is_err(), "128 TiB hold fewer than 40,000 reservations of 4 GiB and more");
}

#[test]
fn huge_declared_tables_cost_no_memory_until_they_are_used() {
    let _alone = alone();
    let tables = "(table 10000000 externref) (table 10000000 funcref)".repeat(20);
    let wat = format!(r#"(module {tables} (func (export "f") (result i32) (table.size 39)))"#);
    let before = resident_pages();
    let engine = Engine::default();
    let module = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let f = instance.get_typed_func::<(), u32>(&mut store, "f").unwrap();
    assert_eq!(f.call(&mut store, ()).unwrap(), 10_000_000);
    let grown = resident_pages().saturating_sub(before);
    assert!(grown < 8 << 10, "2.4 GB of tables were declared, {grown} pages are resident");
}

#[test]
fn a_memory_that_is_used_again_holds_nothing_of_its_last_use() {
    let _alone = alone();
    for reservation in [4 << 30, 0] {
        let engine = Engine::new(Config::new().memory_reservation(reservation)).unwrap();
        let module = |pages: u32| {
            let wat = format!(
                r#"(module (memory (export "m") {pages} 40)
                    (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
                    (func (export "grow") (result i32) (memory.grow (i32.const 3))))"#
            );
            Module::new(&engine, wat).unwrap()
        };
        // Sizes that are cleared in each way, larger and smaller ones after each other.
        let modules = [1, 1, 17, 17, 3, 0, 1, 20, 17].map(module);
        for (round, module) in modules.iter().cycle().take(40).enumerate() {
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, module, &[]).unwrap();
            let load = instance.get_typed_func::<u32, u32>(&mut store, "load").unwrap();
            let grow = instance.get_typed_func::<(), u32>(&mut store, "grow").unwrap();
            let memory = instance.get_memory(&mut store, "m").unwrap();
            let mut clean = 0;
            for _ in 0..2 {
                let end = memory.data_size(&store);
                assert!(load.call(&mut store, end as u32).is_err(), "the guard begins at the end");
                let data = &mut memory.data_mut(&mut store)[clean..];
                assert!(data.iter().all(|byte| *byte == 0), "round {round}");
                // All of it, or a few pages far apart.
                let step = if round % 2 == 0 { 1 } else { 99_999 };
                data.iter_mut().step_by(step).for_each(|byte| *byte = 7);
                clean = end;
                assert_ne!(grow.call(&mut store, ()).unwrap(), u32::MAX);
            }
        }
    }
}

/// How many files are open, and how many mappings of initial memory there are.
fn files_and_images() -> (usize, usize) {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let images = maps.lines().filter(|line| line.contains("memfd:wasm memory")).count();
    (std::fs::read_dir("/proc/self/fd").unwrap().count(), images)
}

#[test]
fn initial_memory_is_given_back_with_its_module() {
    let _alone = alone();
    let engine = Engine::default();
    let module = |byte: &str| {
        let data = byte.repeat(200_000);
        Module::new(&engine, format!(r#"(module (memory 4) (data (i32.const 7) "{data}"))"#))
            .unwrap()
    };
    let start = |module: &Module| {
        let mut store = Store::new(&engine, ());
        Instance::new(&mut store, module, &[]).unwrap();
        store
    };
    drop(start(&module("a")));
    let (files, images) = files_and_images();
    assert_eq!(images, 0);
    let kept = module("b");
    drop(start(&kept));
    let with_one = files_and_images();
    assert_eq!(with_one, (files + 1, 1), "an idle reservation shows it");
    for turn in 0..50 {
        let module = module("c");
        let stores: Vec<_> = (0..3).map(|_| start(&module)).collect();
        assert_eq!(files_and_images(), (files + 2, 1 + 3));
        match turn % 2 {
            0 => drop((module, stores)),
            _ => drop((stores, module)),
        }
        let (files_now, images) = files_and_images();
        assert!(files_now == files + 1 && images <= 1, "turn {turn}: {images}");
    }
    drop(kept);
    assert_eq!(files_and_images(), (files, 0));
}

#[test]
fn many_modules_leave_files_to_the_embedder() {
    let _alone = alone();
    let engine = Engine::default();
    let (files, _) = files_and_images();
    let start = |number: u32| {
        let data = "x".repeat(20_000);
        let wat = format!(
            r#"(module (memory (export "memory") 1) (data (i32.const {number}) "{data}"))"#
        );
        let module = Module::new(&engine, wat).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        let (at, data) = (number as usize, memory.data(&store));
        assert!(data[..at].iter().chain(&data[at + 20_000..]).all(|byte| *byte == 0));
        assert!(data[at..at + 20_000].iter().all(|byte| *byte == b'x'));
        module
    };
    let modules: Vec<_> = (0..200).map(start).collect();
    assert_eq!(files_and_images().0, files + 128);
    drop(modules);
    assert_eq!(files_and_images(), (files, 0));
    start(7);
}
