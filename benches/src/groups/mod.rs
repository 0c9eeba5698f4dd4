//! The groups of workloads: one file each.

mod arrays;
mod calls_in;
mod calls_out;
mod compile;
mod compute;
mod exceptions;
mod failures;
mod gc;
mod growth;
mod instances;
mod memory;
mod metering;
mod references;

use anyhow::Result;

use crate::suite::Suite;

/// All groups, in the order of the report.
pub fn run(suite: &mut Suite) -> Result<()> {
    suite.group("host to Wasm", calls_in::run)?;
    suite.group("Wasm to host", calls_out::run)?;
    suite.group("references", references::run)?;
    suite.group("gc", gc::run)?;
    suite.group("arrays and casts", arrays::run)?;
    suite.group("compute", compute::run)?;
    suite.group("metering", metering::run)?;
    suite.group("exceptions", exceptions::run)?;
    suite.group("memory", memory::run)?;
    suite.group("failures", failures::run)?;
    suite.group("instances", instances::run)?;
    suite.group("compile", compile::run)?;
    suite.group("growth", growth::run)
}
