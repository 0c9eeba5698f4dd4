//! The operators on numbers, vectors and memories, by ranges of opcodes with one signature. What
//! they do is for the two sides to agree on.

/// The type of an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    I32,
    I64,
    F32,
    F64,
    V128,
}

impl Number {
    pub const ALL: [Number; 5] = [Number::I32, Number::I64, Number::F32, Number::F64, Number::V128];
}

/// Operators with the same signature.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub prefix: Prefix,
    pub first: u32,
    pub last: u32,
    pub params: &'static [Number],
    pub results: &'static [Number],
    pub extra: Extra,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    None,
    /// 0xfc
    Misc,
    /// 0xfd
    Vector,
}

/// What else there is to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    Plain,
    /// It may trap.
    Traps,
    /// A result that is not a number may have any bits.
    Nan,
    /// The same in vectors of `f32`, and of `f64`.
    NanLanes32,
    NanLanes64,
    /// An immediate lane under this number.
    Lane(u8),
    /// Sixteen immediate lanes of two vectors.
    Shuffle,
    /// An access of the first memory, with an address below all operands.
    Memory,
    /// The same, with an immediate lane under this number.
    MemoryLane(u8),
}

macro_rules! rows {
    ($($prefix:ident $first:literal - $last:literal
        ($($param:ident)*) -> ($($result:ident)*) $extra:expr;)*) => {
        pub const ROWS: &[Row] = &[$(Row {
            prefix: Prefix::$prefix,
            first: $first,
            last: $last,
            params: &[$(Number::$param),*],
            results: &[$(Number::$result),*],
            extra: $extra,
        }),*];
    };
}

use Extra::{Lane, Memory, MemoryLane, Nan, NanLanes32, NanLanes64, Plain, Shuffle, Traps};

rows! {
    // Comparisons.
    None 0x45 - 0x45 (I32) -> (I32) Plain;
    None 0x46 - 0x4f (I32 I32) -> (I32) Plain;
    None 0x50 - 0x50 (I64) -> (I32) Plain;
    None 0x51 - 0x5a (I64 I64) -> (I32) Plain;
    None 0x5b - 0x60 (F32 F32) -> (I32) Plain;
    None 0x61 - 0x66 (F64 F64) -> (I32) Plain;
    // Integers.
    None 0x67 - 0x69 (I32) -> (I32) Plain;
    None 0x6a - 0x6c (I32 I32) -> (I32) Plain;
    None 0x6d - 0x70 (I32 I32) -> (I32) Traps;
    None 0x71 - 0x78 (I32 I32) -> (I32) Plain;
    None 0x79 - 0x7b (I64) -> (I64) Plain;
    None 0x7c - 0x7e (I64 I64) -> (I64) Plain;
    None 0x7f - 0x82 (I64 I64) -> (I64) Traps;
    None 0x83 - 0x8a (I64 I64) -> (I64) Plain;
    None 0xc0 - 0xc1 (I32) -> (I32) Plain;
    None 0xc2 - 0xc4 (I64) -> (I64) Plain;
    Misc 19 - 20 (I64 I64 I64 I64) -> (I64 I64) Plain;
    Misc 21 - 22 (I64 I64) -> (I64 I64) Plain;
    // Floats.
    None 0x8b - 0x8c (F32) -> (F32) Plain;
    None 0x8d - 0x91 (F32) -> (F32) Nan;
    None 0x92 - 0x97 (F32 F32) -> (F32) Nan;
    None 0x98 - 0x98 (F32 F32) -> (F32) Plain;
    None 0x99 - 0x9a (F64) -> (F64) Plain;
    None 0x9b - 0x9f (F64) -> (F64) Nan;
    None 0xa0 - 0xa5 (F64 F64) -> (F64) Nan;
    None 0xa6 - 0xa6 (F64 F64) -> (F64) Plain;
    // Conversions.
    None 0xa7 - 0xa7 (I64) -> (I32) Plain;
    None 0xa8 - 0xa9 (F32) -> (I32) Traps;
    None 0xaa - 0xab (F64) -> (I32) Traps;
    None 0xac - 0xad (I32) -> (I64) Plain;
    None 0xae - 0xaf (F32) -> (I64) Traps;
    None 0xb0 - 0xb1 (F64) -> (I64) Traps;
    None 0xb2 - 0xb3 (I32) -> (F32) Plain;
    None 0xb4 - 0xb5 (I64) -> (F32) Plain;
    None 0xb6 - 0xb6 (F64) -> (F32) Nan;
    None 0xb7 - 0xb8 (I32) -> (F64) Plain;
    None 0xb9 - 0xba (I64) -> (F64) Plain;
    None 0xbb - 0xbb (F32) -> (F64) Nan;
    None 0xbc - 0xbc (F32) -> (I32) Plain;
    None 0xbd - 0xbd (F64) -> (I64) Plain;
    None 0xbe - 0xbe (I32) -> (F32) Plain;
    None 0xbf - 0xbf (I64) -> (F64) Plain;
    Misc 0 - 1 (F32) -> (I32) Plain;
    Misc 2 - 3 (F64) -> (I32) Plain;
    Misc 4 - 5 (F32) -> (I64) Plain;
    Misc 6 - 7 (F64) -> (I64) Plain;
    // Memories.
    None 0x28 - 0x28 () -> (I32) Memory;
    None 0x29 - 0x29 () -> (I64) Memory;
    None 0x2a - 0x2a () -> (F32) Memory;
    None 0x2b - 0x2b () -> (F64) Memory;
    None 0x2c - 0x2f () -> (I32) Memory;
    None 0x30 - 0x35 () -> (I64) Memory;
    None 0x36 - 0x36 (I32) -> () Memory;
    None 0x37 - 0x37 (I64) -> () Memory;
    None 0x38 - 0x38 (F32) -> () Memory;
    None 0x39 - 0x39 (F64) -> () Memory;
    None 0x3a - 0x3b (I32) -> () Memory;
    None 0x3c - 0x3e (I64) -> () Memory;
    Vector 0x00 - 0x0a () -> (V128) Memory;
    Vector 0x0b - 0x0b (V128) -> () Memory;
    Vector 0x54 - 0x54 (V128) -> (V128) MemoryLane(16);
    Vector 0x55 - 0x55 (V128) -> (V128) MemoryLane(8);
    Vector 0x56 - 0x56 (V128) -> (V128) MemoryLane(4);
    Vector 0x57 - 0x57 (V128) -> (V128) MemoryLane(2);
    Vector 0x58 - 0x58 (V128) -> () MemoryLane(16);
    Vector 0x59 - 0x59 (V128) -> () MemoryLane(8);
    Vector 0x5a - 0x5a (V128) -> () MemoryLane(4);
    Vector 0x5b - 0x5b (V128) -> () MemoryLane(2);
    Vector 0x5c - 0x5d () -> (V128) Memory;
    // Lanes.
    Vector 0x0d - 0x0d (V128 V128) -> (V128) Shuffle;
    Vector 0x0e - 0x0e (V128 V128) -> (V128) Plain;
    Vector 0x0f - 0x11 (I32) -> (V128) Plain;
    Vector 0x12 - 0x12 (I64) -> (V128) Plain;
    Vector 0x13 - 0x13 (F32) -> (V128) Plain;
    Vector 0x14 - 0x14 (F64) -> (V128) Plain;
    Vector 0x15 - 0x16 (V128) -> (I32) Lane(16);
    Vector 0x17 - 0x17 (V128 I32) -> (V128) Lane(16);
    Vector 0x18 - 0x19 (V128) -> (I32) Lane(8);
    Vector 0x1a - 0x1a (V128 I32) -> (V128) Lane(8);
    Vector 0x1b - 0x1b (V128) -> (I32) Lane(4);
    Vector 0x1c - 0x1c (V128 I32) -> (V128) Lane(4);
    Vector 0x1d - 0x1d (V128) -> (I64) Lane(2);
    Vector 0x1e - 0x1e (V128 I64) -> (V128) Lane(2);
    Vector 0x1f - 0x1f (V128) -> (F32) Lane(4);
    Vector 0x20 - 0x20 (V128 F32) -> (V128) Lane(4);
    Vector 0x21 - 0x21 (V128) -> (F64) Lane(2);
    Vector 0x22 - 0x22 (V128 F64) -> (V128) Lane(2);
    // Comparisons and bits.
    Vector 0x23 - 0x4c (V128 V128) -> (V128) Plain;
    Vector 0x4d - 0x4d (V128) -> (V128) Plain;
    Vector 0x4e - 0x51 (V128 V128) -> (V128) Plain;
    Vector 0x52 - 0x52 (V128 V128 V128) -> (V128) Plain;
    Vector 0x53 - 0x53 (V128) -> (I32) Plain;
    // Lanes of 8 bits, with some rounding of floats between.
    Vector 0x5e - 0x5e (V128) -> (V128) NanLanes32;
    Vector 0x5f - 0x5f (V128) -> (V128) NanLanes64;
    Vector 0x60 - 0x62 (V128) -> (V128) Plain;
    Vector 0x63 - 0x64 (V128) -> (I32) Plain;
    Vector 0x65 - 0x66 (V128 V128) -> (V128) Plain;
    Vector 0x67 - 0x6a (V128) -> (V128) NanLanes32;
    Vector 0x6b - 0x6d (V128 I32) -> (V128) Plain;
    Vector 0x6e - 0x73 (V128 V128) -> (V128) Plain;
    Vector 0x74 - 0x75 (V128) -> (V128) NanLanes64;
    Vector 0x76 - 0x79 (V128 V128) -> (V128) Plain;
    Vector 0x7a - 0x7a (V128) -> (V128) NanLanes64;
    Vector 0x7b - 0x7b (V128 V128) -> (V128) Plain;
    Vector 0x7c - 0x7f (V128) -> (V128) Plain;
    // Of 16 bits.
    Vector 0x80 - 0x81 (V128) -> (V128) Plain;
    Vector 0x82 - 0x82 (V128 V128) -> (V128) Plain;
    Vector 0x83 - 0x84 (V128) -> (I32) Plain;
    Vector 0x85 - 0x86 (V128 V128) -> (V128) Plain;
    Vector 0x87 - 0x8a (V128) -> (V128) Plain;
    Vector 0x8b - 0x8d (V128 I32) -> (V128) Plain;
    Vector 0x8e - 0x93 (V128 V128) -> (V128) Plain;
    Vector 0x94 - 0x94 (V128) -> (V128) NanLanes64;
    Vector 0x95 - 0x99 (V128 V128) -> (V128) Plain;
    Vector 0x9b - 0x9f (V128 V128) -> (V128) Plain;
    // Of 32 bits.
    Vector 0xa0 - 0xa1 (V128) -> (V128) Plain;
    Vector 0xa3 - 0xa4 (V128) -> (I32) Plain;
    Vector 0xa7 - 0xaa (V128) -> (V128) Plain;
    Vector 0xab - 0xad (V128 I32) -> (V128) Plain;
    Vector 0xae - 0xae (V128 V128) -> (V128) Plain;
    Vector 0xb1 - 0xb1 (V128 V128) -> (V128) Plain;
    Vector 0xb5 - 0xba (V128 V128) -> (V128) Plain;
    Vector 0xbc - 0xbf (V128 V128) -> (V128) Plain;
    // Of 64 bits.
    Vector 0xc0 - 0xc1 (V128) -> (V128) Plain;
    Vector 0xc3 - 0xc4 (V128) -> (I32) Plain;
    Vector 0xc7 - 0xca (V128) -> (V128) Plain;
    Vector 0xcb - 0xcd (V128 I32) -> (V128) Plain;
    Vector 0xce - 0xce (V128 V128) -> (V128) Plain;
    Vector 0xd1 - 0xd1 (V128 V128) -> (V128) Plain;
    Vector 0xd5 - 0xdf (V128 V128) -> (V128) Plain;
    // Floats.
    Vector 0xe0 - 0xe1 (V128) -> (V128) Plain;
    Vector 0xe3 - 0xe3 (V128) -> (V128) NanLanes32;
    Vector 0xe4 - 0xe9 (V128 V128) -> (V128) NanLanes32;
    Vector 0xea - 0xeb (V128 V128) -> (V128) Plain;
    Vector 0xec - 0xed (V128) -> (V128) Plain;
    Vector 0xef - 0xef (V128) -> (V128) NanLanes64;
    Vector 0xf0 - 0xf5 (V128 V128) -> (V128) NanLanes64;
    Vector 0xf6 - 0xf7 (V128 V128) -> (V128) Plain;
    Vector 0xf8 - 0xff (V128) -> (V128) Plain;
    // Relaxed.
    Vector 0x100 - 0x100 (V128 V128) -> (V128) Plain;
    Vector 0x101 - 0x104 (V128) -> (V128) Plain;
    Vector 0x105 - 0x106 (V128 V128 V128) -> (V128) NanLanes32;
    Vector 0x107 - 0x108 (V128 V128 V128) -> (V128) NanLanes64;
    Vector 0x109 - 0x10c (V128 V128 V128) -> (V128) Plain;
    Vector 0x10d - 0x10e (V128 V128) -> (V128) NanLanes32;
    Vector 0x10f - 0x110 (V128 V128) -> (V128) NanLanes64;
    Vector 0x111 - 0x112 (V128 V128) -> (V128) Plain;
    // Not 0x113, about which Wasmtime is odd: see `compare`.
}
