//! RESULTS.md: one run as a page. Everything on it comes from the run's results.

use std::fmt::Write as _;

use crate::results::{HOSTREF, NATIVE, Results, Row, WASMI, WASMTIME, geometric_mean};
use crate::targets::{self, PARITY};

/// The page.
pub fn markdown(results: &Results) -> String {
    let mut page = String::new();
    for part in [head, groups, verdicts, slower, tables] {
        part(&mut page, results).expect("strings can be written to");
        page.push('\n');
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

type Written = std::fmt::Result;

fn head(page: &mut String, results: &Results) -> Written {
    writeln!(page, "# Results\n")?;
    writeln!(page, "Written by `cargo run --release -- report` in `benches/`; do not edit.\n")?;
    writeln!(page, "* {}, {}", results.date, results.machine)?;
    writeln!(page, "* {}", results.versions.join(", "))?;
    if results.quick {
        writeln!(page, "* A first look: few and short batches.")?;
    }
    writeln!(
        page,
        "\nEngines take turns in short batches, timed by the processor time of the thread; a figure is the \
         minimum over all batches, with the median in brackets. A ratio is Wasmtime's minimum divided by \
         hostref's: above 1, hostref is faster. README.md says what each engine's settings are."
    )
}

fn groups(page: &mut String, results: &Results) -> Written {
    writeln!(page, "## Groups\n")?;
    writeln!(page, "| group | workloads | geometric mean | least | greatest |")?;
    writeln!(page, "|---|---:|---:|---:|---:|")?;
    for group in group_names(results) {
        let ratios: Vec<f64> = rows(results, group).filter_map(Row::ratio).collect();
        let Some(mean) = geometric_mean(ratios.iter().copied()) else { continue };
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = ratios.iter().copied().fold(0.0, f64::max);
        let count = ratios.len();
        writeln!(page, "| {group} | {count} | {mean:.2}x | {least:.2}x | {greatest:.2}x |")?;
    }
    Ok(())
}

fn verdicts(page: &mut String, results: &Results) -> Written {
    writeln!(page, "## Targets\n")?;
    writeln!(
        page,
        "Each was set as nanoseconds beside those that Wasmtime took on the machine of that day. Machines \
         differ, and so does what else they do: a run is held against the time and against the ratio of the \
         two.\n"
    )?;
    writeln!(page, "| workload | target | hostref | wasmtime | ratio wanted | ratio | |")?;
    writeln!(page, "|---|---:|---:|---:|---:|---:|---|")?;
    for verdict in targets::verdicts(results) {
        let (hostref, wasmtime) = verdict.times();
        let unit = verdict.row.unit;
        writeln!(
            page,
            "| {}: {} | {} | {} | {} | {:.2}x | {:.2}x | {} |",
            verdict.target.group,
            cell(verdict.target.workload),
            unit.show(verdict.target.limit),
            unit.show(hostref),
            unit.show(wasmtime),
            verdict.target.ratio(),
            verdict.ratio,
            match verdict.met() {
                (true, true) => "met",
                (true, false) => "met by the ratio alone",
                (false, true) => "met by the time alone",
                (false, false) => "**not met**",
            },
        )?;
    }
    Ok(())
}

fn slower(page: &mut String, results: &Results) -> Written {
    writeln!(page, "## Slower than Wasmtime\n")?;
    let slower: Vec<&Row> =
        results.rows.iter().filter(|row| row.ratio().is_some_and(|ratio| ratio < PARITY)).collect();
    if slower.is_empty() {
        return writeln!(page, "No workload is below {PARITY}x.");
    }
    for row in slower {
        let ratio = row.ratio().expect("it was compared above");
        writeln!(page, "* {}: {}: {ratio:.2}x", row.group, row.workload)?;
    }
    Ok(())
}

fn tables(page: &mut String, results: &Results) -> Written {
    for group in group_names(results) {
        let engines = engines(results, group);
        writeln!(page, "## {group}\n")?;
        writeln!(page, "| workload | per | {} | ratio |", engines.join(" | "))?;
        writeln!(page, "|---|---|{}---:|", "---:|".repeat(engines.len()))?;
        for row in rows(results, group) {
            write!(page, "| {} | {} |", cell(&row.workload), row.per)?;
            for engine in &engines {
                match row.figure(engine) {
                    Some(figure) => {
                        let (min, median) = (figure.min(), figure.median());
                        write!(page, " {} ({}) |", row.unit.show(min), row.unit.show(median))?;
                    }
                    None => write!(page, " |")?,
                }
            }
            match row.ratio() {
                Some(ratio) => writeln!(page, " {ratio:.2}x |")?,
                None => writeln!(page, " |")?,
            }
        }
        writeln!(page)?;
    }
    Ok(())
}

fn rows<'a>(results: &'a Results, group: &str) -> impl Iterator<Item = &'a Row> {
    results.rows.iter().filter(move |row| row.group == group)
}

/// The groups in their order.
fn group_names(results: &Results) -> Vec<&str> {
    let mut names: Vec<&str> = results.rows.iter().map(|row| row.group.as_str()).collect();
    names.dedup();
    names
}

/// The engines of a group: hostref and its variants, peers and their variants, the floor.
fn engines<'a>(results: &'a Results, group: &str) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for figure in rows(results, group).flat_map(|row| &row.figures) {
        if !names.contains(&figure.engine.as_str()) {
            names.push(&figure.engine);
        }
    }
    let order = |name: &str| {
        [HOSTREF, WASMTIME, WASMI, NATIVE].iter().position(|engine| name.starts_with(engine))
    };
    names.sort_by_key(|name| order(name));
    names
}

/// Text in a cell of a table, code where it looks like Rust or Wasm.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}
