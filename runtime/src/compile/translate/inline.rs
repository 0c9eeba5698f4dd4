//! Inlining: the bodies of small functions take the place of calls of them. Decides which; what an
//! inlined function computes, where it traps, what it charges and what backtraces show of it is
//! the same as if it were called.
//!
//! A body is translated anew wherever it is inlined, from its bytes: it shares the operand stack and
//! the control frames of its caller, but has its own locals, and its `return` is a branch.

use std::mem;

use wasmparser::{FuncValidatorAllocations, Operator};

use super::Translator;
use super::env::ModuleBody;
use super::frame::FrameKind;
use super::hint::Hints;
use crate::Result;
use crate::compile::limits::Effort;
use crate::compile::location::Locations;
use crate::compile::source_range;
use crate::wasm::index::DefinedFuncIndex;

/// Bytes of the largest body that is inlined: a call and what surrounds it take about as much code.
const MAX_BODY: u64 = 40;
/// Calls in a body that is inlined: more of them, and what the body itself does matters little.
const MAX_CALLS: usize = 2;
/// How deep inlined bodies are nested.
const MAX_DEPTH: usize = 3;
/// Bytes of bodies that may be inlined into one function whatever its own size.
const LEAST_BUDGET: u64 = 64;

/// The bodies that are being translated into one function.
pub(super) struct Inlining {
    /// From the function itself to the innermost body that is inlined.
    open: Vec<DefinedFuncIndex>,
    /// What is added to an offset in the innermost body, without regard to overflow, to get its
    /// location.
    shift: u32,
    /// The position of the innermost body's own frame.
    pub(super) frame: usize,
    /// Bytes of bodies that may still be inlined.
    budget: u64,
    pub(super) locations: Locations,
}

impl Inlining {
    pub(super) fn new(func: DefinedFuncIndex, body: &ModuleBody<'_>, effort: Effort) -> Inlining {
        // In proportion, so that compiling a module takes time in proportion to its size.
        let budget = match effort {
            Effort::Full => LEAST_BUDGET + 2 * body.len(),
            Effort::Careful | Effort::Quick => 0,
        };
        let locations = Locations::new(source_range(&body.code));
        Inlining { open: vec![func], shift: 0, frame: 0, budget, locations }
    }

    /// The location of a place in the innermost body.
    pub(super) fn location(&self, offset: u32) -> u32 {
        offset.wrapping_add(self.shift)
    }

    /// Whether `func` may be inlined in the innermost body. A function may be inlined in itself, which
    /// halves the depth of a recursion, but no deeper.
    fn may_nest(&self, func: DefinedFuncIndex) -> bool {
        let is_outermost = self.open.len() == 1;
        is_outermost || self.open.len() <= MAX_DEPTH && !self.open.contains(&func)
    }
}

/// Whether inlining `body`, a valid one, may pay at all. A loop takes longer than a call, and a tail
/// call must not find its caller's frame.
pub(super) fn is_small(body: &ModuleBody<'_>) -> bool {
    if body.len() > MAX_BODY {
        return false;
    }
    let mut calls = 0;
    let mut is_fit = |operator: &Operator<'_>| {
        calls += usize::from(matches!(
            operator,
            Operator::Call { .. } | Operator::CallIndirect { .. } | Operator::CallRef { .. }
        ));
        let is_unfit = matches!(
            operator,
            Operator::Loop { .. }
                | Operator::TryTable { .. }
                | Operator::BrTable { .. }
                | Operator::ReturnCall { .. }
                | Operator::ReturnCallIndirect { .. }
                | Operator::ReturnCallRef { .. }
        );
        !is_unfit && calls <= MAX_CALLS
    };
    let operators = body.code.get_operators_reader();
    operators.is_ok_and(|operators| {
        operators.into_iter().all(|operator| operator.is_ok_and(|operator| is_fit(&operator)))
    })
}

impl<'a> Translator<'a> {
    /// Translates the body of `func` in place of a call, if that seems to pay: takes the arguments off
    /// the stack and leaves the results there. Returns whether it did.
    pub(super) fn inline(&mut self, func: DefinedFuncIndex) -> Result<bool> {
        let (env, call) = (self.env, self.builder.srcloc().bits());
        let body = env.body(func);
        if self.cold || body.len() > self.inlining.budget || !self.inlining.may_nest(func) {
            return Ok(false);
        }
        if !env.is_inlinable(func) {
            return Ok(false);
        }
        let range = source_range(&body.code);
        let start = range.start;
        let Some(first) = self.inlining.locations.inline(func, range, call) else {
            return Ok(false);
        };
        self.inlining.budget -= body.len();
        let shift = mem::replace(&mut self.inlining.shift, first.wrapping_sub(start));
        let frame = mem::replace(&mut self.inlining.frame, self.frames.len());
        self.inlining.open.push(func);
        self.inlined_body(func, body)?;
        self.inlining.open.pop();
        self.inlining.frame = frame;
        self.inlining.shift = shift;
        Ok(true)
    }

    fn inlined_body(&mut self, func: DefinedFuncIndex, body: &ModuleBody<'a>) -> Result<()> {
        let index = self.env.info.func_index(func);
        let ty = self.env.info.func_type(index);
        let args = self.pop_many(ty.params.len());
        let hints = Hints::of(self.env.info, index, body);
        let hints = mem::replace(&mut self.hints, hints);
        let locals = mem::take(&mut self.locals);
        let reference_locals = self.reference_locals;
        for (ty, value) in ty.params.iter().zip(args) {
            self.declare_local(*ty, value);
        }
        self.push_frame(FrameKind::Block, 0, &ty.results);
        let mut validator = body.validator(FuncValidatorAllocations::default());
        self.code(body, &mut validator)?;
        self.reference_locals = reference_locals;
        self.locals = locals;
        self.hints = hints;
        Ok(())
    }
}
