//! Stack maps: every live reference of every frame is visited, and what a visitor writes is used.

use super::*;
use crate::vm::stack::{visit_frames, visit_refs};

/// Moves every reference in every frame by 8 bytes; 2 levels of Wasm are entered first.
unsafe extern "C" fn collect(store: *mut VmStore, _: *mut TestHost, argument: i64) -> i64 {
    // SAFETY: the store is live.
    let shared = unsafe { &*store };
    if argument > 0 {
        let ctx = shared.caller.get();
        let code = std::ptr::with_exposed_provenance(shared.epoch_deadline.get() as usize);
        // SAFETY: the test stored its context and its function in the store.
        unsafe { enter(store, code, ctx, argument - 1) }.unwrap();
        return 0;
    }
    let mut count = 0;
    // SAFETY: Wasm is outside: this is a host function.
    unsafe {
        visit_refs(shared, |reference| {
            *reference += 8;
            count += 1;
        });
    }
    count
}

#[test]
fn references_in_all_frames_of_all_activations_move() {
    let mut code = Code::default();
    // Two references live across a call to the host.
    code.add(|body, vmctx, argument| {
        let first = body.0.ins().iconst(types::I32, 0x1000);
        let second = body.0.ins().iconst(types::I32, 0x2000);
        body.0.declare_value_needs_stack_map(first);
        body.0.declare_value_needs_stack_map(second);
        let count = body.call_host(vmctx, argument);
        let references = body.0.ins().isub(second, first);
        body.0.ins().trapz(references, TrapCode::unwrap_user(1));
        let moved = body.0.ins().iadd(first, second);
        let moved = body.0.ins().uextend(types::I64, moved);
        body.0.ins().iadd(count, moved)
    });
    // One reference live across a call of function 0.
    code.add(|body, vmctx, argument| {
        let reference = body.0.ins().iconst(types::I32, 0x10_0000);
        body.0.declare_value_needs_stack_map(reference);
        let result = body.call(0, vmctx, argument);
        let reference = body.0.ins().uextend(types::I64, reference);
        body.0.ins().iadd(result, reference)
    });
    let code = code.publish();
    let mut store = TestStore::with_host(collect);
    assert_eq!(store.call(&code, 1, 0), Ok(0x10_0000 + 0x3000 + 3 * 8 + 3));
    // The same through three activations: the outer ones see their references moved once.
    store.store.caller.set(std::ptr::from_mut(&mut *store.ctx).cast());
    store.store.epoch_deadline.set(code.function(1).as_ptr().expose_provenance() as u64);
    assert_eq!(store.call(&code, 1, 2), Ok(0x10_0000 + 0x3000 + 3 * 8));
}

#[test]
fn frames_are_visited_from_the_innermost_outwards() {
    unsafe extern "C" fn list(store: *mut VmStore, _: *mut TestHost, _: i64) -> i64 {
        let mut decimal = 0;
        // SAFETY: Wasm is outside: this is a host function.
        unsafe { visit_frames(&*store, |frame| decimal = decimal * 10 + function_at(frame.pc)) };
        i64::from(decimal)
    }
    let mut code = Code::default();
    code.add(|body, vmctx, argument| body.call_host(vmctx, argument));
    code.add(|body, vmctx, argument| body.call(0, vmctx, argument));
    code.add(|body, vmctx, argument| body.call(1, vmctx, argument));
    let code = code.publish();
    let mut store = TestStore::with_host(list);
    // The results come back through non-tail calls, so all three frames are there.
    assert_eq!(store.call(&code, 2, 0), Ok(12));
    // SAFETY: no Wasm of this store runs.
    unsafe { visit_frames(&store.store, |_| panic!("no frame is left")) };
}
