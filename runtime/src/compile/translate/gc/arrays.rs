//! Operators on arrays but those that handle many elements.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8X16, I32, I64, I64X2};
use cranelift_codegen::ir::{Endianness, InstBuilder, MemFlagsData, Value};

use super::{Extension, Place, offset32, trap_code};
use crate::Trap;
use crate::abi::builtins::Builtin;
use crate::abi::gc_layout::Storage;
use crate::abi::object::{ARRAY_LEN, LARGE_OBJECT};
use crate::abi::signature::LoweredType;
use crate::compile::translate::Translator;
use crate::wasm::index::TypeIndex;
use crate::wasm::types::{CompositeType, FieldType};

impl Translator<'_> {
    pub(in crate::compile::translate) fn array_new(&mut self, ty: u32) {
        let (value, len) = self.pop2();
        let ty = TypeIndex(ty);
        let init = (self.constant(value) != Some(0)).then_some(value);
        let array = self.new_array(ty, len, init);
        self.push(array);
    }

    pub(in crate::compile::translate) fn array_new_default(&mut self, ty: u32) {
        let len = self.pop();
        let array = self.new_array(TypeIndex(ty), len, None);
        self.push(array);
    }

    pub(in crate::compile::translate) fn array_new_fixed(&mut self, ty: u32, len: u32) {
        let ty = TypeIndex(ty);
        let layout = self.env.object_layout(ty).unwrap_array();
        let values = self.pop_many(len as usize);
        let size = layout.size(len).expect("validated: at most 10 000 elements");
        let object = self.new_fixed_array(ty, len, size);
        debug_assert_eq!(object.is_old, size > LARGE_OBJECT);
        for (index, value) in (0..len).zip(values) {
            let offset = offset32(layout.offset(index));
            let place = self.element_place(ty, object.address, offset);
            self.init_field(&place, value);
            if object.is_old {
                self.field_written(object.reference, &place, None, value);
            }
        }
        self.push(object.reference);
    }

    pub(in crate::compile::translate) fn array_new_data(&mut self, ty: u32, segment: u32) {
        self.new_from_segment(Builtin::ArrayNewData, ty, segment);
    }

    pub(in crate::compile::translate) fn array_new_elem(&mut self, ty: u32, segment: u32) {
        self.new_from_segment(Builtin::ArrayNewElem, ty, segment);
    }

    fn new_from_segment(&mut self, builtin: Builtin, ty: u32, segment: u32) {
        let (from, len) = self.pop2();
        let (id, segment) = (self.type_id(TypeIndex(ty)), self.i32_const(segment));
        let array = self.call_builtin_result(builtin, &[id, segment, from, len]);
        self.declare_object(array);
        self.push(array);
    }

    pub(in crate::compile::translate) fn array_get(&mut self, ty: u32, extension: Extension) {
        let (array, index) = self.pop2();
        let place = self.element(TypeIndex(ty), array, index);
        self.push_field(&place, extension);
    }

    pub(in crate::compile::translate) fn array_set(&mut self, ty: u32) {
        let (array, index, value) = self.pop3();
        let place = self.element(TypeIndex(ty), array, index);
        self.set_field(array, &place, value);
    }

    pub(in crate::compile::translate) fn array_len(&mut self) {
        let array = self.pop();
        let address = self.object_address(array);
        let len = self.load_array_len(address);
        self.push(len);
    }

    /// The element at `index`; traps outside the array. Loading the length of a null array faults.
    fn element(&mut self, ty: TypeIndex, array: Value, index: Value) -> Place {
        let layout = self.env.object_layout(ty).unwrap_array();
        let address = self.object_address(array);
        let len = self.load_array_len(address);
        let outside = self.builder.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, index, len);
        self.trap_if(outside, Trap::ArrayOutOfBounds);
        let index = self.widen(index);
        let byte = match layout.element.size_log2() {
            0 => index,
            log2 => self.builder.ins().ishl_imm_u(index, i64::from(log2)),
        };
        let address = self.builder.ins().iadd(address, byte);
        self.element_place(ty, address, offset32(layout.first()))
    }

    pub(super) fn element_place(&self, ty: TypeIndex, address: Value, offset: i32) -> Place {
        let storage = self.env.object_layout(ty).unwrap_array().element;
        Place { address, offset, storage, ty: self.element_field(ty) }
    }

    fn element_field(&self, ty: TypeIndex) -> FieldType<TypeIndex> {
        match self.env.info.types[ty.index()].composite {
            CompositeType::Array(field) => field,
            _ => panic!("validated: the index of an array type"),
        }
    }

    pub(super) fn load_array_len(&mut self, address: Value) -> Value {
        let flags = self.header_flags().with_trap_code(Some(trap_code(Trap::NullReference)));
        self.builder.ins().load(I32, flags, address, offset32(ARRAY_LEN))
    }

    /// `value`'s bits as they stand in an array, repeated over 8 bytes; a vector as it is.
    pub(in crate::compile::translate) fn pattern(
        &mut self,
        storage: Storage,
        value: Value,
    ) -> Value {
        if let Storage::Plain(LoweredType::V128) = storage {
            return self.as_type(value, I64X2);
        }
        let (bits, _) = self.slot_bits(storage, value);
        match storage.size() {
            8 => bits,
            size => {
                let mask = u64::MAX >> (64 - 8 * size);
                let low = self.builder.ins().band_imm_s(bits, mask.cast_signed());
                self.builder.ins().imul_imm_s(low, (u64::MAX / mask).cast_signed())
            }
        }
    }

    /// The bits of `value` in two words, as builtins take them. What is above a packed value is
    /// whatever the operand had there.
    pub(super) fn slot_bits(&mut self, storage: Storage, value: Value) -> (Value, Value) {
        let zero = self.builder.ins().iconst(I64, 0);
        let bits = match storage.lowered() {
            LoweredType::I32 => self.widen(value),
            LoweredType::I64 => value,
            LoweredType::F32 => {
                let bits = self.builder.ins().bitcast(I32, MemFlagsData::new(), value);
                self.widen(bits)
            }
            LoweredType::F64 => self.builder.ins().bitcast(I64, MemFlagsData::new(), value),
            LoweredType::V128 => {
                let words = self.as_type(value, I64X2);
                let low = self.builder.ins().extractlane(words, 0);
                let high = self.builder.ins().extractlane(words, 1);
                return (low, high);
            }
        };
        (bits, zero)
    }

    fn as_type(&mut self, value: Value, ty: cranelift_codegen::ir::Type) -> Value {
        debug_assert!([I8X16, I64X2].contains(&ty));
        if self.type_of(value) == ty {
            return value;
        }
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        self.builder.ins().bitcast(ty, flags, value)
    }
}
