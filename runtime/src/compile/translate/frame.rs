//! Control frames: where branches go, and how many values they carry.

use cranelift_codegen::ir::{Block, InstBuilder, Value};

use super::Translator;
use super::exception::Handler;
use crate::wasm::index::TypeIndex;
use crate::wasm::types::ValType;

/// A structured instruction that has begun and not ended.
pub(super) struct Frame {
    pub(super) kind: FrameKind,
    /// Where control goes after `end`; its parameters are the results.
    pub(super) exit: Block,
    /// Whether anything jumps to `exit`. If nothing does, the block is never made.
    pub(super) exit_used: bool,
    /// Whether something that is not cold jumps to `exit`.
    pub(super) exit_warm: bool,
    pub(super) results: usize,
    /// The height of the operand stack below the parameters.
    pub(super) height: usize,
}

/// What a frame is of.
pub(super) enum FrameKind {
    Function,
    Block,
    /// Branches go back to `header`, with the parameters.
    Loop {
        header: Block,
        params: usize,
    },
    /// The first half of an `if`. The other half starts in `otherwise`, with `params`.
    Then {
        otherwise: Block,
        params: Vec<Value>,
    },
    Else,
    /// Exceptions of calls inside go to `clauses`.
    TryTable {
        clauses: Vec<Handler>,
    },
    /// It began where control cannot be: nothing in it is translated.
    Unreachable,
}

impl Translator<'_> {
    /// The frame that a branch of this depth leaves, or goes back to.
    pub(super) fn frame_at(&mut self, depth: u32) -> &mut Frame {
        let position = self.frames.len() - 1 - depth as usize;
        &mut self.frames[position]
    }

    /// The block that a branch of this depth jumps to, and the number of values it takes along.
    pub(super) fn branch_target(&mut self, depth: u32) -> (Block, usize) {
        let warm = !self.cold;
        let target = self.unlikely_target(depth);
        self.frame_at(depth).exit_warm |= warm;
        target
    }

    /// [`Translator::branch_target`] of a branch that is probably not taken.
    pub(super) fn unlikely_target(&mut self, depth: u32) -> (Block, usize) {
        let frame = self.frame_at(depth);
        match frame.kind {
            FrameKind::Loop { header, params } => (header, params),
            _ => {
                frame.exit_used = true;
                (frame.exit, frame.results)
            }
        }
    }

    /// A block with a parameter for each of `types`.
    pub(super) fn block_with_params(&mut self, types: &[ValType<TypeIndex>]) -> Block {
        let block = self.builder.create_block();
        for ty in types {
            let param = self.builder.append_block_param(block, self.clif_type(*ty));
            self.declare_reference(*ty, param);
        }
        block
    }

    /// Opens a frame whose `params` topmost values are parameters.
    pub(super) fn push_frame(
        &mut self,
        kind: FrameKind,
        params: usize,
        results: &[ValType<TypeIndex>],
    ) {
        let exit = self.block_with_params(results);
        self.frames.push(Frame {
            kind,
            exit,
            exit_used: false,
            exit_warm: false,
            results: results.len(),
            height: self.stack.len() - params,
        });
    }

    /// Jumps from the end of a frame's code to its exit, if control gets there.
    pub(super) fn jump_to_exit(&mut self, exit: Block, results: usize) {
        if self.reachable {
            let args = self.top_args(results);
            self.builder.ins().jump(exit, &args);
        }
    }

    /// Continues in `block`, whose predecessors are all known, with its parameters on a stack of
    /// height `height`.
    pub(super) fn continue_in(&mut self, block: Block, height: usize) {
        self.stack.truncate(height);
        self.enter(block);
        self.builder.seal_block(block);
        self.stack.extend_from_slice(self.builder.block_params(block));
        self.reachable = true;
    }
}
