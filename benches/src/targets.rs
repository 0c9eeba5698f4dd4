//! What hostref is meant to take, as data: nanoseconds, beside those that Wasmtime took on the same machine
//! when the target was set. Machines differ, and so does what else they do: the ratio of the two counts as
//! well as the time.

use crate::results::{HOSTREF, Results, Row, WASMTIME};

/// The ratio to Wasmtime below which a workload counts as slower.
pub const PARITY: f64 = 0.95;

/// A target for one workload.
pub struct Target {
    pub group: &'static str,
    pub workload: &'static str,
    /// What hostref may take.
    pub limit: f64,
    /// What Wasmtime took.
    pub reference: f64,
}

/// A target beside what a run has found.
pub struct Verdict<'a> {
    pub target: &'static Target,
    pub row: &'a Row,
    /// How many times as much Wasmtime takes.
    pub ratio: f64,
}

impl Target {
    const fn new(
        group: &'static str,
        workload: &'static str,
        limit: f64,
        reference: f64,
    ) -> Target {
        Target { group, workload, limit, reference }
    }

    /// How many times as much Wasmtime should take.
    pub fn ratio(&self) -> f64 {
        self.reference / self.limit
    }
}

impl Verdict<'_> {
    /// Whether the target is met, by the ratio and by the time.
    pub fn met(&self) -> (bool, bool) {
        (self.ratio >= self.target.ratio(), self.times().0 <= self.target.limit)
    }

    /// What hostref and Wasmtime took, in nanoseconds.
    pub fn times(&self) -> (f64, f64) {
        let min = |engine| self.row.figure(engine).map_or(f64::NAN, |figure| figure.min());
        (min(HOSTREF), min(WASMTIME))
    }
}

pub const TARGETS: &[Target] = &[
    Target::new("host to Wasm", "(i32 i64) -> f32", 8.0, 20.0),
    Target::new("host to Wasm", "two externrefs in, one out", 14.0, 116.0),
    Target::new("host to Wasm", "untyped (i32 i64) -> f32", 40.0, 244.0),
    Target::new("host to Wasm", "ExternRef::new in a scope", 30.0, 85.0),
    Target::new("Wasm to host", "(i32 i32) -> i32", 4.0, 4.8),
    Target::new("Wasm to host", "state of the store", 4.0, 4.8),
    Target::new("Wasm to host", "&T", 5.0, 37.0),
    Target::new("Wasm to host", "&T and &T", 7.0, 65.0),
    Target::new("Wasm to host", "New<T>", 30.0, 115.0),
    Target::new("Wasm to host", "concat of two texts", 75.0, 230.0),
    Target::new("gc", "trees of depth 5", 9.0, 13.3),
    Target::new("gc", "trees of depth 16", 12.0, 15.3),
    Target::new("gc", "trees of depth 5, 4.2 M nodes alive", 11.0, 34.9),
    Target::new("arrays and casts", "array.new_default 4 i32", 7.0, 35.7),
    Target::new("arrays and casts", "array.new_default 256 i32", 60.0, 773.0),
    Target::new("arrays and casts", "array.get i32", 0.8, 1.3),
    Target::new("arrays and casts", "array.set i32", 0.8, 1.6),
    Target::new("arrays and casts", "array.copy 1,024 references", 90.0, 704.0),
    Target::new("arrays and casts", "array.fill 1,024 i32", 70.0, 358.0),
    Target::new("arrays and casts", "ref.cast", 2.2, 6.4),
    Target::new("arrays and casts", "two ref.test", 2.0, 7.4),
    Target::new("arrays and casts", "br_on_cast, chain of 4", 4.0, 14.3),
    Target::new("compute", "ref.func and call_ref", 2.5, 52.0),
    Target::new("compute", "return_call_indirect", 1.5, 5.9),
    Target::new("exceptions", "caught in the same function", 20.0, 157.0),
    Target::new("exceptions", "caught one frame up", 100.0, 214.0),
    Target::new("exceptions", "caught ten frames up", 350.0, 733.0),
    Target::new("failures", "unreachable, no backtrace", 150.0, 4200.0),
    Target::new("failures", "memory access outside, no backtrace", 2000.0, 2300.0),
    Target::new("failures", "unreachable", 600.0, 5000.0),
    Target::new("instances", "store and instance, small", 2500.0, 6700.0),
];

/// The targets of the workloads that a run has measured.
pub fn verdicts(results: &Results) -> Vec<Verdict<'_>> {
    let verdict = |target: &'static Target| {
        let row = results.row(target.group, target.workload)?;
        Some(Verdict { target, row, ratio: row.ratio()? })
    };
    TARGETS.iter().filter_map(verdict).collect()
}
