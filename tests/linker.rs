//! Linking: what may stand behind an import, what the errors say when nothing does, and that
//! handles of another store or engine never get in.

use std::collections::HashSet;

use hostref::{
    Caller, Config, Engine, ExternRef, Func, FuncType, Global, GlobalType, HeapType, Instance,
    LinkError, Linker, Memory, MemoryType, Module, Mutability, Ref, RefType, Result, Rooted, Store,
    Table, TableType, Trap, UnknownImportError, Val, ValType,
};

fn module(engine: &Engine, wat: &str) -> Module {
    Module::new(engine, wat).unwrap()
}

/// The problems of linking `module`, as text.
fn problems<T: Default>(linker: &Linker<T>, module: &Module) -> Vec<String> {
    let mut store = Store::new(linker.engine(), T::default());
    let error = linker.instantiate(&mut store, module).unwrap_err();
    let pre = linker.instantiate_pre(module).unwrap_err();
    assert_eq!(error.to_string(), pre.to_string());
    let error = error.downcast_ref::<LinkError>().unwrap_or_else(|| panic!("{error:?}"));
    error.problems().iter().map(ToString::to_string).collect()
}

#[test]
fn one_error_lists_every_import_that_is_missing_or_of_another_type() {
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("env", "log", |_: i32| {}).unwrap();
    linker.func_wrap("env", "now", || 1_i64).unwrap();
    linker.func_wrap("env", "take", |_: Rooted<ExternRef>| {}).unwrap();
    let module = module(
        &engine,
        r#"(module
            (import "env" "log" (func (param i32)))
            (import "env" "now" (func (result i32)))
            (import "env" "nov" (func (result i64)))
            (import "env" "take" (func (param funcref)))
            (import "env" "log" (memory 1))
            (import "wasi" "completely_different" (global (mut externref))))"#,
    );
    let problems = problems(&linker, &module);
    let parts = [
        ["env::now", "(func (result i32))", "(func (result i64))"],
        ["env::nov", "(func (result i64))", "a similar name is `env::now`"],
        ["env::take", "(func (param funcref))", "(func (param externref))"],
        ["env::log", "(memory 1)", "(func (param i32))"],
        ["wasi::completely_different", "(global (mut externref))", "has not been defined"],
    ];
    assert_eq!(problems.len(), parts.len(), "{problems:#?}");
    for (problem, parts) in problems.iter().zip(parts) {
        assert!(parts.iter().all(|part| problem.contains(part)), "{problem}");
    }
    assert!(!problems[4].contains("similar"), "{}", problems[4]);
}

#[test]
fn positional_imports_are_checked_as_well() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let module = module(&engine, r#"(module (import "a" "f" (func)) (import "a" "g" (func)))"#);
    let good = Func::wrap(&mut store, || {});
    let bad = Func::wrap(&mut store, || 1);
    let error = Instance::new(&mut store, &module, &[good.into()]).unwrap_err();
    assert!(error.to_string().contains("expected 2 imports, found 1"), "{error}");
    let error = Instance::new(&mut store, &module, &[bad.into(), bad.into()]).unwrap_err();
    assert_eq!(error.downcast_ref::<LinkError>().unwrap().problems().len(), 2);
}

fn calls(engine: &Engine, from: &str, name: &str) -> Module {
    let wat = format!(
        r#"(module (import "{from}" "{name}" (func $f (result i32)))
            (func (export "run") (result i32) (call $f)))"#
    );
    module(engine, &wat)
}

fn run<T: Default>(linker: &Linker<T>, module: &Module) -> Result<i32> {
    let mut store = Store::new(linker.engine(), T::default());
    let instance = linker.instantiate(&mut store, module)?;
    instance.get_typed_func::<(), i32>(&mut store, "run")?.call(&mut store, ())
}

#[test]
fn a_name_is_defined_once_unless_shadowing_is_allowed() {
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("env", "f", || 1).unwrap();
    let error = linker.func_wrap("env", "f", || 2).unwrap_err();
    assert!(error.to_string().contains("`env::f` has been defined already"), "{error}");
    let module = calls(&engine, "env", "f");
    assert_eq!(run(&linker, &module).unwrap(), 1);
    linker.allow_shadowing(true).func_wrap("env", "f", || 2).unwrap();
    assert_eq!(run(&linker, &module).unwrap(), 2);
    linker.allow_shadowing(false);
    assert!(linker.func_wrap("env", "f", || 3).is_err());
    assert_eq!(run(&linker, &module).unwrap(), 2);
}

#[test]
fn an_alias_is_what_its_original_was() {
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("env", "f", || 1).unwrap();
    linker.func_wrap("env", "g", || 2).unwrap();
    linker.alias("env", "f", "other", "h").unwrap();
    assert_eq!(run(&linker, &calls(&engine, "other", "h")).unwrap(), 1);
    linker.alias_module("env", "copy").unwrap();
    assert_eq!(run(&linker, &calls(&engine, "copy", "g")).unwrap(), 2);
    let error = linker.alias("env", "ff", "x", "y").unwrap_err();
    assert!(error.to_string().contains("a similar name is `env::f`"), "{error}");
    assert!(linker.alias_module("nothing", "x").is_err());
    assert!(linker.alias("env", "f", "other", "h").is_err(), "the name is taken");
    assert!(linker.alias_module("env", "copy").is_err(), "the names are taken");
    linker.allow_shadowing(true).func_wrap("env", "f", || 9).unwrap();
    assert_eq!(run(&linker, &calls(&engine, "other", "h")).unwrap(), 1);
    let mut names: Vec<_> = linker.names().collect();
    names.sort_unstable();
    let expected = [("copy", "f"), ("copy", "g"), ("env", "f"), ("env", "g"), ("other", "h")];
    assert_eq!(names, expected);
}

#[test]
fn an_instance_under_a_name_offers_its_exports() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    let library = module(
        &engine,
        r#"(module
            (memory (export "memory") 1)
            (global $g (export "count") (mut i32) (i32.const 5))
            (func (export "count_up") (result i32)
                (global.set $g (i32.add (global.get $g) (i32.const 1)))
                (global.get $g)))"#,
    );
    linker.module(&mut store, "lib", &library).unwrap();
    let user = module(
        &engine,
        r#"(module
            (import "lib" "count_up" (func $up (result i32)))
            (import "lib" "count" (global $g (mut i32)))
            (import "lib" "memory" (memory 1))
            (func (export "run") (result i32)
                (i32.mul (call $up) (i32.const 100)) (i32.add (global.get $g))))"#,
    );
    let instance = linker.instantiate(&mut store, &user).unwrap();
    let run = instance.get_typed_func::<(), i32>(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, ()).unwrap(), 606);
    let count = linker.get(&mut store, "lib", "count").unwrap().into_global().unwrap();
    assert_eq!(count.get(&mut store).unwrap_i32(), 6);
    let again = linker.instantiate(&mut store, &library).unwrap();
    assert!(linker.instance(&mut store, "lib", again).is_err(), "the names are taken");
    linker.instance(&mut store, "second", again).unwrap();
}

#[test]
fn a_reactor_is_initialised_before_its_exports_are_offered() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    let reactor = |ty: &str, body: &str| {
        let wat = format!(
            r#"(module
                (global $ready (mut i32) (i32.const 0))
                (func (export "_initialize") {ty} {body})
                (func (export "ready") (result i32) (global.get $ready)))"#
        );
        module(&engine, &wat)
    };
    let good = reactor("", "(global.set $ready (i32.const 1))");
    linker.module(&mut store, "good", &good).unwrap();
    let ready = linker.get(&mut store, "good", "ready").unwrap().into_func().unwrap();
    let ready = ready.typed::<(), i32>(&store).unwrap();
    assert_eq!(ready.call(&mut store, ()).unwrap(), 1);

    let bad = reactor("", "unreachable");
    let error = linker.module(&mut store, "bad", &bad).unwrap_err();
    assert!(error.to_string().contains("cannot initialise `bad`"), "{error}");
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::UnreachableCodeReached));
    assert!(linker.get(&mut store, "bad", "ready").is_none());
    assert!(linker.module(&mut store, "bad", &reactor("(param i32)", "")).is_err());
}

#[test]
fn a_command_runs_in_a_new_instance_of_any_store() {
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("env", "two", || 2).unwrap();
    let command = module(
        &engine,
        r#"(module
            (import "env" "two" (func $two (result i32)))
            (memory (export "memory") 1)
            (table (export "table") 1 funcref)
            (global (export "__heap_base") i32 (i32.const 0))
            (global $sum (mut i32) (i32.const 0))
            (func (export "_start"))
            (func (export "add") (param i32 externref) (result externref i32)
                (global.set $sum
                    (i32.add (i32.add (global.get $sum) (local.get 0)) (call $two)))
                (local.get 1) (global.get $sum)))"#,
    );
    linker.module(Store::new(&engine, ()), "command", &command).unwrap();
    let names: HashSet<_> = linker.names().filter(|(module, _)| *module == "command").collect();
    assert_eq!(names, HashSet::from([("command", "_start"), ("command", "add")]));
    for _ in 0..2 {
        let mut store = Store::new(&engine, ());
        let object = ExternRef::new(&mut store, 7).unwrap();
        let add = linker.get(&mut store, "command", "add").unwrap().into_func().unwrap();
        let add = add.typed::<(i32, Rooted<ExternRef>), (Option<Rooted<ExternRef>>, i32)>(&store);
        let add = add.unwrap();
        for term in [1, 5] {
            let (back, sum) = add.call(&mut store, (term, object)).unwrap();
            assert!(Rooted::ref_eq(&store, &back.unwrap(), &object).unwrap());
            assert_eq!(sum, term + 2, "no call sees what another one left");
        }
    }
}

#[test]
fn what_is_neither_command_nor_reactor_is_refused() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::<()>::new(&engine);
    for (wat, reason) in [
        (r#"(module (func (export "_start") (export "_initialize")))"#, "both `_start` and"),
        (r#"(module (memory (export "_start") 1))"#, "`_start` to be a function, found (memory"),
        (r#"(module (tag (export "_initialize")))"#, "`_initialize` to be a function, found"),
        (
            r#"(module (func (export "_start")) (table (export "memory") 1 funcref))"#,
            "`memory`, which is not a function: see `Linker::allow_unknown_exports`",
        ),
        (r#"(module (import "a" "b" (func)) (func (export "_start")))"#, "`a::b`"),
    ] {
        let error = linker.module(&mut store, "lib", &module(&engine, wat)).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn the_default_function_has_no_name_or_is_that_of_a_command() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::<()>::new(&engine);
    let mut call = |linker: &Linker<()>| -> Result<i32> {
        let main = linker.get_default(&mut store, "m")?;
        main.typed::<(), i32>(&store)?.call(&mut store, ())
    };
    let error = call(&linker).unwrap_err();
    assert!(error.to_string().contains("(func)"), "one that does nothing: {error}");
    linker.func_wrap("m", "_start", || 1).unwrap();
    assert_eq!(call(&linker).unwrap(), 1);
    linker.func_wrap("m", "", || 2).unwrap();
    assert_eq!(call(&linker).unwrap(), 2);
    let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
    linker.allow_shadowing(true).define(&store, "m", "", memory).unwrap();
    let error = linker.get_default(&mut store, "m").unwrap_err();
    assert_eq!(error.to_string(), "`m::` is not a function");
}

#[test]
fn an_unknown_import_is_the_cause_of_an_error_that_lists_everything() {
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("env", "f", |_: i32| {}).unwrap();
    let guest = module(
        &engine,
        r#"(module
            (import "env" "f" (func))
            (import "env" "g" (func (param i64)))
            (import "env" "h" (func)))"#,
    );
    let error = linker.instantiate(Store::new(&engine, ()), &guest).unwrap_err();
    assert_eq!(error.downcast_ref::<LinkError>().unwrap().problems().len(), 3);
    assert!(error.to_string().contains("`env::f`") && error.to_string().contains("`env::h`"));
    let unknown = error.downcast::<UnknownImportError>().unwrap();
    assert_eq!((unknown.module(), unknown.name()), ("env", "g"));
    assert_eq!(unknown.ty().to_string(), "(func (param i64))");

    linker.func_wrap("env", "g", |_: i64| {}).unwrap().func_wrap("env", "h", || {}).unwrap();
    let error = linker.instantiate(Store::new(&engine, ()), &guest).unwrap_err();
    assert!(error.is::<LinkError>() && !error.is::<UnknownImportError>());
}

#[test]
fn unknown_imports_can_trap_when_called() {
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("env", "f", || 4).unwrap();
    let guest = module(
        &engine,
        r#"(module
            (import "env" "f" (func $f (result i32)))
            (import "env" "missing" (func $missing (param externref i64) (result i32 funcref)))
            (func (export "run") (result i32) (call $f))
            (func (export "fail") (drop (call $missing (ref.null extern) (i64.const 1))) drop))"#,
    );
    assert!(run(&linker, &guest).is_err());
    linker.define_unknown_imports_as_traps(&guest).unwrap();
    assert_eq!(run(&linker, &guest).unwrap(), 4);
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &guest).unwrap();
    let fail = instance.get_typed_func::<(), ()>(&mut store, "fail").unwrap();
    let text = format!("{:#}", fail.call(&mut store, ()).unwrap_err());
    assert!(text.contains("unknown import: `env::missing`"), "{text}");
    let memory = module(&engine, r#"(module (import "env" "memory" (memory 1)))"#);
    assert!(linker.define_unknown_imports_as_traps(&memory).is_err());
}

/// A guest that calls the import `take` directly, through `ref.func` in a table, and by a type
/// that differs.
const TAKES: &str = r#"(module
    (type $take (func (param externref)))
    (type $other (func (param funcref)))
    (import "env" "take" (func $take (type $take)))
    (table (export "table") 1 funcref)
    (elem declare func $take)
    (func (export "direct") (param externref) (call $take (local.get 0)))
    (func (export "indirect") (param externref)
        (table.set (i32.const 0) (ref.func $take))
        (call_indirect (type $take) (local.get 0) (i32.const 0)))
    (func (export "through_table") (param externref)
        (call_indirect (type $take) (local.get 0) (i32.const 0)))
    (func (export "mistyped")
        (table.set (i32.const 0) (ref.func $take))
        (call_indirect (type $other) (ref.null func) (i32.const 0)))
    (export "take" (func $take)))"#;

#[test]
fn a_host_definition_is_linked_at_exactly_the_imported_type() {
    let engine = Engine::default();
    let non_null = ValType::Ref(RefType::new(false, HeapType::Extern));
    let strict = FuncType::new(&engine, [non_null], []);
    let nullable = FuncType::new(&engine, [ValType::EXTERNREF], []);
    let mut store = Store::new(&engine, 0);
    let take = Func::new(&mut store, strict.clone(), |mut caller, params, _| {
        assert!(params[0].unwrap_externref().is_some(), "the type excludes null");
        *caller.data_mut() += 1;
        Ok(())
    });
    assert_eq!(take.ty(&store), strict);
    let mut linker = Linker::new(&engine);
    linker.define(&store, "env", "take", take).unwrap();
    let guest = linker.instantiate(&mut store, &module(&engine, TAKES)).unwrap();
    let object = ExternRef::new(&mut store, ()).unwrap();
    for name in ["direct", "indirect"] {
        let call = guest.get_func(&mut store, name).unwrap();
        call.call(&mut store, &[object.into()], &mut []).unwrap();
        let null = Val::ExternRef(None);
        let text = format!("{:#}", call.call(&mut store, &[null], &mut []).unwrap_err());
        assert!(text.contains("parameter 0") && text.contains("null"), "{text}");
    }
    assert_eq!(*store.data(), 2);
    let mistyped = guest.get_func(&mut store, "mistyped").unwrap();
    let error = mistyped.call(&mut store, &[], &mut []).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Trap::BadSignature));

    let linked = guest.get_func(&mut store, "take").unwrap();
    assert_eq!(linked.ty(&store), nullable);
    // The function as the embedder made it has another type, which an indirect call sees.
    let table = guest.get_table(&mut store, "table").unwrap();
    table.set(&mut store, 0, Ref::Func(Some(take))).unwrap();
    let through_table = guest.get_func(&mut store, "through_table").unwrap();
    let error = through_table.call(&mut store, &[object.into()], &mut []).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Trap::BadSignature));
    table.set(&mut store, 0, Ref::Func(Some(linked))).unwrap();
    through_table.call(&mut store, &[object.into()], &mut []).unwrap();
    assert_eq!(*store.data(), 3);
}

#[test]
fn a_wrapped_function_has_nullable_references() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let wrapped = Func::wrap(&mut store, |object: Rooted<ExternRef>| object);
    assert_eq!(wrapped.ty(&store).to_string(), "(func (param externref) (result externref))");
    let mut linker = Linker::new(&engine);
    linker.func_wrap("env", "take", |_: Rooted<ExternRef>| {}).unwrap();
    let guest = linker.instantiate(&mut store, &module(&engine, TAKES)).unwrap();
    let through_table = guest.get_func(&mut store, "through_table").unwrap();
    let table = guest.get_table(&mut store, "table").unwrap();
    let take = linker.get(&mut store, "env", "take").unwrap().into_func().unwrap();
    table.set(&mut store, 0, Ref::Func(Some(take))).unwrap();
    let object = ExternRef::new(&mut store, ()).unwrap();
    through_table.call(&mut store, &[object.into()], &mut []).unwrap();
    let error = through_table.call(&mut store, &[Val::ExternRef(None)], &mut []).unwrap_err();
    assert!(format!("{error:#}").contains("env::take"), "{error:#}");
}

#[test]
fn limits_of_memories_and_tables_match_by_their_current_size() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    let memory = Memory::new(&mut store, MemoryType::new(1, Some(3))).unwrap();
    let ty = TableType::new(RefType::FUNCREF, 2, None);
    let table = Table::new(&mut store, ty, Ref::Func(None)).unwrap();
    linker.define(&store, "env", "memory", memory).unwrap();
    linker.define(&store, "env", "table", table).unwrap();
    let fits = |store: &mut Store<()>, import: &str| {
        let module = module(&engine, &format!("(module (import \"env\" {import}))"));
        linker.instantiate(store, &module).is_ok()
    };
    let before = [
        (r#""memory" (memory 1)"#, true),
        (r#""memory" (memory 0 3)"#, true),
        (r#""memory" (memory 1 9)"#, true),
        (r#""memory" (memory 1 2)"#, false),
        (r#""memory" (memory 2 3)"#, false),
        (r#""table" (table 2 funcref)"#, true),
        (r#""table" (table 1 funcref)"#, true),
        (r#""table" (table 1 5 funcref)"#, false),
        (r#""table" (table 3 funcref)"#, false),
        (r#""table" (table 2 externref)"#, false),
    ];
    for (import, expected) in before {
        assert_eq!(fits(&mut store, import), expected, "{import}");
    }
    memory.grow(&mut store, 1).unwrap();
    table.grow(&mut store, 1, Ref::Func(None)).unwrap();
    for import in [r#""memory" (memory 2 3)"#, r#""table" (table 3 funcref)"#] {
        assert!(fits(&mut store, import), "{import}");
    }
}

#[test]
fn globals_match_in_type_and_mutability() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    for (name, mutability) in [("const", Mutability::Const), ("var", Mutability::Var)] {
        let ty = GlobalType::new(ValType::I32, mutability);
        let global = Global::new(&mut store, ty, Val::I32(1)).unwrap();
        linker.define(&store, "env", name, global).unwrap();
    }
    for (import, expected) in [
        (r#""const" (global i32)"#, true),
        (r#""var" (global (mut i32))"#, true),
        (r#""const" (global (mut i32))"#, false),
        (r#""var" (global i32)"#, false),
        (r#""const" (global i64)"#, false),
    ] {
        let module = module(&engine, &format!("(module (import \"env\" {import}))"));
        assert_eq!(linker.instantiate(&mut store, &module).is_ok(), expected, "{import}");
    }
}

#[test]
fn one_prepared_instance_serves_many_stores() {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap("env", "f", |mut caller: Caller<'_, i32>| {
            *caller.data_mut() += 1;
            *caller.data()
        })
        .unwrap();
    let pre = linker.instantiate_pre(&calls(&engine, "env", "f")).unwrap();
    drop(linker);
    let threads = (0..3).map(|thread| {
        let (pre, engine) = (pre.clone(), engine.clone());
        std::thread::spawn(move || {
            for i in 0..50 {
                let mut store = Store::new(&engine, thread * 1000 + i);
                let first = pre.instantiate(&mut store).unwrap();
                let second = pre.instantiate(&mut store).unwrap();
                for (step, instance) in [first, second].iter().enumerate() {
                    let run = instance.get_typed_func::<(), i32>(&mut store, "run").unwrap();
                    let expected = thread * 1000 + i + 1 + step as i32;
                    assert_eq!(run.call(&mut store, ()).unwrap(), expected);
                }
            }
        })
    });
    threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_memory_may_grow_between_linking_and_instantiation() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(&engine, r#"(module (import "env" "memory" (memory 2)))"#)?;
    let mut store = Store::new(&engine, ());
    let memory = Memory::new(&mut store, MemoryType::new(1, None))?;
    let mut linker = Linker::new(&engine);
    linker.define(&store, "env", "memory", memory)?;
    let pre = linker.instantiate_pre(&module)?;
    let error = pre.instantiate(&mut store).unwrap_err();
    let error = error.downcast_ref::<LinkError>().expect("one page is too small");
    assert_eq!(error.problems()[0].name(), "memory");
    memory.grow(&mut store, 1)?;
    pre.instantiate(&mut store)?;
    linker.instantiate(&mut store, &module)?;
    Ok(())
}

#[test]
fn definitions_are_listed_and_found_by_import() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(&engine, r#"(module (import "env" "f" (func)))"#)?;
    let import = module.imports().next().expect("one import");
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    assert!(linker.get_by_import(&mut store, &import).is_none());
    linker.func_wrap("env", "f", || {})?;
    let memory = Memory::new(&mut store, MemoryType::new(1, None))?;
    linker.define_name(&store, "memory", memory)?;
    let found = linker.get_by_import(&mut store, &import).expect("just defined");
    assert_eq!(found.ty(&store).to_string(), "(func)");
    let mut all: Vec<String> = linker
        .iter(&mut store)
        .map(|(module, name, item)| format!("{module}::{name} {}", item.into_memory().is_some()))
        .collect();
    all.sort();
    assert_eq!(all, ["::memory true", "env::f false"]);
    Ok(())
}

#[test]
fn default_values_stand_in_for_imports_that_nothing_defines() {
    let engine = Engine::new(Config::new().wasm_threads(true)).unwrap();
    let module = Module::new(
        &engine,
        r#"(module
            (import "a" "defined" (func $defined (result i32)))
            (import "a" "func" (func $func (param i64) (result i32 f64 externref)))
            (import "a" "func" (func $again (param i64) (result i32 f64 externref)))
            (import "a" "global" (global $global i64))
            (import "a" "table" (table $table 3 externref))
            (import "a" "memory" (memory $memory 2))
            (import "a" "shared" (memory $shared 1 2 shared))
            (import "a" "tag" (tag (param i32)))
            (func (export "run") (result i32 i32 i64 i32 i32 i32)
                (local $i i32) (local $f f64) (local $r externref)
                (call $again (i64.const 1))
                (local.set $r) (local.set $f) (local.set $i)
                (call $defined)
                (i32.and (ref.is_null (local.get $r))
                    (i32.and (i32.eqz (local.get $i)) (f64.eq (local.get $f) (f64.const 0))))
                (global.get $global)
                (table.size $table) (memory.size $memory) (memory.size $shared)))"#,
    );
    let module = module.unwrap();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker.func_wrap("a", "defined", || 7).unwrap();
    linker.define_unknown_imports_as_default_values(&mut store, &module).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let run = instance.get_typed_func::<(), (i32, i32, i64, i32, i32, i32)>(&mut store, "run");
    assert_eq!(run.unwrap().call(&mut store, ()).unwrap(), (7, 1, 0, 3, 2, 1));
}

#[test]
fn imports_without_default_values_are_named() {
    let engine = Engine::default();
    for (import, ty) in [
        ("(func (result (ref extern)))", "(ref extern)"),
        ("(global (ref func))", "(ref func)"),
        ("(table 1 (ref func))", "(ref func)"),
    ] {
        let module =
            Module::new(&engine, format!(r#"(module (import "a" "b" {import}))"#)).unwrap();
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        let error = linker.define_unknown_imports_as_default_values(&mut store, &module);
        let text = format!("{:#}", error.unwrap_err());
        assert!(text.contains("`a::b`") && text.contains(ty), "{text}");
    }
}

/// A guest chooses how many names are missing, and how long they are: what is said about them stays
/// cheap, and each name is defined once.
#[test]
fn many_and_long_unknown_imports_are_handled_in_linear_time() {
    let engine = Engine::default();
    let long = "x".repeat(90_000);
    let names: String = (0..20_000)
        .map(|n| format!(r#"(import "env" "{}" (func))"#, if n % 2 == 0 { n } else { n - 1 }))
        .collect();
    let module = Module::new(
        &engine,
        format!(
            r#"(module {names} (import "env" "{long}" (func)) (import "env" "{long}y" (func)))"#
        ),
    )
    .unwrap();
    let mut linker = Linker::<()>::new(&engine);
    for n in 0..2_000 {
        linker.func_wrap("env", &format!("{}{n}", &long[..1_000]), || ()).unwrap();
    }
    let mut store = Store::new(&engine, ());
    let error = linker.instantiate(&mut store, &module).unwrap_err();
    let error = error.downcast_ref::<hostref::LinkError>().expect("names are missing");
    assert_eq!(error.problems().len(), 20_002);
    linker.define_unknown_imports_as_traps(&module).unwrap();
    linker.instantiate(&mut store, &module).unwrap();
}
