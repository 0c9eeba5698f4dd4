//! Exported functions that take text or bytes: the guest allocates room, the host copies, and the
//! function gets an address and a length.

use std::fmt;
use std::marker::PhantomData;

use anyhow::{Context as _, ensure};

use super::export_types::{ExportParam, Outcomes};
use super::exports::{Export, Function, Problem, check_function, enter_function, in_export};
use super::param::kind;
use crate::api::convert::{Abi, WasmBasic, WasmTy};
use crate::api::engine::Engine;
use crate::api::externs::Extern;
use crate::api::func::arity::any_values;
use crate::api::func::enter::{AbiArgs, CheckedType, ErasedEntry};
use crate::api::func::typed::{TypedFunc, WasmParams};
use crate::api::memory::Memory;
use crate::api::store::{AsContextMut, StoreContextMut};
use crate::api::types::{ExternType, ValType};
use crate::error::Result;
use crate::instance::store::StoreInner;

/// The guest's allocator, `(param i32) (result i32)`.
pub type Alloc = Function<(u32,), u32>;

/// What may be copied into the guest's memory, and where.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Room {
    alloc: Alloc,
    memory: Memory,
}

impl Room {
    /// Copies `bytes` to room that the guest allocates.
    fn copy<D: 'static>(
        &self,
        store: &mut StoreContextMut<'_, D>,
        bytes: &[u8],
    ) -> Result<(One<u32>, One<u32>)> {
        let len =
            u32::try_from(bytes.len()).context("a 32-bit guest has no room for the argument")?;
        let name = self.alloc.name();
        let at = self.alloc.call_plainly(&mut *store, (len,))?;
        ensure!(at != 0 || len == 0, "the export `{name}` found no room for {len} bytes");
        let written = self.memory.write(&mut *store, at as usize, bytes);
        written.with_context(|| format!("the export `{name}` gave {len} bytes at {at:#x}"))?;
        Ok((One(at), One(len)))
    }
}

/// A type that a parameter of an exported function may have that says `alloc`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of an exported function",
    label = "cannot be passed to a guest",
    note = "`#[export(alloc = \"..\")]` adds `&str` and `&[u8]` to what other exports take: numbers of up \
            to 64 bits, `bool`, `char`, types with `#[derive(WasmTy)]`, references and `New<T>`"
)]
pub trait AllocParam<Kind>: Sized {
    /// The first value it travels as.
    type First: Part;
    /// The second, or `()`.
    type Second: Part;
    /// The marker of such a parameter.
    type Marker: AllocPassed<Value = Self> + Default;

    /// The value as it travels. A safepoint; the guest may run.
    #[doc(hidden)]
    fn place<D: 'static>(
        self,
        store: &mut StoreContextMut<'_, D>,
        room: &Room,
    ) -> Result<(Self::First, Self::Second)>;
}

/// What other exports take, kind by kind: see `kind::Never` for why not all at once.
macro_rules! as_without_alloc {
    ($($kind:ident)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<P: ExportParam<kind::$kind>> AllocParam<kind::$kind> for P {
            type First = One<P::Wasm>;
            type Second = ();
            type Marker = AllocArgument<P, kind::$kind>;

            fn place<D: 'static>(
                self,
                store: &mut StoreContextMut<'_, D>,
                _: &Room,
            ) -> Result<(One<P::Wasm>, ())> {
                Ok((One(ExportParam::prepare(self, store.inner_mut())?), ()))
            }
        }
    )*};
}

as_without_alloc!(Value New OptionNew);

#[diagnostic::do_not_recommend]
impl AllocParam<kind::Slice> for &str {
    type First = One<u32>;
    type Second = One<u32>;
    type Marker = AllocArgument<Self, kind::Slice>;

    fn place<D: 'static>(
        self,
        store: &mut StoreContextMut<'_, D>,
        room: &Room,
    ) -> Result<(One<u32>, One<u32>)> {
        room.copy(store, self.as_bytes())
    }
}

#[diagnostic::do_not_recommend]
impl AllocParam<kind::Slice> for &[u8] {
    type First = One<u32>;
    type Second = One<u32>;
    type Marker = AllocArgument<Self, kind::Slice>;

    fn place<D: 'static>(
        self,
        store: &mut StoreContextMut<'_, D>,
        room: &Room,
    ) -> Result<(One<u32>, One<u32>)> {
        room.copy(store, self)
    }
}

/// One value of a parameter, or `()` for none.
#[doc(hidden)]
pub trait Part: Send + 'static {
    /// How it travels.
    type Abi: Abi;

    /// Adds its type.
    fn wasm_types(engine: &Engine, types: &mut Vec<ValType>);

    /// The value as it goes into Wasm; the shared borrow excludes a collection.
    fn lower(self, store: &StoreInner) -> Result<Self::Abi>;
}

/// One value.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct One<T>(T);

impl<T: WasmTy> Part for One<T> {
    type Abi = <T::Wasm as WasmBasic>::Abi;

    fn wasm_types(engine: &Engine, types: &mut Vec<ValType>) {
        types.push(T::Wasm::wasm_type(engine));
    }

    #[inline]
    fn lower(self, store: &StoreInner) -> Result<Self::Abi> {
        self.0.into_wasm().lower(store)
    }
}

impl Part for () {
    type Abi = ();

    fn wasm_types(_: &Engine, _: &mut Vec<ValType>) {}

    fn lower(self, _: &StoreInner) -> Result<()> {
        Ok(())
    }
}

/// The parameters of such a function: a tuple of markers.
pub trait AllocArguments {
    /// What the caller passes.
    type Values;
    /// What they travel as.
    type Wasm: WasmParams;

    /// The values as they travel.
    #[doc(hidden)]
    fn prepare<D: 'static>(
        values: Self::Values,
        store: &mut StoreContextMut<'_, D>,
        room: &Room,
    ) -> Result<Self::Wasm>;
}

/// The marker of a parameter of type `T`.
pub struct AllocArgument<T, Kind>(PhantomData<fn(T) -> (T, Kind)>);

impl<T, Kind> Default for AllocArgument<T, Kind> {
    fn default() -> Self {
        AllocArgument(PhantomData)
    }
}

impl<T, Kind> fmt::Debug for AllocArgument<T, Kind> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AllocArgument")
    }
}

/// A marker of a parameter.
pub trait AllocPassed {
    /// What the caller passes.
    type Value;
    /// The first value it travels as.
    type First: Part;
    /// The second.
    type Second: Part;

    /// The value as it travels.
    #[doc(hidden)]
    fn prepare<D: 'static>(
        value: Self::Value,
        store: &mut StoreContextMut<'_, D>,
        room: &Room,
    ) -> Result<(Self::First, Self::Second)>;
}

impl<P: AllocParam<Kind>, Kind> AllocPassed for AllocArgument<P, Kind> {
    type Value = P;
    type First = P::First;
    type Second = P::Second;

    fn prepare<D: 'static>(
        value: P,
        store: &mut StoreContextMut<'_, D>,
        room: &Room,
    ) -> Result<(P::First, P::Second)> {
        value.place(store, room)
    }
}

/// Values of parameters, one or two for each.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Parts<V>(V);

macro_rules! parts {
    ($($($name:ident $index:tt)*;)*) => {$(
        #[allow(unused_variables, clippy::unused_unit, reason = "there may be no values")]
        impl<$($name: AllocPassed),*> AllocArguments for ($($name,)*) {
            type Values = ($($name::Value,)*);
            type Wasm = Parts<($(($name::First, $name::Second),)*)>;

            fn prepare<Data: 'static>(
                values: Self::Values,
                store: &mut StoreContextMut<'_, Data>,
                room: &Room,
            ) -> Result<Self::Wasm> {
                Ok(Parts(($($name::prepare(values.$index, store, room)?,)*)))
            }
        }
    )*};
}

any_values!(parts);

/// A row per number of parameters: the names of their first and second values, and positions.
macro_rules! wasm_params {
    ($($($first:ident $second:ident $index:tt)*;)*) => {$(
        #[allow(unused_variables, unused_mut, clippy::unused_unit, reason = "there may be no values")]
        impl<$($first: Part, $second: Part),*> WasmParams for Parts<($(($first, $second),)*)>
        where
            ($(($first::Abi, $second::Abi),)*): AbiArgs,
        {
            type Args = ($(($first::Abi, $second::Abi),)*);

            fn val_types(engine: &Engine) -> Vec<ValType> {
                let mut types = Vec::new();
                $($first::wasm_types(engine, &mut types); $second::wasm_types(engine, &mut types);)*
                types
            }

            fn lower_params(self, store: &StoreInner) -> Result<Self::Args> {
                let values = self.0;
                Ok(($((values.$index.0.lower(store)?, values.$index.1.lower(store)?),)*))
            }
        }
    )*};
}

crate::api::func::arity::pairs_of_values!(wasm_params);

/// An exported function that was found and has the right type, and takes text or bytes.
#[derive(Clone, Copy, Debug)]
pub struct AllocFunction {
    name: &'static str,
    entry: ErasedEntry,
}

impl AllocFunction {
    /// Calls it with room from `alloc` in `memory`.
    ///
    /// # Errors
    ///
    /// As [`TypedFunc::call`](crate::TypedFunc::call), for the allocator as well; also when it finds no
    /// room.
    #[allow(clippy::too_many_arguments, reason = "generated code passes each part once")]
    pub fn call<A, O>(
        &self,
        mut store: impl AsContextMut,
        _arguments: A,
        _outcome: O,
        alloc: Alloc,
        memory: Memory,
        values: A::Values,
    ) -> Result<O::Value>
    where
        A: AllocArguments,
        O: Outcomes,
    {
        let mut store = store.as_context_mut();
        let values = A::prepare(values, &mut store, &Room { alloc, memory })?;
        let func = TypedFunc::from_entry(self.entry.typed::<A::Wasm, O::Wasm>());
        match func.call(store, values) {
            Ok(result) => Ok(O::finish(result)),
            Err(error) => Err(in_export(error, self.name)),
        }
    }
}

/// Asks for such a function.
pub struct AllocFunctionSpec<A, O>(PhantomData<fn(A) -> O>);

impl<A, O> fmt::Debug for AllocFunctionSpec<A, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AllocFunctionSpec")
    }
}

/// Asks for a function that takes text or bytes.
pub fn alloc_function<A: AllocArguments, O: Outcomes>(
    _arguments: A,
    _outcome: O,
) -> AllocFunctionSpec<A, O> {
    AllocFunctionSpec(PhantomData)
}

impl<A: AllocArguments, O: Outcomes> Export for AllocFunctionSpec<A, O> {
    type Field = AllocFunction;

    fn check(engine: &Engine, ty: Option<&ExternType>) -> Result<Option<CheckedType>, Problem> {
        check_function::<A::Wasm, O::Wasm>(engine, ty)
    }

    fn bind(
        name: &'static str,
        store: &StoreInner,
        export: Option<Extern>,
        checked: Option<&CheckedType>,
    ) -> Result<AllocFunction> {
        let entry = enter_function::<A::Wasm, O::Wasm>(store, export, checked)?;
        Ok(AllocFunction { name, entry })
    }
}
