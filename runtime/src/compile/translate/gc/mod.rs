//! Objects of the GC heap, and references to them. This file: addresses of objects, and how their parts
//! are accessed. The operators are in the files below.
//!
//! | file | owns |
//! |---|---|
//! | `alloc.rs` | allocation |
//! | `structs.rs` | operators on structs |
//! | `arrays.rs` | operators on arrays |
//! | `bulk.rs` | operators on many elements of arrays |
//! | `barrier.rs` | what the collector must know of stores |
//! | `cast.rs` | tests and casts of references |
//! | `i31.rs` | integers in references, and conversions between hierarchies |
//!
//! An address is good until the next call: a collection moves objects. References are in stack maps,
//! so addresses are made anew from them, and everything that is keyed on an address with them.

mod alloc;
mod arrays;
mod barrier;
mod bulk;
pub(super) mod cast;
mod i31;
mod structs;

use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, TrapCode, Value};

use super::Translator;
use crate::Trap;
use crate::abi::gc_layout::Storage;
use crate::abi::layout::vm_store;
use crate::abi::object::{HEADER_TYPE, NULL_GUARD};
use crate::abi::signature::LoweredType;
use crate::compile::signature::{POINTER, clif_type};
use crate::wasm::index::TypeIndex;
use crate::wasm::types::{FieldType, StorageType, ValType};

/// What becomes of a packed value when it is loaded.
#[derive(Clone, Copy)]
pub(super) enum Extension {
    /// It is not packed.
    None,
    Signed,
    Unsigned,
}

/// A field or an element: where, what, and how it may be accessed.
#[derive(Clone, Copy)]
struct Place {
    /// The object, or an address in it.
    address: Value,
    /// Bytes from there.
    offset: i32,
    storage: Storage,
    ty: FieldType<TypeIndex>,
}

impl Translator<'_> {
    /// The base of the GC heap.
    fn heap_base(&mut self) -> Value {
        let store = self.store_pointer();
        // Instances of modules that declare such types reserve the heap before any of their code runs.
        let flags = match self.env.has_heap {
            true => self.constant_flags(),
            false => self.context_flags(),
        };
        self.builder.ins().load(POINTER, flags, store, vm_store::GC_BASE)
    }

    /// The address of the object that `reference` leads to.
    pub(super) fn object_address(&mut self, reference: Value) -> Value {
        let base = self.heap_base();
        let offset = self.widen(reference);
        self.builder.ins().iadd(base, offset)
    }

    /// As [`Translator::object_address`], for an access that ends `end` bytes from there: null traps
    /// at once if the access would not fault.
    fn checked_object(&mut self, reference: Value, end: u32) -> Value {
        if end > NULL_GUARD {
            let is_null = self.is_zero(reference);
            self.trap_if(is_null, Trap::NullReference);
        }
        self.object_address(reference)
    }

    /// The engine's id of a type of the module.
    pub(super) fn type_id(&mut self, ty: TypeIndex) -> Value {
        let flags = self.constant_flags();
        let offset = self.env.layout.type_id(ty);
        self.builder.ins().load(I32, flags, self.vmctx, offset)
    }

    /// Flags for what never changes while an object lives: its type, and its length.
    fn header_flags(&self) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(self.regions.header))
    }

    /// The type of the object that `reference`, which is no i31, leads to. Null faults with `null`, if
    /// it may be null.
    fn object_type(&mut self, reference: Value, null: Option<Trap>) -> Value {
        let address = self.object_address(reference);
        let mut flags = self.header_flags();
        if let Some(null) = null {
            flags = flags.with_trap_code(Some(trap_code(null)));
        }
        self.builder.ins().load(I32, flags, address, offset32(HEADER_TYPE))
    }

    /// Flags for a field. Those that change and those that do not never overlap: subtypes keep both
    /// where they are.
    fn field_flags(&self, place: &Place) -> MemFlagsData {
        let region = match place.ty.mutable {
            true => self.regions.field,
            false => self.regions.constant_field,
        };
        // Objects are aligned to 8 bytes only.
        let flags = match place.storage {
            Storage::Plain(LoweredType::V128) => MemFlagsData::new().with_notrap(),
            _ => MemFlagsData::trusted(),
        };
        flags.with_alias_region(Some(region))
    }

    /// Loads and pushes what is at `place`. A null object faults.
    fn push_field(&mut self, place: &Place, extension: Extension) {
        let value = self.load_field(place, extension);
        match place.ty.storage {
            StorageType::Val(ty) => self.push_typed(ty, value),
            StorageType::I8 | StorageType::I16 => self.push(value),
        }
    }

    /// What is at `place`; a reference is in no stack map. A null object faults.
    fn load_field(&mut self, place: &Place, extension: Extension) -> Value {
        let flags = self.field_flags(place).with_trap_code(Some(trap_code(Trap::NullReference)));
        let (address, offset) = (place.address, place.offset);
        let ins = self.builder.ins();
        match (place.storage, extension) {
            (Storage::I8, Extension::Signed) => ins.sload8(I32, flags, address, offset),
            (Storage::I8, _) => ins.uload8(I32, flags, address, offset),
            (Storage::I16, Extension::Signed) => ins.sload16(I32, flags, address, offset),
            (Storage::I16, _) => ins.uload16(I32, flags, address, offset),
            (storage, _) => ins.load(clif_type(storage.lowered()), flags, address, offset),
        }
    }

    /// Stores `value` at `place` of `holder`. A null object faults.
    fn set_field(&mut self, holder: Value, place: &Place, value: Value) {
        let flags = self.field_flags(place);
        self.field_written(holder, place, Some(flags), value);
        let flags = flags.with_trap_code(Some(trap_code(Trap::NullReference)));
        self.store_field(flags, place, value);
    }

    /// Stores `value` at `place` of an object that was made since the last safepoint and is young.
    fn init_field(&mut self, place: &Place, value: Value) {
        let flags = self.field_flags(place);
        self.store_field(flags, place, value);
    }

    fn store_field(&mut self, flags: MemFlagsData, place: &Place, value: Value) {
        let (address, offset) = (place.address, place.offset);
        let ins = self.builder.ins();
        match place.storage {
            Storage::I8 => ins.istore8(flags, value, address, offset),
            Storage::I16 => ins.istore16(flags, value, address, offset),
            _ => ins.store(flags, value, address, offset),
        };
    }

    /// Tells the collector of a store to `place` of `holder` that is about to happen. What it
    /// `replaces` is as for [`Translator::reference_written`].
    fn field_written(
        &mut self,
        holder: Value,
        place: &Place,
        replaces: Option<MemFlagsData>,
        value: Value,
    ) {
        if place.storage == Storage::Reference && self.may_be_object(place.ty.storage, value) {
            let slot = self.builder.ins().iadd_imm_s(place.address, i64::from(place.offset));
            self.reference_written(holder, slot, replaces, value);
        }
    }

    /// Whether `value`, of type `ty`, can lead to an object: nulls and i31 never do.
    fn may_be_object(&self, ty: StorageType<TypeIndex>, value: Value) -> bool {
        use crate::wasm::types::HeapType::{I31, NoExn, NoExtern, None};
        let StorageType::Val(ValType::Ref(ty)) = ty else { return false };
        !matches!(ty.heap, I31 | None | NoExtern | NoExn) && self.constant(value) != Some(0)
    }
}

fn trap_code(trap: Trap) -> TrapCode {
    TrapCode::unwrap_user(trap.code())
}

/// An offset in an object that is known when the code is compiled.
fn offset32(offset: u32) -> i32 {
    i32::try_from(offset).expect("validated: at most 10 000 fields or elements are named")
}
