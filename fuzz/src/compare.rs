//! Are two observations the same, and where they may differ although both sides are right.

use wasmparser::{Operator, Parser, Payload};

use crate::engines::observation::Observation;
use crate::features;
use crate::value::Outcome;

/// The result of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Same,
    /// They differ where they may.
    Excused(&'static str),
    /// They differ where they must not: a description.
    Different(String),
}

/// What it is called, and whether it applies to hostref's outcome and the other.
type Excuse = (&'static str, fn(&Outcome, &Outcome) -> bool);

/// Differences that the specification allows, or that are the other side's fault. Nothing is compared
/// after one of them.
const EXCUSES: [Excuse; 3] = [
    // Frames have different sizes, and how many there may be is the implementation's choice.
    ("one side ran out of stack", |ours, theirs| {
        let exhausted = Outcome::Trapped("call stack exhausted");
        *ours == exhausted || *theirs == exhausted
    }),
    // The specification's tests know only one at a time. Wasmtime looks at the alignment first, but
    // in `memory.atomic.notify` and the waits at the bounds.
    ("an atomic access was unaligned and outside", |ours, theirs| {
        let reasons = ["unaligned atomic", "out of bounds memory access"].map(Outcome::Trapped);
        reasons.contains(ours) && reasons.contains(theirs)
    }),
    // Changed bytes make types that only one side knows.
    ("hostref does not know structs and arrays yet", |ours, _| {
        let Outcome::Refused(text) = ours else { return false };
        !features::GC && text.0.contains("are not supported yet")
    }),
];

/// Why the other side's results for a module need not be right.
pub fn oddity(wasm: &[u8]) -> Option<&'static str> {
    let bodies = Parser::new(0).parse_all(wasm).filter_map(|payload| match payload.ok()? {
        Payload::CodeSectionEntry(body) => body.get_operators_reader().ok(),
        _ => None,
    });
    let mut operators = bodies.flatten().filter_map(Result::ok);
    // The deterministic profile adds products in lanes of 16 bits, which wrap around, before it
    // widens the sums: four times -128 * -128 is -65536. Wasmtime's result is 65536.
    operators
        .any(|operator| matches!(operator, Operator::I32x4RelaxedDotI8x16I7x16AddS))
        .then_some("Wasmtime does not wrap in i32x4.relaxed_dot_i8x16_i7x16_add_s")
}

/// Compares hostref's run with the other side's.
pub fn compare(ours: &Observation, theirs: &Observation) -> Verdict {
    let starts = std::iter::once(("instantiation".to_owned(), &ours.start, &theirs.start));
    let calls = ours.calls.iter().zip(&theirs.calls).enumerate();
    let calls = calls.map(|(index, (ours, theirs))| (format!("call {index}"), ours, theirs));
    for (what, ours, theirs) in starts.chain(calls) {
        let panicked = |outcome: &Outcome| matches!(outcome, Outcome::Panicked(_));
        if ours == theirs && !panicked(ours) {
            continue;
        }
        let excuse = EXCUSES.iter().find(|(_, applies)| applies(ours, theirs));
        return match excuse {
            Some((reason, _)) => Verdict::Excused(reason),
            None => different(&what, ours, theirs),
        };
    }
    if ours.calls.len() != theirs.calls.len() {
        return different("number of calls", &ours.calls.len(), &theirs.calls.len());
    }
    for (index, (ours, theirs)) in ours.host_calls.iter().zip(&theirs.host_calls).enumerate() {
        if ours != theirs {
            return different(&format!("host call {index}"), ours, theirs);
        }
    }
    if ours.host_calls.len() != theirs.host_calls.len() {
        return different("number of host calls", &ours.host_calls.len(), &theirs.host_calls.len());
    }
    for (ours, theirs) in ours.end.iter().zip(&theirs.end) {
        if ours != theirs {
            return different("export at the end", ours, theirs);
        }
    }
    Verdict::Same
}

fn different(what: &str, ours: &dyn std::fmt::Debug, theirs: &dyn std::fmt::Debug) -> Verdict {
    Verdict::Different(format!("{what}:\n  hostref  {ours:?}\n  expected {theirs:?}"))
}
