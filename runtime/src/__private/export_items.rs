//! What a field of `#[wasm_exports]` may be besides a function: which handles there are, and how each is
//! found.

use std::fmt;
use std::marker::PhantomData;

use super::exports::{Export, Problem, vanished};
use super::param::{Never, kind};
use crate::api::convert::{WasmBasic as _, WasmTy};
use crate::api::engine::Engine;
use crate::api::externs::Extern;
use crate::api::func::Func;
use crate::api::func::enter::CheckedType;
use crate::api::global::{self, Global};
use crate::api::memory::Memory;
use crate::api::shared_memory::SharedMemory;
use crate::api::table::Table;
use crate::api::tag::Tag;
use crate::api::types::ExternType;
use crate::error::{Error, Result};
use crate::instance::store::StoreInner;

/// A type that a field of `#[wasm_exports]` may have besides functions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not something that a guest exports",
    label = "not an export",
    note = "a field is a function, `fn(a: A) -> R` or `Option<fn(a: A) -> R>`, or one of `Memory`, \
            `SharedMemory`, `Table`, `Global`, `Global<T>`, `Tag`, `Func` and `Option`s of them"
)]
pub trait ExportItem<Kind> {
    /// What a struct of exports asks for.
    type Marker: Export<Field = Self> + Default;
}

#[diagnostic::do_not_recommend]
impl<T: Handle> ExportItem<kind::Handle> for T {
    type Marker = ItemSpec<T>;
}

// See `kind::Never`.
#[diagnostic::do_not_recommend]
impl<T: Handle + Never> ExportItem<kind::Never> for T {
    type Marker = ItemSpec<T>;
}

/// A handle of something exported.
pub trait Handle: Sized {
    /// What messages call it.
    const KIND: &'static str;
    /// Whether a guest may do without it.
    const OPTIONAL: bool = false;

    /// The handle, if the export is of the right kind.
    fn from_export(export: Extern, store: &StoreInner) -> Option<Self>;

    /// Whether an export of this type is of the right kind.
    fn is_kind(ty: &ExternType) -> bool;

    /// Whether an export of the right kind is of the right type.
    ///
    /// # Errors
    ///
    /// Says what was expected.
    fn check(_: &Engine, _: &ExternType) -> Result<()> {
        Ok(())
    }

    /// The handle of an export that does not exist.
    fn absent() -> Option<Self> {
        None
    }
}

macro_rules! items {
    ($($handle:ident $kind:literal $convert:ident $is_kind:expr;)*) => {$(
        impl Handle for $handle {
            const KIND: &'static str = $kind;

            fn from_export(export: Extern, _: &StoreInner) -> Option<$handle> {
                export.$convert()
            }

            fn is_kind(ty: &ExternType) -> bool {
                let is_kind: fn(&ExternType) -> bool = $is_kind;
                is_kind(ty)
            }
        }
    )*};
}

items! {
    Func "a function" into_func |ty| matches!(ty, ExternType::Func(_));
    Memory "a memory" into_memory |ty| memory_is_shared(ty) == Some(false);
    SharedMemory "a shared memory" into_shared_memory |ty| memory_is_shared(ty) == Some(true);
    Table "a table" into_table |ty| matches!(ty, ExternType::Table(_));
    Global "a global" into_global |ty| matches!(ty, ExternType::Global(_));
    Tag "a tag" into_tag |ty| matches!(ty, ExternType::Tag(_));
}

/// Whether threads share it, if it is a memory.
fn memory_is_shared(ty: &ExternType) -> Option<bool> {
    match ty {
        ExternType::Memory(ty) => Some(ty.is_shared()),
        _ => None,
    }
}

impl<T: WasmTy> Handle for Global<T> {
    const KIND: &'static str = "a global";

    fn from_export(export: Extern, store: &StoreInner) -> Option<Global<T>> {
        export.into_global()?.typed_in(store).ok()
    }

    fn is_kind(ty: &ExternType) -> bool {
        matches!(ty, ExternType::Global(_))
    }

    fn check(engine: &Engine, ty: &ExternType) -> Result<()> {
        match ty {
            ExternType::Global(ty) if global::holds::<T>(engine, ty.to_wasm()) => Ok(()),
            _ => {
                Err(Error::msg(format!("expected a global of type {}", T::Wasm::wasm_type(engine))))
            }
        }
    }
}

impl<T: Handle> Handle for Option<T> {
    const KIND: &'static str = T::KIND;
    const OPTIONAL: bool = true;

    fn from_export(export: Extern, store: &StoreInner) -> Option<Option<T>> {
        T::from_export(export, store).map(Some)
    }

    fn is_kind(ty: &ExternType) -> bool {
        T::is_kind(ty)
    }

    fn check(engine: &Engine, ty: &ExternType) -> Result<()> {
        T::check(engine, ty)
    }

    fn absent() -> Option<Option<T>> {
        Some(None)
    }
}

/// Asks for something else.
pub struct ItemSpec<T>(PhantomData<fn() -> T>);

impl<T> Default for ItemSpec<T> {
    fn default() -> ItemSpec<T> {
        ItemSpec(PhantomData)
    }
}

impl<T: Handle> Export for ItemSpec<T> {
    type Field = T;

    fn check(engine: &Engine, ty: Option<&ExternType>) -> Result<Option<CheckedType>, Problem> {
        match ty {
            Some(ty) if T::is_kind(ty) => {
                T::check(engine, ty).map(|()| None).map_err(Problem::Type)
            }
            Some(_) => Err(Problem::Kind { expected: T::KIND }),
            None if T::OPTIONAL => Ok(None),
            None => Err(Problem::Missing { expected: T::KIND }),
        }
    }

    fn bind(
        _: &'static str,
        store: &StoreInner,
        export: Option<Extern>,
        _: Option<&CheckedType>,
    ) -> Result<T> {
        let item = match export {
            Some(export) => T::from_export(export, store),
            None => T::absent(),
        };
        item.ok_or_else(vanished)
    }
}

impl<T> fmt::Debug for ItemSpec<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ItemSpec")
    }
}
