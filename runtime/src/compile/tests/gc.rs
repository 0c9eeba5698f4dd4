//! Objects: how few loads and comparisons their operators are.

use super::*;
use crate::abi::builtins::Builtin;

fn count(clif: &str, part: &str) -> usize {
    clif.lines().filter(|line| line.contains(part)).count()
}

#[test]
fn an_array_access_compares_once() {
    for operator in [
        "(drop (array.get $a (local.get 0) (local.get 1)))",
        "(array.set $a (local.get 0) (local.get 1) (i32.const 7))",
    ] {
        let clif = clif_of(&format!(
            "(module (type $a (array (mut i32))) (func (param (ref null $a) i32) {operator}))"
        ));
        assert_eq!(count(&clif, "icmp"), 1, "{clif}");
        assert_eq!(count(&clif, "brif"), 1, "{clif}");
        assert_eq!(count(&clif, "+12"), 1, "{clif}");
    }
}

#[test]
fn null_is_tested_only_where_it_would_not_fault() {
    let clif = |field: usize| {
        clif_of(&format!(
            "(module (type $s (struct {}))
                (func (param (ref null $s)) (result i64) (struct.get $s {field} (local.get 0))))",
            "(field i64)".repeat(9000),
        ))
    };
    let null = format!("user{}", Trap::NullReference.code());
    // 8 bytes from the beginning, and the last ones in the guard.
    for field in [0, (64 << 10) / 8 - 2] {
        let clif = clif(field);
        assert_eq!((count(&clif, "brif"), count(&clif, &null)), (0, 1), "{clif}");
    }
    let clif = clif((64 << 10) / 8 - 1);
    assert_eq!(count(&clif, "brif"), 1, "{clif}");
}

#[test]
fn a_cast_to_a_final_type_is_one_comparison() {
    let clif = |target: &str| {
        clif_of(&format!(
            "(module (type $open (sub (struct))) (type $t (sub $open (struct)))
                (type $final (struct))
                (func (param structref) (drop (ref.cast (ref {target}) (local.get 0)))))"
        ))
    };
    let closed = clif("$final");
    assert_eq!((count(&closed, "icmp"), count(&closed, "ishl")), (1, 0), "{closed}");
    let open = clif("$t");
    assert_eq!((count(&open, "icmp"), count(&open, "ishl")), (1, 1), "{open}");
    for kind in ["struct", "array"] {
        let kind = clif(kind);
        assert_eq!((count(&kind, "icmp"), count(&kind, "ishl")), (1, 1), "{kind}");
    }
}

#[test]
fn only_deep_types_are_tested_by_a_builtin() {
    let calls = |depth: usize| {
        let chain: String =
            (1..=depth).map(|n| format!("(type $t{n} (sub $t{} (struct)))", n - 1)).collect();
        let functions = compile(&format!(
            "(module (type $t0 (sub (struct))) {chain}
                (func (param anyref) (result i32) (ref.test (ref $t{depth}) (local.get 0))))"
        ));
        targets(&functions[0]).contains(&RelocTarget::Builtin(Builtin::IsSubtype))
    };
    assert!(!calls(10));
    assert!(calls(11));
}

#[test]
fn young_objects_are_filled_in_without_a_barrier() {
    let targets = |body: &str| {
        let functions = compile(&format!(
            "(module (type $s (struct (field (mut anyref)) (field (mut i31ref))))
                (type $a (array (mut anyref)))
                (func (param (ref $s) anyref i31ref) {body}))"
        ));
        targets(&functions[0])
    };
    let barrier = RelocTarget::Builtin(Builtin::RememberSlot);
    for young in [
        "(drop (struct.new $s (local.get 1) (local.get 2)))",
        "(drop (array.new_fixed $a 2 (local.get 1) (local.get 1)))",
        "(drop (array.new $a (local.get 1) (i32.const 20)))",
        "(struct.set $s 1 (local.get 0) (local.get 2))",
        "(struct.set $s 0 (local.get 0) (ref.null none))",
    ] {
        assert!(!targets(young).contains(&barrier), "{young}");
    }
    assert!(targets("(struct.set $s 0 (local.get 0) (local.get 1))").contains(&barrier));
}
