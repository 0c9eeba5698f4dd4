//! Operators on tables and element segments.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, TrapCode, Type, Value};

use super::Translator;
use crate::Trap;
use crate::abi::builtins::Builtin;
use crate::abi::layout::table;
use crate::compile::signature::POINTER;
use crate::wasm::index::{TableIndex, TypeIndex};
use crate::wasm::types::ValType;

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
        if self.env.info.is_gc_ref(self.element_type(table)) {
            self.reference_written(None, address, Some(flags), value);
        }
        self.builder.ins().store(flags, value, address, 0);
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
        let builtin =
            self.by_element(TableIndex(table), Builtin::TableFillFunc, Builtin::TableFillGc);
        let is_64 = self.is_table_64(TableIndex(table));
        let (at, value, len) = self.pop3();
        let (at, len) = (self.widen_index(is_64, at), self.widen_index(is_64, len));
        let table = self.i32_const(table);
        self.call_builtin(builtin, &[table, at, value, len]);
    }

    pub(super) fn table_copy(&mut self, to_table: u32, from_table: u32) {
        let (to, from, len) = self.pop3();
        let to_64 = self.is_table_64(TableIndex(to_table));
        let from_64 = self.is_table_64(TableIndex(from_table));
        let (to, from) = (self.widen_index(to_64, to), self.widen_index(from_64, from));
        let len = self.widen_index(to_64 && from_64, len);
        let (to_table, from_table) = (self.i32_const(to_table), self.i32_const(from_table));
        self.call_builtin(Builtin::TableCopy, &[to_table, from_table, to, from, len]);
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
        let index = self.widen_index(self.is_table_64(table), index);
        let len = self.table_len(table);
        let outside = self.builder.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, index, len);
        let (definition, offset) = self.definition(self.env.layout.table(table));
        let flags = match self.fixed_len(table) {
            Some(_) => self.constant_flags(),
            None => self.context_flags(),
        };
        let base = self.builder.ins().load(POINTER, flags, definition, offset + table::BASE);
        let size = self.element_clif_type(table).bytes();
        let byte = self.builder.ins().ishl_imm_u(index, i64::from(size.trailing_zeros()));
        let address = self.builder.ins().iadd(base, byte);
        self.guarded(outside, address)
    }

    /// The length of a table that never grows.
    fn fixed_len(&self, table: TableIndex) -> Option<u64> {
        let limits = self.env.info.tables[table.index()].ty.limits;
        limits.max.filter(|max| *max == limits.min)
    }

    fn table_len(&mut self, table: TableIndex) -> Value {
        if let Some(len) = self.fixed_len(table) {
            return self.builder.ins().iconst(I64, len.cast_signed());
        }
        let (definition, offset) = self.definition(self.env.layout.table(table));
        let flags = self.context_flags();
        self.builder.ins().load(I64, flags, definition, offset + table::LEN)
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
