//! Offsets of everything compiled code loads and stores. All are in bytes.

use crate::wasm::index::{
    FuncIndex, FuncRefIndex, GlobalIndex, MemoryIndex, TableIndex, TagIndex, TypeIndex,
};
use crate::wasm::module::ModuleInfo;

/// Size of a `ValRaw` slot.
pub(crate) const SLOT_SIZE: i32 = 16;

/// Where a list ends that goes through definitions: the address of none.
pub(crate) const END: usize = 1;

/// The part of a store that compiled code touches.
pub(crate) mod vm_store {
    /// `usize`: a function whose frame would reach below this address overflows the stack.
    pub(crate) const STACK_LIMIT: i32 = 0;
    /// `*mut Activation`: the innermost entry into Wasm; null outside Wasm.
    pub(crate) const ACTIVATION: i32 = 8;
    /// `*mut VmCtx`: the instance that made the latest call which may have reached a host function.
    pub(crate) const CALLER: i32 = 16;
    /// `u32`: nonzero while a failure travels to its handler, and after it reached the embedder.
    pub(crate) const UNWINDING: i32 = 24;
    /// `*const AtomicU64`: the engine's epoch.
    pub(crate) const EPOCH: i32 = 32;
    /// `u64`: the epoch at which the guest is interrupted.
    pub(crate) const EPOCH_DEADLINE: i32 = 40;
    /// `*mut u8`: base of the GC heap; null until the heap exists.
    pub(crate) const GC_BASE: i32 = 48;
    /// `u32`: offset of the next young object.
    pub(crate) const NURSERY_TOP: i32 = 56;
    /// `u32`: the offset that no young object may reach beyond.
    pub(crate) const NURSERY_END: i32 = 60;
    /// `usize`: the first global of those that references were written to, see
    /// [`global::LINK`](super::global::LINK); [`END`](super::END) if there are none.
    pub(crate) const WRITTEN_GLOBALS: i32 = 64;
    /// `usize`: the first such table.
    pub(crate) const WRITTEN_TABLES: i32 = 72;
    /// `*const u32`: the displays of the engine's types, see [`type_display`](super::type_display).
    pub(crate) const TYPE_DISPLAYS: i32 = 80;
    /// `i64`: the fuel that is left; below zero when a guest used more than it had.
    pub(crate) const FUEL: i32 = 88;
    pub(crate) const SIZE: usize = 96;
}

/// One entry into Wasm. Lives in the frame of its entry trampoline, which fills it.
pub(crate) mod activation {
    /// `*mut Activation`: the entry further out.
    pub(crate) const PREV: i32 = 0;
    /// `*mut VmStore`: the pointer that was passed to this entry; host shims derive theirs from it.
    pub(crate) const STORE: i32 = 8;
    /// `usize`: where a failure resumes, with `SP` and `FP`.
    pub(crate) const HANDLER: i32 = 16;
    pub(crate) const SP: i32 = 24;
    /// `usize`: frame pointer of the entry trampoline; the walk over Wasm frames ends here.
    pub(crate) const FP: i32 = 32;
    /// `usize`: frame pointer of the exit trampoline that Wasm last left through; 0 before.
    pub(crate) const EXIT_FP: i32 = 40;
    pub(crate) const SIZE: usize = 48;
}

/// The context of a host function, in the place of a vmctx.
pub(crate) mod host_func {
    /// `*mut VmStore`, at the same place as in a vmctx.
    pub(crate) const STORE: i32 = 0;
    /// The C function that an exit trampoline calls.
    pub(crate) const SHIM: i32 = 8;
    pub(crate) const SIZE: usize = 16;
}

/// A function record: what a function reference points to.
pub(crate) mod func_ref {
    /// The Wasm function or exit trampoline (`Tail` convention).
    pub(crate) const CODE: i32 = 0;
    /// Its context: a vmctx or a host function's.
    pub(crate) const CTX: i32 = 8;
    /// `u32`: the engine's type id.
    pub(crate) const TYPE_ID: i32 = 16;
    pub(crate) const SIZE: usize = 24;
}

/// An imported function, as a module calls it.
pub(crate) mod func_import {
    pub(crate) const CODE: i32 = 0;
    pub(crate) const CTX: i32 = 8;
    pub(crate) const SIZE: usize = 16;
}

/// The types of an engine, for tests by compiled code and for the collector: one entry per type id
/// or reserved number (see [`object`](crate::abi::object)). An entry begins with a list of ids: that
/// of the type's kind, then its supertypes from the root down to the type itself. `b`, which has `n`
/// supertypes, is a supertype of `a`, or `a` itself, exactly if number `n + 1` of `a`'s entry is `b`.
/// An [`EncodedShape`](crate::abi::shape::EncodedShape) follows.
pub(crate) mod type_display {
    /// Ids in an entry, the kind's included. What has more supertypes is tested by
    /// [`Builtin::IsSubtype`](crate::abi::builtins::Builtin::IsSubtype).
    pub(crate) const INLINE: usize = 12;
    /// Binary logarithm of the size of an entry: a cache line.
    pub(crate) const STRIDE_LOG2: u32 = 6;
    /// What stands in an entry behind the type itself: no type's id.
    pub(crate) const NONE: u32 = u32::MAX;
    /// The most types of an engine.
    pub(crate) const MAX_TYPES: usize = 1 << 22;

    /// The offset in an entry of the type that has `supertypes` supertypes; `None` if entries are
    /// too short for it.
    pub(crate) fn position(supertypes: usize) -> Option<i32> {
        let position = supertypes + 1;
        (position < INLINE).then(|| i32::try_from(position * 4).expect("an entry is small"))
    }
}

/// The definition of a linear memory. `BASE` never changes while the memory lives. Other threads may
/// write `LEN` if the memory is shared.
pub(crate) mod memory {
    use crate::wasm::types::MemoryType;

    /// `*mut u8`
    pub(crate) const BASE: i32 = 0;
    /// `usize`: bytes.
    pub(crate) const LEN: i32 = 8;
    pub(crate) const SIZE: usize = 16;

    /// Inaccessible bytes behind every memory. More than the largest access.
    pub(crate) const GUARD: u64 = 64 << 10;

    /// What keeps accesses inside a memory.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Bounds {
        /// All that 32-bit index and offset can reach is reserved: nothing is compared.
        Reserved,
        /// Accesses are compared with the length. It is in whole pages of the host, so that
        /// [`GUARD`] begins where the memory ends: the first byte of an access is compared.
        Pages,
        /// As `Pages`, but bytes behind the memory may be accessible: the end is compared.
        Bytes,
    }

    impl Bounds {
        /// What it is for memories of `ty` in an engine that does or does not `reserve` all that
        /// 32-bit addresses can reach: a module can be compiled before its memories are known.
        pub(crate) fn of(ty: &MemoryType, reserve: bool) -> Bounds {
            match (ty.page_size_log2, ty.is_64) {
                (16, false) if reserve => Bounds::Reserved,
                (16, _) => Bounds::Pages,
                _ => Bounds::Bytes,
            }
        }
    }
}

/// The definition of a table. Elements are `u32` (GC references) or 8-byte pointers to function
/// records; null is 0 in both.
pub(crate) mod table {
    /// `*mut u8`: changes when the table grows.
    pub(crate) const BASE: i32 = 0;
    /// `u64`: elements.
    pub(crate) const LEN: i32 = 8;
    /// `usize`: where the marks of GC references are. Elements whose addresses agree but for the last
    /// [`CARD_LOG2`] bits share one, a byte: it is at this place plus the address without those bits.
    /// Changes when the table grows.
    pub(crate) const MARKS: i32 = 16;
    /// `usize`: 0 if no mark is set. Else the table is in its store's list of those to which references
    /// were written, and this is the address of the next one's definition, or [`END`](super::END).
    pub(crate) const LINK: i32 = 24;
    pub(crate) const SIZE: usize = 32;

    /// Binary logarithm of the bytes of elements that share a mark.
    pub(crate) const CARD_LOG2: usize = 9;
}

/// The definition of a global: one slot.
pub(crate) mod global {
    /// `usize`: the link of a global that holds a GC reference, which has the first four bytes. 0 if no
    /// reference was written there. Else the global is in its store's list of those where one was, and this
    /// is the address of the next one's definition, or [`END`](super::END).
    pub(crate) const LINK: i32 = 8;
    pub(crate) const SIZE: usize = 16;
}

/// The fixed part of a vmctx.
pub(crate) mod vmctx {
    /// `*mut VmStore`
    pub(crate) const STORE: i32 = 0;
    /// `u32`: the position of the instance in its store.
    pub(crate) const INSTANCE: i32 = 8;
    pub(crate) const HEADER_SIZE: usize = 16;
}

/// Where things stand in the vmctx of one module's instances.
///
/// ```text
///  header | imported functions | imported memories* | imported tables* | imported globals*
///         | memories | tables | globals | function records | tags | types
/// ```
///
/// Definitions are 16-aligned. Entries marked `*` are pointers to definitions elsewhere; the others are
/// definitions, but that of a shared memory is elsewhere always, and its place holds a pointer. A tag is
/// a `u32`, its position in the store, whether it is imported or not. A type is a `u32`, its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VmCtxLayout {
    imported_functions: u32,
    imported_memories: u32,
    imported_tables: u32,
    imported_globals: u32,
    memories_at: usize,
    tables_at: usize,
    globals_at: usize,
    func_refs_at: usize,
    tags_at: usize,
    types_at: usize,
    imported_memories_at: usize,
    imported_tables_at: usize,
    imported_globals_at: usize,
    size: usize,
    /// Which memories are shared.
    shared_memories: Vec<bool>,
}

/// A definition that is either in the vmctx itself or behind a pointer in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The definition is at this offset.
    Inline(i32),
    /// A pointer to the definition is at this offset.
    Pointer(i32),
}

impl VmCtxLayout {
    /// The layout for instances of `info`.
    pub(crate) fn new(info: &ModuleInfo) -> VmCtxLayout {
        let pointer = size_of::<u64>();
        let defined = |all: usize, imported: u32| all - imported as usize;
        let imported_memories_at =
            vmctx::HEADER_SIZE + info.imported_functions as usize * func_import::SIZE;
        let imported_tables_at = imported_memories_at + info.imported_memories as usize * pointer;
        let imported_globals_at = imported_tables_at + info.imported_tables as usize * pointer;
        let pointers_end = imported_globals_at + info.imported_globals as usize * pointer;
        // Rust writes definitions as a whole.
        let memories_at = pointers_end.next_multiple_of(memory::SIZE);
        let tables_at =
            memories_at + defined(info.memories.len(), info.imported_memories) * memory::SIZE;
        let globals_at = tables_at + defined(info.tables.len(), info.imported_tables) * table::SIZE;
        let func_refs_at =
            globals_at + defined(info.globals.len(), info.imported_globals) * global::SIZE;
        let tags_at = func_refs_at + info.func_ref_count as usize * func_ref::SIZE;
        let types_at = tags_at + info.tags.len() * size_of::<u32>();
        let size = types_at + info.types.len() * size_of::<u32>();
        VmCtxLayout {
            imported_functions: info.imported_functions,
            imported_memories: info.imported_memories,
            imported_tables: info.imported_tables,
            imported_globals: info.imported_globals,
            memories_at,
            tables_at,
            globals_at,
            func_refs_at,
            tags_at,
            types_at,
            imported_memories_at,
            imported_tables_at,
            imported_globals_at,
            size,
            shared_memories: info.memories.iter().map(|ty| ty.shared).collect(),
        }
    }

    /// The size of a vmctx; it is aligned to 16.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The import record of an imported function.
    pub(crate) fn func_import(&self, func: FuncIndex) -> i32 {
        debug_assert!(func.0 < self.imported_functions);
        offset(vmctx::HEADER_SIZE + func.index() * func_import::SIZE)
    }

    /// The definition of a memory.
    pub(crate) fn memory(&self, index: MemoryIndex) -> Place {
        let (pointers, defs) = (self.imported_memories_at, self.memories_at);
        match place(index.0, self.imported_memories, pointers, defs, memory::SIZE) {
            Place::Inline(offset) if self.shared_memories[index.index()] => Place::Pointer(offset),
            place => place,
        }
    }

    /// The definition of a table.
    pub(crate) fn table(&self, index: TableIndex) -> Place {
        let (pointers, defs) = (self.imported_tables_at, self.tables_at);
        place(index.0, self.imported_tables, pointers, defs, table::SIZE)
    }

    /// The definition of a global.
    pub(crate) fn global(&self, index: GlobalIndex) -> Place {
        let (pointers, defs) = (self.imported_globals_at, self.globals_at);
        place(index.0, self.imported_globals, pointers, defs, global::SIZE)
    }

    /// The function record in slot `index`.
    pub(crate) fn func_ref(&self, index: FuncRefIndex) -> i32 {
        offset(self.func_refs_at + index.index() * func_ref::SIZE)
    }

    /// The engine's id of a type.
    pub(crate) fn type_id(&self, index: TypeIndex) -> i32 {
        offset(self.types_at + index.index() * size_of::<u32>())
    }

    /// The position in the store of a tag: what handlers compare.
    pub(crate) fn tag(&self, index: TagIndex) -> i32 {
        offset(self.tags_at + index.index() * size_of::<u32>())
    }
}

fn place(index: u32, imported: u32, pointers: usize, defs: usize, size: usize) -> Place {
    match index.checked_sub(imported) {
        None => Place::Pointer(offset(pointers + index as usize * size_of::<u64>())),
        Some(defined) => Place::Inline(offset(defs + defined as usize * size)),
    }
}

fn offset(bytes: usize) -> i32 {
    i32::try_from(bytes).expect("validated: a module declares fewer than 2^26 entities")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasm::types::{
        CompositeType, FuncType, GlobalType, Limits, MemoryType, SubType, ValType,
    };

    #[test]
    fn imports_are_pointers_and_definitions_do_not_overlap() {
        let memory = MemoryType {
            limits: Limits { min: 0, max: None },
            is_64: false,
            shared: false,
            page_size_log2: 16,
        };
        let global = GlobalType { content: ValType::I32, mutable: true };
        let (params, results) = (Box::default(), Box::default());
        let composite = CompositeType::Func(FuncType { params, results });
        let func = SubType { is_final: true, supertype: None, composite };
        let info = ModuleInfo {
            imported_functions: 1,
            memories: vec![memory, memory, MemoryType { shared: true, ..memory }],
            imported_memories: 1,
            globals: vec![global; 3],
            imported_globals: 2,
            func_ref_count: 2,
            tags: vec![TypeIndex(0); 2],
            types: vec![func; 3],
            ..ModuleInfo::default()
        };
        let layout = VmCtxLayout::new(&info);
        assert_eq!(layout.func_import(FuncIndex(0)), 16);
        assert_eq!(layout.memory(MemoryIndex(0)), Place::Pointer(32));
        assert_eq!(layout.global(GlobalIndex(1)), Place::Pointer(48));
        assert_eq!(layout.memory(MemoryIndex(1)), Place::Inline(64));
        assert_eq!(layout.memory(MemoryIndex(2)), Place::Pointer(80));
        assert_eq!(layout.global(GlobalIndex(2)), Place::Inline(96));
        assert_eq!(layout.func_ref(FuncRefIndex(1)), 112 + 24);
        assert_eq!(layout.tag(TagIndex(1)), 112 + 48 + 4);
        assert_eq!(layout.type_id(TypeIndex(2)), 112 + 48 + 8 + 8);
        assert_eq!(layout.size(), 112 + 48 + 8 + 12);
    }
}
