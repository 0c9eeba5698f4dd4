//! Handles in the wrong place: what belongs to another store or another engine is refused, and
//! does no harm.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hostref::{
    Engine, Extern, ExternRef, Func, FuncType, Global, GlobalType, HeapType, Instance, Linker,
    Memory, Module, Mutability, Ref, RefType, Result, Rooted, Store, Table, TableType, Val,
    ValType,
};

/// One of each kind of handle.
struct Handles {
    store: Store<()>,
    instance: Instance,
    func: Func,
    memory: Memory,
    table: Table,
    global: Global,
    object: Rooted<ExternRef>,
}

fn handles(engine: &Engine) -> Handles {
    let mut store = Store::new(engine, ());
    let module = Module::new(
        engine,
        r#"(module
            (func (export "f") (param externref))
            (memory (export "m") 1)
            (table (export "t") 1 externref)
            (global (export "g") (mut externref) (ref.null extern)))"#,
    )
    .unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    Handles {
        instance,
        func: instance.get_func(&mut store, "f").unwrap(),
        memory: instance.get_memory(&mut store, "m").unwrap(),
        table: instance.get_table(&mut store, "t").unwrap(),
        global: instance.get_global(&mut store, "g").unwrap(),
        object: ExternRef::new(&mut store, 1_u8).unwrap(),
        store,
    }
}

fn assert_foreign<T>(outcome: Result<T>) {
    let Err(error) = outcome else { panic!("a handle of another store was accepted") };
    let text = format!("{error:#}");
    assert!(text.contains("another") || text.contains("different"), "{text}");
}

fn panics<T>(body: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(body)).is_err()
}

#[test]
fn handles_of_another_store_are_errors_where_a_result_can_say_so() {
    let engine = Engine::default();
    let theirs = handles(&engine);
    let mut ours = handles(&engine);
    let store = &mut ours.store;
    assert_foreign(theirs.func.call(&mut *store, &[Val::ExternRef(None)], &mut []));
    assert_foreign(theirs.func.typed::<Option<Rooted<ExternRef>>, ()>(&*store));
    assert_foreign(ours.func.call(&mut *store, &[theirs.object.into()], &mut []));
    let typed = ours.func.typed::<Rooted<ExternRef>, ()>(&*store).unwrap();
    assert_foreign(typed.call(&mut *store, theirs.object));
    let foreign = theirs.func.typed::<Rooted<ExternRef>, ()>(&theirs.store).unwrap();
    assert_foreign(foreign.call(&mut *store, ours.object));
    assert_foreign(theirs.table.set(&mut *store, 0, Ref::Extern(None)));
    assert_foreign(theirs.table.grow(&mut *store, 1, Ref::Extern(None)));
    assert_foreign(ours.table.set(&mut *store, 0, theirs.object.into()));
    assert_foreign(Table::copy(&mut *store, &ours.table, 0, &theirs.table, 0, 1));
    assert_foreign(Table::copy(&mut *store, &theirs.table, 0, &ours.table, 0, 1));
    assert_foreign(theirs.global.set(&mut *store, Val::ExternRef(None)));
    assert_foreign(ours.global.set(&mut *store, theirs.object.into()));
    assert_foreign(theirs.object.data(&*store));
    let ty = TableType::new(RefType::FUNCREF, 1, None);
    assert_foreign(Table::new(&mut *store, ty, Ref::Func(Some(theirs.func))));
    let ty = GlobalType::new(ValType::EXTERNREF, Mutability::Const);
    assert_foreign(Global::new(&mut *store, ty, theirs.object.into()));
    let take = Func::wrap(&mut *store, |_: Option<Func>| {}).typed::<Option<Func>, ()>(&*store);
    assert_foreign(take.unwrap().call(&mut *store, Some(theirs.func)));
}

#[test]
fn handles_of_another_store_panic_where_no_result_can_say_so() {
    let engine = Engine::default();
    let theirs = handles(&engine);
    let mut ours = handles(&engine);
    let store = &mut ours.store;
    assert!(panics(|| theirs.func.ty(&*store)));
    assert!(panics(|| theirs.memory.size(&*store)));
    assert!(panics(|| theirs.memory.data(&*store).len()));
    assert!(panics(|| theirs.memory.data_mut(&mut *store).len()));
    assert!(panics(|| theirs.table.size(&*store)));
    assert!(panics(|| theirs.table.get(&mut *store, 0)));
    assert!(panics(|| theirs.global.get(&mut *store)));
    assert!(panics(|| theirs.instance.get_export(&mut *store, "f")));
    assert!(panics(|| theirs.instance.exports(&mut *store).len()));
    // None of it did any harm.
    ours.func.call(&mut *store, &[ours.object.into()], &mut []).unwrap();
}

#[test]
fn imports_of_another_store_are_errors() {
    let engine = Engine::default();
    let theirs = handles(&engine);
    let mut ours = handles(&engine);
    let kinds: [(Extern, &str); 4] = [
        (theirs.func.into(), "(func (param externref))"),
        (theirs.memory.into(), "(memory 1)"),
        (theirs.table.into(), "(table 1 externref)"),
        (theirs.global.into(), "(global (mut externref))"),
    ];
    for (item, import) in kinds {
        let wat = format!(r#"(module (import "env" "it" {import}))"#);
        let module = Module::new(&engine, wat).unwrap();
        assert_foreign(Instance::new(&mut ours.store, &module, std::slice::from_ref(&item)));
        let mut linker = Linker::new(&engine);
        assert_foreign(linker.define(&ours.store, "env", "it", item.clone()).map(drop));
        linker.define(&theirs.store, "env", "it", item).unwrap();
        assert_foreign(linker.instantiate(&mut ours.store, &module));
        let pre = linker.instantiate_pre(&module).unwrap();
        assert_foreign(pre.instantiate(&mut ours.store));
    }
}

#[test]
fn a_host_function_that_was_defined_from_one_store_serves_all() {
    let engine = Engine::default();
    let mut first = Store::new(&engine, 1);
    let func = Func::wrap(&mut first, |caller: hostref::Caller<'_, i32>| *caller.data());
    let mut linker = Linker::new(&engine);
    linker.define(&first, "env", "it", func).unwrap();
    drop(first);
    let wat = r#"(module (import "env" "it" (func $f (result i32))) (export "f" (func $f)))"#;
    let module = Module::new(&engine, wat).unwrap();
    let mut second = Store::new(&engine, 2);
    let instance = linker.instantiate(&mut second, &module).unwrap();
    let func = instance.get_typed_func::<(), i32>(&mut second, "f").unwrap();
    assert_eq!(func.call(&mut second, ()).unwrap(), 2);
}

/// Two engines of which the second knows more types, in another order.
fn engines() -> (Engine, Engine) {
    let (small, large) = (Engine::default(), Engine::default());
    for len in 0..40 {
        FuncType::new(&large, vec![ValType::F64; len], []);
    }
    (small, large)
}

#[test]
fn modules_linkers_and_stores_of_different_engines_do_not_mix() {
    let (small, large) = engines();
    let wat = r#"(module
        (type $rare (func (param i64 i64 i64) (result f32)))
        (import "env" "f" (func (type $rare))))"#;
    let module = Module::new(&small, wat).unwrap();
    let rare = |_: i64, _: i64, _: i64| 1.0_f32;
    let mut store = Store::new(&large, ());
    let func = Func::wrap(&mut store, rare);
    assert_foreign(Instance::new(&mut store, &module, &[func.into()]));
    let plain = Module::new(&large, r#"(module (func (export "f") (param f64 f64 f64 f64)))"#);
    let plain = Instance::new(&mut store, &plain.unwrap(), &[]).unwrap();
    let plain = plain.get_func(&mut store, "f").unwrap();
    assert_foreign(Instance::new(&mut store, &module, &[plain.into()]));

    let mut linker = Linker::new(&large);
    linker.func_wrap("env", "f", rare).unwrap();
    assert_foreign(linker.instantiate(&mut store, &module));
    assert_foreign(linker.instantiate_pre(&module));

    let mut linker = Linker::new(&small);
    linker.func_wrap("env", "f", rare).unwrap();
    assert_foreign(linker.instantiate(&mut store, &module));
    assert_foreign(linker.instantiate_pre(&module).unwrap().instantiate(&mut store));
    assert_foreign(linker.define(&store, "env", "g", func).map(drop));
    assert_foreign(linker.define(&store, "env", "g", plain).map(drop));
}

#[test]
fn a_definition_cannot_be_taken_out_for_a_store_of_another_engine() {
    let (small, large) = engines();
    let mut linker = Linker::new(&small);
    linker.func_wrap("env", "f", |value: i64| value).unwrap();
    let mut store = Store::new(&large, ());
    assert!(panics(|| linker.get(&mut store, "env", "f")));
    assert!(linker.get(&mut Store::new(&small, ()), "env", "f").is_some());
}

#[test]
fn types_of_another_engine_are_refused() {
    let (small, large) = engines();
    let theirs = FuncType::new(&large, [ValType::I64], []);
    let mut store = Store::new(&small, ());
    assert!(panics(|| Func::new(&mut store, theirs.clone(), |_, _, _| Ok(()))));
    let mut linker = Linker::<()>::new(&small);
    assert_foreign(linker.func_new("env", "f", theirs.clone(), |_, _, _| Ok(())).map(drop));

    let reference = RefType::new(true, HeapType::ConcreteFunc(theirs));
    let value = ValType::Ref(reference.clone());
    assert!(panics(|| FuncType::new(&small, [value.clone()], [])));
    assert!(panics(|| FuncType::new(&small, [], [value.clone()])));
    let ty = TableType::new(reference, 1, None);
    assert_foreign(Table::new(&mut store, ty, Ref::Func(None)));
    let ty = GlobalType::new(value, Mutability::Var);
    assert_foreign(Global::new(&mut store, ty, Val::FuncRef(None)));
}
