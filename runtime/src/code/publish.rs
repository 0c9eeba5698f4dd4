//! Makes an artifact executable: gives it an address and resolves its relocations.
//! cranelift-jit writes the code; the memory is ours.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use anyhow::Context as _;
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::Signature;
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift_jit::{BranchProtection, JITBuilder, JITMemoryKind, JITMemoryProvider, JITModule};
use cranelift_module::{
    FuncId, Linkage, Module as _, ModuleError, ModuleReloc, ModuleRelocTarget, ModuleResult,
    default_libcall_names,
};

use super::code_object::CodeObject;
use crate::abi::code_map::{CodeKind, CodeMap};
use crate::compile::{Artifact, RelocTarget, Relocation};
use crate::error::Result;
use crate::vm::code_memory::{self, CodeRegion};
use crate::wasm::module::ModuleInfo;

/// Bytes that cranelift-jit appends to a text for each call that may be out of reach.
const VENEER_SIZE: usize = 24;

/// The namespace of functions in the names that cranelift-jit resolves.
const FUNCTIONS: u32 = 0;

/// Makes `artifact` executable. `address` says where is what it refers to outside itself.
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
    address: &impl Fn(RelocTarget) -> usize,
    artifact: Artifact<'_>,
    module: Option<Arc<ModuleInfo>>,
) -> Result<CodeObject> {
    let Artifact { text, relocs, tables } = artifact;
    assert!(
        module.is_none()
            || tables.functions.iter().all(|code| matches!(code.kind, CodeKind::Wasm(_))),
        "trampolines are published apart: unwinding relies on it"
    );
    if tables.functions.is_empty() {
        let map = CodeMap { module, ..CodeMap::default() };
        return Ok(CodeObject::new(None, Arc::new(map), Box::default()));
    }
    let calls = relocs.iter().filter(|reloc| reloc.kind == Reloc::Arm64Call).count();
    let region = Arc::new(code_memory::alloc(text.len() + calls * VENEER_SIZE)?);
    install(isa, address, &text, &relocs, &region)?;
    let (base, len) = (region.ptr.addr().get(), text.len());
    let map = CodeMap { base, len, module, tables, ..CodeMap::default() };
    Ok(CodeObject::new(Some(region), Arc::new(map), relocs.into()))
}

/// Writes the text at the beginning of `region` and makes it executable.
fn install(
    isa: &OwnedTargetIsa,
    address: &impl Fn(RelocTarget) -> usize,
    text: &[u8],
    relocs: &[Relocation],
    region: &Arc<CodeRegion>,
) -> Result<()> {
    let imports = imports(relocs);
    let mut builder = JITBuilder::with_isa(isa.clone(), default_libcall_names());
    builder.memory_provider(Box::new(RegionProvider { region: region.clone(), used: 0 }));
    for (name, target) in imports.iter().enumerate() {
        builder.symbol(symbol(name), std::ptr::with_exposed_provenance(address(*target)));
    }
    let mut module = JITModule::new(builder);
    let signature = Signature::new(CallConv::triple_default(isa.triple()));
    let all = module.declare_anonymous_function(&signature)?;
    let imports: HashMap<RelocTarget, FuncId> = imports
        .into_iter()
        .enumerate()
        .map(|(name, target)| {
            Ok((target, module.declare_function(&symbol(name), Linkage::Import, &signature)?))
        })
        .collect::<Result<_>>()?;
    let relocs: Vec<ModuleReloc> =
        relocs.iter().map(|reloc| module_reloc(reloc, imports[&reloc.target])).collect();
    module.define_function_bytes(all, 1, text, &relocs)?;
    module.finalize_definitions().context("cannot publish machine code")?;
    assert_eq!(
        module.get_finalized_function(all).addr(),
        region.ptr.addr().get(),
        "a text begins where its region does"
    );
    Ok(())
}

/// What the text refers to outside itself, each once.
fn imports(relocs: &[Relocation]) -> Vec<RelocTarget> {
    let mut seen = Vec::new();
    for reloc in relocs {
        if !seen.contains(&reloc.target) {
            seen.push(reloc.target);
        }
    }
    seen
}

/// The name of an import: no name that the system's linker could know.
fn symbol(import: usize) -> String {
    format!("hostref import {import}")
}

fn module_reloc(reloc: &Relocation, target: FuncId) -> ModuleReloc {
    let Relocation { offset, kind, addend, .. } = *reloc;
    let name = ModuleRelocTarget::user(FUNCTIONS, target.as_u32());
    ModuleReloc { offset, kind, name, addend }
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
