//! Entering Wasm from a handle: arguments checked and lowered, the trampoline called, the outcome
//! read. The only file of the API layer that calls into compiled code.
//!
//! Invariant: a [`TypedEntry`] exists only after its function's signature, or an equal one of the same
//! engine, was compared with its Rust types, and then holds the entry trampoline of that signature.

use std::any::TypeId;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;

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
        shell.inner.before_entry(ptr::null_mut());
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
        let reference = RawRef::from_bits(slot.get_v128(), is_func);
        let found = store.type_of_ref(reference, expected.heap);
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

/// Calls `func`, a function of this store, with dynamically typed values.
pub(crate) fn call_vals<T>(
    shell: &mut StoreShell<T>,
    func: FuncPtr,
    params: &[Val],
    results: &mut [Val],
) -> Result<()> {
    let id = func.type_id();
    let call = prepare(&mut shell.inner, id, params.len(), results.len())?;
    shell.inner.safepoint();
    let mut slots = Slots::new(call.slots);
    let store = &shell.inner;
    let types = &store.known_func_type(id).ty.params;
    for (index, (param, ty)) in params.iter().zip(types).enumerate() {
        match param.lower_as(store, *ty) {
            Ok(raw) => slots.set(index, raw),
            Err(error) => return Err(error.context(format!("argument {index}"))),
        }
    }
    // SAFETY: the function is of this store by the caller's word, and the entry is that of its type;
    // the slots hold arguments that match its parameter types and have room for its results, and
    // nothing collected since.
    unsafe { shell.call_array(ptr::null_mut(), func, call.entry, slots.as_mut_ptr())? };
    for (index, result) in results.iter_mut().enumerate() {
        let ty = shell.inner.known_func_type(id).ty.results[index];
        // SAFETY: the function has returned, and so written all its results.
        let raw = unsafe { slots.get(index) };
        *result = Val::load(&mut shell.inner, raw, ty);
    }
    Ok(())
}

/// Calls `start`, the start function of the instance at `instance`: its exports are those that a host
/// function sees then.
pub(crate) fn call_start<T>(
    shell: &mut StoreShell<T>,
    instance: usize,
    start: FuncPtr,
) -> Result<()> {
    let call = prepare(&mut shell.inner, start.type_id(), 0, 0)?;
    shell.inner.safepoint();
    let mut slots = Slots::new(call.slots);
    let caller = shell.inner.instances[instance].ctx.address();
    // SAFETY: the instance and its start function, which has neither parameters nor results, are of
    // this store, and the entry is that of its type.
    unsafe { shell.call_array(caller, start, call.entry, slots.as_mut_ptr()) }
}

/// What a call with dynamically typed values needs to know of the function's type.
struct ArrayCall {
    entry: CodePtr,
    slots: usize,
}

/// Looks up the type `id` and compares the numbers of arguments and results with it.
#[inline]
fn prepare(
    store: &mut StoreInner,
    id: wasm::TypeId,
    params: usize,
    results: usize,
) -> Result<ArrayCall> {
    store.func_type(id);
    let ty = store.known_func_type(id);
    let expected = ty.ty.params.len();
    ensure!(expected == params, "expected {expected} arguments, found {params}");
    let expected = ty.ty.results.len();
    ensure!(expected == results, "expected room for {expected} results, found {results}");
    Ok(ArrayCall { entry: ty.array_entry(&store.engine)?, slots: ty.sig.slots() })
}

/// Slots for one call, without allocation for the usual numbers.
enum Slots {
    Few([MaybeUninit<ValRaw>; 8]),
    Many(Vec<MaybeUninit<ValRaw>>),
}

impl Slots {
    #[inline]
    fn new(len: usize) -> Slots {
        match len {
            0..=8 => Slots::Few([MaybeUninit::uninit(); 8]),
            _ => Slots::Many(vec![MaybeUninit::uninit(); len]),
        }
    }

    #[inline]
    fn all(&mut self) -> &mut [MaybeUninit<ValRaw>] {
        match self {
            Slots::Few(slots) => slots,
            Slots::Many(slots) => slots,
        }
    }

    #[inline]
    fn set(&mut self, index: usize, raw: ValRaw) {
        self.all()[index].write(raw);
    }

    /// # Safety
    ///
    /// The slot was written, here or by the function that was called.
    #[inline]
    unsafe fn get(&mut self, index: usize) -> ValRaw {
        // SAFETY: the caller's duty.
        unsafe { self.all()[index].assume_init() }
    }

    #[inline]
    fn as_mut_ptr(&mut self) -> *mut ValRaw {
        self.all().as_mut_ptr().cast()
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
