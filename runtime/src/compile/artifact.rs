//! What compiling yields: bytes, side tables and symbolic relocations. Holds no addresses and no
//! engine ids; `code` patches and publishes it.

use std::borrow::Cow;

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::{ExternalName, Function, LibCall, UserExternalName};
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::{
    CompiledCode, ExceptionContextLoc, FinalizedMachExceptionHandler, FinalizedRelocTarget,
    MachTrap,
};

use serde::{Deserialize, Serialize};

use super::location::Locations;
use super::placement::Placement;
use crate::Trap;
use crate::abi::builtins::Builtin;
use crate::abi::code_map::{CodeKind, CodeTables, Handler, InlinedCall};
use crate::wasm::index::DefinedFuncIndex;

/// The functions of one compilation as one text, in the order that was asked for. It runs at any
/// address, once its relocations are resolved.
#[derive(Debug)]
pub(crate) struct Artifact<'a> {
    /// Borrowed if it was compiled before.
    pub(crate) text: Cow<'a, [u8]>,
    /// What the text names outside itself, in order.
    pub(crate) relocs: Vec<Relocation>,
    pub(crate) tables: CodeTables,
}

/// One function's machine code. Offsets count from the first byte of `code`; every table is sorted
/// by offset.
#[derive(Debug)]
pub(crate) struct CompiledFunction {
    pub(crate) kind: CodeKind,
    pub(crate) code: Vec<u8>,
    pub(crate) placement: Placement,
    pub(crate) relocs: Vec<Relocation>,
    /// Instructions that may fault, with the [`Trap::code`] of the fault.
    pub(crate) traps: Vec<(u32, u8)>,
    /// Return offset, frame size, and the slots' offsets from the stack pointer.
    pub(crate) stack_maps: Vec<(u32, u32, Vec<u32>)>,
    /// Calls with handlers. Empty for trampolines, whose handlers `vm` knows by other means.
    pub(crate) call_sites: Vec<HandledCall>,
    /// Offsets in the Wasm bytes, each valid up to the next entry. Empty for trampolines.
    pub(crate) source: Vec<(u32, u32)>,
    /// The calls whose callees' code is part of this code, each behind the one that it is within.
    pub(crate) inlined_calls: Vec<InlinedCall>,
    /// Where that code is: from each offset to the next, the innermost call, if any.
    pub(crate) inlined: Vec<(u32, Option<u32>)>,
}

/// A call that an exception may come back from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HandledCall {
    /// Offset of the return address.
    pub(crate) ret: u32,
    /// The stack pointer of the frame is its frame pointer less this.
    pub(crate) frame_size: u32,
    /// Where the frame holds its vmctx, from the stack pointer.
    pub(crate) ctx_slot: u32,
    /// Innermost first.
    pub(crate) handlers: Vec<Handler>,
}

/// A place in the code that names something outside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Relocation {
    pub(crate) offset: u32,
    #[serde(with = "encoding::kind")]
    pub(crate) kind: Reloc,
    pub(crate) addend: i64,
    pub(crate) target: RelocTarget,
}

/// What a relocation names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum RelocTarget {
    /// A function of the same module.
    Function(DefinedFuncIndex),
    /// The trampoline of a builtin.
    Builtin(Builtin),
    /// The Rust function of a builtin; only trampolines name it.
    BuiltinImpl(Builtin),
    /// The function that fills memory with a pattern.
    Fill,
    /// A function of Cranelift's run-time library.
    LibCall(#[serde(with = "encoding::lib_call")] LibCall),
}

impl Relocation {
    /// Makes the place in `text` that this relocation was resolved in what it was before.
    pub(crate) fn unresolve(&self, text: &mut [u8]) {
        let place = &mut text[self.offset as usize..];
        match self.kind {
            Reloc::Abs8 => place[..8].fill(0),
            Reloc::X86CallPCRel4 => place[..4].fill(0),
            // The offset is the lower 26 bits of the instruction.
            Reloc::Arm64Call => {
                place[..3].fill(0);
                place[3] &= !0b11;
            }
            kind => unreachable!("compiled code names nothing outside itself by {kind:?}"),
        }
    }
}

/// Cranelift's own types as serde writes them.
mod encoding {
    /// Kinds of relocations, those that there are.
    pub(super) mod kind {
        use cranelift_codegen::binemit::Reloc;
        use serde::{Deserialize, Deserializer, Serializer, de::Error};

        const KINDS: [Reloc; 3] = [Reloc::Abs8, Reloc::X86CallPCRel4, Reloc::Arm64Call];

        pub(crate) fn serialize<S: Serializer>(
            kind: &Reloc,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            let number = KINDS.iter().position(|it| it == kind);
            let number =
                number.expect("compiled code names what is outside by calls and addresses");
            serializer.serialize_u8(number as u8)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Reloc, D::Error> {
            let kind = KINDS.get(usize::from(u8::deserialize(deserializer)?));
            kind.copied().ok_or_else(|| D::Error::custom("no kind of relocation"))
        }
    }

    /// Library calls, by name.
    pub(super) mod lib_call {
        use std::borrow::Cow;

        use cranelift_codegen::ir::LibCall;
        use serde::{Deserialize, Deserializer, Serializer, de::Error};

        pub(crate) fn serialize<S: Serializer>(
            call: &LibCall,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            serializer.collect_str(call)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<LibCall, D::Error> {
            let name = Cow::<str>::deserialize(deserializer)?;
            name.parse().map_err(|()| D::Error::custom("no library call"))
        }
    }
}

/// Namespaces of Cranelift's user names.
const FUNCTION: u32 = 0;
const BUILTIN: u32 = 1;
const BUILTIN_IMPL: u32 = 2;
const FILL: u32 = 3;

impl RelocTarget {
    /// The name under which Cranelift knows this target.
    ///
    /// # Panics
    ///
    /// If it is a library call: Cranelift makes those by itself.
    pub(super) fn name(self) -> UserExternalName {
        match self {
            RelocTarget::Function(func) => UserExternalName::new(FUNCTION, func.0),
            RelocTarget::Builtin(builtin) => UserExternalName::new(BUILTIN, builtin as u32),
            RelocTarget::BuiltinImpl(builtin) => {
                UserExternalName::new(BUILTIN_IMPL, builtin as u32)
            }
            RelocTarget::Fill => UserExternalName::new(FILL, 0),
            RelocTarget::LibCall(_) => unreachable!("library calls are named by Cranelift"),
        }
    }

    fn of_name(func: &Function, name: &ExternalName) -> RelocTarget {
        let name = match name {
            ExternalName::User(name) => &func.params.user_named_funcs()[*name],
            ExternalName::LibCall(call) => return RelocTarget::LibCall(*call),
            name => unreachable!("compiled code names no {name:?}"),
        };
        match name.namespace {
            FUNCTION => RelocTarget::Function(DefinedFuncIndex(name.index)),
            BUILTIN => RelocTarget::Builtin(Builtin::ALL[name.index as usize]),
            BUILTIN_IMPL => RelocTarget::BuiltinImpl(Builtin::ALL[name.index as usize]),
            FILL => RelocTarget::Fill,
            namespace => unreachable!("no target has namespace {namespace}"),
        }
    }
}

impl CompiledFunction {
    /// Copies what is needed of `compiled`, the code of `func`. `locations` are those that `func`
    /// carries if it is a Wasm function.
    pub(super) fn new(
        isa: &dyn TargetIsa,
        kind: CodeKind,
        func: &Function,
        compiled: &CompiledCode,
        locations: Option<Locations>,
    ) -> CompiledFunction {
        let buffer = &compiled.buffer;
        let relocs = buffer.relocs().iter().map(|reloc| Relocation {
            offset: reloc.offset,
            kind: reloc.kind,
            addend: reloc.addend,
            target: match &reloc.target {
                FinalizedRelocTarget::ExternalName(name) => RelocTarget::of_name(func, name),
                FinalizedRelocTarget::Func(_) => {
                    unreachable!("labels are resolved inside their function")
                }
            },
        });
        let mut traps: Vec<_> =
            buffer.traps().iter().map(|trap| (trap.offset, trap_code(trap))).collect();
        traps.sort_unstable();
        let mut stack_maps: Vec<_> = buffer
            .user_stack_maps()
            .iter()
            .map(|(ret, frame_size, map)| {
                (*ret, *frame_size, map.entries().map(|(_, offset)| offset).collect())
            })
            .collect();
        stack_maps.sort_unstable_by_key(|map: &(u32, u32, Vec<u32>)| map.0);
        let call_sites = locations.as_ref().map_or_else(Vec::new, |_| handled_calls(compiled));
        let places = locations.as_ref().map_or_else(Places::default, |at| places(compiled, at));
        CompiledFunction {
            kind,
            code: compiled.code_buffer().to_vec(),
            placement: Placement::of(isa, func, compiled),
            relocs: relocs.collect(),
            traps,
            stack_maps,
            call_sites,
            source: places.source,
            inlined: places.inlined,
            inlined_calls: locations.map_or_else(Vec::new, Locations::into_inlined_calls),
        }
    }
}

/// [`Trap::code`] of a fault. Cranelift's own codes come from the stack check and from division.
fn trap_code(trap: &MachTrap) -> u8 {
    use cranelift_codegen::ir::TrapCode;
    match trap.code {
        TrapCode::STACK_OVERFLOW => Trap::StackOverflow.code(),
        TrapCode::INTEGER_OVERFLOW => Trap::IntegerOverflow.code(),
        TrapCode::HEAP_OUT_OF_BOUNDS => Trap::MemoryOutOfBounds.code(),
        TrapCode::INTEGER_DIVISION_BY_ZERO => Trap::IntegerDivisionByZero.code(),
        TrapCode::BAD_CONVERSION_TO_INTEGER => Trap::BadConversionToInteger.code(),
        code => code.as_raw().get(),
    }
}

/// The calls with handlers. Every exception table of Wasm code starts with the vmctx and goes on
/// with tags, which are named by their offset in the vmctx.
fn handled_calls(compiled: &CompiledCode) -> Vec<HandledCall> {
    let mut calls = Vec::new();
    for site in compiled.buffer.call_sites() {
        let Some(frame_size) = site.frame_offset else { continue };
        let [FinalizedMachExceptionHandler::Context(ctx), handlers @ ..] = site.exception_handlers
        else {
            unreachable!("an exception table of Wasm code starts with the vmctx")
        };
        let ExceptionContextLoc::SPOffset(ctx_slot) = *ctx else {
            unreachable!("no register survives a call of the tail convention")
        };
        let handler = |handler: &FinalizedMachExceptionHandler| match *handler {
            FinalizedMachExceptionHandler::Tag(tag, target) => {
                Handler { tag: Some(tag.as_u32()), target }
            }
            FinalizedMachExceptionHandler::Default(target) => Handler { tag: None, target },
            FinalizedMachExceptionHandler::Context(_) => {
                unreachable!("an exception table of Wasm code has one context")
            }
        };
        let handlers = handlers.iter().map(handler).collect();
        calls.push(HandledCall { ret: site.ret_addr, frame_size, ctx_slot, handlers });
    }
    calls.sort_unstable_by_key(|call| call.ret);
    calls
}

/// Where the code comes from: see the fields of [`CompiledFunction`].
#[derive(Default)]
struct Places {
    source: Vec<(u32, u32)>,
    inlined: Vec<(u32, Option<u32>)>,
}

/// Code without a location belongs to what precedes it: the prologue to the start of the body.
fn places(compiled: &CompiledCode, locations: &Locations) -> Places {
    let start = (locations.start(), None);
    let mut places = Places { source: vec![(0, start.0)], inlined: Vec::new() };
    let mut last = start;
    for range in compiled.buffer.get_srclocs_sorted() {
        if range.loc.is_default() {
            continue;
        }
        let place = locations.resolve(range.loc.bits());
        if place.0 != last.0 {
            change(&mut places.source, range.start, place.0);
        }
        if place.1 != last.1 {
            change(&mut places.inlined, range.start, place.1);
        }
        last = place;
    }
    places
}

/// Appends that `value` holds from `offset` on, where the table ends.
fn change<T>(table: &mut Vec<(u32, T)>, offset: u32, value: T) {
    match table.last_mut() {
        Some(last) if last.0 == offset => last.1 = value,
        _ => table.push((offset, value)),
    }
}
