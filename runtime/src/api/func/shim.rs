//! The C functions that exit trampolines call, and the way from raw store pointers back to typed
//! stores. The only file of the API layer that compiled code enters.
//!
//! Invariant: a shim for data type `D` is installed only in stores of `D` (linkers and stores carry
//! the type), and trampolines pass it the store pointer of the innermost activation, which its
//! owner lent to this entry into Wasm and does not use until the entry returns.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::arity::several_values;
use crate::abi::signature::LoweredType;
use crate::api::caller::Caller;
use crate::api::convert::{Abi, Lowered};
use crate::api::engine::Engine;
use crate::api::store::{StoreContextMut, UpdateDeadline};
use crate::api::types::ValType;
use crate::compile::TrampolineKind;
use crate::error::Result;
use crate::gc::{GcRef, Why};
use crate::instance::engine::FuncTypeInfo;
use crate::instance::host_func::{HostContext, HostFunc};
use crate::instance::limiter::{Limiter, ResourceLimiter};
use crate::instance::store::{EpochBehavior, Failure, StoreInner, StoreShell};
use crate::trap::Trap;
use crate::vm::context::{VmCtx, VmStore};
use crate::vm::value::ValRaw;
use crate::wasm::types as wasm;

/// A Rust function as a guest calls it.
#[doc(hidden)]
pub trait HostFn<D: 'static>: Send + Sync + 'static {
    /// Its parameters: a tuple of pairs of ABI values, each pair one Rust parameter.
    type Params: AbiParams;
    /// Its results: one ABI value, `()`, or a tuple of several.
    type Results: AbiResults;
    /// Whether a root scope surrounds the call.
    const SCOPE: bool;

    /// Its Wasm signature in `engine`.
    fn signature(&self, engine: &Engine) -> HostSignature;

    /// The memory of its callers that it uses.
    fn memory(&self) -> Option<MemoryUse> {
        None
    }

    /// Calls it.
    fn call(&self, caller: &mut Caller<'_, D>, params: Self::Params) -> Result<Self::Results>;
}

/// The Wasm types of a Rust function.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct HostSignature {
    /// The types of the parameters.
    pub params: Vec<ValType>,
    /// The types of the results.
    pub results: Vec<ValType>,
}

pub use crate::instance::host_func::MemoryUse;

/// ABI values as parameters: a tuple of pairs.
#[doc(hidden)]
pub trait AbiParams: Copy + 'static {
    /// The machine-level types of the registers in use.
    fn lowered() -> Vec<Lowered>;

    /// The C function that calls an `H` with these parameters.
    fn shim<D: 'static, H: HostFn<D, Params = Self>>() -> *const u8;
}

/// ABI values as results: one in a register, several in memory.
#[doc(hidden)]
pub trait AbiResults: Copy + 'static {
    /// A pointer to the slots of several results; `()` otherwise.
    type Out: Copy + 'static;
    /// The only result; `()` otherwise.
    type Register: Abi;
    /// Room for several results.
    type Slots: Copy + 'static;

    /// Empty room, and the pointer to it.
    fn slots() -> Self::Slots;

    /// The pointer to `slots`.
    fn out(slots: &mut Self::Slots) -> Self::Out;

    /// The results that a typed entry returned.
    fn read(register: Self::Register, slots: &Self::Slots) -> Self;

    /// Returns the results from a shim.
    ///
    /// # Safety
    ///
    /// `out` must point to as many writable slots as there are results, if it is a pointer.
    unsafe fn write(self, out: Self::Out) -> Self::Register;
}

/// The definition of a host function for any number of stores of `D`.
pub(crate) fn define<D: 'static, H: HostFn<D>>(
    engine: &Engine,
    name: &str,
    host: H,
) -> Arc<HostFunc> {
    let HostSignature { params, results } = host.signature(engine);
    let nullable = |ty| match ty {
        wasm::ValType::Ref(ty) => wasm::ValType::Ref(wasm::RefType { nullable: true, ..ty }),
        ty => ty,
    };
    let to_wasm = |types: Vec<ValType>| types.iter().map(ValType::to_wasm).collect();
    let signature = wasm::FuncType { params: to_wasm(params), results: to_wasm(results) };
    let canonical = wasm::FuncType {
        params: signature.params.iter().map(|ty| nullable(*ty)).collect(),
        results: signature.results.iter().map(|ty| nullable(*ty)).collect(),
    };
    let narrower = (signature != canonical).then_some(signature);
    let id = engine.shared().register_type(true, None, wasm::CompositeType::Func(canonical));
    let ty = engine.shared().func_type(id.expect("the engine has room for a host function's type"));
    assert_eq!(lowered(&ty.sig.params), H::Params::lowered(), "{name}: signature and ABI agree");
    Arc::new(HostFunc {
        ty,
        narrower,
        exit: TrampolineKind::TypedExit,
        shim: H::Params::shim::<D, H>(),
        memory: host.memory(),
        wide: None,
        callee: Box::new(host),
        name: name.to_owned().into(),
    })
}

/// As [`define`], for a host function that uses the memory of its callers; `wide` is the same function
/// for callers whose memory is one of 64 bits.
pub(crate) fn define_with_memory<D: 'static>(
    engine: &Engine,
    name: &str,
    host: impl HostFn<D>,
    wide: impl HostFn<D>,
) -> Arc<HostFunc> {
    let mut func = define::<D, _>(engine, name, host);
    let narrow = Arc::get_mut(&mut func).expect("the definition was made just now");
    narrow.wide = Some(define::<D, _>(engine, name, wide));
    func
}

/// A function over slots, such as `Func::new` makes. It is told what is known of it.
pub(crate) trait ArrayFn<D: 'static>:
    Fn(Caller<'_, D>, &HostFunc, &mut [ValRaw]) -> Result<()> + Send + Sync + 'static
{
}

impl<D, F> ArrayFn<D> for F
where
    D: 'static,
    F: Fn(Caller<'_, D>, &HostFunc, &mut [ValRaw]) -> Result<()> + Send + Sync + 'static,
{
}

/// The definition of a host function of run-time type `ty`.
pub(crate) fn define_array<D: 'static, H: ArrayFn<D>>(
    ty: Arc<FuncTypeInfo>,
    name: Cow<'static, str>,
    host: H,
) -> Arc<HostFunc> {
    Arc::new(HostFunc {
        ty,
        narrower: None,
        exit: TrampolineKind::ArrayExit,
        shim: array_shim::<D, H> as *const u8,
        memory: None,
        wide: None,
        callee: Box::new(host),
        name,
    })
}

/// What happens at the epoch deadline of a store of `D`.
pub(crate) fn epoch_callback<D: 'static>(
    mut callback: impl FnMut(StoreContextMut<'_, D>) -> Result<UpdateDeadline> + Send + Sync + 'static,
) -> EpochBehavior {
    EpochBehavior::Callback(Box::new(move |store| {
        // SAFETY: the callback is set in a store of `D` only, and builtins pass the store pointer of
        // the innermost activation while they borrow nothing of the store.
        let shell = unsafe { &mut *store.cast::<StoreShell<D>>() };
        match callback(StoreContextMut(shell))? {
            UpdateDeadline::Continue(delta) => Ok(delta),
            UpdateDeadline::Interrupt => Err(Trap::Interrupt.into()),
        }
    }))
}

/// Where a store of `D` finds the embedder's limiter.
pub(crate) fn limiter<D: 'static>(
    mut limiter: impl (FnMut(&mut D) -> &mut dyn ResourceLimiter) + Send + Sync + 'static,
) -> Limiter {
    Box::new(move |store, ask| {
        // SAFETY: the limiter is set in a store of `D` only, whose data stands behind the part that
        // this pointer is to.
        let data = unsafe { &raw mut (*store.cast::<StoreShell<D>>()).data };
        // SAFETY: who asks has the whole store, and uses it for nothing else meanwhile. Nobody holds a
        // reference to the data: the API lends data and store together, or one of them.
        let data = unsafe { &mut *data };
        ask(limiter(data));
    })
}

/// The vmctx of the instance that called a host function, as its store recorded it; null if the
/// embedder called the function itself. Whoever keeps one keeps the store borrowed.
#[derive(Clone, Copy)]
pub(crate) struct CallingCtx(usize);

impl CallingCtx {
    /// That of the latest call into the host.
    #[inline]
    pub(crate) fn latest(store: &StoreInner) -> CallingCtx {
        CallingCtx(store.vm.caller.get().expose_provenance())
    }

    /// The position of the instance in its store.
    pub(crate) fn instance(self) -> Option<usize> {
        let ctx = std::ptr::with_exposed_provenance::<VmCtx>(self.0);
        // SAFETY: made by `latest` only, this is null or the vmctx of an instance, and instances
        // live as long as their store, which is borrowed meanwhile.
        unsafe { ctx.as_ref() }.map(|ctx| ctx.instance as usize)
    }
}

fn lowered(types: &[LoweredType]) -> Vec<Lowered> {
    let lowered = |ty: &LoweredType| match ty {
        LoweredType::I32 => Lowered::I32,
        LoweredType::I64 => Lowered::I64,
        LoweredType::F32 => Lowered::F32,
        LoweredType::F64 => Lowered::F64,
        LoweredType::V128 => Lowered::V128,
    };
    types.iter().map(lowered).collect()
}

/// Calls the `H` behind `host`.
///
/// # Safety
///
/// As the invariant of this module says, for a context whose callee is an `H`.
#[inline(always)]
unsafe fn enter_host<D: 'static, H: HostFn<D>>(
    store: *mut VmStore,
    host: *const HostContext,
    out: <H::Results as AbiResults>::Out,
    params: H::Params,
) -> <H::Results as AbiResults>::Register {
    // SAFETY: the pointer is valid for the whole shell of a store of `D`, and exclusively ours.
    let shell = unsafe { &mut *store.cast::<StoreShell<D>>() };
    // SAFETY: contexts live as long as their store and are never written.
    let context = unsafe { &*host };
    // SAFETY: the callee of this shim is an `H`, by the caller's duty.
    let callee = unsafe { &*context.callee.cast::<H>() };
    let roots = H::SCOPE.then(|| shell.inner.gc.scoped_roots());
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut caller = Caller::new(shell);
        callee.call(&mut caller, params)
    }));
    match outcome {
        Ok(Ok(results)) => {
            unroot(&mut shell.inner, roots);
            // SAFETY: the trampoline made room for all results.
            return unsafe { results.write(out) };
        }
        Ok(Err(error)) => fail(&mut shell.inner, roots, Ok(error)),
        Err(panic) => fail(&mut shell.inner, roots, Err(panic)),
    }
    Default::default()
}

/// Ends the roots that a host function made, if it had a scope for them.
#[inline]
fn unroot(store: &mut StoreInner, roots: Option<usize>) {
    if let Some(roots) = roots {
        store.gc.unroot_from(roots);
    }
}

/// Ends a host function that failed or panicked.
#[cold]
#[inline(never)]
fn fail(store: &mut StoreInner, roots: Option<usize>, reason: std::thread::Result<crate::Error>) {
    unroot(store, roots);
    match reason {
        Ok(error) => store.fail_or_throw(error),
        Err(panic) => store.fail(Failure::panic(panic)),
    }
}

/// The shim of functions over slots.
///
/// # Safety
///
/// As the invariant of this module says, for a context whose callee is an `H`; `slots` has room for
/// parameters and results.
unsafe extern "C" fn array_shim<D: 'static, H: ArrayFn<D>>(
    store: *mut VmStore,
    host: *const HostContext,
    slots: *mut ValRaw,
) {
    // SAFETY: the pointer is valid for the whole shell of a store of `D`, and exclusively ours.
    let shell = unsafe { &mut *store.cast::<StoreShell<D>>() };
    // SAFETY: contexts live as long as their store and are never written.
    let context = unsafe { &*host };
    let def = &*context.def;
    // SAFETY: the callee of this shim is an `H`, by the caller's duty.
    let callee = unsafe { &*context.callee.cast::<H>() };
    // SAFETY: the trampoline made room for parameters and results.
    let slots = unsafe { std::slice::from_raw_parts_mut(slots, def.ty.sig.slots()) };
    let roots = Some(shell.inner.gc.scoped_roots());
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        callee(Caller::new(shell), def, slots)?;
        safepoint_with_results(&mut shell.inner, &def.ty.ty.results, slots);
        Ok(())
    }));
    match outcome {
        Ok(Ok(())) => unroot(&mut shell.inner, roots),
        Ok(Err(error)) => fail(&mut shell.inner, roots, Ok(error)),
        Err(panic) => fail(&mut shell.inner, roots, Err(panic)),
    }
}

/// A safepoint at which the results in `slots` are roots.
fn safepoint_with_results(store: &mut StoreInner, types: &[wasm::ValType], slots: &mut [ValRaw]) {
    if !store.gc.should_collect() {
        return;
    }
    let mut roots = Vec::new();
    for (slot, ty) in slots.iter().zip(types) {
        let is_gc_ref = match ty {
            wasm::ValType::Ref(ty) => !store.engine.is_func_heap(ty.heap),
            _ => false,
        };
        let reference = is_gc_ref.then(|| GcRef::from_raw(slot.get_externref())).flatten();
        roots.push(reference.map(|reference| store.gc.root(reference)));
    }
    store.collect(Why::Due);
    for (slot, root) in slots.iter_mut().zip(roots) {
        if let Some(reference) = root.and_then(|root| store.gc.rooted(root)) {
            *slot = ValRaw::externref(reference.to_raw());
        }
    }
}

impl<A: Abi> AbiResults for A {
    type Out = ();
    type Register = A;
    type Slots = ();

    #[inline]
    fn slots() {}

    #[inline]
    fn out((): &mut ()) {}

    #[inline]
    fn read(register: A, (): &()) -> A {
        register
    }

    #[inline]
    unsafe fn write(self, (): ()) -> A {
        self
    }
}

macro_rules! count {
    ($($name:ident)*) => {
        [$(stringify!($name)),*].len()
    };
}

macro_rules! result_tuples {
    ($($($name:ident $index:tt)*;)*) => {$(
        impl<$($name: Abi),*> AbiResults for ($($name,)*) {
            type Out = *mut ValRaw;
            type Register = ();
            type Slots = [ValRaw; count!($($name)*)];

            fn slots() -> Self::Slots {
                [ValRaw::i32(0); count!($($name)*)]
            }

            fn out(slots: &mut Self::Slots) -> *mut ValRaw {
                slots.as_mut_ptr()
            }

            fn read((): (), slots: &Self::Slots) -> Self {
                let mut slots = slots.iter();
                ($($name::from_raw(*slots.next().expect("a slot per result")),)*)
            }

            #[allow(non_snake_case, reason = "values are named by their types")]
            unsafe fn write(self, out: *mut ValRaw) {
                let ($($name,)*) = self;
                let values = [$($name.into_raw()),*];
                // SAFETY: `out` has room for all results, by the caller's duty.
                unsafe { out.cast::<[ValRaw; count!($($name)*)]>().write(values) }
            }
        }
    )*};
}

several_values!(result_tuples);

macro_rules! param_tuples {
    ($($shim:ident: $($first:ident $second:ident)*;)*) => {$(
        /// The shim of functions with this many parameters. A unit argument takes no register.
        ///
        /// # Safety
        ///
        /// As the invariant of this module says, for a context whose callee is an `Host`.
        #[allow(non_snake_case, reason = "arguments are named by their types")]
        unsafe extern "C" fn $shim<Data: 'static, Host, $($first: Abi, $second: Abi),*>(
            store: *mut VmStore,
            host: *const HostContext,
            out: <Host::Results as AbiResults>::Out,
            $($first: $first, $second: $second),*
        ) -> <Host::Results as AbiResults>::Register
        where
            Host: HostFn<Data, Params = ($(($first, $second),)*)>,
        {
            // SAFETY: the duties are the same.
            unsafe { enter_host::<Data, Host>(store, host, out, ($(($first, $second),)*)) }
        }

        impl<$($first: Abi, $second: Abi),*> AbiParams for ($(($first, $second),)*) {
            fn lowered() -> Vec<Lowered> {
                let registers: &[Option<Lowered>] = &[$($first::LOWERED, $second::LOWERED),*];
                registers.iter().copied().flatten().collect()
            }

            fn shim<Data: 'static, Host: HostFn<Data, Params = Self>>() -> *const u8 {
                $shim::<Data, Host, $($first, $second),*> as *const u8
            }
        }
    )*};
}

param_tuples! {
    shim0: ;
    shim1: A0 A1;
    shim2: A0 A1 B0 B1;
    shim3: A0 A1 B0 B1 C0 C1;
    shim4: A0 A1 B0 B1 C0 C1 D0 D1;
    shim5: A0 A1 B0 B1 C0 C1 D0 D1 E0 E1;
    shim6: A0 A1 B0 B1 C0 C1 D0 D1 E0 E1 F0 F1;
    shim7: A0 A1 B0 B1 C0 C1 D0 D1 E0 E1 F0 F1 G0 G1;
    shim8: A0 A1 B0 B1 C0 C1 D0 D1 E0 E1 F0 F1 G0 G1 H0 H1;
    shim9: A0 A1 B0 B1 C0 C1 D0 D1 E0 E1 F0 F1 G0 G1 H0 H1 I0 I1;
    shim10: A0 A1 B0 B1 C0 C1 D0 D1 E0 E1 F0 F1 G0 G1 H0 H1 I0 I1 J0 J1;
    shim11: A0 A1 B0 B1 C0 C1 D0 D1 E0 E1 F0 F1 G0 G1 H0 H1 I0 I1 J0 J1 K0 K1;
    shim12: A0 A1 B0 B1 C0 C1 D0 D1 E0 E1 F0 F1 G0 G1 H0 H1 I0 I1 J0 J1 K0 K1 L0 L1;
    shim13: A0 A1 B0 B1 C0 C1 D0 D1 E0 E1 F0 F1 G0 G1 H0 H1 I0 I1 J0 J1 K0 K1 L0 L1 M0 M1;
    shim14: A0 A1 B0 B1 C0 C1 D0 D1 E0 E1 F0 F1 G0 G1 H0 H1 I0 I1 J0 J1 K0 K1 L0 L1 M0 M1 N0 N1;
    shim15: A0 A1 B0 B1 C0 C1 D0 D1 E0 E1 F0 F1 G0 G1 H0 H1 I0 I1 J0 J1 K0 K1 L0 L1 M0 M1 N0 N1
        O0 O1;
    shim16: A0 A1 B0 B1 C0 C1 D0 D1 E0 E1 F0 F1 G0 G1 H0 H1 I0 I1 J0 J1 K0 K1 L0 L1 M0 M1 N0 N1
        O0 O1 P0 P1;
    shim17: A0 A1 B0 B1 C0 C1 D0 D1 E0 E1 F0 F1 G0 G1 H0 H1 I0 I1 J0 J1 K0 K1 L0 L1 M0 M1 N0 N1
        O0 O1 P0 P1 Q0 Q1;
}

const _: () = assert!(size_of::<()>() == 0, "a unit argument takes no register");
