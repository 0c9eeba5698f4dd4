//! Which calls are inlined. That it changes nothing but time is for the suite to show.

use super::*;
use crate::abi::code_map::InlinedCall;

fn with_inlining(wat: &str) -> Vec<CompiledFunction> {
    let tunables = Tunables { inline: true, ..tunables() };
    compile_with(&tunables, wat).unwrap_or_else(|error| panic!("{error:#}\n{wat}"))
}

/// The functions that the first function of a module calls, and those that are inlined in it.
fn calls(functions: &str) -> (Vec<u32>, Vec<u32>) {
    let module = format!("(module (memory 1) (table 1 funcref) (tag $e) {functions})");
    let function = with_inlining(&module).swap_remove(0);
    let called = |target: RelocTarget| match target {
        RelocTarget::Function(func) => Some(func.0),
        _ => None,
    };
    let called = targets(&function).into_iter().filter_map(called).collect();
    (called, function.inlined_calls.iter().map(|call| call.callee.0).collect())
}

#[test]
fn small_functions_are_inlined_and_what_they_call_too() {
    let both = calls(
        "(func (param i32) (result i32) (call 1 (local.get 0)))
         (func (param i32) (result i32) (i32.add (call 2 (local.get 0)) (i32.const 1)))
         (func (param i32) (result i32) (i32.load (local.get 0)))",
    );
    assert_eq!(both, (vec![], vec![1, 2]));
}

#[test]
fn functions_that_gain_nothing_or_need_a_frame_are_called() {
    let large = "(drop (i64.const 0x123456789abcdef))".repeat(5);
    for body in [
        "(loop (br_if 0 (local.get 0)))",
        "(return_call 0 (local.get 0))",
        "(block (try_table (catch_all 0)))",
        "(call 0 (i32.const 1)) (call 0 (i32.const 1)) (call 0 (i32.const 1))",
        &large,
    ] {
        let functions =
            format!("(func (param i32) (call 1 (local.get 0))) (func (param i32) {body})");
        assert_eq!(calls(&functions), (vec![1], vec![]), "{body}");
    }
}

#[test]
fn tail_calls_and_unlikely_calls_are_kept() {
    let leaf = "(func (param i32))";
    let tail = format!("(func (return_call 1 (i32.const 0))) {leaf}");
    assert_eq!(calls(&tail), (vec![1], vec![]));
    let unlikely = r#"(@metadata.code.branch_hint "\00") (if (local.get 0)
        (then (call 1 (i32.const 0))))"#;
    assert_eq!(calls(&format!("(func (param i32) {unlikely}) {leaf}")), (vec![1], vec![]));
}

#[test]
fn recursion_is_inlined_once() {
    let fib = "(func (param i32) (result i32)
        (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0)) (else
            (i32.add (call 0 (i32.sub (local.get 0) (i32.const 1)))
                     (call 0 (i32.sub (local.get 0) (i32.const 2)))))))";
    assert_eq!(calls(fib), (vec![0; 4], vec![0; 2]));
    let mutual = "(func (call 1)) (func (call 2)) (func (call 1))";
    assert_eq!(calls(mutual), (vec![1], vec![1, 2]));
}

#[test]
fn a_function_grows_in_proportion_to_its_size() {
    let leaf = "(func (param i32) (result i32) (i32.mul (local.get 0)
        (i32.load (i32.add (local.get 0) (i32.const 0x1234567)))))";
    let inlined = |count: usize| {
        let calls_of_leaf = "(drop (call 1 (i32.const 0)))".repeat(count);
        calls(&format!("(func {calls_of_leaf}) {leaf}")).1.len()
    };
    assert_eq!(inlined(4), 4);
    assert!(inlined(1000) < 1000);
    assert!(inlined(2000).abs_diff(2 * inlined(1000)) < 10);
}

#[test]
fn an_invalid_function_is_not_inlined_before_it_is_refused() {
    let module = "(module (func (result i32) (call 1)) (func (result i32) (i64.const 1)))";
    let tunables = Tunables { inline: true, parallel: false, ..tunables() };
    let error = compile_with(&tunables, module).unwrap_err().to_string();
    let start = decode(&bytes(module), FEATURES).unwrap().info.bodies[1].start;
    let offset = error.split("0x").nth(1).and_then(|rest| rest.split(')').next()).unwrap();
    assert!(usize::from_str_radix(offset, 16).unwrap() > start, "{error}");
}

#[test]
fn a_throw_in_an_inlined_function_is_a_branch_to_the_handler() {
    let functions = "(func (block $caught (try_table (catch $e $caught) (call 1))))
        (func (throw $e))";
    let function = with_inlining(&format!("(module (tag $e) {functions})")).swap_remove(0);
    assert_eq!(targets(&function), []);
    assert_eq!(function.call_sites, []);
}

#[test]
fn a_known_reference_is_called_directly() {
    let functions = "(type $t (func (param i32)))
        (func (type $t) (call_ref $t (local.get 0) (ref.func 1)))
        (func (type $t) (loop (br_if 0 (local.get 0)))) (elem declare func 1)";
    assert_eq!(calls(functions), (vec![1], vec![]));
}

#[test]
fn code_tells_which_inlined_call_it_belongs_to() {
    let module = "(module (memory 1)
        (func (param i32) (result i32) (i32.add (call 1 (local.get 0)) (i32.load (local.get 0))))
        (func (param i32) (result i32) (i32.div_u (i32.const 1) (call 2 (local.get 0))))
        (func (param i32) (result i32) (i32.load offset=4 (local.get 0))))";
    let bodies = decode(&bytes(module), FEATURES).unwrap().info.bodies;
    let function = with_inlining(module).swap_remove(0);
    let [outer, inner] = function.inlined_calls[..] else { panic!("two calls are inlined") };
    assert_eq!((outer.callee.0, outer.within), (1, None));
    assert_eq!((inner.callee.0, inner.within), (2, Some(0)));
    assert!(bodies[0].contains(&(outer.source as usize)));
    assert!(bodies[1].contains(&(inner.source as usize)));
    let at = |offset: u32| {
        let last = function.inlined.iter().take_while(|entry| entry.0 <= offset).last();
        last.and_then(|entry| entry.1).map(|call| function.inlined_calls[call as usize])
    };
    let source = |offset: u32| {
        function.source.iter().take_while(|entry| entry.0 <= offset).last().unwrap().1 as usize
    };
    // One load of each of two bodies, and the division.
    let traps = |wanted: Trap, callee: Option<InlinedCall>, body: usize| {
        let is_there = |(offset, code): &(u32, u8)| {
            *code == wanted.code()
                && at(*offset) == callee
                && bodies[body].contains(&source(*offset))
        };
        assert!(function.traps.iter().any(is_there), "{wanted:?} in function {body}");
    };
    traps(Trap::MemoryOutOfBounds, None, 0);
    traps(Trap::IntegerDivisionByZero, Some(outer), 1);
    traps(Trap::MemoryOutOfBounds, Some(inner), 2);
}
