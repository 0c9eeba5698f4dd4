//! The stack limit on all kinds of threads.

use super::*;
use std::process::Command;

/// Function 0 calls itself for ever.
fn endless() -> CodeObject {
    let mut code = Code::default();
    code.add(|body, vmctx, argument| {
        let more = body.0.ins().iadd_imm_s(argument, 1);
        let result = body.call(0, vmctx, more);
        body.0.ins().bxor(result, argument)
    });
    code.publish()
}

/// Overflows a few times on this thread; returns the number of frames that the last one had.
fn overflow(max_wasm_stack: usize) -> usize {
    let code = endless();
    let mut store = TestStore::new();
    store.max_wasm_stack = max_wasm_stack;
    let frames = (0..3).map(|_| {
        let failure = store.call(&code, 0, 0).unwrap_err();
        assert_eq!(failure.trap(), Some(Trap::StackOverflow));
        failure.backtrace.pcs.len() + failure.backtrace.omitted
    });
    frames.last().unwrap()
}

fn overflow_on_thread(stack: usize, max_wasm_stack: usize) -> usize {
    let builder = std::thread::Builder::new().stack_size(stack);
    builder.spawn(move || overflow(max_wasm_stack)).unwrap().join().unwrap()
}

#[test]
fn the_configured_size_stops_recursion() {
    // At least a return address and a frame pointer each.
    let frames = overflow_on_thread(8 << 20, 1 << 20);
    assert!((1000..=(1 << 20) / 16).contains(&frames), "{frames}");
}

#[test]
fn a_small_stack_stops_recursion_before_the_configured_size() {
    for stack in [96 << 10, 256 << 10, 1 << 20] {
        let frames = overflow_on_thread(stack, 64 << 20);
        assert!((1..=stack / 16).contains(&frames), "{frames}");
    }
}

#[test]
fn a_thread_without_signal_stack_overflows_too() {
    extern "C" fn start(_: *mut c_void) -> *mut c_void {
        overflow(64 << 20);
        std::ptr::without_provenance_mut(1)
    }
    engine();
    let mut result = std::ptr::null_mut();
    // SAFETY: all pointers are valid for the calls; the thread takes no argument.
    unsafe {
        let mut thread = std::mem::zeroed();
        let status =
            libc::pthread_create(&mut thread, std::ptr::null(), start, std::ptr::null_mut());
        assert_eq!(status, 0);
        assert_eq!(libc::pthread_join(thread, &mut result), 0);
    }
    assert_eq!(result.addr(), 1);
}

const MAIN_THREAD: &str = "HOSTREF_TEST_MAIN_THREAD";
const SUCCESS: i32 = 44;

/// The test harness runs no test on the main thread, so a child process does before its harness
/// starts.
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = before_main;

extern "C" fn before_main() {
    if std::env::var_os(MAIN_THREAD).is_none() {
        return;
    }
    // SAFETY: these calls are always sound.
    assert_eq!(unsafe { libc::gettid() }, unsafe { libc::getpid() });
    assert!(overflow(1 << 20) > 1000);
    overflow(1 << 40);
    // SAFETY: always sound.
    unsafe { libc::_exit(SUCCESS) }
}

#[test]
fn the_main_thread_overflows_too() {
    let mut child = Command::new(std::env::current_exe().unwrap());
    let status = child.env(MAIN_THREAD, "1").status().unwrap();
    assert_eq!(status.code(), Some(SUCCESS));
}
