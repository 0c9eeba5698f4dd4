//! How far the values of a function reach: what register allocation will cost, found in linear time.

use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::ir::{Block, Function, Inst, Value};

/// The sum over all values of the number of blocks, in layout order, in which each is live. A value
/// that is used in a loop and defined before it is live to the end of the loop.
pub(super) fn spread(func: &Function) -> u64 {
    let positions = positions(func);
    let ends = loop_ends(func, &positions);
    let mut defined = SecondaryMap::<Value, u32>::new();
    let mut last = SecondaryMap::<Value, u32>::new();
    // The loops around the current block, outermost first.
    let mut loops: Vec<(u32, u32)> = Vec::new();
    for block in func.layout.blocks() {
        let here = positions[block];
        loops.retain(|(_, end)| *end >= here);
        if ends[block] > 0 {
            loops.push((here, ends[block]));
        }
        for param in func.dfg.block_params(block) {
            (defined[*param], last[*param]) = (here, here);
        }
        for inst in func.layout.block_insts(block) {
            for value in func.dfg.inst_values(inst) {
                let value = func.dfg.resolve_aliases(value);
                let outside = loops.partition_point(|(head, _)| *head <= defined[value]);
                let end = loops.get(outside).map_or(here, |(_, end)| *end);
                last[value] = last[value].max(end);
            }
            for result in func.dfg.inst_results(inst) {
                (defined[*result], last[*result]) = (here, here);
            }
        }
    }
    func.dfg.values().map(|value| u64::from(last[value] - defined[value])).sum()
}

/// The positions of blocks in the layout, from 1.
fn positions(func: &Function) -> SecondaryMap<Block, u32> {
    let mut positions = SecondaryMap::new();
    for (position, block) in (1..).zip(func.layout.blocks()) {
        positions[block] = position;
    }
    positions
}

/// For each block that is branched back to, the position of the last such branch; 0 for others.
fn loop_ends(func: &Function, positions: &SecondaryMap<Block, u32>) -> SecondaryMap<Block, u32> {
    let mut ends = SecondaryMap::new();
    for block in func.layout.blocks() {
        let here = positions[block];
        let Some(last) = func.layout.last_inst(block) else { continue };
        for target in targets(func, last) {
            if positions[target] <= here {
                ends[target] = here;
            }
        }
    }
    ends
}

fn targets(func: &Function, inst: Inst) -> impl Iterator<Item = Block> + '_ {
    let dfg = &func.dfg;
    let calls = dfg.insts[inst].branch_destination(&dfg.jump_tables, &dfg.exception_tables);
    calls.iter().map(|call| call.block(&dfg.value_lists))
}
