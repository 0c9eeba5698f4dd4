//! Exceptions at the boundary: how they cross host functions, how hosts throw, and what the embedder
//! learns of one that no guest caught.

mod support;

use anyhow::Context as _;
use hostref::{
    AsContextMut, Caller, Engine, ExnRef, ExternRef, Func, FuncType, Instance, Linker, Module,
    Result, RootScope, Rooted, Store, Tag, TagType, ThrownException, Trap, Val, ValType,
    WasmBacktrace,
};
use support::{Census, Mode, both_modes, export, id, instantiate};

both_modes! {
    a_host_function_lets_an_exception_pass,
    a_host_function_swallows_an_exception,
    a_host_function_throws,
    an_uncaught_exception_is_an_error_with_its_payload,
    an_error_keeps_its_exception_alive,
    an_exception_crosses_many_activations,
    an_exception_is_a_typed_value,
    a_panicking_context_of_an_exception_is_a_panic,
}

fn tag(store: &mut Store<()>, params: &[ValType]) -> Result<Tag> {
    let ty = FuncType::new(&store.engine().clone(), params.iter().cloned(), []);
    Tag::new(store, &TagType::new(ty))
}

fn linker(store: &mut Store<()>) -> Result<Linker<()>> {
    let mut linker = Linker::new(store.engine());
    linker.func_wrap("", "gc", |mut caller: Caller<'_, ()>| caller.as_context_mut().gc())?;
    Ok(linker)
}

/// A guest that calls itself through the host: `run(n)` throws in the innermost of `n` levels.
const THROUGH_HOST: &str = r#"(module
    (import "" "gc" (func $gc))
    (import "" "call" (func $call (param i32 externref) (result i32)))
    (tag $t (export "t") (param i32 externref))
    (func $run (export "run") (param i32 externref) (result i32)
        (if (i32.eqz (local.get 0))
            (then (throw $t (i32.const 11) (local.get 1))))
        (i32.add (i32.const 1)
            (call $call (i32.sub (local.get 0) (i32.const 1)) (local.get 1))))
    (func (export "catch") (param i32 externref) (result i32 externref)
        (try_table (catch $t 0)
            (call $run (local.get 0) (local.get 1))
            (return (ref.null extern)))
        unreachable)
    (func (export "throws") (param i32 externref) (throw $t (local.get 0) (local.get 1))))"#;

/// An instance of [`THROUGH_HOST`], in which a failed call becomes what `outcome` makes of it.
fn through_host(
    store: &mut Store<()>,
    outcome: fn(&mut Caller<'_, ()>, hostref::Error) -> Result<i32>,
) -> Result<Instance> {
    let mut linker = linker(store)?;
    linker.func_wrap(
        "",
        "call",
        move |mut caller: Caller<'_, ()>, n: i32, object: Rooted<ExternRef>| -> Result<i32> {
            let run = caller.get_export("run").and_then(hostref::Extern::into_func);
            let run = run.context("an export")?;
            let run = run.typed::<(i32, Rooted<ExternRef>), i32>(&caller)?;
            run.call(&mut caller, (n, object)).or_else(|error| outcome(&mut caller, error))
        },
    )?;
    let module = Module::new(store.engine(), THROUGH_HOST)?;
    linker.instantiate(store, &module)
}

/// Lets everything pass, after making garbage of what is not rooted.
fn pass(caller: &mut Caller<'_, ()>, error: hostref::Error) -> Result<i32> {
    for garbage in 0..100 {
        ExternRef::new(&mut *caller, garbage)?;
    }
    caller.as_context_mut().gc();
    Err(error.context("passed on"))
}

fn a_host_function_lets_an_exception_pass(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let instance = through_host(&mut store, pass)?;
    let catch = instance.get_func(&mut store, "catch").context("an export")?;
    let object = census.root(&mut store)?;
    let mut results = [Val::I32(0), Val::I32(0)];
    for depth in [0, 1, 3] {
        catch.call(&mut store, &[Val::I32(depth), object.into()], &mut results)?;
        assert_eq!(results[0].unwrap_i32(), 11);
        assert_eq!(id(&store, *results[1].unwrap_externref().context("not null")?)?, 0);
    }
    Ok(())
}

fn a_host_function_swallows_an_exception(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let instance = through_host(&mut store, |caller, error| {
        let thrown = error.downcast_ref::<ThrownException>().context("an exception")?;
        Ok(thrown.field(caller, 0)?.unwrap_i32() * 2)
    })?;
    let run = export::<(i32, Rooted<ExternRef>), i32>(&mut store, instance, "run")?;
    let object = census.root(&mut store)?;
    assert_eq!(run.call(&mut store, (1, object))?, 23);
    assert_eq!(run.call(&mut store, (2, object))?, 24);
    Ok(())
}

fn a_host_function_throws(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let tag = tag(&mut store, &[ValType::I64, ValType::EXTERNREF])?;
    let mut linker = linker(&mut store)?;
    linker.define(&store, "", "tag", tag)?;
    let throw = move |mut caller: Caller<'_, ()>, object: Rooted<ExternRef>| -> Result<()> {
        let exception = ExnRef::new(&mut caller, &tag, &[Val::I64(3), object.into()])?;
        caller.as_context_mut().gc();
        caller.throw(exception)
    };
    linker.func_wrap("", "typed", throw)?;
    let ty = FuncType::new(store.engine(), [ValType::EXTERNREF], []);
    linker.func_new("", "dynamic", ty, move |mut caller, params, _| {
        let exception = ExnRef::new(&mut caller, &tag, &[Val::I64(3), params[0]])?;
        caller.throw(exception)
    })?;
    let module = Module::new(
        store.engine(),
        r#"(module
            (import "" "gc" (func $gc))
            (import "" "tag" (tag $t (param i64 externref)))
            (import "" "typed" (func $typed (param externref)))
            (import "" "dynamic" (func $dynamic (param externref)))
            (func $tail (param externref) (return_call $typed (local.get 0)))
            (func (export "typed") (param externref) (result i64 externref)
                (try_table (catch $t 0) (call $typed (local.get 0))) unreachable)
            (func (export "dynamic") (param externref) (result i64 externref)
                (try_table (catch $t 0) (call $dynamic (local.get 0))) unreachable)
            (func (export "tail") (param externref) (result i64 externref)
                (try_table (catch $t 0) (call $tail (local.get 0))) unreachable)
            (func (export "deep") (param externref) (result i64 externref)
                (try_table (catch $t 0)
                    (call $gc)
                    (call $tail (local.get 0)))
                unreachable))"#,
    )?;
    let instance = linker.instantiate(&mut store, &module)?;
    let object = census.root(&mut store)?;
    for name in ["typed", "dynamic", "tail", "deep"] {
        let run = instance.get_func(&mut store, name).context("an export")?;
        let mut results = [Val::I32(0), Val::I32(0)];
        run.call(&mut store, &[object.into()], &mut results)?;
        assert_eq!(results[0].unwrap_i64(), 3, "{name}");
        assert_eq!(id(&store, *results[1].unwrap_externref().context("not null")?)?, 0);
    }
    // The embedder calls the host function itself.
    let func = Func::wrap(&mut store, throw);
    let error = func.call(&mut store, &[object.into()], &mut []).unwrap_err();
    assert_eq!(error.downcast_ref::<ThrownException>().context("thrown")?.tag(&store)?, tag);
    Ok(())
}

fn an_uncaught_exception_is_an_error_with_its_payload(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let instance = through_host(&mut store, pass)?;
    let tag = instance.get_tag(&mut store, "t").context("an export")?;
    for (name, depth) in [("throws", 0), ("run", 0), ("run", 2)] {
        let object = census.root(&mut store)?;
        let func = instance.get_func(&mut store, name).context("an export")?;
        let mut results = vec![Val::I32(0); func.ty(&store).results().len()];
        let error = func.call(&mut store, &[Val::I32(depth), object.into()], &mut results);
        let error = error.unwrap_err();
        assert!(!error.is::<Trap>());
        assert!(!error.downcast_ref::<WasmBacktrace>().context("frames")?.frames().is_empty());
        let thrown = error.downcast_ref::<ThrownException>().context("an exception")?;
        assert_eq!(thrown.tag(&store)?, tag);
        store.gc();
        let fields: Vec<Val> = thrown.fields(&mut store)?.collect();
        assert_eq!(fields[0].unwrap_i32(), if name == "run" { 11 } else { 0 });
        let object = *fields[1].unwrap_externref().context("not null")?;
        assert_eq!(id(&store, object)?, census.made() - 1);
        assert!(thrown.field(&mut store, 2).is_err());
        assert_eq!(
            thrown.to_string(),
            "a WebAssembly exception was not caught: its tag is of type (func (param i32 externref))"
        );
        // With another store the error is an error like any other.
        let mut other = mode.store();
        assert!(thrown.tag(&other).is_err() && thrown.fields(&mut other).is_err());
    }
    Ok(())
}

fn an_error_keeps_its_exception_alive(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let instance = through_host(&mut store, pass)?;
    let throws = export::<(i32, Rooted<ExternRef>), ()>(&mut store, instance, "throws")?;
    let error = {
        let mut scope = RootScope::new(&mut store);
        let object = census.root(&mut scope)?;
        throws.call(&mut scope, (1, object)).unwrap_err()
    };
    store.gc();
    assert_eq!(census.live(), 1);
    drop(error);
    store.gc();
    assert_eq!(census.live(), 0);
    Ok(())
}

fn an_exception_crosses_many_activations(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let instance = through_host(&mut store, |_, error| Err(error))?;
    let catch = instance.get_func(&mut store, "catch").context("an export")?;
    let run = export::<(i32, Rooted<ExternRef>), i32>(&mut store, instance, "run")?;
    let object = census.root(&mut store)?;
    let mut results = [Val::I32(0), Val::I32(0)];
    for _ in 0..20 {
        catch.call(&mut store, &[Val::I32(25), object.into()], &mut results)?;
        assert_eq!(results[0].unwrap_i32(), 11);
        let error = run.call(&mut store, (25, object)).unwrap_err();
        assert!(error.is::<ThrownException>());
    }
    Ok(())
}

fn an_exception_is_a_typed_value(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let tag = tag(&mut store, &[ValType::I32])?;
    let same = Func::wrap(&mut store, |exception: Option<Rooted<ExnRef>>| exception);
    let throw = Func::wrap(&mut store, |mut caller: Caller<'_, ()>, e: Rooted<ExnRef>| {
        caller.as_context_mut().gc();
        caller.throw::<()>(e)
    });
    let instance = instantiate(
        &mut store,
        r#"(module
            (import "" "same" (func $same (param exnref) (result exnref)))
            (import "" "throw" (func $throw (param exnref)))
            (func (export "run") (param exnref) (result exnref)
                (try_table (catch_all_ref 0) (call $throw (call $same (local.get 0))))
                unreachable))"#,
        &[same.into(), throw.into()],
    )?;
    type Nullable = Option<Rooted<ExnRef>>;
    let run = export::<Nullable, Nullable>(&mut store, instance, "run")?;
    let exception = ExnRef::new(&mut store, &tag, &[Val::I32(5)])?;
    let returned = run.call(&mut store, Some(exception))?.context("not null")?;
    assert!(Rooted::ref_eq(&store, &exception, &returned)?);
    assert_eq!(returned.field(&mut store, 0)?.unwrap_i32(), 5);
    let error = run.call(&mut store, None).unwrap_err();
    assert!(!error.is::<ThrownException>());
    Ok(())
}

fn a_panicking_context_of_an_exception_is_a_panic(mode: Mode) -> Result<()> {
    #[derive(Debug)]
    struct Bomb;
    impl std::fmt::Display for Bomb {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a bomb")
        }
    }
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    let mut store = mode.store();
    let tag = tag(&mut store, &[])?;
    let throw = Func::wrap(&mut store, move |mut caller: Caller<'_, ()>| -> Result<()> {
        let exception = ExnRef::new(&mut caller, &tag, &[])?;
        caller.throw(exception).map_err(|error: hostref::Error| error.context(Bomb))
    });
    let instance = instantiate(
        &mut store,
        r#"(module (import "" "throw" (func $throw))
            (func (export "run") (try_table (catch_all 0) (call $throw))))"#,
        &[throw.into()],
    )?;
    let run = export::<(), ()>(&mut store, instance, "run")?;
    for _ in 0..2 {
        let call = std::panic::AssertUnwindSafe(|| run.call(&mut store, ()));
        assert!(std::panic::catch_unwind(call).is_err());
    }
    Ok(())
}

#[test]
fn an_exception_of_another_store_is_an_error_like_any_other() -> Result<()> {
    let engine = Engine::default();
    let mut other = Store::new(&engine, ());
    let instance = instantiate(&mut other, r#"(module (tag) (func (export "f") (throw 0)))"#, &[])?;
    let foreign = export::<(), ()>(&mut other, instance, "f")?;
    let error = foreign.call(&mut other, ()).unwrap_err();
    let error = std::sync::Mutex::new(Some(error));
    let mut store = Store::new(&engine, ());
    let fail = Func::wrap(&mut store, move || -> Result<()> {
        Err(error.lock().expect("no panic").take().context("called once")?)
    });
    let run = instantiate(
        &mut store,
        r#"(module (import "" "fail" (func $fail))
            (func (export "run") (try_table (catch_all 0) (call $fail))))"#,
        &[fail.into()],
    )?;
    let error = export::<(), ()>(&mut store, run, "run")?.call(&mut store, ()).unwrap_err();
    assert!(error.downcast_ref::<ThrownException>().context("thrown")?.tag(&store).is_err());
    Ok(())
}

#[test]
fn mistakes_of_the_embedder_are_errors() -> Result<()> {
    let mut store = Store::<()>::default();
    let tag = tag(&mut store, &[ValType::I32, ValType::EXTERNREF])?;
    let object = ExternRef::new(&mut store, 1)?;
    assert!(ExnRef::new(&mut store, &tag, &[Val::I32(1)]).is_err());
    assert!(ExnRef::new(&mut store, &tag, &[Val::I64(1), object.into()]).is_err());
    let exception = ExnRef::new(&mut store, &tag, &[Val::I32(1), object.into()])?;
    let mut other = Store::<()>::default();
    assert!(ExnRef::new(&mut other, &tag, &[]).is_err());
    assert!(exception.tag(&other).is_err());
    assert!(other.throw::<()>(exception).is_err_and(|error| !error.is::<ThrownException>()));
    assert!(store.throw::<()>(exception).is_err_and(|error| error.is::<ThrownException>()));

    let result = FuncType::new(store.engine(), [], [ValType::I32]);
    assert!(Tag::new(&mut store, &TagType::new(result.clone())).is_err());
    assert!(Tag::new(&mut other, &TagType::new(result)).is_err());
    let kept = {
        let mut scope = RootScope::new(&mut store);
        exception.to_manually_rooted(&mut scope)?
    };
    store.gc();
    assert_eq!(kept.field(&mut store, 0)?.unwrap_i32(), 1);
    Ok(())
}
