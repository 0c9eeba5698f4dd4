//! Plain computing, calls within the guest, vectors: what the compiler alone decides.

use anyhow::Result;

use crate::engines::{ALL, COMPILERS, Loop};
use crate::suite::Suite;

const COMPUTE: &str = include_str!("../../guests/compute.wat");
const CALLS: &str = include_str!("../../guests/calls.wat");
const FUNCREFS: &str = include_str!("../../guests/funcrefs.wat");
const SIMD: &str = include_str!("../../guests/simd.wat");

const COMPUTE_LOOPS: &[Loop] = &[
    Loop::new("fib, recursive", "fib", "call").operations(21_891.0).native(native::fib),
    Loop::new("matrix product, 128 x 128", "matmul", "f64 mul+add").operations(2_097_152.0),
    Loop::new("sieve to 100,000", "sieve", "sieve").native(native::sieve),
    Loop::new("FNV-1a", "fnv", "byte").operations(65_536.0).native(native::fnv),
    Loop::new("SipHash rounds", "siphash", "8 bytes").operations(8192.0),
    Loop::new("interpreter with br_table", "interpreter", "bytecode").operations(6.0),
    Loop::new("pointer chase", "chase", "load"),
    Loop::new("n-body", "nbody", "step"),
];

const CALL_LOOPS: &[Loop] = &[
    Loop::new("direct calls", "direct", "call").operations(2.0),
    Loop::new("call_indirect, one target", "indirect_one", "call"),
    Loop::new("call_indirect, eight targets", "indirect_eight", "call"),
    Loop::new("return_call", "return_call", "call"),
    Loop::new("return_call_indirect", "return_call_indirect", "call"),
];

const FUNCREF_LOOPS: &[Loop] = &[
    Loop::new("call_ref, one target", "call_ref_one", "call"),
    Loop::new("call_ref, eight targets", "call_ref_eight", "call"),
    Loop::new("ref.func and call_ref", "ref_func", "call"),
    Loop::new("return_call_ref", "return_call_ref", "call"),
];

const SIMD_LOOPS: &[Loop] = &[
    Loop::new("SIMD dot product", "dot", "vector").operations(4096.0),
    Loop::new("SIMD blend of bytes", "blend", "vector").operations(4096.0),
];

pub fn run(suite: &mut Suite) -> Result<()> {
    suite.loops(COMPUTE, &ALL, COMPUTE_LOOPS)?;
    suite.loops(CALLS, &ALL, CALL_LOOPS)?;
    suite.loops(FUNCREFS, &COMPILERS, FUNCREF_LOOPS)?;
    suite.loops(SIMD, &ALL, SIMD_LOOPS)
}

/// Some of the loops as Rust.
mod native {
    use std::hint::black_box;

    pub(super) fn fib(turns: u32) -> u32 {
        fn fib(n: i32) -> u32 {
            if n < 2 { n.cast_unsigned() } else { fib(n - 1).wrapping_add(fib(n - 2)) }
        }
        (0..turns).fold(0, |sum, _| sum.wrapping_add(fib(black_box(20))))
    }

    pub(super) fn sieve(turns: u32) -> u32 {
        const END: usize = 100_000;
        let mut prime = vec![1_u8; END];
        let mut count = 0;
        for _ in 0..turns {
            prime.fill(1);
            for i in 2..317 {
                if prime[i] != 0 {
                    (i * i..END).step_by(i).for_each(|j| prime[j] = 0);
                }
            }
            count = black_box(&prime)[2..].iter().map(|byte| u32::from(*byte)).sum();
        }
        count
    }

    pub(super) fn fnv(turns: u32) -> u32 {
        let bytes = black_box(vec![0_u8; 65_536]);
        let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        (0..turns).fold(0x811c_9dc5, |hash, _| bytes.iter().fold(hash, step))
    }
}
