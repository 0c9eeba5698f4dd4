//! Faults that are not ours reach whoever handled the signal before. Each case needs a process of
//! its own, in which nothing has installed our handlers yet.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};

use super::*;

const CASE: &str = "HOSTREF_TEST_SIGNAL_CASE";

/// Runs this test in a child process that does `case`.
fn child(case: &str) -> ExitStatus {
    let test = "code::tests::signals::faults_of_others_reach_the_previous_handler";
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--test-threads=1", "--quiet"])
        .env(CASE, case)
        .output()
        .unwrap()
        .status
}

#[test]
fn faults_of_others_reach_the_previous_handler() {
    if let Some(case) = std::env::var_os(CASE) {
        return run(case.to_str().unwrap());
    }
    assert_eq!(child("plain").code(), Some(41));
    assert_eq!(child("with info").code(), Some(42));
    assert_eq!(child("default").signal(), Some(libc::SIGSEGV));
    assert_eq!(child("ignored").signal(), Some(libc::SIGSEGV));
    assert_eq!(child("sent and ignored").code(), Some(43));
    assert_eq!(child("sent and default").signal(), Some(libc::SIGFPE));
}

fn run(case: &str) {
    extern "C" fn plain(_: i32) {
        // SAFETY: always sound.
        unsafe { libc::_exit(41) }
    }
    unsafe extern "C" fn with_info(signal: i32, info: *mut libc::siginfo_t, _: *mut c_void) {
        // SAFETY: the arguments are a signal handler's.
        let address = unsafe { (*info).si_addr() }.addr();
        let expected = signal == libc::SIGSEGV && address == 8;
        // SAFETY: always sound.
        unsafe { libc::_exit(if expected { 42 } else { 1 }) }
    }
    match case {
        "plain" => set_action(libc::SIGSEGV, plain as *const () as usize, 0),
        "with info" => {
            set_action(libc::SIGSEGV, with_info as *const () as usize, libc::SA_SIGINFO);
        }
        "default" => set_action(libc::SIGSEGV, libc::SIG_DFL, 0),
        "ignored" => set_action(libc::SIGSEGV, libc::SIG_IGN, 0),
        "sent and ignored" => set_action(libc::SIGFPE, libc::SIG_IGN, 0),
        _ => set_action(libc::SIGFPE, libc::SIG_DFL, 0),
    }
    // Our handlers stand in front now, and serve compiled code.
    let mut code = Code::default();
    code.add(|body, _, address| body.0.ins().load(types::I64, MemFlagsData::new(), address, 0));
    let code = code.publish();
    let failure = TestStore::new().call(&code, 0, 8).unwrap_err();
    assert_eq!(failure.trap(), Some(Trap::MemoryOutOfBounds));

    if case.starts_with("sent") {
        // SAFETY: always sound.
        unsafe { libc::raise(libc::SIGFPE) };
        // SAFETY: always sound.
        unsafe { libc::_exit(43) };
    }
    // SAFETY: this is the point: the fault ends the process, one way or another.
    unsafe { std::ptr::without_provenance::<u8>(8).read_volatile() };
}

fn set_action(signal: i32, handler: usize, flags: i32) {
    // SAFETY: a valid action; its handler only ends the process.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = flags;
        assert_eq!(libc::sigaction(signal, &action, std::ptr::null_mut()), 0);
    }
}
