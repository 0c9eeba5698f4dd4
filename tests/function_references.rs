//! Typed function references where the official suite does not look: at the host boundary, between
//! modules, in tables that two modules share, and in chains of subtypes.

use hostref::{
    Config, Engine, Error, ExternRef, Finality, Func, FuncType, HeapType, Instance, Linker, Module,
    Ref, RefType, Result, Rooted, Store, Table, TableType, Trap, Val, ValType,
};

fn instance(store: &mut Store<()>, wat: &str) -> Result<Instance> {
    let module = Module::new(&store.engine().clone(), wat)?;
    Instance::new(store, &module, &[])
}

fn trap(error: &Error) -> Option<Trap> {
    error.downcast_ref::<Trap>().copied()
}

const APPLY: &str = r#"(module
    (type $binary (func (param i32 i32) (result i32)))
    (func (export "apply") (param (ref $binary) i32 i32) (result i32)
        (call_ref $binary (local.get 1) (local.get 2) (local.get 0)))
    (func (export "apply_nullable") (param (ref null $binary) i32 i32) (result i32)
        (return_call_ref $binary (local.get 1) (local.get 2) (local.get 0)))
    (func $sub (export "sub") (type $binary) (i32.sub (local.get 0) (local.get 1)))
    (func (export "other") (param i32))
    (func (export "get") (result (ref $binary)) (ref.func $sub))
    (func (export "keep") (param (ref extern)) (result (ref extern)) (local.get 0)))"#;

#[test]
fn a_typed_call_checks_functions_for_parameters_of_a_concrete_type() -> Result<()> {
    let mut store = Store::new(&Engine::default(), ());
    let guest = instance(&mut store, APPLY)?;
    let sub = guest.get_func(&mut store, "sub").unwrap();
    let other = guest.get_func(&mut store, "other").unwrap();
    let apply = guest.get_typed_func::<(Func, i32, i32), i32>(&mut store, "apply")?;
    assert_eq!(apply.call(&mut store, (sub, 7, 2))?, 5);
    let error = apply.call(&mut store, (other, 7, 2)).unwrap_err().to_string();
    assert_eq!(
        error,
        "argument 0: expected (ref (func (param i32 i32) (result i32))), \
         found (ref (func (param i32)))"
    );

    let apply = guest.get_typed_func::<(Option<Func>, i32, i32), i32>(&mut store, "apply")?;
    assert_eq!(apply.call(&mut store, (Some(sub), 7, 2))?, 5);
    let error = apply.call(&mut store, (None, 7, 2)).unwrap_err().to_string();
    assert_eq!(error, "argument 0: expected (ref (func (param i32 i32) (result i32))), found null");

    let name = "apply_nullable";
    let apply = guest.get_typed_func::<(Option<Func>, i32, i32), i32>(&mut store, name)?;
    assert_eq!(apply.call(&mut store, (Some(sub), 7, 2))?, 5);
    let error = apply.call(&mut store, (None, 7, 2)).unwrap_err();
    assert_eq!(trap(&error), Some(Trap::NullReference));
    Ok(())
}

#[test]
fn an_untyped_call_checks_them_too() -> Result<()> {
    let mut store = Store::new(&Engine::default(), ());
    let guest = instance(&mut store, APPLY)?;
    let sub = guest.get_func(&mut store, "sub").unwrap();
    let other = guest.get_func(&mut store, "other").unwrap();
    let apply = guest.get_func(&mut store, "apply").unwrap();
    let mut results = [Val::I32(0)];
    let mut call = |func: Val| {
        apply.call(&mut store, &[func, Val::I32(9), Val::I32(4)], &mut results)?;
        Ok::<_, Error>(results[0].unwrap_i32())
    };
    assert_eq!(call(sub.into())?, 5);
    assert!(call(other.into()).is_err());
    assert!(call(Val::FuncRef(None)).is_err());
    Ok(())
}

#[test]
fn a_typed_call_checks_null_for_host_objects() -> Result<()> {
    let mut store = Store::new(&Engine::default(), ());
    let guest = instance(&mut store, APPLY)?;
    type Object = Option<Rooted<ExternRef>>;
    let keep = guest.get_typed_func::<Object, Object>(&mut store, "keep")?;
    let object = ExternRef::new(&mut store, 5_u8)?;
    assert!(keep.call(&mut store, Some(object))?.is_some());
    let error = keep.call(&mut store, None).unwrap_err().to_string();
    assert_eq!(error, "argument 0: expected (ref extern), found null");
    Ok(())
}

#[test]
fn results_of_a_concrete_type_are_functions() -> Result<()> {
    let mut store = Store::new(&Engine::default(), ());
    let guest = instance(&mut store, APPLY)?;
    let get = guest.get_typed_func::<(), Func>(&mut store, "get")?;
    let sub = get.call(&mut store, ())?;
    assert_eq!(sub.typed::<(i32, i32), i32>(&store)?.call(&mut store, (1, 2))?, -1);
    Ok(())
}

#[test]
fn a_host_function_takes_any_function_type_and_checks_null() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    linker.func_wrap(
        "host",
        "run",
        |mut caller: hostref::Caller<'_, ()>, func: Func| -> Result<i32> {
            func.typed::<i32, i32>(&caller)?.call(&mut caller, 20)
        },
    )?;
    let module = Module::new(
        &engine,
        r#"(module
            (type $f (func (param i32) (result i32)))
            (import "host" "run" (func $run (param (ref null $f)) (result i32)))
            (func $double (type $f) (i32.shl (local.get 0) (i32.const 1)))
            (elem declare func $double)
            (func (export "run") (result i32) (call $run (ref.func $double)))
            (func (export "null") (result i32) (call $run (ref.null $f))))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let guest = linker.instantiate(&mut store, &module)?;
    let run = guest.get_typed_func::<(), i32>(&mut store, "run")?;
    assert_eq!(run.call(&mut store, ())?, 40);
    let null = guest.get_typed_func::<(), i32>(&mut store, "null")?;
    let error = format!("{:#}", null.call(&mut store, ()).unwrap_err());
    assert!(error.contains("parameter 0 of host::run"), "{error}");
    assert!(error.contains("found null"), "{error}");
    Ok(())
}

#[test]
fn results_of_host_functions_are_not_assumed_to_be_of_a_narrower_type() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("host", "get", || None::<Func>)?;
    let wanted = |ty: &str| {
        let text =
            format!(r#"(module (type $f (func)) (import "host" "get" (func (result {ty}))))"#);
        let module = Module::new(&engine, text)?;
        linker.instantiate(&mut Store::new(&engine, ()), &module)
    };
    assert!(wanted("funcref").is_ok());
    assert!(wanted("(ref func)").is_err());
    assert!(wanted("(ref null $f)").is_err());
    Ok(())
}

/// `$t0` has a subtype `$t1`, that one `$t2`, and so on; calls through `$t{n}` for every `n`.
fn chain(len: usize) -> String {
    let mut text = "(module (type $t0 (sub (func (result i32))))\n".to_owned();
    for n in 1..len {
        text += &format!("(type $t{n} (sub $t{} (func (result i32))))\n", n - 1);
    }
    text += &format!("(table (export \"table\") {len} funcref)\n");
    for n in 0..len {
        text += &format!(
            "(func $f{n} (type $t{n}) (i32.const {n}))
             (elem (i32.const {n}) $f{n})
             (func (export \"call{n}\") (param i32) (result i32)
                (call_indirect (type $t{n}) (local.get 0)))\n"
        );
    }
    text + ")"
}

#[test]
fn call_indirect_accepts_subtypes_at_any_depth() -> Result<()> {
    // More than fit in an inline display.
    const DEPTH: usize = 12;
    let mut store = Store::new(&Engine::default(), ());
    let guest = instance(&mut store, &chain(DEPTH))?;
    for wanted in 0..DEPTH {
        let call = guest.get_typed_func::<i32, i32>(&mut store, &format!("call{wanted}"))?;
        for actual in 0..DEPTH {
            let outcome = call.call(&mut store, actual as i32);
            match actual >= wanted {
                true => assert_eq!(outcome?, actual as i32),
                false => assert_eq!(trap(&outcome.unwrap_err()), Some(Trap::BadSignature)),
            }
        }
    }
    Ok(())
}

const TYPES: &str = "(type $super (sub (func (result i32))))
    (type $sub (sub $super (func (result i32))))";

#[test]
fn functions_keep_their_type_through_imports_and_tables_of_other_modules() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    let text = format!(
        r#"(module {TYPES}
            (func (export "f") (type $sub) (i32.const 11))
            (func (export "g") (type $super) (i32.const 22)))"#
    );
    let origin = instance(&mut store, &text)?;
    linker.instance(&mut store, "origin", origin)?;
    // Imported as the supertype, `f` is still of the subtype.
    let text = format!(
        r#"(module {TYPES}
            (import "origin" "f" (func $f (type $super)))
            (export "f" (func $f))
            (table (export "table") 2 (ref null $super))
            (elem (table 0) (i32.const 0) (ref null $super) (item (ref.func $f))))"#
    );
    let middle = linker.instantiate(&mut store, &Module::new(&engine, text)?)?;
    linker.instance(&mut store, "middle", middle)?;
    let text = format!(
        r#"(module {TYPES}
            (import "middle" "f" (func $f (type $sub)))
            (import "middle" "table" (table $table 2 (ref null $super)))
            (func (export "direct") (result i32) (call $f))
            (func (export "indirect") (param i32) (result i32)
                (call_indirect $table (type $sub) (local.get 0)))
            (func (export "wide") (param i32) (result i32)
                (call_ref $super (table.get $table (local.get 0)))))"#
    );
    let last = linker.instantiate(&mut store, &Module::new(&engine, text)?)?;
    assert_eq!(last.get_typed_func::<(), i32>(&mut store, "direct")?.call(&mut store, ())?, 11);
    let indirect = last.get_typed_func::<i32, i32>(&mut store, "indirect")?;
    assert_eq!(indirect.call(&mut store, 0)?, 11);
    let error = indirect.call(&mut store, 1).unwrap_err();
    assert_eq!(trap(&error), Some(Trap::IndirectCallToNull));

    let table = middle.get_table(&mut store, "table").unwrap();
    let g = origin.get_func(&mut store, "g").unwrap();
    table.set(&mut store, 1, g.into())?;
    let error = indirect.call(&mut store, 1).unwrap_err();
    assert_eq!(trap(&error), Some(Trap::BadSignature));
    let wide = last.get_typed_func::<i32, i32>(&mut store, "wide")?;
    assert_eq!(wide.call(&mut store, 1)?, 22);

    let f = middle.get_func(&mut store, "f").unwrap();
    assert_eq!(f.ty(&store).supertype(), Some(g.ty(&store)));
    assert!(f.ty(&store).matches(&g.ty(&store)));
    Ok(())
}

#[test]
fn a_supertype_does_not_link_as_its_subtype() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let text = format!(r#"(module {TYPES} (func (export "g") (type $super) (i32.const 22)))"#);
    let origin = instance(&mut store, &text)?;
    let text = format!(r#"(module {TYPES} (import "origin" "g" (func (type $sub))))"#);
    let mut linker = Linker::new(&engine);
    linker.instance(&mut store, "origin", origin)?;
    let error = linker.instantiate(&mut store, &Module::new(&engine, text)?).unwrap_err();
    assert!(error.to_string().contains("incompatible import type"), "{error}");
    Ok(())
}

#[test]
fn the_embedder_makes_tables_of_a_function_type_of_its_own() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let open = Finality::NonFinal;
    let i32s = [ValType::I32];
    let base = FuncType::with_finality_and_supertype(&engine, open, None, [], i32s.clone())?;
    let sub = FuncType::with_finality_and_supertype(&engine, open, Some(&base), [], i32s)?;
    assert_eq!((sub.finality(), sub.supertype()), (open, Some(base.clone())));
    let concrete = |ty: &FuncType| RefType::new(true, HeapType::ConcreteFunc(ty.clone()));
    let host = |value| {
        move |_: hostref::Caller<'_, ()>, _: &[Val], results: &mut [Val]| {
            results[0] = Val::I32(value);
            Ok(())
        }
    };
    let of_base = Func::new(&mut store, base.clone(), host(1));
    let of_sub = Func::new(&mut store, sub.clone(), host(2));
    let table = Table::new(&mut store, TableType::new(concrete(&sub), 2, None), Ref::Func(None))?;
    table.set(&mut store, 0, of_sub.into())?;
    assert!(table.set(&mut store, 1, of_base.into()).is_err());

    let table = Table::new(&mut store, TableType::new(concrete(&base), 2, None), of_base.into())?;
    table.set(&mut store, 0, of_sub.into())?;
    let text = format!(
        r#"(module {TYPES}
            (import "" "table" (table 2 (ref null $super)))
            (func (export "super") (param i32) (result i32)
                (call_indirect (type $super) (local.get 0)))
            (func (export "sub") (param i32) (result i32)
                (call_indirect (type $sub) (local.get 0))))"#
    );
    let guest = Instance::new(&mut store, &Module::new(&engine, text)?, &[table.into()])?;
    let call = guest.get_typed_func::<i32, i32>(&mut store, "super")?;
    assert_eq!((call.call(&mut store, 0)?, call.call(&mut store, 1)?), (2, 1));
    let call = guest.get_typed_func::<i32, i32>(&mut store, "sub")?;
    assert_eq!(call.call(&mut store, 0)?, 2);
    assert_eq!(trap(&call.call(&mut store, 1).unwrap_err()), Some(Trap::BadSignature));
    Ok(())
}

#[test]
fn a_subtype_of_a_final_type_or_with_other_results_is_an_error() {
    let engine = Engine::default();
    let declare = |supertype: &FuncType, result: ValType| {
        let (finality, supertype) = (Finality::Final, Some(supertype));
        FuncType::with_finality_and_supertype(&engine, finality, supertype, [], [result])
    };
    let last = FuncType::new(&engine, [], [ValType::I32]);
    assert_eq!(last.finality(), Finality::Final);
    assert!(declare(&last, ValType::I32).unwrap_err().to_string().contains("final"));
    let open = Finality::NonFinal;
    let open =
        FuncType::with_finality_and_supertype(&engine, open, None, [], [ValType::I32]).unwrap();
    assert!(declare(&open, ValType::I32).is_ok());
    assert!(declare(&open, ValType::I64).is_err());
}

#[test]
fn a_type_that_mentions_itself_has_a_text() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module (type $f (func (param (ref null $f)))) (func (export "f") (type $f)))"#,
    )?;
    let ty = module.get_export("f").unwrap();
    assert_eq!(ty.to_string(), "(func (param (ref null (func (param (ref null (func ..)))))))");
    Ok(())
}

#[test]
fn null_tests_keep_host_objects_alive() -> Result<()> {
    let engine = Engine::new(Config::new().gc_stress(true))?;
    let mut store = Store::new(&engine, ());
    let module = Module::new(
        &engine,
        r#"(module
            (import "host" "new" (func $new (result externref)))
            (func (export "run") (param i32) (result (ref extern))
                (local $kept (ref extern))
                (block $null
                    (br_on_null $null (call $new))
                    (local.set $kept)
                    (loop $again
                        (drop (ref.as_non_null (call $new)))
                        (br_if $again
                            (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                    (block $set (result (ref extern))
                        (br_on_non_null $set (local.get $kept))
                        (unreachable))
                    (return))
                (unreachable)))"#,
    )?;
    let mut linker = Linker::new(&engine);
    let next = std::sync::atomic::AtomicU32::new(0);
    linker.func_wrap("host", "new", move |mut caller: hostref::Caller<'_, ()>| {
        let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        ExternRef::new(&mut caller, number).map(Some)
    })?;
    let guest = linker.instantiate(&mut store, &module)?;
    let run = guest.get_typed_func::<i32, Rooted<ExternRef>>(&mut store, "run")?;
    let first = run.call(&mut store, 20)?;
    assert_eq!(first.data(&store)?.downcast_ref::<u32>(), Some(&0));
    Ok(())
}

#[test]
fn the_feature_can_be_switched_off() -> Result<()> {
    let engine = Engine::new(Config::new().wasm_function_references(false))?;
    for text in ["(module (func (param (ref func))))", "(module (type (sub (func))))"] {
        let error = Module::new(&engine, text).unwrap_err().to_string();
        assert!(error.contains("at offset"), "{error}");
    }
    // Declared subtypes come with objects, by validation too.
    let engine = Engine::new(Config::new().wasm_gc(false))?;
    Module::new(&engine, "(module (func (param (ref func))))")?;
    let module = wat::parse_str("(module (type (sub (func))))")?;
    assert!(Module::validate(&engine, &module).is_err() && Module::new(&engine, &module).is_err());
    Ok(())
}
