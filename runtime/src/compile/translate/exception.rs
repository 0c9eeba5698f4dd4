//! Exceptions: `throw`, `throw_ref`, and the handlers of `try_table`.
//!
//! A call inside a `try_table` is a `try_call` whose table lists the handlers in scope, innermost
//! first. There is one block per catch clause, which unpacks the payload and branches to the
//! clause's label; it is made at the end of the `try_table`, when all calls that lead to it are known.
//! A `throw` whose handler is certain, because it stands in the same function, is a branch.

use std::collections::HashSet;
use std::rc::Rc;

use anyhow::bail;
use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{
    Block, BlockArg, BlockCall, ExceptionTable, ExceptionTableData, ExceptionTableItem,
    ExceptionTag, InstBuilder, MemFlagsData, SigRef, TrapCode, Type, Value,
};
use cranelift_codegen::isa::CallConv;
use wasmparser::{Catch, TryTable};

use super::Translator;
use super::call::Callee;
use super::frame::FrameKind;
use crate::abi::builtins::Builtin;
use crate::abi::exception::{ExnField, ExnLayout};
use crate::abi::signature::{LoweredType, lower_val};
use crate::compile::artifact::RelocTarget;
use crate::compile::limits::{MAX_HANDLERS, MAX_TABLE_ENTRIES};
use crate::compile::signature::{self, POINTER, clif_type};
use crate::wasm::index::TagIndex;
use crate::{Result, Trap};

/// The catch clauses around the code that is being translated.
#[derive(Default)]
pub(super) struct Handlers {
    /// For each open `try_table`, the handlers that its calls have.
    scopes: Vec<Rc<[Handler]>>,
    /// The blocks that some call leads to.
    used: HashSet<Block>,
    table_entries: usize,
}

/// A catch clause.
#[derive(Clone, Copy)]
pub(super) struct Handler {
    catch: Catch,
    /// Where an exception arrives: its only parameter is the reference.
    block: Block,
    /// The number of frames around the `try_table`: the clause's label counts from there.
    outside: usize,
}

/// Who may come back with an exception.
enum Thrower {
    Callee(Callee),
    Builtin(Builtin),
}

impl Handler {
    /// The tag it is for; `None` for all.
    fn tag(&self) -> Option<TagIndex> {
        tag_of(self.catch)
    }

    fn label(&self) -> u32 {
        match self.catch {
            Catch::One { label, .. }
            | Catch::OneRef { label, .. }
            | Catch::All { label }
            | Catch::AllRef { label } => label,
        }
    }

    /// Whether it passes the exception itself to its label.
    fn wants_reference(&self) -> bool {
        matches!(self.catch, Catch::OneRef { .. } | Catch::AllRef { .. })
    }
}

// The operators.
impl Translator<'_> {
    pub(super) fn try_table(&mut self, table: &TryTable, offset: u64) -> Result<()> {
        let (params, results) = self.block_type(table.ty);
        let outside = self.frames.len();
        let mut clauses: Vec<Handler> = Vec::new();
        // No exception gets past a handler for its tag, or past one for all, to a later one.
        let mut caught = HashSet::new();
        let mut is_new = |tag| !caught.contains(&None) && caught.insert(tag);
        for catch in &table.catches {
            if !is_new(tag_of(*catch)) {
                continue;
            }
            let block = self.builder.create_block();
            self.set_cold(block);
            self.builder.append_block_param(block, POINTER);
            clauses.push(Handler { catch: *catch, block, outside });
            check_limit(clauses.len(), offset)?;
        }
        let mut scope = clauses.clone();
        if let Some(outer) = self.handlers.scopes.last() {
            scope.extend(outer.iter().filter(|handler| is_new(handler.tag())));
        }
        check_limit(scope.len(), offset)?;
        if self.handlers.table_entries > MAX_TABLE_ENTRIES {
            bail!("too many calls in the scope of too many catch clauses (at offset {offset:#x})");
        }
        self.handlers.scopes.push(scope.into());
        self.push_frame(FrameKind::TryTable { clauses }, params.len(), &results);
        Ok(())
    }

    pub(super) fn throw(&mut self, tag: u32) {
        let tag = TagIndex(tag);
        let args = self.pop_many(self.exception_layout(tag).fields.len());
        let Some(handler) = self.certain_handler(Some(tag)) else {
            let exception = self.new_exception(tag, &args);
            return self.throw_exception(exception);
        };
        let mut passed = if handler.tag().is_some() { args.clone() } else { Vec::new() };
        if handler.wants_reference() {
            passed.push(self.new_exception(tag, &args));
        }
        self.branch_to_label(&handler, &passed);
    }

    pub(super) fn throw_ref(&mut self) {
        let exception = self.pop();
        let is_null = self.is_zero(exception);
        self.trap_if(is_null, Trap::NullReference);
        match self.certain_handler(None) {
            Some(handler) if handler.wants_reference() => {
                self.branch_to_label(&handler, &[exception]);
            }
            Some(handler) => self.branch_to_label(&handler, &[]),
            None => self.throw_exception(exception),
        }
    }

    /// Leaves the scope of a `try_table` and emits the handlers that calls lead to. The block
    /// before has ended.
    pub(super) fn end_try_table(&mut self, clauses: &[Handler]) {
        self.handlers.scopes.pop().expect("a scope was pushed with the frame");
        for handler in clauses {
            if !self.handlers.used.remove(&handler.block) {
                continue;
            }
            self.builder.switch_to_block(handler.block);
            self.builder.seal_block(handler.block);
            let payload = self.builder.block_params(handler.block)[0];
            // Nothing is called before the branch, whose target has its own stack maps.
            let exception = self.builder.ins().ireduce(I32, payload);
            let mut passed = match handler.tag() {
                Some(tag) => self.payload(tag, exception),
                None => Vec::new(),
            };
            if handler.wants_reference() {
                passed.push(exception);
            }
            self.branch_to_label(handler, &passed);
        }
    }
}

// Calls.
impl Translator<'_> {
    /// Calls `callee`, whose exceptions go to the handlers in scope; returns its results.
    pub(super) fn call_in_scope(&mut self, callee: Callee, args: &[Value]) -> Vec<Value> {
        self.calls += 1;
        match self.handlers.scopes.last() {
            Some(scope) if !scope.is_empty() => {
                let scope = scope.clone();
                self.try_call(Thrower::Callee(callee), args, &scope)
            }
            _ => {
                let call = match callee {
                    Callee::Direct(func) => self.builder.ins().call(func, args),
                    Callee::Indirect(signature, code) => {
                        self.builder.ins().call_indirect(signature, code, args)
                    }
                };
                self.builder.inst_results(call).to_vec()
            }
        }
    }

    /// Ends the block by throwing `exception`, which is not null.
    fn throw_exception(&mut self, exception: Value) {
        match self.handlers.scopes.last() {
            Some(scope) if !scope.is_empty() => {
                let (scope, args) = (scope.clone(), [self.vmctx, exception]);
                self.try_call(Thrower::Builtin(Builtin::Throw), &args, &scope);
            }
            _ => {
                self.call_builtin(Builtin::Throw, &[exception]);
            }
        }
        let trap = Trap::UnreachableCodeReached.code();
        self.builder.ins().trap(TrapCode::unwrap_user(trap));
        self.reachable = false;
    }

    /// Ends the block with a call that may come back to `handlers`, and continues where it
    /// returns.
    ///
    /// # Panics
    ///
    /// If the callee is not of the `Tail` convention: Cranelift would assume that callee-saved
    /// registers survive the exceptional edge, which unwinding does not restore.
    fn try_call(&mut self, thrower: Thrower, args: &[Value], handlers: &[Handler]) -> Vec<Value> {
        let (signature, callee) = match thrower {
            Thrower::Callee(Callee::Indirect(signature, code)) => {
                (signature, Callee::Indirect(signature, code))
            }
            Thrower::Callee(Callee::Direct(func)) => {
                (self.builder.func.dfg.ext_funcs[func].signature, Callee::Direct(func))
            }
            Thrower::Builtin(builtin) => {
                let target = RelocTarget::Builtin(builtin);
                let func = self.callee(target, || signature::builtin(builtin));
                (self.builder.func.dfg.ext_funcs[func].signature, Callee::Direct(func))
            }
        };
        let data = &self.builder.func.dfg.signatures[signature];
        assert_eq!(data.call_conv, CallConv::Tail, "try_call is for Tail callees only");
        let results: Vec<Type> = data.returns.iter().map(|param| param.value_type).collect();
        let returned = self.builder.create_block();
        for ty in &results {
            self.builder.append_block_param(returned, *ty);
        }
        let table = self.exception_table(signature, returned, results.len(), handlers);
        match callee {
            Callee::Direct(func) => self.builder.ins().try_call(func, args, table),
            Callee::Indirect(_, code) => self.builder.ins().try_call_indirect(code, args, table),
        };
        self.builder.switch_to_block(returned);
        self.builder.seal_block(returned);
        self.builder.block_params(returned).to_vec()
    }

    fn exception_table(
        &mut self,
        signature: SigRef,
        returned: Block,
        results: usize,
        handlers: &[Handler],
    ) -> ExceptionTable {
        self.handlers.used.extend(handlers.iter().map(|handler| handler.block));
        self.handlers.table_entries += handlers.len();
        let layout = &self.env.layout;
        let dfg = &mut self.builder.func.dfg;
        let mut items = vec![ExceptionTableItem::Context(self.vmctx)];
        for handler in handlers {
            let edge =
                BlockCall::new(handler.block, [BlockArg::TryCallExn(0)], &mut dfg.value_lists);
            items.push(match handler.tag() {
                Some(tag) => ExceptionTableItem::Tag(exception_tag(layout.tag(tag)), edge),
                None => ExceptionTableItem::Default(edge),
            });
        }
        let results = (0..).take(results).map(BlockArg::TryCallRet);
        let normal = BlockCall::new(returned, results, &mut dfg.value_lists);
        dfg.exception_tables.push(ExceptionTableData::new(signature, normal, items))
    }
}

// Handlers and payloads.
impl Translator<'_> {
    /// The handler that a `throw` of `tag` here is sure to meet, if it is in this function. `None`
    /// for an exception of a tag that is not known.
    fn certain_handler(&self, tag: Option<TagIndex>) -> Option<Handler> {
        for handler in self.handlers.scopes.last()?.iter() {
            match (handler.tag(), tag) {
                (None, _) => return Some(*handler),
                (Some(caught), Some(tag)) if caught == tag => return Some(*handler),
                (Some(caught), Some(tag)) if self.are_distinct(caught, tag) => {}
                _ => return None,
            }
        }
        None
    }

    /// Whether two indices never mean the same tag. Two imports may.
    fn are_distinct(&self, a: TagIndex, b: TagIndex) -> bool {
        let imported = self.env.info.imported_tags;
        a != b && (a.0 >= imported || b.0 >= imported)
    }

    /// Ends the block with a branch to the label of a clause.
    fn branch_to_label(&mut self, handler: &Handler, values: &[Value]) {
        let position = handler.outside - 1 - handler.label() as usize;
        let depth = u32::try_from(self.frames.len() - 1 - position).expect("depths fit u32");
        let (target, arity) = self.branch_target(depth);
        debug_assert_eq!(arity, values.len());
        let args: Vec<BlockArg> = values.iter().map(|value| BlockArg::Value(*value)).collect();
        self.builder.ins().jump(target, &args);
        self.reachable = false;
    }

    /// An exception of `tag` with this payload. The values may be references: they are in the
    /// stack map of the allocation, and stored afterwards.
    fn new_exception(&mut self, tag: TagIndex, values: &[Value]) -> Value {
        let layout = self.exception_layout(tag);
        let (exception, object) = self.young_exception(tag, &layout);
        for (field, value) in layout.fields.iter().zip(values) {
            let (flags, offset) = access(*field);
            self.builder.ins().store(flags, *value, object, offset);
        }
        exception
    }

    /// The payload of an exception of `tag`.
    fn payload(&mut self, tag: TagIndex, exception: Value) -> Vec<Value> {
        let layout = self.exception_layout(tag);
        if layout.fields.is_empty() {
            return Vec::new();
        }
        let object = self.object_address(exception);
        let load = |field: &ExnField| {
            let (flags, offset) = access(*field);
            self.builder.ins().load(clif_type(field.ty), flags, object, offset)
        };
        layout.fields.iter().map(load).collect()
    }

    fn exception_layout(&self, tag: TagIndex) -> ExnLayout {
        let info = self.env.info;
        let lowered = |ty| lower_val(ty, |heap| info.is_func_heap(heap));
        let params = info.func_type_at(info.tags[tag.index()]).params.iter();
        let types: Vec<_> = params.map(|ty| (lowered(*ty), info.is_gc_ref(*ty))).collect();
        ExnLayout::new(&types)
    }
}

fn tag_of(catch: Catch) -> Option<TagIndex> {
    match catch {
        Catch::One { tag, .. } | Catch::OneRef { tag, .. } => Some(TagIndex(tag)),
        Catch::All { .. } | Catch::AllRef { .. } => None,
    }
}

/// How a value of a payload is accessed. Objects are aligned to 8 bytes only.
fn access(field: ExnField) -> (MemFlagsData, i32) {
    let flags = match field.ty {
        LoweredType::V128 => MemFlagsData::new().with_notrap(),
        _ => MemFlagsData::trusted(),
    };
    (flags, i32::try_from(field.offset).expect("validated: at most 1000 parameters"))
}

/// Tags are named by their offset in the vmctx, where unwinding finds the tag's identity.
fn exception_tag(offset: i32) -> ExceptionTag {
    ExceptionTag::from_u32(u32::try_from(offset).expect("vmctx offsets are not negative"))
}

fn check_limit(handlers: usize, offset: u64) -> Result<()> {
    if handlers > MAX_HANDLERS {
        bail!("more than {MAX_HANDLERS} catch clauses in scope (at offset {offset:#x})");
    }
    Ok(())
}
