//! The types of an engine: the registry, its copy for compiled code, and the layouts of objects.
//! Decides nothing about types itself.

use std::ops::{Deref, Range};
use std::sync::Arc;

use anyhow::ensure;

use crate::abi::gc_layout::ObjectLayout;
use crate::abi::object::{FIRST_TYPE, KIND_ARRAY, KIND_FUNC, KIND_STRUCT, TYPE_EXN, TYPE_EXTERN};
use crate::error::{Error, Result};
use crate::vm::type_table::TypeTable;
use crate::wasm::index::TypeIndex;
use crate::wasm::types::{GroupRef, SubType, TypeId, TypeRegistry};

/// The registry with the table that compiled code reads. An id is given out only after its entry
/// was written.
pub(crate) struct Types {
    registry: TypeRegistry,
    table: TypeTable,
    /// By number, without the reserved ones.
    layouts: Vec<Arc<ObjectLayout>>,
}

impl Types {
    /// No types but the reserved numbers, which are no type's sub- or supertype.
    ///
    /// # Errors
    ///
    /// If the address space is used up.
    pub(crate) fn new() -> Result<Types> {
        let table = TypeTable::new()?;
        for number in 0..FIRST_TYPE {
            let itself = [TYPE_EXTERN, TYPE_EXN].contains(&number).then_some(number);
            table.push(itself.into_iter(), &ObjectLayout::Func)?;
        }
        Ok(Types { registry: TypeRegistry::default(), table, layouts: Vec::new() })
    }

    /// As [`TypeRegistry::register_module`].
    ///
    /// # Errors
    ///
    /// If the engine has no room for so many types.
    pub(crate) fn register_module(
        &mut self,
        types: &[SubType<TypeIndex>],
        groups: &[Range<u32>],
    ) -> Result<Box<[TypeId]>> {
        let ids = self.registry.register_module(types, groups);
        ids.iter().try_for_each(|id| self.publish(*id))?;
        Ok(ids)
    }

    /// As [`TypeRegistry::register_alone`].
    ///
    /// # Errors
    ///
    /// If the type is no subtype of what it declares as its supertype, or the engine has no room for
    /// another type.
    pub(crate) fn register_alone(&mut self, ty: &SubType<TypeId>) -> Result<TypeId> {
        self.registry.check_supertype(ty).map_err(Error::msg)?;
        let id = self.registry.register_alone(ty);
        self.publish(id)?;
        Ok(id)
    }

    /// Registers a recursion group, whose members mention each other, and returns the id of each.
    ///
    /// # Errors
    ///
    /// As [`Types::register_alone`].
    pub(crate) fn register_group(
        &mut self,
        group: Box<[SubType<GroupRef>]>,
    ) -> Result<Box<[TypeId]>> {
        for (index, ty) in (0..).zip(&group) {
            let is_later = |member| matches!(member, Some(GroupRef::Member(it)) if it >= index);
            ensure!(!is_later(ty.supertype), "a supertype stands before its subtypes");
        }
        let len = u32::try_from(group.len())?;
        let first = self.registry.register_group(group);
        let ids: Box<[TypeId]> = (first..first + len).map(TypeId).collect();
        // A wrong type keeps its id, which nobody gets to know.
        for id in &ids {
            self.registry.check_supertype(self.registry.get(*id)).map_err(Error::msg)?;
        }
        ids.iter().try_for_each(|id| self.publish(*id))?;
        Ok(ids)
    }

    /// The table, the same as long as the engine lives.
    pub(crate) fn table(&self) -> &TypeTable {
        &self.table
    }

    /// Where the parts of objects of type `id` lie.
    pub(crate) fn layout(&self, id: TypeId) -> &Arc<ObjectLayout> {
        &self.layouts[(id.0 - FIRST_TYPE) as usize]
    }

    /// Writes the entries of `id` and of all types before it that have none yet: an earlier
    /// registration may have failed.
    fn publish(&mut self, id: TypeId) -> Result<()> {
        for number in self.table.len()..=id.0 as usize {
            let id = TypeId(u32::try_from(number).expect("the registry gives out u32 ids"));
            let layout = ObjectLayout::of_registered(&self.registry, id);
            let kind = match layout {
                ObjectLayout::Func => KIND_FUNC,
                ObjectLayout::Struct(_) => KIND_STRUCT,
                ObjectLayout::Array(_) => KIND_ARRAY,
            };
            let supertypes = self.registry.display(id).iter().map(|id| id.0);
            self.table.push(std::iter::once(kind).chain(supertypes), &layout)?;
            self.layouts.push(Arc::new(layout));
        }
        Ok(())
    }
}

impl Deref for Types {
    type Target = TypeRegistry;

    fn deref(&self) -> &TypeRegistry {
        &self.registry
    }
}
