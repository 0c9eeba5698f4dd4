//! The structs that compiled code reads and writes, with their offsets checked against
//! `abi::layout`. Allocates none of them and follows none of their pointers.

use std::cell::{Cell, UnsafeCell};
use std::mem::offset_of;
use std::sync::atomic::{AtomicU64, AtomicUsize};

use super::unwind::{Backtrace, Fault};
use super::value::ValRaw;
use crate::abi::layout;

/// The part of a store that compiled code touches, followed by what a failure leaves for Rust.
///
/// Compiled code gets `*mut VmStore` and writes through it, so every field it touches is a `Cell`.
#[doc(hidden)]
#[repr(C)]
pub struct VmStore {
    /// A function whose frame would reach below this address overflows the stack.
    pub(crate) stack_limit: Cell<usize>,
    /// The innermost entry into Wasm; null outside Wasm.
    pub(crate) activation: Cell<*mut Activation>,
    /// The instance that made the latest call which may have reached a host function.
    pub(crate) caller: Cell<*mut VmCtx>,
    /// Nonzero while a failure travels to its handler, and until the embedder's side clears it.
    pub(crate) unwinding: Cell<u32>,
    epoch: *const AtomicU64,
    /// The epoch at which the guest is interrupted.
    pub(crate) epoch_deadline: Cell<u64>,
    /// Where objects are made.
    pub(crate) heap: VmHeap,
    type_displays: *const u32,
    /// The fuel that is left; below zero when a guest used more than it had.
    pub(crate) fuel: Cell<i64>,

    /// The trap that is travelling or has arrived; `None` if the failure is a host function's.
    pub(crate) fault: Cell<Option<Fault>>,
    /// The exception that is travelling or has arrived at the embedder's side, a reference into the
    /// GC heap; 0 if the failure is something else.
    pub(crate) exception: Cell<u32>,
    /// The frames of the latest failure, if `backtrace_limit` was not 0 when it was raised.
    pub(crate) backtrace: Cell<Backtrace>,
    /// How many frames a failure records, the innermost ones.
    pub(crate) backtrace_limit: Cell<usize>,
}

// SAFETY: the pointers lead to frames of the thread that runs the store's Wasm code, to the
// store's own instances and heap, and to the engine's epoch and types. A store moves to another thread only
// while no Wasm code of it runs, and then `activation` is null; the rest moves or lives along.
unsafe impl Send for VmStore {}
// SAFETY: the cells are written only by code that has exclusive access to the store (the contract
// of `vm`), so threads that share a store can at most read them together.
unsafe impl Sync for VmStore {}

impl VmStore {
    /// The state of a store that has run nothing yet. `epoch` and the table of `type_displays` must
    /// outlive all Wasm code that runs in the store.
    pub(crate) fn new(epoch: &AtomicU64, type_displays: *const u32) -> VmStore {
        VmStore {
            stack_limit: Cell::new(0),
            activation: Cell::new(std::ptr::null_mut()),
            caller: Cell::new(std::ptr::null_mut()),
            unwinding: Cell::new(0),
            epoch,
            epoch_deadline: Cell::new(0),
            heap: VmHeap::default(),
            type_displays,
            fuel: Cell::new(0),
            fault: Cell::new(None),
            exception: Cell::new(0),
            backtrace: Cell::new(Backtrace::default()),
            backtrace_limit: Cell::new(0),
        }
    }
}

/// What compiled code knows of the GC heap: enough to reach objects and to make young ones.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct VmHeap {
    /// What references are relative to; null until the heap exists, then the same for ever.
    pub(crate) base: Cell<*mut u8>,
    /// Offset of the next young object.
    pub(crate) nursery_top: Cell<u32>,
    /// The offset that no young object may reach beyond, as far as compiled code is concerned.
    pub(crate) nursery_end: Cell<u32>,
    /// The first of the globals that references were written to since the last collection: the address
    /// of its definition, which has a link to the next.
    pub(crate) written_globals: Cell<usize>,
    /// The first such table.
    pub(crate) written_tables: Cell<usize>,
}

impl Default for VmHeap {
    /// No heap, and no room in it.
    fn default() -> VmHeap {
        VmHeap {
            base: Cell::new(std::ptr::null_mut()),
            nursery_top: Cell::new(0),
            nursery_end: Cell::new(0),
            written_globals: Cell::new(layout::END),
            written_tables: Cell::new(layout::END),
        }
    }
}

/// One entry into Wasm. Lives in the frame of its entry trampoline, which fills it.
#[repr(C)]
pub(crate) struct Activation {
    /// The entry further out.
    pub(crate) prev: *mut Activation,
    /// The pointer that was passed to this entry.
    pub(crate) store: *mut VmStore,
    /// Where a failure resumes, with `sp` and `fp`.
    pub(crate) handler: usize,
    pub(crate) sp: usize,
    /// Frame pointer of the entry trampoline.
    pub(crate) fp: usize,
    /// Frame pointer of the exit trampoline that Wasm last left through; 0 before.
    pub(crate) exit_fp: usize,
}

/// The fixed part of a vmctx; `abi::layout::VmCtxLayout` says what follows.
#[doc(hidden)]
#[repr(C, align(16))]
pub struct VmCtx {
    pub(crate) store: *mut VmStore,
    /// The position of the instance in its store.
    pub(crate) instance: u32,
}

/// A function record: what a function reference points to.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct VmFuncRef {
    /// The Wasm function or exit trampoline.
    pub(crate) code: *const u8,
    /// Its context: a vmctx or a host function's.
    pub(crate) ctx: *mut VmCtx,
    /// The engine's type id.
    pub(crate) type_id: u32,
}

/// An imported function, as a module calls it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct VmFuncImport {
    pub(crate) code: *const u8,
    pub(crate) ctx: *mut VmCtx,
}

/// The context of a host function, in the place of a vmctx; the function's own data may follow.
#[repr(C)]
pub(crate) struct VmHostFunc {
    pub(crate) store: *mut VmStore,
    /// The C function that an exit trampoline calls.
    pub(crate) shim: *const u8,
}

/// The definition of a linear memory.
#[repr(C)]
pub(crate) struct VmMemory {
    /// Never changes while the memory lives.
    pub(crate) base: *mut u8,
    /// Bytes. Atomic, because other threads grow memories that are shared.
    pub(crate) len: AtomicUsize,
}

/// The definition of a table.
#[repr(C, align(16))]
pub(crate) struct VmTable {
    pub(crate) base: Cell<*mut u8>,
    /// Elements.
    pub(crate) len: Cell<u64>,
    /// Where the mark of an element at address 0 would be.
    pub(crate) marks: Cell<usize>,
    /// 0 if no mark is set, else the address of the next such table's definition.
    pub(crate) link: Cell<usize>,
}

/// The definition of a global.
#[repr(C)]
pub(crate) struct VmGlobal {
    pub(crate) value: UnsafeCell<ValRaw>,
}

/// Checks offsets of fields against the constants of a module of `abi::layout`.
macro_rules! assert_offsets {
    ($type:ident, $layout:ident: $($field:ident $offset:ident)*) => {
        const _: () = {
            $(assert!(offset_of!($type, $field) == layout::$layout::$offset as usize);)*
        };
    };
}

assert_offsets!(VmStore, vm_store: stack_limit STACK_LIMIT activation ACTIVATION caller CALLER
    unwinding UNWINDING epoch EPOCH epoch_deadline EPOCH_DEADLINE heap GC_BASE
    type_displays TYPE_DISPLAYS fuel FUEL);
assert_offsets!(Activation, activation: prev PREV store STORE handler HANDLER sp SP fp FP
    exit_fp EXIT_FP);
assert_offsets!(VmCtx, vmctx: store STORE instance INSTANCE);
assert_offsets!(VmFuncRef, func_ref: code CODE ctx CTX type_id TYPE_ID);
assert_offsets!(VmFuncImport, func_import: code CODE ctx CTX);
assert_offsets!(VmHostFunc, host_func: store STORE shim SHIM);
assert_offsets!(VmMemory, memory: base BASE len LEN);
assert_offsets!(VmTable, table: base BASE len LEN marks MARKS link LINK);

const _: () = {
    let heap = offset_of!(VmStore, heap);
    assert!(heap + offset_of!(VmHeap, base) == layout::vm_store::GC_BASE as usize);
    assert!(heap + offset_of!(VmHeap, nursery_top) == layout::vm_store::NURSERY_TOP as usize);
    assert!(heap + offset_of!(VmHeap, nursery_end) == layout::vm_store::NURSERY_END as usize);
    let globals = heap + offset_of!(VmHeap, written_globals);
    assert!(globals == layout::vm_store::WRITTEN_GLOBALS as usize);
    let tables = heap + offset_of!(VmHeap, written_tables);
    assert!(tables == layout::vm_store::WRITTEN_TABLES as usize);
    assert!(offset_of!(VmStore, fault) >= layout::vm_store::SIZE);
    assert!(offset_of!(VmStore, fuel) + size_of::<i64>() == layout::vm_store::SIZE);
    assert!(size_of::<Activation>() == layout::activation::SIZE);
    assert!(size_of::<VmCtx>() == layout::vmctx::HEADER_SIZE);
    assert!(size_of::<VmFuncRef>() == layout::func_ref::SIZE);
    assert!(size_of::<VmFuncImport>() == layout::func_import::SIZE);
    assert!(size_of::<VmHostFunc>() == layout::host_func::SIZE);
    assert!(size_of::<VmMemory>() == layout::memory::SIZE);
    assert!(size_of::<VmTable>() == layout::table::SIZE);
    assert!(size_of::<VmGlobal>() == layout::global::SIZE);
};
