//! Operators on tables and element segments.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, TrapCode, Type, Value};

use super::Translator;
use crate::Trap;
use crate::abi::builtins::Builtin;
use crate::abi::gc_layout::Storage;
use crate::abi::layout::table;
use crate::compile::signature::POINTER;
use crate::wasm::index::{TableIndex, TypeIndex};
use crate::wasm::types::{Limits, ValType};

impl Translator<'_> {
    pub(super) fn table_get(&mut self, table: u32) {
        let table = TableIndex(table);
        let index = self.pop();
        let value = self.table_element(table, index);
        self.push_typed(self.element_type(table), value);
    }

    pub(super) fn table_set(&mut self, table: u32) {
        let (index, value) = self.pop2();
        let table = TableIndex(table);
        let address = self.element_address(table, index);
        let flags = self.element_flags();
        self.builder.ins().store(flags, value, address, 0);
        if self.may_need_mark(table, value) {
            self.element_written(table, address);
        }
    }

    pub(super) fn table_size(&mut self, table: u32) {
        let table = TableIndex(table);
        let len = self.table_len(table);
        let len = self.narrow_index(self.is_table_64(table), len);
        self.push(len);
    }

    pub(super) fn table_grow(&mut self, table: u32) {
        let builtin =
            self.by_element(TableIndex(table), Builtin::TableGrowFunc, Builtin::TableGrowGc);
        let is_64 = self.is_table_64(TableIndex(table));
        let (value, delta) = self.pop2();
        let delta = self.widen_index(is_64, delta);
        let table = self.i32_const(table);
        let old = self.call_builtin_result(builtin, &[table, delta, value]);
        let old = self.narrow_index(is_64, old);
        self.push(old);
    }

    pub(super) fn table_fill(&mut self, table: u32) {
        let index = TableIndex(table);
        let builtin = self.by_element(index, Builtin::TableFillFunc, Builtin::TableFillGc);
        let is_64 = self.is_table_64(index);
        let (at, value, len) = self.pop3();
        let (at, len) = (self.widen_index(is_64, at), self.widen_index(is_64, len));
        let args = [self.i32_const(table), at, value, len];
        let marked = self.may_need_mark(index, value).then_some(index);
        self.bulk_operation_on_tables(builtin, &args, [(index, at)], len, marked, |this, [to]| {
            let bytes = this.bytes_of_elements(index, len);
            let pattern = match this.env.info.is_gc_ref(this.element_type(index)) {
                true => this.pattern(Storage::Reference, value),
                false => value,
            };
            this.call_fill(to, bytes, pattern, pattern);
        });
    }

    pub(super) fn table_copy(&mut self, to_table: u32, from_table: u32) {
        let (to, from, len) = self.pop3();
        let (to_index, from_index) = (TableIndex(to_table), TableIndex(from_table));
        let (to_64, from_64) = (self.is_table_64(to_index), self.is_table_64(from_index));
        let (to, from) = (self.widen_index(to_64, to), self.widen_index(from_64, from));
        let len = self.widen_index(to_64 && from_64, len);
        let args = [self.i32_const(to_table), self.i32_const(from_table), to, from, len];
        let ranges = [(to_index, to), (from_index, from)];
        let marked = self.env.info.is_gc_ref(self.element_type(to_index)).then_some(to_index);
        let builtin = Builtin::TableCopy;
        self.bulk_operation_on_tables(builtin, &args, ranges, len, marked, |this, [to, from]| {
            let bytes = this.bytes_of_elements(to_index, len);
            this.call_memmove(to, from, bytes);
        });
    }

    /// [`Translator::bulk_operation`] on `len` elements at each of `ranges`. If the collector may have to
    /// be told of what is written to the first, `marked` is its table.
    fn bulk_operation_on_tables<const N: usize>(
        &mut self,
        builtin: Builtin,
        args: &[Value],
        ranges: [(TableIndex, Value); N],
        len: Value,
        marked: Option<TableIndex>,
        operate: impl FnOnce(&mut Self, [Value; N]),
    ) {
        self.bulk_operation(
            builtin,
            args,
            |this| {
                ranges.map(|(table, index)| {
                    let room = this.table_len(table);
                    this.exceeds(this.is_table_64(table), index, len, room)
                })
            },
            |this, outside| {
                let addresses: [Value; N] = std::array::from_fn(|range| {
                    let (table, index) = ranges[range];
                    let address = this.unguarded_element_address(table, index);
                    this.guarded(outside[range], address)
                });
                let is_marked = marked.map(|table| this.range_is_marked(table, addresses[0], len));
                (addresses, is_marked)
            },
            operate,
        );
    }

    /// Whether the `len` elements at `address`, which exist, have at most two marks and all are set.
    fn range_is_marked(&mut self, table: TableIndex, address: Value, len: Value) -> Value {
        let bytes = self.bytes_of_elements(table, len);
        let end = self.builder.ins().iadd(address, bytes);
        let last = self.builder.ins().iadd_imm_s(end, -1);
        let (first_mark, last_mark) =
            (self.mark_address(table, address), self.mark_address(table, last));
        let flags = self.mark_flags();
        let first = self.builder.ins().load(I8, flags, first_mark, 0);
        let last = self.builder.ins().load(I8, flags, last_mark, 0);
        let both = self.builder.ins().band(first, last);
        let between = self.builder.ins().isub(last_mark, first_mark);
        let few = self.builder.ins().icmp_imm_u(IntCC::UnsignedLessThanOrEqual, between, 1);
        self.builder.ins().band(both, few)
    }

    fn bytes_of_elements(&mut self, table: TableIndex, len: Value) -> Value {
        let size = self.element_clif_type(table).bytes();
        self.builder.ins().ishl_imm_u(len, i64::from(size.trailing_zeros()))
    }

    pub(super) fn table_init(&mut self, table: u32, segment: u32) {
        let (to, from, len) = self.pop3();
        let to = self.widen_index(self.is_table_64(TableIndex(table)), to);
        let (from, len) = (self.widen(from), self.widen(len));
        let (table, segment) = (self.i32_const(table), self.i32_const(segment));
        self.call_builtin(Builtin::TableInit, &[table, segment, to, from, len]);
    }

    pub(super) fn elem_drop(&mut self, segment: u32) {
        let segment = self.i32_const(segment);
        self.call_builtin(Builtin::ElemDrop, &[segment]);
    }

    /// The element at `index`; traps outside the table.
    pub(super) fn table_element(&mut self, table: TableIndex, index: Value) -> Value {
        let address = self.element_address(table, index);
        let (ty, flags) = (self.element_clif_type(table), self.element_flags());
        self.builder.ins().load(ty, flags, address, 0)
    }

    /// The address of the element at `index`, at which an access traps outside the table. It is good
    /// until the next call, which may grow the table.
    fn element_address(&mut self, table: TableIndex, index: Value) -> Value {
        let bound = self.upper_bound(index);
        let index = self.widen_index(self.is_table_64(table), index);
        // A table never has fewer elements than its type says.
        if bound.is_some_and(|bound| bound < self.table_limits(table).min) {
            return self.unguarded_element_address(table, index);
        }
        let len = self.table_len(table);
        let outside = self.builder.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, index, len);
        let address = self.unguarded_element_address(table, index);
        self.guarded(outside, address)
    }

    /// The address of the element at `index`, if it exists.
    fn unguarded_element_address(&mut self, table: TableIndex, index: Value) -> Value {
        let base = self.definition_pointer(table, table::BASE);
        let byte = self.bytes_of_elements(table, index);
        self.builder.ins().iadd(base, byte)
    }

    /// The address of the mark of the element at `address`, which holds a reference to an object.
    pub(super) fn mark_address(&mut self, table: TableIndex, address: Value) -> Value {
        let marks = self.definition_pointer(table, table::MARKS);
        let card = self.builder.ins().ushr_imm_u(address, table::CARD_LOG2 as i64);
        self.builder.ins().iadd(marks, card)
    }

    /// A pointer in the definition of a table.
    fn definition_pointer(&mut self, table: TableIndex, field: i32) -> Value {
        let (definition, offset) = self.definition(self.env.layout.table(table));
        let flags = match self.env.fixed_table_lens[table.index()] {
            Some(_) => self.constant_flags(),
            None => self.context_flags(),
        };
        self.builder.ins().load(POINTER, flags, definition, offset + field)
    }

    /// Whether the collector may have to look at an element that `value` is written to.
    fn may_need_mark(&self, table: TableIndex, value: Value) -> bool {
        self.definition_needs_barrier(self.element_type(table), value)
    }

    fn table_len(&mut self, table: TableIndex) -> Value {
        if let Some(len) = self.env.fixed_table_lens[table.index()] {
            return self.builder.ins().iconst(I64, len.cast_signed());
        }
        let (definition, offset) = self.definition(self.env.layout.table(table));
        let flags = self.context_flags();
        self.builder.ins().load(I64, flags, definition, offset + table::LEN)
    }

    fn table_limits(&self, table: TableIndex) -> Limits {
        self.env.info.tables[table.index()].ty.limits
    }

    fn is_table_64(&self, table: TableIndex) -> bool {
        self.env.info.tables[table.index()].ty.is_64
    }

    fn element_flags(&self) -> MemFlagsData {
        let trap = TrapCode::unwrap_user(Trap::TableOutOfBounds.code());
        let flags = MemFlagsData::trusted().with_alias_region(Some(self.regions.table));
        flags.with_trap_code(Some(trap))
    }

    fn element_type(&self, table: TableIndex) -> ValType<TypeIndex> {
        ValType::Ref(self.env.info.tables[table.index()].ty.element)
    }

    fn element_clif_type(&self, table: TableIndex) -> Type {
        self.clif_type(self.element_type(table))
    }

    /// The builtin for a table's kind of elements.
    fn by_element(&self, table: TableIndex, func: Builtin, gc: Builtin) -> Builtin {
        if self.env.info.is_gc_ref(self.element_type(table)) { gc } else { func }
    }
}
