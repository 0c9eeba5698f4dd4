//! Bulk operations on linear memories.

use anyhow::Result;

use crate::engines::{ALL, Loop};
use crate::suite::Suite;

const GUEST: &str = include_str!("../../guests/memory.wat");

const LOOPS: &[Loop] = &[
    Loop::new("memory.copy, 64 bytes constant", "copy64", "copy"),
    Loop::new("memory.copy, 16 bytes", "copy16_var", "copy"),
    Loop::new("memory.copy, 64 bytes", "copy64_var", "copy"),
    Loop::new("memory.copy, 1 KiB", "copy1k", "copy"),
    Loop::new("memory.copy, 64 KiB", "copy64k", "copy"),
    Loop::new("memory.fill, 64 bytes constant", "fill64", "fill"),
    Loop::new("memory.fill, 16 bytes", "fill16_var", "fill"),
    Loop::new("memory.fill, 64 bytes", "fill64_var", "fill"),
    Loop::new("memory.fill, 1 KiB", "fill1k", "fill"),
    Loop::new("memory.fill, 64 KiB", "fill64k", "fill"),
    Loop::new("memory.size", "size", "size"),
    Loop::new("memory.grow by 0", "grow0", "grow"),
];

pub fn run(suite: &mut Suite) -> Result<()> {
    suite.loops(GUEST, &ALL, LOOPS)
}
