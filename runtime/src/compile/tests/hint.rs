//! Branch hints: what is unlikely is cold, and nothing else is.

use super::*;

/// The calls of `$f` in the cold blocks of a body, by the constants that are passed.
fn cold_calls(body: &str) -> Vec<String> {
    let clif = clif_of(&format!("(module (func (param i32) {body}) (func $f (param i32)))"));
    let mut cold = false;
    let mut calls = Vec::new();
    for line in clif.lines().map(str::trim_start) {
        if line.starts_with("block") {
            cold = line.ends_with(" cold:");
        }
        if cold && line.contains("call fn") {
            // The comment behind the call: `; v2 = 1`.
            calls.extend(line.rsplit(" = ").next().map(str::to_owned));
        }
    }
    calls
}

const LIKELY: &str = r#"(@metadata.code.branch_hint "\01")"#;
const UNLIKELY: &str = r#"(@metadata.code.branch_hint "\00")"#;

fn call(n: u32) -> String {
    format!("(call $f (i32.const {n}))")
}

#[test]
fn an_unlikely_half_of_an_if_is_cold() {
    let (one, two, three) = (call(1), call(2), call(3));
    let halves = format!("(if (local.get 0) (then {one}) (else {two})) {three}");
    assert_eq!(cold_calls(&format!("{LIKELY} {halves}")), ["2"]);
    assert_eq!(cold_calls(&format!("{UNLIKELY} {halves}")), ["1"]);
    assert!(cold_calls(&halves).is_empty());
}

#[test]
fn what_only_an_unlikely_branch_leads_to_is_cold() {
    let (one, two) = (call(1), call(2));
    let branch = "(br_if $b (local.get 0))";
    let only = format!("(block $b {UNLIKELY} {branch} {one} (return)) {two}");
    assert_eq!(cold_calls(&only), ["2"]);
    let not_only = format!("(block $b {UNLIKELY} {branch} {one}) {two}");
    assert!(cold_calls(&not_only).is_empty());
    let two_branches = format!("(block $b {UNLIKELY} {branch} {branch} {one} (return)) {two}");
    assert!(cold_calls(&two_branches).is_empty());
}

#[test]
fn what_follows_a_likely_branch_is_cold_to_the_end_of_its_block() {
    let (one, two, three) = (call(1), call(2), call(3));
    let nested = format!("(block $c (br_if $c (local.get 0)) {one}) (loop {two})");
    let code = format!("(block $b {LIKELY} (br_if $b (local.get 0)) {nested}) {three}");
    assert_eq!(cold_calls(&code), ["1", "2"]);
}

#[test]
fn a_hint_for_another_operator_has_no_effect() {
    let code = format!("{UNLIKELY} (block $b (br_if $b (local.get 0)) {})", call(1));
    assert!(wat::parse_str(format!("(module (func (param i32) {code}))")).is_err());
    // The text format has no such hints; this one stands at `local.get`.
    let wasm = bytes(&format!(
        "(module (func (param i32) (block $b {LIKELY} (br_if $b (local.get 0)) {}))
            (func $f (param i32)))",
        call(1)
    ));
    let mut decoded = decode(&wasm, FEATURES).unwrap();
    let hints = decoded.info.branch_hints.values_mut().next().unwrap();
    hints[0].offset -= 2;
    let text = clif(&*isa(), &tunables(), decoded, DefinedFuncIndex(0)).unwrap();
    assert!(!text.contains("cold"), "{text}");
}
