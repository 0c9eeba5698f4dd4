//! Stacks: how deep Wasm may go on this thread, and the walk over the frames of compiled code.
//! Interprets no reference it finds.
//!
//! ```text
//!   higher addresses
//!   | entry trampoline    <- Activation::fp
//!   | Wasm frame          [fp] = caller's fp, [fp + 8] = return address
//!   | ..
//!   | exit trampoline     <- Activation::exit_fp
//!   | Rust
//! ```

use std::cell::Cell;
use std::ops::Range;

use super::code_memory::lookup;
use super::context::{Activation, VmStore};
use super::sys;

/// What must stay free below the stack limit: host functions, the kernel's signal frame (several
/// KiB with wide vectors) and the landing of a fault run there.
const HEADROOM: usize = 128 << 10;

/// What stays free of a stack of which [`HEADROOM`] would be more than a quarter, however small.
const LEAST_HEADROOM: usize = 16 << 10;

/// What is known about the stack of a thread.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// The lowest address that Wasm may use.
    floor: usize,
    /// The bytes from there to the end of the stack.
    room: usize,
    /// The lowest usable address; 0 before the system was asked.
    start: usize,
}

impl Bounds {
    const NOT_ASKED: Bounds = Bounds { floor: 0, room: 0, start: 0 };
    /// No address is within them.
    const UNKNOWN: Bounds = Bounds { floor: 0, room: 0, start: usize::MAX };

    /// Of a thread that may use all of `stack`.
    fn of(stack: Range<usize>) -> Bounds {
        let headroom = (stack.len() / 4).clamp(LEAST_HEADROOM, HEADROOM).min(stack.len());
        let floor = stack.start + headroom;
        Bounds { floor, room: stack.end - floor, start: stack.start }
    }
}

thread_local! {
    static BOUNDS: Cell<Bounds> = const { Cell::new(Bounds::NOT_ASKED) };
}

/// The stack limit for an outermost entry made here: Wasm may use `max_wasm_stack` bytes, but
/// leaves enough of the thread's stack for what must run below it.
///
/// Code that runs on a stack other than its thread's own, such as a fiber's, is limited by
/// `max_wasm_stack` alone.
#[inline]
pub(crate) fn stack_limit(max_wasm_stack: usize) -> usize {
    let here = sys::stack_pointer();
    let bounds = BOUNDS.get();
    let depth = here.wrapping_sub(bounds.floor);
    match depth < bounds.room {
        true => here - depth.min(max_wasm_stack),
        false => unusual_stack_limit(here, max_wasm_stack),
    }
}

/// As [`stack_limit`], for the first entry of a thread, and where Wasm may use none of its stack.
#[cold]
#[inline(never)]
fn unusual_stack_limit(here: usize, max_wasm_stack: usize) -> usize {
    let Bounds { floor, room, start } = thread_bounds();
    match (start..floor + room).contains(&here) {
        true => here.saturating_sub(max_wasm_stack).max(floor),
        false => here.saturating_sub(max_wasm_stack),
    }
}

/// A frame of compiled code: `pc` is the return address of the call it is in, or the address of
/// the instruction that faulted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) pc: usize,
    pub(crate) fp: usize,
}

impl Frame {
    /// The frame that called the function whose frame pointer is `fp`.
    ///
    /// # Safety
    ///
    /// `fp` is the frame pointer of a live frame of compiled code or of a function it called.
    pub(crate) unsafe fn caller_of(fp: usize) -> Frame {
        let saved = std::ptr::with_exposed_provenance::<[usize; 2]>(fp);
        // SAFETY: both conventions keep the caller's frame pointer and the return address there.
        let [fp, pc] = unsafe { saved.read() };
        Frame { pc, fp }
    }
}

/// The frames from one frame out to, and without, the entry trampoline.
pub(crate) struct Frames {
    next: Frame,
    entry_fp: usize,
}

impl Frames {
    /// The frames from `first` on.
    ///
    /// # Safety
    ///
    /// `first` is a live frame of compiled code, `entry_fp` the frame pointer of the entry
    /// trampoline that it was reached through; both stay live while the iterator is used.
    pub(crate) unsafe fn new(first: Frame, entry_fp: usize) -> Frames {
        Frames { next: first, entry_fp }
    }

    /// The frames of an activation that Wasm has left through an exit trampoline; none if it
    /// never did.
    ///
    /// # Safety
    ///
    /// `activation` is live and Wasm is not running in it; it stays so while the iterator is used.
    pub(super) unsafe fn of_activation(activation: &Activation) -> Frames {
        let entry_fp = activation.fp;
        let next = match activation.exit_fp {
            0 => Frame { pc: 0, fp: entry_fp },
            // SAFETY: Wasm is outside, so the exit trampoline it left through is live.
            exit_fp => unsafe { Frame::caller_of(exit_fp) },
        };
        Frames { next, entry_fp }
    }
}

impl Iterator for Frames {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        let frame = self.next;
        if frame.fp == self.entry_fp {
            return None;
        }
        // SAFETY: `frame` is live by the duties of the constructors, and not the outermost.
        self.next = unsafe { Frame::caller_of(frame.fp) };
        Some(frame)
    }
}

/// Visits every frame of compiled code between the entries and exits of `activation` and of the
/// activations further out, innermost first. Entry and exit trampolines are not among them.
///
/// # Safety
///
/// `activation` is null, or the activation and those further out are live and Wasm is not running
/// in them: it left them through exit trampolines.
pub(crate) unsafe fn visit_activations(
    mut activation: *const Activation,
    mut visit: impl FnMut(Frame),
) {
    // SAFETY: a non-null activation is live by the caller's duty.
    while let Some(current) = unsafe { activation.as_ref() } {
        // SAFETY: Wasm has left this activation, by the caller's duty.
        unsafe { Frames::of_activation(current) }.for_each(&mut visit);
        activation = current.prev;
    }
}

/// Visits every frame of compiled code of all activations of `store`, innermost first.
///
/// # Safety
///
/// This thread is the one that runs the store, and Wasm is not running: the caller is outside all
/// activations, or was called, directly or not, through an exit trampoline.
pub(crate) unsafe fn visit_frames(store: &VmStore, visit: impl FnMut(Frame)) {
    // SAFETY: activations of a store are live until their entry returns; the rest is the caller's
    // duty.
    unsafe { visit_activations(store.activation.get(), visit) }
}

/// Visits every reference that compiled code holds across a call in any frame of `store`. What
/// `visit` writes is what the code continues with.
///
/// # Safety
///
/// As for [`visit_frames`]; `visit` runs no Wasm code.
pub(crate) unsafe fn visit_refs(store: &VmStore, mut visit: impl FnMut(&mut u32)) {
    let visit_slots = |frame: Frame| {
        // SAFETY: the frame is live, which keeps its code alive.
        let code = unsafe { lookup(frame.pc) }.expect("a frame of a walk is compiled code");
        let ret = code.offset(frame.pc).expect("a return address is inside its code");
        let Some(map) = code.stack_map(ret) else { return };
        let sp = frame.fp - map.frame_size as usize;
        for &slot in code.slots(map) {
            let slot = std::ptr::with_exposed_provenance_mut::<u32>(sp + slot as usize);
            // SAFETY: the stack map says that the frame has a reference here; the code is in a
            // call and reloads it afterwards, and nothing else looks at it meanwhile.
            visit(unsafe { &mut *slot });
        }
    };
    // SAFETY: the caller's duties are the same.
    unsafe { visit_frames(store, visit_slots) }
}

/// The bounds of this thread's stack, asked for once.
fn thread_bounds() -> Bounds {
    if BOUNDS.get().start == 0 {
        BOUNDS.set(query_stack().map_or(Bounds::UNKNOWN, Bounds::of));
    }
    BOUNDS.get()
}

/// The usable stack of this thread.
fn query_stack() -> Option<Range<usize>> {
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: the call initialises `attributes` when it returns 0.
    if unsafe { libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) } != 0 {
        return None;
    }
    let (mut start, mut len, mut guard) = (std::ptr::null_mut(), 0, 0);
    // SAFETY: `attributes` was initialised above, and the outputs are valid for writing.
    let known = unsafe {
        let attributes = attributes.as_mut_ptr();
        let known = libc::pthread_attr_getstack(attributes, &mut start, &mut len) == 0
            && libc::pthread_attr_getguardsize(attributes, &mut guard) == 0;
        libc::pthread_attr_destroy(attributes);
        known
    };
    // Some C libraries count the guard pages as part of the stack: leaving them out twice is safe.
    let end = start.addr().checked_add(len)?;
    let start = start.addr().checked_add(guard)?;
    (known && start < end).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_respects_both_the_configuration_and_the_thread() {
        // The C library may give a thread a larger stack than it was asked for.
        let limits = |stack: usize, max_wasm_stack: usize| {
            let limits = move || {
                let first = stack_limit(max_wasm_stack);
                let (limit, sp, bounds) =
                    (stack_limit(max_wasm_stack), sys::stack_pointer(), BOUNDS.get());
                assert!(first.abs_diff(limit) < 4096, "the first entry is as all others");
                assert!(
                    bounds.start < bounds.floor
                        && (bounds.floor..(bounds.floor + bounds.room)).contains(&sp)
                );
                (limit, sp, bounds)
            };
            std::thread::Builder::new().stack_size(stack).spawn(limits).unwrap().join().unwrap()
        };
        let (limit, sp, _) = limits(4 << 20, 1 << 20);
        assert!(limit.abs_diff(sp - (1 << 20)) < 4096);
        let (limit, _, bounds) = limits(1 << 20, 64 << 20);
        assert_eq!(limit, bounds.start + HEADROOM);
        let (limit, _, bounds) = limits(128 << 10, 64 << 20);
        let len = (bounds.floor + bounds.room) - bounds.start;
        assert_eq!(limit, bounds.start + (len / 4).min(HEADROOM));
    }
}
