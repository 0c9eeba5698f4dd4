//! One memory in several stores, on several threads: nothing is lost, growing is seen, and bulk
//! operations and segments work.

use std::sync::atomic::{AtomicU64, Ordering};

use hostref::{Engine, Instance, MemoryType, Module, Result, SharedMemory, Store, Trap};

use super::{config, engines, instance, shared};

const THREADS: u64 = 4;

/// Calls `run(rounds)` of `module` on several threads, each with a store of its own.
fn on_threads(module: &Module, memory: &SharedMemory, rounds: u32) {
    std::thread::scope(|scope| {
        let threads = (0..THREADS).map(|_| {
            scope.spawn(|| -> Result<()> {
                let (mut store, instance) = instance(module, memory)?;
                if store.get_fuel().is_ok() {
                    store.set_fuel(1 << 40)?;
                }
                store.set_epoch_deadline(1);
                instance.get_typed_func::<u32, ()>(&mut store, "run")?.call(&mut store, rounds)
            })
        });
        for thread in threads.collect::<Vec<_>>() {
            thread.join().unwrap().unwrap();
        }
    });
}

/// The number at `at`.
fn load(memory: &SharedMemory, at: usize) -> u64 {
    assert!(at.is_multiple_of(8) && at < memory.data_size());
    // SAFETY: the address is inside the memory and aligned, and nobody uses it otherwise now.
    unsafe { AtomicU64::from_ptr(memory.data()[at].get().cast()) }.load(Ordering::SeqCst)
}

/// Counters at 0, 8, .., one per way to count.
const COUNTERS: &str = r#"(module
    (import "" "" (memory 1 1 shared))
    (func (export "run") (param $rounds i32) (local $old i32)
        (loop $again
            ;; The sum, with a result and without.
            (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
            (i32.store (i32.const 128)
                (i64.eqz (i64.atomic.rmw.sub (i32.const 8) (i64.const -1))))
            (drop (i64.atomic.rmw16.add_u (i32.const 16) (i64.const 1)))
            ;; A loop of the processor's own: the exclusive or of all.
            (i32.store (i32.const 128)
                (i64.eqz (i64.atomic.rmw.xor (i32.const 24) (i64.const 0x1_0000_0001))))
            ;; Compare and exchange until nobody came between.
            (loop $retry
                (local.set $old (i32.atomic.load (i32.const 32)))
                (br_if $retry (i32.ne (local.get $old)
                    (i32.atomic.rmw.cmpxchg (i32.const 32) (local.get $old)
                        (i32.add (local.get $old) (i32.const 1))))))
            ;; A lock around plain accesses.
            (loop $retry
                (br_if $retry (i32.atomic.rmw8.xchg_u (i32.const 40) (i32.const 1))))
            (i32.store (i32.const 48) (i32.add (i32.load (i32.const 48)) (i32.const 1)))
            (i32.atomic.store8 (i32.const 40) (i32.const 0))
            (br_if $again (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))))"#;

#[test]
fn no_step_of_a_counter_is_lost() {
    let mut counted = config();
    counted.epoch_interruption(true).consume_fuel(true);
    let counted = Engine::new(&counted).unwrap();
    for engine in engines().into_iter().chain([counted]) {
        let memory = shared(&engine, 1, 1);
        // An odd number of rounds in an odd number of batches.
        let (rounds, batches) = (1001, 3);
        let module = Module::new(&engine, COUNTERS).unwrap();
        for _ in 0..batches {
            on_threads(&module, &memory, rounds);
        }
        let total = THREADS * u64::from(rounds) * batches;
        for at in [0, 8, 16, 32, 48] {
            assert_eq!(load(&memory, at), total, "at {at}");
        }
        // An even number of times.
        assert_eq!(load(&memory, 24), 0);
        assert_eq!(load(&memory, 40), 0);
    }
}

/// `grow` grows page by page up to the maximum and marks each new page; `watch` looks at the size until
/// it is the maximum, and at the last byte whenever it has changed.
const GROWING: &str = r#"(module
    (import "" "" (memory ADDRESS 1 40 shared))
    (func (export "grow") (local $old ADDRESS)
        (loop $again
            (local.set $old (memory.grow (ADDRESS.const 1)))
            (if (ADDRESS.ne (local.get $old) (ADDRESS.const -1)) (then
                (i32.store8
                    (ADDRESS.mul (local.get $old) (ADDRESS.const 65536)) (i32.const 7))
                (br $again)))))
    (func (export "watch") (local $size ADDRESS)
        (loop $again
            (local.set $size (memory.size))
            (drop (i64.load (ADDRESS.sub
                (ADDRESS.mul (local.get $size) (ADDRESS.const 65536)) (ADDRESS.const 8))))
            (br_if $again (ADDRESS.lt_u (local.get $size) (ADDRESS.const 40)))))
    (func (export "marks") (result i32) (local $page ADDRESS) (local $sum i32)
        (loop $again
            (local.set $page (ADDRESS.add (local.get $page) (ADDRESS.const 1)))
            (local.set $sum (i32.add (local.get $sum)
                (i32.load8_u (ADDRESS.mul (local.get $page) (ADDRESS.const 65536)))))
            (br_if $again (ADDRESS.lt_u (local.get $page) (ADDRESS.const 39))))
        (local.get $sum)))"#;

#[test]
fn others_see_a_memory_grow_and_use_what_they_see() {
    for engine in engines() {
        for address in ["i32", "i64"] {
            let module = Module::new(&engine, GROWING.replace("ADDRESS", address)).unwrap();
            let mut ty = MemoryType::builder();
            ty.shared(true).memory64(address == "i64").min(1).max(Some(40));
            let memory = SharedMemory::new(&engine, ty.build().unwrap()).unwrap();
            let base = memory.data().as_ptr();
            std::thread::scope(|scope| {
                for name in ["watch", "watch", "grow", "grow"] {
                    let (module, memory) = (&module, &memory);
                    scope.spawn(move || {
                        let (mut store, instance) = instance(module, memory).unwrap();
                        let func = instance.get_func(&mut store, name).unwrap();
                        func.call(&mut store, &[], &mut []).unwrap();
                    });
                }
            });
            assert_eq!((memory.size(), memory.data().as_ptr()), (40, base));
            let (mut store, instance) = instance(&module, &memory).unwrap();
            let marks = instance.get_typed_func::<(), u32>(&mut store, "marks").unwrap();
            assert_eq!(marks.call(&mut store, ()).unwrap(), 7 * 39);
        }
    }
}

#[test]
fn an_address_that_another_store_grew_into_can_be_used() {
    let text = r#"(module (memory (import "" "") 1 2 shared)
        (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
        (func (export "fill") (param i32)
            (memory.fill (local.get 0) (i32.const 5) (i32.const 8))))"#;
    for engine in engines() {
        let memory = shared(&engine, 1, 2);
        let module = Module::new(&engine, text).unwrap();
        let (mut store, instance) = instance(&module, &memory).unwrap();
        let load = instance.get_typed_func::<u32, u32>(&mut store, "load").unwrap();
        let fill = instance.get_typed_func::<u32, ()>(&mut store, "fill").unwrap();
        for outside in [load.call(&mut store, 1 << 16).map(drop), fill.call(&mut store, 65_529)] {
            let error = outside.unwrap_err();
            assert_eq!(error.downcast_ref(), Some(&Trap::MemoryOutOfBounds));
        }
        memory.grow(1).unwrap();
        fill.call(&mut store, 65_529).unwrap();
        assert_eq!(load.call(&mut store, 1 << 16).unwrap(), 5);
        assert_eq!(load.call(&mut store, (2 << 16) - 1).unwrap(), 0);
    }
}

#[test]
fn segments_and_bulk_operations_write_shared_memories() {
    let text = r#"(module
        (import "" "a" (memory $a 1 1 shared))
        (import "" "b" (memory $b 1 1 shared))
        (memory $own (export "own") 1)
        (data (memory $a) (i32.const 0) "abcdefgh")
        (data $passive "12345678")
        (func (export "run")
            (memory.init $b $passive (i32.const 8) (i32.const 2) (i32.const 4))
            (memory.fill $a (i32.const 16) (i32.const 0x2a) (i32.const 3))
            ;; Both are one memory: what is copied overlaps.
            (memory.copy $b $a (i32.const 2) (i32.const 0) (i32.const 6))
            (memory.copy $a $b (i32.const 32) (i32.const 33) (i32.const 4))
            (memory.copy $own $a (i32.const 0) (i32.const 0) (i32.const 24))
            (memory.copy $a $own (i32.const 24) (i32.const 0) (i32.const 8)))
        (func (export "outside")
            (memory.copy $b $a (i32.const 65530) (i32.const 0) (i32.const 8))))"#;
    for engine in engines() {
        let memory = shared(&engine, 1, 1);
        let module = Module::new(&engine, text).unwrap();
        let mut store = Store::new(&engine, ());
        let imports = [memory.clone().into(), memory.clone().into()];
        let instance = Instance::new(&mut store, &module, &imports).unwrap();
        let run = |store: &mut Store<()>, name: &str| {
            instance.get_typed_func::<(), ()>(&mut *store, name).unwrap().call(store, ())
        };
        run(&mut store, "run").unwrap();
        let bytes = |at: usize| load(&memory, at).to_le_bytes();
        assert_eq!(&bytes(0), b"ababcdef");
        assert_eq!(&bytes(8), b"3456\0\0\0\0");
        assert_eq!(&bytes(16), b"***\0\0\0\0\0");
        assert_eq!(&bytes(24), b"ababcdef");
        let own = instance.get_memory(&mut store, "own").unwrap();
        assert_eq!(&own.data(&store)[..20], b"ababcdef3456\0\0\0\0***\0");
        let error = run(&mut store, "outside").unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Trap::MemoryOutOfBounds));
    }
}

#[test]
fn instances_of_one_store_share_too_whoever_made_the_memory() {
    let engine = super::engine();
    let mut store = Store::new(&engine, ());
    let text = r#"(module (memory (export "m") 1 2 shared)
        (func (export "add") (result i32) (i32.atomic.rmw.add (i32.const 0) (i32.const 1))))"#;
    let first = Module::new(&engine, text).unwrap();
    let text = text.replace(r#"(memory (export "m")"#, r#"(memory (import "" "m")"#);
    let second = Module::new(&engine, text).unwrap();
    let first = Instance::new(&mut store, &first, &[]).unwrap();
    let memory = first.get_shared_memory(&mut store, "m").unwrap();
    let second = Instance::new(&mut store, &second, &[memory.clone().into()]).unwrap();
    for (instance, count) in [(first, 0), (second, 1), (first, 2)] {
        let add = instance.get_typed_func::<(), u32>(&mut store, "add").unwrap();
        assert_eq!(add.call(&mut store, ()).unwrap(), count);
    }
    assert_eq!(load(&memory, 0), 3);
}

#[test]
fn an_instantiation_that_fails_leaves_the_store_usable() {
    let engine = Engine::new(config().memory_limit(4 << 16)).unwrap();
    let mut store = Store::new(&engine, ());
    let memory = shared(&engine, 1, 1);
    let text = r#"(module (import "" "" (memory 1 1 shared)) (memory 1 1 shared) (memory 5))"#;
    let module = Module::new(&engine, text).unwrap();
    for _ in 0..2 {
        let error = Instance::new(&mut store, &module, &[memory.clone().into()]).unwrap_err();
        assert!(error.to_string().contains("exceeds the limit"), "{error}");
    }
    let text = r#"(module (import "" "" (memory 1 1 shared)) (memory 1 1 shared) (memory 2)
        (func (export "f") (result i32)
            (i32.store 0 (i32.const 0) (i32.const 1))
            (i32.store 1 (i32.const 0) (i32.const 2))
            (i32.store 2 (i32.const 0) (i32.const 4))
            (i32.add (memory.size 2) (i32.add
                (i32.load 0 (i32.const 0)) (i32.load 1 (i32.const 0))))))"#;
    let module = Module::new(&engine, text).unwrap();
    let instance = Instance::new(&mut store, &module, &[memory.into()]).unwrap();
    let f = instance.get_typed_func::<(), u32>(&mut store, "f").unwrap();
    assert_eq!(f.call(&mut store, ()).unwrap(), 5);
}
