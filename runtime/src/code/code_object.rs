//! One piece of published code with its tables. Its pages are freed with it: whoever may still run
//! the code keeps the object.

use std::any::Any;
use std::sync::{Arc, Weak};

use crate::abi::code_map::{CodeMap, CodeTables};
use crate::compile::Relocation;
use crate::vm::code_memory::{CodePtr, CodeRegion};

/// The functions of one artifact as machine code.
pub(crate) struct CodeObject {
    /// Owns the pages; `None` if there is no function.
    region: Option<Arc<CodeRegion>>,
    pub(super) map: Arc<CodeMap>,
    /// What the text names outside itself.
    relocs: Box<[Relocation]>,
}

impl CodeObject {
    /// Code that has been written to `region` and made executable.
    pub(super) fn new(
        region: Option<Arc<CodeRegion>>,
        map: Arc<CodeMap>,
        relocs: Box<[Relocation]>,
    ) -> CodeObject {
        if let Some(region) = &region {
            region.register(map.clone());
        }
        CodeObject { region, map, relocs }
    }

    /// Says who keeps the code alive, for those who know no more than a pc.
    ///
    /// # Panics
    ///
    /// If it has been said before.
    pub(crate) fn set_owner(&self, owner: Weak<dyn Any + Send + Sync>) {
        assert!(self.map.owner.set(owner).is_ok(), "code has one owner");
    }

    /// The text as it was before it got an address.
    pub(crate) fn text(&self) -> Vec<u8> {
        let Some(region) = &self.region else { return Vec::new() };
        let mut text = region.code()[..self.map.len].to_vec();
        self.relocs.iter().for_each(|reloc| reloc.unresolve(&mut text));
        text
    }

    /// What the text names outside itself, in order.
    pub(crate) fn relocs(&self) -> &[Relocation] {
        &self.relocs
    }

    /// The tables of the text.
    pub(crate) fn tables(&self) -> &CodeTables {
        &self.map.tables
    }

    /// The address of function `index`, in the order of the artifact.
    ///
    /// # Panics
    ///
    /// If there is no such function.
    pub(crate) fn function(&self, index: usize) -> CodePtr {
        let start = self.map.tables.functions[index].start as usize;
        let region = self.region.as_ref().expect("code that has functions has pages");
        CodePtr::new(
            region.ptr.map_addr(|base| {
                base.checked_add(start).expect("code lies inside the address space")
            }),
        )
    }
}
