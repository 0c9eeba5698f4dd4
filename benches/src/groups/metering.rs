//! What it costs to keep guests within bounds of time: the loops of the group `compute` again.

use anyhow::Result;

use crate::engines::{Loop, WITH_EPOCHS, WITH_FUEL};
use crate::suite::Suite;

const GUEST: &str = include_str!("../../guests/compute.wat");

const FUEL: &[Loop] = &[
    Loop::new("fib, fuel", "fib", "call").operations(21_891.0),
    Loop::new("sieve to 100,000, fuel", "sieve", "sieve"),
    Loop::new("FNV-1a, fuel", "fnv", "byte").operations(65_536.0),
    Loop::new("interpreter with br_table, fuel", "interpreter", "bytecode").operations(6.0),
];

const EPOCHS: &[Loop] = &[
    Loop::new("fib, epochs", "fib", "call").operations(21_891.0),
    Loop::new("sieve to 100,000, epochs", "sieve", "sieve"),
    Loop::new("FNV-1a, epochs", "fnv", "byte").operations(65_536.0),
    Loop::new("interpreter with br_table, epochs", "interpreter", "bytecode").operations(6.0),
];

pub fn run(suite: &mut Suite) -> Result<()> {
    suite.loops(GUEST, &WITH_FUEL, FUEL)?;
    suite.loops(GUEST, &WITH_EPOCHS, EPOCHS)
}
