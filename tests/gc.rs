//! When host objects die: not while anything leads to them, once when nothing does, without anyone
//! asking, and all of them with their store.

mod support;

use std::sync::{Arc, Mutex};

use hostref::{
    AsContext, AsContextMut, Caller, ExternRef, Func, FuncType, Global, GlobalType, Instance,
    Module, Mutability, Ref, RefType, Result, RootScope, Rooted, Store, Table, TableType, Val,
    ValRaw, ValType,
};
use support::{Census, Mode, both_modes, export, id, instantiate};

both_modes! {
    a_table_keeps_its_elements,
    a_global_keeps_its_value,
    a_passive_segment_keeps_its_references_until_it_is_dropped,
    a_frame_keeps_what_it_will_still_use,
    arguments_of_a_running_host_function_are_kept,
    a_frame_does_not_keep_what_it_will_not_use_again,
    a_guest_loop_of_fresh_references_runs_in_bounded_memory,
    a_guest_loop_over_a_dynamic_host_function_runs_in_bounded_memory,
    a_guest_loop_over_an_unchecked_host_function_runs_in_bounded_memory,
    a_host_loop_with_a_scope_runs_in_bounded_memory,
    a_host_loop_of_calls_runs_in_bounded_memory,
    roots_made_by_an_epoch_callback_end_with_it,
    a_store_drops_all_its_objects,
    objects_die_before_the_stores_data,
    into_data_drops_the_objects_and_keeps_the_data,
    thousands_of_stores_leave_nothing,
    a_store_moves_to_another_thread_with_its_objects,
}

/// A store with a function that collects.
fn collecting(mode: Mode) -> (Store<()>, Func) {
    let mut store = mode.store();
    let gc = Func::wrap(&mut store, |mut caller: Caller<'_, ()>| caller.as_context_mut().gc());
    (store, gc)
}

fn a_table_keeps_its_elements(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let ty = TableType::new(RefType::EXTERNREF, 3, None);
    let table = Table::new(&mut store, ty, Ref::Extern(None))?;
    {
        let mut scope = RootScope::new(&mut store);
        for index in 0..3 {
            let object = census.root(&mut scope)?;
            table.set(&mut scope, index, object.into())?;
        }
        let object = census.root(&mut scope)?;
        table.grow(&mut scope, 2, object.into())?;
    }
    store.gc();
    assert_eq!(census.live(), 4);
    table.set(&mut store, 1, Ref::Extern(None))?;
    table.fill(&mut store, 3, Ref::Extern(None), 1)?;
    store.gc();
    assert_eq!((census.live(), census.is_dropped(1)), (3, true));
    table.set(&mut store, 4, Ref::Extern(None))?;
    store.gc();
    assert_eq!((census.live(), census.is_dropped(3)), (2, true));
    let mut scope = RootScope::new(&mut store);
    let Some(Ref::Extern(Some(object))) = table.get(&mut scope, 2) else { panic!("an object") };
    assert_eq!(id(&scope, object)?, 2);
    Ok(())
}

fn a_global_keeps_its_value(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let ty = GlobalType::new(ValType::EXTERNREF, Mutability::Var);
    let global = {
        let mut scope = RootScope::new(&mut store);
        let object = census.root(&mut scope)?;
        Global::new(&mut scope, ty, object.into())?
    };
    let guest = instantiate(
        &mut store,
        r#"(module
            (import "" "outer" (global $outer (mut externref)))
            (global $number (mut i64) (i64.const 0x10008))
            (global $own (mut externref) (ref.null extern))
            (func (export "take") (global.set $own (global.get $outer)))
            (func (export "clear") (global.set $own (ref.null extern))))"#,
        &[global.into()],
    )?;
    store.gc();
    assert_eq!(census.live(), 1);
    {
        let mut scope = RootScope::new(&mut store);
        let object = *global.get(&mut scope).unwrap_externref().expect("an object");
        assert_eq!(id(&scope, object)?, 0);
    }
    export::<(), ()>(&mut store, guest, "take")?.call(&mut store, ())?;
    global.set(&mut store, Val::ExternRef(None))?;
    store.gc();
    assert_eq!(census.live(), 1, "the guest's own global keeps it");
    export::<(), ()>(&mut store, guest, "clear")?.call(&mut store, ())?;
    store.gc();
    assert_eq!(census.dropped(), 1);
    Ok(())
}

const SEGMENT: &str = r#"(module
    (import "" "object" (global $object externref))
    (table $table (export "table") 2 externref)
    (elem $segment externref (global.get $object) (ref.null extern))
    (func (export "init") (table.init $table $segment (i32.const 0) (i32.const 0) (i32.const 2)))
    (func (export "clear") (table.fill $table (i32.const 0) (ref.null extern) (i32.const 2)))
    (func (export "drop") (elem.drop $segment)))"#;

fn a_passive_segment_keeps_its_references_until_it_is_dropped(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let guest = {
        let mut scope = RootScope::new(&mut store);
        let object = census.root(&mut scope)?;
        // The immutable global keeps the object as well: what the segment holds must still be the
        // object after it moved.
        let ty = GlobalType::new(ValType::EXTERNREF, Mutability::Const);
        let global = Global::new(&mut scope, ty, object.into())?;
        let module = Module::new(scope.as_context().engine(), SEGMENT)?;
        Instance::new(&mut scope, &module, &[global.into()])?
    };
    let call = |store: &mut Store<()>, name| -> Result<()> {
        store.gc();
        export::<(), ()>(&mut *store, guest, name)?.call(store, ())
    };
    let table = guest.get_table(&mut store, "table").expect("exported");
    for _ in 0..3 {
        call(&mut store, "init")?;
        let mut scope = RootScope::new(&mut store);
        let Some(Ref::Extern(Some(object))) = table.get(&mut scope, 0) else { panic!("object") };
        assert_eq!(id(&scope, object)?, 0);
        drop(scope);
        call(&mut store, "clear")?;
    }
    call(&mut store, "drop")?;
    assert!(call(&mut store, "init").is_err());
    drop(store);
    assert_eq!(census.dropped(), 1);
    Ok(())
}

fn a_frame_keeps_what_it_will_still_use(mode: Mode) -> Result<()> {
    let census = Census::default();
    let (mut store, gc) = collecting(mode);
    let guest = instantiate(
        &mut store,
        r#"(module
            (import "" "gc" (func $gc))
            (func (export "run") (param $a externref) (param $b externref)
                (result externref externref) (local $c externref)
                (local.set $c (local.get $b))
                (local.set $b (ref.null extern))
                (local.get $a)
                (call $gc)
                (local.get $c)
                (call $gc)))"#,
        &[gc.into()],
    )?;
    type Two = (Rooted<ExternRef>, Rooted<ExternRef>);
    let run = export::<Two, Two>(&mut store, guest, "run")?;
    for round in 0..10 {
        let mut scope = RootScope::new(&mut store);
        let (a, b) = (census.root(&mut scope)?, census.root(&mut scope)?);
        let (a, b) = run.call(&mut scope, (a, b))?;
        assert_eq!((id(&scope, a)?, id(&scope, b)?), (2 * round, 2 * round + 1));
    }
    store.gc();
    assert_eq!((census.live(), census.dropped()), (0, 20));
    Ok(())
}

fn arguments_of_a_running_host_function_are_kept(mode: Mode) -> Result<()> {
    let census = Census::default();
    let (mut store, gc) = collecting(mode);
    let counting = census.clone();
    let make = Func::wrap(&mut store, move |caller: Caller<'_, ()>| counting.root(caller));
    let take = Func::wrap(
        &mut store,
        |mut caller: Caller<'_, ()>, a: Rooted<ExternRef>, b: Rooted<ExternRef>| -> Result<u32> {
            caller.as_context_mut().gc();
            Ok((id(&caller, a)? * 10 + id(&caller, b)?) as u32)
        },
    );
    let guest = instantiate(
        &mut store,
        r#"(module
            (import "" "gc" (func $gc))
            (import "" "make" (func $make (result externref)))
            (import "" "take" (func $take (param externref externref) (result i32)))
            (func (export "run") (result i32)
                (call $take (call $make) (call $make))))"#,
        &[gc.into(), make.into(), take.into()],
    )?;
    let run = export::<(), u32>(&mut store, guest, "run")?;
    assert_eq!(run.call(&mut store, ())?, 1);
    assert_eq!(run.call(&mut store, ())?, 23);
    store.gc();
    assert_eq!(census.dropped(), 4);
    Ok(())
}

fn a_frame_does_not_keep_what_it_will_not_use_again(mode: Mode) -> Result<()> {
    let census = Census::default();
    let (mut store, gc) = collecting(mode);
    let counting = census.clone();
    let make = Func::wrap(&mut store, move |caller: Caller<'_, ()>| counting.root(caller));
    let counting = census.clone();
    let live = Func::wrap(&mut store, move || counting.live() as u32);
    let guest = instantiate(
        &mut store,
        r#"(module
            (import "" "gc" (func $gc))
            (import "" "make" (func $make (result externref)))
            (import "" "live" (func $live (result i32)))
            (func (export "run") (result i32) (local externref)
                (local.set 0 (call $make))
                (drop (call $make))
                (call $gc)
                (call $live)
                (drop (local.get 0))))"#,
        &[gc.into(), make.into(), live.into()],
    )?;
    assert_eq!(export::<(), u32>(&mut store, guest, "run")?.call(&mut store, ())?, 0);
    Ok(())
}

const LOOP: &str = r#"(module
    (import "" "make" (func $make (result externref)))
    (func (export "run") (param $n i32) (local $kept externref)
        (local.set $kept (call $make))
        (loop $again
            (drop (call $make))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (drop (local.get $kept))))"#;

fn runs_bounded(mode: Mode, mut store: Store<()>, make: Func, census: &Census) -> Result<()> {
    let guest = instantiate(&mut store, LOOP, &[make.into()])?;
    let count = if mode == Mode::Stress { 5_000 } else { 200_000 };
    export::<u32, ()>(&mut store, guest, "run")?.call(&mut store, count)?;
    assert!(census.peak() < 20_000, "{} objects at a time", census.peak());
    assert!(census.dropped() + 20_000 > count as usize);
    drop(store);
    assert_eq!(census.live(), 0);
    Ok(())
}

fn a_guest_loop_of_fresh_references_runs_in_bounded_memory(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let counting = census.clone();
    let make = Func::wrap(&mut store, move |caller: Caller<'_, ()>| counting.root(caller));
    runs_bounded(mode, store, make, &census)
}

fn a_guest_loop_over_a_dynamic_host_function_runs_in_bounded_memory(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let ty = FuncType::new(store.engine(), [], [ValType::EXTERNREF]);
    let counting = census.clone();
    let make = Func::new(&mut store, ty, move |caller, _, results| {
        results[0] = counting.root(caller)?.into();
        Ok(())
    });
    runs_bounded(mode, store, make, &census)
}

fn a_guest_loop_over_an_unchecked_host_function_runs_in_bounded_memory(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let ty = FuncType::new(store.engine(), [], [ValType::EXTERNREF]);
    let counting = census.clone();
    // SAFETY: the slots are used as the type says, and nothing collects after `to_raw`.
    let make = unsafe {
        Func::new_unchecked(&mut store, ty, move |mut caller, slots| {
            let object = counting.root(&mut caller)?;
            slots[0] = ValRaw::externref(object.to_raw(&mut caller)?);
            Ok(())
        })
    };
    runs_bounded(mode, store, make, &census)
}

fn a_host_loop_with_a_scope_runs_in_bounded_memory(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let kept = census.root(&mut store)?;
    for _ in 0..if mode == Mode::Stress { 5_000 } else { 200_000 } {
        let mut scope = RootScope::new(&mut store);
        census.root(&mut scope)?;
    }
    assert!(census.peak() < 20_000, "{} objects at a time", census.peak());
    assert_eq!(id(&store, kept)?, 0);
    Ok(())
}

fn a_host_loop_of_calls_runs_in_bounded_memory(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let guest = instantiate(
        &mut store,
        r#"(module (func (export "same") (param externref) (result externref) (local.get 0)))"#,
        &[],
    )?;
    let same = guest.get_func(&mut store, "same").expect("exported");
    let mut results = [Val::null_extern_ref()];
    for _ in 0..if mode == Mode::Stress { 2_000 } else { 50_000 } {
        let mut scope = RootScope::new(&mut store);
        let object = census.root(&mut scope)?;
        same.call(&mut scope, &[object.into()], &mut results)?;
    }
    assert!(census.peak() < 20_000, "{} objects at a time", census.peak());
    Ok(())
}

fn roots_made_by_an_epoch_callback_end_with_it(mode: Mode) -> Result<()> {
    let census = Census::default();
    let mut config = mode.config();
    let engine = hostref::Engine::new(config.epoch_interruption(true))?;
    let mut store = Store::new(&engine, 0);
    let guest = instantiate(
        &mut store,
        r#"(module (func (export "run") (param i32)
            (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#,
        &[],
    )?;
    let counting = census.clone();
    store.epoch_deadline_callback(move |mut store| {
        counting.root(&mut store)?;
        // The deadline is the present epoch: the callback runs at every turn of the loop.
        Ok(hostref::UpdateDeadline::Continue(0))
    });
    store.set_epoch_deadline(0);
    let count = if mode == Mode::Stress { 2_000 } else { 50_000 };
    export::<u32, ()>(&mut store, guest, "run")?.call(&mut store, count)?;
    assert!(census.dropped() + census.live() >= count as usize);
    assert!(census.peak() < 20_000, "{} objects at a time", census.peak());
    Ok(())
}

fn a_store_drops_all_its_objects(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let manual = ExternRef::new_manually_rooted(&mut store, census.object())?;
    for _ in 0..10 {
        census.root(&mut store)?;
    }
    drop(store);
    assert_eq!((census.live(), census.dropped()), (0, 11));
    drop(manual);
    Ok(())
}

/// Writes its name when it is dropped.
struct Named(&'static str, Arc<Mutex<Vec<&'static str>>>);

impl Drop for Named {
    fn drop(&mut self) {
        self.1.lock().expect("nobody panics").push(self.0);
    }
}

fn objects_die_before_the_stores_data(mode: Mode) -> Result<()> {
    let log = Arc::default();
    let mut store = Store::new(&mode.engine(), Named("data", Arc::clone(&log)));
    ExternRef::new(&mut store, Named("object", log.clone()))?;
    drop(store);
    assert_eq!(*log.lock().expect("nobody panics"), ["object", "data"]);
    Ok(())
}

fn into_data_drops_the_objects_and_keeps_the_data(mode: Mode) -> Result<()> {
    let log = Arc::default();
    let mut store = Store::new(&mode.engine(), Named("data", Arc::clone(&log)));
    ExternRef::new(&mut store, Named("object", log.clone()))?;
    let data = store.into_data();
    assert_eq!(*log.lock().expect("nobody panics"), ["object"]);
    drop(data);
    Ok(())
}

fn thousands_of_stores_leave_nothing(mode: Mode) -> Result<()> {
    let (census, engine) = (Census::default(), mode.engine());
    for _ in 0..5_000 {
        let mut store = Store::new(&engine, ());
        census.root(&mut store)?;
        ExternRef::new_manually_rooted(&mut store, census.object())?;
    }
    assert_eq!((census.live(), census.peak()), (0, 2));
    let stores = (0..200).map(|_| {
        let mut store = Store::new(&engine, ());
        census.root(&mut store)?;
        Ok(store)
    });
    let mut stores: Vec<_> = stores.collect::<Result<_>>()?;
    stores.iter_mut().for_each(Store::gc);
    assert_eq!(census.live(), 200);
    drop(stores);
    assert_eq!(census.live(), 0);
    Ok(())
}

fn a_store_moves_to_another_thread_with_its_objects(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let root = census.root(&mut store)?;
    let moved = std::thread::spawn(move || {
        store.gc();
        id(&store, root)
    });
    assert_eq!(moved.join().expect("no panic")?, 0);
    assert_eq!(census.dropped(), 1);
    Ok(())
}
