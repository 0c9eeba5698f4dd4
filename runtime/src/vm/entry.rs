//! Calls of entry trampolines: the only way from Rust into compiled code. Roots nothing, checks no
//! type, and looks at no failure: the caller tests `VmStore::unwinding` afterwards.

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

/// A value that the C convention passes in one register exactly as Cranelift does.
///
/// # Safety
///
/// Implemented for the machine types of `LoweredType` only, and for `()` as a result.
pub(crate) unsafe trait Register: Copy {}

/// A `v128` in a vector register.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct Vector(sys::Vector);

impl Vector {
    pub(crate) fn new(bits: u128) -> Vector {
        // SAFETY: both are 16 bytes for which any bits are valid.
        Vector(unsafe { std::mem::transmute::<[u8; 16], sys::Vector>(bits.to_le_bytes()) })
    }

    pub(crate) fn bits(self) -> u128 {
        // SAFETY: both are 16 bytes for which any bits are valid.
        u128::from_le_bytes(unsafe { std::mem::transmute::<sys::Vector, [u8; 16]>(self.0) })
    }
}

// SAFETY: one general register.
unsafe impl Register for i32 {}
// SAFETY: one general register.
unsafe impl Register for i64 {}
// SAFETY: one floating-point register.
unsafe impl Register for f32 {}
// SAFETY: one floating-point register.
unsafe impl Register for f64 {}
// SAFETY: one vector register.
unsafe impl Register for Vector {}
// SAFETY: a function without result returns nothing in a register.
unsafe impl Register for () {}

/// The arguments of a typed call: a tuple of up to 16 registers.
pub(crate) trait Registers {
    /// Calls through a typed entry trampoline of a signature with at most one result.
    ///
    /// # Safety
    ///
    /// As for [`call_array`], with the typed entry for the signature `Self -> R`.
    unsafe fn call<R: Register>(
        self,
        entry: CodePtr,
        store: *mut VmStore,
        code: *const u8,
        ctx: *mut VmCtx,
    ) -> R;

    /// Calls through a typed entry trampoline of a signature with two or more results, which are
    /// stored to `results`.
    ///
    /// # Safety
    ///
    /// As for [`call_array`], with the typed entry for the signature; `results` points to one slot
    /// for each result.
    unsafe fn call_with_results(
        self,
        entry: CodePtr,
        store: *mut VmStore,
        code: *const u8,
        ctx: *mut VmCtx,
        results: *mut ValRaw,
    );
}

macro_rules! registers {
    ($($type:ident $value:ident)*) => {
        impl<$($type: Register),*> Registers for ($($type,)*) {
            unsafe fn call<R: Register>(
                self,
                entry: CodePtr,
                store: *mut VmStore,
                code: *const u8,
                ctx: *mut VmCtx,
            ) -> R {
                type Entry<R, $($type),*> =
                    unsafe extern "C" fn(*mut VmStore, *const u8, *mut VmCtx $(, $type)*) -> R;
                let ($($value,)*) = self;
                // SAFETY: a typed entry trampoline of this signature is this C function.
                let entry = unsafe {
                    std::mem::transmute::<*const u8, Entry<R, $($type),*>>(entry.as_ptr())
                };
                // SAFETY: the caller's duties are those of the trampoline.
                unsafe { entry(store, code, ctx $(, $value)*) }
            }

            unsafe fn call_with_results(
                self,
                entry: CodePtr,
                store: *mut VmStore,
                code: *const u8,
                ctx: *mut VmCtx,
                results: *mut ValRaw,
            ) {
                type Entry<$($type),*> = unsafe extern "C" fn(
                    *mut VmStore, *const u8, *mut VmCtx, *mut ValRaw $(, $type)*
                );
                let ($($value,)*) = self;
                // SAFETY: a typed entry trampoline of this signature is this C function.
                let entry = unsafe {
                    std::mem::transmute::<*const u8, Entry<$($type),*>>(entry.as_ptr())
                };
                // SAFETY: the caller's duties are those of the trampoline.
                unsafe { entry(store, code, ctx, results $(, $value)*) }
            }
        }
    };
}

registers!();
registers!(A a);
registers!(A a B b);
registers!(A a B b C c);
registers!(A a B b C c D d);
registers!(A a B b C c D d E e);
registers!(A a B b C c D d E e F f);
registers!(A a B b C c D d E e F f G g);
registers!(A a B b C c D d E e F f G g H h);
registers!(A a B b C c D d E e F f G g H h I i);
registers!(A a B b C c D d E e F f G g H h I i J j);
registers!(A a B b C c D d E e F f G g H h I i J j K k);
registers!(A a B b C c D d E e F f G g H h I i J j K k L l);
registers!(A a B b C c D d E e F f G g H h I i J j K k L l M m);
registers!(A a B b C c D d E e F f G g H h I i J j K k L l M m N n);
registers!(A a B b C c D d E e F f G g H h I i J j K k L l M m N n O o);
registers!(A a B b C c D d E e F f G g H h I i J j K k L l M m N n O o P p);

#[cfg(test)]
mod tests {
    use super::Vector;

    #[test]
    fn a_vector_keeps_its_bits() {
        let bits = 0x0123_4567_89ab_cdef_u128 << 60 | 1;
        assert_eq!(Vector::new(bits).bits(), bits);
    }
}
