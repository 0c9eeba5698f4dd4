//! `I31`: integers of 31 bits, which guests see as references.

use std::fmt;

use crate::abi::object::I31_TAG;
use crate::gc::GcRef;

/// An integer of 31 bits: WebAssembly's `i31`, a value that a reference holds by itself. It is neither
/// signed nor unsigned; whoever reads it decides.
///
/// ```
/// use hostref::I31;
///
/// let small = I31::new_i32(-1).unwrap();
/// assert_eq!((small.get_i32(), small.get_u32()), (-1, 0x7fff_ffff));
/// assert!(I31::new_u32(1 << 31).is_none());
/// assert_eq!(I31::wrapping_u32(1 << 31).get_u32(), 0);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct I31 {
    /// Below 2^31.
    bits: u32,
}

const MASK: u32 = u32::MAX >> 1;

impl I31 {
    /// The value, unless it needs more than 31 bits.
    pub fn new_u32(value: u32) -> Option<I31> {
        (value <= MASK).then_some(I31 { bits: value })
    }

    /// The value, unless it needs more than 31 bits with its sign.
    pub fn new_i32(value: i32) -> Option<I31> {
        let wrapped = I31::wrapping_i32(value);
        (wrapped.get_i32() == value).then_some(wrapped)
    }

    /// The lowest 31 bits of the value.
    pub fn wrapping_u32(value: u32) -> I31 {
        I31 { bits: value & MASK }
    }

    /// The lowest 31 bits of the value.
    pub fn wrapping_i32(value: i32) -> I31 {
        I31::wrapping_u32(value as u32)
    }

    /// The integer without a sign: `i31.get_u`.
    pub fn get_u32(&self) -> u32 {
        self.bits
    }

    /// The integer with a sign: `i31.get_s`.
    pub fn get_i32(&self) -> i32 {
        (self.bits << 1) as i32 >> 1
    }

    /// The reference that holds it.
    pub(in crate::api) fn to_gc_ref(self) -> GcRef {
        GcRef::from_raw(self.bits << 1 | I31_TAG).expect("an i31 has its tag")
    }

    /// The integer that the reference holds, if it holds one.
    pub(in crate::api) fn of_gc_ref(reference: GcRef) -> Option<I31> {
        reference.is_i31().then(|| I31 { bits: reference.to_raw() >> 1 })
    }
}

impl From<I31> for u32 {
    fn from(value: I31) -> u32 {
        value.get_u32()
    }
}

impl From<I31> for i32 {
    fn from(value: I31) -> i32 {
        value.get_i32()
    }
}

impl TryFrom<u32> for I31 {
    type Error = I31OutOfRange;

    fn try_from(value: u32) -> Result<I31, I31OutOfRange> {
        I31::new_u32(value).ok_or(I31OutOfRange)
    }
}

impl TryFrom<i32> for I31 {
    type Error = I31OutOfRange;

    fn try_from(value: i32) -> Result<I31, I31OutOfRange> {
        I31::new_i32(value).ok_or(I31OutOfRange)
    }
}

impl fmt::Debug for I31 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "I31({})", self.get_i32())
    }
}

/// An integer that needs more than 31 bits was to be an [`I31`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct I31OutOfRange;

impl fmt::Display for I31OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the integer needs more than 31 bits")
    }
}

impl std::error::Error for I31OutOfRange {}
