//! Inlining changes nothing but time: what guests compute, where they trap, what backtraces show, what
//! is caught and what fuel is used is the same without it.

use hostref::{Config, Engine, Instance, Module, Result, Store, Trap, Val, WasmBacktrace};

/// What a call of an export shows to the embedder.
#[derive(Debug, PartialEq)]
struct Outcome {
    results: Option<Vec<String>>,
    error: Option<String>,
    /// Function indices and offsets.
    frames: Vec<(u32, Option<usize>)>,
    fuel: u64,
}

fn call(config: &Config, wat: &str, argument: i32) -> Outcome {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    // An engine without fuel refuses it.
    let _ = store.set_fuel(100_000);
    store.set_epoch_deadline(1);
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let run = instance.get_func(&mut store, "run").unwrap();
    let mut results = vec![Val::I32(0); run.ty(&store).results().len()];
    let outcome: Result<()> = run.call(&mut store, &[Val::I32(argument)], &mut results);
    let results = outcome.is_ok().then(|| results.iter().map(|val| format!("{val:?}")).collect());
    let backtrace = outcome.as_ref().err().and_then(|error| error.downcast_ref::<WasmBacktrace>());
    let frames = backtrace.map_or(&[][..], WasmBacktrace::frames);
    Outcome {
        results,
        error: outcome.as_ref().err().map(|error| error.root_cause().to_string()),
        frames: frames.iter().map(|frame| (frame.func_index(), frame.module_offset())).collect(),
        fuel: store.get_fuel().unwrap_or(0),
    }
}

/// Calls `run` with and without inlining, and under fuel, epochs, checked memories and a collection at
/// every safepoint.
fn same(wat: &str, arguments: &[i32]) -> Vec<Outcome> {
    let configure: [fn(&mut Config) -> &mut Config; 5] = [
        |config| config,
        |config| config.consume_fuel(true),
        |config| config.epoch_interruption(true),
        |config| config.memory_reservation(0),
        |config| config.gc_stress(true),
    ];
    let mut outcomes = Vec::new();
    for argument in arguments {
        for configure in configure {
            let mut config = Config::new();
            let inlined = call(configure(&mut config), wat, *argument);
            let called = call(config.compiler_inlining(false), wat, *argument);
            assert_eq!(inlined, called, "run({argument}) of {wat}");
            outcomes.push(inlined);
        }
    }
    outcomes
}

#[test]
fn recursion_computes_the_same() {
    let outcomes = same(
        r#"(module
            (func $fib (export "run") (param i32) (result i32)
                (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0)) (else
                    (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                             (call $fib (i32.sub (local.get 0) (i32.const 2))))))))"#,
        &[0, 1, 2, 3, 15],
    );
    assert_eq!(outcomes.last().unwrap().results, Some(vec!["I32(610)".to_owned()]));
}

#[test]
fn early_returns_locals_and_several_results_are_the_callees_own() {
    let outcomes = same(
        r#"(module
            (func $pair (param i32) (result i32 i32) (local i32)
                (local.set 1 (i32.add (local.get 1) (local.get 0)))
                (if (local.get 0) (then (return (local.get 1) (i32.const 7))))
                (local.get 1) (i32.const 8))
            (func $pick (param i32) (result i32)
                (br_if 0 (i32.const 5) (i32.eqz (local.get 0)))
                (drop) (i32.add (call $pair (local.get 0))))
            (func (export "run") (param i32) (result i32 i32) (local $turn i32) (local $sum i32)
                (loop $next
                    (local.set $sum (i32.add (local.get $sum) (call $pick (local.get $turn))))
                    (local.set $turn (i32.add (local.get $turn) (i32.const 1)))
                    (br_if $next (i32.lt_u (local.get $turn) (local.get 0))))
                (local.get $sum) (local.get $turn)))"#,
        &[1, 2, 9],
    );
    // 5, then 7 + turn for each of 1 to 8.
    let expected = vec!["I32(97)".to_owned(), "I32(9)".to_owned()];
    assert_eq!(outcomes.last().unwrap().results, Some(expected));
}

#[test]
fn traps_show_every_function_at_its_place() {
    let outcomes = same(
        r#"(module (memory 1)
            (func $divide (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
            (func $load (param i32) (result i32) (i32.load (local.get 0)))
            (func $never unreachable)
            (func $both (param i32) (result i32)
                (i32.add (call $load (local.get 0)) (call $divide (local.get 0))))
            (func (export "run") (param i32) (result i32)
                (if (i32.eq (local.get 0) (i32.const 3)) (then (call $never)))
                (i32.add (call $both (local.get 0)) (call $load (local.get 0)))))"#,
        &[0, -1, 3, 4],
    );
    let functions = |turn: usize| -> Vec<u32> {
        outcomes[turn * 5].frames.iter().map(|frame| frame.0).collect()
    };
    assert_eq!(
        [functions(0), functions(1), functions(2)],
        [vec![0, 3, 4], vec![1, 3, 4], vec![2, 4]]
    );
    let trap = Trap::IntegerDivisionByZero.to_string();
    assert_eq!(outcomes[0].error, Some(trap));
    assert!(outcomes.last().unwrap().results.is_some());
}

#[test]
fn a_call_out_of_inlined_code_shows_every_function() {
    let outcomes = same(
        r#"(module
            (type $f (func (param i32)))
            (table funcref (elem $trap))
            (func $trap (type $f) (loop (br_if 0 (i32.const 0))) unreachable)
            (func $indirect (param i32) (call_indirect (type $f) (local.get 0) (local.get 0)))
            (func $direct (param i32) (call $indirect (local.get 0)))
            (func (export "run") (param i32) (call $direct (local.get 0))))"#,
        &[0, 1],
    );
    let functions = |outcome: &Outcome| outcome.frames.iter().map(|frame| frame.0).collect();
    let [called, missing]: [Vec<u32>; 2] = [&outcomes[0], &outcomes[5]].map(functions);
    assert_eq!(called, [0, 1, 2, 3]);
    assert_eq!(missing, [1, 2, 3]);
}

#[test]
fn exceptions_of_inlined_functions_find_the_same_handlers() {
    let outcomes = same(
        r#"(module
            (tag $a (param i32)) (tag $b)
            (func $throw_a (param i32) (if (local.get 0) (then (throw $a (local.get 0)))))
            (func $throw_b (param i32)
                (if (i32.gt_s (local.get 0) (i32.const 1)) (then (throw $b))))
            (func $rethrow (param exnref) (throw_ref (local.get 0)))
            (func $deep (param i32)
                (loop (br_if 0 (i32.const 0)))
                (call $throw_b (local.get 0)) (call $throw_a (local.get 0)))
            (func $wrapped (param i32) (call $deep (local.get 0)))
            (func (export "run") (param i32) (result i32)
                (block $caught (result i32)
                    (block $other
                        (block $again (result exnref)
                            (try_table (catch_all_ref $again) (call $wrapped (local.get 0)))
                            (return (i32.const -1)))
                        (try_table (param exnref) (catch $a $caught) (catch $b $other)
                            (call $rethrow))
                        unreachable)
                    (i32.const 100))))"#,
        &[0, 1, 2],
    );
    let results: Vec<_> = outcomes.iter().step_by(5).map(|outcome| &outcome.results).collect();
    let expected = ["I32(-1)", "I32(1)", "I32(100)"].map(|val| Some(vec![val.to_owned()]));
    assert_eq!(results, expected.iter().collect::<Vec<_>>());
}

#[test]
fn references_in_inlined_functions_survive_collections() {
    let outcomes = same(
        r#"(module
            (type $node (struct (field i32) (field (ref null $node))))
            (func $cons (param i32 (ref null $node)) (result (ref $node))
                (struct.new $node (local.get 0) (local.get 1)))
            (func $head (param (ref $node)) (result i32) (struct.get $node 0 (local.get 0)))
            (func $three (param i32) (result (ref $node))
                (call $cons (local.get 0) (call $cons (i32.const 20) (ref.null $node))))
            (func (export "run") (param i32) (result i32) (local $kept (ref null $node))
                (local.set $kept (call $three (local.get 0)))
                (drop (call $three (i32.const 99)))
                (i32.add (call $head (ref.as_non_null (local.get $kept)))
                    (call $head (ref.as_non_null
                        (struct.get $node 1 (local.get $kept)))))))"#,
        &[1],
    );
    assert!(outcomes.iter().all(|outcome| outcome.results == Some(vec!["I32(21)".to_owned()])));
}

#[test]
fn endless_recursion_overflows_the_stack() {
    let wat = r#"(module (func $f (export "run") (param i32) (result i32)
        (i32.add (call $f (local.get 0)) (i32.const 1))))"#;
    for inline in [true, false] {
        let outcome = call(Config::new().compiler_inlining(inline), wat, 0);
        assert_eq!(outcome.error, Some(Trap::StackOverflow.to_string()));
        assert!(outcome.frames.len() >= 100 && outcome.frames.iter().all(|frame| frame.0 == 0));
    }
}
