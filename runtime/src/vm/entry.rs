//! Calls of array entry trampolines, and the type in which C functions pass a `v128`. Roots
//! nothing, checks no type, and looks at no failure: the caller tests `VmStore::unwinding`.

use super::code_memory::CodePtr;
use super::context::{VmCtx, VmStore};
use super::sys;
use super::value::ValRaw;

type ArrayEntry = unsafe extern "C" fn(*mut VmStore, *const u8, *mut VmCtx, *mut ValRaw);

/// Calls `code` through an array entry trampoline: `slots` holds the arguments and receives the
/// results.
///
/// # Safety
///
/// * `entry` is the array entry for the lowered signature of `code`, a Wasm function or an exit
///   trampoline, and `ctx` is the context of that function; all live until the call returns.
/// * `store` is the store of `ctx`, nothing else borrows it during the call, and its stack limit
///   is right for this thread.
/// * `slots` points to as many slots as the signature needs, with arguments that are valid in the
///   store.
#[inline]
pub(crate) unsafe fn call_array(
    entry: CodePtr,
    store: *mut VmStore,
    code: *const u8,
    ctx: *mut VmCtx,
    slots: *mut ValRaw,
) {
    // SAFETY: an array entry trampoline has this signature.
    let entry = unsafe { std::mem::transmute::<*const u8, ArrayEntry>(entry.as_ptr()) };
    // SAFETY: the caller's duties are those of the trampoline.
    unsafe { entry(store, code, ctx, slots) }
}

/// A `v128` as C functions take and return it: in a vector register.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Vector(sys::Vector);

impl Vector {
    #[inline]
    pub(crate) fn new(bits: u128) -> Vector {
        // SAFETY: both are 16 bytes for which any bits are valid.
        Vector(unsafe { std::mem::transmute::<[u8; 16], sys::Vector>(bits.to_le_bytes()) })
    }

    #[inline]
    pub(crate) fn bits(self) -> u128 {
        // SAFETY: both are 16 bytes for which any bits are valid.
        u128::from_le_bytes(unsafe { std::mem::transmute::<sys::Vector, [u8; 16]>(self.0) })
    }
}

impl Default for Vector {
    fn default() -> Vector {
        Vector::new(0)
    }
}

#[cfg(test)]
mod tests {
    use super::Vector;

    #[test]
    fn a_vector_keeps_its_bits() {
        let bits = 0x0123_4567_89ab_cdef_u128 << 60 | 1;
        assert_eq!(Vector::new(bits).bits(), bits);
    }
}
