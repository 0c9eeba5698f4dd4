//! Atomic operators, and what other accesses must not assume of a memory that threads share.

use super::*;

/// Faults at which the optimised function traps for an access outside its memory.
fn accesses(memory: &str, body: &str) -> usize {
    let functions = compile(&format!("(module (memory {memory}) (func (param i32) {body}))"));
    let out_of_bounds = Trap::MemoryOutOfBounds.code();
    functions[0].traps.iter().filter(|trap| trap.1 == out_of_bounds).count()
}

const LOAD: &str = "(drop (i32.load offset=8 (local.get 0)))";

#[test]
fn an_access_is_made_anew_after_every_atomic_operator() {
    assert_eq!(accesses("1 1 shared", &format!("{LOAD} {LOAD}")), 1);
    for (operator, own) in [
        ("(atomic.fence)", 0),
        ("(drop (i32.atomic.load (local.get 0)))", 1),
        ("(drop (i32.atomic.rmw8.add_u (local.get 0) (i32.const 1)))", 1),
        ("(drop (memory.atomic.notify (local.get 0) (i32.const 1)))", 0),
    ] {
        let body = format!("{LOAD} {operator} {LOAD}");
        for memory in ["1 1", "1 1 shared"] {
            assert_eq!(accesses(memory, &body), 2 + own, "{operator}");
        }
    }
}

#[test]
fn the_length_of_a_shared_memory_is_loaded_every_time() {
    let tunables = Tunables { reserve_memories: false, ..tunables() };
    let count = |memory: &str, body: &str| {
        let wat = format!("(module (memory {memory}) (func (param i32) {body}))");
        clif_with(&tunables, &wat).matches("atomic_load").count()
    };
    for (body, loads) in [(LOAD, 1), ("(drop (memory.size)) (drop (memory.size))", 2)] {
        assert_eq!(count("1 1", body), 0);
        assert_eq!(count("1 1 shared", body), loads);
    }
}

#[test]
fn the_definition_of_a_shared_memory_is_behind_a_pointer() {
    let clif = |memory: &str| {
        clif_of(&format!("(module (memory {memory}) (func (result i32) (i32.load (i32.const 0))))"))
    };
    let loads = |memory: &str| clif(memory).matches("= load.").count();
    assert_eq!(loads("1 1 shared"), loads("1 1") + 1);
}

#[test]
fn only_what_can_be_unaligned_is_checked() {
    let checks = |operator: &str| {
        let wat =
            format!("(module (memory 1) (func (param i32) (drop ({operator} (local.get 0)))))");
        clif_of(&wat).matches("brif").count()
    };
    assert_eq!(checks("i32.atomic.load8_u"), 0);
    for operator in ["i32.atomic.load16_u", "i64.atomic.load32_u offset=2", "i64.atomic.load"] {
        assert_eq!(checks(operator), 1, "{operator}");
    }
}
