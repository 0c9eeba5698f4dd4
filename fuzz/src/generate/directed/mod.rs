//! Our own generator, for what wasm-smith seldom writes: references that move between locals,
//! tables, globals, exceptions and the host while it collects.
//!
//! A [`program::Program`] is a tree of nodes. Each node knows the Wasm that it stands for and what it
//! means: a [`model::Run`] executes the tree in plain Rust, and says what the host must observe and
//! which host objects must be alive after every step. Nodes stand in families, one file each; a new
//! family (such as structs and casts) is a new file and one line in [`FAMILIES`].

mod build;
mod calls;
mod control;
mod exceptions;
mod host;
mod model;
mod moves;
mod program;
mod side;

pub use model::expected;
pub use program::Program;
pub use side::run;

use build::Builder;
use program::{Expr, Type};

/// The first line in which two logs differ, with what comes before it.
pub fn difference(ours: &[String], expected: &[String]) -> Option<String> {
    let end = ours.len().max(expected.len());
    let line = (0..end).find(|line| ours.get(*line) != expected.get(*line))?;
    let before = expected[..line.min(expected.len())].iter().rev().take(5).rev();
    let before: Vec<&str> = before.map(String::as_str).collect();
    let (ours, expected) = (ours.get(line), expected.get(line));
    Some(format!(
        "log line {line}, after {before:?}:\n  hostref  {ours:?}\n  expected {expected:?}"
    ))
}

/// Drops steps and function bodies without which the program still fails.
pub fn shrink(program: &mut Program, fails: impl Fn(&Program) -> bool) {
    for index in (0..program.steps.len()).rev() {
        let step = program.steps.remove(index);
        if !fails(program) {
            program.steps.insert(index, step);
        }
    }
    for index in 0..program.functions.len() {
        program.functions[index].dropped = true;
        program.functions[index].dropped = fails(program);
    }
}

/// Makes a node of a type, if it has one.
type Family = fn(&mut Builder<'_>, Type) -> Option<Expr>;

/// Where nodes come from. Those that stand twice are chosen twice as often.
const FAMILIES: [Family; 8] = [
    moves::node,
    moves::node,
    moves::node,
    control::node,
    calls::node,
    exceptions::node,
    host::node,
    host::node,
];
