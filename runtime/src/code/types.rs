//! The types of an engine: the registry, and its copy for compiled code. Decides nothing about
//! types itself.

use std::ops::{Deref, Range};

use crate::error::Result;
use crate::vm::type_table::TypeTable;
use crate::wasm::index::TypeIndex;
use crate::wasm::types::{FuncType, SubType, TypeId, TypeRegistry};

/// The registry with the table that compiled code reads. An id is given out only after its entry
/// was written.
pub(crate) struct Types {
    registry: TypeRegistry,
    table: TypeTable,
}

impl Types {
    /// No types.
    ///
    /// # Errors
    ///
    /// If the address space is used up.
    pub(crate) fn new() -> Result<Types> {
        Ok(Types { registry: TypeRegistry::default(), table: TypeTable::new()? })
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

    /// As [`TypeRegistry::register_func`].
    ///
    /// # Errors
    ///
    /// If the engine has no room for another type.
    pub(crate) fn register_func(
        &mut self,
        is_final: bool,
        supertype: Option<TypeId>,
        ty: &FuncType<TypeId>,
    ) -> Result<TypeId> {
        let id = self.registry.register_func(is_final, supertype, ty);
        self.publish(id)?;
        Ok(id)
    }

    /// The address of the table, the same as long as the engine lives.
    pub(crate) fn table(&self) -> *const u32 {
        self.table.base()
    }

    /// Writes the entries of `id` and of all types before it that have none yet: an earlier
    /// registration may have failed.
    fn publish(&mut self, id: TypeId) -> Result<()> {
        for index in self.table.len()..=id.0 as usize {
            let index = u32::try_from(index).expect("the registry gives out u32 ids");
            let display = self.registry.display(TypeId(index)).iter().map(|id| id.0);
            self.table.push(display)?;
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
