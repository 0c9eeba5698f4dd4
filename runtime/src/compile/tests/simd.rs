//! Operators on vectors, for processors with many extensions and with none.

use super::*;

/// Operators by type: parameters, result, names.
const OPERATORS: &[(&str, &str, &str)] = &[
    (
        "v128",
        "v128",
        "v128.not i8x16.abs i16x8.abs i32x4.abs i64x2.abs i8x16.neg i64x2.neg i8x16.popcnt
        i16x8.extadd_pairwise_i8x16_s i16x8.extadd_pairwise_i8x16_u
        i32x4.extadd_pairwise_i16x8_s i32x4.extadd_pairwise_i16x8_u
        i16x8.extend_low_i8x16_s i32x4.extend_high_i16x8_u i64x2.extend_high_i32x4_s
        f32x4.ceil f32x4.floor f32x4.trunc f32x4.nearest f32x4.abs f32x4.neg f32x4.sqrt
        f64x2.ceil f64x2.floor f64x2.trunc f64x2.nearest f64x2.abs f64x2.neg f64x2.sqrt
        i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s
        f32x4.convert_i32x4_u i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero
        f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u f32x4.demote_f64x2_zero
        f64x2.promote_low_f32x4 i32x4.relaxed_trunc_f32x4_s i32x4.relaxed_trunc_f32x4_u
        i32x4.relaxed_trunc_f64x2_s_zero i32x4.relaxed_trunc_f64x2_u_zero",
    ),
    (
        "v128 v128",
        "v128",
        "v128.and v128.andnot v128.or v128.xor i8x16.swizzle i8x16.relaxed_swizzle
        i8x16.eq i16x8.lt_s i32x4.gt_u i64x2.le_s i8x16.ge_u i16x8.le_u i64x2.lt_s f32x4.lt f64x2.ne
        i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u
        i8x16.add i8x16.add_sat_s i16x8.add_sat_u i8x16.sub_sat_s i16x8.sub_sat_u i64x2.sub
        i16x8.mul i32x4.mul i64x2.mul i8x16.min_s i16x8.min_u i32x4.max_s i32x4.min_u i8x16.max_u
        i8x16.avgr_u i16x8.avgr_u i16x8.q15mulr_sat_s i32x4.dot_i16x8_s
        i16x8.extmul_low_i8x16_s i32x4.extmul_high_i16x8_u i64x2.extmul_low_i32x4_u
        f32x4.add f64x2.sub f32x4.mul f64x2.div f32x4.min f64x2.max f32x4.pmin f64x2.pmax
        f32x4.relaxed_min f32x4.relaxed_max f64x2.relaxed_min f64x2.relaxed_max
        i16x8.relaxed_q15mulr_s i16x8.relaxed_dot_i8x16_i7x16_s",
    ),
    (
        "v128 v128 v128",
        "v128",
        "v128.bitselect f32x4.relaxed_madd f32x4.relaxed_nmadd f64x2.relaxed_madd
        f64x2.relaxed_nmadd i8x16.relaxed_laneselect i16x8.relaxed_laneselect
        i32x4.relaxed_laneselect i64x2.relaxed_laneselect i32x4.relaxed_dot_i8x16_i7x16_add_s",
    ),
    (
        "v128 i32",
        "v128",
        "i8x16.shl i8x16.shr_s i8x16.shr_u i16x8.shr_s i32x4.shl i64x2.shr_s i64x2.shr_u",
    ),
    (
        "v128",
        "i32",
        "v128.any_true i8x16.all_true i16x8.all_true i32x4.all_true i64x2.all_true
        i8x16.bitmask i16x8.bitmask i32x4.bitmask i64x2.bitmask",
    ),
    ("i32", "v128", "i8x16.splat i16x8.splat i32x4.splat"),
    (
        "i32",
        "v128",
        "v128.load v128.load8x8_s v128.load16x4_u v128.load32x2_s v128.load8_splat
        v128.load16_splat v128.load32_splat v128.load64_splat v128.load32_zero v128.load64_zero",
    ),
    ("i32 v128", "", "v128.store"),
];

/// The module of all `OPERATORS`, each in a function of its own.
fn module() -> String {
    let mut functions = String::new();
    for (params, result, operators) in OPERATORS {
        let count = params.split_whitespace().count();
        let get: String = (0..count).map(|local| format!("(local.get {local}) ")).collect();
        let (param, result) = (clause("param", params), clause("result", result));
        for operator in operators.split_whitespace() {
            functions += &format!("(func {param} {result} {get} {operator})\n");
        }
    }
    for (shape, lanes, number) in
        [("i8x16", 16, "i32"), ("i16x8", 8, "i32"), ("i64x2", 2, "i64"), ("f32x4", 4, "f32")]
    {
        let sign = if lanes >= 8 { "_u" } else { "" };
        for lane in 0..lanes {
            functions += &format!(
                "(func (param v128) (result v128) (local.get 0) (local.get 0)
                    ({shape}.extract_lane{sign} {lane}) ({shape}.replace_lane {lane}))
                 (func (param {number}) (result v128) ({shape}.splat (local.get 0)))\n",
            );
        }
    }
    for bits in [8, 16, 32, 64] {
        functions += &format!(
            "(func (param i32 v128) (result v128) (local.get 0) (local.get 1)
                (v128.store{bits}_lane 1 (local.get 0) (local.get 1)) (v128.load{bits}_lane 1))\n",
        );
    }
    format!("(module (memory 1) {functions})")
}

/// The processor with what every one of this architecture has.
#[cfg(target_arch = "x86_64")]
fn plain_isa() -> OwnedTargetIsa {
    let builder = cranelift_codegen::isa::lookup_by_name("x86_64").unwrap();
    builder.finish(flags(&tunables(), Effort::Full)).unwrap()
}

#[cfg(not(target_arch = "x86_64"))]
fn plain_isa() -> OwnedTargetIsa {
    isa()
}

fn compile_for(isa: &OwnedTargetIsa, deterministic: bool, wat: &str) -> Vec<CompiledFunction> {
    let wasm = bytes(wat);
    let features = WasmFeatures::WASM3;
    let tunables = Tunables { relaxed_simd_deterministic: deterministic, ..tunables() };
    let decoded = decode(&wasm, features).unwrap();
    compile_functions(&**isa, &tunables, &decoded.info, decoded.bodies).unwrap()
}

#[test]
fn vector_operators_compile_for_every_processor() {
    let module = module();
    for isa in [isa(), plain_isa()] {
        for deterministic in [false, true] {
            compile_for(&isa, deterministic, &module);
        }
    }
}

#[test]
fn relaxed_operators_are_the_processor_s_own_unless_deterministic() {
    let body = "(i8x16.relaxed_swizzle (local.get 0) (local.get 1))";
    let wat = format!("(module (func (param v128 v128) (result v128) {body}))");
    let size = |deterministic| compile_for(&isa(), deterministic, &wat)[0].code.len();
    if isa().has_x86_pshufb_lowering() {
        assert!(size(false) < size(true));
    }
}

#[test]
fn shapes_change_only_where_operators_disagree() {
    let clif = clif_of(
        "(module (func (param v128 v128) (result i32)
            (i32x4.all_true (i32x4.eq
                (i32x4.add (local.get 0) (local.get 1))
                (i32x4.mul (local.get 0) (local.get 1))))))",
    );
    let live = clif.lines().filter(|line| line.contains("bitcast.i32x4"));
    assert_eq!(live.count(), 4, "of the parameters only: {clif}");
    assert!(clif.contains("vall_true"), "{clif}");
}
