//! Tests and casts of references. A test of a type that may have subtypes is two loads and a
//! comparison, of one that has none one load.

use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::types::{I8, I32};
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value};
use wasmparser::Operator;

use super::trap_code;
use crate::Trap;
use crate::abi::builtins::Builtin;
use crate::abi::layout::{func_ref, type_display, vm_store};
use crate::abi::object::{I31_TAG, KIND_ARRAY, KIND_STRUCT};
use crate::compile::translate::Translator;
use crate::wasm::convert;
use crate::wasm::index::TypeIndex;
use crate::wasm::types::{HeapType, RefType};

/// What is known of a reference before it is tested.
#[derive(Clone, Copy)]
pub(in crate::compile::translate) struct Source {
    nullable: bool,
    may_be_i31: bool,
}

impl Source {
    /// What is known of any reference.
    pub(in crate::compile::translate) const ANY: Source =
        Source { nullable: true, may_be_i31: true };

    /// What the type says, which is the validator's or the module's own.
    pub(in crate::compile::translate) fn of(ty: wasmparser::RefType) -> Source {
        use wasmparser::AbstractHeapType::{Any, Eq, I31};
        let may_be_i31 =
            matches!(ty.heap_type(), wasmparser::HeapType::Abstract { ty: Any | Eq | I31, .. });
        Source { nullable: ty.is_nullable(), may_be_i31 }
    }

    /// Whether `operator` needs to know about its operand.
    pub(in crate::compile::translate) fn is_wanted(operator: &Operator<'_>) -> bool {
        use Operator::{RefCastNonNull, RefCastNullable, RefTestNonNull, RefTestNullable};
        matches!(
            operator,
            RefCastNonNull { .. }
                | RefCastNullable { .. }
                | RefTestNonNull { .. }
                | RefTestNullable { .. }
        )
    }
}

/// Where the answer of a test goes.
enum Answer {
    /// To the parameter of this block, as 0 or 1.
    Value(Block),
    /// To one of two blocks.
    Branch { yes: (Block, Vec<BlockArg>), no: (Block, Vec<BlockArg>) },
    /// Nowhere if it is yes, which goes to this block; otherwise the last one raises a trap.
    Cast { yes: Block, no: Block },
}

// The operators.
impl Translator<'_> {
    pub(in crate::compile::translate) fn ref_eq(&mut self) {
        let (a, b) = self.pop2();
        let equal = self.builder.ins().icmp(IntCC::Equal, a, b);
        let result = self.builder.ins().uextend(I32, equal);
        self.push(result);
    }

    pub(in crate::compile::translate) fn ref_test(
        &mut self,
        nullable: bool,
        heap: wasmparser::HeapType,
    ) {
        let reference = self.pop();
        let target = RefType { nullable, heap: convert::heap_type(heap) };
        let done = self.next_block();
        let result = self.builder.append_block_param(done, I32);
        self.test(reference, self.cast_source, target, &Answer::Value(done));
        self.builder.seal_block(done);
        self.builder.switch_to_block(done);
        self.push(result);
    }

    pub(in crate::compile::translate) fn ref_cast(
        &mut self,
        nullable: bool,
        heap: wasmparser::HeapType,
    ) {
        let reference = *self.stack.last().expect("validated: the reference is on the stack");
        let target = RefType { nullable, heap: convert::heap_type(heap) };
        let (yes, no) = (self.next_block(), self.next_block());
        self.set_cold(no);
        self.test(reference, self.cast_source, target, &Answer::Cast { yes, no });
        self.builder.seal_block(no);
        self.builder.seal_block(yes);
        self.builder.switch_to_block(no);
        let code = self.trap_code(Trap::CastFailure);
        self.raise(code);
        self.builder.switch_to_block(yes);
    }

    pub(in crate::compile::translate) fn br_on_cast(
        &mut self,
        depth: u32,
        from: wasmparser::RefType,
        to: wasmparser::RefType,
        branches_on_success: bool,
    ) {
        let reference = *self.stack.last().expect("validated: the reference is on the stack");
        let (target, arity) = self.branch_target(depth);
        let branch = (target, self.top_args(arity));
        let next = self.next_block();
        let stay = (next, Vec::new());
        let answer = match branches_on_success {
            true => Answer::Branch { yes: branch, no: stay },
            false => Answer::Branch { yes: stay, no: branch },
        };
        self.test(reference, Source::of(from), convert::ref_type(to), &answer);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
    }
}

// Tests.
impl Translator<'_> {
    /// Ends the block with the answer whether `reference` is of type `target`.
    fn test(&mut self, reference: Value, source: Source, target: RefType<TypeIndex>, to: &Answer) {
        use HeapType::{
            Any, Array, Concrete, Eq, Exn, Extern, Func, I31, NoExn, NoExtern, NoFunc, None, Struct,
        };
        match target.heap {
            Any | Extern | Func | Exn if target.nullable || !source.nullable => {
                self.answer_always(to, true);
            }
            Any | Extern | Func | Exn => {
                let is_set = self.builder.ins().icmp_imm_u(IntCC::NotEqual, reference, 0);
                self.answer(to, is_set);
            }
            None | NoExtern | NoFunc | NoExn if target.nullable => {
                let is_null = self.is_zero(reference);
                self.answer(to, is_null);
            }
            None | NoExtern | NoFunc | NoExn => self.answer_always(to, false),
            I31 => {
                if target.nullable && source.nullable {
                    let is_null = self.is_zero(reference);
                    self.answer_if(to, is_null, true);
                }
                let is_i31 = self.is_i31(reference);
                self.answer(to, is_i31);
            }
            Eq => {
                let kind = self.kind(reference, source, target.nullable, true, to);
                // Structs and arrays: what differs is the last bit.
                let kind = self.builder.ins().band_imm_s(kind, !1);
                let is_eq =
                    self.builder.ins().icmp_imm_u(IntCC::Equal, kind, i64::from(KIND_STRUCT));
                self.answer(to, is_eq);
            }
            Struct | Array => {
                let kind = self.kind(reference, source, target.nullable, false, to);
                let wanted = if target.heap == Struct { KIND_STRUCT } else { KIND_ARRAY };
                let is = self.builder.ins().icmp_imm_u(IntCC::Equal, kind, i64::from(wanted));
                self.answer(to, is);
            }
            Concrete(ty) => {
                let actual = if self.env.info.is_func_heap(target.heap) {
                    let null = self.without_null(reference, source, target.nullable, to);
                    let mut flags = self.context_flags().with_readonly();
                    if let Some(null) = null {
                        flags = flags.with_trap_code(Some(trap_code(null)));
                    }
                    self.builder.ins().load(I32, flags, reference, func_ref::TYPE_ID)
                } else {
                    self.dynamic_type(reference, source, target.nullable, false, to)
                };
                let is = self.compare_type(IntCC::Equal, actual, ty);
                self.answer(to, is);
            }
        }
    }

    /// The kind of the object that `reference` leads to; see [`Translator::dynamic_type`].
    fn kind(
        &mut self,
        reference: Value,
        source: Source,
        null: bool,
        i31: bool,
        to: &Answer,
    ) -> Value {
        let ty = self.dynamic_type(reference, source, null, i31, to);
        self.load_display(ty, 0)
    }

    /// The type of the object that `reference` leads to. Null and i31 are answered before, with
    /// `null` and `i31`.
    fn dynamic_type(
        &mut self,
        reference: Value,
        source: Source,
        null: bool,
        i31: bool,
        to: &Answer,
    ) -> Value {
        let faults = self.without_null(reference, source, null, to);
        if source.may_be_i31 {
            let is_i31 = self.is_i31(reference);
            self.answer_if(to, is_i31, i31);
        }
        self.object_type(reference, faults)
    }

    /// Answers for null, if `reference` may be null, or says that a load from it must fault with a
    /// trap.
    fn without_null(
        &mut self,
        reference: Value,
        source: Source,
        null: bool,
        to: &Answer,
    ) -> Option<Trap> {
        match to {
            _ if !source.nullable => None,
            Answer::Cast { .. } if !null => Some(Trap::CastFailure),
            _ => {
                let is_null = self.is_zero(reference);
                self.answer_if(to, is_null, null);
                None
            }
        }
    }

    fn is_i31(&mut self, reference: Value) -> Value {
        self.builder.ins().band_imm_s(reference, i64::from(I31_TAG))
    }

    /// Whether the type with id `actual` is `ty` or a subtype of it, or the opposite, as `condition`
    /// says: equal or not.
    pub(in crate::compile::translate) fn compare_type(
        &mut self,
        condition: IntCC,
        actual: Value,
        ty: TypeIndex,
    ) -> Value {
        let expected = self.type_id(ty);
        let info = self.env.info;
        if info.types[ty.index()].is_final {
            return self.builder.ins().icmp(condition, actual, expected);
        }
        let Some(position) = type_display::position(info.supertypes(ty).count()) else {
            let args = [actual, expected];
            let is_subtype = self.call_builtin_result(Builtin::IsSubtype, &args);
            return self.builder.ins().icmp_imm_u(condition.complement(), is_subtype, 0);
        };
        let found = self.load_display(actual, position);
        self.builder.ins().icmp(condition, found, expected)
    }

    /// The id at `offset` of the entry of the type with id `ty`.
    fn load_display(&mut self, ty: Value, offset: i32) -> Value {
        let store = self.store_pointer();
        let displays = self.load_constant(store, vm_store::TYPE_DISPLAYS);
        let index = self.widen(ty);
        let entry = self.builder.ins().ishl_imm_u(index, i64::from(type_display::STRIDE_LOG2));
        let entry = self.builder.ins().iadd(displays, entry);
        // What is loaded never changes, but without the id there is no entry.
        let flags = self.context_flags().with_readonly();
        self.builder.ins().load(I32, flags, entry, offset)
    }

    // Answers.

    /// Answers `value` if `condition` holds, and continues if not.
    fn answer_if(&mut self, to: &Answer, condition: Value, value: bool) {
        let next = self.next_block();
        match (to, value) {
            (Answer::Value(done), _) => {
                let value = self.i32_const(value.into());
                self.builder.ins().brif(condition, *done, &[value.into()], next, &[]);
            }
            (Answer::Branch { yes: (block, args), .. }, true)
            | (Answer::Branch { no: (block, args), .. }, false) => {
                self.builder.ins().brif(condition, *block, args, next, &[]);
            }
            (Answer::Cast { yes: block, .. }, true) | (Answer::Cast { no: block, .. }, false) => {
                self.builder.ins().brif(condition, *block, &[], next, &[]);
            }
        }
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
    }

    /// Ends the block with an answer.
    fn answer(&mut self, to: &Answer, condition: Value) {
        match to {
            Answer::Value(done) => {
                let value = match self.type_of(condition) {
                    I8 => self.builder.ins().uextend(I32, condition),
                    _ => condition,
                };
                self.builder.ins().jump(*done, &[value.into()]);
            }
            Answer::Branch { yes: (yes, yes_args), no: (no, no_args) } => {
                self.builder.ins().brif(condition, *yes, yes_args, *no, no_args);
            }
            Answer::Cast { yes, no } => {
                self.builder.ins().brif(condition, *yes, &[], *no, &[]);
            }
        }
    }

    /// Ends the block with an answer that is known. Both ways stay, for what follows them.
    fn answer_always(&mut self, to: &Answer, value: bool) {
        let value = self.i32_const(value.into());
        self.answer(to, value);
    }
}
