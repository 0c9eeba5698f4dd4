//! What programs without `unsafe` do to stores that they should not: stores inside of stores, handles
//! of others, destructors and payloads that act up, settings at their bounds, modules with nonsense in
//! the sections that nobody checks.

mod support;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use hostref::{
    AsContextMut, Caller, Config, Engine, ExternRef, Func, FuncType, Global, GlobalType, Instance,
    Linker, ManuallyRooted, Memory, MemoryType, Module, Mutability, Ref, RefType, Result,
    RootScope, Rooted, SharedMemory, Store, Table, TableType, ThrownException, Trap, Val, ValType,
};
use support::{Mode, both_modes, export, instantiate};

both_modes! {
    destructors_use_other_stores,
    destructors_end_other_roots,
    guards_outlive_objects_and_stores,
    references_that_are_not_good_are_errors_of_host_functions,
}

/// Runs a guest of a store of its own when it is dropped.
struct Runner {
    engine: Engine,
    runs: Arc<AtomicUsize>,
}

impl Drop for Runner {
    fn drop(&mut self) {
        let mut store = Store::new(&self.engine, ());
        let wat = r#"(module (func (export "f") (param externref) (result i32)
            (ref.is_null (local.get 0))))"#;
        let guest = instantiate(&mut store, wat, &[]).unwrap();
        let f = export::<Rooted<ExternRef>, i32>(&mut store, guest, "f").unwrap();
        let object = ExternRef::new(&mut store, vec![1, 2, 3]).unwrap();
        assert_eq!(f.call(&mut store, object).unwrap(), 0);
        store.gc();
        self.runs.fetch_add(1, Ordering::Relaxed);
    }
}

fn destructors_use_other_stores(mode: Mode) -> Result<()> {
    let engine = mode.engine();
    let runs = Arc::new(AtomicUsize::new(0));
    let mut store = Store::new(&engine, ());
    let make = {
        let (engine, runs) = (engine.clone(), runs.clone());
        move |caller: Caller<'_, ()>| -> Result<Rooted<ExternRef>> {
            ExternRef::new(caller, Runner { engine: engine.clone(), runs: runs.clone() })
        }
    };
    let make = Func::wrap(&mut store, make);
    let collect = Func::wrap(&mut store, |mut caller: Caller<'_, ()>| caller.gc());
    let wat = r#"(module
        (import "" "make" (func $make (result externref)))
        (import "" "collect" (func $collect))
        (func (export "run") (param externref) (result externref)
            (drop (call $make)) (call $collect) (local.get 0)))"#;
    let guest = instantiate(&mut store, wat, &[make.into(), collect.into()])?;
    let run = export::<Rooted<ExternRef>, Rooted<ExternRef>>(&mut store, guest, "run")?;
    let kept = ExternRef::new(&mut store, 7)?;
    for _ in 0..3 {
        let same = run.call(&mut store, kept)?;
        assert!(Rooted::ref_eq(&store, &same, &kept)?);
    }
    drop(store);
    assert_eq!(runs.load(Ordering::Relaxed), 3);
    Ok(())
}

/// A root of the store in which the holder lives.
struct Holder(#[allow(dead_code, reason = "dropped")] Mutex<Option<ManuallyRooted<ExternRef>>>);

fn destructors_end_other_roots(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let mut last = ExternRef::new_manually_rooted(&mut store, 0)?;
    for _ in 0..5 {
        last = ExternRef::new_manually_rooted(&mut store, Holder(Mutex::new(Some(last))))?;
    }
    last.unroot(&mut store);
    for _ in 0..7 {
        store.gc();
    }
    assert_eq!(store.gc_stats().host_objects, 0);
    // A cycle through the host's own root is the host's.
    let object = ExternRef::new_typed(&mut store, Holder(Mutex::new(None)))?;
    let root = object.to_untyped().to_manually_rooted(&mut store)?;
    *object.data(&store)?.0.lock().unwrap() = Some(root);
    store.gc();
    drop(store);
    Ok(())
}

fn guards_outlive_objects_and_stores(mode: Mode) -> Result<()> {
    struct Inner(Arc<AtomicUsize>);
    impl Drop for Inner {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    let drops = Arc::new(AtomicUsize::new(0));
    let mut store = mode.store();
    let guard = {
        let mut scope = RootScope::new(&mut store);
        let inner = ExternRef::new_typed(&mut scope, Inner(drops.clone()))?;
        inner.try_borrow(&scope)?
    };
    store.gc();
    store.gc();
    assert_eq!(drops.load(Ordering::Relaxed), 0);
    std::thread::spawn(move || drop(store)).join().unwrap();
    assert_eq!(guard.0.load(Ordering::Relaxed), 0, "the guard keeps the value");
    drop(guard);
    assert_eq!(drops.load(Ordering::Relaxed), 1);
    Ok(())
}

fn references_that_are_not_good_are_errors_of_host_functions(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let mut other = Store::new(store.engine(), ());
    let foreign = ExternRef::new(&mut other, 1)?;
    let stale = {
        let mut scope = RootScope::new(&mut store);
        ExternRef::new(&mut scope, 1)?
    };
    let foreign_func = Func::wrap(&mut other, || {});
    let wat = r#"(module (import "" "f" (func $f (result externref)))
        (func (export "run") (result externref) (call $f)))"#;
    for bad in [foreign, stale] {
        let f = Func::wrap(&mut store, move || bad);
        let guest = instantiate(&mut store, wat, &[f.into()])?;
        let run = export::<(), Rooted<ExternRef>>(&mut store, guest, "run")?;
        let text = format!("{:#}", run.call(&mut store, ()).unwrap_err());
        assert!(text.contains("a reference was used"), "{text}");
        let identity = Func::wrap(&mut store, |object: Rooted<ExternRef>| object);
        let identity = identity.typed::<Rooted<ExternRef>, Rooted<ExternRef>>(&store)?;
        let text = format!("{:#}", identity.call(&mut store, bad).unwrap_err());
        assert!(text.contains("a reference was used"), "{text}");
        let ty = TableType::new(RefType::EXTERNREF, 1, None);
        assert!(Table::new(&mut store, ty, bad.into()).is_err());
        let ty = GlobalType::new(ValType::EXTERNREF, Mutability::Var);
        assert!(Global::new(&mut store, ty, bad.into()).is_err());
    }
    let wat = r#"(module (import "" "f" (func $f (result funcref)))
        (func (export "run") (result funcref) (call $f)))"#;
    let f = Func::wrap(&mut store, move || foreign_func);
    let guest = instantiate(&mut store, wat, &[f.into()])?;
    let run = export::<(), Option<Func>>(&mut store, guest, "run")?;
    let text = format!("{:#}", run.call(&mut store, ()).unwrap_err());
    assert!(text.contains("the function belongs to another store"), "{text}");
    Ok(())
}

#[test]
fn a_store_lives_and_dies_in_a_host_function_of_another() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    let wat = r#"(module
        (import "" "nest" (func $nest (param i32) (result i32)))
        (memory 1)
        (func $deep (param i32) (result i32)
            (if (result i32) (local.get 0)
                (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
                (else (i32.load (i32.const 0x10000)))))
        (func (export "run") (param i32) (result i32)
            (i32.store (i32.const 8) (local.get 0))
            (drop (call $nest (local.get 0)))
            (call $deep (i32.load (i32.const 8)))))"#;
    let module = Module::new(&engine, wat)?;
    let (inner_module, inner_linker) = (module.clone(), Arc::new(Mutex::new(None)));
    let linker_of_inner = inner_linker.clone();
    linker.func_wrap("", "nest", move |depth: i32| -> Result<i32> {
        let linker: Linker<()> = linker_of_inner.lock().unwrap().clone().expect("set below");
        let mut store = Store::new(linker.engine(), ());
        let guest = linker.instantiate(&mut store, &inner_module)?;
        if depth == 0 {
            return Ok(0);
        }
        let run = export::<i32, i32>(&mut store, guest, "run")?;
        let error = run.call(&mut store, depth - 1).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::MemoryOutOfBounds), "{error:?}");
        Ok(1)
    })?;
    *inner_linker.lock().unwrap() = Some(linker.clone());
    let mut store = Store::new(&engine, ());
    let guest = linker.instantiate(&mut store, &module)?;
    let run = export::<i32, i32>(&mut store, guest, "run")?;
    for _ in 0..3 {
        let error = run.call(&mut store, 12).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::MemoryOutOfBounds), "{error:?}");
    }
    Ok(())
}

thread_local! {
    /// A store that host functions of others find.
    static PARKED: RefCell<Option<Store<()>>> = const { RefCell::new(None) };
}

#[test]
fn stores_that_swap_places_stay_what_they_are() -> Result<()> {
    let engine = Engine::default();
    let wat = r#"(module
        (import "" "swap" (func $swap (result i32)))
        (global $g (mut i32) (i32.const 5))
        (func (export "run") (result i32)
            (global.set $g (i32.add (global.get $g) (i32.const 1)))
            (drop (call $swap))
            (global.get $g)))"#;
    let module = Module::new(&engine, wat)?;
    let make = || -> Result<(Store<()>, Instance)> {
        let mut store = Store::new(&engine, ());
        let swap = Func::wrap(&mut store, || {
            PARKED.with_borrow_mut(|parked| {
                let mut other = parked.take().unwrap_or_default();
                let mut fresh = Store::default();
                std::mem::swap(&mut other, &mut fresh);
                *parked = Some(other);
                drop(fresh);
            });
            1
        });
        let instance = Instance::new(&mut store, &module, &[swap.into()])?;
        Ok((store, instance))
    };
    let (mut a, guest_a) = make()?;
    let (mut b, guest_b) = make()?;
    std::mem::swap(&mut a, &mut b);
    let run_b = export::<(), i32>(&mut a, guest_b, "run")?;
    assert_eq!(run_b.call(&mut a, ())?, 6);
    let wrong = catch_unwind(AssertUnwindSafe(|| guest_a.get_func(&mut a, "run")));
    let text = *wrong.unwrap_err().downcast::<String>().unwrap_or_default();
    assert!(text.is_empty() || text.contains("belongs to this store"), "{text}");
    let text = format!("{:#}", run_b.call(&mut b, ()).unwrap_err());
    assert!(text.contains("the function belongs to another store"), "{text}");
    Ok(())
}

#[test]
fn a_host_function_instantiates_in_its_own_store() -> Result<()> {
    let engine = Engine::default();
    let small = Module::new(
        &engine,
        r#"(module (memory 1) (table 3 funcref) (global (mut i64) (i64.const 1)) (tag)
            (func (export "f") (result i32) (i32.const 1)))"#,
    )?;
    let mut linker = Linker::new(&engine);
    linker.func_wrap("", "make", move |mut caller: Caller<'_, ()>| -> Result<i32> {
        let mut sum = 0;
        for _ in 0..20 {
            let instance = Instance::new(&mut caller, &small, &[])?;
            sum += export::<(), i32>(&mut caller, instance, "f")?.call(&mut caller, ())?;
        }
        Ok(sum)
    })?;
    let wat = r#"(module (import "" "make" (func $make (result i32)))
        (memory 1) (table $t 1 externref) (global $g (mut i32) (i32.const 3))
        (func (export "run") (result i32)
            (i32.store (i32.const 4) (call $make))
            (drop (table.grow $t (ref.null extern) (call $make)))
            (global.set $g (i32.add (global.get $g) (i32.load (i32.const 4))))
            (i32.add (global.get $g) (table.size $t))))"#;
    let mut store = Store::new(&engine, ());
    let guest = linker.instantiate(&mut store, &Module::new(&engine, wat)?)?;
    assert_eq!(export::<(), i32>(&mut store, guest, "run")?.call(&mut store, ())?, 23 + 21);
    Ok(())
}

#[test]
fn payloads_have_any_size_and_alignment() -> Result<()> {
    #[repr(align(4096))]
    struct Aligned(u8);
    struct Nothing;
    struct Large([u64; 10_000]);

    let mut store = Mode::Stress.store();
    let aligned = ExternRef::new_typed(&mut store, Aligned(7))?;
    let nothing = ExternRef::new_typed(&mut store, Nothing)?;
    let large = ExternRef::new_typed(&mut store, Large([9; 10_000]))?;
    store.gc();
    let aligned: &Aligned = aligned.data(&store)?;
    assert!(std::ptr::from_ref(aligned).addr().is_multiple_of(4096) && aligned.0 == 7);
    let _: &Nothing = nothing.data(&store)?;
    assert_eq!(large.data(&store)?.0[9_999], 9);
    Ok(())
}

#[test]
fn a_panic_with_a_payload_that_panics_reaches_the_embedder() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("the payload explodes");
            }
        }
    }
    let mut store = Store::<()>::default();
    let f = Func::wrap(&mut store, || -> () { std::panic::panic_any(Bomb) });
    let f = f.typed::<(), ()>(&store).unwrap();
    let payload = catch_unwind(AssertUnwindSafe(|| f.call(&mut store, ()))).unwrap_err();
    assert!(payload.is::<Bomb>());
    std::mem::forget(payload);
    assert!(
        catch_unwind(AssertUnwindSafe(|| f.call(&mut store, ())))
            .map_err(std::mem::forget)
            .is_err()
    );
}

#[test]
fn exceptions_outlive_their_store_and_are_nothing_to_another() -> Result<()> {
    let engine = Engine::default();
    let wat = r#"(module (tag $t (param i32)) (func (export "run") (throw $t (i32.const 5))))"#;
    let mut store = Store::new(&engine, ());
    let guest = instantiate(&mut store, wat, &[])?;
    let error = export::<(), ()>(&mut store, guest, "run")?.call(&mut store, ()).unwrap_err();
    drop(store);
    let mut other = Store::new(&engine, ());
    let thrown = error.downcast_ref::<ThrownException>().expect("it is an exception");
    assert!(thrown.field(&mut other, 0).is_err());
    // Another store passes it on as any error.
    let error = Arc::new(Mutex::new(Some(error)));
    let f = Func::wrap(&mut other, move || -> Result<()> {
        Err(error.lock().unwrap().take().expect("called once"))
    });
    let wat = r#"(module (import "" "f" (func $f))
        (func (export "run") (block $b (try_table (catch_all $b) (call $f)) (return)) (unreachable)))"#;
    let guest = instantiate(&mut other, wat, &[f.into()])?;
    let error = export::<(), ()>(&mut other, guest, "run")?.call(&mut other, ()).unwrap_err();
    assert!(error.is::<ThrownException>() && !error.is::<Trap>(), "{error:?}");
    Ok(())
}

#[test]
fn settings_at_their_bounds_are_errors_or_work() {
    // A function that calls none needs no stack of its own.
    let wat = r#"(module (memory 1) (table 1 externref)
        (func $wait (param i32) (loop (br_if 0 (local.get 0))))
        (func (export "f") (param externref) (result i32)
            (call $wait (i32.const 0))
            (table.set 0 (i32.const 0) (local.get 0))
            (i32.store (i32.const 65532) (i32.const 8)) (i32.load (i32.const 65532))))"#;
    type Setting = fn(&mut Config) -> &mut Config;
    let settings: &[(Setting, &str)] = &[
        (|config| config.max_wasm_stack(0), "call stack exhausted"),
        (|config| config.max_wasm_stack(1), "call stack exhausted"),
        (|config| config.max_wasm_stack(usize::MAX), ""),
        (|config| config.gc_nursery_size(usize::MAX), ""),
        (|config| config.gc_nursery_size(0), ""),
        (|config| config.gc_heap_limit(usize::MAX), ""),
        (|config| config.gc_heap_limit(0), "GC heap out of memory"),
        (|config| config.gc_heap_limit(17), ""),
        (|config| config.host_memory_limit(Some(0)), "GC heap out of memory"),
        (|config| config.host_memory_limit(Some(usize::MAX)), ""),
        (|config| config.memory_reservation(0), ""),
        (|config| config.memory_reservation(u64::MAX), ""),
        (|config| config.memory_limit(0), "exceeds the limit of 0 bytes"),
        (|config| config.memory_limit(u64::MAX), ""),
        (|config| config.table_limit(0), "exceeds the limit of 0 elements"),
        (|config| config.table_limit(u64::MAX), ""),
        (|config| config.memory_limit(u64::MAX).memory_reservation(0), ""),
    ];
    for (number, (set, expected)) in settings.iter().enumerate() {
        let mut config = Config::new();
        let outcome = Engine::new(set(&mut config)).and_then(|engine| {
            let mut store = Store::new(&engine, ());
            let guest = instantiate(&mut store, wat, &[])?;
            let object = ExternRef::new(&mut store, [0_u8; 100])?;
            export::<Rooted<ExternRef>, i32>(&mut store, guest, "f")?.call(&mut store, object)
        });
        match outcome {
            Ok(result) => assert!(result == 8 && expected.is_empty(), "setting {number}"),
            Err(error) => {
                let text = format!("{error:#}");
                assert!(!expected.is_empty() && text.contains(expected), "{number}: {text}");
            }
        }
    }
}

#[test]
fn sizes_beyond_all_bounds_are_errors() {
    let engine = Engine::new(Config::new().wasm_threads(true)).unwrap();
    let mut store = Store::new(&engine, ());
    let memories = [
        MemoryType::new(65_537, None),
        MemoryType::new(2, Some(1)),
        MemoryType::new(u32::MAX, None),
        MemoryType::new64(u64::MAX, None),
        MemoryType::new64(1 << 48, None),
        MemoryType::new64(0, Some(u64::MAX)),
    ];
    for ty in memories {
        let text = ty.to_string();
        assert!(Memory::new(&mut store, ty).is_err(), "{text}");
    }
    for ty in [MemoryType::shared(2, 1), MemoryType::shared(1, 65_537), MemoryType::new(1, None)] {
        let text = ty.to_string();
        assert!(SharedMemory::new(&engine, ty).is_err(), "{text}");
    }
    for ty in [
        TableType::new(RefType::FUNCREF, u32::MAX, None),
        TableType::new(RefType::FUNCREF, 2, Some(1)),
        TableType::new64(RefType::FUNCREF, u64::MAX, None),
    ] {
        let text = ty.to_string();
        assert!(Table::new(&mut store, ty, Ref::Func(None)).is_err(), "{text}");
    }
    let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
    assert!(memory.grow(&mut store, u64::MAX).is_err());
    assert!(memory.read(&store, usize::MAX, &mut [0]).is_err());
    assert!(memory.write(&mut store, usize::MAX - 1, &[0; 4]).is_err());
    let ty = TableType::new(RefType::FUNCREF, 1, None);
    let table = Table::new(&mut store, ty, Ref::Func(None)).unwrap();
    assert!(table.grow(&mut store, u64::MAX, Ref::Func(None)).is_err());
    assert!(table.fill(&mut store, u64::MAX, Ref::Func(None), u64::MAX).is_err());
    assert!(table.get(&mut store, u64::MAX).is_none());
    assert!(Table::copy(&mut store, &table, u64::MAX, &table, 1, u64::MAX).is_err());
}

#[test]
fn the_wrong_values_are_errors_that_name_both_types() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let ty = FuncType::new(&engine, [ValType::I32, ValType::EXTERNREF], [ValType::I64]);
    let f = Func::new(&mut store, ty, |_, params, results| {
        results[0] = if params[0].unwrap_i32() == 0 { Val::F32(0) } else { Val::I64(1) };
        Ok(())
    });
    let null = Val::null_extern_ref();
    let mut results = [Val::I32(0)];
    let mut call = |params: &[Val], results: &mut [Val]| {
        f.call(&mut store, params, results).map_err(|error| format!("{error:#}"))
    };
    assert!(call(&[Val::I32(1), null], &mut results).is_ok());
    let text = call(&[Val::I32(0), null], &mut results).unwrap_err();
    assert!(text.contains("expected i64, found f32"), "{text}");
    let text = call(&[Val::I64(0), null], &mut results).unwrap_err();
    assert!(text.contains("expected i32, found i64"), "{text}");
    let text = call(&[Val::I32(1), Val::null_func_ref()], &mut results).unwrap_err();
    assert!(text.contains("externref") && text.contains("nofunc"), "{text}");
    assert!(call(&[Val::I32(1)], &mut results).is_err());
    assert!(call(&[Val::I32(1), null], &mut []).is_err());
    assert!(call(&[Val::I32(1), null], &mut [null, null]).is_err());
}

/// A module that exports `f`, which returns 3, with these custom sections at its end.
fn with_sections(sections: &[(&[u8], &[u8])]) -> Vec<u8> {
    let wat = r#"(module (func (export "f") (result i32) (i32.const 3)))"#;
    let mut wasm = wat::parse_str(wat).unwrap();
    for (name, content) in sections {
        let len = 1 + name.len() + content.len();
        wasm.extend([0, (len & 0x7f | 0x80) as u8, (len >> 7) as u8, name.len() as u8]);
        wasm.extend(*name);
        wasm.extend(*content);
    }
    wasm
}

#[test]
fn nonsense_in_custom_sections_is_ignored() {
    let engine = Engine::default();
    let invalid_utf8: &[u8] = &[1, 6, 1, 0, 3, 0xff, 0xfe, 0xc0];
    let contents: &[(&[u8], &[u8])] = &[
        (b"name", b""),
        (b"name", &[0xff; 9]),
        (b"name", &[0, 5, 4, b'a']),
        (b"name", &[0, 3, 2, 0xc3, 0x28]),
        (b"name", invalid_utf8),
        (b"name", &[1, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        (b"name", &[1, 4, 1, 99, 1, b'x']),
        (b"name", &[1, 7, 2, 0, 1, b'a', 0, 1, b'b']),
        (b"name", &[9, 2, 1, 2, 200, 0]),
        (b"metadata.code.branch_hint", &[0xff, 0xff, 0xff]),
        (b"metadata.code.branch_hint", &[1, 77, 1, 0, 1, 9]),
        (b"metadata.code.branch_hint", &[]),
        (b"producers", &[0xff; 30]),
        (b".debug_info", &[1, 2, 3]),
        (b"linking", &[9, 9]),
        (b"dylink.0", &[0xff; 3]),
        (b"", &[]),
    ];
    for (name, content) in contents {
        let module = Module::new(&engine, with_sections(&[(*name, *content), (*name, *content)]));
        let module = module.unwrap_or_else(|error| panic!("{name:?} {content:?}: {error:#}"));
        let mut store = Store::new(&engine, ());
        let guest = Instance::new(&mut store, &module, &[]).unwrap();
        let f = export::<(), i32>(&mut store, guest, "f").unwrap();
        assert_eq!(f.call(&mut store, ()).unwrap(), 3);
        let _ = (module.name(), format!("{module:?}"));
    }
    // The name of a section itself is part of the format.
    let error = Module::new(&engine, with_sections(&[(&[0xff, 0xfe], &[])])).unwrap_err();
    assert!(format!("{error:#}").contains("UTF-8"), "{error:#}");
}

#[test]
fn names_of_imports_and_exports_are_any_text() -> Result<()> {
    let engine = Engine::default();
    let odd = ["", "\u{0}", "a b::c", "\u{202e}\u{1f980}", "`\"'\\\n"];
    let mut linker = Linker::new(&engine);
    for name in odd {
        let escaped: String = name.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        let wat = format!(
            r#"(module (import "{escaped}" "{escaped}" (func (result i32))) (export "{escaped}" (func 0)))"#
        );
        let module = Module::new(&engine, wat)?;
        let error = linker.instantiate(Store::new(&engine, ()), &module).unwrap_err();
        assert!(error.to_string().contains("unknown import"), "{error}");
        linker.func_wrap(name, name, || 4)?;
        let mut store = Store::new(&engine, ());
        let guest = linker.instantiate(&mut store, &module)?;
        assert_eq!(export::<(), i32>(&mut store, guest, name)?.call(&mut store, ())?, 4);
    }
    Ok(())
}

#[test]
fn leaked_scopes_and_stores_harm_nobody() -> Result<()> {
    let mut store = Store::<()>::default();
    let leaked = {
        let mut scope = RootScope::new(&mut store);
        let object = ExternRef::new(&mut scope, 5)?;
        std::mem::forget(scope);
        object
    };
    store.gc();
    assert_eq!(leaked.data(&store)?.downcast_ref(), Some(&5));
    {
        let mut scope = RootScope::new(&mut store);
        let mut inner = RootScope::new(&mut scope);
        let object = ExternRef::new(&mut inner, 6)?;
        std::mem::forget(inner);
        assert!(object.data(&scope).is_ok());
    }
    store.gc();
    assert_eq!(store.gc_stats().host_objects, 1);
    store.as_context_mut().gc();
    std::mem::forget(store);
    Ok(())
}
