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
    let begin = unsafe {
        run(store, ctx, |inner, _| match mem::take(&mut inner.epoch) {
            EpochBehavior::Trap => Err(Trap::Interrupt.into()),
            EpochBehavior::Callback(callback) => Ok(Some((callback, inner.gc.enter_scope()))),
        })
    };
    let Some((mut callback, scope)) = begin else { return };
    // The callback reaches the embedder's data through the whole store: nothing is borrowed here.
    let outcome = catch_unwind(AssertUnwindSafe(|| callback(store)));
    // SAFETY: as above.
    unsafe {
        run(store, ctx, |inner, _| {
            inner.gc.exit_scope(scope);
            if matches!(inner.epoch, EpochBehavior::Trap) {
                inner.epoch = EpochBehavior::Callback(callback);
            }
            match outcome {
                Ok(Ok(delta)) => {
                    let now = inner.engine.code.epoch.load(Ordering::Relaxed);
                    inner.vm.epoch_deadline.set(now.saturating_add(delta));
                    inner.safepoint();
                }
                Ok(Err(error)) => inner.fail(Failure::Error(error)),
                Err(panic) => inner.fail(Failure::panic(panic)),
            }
            Ok(())
        })
    }
}
