//! Public types of functions and tags, and of whatever can be imported or exported. Conversions to and
//! from the decoded types stand beside each; those of values are in `value_types`, of structs and arrays
//! in `gc_types`, of globals, tables and memories in `entity_types`.

use std::sync::Arc;

use super::engine::Engine;
use crate::error::Result;
use crate::instance::engine::FuncTypeInfo;
use crate::wasm::types as wasm;

pub use super::entity_types::{GlobalType, MemoryType, MemoryTypeBuilder, Mutability, TableType};
pub use super::value_types::{HeapType, RefType, ValType};

/// The type of a function, registered with an engine.
#[derive(Clone)]
pub struct FuncType {
    engine: Engine,
    info: Arc<FuncTypeInfo>,
}

/// Whether a type may have subtypes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finality {
    /// It may not.
    Final,
    /// It may: other types can be declared to be subtypes of it.
    NonFinal,
}

/// The type of a tag: the parameters of its function type are the payload of its exceptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagType {
    ty: FuncType,
}

/// The type of anything that can be imported or exported.
///
/// ```
/// use hostref::{ExternType, MemoryType};
///
/// let ty = ExternType::from(MemoryType::new(1, Some(2)));
/// assert!(matches!(ty, ExternType::Memory(memory) if memory.maximum() == Some(2)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExternType {
    /// A function.
    Func(FuncType),
    /// A global.
    Global(GlobalType),
    /// A table.
    Table(TableType),
    /// A linear memory.
    Memory(MemoryType),
    /// A tag of exceptions.
    Tag(TagType),
}

macro_rules! kinds {
    ($($kind:ident($ty:ty) $what:literal $get:ident $unwrap:ident;)*) => {
        $(impl From<$ty> for ExternType {
            fn from(ty: $ty) -> ExternType {
                ExternType::$kind(ty)
            }
        })*

        impl ExternType {$(
            #[doc = concat!("The type of ", $what, ", if this is one.")]
            pub fn $get(&self) -> Option<&$ty> {
                match self {
                    ExternType::$kind(ty) => Some(ty),
                    _ => None,
                }
            }

            #[doc = concat!("The type of ", $what, ".")]
            ///
            /// # Panics
            ///
            /// If this is the type of something else.
            pub fn $unwrap(&self) -> &$ty {
                self.$get().unwrap_or_else(|| {
                    panic!(concat!("expected the type of ", $what, ", found {}"), self)
                })
            }
        )*}
    };
}

kinds! {
    Func(FuncType) "a function" func unwrap_func;
    Global(GlobalType) "a global" global unwrap_global;
    Table(TableType) "a table" table unwrap_table;
    Memory(MemoryType) "a memory" memory unwrap_memory;
    Tag(TagType) "a tag" tag unwrap_tag;
}

impl Finality {
    pub(crate) fn of(ty: &wasm::SubType) -> Finality {
        if ty.is_final { Finality::Final } else { Finality::NonFinal }
    }

    /// Whether it may not have subtypes.
    pub fn is_final(&self) -> bool {
        *self == Finality::Final
    }

    /// Whether it may have subtypes.
    pub fn is_non_final(&self) -> bool {
        *self == Finality::NonFinal
    }
}

impl FuncType {
    /// The type of functions from `params` to `results`.
    ///
    /// ```
    /// use hostref::{Engine, FuncType, ValType};
    ///
    /// let engine = Engine::default();
    /// let ty = FuncType::new(&engine, [ValType::I32, ValType::EXTERNREF], [ValType::I64]);
    /// assert_eq!(ty.to_string(), "(func (param i32 externref) (result i64))");
    /// ```
    ///
    /// # Panics
    ///
    /// If a function type among them belongs to another engine, or the engine has no room for
    /// another type: there are at most 2^22.
    pub fn new(
        engine: &Engine,
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> FuncType {
        FuncType::register(engine, Finality::Final, None, params, results)
            .expect("a final type without supertype is valid, and the engine has room for it")
    }

    /// As [`new`](FuncType::new), for a type that may have subtypes or is one.
    ///
    /// ```
    /// use hostref::{Engine, Finality, FuncType, HeapType, RefType, ValType};
    ///
    /// # fn main() -> hostref::Result<()> {
    /// let engine = Engine::default();
    /// let open = Finality::NonFinal;
    /// let base = FuncType::with_finality_and_supertype(&engine, open, None, [], [ValType::FUNCREF])?;
    /// let result = ValType::Ref(RefType::new(true, HeapType::ConcreteFunc(base.clone())));
    /// let ty = FuncType::with_finality_and_supertype(&engine, open, Some(&base), [], [result])?;
    /// assert!(ty.matches(&base) && !base.matches(&ty));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If `supertype` is final, or parameters and results do not match its own.
    ///
    /// # Panics
    ///
    /// If `supertype` or a function type among the others belongs to another engine.
    pub fn with_finality_and_supertype(
        engine: &Engine,
        finality: Finality,
        supertype: Option<&FuncType>,
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> Result<FuncType> {
        FuncType::register(engine, finality, supertype, params, results)
    }

    fn register(
        engine: &Engine,
        finality: Finality,
        supertype: Option<&FuncType>,
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> Result<FuncType> {
        let to_wasm = |ty: ValType| {
            assert!(ty.belongs_to(engine.shared()), "{ty} belongs to another engine");
            ty.to_wasm()
        };
        let ty = wasm::FuncType {
            params: params.into_iter().map(to_wasm).collect(),
            results: results.into_iter().map(to_wasm).collect(),
        };
        let supertype = supertype.map(|supertype| {
            let same = Engine::same(&supertype.engine, engine);
            assert!(same, "the supertype {supertype} belongs to another engine");
            supertype.info.id
        });
        let is_final = finality == Finality::Final;
        let composite = wasm::CompositeType::Func(ty);
        let id = engine.shared().register_type(is_final, supertype, composite)?;
        Ok(FuncType::from_id(engine, id))
    }

    /// Whether the type may have subtypes.
    pub fn finality(&self) -> Finality {
        Finality::of(self.engine.shared().types().get(self.info.id))
    }

    /// The type that it was declared to be a subtype of.
    pub fn supertype(&self) -> Option<FuncType> {
        let supertype = self.engine.shared().types().get(self.info.id).supertype;
        supertype.map(|id| FuncType::from_id(&self.engine, id))
    }

    /// The types of the parameters.
    pub fn params(&self) -> impl ExactSizeIterator<Item = ValType> + '_ {
        self.info.ty.params.iter().map(|ty| ValType::from_wasm(&self.engine, *ty))
    }

    /// The types of the results.
    pub fn results(&self) -> impl ExactSizeIterator<Item = ValType> + '_ {
        self.info.ty.results.iter().map(|ty| ValType::from_wasm(&self.engine, *ty))
    }

    /// The type of the parameter at `index`.
    pub fn param(&self, index: usize) -> Option<ValType> {
        self.params().nth(index)
    }

    /// The type of the result at `index`.
    pub fn result(&self, index: usize) -> Option<ValType> {
        self.results().nth(index)
    }

    /// Whether functions of this type may be used where `other` is expected.
    pub fn matches(&self, other: &FuncType) -> bool {
        Engine::same(&self.engine, &other.engine)
            && self.engine.shared().types().is_subtype(self.info.id, other.info.id)
    }

    pub(crate) fn from_id(engine: &Engine, id: wasm::TypeId) -> FuncType {
        FuncType { engine: engine.clone(), info: engine.shared().func_type(id) }
    }

    pub(crate) fn from_info(engine: Engine, info: Arc<FuncTypeInfo>) -> FuncType {
        FuncType { engine, info }
    }

    pub(crate) fn info(&self) -> &Arc<FuncTypeInfo> {
        &self.info
    }

    pub(crate) fn id(&self) -> wasm::TypeId {
        self.info.id
    }

    /// The engine that it is registered with.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }
}

impl PartialEq for FuncType {
    fn eq(&self, other: &FuncType) -> bool {
        Engine::same(&self.engine, &other.engine) && self.info.id == other.info.id
    }
}

impl Eq for FuncType {}

impl TagType {
    /// The type of tags whose exceptions carry the parameters of `ty`, which has no results.
    pub fn new(ty: FuncType) -> TagType {
        TagType { ty }
    }

    /// The function type.
    pub fn ty(&self) -> &FuncType {
        &self.ty
    }
}
