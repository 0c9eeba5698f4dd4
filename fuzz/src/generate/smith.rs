//! Modules of wasm-smith: all features at once, in any combination, valid and ending.

use anyhow::{Context as _, Result};
use arbitrary::Unstructured;
use wasm_smith::{Config, InstructionKind, InstructionKinds, MemoryOffsetChoices, Module};

use crate::features;
use crate::generate::Generated;
use crate::limits;
use crate::plan::{FUEL, Plan};
use crate::random::Random;
use crate::rewrite;

/// The module of these numbers; an error says why there is none.
pub fn generate(seed: u64, case: u64) -> Result<Generated> {
    let mut random = Random::new(seed, case);
    let len = 500 << random.below(8);
    let bytes = random.bytes(len);
    let config = config(&mut random);
    let mut module = Module::new(config, &mut Unstructured::new(&bytes))?;
    let fuel = *random.pick(&[50, 1_000, 20_000, 20_000]);
    let global = module.ensure_termination(fuel).context("a module that ends")?;
    let wasm = rewrite::export_global(&module.to_bytes(), FUEL, global)?;
    let wasm = if features::THREADS { rewrite::without_patience(&wasm)? } else { wasm };
    let plan = Plan::new(&wasm, random.next(), fuel)?;
    Ok(Generated { wasm, plan })
}

/// As [`generate`], with some bytes changed.
pub fn mutated(seed: u64, case: u64) -> Result<Vec<u8>> {
    let mut wasm = generate(seed, case)?.wasm;
    let mut random = Random::new(seed, case ^ 1 << 63);
    for _ in 0..1 + random.below(3) {
        // Not the header.
        let at = 8 + random.below(wasm.len() - 8);
        match random.below(4) {
            0 => wasm[at] = random.next() as u8,
            1 => wasm[at] ^= 1 << random.below(8),
            2 => wasm[at] = wasm[8 + random.below(wasm.len() - 8)],
            _ => wasm.truncate(at.max(9)),
        }
    }
    Ok(wasm)
}

/// All instructions, or those of which the host sees most: what moves references or bytes.
fn instructions(random: &mut Random) -> InstructionKinds {
    use InstructionKind::{
        Control, Memory, Numeric, NumericInt, Parametric, Reference, Table, Variable, Vector,
    };
    match random.below(6) {
        0 => InstructionKinds::new(&[Reference, Parametric, Variable, Table, Control, NumericInt]),
        1 => InstructionKinds::new(&[Reference, Table, Variable, NumericInt]),
        2 => InstructionKinds::new(&[Memory, Numeric, Vector, Variable, Parametric, Control]),
        _ => InstructionKinds::all(),
    }
}

/// What a module may contain, by chance.
fn config(random: &mut Random) -> Config {
    let mut config = Config {
        // Results that are not numbers have any bits; these make them the same.
        canonicalize_nans: true,
        export_everything: true,
        allow_start_export: random.one_in(3),
        generate_custom_sections: false,
        max_imports: *random.pick(&[0, 0, 3, 8]),
        max_instructions: *random.pick(&[20, 100, 400, 400, 3_000]),
        max_funcs: *random.pick(&[6, 12, 30]),
        min_funcs: random.below(6) + 1,
        min_types: 4,
        max_memories: *random.pick(&[1, 1, 3]),
        max_tables: *random.pick(&[1, 3]),
        max_tags: *random.pick(&[0, 4]),
        max_memory32_bytes: limits::MEMORY_BYTES,
        max_memory64_bytes: u128::from(limits::MEMORY_BYTES),
        max_table_elements: limits::TABLE_ELEMENTS,
        memory_offset_choices: MemoryOffsetChoices(90, 8, 2),
        disallow_traps: random.one_in(2),
        allow_floats: !random.one_in(4),
        memory64_enabled: random.one_in(2),
        relaxed_simd_enabled: random.one_in(2),
        simd_enabled: !random.one_in(4),
        allowed_instructions: instructions(random),
        ..Config::default()
    };
    features::restrict(&mut config);
    config
}
