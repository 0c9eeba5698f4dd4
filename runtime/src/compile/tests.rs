//! Small modules of every operator family through the whole of `compile`, with Cranelift's verifier
//! on. Nothing is executed here: that is for the suite above `vm`.

mod atomic;
mod exception;
mod gc;
mod hint;
mod inline;
mod placement;
mod simd;
mod snapshot;

use cranelift_codegen::isa::OwnedTargetIsa;
use wasmparser::WasmFeatures;

use super::*;
use crate::Trap;
use crate::abi::builtins::Builtin;
use crate::abi::signature::{LoweredSig, LoweredType};
use crate::wasm::decode::decode;

/// What the tests of this file decode.
const FEATURES: WasmFeatures =
    WasmFeatures::WASM3.union(WasmFeatures::CUSTOM_PAGE_SIZES).union(WasmFeatures::THREADS);

fn tunables() -> Tunables {
    Tunables { verify: true, inline: false, ..Tunables::default() }
}

fn isa() -> OwnedTargetIsa {
    host_isa(&tunables()).unwrap()
}

fn bytes(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).unwrap()
}

fn compile_with(tunables: &Tunables, wat: &str) -> Result<Vec<CompiledFunction>> {
    let wasm = bytes(wat);
    let decoded = decode(&wasm, FEATURES)?;
    compile_functions(&*isa(), tunables, &decoded.info, decoded.bodies)
}

fn compile(wat: &str) -> Vec<CompiledFunction> {
    compile_with(&tunables(), wat).unwrap_or_else(|error| panic!("{error:#}\n{wat}"))
}

fn error(wat: &str) -> String {
    compile_with(&tunables(), wat).expect_err("the module does not compile").to_string()
}

/// The CLIF of the first defined function.
fn clif_of(wat: &str) -> String {
    clif_with(&tunables(), wat)
}

fn clif_with(tunables: &Tunables, wat: &str) -> String {
    let wasm = bytes(wat);
    let decoded = decode(&wasm, FEATURES).unwrap();
    clif(&*isa(), tunables, decoded, DefinedFuncIndex(0)).unwrap()
}

fn targets(function: &CompiledFunction) -> Vec<RelocTarget> {
    function.relocs.iter().map(|reloc| reloc.target).collect()
}

/// A function for each operator in `operators`, all of type `params -> result`.
fn one_by_one(params: &str, result: &str, operators: &str) {
    let count = params.split_whitespace().count();
    let get: String = (0..count).map(|local| format!("(local.get {local}) ")).collect();
    let (param, result) = (clause("param", params), clause("result", result));
    let functions: String = operators
        .split_whitespace()
        .map(|operator| format!("(func {param} {result} {get} {operator})\n"))
        .collect();
    compile(&format!("(module (memory 1) {functions})"));
}

fn clause(keyword: &str, types: &str) -> String {
    if types.is_empty() { String::new() } else { format!("({keyword} {types})") }
}

#[test]
fn integer_operators_compile() {
    for ty in ["i32", "i64"] {
        let each = |names: &str| -> String {
            names.split_whitespace().map(|name| format!("{ty}.{name} ")).collect()
        };
        let both = format!("{ty} {ty}");
        one_by_one(ty, ty, &each("clz ctz popcnt extend8_s extend16_s"));
        one_by_one(ty, "i32", &each("eqz"));
        one_by_one(
            &both,
            ty,
            &each("add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr"),
        );
        one_by_one(&both, "i32", &each("eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u"));
    }
    one_by_one("i64", "i64", "i64.extend32_s");
}

#[test]
fn float_operators_compile() {
    for ty in ["f32", "f64"] {
        let each = |names: &str| -> String {
            names.split_whitespace().map(|name| format!("{ty}.{name} ")).collect()
        };
        let both = format!("{ty} {ty}");
        one_by_one(ty, ty, &each("abs neg ceil floor trunc nearest sqrt"));
        one_by_one(&both, ty, &each("add sub mul div min max copysign"));
        one_by_one(&both, "i32", &each("eq ne lt gt le ge"));
    }
}

#[test]
fn conversions_compile() {
    for to in ["i32", "i64"] {
        for from in ["f32", "f64"] {
            let all: String = ["trunc", "trunc_sat"]
                .iter()
                .flat_map(|name| ["s", "u"].map(|sign| format!("{to}.{name}_{from}_{sign} ")))
                .collect();
            one_by_one(from, to, &all);
            let all = ["s", "u"].map(|sign| format!("{from}.convert_{to}_{sign} ")).concat();
            one_by_one(to, from, &all);
        }
    }
    one_by_one("i64", "i32", "i32.wrap_i64");
    one_by_one("i32", "i64", "i64.extend_i32_s i64.extend_i32_u");
    one_by_one("f64", "f32", "f32.demote_f64");
    one_by_one("f32", "f64", "f64.promote_f32");
    one_by_one("f32", "i32", "i32.reinterpret_f32");
    one_by_one("f64", "i64", "i64.reinterpret_f64");
    one_by_one("i32", "f32", "f32.reinterpret_i32");
    one_by_one("i64", "f64", "f64.reinterpret_i64");
}

#[test]
fn memory_accesses_compile() {
    one_by_one("i32", "i32", "i32.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u");
    one_by_one(
        "i32",
        "i64",
        "i64.load i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u",
    );
    one_by_one("i32", "f32", "f32.load");
    one_by_one("i32", "f64", "f64.load");
    one_by_one("i32 i32", "", "i32.store i32.store8 i32.store16");
    one_by_one("i32 i64", "", "i64.store i64.store8 i64.store16 i64.store32");
    one_by_one("i32 f32", "", "f32.store");
    one_by_one("i32 f64", "", "f64.store");
    one_by_one("i32 i32 i32", "", "memory.copy memory.fill");
    one_by_one("i32", "i32", "memory.grow");
    one_by_one("", "i32", "memory.size");
}

#[test]
fn an_access_traps_even_if_its_result_is_dropped() {
    let functions = compile(
        "(module (memory 1) (memory $other 1) (func (param i32)
            (drop (i32.load offset=4294967295 (local.get 0)))
            (drop (i64.load $other offset=2147483648 (local.get 0)))))",
    );
    let out_of_bounds = Trap::MemoryOutOfBounds.code();
    let traps = functions[0].traps.iter().filter(|trap| trap.1 == out_of_bounds);
    assert_eq!(traps.count(), 2);
}

#[test]
fn bulk_operators_call_their_builtin() {
    let functions = compile(
        r#"(module (memory 1) (data $d "abc") (table $t 1 funcref) (elem $e func 0)
            (table $x 1 externref) (global $g (mut externref) (ref.null extern))
            (func (param i32)
                (memory.init $d (local.get 0) (local.get 0) (local.get 0))
                (data.drop $d)
                (table.init $t $e (local.get 0) (local.get 0) (local.get 0))
                (elem.drop $e)
                (table.copy $t $t (local.get 0) (local.get 0) (local.get 0))
                (table.fill $t (local.get 0) (ref.func 0) (local.get 0))
                (table.fill $x (local.get 0) (global.get $g) (local.get 0))
                (drop (table.grow $t (ref.null func) (local.get 0)))
                (drop (table.grow $x (ref.null extern) (table.size $x)))))"#,
    );
    let expected = [
        Builtin::MemoryInit,
        Builtin::DataDrop,
        Builtin::TableInit,
        Builtin::ElemDrop,
        Builtin::TableGrowFunc,
        Builtin::TableGrowGc,
        // In cold code.
        Builtin::TableCopy,
        Builtin::TableFillFunc,
        Builtin::TableFillGc,
    ];
    let builtin = |target: &RelocTarget| matches!(target, RelocTarget::Builtin(_));
    let (builtins, direct): (Vec<_>, Vec<_>) =
        targets(&functions[0]).into_iter().partition(builtin);
    assert_eq!(builtins, expected.map(RelocTarget::Builtin));
    let [copy, RelocTarget::Fill, RelocTarget::Fill] = direct.as_slice() else {
        panic!("{direct:?}")
    };
    assert!(matches!(copy, RelocTarget::LibCall(_)));
}

#[test]
fn division_by_a_harmless_constant_has_no_check() {
    let functions = compile(
        "(module
            (func (param i32) (result i32) (i32.div_s (local.get 0) (i32.const 10)))
            (func (param i64) (result i64) (i64.rem_u (local.get 0) (i64.const 7)))
            (func (param i32) (result i32) (i32.div_s (local.get 0) (i32.const -1)))
            (func (param i32) (result i32) (i32.rem_s (local.get 0) (i32.const -1))))",
    );
    let raises = |at: usize| targets(&functions[at]).len();
    assert_eq!([raises(0), raises(1), raises(2), raises(3)], [0, 0, 1, 0]);
}

#[test]
fn blocks_with_parameters_and_results_compile() {
    compile(
        "(module
            (func $if_without_else (param i32 i32) (result i32)
                (local.get 0) (if (param i32) (result i32) (local.get 1) (then (i32.const 1) i32.add)))
            (func $if_else (param i32) (result i32 i64)
                (i32.const 7) (local.get 0)
                (if (param i32) (result i32 i64)
                    (then (i64.const 1)) (else (drop) (i32.const 3) (i64.const 2))))
            (func $loop (param i32) (result i32)
                (i32.const 0) (i64.const 1)
                (loop $l (param i32 i64) (result i32)
                    (drop) (i32.const 1) i32.add (i64.const 2)
                    (br_if $l (local.get 0)) (drop)))
            (func $dead (result i32)
                (block $b (result i32)
                    (br $b (i32.const 1)) (unreachable)
                    (block (loop (if (i32.const 1) (then) (else (nop))))) (drop)))
            (func $dead_arms (param i32) (result i32)
                (if (local.get 0) (then (return (i32.const 1))) (else (unreachable))) (i32.const 2))
            (func $dead_if (param i32) (result i32)
                (return (i32.const 0)) (if (result i32) (local.get 0) (then (i32.const 1)) (else (i32.const 2)))))",
    );
}

#[test]
fn branch_tables_compile() {
    compile(
        "(module
            (func (param i32) (result i32)
                (block $a (block $b (block $c (br_table $a $b $c $b $a (local.get 0)))
                    (return (i32.const 1))) (return (i32.const 2))) (i32.const 3))
            (func (param i32) (result i32 f64)
                (block $a (result i32 f64)
                    (loop $l (result i32 f64)
                        (block $b (result i32 f64)
                            (i32.const 1) (f64.const 2)
                            (br_table $a $b $a 3 $b (local.get 0))))))
            (func (param i32) (loop $l (br_table $l $l (local.get 0))))
            (func (param i32) (result i32) (br_table 0 (i32.const 5) (local.get 0))))",
    );
}

#[test]
fn hundreds_of_parameters_and_results_compile() {
    let types = "i32 i64 f32 f64 externref ".repeat(60);
    let gets: String = (0..300).map(|local| format!("(local.get {local})")).collect();
    let functions = compile(&format!(
        "(module
            (type $t (func (param {types}) (result {types})))
            (import \"\" \"\" (func $import (type $t)))
            (table 1 funcref)
            (func $id (type $t) {gets})
            (func $nested (type $t) {gets} (call $id))
            (func $imported (type $t) {gets} (call $import))
            (func $tail (type $t) {gets} (return_call $id))
            (func $tail_import (type $t) {gets} (return_call $import))
            (func $indirect (type $t) {gets} (i32.const 0) (call_indirect (type $t)))
            (func $blocks (type $t) {gets} (loop (type $t) (block (type $t)))))"
    ));
    assert_eq!(functions.len(), 7);
    let sig: LoweredSig = {
        let one = [LoweredType::I32, LoweredType::F64, LoweredType::V128];
        let all: Box<[_]> = one.into_iter().cycle().take(300).collect();
        LoweredSig { params: all.clone(), results: all }
    };
    for kind in KINDS {
        compile_trampoline(&*isa(), kind, &sig).unwrap();
    }
}

#[test]
fn tail_calls_may_grow_the_arguments() {
    compile(
        "(module
            (type $big (func (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 f64 f64) (result i32)))
            (table 1 funcref)
            (func $one (param i32) (result i32)
                (return_call $big (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)
                    (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8) (i64.const 9)
                    (i64.const 10) (f64.const 1) (f64.const 2)))
            (func $big (type $big) (return_call $one (i32.wrap_i64 (local.get 9))))
            (func $indirect (param i32) (result i32)
                (return_call_indirect (type $big) (i64.const 1) (i64.const 2) (i64.const 3)
                    (i64.const 4) (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8)
                    (i64.const 9) (i64.const 10) (f64.const 1) (f64.const 2) (local.get 0))))",
    );
}

#[test]
fn calls_name_functions_of_the_module_and_record_the_caller_of_imports() {
    let module = "(module (import \"\" \"\" (func $host (param i32)))
        (func (param i32) (call $host (local.get 0)) (call $other))
        (func $other))";
    let functions = compile(module);
    assert_eq!(targets(&functions[0]), [RelocTarget::Function(DefinedFuncIndex(1))]);
    let clif = clif_of(module);
    let record = clif.find("+16").expect("the caller is stored to the store");
    let call = clif.find("call_indirect").expect("an import is called through its record");
    assert!(record < call, "{clif}");
}

#[test]
fn an_indirect_call_checks_bounds_null_and_type() {
    let functions = compile(
        "(module (type $t (func)) (table 1 funcref)
            (func (param i32) (call_indirect (type $t) (local.get 0))))",
    );
    let null = Trap::IndirectCallToNull.code();
    assert_eq!(functions[0].traps.iter().filter(|trap| trap.1 == null).count(), 1);
    let outside = Trap::TableOutOfBounds.code();
    assert_eq!(functions[0].traps.iter().filter(|trap| trap.1 == outside).count(), 1);
    // Only a wrong type is raised by a call.
    assert_eq!(targets(&functions[0]), [RelocTarget::Builtin(Builtin::RaiseTrap)]);
}

#[test]
fn references_across_calls_are_in_stack_maps() {
    let functions = compile(
        "(module (import \"\" \"\" (func $gc (result externref)))
            (table $t 1 externref) (global $g (mut externref) (ref.null extern))
            (func (param externref i32) (result externref)
                (local $kept externref)
                (local.set $kept (select (result externref)
                    (table.get $t (local.get 1)) (global.get $g) (local.get 1)))
                (table.set $t (i32.const 0) (call $gc))
                (local.get 0)
                (loop $l (param externref) (result externref)
                    (drop) (drop (call $gc)) (local.get $kept) (br_if $l (local.get 1)))
                (drop) (global.set $g (local.get 0))
                (local.get $kept))
            (func (param funcref i64) (result funcref) (drop (call $gc)) (local.get 0)))",
    );
    let most = functions[0].stack_maps.iter().map(|map| map.2.len()).max();
    assert!(most.unwrap() >= 2, "{:?}", functions[0].stack_maps);
    assert!(functions[1].stack_maps.is_empty(), "function references never move");
}

#[test]
fn functions_check_the_stack_and_locate_every_call() {
    let wat = "(module (func $f (param i32) (result i32)
        (i32.add (call $f (local.get 0)) (i32.const 1))))";
    let function = &compile(wat)[0];
    assert!(function.traps.iter().any(|trap| trap.1 == Trap::StackOverflow.code()));
    // A return address belongs to the byte before it.
    let call = function.relocs[0].offset;
    let next = function.source.partition_point(|entry| entry.0 <= call);
    let located = function.source[next - 1].1 as usize;
    assert_eq!(bytes(wat)[located], 0x10, "the byte at {located:#x} is the opcode of `call`");
    assert_eq!(function.source[0].0, 0);
    assert!(function.source.is_sorted_by(|a, b| a.0 < b.0));
}

#[test]
fn variables_and_references_compile() {
    compile(
        "(module
            (import \"\" \"g\" (global $i (mut i64)))
            (import \"\" \"t\" (table $imported 1 funcref))
            (import \"\" \"m\" (memory $m 1))
            (global $a (mut f32) (f32.const 1)) (global $c i32 (i32.const 1))
            (global $v (mut v128) (v128.const i64x2 0 0)) (global $x externref (ref.null extern))
            (export \"f\" (func $f))
            (func $f (param i32) (result i64 i32 f32)
                (local i32 i64 f32 f64 v128 funcref externref)
                (global.set $i (i64.const -1)) (global.set $v (local.get 5))
                (local.set 6 (ref.func $f)) (local.set 1 (local.tee 1 (global.get $c)))
                (table.set $imported (local.get 0) (local.get 6))
                (drop (ref.is_null (table.get $imported (i32.const 0))))
                (drop (ref.is_null (global.get $x)))
                (drop (select (f64.const 1) (local.get 4) (local.get 0)))
                (drop (select (local.get 5) (global.get $v) (local.get 0)))
                (i32.store $m (i32.const 0) (i32.const 1))
                (global.get $i) (ref.is_null (ref.null func)) (global.get $a)))",
    );
}

#[test]
fn epochs_are_checked_at_entries_and_loops() {
    let wat = "(module (func (param i32 externref) (result externref)
        (loop $l (br_if $l (local.get 0))) (local.get 1)))";
    let tunables = Tunables { epoch_interruption: true, ..tunables() };
    let functions = compile_with(&tunables, wat).unwrap();
    let check = RelocTarget::Builtin(Builtin::NewEpoch);
    assert_eq!(targets(&functions[0]), [check, check]);
    assert_eq!(functions[0].stack_maps.len(), 2, "a check is a safepoint");
    assert!(compile(wat)[0].relocs.is_empty());
}

#[test]
fn fuel_is_checked_at_entries_and_loops() {
    let wat = "(module (func (param i32) (loop $l (br_if $l (local.get 0)))))";
    let tunables = Tunables { consume_fuel: true, ..tunables() };
    let functions = compile_with(&tunables, wat).unwrap();
    let trap = RelocTarget::Builtin(Builtin::RaiseTrap);
    assert_eq!(targets(&functions[0]), [trap, trap]);
    assert!(compile(wat)[0].relocs.is_empty());
}

#[test]
fn calls_through_references_compile() {
    let functions = compile(
        "(module (type $t (sub (func))) (type $u (sub $t (func))) (table 1 funcref)
            (func (call_indirect (type $u) (i32.const 0)))
            (func (param (ref null $u)) (call_ref $t (local.get 0)))
            (func (param (ref $u)) (return_call_ref $t (local.get 0)))
            (func (param externref) (result (ref extern)) (ref.as_non_null (local.get 0)))
            (func (param externref) (block $l (drop (br_on_null $l (local.get 0)))))
            (func (param externref) (result (ref extern))
                (block $l (result (ref extern)) (br_on_non_null $l (local.get 0)) (unreachable))))",
    );
    let traps = |function: &CompiledFunction| -> Vec<u8> {
        function.traps.iter().map(|(_, code)| *code).collect()
    };
    assert!(traps(&functions[0]).contains(&Trap::IndirectCallToNull.code()));
    assert!(traps(&functions[1]).contains(&Trap::NullReference.code()));
}

#[test]
fn a_type_with_subtypes_is_found_in_the_display() {
    let clif = clif_of(
        "(module (type $t (sub (func))) (type $u (sub $t (func))) (table 1 funcref)
            (func (call_indirect (type $u) (i32.const 0))))",
    );
    // The entry of 64 bytes, and the place of a type with one supertype in it.
    assert!(clif.contains("iconst.i64 6\n"), "{clif}");
    assert!(clif.lines().any(|line| line.contains("load.i32") && line.ends_with("+8")), "{clif}");
}

#[test]
fn a_table_of_one_type_needs_no_check_of_signatures() {
    let call = |element: &str| {
        clif_of(&format!(
            "(module (type $t (sub (func))) (type $u (sub $t (func))) (table 1 {element})
                (func (call_indirect (type $t) (i32.const 0))))"
        ))
    };
    let bad_signature = Trap::BadSignature.code();
    let checks = |clif: &str| clif.contains(&format!("iconst.i32 {bad_signature}\n"));
    assert!(checks(&call("funcref")));
    assert!(!checks(&call("(ref null $t)")));
    assert!(!checks(&call("(ref null $u)")));
}

#[test]
fn a_64_bit_access_compares_once() {
    let clif = |offset: u64| {
        clif_of(&format!(
            "(module (memory i64 1)
                (func (param i64) (result i32) (i32.load offset={offset} (local.get 0))))"
        ))
    };
    let near = clif(65_520);
    assert_eq!(near.matches("icmp").count(), 1, "{near}");
    assert!(near.contains("select_spectre_guard"), "{near}");
    assert!(!near.contains("overflow"), "{near}");
    let far = clif(65_521);
    assert!(far.contains("uadd_overflow") && far.contains("select_spectre_guard"), "{far}");
}

#[test]
fn a_32_bit_access_to_small_pages_compares_its_end() {
    let clif = clif_of(
        "(module (memory 1 (pagesize 1))
            (func (param i32) (result i64) (i64.load offset=7 (local.get 0))))",
    );
    assert_eq!(clif.matches("icmp").count(), 1, "{clif}");
    assert!(clif.contains("iconst.i64 15"), "{clif}");
    assert!(clif.contains("select_spectre_guard"), "{clif}");
}

#[test]
fn a_32_bit_access_compares_nothing() {
    let clif = clif_of(
        "(module (memory 1)
            (func (param i32) (result i64) (i64.load offset=4294967295 (local.get 0))))",
    );
    assert!(!clif.contains("icmp") && !clif.contains("select"), "{clif}");
}

#[test]
fn a_32_bit_access_without_the_reservation_compares_once() {
    let tunables = Tunables { reserve_memories: false, ..tunables() };
    for offset in [0, 4294967295_u32] {
        let wat = format!(
            "(module (memory 1)
                (func (param i32) (result i64) (i64.load offset={offset} (local.get 0))))"
        );
        let clif = clif_with(&tunables, &wat);
        assert_eq!(clif.matches("icmp").count(), 1, "{clif}");
        assert!(clif.contains("select_spectre_guard"), "{clif}");
    }
}

#[test]
fn the_first_invalid_function_is_reported_in_every_run() {
    let good = "(func (result i32) (i32.const 1))".repeat(50);
    let wat = format!("(module {good} (func (result i32) (i64.const 1)) {good} (func (drop)))");
    let messages: Vec<String> = (0..8).map(|_| error(&wat)).collect();
    assert!(messages[0].contains("expected i32, found i64"), "{}", messages[0]);
    assert!(messages[0].contains("at offset 0x"), "{}", messages[0]);
    assert!(messages.iter().all(|message| *message == messages[0]));
}

#[test]
fn functions_come_out_in_order_on_any_number_of_threads() {
    let functions: String =
        (0..200).map(|n| format!("(func (result i32) (i32.const {n}))")).collect();
    let wat = format!("(module {functions})");
    let alone = compile_with(&Tunables { parallel: false, ..tunables() }, &wat).unwrap();
    for (position, (one, other)) in alone.iter().zip(&compile(&wat)).enumerate() {
        assert_eq!(one.kind, CodeKind::Wasm(DefinedFuncIndex::new(position)));
        assert_eq!(one.code, other.code);
    }
}

/// What the function at `position` of a text names outside it.
fn outside(artifact: &Artifact<'_>, position: usize) -> Vec<RelocTarget> {
    let function = &artifact.tables.functions[position];
    let relocs = artifact.relocs.iter();
    relocs
        .filter(|reloc| (function.start..function.end).contains(&reloc.offset))
        .map(|reloc| reloc.target)
        .collect()
}

#[test]
fn every_builtin_has_a_trampoline_to_its_rust_function() {
    let artifact = compile_builtins(&*isa(), Builtin::ALL).unwrap();
    let functions = &artifact.tables.functions;
    assert_eq!(functions.len(), Builtin::ALL.len());
    for (position, (function, builtin)) in functions.iter().zip(Builtin::ALL).enumerate() {
        assert_eq!(function.kind, CodeKind::Exit);
        assert_eq!(outside(&artifact, position)[0], RelocTarget::BuiltinImpl(*builtin));
    }
}

const KINDS: [TrampolineKind; 4] = [
    TrampolineKind::TypedEntry,
    TrampolineKind::ArrayEntry,
    TrampolineKind::TypedExit,
    TrampolineKind::ArrayExit,
];

#[test]
fn trampolines_compile_for_every_shape() {
    use LoweredType::{F32, F64, I32, I64, V128};
    let lists: [&[LoweredType]; 5] =
        [&[], &[I32], &[V128], &[I32, F64], &[I64, I32, F32, F64, V128, I32, I64, I64, I64, F32]];
    for (params, results) in lists.iter().flat_map(|params| lists.map(|results| (params, results)))
    {
        let sig = LoweredSig { params: (*params).into(), results: results.into() };
        for kind in KINDS {
            let artifact = compile_trampoline(&*isa(), kind, &sig).unwrap();
            let [function] = &*artifact.tables.functions else { panic!("one trampoline") };
            match (kind, function.kind) {
                (
                    TrampolineKind::TypedEntry | TrampolineKind::ArrayEntry,
                    CodeKind::Entry { activation_below_fp },
                ) => {
                    assert!(activation_below_fp as usize >= crate::abi::layout::activation::SIZE);
                    assert_eq!(outside(&artifact, 0), []);
                }
                (TrampolineKind::TypedExit | TrampolineKind::ArrayExit, CodeKind::Exit) => {
                    let raise = RelocTarget::BuiltinImpl(Builtin::Raise);
                    assert_eq!(outside(&artifact, 0), [raise]);
                }
                (kind, code) => panic!("a {kind:?} came out as {code:?}"),
            }
        }
    }
}
