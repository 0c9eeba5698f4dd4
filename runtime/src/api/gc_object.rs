//! Rust types that define struct and array types: what the derives `GcStruct` and `GcArray` implement,
//! and the Wasm types that come of it, registered once in each engine.

use std::any::{TypeId as RustType, type_name};
use std::fmt;
use std::hash::{Hash, Hasher};
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
/// use hostref::__private::{GcDefinition, GcStruct, GcType, StructWriter};
/// use hostref::{Engine, Mutability, Result, Rooted, Store, StructRef};
///
/// /// A list of numbers.
/// struct Node;
///
/// impl GcType for Node {
///     const NAME: &'static str = "$Node";
///
///     fn define(definition: &mut GcDefinition) {
///         definition.field::<i64>("number", Mutability::Const);
///         definition.field::<Option<Rooted<StructRef<Node>>>>("next", Mutability::Var);
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

    /// Says what objects of the type consist of.
    fn define(definition: &mut GcDefinition);

    /// The types of the recursion group that this one is part of, in order; all of them give the same
    /// list. A type that mentions no other one that mentions it is a group by itself.
    fn group() -> Vec<&'static GcTypeKey> {
        vec![GcTypeKey::of::<Self>()]
    }
}

/// What stands for a [`GcType`] where there can be no type parameter.
pub struct GcTypeKey {
    rust: RustType,
    symbol: &'static str,
    name: fn() -> &'static str,
    define: fn(&mut GcDefinition),
    group: fn() -> Vec<&'static GcTypeKey>,
}

impl GcTypeKey {
    /// The key of `T`.
    pub const fn of<T: GcType>() -> &'static GcTypeKey {
        const {
            &GcTypeKey {
                rust: RustType::of::<T>(),
                symbol: T::NAME,
                name: type_name::<T>,
                define: T::define,
                group: T::group,
            }
        }
    }

    /// What signatures call the type.
    pub(super) const fn symbol(&self) -> &'static str {
        self.symbol
    }

    /// The type in `engine`.
    pub(in crate::api) fn heap_type(&'static self, engine: &Engine) -> HeapType {
        HeapType::Concrete(rust_type(engine, self))
    }

    /// The types of its recursion group, in order.
    ///
    /// # Panics
    ///
    /// If the type is not among them.
    pub(super) fn group(&self) -> Vec<&'static GcTypeKey> {
        let group = (self.group)();
        assert!(group.contains(&self), "`{}` is not in its own recursion group", (self.name)());
        group
    }

    /// What objects of the type consist of.
    pub(super) fn definition(&self) -> GcDefinition {
        let mut definition = GcDefinition {
            name: (self.name)(),
            is_array: false,
            is_final: true,
            supertype: None,
            parts: Vec::new(),
        };
        (self.define)(&mut definition);
        definition
    }

    /// Fails if the type is among those that wait for it, which are being defined.
    ///
    /// # Panics
    ///
    /// Then, for nothing can be defined before itself.
    pub(super) fn check_waiting(&'static self, waiting: &[&'static GcTypeKey]) {
        assert!(
            !waiting.contains(&self),
            "`{}` and a type that it refers to refer to each other: they must be declared as one \
             recursion group",
            (self.name)()
        );
    }
}

impl PartialEq for GcTypeKey {
    fn eq(&self, other: &GcTypeKey) -> bool {
        self.rust == other.rust
    }
}

impl Eq for GcTypeKey {}

impl Hash for GcTypeKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rust.hash(state);
    }
}

impl fmt::Debug for GcTypeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GcTypeKey").field(&(self.name)()).finish()
    }
}

/// The definition of a type, which no engine has seen.
pub struct GcDefinition {
    name: &'static str,
    pub(super) is_array: bool,
    pub(super) is_final: bool,
    pub(super) supertype: Option<&'static GcTypeKey>,
    /// The fields, or the type of the elements.
    pub(super) parts: Vec<PartDefinition>,
}

/// The definition of a field, or of the elements of an array.
pub(super) struct PartDefinition {
    /// Empty for elements.
    pub(super) name: &'static str,
    pub(super) holds: Holds,
    pub(super) mutability: Mutability,
}

impl fmt::Debug for GcDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GcDefinition").field(&self.name).finish()
    }
}

impl GcDefinition {
    /// The next field of a struct type, called `name` in texts, holds an `F`.
    pub fn field<F: GcField>(&mut self, name: &'static str, mutability: Mutability) {
        self.parts.push(PartDefinition { name, holds: F::holds(), mutability });
    }

    /// The elements of an array type hold `F`s.
    ///
    /// # Panics
    ///
    /// In the definition of something that has fields.
    pub fn element<F: GcField>(&mut self, mutability: Mutability) {
        assert!(self.parts.is_empty(), "{}: an array type has one type of elements", self.name);
        self.is_array = true;
        self.field::<F>("", mutability);
    }

    /// The type may have subtypes.
    pub fn non_final(&mut self) {
        self.is_final = false;
    }

    /// The type begins with the fields of `S`, and is a subtype of it.
    pub fn base<S: GcStruct>(&mut self) {
        S::define(self);
        self.is_final = true;
        self.supertype::<S>();
    }

    /// The type is a subtype of that of `S`.
    pub fn supertype<S: GcType>(&mut self) {
        self.supertype = Some(GcTypeKey::of::<S>());
    }

    /// The types that it mentions.
    pub(super) fn mentioned(&self) -> impl Iterator<Item = &'static GcTypeKey> {
        self.supertype.into_iter().chain(self.parts.iter().filter_map(|part| part.holds.key))
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
fn resolve(engine: &Engine, key: &'static GcTypeKey, waiting: &[&'static GcTypeKey]) -> TypeId {
    if let Some(id) = engine.shared().rust_type(key.rust) {
        return id;
    }
    key.check_waiting(waiting);
    let group = key.group();
    let waiting = [waiting, &group].concat();
    let mut find = |mentioned| match group.iter().position(|member| *member == mentioned) {
        Some(member) => GroupRef::Member(u32::try_from(member).expect("a list of types")),
        None => GroupRef::Registered(resolve(engine, mentioned, &waiting)),
    };
    let members = group.iter().map(|member| sub_type(&member.definition(), &mut find));
    let ids = engine.shared().register_group(members.collect());
    let ids = ids.unwrap_or_else(|error| panic!("the type of `{}`: {error:#}", (key.name)()));
    for (member, id) in group.iter().zip(&ids) {
        // A type stays what it was when it was first met: handles are believed to lead to that.
        let first = engine.shared().add_rust_type(member.rust, *id);
        assert!(first == *id, "`{}` is already defined in another way", (member.name)());
    }
    rust_type(engine, key)
}

/// The definition as Wasm has it, in which `find` gives the types it mentions.
fn sub_type(
    definition: &GcDefinition,
    find: &mut impl FnMut(&'static GcTypeKey) -> GroupRef,
) -> SubType<GroupRef> {
    let supertype = definition.supertype.map(&mut *find);
    let mut fields = definition.parts.iter().map(|PartDefinition { holds, mutability, .. }| {
        let storage = match (holds.storage, holds.key) {
            (StorageType::Val(ValType::Ref(RefType { nullable, .. })), Some(key)) => {
                let heap = HeapType::Concrete(find(key));
                StorageType::Val(ValType::Ref(RefType { nullable, heap }))
            }
            (storage, _) => storage.map(&mut GroupRef::Registered),
        };
        FieldType { storage, mutable: mutability.is_var() }
    });
    let composite = match definition.is_array {
        true => CompositeType::Array(fields.next().expect("an array has a type of elements")),
        false => CompositeType::Struct(fields.collect()),
    };
    SubType { is_final: definition.is_final, supertype, composite }
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
        let id = rust_type(&inner.engine_handle, GcTypeKey::of::<T>());
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
    let id = rust_type(&inner.engine_handle, GcTypeKey::of::<T>());
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
    let id = rust_type(&inner.engine_handle, GcTypeKey::of::<T>());
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
    StructType::from_id(engine, rust_type(engine, GcTypeKey::of::<T>()))
}

/// The array type that `T` defines in `engine`.
pub fn array_type<T: GcArray>(engine: &Engine) -> ArrayType {
    ArrayType::from_id(engine, rust_type(engine, GcTypeKey::of::<T>()))
}
