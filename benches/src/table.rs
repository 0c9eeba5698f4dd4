//! Rows as text for the terminal, each printed as soon as it is known.

use crate::results::Row;

/// Prints one workload; before the first of a group, the group's name.
pub fn print(row: &Row, new_group: bool) {
    if new_group {
        println!("\n{}  (minimum, median in brackets; last column: wasmtime / hostref)", row.group);
    }
    let figures: Vec<String> = row
        .figures
        .iter()
        .map(|figure| {
            let (min, median) = (row.unit.show(figure.min()), row.unit.show(figure.median()));
            format!("{} {min:>8} ({median:>8})", figure.engine)
        })
        .collect();
    let ratio = row.ratio().map_or(String::new(), |ratio| format!("{ratio:.2}x"));
    println!("  {:<42} /{:<11} {} | {ratio}", row.workload, row.per, figures.join(" | "));
}
