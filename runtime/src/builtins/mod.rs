//! The Rust functions that compiled code calls. This file turns raw contexts into `&mut StoreInner`
//! and an instance, and failures into unwinding; the bodies in the other files are safe.
//!
//! Invariant: every function here is called by its builtin trampoline only, with the store pointer of
//! the innermost activation and the vmctx of the calling instance.

mod atomic;
mod epoch;
mod gc;
mod memory;
mod reference;
mod table;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::abi::builtins::Builtin;
use crate::error::Result;
use crate::instance::store::{Failure, StoreInner};
use crate::trap::Trap;
use crate::vm::context::{VmCtx, VmStore};
use crate::vm::unwind;

/// The calling instance: its position in the store.
#[derive(Clone, Copy)]
struct Caller(usize);

/// The address of every builtin's Rust function, by its number.
pub(crate) fn implementations() -> Vec<usize> {
    Builtin::ALL.iter().map(|builtin| implementation(*builtin).expose_provenance()).collect()
}

fn implementation(builtin: Builtin) -> *const () {
    match builtin {
        Builtin::RaiseTrap => raise_trap as *const (),
        Builtin::Raise => raise as *const (),
        Builtin::NewEpoch => epoch::new_epoch as *const (),
        Builtin::MemoryGrow => memory_grow as *const (),
        Builtin::MemoryCopy => memory_copy as *const (),
        Builtin::MemoryFill => memory_fill as *const (),
        Builtin::MemoryInit => memory_init as *const (),
        Builtin::MemoryAtomicNotify => memory_atomic_notify as *const (),
        Builtin::MemoryAtomicWait32 => memory_atomic_wait32 as *const (),
        Builtin::MemoryAtomicWait64 => memory_atomic_wait64 as *const (),
        Builtin::DataDrop => data_drop as *const (),
        Builtin::TableGrowFunc => table_grow_func as *const (),
        Builtin::TableGrowGc => table_grow_gc as *const (),
        Builtin::TableFillFunc => table_fill_func as *const (),
        Builtin::TableFillGc => table_fill_gc as *const (),
        Builtin::TableCopy => table_copy as *const (),
        Builtin::TableInit => table_init as *const (),
        Builtin::ElemDrop => elem_drop as *const (),
        Builtin::Throw => throw as *const (),
        Builtin::GcAlloc => gc_alloc as *const (),
        Builtin::GcAllocLarge => gc_alloc_large as *const (),
        Builtin::RememberSlot => remember_slot as *const (),
        Builtin::ArrayNew => array_new as *const (),
        Builtin::ArrayNewData => array_new_data as *const (),
        Builtin::ArrayNewElem => array_new_elem as *const (),
        Builtin::ArrayFill => array_fill as *const (),
        Builtin::ArrayCopy => array_copy as *const (),
        Builtin::ArrayInitData => array_init_data as *const (),
        Builtin::ArrayInitElem => array_init_elem as *const (),
        Builtin::IsSubtype => is_subtype as *const (),
    }
}

extern "C" fn raise_trap(store: *mut VmStore, _: *mut VmCtx, code: u32) -> ! {
    let trap = u8::try_from(code).ok().and_then(Trap::from_code);
    let trap = trap.expect("compiled code names traps by their codes");
    // SAFETY: called from a builtin trampoline, which recorded its frame in the activation.
    unsafe { unwind::raise_trap(store, trap) }
}

extern "C" fn raise(store: *mut VmStore, _: *mut VmCtx) -> ! {
    // SAFETY: called from an exit or builtin trampoline after the failure was recorded.
    unsafe { unwind::raise(store) }
}

extern "C" fn throw(store: *mut VmStore, _: *mut VmCtx, exception: u32) -> ! {
    // SAFETY: called from a builtin trampoline, as above; compiled code throws exceptions only.
    unsafe { unwind::throw(store, exception) }
}

extern "C" fn remember_slot(store: *mut VmStore, _: *mut VmCtx, address: usize) {
    // SAFETY: the pointer of the activation is valid for the whole store, which its owner lent to
    // this entry and does not use until it returns.
    let store = unsafe { &mut *store.cast::<StoreInner>() };
    // SAFETY: compiled code passes the address of a slot in an old object that it is about to write.
    unsafe { store.gc.remember_slot(address) };
}

/// Runs `body` for the calling instance; a failure is recorded for the trampoline to raise.
///
/// # Safety
///
/// As the invariant of this module says.
unsafe fn run<R: Default>(
    store: *mut VmStore,
    ctx: *mut VmCtx,
    body: impl FnOnce(&mut StoreInner, Caller) -> Result<R>,
) -> R {
    // SAFETY: the pointer of the activation is valid for the whole store, which its owner lent to
    // this entry and does not use until it returns.
    let store = unsafe { &mut *store.cast::<StoreInner>() };
    // SAFETY: the vmctx of the caller lives as long as the store.
    let caller = Caller(unsafe { (*ctx).instance } as usize);
    let outcome = catch_unwind(AssertUnwindSafe(|| body(store, caller)));
    let failure = match outcome {
        Ok(Ok(result)) => return result,
        Ok(Err(error)) => Failure::Error(error),
        Err(panic) => Failure::panic(panic),
    };
    store.fail(failure);
    R::default()
}

macro_rules! builtins {
    ($($name:ident($($param:ident: $ty:ty),*) $(-> $result:ty)? => $body:path;)*) => {$(
        extern "C" fn $name(store: *mut VmStore, ctx: *mut VmCtx, $($param: $ty),*) $(-> $result)? {
            // SAFETY: only builtin trampolines call this function.
            unsafe { run(store, ctx, |store, caller| $body(store, caller, $($param),*)) }
        }
    )*};
}

builtins! {
    memory_grow(memory: u32, pages: u64) -> u64 => memory::grow;
    memory_copy(to_memory: u32, from_memory: u32, to: u64, from: u64, len: u64) => memory::copy;
    memory_fill(memory: u32, at: u64, byte: u32, len: u64) => memory::fill;
    memory_init(memory: u32, segment: u32, to: u64, from: u64, len: u64) => memory::init;
    memory_atomic_notify(memory: u32, index: u64, offset: u64, count: u32) -> u32 => atomic::notify;
    memory_atomic_wait32(
        memory: u32, index: u64, offset: u64, expected: u32, nanoseconds: u64
    ) -> u32 => atomic::wait32;
    memory_atomic_wait64(
        memory: u32, index: u64, offset: u64, expected: u64, nanoseconds: u64
    ) -> u32 => atomic::wait64;
    data_drop(segment: u32) => memory::data_drop;
    table_grow_func(table: u32, elements: u64, func: usize) -> u64 => table::grow_func;
    table_grow_gc(table: u32, elements: u64, raw: u32) -> u64 => table::grow_gc;
    table_fill_func(table: u32, at: u64, func: usize, len: u64) => table::fill_func;
    table_fill_gc(table: u32, at: u64, raw: u32, len: u64) => table::fill_gc;
    table_copy(to_table: u32, from_table: u32, to: u64, from: u64, len: u64) => table::copy;
    table_init(table: u32, segment: u32, to: u64, from: u64, len: u64) => table::init;
    elem_drop(segment: u32) => table::elem_drop;
    gc_alloc(size: u32) -> u32 => gc::alloc;
    gc_alloc_large(ty: u32, size: u32) -> u32 => gc::alloc_large;
    array_new(ty: u32, len: u32) -> u32 => gc::array_new;
    array_new_data(ty: u32, segment: u32, from: u32, len: u32) -> u32 => gc::array_new_data;
    array_new_elem(ty: u32, segment: u32, from: u32, len: u32) -> u32 => gc::array_new_elem;
    array_fill(array: u32, at: u32, low: u64, high: u64, len: u32) => gc::array_fill;
    array_copy(to: u32, to_index: u32, from: u32, from_index: u32, len: u32) => gc::array_copy;
    array_init_data(array: u32, segment: u32, at: u32, from: u32, len: u32) => gc::array_init_data;
    array_init_elem(array: u32, segment: u32, at: u32, from: u32, len: u32) => gc::array_init_elem;
    is_subtype(a: u32, b: u32) -> u32 => reference::is_subtype;
}
