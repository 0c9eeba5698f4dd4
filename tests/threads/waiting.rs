//! Waiting and waking: between guests in several stores, and between guests and the embedder.

use std::sync::mpsc;
use std::time::Duration;

use hostref::{Engine, Instance, Module, Result, SharedMemory, Store, Trap, WaitResult};

use super::{config, engine, engines, instance, shared};

const GUEST: &str = r#"(module
    (memory (import "" "memory") 1 1 shared)
    (func (export "wait32") (param i32 i32 i64) (result i32)
        (memory.atomic.wait32 (local.get 0) (local.get 1) (local.get 2)))
    (func (export "wait64") (param i32 i64 i64) (result i32)
        (memory.atomic.wait64 (local.get 0) (local.get 1) (local.get 2)))
    (func (export "notify") (param i32 i32) (result i32)
        (memory.atomic.notify (local.get 0) (local.get 1)))
    (func (export "set") (param i32 i32) (i32.atomic.store (local.get 0) (local.get 1))))"#;

const FOR_EVER: i64 = -1;

/// Wakes `count` threads at `address`, as they come.
fn wake(memory: &SharedMemory, address: u64, count: u32) {
    let mut woken = 0;
    while woken < count {
        woken += memory.atomic_notify(address, count - woken).unwrap();
        std::thread::yield_now();
    }
}

fn trap<T: std::fmt::Debug>(outcome: Result<T>) -> Trap {
    *outcome.unwrap_err().downcast_ref::<Trap>().expect("guests only trap here")
}

#[test]
fn guests_wake_guests_of_other_stores() {
    for engine in engines() {
        let memory = shared(&engine, 1, 1);
        let module = Module::new(&engine, GUEST).unwrap();
        std::thread::scope(|scope| {
            let waiters = (0..3_i64).map(|number| {
                let (module, memory) = (&module, &memory);
                scope.spawn(move || -> Result<u32> {
                    let (mut store, instance) = instance(module, memory)?;
                    // Those with a timeout have a long one.
                    let timeout = if number == 0 { FOR_EVER } else { i64::MAX - number };
                    let wait = instance.get_typed_func(&mut store, "wait32")?;
                    wait.call(&mut store, (8_u32, 0_u32, timeout))
                })
            });
            let waiters = waiters.collect::<Vec<_>>();
            let (mut store, instance) = instance(&module, &memory).unwrap();
            let notify = instance.get_typed_func::<(u32, u32), u32>(&mut store, "notify").unwrap();
            let mut woken = 0;
            while woken < 3 {
                assert_eq!(notify.call(&mut store, (0, u32::MAX)).unwrap(), 0);
                assert_eq!(notify.call(&mut store, (8, 0)).unwrap(), 0);
                let one = notify.call(&mut store, (8, 1)).unwrap();
                assert!(one <= 1);
                woken += one;
            }
            for waiter in waiters {
                assert_eq!(waiter.join().unwrap().unwrap(), WaitResult::Ok as u32);
            }
            assert_eq!(notify.call(&mut store, (8, u32::MAX)).unwrap(), 0);
        });
    }
}

#[test]
fn the_embedder_wakes_guests_and_is_woken() {
    let engine = engine();
    let memory = shared(&engine, 1, 1);
    let module = Module::new(&engine, GUEST).unwrap();
    std::thread::scope(|scope| {
        let host = scope.spawn(|| memory.atomic_wait64(16, 0, None));
        let guest = scope.spawn(|| -> Result<u32> {
            let (mut store, instance) = instance(&module, &memory)?;
            let wait = instance.get_typed_func::<(u32, i64, i64), u32>(&mut store, "wait64")?;
            wait.call(&mut store, (24, 0, FOR_EVER))
        });
        // Whoever waits holds nothing that others need.
        let (mut store, instance) = instance(&module, &memory).unwrap();
        let notify = instance.get_typed_func::<(u32, u32), u32>(&mut store, "notify").unwrap();
        while notify.call(&mut store, (16, 1)).unwrap() == 0 {}
        assert_eq!(host.join().unwrap(), Ok(WaitResult::Ok));
        wake(&memory, 24, 1);
        assert_eq!(guest.join().unwrap().unwrap(), WaitResult::Ok as u32);
    });
}

/// Two players take turns: the turn's number is at 0.
const PLAYER: &str = r#"(module
    (import "" "" (memory 1 1 shared))
    (func (export "play") (param $me i32) (param $rounds i32)
        (loop $again
            (block $mine
                (loop $retry
                    (br_if $mine (i32.eq (i32.atomic.load (i32.const 0)) (local.get $me)))
                    (drop (memory.atomic.wait32 (i32.const 0)
                        (i32.sub (i32.const 1) (local.get $me)) (i64.const -1)))
                    (br $retry)))
            (i32.atomic.store (i32.const 0) (i32.sub (i32.const 1) (local.get $me)))
            (drop (memory.atomic.notify (i32.const 0) (i32.const 1)))
            (br_if $again (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))))"#;

#[test]
fn no_wake_up_is_lost() {
    let engine = engine();
    let memory = shared(&engine, 1, 1);
    let module = Module::new(&engine, PLAYER).unwrap();
    std::thread::scope(|scope| {
        for me in 0..2_u32 {
            let (module, memory) = (&module, &memory);
            scope.spawn(move || {
                let (mut store, instance) = instance(module, memory).unwrap();
                let play = instance.get_typed_func::<(u32, u32), ()>(&mut store, "play").unwrap();
                play.call(&mut store, (me, 2000)).unwrap();
            });
        }
    });
}

#[test]
fn who_need_not_or_may_not_wait_does_not() {
    let engine = engine();
    let memory = shared(&engine, 1, 1);
    let module = Module::new(&engine, GUEST).unwrap();
    let (mut store, instance) = instance(&module, &memory).unwrap();
    let set = instance.get_typed_func::<(u32, u32), ()>(&mut store, "set").unwrap();
    let wait32 = instance.get_typed_func::<(u32, u32, i64), u32>(&mut store, "wait32").unwrap();
    let wait64 = instance.get_typed_func::<(u32, u64, i64), u32>(&mut store, "wait64").unwrap();
    set.call(&mut store, (12, 7)).unwrap();
    for timeout in [FOR_EVER, i64::MIN, 0, 1] {
        assert_eq!(wait32.call(&mut store, (12, 8, timeout)).unwrap(), 1);
        assert_eq!(wait64.call(&mut store, (8, 7, timeout)).unwrap(), 1);
    }
    for timeout in [0, 1, 100_000] {
        assert_eq!(wait32.call(&mut store, (12, 7, timeout)).unwrap(), 2);
        assert_eq!(wait64.call(&mut store, (8, 7 << 32, timeout)).unwrap(), 2);
    }
    let host = |timeout| memory.atomic_wait64(8, 7 << 32, Some(timeout));
    assert_eq!(host(Duration::ZERO), Ok(WaitResult::TimedOut));
    assert_eq!(host(Duration::from_micros(100)), Ok(WaitResult::TimedOut));
    assert_eq!(memory.atomic_wait32(8, 7, None), Ok(WaitResult::Mismatch));
}

#[test]
fn addresses_are_checked_before_anything_else() {
    const END: u32 = 1 << 16;
    for engine in engines() {
        let memory = shared(&engine, 1, 1);
        let module = Module::new(&engine, GUEST).unwrap();
        let (mut store, instance) = instance(&module, &memory).unwrap();
        let wait32 = instance.get_typed_func::<(u32, u32, i64), u32>(&mut store, "wait32").unwrap();
        let wait64 = instance.get_typed_func::<(u32, u64, i64), u32>(&mut store, "wait64").unwrap();
        let notify = instance.get_typed_func::<(u32, u32), u32>(&mut store, "notify").unwrap();
        for (address, size, expected) in [
            (1, 4, Trap::HeapMisaligned),
            (END + 2, 4, Trap::HeapMisaligned),
            (END, 4, Trap::MemoryOutOfBounds),
            (u32::MAX - 3, 4, Trap::MemoryOutOfBounds),
            (4, 8, Trap::HeapMisaligned),
            (END, 8, Trap::MemoryOutOfBounds),
        ] {
            let host = u64::from(address);
            if size == 4 {
                assert_eq!(trap(wait32.call(&mut store, (address, 1, 0))), expected);
                assert_eq!(trap(notify.call(&mut store, (address, 1))), expected);
                assert_eq!(memory.atomic_wait32(host, 1, None), Err(expected));
                assert_eq!(memory.atomic_notify(host, 1), Err(expected));
            } else {
                assert_eq!(trap(wait64.call(&mut store, (address, 1, 0))), expected);
                assert_eq!(memory.atomic_wait64(host, 1, None), Err(expected));
            }
        }
        assert_eq!(memory.atomic_wait32(u64::MAX - 3, 0, None), Err(Trap::MemoryOutOfBounds));
        assert_eq!(memory.atomic_wait64(u64::from(END) - 8, 1, None), Ok(WaitResult::Mismatch));
    }
}

#[test]
fn offsets_count_even_beyond_the_address_space() {
    let text = r#"(module (memory i64 1 1 shared)
        (func (export "notify") (param i64) (result i32)
            (memory.atomic.notify offset=0xfffffffffffffff8 (local.get 0) (i32.const 1)))
        (func (export "wait") (param i64) (result i32)
            (memory.atomic.wait32 offset=16 (local.get 0) (i32.const 1) (i64.const 0))))"#;
    for engine in engines() {
        let module = Module::new(&engine, text).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let notify = instance.get_typed_func::<u64, u32>(&mut store, "notify").unwrap();
        let wait = instance.get_typed_func::<u64, u32>(&mut store, "wait").unwrap();
        assert_eq!(trap(notify.call(&mut store, 8)), Trap::MemoryOutOfBounds);
        assert_eq!(trap(notify.call(&mut store, 9)), Trap::HeapMisaligned);
        assert_eq!(trap(notify.call(&mut store, 1)), Trap::HeapMisaligned);
        assert_eq!(trap(wait.call(&mut store, u64::MAX - 15)), Trap::MemoryOutOfBounds);
        assert_eq!(trap(wait.call(&mut store, (1 << 16) - 16)), Trap::MemoryOutOfBounds);
        assert_eq!(wait.call(&mut store, (1 << 16) - 20).unwrap(), 1);
    }
}

#[test]
fn nobody_waits_at_a_memory_that_is_not_shared() {
    let text = GUEST.replace(r#"(memory (import "" "memory") 1 1 shared)"#, "(memory 1 1)");
    let engine = engine();
    let module = Module::new(&engine, text).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let wait32 = instance.get_typed_func::<(u32, u32, i64), u32>(&mut store, "wait32").unwrap();
    let wait64 = instance.get_typed_func::<(u32, u64, i64), u32>(&mut store, "wait64").unwrap();
    let notify = instance.get_typed_func::<(u32, u32), u32>(&mut store, "notify").unwrap();
    let error = wait32.call(&mut store, (0, 0, 0)).unwrap_err();
    let shown = error.downcast_ref::<Trap>().unwrap();
    assert_eq!(*shown, Trap::AtomicWaitNonSharedMemory);
    assert_eq!(shown.to_string(), "wasm trap: expected shared memory");
    assert_eq!(trap(wait64.call(&mut store, (0, 1, 0))), Trap::AtomicWaitNonSharedMemory);
    assert_eq!(trap(wait32.call(&mut store, (2, 0, 0))), Trap::HeapMisaligned);
    assert_eq!(trap(wait64.call(&mut store, (1 << 16, 0, 0))), Trap::MemoryOutOfBounds);
    assert_eq!(notify.call(&mut store, (0, 1)).unwrap(), 0);
    assert_eq!(trap(notify.call(&mut store, (2, 1))), Trap::HeapMisaligned);
    assert_eq!(trap(notify.call(&mut store, (1 << 16, 1))), Trap::MemoryOutOfBounds);
}

#[test]
fn a_guest_that_is_woken_finds_its_deadline() {
    let text = r#"(module
        (import "" "" (memory 1 1 shared))
        (func (export "run") (loop
            (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))
            (br 0))))"#;
    let engine = Engine::new(config().epoch_interruption(true)).unwrap();
    let memory = shared(&engine, 1, 1);
    let module = Module::new(&engine, text).unwrap();
    let (done, finished) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (mut store, instance) = instance(&module, &memory).unwrap();
            store.set_epoch_deadline(1);
            let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
            done.send(trap(run.call(&mut store, ()))).unwrap();
        });
        // It is woken again and again, and goes on until the epoch ends.
        wake(&memory, 0, 10);
        engine.increment_epoch();
        while memory.atomic_notify(0, 1).unwrap() == 0 {
            match finished.try_recv() {
                Ok(trap) => return assert_eq!(trap, Trap::Interrupt),
                Err(_) => std::thread::yield_now(),
            }
        }
        assert_eq!(finished.recv(), Ok(Trap::Interrupt));
    });
}
