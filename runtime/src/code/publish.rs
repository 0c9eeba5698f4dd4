//! Makes an artifact executable: gives it an address, resolves its relocations, builds its tables.
//! cranelift-jit writes the code; the memory is ours.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use anyhow::Context as _;
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::Signature;
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa, TargetIsa};
use cranelift_jit::{BranchProtection, JITBuilder, JITMemoryKind, JITMemoryProvider, JITModule};
use cranelift_module::{
    FuncId, Linkage, Module as _, ModuleError, ModuleReloc, ModuleRelocTarget, ModuleResult,
    default_libcall_names,
};

use super::code_object::CodeObject;
use super::libcalls;
use crate::abi::code_map::{CallSite, CodeKind, CodeMap, FunctionCode, Handler, StackMap};
use crate::compile::{Artifact, CompiledFunction, RelocTarget, Relocation};
use crate::error::Result;
use crate::vm::code_memory::{self, CodeRegion};
use crate::vm::fill;
use crate::wasm::module::ModuleInfo;

/// Bytes that cranelift-jit appends to a function for each call that may be out of reach.
const VENEER_SIZE: usize = 24;

/// The namespace of functions in the names that cranelift-jit resolves.
const FUNCTIONS: u32 = 0;

/// What code may refer to outside its artifact.
#[derive(Clone, Copy)]
pub(super) struct Targets<'a> {
    /// The Rust function of each builtin.
    pub(super) impls: &'a [usize],
    /// The trampoline of each builtin; `None` while these are themselves being published.
    pub(super) trampolines: Option<&'a CodeObject>,
}

/// Makes `artifact` executable.
///
/// # Errors
///
/// If there is no memory left for code.
///
/// # Panics
///
/// If the artifact refers to what does not exist, or a module's artifact has trampolines.
pub(super) fn publish(
    isa: &OwnedTargetIsa,
    targets: Targets<'_>,
    artifact: Artifact,
    module: Option<Arc<ModuleInfo>>,
) -> Result<CodeObject> {
    let functions = artifact.functions;
    assert!(
        module.is_none() || functions.iter().all(|code| matches!(code.kind, CodeKind::Wasm(_))),
        "trampolines are published apart: unwinding relies on it"
    );
    if functions.is_empty() {
        let map = CodeMap { module, ..CodeMap::default() };
        return Ok(CodeObject::new(None, Arc::new(map)));
    }
    let len = functions.iter().fold(0, |at, code| place(&**isa, at, code).1);
    let region = Arc::new(code_memory::alloc(len)?);
    let starts = install(isa, targets, &functions, &region)?;
    let map = code_map(functions, &starts, region.ptr.addr().get(), module);
    Ok(CodeObject::new(Some(region), Arc::new(map)))
}

/// Where the code of a function starts and ends if everything before it ends at `at`.
fn place(isa: &dyn TargetIsa, at: usize, code: &CompiledFunction) -> (usize, usize) {
    let start = at.next_multiple_of(alignment(isa, code));
    let calls = code.relocs.iter().filter(|reloc| reloc.kind == Reloc::Arm64Call).count();
    (start, start + code.code.len() + calls * VENEER_SIZE)
}

fn alignment(isa: &dyn TargetIsa, code: &CompiledFunction) -> usize {
    let least = u64::from(isa.function_alignment().minimum).max(isa.symbol_alignment());
    usize::try_from(least).expect("alignments are small").max(code.align as usize)
}

/// Writes the code and makes it executable; returns where in `region` each function starts.
fn install(
    isa: &OwnedTargetIsa,
    targets: Targets<'_>,
    functions: &[CompiledFunction],
    region: &Arc<CodeRegion>,
) -> Result<Vec<u32>> {
    let imports = imports(functions);
    let mut builder = JITBuilder::with_isa(isa.clone(), default_libcall_names());
    builder.memory_provider(Box::new(RegionProvider { region: region.clone(), used: 0 }));
    for (name, target) in imports.iter().enumerate() {
        builder.symbol(symbol(name), std::ptr::with_exposed_provenance(targets.address(*target)));
    }
    let mut module = JITModule::new(builder);
    let signature = Signature::new(CallConv::triple_default(isa.triple()));
    let ids = functions
        .iter()
        .map(|_| Ok(module.declare_anonymous_function(&signature)?))
        .collect::<Result<Vec<FuncId>>>()?;
    let imports: HashMap<RelocTarget, FuncId> = imports
        .into_iter()
        .enumerate()
        .map(|(name, target)| {
            Ok((target, module.declare_function(&symbol(name), Linkage::Import, &signature)?))
        })
        .collect::<Result<_>>()?;

    for (code, id) in functions.iter().zip(&ids) {
        let relocs: Vec<ModuleReloc> = code
            .relocs
            .iter()
            .map(|reloc| module_reloc(reloc, |target| name(target, &ids, &imports)))
            .collect();
        let align = alignment(&**isa, code) as u64;
        module.define_function_bytes(*id, align, &code.code, &relocs)?;
    }
    module.finalize_definitions().context("cannot publish machine code")?;
    let base = region.ptr.addr().get();
    let start = |id: &FuncId| module.get_finalized_function(*id).addr() - base;
    Ok(ids.iter().map(|id| u32::try_from(start(id)).expect("regions are below 4 GiB")).collect())
}

/// What the code refers to outside itself, each once.
fn imports(functions: &[CompiledFunction]) -> Vec<RelocTarget> {
    let mut seen = Vec::new();
    for reloc in functions.iter().flat_map(|code| &code.relocs) {
        if !matches!(reloc.target, RelocTarget::Function(_)) && !seen.contains(&reloc.target) {
            seen.push(reloc.target);
        }
    }
    seen
}

/// The name of an import: no name that the system's linker could know.
fn symbol(import: usize) -> String {
    format!("hostref import {import}")
}

impl Targets<'_> {
    fn address(self, target: RelocTarget) -> usize {
        match target {
            RelocTarget::Function(_) => unreachable!("functions of the artifact are no imports"),
            RelocTarget::BuiltinImpl(builtin) => self.impls[builtin as usize],
            RelocTarget::Builtin(builtin) => self
                .trampolines
                .expect("trampolines call no trampolines")
                .function(builtin as usize)
                .as_ptr()
                .expose_provenance(),
            RelocTarget::Fill => (fill::fill_from_code as *const ()).expose_provenance(),
            RelocTarget::LibCall(call) => libcalls::address(call),
        }
    }
}

fn name(
    target: RelocTarget,
    ids: &[FuncId],
    imports: &HashMap<RelocTarget, FuncId>,
) -> ModuleRelocTarget {
    let id = match target {
        RelocTarget::Function(func) => ids[func.index()],
        target => imports[&target],
    };
    ModuleRelocTarget::user(FUNCTIONS, id.as_u32())
}

fn module_reloc(
    reloc: &Relocation,
    name: impl FnOnce(RelocTarget) -> ModuleRelocTarget,
) -> ModuleReloc {
    let Relocation { offset, kind, addend, target } = *reloc;
    ModuleReloc { offset, kind, name: name(target), addend }
}

/// Merges the functions' tables into one for the whole text.
fn code_map(
    functions: Vec<CompiledFunction>,
    starts: &[u32],
    base: usize,
    module: Option<Arc<ModuleInfo>>,
) -> CodeMap {
    let (mut codes, mut traps, mut source) = (Vec::new(), Vec::new(), Vec::new());
    let (mut stack_maps, mut slots) = (Vec::new(), Vec::new());
    let (mut call_sites, mut handlers) = (Vec::new(), Vec::new());
    for (code, &start) in functions.into_iter().zip(starts) {
        let len = u32::try_from(code.code.len()).expect("regions are below 4 GiB");
        codes.push(FunctionCode { start, end: start + len, kind: code.kind });
        traps.extend(code.traps.into_iter().map(|(at, trap)| (start + at, trap)));
        source.extend(code.source.into_iter().map(|(at, wasm)| (start + at, wasm)));
        for (ret, frame_size, offsets) in code.stack_maps {
            stack_maps.push(StackMap {
                ret: start + ret,
                frame_size,
                first_slot: u32::try_from(slots.len()).expect("fewer slots than bytes of code"),
                slots: u32::try_from(offsets.len()).expect("a frame has fewer than 2^32 slots"),
            });
            slots.extend(offsets);
        }
        for call in code.call_sites {
            call_sites.push(CallSite {
                ret: start + call.ret,
                frame_size: call.frame_size,
                ctx_slot: call.ctx_slot,
                first_handler: u32::try_from(handlers.len()).expect("handlers are limited"),
                handlers: u32::try_from(call.handlers.len()).expect("handlers are limited"),
            });
            let moved = |handler: Handler| Handler { target: start + handler.target, ..handler };
            handlers.extend(call.handlers.into_iter().map(moved));
        }
    }
    // Functions are placed in order, and the tables of each should be sorted: then this is a pass.
    codes.sort_by_key(|code| code.start);
    traps.sort_by_key(|trap| trap.0);
    source.sort_by_key(|entry| entry.0);
    stack_maps.sort_by_key(|map| map.ret);
    call_sites.sort_by_key(|site: &CallSite| site.ret);
    CodeMap {
        base,
        len: codes.last().map_or(0, |last| last.end as usize),
        module,
        functions: codes.into(),
        traps: traps.into(),
        stack_maps: stack_maps.into(),
        stack_map_slots: slots.into(),
        call_sites: call_sites.into(),
        handlers: handlers.into(),
        source: source.into(),
    }
}

/// Hands out one region from its start to its end.
struct RegionProvider {
    region: Arc<CodeRegion>,
    used: usize,
}

impl JITMemoryProvider for RegionProvider {
    fn allocate(&mut self, size: usize, align: u64, kind: JITMemoryKind) -> io::Result<*mut u8> {
        assert!(matches!(kind, JITMemoryKind::Executable), "artifacts have no data objects");
        let align = usize::try_from(align).map_err(io::Error::other)?;
        let start = self.used.next_multiple_of(align);
        assert!(start + size <= self.region.len, "the region was made for this artifact");
        self.used = start + size;
        Ok(self.region.ptr.as_ptr().wrapping_add(start))
    }

    /// The memory belongs to the code object.
    unsafe fn free_memory(&mut self) {}

    fn finalize(&mut self, _: BranchProtection) -> ModuleResult<()> {
        self.region.make_executable().map_err(ModuleError::Backend)
    }
}
