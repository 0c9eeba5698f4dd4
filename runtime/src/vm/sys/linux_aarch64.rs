//! Linux on aarch64: `ucontext_t` and the AAPCS64 convention. Prepared, not yet run: compiled code
//! must not sign its return addresses, which walkers read as they are.

use std::ffi::c_void;

/// What the C convention passes in a vector register.
pub(in crate::vm) type Vector = std::arch::aarch64::uint8x16_t;

/// The stack pointer of whoever calls this.
#[inline(always)]
pub(in crate::vm) fn stack_pointer() -> usize {
    let sp;
    // SAFETY: the instruction copies a register, and touches no memory.
    unsafe {
        core::arch::asm!("mov {}, sp", out(reg) sp, options(nomem, nostack, preserves_flags))
    };
    sp
}

/// The registers of an interrupted thread that identify its frame.
#[derive(Clone, Copy, Debug)]
pub(in crate::vm) struct Registers {
    pub(in crate::vm) pc: usize,
    pub(in crate::vm) fp: usize,
}

impl Registers {
    /// Reads them from the context of a signal.
    ///
    /// # Safety
    ///
    /// `context` is the third argument of a signal handler that is running.
    pub(in crate::vm) unsafe fn read(context: *mut c_void) -> Registers {
        // SAFETY: the kernel passes a `ucontext_t`.
        let machine = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
        Registers { pc: machine.pc as usize, fp: machine.regs[29] as usize }
    }

    /// Lets the thread continue in the C function at `target`, called with `arguments` on its own
    /// stack, below everything that is in use there.
    ///
    /// # Safety
    ///
    /// `context` is the third argument of a signal handler that is running; `target` takes these
    /// arguments and never returns; it is sound to give up what the thread was doing.
    pub(in crate::vm) unsafe fn redirect(
        context: *mut c_void,
        target: usize,
        arguments: [usize; 5],
    ) {
        // SAFETY: the kernel passes a `ucontext_t`, which the handler may change.
        let machine = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext };
        for (register, argument) in machine.regs.iter_mut().zip(arguments) {
            *register = argument as u64;
        }
        machine.sp &= !15;
        machine.pc = target as u64;
    }
}

/// Continues at the exception handler `pc` of compiled code, with `payload` as the first word
/// of what it receives and zero as the second.
///
/// # Safety
///
/// `sp` and `fp` are the registers that the handler expects, its frame is live, and no frame
/// below it owns anything.
#[unsafe(naked)]
pub(in crate::vm) unsafe extern "C" fn resume(
    pc: usize,
    sp: usize,
    fp: usize,
    payload: usize,
) -> ! {
    core::arch::naked_asm!(
        "mov x9, x0",
        "mov sp, x1",
        "mov x29, x2",
        "mov x0, x3",
        "mov x1, xzr",
        "br x9",
    )
}
