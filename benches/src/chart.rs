//! The chart of the README: how many times as long Wasmtime takes, as an SVG image. The same results make
//! the same bytes.

use std::fmt::Write as _;

use crate::results::{Results, geometric_mean};
use crate::targets::{self, Verdict};

const WIDTH: f64 = 860.0;
const ROW: f64 = 22.0;
const TOP: f64 = 64.0;
/// Where bars begin, and how long the longest is.
const LEFT: f64 = 330.0;
const LONGEST: f64 = 400.0;

/// The workloads that have a target.
pub fn svg(results: &Results) -> String {
    let verdicts = targets::verdicts(results);
    let most = verdicts.iter().map(|verdict| verdict.ratio).fold(2.0, f64::max);
    let height = TOP + ROW * verdicts.len() as f64 + 34.0;
    let mut svg = String::new();
    draw(&mut svg, results, &verdicts, most.log10(), height).expect("strings can be written to");
    svg
}

fn draw(
    svg: &mut String,
    results: &Results,
    verdicts: &[Verdict<'_>],
    decades: f64,
    height: f64,
) -> std::fmt::Result {
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" font-family=\"system-ui, sans-serif\" font-size=\"12\">"
    )?;
    writeln!(svg, "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>")?;
    let mean = geometric_mean(verdicts.iter().map(|verdict| verdict.ratio)).unwrap_or(1.0);
    text(svg, 16.0, 26.0, "start", "17", "How many times as long Wasmtime takes")?;
    let versions = results.versions.join(", ");
    let subtitle = format!("{versions}; {}; geometric mean {mean:.1}x", results.date);
    text(svg, 16.0, 45.0, "start", "11", &subtitle)?;
    let bottom = TOP + ROW * verdicts.len() as f64;
    for ratio in [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0] {
        let x = place(ratio, decades);
        if x > LEFT + LONGEST {
            break;
        }
        writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom}\" stroke=\"#dddddd\"/>"
        )?;
        text(svg, x, bottom + 16.0, "middle", "11", &format!("{ratio}x"))?;
    }
    for (index, verdict) in verdicts.iter().enumerate() {
        bar(svg, verdict, TOP + ROW * index as f64, decades)?;
    }
    writeln!(svg, "</svg>")
}

/// The place of a ratio on the logarithmic axis.
fn place(ratio: f64, decades: f64) -> f64 {
    LEFT + LONGEST * ratio.log10() / decades
}

fn bar(svg: &mut String, verdict: &Verdict<'_>, y: f64, decades: f64) -> std::fmt::Result {
    let (one, end) = (LEFT, place(verdict.ratio, decades));
    let (start, length) = (one.min(end), (end - one).abs().max(1.0));
    let colour = if verdict.ratio >= 1.0 { "#2f6f9f" } else { "#b5483a" };
    let name = format!("{}: {}", verdict.target.group, verdict.target.workload);
    text(svg, LEFT - 8.0, y + 15.0, "end", "12", &name)?;
    writeln!(
        svg,
        "<rect x=\"{start:.1}\" y=\"{:.1}\" width=\"{length:.1}\" height=\"14\" fill=\"{colour}\"/>",
        y + 4.0
    )?;
    let (hostref, wasmtime) = verdict.times();
    let unit = verdict.row.unit;
    let figures =
        format!("{:.1}x  {} / {}", verdict.ratio, unit.show(wasmtime), unit.show(hostref));
    text(svg, end.max(one) + 6.0, y + 15.0, "start", "11", &figures)
}

fn text(
    svg: &mut String,
    x: f64,
    y: f64,
    anchor: &str,
    size: &str,
    text: &str,
) -> std::fmt::Result {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-size=\"{size}\">{text}</text>"
    )
}
