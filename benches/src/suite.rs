//! What groups of workloads are given: measures those that were asked for, prints them, keeps the rows.

use anyhow::{Context as _, Result};

use crate::engines::{Loop, Peer};
use crate::measure::{self, Clock, Gauge, Run, Settings, Turns};
use crate::results::{Figure, NATIVE, Row, Unit};
use crate::table;

/// A run in the making.
pub struct Suite {
    settings: Settings,
    /// Words of which one must occur in `group/workload`; none for all.
    filters: Vec<String>,
    group: &'static str,
    rows: Vec<Row>,
    /// Names only, nothing is measured.
    list: bool,
}

/// One workload with the engines that do it.
pub struct Contest {
    runs: Vec<(&'static str, Run)>,
    /// Operations in each turn, for which the figures are.
    operations: f64,
    check: u32,
    turns: Turns,
    clock: Clock,
}

impl Suite {
    pub fn new(settings: Settings, filters: Vec<String>, list: bool) -> Suite {
        Suite { settings, filters, group: "", rows: Vec::new(), list }
    }

    /// Runs one group.
    pub fn group(&mut self, name: &'static str, group: fn(&mut Suite) -> Result<()>) -> Result<()> {
        self.group = name;
        group(self).with_context(|| format!("group {name}"))
    }

    pub fn into_rows(self) -> Vec<Row> {
        self.rows
    }

    /// Times one workload, whose figures are `per` something.
    pub fn time(
        &mut self,
        workload: &str,
        per: &str,
        enter: impl FnOnce(&mut Contest) -> Result<()>,
    ) -> Result<()> {
        if !self.wants(workload) {
            return Ok(());
        }
        let mut contest = Contest::new();
        let samples = enter(&mut contest)
            .and_then(|()| contest.samples(&self.settings))
            .with_context(|| workload.to_owned())?;
        if contest.runs.is_empty() {
            eprintln!("{workload}: nothing to compare");
            return Ok(());
        }
        let engines = contest.runs.iter().map(|(engine, _)| *engine);
        self.keep(workload, Unit::Nanoseconds, per, engines.zip(samples));
        Ok(())
    }

    /// Takes figures other than the mean time of a turn, a few of each.
    pub fn gauge(
        &mut self,
        workload: &str,
        unit: Unit,
        per: &str,
        gauges: impl FnOnce() -> Result<Vec<(&'static str, Gauge)>>,
    ) -> Result<()> {
        const ROUNDS: u32 = 5;
        if !self.wants(workload) {
            return Ok(());
        }
        let mut gauges = gauges().with_context(|| workload.to_owned())?;
        let samples = measure::figures(&mut gauges, ROUNDS).with_context(|| workload.to_owned())?;
        let engines = gauges.iter().map(|(engine, _)| *engine);
        self.keep(workload, unit, per, engines.zip(samples));
        Ok(())
    }

    /// Times loops of one guest in several engines, and in Rust where a loop says how.
    pub fn loops(&mut self, guest: &'static str, peers: &[Peer], loops: &[Loop]) -> Result<()> {
        for each in loops {
            self.time(each.workload, each.per, |contest| {
                contest.operations(each.operations);
                for peer in peers {
                    contest.enter(peer.name, (peer.guest_loop)(guest, each)?);
                }
                if let Some(native) = each.native {
                    contest.enter(NATIVE, move |turns| Ok(native(turns).into()));
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn wants(&self, workload: &str) -> bool {
        let name = format!("{}/{workload}", self.group);
        let wanted = self.filters.is_empty() || self.filters.iter().any(|part| name.contains(part));
        if wanted && self.list {
            println!("{name}");
        }
        wanted && !self.list
    }

    fn keep(
        &mut self,
        workload: &str,
        unit: Unit,
        per: &str,
        figures: impl Iterator<Item = (&'static str, Vec<f64>)>,
    ) {
        let figures = figures
            .map(|(engine, samples)| Figure { engine: engine.to_owned(), samples })
            .collect();
        let row = Row {
            group: self.group.to_owned(),
            workload: workload.to_owned(),
            unit,
            per: per.to_owned(),
            figures,
        };
        let new = self.rows.last().is_none_or(|last| last.group != row.group);
        table::print(&row, new);
        self.rows.push(row);
    }
}

impl Contest {
    fn new() -> Contest {
        Contest {
            runs: Vec::new(),
            operations: 1.0,
            check: 5,
            turns: Turns::Calibrated,
            clock: Clock::Thread,
        }
    }

    /// Lets an engine take part.
    pub fn enter(
        &mut self,
        engine: &'static str,
        run: impl FnMut(u32) -> Result<u64> + 'static,
    ) -> &mut Contest {
        self.runs.push((engine, Box::new(run)));
        self
    }

    /// Says how many operations a turn has, for which the figures are.
    pub fn operations(&mut self, operations: f64) -> &mut Contest {
        self.operations = operations;
        self
    }

    /// For turns that take long: one to a batch.
    pub fn single_turns(&mut self) -> &mut Contest {
        self.check = 1;
        self.turns = Turns::Checked;
        self
    }

    /// For work that several threads share.
    pub fn wall_clock(&mut self) -> &mut Contest {
        self.clock = Clock::Wall;
        self
    }

    fn samples(&mut self, settings: &Settings) -> Result<Vec<Vec<f64>>> {
        let mut samples =
            measure::times(&mut self.runs, self.check, self.turns, self.clock, settings)?;
        samples.iter_mut().flatten().for_each(|sample| *sample /= self.operations);
        Ok(samples)
    }
}
