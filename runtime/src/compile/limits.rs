//! What one function may cost to compile: the sizes at which less care is taken, and those that are
//! refused. Time and memory stay in proportion to the bytes of a body, whatever it holds.
//!
//! wasmparser refuses much before anything comes here: bodies of more than 7 654 321 bytes, 50 000
//! locals of one function, 1000 parameters or results, a million types, functions, imports, exports,
//! globals or tags, 100 000 tables or segments, 100 memories, 10 000 fields of a struct or clauses of
//! a `try_table`, 63 supertypes in a row, names of 100 000 bytes. A table of branches may be as long
//! as its body. None of this bounds the work: some operators of two bytes stand for a thousand
//! values, and some costs are products of two counts.

use std::mem;

use anyhow::{bail, ensure};
use cranelift_codegen::CodegenError;
use cranelift_codegen::ir::{DataFlowGraph, Function};
use wasmparser::{FunctionBody, Operator};

use super::spread;
use crate::{Error, Result};

/// Bytes of a body above which it is compiled quickly instead of well. Cranelift needs about 1 to
/// 10 s per megabyte for good code, and little more than linear time up to here.
const LARGE_BODY: u64 = 512 << 10;
/// Nested loops above which Cranelift's optimiser needs quadratic time.
const DEEP_LOOPS: u64 = 500;
/// Entries of branch tables above which a function is compiled quickly: each is an edge.
const MANY_EDGES: u64 = 1 << 16;
/// Locals times blocks above which locals are kept in the frame. As SSA values they cost up to one
/// block parameter each for every block.
const LOCALS_IN_BLOCKS: u64 = 1 << 24;
/// Bodies up to this size are not surveyed: no product of their counts is large.
const SMALL_BODY: u64 = 4 << 10;

/// SSA values of one function: Cranelift takes some 300 bytes for each.
const MAX_VALUES: usize = 1 << 23;
/// SSA values that Cranelift adds to make the result of one operator canonical if it is a NaN.
const VALUES_PER_NAN: usize = 7;
/// Arguments of all calls and branches of one function.
const MAX_ARGUMENTS: usize = 1 << 25;
/// [`spread::Spread::blocks`] above which a function is compiled quickly: each costs the careful allocator
/// about a third of a microsecond, counted in the order of the layout.
const WIDE_BLOCKS: u64 = 1 << 22;
/// [`spread::Spread::insts`] above which a function is compiled quickly.
const WIDE_INSTS: u64 = 1 << 24;
/// The greatest [`spread::Spread::blocks`], in the order of the code, for the quick allocator, which takes
/// some 50 ns for each.
const MAX_BLOCKS_QUICK: u64 = 1 << 27;
/// The greatest [`spread::Spread::blocks`] for the careful allocator, where the quick one takes longer.
const MAX_BLOCKS_CAREFUL: u64 = 1 << 25;
/// Open loops, summed over all operators, above which a function must have no references: the
/// search for live ones follows values through all of them.
const DEEP_LOOPS_OF_REFERENCES: u64 = 1 << 27;
/// References that may be live, summed over all blocks and calls: so many rows of stack maps.
const MAX_LIVE_REFERENCES: u64 = 1 << 25;

/// Handlers that one call may have. A table of all of them stands at each call.
pub(super) const MAX_HANDLERS: usize = 1000;
/// Handlers of all calls of one function together.
pub(super) const MAX_TABLE_ENTRIES: usize = 1 << 20;

/// How much time is spent on code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Effort {
    /// As much as good code needs.
    #[default]
    Full,
    /// No optimisation, but the allocator of good code, which knows where values are live.
    Careful,
    /// No optimisation, and an allocator that visits each instruction once: in proportion to the
    /// size, if values reach no farther than usual.
    Quick,
}

/// How a function is compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) effort: Effort,
    /// Locals other than references live in the frame, not in SSA values.
    pub(super) locals_in_frame: bool,
    /// Loops are nested so deep that there must be no references.
    no_references: bool,
}

impl Plan {
    /// The plan for `body`, whose function has `params` parameters. A malformed body gets any:
    /// translating it gives the error.
    pub(super) fn of(body: &FunctionBody<'_>, params: usize) -> Plan {
        let size = body.range().end - body.range().start;
        if size <= SMALL_BODY {
            return Plan::default();
        }
        let survey = Survey::of(body, params as u64);
        let no_references = survey.open_loops > DEEP_LOOPS_OF_REFERENCES;
        let locals_in_frame =
            survey.locals.saturating_mul(survey.blocks) > LOCALS_IN_BLOCKS || no_references;
        let quick = size > LARGE_BODY
            || survey.loop_depth > DEEP_LOOPS
            || survey.table_entries > MANY_EDGES
            || locals_in_frame;
        let effort = if quick { Effort::Quick } else { Effort::Full };
        Plan { effort, locals_in_frame, no_references }
    }
}

/// How `func`, which was translated by `plan`, is compiled: what its values are like is known only
/// now.
///
/// # Errors
///
/// If it cannot be compiled in reasonable time: the rest of a sentence about it.
pub(super) fn settle(func: &mut Function, plan: Plan) -> Result<Plan> {
    // No value reaches more than all.
    let reach = func.dfg.num_blocks().max(func.dfg.num_insts()) as u64;
    if reach * func.dfg.num_values() as u64 <= WIDE_BLOCKS {
        return Ok(plan);
    }
    func.dfg.resolve_all_aliases();
    let layout = spread::in_layout(func);
    let is_wide = layout.blocks > WIDE_BLOCKS || layout.insts > WIDE_INSTS;
    if plan.effort == Effort::Full && !is_wide {
        return Ok(plan);
    }
    if spread::in_code(func).blocks <= MAX_BLOCKS_QUICK {
        return Ok(Plan { effort: Effort::Quick, ..plan });
    }
    if layout.blocks > MAX_BLOCKS_CAREFUL {
        bail!("has more than {MAX_BLOCKS_CAREFUL} live values, over all blocks");
    }
    Ok(Plan { effort: Effort::Careful, ..plan })
}

/// Decides whether there is room for what makes the NaNs of `func` canonical.
///
/// # Errors
///
/// If it would need too many values: the rest of a sentence about it.
pub(super) fn permit_canonical_nans(func: &Function) -> Result<()> {
    let is_float = |value| func.dfg.value_type(value).lane_type().is_float();
    let floats = func.dfg.values().filter(|value| is_float(*value)).count();
    let values = func.dfg.num_values() + VALUES_PER_NAN * floats;
    ensure!(values <= MAX_VALUES, "needs more than {MAX_VALUES} values to have canonical NaNs");
    Ok(())
}

/// What a look at the operators tells, before validation: so the counts may be nonsense.
#[derive(Default)]
struct Survey {
    locals: u64,
    /// Operators that begin or end blocks.
    blocks: u64,
    /// The greatest number of loops around one operator.
    loop_depth: u64,
    /// The number of loops around an operator, summed over all.
    open_loops: u64,
    table_entries: u64,
}

impl Survey {
    fn of(body: &FunctionBody<'_>, params: u64) -> Survey {
        let mut survey = Survey { locals: params, ..Survey::default() };
        // What cannot be read ends the survey.
        let _ = survey.read(body);
        survey
    }

    fn read(&mut self, body: &FunctionBody<'_>) -> wasmparser::Result<()> {
        for group in body.get_locals_reader()? {
            self.locals = self.locals.saturating_add(u64::from(group?.0));
        }
        // For each open frame, whether it is a loop.
        let mut frames = Vec::new();
        let mut loops = 0;
        for operator in body.get_operators_reader()? {
            self.open_loops += loops;
            match operator? {
                Operator::Loop { .. } => {
                    frames.push(true);
                    loops += 1;
                    self.loop_depth = self.loop_depth.max(loops);
                    self.blocks += 2;
                }
                Operator::Block { .. } | Operator::If { .. } | Operator::TryTable { .. } => {
                    frames.push(false);
                    self.blocks += 2;
                }
                Operator::End => loops -= u64::from(frames.pop().unwrap_or(false)),
                Operator::BrTable { targets } => {
                    self.table_entries += u64::from(targets.len());
                    self.blocks += 1;
                }
                Operator::BrIf { .. } => self.blocks += 1,
                _ => {}
            }
        }
        Ok(())
    }
}

/// What the translation of one function has cost so far.
#[derive(Default)]
pub(super) struct Budget {
    blocks: usize,
    calls: usize,
    live_references: u64,
}

impl Budget {
    /// Charges what was translated since the last time. `references` is the most references that
    /// may be live, `calls` were made from the start.
    ///
    /// # Errors
    ///
    /// If the function costs more than the limits allow: the rest of a sentence about it.
    pub(super) fn charge(
        &mut self,
        dfg: &DataFlowGraph,
        plan: Plan,
        references: usize,
        calls: usize,
    ) -> Result<()> {
        let new_blocks = dfg.num_blocks() - mem::replace(&mut self.blocks, dfg.num_blocks());
        let new_calls = calls - mem::replace(&mut self.calls, calls);
        self.live_references += ((new_blocks + new_calls) * references) as u64;
        if dfg.num_values() > MAX_VALUES {
            bail!("needs more than {MAX_VALUES} values");
        }
        if dfg.value_lists.capacity() > MAX_ARGUMENTS {
            bail!("passes more than {MAX_ARGUMENTS} arguments to its calls and branches");
        }
        if plan.no_references && references > 0 {
            bail!("has references in more than {DEEP_LOOPS_OF_REFERENCES} open loops");
        }
        if self.live_references > MAX_LIVE_REFERENCES {
            bail!("has more than {MAX_LIVE_REFERENCES} live references, over all blocks and calls");
        }
        Ok(())
    }
}

/// The error of a function that Cranelift cannot compile. Others are handed on.
pub(super) fn refused(error: Error, function: &str) -> Error {
    let reason = match error.downcast_ref() {
        Some(CodegenError::CodeTooLarge) => {
            "is too large: it needs more values or more machine code than Cranelift can number"
        }
        Some(CodegenError::ImplLimitExceeded) => {
            "is too large: its frame or its arguments take more stack than Cranelift can address"
        }
        _ => return error.context(format!("compiling {function}")),
    };
    error.context(format!("{function} {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_cranelift_name_the_function() {
        let text = |error: CodegenError| format!("{:#}", refused(error.into(), "function 3 (`f`)"));
        let too_large = text(CodegenError::CodeTooLarge);
        assert!(too_large.starts_with("function 3 (`f`) is too large: it needs"), "{too_large}");
        let limit = text(CodegenError::ImplLimitExceeded);
        assert!(limit.starts_with("function 3 (`f`) is too large: its frame"), "{limit}");
        let other = text(CodegenError::Unsupported("this".into()));
        assert_eq!(other, "compiling function 3 (`f`): Unsupported feature: this");
    }
}
