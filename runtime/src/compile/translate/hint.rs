//! Branch hints: which way control probably goes. What it probably does not reach is laid out behind
//! all other code.

use cranelift_codegen::ir::Block;

use super::Translator;
use super::env::ModuleBody;
use crate::wasm::index::FuncIndex;
use crate::wasm::module::{BranchHint, ModuleInfo};

/// The hints of one body that are still to come.
#[derive(Default)]
pub(super) struct Hints<'a> {
    rest: &'a [BranchHint],
    /// Where the body starts.
    start: u64,
}

impl<'a> Hints<'a> {
    /// Those of the function `func`, which has this body.
    pub(super) fn of(info: &'a ModuleInfo, func: FuncIndex, body: &ModuleBody<'_>) -> Hints<'a> {
        let rest = info.branch_hints.get(&func).map_or(&[][..], |hints| hints);
        Hints { rest, start: body.code.range().start }
    }

    /// Whether the condition of the operator at `offset` probably holds, if a hint says so. Offsets
    /// only grow from call to call.
    fn at(&mut self, offset: u64) -> Option<bool> {
        while let [hint, rest @ ..] = self.rest {
            let hinted = self.start + u64::from(hint.offset);
            if hinted > offset {
                return None;
            }
            self.rest = rest;
            if hinted == offset {
                return Some(hint.taken);
            }
        }
        None
    }
}

impl Translator<'_> {
    /// Whether the condition of the operator at `offset`, which is being translated, probably holds.
    pub(super) fn hint(&mut self, offset: u64) -> Option<bool> {
        self.hints.at(offset)
    }

    /// A block that follows the current one; where that is cold, so is the new one.
    pub(super) fn next_block(&mut self) -> Block {
        let block = self.builder.create_block();
        if self.cold {
            self.set_cold(block);
        }
        block
    }

    /// Continues in `block`, which is cold or is not.
    pub(super) fn enter(&mut self, block: Block) {
        self.builder.switch_to_block(block);
        self.cold = self.builder.func.layout.is_cold(block);
    }
}
