//! Fuel: guests stop when it is used up, always at the same place, and the embedder sees how much is
//! left.

use hostref::{
    Caller, Config, Engine, Func, Instance, Module, Result, Store, Trap, TypedFunc, WasmParams,
};

fn engine() -> Engine {
    Engine::new(Config::new().consume_fuel(true)).unwrap()
}

/// The export `f` of `wat`, in a store with `fuel`.
fn guest<P: WasmParams>(fuel: u64, wat: &str) -> (Store<()>, TypedFunc<P, ()>) {
    let engine = engine();
    let module = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    store.set_fuel(fuel).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let func = instance.get_typed_func(&mut store, "f").unwrap();
    (store, func)
}

fn is_out_of_fuel(result: Result<()>) -> bool {
    result.is_err_and(|error| error.downcast_ref() == Some(&Trap::OutOfFuel))
}

/// Counts its parameter down to zero.
const COUNT_DOWN: &str = r#"(module (func (export "f") (param i32)
    (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#;

#[test]
fn what_a_guest_consumes_depends_on_its_path_alone() {
    let consumed = |turns: i32| {
        let (mut store, f) = guest::<i32>(1_000_000, COUNT_DOWN);
        f.call(&mut store, turns).unwrap();
        1_000_000 - store.get_fuel().unwrap()
    };
    // Each turn: the loop's head, two operands, subtraction, tee, branch.
    assert_eq!(consumed(11) - consumed(10), 6);
    assert_eq!(consumed(1000), consumed(1000));
    let (mut store, f) = guest::<i32>(consumed(1000), COUNT_DOWN);
    f.call(&mut store, 1000).unwrap();
    assert_eq!(store.get_fuel().unwrap(), 0);
}

#[test]
fn loops_recursion_and_calls_without_fuel_stop() {
    for body in [
        r#"(func (export "f") (loop (br 0)))"#,
        r#"(func $f (export "f") (call $f))"#,
        r#"(func $f (export "f") (return_call $f))"#,
        r#"(func $f (export "f") (loop $l (call $g) (br $l))) (func $g)"#,
    ] {
        let (mut store, f) = guest::<()>(1000, &format!("(module {body})"));
        assert!(is_out_of_fuel(f.call(&mut store, ())), "{body}");
        assert_eq!(store.get_fuel().unwrap(), 0, "{body}");
    }
    let (mut store, f) = guest::<()>(0, r#"(module (func (export "f")))"#);
    assert!(is_out_of_fuel(f.call(&mut store, ())), "a store begins with none");
}

#[test]
fn bulk_operations_cost_what_they_do() {
    let wat = r#"(module (memory 16) (func (export "f") (param i32)
        (memory.fill (i32.const 0) (i32.const 7) (local.get 0))))"#;
    let consumed = |len: i32| {
        let (mut store, f) = guest::<i32>(1_000_000, wat);
        f.call(&mut store, len).unwrap();
        1_000_000 - store.get_fuel().unwrap()
    };
    assert_eq!(consumed(1 << 20) - consumed(0), (1 << 20) / 16);
    let (mut store, f) = guest::<i32>(1000, wat);
    assert!(is_out_of_fuel(f.call(&mut store, 1 << 20)));
}

#[test]
fn bulk_operations_outside_trap_and_cost_nothing() {
    let far = "(i64.const 0x7fff_ffff_ffff_ffff)";
    for operation in [
        format!("(memory.fill (i64.const 0) (i32.const 7) {far})"),
        format!("(memory.copy (i64.const 0) (i64.const 0) {far})"),
        "(memory.init 0 (i64.const 0) (i32.const 0) (i32.const -1))".to_owned(),
        format!("(table.fill (i64.const 0) (ref.null extern) {far})"),
        format!("(table.copy (i64.const 0) (i64.const 0) {far})"),
        "(table.init 0 (i64.const 0) (i32.const 0) (i32.const -1))".to_owned(),
    ] {
        let wat = format!(
            r#"(module (memory i64 1) (table i64 1 externref) (data "") (elem externref)
                (func (export "f") {operation}))"#
        );
        let (mut store, f) = guest::<()>(1_000, &wat);
        let error = f.call(&mut store, ()).unwrap_err();
        let trap = error.downcast_ref::<Trap>();
        let outside = [Trap::MemoryOutOfBounds, Trap::TableOutOfBounds];
        assert!(trap.is_some_and(|trap| outside.contains(trap)), "{operation}: {error:#}");
        assert!(store.get_fuel().unwrap() > 900, "{operation}");
    }
}

#[test]
fn a_guest_goes_on_when_it_gets_more() {
    let (mut store, f) = guest::<i32>(100, COUNT_DOWN);
    assert!(is_out_of_fuel(f.call(&mut store, 1000)));
    store.set_fuel(100_000).unwrap();
    f.call(&mut store, 1000).unwrap();
    store.set_fuel(u64::MAX).unwrap();
    assert_eq!(store.get_fuel().unwrap(), u64::MAX);
    f.call(&mut store, 10).unwrap();
    assert!(store.get_fuel().unwrap() < u64::MAX);
}

#[test]
fn host_functions_see_and_refill_the_fuel() -> Result<()> {
    let engine = engine();
    let mut store = Store::new(&engine, Vec::new());
    let refill = Func::wrap(&mut store, |mut caller: Caller<'_, Vec<u64>>| -> Result<()> {
        let left = caller.get_fuel()?;
        caller.data_mut().push(left);
        caller.set_fuel(50)
    });
    let module = Module::new(
        &engine,
        r#"(module (import "" "refill" (func $refill)) (func (export "f") (param i32)
            (loop (call $refill)
                (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#,
    )?;
    store.set_fuel(50)?;
    let instance = Instance::new(&mut store, &module, &[refill.into()])?;
    instance.get_typed_func::<i32, ()>(&mut store, "f")?.call(&mut store, 100)?;
    assert_eq!(store.data().len(), 100);
    assert!(store.data().iter().all(|left| (40..50).contains(left)));
    Ok(())
}

#[test]
fn an_engine_that_does_not_count_says_so() {
    let mut store = Store::new(&Engine::default(), ());
    for error in [store.set_fuel(1).unwrap_err(), store.get_fuel().unwrap_err()] {
        assert!(error.to_string().contains("Config::consume_fuel"), "{error}");
    }
}
