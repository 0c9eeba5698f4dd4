//! Operators on structs.

use super::{Extension, Place, offset32};
use crate::compile::signature::clif_type;
use crate::compile::translate::{Translator, zero};
use crate::wasm::index::TypeIndex;
use crate::wasm::types::{CompositeType, FieldType};
use cranelift_codegen::ir::Value;

/// Structs with more fields are zeroed word by word.
const ZEROED_BY_FIELD: usize = 8;

impl<'a> Translator<'a> {
    pub(in crate::compile::translate) fn struct_new(&mut self, ty: u32) {
        let ty = TypeIndex(ty);
        let values = self.pop_many(self.struct_fields(ty).len());
        let object = self.new_struct(ty);
        for (field, value) in values.into_iter().enumerate() {
            let place = self.field_place(ty, field, object.address);
            self.init_field(&place, value);
            if object.is_old {
                self.field_written(object.reference, &place, None, value);
            }
        }
        self.push(object.reference);
    }

    pub(in crate::compile::translate) fn struct_new_default(&mut self, ty: u32) {
        let ty = TypeIndex(ty);
        let object = self.new_struct(ty);
        let fields = self.struct_fields(ty).len();
        if object.is_old {
            // It comes zeroed.
        } else if fields <= ZEROED_BY_FIELD {
            for field in 0..fields {
                let place = self.field_place(ty, field, object.address);
                let default = zero(&mut self.builder, clif_type(place.storage.lowered()));
                self.init_field(&place, default);
            }
        } else {
            let size = self.env.object_layout(ty).unwrap_struct().size;
            self.zero_fields(object.address, size);
        }
        self.push(object.reference);
    }

    pub(in crate::compile::translate) fn struct_get(
        &mut self,
        ty: u32,
        field: u32,
        extension: Extension,
    ) {
        let reference = self.pop();
        let place = self.field_of(TypeIndex(ty), field, reference);
        self.push_field(&place, extension);
    }

    pub(in crate::compile::translate) fn struct_set(&mut self, ty: u32, field: u32) {
        let (reference, value) = self.pop2();
        let place = self.field_of(TypeIndex(ty), field, reference);
        self.set_field(reference, &place, value);
    }

    /// A field of an object that may be null.
    fn field_of(&mut self, ty: TypeIndex, field: u32, reference: Value) -> Place {
        let layout = self.env.object_layout(ty).unwrap_struct().fields[field as usize];
        let address = self.checked_object(reference, layout.offset + layout.storage.size());
        self.field_place(ty, field as usize, address)
    }

    fn field_place(&self, ty: TypeIndex, field: usize, address: Value) -> Place {
        let layout = self.env.object_layout(ty).unwrap_struct().fields[field];
        let (offset, storage) = (offset32(layout.offset), layout.storage);
        Place { address, offset, storage, ty: self.struct_fields(ty)[field] }
    }

    fn struct_fields(&self, ty: TypeIndex) -> &'a [FieldType<TypeIndex>] {
        match &self.env.info.types[ty.index()].composite {
            CompositeType::Struct(fields) => fields,
            _ => panic!("validated: the index of a struct type"),
        }
    }
}
