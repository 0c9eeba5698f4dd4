//! Where a function begins: what its start is a multiple of, and, if it has loops, where in a cache line.
//! `link` sees to it.
//!
//! A processor fetches code by lines. A loop that a line could hold takes up to twice the time if it lies
//! across the end of one; if it dispatches by an indirect branch, up to eight times. Of longer loops no
//! such thing can be said. The place is the same whatever functions come before, so that the speed is.

use std::collections::HashMap;
use std::ops::Range;

use cranelift_codegen::CompiledCode;
use cranelift_codegen::entity::EntitySet;
use cranelift_codegen::ir::{Block, Function, InstructionData};
use cranelift_codegen::isa::TargetIsa;

/// The bytes of a cache line.
const LINE: u32 = 64;

/// Where a function may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placement {
    /// What the start is a multiple of.
    pub(crate) align: u32,
    /// Where in a line it is, if that matters: a multiple of `align`, or of a line.
    in_line: Option<u32>,
}

impl Placement {
    /// A start that serves the loops of `func`, whose code this is.
    pub(super) fn of(isa: &dyn TargetIsa, func: &Function, compiled: &CompiledCode) -> Placement {
        let anywhere = Placement::anywhere(isa, compiled.buffer.alignment);
        let back = back_edges(func);
        if back.is_empty() {
            return anywhere;
        }
        let loops = loops(func, compiled, &back);
        let starts = (0..LINE).step_by(anywhere.align as usize);
        // The first of several that are equally good.
        let cost = |start: &u32| loops.iter().map(|code| cost(code, *start)).sum::<u32>();
        Placement { in_line: starts.min_by_key(cost), ..anywhere }
    }

    /// A start that serves code of this alignment, and no more than it must: predictors of indirect
    /// branches tell targets apart by the low bits of their addresses, and know fewer of them if all are
    /// aligned. Constants in a function want their own alignment, but only whole vectors need it.
    pub(crate) fn anywhere(isa: &dyn TargetIsa, alignment: u32) -> Placement {
        const VECTOR: u32 = 16;
        let own = if alignment < VECTOR { 1 } else { alignment };
        let symbol = u32::try_from(isa.symbol_alignment()).expect("alignments are small");
        let align = isa.function_alignment().minimum.max(symbol).max(own);
        Placement { align, in_line: None }
    }

    /// The first place from `end` on, where the code before it ends.
    pub(super) fn start(self, end: u32) -> u32 {
        let (multiple, rest) = match self.in_line {
            Some(in_line) => (self.align.max(LINE), in_line),
            None => (self.align, 0),
        };
        let before = end.saturating_sub(rest);
        before.next_multiple_of(multiple) + rest
    }
}

/// The branches of `func` that lead back, each as the blocks that it leads from and to.
fn back_edges(func: &Function) -> Vec<(Block, Block)> {
    let mut before = EntitySet::with_capacity(func.dfg.num_blocks());
    let mut edges = Vec::new();
    for block in func.layout.blocks() {
        before.insert(block);
        let back = func.block_successors(block).filter(|to| before.contains(*to));
        edges.extend(back.map(|to| (block, to)));
    }
    edges
}

/// The code that runs again and again and fits into a line: from where one of the branches `back` leads
/// to, up to where it is, or the first block of that by itself.
fn loops(func: &Function, compiled: &CompiledCode, back: &[(Block, Block)]) -> Vec<Range<u32>> {
    let mut places = HashMap::new();
    for range in compiled.buffer.get_srclocs_sorted() {
        places.insert(range.loc, range.start..range.end);
    }
    let starts = &compiled.bb_starts;
    // What there is of a block is known by its last instruction, which no optimisation moves.
    let code = |block: Block| -> Option<Range<u32>> {
        let last = func.layout.last_inst(block)?;
        let branch = places.get(&func.srcloc(last))?;
        let start =
            starts[starts.partition_point(|start| *start <= branch.start).checked_sub(1)?];
        let table = match func.dfg.insts[last] {
            InstructionData::BranchTable { table, .. } => {
                4 * func.dfg.jump_tables[table].all_branches().len() as u32
            }
            _ => 0,
        };
        Some(start..branch.end.checked_sub(table)?)
    };
    let mut loops = Vec::new();
    for (from, to) in back {
        let (Some(from), Some(to)) = (code(*from), code(*to)) else { continue };
        loops.extend([to.start..from.end, to]);
    }
    loops.retain(|code| !code.is_empty() && code.len() <= LINE as usize);
    loops.sort_unstable_by_key(|code| (code.start, code.end));
    loops.dedup();
    loops
}

/// What it costs if `code` lies across the end of a line, in a function that begins `start` bytes into one:
/// more, the shorter it is.
fn cost(code: &Range<u32>, start: u32) -> u32 {
    let first = (start + code.start) / LINE;
    let last = (start + code.end - 1) / LINE;
    if first == last { 0 } else { 2 * LINE - (code.end - code.start) }
}
