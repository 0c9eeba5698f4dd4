//! Joins compiled functions to one text: lays them out, resolves the calls between them, and moves
//! their tables along. What a text names outside itself is left to `code`.

use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::TargetIsa;

use super::artifact::{Artifact, CompiledFunction, RelocTarget, Relocation};
use crate::abi::code_map::{
    CallSite, CodeTables, FunctionCode, Handler, InlinedCall, NOT_INLINED, StackMap,
};
use crate::abi::offset_table::OffsetTable;

/// Joins `functions`, in their order.
///
/// # Panics
///
/// If a function names one that is not there, or in a way other than a call.
pub(crate) fn link(isa: &dyn TargetIsa, functions: Vec<CompiledFunction>) -> Artifact<'static> {
    let mut text = isa.text_section_builder(functions.len());
    let mut control = ControlPlane::default();
    let mut tables = Tables::default();
    let mut outside = Vec::new();
    for function in functions {
        let end = tables.functions.last().map_or(0, |function| function.end);
        let gap = function.placement.start(end) - end;
        text.append(false, &vec![0; gap as usize], 1, &mut control);
        let start = text.append(true, &function.code, function.placement.align, &mut control);
        let start = u32::try_from(start).expect("a text has fewer than 2^32 bytes");
        for Relocation { offset, kind, addend, target } in &function.relocs {
            let offset = start + offset;
            match target {
                RelocTarget::Function(func) => {
                    let at = u64::from(offset);
                    let resolved = text.resolve_reloc(at, *kind, *addend, func.index());
                    assert!(resolved, "functions of one text call each other, found {kind:?}");
                }
                target => outside.push(Relocation {
                    offset,
                    kind: *kind,
                    addend: *addend,
                    target: *target,
                }),
            }
        }
        tables.add(start, function);
    }
    let text = text.finish(&mut control);
    Artifact { text: text.into(), relocs: outside, tables: tables.finish() }
}

/// The tables of a text in the making. Functions come in order, and the tables of each are sorted.
#[derive(Default)]
struct Tables {
    functions: Vec<FunctionCode>,
    traps: Vec<(u32, u32)>,
    stack_maps: Vec<StackMap>,
    stack_map_slots: Vec<u32>,
    call_sites: Vec<CallSite>,
    handlers: Vec<Handler>,
    source: Vec<(u32, u32)>,
    inlined: Vec<(u32, u32)>,
    inlined_calls: Vec<InlinedCall>,
}

impl Tables {
    /// Adds the tables of `function`, whose code begins at `start`.
    fn add(&mut self, start: u32, function: CompiledFunction) {
        let len = u32::try_from(function.code.len()).expect("a text has fewer than 2^32 bytes");
        let kind = function.kind;
        self.functions.push(FunctionCode { start, end: start + len, kind });
        self.traps.extend(function.traps.into_iter().map(|(at, trap)| (start + at, trap.into())));
        self.source.extend(function.source.into_iter().map(|(at, wasm)| (start + at, wasm)));
        for (ret, frame_size, slots) in function.stack_maps {
            let (first_slot, count) = range(&self.stack_map_slots, &slots);
            self.stack_maps.push(StackMap {
                ret: start + ret,
                frame_size,
                first_slot,
                slots: count,
            });
            self.stack_map_slots.extend(slots);
        }
        for call in function.call_sites {
            let (first_handler, count) = range(&self.handlers, &call.handlers);
            self.call_sites.push(CallSite {
                ret: start + call.ret,
                frame_size: call.frame_size,
                ctx_slot: call.ctx_slot,
                first_handler,
                handlers: count,
            });
            let moved = |handler: Handler| Handler { target: start + handler.target, ..handler };
            self.handlers.extend(call.handlers.into_iter().map(moved));
        }
        self.add_inlined(start, start + len, function.inlined, function.inlined_calls);
    }

    /// Adds where inlined functions are in the code from `start` to `end`, and their calls.
    fn add_inlined(
        &mut self,
        start: u32,
        end: u32,
        places: Vec<(u32, Option<u32>)>,
        calls: Vec<InlinedCall>,
    ) {
        let (first, _) = range(&self.inlined_calls, &calls);
        for (at, call) in places {
            self.inlined.push((start + at, call.map_or(NOT_INLINED, |call| first + call)));
        }
        if !calls.is_empty() {
            self.inlined.push((end, NOT_INLINED));
        }
        let moved = |call: InlinedCall| InlinedCall {
            within: call.within.map(|outer| first + outer),
            ..call
        };
        self.inlined_calls.extend(calls.into_iter().map(moved));
    }

    fn finish(self) -> CodeTables {
        CodeTables {
            functions: self.functions.into(),
            traps: OffsetTable::new(self.traps),
            stack_maps: self.stack_maps.into(),
            stack_map_slots: self.stack_map_slots.into(),
            call_sites: self.call_sites.into(),
            handlers: self.handlers.into(),
            source: OffsetTable::new(self.source),
            inlined: self.inlined.into(),
            inlined_calls: self.inlined_calls.into(),
        }
    }
}

/// Where the rows of `more` will be after those of `table`, and their number.
fn range<T>(table: &[T], more: &[T]) -> (u32, u32) {
    let number = |len| u32::try_from(len).expect("a table has fewer rows than its text has bytes");
    (number(table.len()), number(more.len()))
}
