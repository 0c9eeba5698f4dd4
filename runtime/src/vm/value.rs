//! `ValRaw`: one untyped Wasm value in a 16-byte slot. Checks no type and roots no reference.

use std::ffi::c_void;
use std::fmt;

use crate::abi::layout;

/// A Wasm value without its type, as compiled code passes it in arrays.
///
/// A `ValRaw` is made by one of the constructors and read by the accessor of the same name.
/// Reading it as another type is safe and gives the low bytes of what was stored; all 16 bytes
/// are always initialised.
///
/// References are raw: a number from [`ValRaw::get_externref`] or [`ValRaw::get_anyref`] is valid
/// until the next garbage collection of its store, and a pointer from [`ValRaw::get_funcref`]
/// while its store lives.
///
/// ```
/// use hostref::ValRaw;
///
/// assert_eq!(ValRaw::i32(-1).get_i32(), -1);
/// assert_eq!(ValRaw::i32(-1).get_u64(), 0xffff_ffff);
/// assert_eq!(f64::from_bits(ValRaw::f64(1.5f64.to_bits()).get_f64()), 1.5);
/// ```
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub union ValRaw {
    word: u32,
    double_word: u64,
    pointer: *mut c_void,
    all: u128,
}

// SAFETY: a `ValRaw` is 16 bytes of data. The pointer it may hold is never dereferenced through
// it; whoever turns it back into a function reference argues about threads there.
unsafe impl Send for ValRaw {}
// SAFETY: as for `Send`; a shared `ValRaw` can only be read.
unsafe impl Sync for ValRaw {}

const _: () = assert!(size_of::<ValRaw>() == layout::SLOT_SIZE as usize);

impl ValRaw {
    /// An `i32`.
    pub fn i32(value: i32) -> ValRaw {
        ValRaw::u32(value as u32)
    }

    /// An `i64`.
    pub fn i64(value: i64) -> ValRaw {
        ValRaw::u64(value as u64)
    }

    /// An `i32`, given as the `u32` of the same bits.
    pub fn u32(value: u32) -> ValRaw {
        ValRaw { all: u128::from(value) }
    }

    /// An `i64`, given as the `u64` of the same bits.
    pub fn u64(value: u64) -> ValRaw {
        ValRaw { all: u128::from(value) }
    }

    /// An `f32`, given as its bits.
    pub fn f32(bits: u32) -> ValRaw {
        ValRaw::u32(bits)
    }

    /// An `f64`, given as its bits.
    pub fn f64(bits: u64) -> ValRaw {
        ValRaw::u64(bits)
    }

    /// A `v128`; lane 0 is in the low bits.
    pub fn v128(bits: u128) -> ValRaw {
        ValRaw { all: bits.to_le() }
    }

    /// A function reference: a pointer made by `Func::to_raw`, or null.
    pub fn funcref(pointer: *mut c_void) -> ValRaw {
        let mut raw = ValRaw { all: 0 };
        raw.pointer = pointer;
        raw
    }

    /// An `exnref`: a number made by `ExnRef::to_raw`, or 0 for null.
    pub fn exnref(reference: u32) -> ValRaw {
        ValRaw::externref(reference)
    }

    /// An `externref`: a number made by `ExternRef::to_raw`, or 0 for null.
    pub fn externref(reference: u32) -> ValRaw {
        ValRaw::u32(reference)
    }

    /// An `anyref`: a number made by `AnyRef::to_raw`, or 0 for null.
    pub fn anyref(reference: u32) -> ValRaw {
        ValRaw::u32(reference)
    }

    /// Reads an `i32`.
    pub fn get_i32(&self) -> i32 {
        self.get_u32() as i32
    }

    /// Reads an `i64`.
    pub fn get_i64(&self) -> i64 {
        self.get_u64() as i64
    }

    /// Reads the bits of an `i32`.
    pub fn get_u32(&self) -> u32 {
        // SAFETY: every constructor initialises all bytes, and any bits are a valid integer.
        unsafe { self.word }
    }

    /// Reads the bits of an `i64`.
    pub fn get_u64(&self) -> u64 {
        // SAFETY: every constructor initialises all bytes, and any bits are a valid integer.
        unsafe { self.double_word }
    }

    /// Reads the bits of an `f32`.
    pub fn get_f32(&self) -> u32 {
        self.get_u32()
    }

    /// Reads the bits of an `f64`.
    pub fn get_f64(&self) -> u64 {
        self.get_u64()
    }

    /// Reads a `v128`; lane 0 is in the low bits.
    pub fn get_v128(&self) -> u128 {
        // SAFETY: every constructor initialises all bytes, and any bits are a valid integer.
        u128::from_le(unsafe { self.all })
    }

    /// Reads a function reference.
    pub fn get_funcref(&self) -> *mut c_void {
        // SAFETY: every constructor initialises all bytes, and any bits are a valid raw pointer.
        unsafe { self.pointer }
    }

    /// Reads an `exnref`.
    pub fn get_exnref(&self) -> u32 {
        self.get_externref()
    }

    /// Reads an `externref`.
    pub fn get_externref(&self) -> u32 {
        self.get_u32()
    }

    /// Reads an `anyref`.
    pub fn get_anyref(&self) -> u32 {
        self.get_u32()
    }
}

/// The 16 bytes as one hexadecimal number.
impl fmt::Debug for ValRaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ValRaw({:#x})", self.get_v128())
    }
}

#[cfg(test)]
mod tests {
    use super::ValRaw;

    #[test]
    fn a_value_comes_back_and_the_rest_of_its_slot_is_zero() {
        assert_eq!(ValRaw::i32(i32::MIN).get_i32(), i32::MIN);
        assert_eq!(ValRaw::i32(-1).get_v128(), 0xffff_ffff);
        assert_eq!(ValRaw::i64(-2).get_i64(), -2);
        assert_eq!(ValRaw::v128(1 << 100).get_v128(), 1 << 100);
        let pointer = std::ptr::from_ref(&0u8).cast_mut().cast();
        assert_eq!(ValRaw::funcref(pointer).get_funcref(), pointer);
        assert_eq!(ValRaw::funcref(std::ptr::null_mut()).get_v128(), 0);
    }
}
