//! What the derives `GcStruct` and `GcArray` use besides definitions: their handles, the Rust types that
//! fields and elements may have, and whole objects as Rust values. Knows nothing of how objects lie in
//! the heap.

use std::fmt;
use std::marker::PhantomData;

use super::param::kind;
use crate::api::convert::{Reference, WasmBasic, WasmTy};
use crate::api::entity_types::Mutability;
use crate::api::gc_field::{GcField, GcNumber};
use crate::api::gc_object::{
    GcArray, GcDefinition, GcStruct, StructWriter, new_array, new_array_from_slice,
};
use crate::api::refs::{ArrayRef, Rooted, StructRef};
use crate::api::store::{AsContext, AsContextMut, StoreContextMut};
use crate::error::{Error, Result};

/// A derived handle: the root of a struct or of an array under a name of its own.
pub trait GcHandle: Copy + Send + 'static {
    /// The root.
    type Root: Reference + WasmBasic + GcField;

    /// The handle of this root.
    fn from_root(root: Self::Root) -> Self;

    /// The root.
    fn into_root(self) -> Self::Root;
}

/// A type that defines a type of objects, whose values travel as handles.
pub trait ByHandle {
    /// The handle.
    type Handle: GcHandle;
}

#[diagnostic::do_not_recommend]
impl<H: GcHandle> WasmTy for Option<H>
where
    Option<H::Root>: WasmBasic,
{
    type Wasm = Option<H::Root>;

    #[inline]
    fn into_wasm(self) -> Option<H::Root> {
        self.map(H::into_root)
    }

    #[inline]
    fn try_from_wasm(wasm: Option<H::Root>) -> Result<Option<H>> {
        Ok(wasm.map(H::from_root))
    }
}

/// A type that derives [`WasmTy`], or travels as if it did.
pub trait DerivesWasmTy: WasmTy {}

impl DerivesWasmTy for bool {}
impl DerivesWasmTy for char {}

/// A Rust type that a field of a struct or an element of an array may have.
///
/// `Kind` is inferred: it keeps the implementations apart for rustc, and no type has two.
pub trait GcStored<Kind>: Sized + 'static {
    /// How it is stored. What follows asks for this, not for the type, so that a type that cannot
    /// be stored is reported once.
    type Part: GcPart<Value = Self>;
}

/// How a Rust value is stored in an object. Implementors are markers.
pub trait GcPart: Default {
    /// The value.
    type Value: 'static;
    /// What is stored.
    type Stored: GcField;

    /// The value as it is stored.
    #[doc(hidden)]
    fn into_stored(value: Self::Value) -> Self::Stored;

    /// The value that was stored.
    #[doc(hidden)]
    fn from_stored(stored: Self::Stored) -> Result<Self::Value>;
}

macro_rules! parts {
    ($($(#[$doc:meta])* [$($bounds:tt)*] $param:ident as $value:ty => $name:ident($kind:ident),
        $stored:ty, |$into:ident| $into_stored:expr, |$from:ident| $from_stored:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<$param>(PhantomData<fn() -> $param>);

        impl<$param> Default for $name<$param> {
            fn default() -> Self {
                $name(PhantomData)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($bounds)*> GcStored<kind::$kind> for $value
        where
            $stored: GcField,
        {
            type Part = $name<$param>;
        }

        impl<$($bounds)*> GcPart for $name<$param>
        where
            $stored: GcField,
        {
            type Value = $value;
            type Stored = $stored;

            #[inline]
            fn into_stored($into: $value) -> $stored {
                $into_stored
            }

            #[inline]
            fn from_stored($from: $stored) -> Result<$value> {
                $from_stored
            }
        }
    )*};
}

parts! {
    /// As it is.
    [F: GcField] F as F => Plain(Value), F, |value| value, |stored| Ok(stored);
    /// A handle, as its root.
    [H: GcHandle] H as H => ByRoot(Handle), H::Root, |value| value.into_root(),
        |stored| Ok(H::from_root(stored));
    /// A handle or null.
    [H: GcHandle] H as Option<H> => ByOptionalRoot(OptionHandle), Option<H::Root>,
        |value| value.map(H::into_root), |stored| Ok(stored.map(H::from_root));
    /// As it travels.
    [V: DerivesWasmTy] V as V => ByWasmTy(Derived), V::Wasm, |value| value.into_wasm(),
        |stored| V::try_from_wasm(stored);
}

/// A type with few enough values to be stored in 8 or 16 bits, which travels as an `i32` otherwise.
pub trait GcPacked: Sized + 'static {
    /// How it is stored.
    type Part: GcPart<Value = Self>;
    /// What is stored.
    type Stored: GcField;

    /// The value as it is stored.
    fn pack(self) -> Self::Stored;

    /// The value that was stored.
    ///
    /// # Errors
    ///
    /// If it stands for none.
    fn unpack(stored: Self::Stored) -> Result<Self>;
}

/// In 8 or 16 bits.
#[derive(Debug)]
pub struct Packed<V>(PhantomData<fn() -> V>);

impl<V> Default for Packed<V> {
    fn default() -> Self {
        Packed(PhantomData)
    }
}

impl<V: GcPacked> GcPart for Packed<V> {
    type Value = V;
    type Stored = V::Stored;

    #[inline]
    fn into_stored(value: V) -> V::Stored {
        value.pack()
    }

    #[inline]
    fn from_stored(stored: V::Stored) -> Result<V> {
        V::unpack(stored)
    }
}

#[diagnostic::do_not_recommend]
impl GcPacked for bool {
    type Part = Packed<bool>;
    type Stored = u8;

    #[inline]
    fn pack(self) -> u8 {
        self.into()
    }

    #[inline]
    fn unpack(stored: u8) -> Result<bool> {
        bool::try_from_wasm(stored.into())
    }
}

/// Defines the next field, called `name`.
pub fn define_field<P: GcPart>(
    definition: &mut GcDefinition,
    _part: P,
    name: &'static str,
    mutability: Mutability,
) {
    definition.field::<P::Stored>(name, mutability);
}

/// Defines the elements.
pub fn define_element<P: GcPart>(definition: &mut GcDefinition, _part: P, mutability: Mutability) {
    definition.element::<P::Stored>(mutability);
}

/// A struct as a Rust value.
pub trait GcFields:
    GcStruct + Sized + ByHandle<Handle: GcHandle<Root = Rooted<StructRef<Self>>>>
{
    /// The number of fields, those of supertypes included.
    const LEN: usize;
    /// Whether other types may extend it.
    const OPEN: bool;

    /// Writes the fields, one after the other, into a new struct of this type or of a subtype.
    ///
    /// # Errors
    ///
    /// If a reference among them is not rooted any more or belongs to another store.
    fn write<'a, T: GcStruct, U: 'static>(
        self,
        writer: StructWriter<'a, T, U>,
    ) -> Result<StructWriter<'a, T, U>>;

    /// Reads the fields of a struct of this type or of a subtype.
    ///
    /// # Errors
    ///
    /// If a field is not of its Rust type.
    fn read<T: GcStruct, U: 'static>(
        root: Rooted<StructRef<T>>,
        store: &mut StoreContextMut<'_, U>,
    ) -> Result<Self>;
}

/// A new struct with the fields of `value`.
///
/// # Errors
///
/// [`GcHeapOutOfMemory<()>`](crate::GcHeapOutOfMemory) when the heap is full; if a reference in `value` is
/// not rooted any more or belongs to another store.
pub fn new_struct<T: GcFields>(
    mut store: impl AsContextMut,
    value: T,
) -> Result<Rooted<StructRef<T>>> {
    value.write(StructWriter::<T, _>::new(store.as_context_mut())?)?.finish()
}

/// All fields of a struct.
///
/// # Errors
///
/// If the struct is not rooted any more or belongs to another store, or a field is not of its Rust type.
pub fn load_struct<T: GcFields>(
    root: Rooted<StructRef<T>>,
    mut store: impl AsContextMut,
) -> Result<T> {
    T::read(root, &mut store.as_context_mut())
}

/// Writes the next field of a new struct.
///
/// # Errors
///
/// If `value` is not rooted any more or belongs to another store.
#[inline]
pub fn write_field<'a, P: GcPart, T: GcStruct, U: 'static>(
    writer: StructWriter<'a, T, U>,
    _part: P,
    value: P::Value,
) -> Result<StructWriter<'a, T, U>> {
    writer.field(P::into_stored(value))
}

/// The field called `name`, at `index`.
///
/// # Errors
///
/// If the struct is not rooted any more or belongs to another store, or the field is not of its Rust type.
#[inline]
pub fn field<P: GcPart, T: GcStruct>(
    _part: P,
    root: Rooted<StructRef<T>>,
    store: impl AsContextMut,
    index: usize,
    name: &'static str,
) -> Result<P::Value> {
    let stored = root.field_typed::<P::Stored>(store, index);
    stored.and_then(P::from_stored).map_err(|error| in_part(error, name))
}

/// Replaces the field called `name`, at `index`.
///
/// # Errors
///
/// If the struct or `value` is not rooted any more or belongs to another store.
#[inline]
pub fn set_field<P: GcPart, T: GcStruct>(
    _part: P,
    root: Rooted<StructRef<T>>,
    store: impl AsContextMut,
    index: usize,
    name: &'static str,
    value: P::Value,
) -> Result<()> {
    let stored = root.set_field_typed(store, index, P::into_stored(value));
    stored.map_err(|error| in_part(error, name))
}

/// The same struct as one of the type `T`, which its own type extends.
///
/// # Errors
///
/// If the struct is not rooted any more or belongs to another store.
pub fn base<T: GcFields>(
    root: Rooted<StructRef<impl GcStruct>>,
    store: impl AsContext,
) -> Result<T::Handle> {
    root.downcast::<StructRef<T>>(store).map(T::Handle::from_root)
}

#[cold]
fn in_part(error: Error, name: &str) -> Error {
    error.context(format!("`{name}`"))
}

/// An array whose elements are `E`s.
#[diagnostic::on_unimplemented(
    message = "the elements of `{Self}` are no `{E}`s",
    label = "not an array of these"
)]
pub trait GcArrayOf<E>: GcArray {}

/// A new array with the elements of `values`.
///
/// # Errors
///
/// As [`new_struct`].
pub fn array_of<P: GcPart, T: GcArray>(
    _part: P,
    store: impl AsContextMut,
    values: Vec<P::Value>,
) -> Result<Rooted<ArrayRef<T>>> {
    new_array(store, values.into_iter().map(P::into_stored))
}

/// All elements of an array of the type called `name`.
///
/// # Errors
///
/// As [`load_struct`].
pub fn load_array<P: GcPart, T: GcArray>(
    _part: P,
    root: Rooted<ArrayRef<T>>,
    mut store: impl AsContextMut,
    name: &'static str,
) -> Result<Vec<P::Value>> {
    let store = &mut store.as_context_mut();
    let len = root.len(&*store)?;
    (0..len).map(|index| element(P::default(), root, &mut *store, index, name)).collect()
}

/// The element at `index` of an array of the type called `name`.
///
/// # Errors
///
/// As [`field`], and if there is none.
#[inline]
pub fn element<P: GcPart, T: GcArray>(
    _part: P,
    root: Rooted<ArrayRef<T>>,
    store: impl AsContextMut,
    index: u32,
    name: &'static str,
) -> Result<P::Value> {
    let stored = root.get_typed::<P::Stored>(store, index);
    let stored = stored.map_err(|error| in_part(error, name))?;
    P::from_stored(stored).map_err(|error| in_part(error, &format!("{name}[{index}]")))
}

/// Replaces the element at `index` of an array of the type called `name`.
///
/// # Errors
///
/// As [`set_field`], and if there is none.
#[inline]
pub fn set_element<P: GcPart, T: GcArray>(
    _part: P,
    root: Rooted<ArrayRef<T>>,
    store: impl AsContextMut,
    index: u32,
    name: &'static str,
    value: P::Value,
) -> Result<()> {
    let stored = root.set_typed(store, index, P::into_stored(value));
    stored.map_err(|error| in_part(error, name))
}

/// As [`array_of`], for many numbers at once.
///
/// # Errors
///
/// As [`array_of`].
pub fn array_from_slice<T: GcArrayOf<E>, E: GcNumber>(
    store: impl AsContextMut,
    values: &[E],
) -> Result<Rooted<ArrayRef<T>>> {
    new_array_from_slice(store, values)
}

/// Shows a handle as `name` with its root.
pub fn show_handle(f: &mut fmt::Formatter<'_>, name: &str, root: &dyn fmt::Debug) -> fmt::Result {
    f.debug_tuple(name).field(root).finish()
}
