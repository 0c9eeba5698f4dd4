//! Blocks and branches. Calls are in `call`.

use std::collections::HashMap;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, BlockCall, InstBuilder, JumpTableData, Value};
use wasmparser::{BlockType, BrTable};

use super::Translator;
use super::frame::FrameKind;
use crate::wasm::convert;
use crate::wasm::index::TypeIndex;
use crate::wasm::types::ValType;
use crate::{Result, Trap};

type Types<'a> = std::borrow::Cow<'a, [ValType<TypeIndex>]>;

impl<'a> Translator<'a> {
    pub(super) fn unreachable(&mut self) {
        let code = self.trap_code(Trap::UnreachableCodeReached);
        self.raise(code);
        self.reachable = false;
    }

    /// Opens the frame of the function body, whose exit is the return.
    pub(super) fn enter_function(&mut self, results: &[ValType<TypeIndex>]) {
        self.push_frame(FrameKind::Function, 0, results);
    }

    /// Opens the frame of a structured instruction that is skipped.
    pub(super) fn enter_unreachable(&mut self) {
        self.push_frame(FrameKind::Unreachable, 0, &[]);
    }

    pub(super) fn block(&mut self, ty: BlockType) {
        let (params, results) = self.block_type(ty);
        self.push_frame(FrameKind::Block, params.len(), &results);
    }

    pub(super) fn loop_(&mut self, ty: BlockType) {
        let (params, results) = self.block_type(ty);
        let header = self.block_with_params(&params);
        if self.cold {
            self.set_cold(header);
        }
        let args = self.top_args(params.len());
        self.builder.ins().jump(header, &args);
        self.builder.switch_to_block(header);
        self.stack.truncate(self.stack.len() - params.len());
        self.stack.extend_from_slice(self.builder.block_params(header));
        let kind = FrameKind::Loop { header, params: params.len() };
        self.push_frame(kind, params.len(), &results);
        self.fuel_check();
        self.epoch_check();
    }

    pub(super) fn if_(&mut self, ty: BlockType, offset: u64) {
        let (params, results) = self.block_type(ty);
        let condition = self.pop();
        let then = self.next_block();
        let otherwise = self.next_block();
        match self.hint(offset) {
            Some(true) => self.set_cold(otherwise),
            Some(false) => self.set_cold(then),
            None => {}
        }
        self.builder.ins().brif(condition, then, &[], otherwise, &[]);
        self.builder.seal_block(then);
        self.enter(then);
        let values = self.stack[self.stack.len() - params.len()..].to_vec();
        let kind = FrameKind::Then { otherwise, params: values };
        self.push_frame(kind, params.len(), &results);
    }

    /// Ends the first half of an `if` and begins the other one.
    pub(super) fn else_(&mut self) {
        let frame = self.frame_at(0);
        let kind = std::mem::replace(&mut frame.kind, FrameKind::Else);
        let FrameKind::Then { otherwise, params } = kind else {
            frame.kind = FrameKind::Unreachable;
            return;
        };
        let (exit, results, height) = (frame.exit, frame.results, frame.height);
        let (reachable, warm) = (self.reachable, self.reachable && !self.cold);
        let frame = self.frame_at(0);
        frame.exit_used |= reachable;
        frame.exit_warm |= warm;
        self.jump_to_exit(exit, results);
        self.continue_in(otherwise, height);
        self.stack.extend(params);
    }

    pub(super) fn end(&mut self) {
        if let FrameKind::Then { .. } = self.frame_at(0).kind {
            // Without `else` the other half hands the parameters on: they are the results.
            self.else_();
        }
        let mut frame = self.frames.pop().expect("validated: `end` has a beginning");
        match frame.kind {
            FrameKind::Unreachable => return,
            FrameKind::Loop { header, .. } => self.builder.seal_block(header),
            FrameKind::TryTable { ref clauses } => {
                frame.exit_used |= self.reachable;
                frame.exit_warm |= self.reachable && !self.cold;
                self.jump_to_exit(frame.exit, frame.results);
                self.reachable = false;
                self.end_try_table(clauses);
            }
            _ => {}
        }
        if frame.exit_used {
            self.jump_to_exit(frame.exit, frame.results);
            let warm = frame.exit_warm || self.reachable && !self.cold;
            if !warm {
                self.set_cold(frame.exit);
            }
            self.continue_in(frame.exit, frame.height);
        } else if !self.reachable {
            self.stack.truncate(frame.height);
        }
        if let (FrameKind::Function, true) = (frame.kind, self.reachable) {
            self.return_values(frame.results);
        }
    }

    pub(super) fn br(&mut self, depth: u32) {
        if let FrameKind::Function = self.frame_at(depth).kind {
            let results = self.frame_at(depth).results;
            return self.return_values(results);
        }
        let (block, arity) = self.branch_target(depth);
        let args = self.top_args(arity);
        self.builder.ins().jump(block, &args);
        self.reachable = false;
    }

    pub(super) fn br_if(&mut self, depth: u32, offset: u64) {
        let condition = self.pop();
        let hint = self.hint(offset);
        self.branch_if(condition, depth, hint);
    }

    /// Branches without the reference if it is null, and keeps it if not.
    pub(super) fn br_on_null(&mut self, depth: u32) {
        let value = self.pop();
        let is_null = self.is_zero(value);
        self.branch_if(is_null, depth, None);
        self.push(value);
    }

    /// Branches with the reference if it is not null, and drops it if it is.
    pub(super) fn br_on_non_null(&mut self, depth: u32) {
        let value = *self.stack.last().expect("validated: the reference is on the stack");
        let is_set = self.builder.ins().icmp_imm_u(IntCC::NotEqual, value, 0);
        self.branch_if(is_set, depth, None);
        self.pop();
    }

    fn branch_if(&mut self, condition: Value, depth: u32, hint: Option<bool>) {
        let (block, arity) = match hint {
            Some(false) => self.unlikely_target(depth),
            _ => self.branch_target(depth),
        };
        let args = self.top_args(arity);
        let next = self.next_block();
        if hint == Some(true) {
            self.set_cold(next);
        }
        self.builder.ins().brif(condition, block, &args, next, &[]);
        self.builder.seal_block(next);
        self.enter(next);
    }

    pub(super) fn br_table(&mut self, targets: &BrTable<'_>) -> Result<()> {
        if targets.is_empty() {
            self.pop();
            self.br(targets.default());
            return Ok(());
        }
        let index = self.pop();
        let mut edges = Edges::default();
        let default = self.table_edge(&mut edges, targets.default());
        let mut calls = Vec::with_capacity(targets.len() as usize);
        for depth in targets.targets() {
            calls.push(self.table_edge(&mut edges, depth?));
            self.charge()?;
        }
        let table = self.builder.create_jump_table(JumpTableData::new(default, &calls));
        self.builder.ins().br_table(index, table);
        for (edge, target, args) in edges.blocks {
            self.builder.seal_block(edge);
            self.builder.switch_to_block(edge);
            self.builder.ins().jump(target, &args);
        }
        self.reachable = false;
        Ok(())
    }

    /// What a jump table holds for a branch of this depth. A branch with values goes through a
    /// block of its own, one for all entries of the table with that depth: otherwise Cranelift
    /// would make one for each entry.
    fn table_edge(&mut self, edges: &mut Edges, depth: u32) -> BlockCall {
        let (target, arity) = self.branch_target(depth);
        let block = if arity == 0 {
            target
        } else {
            *edges.by_depth.entry(depth).or_insert_with(|| {
                let edge = self.builder.create_block();
                edges.blocks.push((edge, target, self.top_args(arity)));
                edge
            })
        };
        self.builder.func.dfg.block_call(block, &[])
    }

    pub(super) fn return_(&mut self) {
        let depth = self.frames.len() - 1 - self.inlining.frame;
        self.br(u32::try_from(depth).expect("depths fit u32"));
    }

    fn return_values(&mut self, count: usize) {
        let values = self.pop_many(count);
        self.builder.ins().return_(&values);
        self.reachable = false;
    }

    /// The types of a block's parameters and results.
    pub(super) fn block_type(&self, ty: BlockType) -> (Types<'a>, Types<'a>) {
        match ty {
            BlockType::Empty => (Types::default(), Types::default()),
            BlockType::Type(ty) => (Types::default(), vec![convert::val_type(ty)].into()),
            BlockType::FuncType(index) => {
                let info = self.env.info;
                let ty = info.func_type_at(TypeIndex(index));
                (Types::Borrowed(&ty.params), Types::Borrowed(&ty.results))
            }
        }
    }
}

/// The blocks that a jump table goes through.
#[derive(Default)]
struct Edges {
    by_depth: HashMap<u32, Block>,
    /// Each with its target and what it passes on.
    blocks: Vec<(Block, Block, Vec<BlockArg>)>,
}
