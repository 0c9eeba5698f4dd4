//! Rust types that define struct and array types: what the derives `GcStruct` and `GcArray` implement,
//! and the Wasm types that come of it, registered once in each engine.

use std::any::{TypeId as RustType, type_name};
use std::fmt;
use std::marker::PhantomData;

use anyhow::{Context as _, ensure};

use super::engine::Engine;
use super::entity_types::Mutability;
use super::gc_field::{GcField, GcNumber, Holds, check_elements};
use super::gc_types::{ArrayType, StructType};
use super::refs::parts::Part;
use super::refs::{ArrayRef, GcHeapOutOfMemory, Rooted, StructRef};
use super::store::{AsContextMut, StoreContextMut};
use crate::error::Result;
use crate::gc::GcRef;
use crate::wasm::types::{
    CompositeType, FieldType, GroupRef, HeapType, RefType, StorageType, SubType, TypeId, ValType,
};

/// A Rust type that defines a struct type: [`StructRef<Self>`](StructRef) is a reference to such a struct.
///
/// Nothing is believed that an implementation says: every access compares types.
///
/// ```
/// use hostref::__private::{GcDefinition, GcStruct, GcType, GcTypeKey, StructWriter};
/// use hostref::{Engine, Mutability, Result, Rooted, Store, StructRef};
///
/// /// A list of numbers.
/// struct Node;
///
/// impl GcType for Node {
///     const NAME: &'static str = "$Node";
///
///     fn key() -> &'static GcTypeKey {
///         static KEY: GcTypeKey = GcTypeKey::of::<Node>();
///         &KEY
///     }
///
///     fn define(definition: &mut GcDefinition<'_>) {
///         definition.field::<i64>(Mutability::Const);
///         definition.field::<Option<Rooted<StructRef<Node>>>>(Mutability::Var);
///     }
/// }
///
/// impl GcStruct for Node {}
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let mut store = Store::new(&engine, ());
/// let none: Option<Rooted<StructRef<Node>>> = None;
/// let node = StructWriter::<Node, ()>::new(&mut store)?.field(7_i64)?.field(none)?.finish()?;
/// node.set_field_typed(&mut store, 1, Some(node))?;
/// let next: Rooted<StructRef<Node>> = node.field_typed(&mut store, 1)?;
/// assert!(Rooted::ref_eq(&store, &node, &next)?);
/// assert_eq!(node.field_typed::<i64>(&mut store, 0)?, 7);
/// # Ok(())
/// # }
/// ```
pub trait GcStruct: GcType {}

/// A Rust type that defines an array type: [`ArrayRef<Self>`](ArrayRef) is a reference to such an array.
///
/// As [`GcStruct`]; the definition has one [`element`](GcDefinition::element).
pub trait GcArray: GcType {}

/// A Rust type that defines a type of objects.
pub trait GcType: Sized + 'static {
    /// What signatures call the type: `$` and a name.
    const NAME: &'static str;

    /// The name of the type: a static of its own, made with [`GcTypeKey::of`].
    fn key() -> &'static GcTypeKey;

    /// Says what objects of the type consist of.
    fn define(definition: &mut GcDefinition<'_>);

    /// The types of the recursion group that this one is part of, in order; all of them give the same
    /// list. A type that mentions no other one that mentions it is a group by itself.
    fn group() -> Vec<&'static GcTypeKey> {
        vec![Self::key()]
    }
}

/// What stands for a [`GcType`] where there can be no type parameter.
pub struct GcTypeKey {
    rust: RustType,
    name: fn() -> &'static str,
    define: fn(&mut GcDefinition<'_>),
    group: fn() -> Vec<&'static GcTypeKey>,
}

impl GcTypeKey {
    /// The key of `T`.
    pub const fn of<T: GcType>() -> GcTypeKey {
        GcTypeKey {
            rust: RustType::of::<T>(),
            name: type_name::<T>,
            define: T::define,
            group: T::group,
        }
    }

    /// The type in `engine`.
    pub(in crate::api) fn heap_type(&'static self, engine: &Engine) -> HeapType {
        HeapType::Concrete(rust_type(engine, self))
    }

    /// The key of `T`.
    ///
    /// # Panics
    ///
    /// If `T` gives that of another type.
    #[inline]
    pub(super) fn checked<T: GcType>() -> &'static GcTypeKey {
        let key = T::key();
        assert!(
            key.rust == RustType::of::<T>(),
            "`{}` gives the key of another type",
            type_name::<T>()
        );
        key
    }
}

impl fmt::Debug for GcTypeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GcTypeKey").field(&(self.name)()).finish()
    }
}

/// The definition of a type while it is made.
pub struct GcDefinition<'a> {
    engine: &'a Engine,
    name: &'static str,
    /// The group that is being defined.
    group: &'a [&'static GcTypeKey],
    /// The types that wait for this group.
    waiting: &'a [RustType],
    is_array: bool,
    is_final: bool,
    supertype: Option<GroupRef>,
    fields: Vec<FieldType<GroupRef>>,
}

impl fmt::Debug for GcDefinition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GcDefinition").field(&self.name).finish()
    }
}

impl GcDefinition<'_> {
    /// The next field of a struct type holds an `F`.
    ///
    /// # Panics
    ///
    /// If `F` leads to a type that leads back here and is of another group.
    pub fn field<F: GcField>(&mut self, mutability: Mutability) {
        let Holds { storage, key } = F::holds();
        let storage = match (storage, key) {
            (StorageType::Val(ValType::Ref(RefType { nullable, .. })), Some(key)) => {
                let heap = HeapType::Concrete(self.find(key));
                StorageType::Val(ValType::Ref(RefType { nullable, heap }))
            }
            (storage, _) => storage.map(&mut GroupRef::Registered),
        };
        self.fields.push(FieldType { storage, mutable: mutability.is_var() });
    }

    /// The elements of an array type hold `F`s.
    ///
    /// # Panics
    ///
    /// As [`field`](GcDefinition::field), and in the definition of something that has fields.
    pub fn element<F: GcField>(&mut self, mutability: Mutability) {
        assert!(self.fields.is_empty(), "{}: an array type has one type of elements", self.name);
        self.is_array = true;
        self.field::<F>(mutability);
    }

    /// The type may have subtypes.
    pub fn non_final(&mut self) {
        self.is_final = false;
    }

    /// The type begins with the fields of `S`, and is a subtype of it.
    ///
    /// # Panics
    ///
    /// As [`field`](GcDefinition::field).
    pub fn base<S: GcStruct>(&mut self) {
        S::define(self);
        self.is_final = true;
        self.supertype::<S>();
    }

    /// The type is a subtype of that of `S`.
    ///
    /// # Panics
    ///
    /// As [`field`](GcDefinition::field).
    pub fn supertype<S: GcType>(&mut self) {
        self.supertype = Some(self.find(GcTypeKey::checked::<S>()));
    }

    /// The type with this key, which is one of the group or defined now.
    fn find(&self, key: &'static GcTypeKey) -> GroupRef {
        let same = |member: &&GcTypeKey| member.rust == key.rust;
        match self.group.iter().position(same) {
            Some(member) => GroupRef::Member(u32::try_from(member).expect("a list of types")),
            None => GroupRef::Registered(resolve(self.engine, key, self.waiting)),
        }
    }
}

/// The id of the type that a Rust type defines.
///
/// # Panics
///
/// If the definition is wrong: names what is.
#[inline]
pub(super) fn rust_type(engine: &Engine, key: &'static GcTypeKey) -> TypeId {
    engine.shared().rust_type(key.rust).unwrap_or_else(|| resolve(engine, key, &[]))
}

/// As [`rust_type`], on behalf of the types `waiting`.
fn resolve(engine: &Engine, key: &'static GcTypeKey, waiting: &[RustType]) -> TypeId {
    if let Some(id) = engine.shared().rust_type(key.rust) {
        return id;
    }
    let name = (key.name)();
    assert!(
        !waiting.contains(&key.rust),
        "`{name}` and a type that it refers to refer to each other: they must be declared as one \
         recursion group"
    );
    let group = (key.group)();
    let own = group.iter().position(|member| member.rust == key.rust);
    let own = own.unwrap_or_else(|| panic!("`{name}` is not in its own recursion group"));
    let members = group.iter().map(|member| member.rust);
    let waiting: Vec<RustType> = waiting.iter().copied().chain(members).collect();
    let members = group.iter().map(|member| define(engine, member, &group, &waiting));
    let ids = engine.shared().register_group(members.collect());
    let ids = ids.unwrap_or_else(|error| panic!("the type of `{name}`: {error:#}"));
    for (member, id) in group.iter().zip(&ids) {
        // A type stays what it was when it was first met: handles are believed to lead to that.
        let first = engine.shared().add_rust_type(member.rust, *id);
        assert!(first == *id, "`{}` is already defined in another way", (member.name)());
    }
    ids[own]
}

fn define(
    engine: &Engine,
    key: &GcTypeKey,
    group: &[&'static GcTypeKey],
    waiting: &[RustType],
) -> SubType<GroupRef> {
    let mut definition = GcDefinition {
        engine,
        name: (key.name)(),
        group,
        waiting,
        is_array: false,
        is_final: true,
        supertype: None,
        fields: Vec::new(),
    };
    (key.define)(&mut definition);
    let GcDefinition { is_array, is_final, supertype, fields, .. } = definition;
    let composite = match is_array {
        true => CompositeType::Array(fields[0]),
        false => CompositeType::Struct(fields.into()),
    };
    SubType { is_final, supertype, composite }
}

/// A struct of type `T` while its fields are written, one after the other.
pub struct StructWriter<'a, T, U: 'static> {
    store: StoreContextMut<'a, U>,
    object: GcRef,
    next: usize,
    ty: PhantomData<fn(T)>,
}

impl<T, U> fmt::Debug for StructWriter<'_, T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StructWriter").field("next", &self.next).finish_non_exhaustive()
    }
}

impl<'a, T: GcStruct, U> StructWriter<'a, T, U> {
    /// A struct of zeros and nulls that nobody has seen. Nothing collects until it is finished.
    ///
    /// # Errors
    ///
    /// [`GcHeapOutOfMemory<()>`](GcHeapOutOfMemory) when the heap is full.
    pub fn new(store: impl Into<StoreContextMut<'a, U>>) -> Result<Self> {
        let mut store = store.into();
        let inner = store.inner_mut();
        let id = rust_type(&inner.engine_handle, GcTypeKey::checked::<T>());
        let ty = inner.object_type(id).clone();
        let object = inner.host_struct(&ty)?.ok_or_else(GcHeapOutOfMemory::error)?;
        Ok(StructWriter { store, object, next: 0, ty: PhantomData })
    }

    /// The next field holds `value`.
    ///
    /// # Errors
    ///
    /// If the field holds something else, `value` is not rooted any more or belongs to another store, or
    /// there are no more fields.
    #[inline]
    pub fn field<F: GcField>(mut self, value: F) -> Result<Self> {
        let inner = self.store.inner_mut();
        let id = super::refs::type_id(inner, self.object);
        let field = Part::field(self.object, inner.object_type(id), self.next);
        let stored = field.and_then(|field| value.store_part(inner, field));
        stored.with_context(|| format!("field {}", self.next))?;
        self.next += 1;
        Ok(self)
    }

    /// The struct, rooted in the current scope.
    ///
    /// # Errors
    ///
    /// If there are more fields.
    pub fn finish(mut self) -> Result<Rooted<StructRef<T>>> {
        let inner = self.store.inner_mut();
        let id = super::refs::type_id(inner, self.object);
        let (expected, found) = (inner.object_type(id).fields.len(), self.next);
        ensure!(expected == found, "expected {expected} fields, found {found}");
        Ok(Rooted::from_gc_ref(inner, self.object))
    }
}

/// A new array of type `T` with these elements, rooted in the current scope.
///
/// # Errors
///
/// If the elements are of another type, or one is not rooted any more or belongs to another store;
/// [`GcHeapOutOfMemory<()>`](GcHeapOutOfMemory) when the heap is full.
pub fn new_array<T: GcArray, F: GcField>(
    mut store: impl AsContextMut,
    elements: impl ExactSizeIterator<Item = F>,
) -> Result<Rooted<ArrayRef<T>>> {
    let inner = store.as_context_mut().into_inner();
    let id = rust_type(&inner.engine_handle, GcTypeKey::checked::<T>());
    let ty = inner.object_type(id).clone();
    let len = elements.len();
    let room = u32::try_from(len).map_err(|_| GcHeapOutOfMemory::error())?;
    let array = inner.host_array(&ty, room)?.ok_or_else(GcHeapOutOfMemory::error)?;
    let mut index = 0;
    for element in elements.take(len) {
        let stored = element.store_part(inner, Part::element(array, &ty, index));
        stored.with_context(|| format!("element {index}"))?;
        index += 1;
    }
    ensure!(index as usize == len, "the iterator has fewer elements than it said");
    Ok(Rooted::from_gc_ref(inner, array))
}

/// As [`new_array`], with many numbers at once.
///
/// # Errors
///
/// As [`new_array`].
pub(crate) fn new_array_from_slice<T: GcArray, E: GcNumber>(
    mut store: impl AsContextMut,
    elements: &[E],
) -> Result<Rooted<ArrayRef<T>>> {
    let inner = store.as_context_mut().into_inner();
    let id = rust_type(&inner.engine_handle, T::key());
    let ty = inner.object_type(id).clone();
    check_elements::<E>(inner, ty.element())?;
    let room = u32::try_from(elements.len()).map_err(|_| GcHeapOutOfMemory::error())?;
    let array = inner.host_array(&ty, room)?.ok_or_else(GcHeapOutOfMemory::error)?;
    let all = inner.gc.elements(array, 0, room);
    E::write_all(elements, inner.gc.bytes_mut(all.expect("the array has so many elements")));
    Ok(Rooted::from_gc_ref(inner, array))
}

/// The struct type that `T` defines in `engine`.
pub fn struct_type<T: GcStruct>(engine: &Engine) -> StructType {
    StructType::from_id(engine, rust_type(engine, GcTypeKey::checked::<T>()))
}

/// The array type that `T` defines in `engine`.
pub fn array_type<T: GcArray>(engine: &Engine) -> ArrayType {
    ArrayType::from_id(engine, rust_type(engine, GcTypeKey::checked::<T>()))
}
