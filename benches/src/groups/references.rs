//! References to host objects where guests keep them.

use anyhow::Result;

use crate::engines::{ALL, Loop};
use crate::suite::Suite;

const GUEST: &str = include_str!("../../guests/references.wat");

const LOOPS: &[Loop] = &[
    Loop::new("table.get", "table_get", "access").after("setup", 0),
    Loop::new("table.set", "table_set", "access").after("setup", 0),
    Loop::new("table.get and table.set", "table_move", "move").after("setup", 0),
    Loop::new("table.fill of 32", "table_fill", "fill").after("setup", 0),
    Loop::new("table.copy of 32", "table_copy", "copy").after("setup", 0),
    Loop::new("global.get", "global_get", "access").after("setup", 0),
    Loop::new("global.set", "global_set", "access").after("setup", 0),
    Loop::new("locals over calls", "locals", "call").after("setup", 0).operations(10.0),
];

pub fn run(suite: &mut Suite) -> Result<()> {
    suite.loops(GUEST, &ALL, LOOPS)
}
