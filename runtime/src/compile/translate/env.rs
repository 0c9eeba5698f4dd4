//! What a function sees of its module and its instance: loads from the vmctx, calls of builtins,
//! the record of the caller, the stack limit.

use std::sync::OnceLock;

use cranelift_codegen::ir::{
    AliasRegion, AliasRegionData, ExtFuncData, ExternalName, FuncRef, Function, GlobalValue,
    GlobalValueData, Inst, InstBuilder, MemFlagsData, SigRef, Signature, Value,
};
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::FunctionBuilder;
use wasmparser::{
    FuncToValidate, FuncValidator, FuncValidatorAllocations, FunctionBody, ValidatorResources,
};

use super::{Translator, fixed_tables, inline};
use crate::abi::builtins::Builtin;
use crate::abi::gc_layout::ObjectLayout;
use crate::abi::layout::{Place, VmCtxLayout, vm_store, vmctx};
use crate::abi::signature::LoweredSig;
use crate::compile::Tunables;
use crate::compile::artifact::RelocTarget;
use crate::compile::signature::{self, POINTER};
use crate::wasm::index::{DefinedFuncIndex, TypeIndex};
use crate::wasm::module::ModuleInfo;

/// What the translations of all functions of a module share.
pub(in crate::compile) struct ModuleEnv<'a> {
    pub(in crate::compile) info: &'a ModuleInfo,
    pub(in crate::compile) bodies: Box<[ModuleBody<'a>]>,
    pub(super) layout: VmCtxLayout,
    pub(in crate::compile) tunables: &'a Tunables,
    pub(super) isa: &'a dyn TargetIsa,
    /// Whether the base of the heap is a constant: instances of the module reserve it.
    pub(super) has_heap: bool,
    /// By table, the number of its elements if that never changes.
    pub(super) fixed_table_lens: Box<[Option<u64>]>,
    /// By type, once somebody asks.
    object_layouts: Box<[OnceLock<ObjectLayout>]>,
    /// By defined function, once somebody asks.
    inlinable: Box<[OnceLock<bool>]>,
}

/// The body of a function, not validated yet.
pub(in crate::compile) struct ModuleBody<'a> {
    function: FuncToValidate<ValidatorResources>,
    pub(in crate::compile) code: FunctionBody<'a>,
}

impl<'a> ModuleBody<'a> {
    fn new((function, code): (FuncToValidate<ValidatorResources>, FunctionBody<'a>)) -> Self {
        let mut reader = code.get_binary_reader();
        reader.set_features(function.features);
        ModuleBody { function, code: FunctionBody::new(reader) }
    }

    /// Its size in bytes.
    pub(in crate::compile) fn len(&self) -> u64 {
        let range = self.code.range();
        range.end - range.start
    }

    /// A validator for it.
    pub(in crate::compile) fn validator(
        &self,
        allocations: FuncValidatorAllocations,
    ) -> FuncValidator<ValidatorResources> {
        let FuncToValidate { ref resources, index, ty, features } = self.function;
        let resources = resources.clone();
        FuncToValidate { resources, index, ty, features }.into_validator(allocations)
    }

    fn is_valid(&self) -> bool {
        self.validator(FuncValidatorAllocations::default()).validate(&self.code).is_ok()
    }
}

impl<'a> ModuleEnv<'a> {
    pub(in crate::compile) fn new(
        info: &'a ModuleInfo,
        tunables: &'a Tunables,
        isa: &'a dyn TargetIsa,
        bodies: Vec<(FuncToValidate<ValidatorResources>, FunctionBody<'a>)>,
    ) -> ModuleEnv<'a> {
        let bodies: Box<[_]> = bodies.into_iter().map(ModuleBody::new).collect();
        let inlinable = bodies.iter().map(|_| OnceLock::new()).collect();
        let object_layouts = info.types.iter().map(|_| OnceLock::new()).collect();
        let (layout, has_heap) = (VmCtxLayout::new(info), info.declares_objects());
        let fixed_table_lens = fixed_tables::fixed_lens(info, &bodies);
        ModuleEnv {
            info,
            bodies,
            layout,
            tunables,
            isa,
            has_heap,
            fixed_table_lens,
            object_layouts,
            inlinable,
        }
    }

    /// The body of a defined function.
    pub(in crate::compile) fn body(&self, func: DefinedFuncIndex) -> &ModuleBody<'a> {
        &self.bodies[func.index()]
    }

    /// Whether calls of `func` may be inlined. An invalid one is not: its error is its own.
    pub(super) fn is_inlinable(&self, func: DefinedFuncIndex) -> bool {
        let body = self.body(func);
        let find = || inline::is_small(body) && body.is_valid();
        self.tunables.inline && *self.inlinable[func.index()].get_or_init(find)
    }

    /// Where the parts of objects of type `ty` lie.
    pub(super) fn object_layout(&self, ty: TypeIndex) -> &ObjectLayout {
        self.object_layouts[ty.index()].get_or_init(|| ObjectLayout::of_module(self.info, ty))
    }

    /// The number of parameters of a defined function.
    pub(in crate::compile) fn params(&self, func: DefinedFuncIndex) -> usize {
        self.info.func_type(self.info.func_index(func)).params.len()
    }

    /// The lowered signature of a defined function.
    pub(in crate::compile) fn signature(&self, func: DefinedFuncIndex) -> LoweredSig {
        LoweredSig::of_module(self.info, self.info.func_type(self.info.func_index(func)))
    }
}

/// Kinds of memory that never overlap, so that a store to one does not hide what is known about
/// another. A call may change all of them.
#[derive(Clone, Copy)]
pub(super) struct Regions {
    /// Contexts, stores, function records, memory and table definitions.
    pub(super) context: AliasRegion,
    /// The bytes of all linear memories.
    pub(super) memory: AliasRegion,
    /// The elements of all tables.
    pub(super) table: AliasRegion,
    /// The slots of all globals.
    pub(super) global: AliasRegion,
    /// Types of objects, and lengths of arrays.
    pub(super) header: AliasRegion,
    /// Fields and elements that may be assigned.
    pub(super) field: AliasRegion,
    /// Those that may not.
    pub(super) constant_field: AliasRegion,
    /// Where the next object goes.
    pub(super) nursery: AliasRegion,
    /// The marks, links and lists of definitions that references were written to.
    pub(super) mark: AliasRegion,
}

impl Regions {
    pub(super) fn new(builder: &mut FunctionBuilder<'_>) -> Regions {
        let region = |user_id, description: &'static str| AliasRegionData {
            user_id,
            description: description.into(),
        };
        builder.make_stack_map_alias_region(Box::new(move |regions, _, _, _| {
            Some(regions.insert(region(4, "spilled reference")))
        }));
        let regions = &mut builder.func.dfg.alias_regions;
        Regions {
            context: regions.insert(region(0, "context")),
            memory: regions.insert(region(1, "memory")),
            table: regions.insert(region(2, "table")),
            global: regions.insert(region(3, "global")),
            header: regions.insert(region(5, "object header")),
            field: regions.insert(region(6, "field")),
            constant_field: regions.insert(region(7, "constant field")),
            nursery: regions.insert(region(8, "nursery")),
            mark: regions.insert(region(9, "mark")),
        }
    }
}

/// Makes `func` check the store's stack limit when it is entered.
pub(super) fn limit_stack(func: &mut Function) {
    let flags = MemFlagsData::trusted().with_readonly().with_can_move();
    let flags = func.dfg.mem_flags.insert(flags).expect("a function uses few kinds of flags");
    let vmctx = func.create_global_value(GlobalValueData::VMContext);
    let mut load = |base: GlobalValue, offset: i32| {
        let offset = offset.into();
        func.create_global_value(GlobalValueData::Load {
            base,
            offset,
            global_type: POINTER,
            flags,
        })
    };
    let store = load(vmctx, vmctx::STORE);
    let limit = load(store, vm_store::STACK_LIMIT);
    func.stack_limit = Some(limit);
}

impl Translator<'_> {
    /// Flags for fields of contexts that may change while the function runs.
    pub(super) fn context_flags(&self) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(self.regions.context))
    }

    /// Flags for fields of contexts that are the same as long as the instance lives.
    pub(super) fn constant_flags(&self) -> MemFlagsData {
        self.context_flags().with_readonly().with_can_move()
    }

    /// Loads a pointer that never changes.
    pub(super) fn load_constant(&mut self, base: Value, offset: i32) -> Value {
        let flags = self.constant_flags();
        self.builder.ins().load(POINTER, flags, base, offset)
    }

    /// The store.
    pub(super) fn store_pointer(&mut self) -> Value {
        self.load_constant(self.vmctx, vmctx::STORE)
    }

    /// The definition at `place`, as a base address and the offset to add to a field's.
    pub(super) fn definition(&mut self, place: Place) -> (Value, i32) {
        match place {
            Place::Inline(offset) => (self.vmctx, offset),
            Place::Pointer(offset) => (self.load_constant(self.vmctx, offset), 0),
        }
    }

    /// Tells the store who calls: before every call that may reach a host function.
    pub(super) fn record_caller(&mut self) {
        let flags = self.context_flags();
        let store = self.store_pointer();
        self.builder.ins().store(flags, self.vmctx, store, vm_store::CALLER);
    }

    /// Calls the trampoline of `builtin`.
    pub(super) fn call_builtin(&mut self, builtin: Builtin, args: &[Value]) -> Inst {
        self.calls += 1;
        let target = RelocTarget::Builtin(builtin);
        let callee = self.callee(target, || signature::builtin(builtin));
        let args: Vec<Value> = std::iter::once(self.vmctx).chain(args.iter().copied()).collect();
        self.builder.ins().call(callee, &args)
    }

    /// Calls a builtin that has a result.
    pub(super) fn call_builtin_result(&mut self, builtin: Builtin, args: &[Value]) -> Value {
        let call = self.call_builtin(builtin, args);
        self.builder.inst_results(call)[0]
    }

    /// Fills `len` bytes with a pattern whose halves are `low` and `high`.
    pub(super) fn call_fill(&mut self, start: Value, len: Value, low: Value, high: Value) {
        self.calls += 1;
        let isa = self.env.isa;
        let callee = self.callee(RelocTarget::Fill, || signature::fill(isa));
        self.builder.ins().call(callee, &[start, len, low, high]);
    }

    /// Moves `len` bytes, which may overlap.
    pub(super) fn call_memmove(&mut self, to: Value, from: Value, len: Value) {
        self.calls += 1;
        self.builder.call_memmove(self.env.isa.frontend_config(), to, from, len);
    }

    /// A function that is called directly.
    pub(super) fn callee(
        &mut self,
        target: RelocTarget,
        signature: impl FnOnce() -> Signature,
    ) -> FuncRef {
        if let Some(callee) = self.callees.get(&target) {
            return *callee;
        }
        let signature = self.builder.import_signature(signature());
        let name = self.builder.func.declare_imported_user_function(target.name());
        let name = ExternalName::user(name);
        // All code lies in one arena, in reach of a near call.
        let colocated = target != RelocTarget::Fill;
        let data = ExtFuncData { name, signature, colocated, patchable: false };
        let callee = self.builder.import_function(data);
        self.callees.insert(target, callee);
        callee
    }

    /// The signature of functions of type `ty`.
    pub(super) fn signature(&mut self, ty: TypeIndex) -> SigRef {
        if let Some(signature) = self.signatures.get(&ty) {
            return *signature;
        }
        let info = self.env.info;
        let lowered = LoweredSig::of_module(info, info.func_type_at(ty));
        let signature = self.builder.import_signature(signature::wasm(&lowered));
        self.signatures.insert(ty, signature);
        signature
    }
}
