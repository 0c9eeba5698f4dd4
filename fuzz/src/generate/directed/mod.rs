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
pub use side::{Observed, run};

use crate::compare::Verdict;
use build::Builder;
use program::{Expr, Type};

/// Compares what happened with the model's log.
pub fn compare(ours: &Observed, expected: &[String]) -> Verdict {
    if let Some(wrong) = ours.drops.first() {
        return Verdict::Different(wrong.clone());
    }
    if ours.exhausted {
        return Verdict::Excused("a program ran out of stack");
    }
    let end = ours.log.len().max(expected.len());
    let differs = |line: &usize| ours.log.get(*line) != expected.get(*line);
    let Some(line) = (0..end).find(differs) else { return Verdict::Same };
    let before = &expected[line.min(expected.len()).saturating_sub(5)..line.min(expected.len())];
    let (ours, expected) = (ours.log.get(line), expected.get(line));
    Verdict::Different(format!(
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
