//! References on their way between host and guest, while objects move: in registers and in slots,
//! checked and unchecked.

mod support;

use hostref::{
    AsContextMut, Caller, ExternRef, Func, FuncType, ManuallyRooted, Result, RootScope, Rooted,
    Store, Val, ValRaw, ValType,
};
use support::{Census, IMPORTS, Mode, World, both_modes, export, id};

both_modes! {
    arguments_and_a_result_in_registers,
    several_results_of_host_functions,
    several_results_of_typed_calls,
    arguments_that_need_the_stack,
    nulls_among_arguments_and_results,
    manually_rooted_arguments_and_results,
    dynamic_calls,
    dynamic_host_functions,
    unchecked_calls,
    unchecked_host_functions,
    host_functions_called_by_the_host,
}

type Object = Rooted<ExternRef>;

fn arguments_and_a_result_in_registers(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    let guest = world.guest(
        r#"(func (export "run") (param externref externref) (result externref)
            (call $churn) (drop (call $make)) (local.get 1))"#,
    )?;
    let run = export::<(Object, Object), Object>(&mut world.store, guest, "run")?;
    for _ in 0..20 {
        let mut scope = RootScope::new(&mut world.store);
        let (a, b) = (world.census.root(&mut scope)?, world.census.root(&mut scope)?);
        let c = run.call(&mut scope, (a, b))?;
        assert!(Rooted::ref_eq(&scope, &b, &c)? && !Rooted::ref_eq(&scope, &a, &c)?);
    }
    world.store.gc();
    assert_eq!(world.census.live(), 0);
    Ok(())
}

/// For each number of results: a host function that returns as many fresh objects, a guest that
/// returns what that returned, and a typed call of the guest.
macro_rules! several_results {
    ($world:expr, $check:ident: $($count:literal ($($name:ident)*);)*) => {$({
        let world: &mut World = $world;
        let census = world.census.clone();
        let first = census.live() + census.dropped();
        let make = move |mut caller: Caller<'_, ()>| -> Result<($(several_results!(@ $name),)*)> {
            Ok(($({ let $name = census.root(&mut caller)?; $name },)*))
        };
        let many = Func::wrap(&mut world.store, make);
        let wat = format!(
            r#"(module {IMPORTS}
                (import "" "many" (func $many (result {refs})))
                (func (export "run") (result {refs}) (call $many) (call $churn)))"#,
            refs = "externref ".repeat($count),
        );
        world.linker.allow_shadowing(true).define(&world.store, "", "many", many)?;
        let module = hostref::Module::new(world.store.engine(), wat)?;
        let guest = world.linker.instantiate(&mut world.store, &module)?;
        $check!(world, guest, first, $($name)*);
    })*};
    (@ $name:ident) => { Object };
}

macro_rules! check_typed {
    ($world:ident, $guest:ident, $first:ident, $($name:ident)*) => {
        let run = export::<(), ($(several_results!(@ $name),)*)>(
            &mut $world.store, $guest, "run",
        )?;
        let mut scope = RootScope::new(&mut $world.store);
        let ($($name,)*) = run.call(&mut scope, ())?;
        scope.as_context_mut().gc();
        let found = [$(id(&scope, $name)?),*];
        assert!((0..).zip(found).all(|(index, id)| id == $first + index), "{found:?}");
    };
}

macro_rules! check_dynamic {
    ($world:ident, $guest:ident, $first:ident, $($name:ident)*) => {
        let run = $guest.get_func(&mut $world.store, "run").expect("exported");
        let mut results = [$({ let $name = Val::null_extern_ref(); $name }),*];
        let mut scope = RootScope::new(&mut $world.store);
        run.call(&mut scope, &[], &mut results)?;
        scope.as_context_mut().gc();
        for (index, result) in results.iter().enumerate() {
            let object = *result.unwrap_externref().expect("an object");
            assert_eq!(id(&scope, object)?, $first + index);
        }
    };
}

fn several_results_of_host_functions(mode: Mode) -> Result<()> {
    several_results! { &mut World::new(mode)?, check_dynamic:
        2 (a b);
        3 (a b c);
        4 (a b c d);
        5 (a b c d e);
        6 (a b c d e f);
        7 (a b c d e f g);
        8 (a b c d e f g h);
    }
    Ok(())
}

fn several_results_of_typed_calls(mode: Mode) -> Result<()> {
    several_results! { &mut World::new(mode)?, check_typed:
        2 (a b);
        3 (a b c);
        4 (a b c d);
        5 (a b c d e);
        6 (a b c d e f);
        7 (a b c d e f g);
        8 (a b c d e f g h);
    }
    Ok(())
}

fn arguments_that_need_the_stack(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    let take = Func::wrap(
        &mut world.store,
        |mut caller: Caller<'_, ()>,
         a: Object,
         _: i32,
         b: Object,
         _: i64,
         c: Object,
         _: f32,
         d: Object,
         x: f64,
         e: Object,
         y: i32,
         f: Object,
         z: i64,
         g: Object,
         _: f32,
         h: Object|
         -> Result<i64> {
            caller.as_context_mut().gc();
            assert_eq!((x, y, z), (4.0, 5, 6));
            let ids = [a, b, c, d, e, f, g, h].map(|object| id(&caller, object));
            ids.into_iter().try_fold(0, |digits, id| Ok(digits * 10 + id? as i64))
        },
    );
    world.linker.define(&world.store, "", "take", take)?;
    let params = "(param externref i32 externref i64 externref f32 externref f64
        externref i32 externref i64 externref f32 externref)";
    let gets: String = (0..15).map(|index| format!("(local.get {index})")).collect();
    let guest = world.guest(&format!(
        r#"(import "" "take" (func $take {params} (result i64)))
        (func (export "run") {params} (result i64) (call $churn) (call $take {gets}))"#,
    ))?;
    let mut next = || world.census.root(&mut world.store);
    let (a, b, c, d) = (next()?, next()?, next()?, next()?);
    let (e, f, g, h) = (next()?, next()?, next()?, next()?);
    let args = (a, 1, b, 2, c, 3.0, d, 4.0, e, 5, f, 6, g, 7.0, h);
    let run = guest.get_typed_func::<(
        Object,
        i32,
        Object,
        i64,
        Object,
        f32,
        Object,
        f64,
        Object,
        i32,
        Object,
        i64,
        Object,
        f32,
        Object,
    ), i64>(&mut world.store, "run")?;
    for _ in 0..3 {
        assert_eq!(run.call(&mut world.store, args)?, 1_234_567);
    }
    Ok(())
}

fn nulls_among_arguments_and_results(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    let guest = world.guest(
        r#"(func (export "swap") (param externref externref) (result externref externref)
            (call $churn) (local.get 1) (local.get 0))"#,
    )?;
    type Two = (Option<Object>, Option<Object>);
    let swap = export::<Two, Two>(&mut world.store, guest, "swap")?;
    let object = world.census.root(&mut world.store)?;
    let (a, b) = swap.call(&mut world.store, (Some(object), None))?;
    assert!(a.is_none());
    assert_eq!(id(&world.store, b.expect("an object"))?, 0);
    let (a, b) = swap.call(&mut world.store, (None, None))?;
    assert!(a.is_none() && b.is_none());
    let strict = export::<Two, (Object, Object)>(&mut world.store, guest, "swap")?;
    let error = strict.call(&mut world.store, (Some(object), None)).unwrap_err();
    assert!(format!("{error:#}").contains("result 0"), "{error:#}");
    Ok(())
}

fn manually_rooted_arguments_and_results(mode: Mode) -> Result<()> {
    type Manual = ManuallyRooted<ExternRef>;
    let mut world = World::new(mode)?;
    let swap = Func::wrap(&mut world.store, |a: Manual, b: Option<Manual>| (b, a));
    world.linker.define(&world.store, "", "swap", swap)?;
    let guest = world.guest(
        r#"(import "" "swap"
            (func $swap (param externref externref) (result externref externref)))
        (func (export "run") (param externref externref) (result externref externref)
            (call $swap (local.get 0) (local.get 1)) (call $churn))"#,
    )?;
    let run = export::<(Manual, Manual), (Manual, Option<Manual>)>(&mut world.store, guest, "run")?;
    for round in 0..100 {
        let a = ExternRef::new_manually_rooted(&mut world.store, world.census.object())?;
        let b = ExternRef::new_manually_rooted(&mut world.store, world.census.object())?;
        let (b, a) = run.call(&mut world.store, (a, b))?;
        let mut scope = RootScope::new(&mut world.store);
        let (b, a) = (b.into_rooted(&mut scope), a.expect("an object").into_rooted(&mut scope));
        assert_eq!((id(&scope, a)?, id(&scope, b)?), (2 * round, 2 * round + 1));
    }
    world.store.gc();
    assert_eq!(world.census.live(), 0, "no root of the calls is left");
    Ok(())
}

fn dynamic_calls(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    let guest = world.guest(
        r#"(func (export "run") (param i32 externref funcref externref)
            (result externref i32 externref externref)
            (call $churn) (local.get 3) (local.get 0) (call $make) (local.get 1))"#,
    )?;
    let run = guest.get_func(&mut world.store, "run").expect("exported");
    let (a, b) = (world.census.root(&mut world.store)?, world.census.root(&mut world.store)?);
    let mut results = [const { Val::I32(0) }; 4];
    let params = [Val::I32(7), a.into(), Val::FuncRef(Some(run)), b.into()];
    run.call(&mut world.store, &params, &mut results)?;
    let found = [0, 2, 3].map(|index| *results[index].unwrap_externref().expect("an object"));
    let found = found.map(|object| id(&world.store, object).expect("rooted"));
    assert_eq!((found, results[1].unwrap_i32()), ([1, 2, 0], 7));
    Ok(())
}

fn dynamic_host_functions(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    let ty = FuncType::new(
        world.store.engine(),
        [ValType::EXTERNREF, ValType::I32, ValType::EXTERNREF],
        [ValType::EXTERNREF, ValType::EXTERNREF, ValType::EXTERNREF, ValType::I32],
    );
    let census = world.census.clone();
    let turn = Func::new(&mut world.store, ty, move |mut caller, params, results| {
        caller.as_context_mut().gc();
        results[0] = params[2];
        results[1] = census.root(&mut caller)?.into();
        // The third result stays null.
        results[3] = params[1];
        Ok(())
    });
    world.linker.define(&world.store, "", "turn", turn)?;
    let found = world.run(
        r#"(import "" "turn" (func $turn (param externref i32 externref)
            (result externref externref externref i32)))
        (func (export "run") (result i32) (local externref externref i32)
            (call $turn (call $make) (i32.const 1000) (call $make))
            (local.set 2)
            (if (ref.is_null) (then) (else (unreachable)))
            (local.set 1)
            (i32.mul (call $id) (i32.const 10))
            (i32.add (call $id (local.get 1)))
            (i32.add (local.get 2)))"#,
    )?;
    assert_eq!(found, 1012);
    Ok(())
}

/// The bits of a rooted reference, for the next unchecked call.
fn raw(store: &mut Store<()>, object: Object) -> Result<ValRaw> {
    // SAFETY: the callers pass it on at once.
    Ok(ValRaw::externref(unsafe { object.to_raw(store) }?))
}

fn unchecked_calls(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    let guest = world.guest(
        r#"(func (export "run") (param externref externref)
            (result externref externref externref)
            (call $churn) (local.get 1) (call $make) (local.get 0))"#,
    )?;
    let run = guest.get_func(&mut world.store, "run").expect("exported");
    let (a, b) = (world.census.root(&mut world.store)?, world.census.root(&mut world.store)?);
    for round in 2..20 {
        let (a, b) = (raw(&mut world.store, a)?, raw(&mut world.store, b)?);
        let mut slots = [a, b, ValRaw::externref(0)];
        // SAFETY: three slots are enough; the arguments are of this store and fresh.
        unsafe { run.call_unchecked(&mut world.store, &mut slots) }?;
        let mut scope = RootScope::new(&mut world.store);
        let found = slots.map(|slot| {
            // SAFETY: nothing happened to the store since the call.
            let object = unsafe { ExternRef::from_raw(&mut scope, slot.get_externref()) };
            id(&scope, object.expect("an object")).expect("rooted")
        });
        assert_eq!(found, [1, round, 0]);
    }
    Ok(())
}

fn unchecked_host_functions(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    let ty = FuncType::new(
        world.store.engine(),
        [ValType::EXTERNREF, ValType::I64],
        [ValType::I64, ValType::EXTERNREF, ValType::EXTERNREF, ValType::EXTERNREF],
    );
    let census = world.census.clone();
    // SAFETY: the slots are used as the type says, and what collects comes before `to_raw`.
    let func = unsafe {
        Func::new_unchecked(&mut world.store, ty, move |mut caller, slots| {
            let given = ExternRef::from_raw(&mut caller, slots[0].get_externref());
            let number = slots[1].get_i64();
            caller.as_context_mut().gc();
            let fresh = census.root(&mut caller)?;
            slots[0] = ValRaw::i64(number + 1);
            slots[1] = ValRaw::externref(fresh.to_raw(&mut caller)?);
            slots[2] = ValRaw::externref(0);
            slots[3] = ValRaw::externref(given.expect("an object").to_raw(&mut caller)?);
            Ok(())
        })
    };
    world.linker.define(&world.store, "", "f", func)?;
    let found = world.run(
        r#"(import "" "f" (func $f (param externref i64)
            (result i64 externref externref externref)))
        (func (export "run") (result i32) (local externref externref externref)
            (call $f (call $make) (i64.const 65535))
            local.set 0 local.set 1 local.set 2
            (if (ref.is_null (local.get 1)) (then (call $churn)) (else (unreachable)))
            (i32.wrap_i64)
            (i32.add (i32.mul (i32.const 10) (call $id (local.get 0))))
            (i32.add (call $id (local.get 2))))"#,
    )?;
    assert_eq!(found, 65536 + 1);
    Ok(())
}

fn host_functions_called_by_the_host(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let counting = census.clone();
    let second = Func::wrap(&mut store, move |mut caller: Caller<'_, ()>, _: Object, b: Object| {
        counting.root(&mut caller)?;
        caller.as_context_mut().gc();
        Ok::<_, hostref::Error>((b, b))
    });
    let second = second.typed::<(Object, Object), (Object, Object)>(&store)?;
    let (a, b) = (census.root(&mut store)?, census.root(&mut store)?);
    let (c, d) = second.call(&mut store, (a, b))?;
    assert!(Rooted::ref_eq(&store, &b, &c)? && Rooted::ref_eq(&store, &c, &d)?);
    Ok(())
}
