//! Operators on many elements of arrays. Few elements the code handles itself. Many are a call: of a
//! function that moves or fills memory, or of a builtin if references have to be logged or fuel has to
//! be charged.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, Value};

use super::{Extension, Place, offset32};
use crate::Trap;
use crate::abi::builtins::Builtin;
use crate::abi::gc_layout::Storage;
use crate::abi::object::YOUNG_END;
use crate::abi::signature::LoweredType;
use crate::compile::translate::Translator;
use crate::wasm::index::TypeIndex;

/// Fewer elements are handled without a call. A builtin would charge no fuel for them.
const FEW: i64 = 16;

/// Consecutive elements, which exist.
#[derive(Clone, Copy)]
struct Range {
    ty: TypeIndex,
    /// The address of the array.
    address: Value,
    /// The index of the first one, an `i64`.
    start: Value,
}

impl Translator<'_> {
    pub(in crate::compile::translate) fn array_fill(&mut self, ty: u32) {
        let ty = TypeIndex(ty);
        let len = self.pop();
        let (array, at, value) = self.pop3();
        let address = self.object_address(array);
        let array_len = self.load_array_len(address);
        let to = self.range(ty, address, array_len, at, len);
        let many = |this: &mut Self| {
            let storage = this.env.object_layout(ty).unwrap_array().element;
            let builtin = |this: &mut Self| {
                let (low, high) = this.slot_bits(storage, value);
                this.call_builtin(Builtin::ArrayFill, &[array, at, low, high, len]);
            };
            this.directly_or_by_builtin(array, ty, Some(value), builtin, |this| {
                let (start, bytes) = this.bytes_of(&to, len);
                let (low, high) = match storage {
                    Storage::Plain(LoweredType::V128) => this.slot_bits(storage, value),
                    _ => {
                        let pattern = this.pattern(storage, value);
                        (pattern, pattern)
                    }
                };
                this.call_fill(start, bytes, low, high);
            });
        };
        self.few_or_many(len, many, |this, index| {
            let place = this.place_in(&to, index);
            this.set_field(array, &place, value);
        });
    }

    pub(in crate::compile::translate) fn array_copy(&mut self, to_ty: u32, from_ty: u32) {
        let (from, from_index, len) = self.pop3();
        let (to, to_index) = self.pop2();
        let (to_address, from_address) = (self.object_address(to), self.object_address(from));
        let to_len = self.load_array_len(to_address);
        let from_len = self.load_array_len(from_address);
        let target = self.range(TypeIndex(to_ty), to_address, to_len, to_index, len);
        let source = self.range(TypeIndex(from_ty), from_address, from_len, from_index, len);
        // In one array, from the end on if the target is behind the source: `k` is `i` or
        // `len - 1 - i`.
        let is_behind =
            self.builder.ins().icmp(IntCC::UnsignedGreaterThan, target.start, source.start);
        let (zero, ones) = (self.i64_const(0), self.i64_const(-1));
        let wide_len = self.widen(len);
        let mask = self.builder.ins().select(is_behind, ones, zero);
        let base = self.builder.ins().select(is_behind, wide_len, zero);
        let many = |this: &mut Self| {
            let builtin = |this: &mut Self| {
                this.call_builtin(Builtin::ArrayCopy, &[to, to_index, from, from_index, len]);
            };
            this.directly_or_by_builtin(to, TypeIndex(to_ty), None, builtin, |this| {
                let (to, bytes) = this.bytes_of(&target, len);
                let (from, _) = this.bytes_of(&source, len);
                this.call_memmove(to, from, bytes);
            });
        };
        self.few_or_many(len, many, |this, index| {
            let turned = this.builder.ins().bxor(index, mask);
            let index = this.builder.ins().iadd(turned, base);
            let place = this.place_in(&source, index);
            let value = this.load_field(&place, Extension::None);
            let place = this.place_in(&target, index);
            this.set_field(to, &place, value);
        });
    }

    pub(in crate::compile::translate) fn array_init_data(&mut self, segment: u32) {
        self.init_from_segment(Builtin::ArrayInitData, segment);
    }

    pub(in crate::compile::translate) fn array_init_elem(&mut self, segment: u32) {
        self.init_from_segment(Builtin::ArrayInitElem, segment);
    }

    fn init_from_segment(&mut self, builtin: Builtin, segment: u32) {
        let (at, from, len) = self.pop3();
        let array = self.pop();
        let segment = self.i32_const(segment);
        self.call_builtin(builtin, &[array, segment, at, from, len]);
    }

    /// The `len` elements from `start` on of an array of `array_len` elements; traps if it has fewer.
    fn range(
        &mut self,
        ty: TypeIndex,
        address: Value,
        array_len: Value,
        start: Value,
        len: Value,
    ) -> Range {
        let (start, len) = (self.widen(start), self.widen(len));
        let end = self.builder.ins().iadd(start, len);
        let array_len = self.widen(array_len);
        let outside = self.builder.ins().icmp(IntCC::UnsignedGreaterThan, end, array_len);
        self.trap_if(outside, Trap::ArrayOutOfBounds);
        Range { ty, address, start }
    }

    /// Writes many elements of `array`: with `builtin` if fuel is charged, or if the array is old and
    /// what is written may be references to young objects; otherwise with `directly`. `value` is what
    /// is written, if that is one value.
    fn directly_or_by_builtin(
        &mut self,
        array: Value,
        ty: TypeIndex,
        value: Option<Value>,
        builtin: impl FnOnce(&mut Self),
        directly: impl FnOnce(&mut Self),
    ) {
        if self.env.tunables.consume_fuel {
            return builtin(self);
        }
        let element = self.element_place(ty, array, 0);
        let is_reference = element.storage == Storage::Reference;
        if !is_reference || value.is_some_and(|it| !self.may_be_object(element.ty.storage, it)) {
            return directly(self);
        }
        let [old, young, done] = [(); 3].map(|()| self.next_block());
        let is_old = self.builder.ins().icmp_imm_u(
            IntCC::UnsignedGreaterThanOrEqual,
            array,
            i64::from(YOUNG_END),
        );
        self.builder.ins().brif(is_old, old, &[], young, &[]);
        self.builder.seal_block(old);
        self.builder.seal_block(young);
        self.builder.switch_to_block(old);
        builtin(self);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(young);
        directly(self);
        self.builder.ins().jump(done, &[]);
        self.builder.seal_block(done);
        self.builder.switch_to_block(done);
    }

    /// The address of the first of `len` elements, and how many bytes they are.
    fn bytes_of(&mut self, range: &Range, len: Value) -> (Value, Value) {
        let zero = self.i64_const(0);
        let place = self.place_in(range, zero);
        let start = self.builder.ins().iadd_imm_s(place.address, i64::from(place.offset));
        let log2 = i64::from(place.storage.size_log2());
        let len = self.widen(len);
        (start, self.builder.ins().ishl_imm_u(len, log2))
    }

    fn place_in(&mut self, range: &Range, index: Value) -> Place {
        let layout = self.env.object_layout(range.ty).unwrap_array();
        let index = self.builder.ins().iadd(range.start, index);
        let log2 = i64::from(layout.element.size_log2());
        let byte = self.builder.ins().ishl_imm_u(index, log2);
        let address = self.builder.ins().iadd(range.address, byte);
        self.element_place(range.ty, address, offset32(layout.first()))
    }

    /// Runs `many`, or `one` for each number below `len` if they are few.
    fn few_or_many(
        &mut self,
        len: Value,
        many: impl FnOnce(&mut Self),
        one: impl FnOnce(&mut Self, Value),
    ) {
        let [all, each, body, done] = [(); 4].map(|()| self.next_block());
        let index = self.builder.append_block_param(each, I64);
        let is_many = self.builder.ins().icmp_imm_u(IntCC::UnsignedGreaterThanOrEqual, len, FEW);
        let zero = self.i64_const(0);
        let len = self.widen(len);
        self.builder.ins().brif(is_many, all, &[], each, &[zero.into()]);
        self.builder.seal_block(all);
        self.builder.switch_to_block(all);
        many(self);
        self.builder.ins().jump(done, &[]);

        self.builder.switch_to_block(each);
        let is_left = self.builder.ins().icmp(IntCC::UnsignedLessThan, index, len);
        self.builder.ins().brif(is_left, body, &[], done, &[]);
        self.builder.seal_block(body);
        self.builder.seal_block(done);
        self.builder.switch_to_block(body);
        one(self, index);
        let next = self.builder.ins().iadd_imm_s(index, 1);
        self.builder.ins().jump(each, &[next.into()]);
        self.builder.seal_block(each);
        self.builder.switch_to_block(done);
    }

    fn i64_const(&mut self, value: i64) -> Value {
        self.builder.ins().iconst(I64, value)
    }
}
