//! Allocation. What is allocated is young unless it is large; until the next safepoint stores to a
//! young object need no barrier.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64, I64X2};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};

use super::offset32;
use crate::abi::builtins::Builtin;
use crate::abi::exception::ExnLayout;
use crate::abi::gc_layout::ArrayLayout;
use crate::abi::layout::vm_store;
use crate::abi::object::{
    ARRAY_LEN, EXN_SHAPE, EXN_TAG, FIELDS, HEADER_TYPE, LARGE_OBJECT, TYPE_EXN,
};
use crate::compile::signature::POINTER;
use crate::compile::translate::{Translator, zero};
use crate::wasm::index::{TagIndex, TypeIndex};

/// Up to so many bytes are filled without a loop.
const UNROLLED: u32 = 128;

/// A new object.
#[derive(Clone, Copy)]
pub(super) struct Object {
    pub(super) reference: Value,
    pub(super) address: Value,
    /// Whether it is large: zeroed, and subject to the barrier.
    pub(super) is_old: bool,
}

impl Translator<'_> {
    /// A struct whose fields are not initialised, unless it is old.
    pub(super) fn new_struct(&mut self, ty: TypeIndex) -> Object {
        let size = self.env.object_layout(ty).unwrap_struct().size;
        self.new_object(ty, size)
    }

    /// An array of `len` elements, which are not initialised unless it is old. Its size is one that
    /// objects may have.
    pub(super) fn new_fixed_array(&mut self, ty: TypeIndex, len: u32, size: u32) -> Object {
        let object = self.new_object(ty, size);
        let len = self.i32_const(len);
        let flags = self.header_flags();
        self.builder.ins().store(flags, len, object.address, offset32(ARRAY_LEN));
        object
    }

    /// An object of constant size with its header.
    fn new_object(&mut self, ty: TypeIndex, size: u32) -> Object {
        if size > LARGE_OBJECT {
            let (id, size) = (self.type_id(ty), self.i32_const(size));
            let reference = self.call_builtin_result(Builtin::GcAllocLarge, &[id, size]);
            self.declare_object(reference);
            let address = self.object_address(reference);
            return Object { reference, address, is_old: true };
        }
        let size = self.i32_const(size);
        self.young_object(ty, size)
    }

    /// An object of `size` bytes, no more than [`LARGE_OBJECT`], with its header.
    fn young_object(&mut self, ty: TypeIndex, size: Value) -> Object {
        let reference = self.room(size);
        self.declare_object(reference);
        let address = self.object_address(reference);
        let id = self.type_id(ty);
        // The collector's word is zero.
        let header = self.widen(id);
        let flags = self.header_flags();
        self.builder.ins().store(flags, header, address, offset32(HEADER_TYPE));
        Object { reference, address, is_old: false }
    }

    /// An exception of `tag` without its payload, and the object's address.
    pub(in crate::compile::translate) fn young_exception(
        &mut self,
        tag: TagIndex,
        layout: &ExnLayout,
    ) -> (Value, Value) {
        debug_assert!(layout.size <= LARGE_OBJECT, "validated: at most 1000 parameters");
        let size = self.i32_const(layout.size);
        let exception = self.room(size);
        self.declare_object(exception);
        let address = self.object_address(exception);
        let flags = self.header_flags();
        // The collector's word is zero.
        let header = self.builder.ins().iconst(I64, i64::from(TYPE_EXN));
        self.builder.ins().store(flags, header, address, offset32(HEADER_TYPE));
        let constant = self.constant_flags();
        let place = self.env.layout.tag(tag);
        let tag = self.builder.ins().load(I32, constant, self.vmctx, place);
        self.builder.ins().store(flags, tag, address, offset32(EXN_TAG));
        let shape = self.i32_const(layout.shape_word());
        self.builder.ins().store(flags, shape, address, offset32(EXN_SHAPE));
        (exception, address)
    }

    /// Room for an object of `size` bytes: nothing in it is initialised. A safepoint.
    fn room(&mut self, size: Value) -> Value {
        let store = self.store_pointer();
        let flags = MemFlagsData::trusted().with_alias_region(Some(self.regions.nursery));
        let top = self.builder.ins().load(I32, flags, store, vm_store::NURSERY_TOP);
        let end = self.builder.ins().load(I32, flags, store, vm_store::NURSERY_END);
        // The nursery is far from the end of the heap: this does not wrap.
        let next = self.builder.ins().iadd(top, size);
        let is_full = self.builder.ins().icmp(IntCC::UnsignedGreaterThan, next, end);
        let [full, fits, done] = [(); 3].map(|()| self.next_block());
        let room = self.builder.append_block_param(done, I32);
        self.set_cold(full);
        self.builder.ins().brif(is_full, full, &[], fits, &[]);
        self.builder.seal_block(full);
        self.builder.seal_block(fits);
        self.builder.switch_to_block(full);
        let made = self.call_builtin_result(Builtin::GcAlloc, &[size]);
        self.builder.ins().jump(done, &[made.into()]);
        self.builder.switch_to_block(fits);
        self.builder.ins().store(flags, next, store, vm_store::NURSERY_TOP);
        self.builder.ins().jump(done, &[top.into()]);
        self.builder.seal_block(done);
        self.builder.switch_to_block(done);
        room
    }

    /// An array of `len` elements that are all `init`, or the default value.
    pub(super) fn new_array(&mut self, ty: TypeIndex, len: Value, init: Option<Value>) -> Value {
        let layout = self.env.object_layout(ty).unwrap_array();
        let constant = self.constant(len).map(|len| len as u32);
        if let Some(size) = constant.and_then(|len| layout.size(len))
            && size <= LARGE_OBJECT
        {
            let size_value = self.i32_const(size);
            let object = self.young_object(ty, size_value);
            self.init_array(layout, object.address, len, init, FillEnd::Constant(size));
            return object.reference;
        }
        let size = self.array_size(layout, len);
        let is_large = self.builder.ins().icmp_imm_u(
            IntCC::UnsignedGreaterThan,
            size,
            i64::from(LARGE_OBJECT),
        );
        let (large, small) = (self.next_block(), self.next_block());
        let done = self.next_block();
        let result = self.builder.append_block_param(done, I32);
        self.declare_object(result);
        self.set_cold(large);
        self.builder.ins().brif(is_large, large, &[], small, &[]);
        self.builder.seal_block(large);
        self.builder.seal_block(small);

        self.builder.switch_to_block(large);
        let id = self.type_id(ty);
        let reference = self.call_builtin_result(Builtin::ArrayNew, &[id, len]);
        self.declare_object(reference);
        if let Some(init) = init {
            let start = self.i32_const(0);
            let (low, high) = self.slot_bits(layout.element, init);
            self.call_builtin(Builtin::ArrayFill, &[reference, start, low, high, len]);
        }
        self.builder.ins().jump(done, &[reference.into()]);

        self.builder.switch_to_block(small);
        let size = self.builder.ins().ireduce(I32, size);
        let object = self.young_object(ty, size);
        self.init_array(layout, object.address, len, init, FillEnd::Dynamic(size));
        self.builder.ins().jump(done, &[object.reference.into()]);
        self.builder.seal_block(done);
        self.builder.switch_to_block(done);
        result
    }

    /// Bytes of an array of `len` elements, as an `i64`: it does not wrap.
    fn array_size(&mut self, layout: ArrayLayout, len: Value) -> Value {
        let len = self.widen(len);
        let bytes = self.builder.ins().ishl_imm_u(len, i64::from(layout.element.size_log2()));
        let end = self.builder.ins().iadd_imm_s(bytes, i64::from(layout.first() + 7));
        self.builder.ins().band_imm_s(end, -8)
    }

    /// Writes the length and all elements of a young array. Their bits are computed here, behind the
    /// safepoint.
    fn init_array(
        &mut self,
        layout: ArrayLayout,
        address: Value,
        len: Value,
        init: Option<Value>,
        end: FillEnd,
    ) {
        let flags = self.header_flags();
        let pattern = match init {
            Some(init) => self.pattern(layout.element, init),
            None => zero(&mut self.builder, I64),
        };
        if layout.first() == ARRAY_LEN + 4 {
            // What follows the length is half a word of elements.
            let len = self.widen(len);
            let high = self.builder.ins().ishl_imm_u(pattern, 32);
            let both = self.builder.ins().bor(len, high);
            self.builder.ins().store(flags, both, address, offset32(ARRAY_LEN));
        } else {
            self.builder.ins().store(flags, len, address, offset32(ARRAY_LEN));
        }
        self.fill_words(address, ARRAY_LEN + 8, end, pattern);
    }

    /// Zeroes the fields of a young struct of `size` bytes.
    pub(super) fn zero_fields(&mut self, address: Value, size: u32) {
        let pattern = zero(&mut self.builder, I64);
        self.fill_words(address, FIELDS, FillEnd::Constant(size), pattern);
    }

    /// Fills the bytes from `start` to `end` of an object, a multiple of 8, with `pattern`, 8 or 16
    /// bytes.
    fn fill_words(&mut self, address: Value, start: u32, end: FillEnd, pattern: Value) {
        let wide = match self.type_of(pattern) {
            I64 => self.builder.ins().splat(I64X2, pattern),
            _ => pattern,
        };
        let narrow = (self.type_of(pattern) == I64).then_some(pattern);
        // Elements of every kind, unaligned.
        let flags = MemFlagsData::new().with_notrap().with_alias_region(Some(self.regions.field));
        match end {
            FillEnd::Constant(end) if end - start <= UNROLLED => {
                let mut at = start;
                while at + 16 <= end {
                    self.builder.ins().store(flags, wide, address, offset32(at));
                    at += 16;
                }
                if at < end {
                    let narrow = narrow.expect("vectors fill multiples of 16 bytes");
                    self.builder.ins().store(flags, narrow, address, offset32(at));
                }
            }
            FillEnd::Constant(end) => {
                let end = self.builder.ins().iadd_imm_s(address, i64::from(end));
                self.fill_loop(flags, address, start, end, wide, narrow);
            }
            FillEnd::Dynamic(size) => {
                let size = self.widen(size);
                let end = self.builder.ins().iadd(address, size);
                self.fill_loop(flags, address, start, end, wide, narrow);
            }
        }
    }

    fn fill_loop(
        &mut self,
        flags: MemFlagsData,
        address: Value,
        start: u32,
        end: Value,
        wide: Value,
        narrow: Option<Value>,
    ) {
        let [header, body, rest, done] = [(); 4].map(|()| self.next_block());
        let at = self.builder.append_block_param(header, POINTER);
        let start = self.builder.ins().iadd_imm_s(address, i64::from(start));
        self.builder.ins().jump(header, &[start.into()]);
        self.builder.switch_to_block(header);
        let next = self.builder.ins().iadd_imm_s(at, 16);
        let beyond = self.builder.ins().icmp(IntCC::UnsignedGreaterThan, next, end);
        self.builder.ins().brif(beyond, rest, &[], body, &[]);
        self.builder.seal_block(body);
        self.builder.seal_block(rest);
        self.builder.switch_to_block(body);
        self.builder.ins().store(flags, wide, at, 0);
        self.builder.ins().jump(header, &[next.into()]);
        self.builder.seal_block(header);
        self.builder.switch_to_block(rest);
        match narrow {
            Some(narrow) => {
                let tail = self.next_block();
                let is_left = self.builder.ins().icmp(IntCC::NotEqual, at, end);
                self.builder.ins().brif(is_left, tail, &[], done, &[]);
                self.builder.switch_to_block(tail);
                self.builder.seal_block(tail);
                self.builder.ins().store(flags, narrow, at, 0);
                self.builder.ins().jump(done, &[]);
            }
            None => {
                self.builder.ins().jump(done, &[]);
            }
        }
        self.builder.seal_block(done);
        self.builder.switch_to_block(done);
    }
}

/// How many bytes an object has.
#[derive(Clone, Copy)]
enum FillEnd {
    Constant(u32),
    /// As an `i32`.
    Dynamic(Value),
}
