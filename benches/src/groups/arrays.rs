//! Arrays of numbers and of references, and casts of references.

use anyhow::Result;

use crate::engines::{COMPILERS, Loop};
use crate::suite::Suite;

const ARRAYS: &str = include_str!("../../guests/arrays.wat");
const CASTS: &str = include_str!("../../guests/casts.wat");

/// A pass over 1,024 elements.
const fn pass(workload: &'static str, export: &'static str) -> Loop {
    Loop::new(workload, export, "element").operations(1024.0).after("setup", 1024)
}

/// One operation on arrays of 1,024 elements.
const fn whole(workload: &'static str, export: &'static str) -> Loop {
    Loop::new(workload, export, "array").after("setup", 1024)
}

const ARRAY_LOOPS: &[Loop] = &[
    pass("array.get i32", "get_i32"),
    pass("array.set i32", "set_i32"),
    pass("array.get reference", "get_ref"),
    pass("array.set reference", "set_ref"),
    whole("array.set of young in old", "set_young"),
    whole("array.new_default 4 i32", "new4"),
    whole("array.new_default 256 i32", "new256"),
    whole("array.new 4 references", "new4_ref"),
    whole("array.new_fixed 4 i32", "new_fixed4"),
    whole("array.copy 1,024 i32", "copy_i32"),
    whole("array.copy 1,024 references", "copy_ref"),
    whole("array.fill 1,024 i32", "fill_i32"),
    whole("array.fill 1,024 references", "fill_ref"),
];

const CAST_LOOPS: &[Loop] = &[
    pass("struct.get, no cast", "load"),
    pass("ref.cast", "ref_cast"),
    pass("two ref.test", "ref_test"),
    pass("br_on_cast, chain of 4", "br_on_cast"),
];

pub fn run(suite: &mut Suite) -> Result<()> {
    suite.loops(ARRAYS, &COMPILERS, ARRAY_LOOPS)?;
    suite.loops(CASTS, &COMPILERS, CAST_LOOPS)
}
