//! The write barrier of compiled code: has places looked at by the collector that may hold references
//! to young objects without being young themselves. `gc` says who else writes references.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I32};
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value};

use crate::abi::builtins::Builtin;
use crate::abi::layout::{global, table, vm_store};
use crate::abi::object::YOUNG_END;
use crate::compile::signature::POINTER;
use crate::compile::translate::Translator;
use crate::wasm::index::{TableIndex, TypeIndex};
use crate::wasm::types::{StorageType, ValType};

impl Translator<'_> {
    /// Compiled before the store of the reference `value` to the word at address `slot` of the object
    /// `holder`, at whose null the store faults, with nothing that may collect in between. `replaces`
    /// are the flags of accesses to the slot; `None` if it has held nothing yet.
    ///
    /// A slot that held a young reference was logged when that was written, and is until a collection
    /// leaves nothing young: whoever replaces the reference again and again has it logged once.
    pub(super) fn reference_written(
        &mut self,
        holder: Value,
        slot: Value,
        replaces: Option<MemFlagsData>,
        value: Value,
    ) {
        let log = self.next_block();
        let next = self.next_block();
        self.set_cold(log);
        let old = IntCC::UnsignedGreaterThanOrEqual;
        let is_old = self.builder.ins().icmp_imm_u(old, holder, i64::from(YOUNG_END));
        let check = self.next_block();
        self.builder.ins().brif(is_old, check, &[], next, &[]);
        self.go_on_in(check);
        let is_young = self.is_young(value);
        match replaces {
            Some(flags) => {
                let check = self.next_block();
                self.builder.ins().brif(is_young, check, &[], next, &[]);
                self.go_on_in(check);
                let before = self.builder.ins().load(I32, flags, slot, 0);
                let was_young = self.is_young(before);
                self.builder.ins().brif(was_young, next, &[], log, &[]);
            }
            None => {
                self.builder.ins().brif(is_young, log, &[], next, &[]);
            }
        }
        self.go_on_in(log);
        self.call_builtin(Builtin::RememberSlot, &[slot]);
        self.builder.ins().jump(next, &[]);
        self.go_on_in(next);
    }

    /// Compiled after the store of a reference to the element at `address` of a table, with nothing that
    /// may collect in between: marks it, unless it is.
    ///
    /// No call, as for globals: calls are safepoints, before which all references that live on are spilled.
    pub(in crate::compile::translate) fn element_written(
        &mut self,
        index: TableIndex,
        address: Value,
    ) {
        let (mark, flags) = (self.mark_address(index, address), self.mark_flags());
        let is_marked = self.builder.ins().load(I8, flags, mark, 0);
        self.unless(is_marked, |this| {
            let one = this.builder.ins().iconst(I8, 1);
            this.builder.ins().store(flags, one, mark, 0);
            let (base, offset) = this.definition(this.env.layout.table(index));
            let link = this.builder.ins().load(POINTER, flags, base, offset + table::LINK);
            let (store, first) = this.first_written(vm_store::WRITTEN_TABLES);
            let definition = this.builder.ins().iadd_imm_s(base, i64::from(offset));
            let new_link = this.builder.ins().select(link, link, first);
            let new_first = this.builder.ins().select(link, first, definition);
            this.builder.ins().store(flags, new_link, base, offset + table::LINK);
            this.builder.ins().store(flags, new_first, store, vm_store::WRITTEN_TABLES);
        });
    }

    /// Compiled after the store of a reference to the global whose definition is at `offset` from `base`,
    /// with nothing that may collect in between: adds it to its list, unless it is there.
    pub(in crate::compile::translate) fn global_written(&mut self, base: Value, offset: i32) {
        let flags = self.mark_flags();
        let link = self.builder.ins().load(POINTER, flags, base, offset + global::LINK);
        self.unless(link, |this| {
            let (store, first) = this.first_written(vm_store::WRITTEN_GLOBALS);
            let definition = this.builder.ins().iadd_imm_s(base, i64::from(offset));
            this.builder.ins().store(flags, first, base, offset + global::LINK);
            this.builder.ins().store(flags, definition, store, vm_store::WRITTEN_GLOBALS);
        });
    }

    /// The store, and its list of definitions at `list`.
    fn first_written(&mut self, list: i32) -> (Value, Value) {
        let (store, flags) = (self.store_pointer(), self.mark_flags());
        (store, self.builder.ins().load(POINTER, flags, store, list))
    }

    /// Does `log`, which is rare, unless `is_logged` is anything but 0.
    fn unless(&mut self, is_logged: Value, log: impl FnOnce(&mut Self)) {
        let [cold, next] = [(); 2].map(|()| self.next_block());
        self.set_cold(cold);
        self.builder.ins().brif(is_logged, next, &[], cold, &[]);
        self.go_on_in(cold);
        log(self);
        self.builder.ins().jump(next, &[]);
        self.go_on_in(next);
    }

    /// Whether the collector may have to look at a global or an element of type `ty` that `value` is written
    /// to.
    pub(in crate::compile::translate) fn definition_needs_barrier(
        &self,
        ty: ValType<TypeIndex>,
        value: Value,
    ) -> bool {
        self.env.info.is_gc_ref(ty) && self.may_be_object(StorageType::Val(ty), value)
    }

    /// Flags for marks, links and lists of definitions.
    pub(in crate::compile::translate) fn mark_flags(&self) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(self.regions.mark))
    }

    /// Whether a reference leads to a young object: `abi::object::is_young` as code.
    fn is_young(&mut self, reference: Value) -> Value {
        let half = self.builder.ins().rotr_imm_u(reference, 1);
        let position = self.builder.ins().iadd_imm_s(half, -1);
        let end = i64::from(YOUNG_END / 2 - 1);
        self.builder.ins().icmp_imm_u(IntCC::UnsignedLessThan, position, end)
    }

    /// Continues in a block whose predecessors are all known; it has no parameters.
    fn go_on_in(&mut self, block: Block) {
        self.builder.switch_to_block(block);
        self.builder.seal_block(block);
    }
}
