//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::engines::hostref::Mode;

/// What one run of the program does.
#[derive(Clone, Debug)]
pub struct Options {
    pub seed: u64,
    pub time: Duration,
    /// The first case.
    pub from: u64,
    /// Only this case.
    pub only: Option<u64>,
    /// Only cases of this kind.
    pub kind: Option<Kind>,
    /// Always this mode, rather than one by turns.
    pub mode: Option<Mode>,
    /// Where failing modules are written.
    pub failures: PathBuf,
}

/// The generators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Smith,
    Arithmetic,
    Directed,
    Mutated,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::Smith, Kind::Arithmetic, Kind::Directed, Kind::Mutated];
}

pub const USAGE: &str = "\
usage: hostref-fuzz [--seed N] [--minutes M] [--only CASE] [--from CASE]
                    [--kind KIND] [--mode MODE]
  KIND is one of Smith Arithmetic Directed Mutated
  MODE is one of Default Checked Stress Fuel Epoch Shallow Everything";

impl Options {
    /// The options that these arguments say.
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Options> {
        let mut options = Options {
            seed: 1,
            time: Duration::from_secs(60),
            from: 0,
            only: None,
            kind: None,
            mode: None,
            failures: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/failures")),
        };
        while let Some(name) = args.next() {
            let value = args.next().with_context(|| format!("{name} needs a value"))?;
            let number = || value.parse::<u64>().with_context(|| format!("{name} {value}"));
            match name.as_str() {
                "--seed" => options.seed = number()?,
                "--minutes" => {
                    let minutes: f64 = value.parse().with_context(|| format!("{name} {value}"))?;
                    options.time = Duration::try_from_secs_f64(minutes * 60.0)?;
                }
                "--only" => options.only = Some(number()?),
                "--from" => options.from = number()?,
                "--kind" => options.kind = Some(kind(&value)?),
                "--mode" => options.mode = Some(mode(&value)?),
                _ => bail!("there is no option {name}"),
            }
        }
        Ok(options)
    }

    /// The kind of a case.
    pub fn kind_of(&self, case: u64) -> Kind {
        self.kind.unwrap_or(Kind::ALL[(case % 4) as usize])
    }

    /// The mode that a case runs in.
    pub fn mode_of(&self, case: u64) -> Mode {
        self.mode.unwrap_or(Mode::ALL[(case / 4) as usize % Mode::ALL.len()])
    }
}

fn kind(name: &str) -> Result<Kind> {
    let kind = Kind::ALL.into_iter().find(|kind| format!("{kind:?}") == name);
    kind.with_context(|| format!("there is no kind {name}"))
}

fn mode(name: &str) -> Result<Mode> {
    let mode = Mode::ALL.into_iter().find(|mode| format!("{mode:?}") == name);
    mode.with_context(|| format!("there is no mode {name}"))
}
