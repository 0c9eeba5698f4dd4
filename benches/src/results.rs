//! What a run has found, as data: rows of figures, written and read as JSON, written as CSV.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// The names of the engines in results.
pub const HOSTREF: &str = "hostref";
pub const WASMTIME: &str = "wasmtime";
pub const WASMI: &str = "wasmi";
/// The same work in Rust, without any guest.
pub const NATIVE: &str = "native";

/// One run.
#[derive(Serialize, Deserialize)]
pub struct Results {
    /// Year, month and day.
    pub date: String,
    /// Processor, cores and kernel.
    pub machine: String,
    /// Versions of the engines and of the compiler.
    pub versions: Vec<String>,
    /// Whether the run was a first look.
    pub quick: bool,
    /// Workloads, in the order in which they were measured.
    pub rows: Vec<Row>,
}

/// One workload.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub group: String,
    pub workload: String,
    pub unit: Unit,
    /// What the figures are for: a call, a node, a byte.
    pub per: String,
    pub figures: Vec<Figure>,
}

/// What is counted; less is better.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    Nanoseconds,
    Bytes,
}

/// What one engine took: one sample of each round.
#[derive(Serialize, Deserialize)]
pub struct Figure {
    pub engine: String,
    pub samples: Vec<f64>,
}

impl Results {
    /// The row of a workload.
    pub fn row(&self, group: &str, workload: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.group == group && row.workload == workload)
    }

    /// One line for each figure.
    pub fn to_csv(&self) -> String {
        let mut csv = String::from("group,workload,engine,unit,per,minimum,median,rounds\n");
        for row in &self.rows {
            let unit = match row.unit {
                Unit::Nanoseconds => "ns",
                Unit::Bytes => "bytes",
            };
            for figure in &row.figures {
                writeln!(
                    csv,
                    "\"{}\",\"{}\",\"{}\",{unit},\"{}\",{:.3},{:.3},{}",
                    row.group,
                    row.workload,
                    figure.engine,
                    row.per,
                    figure.min(),
                    figure.median(),
                    figure.samples.len()
                )
                .expect("strings can be written to");
            }
        }
        csv
    }
}

impl Row {
    /// What an engine took.
    pub fn figure(&self, engine: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.engine == engine)
    }

    /// How many times as much Wasmtime takes as hostref, by the minima: noise only ever adds.
    pub fn ratio(&self) -> Option<f64> {
        Some(self.figure(WASMTIME)?.min() / self.figure(HOSTREF)?.min())
    }
}

impl Figure {
    /// The least sample.
    pub fn min(&self) -> f64 {
        self.samples.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The sample in the middle.
    pub fn median(&self) -> f64 {
        let mut sorted = self.samples.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    }
}

impl Unit {
    /// A figure with three digits and a unit that fits its size.
    pub fn show(self, figure: f64) -> String {
        let scales: &[(f64, &str)] = match self {
            Unit::Nanoseconds => &[(1.0, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s")],
            Unit::Bytes => &[(1.0, "B"), (1024.0, "KiB"), (1_048_576.0, "MiB")],
        };
        let (scale, name) =
            scales.iter().rev().find(|(scale, _)| figure.abs() >= *scale).unwrap_or(&scales[0]);
        let scaled = figure / scale;
        let digits = if scaled >= 99.95 {
            0
        } else if scaled >= 9.995 {
            1
        } else {
            2
        };
        format!("{scaled:.digits$} {name}")
    }
}

/// The geometric mean.
pub fn geometric_mean(ratios: impl IntoIterator<Item = f64>) -> Option<f64> {
    let logs: Vec<f64> = ratios.into_iter().map(f64::ln).collect();
    (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp())
}
