//! References while host and guest call each other, to any depth and with failures in between: roots
//! last as long as the call they were made in, whichever way it ends.

mod support;

use hostref::{
    AsContextMut, Caller, Extern, ExternRef, Func, Instance, Result, RootScope, Rooted, Store,
};
use support::{Census, Mode, World, both_modes, export, id, instantiate};

both_modes! {
    reentry_at_any_depth,
    reentry_with_failures_in_the_middle,
    roots_of_an_outer_call_serve_in_inner_ones,
    results_of_a_call_are_rooted_in_the_current_scope,
    a_failed_call_leaves_no_roots,
}

type Object = Rooted<ExternRef>;

/// A guest that calls back into itself through the host, to any depth: `down(n, a)` gives `a` back.
fn reentrant(mode: Mode, census: &Census) -> Result<(Store<()>, Instance)> {
    let mut store = mode.store();
    let counting = census.clone();
    let reenter = Func::wrap(
        &mut store,
        move |mut caller: Caller<'_, ()>, depth: i32, object: Object| -> Result<Object> {
            let own = counting.root(&mut caller)?;
            let number = id(&caller, own)?;
            let down = caller.get_export("down").and_then(Extern::into_func).expect("exported");
            let down = down.typed::<(i32, Object), Object>(&caller)?;
            let back = down.call(&mut caller, (depth - 1, object))?;
            counting.root(&mut caller)?;
            assert_eq!(id(&caller, own)?, number);
            assert!(Rooted::ref_eq(&caller, &object, &back)?);
            Ok(back)
        },
    );
    let guest = instantiate(
        &mut store,
        r#"(module
            (import "" "reenter" (func $reenter (param i32 externref) (result externref)))
            (func (export "down") (param $n i32) (param $a externref) (result externref)
                (local $b externref)
                (if (i32.eqz (local.get $n)) (then (return (local.get $a))))
                (if (i32.lt_s (local.get $n) (i32.const 0)) (then (unreachable)))
                (local.set $b (call $reenter (local.get $n) (local.get $a)))
                (drop (call $reenter (i32.const 1) (local.get $b)))
                (local.get $a)))"#,
        &[reenter.into()],
    )?;
    Ok((store, guest))
}

fn reentry_at_any_depth(mode: Mode) -> Result<()> {
    let census = Census::default();
    let (mut store, guest) = reentrant(mode, &census)?;
    let down = export::<(i32, Object), Object>(&mut store, guest, "down")?;
    for depth in [0, 1, 2, 10, 60] {
        let mut scope = RootScope::new(&mut store);
        let object = census.root(&mut scope)?;
        let back = down.call(&mut scope, (depth, object))?;
        assert!(Rooted::ref_eq(&scope, &object, &back)?);
    }
    store.gc();
    assert_eq!(census.live(), 0);
    Ok(())
}

fn reentry_with_failures_in_the_middle(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    // Each level calls the next, which fails, and goes on with what it has.
    let next = Func::wrap(
        &mut world.store,
        |mut caller: Caller<'_, ()>, depth: i32, object: Object| -> Result<Object> {
            let down = caller.get_export("down").and_then(Extern::into_func).expect("exported");
            let down = down.typed::<(i32, Object), Object>(&caller)?;
            let failed = down.call(&mut caller, (depth - 1, object));
            match depth % 3 {
                0 => assert!(failed.is_err()),
                1 => return failed,
                _ => anyhow::bail!("refused at {depth}"),
            }
            Ok(object)
        },
    );
    world.linker.define(&world.store, "", "next", next)?;
    let guest = world.guest(
        r#"(import "" "next" (func $next (param i32 externref) (result externref)))
        (func (export "down") (param $n i32) (param $a externref) (result externref)
            (local $own externref)
            (if (i32.eqz (local.get $n)) (then (unreachable)))
            (local.set $own (call $make))
            (drop (call $next (local.get $n) (local.get $a)))
            (call $churn)
            (drop (call $id (local.get $own)))
            (local.get $a))"#,
    )?;
    let down = export::<(i32, Object), Object>(&mut world.store, guest, "down")?;
    let object = world.census.root(&mut world.store)?;
    for depth in 0..20 {
        let mut scope = RootScope::new(&mut world.store);
        let outcome = down.call(&mut scope, (depth, object));
        assert_eq!(outcome.is_ok(), depth > 1 && depth % 3 != 2, "at {depth}");
        if let Ok(back) = outcome {
            assert!(Rooted::ref_eq(&scope, &object, &back)?);
        }
        scope.as_context_mut().gc();
        assert_eq!(world.census.live(), 1, "dead activations keep nothing");
    }
    Ok(())
}

fn roots_of_an_outer_call_serve_in_inner_ones(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let outer = census.root(&mut store)?;
    let look = Func::wrap(&mut store, move |mut caller: Caller<'_, ()>, inner: Object| {
        caller.as_context_mut().gc();
        Ok::<_, hostref::Error>((id(&caller, outer)? * 10 + id(&caller, inner)?) as u32)
    });
    let call = look.typed::<Object, u32>(&store)?;
    let mut scope = RootScope::new(&mut store);
    let inner = census.root(&mut scope)?;
    assert_eq!(call.call(&mut scope, inner)?, 1);
    Ok(())
}

fn results_of_a_call_are_rooted_in_the_current_scope(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    let guest = world.guest(r#"(export "make" (func $make))"#)?;
    let make = export::<(), Object>(&mut world.store, guest, "make")?;
    let outer = make.call(&mut world.store, ())?;
    let inner = {
        let mut scope = RootScope::new(&mut world.store);
        make.call(&mut scope, ())?
    };
    world.store.gc();
    assert_eq!(id(&world.store, outer)?, 0);
    assert!(inner.data(&world.store).is_err());
    assert_eq!(world.census.live(), 1);
    Ok(())
}

fn a_failed_call_leaves_no_roots(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    let census = world.census.clone();
    let fail = Func::wrap(&mut world.store, move |mut caller: Caller<'_, ()>, _: Object| {
        census.root(&mut caller)?;
        let mut scope = RootScope::new(&mut caller);
        census.root(&mut scope)?;
        match census.dropped() % 2 {
            0 => anyhow::bail!("refused"),
            _ => panic!("refused"),
        }
        #[expect(unreachable_code, reason = "gives the closure its type")]
        Ok(())
    });
    world.linker.define(&world.store, "", "fail", fail)?;
    let guest = world.guest(
        r#"(import "" "fail" (func $fail (param externref)))
        (func (export "run") (call $fail (call $make)))"#,
    )?;
    let run = export::<(), ()>(&mut world.store, guest, "run")?;
    for _ in 0..50 {
        let call = std::panic::AssertUnwindSafe(|| run.call(&mut world.store, ()));
        let Ok(Ok(())) = std::panic::catch_unwind(call) else {
            world.store.gc();
            assert_eq!(world.census.live(), 0);
            continue;
        };
        panic!("the function fails");
    }
    Ok(())
}
