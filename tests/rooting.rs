//! Roots held by Rust: how long they last, what equality and hashes of them mean, and that an ended
//! or foreign root is refused wherever it is used.

mod support;

use std::hash::{DefaultHasher, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

use hostref::{
    AsContextMut, Engine, ExternRef, Func, FuncType, Global, GlobalType, ManuallyRooted,
    Mutability, OwnedRooted, Ref, RefType, Result, RootScope, Rooted, RootedGcRef, Store, Table,
    TableType, Val, ValType,
};
use support::{Census, Counted, Mode, both_modes, id};

both_modes! {
    a_root_of_the_store_lasts_as_long_as_the_store,
    leaving_a_scope_unroots_what_was_made_in_it,
    scopes_nest_and_outer_roots_serve_in_inner_ones,
    a_scope_over_a_scope_over_a_context_is_a_context,
    roots_of_a_host_function_end_with_its_call,
    a_manual_root_outlives_scopes_until_it_is_unrooted,
    a_manual_root_that_is_dropped_is_reclaimed,
    a_manual_root_kept_in_the_stores_data_keeps_its_object,
    every_manual_root_of_an_object_keeps_it,
    handles_that_share_a_root_keep_it_until_the_last_ends,
    manual_and_scoped_roots_convert_into_each_other,
    an_ended_root_is_refused_everywhere,
    a_stale_root_never_meets_a_reused_slot,
    a_root_of_another_store_is_refused_everywhere,
    a_manual_root_of_another_store_panics_and_harms_nobody,
    identity_and_hashes_survive_collections,
    roots_differ_where_objects_are_equal,
}

fn a_root_of_the_store_lasts_as_long_as_the_store(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let root = census.root(&mut store)?;
    for _ in 0..3 {
        store.gc();
        assert_eq!(id(&store, root)?, 0);
    }
    drop(store);
    assert_eq!(census.dropped(), 1);
    Ok(())
}

fn leaving_a_scope_unroots_what_was_made_in_it(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let root = {
        let mut scope = RootScope::new(&mut store);
        scope.reserve(10);
        let root = census.root(&mut scope)?;
        scope.as_context_mut().gc();
        assert_eq!(id(&scope, root)?, 0);
        root
    };
    assert!(root.data(&store).is_err());
    store.gc();
    assert_eq!(census.dropped(), 1);
    Ok(())
}

fn scopes_nest_and_outer_roots_serve_in_inner_ones(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let mut outer = RootScope::new(&mut store);
    let first = census.root(&mut outer)?;
    let second = {
        let mut inner = RootScope::new(&mut outer);
        let second = census.root(&mut inner)?;
        inner.as_context_mut().gc();
        assert_eq!((id(&inner, first)?, id(&inner, second)?), (0, 1));
        second
    };
    let third = census.root(&mut outer)?;
    outer.as_context_mut().gc();
    assert!(second.data(&outer).is_err());
    assert_eq!((id(&outer, first)?, id(&outer, third)?), (0, 2));
    assert_eq!((census.is_dropped(1), census.live()), (true, 2));
    drop(outer);
    store.gc();
    assert_eq!(census.live(), 0);
    Ok(())
}

fn a_scope_over_a_scope_over_a_context_is_a_context(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let mut context = store.as_context_mut();
    let mut outer = RootScope::new(&mut context);
    let mut inner = RootScope::new(&mut outer);
    let root = ExternRef::new_typed(inner.as_context_mut(), 1)?;
    *root.data_mut(&mut inner)? += 1;
    assert_eq!(*root.data(&inner)?, 2);
    Ok(())
}

fn roots_of_a_host_function_end_with_its_call(mode: Mode) -> Result<()> {
    let census = Census::default();
    let mut store = Store::new(&mode.engine(), None::<Rooted<ExternRef>>);
    let counting = census.clone();
    let make = Func::wrap(
        &mut store,
        move |mut caller: hostref::Caller<'_, Option<Rooted<ExternRef>>>| -> Result<()> {
            let root = counting.root(&mut caller)?;
            caller.as_context_mut().gc();
            assert_eq!(id(&caller, root)?, 0);
            *caller.data_mut() = Some(root);
            Ok(())
        },
    );
    make.typed::<(), ()>(&store)?.call(&mut store, ())?;
    let root = store.data().expect("the function left its root");
    assert!(root.data(&store).is_err());
    store.gc();
    assert_eq!(census.live(), 0);
    Ok(())
}

fn a_manual_root_outlives_scopes_until_it_is_unrooted(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let kept: OwnedRooted<ExternRef> = {
        let mut scope = RootScope::new(&mut store);
        ExternRef::new_manually_rooted(&mut scope, census.object())?
    };
    store.gc();
    assert_eq!(kept.data(&store)?.downcast_ref::<Counted>().map(|object| object.id), Some(0));
    kept.unroot(&mut store);
    store.gc();
    assert_eq!(census.dropped(), 1);
    Ok(())
}

fn a_manual_root_that_is_dropped_is_reclaimed(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let count = if mode == Mode::Stress { 5_000 } else { 100_000 };
    for _ in 0..count {
        // Leaving a scope is a safepoint; nobody asks for a collection.
        let mut scope = RootScope::new(&mut store);
        drop(ExternRef::new_manually_rooted(&mut scope, census.object())?);
    }
    assert!(census.peak() < 20_000, "{} objects at a time", census.peak());
    store.gc();
    assert_eq!(census.live(), 0);
    Ok(())
}

fn a_manual_root_kept_in_the_stores_data_keeps_its_object(mode: Mode) -> Result<()> {
    let census = Census::default();
    let mut store = Store::new(&mode.engine(), Vec::<ManuallyRooted<ExternRef>>::new());
    for _ in 0..100 {
        let kept = ExternRef::new_manually_rooted(&mut store, census.object())?;
        store.data_mut().push(kept);
        store.gc();
    }
    assert_eq!(census.live(), 100);
    store.data_mut().truncate(10);
    store.gc();
    assert_eq!(census.live(), 10);
    drop(store);
    assert_eq!(census.live(), 0);
    Ok(())
}

fn every_manual_root_of_an_object_keeps_it(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let first = ExternRef::new_manually_rooted(&mut store, census.object())?;
    let second = first.clone(&mut store);
    first.unroot(&mut store);
    store.gc();
    assert_eq!(census.live(), 1);
    assert!(second.data(&store).is_ok());
    second.unroot(&mut store);
    store.gc();
    assert_eq!(census.live(), 0);
    Ok(())
}

fn handles_that_share_a_root_keep_it_until_the_last_ends(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let first = ExternRef::new_manually_rooted(&mut store, census.object())?;
    let clones = vec![first.clone(&mut store), Clone::clone(&first)].clone();
    let [own, shared] = <[_; 2]>::try_from(clones).expect("two handles");
    own.unroot(&mut store);
    first.unroot(&mut store);
    store.gc();
    assert_eq!(census.live(), 1);
    // A root that was given back too early would be one of these now.
    let others: Vec<_> = (0..10)
        .map(|_| ExternRef::new_manually_rooted(&mut store, census.object()))
        .collect::<Result<_>>()?;
    assert!(others.iter().all(|other| !Rooted::ref_eq(&store, other, &shared).unwrap()));
    drop(others);
    store.gc();
    assert_eq!(census.live(), 1);
    shared.unroot(&mut store);
    store.gc();
    assert_eq!(census.live(), 0);
    Ok(())
}

fn manual_and_scoped_roots_convert_into_each_other(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let (stale, manual) = {
        let mut scope = RootScope::new(&mut store);
        let rooted = census.root(&mut scope)?;
        (rooted, rooted.to_manually_rooted(&mut scope)?)
    };
    assert!(stale.to_manually_rooted(&mut store).is_err());
    store.gc();
    {
        let mut scope = RootScope::new(&mut store);
        let rooted = manual.to_rooted(&mut scope);
        assert!(Rooted::ref_eq(&scope, &rooted, &manual)?);
        let again = manual.into_rooted(&mut scope);
        scope.as_context_mut().gc();
        assert!(Rooted::ref_eq(&scope, &rooted, &again)?);
        assert_eq!(id(&scope, again)?, 0);
    }
    store.gc();
    assert_eq!(census.live(), 0);
    Ok(())
}

fn an_ended_root_is_refused_everywhere(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let (untyped, typed) = {
        let mut scope = RootScope::new(&mut store);
        (ExternRef::new(&mut scope, 1)?, ExternRef::new_typed(&mut scope, 2)?)
    };
    refused_everywhere(&mut store, untyped, typed, "after it had been unrooted")
}

fn a_stale_root_never_meets_a_reused_slot(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let mut stale = Vec::new();
    for round in 0..50 {
        let mut scope = RootScope::new(&mut store);
        let fresh: Vec<_> = (0..round % 7)
            .map(|_| ExternRef::new_typed(&mut scope, round))
            .collect::<Result<_>>()?;
        assert!(stale.iter().all(|root: &Rooted<ExternRef<i32>>| root.data(&scope).is_err()));
        assert!(fresh.iter().all(|root| root.data(&scope).is_ok_and(|value| *value == round)));
        stale.extend(fresh);
    }
    let manual = ExternRef::new_manually_rooted(&mut store, 1)?;
    let copy: ExternRef = *manual;
    manual.unroot(&mut store);
    let again = ExternRef::new_manually_rooted(&mut store, 2)?;
    assert!(copy.data(&store).is_err() && again.data(&store).is_ok());
    Ok(())
}

fn a_root_of_another_store_is_refused_everywhere(mode: Mode) -> Result<()> {
    let mut home = mode.store();
    let (untyped, typed) = (ExternRef::new(&mut home, 1)?, ExternRef::new_typed(&mut home, 2)?);
    let mut store = mode.store();
    ExternRef::new(&mut store, "in the slot of the same number")?;
    ExternRef::new(&mut store, "and another")?;
    refused_everywhere(&mut store, untyped, typed, "another store")?;
    let mut scope = RootScope::new(&mut home);
    assert!(untyped.data(&scope).is_ok() && typed.data_mut(&mut scope).is_ok());
    Ok(())
}

/// Every use of a root that fails must say why and change nothing.
fn refused_everywhere(
    store: &mut Store<()>,
    untyped: Rooted<ExternRef>,
    typed: Rooted<ExternRef<i32>>,
    why: &str,
) -> Result<()> {
    fn identity(_: Option<Rooted<ExternRef>>) {}
    let func = Func::wrap(&mut *store, identity);
    let call = func.typed::<Rooted<ExternRef>, ()>(&*store)?;
    let call_typed = func.typed::<Option<Rooted<ExternRef<i32>>>, ()>(&*store)?;
    let elements = TableType::new(RefType::EXTERNREF, 1, None);
    let table = Table::new(&mut *store, elements.clone(), Ref::Extern(None))?;
    let mutable = GlobalType::new(ValType::EXTERNREF, Mutability::Var);
    let global = Global::new(&mut *store, mutable.clone(), Val::ExternRef(None))?;
    let good = ExternRef::new(&mut *store, 0)?;
    let mut hasher = DefaultHasher::new();
    // SAFETY: no bits come out of it.
    let raw = unsafe { untyped.to_raw(&mut *store) }.map(drop);
    let outcomes: Vec<(&str, Result<()>)> = vec![
        ("data", untyped.data(&*store).map(drop)),
        ("data_mut", untyped.data_mut(&mut *store).map(drop)),
        ("typed data", typed.data(&*store).map(drop)),
        ("typed data_mut", typed.data_mut(&mut *store).map(drop)),
        ("downcast", untyped.downcast::<i32>(&*store).map(drop)),
        ("to_manually_rooted", untyped.to_manually_rooted(&mut *store).map(drop)),
        ("ref_eq", Rooted::ref_eq(&*store, &good, &untyped).map(drop)),
        ("ref_eq, turned", Rooted::ref_eq(&*store, &untyped, &good).map(drop)),
        ("ref_hash", untyped.ref_hash(&*store, &mut hasher)),
        ("to_raw", raw),
        ("argument", call.call(&mut *store, untyped)),
        ("typed argument", call_typed.call(&mut *store, Some(typed))),
        ("dynamic argument", func.call(&mut *store, &[untyped.into()], &mut [])),
        ("host result", returned(store, untyped)),
        ("dynamic host result", returned_dynamically(store, untyped)),
        ("table.set", table.set(&mut *store, 0, untyped.into())),
        ("table.fill", table.fill(&mut *store, 0, typed.to_untyped().into(), 1)),
        ("table.grow", table.grow(&mut *store, 1, untyped.into()).map(drop)),
        ("Table::new", Table::new(&mut *store, elements, untyped.into()).map(drop)),
        ("global.set", global.set(&mut *store, untyped.into())),
        ("Global::new", Global::new(&mut *store, mutable, untyped.into()).map(drop)),
    ];
    for (what, outcome) in outcomes {
        let error = outcome.expect_err(what);
        assert!(format!("{error:#}").contains(why), "{what}: {error:#}");
    }
    assert_eq!(table.size(&*store), 1);
    assert!(table.get(&mut *store, 0).is_some_and(|element| element.is_null()));
    assert!(global.get(&mut *store).unwrap_externref().is_none());
    Ok(())
}

fn returned(store: &mut Store<()>, root: Rooted<ExternRef>) -> Result<()> {
    let func = Func::wrap(&mut *store, move || root);
    func.typed::<(), Rooted<ExternRef>>(&*store)?.call(store, ()).map(drop)
}

fn returned_dynamically(store: &mut Store<()>, root: Rooted<ExternRef>) -> Result<()> {
    let ty = FuncType::new(store.engine(), [], [ValType::EXTERNREF]);
    let func = Func::new(&mut *store, ty, move |_, _, results| {
        results[0] = root.into();
        Ok(())
    });
    func.call(store, &[], &mut [Val::null_extern_ref()])
}

fn a_manual_root_of_another_store_panics_and_harms_nobody(mode: Mode) -> Result<()> {
    let (census, mut home, mut other) = (Census::default(), mode.store(), mode.store());
    let manual = ExternRef::new_manually_rooted(&mut home, census.object())?;
    let foreign = ExternRef::new_manually_rooted(&mut other, "in the same slot")?;
    assert!(manual.data(&other).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| manual.to_rooted(&mut other))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| manual.clone(&mut other))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| manual.unroot(&mut other))).is_err());
    home.gc();
    other.gc();
    assert_eq!(foreign.data(&other)?.downcast_ref(), Some(&"in the same slot"));
    assert_eq!(census.live(), 0, "the handle was dropped by the panic");
    Ok(())
}

fn hash(store: &Store<()>, root: Rooted<ExternRef>) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    root.ref_hash(store, &mut hasher)?;
    Ok(hasher.finish())
}

fn identity_and_hashes_survive_collections(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let garbage = ExternRef::new_manually_rooted(&mut store, 0)?;
    let objects: Vec<_> =
        (0..10).map(|number| ExternRef::new(&mut store, number)).collect::<Result<_>>()?;
    let hashes = objects.iter().map(|root| hash(&store, *root)).collect::<Result<Vec<_>>>()?;
    let mut distinct = hashes.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 10);
    let manual = objects[3].to_manually_rooted(&mut store)?;
    garbage.unroot(&mut store);
    for _ in 0..3 {
        store.gc();
        let now = objects.iter().map(|root| hash(&store, *root)).collect::<Result<Vec<_>>>()?;
        assert_eq!(now, hashes);
        let mut hasher = DefaultHasher::new();
        manual.ref_hash(&store, &mut hasher);
        assert_eq!(hasher.finish(), hashes[3]);
        for (index, root) in objects.iter().enumerate() {
            assert_eq!(Rooted::ref_eq(&store, root, &manual)?, index == 3);
        }
    }
    Ok(())
}

fn roots_differ_where_objects_are_equal(mode: Mode) -> Result<()> {
    fn root_hash(root: &Rooted<ExternRef>) -> u64 {
        let mut hasher = DefaultHasher::new();
        root.rooted_hash(&mut hasher);
        hasher.finish()
    }
    fn same<T: RootedGcRef<ExternRef>>(store: &Store<()>, a: &T, b: &T) -> Result<bool> {
        ManuallyRooted::ref_eq(store, a, b)
    }
    let mut store = mode.store();
    let first = ExternRef::new(&mut store, 1)?;
    let copy = first;
    let second = first.to_manually_rooted(&mut store)?.into_rooted(&mut store);
    for _ in 0..2 {
        assert!(Rooted::rooted_eq(first, copy) && root_hash(&first) == root_hash(&copy));
        assert!(!Rooted::rooted_eq(first, second) && root_hash(&first) != root_hash(&second));
        assert!(same(&store, &first, &second)?);
        store.gc();
    }
    let (a, b) = (first.to_manually_rooted(&mut store)?, first.to_manually_rooted(&mut store)?);
    assert!(same(&store, &a, &b)?);
    let mut other = Store::new(&Engine::default(), ());
    let foreign = ExternRef::new(&mut other, 1)?;
    assert!(!Rooted::rooted_eq(first, foreign), "roots of two stores are never the same");
    Ok(())
}
