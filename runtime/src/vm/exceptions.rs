//! Exceptions on their way to a handler: the search over the frames of one activation. Traps and
//! host errors never come here.

use super::code_memory::lookup;
use super::context::{Activation, VmCtx, VmStore};
use super::stack::{Frame, Frames};
use crate::abi::code_map::{CallSite, CodeMap, Handler};
use crate::abi::object::EXN_TAG;

/// Where compiled code continues with an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Landing {
    pub(super) pc: usize,
    pub(super) sp: usize,
    pub(super) fp: usize,
}

/// The innermost handler for `exception`, a reference, in the frames of `activation`.
///
/// # Safety
///
/// `activation` is the innermost of `store`, both are live, and Wasm has left it through an exit
/// trampoline; `exception` is a live exception of the store's heap.
pub(super) unsafe fn find_handler(
    store: &VmStore,
    activation: &Activation,
    exception: u32,
) -> Option<Landing> {
    // SAFETY: the exception is live, by the caller's duty.
    let tag = unsafe { tag_of(store, exception) };
    // SAFETY: Wasm has left the activation, by the caller's duty.
    unsafe { Frames::of_activation(activation) }.find_map(|frame| {
        // SAFETY: the frame is live, which keeps its code alive.
        let code = unsafe { lookup(frame.pc) }.expect("a frame of a walk is compiled code");
        let ret = code.offset(frame.pc).expect("a return address is inside its code");
        let site = code.call_site(ret)?;
        // SAFETY: the frame is in this call, and live.
        let target = unsafe { matching(code, site, frame, tag) }?;
        let sp = frame.fp - site.frame_size as usize;
        Some(Landing { pc: code.base + target as usize, sp, fp: frame.fp })
    })
}

/// The tag of an exception: its position in the store.
///
/// # Safety
///
/// `exception` is a live exception of the store's heap.
unsafe fn tag_of(store: &VmStore, exception: u32) -> u32 {
    let object = store.heap.base.get().wrapping_add(exception as usize);
    // SAFETY: the object is live, hence mapped, and words of objects are aligned.
    unsafe { object.wrapping_add(EXN_TAG as usize).cast::<u32>().read() }
}

/// The target of the first handler of `site` that is for `tag`.
///
/// # Safety
///
/// `frame` is a live frame of `code` that is in the call `site`.
unsafe fn matching(code: &CodeMap, site: CallSite, frame: Frame, tag: u32) -> Option<u32> {
    let sp = frame.fp - site.frame_size as usize;
    let slot = std::ptr::with_exposed_provenance::<*const VmCtx>(sp + site.ctx_slot as usize);
    // SAFETY: the code keeps the vmctx of its instance there during the call.
    let ctx = unsafe { slot.read() };
    let is_for = |handler: &&Handler| match handler.tag {
        None => true,
        // SAFETY: the offset is that of a tag in the vmctx of this module's instances.
        Some(offset) => unsafe { ctx.byte_add(offset as usize).cast::<u32>().read() == tag },
    };
    code.handlers(site).iter().find(is_for).map(|handler| handler.target)
}
