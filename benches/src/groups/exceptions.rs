//! Exceptions that guests throw and catch.

use anyhow::Result;

use crate::engines::{COMPILERS, Loop};
use crate::suite::Suite;

const GUEST: &str = include_str!("../../guests/exceptions.wat");

const LOOPS: &[Loop] = &[
    Loop::new("caught in the same function", "same_function", "throw"),
    Loop::new("caught one frame up", "one_frame", "throw"),
    Loop::new("caught one frame up, direct call", "one_frame_direct", "throw"),
    Loop::new("caught ten frames up", "ten_frames", "throw"),
    Loop::new("caught with its reference", "catch_ref", "throw"),
    Loop::new("try_table, nothing thrown", "no_throw", "call"),
];

pub fn run(suite: &mut Suite) -> Result<()> {
    suite.loops(GUEST, &COMPILERS, LOOPS)
}
