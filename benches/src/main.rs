//! The command line of the benchmarks: `run`, `list`, `report` and `chart`.

#![allow(
    clippy::needless_question_mark,
    reason = "the same lines convert the errors of one engine, and have none to convert with another"
)]

mod chart;
mod engines;
mod footprint;
mod groups;
mod host;
mod machine;
mod measure;
mod modules;
mod report;
mod results;
mod suite;
mod table;
mod targets;

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

use crate::measure::Settings;
use crate::results::Results;
use crate::suite::Suite;

const USAGE: &str = "\
usage: hostref-benches [run] [--quick] [PART..]   measures workloads whose `group/name` contains a PART
       hostref-benches list [PART..]              names them
       hostref-benches report [--quick]           measures all, then writes RESULTS.md and chart.svg
       hostref-benches report --from JSON         writes them from an earlier run
`run` writes results/latest.json and results/latest.csv.";

const RESULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results");
const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/RESULTS.md");
const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/chart.svg");

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match without_backtraces(&args).and_then(|()| command(&args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

/// Starts again without `RUST_BACKTRACE`: with it, the errors of all engines capture backtraces of Rust, and
/// failures cost twenty times as much.
fn without_backtraces(args: &[String]) -> Result<()> {
    const NAME: &str = "RUST_BACKTRACE";
    if std::env::var_os(NAME).is_none() {
        return Ok(());
    }
    let error = Command::new(std::env::current_exe()?).args(args).env_remove(NAME).exec();
    Err(error).context("starting again without RUST_BACKTRACE")
}

fn command(args: &[String]) -> Result<()> {
    match args.split_first().map(|(name, rest)| (name.as_str(), rest)) {
        Some((footprint::COMMAND, rest)) => footprint::child(rest),
        Some(("list", rest)) => groups::run(&mut Suite::new(Settings::QUICK, rest.to_vec(), true)),
        Some(("report", [from, json])) if from == "--from" => {
            write_report(&serde_json::from_str(&fs::read_to_string(json)?)?)
        }
        Some(("report", rest)) => write_report(&run(rest)?),
        Some(("run", rest)) => run(rest).map(drop),
        Some(("help" | "--help" | "-h", _)) => {
            println!("{USAGE}");
            Ok(())
        }
        _ => run(args).map(drop),
    }
}

/// Measures, and writes what was found as JSON and CSV, also when a workload fails.
fn run(args: &[String]) -> Result<Results> {
    let (mut quick, mut filters) = (false, Vec::new());
    for arg in args {
        match arg.as_str() {
            "--quick" => quick = true,
            option if option.starts_with('-') => bail!("no option {option}\n{USAGE}"),
            filter => filters.push(filter.to_owned()),
        }
    }
    let settings = if quick { Settings::QUICK } else { Settings::FULL };
    let mut suite = Suite::new(settings, filters, false);
    let outcome = groups::run(&mut suite);
    let results = machine::results(quick, suite.into_rows())?;
    fs::create_dir_all(RESULTS).context(RESULTS)?;
    fs::write(format!("{RESULTS}/latest.json"), serde_json::to_string(&results)?)?;
    fs::write(format!("{RESULTS}/latest.csv"), results.to_csv())?;
    outcome.map(|()| results)
}

fn write_report(results: &Results) -> Result<()> {
    fs::write(REPORT, report::markdown(results)).context(REPORT)?;
    fs::write(CHART, chart::svg(results)).context(CHART)?;
    println!("\nwritten: {REPORT}\nwritten: {CHART}");
    Ok(())
}
