//! The epoch deadline: a safepoint that may stop the guest.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use super::run;
use crate::instance::store::{EpochBehavior, Failure};
use crate::trap::Trap;
use crate::vm::context::{VmCtx, VmStore};

pub(super) extern "C" fn new_epoch(store: *mut VmStore, ctx: *mut VmCtx) {
    // SAFETY: only the builtin trampoline calls this function, here and below.
    let mut behavior = unsafe { run(store, ctx, |inner, _| Ok(mem::take(&mut inner.epoch))) };
    let EpochBehavior::Callback(callback) = &mut behavior else {
        // SAFETY: as above.
        return unsafe { run(store, ctx, |_, _| Err(Trap::Interrupt.into())) };
    };
    // The callback reaches the embedder's data through the whole store: nothing is borrowed here.
    let outcome = catch_unwind(AssertUnwindSafe(|| callback(store)));
    // SAFETY: as above.
    unsafe {
        run(store, ctx, |inner, _| {
            if matches!(inner.epoch, EpochBehavior::Trap) {
                inner.epoch = behavior;
            }
            match outcome {
                Ok(Ok(delta)) => {
                    let now = inner.engine.code.epoch.load(Ordering::Relaxed);
                    inner.vm.epoch_deadline.set(now.saturating_add(delta));
                    inner.safepoint();
                }
                Ok(Err(error)) => inner.fail(Failure::Error(error)),
                Err(panic) => inner.fail(Failure::Panic(panic)),
            }
            Ok(())
        })
    }
}
