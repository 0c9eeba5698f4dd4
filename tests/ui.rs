//! What the macros accept and what they say: each file under `ui-tests/fail/<area>` fails to compile with
//! exactly the text beside it, and each `ui-tests/pass/<area>.rs` compiles as a part of this test, and runs.
//!
//! `TRYBUILD=overwrite cargo test --test ui` writes the texts anew; read them before committing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[allow(clippy::all, reason = "unusual ways to write things are what is tested")]
#[path = "../ui-tests/pass"]
mod pass {
    pub(crate) mod check;
    pub(crate) mod derive;
    pub(crate) mod exports;
    pub(crate) mod function;
    pub(crate) mod module;
    pub(crate) mod object;
    pub(crate) mod param;
    pub(crate) mod result;
}

type Program = fn() -> hostref::Result<()>;

/// The areas, each with its program.
const AREAS: [(&str, Program); 8] = [
    ("check", pass::check::main),
    ("derive", pass::derive::main),
    ("exports", pass::exports::main),
    ("function", pass::function::main),
    ("module", pass::module::main),
    ("object", pass::object::main),
    ("param", pass::param::main),
    ("result", pass::result::main),
];

#[test]
fn macros_accept() {
    for (area, main) in AREAS {
        main().unwrap_or_else(|error| panic!("{area}: {error:#}"));
    }
}

#[test]
fn every_area_has_programs_that_pass_and_that_fail() {
    let areas: BTreeSet<String> = AREAS.iter().map(|(area, _)| area.to_string()).collect();
    let names = |folder: &str| -> BTreeSet<String> {
        let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
        entries(folder).into_iter().map(stem).collect()
    };
    assert_eq!(names("ui-tests/fail"), areas);
    assert_eq!(names("ui-tests/pass"), areas);
}

fn entries(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// All cases are checked by one run of cargo. A single `TestCases::pass` would make that one run for
/// each, and building in place of checking.
#[test]
fn macros_explain() {
    copy_guests();
    trybuild::TestCases::new().compile_fail("ui-tests/fail/*/*.rs");
}

/// rustc leaves a label out when a path makes it too long, so that a text with one would be right in
/// short folders only.
#[test]
fn no_label_names_a_path() {
    for text in entries("ui-tests/fail").iter().flat_map(entries) {
        let labels = fs::read_to_string(&text).unwrap();
        let mut labels = labels.lines().filter(|line| line.contains("^^") || line.contains("--- "));
        assert!(!labels.any(|label| label.contains("$DIR")), "{}", text.display());
    }
}

/// Puts the guests of `ui-tests/fail/check` where `check` finds them: the cases are compiled as a
/// package of their own, whose folder this is.
fn copy_guests() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a folder of its own");
    let folder = target.join("tests/trybuild").join(env!("CARGO_PKG_NAME")).join("guests");
    fs::create_dir_all(&folder).unwrap();
    for guest in entries("ui-tests/guests") {
        fs::copy(&guest, folder.join(guest.file_name().unwrap())).unwrap();
    }
}
