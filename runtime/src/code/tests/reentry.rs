//! Host functions that enter Wasm again, fail, or turn a failure into a result.

use std::cell::RefCell;
use std::rc::Rc;

use super::*;

thread_local! {
    static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
}

/// What the host function does with Wasm and the argument of the call.
type Hook = Box<dyn Fn(&Wasm, i64) -> Result<i64, Option<Failure>>>;

/// The running store and a context of it, to enter Wasm again.
struct Wasm {
    store: *mut VmStore,
    ctx: *mut VmCtx,
}

impl Wasm {
    fn call(&self, code: &CodeObject, index: usize, argument: i64) -> Result<i64, Failure> {
        // SAFETY: the test's code takes this context, and Wasm is outside: this is a host function.
        unsafe { enter(self.store, code.function(index).as_ptr(), self.ctx, argument) }
    }
}

/// A host function that runs the thread's hook.
unsafe extern "C" fn shim(store: *mut VmStore, _: *mut TestHost, argument: i64) -> i64 {
    // SAFETY: the store is live, and the code of these tests is entered with a vmctx, of which
    // compiled code makes note; here the host reads the one that the test set.
    let ctx = unsafe { &*store }.caller.get();
    let result = HOOK.with_borrow(|hook| hook.as_ref().unwrap()(&Wasm { store, ctx }, argument));
    result.unwrap_or_else(|failure| {
        // SAFETY: the store is live.
        let store = unsafe { &*store };
        store.fault.set(failure.and_then(|failure| failure.fault));
        store.unwinding.set(1);
        0
    })
}

/// 0: calls the host with its argument and adds 1. 1: traps. 2: calls 0 and adds 100.
fn code() -> CodeObject {
    let mut code = Code::default();
    code.add(|body, vmctx, argument| {
        let result = body.call_host(vmctx, argument);
        body.0.ins().iadd_imm_s(result, 1)
    });
    code.add(|body, vmctx, argument| {
        body.raise_trap(vmctx, Trap::IntegerOverflow);
        argument
    });
    code.add(|body, vmctx, argument| {
        let result = body.call(0, vmctx, argument);
        body.0.ins().iadd_imm_s(result, 100)
    });
    code.publish()
}

/// Runs function 2 of `code` with `argument`.
fn run(
    code: &CodeObject,
    argument: i64,
    hook: impl Fn(&Wasm, i64) -> Result<i64, Option<Failure>> + 'static,
) -> Result<i64, Failure> {
    HOOK.set(Some(Box::new(hook)));
    let mut store = TestStore::with_host(shim);
    store.store.caller.set(std::ptr::from_mut(&mut *store.ctx).cast());
    store.call(code, 2, argument)
}

#[test]
fn a_host_function_returns() {
    assert_eq!(run(&code(), 5, |_, argument| Ok(argument * 2)), Ok(111));
}

#[test]
fn a_host_failure_unwinds_to_the_entry_and_the_store_stays_usable() {
    let code = code();
    HOOK.set(Some(Box::new(|_, argument| if argument == 5 { Err(None) } else { Ok(0) })));
    let mut store = TestStore::with_host(shim);
    let failure = store.call(&code, 2, 5).unwrap_err();
    assert_eq!(failure.fault, None);
    assert_eq!(failure.functions(), [0, 2]);
    assert_eq!(store.call(&code, 2, 6), Ok(101));
}

#[test]
fn wasm_entered_from_a_host_function_nests() {
    let code = Rc::new(code());
    let inner = code.clone();
    let result = run(&code, 8, move |wasm, argument| match argument {
        0 => Ok(0),
        _ => Ok(wasm.call(&inner, 2, argument - 1).unwrap()),
    });
    assert_eq!(result, Ok(9 * 101));
}

#[test]
fn an_inner_trap_may_become_a_result() {
    let code = Rc::new(code());
    let inner = code.clone();
    let result = run(&code, 0, move |wasm, _| {
        let failure = wasm.call(&inner, 1, 0).unwrap_err();
        assert_eq!(failure.trap(), Some(Trap::IntegerOverflow));
        assert_eq!(failure.functions(), [1, 0, 2]);
        Ok(7)
    });
    assert_eq!(result, Ok(108));
}

#[test]
fn a_backtrace_goes_on_into_the_activations_further_out() {
    let code = Rc::new(code());
    let inner = code.clone();
    let result = run(&code, 3, move |wasm, argument| match argument {
        0 => wasm.call(&inner, 1, 0).map_err(Some),
        _ => {
            let failure = wasm.call(&inner, 2, argument - 1).unwrap_err();
            // One pair of frames for each activation from the one that failed outwards.
            assert_eq!(failure.functions(), [0, 2].repeat(5 - argument as usize));
            Err(Some(failure))
        }
    });
    let failure = result.unwrap_err();
    assert_eq!(failure.trap(), Some(Trap::IntegerOverflow));
    assert_eq!(failure.functions(), [0, 2]);
}

#[test]
fn a_fault_goes_on_into_the_activations_further_out() {
    let mut load = Code::default();
    load.add(|body, _, address| body.0.ins().load(types::I64, MemFlagsData::new(), address, 0));
    let load = load.publish();
    let code = Rc::new(code());
    let inner = code.clone();
    let result = run(&code, 0, move |wasm, argument| match argument {
        0 => Ok(wasm.call(&inner, 2, 1).unwrap() + 1000),
        _ => {
            let failure = wasm.call(&load, 0, 16).unwrap_err();
            let fault = Fault { trap: Trap::MemoryOutOfBounds, address: Some(16) };
            assert_eq!(failure.fault, Some(fault));
            assert_eq!(failure.functions(), [0, 0, 2, 0, 2]);
            assert!(load.map.offset(failure.backtrace.pcs[0]).is_some());
            Ok(0)
        }
    });
    assert_eq!(result, Ok(1202));
}

#[test]
fn a_host_function_can_be_entered_directly() {
    let mut store = TestStore::with_host(shim);
    HOOK.set(Some(Box::new(|_, argument| if argument == 0 { Err(None) } else { Ok(argument) })));
    let exit = engine().trampoline(TrampolineKind::TypedExit, &sig()).unwrap();
    let host = store.host();
    let pointer: *mut VmStore = &mut *store.store;
    // SAFETY: an exit trampoline with its host function as context.
    unsafe {
        assert_eq!(enter(pointer, exit.as_ptr(), host, 3), Ok(3));
        let failure = enter(pointer, exit.as_ptr(), host, 0).unwrap_err();
        assert_eq!((failure.fault, failure.functions()), (None, vec![]));
    }
}
