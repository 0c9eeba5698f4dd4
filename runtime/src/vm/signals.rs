//! Faults of compiled code that the processor finds: memory accesses, `ud2`, division. The handler
//! only sends the thread to a landing; all else happens there, outside the signal. Faults of other
//! code go to whoever handled the signal before.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

use anyhow::anyhow;
use libc::{c_int, siginfo_t};

use super::code_memory::lookup;
use super::stack::Frame;
use super::sys;
use super::unwind::{Fault, land};
use crate::error::Result;
use crate::trap::Trap;

const SIGNALS: [c_int; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];

/// What handled each of `SIGNALS` before; set before our handler can run, and never freed.
static PREVIOUS: [AtomicPtr<libc::sigaction>; 4] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; 4];

/// Installs the handlers, once per process.
///
/// # Errors
///
/// If the system refuses.
pub(crate) fn install() -> Result<()> {
    static INSTALLED: OnceLock<std::result::Result<(), String>> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| {
        SIGNALS.iter().zip(&PREVIOUS).try_for_each(|(signal, previous)| {
            install_one(*signal, previous).map_err(|error| error.to_string())
        })
    });
    installed.clone().map_err(|error| anyhow!("cannot install signal handlers: {error}"))
}

fn install_one(signal: c_int, previous: &AtomicPtr<libc::sigaction>) -> std::io::Result<()> {
    // A fault may come as soon as the handler is there, so the old one is known before.
    previous.store(Box::into_raw(Box::new(change_action(signal, None)?)), Ordering::Release);
    // SAFETY: zeros are a valid `sigaction`: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
    action.sa_sigaction = on_signal as *const () as usize;
    change_action(signal, Some(&action)).map(drop)
}

/// Replaces the action for `signal`, if a new one is given, and returns the old one.
fn change_action(
    signal: c_int,
    action: Option<&libc::sigaction>,
) -> std::io::Result<libc::sigaction> {
    let new = action.map_or(std::ptr::null(), std::ptr::from_ref);
    let mut old = MaybeUninit::zeroed();
    // SAFETY: `new` is null or valid, and `old` is valid for writing.
    match unsafe { libc::sigaction(signal, new, old.as_mut_ptr()) } {
        // SAFETY: the call has filled `old`; zeros would be valid too.
        0 => Ok(unsafe { old.assume_init() }),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// The signal handler.
unsafe extern "C" fn on_signal(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes both, valid until the handler returns.
    let handled = unsafe { send_to_landing(signal, info, context) };
    if !handled {
        // SAFETY: as above.
        unsafe { chain(signal, info, context) }
    }
}

/// If the fault is a trap of compiled code, arranges that the thread continues in [`landing`].
///
/// # Safety
///
/// The arguments are those of a signal handler that is running.
unsafe fn send_to_landing(signal: c_int, info: *mut siginfo_t, context: *mut c_void) -> bool {
    // SAFETY: the context is this handler's.
    let registers = unsafe { sys::Registers::read(context) };
    // SAFETY: the code at the pc that was just executing lives.
    let Some(code) = (unsafe { lookup(registers.pc) }) else { return false };
    let Some(trap) = code.offset(registers.pc).and_then(|offset| code.trap(offset)) else {
        return false;
    };
    // SAFETY: `info` is valid.
    if !made_by_kernel(unsafe { &*info }) {
        return false;
    }
    // SAFETY: `info` is valid, and faults have an address.
    let address = unsafe { (*info).si_addr() }.addr();
    let arguments = [registers.pc, registers.fp, usize::from(trap), signal as usize, address];
    // SAFETY: the landing never returns, uses the stack below the fault only, and is made for the
    // arguments.
    unsafe { sys::Registers::redirect(context, landing as *const () as usize, arguments) };
    true
}

/// Whether the signal stands for a fault of the thread, and was not sent by someone.
fn made_by_kernel(info: &siginfo_t) -> bool {
    info.si_code > 0
}

/// Runs on the stack of the fault, right below the faulting frame.
///
/// # Safety
///
/// Reached through [`send_to_landing`] only: `pc` and `fp` are the faulting frame's.
unsafe extern "C" fn landing(
    pc: usize,
    fp: usize,
    code: usize,
    signal: usize,
    address: usize,
) -> ! {
    let trap = u8::try_from(code).ok().and_then(Trap::from_code);
    let trap = trap.expect("the trap tables of compiled code hold codes of traps");
    let is_access = [libc::SIGSEGV, libc::SIGBUS].contains(&(signal as c_int));
    let fault = Fault { trap, address: is_access.then_some(address) };
    // SAFETY: the frame faulted with a trap, and what is below it is free.
    unsafe { land(Frame { pc, fp }, fault) }
}

/// Does what would have happened without our handler.
///
/// # Safety
///
/// The arguments are those of a signal handler that is running.
unsafe fn chain(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    type Plain = unsafe extern "C" fn(c_int);
    type WithInfo = unsafe extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

    let slot = SIGNALS.iter().position(|known| *known == signal);
    let previous =
        PREVIOUS[slot.expect("the handler serves these signals")].load(Ordering::Acquire);
    // SAFETY: set before the handler was installed, and never freed.
    let previous = unsafe { &*previous };
    // SAFETY: `info` is valid.
    let is_fault = made_by_kernel(unsafe { &*info });
    match previous.sa_sigaction {
        libc::SIG_IGN if !is_fault => {}
        // When the handler returns, the fault comes again and meets the old disposition; the
        // kernel lets nobody ignore a fault.
        libc::SIG_DFL | libc::SIG_IGN => {
            let _ = change_action(signal, Some(previous));
            if !is_fault {
                // SAFETY: always sound; the signal is not blocked, as it was installed NODEFER.
                unsafe { libc::raise(signal) };
            }
        }
        handler if previous.sa_flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: with SA_SIGINFO the action is a function of this type.
            let handler = unsafe { std::mem::transmute::<usize, WithInfo>(handler) };
            // SAFETY: the arguments are what the kernel would have passed.
            unsafe { handler(signal, info, context) }
        }
        handler => {
            // SAFETY: without SA_SIGINFO the action is a function of this type.
            let handler = unsafe { std::mem::transmute::<usize, Plain>(handler) };
            // SAFETY: the argument is what the kernel would have passed.
            unsafe { handler(signal) }
        }
    }
}
