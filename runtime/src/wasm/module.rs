//! What a module declares, apart from its function bodies.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::const_expr::{ConstExpr, ConstOp};
use super::index::{
    DefinedFuncIndex, FuncIndex, FuncRefIndex, GlobalIndex, MemoryIndex, TableIndex, TagIndex,
    TypeIndex,
};
use super::types::{
    FuncType, GlobalType, HeapType, MemoryType, RefType, SubType, TableType, ValType,
};

/// A decoded module.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct ModuleInfo {
    /// The module's name of the name section.
    pub(crate) name: Option<Box<str>>,
    pub(crate) types: Vec<SubType<TypeIndex>>,
    /// The recursion groups of `types`, in order and without gaps.
    pub(crate) groups: Vec<Range<u32>>,
    pub(crate) imports: Vec<Import>,
    /// The exports in their order.
    pub(crate) exports: Vec<(Box<str>, EntityIndex)>,
    /// Positions in `exports` by name. See [`ModuleInfo::index_exports`].
    #[serde(skip)]
    pub(crate) export_names: HashMap<Box<str>, usize>,

    /// The type of every function, imported ones first.
    pub(crate) functions: Vec<TypeIndex>,
    pub(crate) imported_functions: u32,
    /// Function names of the name section.
    pub(crate) function_names: BTreeMap<FuncIndex, Box<str>>,
    /// For every function the slot of its record, if its reference can be observed or the host
    /// calls it: it is exported, in an element segment, named by `ref.func`, or the start function.
    pub(crate) func_refs: Vec<Option<FuncRefIndex>>,
    /// The number of slots given out in `func_refs`.
    pub(crate) func_ref_count: u32,

    pub(crate) tables: Vec<Table>,
    pub(crate) imported_tables: u32,
    pub(crate) memories: Vec<MemoryType>,
    pub(crate) imported_memories: u32,
    pub(crate) globals: Vec<GlobalType<TypeIndex>>,
    pub(crate) imported_globals: u32,
    /// The initial values of the defined globals.
    pub(crate) global_inits: Vec<ConstExpr>,
    /// The function type of every tag.
    pub(crate) tags: Vec<TypeIndex>,
    pub(crate) imported_tags: u32,

    pub(crate) elements: Vec<ElementSegment>,
    pub(crate) data: Vec<DataSegment>,
    pub(crate) start: Option<FuncIndex>,
    /// Branch hints of functions, in the order of the code. Only compiling needs them.
    #[serde(skip)]
    pub(crate) branch_hints: HashMap<FuncIndex, Box<[BranchHint]>>,
    /// The body of every defined function: its range in the module's bytes.
    pub(crate) bodies: Vec<Range<usize>>,
}

/// What a compiler expected of an `if` or `br_if`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BranchHint {
    /// The place of the operator in its body, whose first byte is that of its locals.
    pub(crate) offset: u32,
    /// Whether the condition is likely to hold.
    pub(crate) taken: bool,
}

/// Anything a module can import or export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum EntityIndex {
    Func(FuncIndex),
    Table(TableIndex),
    Memory(MemoryIndex),
    Global(GlobalIndex),
    Tag(TagIndex),
}

/// One import. The entity's type stands in its index space.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Import {
    pub(crate) module: Box<str>,
    pub(crate) name: Box<str>,
    pub(crate) entity: EntityIndex,
}

/// A table with its initial element; `None` is null.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) ty: TableType<TypeIndex>,
    pub(crate) init: Option<ConstExpr>,
}

/// An element segment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ElementSegment {
    pub(crate) mode: SegmentMode<TableIndex>,
    pub(crate) ty: RefType<TypeIndex>,
    pub(crate) items: ElementItems,
}

/// The elements of a segment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum ElementItems {
    Functions(Box<[FuncIndex]>),
    Expressions(Box<[ConstExpr]>),
}

/// A data segment; `bytes` is a range in the module's bytes, or in what [`ModuleInfo::take_data`]
/// took of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DataSegment {
    pub(crate) mode: SegmentMode<MemoryIndex>,
    pub(crate) bytes: Range<usize>,
}

impl DataSegment {
    /// Whether instructions use it.
    pub(crate) fn is_passive(&self) -> bool {
        matches!(self.mode, SegmentMode::Passive)
    }
}

/// Where an active segment goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Offset {
    /// To the same place in every instance. Some modules have a hundred thousand such segments.
    Fixed(u64),
    Computed(ConstExpr),
}

impl From<ConstExpr> for Offset {
    fn from(expr: ConstExpr) -> Offset {
        match *expr.ops {
            [ConstOp::I32Const(at)] => Offset::Fixed(u64::from(at.cast_unsigned())),
            [ConstOp::I64Const(at)] => Offset::Fixed(at.cast_unsigned()),
            _ => Offset::Computed(expr),
        }
    }
}

/// When a segment's content is used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum SegmentMode<I> {
    /// By instructions, until dropped.
    Passive,
    /// At instantiation, copied to `target` at `offset`.
    Active { target: I, offset: Offset },
    /// Never (element segments only): it declares functions for `ref.func`.
    Declared,
}

impl ModuleInfo {
    /// The function type of `func`.
    pub(crate) fn func_type(&self, func: FuncIndex) -> &FuncType<TypeIndex> {
        self.func_type_at(self.functions[func.index()])
    }

    /// The function type at `index` of the type section.
    pub(crate) fn func_type_at(&self, index: TypeIndex) -> &FuncType<TypeIndex> {
        self.types[index.index()].as_func().expect("validated: a function type index")
    }

    /// The supertypes of the type at `index` up to the root, itself not included.
    pub(crate) fn supertypes(&self, index: TypeIndex) -> impl Iterator<Item = TypeIndex> + '_ {
        let supertype = |index: &TypeIndex| self.types[index.index()].supertype;
        std::iter::successors(supertype(&index), supertype)
    }

    /// The position of `func` among the defined functions; `None` if it is imported.
    pub(crate) fn defined_func(&self, func: FuncIndex) -> Option<DefinedFuncIndex> {
        func.0.checked_sub(self.imported_functions).map(DefinedFuncIndex)
    }

    /// The index of the defined function `func` among all functions.
    pub(crate) fn func_index(&self, func: DefinedFuncIndex) -> FuncIndex {
        FuncIndex(self.imported_functions + func.0)
    }

    /// The part of the module's bytes that holds the content of the data segments, whose ranges are
    /// of it from now on.
    pub(crate) fn take_data(&mut self, wasm: &[u8]) -> Box<[u8]> {
        let segments = self.data.iter().map(|segment| &segment.bytes);
        let start = segments.clone().map(|bytes| bytes.start).min().unwrap_or(0);
        let end = segments.map(|bytes| bytes.end).max().unwrap_or(0);
        for segment in &mut self.data {
            let Range { start: from, end: to } = segment.bytes;
            segment.bytes = from - start..to - start;
        }
        wasm[start..end].into()
    }

    /// Makes exports known by their names, after they were all read.
    pub(crate) fn index_exports(&mut self) {
        let exports = self.exports.iter().enumerate();
        self.export_names = exports.map(|(at, (name, _))| (name.clone(), at)).collect();
    }

    /// The export called `name`.
    pub(crate) fn export(&self, name: &str) -> Option<EntityIndex> {
        self.export_names.get(name).map(|position| self.exports[*position].1)
    }

    /// Whether `heap` is in the hierarchy of functions, whose references are pointers to
    /// function records; all other references are offsets into the GC heap.
    pub(crate) fn is_func_heap(&self, heap: HeapType<TypeIndex>) -> bool {
        match heap {
            HeapType::Func | HeapType::NoFunc => true,
            HeapType::Concrete(index) => self.types[index.index()].as_func().is_some(),
            _ => false,
        }
    }

    /// Whether objects of some type of the module lie in the GC heap.
    pub(crate) fn declares_objects(&self) -> bool {
        self.types.iter().any(|ty| ty.as_func().is_none())
    }

    /// Whether a value of type `ty` is a reference into the GC heap.
    pub(crate) fn is_gc_ref(&self, ty: ValType<TypeIndex>) -> bool {
        matches!(ty, ValType::Ref(ty) if !self.is_func_heap(ty.heap))
    }
}
