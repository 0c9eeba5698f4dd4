//! Entering Wasm from a handle: arguments checked and lowered, the trampoline called, the outcome
//! read. The only file of the API layer that calls into compiled code.
//!
//! Invariant: a [`TypedEntry`] exists only after its function's signature, or an equal one of the same
//! engine, was compared with its Rust types, and then holds the entry trampoline of that signature.

use std::any::TypeId;
use std::marker::PhantomData;

use anyhow::{Context as _, bail, ensure};

use super::Func;
use super::arity::{any_values, pairs_of_values};
use super::shim::AbiResults;
use super::typed::{self, ArgumentChecks, WasmParams, WasmResults};
use crate::abi::signature::is_func_heap;
use crate::api::convert::Abi;
use crate::api::types::{FuncType, RefType};
use crate::api::value::Val;
use crate::code::CodePtr;
use crate::error::Result;
use crate::instance::definition::{FuncPtr, RawRef};
use crate::instance::engine::{Engine, FuncTypeInfo};
use crate::instance::store::{StoreInner, StoreShell};
use crate::vm::context::{VmCtx, VmStore};
use crate::vm::value::ValRaw;
use crate::wasm::types as wasm;

/// A function that may be entered with arguments in registers.
pub(crate) struct TypedEntry<Params, Results> {
    func: Func,
    entry: CodePtr,
    checks: ArgumentChecks,
    _types: PhantomData<fn(Params) -> Results>,
}

/// A [`TypedEntry`] that does not show its types. It remembers them, so that it can be used as what it
/// is only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErasedEntry {
    func: Func,
    entry: CodePtr,
    checks: ArgumentChecks,
    types: TypeId,
}

impl ErasedEntry {
    /// The entry with its types.
    ///
    /// # Panics
    ///
    /// If they are others.
    #[inline]
    pub(crate) fn typed<Params: WasmParams, Results: WasmResults>(
        &self,
    ) -> TypedEntry<Params, Results> {
        assert!(self.types == TypeId::of::<(Params, Results)>(), "an entry is used as what it is");
        let ErasedEntry { func, entry, checks, .. } = *self;
        TypedEntry { func, entry, checks, _types: PhantomData }
    }
}

/// ABI values as arguments of a typed entry: a flat tuple.
#[doc(hidden)]
pub trait AbiArgs: Copy + 'static {
    /// Calls a typed entry trampoline.
    ///
    /// # Safety
    ///
    /// `entry` must be the typed entry trampoline for exactly these arguments and results, and the
    /// other arguments what it demands.
    unsafe fn enter<R: AbiResults>(
        self,
        entry: *const u8,
        store: *mut VmStore,
        code: *const u8,
        ctx: *mut VmCtx,
        out: R::Out,
    ) -> R::Register;

    /// The arguments as they would stand in slots.
    fn to_slots(self) -> Vec<ValRaw>;
}

/// That Rust types fit a function type, found out once for all functions of that type.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct CheckedType {
    engine: Engine,
    ty: wasm::TypeId,
    entry: CodePtr,
    checks: ArgumentChecks,
    types: TypeId,
}

impl CheckedType {
    /// Compares the Rust types with `ty`, a type of `engine`.
    pub(crate) fn new<Params: WasmParams, Results: WasmResults>(
        engine: &Engine,
        ty: &FuncTypeInfo,
    ) -> Result<CheckedType> {
        let checks = typed::check::<Params, Results>(engine, &ty.ty)?;
        let entry = ty.typed_entry(engine.shared())?;
        let types = TypeId::of::<(Params, Results)>();
        Ok(CheckedType { engine: engine.clone(), ty: ty.id, entry, checks, types })
    }

    /// The way into `func`, unless it is of another type: one that it is exported as may be a supertype of
    /// its own.
    pub(crate) fn entry(&self, func: Func, store: &StoreInner) -> Result<Option<ErasedEntry>> {
        let ptr = func.checked(store)?;
        // Ids mean the same in one engine only.
        let same = Engine::same(&self.engine, &store.engine_handle) && ptr.type_id() == self.ty;
        let CheckedType { entry, checks, types, .. } = *self;
        Ok(same.then_some(ErasedEntry { func, entry, checks, types }))
    }
}

impl<Params: WasmParams, Results: WasmResults> TypedEntry<Params, Results> {
    /// Compares the types of `func` with the Rust types.
    pub(crate) fn new(func: Func, store: &StoreInner) -> Result<Self> {
        let ptr = func.checked(store)?;
        let ty = store.engine.func_type(ptr.type_id());
        let checks = typed::check::<Params, Results>(&store.engine_handle, &ty.ty);
        let checks = checks.with_context(|| {
            let engine = store.engine_handle.clone();
            let found = FuncType::from_info(engine, ty.clone());
            format!("type mismatch: the function's type is {found}")
        })?;
        let entry = ty.typed_entry(&store.engine)?;
        Ok(TypedEntry { func, entry, checks, _types: PhantomData })
    }

    /// The same without showing its types.
    pub(crate) fn erase(self) -> ErasedEntry {
        let TypedEntry { func, entry, checks, .. } = self;
        ErasedEntry { func, entry, checks, types: TypeId::of::<(Params, Results)>() }
    }

    /// The function.
    pub(crate) fn func(&self) -> &Func {
        &self.func
    }

    /// Lowers the arguments and calls the function. The results are raw: root them before anything
    /// can collect.
    #[inline]
    pub(crate) fn call<T>(
        &self,
        shell: &mut StoreShell<T>,
        params: Params,
    ) -> Result<Results::Abi> {
        let ptr = self.func.checked(&shell.inner)?;
        shell.inner.safepoint();
        let args = params.lower_params(&shell.inner)?;
        if self.checks == ArgumentChecks::EachCall {
            check_arguments(&shell.inner, ptr, &args.to_slots())?;
        }
        shell.inner.before_entry();
        let record = ptr.record();
        let mut slots = Results::Abi::slots();
        let out = Results::Abi::out(&mut slots);
        let (entry, store) = (self.entry.as_ptr(), shell.vm_ptr());
        // SAFETY: the entry is the trampoline of these types by the invariant, `record` is a live
        // function of this store, and `store` is derived from the whole shell, which is not used
        // meanwhile.
        let register =
            unsafe { args.enter::<Results::Abi>(entry, store, record.code, record.ctx, out) };
        shell.inner.after_entry()?;
        Ok(Results::Abi::read(register, &slots))
    }
}

impl<Params, Results> Clone for TypedEntry<Params, Results> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Params, Results> Copy for TypedEntry<Params, Results> {}

/// Checks that the references among the arguments `slots` are of the parameter types of `func`.
#[cold]
fn check_arguments(store: &StoreInner, func: FuncPtr, slots: &[ValRaw]) -> Result<()> {
    let ty = store.engine.func_type(func.type_id());
    let types = store.engine.types();
    for (index, (expected, slot)) in ty.ty.params.iter().zip(slots).enumerate() {
        let wasm::ValType::Ref(expected) = *expected else { continue };
        let is_func = is_func_heap(&types, expected.heap);
        let reference = match is_func {
            true => RawRef::func_from_bits(slot.get_v128()),
            false => RawRef::Gc(slot.get_externref()),
        };
        let found = reference.ty();
        if !types.ref_matches(found, expected) {
            let engine = &store.engine_handle;
            // Naming types takes the lock again.
            drop(types);
            let expected = RefType::from_wasm(engine, expected);
            match reference.is_null() {
                true => bail!("argument {index}: expected {expected}, found null"),
                false => {
                    let found = RefType::from_wasm(engine, found);
                    bail!("argument {index}: expected {expected}, found {found}")
                }
            }
        }
    }
    Ok(())
}

/// Calls `ptr`, a function of this store, with dynamically typed values.
pub(crate) fn call_vals<T>(
    shell: &mut StoreShell<T>,
    ptr: FuncPtr,
    params: &[Val],
    results: &mut [Val],
) -> Result<()> {
    let ty = shell.inner.func_type(ptr.type_id()).clone();
    let (expected, found) = (ty.ty.params.len(), params.len());
    ensure!(expected == found, "expected {expected} arguments, found {found}");
    let (expected, found) = (ty.ty.results.len(), results.len());
    ensure!(expected == found, "expected room for {expected} results, found {found}");
    shell.inner.safepoint();
    let mut slots = Slots::new(ty.sig.slots());
    let slots = slots.as_mut();
    for (index, (param, ty)) in params.iter().zip(&ty.ty.params).enumerate() {
        let raw = param.lower_as(&shell.inner, *ty);
        slots[index] = raw.with_context(|| format!("argument {index}"))?;
    }
    // SAFETY: the function is of this store by the caller's word; the slots hold arguments that
    // match its parameter types and have room for its results, and nothing collected since.
    unsafe { shell.call_array(ptr, &ty, slots)? };
    for ((result, raw), ty) in results.iter_mut().zip(slots.iter()).zip(&ty.ty.results) {
        *result = Val::load(&mut shell.inner, *raw, *ty);
    }
    Ok(())
}

/// Slots for one call, without allocation for the usual numbers.
enum Slots {
    Few([ValRaw; 8], usize),
    Many(Vec<ValRaw>),
}

impl Slots {
    fn new(len: usize) -> Slots {
        match len {
            0..=8 => Slots::Few([ValRaw::i32(0); 8], len),
            _ => Slots::Many(vec![ValRaw::i32(0); len]),
        }
    }

    fn as_mut(&mut self) -> &mut [ValRaw] {
        match self {
            Slots::Few(slots, len) => &mut slots[..*len],
            Slots::Many(slots) => slots,
        }
    }
}

macro_rules! arg_tuples {
    ($($($name:ident $index:tt)*;)*) => {$(
        impl<$($name: Abi),*> AbiArgs for ($($name,)*) {
            #[inline]
            #[allow(non_snake_case, reason = "arguments are named by their types")]
            unsafe fn enter<Results: AbiResults>(
                self,
                entry: *const u8,
                store: *mut VmStore,
                code: *const u8,
                ctx: *mut VmCtx,
                out: Results::Out,
            ) -> Results::Register {
                type Entry<Out, Register, $($name),*> = unsafe extern "C" fn(
                    *mut VmStore,
                    *const u8,
                    *mut VmCtx,
                    Out,
                    $($name),*
                ) -> Register;
                let ($($name,)*) = self;
                // SAFETY: `entry` is the trampoline for these types, by the caller's duty; it has
                // the C signature that `abi` gives, and a unit argument takes no register.
                let entry = unsafe {
                    std::mem::transmute::<
                        *const u8,
                        Entry<Results::Out, Results::Register, $($name),*>,
                    >(entry)
                };
                // SAFETY: the arguments are what the trampoline demands, by the caller's duty.
                unsafe { entry(store, code, ctx, out, $($name),*) }
            }

            #[allow(non_snake_case, reason = "arguments are named by their types")]
            fn to_slots(self) -> Vec<ValRaw> {
                let ($($name,)*) = self;
                vec![$($name.into_raw()),*]
            }
        }
    )*};
}

any_values!(arg_tuples);

macro_rules! pair_tuples {
    (; $($($first:ident $second:ident $index:tt)*;)*) => {$(
        impl<$($first: Abi, $second: Abi),*> AbiArgs for ($(($first, $second),)*) {
            #[inline]
            #[allow(non_snake_case, reason = "arguments are named by their types")]
            unsafe fn enter<Results: AbiResults>(
                self,
                entry: *const u8,
                store: *mut VmStore,
                code: *const u8,
                ctx: *mut VmCtx,
                out: Results::Out,
            ) -> Results::Register {
                type Entry<Out, Register, $($first, $second),*> = unsafe extern "C" fn(
                    *mut VmStore,
                    *const u8,
                    *mut VmCtx,
                    Out,
                    $($first, $second),*
                ) -> Register;
                let ($(($first, $second),)*) = self;
                // SAFETY: as for tuples of single values.
                let entry = unsafe {
                    std::mem::transmute::<
                        *const u8,
                        Entry<Results::Out, Results::Register, $($first, $second),*>,
                    >(entry)
                };
                // SAFETY: the arguments are what the trampoline demands, by the caller's duty.
                unsafe { entry(store, code, ctx, out, $($first, $second),*) }
            }

            #[allow(non_snake_case, reason = "arguments are named by their types")]
            fn to_slots(self) -> Vec<ValRaw> {
                let ($(($first, $second),)*) = self;
                let slots = [$(($first::LOWERED, $first.into_raw()), ($second::LOWERED, $second.into_raw())),*];
                slots.into_iter().filter_map(|(lowered, raw)| lowered.map(|_| raw)).collect()
            }
        }
    )*};
}

pairs_of_values!(pair_tuples);
