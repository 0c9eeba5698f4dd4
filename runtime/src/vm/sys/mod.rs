//! The processor: registers of a signal context, and the jump to a handler. One file per platform
//! with the same items; knows nothing of traps.

#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
mod linux_aarch64;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod linux_x86_64;

#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
pub(super) use linux_aarch64::{Registers, Vector, resume, stack_pointer};
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(super) use linux_x86_64::{Registers, Vector, resume, stack_pointer};

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
compile_error!(
    "hostref runs on Linux on x86-64 (aarch64 is prepared): another platform needs its file in \
     runtime/src/vm/sys"
);
