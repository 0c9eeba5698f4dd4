//! Wasm types, and the registry that gives equal recursion groups of all modules equal ids.
//!
//! A type names other types through a parameter `I`: [`TypeIndex`] inside one module,
//! [`TypeId`] in an engine, [`GroupRef`] inside a recursion group that is being looked up.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::index::TypeIndex;

/// The engine-wide identity of a defined type. Two modules' types have equal ids exactly if the
/// specification calls them equal. Never reused while the engine lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TypeId(pub(crate) u32);

impl TypeId {
    /// The id of the first type. The numbers below mean something else wherever type ids stand.
    pub(crate) const FIRST: u32 = 8;

    /// The position of the type among all types of its engine.
    fn index(self) -> usize {
        (self.0 - TypeId::FIRST) as usize
    }

    /// The id of the type at this position.
    fn at(index: usize) -> TypeId {
        let index = u32::try_from(index).ok();
        let id = index.and_then(|index| index.checked_add(TypeId::FIRST));
        TypeId(id.expect("fewer than 2^32 types in one engine"))
    }
}

/// A value type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum ValType<I = TypeId> {
    I32,
    I64,
    F32,
    F64,
    V128,
    Ref(RefType<I>),
}

/// A reference type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct RefType<I = TypeId> {
    pub(crate) nullable: bool,
    pub(crate) heap: HeapType<I>,
}

/// A heap type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum HeapType<I = TypeId> {
    Func,
    NoFunc,
    Extern,
    NoExtern,
    Exn,
    NoExn,
    Any,
    Eq,
    I31,
    Struct,
    Array,
    None,
    Concrete(I),
}

/// The type of a function.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct FuncType<I = TypeId> {
    pub(crate) params: Box<[ValType<I>]>,
    pub(crate) results: Box<[ValType<I>]>,
}

/// What a field or an element of a GC object holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum StorageType<I = TypeId> {
    I8,
    I16,
    Val(ValType<I>),
}

/// A field of a struct or the element of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct FieldType<I = TypeId> {
    pub(crate) storage: StorageType<I>,
    pub(crate) mutable: bool,
}

/// The structure of a defined type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum CompositeType<I = TypeId> {
    Func(FuncType<I>),
    Struct(Box<[FieldType<I>]>),
    Array(FieldType<I>),
}

/// A defined type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct SubType<I = TypeId> {
    pub(crate) is_final: bool,
    pub(crate) supertype: Option<I>,
    pub(crate) composite: CompositeType<I>,
}

impl<I> ValType<I> {
    /// The same type with every type it names replaced.
    pub(crate) fn map<J>(self, f: &mut impl FnMut(I) -> J) -> ValType<J> {
        match self {
            ValType::I32 => ValType::I32,
            ValType::I64 => ValType::I64,
            ValType::F32 => ValType::F32,
            ValType::F64 => ValType::F64,
            ValType::V128 => ValType::V128,
            ValType::Ref(ty) => ValType::Ref(ty.map(f)),
        }
    }
}

impl<I> RefType<I> {
    /// The same type with the type it names replaced.
    pub(crate) fn map<J>(self, f: &mut impl FnMut(I) -> J) -> RefType<J> {
        RefType { nullable: self.nullable, heap: self.heap.map(f) }
    }
}

impl<I> HeapType<I> {
    /// The same type with the type it names replaced.
    pub(crate) fn map<J>(self, f: &mut impl FnMut(I) -> J) -> HeapType<J> {
        match self {
            HeapType::Func => HeapType::Func,
            HeapType::NoFunc => HeapType::NoFunc,
            HeapType::Extern => HeapType::Extern,
            HeapType::NoExtern => HeapType::NoExtern,
            HeapType::Exn => HeapType::Exn,
            HeapType::NoExn => HeapType::NoExn,
            HeapType::Any => HeapType::Any,
            HeapType::Eq => HeapType::Eq,
            HeapType::I31 => HeapType::I31,
            HeapType::Struct => HeapType::Struct,
            HeapType::Array => HeapType::Array,
            HeapType::None => HeapType::None,
            HeapType::Concrete(index) => HeapType::Concrete(f(index)),
        }
    }
}

impl<I: Copy> FuncType<I> {
    /// The same type with every type it names replaced.
    pub(crate) fn map<J>(&self, f: &mut impl FnMut(I) -> J) -> FuncType<J> {
        FuncType {
            params: self.params.iter().map(|ty| ty.map(f)).collect(),
            results: self.results.iter().map(|ty| ty.map(f)).collect(),
        }
    }
}

impl<I> StorageType<I> {
    /// The same type with every type it names replaced.
    pub(crate) fn map<J>(self, f: &mut impl FnMut(I) -> J) -> StorageType<J> {
        match self {
            StorageType::I8 => StorageType::I8,
            StorageType::I16 => StorageType::I16,
            StorageType::Val(ty) => StorageType::Val(ty.map(f)),
        }
    }
}

impl<I> FieldType<I> {
    fn map<J>(self, f: &mut impl FnMut(I) -> J) -> FieldType<J> {
        FieldType { storage: self.storage.map(f), mutable: self.mutable }
    }
}

impl<I: Copy> SubType<I> {
    /// The same type with every type it names replaced.
    pub(crate) fn map<J>(&self, f: &mut impl FnMut(I) -> J) -> SubType<J> {
        SubType {
            is_final: self.is_final,
            supertype: self.supertype.map(&mut *f),
            composite: match &self.composite {
                CompositeType::Func(ty) => CompositeType::Func(ty.map(f)),
                CompositeType::Struct(fields) => {
                    CompositeType::Struct(fields.iter().map(|field| field.map(f)).collect())
                }
                CompositeType::Array(field) => CompositeType::Array(field.map(f)),
            },
        }
    }

    /// The function type, if this is one.
    pub(crate) fn as_func(&self) -> Option<&FuncType<I>> {
        match &self.composite {
            CompositeType::Func(ty) => Some(ty),
            CompositeType::Struct(_) | CompositeType::Array(_) => None,
        }
    }
}

/// The minimum and the optional maximum of a table (elements) or a memory (pages).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Limits {
    pub(crate) min: u64,
    pub(crate) max: Option<u64>,
}

/// The type of a table. Limits count elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct TableType<I = TypeId> {
    pub(crate) element: RefType<I>,
    pub(crate) limits: Limits,
    pub(crate) is_64: bool,
}

/// The type of a linear memory. Limits count pages of `1 << page_size_log2` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct MemoryType {
    pub(crate) limits: Limits,
    pub(crate) is_64: bool,
    pub(crate) shared: bool,
    pub(crate) page_size_log2: u8,
}

/// The type of a global.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct GlobalType<I = TypeId> {
    pub(crate) content: ValType<I>,
    pub(crate) mutable: bool,
}

impl<I> TableType<I> {
    /// The same type with every type it names replaced.
    pub(crate) fn map<J>(self, f: &mut impl FnMut(I) -> J) -> TableType<J> {
        TableType { element: self.element.map(f), limits: self.limits, is_64: self.is_64 }
    }
}

impl<I> GlobalType<I> {
    /// The same type with every type it names replaced.
    pub(crate) fn map<J>(self, f: &mut impl FnMut(I) -> J) -> GlobalType<J> {
        GlobalType { content: self.content.map(f), mutable: self.mutable }
    }
}

/// How a type names another one inside a recursion group that is looked up in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum GroupRef {
    /// A member of the group itself.
    Member(u32),
    /// A type registered before.
    Registered(TypeId),
}

/// All defined types of an engine, hash-consed by recursion group (iso-recursive equality).
///
/// A type stays registered until the engine goes: ids are never reused, so no function record
/// and no object header can meet a stranger under a known id.
#[derive(Default)]
pub(crate) struct TypeRegistry {
    groups: HashMap<Box<[SubType<GroupRef>]>, u32>,
    types: Vec<RegisteredType>,
}

struct RegisteredType {
    ty: SubType<TypeId>,
    /// The chain of supertypes from the root down to the type itself: `b` is a supertype of `a`
    /// exactly if `a.display[b.display.len() - 1] == b`.
    display: Box<[TypeId]>,
}

impl TypeRegistry {
    /// Registers a module's types, given group by group in the order of its type section, and
    /// returns the id of each.
    pub(crate) fn register_module(
        &mut self,
        types: &[SubType<TypeIndex>],
        groups: &[std::ops::Range<u32>],
    ) -> Box<[TypeId]> {
        let mut ids: Vec<TypeId> = Vec::with_capacity(types.len());
        for group in groups {
            let key: Box<[SubType<GroupRef>]> = types[group.start as usize..group.end as usize]
                .iter()
                .map(|ty| {
                    ty.map(&mut |index: TypeIndex| match index.0.checked_sub(group.start) {
                        Some(member) => GroupRef::Member(member),
                        None => GroupRef::Registered(ids[index.index()]),
                    })
                })
                .collect();
            let first = self.register_group(key);
            ids.extend((0..group.end - group.start).map(|member| TypeId(first + member)));
        }
        ids.into()
    }

    /// The id of a type that is a recursion group by itself, as the embedder's API makes them.
    pub(crate) fn register_alone(&mut self, ty: &SubType<TypeId>) -> TypeId {
        TypeId(self.register_group(Box::new([ty.map(&mut GroupRef::Registered)])))
    }

    /// The id of the first type of a recursion group; the others follow. A supertype that is of the group
    /// stands before its subtypes.
    pub(crate) fn register_group(&mut self, key: Box<[SubType<GroupRef>]>) -> u32 {
        if let Some(first) = self.groups.get(&key) {
            return *first;
        }
        let first = TypeId::at(self.types.len()).0;
        for (member, ty) in (first..).zip(&key) {
            let ty = ty.map(&mut |reference| match reference {
                GroupRef::Member(index) => TypeId(first + index),
                GroupRef::Registered(id) => id,
            });
            let mut display = match ty.supertype {
                Some(supertype) => self.types[supertype.index()].display.to_vec(),
                None => Vec::new(),
            };
            display.push(TypeId(member));
            self.types.push(RegisteredType { ty, display: display.into() });
        }
        self.groups.insert(key, first);
        first
    }

    /// The supertypes of `id` from the root down to `id` itself.
    pub(crate) fn display(&self, id: TypeId) -> &[TypeId] {
        &self.types[id.index()].display
    }

    /// The definition of `id`.
    pub(crate) fn get(&self, id: TypeId) -> &SubType<TypeId> {
        &self.types[id.index()].ty
    }

    /// The function type `id`.
    ///
    /// # Panics
    ///
    /// If `id` is not a function type: the id of a function always is.
    pub(crate) fn func(&self, id: TypeId) -> &FuncType<TypeId> {
        self.get(id).as_func().expect("the type of a function is a function type")
    }

    /// The fields of the struct type `id`.
    ///
    /// # Panics
    ///
    /// If `id` is another type.
    pub(crate) fn struct_fields(&self, id: TypeId) -> &[FieldType] {
        match &self.get(id).composite {
            CompositeType::Struct(fields) => fields,
            _ => panic!("the type of a struct is a struct type"),
        }
    }

    /// The elements of the array type `id`.
    ///
    /// # Panics
    ///
    /// If `id` is another type.
    pub(crate) fn array_element(&self, id: TypeId) -> FieldType {
        match self.get(id).composite {
            CompositeType::Array(element) => element,
            _ => panic!("the type of an array is an array type"),
        }
    }

    /// Whether the defined type `a` is a subtype of the defined type `b`.
    pub(crate) fn is_subtype(&self, a: TypeId, b: TypeId) -> bool {
        let depth = self.types[b.index()].display.len() - 1;
        self.types[a.index()].display.get(depth) == Some(&b)
    }
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "one recursion group is a list of one range")]
mod tests {
    use super::*;

    fn node(extra: Option<ValType<TypeIndex>>, this: u32) -> SubType<TypeIndex> {
        let link =
            ValType::Ref(RefType { nullable: true, heap: HeapType::Concrete(TypeIndex(this)) });
        let fields = std::iter::once(link)
            .chain(extra)
            .map(|ty| FieldType { storage: StorageType::Val(ty), mutable: false });
        SubType {
            is_final: false,
            supertype: None,
            composite: CompositeType::Struct(fields.collect()),
        }
    }

    #[test]
    fn equal_groups_of_two_modules_share_an_id() {
        let mut registry = TypeRegistry::default();
        let first = registry.register_module(&[node(None, 0)], &[0..1]);
        let second =
            registry.register_module(&[node(Some(ValType::I32), 0), node(None, 1)], &[0..1, 1..2]);
        assert_eq!(first[0], second[1]);
        assert_ne!(first[0], second[0]);
    }

    #[test]
    fn types_of_one_group_differ_from_the_same_types_apart() {
        let mut registry = TypeRegistry::default();
        let apart =
            registry.register_module(&[node(None, 0), node(Some(ValType::I32), 1)], &[0..1, 1..2]);
        let together =
            registry.register_module(&[node(None, 0), node(Some(ValType::I32), 1)], &[0..2]);
        assert_ne!(apart[0], together[0]);
        assert_ne!(apart[1], together[1]);
    }

    #[test]
    fn a_display_answers_subtyping() {
        let mut registry = TypeRegistry::default();
        let mut child = node(Some(ValType::I32), 0);
        child.supertype = Some(TypeIndex(0));
        let ids = registry.register_module(&[node(None, 0), child], &[0..1, 1..2]);
        assert!(registry.is_subtype(ids[1], ids[0]));
        assert!(registry.is_subtype(ids[0], ids[0]));
        assert!(!registry.is_subtype(ids[0], ids[1]));
    }
}
