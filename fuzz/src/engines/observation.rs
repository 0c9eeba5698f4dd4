//! What a run of a module shows.

use std::fmt;

use crate::value::{Outcome, Value};

/// All that is compared of one run.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Compiling and instantiating.
    pub start: Outcome,
    /// The calls of the plan, in order.
    pub calls: Vec<Outcome>,
    /// What host functions were called with, in order.
    pub host_calls: Vec<HostCall>,
    /// The exports at the end.
    pub end: Vec<(String, State)>,
}

/// One call of a host function: the number of its import, and the arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostCall {
    pub import: usize,
    pub args: Vec<Value>,
}

/// The state of an export.
#[derive(Clone, PartialEq, Eq)]
pub enum State {
    Global(Value),
    Table(Vec<Value>),
    /// Bytes and their hash.
    Memory(usize, u64),
}

impl Observation {
    /// A run that went no further than its start.
    pub fn refused(start: Outcome) -> Observation {
        Observation { start, calls: Vec::new(), host_calls: Vec::new(), end: Vec::new() }
    }
}

impl State {
    /// The state of a memory with these bytes.
    pub fn memory(bytes: &[u8]) -> State {
        let (words, rest) = bytes.as_chunks::<8>();
        let step = |hash: u64, word: u64| {
            (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
        };
        let hash = words.iter().fold(1, |hash, word| step(hash, u64::from_le_bytes(*word)));
        State::Memory(
            bytes.len(),
            rest.iter().fold(hash, |hash, byte| step(hash, u64::from(*byte))),
        )
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            State::Global(value) => write!(f, "global {value:?}"),
            State::Table(elements) => write!(f, "table {elements:?}"),
            State::Memory(len, hash) => write!(f, "memory of {len} bytes, hash {hash:#x}"),
        }
    }
}
