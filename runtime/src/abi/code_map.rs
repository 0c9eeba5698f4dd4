//! What is known about published machine code, as plain data: which function a pc is in, its trap,
//! its live references, its handlers, its place in the Wasm bytes. All tables are sorted by code
//! offset, which counts from the start of the text. Reading allocates nothing and takes no lock.

use std::any::Any;
use std::sync::{Arc, OnceLock, Weak};

use serde::{Deserialize, Serialize};

use super::offset_table::OffsetTable;
use super::plain;
use crate::wasm::index::DefinedFuncIndex;
use crate::wasm::module::ModuleInfo;

/// One piece of published code: where it is, and its tables.
#[derive(Debug, Default)]
pub(crate) struct CodeMap {
    /// Address of the first byte of the text.
    pub(crate) base: usize,
    /// Bytes of text.
    pub(crate) len: usize,
    /// The module whose functions these are; `None` for trampolines.
    pub(crate) module: Option<Arc<ModuleInfo>>,
    /// Who keeps the code of a module alive, once it does: something of `instance`, for backtraces.
    pub(crate) owner: OnceLock<Weak<dyn Any + Send + Sync>>,
    pub(crate) tables: CodeTables,
}

/// What is known about the functions of a text, wherever it is.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CodeTables {
    pub(crate) functions: Box<[FunctionCode]>,
    /// Instructions that may fault: trap codes.
    pub(crate) traps: OffsetTable,
    pub(crate) stack_maps: Box<[StackMap]>,
    /// The slots of all stack maps: offsets from the stack pointer of the frame.
    #[serde(with = "plain")]
    pub(crate) stack_map_slots: Box<[u32]>,
    /// Calls that an exception may come back from to a handler of the same function.
    pub(crate) call_sites: Box<[CallSite]>,
    /// The handlers of all call sites.
    pub(crate) handlers: Box<[Handler]>,
    /// Offsets in the Wasm bytes: each holds from its code offset to the next entry's.
    pub(crate) source: OffsetTable,
    /// Where the code of inlined functions is: from each code offset to the next, the position in
    /// `inlined_calls` of the innermost call, or [`NOT_INLINED`].
    #[serde(with = "plain")]
    pub(crate) inlined: Box<[(u32, u32)]>,
    pub(crate) inlined_calls: Box<[InlinedCall]>,
}

/// What [`CodeTables::inlined`] says of code that belongs to the function it is in.
pub(crate) const NOT_INLINED: u32 = u32::MAX;

/// A call that was replaced by the code of its callee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InlinedCall {
    pub(crate) callee: DefinedFuncIndex,
    /// Where the call stands in the Wasm bytes.
    pub(crate) source: u32,
    /// The position of the inlined call whose callee made this one; `None` if the function itself did.
    pub(crate) within: Option<u32>,
}

/// One function's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FunctionCode {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) kind: CodeKind,
}

/// What a piece of code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CodeKind {
    Wasm(DefinedFuncIndex),
    /// An entry trampoline: its activation stands `activation_below_fp` bytes below its frame
    /// pointer.
    Entry {
        activation_below_fp: u32,
    },
    /// An exit or builtin trampoline.
    Exit,
}

/// The references that are live while a call runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StackMap {
    /// Offset of the return address.
    pub(crate) ret: u32,
    /// The stack pointer of the frame is its frame pointer less this.
    pub(crate) frame_size: u32,
    /// The slots: a range of `CodeMap::stack_map_slots`.
    pub(crate) first_slot: u32,
    pub(crate) slots: u32,
}

/// A call inside a `try_table`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CallSite {
    /// Offset of the return address.
    pub(crate) ret: u32,
    /// The stack pointer of the frame is its frame pointer less this.
    pub(crate) frame_size: u32,
    /// Where the frame holds its vmctx, from the stack pointer.
    pub(crate) ctx_slot: u32,
    /// A range of `CodeMap::handlers`: the first one that fits is taken.
    pub(crate) first_handler: u32,
    pub(crate) handlers: u32,
}

/// Where an exception continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Handler {
    /// The offset in the vmctx of the tag it is for; `None` for exceptions of any tag.
    pub(crate) tag: Option<u32>,
    /// Offset of the code.
    pub(crate) target: u32,
}

impl CodeMap {
    /// The offset of `pc`, if it lies in this text.
    pub(crate) fn offset(&self, pc: usize) -> Option<u32> {
        let offset = pc.wrapping_sub(self.base);
        (offset < self.len).then_some(offset as u32)
    }

    /// The function that contains `offset`.
    pub(crate) fn function(&self, offset: u32) -> Option<&FunctionCode> {
        let next = self.tables.functions.partition_point(|function| function.start <= offset);
        let function = &self.tables.functions[next.checked_sub(1)?];
        (offset < function.end).then_some(function)
    }

    /// The trap of the instruction at `offset`.
    pub(crate) fn trap(&self, offset: u32) -> Option<u8> {
        let (at, trap) = self.tables.traps.find(offset)?;
        if at == offset { u8::try_from(trap).ok() } else { None }
    }

    /// The stack map of the call that returns to `ret`.
    pub(crate) fn stack_map(&self, ret: u32) -> Option<StackMap> {
        let position = self.tables.stack_maps.binary_search_by_key(&ret, |map| map.ret).ok()?;
        Some(self.tables.stack_maps[position])
    }

    /// The slots of `map`.
    pub(crate) fn slots(&self, map: StackMap) -> &[u32] {
        &self.tables.stack_map_slots[map.first_slot as usize..][..map.slots as usize]
    }

    /// The call that returns to `ret`, if it has handlers.
    pub(crate) fn call_site(&self, ret: u32) -> Option<CallSite> {
        let position = self.tables.call_sites.binary_search_by_key(&ret, |site| site.ret).ok()?;
        Some(self.tables.call_sites[position])
    }

    /// The handlers of `site`.
    pub(crate) fn handlers(&self, site: CallSite) -> &[Handler] {
        &self.tables.handlers[site.first_handler as usize..][..site.handlers as usize]
    }

    /// The offset in the Wasm bytes of the instruction that contains code offset `offset`.
    pub(crate) fn source(&self, offset: u32) -> Option<u32> {
        self.tables.source.find(offset).map(|(_, source)| source)
    }

    /// The Wasm functions whose code `offset` is in, each with its place in the Wasm bytes: those
    /// that were inlined there, innermost first, and the one that has them inlined.
    pub(crate) fn wasm_frames(
        &self,
        offset: u32,
    ) -> impl Iterator<Item = (DefinedFuncIndex, Option<u32>)> {
        let outermost = self.function(offset).and_then(|function| match function.kind {
            CodeKind::Wasm(func) => Some(func),
            CodeKind::Entry { .. } | CodeKind::Exit => None,
        });
        let mut source = self.source(offset);
        let mut inlined = outermost.and_then(|_| self.inlined_at(offset));
        let mut outermost = outermost;
        std::iter::from_fn(move || {
            let Some(call) = inlined else { return outermost.take().map(|func| (func, source)) };
            let frame = (call.callee, source);
            source = Some(call.source);
            inlined = call.within.map(|call| self.tables.inlined_calls[call as usize]);
            Some(frame)
        })
    }

    /// The innermost inlined call whose callee's code is at `offset`.
    fn inlined_at(&self, offset: u32) -> Option<InlinedCall> {
        let next = self.tables.inlined.partition_point(|entry| entry.0 <= offset);
        let call = self.tables.inlined[next.checked_sub(1)?].1;
        (call != NOT_INLINED).then(|| self.tables.inlined_calls[call as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_answer_by_offset() {
        let kind = CodeKind::Wasm(DefinedFuncIndex(3));
        let map = CodeMap {
            base: 0x1000,
            len: 0x40,
            module: None,
            owner: OnceLock::new(),
            tables: CodeTables {
                functions: Box::new([
                    FunctionCode { start: 0, end: 0x10, kind: CodeKind::Exit },
                    FunctionCode { start: 0x20, end: 0x40, kind },
                ]),
                traps: OffsetTable::new([(0x24, 7)]),
                stack_maps: Box::new([StackMap {
                    ret: 0x28,
                    frame_size: 32,
                    first_slot: 1,
                    slots: 1,
                }]),
                stack_map_slots: Box::new([0, 8]),
                call_sites: Box::new([CallSite {
                    ret: 0x28,
                    frame_size: 32,
                    ctx_slot: 8,
                    first_handler: 0,
                    handlers: 1,
                }]),
                handlers: Box::new([Handler { tag: None, target: 0x38 }]),
                source: OffsetTable::new([(0x20, 100), (0x28, 105)]),
                inlined: Box::new([(0x28, 1), (0x30, NOT_INLINED)]),
                inlined_calls: Box::new([
                    InlinedCall { callee: DefinedFuncIndex(5), source: 101, within: None },
                    InlinedCall { callee: DefinedFuncIndex(6), source: 52, within: Some(0) },
                ]),
            },
        };
        assert_eq!(map.offset(0xfff), None);
        assert_eq!(map.offset(0x1040), None);
        let offset = map.offset(0x1024).unwrap();
        assert_eq!(map.function(offset).unwrap().kind, kind);
        assert_eq!(map.function(0x18), None);
        assert_eq!(map.trap(offset), Some(7));
        assert_eq!(map.trap(offset + 1), None);
        assert_eq!(map.slots(map.stack_map(0x28).unwrap()), [8]);
        assert_eq!(map.call_site(0x29), None);
        assert_eq!(map.handlers(map.call_site(0x28).unwrap())[0].target, 0x38);
        assert_eq!(map.source(0x27), Some(100));
        assert_eq!(map.source(0x1f), None);
        let frames = |offset| map.wasm_frames(offset).map(|(func, at)| (func.0, at)).collect();
        let at_0x2f: Vec<_> = frames(0x2f);
        assert_eq!(at_0x2f, [(6, Some(105)), (5, Some(52)), (3, Some(101))]);
        assert_eq!(frames(0x30), [(3, Some(105))]);
        assert_eq!(frames(0x27), [(3, Some(100))]);
        assert_eq!(frames(0x8), []);
    }
}
