//! Struct and array types as the host's accesses need them: the layout of their objects with the types
//! of what they consist of. Reads and writes no objects.

use std::sync::Arc;

use super::engine::EngineShared;
use super::store::StoreInner;
use crate::abi::gc_layout::{FieldLayout, ObjectLayout};
use crate::wasm::types::{CompositeType, FieldType, TypeId};

/// A struct or an array type.
#[derive(Debug)]
pub(crate) struct ObjectType {
    pub(crate) id: TypeId,
    pub(crate) layout: Arc<ObjectLayout>,
    /// The types of the fields, or that of the elements.
    pub(crate) fields: Box<[FieldType]>,
}

impl ObjectType {
    /// A field of a struct, if it has so many.
    #[inline]
    pub(crate) fn field(&self, index: usize) -> Option<(FieldLayout, FieldType)> {
        let layout = *self.layout.unwrap_struct().fields.get(index)?;
        Some((layout, self.fields[index]))
    }

    /// The type of an array's elements.
    pub(crate) fn element(&self) -> FieldType {
        self.fields[0]
    }
}

impl EngineShared {
    /// The struct or array type `id`.
    ///
    /// # Panics
    ///
    /// If it is a function type.
    pub(crate) fn object_type(&self, id: TypeId) -> Arc<ObjectType> {
        let types = self.types();
        let fields = match &types.get(id).composite {
            CompositeType::Struct(fields) => fields.clone(),
            CompositeType::Array(element) => Box::new([*element]),
            CompositeType::Func(_) => {
                panic!("validated: the type of an object is no function type")
            }
        };
        Arc::new(ObjectType { id, layout: types.layout(id).clone(), fields })
    }
}

impl StoreInner {
    /// The struct or array type `id`, without the engine's lock once it is known.
    #[inline]
    pub(crate) fn object_type(&mut self, id: TypeId) -> &Arc<ObjectType> {
        let index = id.0 as usize;
        if self.object_types.len() <= index {
            self.object_types.resize(index + 1, None);
        }
        self.object_types[index].get_or_insert_with(|| self.engine.object_type(id))
    }
}
