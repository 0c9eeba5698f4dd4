//! Linux on x86-64: `ucontext_t` and the System V convention.

use std::ffi::c_void;

/// What the C convention passes in a vector register.
pub(in crate::vm) type Vector = std::arch::x86_64::__m128i;

/// Bytes below the stack pointer that a function may use without moving it.
const RED_ZONE: usize = 128;

/// The stack pointer of whoever calls this.
#[inline(always)]
pub(in crate::vm) fn stack_pointer() -> usize {
    let sp;
    // SAFETY: the instruction copies a register, and touches no memory.
    unsafe {
        core::arch::asm!("mov {}, rsp", out(reg) sp, options(nomem, nostack, preserves_flags))
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
        let gregs = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
        Registers {
            pc: gregs[libc::REG_RIP as usize] as usize,
            fp: gregs[libc::REG_RBP as usize] as usize,
        }
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
        let gregs = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
        let sp = gregs[libc::REG_RSP as usize] as usize;
        // As after a call: a return address has been pushed to an aligned stack.
        let sp = ((sp - RED_ZONE) & !15) - size_of::<usize>();
        let registers = [libc::REG_RDI, libc::REG_RSI, libc::REG_RDX, libc::REG_RCX, libc::REG_R8];
        for (register, argument) in registers.into_iter().zip(arguments) {
            gregs[register as usize] = argument as i64;
        }
        gregs[libc::REG_RSP as usize] = sp as i64;
        gregs[libc::REG_RIP as usize] = target as i64;
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
        "mov rsp, rsi",
        "mov rbp, rdx",
        "mov rax, rcx",
        "xor edx, edx",
        "jmp rdi",
    )
}
