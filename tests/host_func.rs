//! Host functions: how values, errors, panics and re-entry cross the boundary in both directions.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use anyhow::{Context as _, anyhow, bail};
use hostref::{
    AsContextMut, Caller, Engine, Extern, ExternRef, Func, FuncType, Instance, Linker,
    ManuallyRooted, Module, Result, Rooted, Store, Trap, TypedFunc, Val, ValRaw, ValType,
    WasmBacktrace,
};

fn instance<T: 'static>(store: &mut Store<T>, wat: &str, imports: &[Extern]) -> Instance {
    let module = Module::new(store.engine(), wat).unwrap();
    Instance::new(store, &module, imports).unwrap()
}

fn export<P: hostref::WasmParams, R: hostref::WasmResults>(
    store: impl AsContextMut,
    instance: &Instance,
    name: &str,
) -> TypedFunc<P, R> {
    instance.get_typed_func(store, name).unwrap()
}

#[derive(Debug, PartialEq)]
struct Refused(u32);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused with {}", self.0)
    }
}

impl std::error::Error for Refused {}

const CALLS: &str = r#"(module
    (import "" "f" (func $f))
    (func $inner (call $f))
    (func $outer (export "run") (call $inner)))"#;

#[test]
fn the_very_error_of_a_host_function_comes_back_with_the_backtrace_as_context() {
    let mut store = Store::new(&Engine::default(), ());
    let fail = Func::wrap(&mut store, || -> Result<()> { Err(Refused(17).into()) });
    let guest = instance(&mut store, CALLS, &[fail.into()]);
    let run = export::<(), ()>(&mut store, &guest, "run");
    for _ in 0..3 {
        let error = run.call(&mut store, ()).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Refused(17)));
        let frames = error.downcast_ref::<WasmBacktrace>().unwrap().frames();
        let names: Vec<_> = frames.iter().map(|frame| frame.func_name()).collect();
        assert_eq!(names, [Some("inner"), Some("outer")]);
        assert_eq!(error.downcast::<Refused>().unwrap(), Refused(17));
    }
}

#[test]
fn a_trap_that_the_host_returns_is_a_trap() {
    let mut store = Store::new(&Engine::default(), ());
    let fail = Func::wrap(&mut store, || Result::<()>::Err(Trap::UnreachableCodeReached.into()));
    let guest = instance(&mut store, CALLS, &[fail.into()]);
    let error = export::<(), ()>(&mut store, &guest, "run").call(&mut store, ()).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Trap::UnreachableCodeReached));
}

#[test]
fn an_error_of_a_function_that_the_embedder_calls_itself_is_that_error() {
    let mut store = Store::new(&Engine::default(), ());
    let fail = Func::wrap(&mut store, || -> Result<i32> { Err(Refused(1).into()) });
    let error = fail.call(&mut store, &[], &mut [Val::I32(0)]).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Refused(1)));
    assert!(error.downcast_ref::<WasmBacktrace>().is_none(), "no Wasm was called");
    assert_eq!(error.to_string(), Refused(1).to_string());
    let typed = fail.typed::<(), i32>(&store).unwrap();
    assert_eq!(typed.call(&mut store, ()).unwrap_err().downcast_ref(), Some(&Refused(1)));
}

#[test]
fn a_panic_resumes_in_the_embedder_and_the_store_stays_usable() {
    let mut store = Store::new(&Engine::default(), 0);
    let explode = Func::wrap(&mut store, |mut caller: Caller<'_, i32>| {
        *caller.data_mut() += 1;
        if *caller.data() % 2 == 1 {
            resume_unwind(Box::new(*caller.data()));
        }
    });
    let guest = instance(&mut store, CALLS, &[explode.into()]);
    let run = export::<(), ()>(&mut store, &guest, "run");
    for i in 0..10 {
        let call = AssertUnwindSafe(|| run.call(&mut store, ()));
        assert_eq!(catch_unwind(call).unwrap_err().downcast_ref(), Some(&(2 * i + 1)));
        run.call(&mut store, ()).unwrap();
    }
}

#[test]
fn a_panic_passes_through_every_level_of_re_entry() {
    let mut store = Store::new(&Engine::default(), 0);
    let wat = r#"(module (import "" "f" (func $f)) (func (export "run") (call $f)))"#;
    let f = Func::wrap(&mut store, |mut caller: Caller<'_, i32>| -> Result<()> {
        *caller.data_mut() += 1;
        if *caller.data() == 10 {
            resume_unwind(Box::new("deep"));
        }
        let run = caller.get_export("run").and_then(Extern::into_func).context("run")?;
        run.call(&mut caller, &[], &mut [])
    });
    let guest = instance(&mut store, wat, &[f.into()]);
    let run = export::<(), ()>(&mut store, &guest, "run");
    let panic = catch_unwind(AssertUnwindSafe(|| run.call(&mut store, ()))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"deep"));
    assert_eq!(*store.data(), 10);
}

/// Calls itself through the host `left` levels deep, traps in the innermost, and turns the failure
/// into success at level `heal`, counted from the innermost.
fn descend(mut caller: Caller<'_, u32>, left: u32) -> Result<u32> {
    const HEAL: u32 = 25;
    if left == 0 {
        let trap = caller.get_export("trap").and_then(Extern::into_func).context("trap")?;
        let trap = trap.typed::<(), ()>(&caller)?;
        trap.call(&mut caller, ())?;
        bail!("the call traps")
    }
    *caller.data_mut() += 1;
    let down = caller.get_export("down").and_then(Extern::into_func).context("down")?;
    let down = down.typed::<u32, u32>(&caller)?;
    match down.call(&mut caller, left - 1) {
        Err(error) if left == HEAL => {
            assert_eq!(error.downcast_ref(), Some(&Trap::IntegerDivisionByZero));
            let backtrace = error.downcast_ref::<WasmBacktrace>().expect("a backtrace");
            assert_eq!(backtrace.frames()[0].func_name(), Some("trap"));
            // The frames below all the host functions are there as well.
            assert_eq!(backtrace.frames().len(), 52);
            Ok(1000)
        }
        outcome => Ok(outcome? + 1),
    }
}

#[test]
fn re_entry_fifty_levels_deep_survives_a_trap_that_the_middle_absorbs() {
    let mut store = Store::new(&Engine::default(), 0);
    let down = Func::wrap(&mut store, descend);
    let wat = r#"(module
        (import "" "down" (func $down (param i32) (result i32)))
        (func $trap (export "trap") (drop (i32.div_u (i32.const 1) (i32.const 0))))
        (func (export "down") (param i32) (result i32) (local i64 f64)
            (local.set 1 (i64.const 0x123456789abcdef))
            (local.set 2 (f64.const 0.5))
            (call $down (local.get 0))
            (if (i64.ne (local.get 1) (i64.const 0x123456789abcdef)) (then unreachable))
            (if (f64.ne (local.get 2) (f64.const 0.5)) (then unreachable))))"#;
    let guest = instance(&mut store, wat, &[down.into()]);
    let down = export::<u32, u32>(&mut store, &guest, "down");
    for _ in 0..3 {
        *store.data_mut() = 0;
        assert_eq!(down.call(&mut store, 50).unwrap(), 1025);
        assert_eq!(*store.data(), 50);
    }
    let error = down.call(&mut store, 10).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Trap::IntegerDivisionByZero));
}

/// A host function that answers with the `id` global of whoever calls it; -1 for nobody.
fn identify(store: &mut Store<()>) -> Func {
    Func::wrap(store, |mut caller: Caller<'_, ()>| {
        let id = caller.get_export("id").and_then(Extern::into_global);
        id.map_or(-1, |id| id.get(&mut caller).unwrap_i32())
    })
}

const IDENTIFIED: &str = r#"
    (type $who (func (result i32)))
    (import "" "who" (func $who (type $who)))
    (func (export "direct") (type $who) (call $who))
    (func (export "tail") (type $who) (return_call $who))
    (func (export "nested") (type $who) (drop (call $who)) (i32.add (call $who) (i32.const 0)))
    (export "who" (func $who))"#;

#[test]
fn a_caller_is_the_instance_that_calls() {
    let mut store = Store::new(&Engine::default(), ());
    let who = identify(&mut store);
    let wat = |id| format!(r#"(module {IDENTIFIED} (global (export "id") i32 (i32.const {id})))"#);
    let one = instance(&mut store, &wat(1), &[who.into()]);
    let again = one.get_func(&mut store, "who").unwrap();
    // The second instance gets the host function by way of the first.
    let two = instance(&mut store, &wat(2), &[again.into()]);
    for name in ["direct", "tail", "nested"] {
        for (guest, id) in [(one, 1), (two, 2), (one, 1)] {
            let call = export::<(), i32>(&mut store, &guest, name);
            assert_eq!(call.call(&mut store, ()).unwrap(), id, "{name}");
        }
    }
    for func in [who, again, two.get_func(&mut store, "who").unwrap()] {
        let func = func.typed::<(), i32>(&store).unwrap();
        assert_eq!(func.call(&mut store, ()).unwrap(), -1, "the embedder exports nothing");
    }
}

#[test]
fn the_caller_of_a_start_function_of_the_host_is_the_instance_that_starts() {
    let mut store = Store::new(&Engine::default(), ());
    let (sender, seen) = std::sync::mpsc::channel();
    let start = Func::wrap(&mut store, move |mut caller: Caller<'_, ()>| -> Result<()> {
        let id = caller.get_export("id").and_then(Extern::into_global);
        sender.send(id.map(|id| id.get(&mut caller).unwrap_i32()))?;
        Ok(())
    });
    let wat = r#"(import "" "start" (func $start)) (start $start)"#;
    instance(
        &mut store,
        &format!(r#"(module {wat} (global (export "id") i32 (i32.const 7)))"#),
        &[start.into()],
    );
    start.call(&mut store, &[], &mut []).unwrap();
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [Some(7), None]);
}

#[test]
fn a_caller_through_a_shared_table_is_the_instance_that_calls() {
    let mut store = Store::new(&Engine::default(), ());
    let who = identify(&mut store);
    let owner = format!(
        r#"(module {IDENTIFIED}
            (table (export "table") 4 funcref)
            (func $mine (type $who) (call $who))
            (elem (i32.const 0) func $who $mine)
            (global (export "id") i32 (i32.const 1)))"#
    );
    let owner = instance(&mut store, &owner, &[who.into()]);
    let table = owner.get_table(&mut store, "table").unwrap();
    let user = r#"(module
        (type $who (func (result i32)))
        (import "" "table" (table 4 funcref))
        (global (export "id") i32 (i32.const 2))
        (func (export "call") (param i32) (result i32)
            (call_indirect (type $who) (local.get 0)))
        (func (export "tail") (param i32) (result i32)
            (return_call_indirect (type $who) (local.get 0))))"#;
    let user = instance(&mut store, user, &[table.into()]);
    for name in ["call", "tail"] {
        let call = export::<i32, i32>(&mut store, &user, name);
        assert_eq!(call.call(&mut store, 0).unwrap(), 2, "the host function itself, {name}");
        assert_eq!(call.call(&mut store, 1).unwrap(), 1, "a function of the owner, {name}");
    }
}

#[test]
fn a_caller_stays_the_same_across_re_entry() {
    let mut store = Store::new(&Engine::default(), ());
    let inner = identify(&mut store);
    let wat = r#"(module (import "" "who" (func $who (result i32)))
        (global (export "id") i32 (i32.const 7)) (export "other" (func $who))
        (func (export "call") (result i32) (call $who)))"#;
    let other = instance(&mut store, wat, &[inner.into()]);
    let other = export::<(), i32>(&mut store, &other, "call");
    let outer = Func::wrap(&mut store, move |mut caller: Caller<'_, ()>| -> Result<i32> {
        assert_eq!(other.call(&mut caller, ())?, 7);
        let id = caller.get_export("id").and_then(Extern::into_global).context("id")?;
        assert!(caller.get_export("missing").is_none());
        Ok(id.get(&mut caller).unwrap_i32())
    });
    let wat = wat.replace("const 7", "const 8");
    let guest = instance(&mut store, &wat, &[outer.into()]);
    assert_eq!(export::<(), i32>(&mut store, &guest, "call").call(&mut store, ()).unwrap(), 8);
}

#[test]
fn references_travel_both_ways_and_null_stays_null() {
    let mut store = Store::new(&Engine::default(), ());
    type Object = Option<Rooted<ExternRef>>;
    let swap = Func::wrap(&mut store, |func: Option<Func>, object: Object| (object, func));
    let wat = r#"(module
        (import "" "swap" (func $swap (param funcref externref) (result externref funcref)))
        (func (export "swap") (param funcref externref) (result externref funcref)
            (call $swap (local.get 0) (local.get 1))))"#;
    let guest = instance(&mut store, wat, &[swap.into()]);
    let call = export::<(Option<Func>, Object), (Object, Option<Func>)>(&mut store, &guest, "swap");
    assert!(matches!(call.call(&mut store, (None, None)).unwrap(), (None, None)));
    let object = ExternRef::new(&mut store, 5_u64).unwrap();
    let (same, func) = call.call(&mut store, (Some(swap), Some(object))).unwrap();
    assert!(Rooted::ref_eq(&store, &same.unwrap(), &object).unwrap());
    assert_eq!(func.unwrap().ty(&store), swap.ty(&store));

    let dynamic = guest.get_func(&mut store, "swap").unwrap();
    let mut results = [Val::I32(0), Val::I32(0)];
    dynamic.call(&mut store, &[swap.into(), object.into()], &mut results).unwrap();
    let same = results[0].unwrap_externref().unwrap();
    assert_eq!(same.data(&store).unwrap().downcast_ref(), Some(&5_u64));
    assert!(results[1].unwrap_funcref().is_some());
}

#[test]
fn null_where_the_host_wants_an_object_is_an_error_that_names_the_parameter() {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    linker.func_wrap("env", "two", |_: i32, _: Rooted<ExternRef>| {}).unwrap();
    linker.func_wrap("env", "manual", |_: ManuallyRooted<ExternRef>| {}).unwrap();
    linker.func_wrap("env", "func", |_: Caller<'_, ()>, _: i64, _: f32, _: Func| {}).unwrap();
    let wat = r#"(module
        (import "env" "two" (func $two (param i32 externref)))
        (import "env" "manual" (func $manual (param externref)))
        (import "env" "func" (func $func (param i64 f32 funcref)))
        (func (export "two") (call $two (i32.const 1) (ref.null extern)))
        (func (export "manual") (call $manual (ref.null extern)))
        (func (export "func") (call $func (i64.const 0) (f32.const 0) (ref.null func))))"#;
    let module = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    let guest = linker.instantiate(&mut store, &module).unwrap();
    for (name, parameter) in [("two", 1), ("manual", 0), ("func", 2)] {
        let run = export::<(), ()>(&mut store, &guest, name);
        let text = format!("{:#}", run.call(&mut store, ()).unwrap_err());
        assert!(text.contains(&format!("parameter {parameter}")), "{text}");
        assert!(text.contains(&format!("env::{name}")), "{text}");
        assert!(text.contains("null"), "{text}");
    }
}

#[test]
fn null_where_the_embedder_wants_an_object_is_an_error_that_names_the_result() {
    let mut store = Store::new(&Engine::default(), ());
    let wat = r#"(module (func (export "two") (result i32 externref)
        (i32.const 1) (ref.null extern)))"#;
    let guest = instance(&mut store, wat, &[]);
    let two = export::<(), (i32, Rooted<ExternRef>)>(&mut store, &guest, "two");
    let text = format!("{:#}", two.call(&mut store, ()).unwrap_err());
    assert!(text.contains("result 1") && text.contains("null"), "{text}");
}

#[test]
fn dynamic_functions_check_what_they_return() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let ty = FuncType::new(&engine, [ValType::I32], [ValType::I64, ValType::EXTERNREF]);
    let zeros = Func::new(&mut store, ty.clone(), |_, _, _| Ok(()));
    let mut results = [Val::I32(1), Val::I32(1)];
    zeros.call(&mut store, &[Val::I32(1)], &mut results).unwrap();
    assert_eq!(results[0].unwrap_i64(), 0);
    assert!(results[1].unwrap_externref().is_none());

    let wrong = Func::new(&mut store, ty, |_, params, results| {
        results[1] = params[0];
        Ok(())
    });
    let error = wrong.call(&mut store, &[Val::I32(1)], &mut results).unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("result 1") && text.contains("expected externref"), "{text}");
}

#[test]
fn calls_with_wrong_arguments_are_errors() {
    let mut store = Store::new(&Engine::default(), ());
    let func = Func::wrap(&mut store, |a: i32, _: f64| a);
    let mut results = [Val::I32(0)];
    let wrong: [(&[Val], &str); 3] = [
        (&[Val::I32(1)], "expected 2 arguments, found 1"),
        (&[Val::I32(1), Val::F32(0)], "argument 1"),
        (&[Val::FuncRef(None), Val::F64(0)], "argument 0"),
    ];
    for (arguments, part) in wrong {
        let text = format!("{:#}", func.call(&mut store, arguments, &mut results).unwrap_err());
        assert!(text.contains(part), "{text}");
    }
    let error = func.call(&mut store, &[Val::I32(1), Val::F64(0)], &mut []).unwrap_err();
    assert!(error.to_string().contains("1 results"), "{error}");
    for error in [
        func.typed::<(i32, f32), i32>(&store).unwrap_err(),
        func.typed::<(i32, f64), i64>(&store).unwrap_err(),
        func.typed::<i32, i32>(&store).unwrap_err(),
    ] {
        assert!(format!("{error:#}").contains("(func (param i32 f64) (result i32))"), "{error:#}");
    }
}

#[test]
fn unchecked_functions_read_and_write_raw_slots() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let all = [ValType::I32, ValType::I64, ValType::F32, ValType::F64, ValType::EXTERNREF];
    let ty = FuncType::new(&engine, all.clone(), all);
    // SAFETY: the slots are read and written as the type says.
    let twice = unsafe {
        Func::new_unchecked(&mut store, ty, |_: Caller<'_, ()>, slots: &mut [ValRaw]| {
            slots[0] = ValRaw::i32(slots[0].get_i32() * 2);
            slots[1] = ValRaw::i64(slots[1].get_i64() * 2);
            slots[2] = ValRaw::f32((f32::from_bits(slots[2].get_f32()) * 2.0).to_bits());
            slots[3] = ValRaw::f64((f64::from_bits(slots[3].get_f64()) * 2.0).to_bits());
            Ok(())
        })
    };
    let params = "(param i32 i64 f32 f64 externref) (result i32 i64 f32 f64 externref)";
    let gets: String = (0..5).map(|i| format!("(local.get {i})")).collect();
    let wat = format!(
        r#"(module (import "" "f" (func $f {params}))
            (func (export "f") {params} (call $f {gets})))"#
    );
    let guest = instance(&mut store, &wat, &[twice.into()]);
    let func = guest.get_func(&mut store, "f").unwrap();
    let object = ExternRef::new(&mut store, "object").unwrap();
    // SAFETY: the slots are those of the function's type, and nothing collects in between.
    let same = unsafe {
        let raw = object.to_raw(&mut store).unwrap();
        let mut slots = [
            ValRaw::i32(-3),
            ValRaw::i64(1 << 40),
            ValRaw::f32(1.5_f32.to_bits()),
            ValRaw::f64(2.5_f64.to_bits()),
            ValRaw::externref(raw),
        ];
        func.call_unchecked(&mut store, &mut slots).unwrap();
        assert_eq!((slots[0].get_i32(), slots[1].get_i64()), (-6, 1 << 41));
        assert_eq!(f32::from_bits(slots[2].get_f32()), 3.0);
        assert_eq!(f64::from_bits(slots[3].get_f64()), 5.0);
        ExternRef::from_raw(&mut store, slots[4].get_externref()).unwrap()
    };
    assert!(Rooted::ref_eq(&store, &same, &object).unwrap());
}

#[test]
fn unchecked_functions_fail_and_panic_like_others() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let ty = FuncType::new(&engine, [ValType::I32], []);
    // SAFETY: one slot is read, none is written.
    let func = unsafe {
        Func::new_unchecked(&mut store, ty, |_, slots| match slots[0].get_i32() {
            0 => Ok(()),
            1 => Err(anyhow!(Refused(3))),
            _ => resume_unwind(Box::new("raw")),
        })
    };
    let mut call = |value| {
        // SAFETY: the function takes one i32.
        unsafe { func.call_unchecked(&mut store, &mut [ValRaw::i32(value)]) }
    };
    assert_eq!(call(1).unwrap_err().downcast_ref(), Some(&Refused(3)));
    let panic = catch_unwind(AssertUnwindSafe(|| call(2))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"raw"));
    call(0).unwrap();
}

/// However many a store has, each is known for a host function, which takes the type it is imported as.
#[test]
fn many_host_functions_of_one_store() -> Result<()> {
    let mut store = Store::<()>::default();
    let funcs: Vec<Extern> = (0..100)
        .map(|n| {
            let func = move |object: Option<Rooted<ExternRef>>| n + i32::from(object.is_some());
            Func::wrap(&mut store, func).into()
        })
        .collect();
    let imports = "(import \"\" \"\" (func (param (ref extern)) (result i32)))".repeat(100);
    let exports: String = (0..100).map(|n| format!("(export \"{n}\" (func {n}))")).collect();
    let instance = instance(&mut store, &format!("(module {imports} {exports})"), &funcs);
    let object = ExternRef::new(&mut store, ())?;
    for n in 0..100 {
        let func = instance.get_typed_func::<Rooted<ExternRef>, i32>(&mut store, &n.to_string())?;
        assert_eq!(func.call(&mut store, object)?, n + 1);
    }
    Ok(())
}

/// However many there are, and whatever types instances import them as.
#[test]
fn a_linker_gives_a_store_each_host_function_once() -> Result<()> {
    for count in [1, 8, 9, 50] {
        let mut store = Store::<()>::default();
        let mut linker = Linker::new(store.engine());
        for n in 0..count {
            linker.func_wrap("", &n.to_string(), |_: Option<Rooted<ExternRef>>| {})?;
        }
        let get = |store: &mut Store<()>| -> Vec<Func> {
            let get = |n: u32| linker.get(&mut *store, "", &n.to_string())?.into_func();
            (0..count).map(get).collect::<Option<_>>().expect("functions")
        };
        let funcs = get(&mut store);
        for ty in ["externref", "(ref extern)"] {
            let import = |n| format!("(import \"\" \"{n}\" (func (param {ty})))");
            let imports: String = (0..count).map(import).collect();
            let module = Module::new(linker.engine(), format!("(module {imports})"))?;
            linker.instantiate(&mut store, &module)?;
            assert_eq!(get(&mut store), funcs);
        }
    }
    Ok(())
}
