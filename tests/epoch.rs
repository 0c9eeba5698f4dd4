//! Epoch interruption: how a guest that does not end by itself is stopped, and what happens at the
//! deadline.

use std::sync::mpsc;

use anyhow::anyhow;
use hostref::{
    AsContextMut, Caller, Config, Engine, ExternRef, Func, Instance, Module, Result, Store, Trap,
    TypedFunc, UpdateDeadline, WasmBacktrace,
};

const GUEST: &str = r#"(module
    (import "" "tick" (func $tick))
    (func $spin (export "spin") (loop (br 0)))
    (func (export "ticks") (loop (call $tick) (br 0)))
    (func $recur (param i32)
        (if (local.get 0) (then
            (call $recur (i32.sub (local.get 0) (i32.const 1)))
            (call $recur (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "recur") (call $recur (i32.const 60)))
    (func (export "nothing"))
    (func (export "work") (local i32)
        (local.set 0 (i32.const 1000))
        (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#;

fn engine() -> Engine {
    Engine::new(Config::new().epoch_interruption(true)).unwrap()
}

/// The guest in a new store whose deadline is `deadline` epochs away. Its `tick` advances the epoch.
fn guest<T: 'static>(engine: &Engine, data: T, deadline: u64) -> (Store<T>, Instance) {
    let mut store = Store::new(engine, data);
    store.set_epoch_deadline(deadline);
    let clock = engine.clone();
    let tick = Func::wrap(&mut store, move || clock.increment_epoch());
    let module = Module::new(engine, GUEST).unwrap();
    let instance = Instance::new(&mut store, &module, &[tick.into()]).unwrap();
    (store, instance)
}

fn export<T: 'static>(store: &mut Store<T>, instance: &Instance, name: &str) -> TypedFunc<(), ()> {
    instance.get_typed_func(store, name).unwrap()
}

fn assert_interrupted(outcome: Result<()>) {
    let error = outcome.unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt), "{error:?}");
}

#[test]
fn another_thread_stops_an_endless_loop() {
    let engine = engine();
    let (mut store, instance) = guest(&engine, (), 1);
    let spin = export(&mut store, &instance, "spin");
    let (ready, wait) = mpsc::channel();
    let clock = engine.clone();
    let thread = std::thread::spawn(move || {
        wait.recv().unwrap();
        clock.increment_epoch();
    });
    ready.send(()).unwrap();
    let error = spin.call(&mut store, ()).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
    let backtrace = error.downcast_ref::<WasmBacktrace>().unwrap();
    assert_eq!(backtrace.frames()[0].func_name(), Some("spin"));
    thread.join().unwrap();
}

#[test]
fn recursion_without_loops_is_stopped_too() {
    let engine = engine();
    let (mut store, instance) = guest(&engine, (), 1);
    let recur = export(&mut store, &instance, "recur");
    let clock = engine.clone();
    let thread = std::thread::spawn(move || clock.increment_epoch());
    assert_interrupted(recur.call(&mut store, ()));
    thread.join().unwrap();
}

#[test]
fn the_deadline_counts_from_when_it_is_set() {
    let engine = engine();
    engine.increment_epoch();
    let (mut store, instance) = guest(&engine, (), 2);
    let nothing = export(&mut store, &instance, "nothing");
    nothing.call(&mut store, ()).unwrap();
    engine.increment_epoch();
    nothing.call(&mut store, ()).unwrap();
    engine.increment_epoch();
    assert_interrupted(nothing.call(&mut store, ()));
    // It stays reached until it is moved.
    assert_interrupted(nothing.call(&mut store, ()));
    store.set_epoch_deadline(1);
    nothing.call(&mut store, ()).unwrap();
}

#[test]
fn a_deadline_at_the_end_of_time_is_never_reached() {
    let engine = engine();
    engine.increment_epoch();
    let (mut store, instance) = guest(&engine, (), u64::MAX);
    export(&mut store, &instance, "work").call(&mut store, ()).unwrap();
}

#[test]
fn a_store_without_a_deadline_is_interrupted_at_once() {
    let engine = engine();
    let (mut store, instance) = guest(&engine, (), 0);
    assert_interrupted(export(&mut store, &instance, "nothing").call(&mut store, ()));
}

#[test]
fn each_store_has_its_own_deadline() {
    let engine = engine();
    let (mut short, short_instance) = guest(&engine, (), 1);
    let (mut long, long_instance) = guest(&engine, (), 100);
    engine.increment_epoch();
    assert_interrupted(export(&mut short, &short_instance, "work").call(&mut short, ()));
    export(&mut long, &long_instance, "work").call(&mut long, ()).unwrap();
}

#[test]
fn without_the_setting_nothing_is_interrupted() {
    let engine = Engine::default();
    let (mut store, instance) = guest(&engine, (), 0);
    engine.increment_epoch();
    export(&mut store, &instance, "work").call(&mut store, ()).unwrap();
}

#[test]
fn a_callback_lets_the_guest_go_on_until_it_says_otherwise() {
    let engine = engine();
    let (mut store, instance) = guest(&engine, 0, 1);
    store.epoch_deadline_callback(|mut store| {
        *store.data_mut() += 1;
        Ok(match *store.data() {
            5 => UpdateDeadline::Interrupt,
            _ => UpdateDeadline::Continue(1),
        })
    });
    let ticks = export(&mut store, &instance, "ticks");
    assert_interrupted(ticks.call(&mut store, ()));
    assert_eq!(*store.data(), 5);
    // The callback is still there.
    *store.data_mut() = 3;
    assert_interrupted(ticks.call(&mut store, ()));
    assert_eq!(*store.data(), 5);
    store.epoch_deadline_trap();
    *store.data_mut() = 0;
    assert_interrupted(ticks.call(&mut store, ()));
    assert_eq!(*store.data(), 0);
}

#[test]
fn a_loop_that_went_past_its_deadline_goes_on_undisturbed() {
    let engine = engine();
    let (mut store, instance) = guest(&engine, 0, 1);
    store.epoch_deadline_callback(|mut store| {
        *store.data_mut() += 1;
        Ok(UpdateDeadline::Continue(1))
    });
    let work = export(&mut store, &instance, "work");
    for epochs in 1..4 {
        engine.increment_epoch();
        work.call(&mut store, ()).unwrap();
        assert_eq!(*store.data(), epochs);
    }
}

#[derive(Debug, PartialEq)]
struct OutOfTime(u32);

impl std::fmt::Display for OutOfTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ms are over", self.0)
    }
}

impl std::error::Error for OutOfTime {}

#[test]
fn an_error_of_the_callback_comes_back_to_the_embedder() {
    let engine = engine();
    let (mut store, instance) = guest(&engine, (), 1);
    store.epoch_deadline_callback(|_| Err(OutOfTime(50).into()));
    let ticks = export(&mut store, &instance, "ticks");
    for _ in 0..2 {
        let error = ticks.call(&mut store, ()).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&OutOfTime(50)));
        let backtrace = error.downcast_ref::<WasmBacktrace>().unwrap();
        assert_eq!(backtrace.frames().len(), 1);
    }
}

#[test]
fn a_panic_of_the_callback_resumes_in_the_embedder() {
    let engine = engine();
    let (mut store, instance) = guest(&engine, (), 1);
    store.epoch_deadline_callback(|_| std::panic::resume_unwind(Box::new("callback")));
    let ticks = export(&mut store, &instance, "ticks");
    for _ in 0..2 {
        let call = std::panic::AssertUnwindSafe(|| ticks.call(&mut store, ()));
        let panic = std::panic::catch_unwind(call).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"callback"));
    }
    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Continue(10)));
    export(&mut store, &instance, "work").call(&mut store, ()).unwrap();
}

#[test]
fn a_callback_may_call_the_guest() {
    let engine = engine();
    let (mut store, instance) = guest(&engine, 0, 1);
    let work = export(&mut store, &instance, "work");
    store.epoch_deadline_callback(move |mut store| {
        *store.data_mut() += 1;
        if *store.data() == 3 {
            return Err(anyhow!("three times"));
        }
        store.set_epoch_deadline(100);
        work.call(&mut store, ())?;
        Ok(UpdateDeadline::Continue(1))
    });
    let error = export(&mut store, &instance, "ticks").call(&mut store, ()).unwrap_err();
    assert!(format!("{error:#}").contains("three times"), "{error:#}");
}

#[test]
fn references_made_by_a_callback_end_with_it() {
    let engine = engine();
    let (mut store, instance) = guest(&engine, None, 1);
    store.epoch_deadline_callback(|mut store| {
        if store.data().is_some() {
            return Ok(UpdateDeadline::Interrupt);
        }
        let object = ExternRef::new(&mut store, 1_u8)?;
        *store.data_mut() = Some(object);
        Ok(UpdateDeadline::Continue(1))
    });
    assert_interrupted(export(&mut store, &instance, "ticks").call(&mut store, ()));
    let object = store.data().unwrap();
    assert!(object.data(&store).is_err(), "a guest that runs for ever must not pile up roots");
}

#[test]
fn a_host_function_may_move_the_deadline() {
    let engine = engine();
    let (mut store, _) = guest(&engine, 0_u32, 1);
    let clock = engine.clone();
    let tick = Func::wrap(&mut store, move |mut caller: Caller<'_, u32>| {
        clock.increment_epoch();
        *caller.data_mut() += 1;
        if *caller.data() < 10 {
            caller.as_context_mut().set_epoch_deadline(1);
        }
    });
    let module = Module::new(&engine, GUEST).unwrap();
    let instance = Instance::new(&mut store, &module, &[tick.into()]).unwrap();
    assert_interrupted(export(&mut store, &instance, "ticks").call(&mut store, ()));
    assert_eq!(*store.data(), 10);
}
