//! Structs and the collector: allocation, garbage beside much that lives, pauses, and the memory it takes.

use std::time::Duration;

use anyhow::Result;

use crate::engines::{COMPILERS, Loop, per_engine};
use crate::footprint::{self, Load};
use crate::measure::{Clock, Gauge};
use crate::results::{HOSTREF, Unit, WASMTIME};
use crate::suite::Suite;

const TREES: &str = include_str!("../../guests/trees.wat");
const BOXES: &str = include_str!("../../guests/boxes.wat");
const CALLS_OUT: &str = include_str!("../../guests/calls_out.wat");

const SMALL: f64 = 63.0;
const LARGE: f64 = 131_071.0;

const TREE_LOOPS: &[Loop] = &[
    Loop::new("trees of depth 5", "depth5", "node").operations(SMALL).native(native::<5>),
    Loop::new("trees of depth 16", "depth16", "node").operations(LARGE).native(native::<16>),
    Loop::new("lists of 1,000: build, reverse, sum", "list", "element").operations(1000.0),
    Loop::new("walk of a tree of depth 16", "walk", "node").operations(LARGE).after("keep", 16),
    // 4.2 million nodes: 64 MiB of 16-byte objects.
    Loop::new("trees of depth 5, 4.2 M nodes alive", "depth5", "node")
        .operations(SMALL)
        .after("keep", 21),
];

const BOX_LOOPS: &[Loop] = &[
    Loop::new("boxed floats, recursive", "floats", "call").operations(1973.0),
    Loop::new("i31 arithmetic through anyref", "i31", "turn"),
];

const HOST_LOOPS: &[Loop] = &[Loop::new("externrefs that the host makes", "fresh", "object")];

pub fn run(suite: &mut Suite) -> Result<()> {
    suite.loops(TREES, &COMPILERS, TREE_LOOPS)?;
    suite.loops(BOXES, &COMPILERS, BOX_LOOPS)?;
    suite.loops(CALLS_OUT, &COMPILERS, HOST_LOOPS)?;
    for (workload, depth) in [
        ("longest call, 1 K nodes alive", 9),
        ("longest call, 131 K nodes alive", 16),
        ("longest call, 4.2 M nodes alive", 21),
    ] {
        suite.gauge(workload, Unit::Nanoseconds, "pause", || pauses(depth))?;
    }
    for (workload, depth) in
        [("peak memory, 131 K nodes alive", 16), ("peak memory, 4.2 M alive", 21)]
    {
        suite.gauge(workload, Unit::Bytes, "process", || {
            Ok(footprint::gauges(Load::Garbage { depth }, &[HOSTREF, WASMTIME]))
        })?;
    }
    Ok(())
}

/// The longest of many calls that make and drop one small tree each, beside a tree of the given depth.
fn pauses(depth: i32) -> Result<Vec<(&'static str, Gauge)>> {
    const CALLS: u32 = 20_000;
    let mut gauges: Vec<(&'static str, Gauge)> = Vec::new();
    per_engine!(rt in [hostref, wasmtime] {
        let (mut store, instance) = rt::instance(TREES)?;
        instance.get_typed_func::<i32, i32>(&mut store, "keep")?.call(&mut store, depth)?;
        let call = instance.get_typed_func::<i32, i32>(&mut store, "depth5")?;
        gauges.push((rt::NAME, Box::new(move || {
            let mut longest = Duration::ZERO;
            for _ in 0..CALLS {
                let time = Clock::Thread.time(|| Ok(call.call(&mut store, 1)?))?;
                longest = longest.max(time);
            }
            Ok(longest.as_nanos() as f64)
        })));
    });
    Ok(gauges)
}

/// The same trees in Rust, each node in a box.
fn native<const DEPTH: u32>(turns: u32) -> u32 {
    struct Tree(Option<Box<Tree>>, Option<Box<Tree>>);
    fn make(depth: u32) -> Box<Tree> {
        match depth {
            0 => Box::new(Tree(None, None)),
            depth => Box::new(Tree(Some(make(depth - 1)), Some(make(depth - 1)))),
        }
    }
    fn count(tree: &Tree) -> u32 {
        let branch = |branch: &Option<Box<Tree>>| branch.as_deref().map_or(0, count);
        1 + branch(&tree.0) + branch(&tree.1)
    }
    (0..turns).fold(0, |nodes, _| nodes.wrapping_add(count(&make(DEPTH))))
}
