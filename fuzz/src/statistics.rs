//! What has been run, in numbers.

use std::collections::BTreeMap;
use std::fmt;

use crate::engines::hostref::Mode;
use crate::engines::observation::Observation;
use crate::options::Kind;
use crate::value::Outcome;

/// Counters of one run of the program.
#[derive(Default)]
pub struct Statistics {
    modules: BTreeMap<String, Count>,
    outcomes: BTreeMap<String, u64>,
    excused: BTreeMap<&'static str, u64>,
    not_made: BTreeMap<String, u64>,
    pub failures: u64,
}

#[derive(Clone, Copy, Default)]
struct Count {
    modules: u64,
    calls: u64,
    host_calls: u64,
}

impl Statistics {
    /// Notes a run of hostref.
    pub fn ran(&mut self, kind: Kind, mode: Mode, ours: &Observation) {
        let count = self.modules.entry(format!("{kind:?} {mode:?}")).or_default();
        count.modules += 1;
        count.calls += ours.calls.len() as u64;
        count.host_calls += ours.host_calls.len() as u64;
        *self.outcomes.entry(format!("instantiation {}", name(&ours.start))).or_default() += 1;
        for call in &ours.calls {
            *self.outcomes.entry(format!("call {}", name(call))).or_default() += 1;
        }
    }

    /// Notes a run of a directed program by its log.
    pub fn ran_directed(&mut self, mode: Mode, log: &[String]) {
        let count = self.modules.entry(format!("{:?} {mode:?}", Kind::Directed)).or_default();
        count.modules += 1;
        for line in log {
            let outcome = ["returned", "trapped: ", "threw", "host error"]
                .into_iter()
                .find(|outcome| line.starts_with(outcome));
            count.calls += u64::from(outcome.is_some());
            count.host_calls += u64::from(line.starts_with("note"));
            let outcome = match outcome {
                Some("trapped: ") => line.as_str(),
                Some("host error") => "failed in a host function",
                Some(outcome) => outcome,
                None => continue,
            };
            *self.outcomes.entry(format!("call {outcome}")).or_default() += 1;
        }
    }

    /// Notes a run that was not compared to its end.
    pub fn excused(&mut self, reason: &'static str) {
        *self.excused.entry(reason).or_default() += 1;
    }

    /// Notes a case without a module.
    pub fn not_made(&mut self, reason: &anyhow::Error) {
        *self.not_made.entry(reason.to_string()).or_default() += 1;
    }
}

fn name(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Returned(_) => "returned".to_owned(),
        Outcome::Trapped(trap) => format!("trapped: {trap}"),
        Outcome::Threw(_) => "threw".to_owned(),
        Outcome::HostError(_) => "failed in a host function".to_owned(),
        Outcome::Refused(_) => "refused".to_owned(),
        Outcome::Panicked(_) => "panicked".to_owned(),
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sum = Count::default();
        for (what, count) in &self.modules {
            let Count { modules, calls, host_calls } = *count;
            writeln!(f, "{what:20} {modules:8} modules {calls:9} calls {host_calls:9} host calls")?;
            sum.modules += modules;
            sum.calls += calls;
            sum.host_calls += host_calls;
        }
        let Count { modules, calls, host_calls } = sum;
        writeln!(f, "{:20} {modules:8} modules {calls:9} calls {host_calls:9} host calls", "all")?;
        for (what, count) in &self.outcomes {
            writeln!(f, "{count:10} {what}")?;
        }
        for (what, count) in &self.excused {
            writeln!(f, "{count:10} excused: {what}")?;
        }
        for (what, count) in &self.not_made {
            writeln!(f, "{count:10} not made: {what}")?;
        }
        write!(f, "{:10} failures", self.failures)
    }
}
