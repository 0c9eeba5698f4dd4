//! Exceptions among guests: which handler gets one, what its payload is then, how it crosses modules,
//! and what is no exception.

mod support;

use anyhow::{Context as _, bail, ensure};
use hostref::{
    AsContextMut, Caller, Config, Engine, ExternRef, FuncType, Global, GlobalType, Instance,
    LinkError, Linker, Module, Mutability, Ref, RefType, Result, RootScope, Rooted, Store, Table,
    TableType, Tag, TagType, ThrownException, Trap, V128, Val, ValType,
};
use support::{Census, Mode, both_modes, export, id, instantiate};

both_modes! {
    a_payload_of_every_type_arrives,
    an_exception_passes_frames_with_stack_arguments,
    an_exception_leaves_a_tail_call_that_grew_its_arguments,
    the_innermost_matching_clause_gets_the_exception,
    a_label_may_be_a_loop_or_the_function,
    calls_in_a_try_table_return_as_others_do,
    indirect_calls_throw,
    an_exception_is_a_value,
    tags_are_told_apart_by_identity,
    a_guest_loop_of_exceptions_runs_in_bounded_memory,
    what_is_no_exception_is_not_caught,
    a_full_heap_is_a_trap,
}

fn linker(store: &mut Store<()>) -> Result<Linker<()>> {
    let mut linker = Linker::new(store.engine());
    linker.func_wrap("", "gc", |mut caller: Caller<'_, ()>| caller.as_context_mut().gc())?;
    Ok(linker)
}

/// An instance of `wat`, which may import `"" "gc"`.
fn collecting(store: &mut Store<()>, wat: &str) -> Result<Instance> {
    let module = Module::new(store.engine(), wat)?;
    linker(store)?.instantiate(store, &module)
}

fn a_payload_of_every_type_arrives(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let instance = collecting(
        &mut store,
        r#"(module
            (import "" "gc" (func $gc))
            (type $payload (func
                (param i32 externref i64 funcref f32 v128 f64 externref i32)
                (result i32 externref i64 funcref f32 v128 f64 externref i32)))
            (tag $t (param i32 externref i64 funcref f32 v128 f64 externref i32))
            (func $thrower
                (param i32 externref i64 funcref f32 v128 f64 externref i32)
                (call $gc)
                (throw $t (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)
                    (local.get 5) (local.get 6) (local.get 7) (local.get 8)))
            (func (export "run") (type $payload)
                (try_table (catch $t 0)
                    (call $thrower (local.get 0) (local.get 1) (local.get 2) (local.get 3)
                        (local.get 4) (local.get 5) (local.get 6) (local.get 7) (local.get 8)))
                unreachable))"#,
    )?;
    let run = instance.get_func(&mut store, "run").context("an export")?;
    let (first, second) = (census.root(&mut store)?, census.root(&mut store)?);
    let params = [
        Val::I32(-1),
        first.into(),
        Val::I64(i64::MIN + 5),
        run.into(),
        Val::F32(1.5_f32.to_bits()),
        V128::from(u128::MAX - 7).into(),
        Val::F64(2.5_f64.to_bits()),
        second.into(),
        Val::I32(9),
    ];
    let mut results = vec![Val::I32(0); 9];
    run.call(&mut store, &params, &mut results)?;
    assert_eq!((results[0].unwrap_i32(), results[8].unwrap_i32()), (-1, 9));
    assert_eq!(results[2].unwrap_i64(), i64::MIN + 5);
    assert_eq!((results[4].unwrap_f32(), results[6].unwrap_f64()), (1.5, 2.5));
    assert_eq!(results[5].unwrap_v128(), V128::from(u128::MAX - 7));
    assert_eq!(results[3].unwrap_funcref(), Some(&run));
    for (index, expected) in [(1, 0), (7, 1)] {
        let object = *results[index].unwrap_externref().context("not null")?;
        assert_eq!(id(&store, object)?, expected);
    }
    Ok(())
}

fn an_exception_passes_frames_with_stack_arguments(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let instance = collecting(
        &mut store,
        r#"(module
            (import "" "gc" (func $gc))
            (tag $t (param i32 externref))
            (func $inner (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 externref externref)
                (result i32)
                (call $gc)
                (throw $t (i32.add (local.get 10) (local.get 11)) (local.get 13)))
            (func $middle (param i32 externref) (result i32)
                (i32.add (i32.const 1000)
                    (call $inner (local.get 0) (local.get 0) (local.get 0) (local.get 0)
                        (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0)
                        (local.get 0) (local.get 0) (i32.const 7) (ref.null extern) (local.get 1))))
            (func (export "run") (param $a i32) (param $o externref) (param $p externref)
                (result i32 externref externref)
                (local $b i32) (local $c i64) (local $d f64)
                (local.set $b (i32.mul (local.get $a) (i32.const 3)))
                (local.set $c (i64.extend_i32_s (local.get $b)))
                (local.set $d (f64.convert_i32_s (local.get $b)))
                (block $caught (result i32 externref)
                    (try_table (catch $t $caught)
                        (drop (call $middle (local.get $a) (local.get $o))))
                    unreachable)
                ;; What was live over the call is as it was.
                (if (i64.ne (local.get $c) (i64.const 15)) (then unreachable))
                (if (f64.ne (local.get $d) (f64.const 15)) (then unreachable))
                (call $gc)
                (local.get $p)))"#,
    )?;
    let run = instance.get_func(&mut store, "run").context("an export")?;
    let (first, second) = (census.root(&mut store)?, census.root(&mut store)?);
    let mut results = vec![Val::I32(0); 3];
    run.call(&mut store, &[Val::I32(5), first.into(), second.into()], &mut results)?;
    assert_eq!(results[0].unwrap_i32(), 12);
    assert_eq!(id(&store, *results[1].unwrap_externref().context("not null")?)?, 0);
    assert_eq!(id(&store, *results[2].unwrap_externref().context("not null")?)?, 1);
    Ok(())
}

fn an_exception_leaves_a_tail_call_that_grew_its_arguments(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let instance = collecting(
        &mut store,
        r#"(module
            (import "" "gc" (func $gc))
            (tag $t (param i64 externref))
            (func $many
                (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 externref)
                (result i64)
                (call $gc)
                (throw $t (i64.add (local.get 13) (local.get 12)) (local.get 14)))
            (func $few (param i64 externref) (result i64)
                ;; Its own handler is gone when the callee throws.
                (block $never
                    (try_table (catch_all $never)
                        (return_call $many (local.get 0) (local.get 0) (local.get 0) (local.get 0)
                            (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0)
                            (local.get 0) (local.get 0) (local.get 0) (i64.const 30) (i64.const 12)
                            (local.get 1))))
                unreachable)
            (func (export "run") (param i64 externref externref) (result i64 externref externref)
                (block $caught (result i64 externref)
                    (try_table (catch $t $caught)
                        (drop (call $few (local.get 0) (local.get 1))))
                    unreachable)
                (local.get 2)))"#,
    )?;
    let run = instance.get_func(&mut store, "run").context("an export")?;
    let (first, second) = (census.root(&mut store)?, census.root(&mut store)?);
    let mut results = vec![Val::I32(0); 3];
    for _ in 0..10 {
        run.call(&mut store, &[Val::I64(1), first.into(), second.into()], &mut results)?;
        assert_eq!(results[0].unwrap_i64(), 42);
        assert_eq!(id(&store, *results[1].unwrap_externref().context("not null")?)?, 0);
        assert_eq!(id(&store, *results[2].unwrap_externref().context("not null")?)?, 1);
    }
    Ok(())
}

fn the_innermost_matching_clause_gets_the_exception(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let instance = instantiate(
        &mut store,
        r#"(module
            (tag $a) (tag $b) (tag $c)
            (func $throw (param i32)
                (if (i32.eq (local.get 0) (i32.const 0)) (then (throw $a)))
                (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $b)))
                (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $c))))
            (func (export "called") (param i32) (result i32)
                (block $outer_a (block $outer_all (block $inner_a (block $inner_b (block $none
                    (try_table (catch $a $outer_a) (catch_all $outer_all)
                        (try_table (catch $a $inner_a) (catch $b $inner_b) (catch $b $outer_a)
                            (call $throw (local.get 0))
                            (br $none))))
                (return (i32.const 0)))
                (return (i32.const 1)))
                (return (i32.const 2)))
                (return (i32.const 3)))
                (i32.const 4))
            (func (export "here") (param i32) (result i32)
                (block $outer_a (block $outer_all (block $inner_a (block $inner_b (block $none
                    (try_table (catch $a $outer_a) (catch_all $outer_all)
                        (try_table (catch $a $inner_a) (catch $b $inner_b) (catch $b $outer_a)
                            (if (i32.eq (local.get 0) (i32.const 0)) (then (throw $a)))
                            (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $b)))
                            (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $c)))
                            (br $none))))
                (return (i32.const 0)))
                (return (i32.const 1)))
                (return (i32.const 2)))
                (return (i32.const 3)))
                (i32.const 4)))"#,
        &[],
    )?;
    for name in ["called", "here"] {
        let run = export::<i32, i32>(&mut store, instance, name)?;
        for (thrown, expected) in [(0, 2), (1, 1), (2, 3), (3, 0)] {
            assert_eq!(run.call(&mut store, thrown)?, expected, "{name} {thrown}");
        }
    }
    Ok(())
}

fn a_label_may_be_a_loop_or_the_function(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let instance = instantiate(
        &mut store,
        r#"(module
            (tag $next (param i32)) (tag $done (param i32))
            (func $step (param i32)
                (if (i32.lt_u (local.get 0) (i32.const 100))
                    (then (throw $next (i32.add (local.get 0) (i32.const 1)))))
                (throw $done (local.get 0)))
            (func (export "run") (param i32) (result i32)
                (local.get 0)
                (loop $again (param i32)
                    (local.set 0)
                    (try_table (catch $next $again) (catch $done 1)
                        (call $step (local.get 0))))
                unreachable)
            (func (export "counted") (result i32)
                (local $steps i32)
                (block $end (result i32)
                    (i32.const 0)
                    (loop $again (param i32)
                        (local.set $steps (i32.add (local.get $steps) (i32.const 1)))
                        (try_table (param i32) (catch $next $again) (catch $done $end)
                            (call $step)))
                    unreachable)
                (i32.add (i32.mul (i32.const 1000) (local.get $steps)))))"#,
        &[],
    )?;
    let run = export::<i32, i32>(&mut store, instance, "run")?;
    assert_eq!(run.call(&mut store, 1)?, 100);
    let counted = export::<(), i32>(&mut store, instance, "counted")?;
    assert_eq!(counted.call(&mut store, ())?, 101_100);
    Ok(())
}

fn calls_in_a_try_table_return_as_others_do(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let instance = collecting(
        &mut store,
        r#"(module
            (import "" "gc" (func $gc))
            (func $many (param externref)
                (result i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 externref i32 i64)
                (call $gc)
                (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4) (i32.const 5) (i64.const 6)
                (f32.const 7) (f64.const 8) (i32.const 9) (i64.const 10) (local.get 0)
                (i32.const 12) (i64.const 13))
            (func (export "run") (param externref)
                (result i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 externref i32 i64)
                (block $caught
                    (try_table
                        (result i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 externref i32 i64)
                        (catch_all $caught)
                        (call $gc)
                        (call $many (local.get 0))
                        (call $gc))
                    (return))
                unreachable))"#,
    )?;
    let run = instance.get_func(&mut store, "run").context("an export")?;
    let object = census.root(&mut store)?;
    let mut results = vec![Val::I32(0); 13];
    run.call(&mut store, &[object.into()], &mut results)?;
    assert_eq!((results[0].unwrap_i32(), results[12].unwrap_i64()), (1, 13));
    assert_eq!((results[6].unwrap_f32(), results[7].unwrap_f64()), (7.0, 8.0));
    assert_eq!(id(&store, *results[10].unwrap_externref().context("not null")?)?, 0);
    Ok(())
}

fn indirect_calls_throw(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let instance = instantiate(
        &mut store,
        r#"(module
            (type $f (func (param i32) (result i32)))
            (tag $t (param i32))
            (table funcref (elem $plain $throws $tail))
            (func $plain (type $f) (local.get 0))
            (func $throws (type $f) (throw $t (i32.mul (local.get 0) (i32.const 2))))
            (func $tail (type $f)
                (return_call_indirect (type $f)
                    (i32.mul (local.get 0) (i32.const 3)) (i32.const 1)))
            (func (export "run") (param i32) (result i32)
                (block $caught (result i32)
                    (return
                        (try_table (result i32) (catch $t $caught)
                            (call_indirect (type $f) (i32.const 7) (local.get 0)))))
                (i32.add (i32.const 100)))
            (func (export "by_reference") (param i32) (result i32)
                (block $caught (result i32)
                    (return
                        (try_table (result i32) (catch $t $caught)
                            (call_ref $f (local.get 0) (ref.func $throws)))))
                (i32.add (i32.const 200))))"#,
        &[],
    )?;
    let run = export::<i32, i32>(&mut store, instance, "run")?;
    assert_eq!(run.call(&mut store, 0)?, 7);
    assert_eq!(run.call(&mut store, 1)?, 114);
    assert_eq!(run.call(&mut store, 2)?, 142);
    let by_reference = export::<i32, i32>(&mut store, instance, "by_reference")?;
    assert_eq!(by_reference.call(&mut store, 5)?, 210);
    let error = run.call(&mut store, 3).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::TableOutOfBounds));
    Ok(())
}

/// `exnref` in locals, tables, globals, parameters, results and payloads, caught and thrown on.
fn an_exception_is_a_value(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let global_ty = GlobalType::new(ValType::EXNREF, Mutability::Var);
    let global = Global::new(&mut store, global_ty, Val::ExnRef(None))?;
    let table_ty = TableType::new(RefType::EXNREF, 2, None);
    let table = Table::new(&mut store, table_ty, Ref::Exn(None))?;
    let mut linker = linker(&mut store)?;
    linker.define(&store, "", "global", global)?.define(&store, "", "table", table)?;
    let module = Module::new(
        store.engine(),
        r#"(module
            (import "" "gc" (func $gc))
            (import "" "global" (global $g (mut exnref)))
            (import "" "table" (table $exceptions 2 exnref))
            (tag $t (export "t") (param externref))
            (tag $wrapped (param exnref i32))
            (func $throw (param externref) (throw $t (local.get 0)))
            (func (export "catch") (param externref)
                (local $e exnref)
                (block $caught (result externref exnref)
                    (try_table (catch_ref $t $caught) (call $throw (local.get 0)))
                    unreachable)
                (local.set $e) (drop)
                (call $gc)
                (global.set $g (local.get $e))
                (table.set $exceptions (i32.const 1) (local.get $e))
                (table.fill $exceptions (i32.const 0) (local.get $e) (i32.const 1)))
            (func $wrap (param exnref) (throw $wrapped (local.get 0) (i32.const 5)))
            (func $unwrap (param exnref) (result exnref)
                (block $caught (result exnref i32)
                    (try_table (catch $wrapped $caught) (call $wrap (local.get 0)))
                    unreachable)
                (drop))
            (func (export "again") (result externref)
                (block $caught (result externref)
                    (try_table (catch $t $caught)
                        (call $gc)
                        (throw_ref (call $unwrap (global.get $g))))
                    unreachable))
            (func (export "null") (throw_ref (ref.null exn)))
            (func (export "id") (param exnref) (result exnref) (local.get 0)))"#,
    )?;
    let instance = linker.instantiate(&mut store, &module)?;
    let catch = export::<Rooted<ExternRef>, ()>(&mut store, instance, "catch")?;
    let again = export::<(), Rooted<ExternRef>>(&mut store, instance, "again")?;
    {
        let mut scope = RootScope::new(&mut store);
        let object = census.root(&mut scope)?;
        catch.call(&mut scope, object)?;
    }
    store.gc();
    assert_eq!(census.live(), 1);
    let object = again.call(&mut store, ())?;
    assert_eq!(id(&store, object)?, 0);

    let Val::ExnRef(Some(exception)) = global.get(&mut store) else { bail!("an exception") };
    let Some(Ref::Exn(Some(same))) = table.get(&mut store, 1) else { bail!("an exception") };
    assert!(Rooted::ref_eq(&store, &exception, &same)?);
    assert_eq!(Some(exception.tag(&store)?), instance.get_tag(&mut store, "t"));
    let mut results = [Val::I32(0)];
    let id = instance.get_func(&mut store, "id").context("an export")?;
    id.call(&mut store, &[exception.into()], &mut results)?;
    let returned = results[0].unwrap_exnref().context("not null")?;
    assert!(Rooted::ref_eq(&store, &exception, returned)?);
    assert!(id.call(&mut store, &[Val::ExternRef(None)], &mut results).is_err());

    let null = export::<(), ()>(&mut store, instance, "null")?;
    let error = null.call(&mut store, ()).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::NullReference));
    Ok(())
}

fn tags_are_told_apart_by_identity(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let defining = instantiate(
        &mut store,
        r#"(module
            (tag $a (export "a") (param i32)) (tag $b (export "b") (param i32))
            (func (export "throw_a") (param i32) (throw $a (local.get 0)))
            (func (export "throw_b") (param i32) (throw $b (local.get 0))))"#,
        &[],
    )?;
    let user = r#"(module
        (import "m" "throw_a" (func $throw_a (param i32)))
        (import "m" "throw_b" (func $throw_b (param i32)))
        (import "m" "a" (tag $a (param i32)))
        (import "m" "b" (tag $b (param i32)))
        (import "m" "a" (tag $again (param i32)))
        (tag $own (param i32))
        (func (export "a") (result i32)
            (try_table (catch $own 0) (catch $b 0) (catch $a 0) (call $throw_a (i32.const 1)))
            unreachable)
        (func (export "alias") (result i32)
            (try_table (catch $own 0) (catch $b 0) (catch $again 0) (throw $a (i32.const 2)))
            unreachable)
        (func (export "other") (result i32)
            (try_table (catch $own 0) (catch $a 0) (call $throw_b (i32.const 3)))
            unreachable)
        (func (export "which") (result i32)
            (block $b (result i32)
                (block $a (result i32)
                    (try_table (catch $again $a) (catch $b $b) (call $throw_b (i32.const 4)))
                    unreachable)
                (i32.add (i32.const 100)))))"#;
    let mut linker = Linker::new(store.engine());
    linker.instance(&mut store, "m", defining)?;
    let module = Module::new(store.engine(), user)?;
    let instance = linker.instantiate(&mut store, &module)?;
    for (name, expected) in [("a", 1), ("alias", 2), ("which", 4)] {
        let run = export::<(), i32>(&mut store, instance, name)?;
        assert_eq!(run.call(&mut store, ())?, expected, "{name}");
    }
    let other = export::<(), i32>(&mut store, instance, "other")?;
    let error = other.call(&mut store, ()).unwrap_err();
    let thrown = error.downcast_ref::<ThrownException>().context("an exception")?;
    let b = defining.get_tag(&mut store, "b").context("an export")?;
    assert!(Tag::eq(&thrown.tag(&store)?, &b, &store));

    // Two instances of one module have different tags.
    let second = instantiate(&mut store, r#"(module (tag (export "a") (param i32)))"#, &[])?;
    let a = defining.get_tag(&mut store, "a").context("an export")?;
    assert_ne!(second.get_tag(&mut store, "a"), Some(a));
    Ok(())
}

fn a_guest_loop_of_exceptions_runs_in_bounded_memory(mode: Mode) -> Result<()> {
    let mut config = mode.config();
    config.gc_heap_limit(1 << 20);
    let mut store = Store::new(&Engine::new(&config)?, ());
    let instance = instantiate(
        &mut store,
        r#"(module
            (tag $t (param i64))
            (func $throw (param i64) (throw $t (local.get 0)))
            (func (export "run") (param $count i64) (result i64)
                (local $sum i64)
                (loop $again
                    (local.set $sum (i64.add (local.get $sum)
                        (block $caught (result i64)
                            (try_table (catch $t $caught) (call $throw (local.get $count)))
                            unreachable)))
                    (local.set $count (i64.sub (local.get $count) (i64.const 1)))
                    (br_if $again (i64.ne (local.get $count) (i64.const 0))))
                (local.get $sum)))"#,
        &[],
    )?;
    let run = export::<i64, i64>(&mut store, instance, "run")?;
    let count = if mode == Mode::Stress { 2_000 } else { 100_000 };
    assert_eq!(run.call(&mut store, count)?, count * (count + 1) / 2);
    Ok(())
}

fn what_is_no_exception_is_not_caught(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let mut linker = linker(&mut store)?;
    linker.func_wrap("", "fail", || -> Result<()> { bail!("no exception") })?;
    linker.func_wrap("", "panic", || {
        if true {
            panic!("not caught by guests");
        }
    })?;
    let module = Module::new(
        store.engine(),
        r#"(module
            (import "" "fail" (func $fail))
            (import "" "panic" (func $panic))
            (memory 1)
            (func $unreachable unreachable)
            (func $divide (drop (i32.div_u (i32.const 1) (i32.const 0))))
            (func $load (drop (i32.load (i32.const -1))))
            (func $deep (call $deep) (call $deep))
            (table funcref (elem $unreachable $divide $load $deep $fail $panic))
            (func (export "run") (param i32)
                (try_table (catch_all 0)
                    (call_indirect (local.get 0))))
            (func (export "here") (param i32)
                (block $caught
                    (try_table (catch_all $caught)
                        (if (i32.eqz (local.get 0)) (then unreachable))
                        (drop (i32.load (i32.const -1)))))))"#,
    )?;
    let instance = linker.instantiate(&mut store, &module)?;
    let run = export::<i32, ()>(&mut store, instance, "run")?;
    let here = export::<i32, ()>(&mut store, instance, "here")?;
    for _ in 0..3 {
        for (index, expected) in [
            (0, Trap::UnreachableCodeReached),
            (1, Trap::IntegerDivisionByZero),
            (2, Trap::MemoryOutOfBounds),
            (3, Trap::StackOverflow),
        ] {
            let error = run.call(&mut store, index).unwrap_err();
            assert_eq!(error.downcast_ref::<Trap>(), Some(&expected));
        }
        let error = run.call(&mut store, 4).unwrap_err();
        assert_eq!(error.root_cause().to_string(), "no exception");
        let panicking = std::panic::AssertUnwindSafe(|| run.call(&mut store, 5));
        assert!(std::panic::catch_unwind(panicking).is_err());
        for (index, expected) in [(0, Trap::UnreachableCodeReached), (1, Trap::MemoryOutOfBounds)] {
            let error = here.call(&mut store, index).unwrap_err();
            assert_eq!(error.downcast_ref::<Trap>(), Some(&expected));
        }
    }
    Ok(())
}

fn a_full_heap_is_a_trap(mode: Mode) -> Result<()> {
    let mut config = mode.config();
    config.gc_heap_limit(4 << 10);
    let mut store = Store::new(&Engine::new(&config)?, ());
    let instance = instantiate(
        &mut store,
        r#"(module
            (tag $t (param exnref))
            (func $throw (param exnref) (throw $t (local.get 0)))
            (func (export "run") (local $list exnref)
                (loop $again
                    (block $caught (result exnref exnref)
                        (try_table (catch_ref $t $caught) (call $throw (local.get $list)))
                        unreachable)
                    (local.set $list)
                    (drop)
                    (br $again))))"#,
        &[],
    )?;
    let run = export::<(), ()>(&mut store, instance, "run")?;
    for _ in 0..2 {
        let error = run.call(&mut store, ()).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::GcHeapOutOfMemory));
    }
    Ok(())
}

#[test]
fn tags_link_by_exact_type() -> Result<()> {
    let mut store = Store::<()>::default();
    let ty = FuncType::new(store.engine(), [ValType::I32], []);
    let tag = Tag::new(&mut store, &TagType::new(ty))?;
    let mut linker = Linker::new(store.engine());
    linker.define(&store, "m", "t", tag)?;
    let module = Module::new(store.engine(), r#"(module (import "m" "t" (tag (param i64))))"#)?;
    assert_eq!(
        module.imports().next().context("an import")?.ty().to_string(),
        "(tag (func (param i64)))"
    );
    let error = linker.instantiate(&mut store, &module).unwrap_err();
    let error = error.downcast_ref::<LinkError>().context("a link error")?;
    assert_eq!(
        error.to_string(),
        "incompatible import type for `m::t`: expected (tag (func (param i64))), found (tag (func \
         (param i32)))"
    );
    let module = Module::new(
        store.engine(),
        r#"(module (import "m" "t" (tag $t (param i32))) (export "t" (tag $t)))"#,
    )?;
    let instance = linker.instantiate(&mut store, &module)?;
    assert_eq!(instance.get_tag(&mut store, "t"), Some(tag));
    let ty = instance.get_export(&mut store, "t").context("an export")?.ty(&store);
    assert_eq!(ty.tag().context("a tag")?.ty().params().len(), 1);
    Ok(())
}

#[test]
fn what_is_not_accepted_is_named() -> Result<()> {
    let engine = Engine::new(Config::new().wasm_exceptions(false))?;
    let error = Module::new(&engine, "(module (tag))").unwrap_err();
    ensure!(format!("{error:#}").contains("exceptions"), "{error:#}");
    // A function of `try`, `catch_all` and `end`.
    let legacy = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\
        \x0a\x08\x01\x06\0\x06\x40\x19\x0b\x0b";
    let error = Module::new(&Engine::default(), legacy).unwrap_err();
    ensure!(format!("{error:#}").contains("legacy_exceptions"), "{error:#}");

    let tags: String = (0..1100).map(|_| "(tag)").collect();
    let clauses: String = (0..1100).map(|tag| format!("(catch {tag} 0)")).collect();
    let many = format!("(module {tags} (func $f) (func (try_table {clauses} (call $f))))");
    let error = Module::new(&Engine::default(), many).unwrap_err();
    ensure!(format!("{error:#}").contains("more than 1000 catch clauses"), "{error:#}");
    Ok(())
}
