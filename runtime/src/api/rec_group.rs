//! Types that mention each other, made together: a recursion group of the embedder's.

use anyhow::{Context as _, bail, ensure};

use super::engine::Engine;
use super::entity_types::Mutability;
use super::gc_types::{FieldType, MAX_FIELDS, StorageType};
use super::types::Finality;
use super::value_types::{HeapType, ValType};
use crate::error::Result;
use crate::wasm::types::{self as wasm, CompositeType, GroupRef, SubType};

/// Types that mention each other while they are made: WebAssembly's `(rec ..)`.
///
/// Members are declared, then defined, then all of them registered at once. The group is equal to
/// one of a guest that has the same members in the same order.
///
/// ```
/// use hostref::{Engine, HeapType, Mutability, RecField, RecGroup, Result, ValType};
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let mut group = RecGroup::new(&engine);
/// let [tree, branches] = group.declare();
/// group.define_struct(tree, [
///     RecField::new(Mutability::Const, ValType::I32),
///     RecField::new(Mutability::Var, branches.reference(true)),
/// ])?;
/// group.define_array(branches, RecField::new(Mutability::Const, tree.reference(false)))?;
/// let types = group.register()?;
///
/// let (tree, branches) = (types[0].unwrap_concrete_struct(), types[1].unwrap_concrete_array());
/// let leads_to = branches.element_type().unwrap_val_type().unwrap_ref().heap_type().clone();
/// assert_eq!(leads_to, HeapType::ConcreteStruct(tree.clone()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RecGroup {
    engine: Engine,
    members: Vec<Option<SubType<GroupRef>>>,
}

/// A member of a [`RecGroup`], by its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecMember(u32);

/// What a value, a field or an element of a type in a [`RecGroup`] is: of any type, or a reference to a
/// member.
#[derive(Clone, Debug)]
pub struct RecType(Content);

#[derive(Clone, Debug)]
enum Content {
    Outside(StorageType),
    Member { nullable: bool, member: RecMember },
}

/// A field of a struct or an element of an array in a [`RecGroup`].
#[derive(Clone, Debug)]
pub struct RecField {
    mutability: Mutability,
    content: RecType,
}

impl RecMember {
    /// The type of references to the member.
    pub fn reference(self, nullable: bool) -> RecType {
        RecType(Content::Member { nullable, member: self })
    }
}

impl From<ValType> for RecType {
    fn from(ty: ValType) -> RecType {
        RecType(Content::Outside(ty.into()))
    }
}

impl From<StorageType> for RecType {
    fn from(ty: StorageType) -> RecType {
        RecType(Content::Outside(ty))
    }
}

impl RecField {
    /// A field or an element that may change or not.
    pub fn new(mutability: Mutability, content: impl Into<RecType>) -> RecField {
        RecField { mutability, content: content.into() }
    }
}

impl From<FieldType> for RecField {
    fn from(ty: FieldType) -> RecField {
        RecField::new(ty.mutability(), ty.element_type().clone())
    }
}

impl RecGroup {
    /// A group without members.
    pub fn new(engine: &Engine) -> RecGroup {
        RecGroup { engine: engine.clone(), members: Vec::new() }
    }

    /// The next members of the group.
    ///
    /// # Panics
    ///
    /// If the group has more than 2^32 members.
    pub fn declare<const N: usize>(&mut self) -> [RecMember; N] {
        std::array::from_fn(|_| {
            self.members.push(None);
            RecMember(
                u32::try_from(self.members.len() - 1).expect("a group of fewer than 2^32 types"),
            )
        })
    }

    /// The member is a struct with these fields.
    ///
    /// # Errors
    ///
    /// If the member is not of this group or is defined already, if there are more than 10 000 fields, or
    /// if one of them names a type of another engine or group.
    pub fn define_struct(
        &mut self,
        member: RecMember,
        fields: impl IntoIterator<Item = RecField>,
    ) -> Result<()> {
        let fields = fields.into_iter().enumerate().map(|(index, field)| {
            ensure!(index < MAX_FIELDS, "a struct has at most {MAX_FIELDS} fields");
            self.field(&field).with_context(|| format!("field {index}"))
        });
        let composite = CompositeType::Struct(fields.collect::<Result<_>>()?);
        self.define(member, composite)
    }

    /// The member is an array with such elements.
    ///
    /// # Errors
    ///
    /// As [`define_struct`](RecGroup::define_struct).
    pub fn define_array(&mut self, member: RecMember, element: RecField) -> Result<()> {
        let composite = CompositeType::Array(self.field(&element)?);
        self.define(member, composite)
    }

    /// The member is a function from `params` to `results`.
    ///
    /// # Errors
    ///
    /// As [`define_struct`](RecGroup::define_struct); also if a value is to be an `i8` or an `i16`.
    pub fn define_func(
        &mut self,
        member: RecMember,
        params: impl IntoIterator<Item = RecType>,
        results: impl IntoIterator<Item = RecType>,
    ) -> Result<()> {
        let params = params.into_iter().map(|ty| self.value(&ty)).collect::<Result<_>>()?;
        let results = results.into_iter().map(|ty| self.value(&ty)).collect::<Result<_>>()?;
        self.define(member, CompositeType::Func(wasm::FuncType { params, results }))
    }

    /// Says whether the member, which was defined, may have subtypes; it may not unless this says so.
    ///
    /// # Errors
    ///
    /// If the member is not defined.
    pub fn set_finality(&mut self, member: RecMember, finality: Finality) -> Result<()> {
        self.defined(member)?.is_final = finality.is_final();
        Ok(())
    }

    /// Declares the member, which was defined, a subtype of another one, which stands before it.
    ///
    /// # Errors
    ///
    /// If the member is not defined. Whether it is such a subtype is found out in
    /// [`register`](RecGroup::register).
    pub fn set_supertype(&mut self, member: RecMember, supertype: RecMember) -> Result<()> {
        self.own(supertype)?;
        self.defined(member)?.supertype = Some(GroupRef::Member(supertype.0));
        Ok(())
    }

    /// Declares the member, which was defined, a subtype of a type outside the group.
    ///
    /// # Errors
    ///
    /// If the member is not defined, or `supertype` is abstract or belongs to another engine. Whether the
    /// member is such a subtype is found out in [`register`](RecGroup::register).
    pub fn set_outer_supertype(&mut self, member: RecMember, supertype: &HeapType) -> Result<()> {
        let wasm::HeapType::Concrete(id) = supertype.to_wasm() else {
            bail!("`{supertype}` is no type that can be declared a supertype")
        };
        ensure!(
            supertype.belongs_to(self.engine.shared()),
            "{supertype} belongs to another engine"
        );
        self.defined(member)?.supertype = Some(GroupRef::Registered(id));
        Ok(())
    }

    /// The types, in the order in which the members were declared.
    ///
    /// # Errors
    ///
    /// If a member is not defined, or no subtype of its supertype; if the engine has no room for so many
    /// types.
    pub fn register(self) -> Result<Vec<HeapType>> {
        let defined = self.members.into_iter().enumerate();
        let defined = defined.map(|(index, ty)| {
            ty.with_context(|| format!("member {index} is declared, not defined"))
        });
        let group = defined.collect::<Result<Box<[_]>>>()?;
        if group.is_empty() {
            return Ok(Vec::new());
        }
        let ids = self.engine.shared().register_group(group)?;
        let name =
            |id: &wasm::TypeId| HeapType::from_wasm(&self.engine, wasm::HeapType::Concrete(*id));
        Ok(ids.iter().map(name).collect())
    }

    fn define(&mut self, member: RecMember, composite: CompositeType<GroupRef>) -> Result<()> {
        self.own(member)?;
        let slot = &mut self.members[member.0 as usize];
        ensure!(slot.is_none(), "member {} is defined already", member.0);
        *slot = Some(SubType { is_final: true, supertype: None, composite });
        Ok(())
    }

    fn defined(&mut self, member: RecMember) -> Result<&mut SubType<GroupRef>> {
        self.own(member)?;
        let slot = self.members[member.0 as usize].as_mut();
        slot.with_context(|| format!("member {} is declared, not defined", member.0))
    }

    fn own(&self, member: RecMember) -> Result<()> {
        let count = self.members.len();
        ensure!((member.0 as usize) < count, "the group has {count} members, and no {}", member.0);
        Ok(())
    }

    fn field(&self, field: &RecField) -> Result<wasm::FieldType<GroupRef>> {
        let storage = self.storage(&field.content)?;
        Ok(wasm::FieldType { storage, mutable: field.mutability.is_var() })
    }

    fn value(&self, ty: &RecType) -> Result<wasm::ValType<GroupRef>> {
        match self.storage(ty)? {
            wasm::StorageType::Val(ty) => Ok(ty),
            _ => bail!("`i8` and `i16` are no types of values"),
        }
    }

    fn storage(&self, RecType(content): &RecType) -> Result<wasm::StorageType<GroupRef>> {
        match content {
            Content::Outside(ty) => Ok(ty.checked(&self.engine)?.map(&mut GroupRef::Registered)),
            Content::Member { nullable, member } => {
                self.own(*member)?;
                let heap = wasm::HeapType::Concrete(GroupRef::Member(member.0));
                let ty = wasm::RefType { nullable: *nullable, heap };
                Ok(wasm::StorageType::Val(wasm::ValType::Ref(ty)))
            }
        }
    }
}
