//! How far the values of a function reach: what register allocation will cost, found in linear time.

use std::mem;

use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::ir::{Block, Function, Inst, Value};
use cranelift_codegen::traversals::Dfs;

/// Where the values of a function are live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spread {
    /// The sum over all values of the number of blocks that the value reaches after its own. One that is used in a loop and defined before it reaches the loop's end.
    pub(super) blocks: u64,
    /// The sum over all values of the number of instructions that the value reaches within its
    /// block.
    pub(super) insts: u64,
}

/// The spread of `func`, which has no aliases, with its blocks in the order of the layout.
pub(super) fn in_layout(func: &Function) -> Spread {
    spread(func, func.layout.blocks().collect())
}

/// The same in the order in which machine code comes: after a branch the second target, and all
/// that only the first one leads to behind everything else.
pub(super) fn in_code(func: &Function) -> Spread {
    let mut blocks: Vec<Block> = Dfs::new().post_order_iter(func).collect();
    blocks.reverse();
    spread(func, blocks)
}

fn spread(func: &Function, blocks: Vec<Block>) -> Spread {
    let mut spread = Spread::default();
    let positions = positions(&blocks);
    let ends = loop_ends(func, &blocks, &positions);
    let mut seen = SecondaryMap::<Value, Seen>::new();
    // The loops around the current block, outermost first: head and end.
    let mut loops: Vec<(u32, u32)> = Vec::new();
    let mut now = 0;
    for block in blocks {
        let here = positions[block];
        while loops.pop_if(|(_, end)| *end < here).is_some() {}
        if ends[block] > 0 {
            loops.push((here, ends[block]));
        }
        for param in func.dfg.block_params(block) {
            seen[*param] = Seen { first: here, last: here, inst: now };
        }
        for inst in func.layout.block_insts(block) {
            now += 1;
            for value in func.dfg.inst_values(inst) {
                let value = &mut seen[value];
                if value.first == here {
                    spread.insts += now - mem::replace(&mut value.inst, now);
                }
                let outside = loops.partition_point(|(head, _)| *head <= value.first);
                let end = loops.get(outside).map_or(here, |(_, end)| *end);
                value.last = value.last.max(end);
            }
            for result in func.dfg.inst_results(inst) {
                seen[*result] = Seen { first: here, last: here, inst: now };
            }
        }
    }
    // Uses in code that nothing leads to have no definition.
    let reached = |seen: &Seen| u64::from(seen.last.saturating_sub(seen.first));
    spread.blocks = seen.values().map(reached).sum();
    spread
}

/// Where a value was seen.
#[derive(Clone, Default)]
struct Seen {
    /// The block of its definition, and the last one that it reaches.
    first: u32,
    last: u32,
    /// The latest instruction in the block of its definition.
    inst: u64,
}

/// The positions of blocks, from 1.
fn positions(blocks: &[Block]) -> SecondaryMap<Block, u32> {
    let mut positions = SecondaryMap::new();
    for (position, block) in (1..).zip(blocks) {
        positions[*block] = position;
    }
    positions
}

/// For each block that is branched back to, where its loop ends; 0 for others.
fn loop_ends(
    func: &Function,
    blocks: &[Block],
    positions: &SecondaryMap<Block, u32>,
) -> SecondaryMap<Block, u32> {
    let mut ends = SecondaryMap::new();
    for block in blocks {
        let here = positions[*block];
        let Some(last) = func.layout.last_inst(*block) else { continue };
        for target in targets(func, last) {
            if positions[target] <= here {
                ends[target] = here;
            }
        }
    }
    // A loop goes on as long as one that starts in it. What a later loop contains needs no second
    // look.
    let mut later: Vec<(u32, u32)> = Vec::new();
    for block in blocks.iter().rev() {
        let mut end = ends[*block];
        while let Some((_, inner)) = later.pop_if(|(head, _)| *head <= end) {
            end = end.max(inner);
        }
        if end > 0 {
            later.push((positions[*block], end));
            ends[*block] = end;
        }
    }
    ends
}

fn targets(func: &Function, inst: Inst) -> impl Iterator<Item = Block> + '_ {
    let dfg = &func.dfg;
    let calls = dfg.insts[inst].branch_destination(&dfg.jump_tables, &dfg.exception_tables);
    calls.iter().map(|call| call.block(&dfg.value_lists))
}

#[cfg(test)]
mod tests {
    use cranelift_codegen::ir::types::I32;
    use cranelift_codegen::ir::{AbiParam, InstBuilder, Signature};
    use cranelift_codegen::isa::CallConv;
    use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

    use super::*;

    /// A function of one parameter, which is the first value.
    fn function(build: impl FnOnce(&mut FunctionBuilder<'_>, Value)) -> Function {
        let mut func = Function::new();
        func.signature = Signature::new(CallConv::Tail);
        func.signature.params.push(AbiParam::new(I32));
        let mut context = FunctionBuilderContext::new();
        let mut builder = FunctionBuilder::new(&mut func, &mut context);
        let entry = builder.create_block();
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        let param = builder.block_params(entry)[0];
        build(&mut builder, param);
        func
    }

    #[test]
    fn a_value_reaches_its_last_use() {
        let func = function(|builder, param| {
            for _ in 0..3 {
                let next = builder.create_block();
                builder.ins().jump(next, &[]);
                builder.switch_to_block(next);
            }
            let sum = builder.ins().iadd(param, param);
            builder.ins().iadd(sum, sum);
            builder.ins().return_(&[]);
        });
        assert_eq!(in_layout(&func), Spread { blocks: 3, insts: 1 });
        assert_eq!(in_code(&func), Spread { blocks: 3, insts: 1 });
    }

    #[test]
    fn a_value_from_before_a_loop_reaches_its_end() {
        let func = function(|builder, param| {
            let (head, inner, after) =
                (builder.create_block(), builder.create_block(), builder.create_block());
            builder.ins().jump(head, &[]);
            builder.switch_to_block(head);
            let inside = builder.ins().iadd(param, param);
            builder.ins().brif(inside, inner, &[], after, &[]);
            // This loop goes on after the last branch to the head of the one around it.
            builder.switch_to_block(inner);
            let back = builder.create_block();
            builder.ins().brif(inside, head, &[], back, &[]);
            builder.switch_to_block(back);
            builder.ins().jump(inner, &[]);
            builder.switch_to_block(after);
            builder.ins().return_(&[]);
        });
        // Both the parameter and `inside` reach the end of the inner loop.
        assert_eq!(in_layout(&func).blocks, 3 + 2);
    }
}
