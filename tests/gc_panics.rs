//! Destructors of host objects that panic: the panic surfaces where the collection ran, the other
//! objects are dropped all the same, and the store stays usable.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use hostref::{AsContextMut, Caller, ExternRef, Func, Result, RootScope, Store};
use support::{Census, Counted, Mode, both_modes, export, id, instantiate};

both_modes! {
    a_panic_surfaces_from_a_collection_and_the_rest_is_dropped_by_the_next,
    a_panic_surfaces_from_a_scope,
    a_panic_in_a_collection_below_a_guest_surfaces_in_the_embedder,
    a_store_drops_the_rest_and_its_data_when_one_panics,
    a_store_survives_any_number_of_panics_at_its_end,
    a_store_dropped_by_a_panic_does_not_abort,
    a_scope_left_by_a_panic_does_not_collect,
}

/// An object whose destructor panics.
struct Bomb(#[expect(dead_code, reason = "is there to be dropped")] Counted);

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("boom");
    }
}

/// Runs `body`, which must panic because of a [`Bomb`].
fn explodes<R>(body: impl FnOnce() -> R) {
    let Err(panic) = catch_unwind(AssertUnwindSafe(body)) else { panic!("nothing exploded") };
    assert_eq!(panic.downcast_ref(), Some(&"boom"));
}

/// Garbage: objects with `bombs` bombs among them.
fn litter(store: &mut Store<()>, census: &Census, bombs: usize) -> Result<()> {
    let mut handles = Vec::new();
    for number in 0..10 {
        handles.push(ExternRef::new_manually_rooted(&mut *store, census.object())?);
        if number % 3 == 0 && number / 3 < bombs {
            handles.push(ExternRef::new_manually_rooted(&mut *store, Bomb(census.object()))?);
        }
    }
    Ok(())
}

fn a_panic_surfaces_from_a_collection_and_the_rest_is_dropped_by_the_next(
    mode: Mode,
) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let kept = census.root(&mut store)?;
    litter(&mut store, &census, 2)?;
    explodes(|| store.gc());
    assert!(census.live() > 1, "the rest waits");
    explodes(|| store.gc());
    store.gc();
    assert_eq!((census.live(), id(&store, kept)?), (1, 0));
    Ok(())
}

fn a_panic_surfaces_from_a_scope(mode: Mode) -> Result<()> {
    if mode == Mode::Normal {
        return Ok(());
    }
    let (census, mut store) = (Census::default(), mode.store());
    explodes(|| {
        let mut scope = RootScope::new(&mut store);
        ExternRef::new(&mut scope, Bomb(census.object())).map(drop)
    });
    assert_eq!(census.live(), 0);
    census.root(&mut store)?;
    store.gc();
    assert_eq!(census.live(), 1);
    Ok(())
}

fn a_panic_in_a_collection_below_a_guest_surfaces_in_the_embedder(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let gc = Func::wrap(&mut store, |mut caller: Caller<'_, ()>| caller.as_context_mut().gc());
    let guest = instantiate(
        &mut store,
        r#"(module (import "" "gc" (func $gc)) (func (export "run") (call $gc)))"#,
        &[gc.into()],
    )?;
    let run = export::<(), ()>(&mut store, guest, "run")?;
    litter(&mut store, &census, 1)?;
    explodes(|| run.call(&mut store, ()));
    run.call(&mut store, ())?;
    assert_eq!(census.live(), 0);
    Ok(())
}

fn a_store_drops_the_rest_and_its_data_when_one_panics(mode: Mode) -> Result<()> {
    let census = Census::default();
    let mut store = Store::new(&mode.engine(), census.object());
    ExternRef::new(&mut store, census.object())?;
    ExternRef::new(&mut store, Bomb(census.object()))?;
    ExternRef::new(&mut store, census.object())?;
    explodes(|| drop(store));
    assert_eq!((census.live(), census.dropped()), (0, 4));
    Ok(())
}

fn a_store_survives_any_number_of_panics_at_its_end(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    litter(&mut store, &census, 4)?;
    explodes(|| drop(store));
    assert_eq!(census.live(), 0);
    let mut store = mode.store();
    litter(&mut store, &census, 4)?;
    explodes(|| store.gc());
    explodes(|| store.into_data());
    assert_eq!(census.live(), 0);
    Ok(())
}

fn a_store_dropped_by_a_panic_does_not_abort(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    litter(&mut store, &census, 2)?;
    let panic = catch_unwind(AssertUnwindSafe(|| {
        let _store = store;
        panic!("outer");
    }));
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"outer"));
    assert_eq!(census.live(), 0);
    Ok(())
}

fn a_scope_left_by_a_panic_does_not_collect(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let panic = catch_unwind(AssertUnwindSafe(|| {
        let mut scope = RootScope::new(&mut store);
        ExternRef::new(&mut scope, Bomb(census.object())).map(drop).expect("there is room");
        panic!("outer");
    }));
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"outer"));
    explodes(|| store.gc());
    assert_eq!(census.live(), 0);
    Ok(())
}
