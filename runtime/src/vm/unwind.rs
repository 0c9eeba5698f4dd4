//! How a failure leaves Wasm: the trap and the frames are recorded in the store, then execution
//! continues at the handler of the innermost entry trampoline. An exception goes to its handler in
//! compiled code, if there is one. Runs no host code and skips no Rust frame but its own.

use super::code_memory::lookup;
use super::context::{Activation, VmStore};
use super::exceptions::{Landing, find_handler};
use super::stack::{Frame, Frames, visit_activations};
use super::sys;
use crate::abi::code_map::CodeKind;
use crate::trap::Trap;

/// A trap on its way to the embedder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) trap: Trap,
    /// The address that could not be accessed, if a memory access trapped.
    pub(crate) address: Option<usize>,
}

/// The Wasm frames of a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backtrace {
    /// An address inside the instruction that each frame was executing, innermost frame first:
    /// the instruction that faulted, or the last byte of a call. At most `limit`.
    pub(crate) pcs: Vec<usize>,
    /// The number of frames that are recorded one by one.
    pub(crate) limit: usize,
    /// The number of frames further out that are not in `pcs`.
    pub(crate) omitted: usize,
}

impl Backtrace {
    fn new(limit: usize) -> Backtrace {
        Backtrace { limit, ..Backtrace::default() }
    }

    /// The Wasm frames of a store that runs no Wasm code at this moment: those that called the host
    /// functions which are running.
    ///
    /// # Safety
    ///
    /// As for [`visit_activations`], for the activations of `store`.
    pub(crate) unsafe fn of_calls(store: &VmStore, limit: usize) -> Backtrace {
        let mut backtrace = Backtrace::new(limit);
        let record = |frame| record_call(&mut backtrace, frame);
        // SAFETY: the caller's duty.
        unsafe { visit_activations(store.activation.get(), record) };
        backtrace
    }

    fn push(&mut self, pc: usize) {
        if self.pcs.len() < self.limit {
            self.pcs.push(pc);
        } else {
            self.omitted += 1;
        }
    }
}

/// Unwinds for the failure that the caller has recorded: for an exception to its handler, for
/// everything else, and for an exception without a handler, to the innermost entry.
///
/// # Safety
///
/// * `store` is live, with the innermost activation's frames below it: the caller was called by a
///   trampoline of compiled code that recorded its frame pointer there.
/// * Between that trampoline and this call no frame owns anything that needs dropping.
pub(crate) unsafe fn raise(store: *mut VmStore) -> ! {
    // SAFETY: the store is live, and all that happens here needs shared access only.
    let store = unsafe { &*store };
    let activation = store.activation.get();
    let exception = store.exception.get();
    if exception != 0 {
        // SAFETY: the innermost activation is live and was left by the trampoline; what a store
        // holds as its exception is one.
        if let Some(landing) = unsafe { find_handler(store, &*activation, exception) } {
            store.exception.set(0);
            store.unwinding.set(0);
            let Landing { pc, sp, fp } = landing;
            // SAFETY: the call site's table names these as the registers that the handler expects;
            // the frames further in are compiled code and the caller's, which own nothing.
            unsafe { sys::resume(pc, sp, fp, exception as usize) }
        }
    }
    let limit = store.backtrace_limit.get();
    if limit > 0 {
        let mut backtrace = Backtrace::new(limit);
        // SAFETY: Wasm is outside all activations: the innermost was left by the trampoline.
        unsafe { visit_activations(activation, |frame| record_call(&mut backtrace, frame)) };
        store.backtrace.set(backtrace);
    }
    // SAFETY: the innermost activation is live, and the skipped frames own nothing.
    unsafe { resume(store, activation) }
}

/// Unwinds for `exception`, a reference into the GC heap.
///
/// # Safety
///
/// As for [`raise`]; `exception` is a live exception of the store's heap.
pub(crate) unsafe fn throw(store: *mut VmStore, exception: u32) -> ! {
    // SAFETY: the store is live.
    unsafe { &*store }.exception.set(exception);
    // SAFETY: the caller's duties are the same.
    unsafe { raise(store) }
}

/// Unwinds to the innermost entry for `trap`.
///
/// # Safety
///
/// As for [`raise`].
pub(crate) unsafe fn raise_trap(store: *mut VmStore, trap: Trap) -> ! {
    // SAFETY: the store is live.
    unsafe { &*store }.fault.set(Some(Fault { trap, address: None }));
    // SAFETY: the caller's duties are the same.
    unsafe { raise(store) }
}

/// Where a fault in compiled code continues, on the stack of the fault but outside the signal.
///
/// # Safety
///
/// The frame `(pc, fp)` is a live frame of compiled code, whose instruction at `pc` raised
/// `fault`; this thread's stack below that frame is free.
pub(super) unsafe fn land(frame: Frame, fault: Fault) -> ! {
    // SAFETY: the frame is live.
    let activation = unsafe { find_activation(frame) };
    // SAFETY: the activation is in the live frame of its entry trampoline.
    let store = unsafe { &*(*activation).store };
    store.fault.set(Some(fault));
    let limit = store.backtrace_limit.get();
    if limit > 0 {
        // SAFETY: `frame` was reached through the entry trampoline of `activation`; Wasm left the
        // activations further out.
        store.backtrace.set(unsafe { backtrace_of_fault(frame, &*activation, limit) });
    }
    // SAFETY: the skipped frames are compiled code and this function's.
    unsafe { resume(store, activation) }
}

/// Continues at the handler of `activation`.
///
/// # Safety
///
/// `activation` is a live activation of `store`, and no frame further in owns anything.
unsafe fn resume(store: &VmStore, activation: *const Activation) -> ! {
    store.unwinding.set(1);
    // SAFETY: the activation is live.
    let Activation { handler, sp, fp, .. } = *unsafe { &*activation };
    // SAFETY: the entry trampoline stored the address of its handler and the registers which that
    // expects. All frames below `sp` are given up; none owns anything.
    unsafe { sys::resume(handler, sp, fp, 0) }
}

/// The activation through which `frame` was entered.
///
/// # Safety
///
/// `frame` is a live frame of compiled code.
unsafe fn find_activation(mut frame: Frame) -> *mut Activation {
    loop {
        // SAFETY: the frame is live, which keeps its code alive.
        let code = unsafe { lookup(frame.pc) }.expect("frames below an entry are compiled code");
        // A module has no trampolines: a deep stack is passed without searching its functions.
        if code.module.is_none()
            && let Some(CodeKind::Entry { activation_below_fp }) = kind_at(frame.pc)
        {
            let address = frame.fp - activation_below_fp as usize;
            return std::ptr::with_exposed_provenance_mut(address);
        }
        // SAFETY: the frame is live and not an entry, thus called by compiled code.
        frame = unsafe { Frame::caller_of(frame.fp) };
    }
}

/// # Safety
///
/// `frame` faulted and was entered through `activation`; Wasm has left those further out.
unsafe fn backtrace_of_fault(frame: Frame, activation: &Activation, limit: usize) -> Backtrace {
    let mut backtrace = Backtrace::new(limit);
    if is_wasm(frame.pc) {
        backtrace.push(frame.pc);
    }
    // SAFETY: the caller's duties, and `frame` lies within its entry trampoline's callees.
    let callers = unsafe { Frames::new(frame, activation.fp) }.skip(1);
    callers.for_each(|frame| record_call(&mut backtrace, frame));
    // SAFETY: the caller's duty.
    unsafe { visit_activations(activation.prev, |frame| record_call(&mut backtrace, frame)) };
    backtrace
}

/// Records a frame that is in a call.
fn record_call(backtrace: &mut Backtrace, frame: Frame) {
    let call = frame.pc - 1;
    if is_wasm(call) {
        backtrace.push(call);
    }
}

fn is_wasm(pc: usize) -> bool {
    matches!(kind_at(pc), Some(CodeKind::Wasm(_)))
}

/// What kind of code is at `pc`, which is in a live frame.
fn kind_at(pc: usize) -> Option<CodeKind> {
    // SAFETY: the frame keeps the code alive, and the map is not used any further.
    let code = unsafe { lookup(pc) }?;
    Some(code.function(code.offset(pc)?)?.kind)
}
