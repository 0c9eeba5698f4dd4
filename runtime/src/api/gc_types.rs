//! Public types of structs and arrays, and of what they consist of.

use std::fmt;

use anyhow::{Context as _, ensure};

use super::engine::Engine;
use super::entity_types::Mutability;
use super::types::Finality;
use super::value_types::{RefType, ValType};
use crate::error::Result;
use crate::wasm::types::{self as wasm, CompositeType, TypeId};

/// How many fields a struct may have, as in every engine.
pub(super) const MAX_FIELDS: usize = 10_000;

/// What a field of a struct or an element of an array holds: a value, or an integer that takes less
/// room than one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageType {
    /// 8-bit integers. As values they are `i32`s.
    I8,
    /// 16-bit integers. As values they are `i32`s.
    I16,
    /// Values of this type.
    ValType(ValType),
}

/// The type of a field of a struct, or of the elements of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldType {
    mutability: Mutability,
    element_type: StorageType,
}

impl StorageType {
    /// Whether this is `i8`.
    pub fn is_i8(&self) -> bool {
        *self == StorageType::I8
    }

    /// Whether this is `i16`.
    pub fn is_i16(&self) -> bool {
        *self == StorageType::I16
    }

    /// Whether this is the type of a value.
    pub fn is_val_type(&self) -> bool {
        self.as_val_type().is_some()
    }

    /// The type of the value, unless this is `i8` or `i16`.
    pub fn as_val_type(&self) -> Option<&ValType> {
        match self {
            StorageType::ValType(ty) => Some(ty),
            StorageType::I8 | StorageType::I16 => None,
        }
    }

    /// The type of the value.
    ///
    /// # Panics
    ///
    /// If this is `i8` or `i16`.
    pub fn unwrap_val_type(&self) -> &ValType {
        self.as_val_type().unwrap_or_else(|| panic!("expected a value type, found {self}"))
    }

    /// The type of what is read from there: `i32` for `i8` and `i16`.
    pub fn unpack(&self) -> &ValType {
        self.as_val_type().unwrap_or(&ValType::I32)
    }

    /// Whether something of this type may be used where `other` is expected.
    pub fn matches(&self, other: &StorageType) -> bool {
        match (self, other) {
            (StorageType::ValType(this), StorageType::ValType(other)) => this.matches(other),
            (this, other) => this == other,
        }
    }

    pub(crate) fn from_wasm(engine: &Engine, ty: wasm::StorageType) -> StorageType {
        match ty {
            wasm::StorageType::I8 => StorageType::I8,
            wasm::StorageType::I16 => StorageType::I16,
            wasm::StorageType::Val(ty) => StorageType::ValType(ValType::from_wasm(engine, ty)),
        }
    }

    /// The type in `engine`.
    ///
    /// # Errors
    ///
    /// If it names a type of another engine.
    pub(super) fn checked(&self, engine: &Engine) -> Result<wasm::StorageType> {
        Ok(match self {
            StorageType::I8 => wasm::StorageType::I8,
            StorageType::I16 => wasm::StorageType::I16,
            StorageType::ValType(ty) => {
                ensure!(ty.belongs_to(engine.shared()), "{ty} belongs to another engine");
                wasm::StorageType::Val(ty.to_wasm())
            }
        })
    }
}

impl From<RefType> for StorageType {
    fn from(ty: RefType) -> StorageType {
        ValType::Ref(ty).into()
    }
}

impl From<ValType> for StorageType {
    fn from(ty: ValType) -> StorageType {
        StorageType::ValType(ty)
    }
}

impl FieldType {
    /// A field or an element that holds `element_type` and may change or not.
    pub fn new(mutability: Mutability, element_type: StorageType) -> FieldType {
        FieldType { mutability, element_type }
    }

    /// Whether it may change.
    pub fn mutability(&self) -> Mutability {
        self.mutability
    }

    /// What it holds.
    pub fn element_type(&self) -> &StorageType {
        &self.element_type
    }

    /// Whether something of this type may be used where `other` is expected: what may change must be
    /// of equal types, what may not only of a subtype.
    pub fn matches(&self, other: &FieldType) -> bool {
        self.mutability == other.mutability
            && self.element_type.matches(&other.element_type)
            && (self.mutability.is_const() || other.element_type.matches(&self.element_type))
    }

    pub(crate) fn from_wasm(engine: &Engine, ty: wasm::FieldType) -> FieldType {
        let mutability = if ty.mutable { Mutability::Var } else { Mutability::Const };
        FieldType::new(mutability, StorageType::from_wasm(engine, ty.storage))
    }

    /// The type in `engine`.
    ///
    /// # Errors
    ///
    /// If it names a type of another engine.
    fn checked(&self, engine: &Engine) -> Result<wasm::FieldType> {
        let storage = self.element_type.checked(engine)?;
        Ok(wasm::FieldType { storage, mutable: self.mutability.is_var() })
    }
}

macro_rules! object_types {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            engine: Engine,
            id: TypeId,
        }

        impl $name {
            /// The engine that it is registered with.
            pub fn engine(&self) -> &Engine {
                &self.engine
            }

            /// Whether the type may have subtypes.
            pub fn finality(&self) -> Finality {
                Finality::of(self.engine.shared().types().get(self.id))
            }

            /// The type that it was declared to be a subtype of.
            pub fn supertype(&self) -> Option<$name> {
                let supertype = self.engine.shared().types().get(self.id).supertype;
                supertype.map(|id| $name::from_id(&self.engine, id))
            }

            /// Whether objects of this type may be used where `other` is expected.
            pub fn matches(&self, other: &$name) -> bool {
                Engine::same(&self.engine, &other.engine)
                    && self.engine.shared().types().is_subtype(self.id, other.id)
            }

            /// The type with this id, which is one of such objects.
            pub(crate) fn from_id(engine: &Engine, id: TypeId) -> $name {
                $name { engine: engine.clone(), id }
            }

            pub(crate) fn id(&self) -> TypeId {
                self.id
            }

            fn register(
                engine: &Engine,
                finality: Finality,
                supertype: Option<&$name>,
                composite: CompositeType,
            ) -> Result<$name> {
                let supertype = supertype.map(|supertype| {
                    let same = Engine::same(&supertype.engine, engine);
                    ensure!(same, "the supertype {supertype} belongs to another engine");
                    Ok(supertype.id)
                });
                let (is_final, supertype) = (finality.is_final(), supertype.transpose()?);
                let id = engine.shared().register_type(is_final, supertype, composite)?;
                Ok($name::from_id(engine, id))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &$name) -> bool {
                Engine::same(&self.engine, &other.engine) && self.id == other.id
            }
        }

        impl Eq for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}

object_types! {
    /// The type of a struct, registered with an engine: what a guest defines with
    /// `(type (struct ..))`. Equal definitions are one type, wherever they stand.
    ///
    /// ```
    /// use hostref::{Engine, FieldType, Mutability, Result, StorageType, StructType, ValType};
    ///
    /// # fn main() -> Result<()> {
    /// let engine = Engine::default();
    /// let ty = StructType::new(&engine, [
    ///     FieldType::new(Mutability::Const, StorageType::I8),
    ///     FieldType::new(Mutability::Var, ValType::F64.into()),
    /// ])?;
    /// assert_eq!(ty.to_string(), "(struct (field i8) (field (mut f64)))");
    /// assert!(ty.field(1).unwrap().mutability().is_var());
    /// # Ok(())
    /// # }
    /// ```
    StructType;
    /// The type of an array, registered with an engine: what a guest defines with `(type (array ..))`.
    /// Equal definitions are one type, wherever they stand.
    ///
    /// ```
    /// use hostref::{ArrayType, Engine, FieldType, Mutability, StorageType};
    ///
    /// let engine = Engine::default();
    /// let bytes = ArrayType::new(&engine, FieldType::new(Mutability::Var, StorageType::I8));
    /// assert_eq!(bytes.to_string(), "(array (mut i8))");
    /// assert!(bytes.element_type().is_i8());
    /// ```
    ArrayType;
}

impl StructType {
    /// The type of structs with these fields, which has no sub- or supertypes.
    ///
    /// # Errors
    ///
    /// If there are more than 10 000 fields, one of them names a type of another engine, or the engine
    /// has no room for another type.
    pub fn new(engine: &Engine, fields: impl IntoIterator<Item = FieldType>) -> Result<StructType> {
        StructType::with_finality_and_supertype(engine, Finality::Final, None, fields)
    }

    /// As [`new`](StructType::new), for a type that may have subtypes or is one.
    ///
    /// ```
    /// use hostref::{Engine, FieldType, Finality, Mutability, Result, StructType, ValType};
    ///
    /// # fn main() -> Result<()> {
    /// let engine = Engine::default();
    /// let field = |ty: ValType| FieldType::new(Mutability::Const, ty.into());
    /// let shape = StructType::with_finality_and_supertype(
    ///     &engine, Finality::NonFinal, None, [field(ValType::F32)])?;
    /// let circle = StructType::with_finality_and_supertype(
    ///     &engine, Finality::Final, Some(&shape), [ValType::F32, ValType::F64].map(field))?;
    /// assert!(circle.matches(&shape) && !shape.matches(&circle));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`new`](StructType::new); also if `supertype` is final or of another engine, or if the
    /// fields do not begin with those of the supertype.
    pub fn with_finality_and_supertype(
        engine: &Engine,
        finality: Finality,
        supertype: Option<&StructType>,
        fields: impl IntoIterator<Item = FieldType>,
    ) -> Result<StructType> {
        let fields = fields.into_iter().enumerate().map(|(index, field)| {
            ensure!(index < MAX_FIELDS, "a struct has at most {MAX_FIELDS} fields");
            field.checked(engine).with_context(|| format!("field {index}"))
        });
        let composite = CompositeType::Struct(fields.collect::<Result<_>>()?);
        StructType::register(engine, finality, supertype, composite)
    }

    /// The type of the field at `index`.
    pub fn field(&self, index: usize) -> Option<FieldType> {
        let field = *self.engine.shared().types().struct_fields(self.id).get(index)?;
        Some(FieldType::from_wasm(&self.engine, field))
    }

    /// The types of the fields.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = FieldType> + '_ {
        let fields = self.engine.shared().types().struct_fields(self.id).to_vec();
        fields.into_iter().map(|field| FieldType::from_wasm(&self.engine, field))
    }
}

impl ArrayType {
    /// The type of arrays with elements of this type, which has no sub- or supertypes.
    ///
    /// # Panics
    ///
    /// If `field_type` names a type of another engine, or the engine has no room for another type:
    /// there are at most 2^22.
    pub fn new(engine: &Engine, field_type: FieldType) -> ArrayType {
        ArrayType::with_finality_and_supertype(engine, Finality::Final, None, field_type)
            .unwrap_or_else(|error| panic!("the array type: {error:#}"))
    }

    /// As [`new`](ArrayType::new), for a type that may have subtypes or is one.
    ///
    /// # Errors
    ///
    /// If `supertype` is final, or the elements do not match its own; if a type belongs to another
    /// engine, or the engine has no room for another one.
    pub fn with_finality_and_supertype(
        engine: &Engine,
        finality: Finality,
        supertype: Option<&ArrayType>,
        field_type: FieldType,
    ) -> Result<ArrayType> {
        let composite = CompositeType::Array(field_type.checked(engine)?);
        ArrayType::register(engine, finality, supertype, composite)
    }

    /// The type of the elements, and whether they may change.
    pub fn field_type(&self) -> FieldType {
        let element = self.engine.shared().types().array_element(self.id);
        FieldType::from_wasm(&self.engine, element)
    }

    /// Whether the elements may change.
    pub fn mutability(&self) -> Mutability {
        self.field_type().mutability
    }

    /// What the elements are.
    pub fn element_type(&self) -> StorageType {
        self.field_type().element_type
    }
}
