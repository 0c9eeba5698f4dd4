//! `Extern`: anything that can be imported or exported.

use anyhow::Context as _;

use super::func::Func;
use super::global::Global;
use super::memory::Memory;
use super::shared_memory::SharedMemory;
use super::store::AsContext;
use super::table::Table;
use super::tag::Tag;
use super::types::ExternType;
use crate::error::Result;
use crate::instance::instantiate::ImportValue;
use crate::instance::store::StoreInner;
use crate::instance::vmctx::Entity;

/// Anything that can be imported or exported.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Extern {
    /// A function.
    Func(Func),
    /// A global.
    Global(Global),
    /// A table.
    Table(Table),
    /// A linear memory.
    Memory(Memory),
    /// A linear memory that threads share.
    SharedMemory(SharedMemory),
    /// A tag of exceptions.
    Tag(Tag),
}

impl Extern {
    /// The function, if this is one.
    pub fn into_func(self) -> Option<Func> {
        match self {
            Extern::Func(func) => Some(func),
            _ => None,
        }
    }

    /// The global, if this is one.
    pub fn into_global(self) -> Option<Global> {
        match self {
            Extern::Global(global) => Some(global),
            _ => None,
        }
    }

    /// The table, if this is one.
    pub fn into_table(self) -> Option<Table> {
        match self {
            Extern::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The memory, if this is one that threads do not share.
    pub fn into_memory(self) -> Option<Memory> {
        match self {
            Extern::Memory(memory) => Some(memory),
            _ => None,
        }
    }

    /// The shared memory, if this is one.
    pub fn into_shared_memory(self) -> Option<SharedMemory> {
        match self {
            Extern::SharedMemory(memory) => Some(memory),
            _ => None,
        }
    }

    /// The tag, if this is one.
    pub fn into_tag(self) -> Option<Tag> {
        match self {
            Extern::Tag(tag) => Some(tag),
            _ => None,
        }
    }

    /// Its type.
    ///
    /// # Panics
    ///
    /// If it belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> ExternType {
        match self {
            Extern::Func(func) => ExternType::Func(func.ty(store)),
            Extern::Global(global) => ExternType::Global(global.ty(store)),
            Extern::Table(table) => ExternType::Table(table.ty(store)),
            Extern::Memory(memory) => ExternType::Memory(memory.ty(store)),
            Extern::SharedMemory(memory) => ExternType::Memory(memory.ty()),
            Extern::Tag(tag) => ExternType::Tag(tag.ty(store)),
        }
    }

    pub(crate) fn from_entity(store: &StoreInner, entity: Entity) -> Extern {
        match entity {
            Entity::Func(func) => Extern::Func(Func::from_ptr(store, func)),
            Entity::Table(table) => Extern::Table(Table::from_position(store, table)),
            Entity::Memory(memory) => match store.memories[memory].as_shared() {
                Some(shared) => Extern::SharedMemory(SharedMemory::from_inner(shared.clone())),
                None => Extern::Memory(Memory::from_position(store, memory)),
            },
            Entity::Global(global) => Extern::Global(Global::from_position(store, global)),
            Entity::Tag(tag) => Extern::Tag(Tag::from_position(store, tag)),
        }
    }

    /// What instantiation in `store` takes, if this belongs to it.
    pub(crate) fn import_value(&self, store: &StoreInner) -> Result<ImportValue<'_>> {
        Ok(ImportValue::Entity(match self {
            Extern::Func(func) => Entity::Func(func.checked(store)?),
            Extern::Table(table) => {
                Entity::Table(table.position(store).context("the table belongs to another store")?)
            }
            Extern::Memory(memory) => Entity::Memory(
                memory.position(store).context("the memory belongs to another store")?,
            ),
            Extern::SharedMemory(memory) => {
                return Ok(ImportValue::SharedMemory(memory.checked(store)?));
            }
            Extern::Global(global) => Entity::Global(
                global.position(store).context("the global belongs to another store")?,
            ),
            Extern::Tag(tag) => Entity::Tag(tag.checked(store)?),
        }))
    }
}

impl From<Func> for Extern {
    fn from(func: Func) -> Extern {
        Extern::Func(func)
    }
}

impl From<Global> for Extern {
    fn from(global: Global) -> Extern {
        Extern::Global(global)
    }
}

impl From<Table> for Extern {
    fn from(table: Table) -> Extern {
        Extern::Table(table)
    }
}

impl From<Memory> for Extern {
    fn from(memory: Memory) -> Extern {
        Extern::Memory(memory)
    }
}

impl From<SharedMemory> for Extern {
    fn from(memory: SharedMemory) -> Extern {
        Extern::SharedMemory(memory)
    }
}

impl From<Tag> for Extern {
    fn from(tag: Tag) -> Extern {
        Extern::Tag(tag)
    }
}
