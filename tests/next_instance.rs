//! Instances of one module, one after the other and at the same time: what one has left behind is not
//! there for the next, whichever store it is in. The module has so many functions in its table that the
//! place of an instance is used again.

mod support;

use hostref::{
    Caller, Engine, Func, Instance, Linker, Module, Ref, RefType, Result, Store, Table, TableType,
    Trap, Val,
};
use support::{Mode, both_modes};

/// How many functions the module defines that are of no use but in the table.
const FUNCTIONS: u32 = 400;

both_modes! {
    functions_are_those_of_the_store,
    tables_globals_and_tags_begin_as_declared,
    instances_at_the_same_time_are_apart,
    instances_that_fail_leave_nothing,
    the_collector_knows_of_what_the_next_instance_writes,
}

/// Imports `number`, which is element 0 of the table; element `n` is a function that returns `n`.
fn module(engine: &Engine, more: &str) -> Result<Module> {
    let functions: String =
        (1..=FUNCTIONS).map(|n| format!("(func $f{n} (result i32) (i32.const {n}))\n")).collect();
    let names: String = (1..=FUNCTIONS).map(|n| format!(" $f{n}")).collect();
    let wat = format!(
        r#"(module
            (type $number (func (result i32)))
            (import "host" "number" (func $number (type $number)))
            {more}
            (table $table (export "table") 500 funcref)
            (elem (table $table) (i32.const 0) func $number {names})
            {functions}
            (global $count (export "count") (mut i64) (i64.const 5))
            (tag $tag (export "tag") (param i32))
            (func (export "number") (result i32) (call $number))
            (func (export "element") (param i32) (result i32)
                (call_indirect $table (type $number) (local.get 0)))
            (func (export "caught") (param i32) (result i32)
                (block (result i32)
                    (try_table (catch $tag 0) (throw $tag (local.get 0)))
                    (unreachable)))
            (func (export "self") (result funcref) (ref.func $number)))"#
    );
    Module::new(engine, wat)
}

fn linker(engine: &Engine) -> Result<Linker<i32>> {
    let mut linker = Linker::new(engine);
    linker.func_wrap("host", "number", |cx: Caller<'_, i32>| *cx.data())?;
    Ok(linker)
}

/// Checks that an instance is as its module says, in a store with `data`.
fn check(store: &mut Store<i32>, instance: Instance) -> Result<()> {
    let data = *store.data();
    assert_eq!(
        instance.get_typed_func::<(), i32>(&mut *store, "number")?.call(&mut *store, ())?,
        data
    );
    let element = instance.get_typed_func::<u32, i32>(&mut *store, "element")?;
    assert_eq!(element.call(&mut *store, 0)?, data);
    for n in [1, 2, FUNCTIONS / 2, FUNCTIONS] {
        assert_eq!(element.call(&mut *store, n)?, n as i32);
    }
    let beyond = element.call(&mut *store, FUNCTIONS + 1).unwrap_err();
    assert_eq!(beyond.downcast::<Trap>()?, Trap::IndirectCallToNull);
    let count = instance.get_global(&mut *store, "count").unwrap();
    assert_eq!(count.get(&mut *store).i64(), Some(5));
    let caught = instance.get_typed_func::<i32, i32>(&mut *store, "caught")?;
    assert_eq!(caught.call(&mut *store, 77)?, 77);
    let own = instance.get_typed_func::<(), Option<Func>>(&mut *store, "self")?;
    let own = own.call(&mut *store, ())?.expect("not null");
    assert_eq!(own.typed::<(), i32>(&*store)?.call(&mut *store, ())?, data);
    Ok(())
}

/// Changes whatever of an instance can be changed.
fn spoil(store: &mut Store<i32>, instance: Instance) -> Result<()> {
    let count = instance.get_global(&mut *store, "count").unwrap();
    count.set(&mut *store, Val::I64(-1))?;
    let table = instance.get_table(&mut *store, "table").unwrap();
    let last = table.get(&mut *store, FUNCTIONS.into()).unwrap();
    table.fill(&mut *store, 0, last, 500)?;
    table.grow(&mut *store, 1000, Ref::Func(None))?;
    Ok(())
}

fn functions_are_those_of_the_store(mode: Mode) -> Result<()> {
    let engine = mode.engine();
    let module = module(&engine, "")?;
    let pre = linker(&engine)?.instantiate_pre(&module)?;
    for data in 0..5 {
        let mut store = Store::new(&engine, data);
        let instance = pre.instantiate(&mut store)?;
        check(&mut store, instance)?;
        // Another one in the same store, whose function is that of the first.
        let number = instance.get_func(&mut store, "number").unwrap();
        let other = Instance::new(&mut store, &module, &[number.into()])?;
        check(&mut store, other)?;
    }
    Ok(())
}

fn tables_globals_and_tags_begin_as_declared(mode: Mode) -> Result<()> {
    let engine = mode.engine();
    let module = module(&engine, "")?;
    let pre = linker(&engine)?.instantiate_pre(&module)?;
    for data in 0..5 {
        let mut store = Store::new(&engine, data);
        // Tags, and the instances themselves, have other places in each store.
        for _ in 0..=data {
            let instance = pre.instantiate(&mut store)?;
            check(&mut store, instance)?;
            spoil(&mut store, instance)?;
        }
    }
    Ok(())
}

fn instances_at_the_same_time_are_apart(mode: Mode) -> Result<()> {
    let engine = mode.engine();
    let pre = linker(&engine)?.instantiate_pre(&module(&engine, "")?)?;
    std::thread::scope(|scope| {
        let threads = (0..4).map(|thread| {
            let (engine, pre) = (&engine, &pre);
            scope.spawn(move || -> Result<()> {
                let mut stores = Vec::new();
                for round in 0..30 {
                    let mut store = Store::new(engine, thread * 100 + round);
                    let instance = pre.instantiate(&mut store)?;
                    stores.push((store, instance));
                    if round % 3 == 2 {
                        let (mut store, instance) =
                            stores.swap_remove(round as usize % stores.len());
                        spoil(&mut store, instance)?;
                    }
                }
                stores.iter_mut().try_for_each(|(store, instance)| check(store, *instance))
            })
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no thread panics"))
    })
}

/// Before the functions of the instance are known, and after.
fn instances_that_fail_leave_nothing(mode: Mode) -> Result<()> {
    let engine = Engine::new(mode.config().table_limit(600))?;
    let others = r#"(import "host" "table" (table $other 0 funcref))
        (elem (table $other) (i32.const 1) func $number $f1)"#;
    let module = [module(&engine, others)?, module(&engine, "(table 601 funcref)")?];
    let linker = linker(&engine)?;
    for data in 0..6 {
        let mut store = Store::new(&engine, data);
        let number = linker.get(&mut store, "host", "number").expect("defined");
        for size in [2, 3, 2] {
            let ty = TableType::new(RefType::FUNCREF, size, None);
            let table = Table::new(&mut store, ty, Ref::Func(None))?;
            let imports = [number.clone(), table.into()];
            match Instance::new(&mut store, &module[0], &imports) {
                Ok(instance) if size == 3 => check(&mut store, instance)?,
                Err(error) if size == 2 => {
                    assert_eq!(error.downcast::<Trap>()?, Trap::TableOutOfBounds);
                }
                outcome => panic!("{size}: {outcome:?}"),
            }
            assert_eq!(table.get(&mut store, 1).unwrap().unwrap_func().is_some(), size == 3);
            let error = Instance::new(&mut store, &module[1], &imports[..1]).unwrap_err();
            assert!(error.to_string().contains("exceeds the limit of 600 elements"), "{error}");
        }
    }
    Ok(())
}

/// The global of each instance holds a young object, of which the collector knows, when its store goes.
fn the_collector_knows_of_what_the_next_instance_writes(mode: Mode) -> Result<()> {
    let engine = mode.engine();
    let more = r#"(type $box (struct (field i32)))
        (global $any (export "any") (mut anyref) (ref.null any))
        (func (export "set") (param i32) (global.set $any (struct.new $box (local.get 0))))
        (func (export "get") (result i32)
            (struct.get $box 0 (ref.cast (ref $box) (global.get $any))))
        (func (export "garbage") (param i32) (loop (drop (struct.new $box (i32.const -1)))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))"#;
    let pre = linker(&engine)?.instantiate_pre(&module(&engine, more)?)?;
    for data in 0..4 {
        let mut store = Store::new(&engine, data);
        let instance = pre.instantiate(&mut store)?;
        let any = instance.get_global(&mut store, "any").unwrap();
        assert!(any.get(&mut store).unwrap_anyref().is_none());
        let set = instance.get_typed_func::<i32, ()>(&mut store, "set")?;
        let get = instance.get_typed_func::<(), i32>(&mut store, "get")?;
        let garbage = instance.get_typed_func::<i32, ()>(&mut store, "garbage")?;
        set.call(&mut store, data)?;
        while store.gc_stats().minor_collections == 0 {
            garbage.call(&mut store, 10_000)?;
        }
        assert_eq!(get.call(&mut store, ())?, data);
        set.call(&mut store, data + 100)?;
    }
    Ok(())
}
