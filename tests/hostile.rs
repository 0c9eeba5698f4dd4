//! Hostile guests: valid modules that are extreme in size, depth or greed get an error or run, and
//! never bring the process down.

use hostref::{Config, Engine, Func, Instance, Module, Result, Store, Trap, Val};

fn run(engine: &Engine, wat: &str) -> Result<i32> {
    let module = Module::new(engine, wat)?;
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    instance.get_typed_func::<(), i32>(&mut store, "f")?.call(&mut store, ())
}

fn body(body: &str) -> String {
    format!("(module (func $f (export \"f\") (result i32) {body}))")
}

#[test]
fn deep_nesting_compiles_on_any_thread() {
    let engine = Engine::default();
    let deep = |open: &str, inner: &str, close: &str, depth: usize| {
        body(&format!("{}{inner}{}", open.repeat(depth), close.repeat(depth)))
    };
    let depth = 20_000;
    let cases = [
        (deep("block (result i32) ", "i32.const 5 ", "end ", depth), 5),
        (deep("loop (result i32) ", "i32.const 6 ", "end ", depth), 6),
        (deep("i32.const 1 if (result i32) ", "i32.const 7 ", "else i32.const 0 end ", depth), 7),
        (deep("i32.const 1 ", "i32.const 0 ", "i32.add ", depth), depth as i32),
        (body(&format!("i32.const 0 {}", "i32.const 3 i32.xor i32.eqz ".repeat(depth))), 0),
    ];
    for (wat, expected) in cases {
        assert_eq!(run(&engine, &wat).unwrap(), expected);
    }
}

#[test]
fn branches_to_many_labels_compile() {
    let engine = Engine::default();
    let labels: String = (0..2_000).map(|label| format!("{label} ")).collect();
    let wat = body(&format!(
        "{} i32.const 1999 br_table {labels} {} i32.const 9",
        "block ".repeat(2_000),
        "end ".repeat(2_000)
    ));
    assert_eq!(run(&engine, &wat).unwrap(), 9);
}

#[test]
fn a_function_with_a_frame_larger_than_the_stack_traps() {
    let engine = Engine::default();
    // The values are live across the call, so all of them have a place in the frame.
    let count = 900;
    let locals = "(local i64)".repeat(count);
    let sets: String =
        (1..=count).map(|i| format!("(local.set {i} (i64.load (i32.const {})))", i * 8)).collect();
    let sum: String = (1..=count).map(|i| format!("(i64.add (local.get {i}))")).collect();
    let wat = format!(
        r#"(module (memory 1)
            (func $f (param i32) (result i64) {locals} {sets}
                (call $f (i32.add (local.get 0) (i32.const 1))) {sum})
            (func (export "f") (result i32) (i32.wrap_i64 (call $f (i32.const 0)))))"#
    );
    for _ in 0..2 {
        let error = run(&engine, &wat).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Trap::StackOverflow));
    }
    let engine = Engine::new(Config::new().max_wasm_stack(4 << 10)).unwrap();
    let error = run(&engine, &wat).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Trap::StackOverflow));
}

#[test]
fn a_thousand_parameters_and_results_travel() {
    let engine = Engine::default();
    let count = 1_000;
    let types = "i64 ".repeat(count);
    let gets: String = (0..count).rev().map(|i| format!("(local.get {i})")).collect();
    let wat = format!(
        r#"(module
            (import "" "same" (func $same (param {types}) (result {types})))
            (func (export "reverse") (param {types}) (result {types}) {gets} (call $same)))"#
    );
    let module = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    let ty = module.imports().next().unwrap().ty();
    let same = Func::new(&mut store, ty.func().unwrap().clone(), |_, params, results| {
        results.copy_from_slice(params);
        Ok(())
    });
    let instance = Instance::new(&mut store, &module, &[same.into()]).unwrap();
    let reverse = instance.get_func(&mut store, "reverse").unwrap();
    let values: Vec<Val> = (0..count as i64).map(Val::I64).collect();
    let mut results = vec![Val::I32(0); count];
    reverse.call(&mut store, &values, &mut results).unwrap();
    let results: Vec<i64> = results.iter().map(Val::unwrap_i64).collect();
    assert_eq!(results, (0..count as i64).rev().collect::<Vec<_>>());
}
