//! House rules that no compiler checks, over the source files: what ARCHITECTURE.md says about
//! them is true. Lints that rustc and clippy have do not belong here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The layers of the runtime, lowest first. A module imports only from layers of a lower rank.
const LAYERS: [(&str, u8); 12] = [
    ("error", 0),
    ("trap", 0),
    ("wasm", 1),
    ("abi", 2),
    ("vm", 3),
    ("compile", 3),
    ("code", 4),
    ("gc", 5),
    ("instance", 6),
    ("builtins", 7),
    ("api", 8),
    ("__private", 9),
];

const MAX_LINES: usize = 700;

/// A Rust file of the repository.
struct Source {
    /// Relative to the repository, with `/`.
    path: String,
    text: String,
}

impl Source {
    /// The text with comments and the contents of string literals blanked.
    fn code(&self) -> String {
        let mut code = String::with_capacity(self.text.len());
        for line in self.text.lines() {
            let mut quoted = false;
            let mut previous = ' ';
            let mut chars = line.chars().peekable();
            while let Some(char) = chars.next() {
                match char {
                    '"' if previous != '\\' && previous != '\'' => quoted = !quoted,
                    '/' if !quoted && chars.peek() == Some(&'/') => break,
                    _ if quoted => {}
                    char => code.push(char),
                }
                previous = char;
            }
            code.push('\n');
        }
        code
    }

    /// The layer of the runtime that the file belongs to.
    fn layer(&self) -> Option<&str> {
        let path = self.path.strip_prefix("runtime/src/")?;
        let name = path.split('/').next()?.trim_end_matches(".rs");
        (name != "lib").then_some(name)
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every Rust file under `folders`, in order.
fn sources(folders: &[&str]) -> Vec<Source> {
    fn visit(folder: &Path, sources: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("a readable folder").path();
            match path.is_dir() {
                true => visit(&path, sources),
                false if path.extension().is_some_and(|it| it == "rs") => sources.push(path),
                false => {}
            }
        }
    }
    let mut paths = Vec::new();
    folders.iter().for_each(|folder| visit(&root().join(folder), &mut paths));
    paths.sort();
    paths
        .iter()
        .map(|path| path.strip_prefix(root()).expect("under the root").to_str().expect("UTF-8"))
        .map(|path| Source { path: path.to_owned(), text: read(path) })
        .collect()
}

fn report(rule: &str, faults: Vec<String>) {
    assert!(faults.is_empty(), "{rule}\n  {}\n", faults.join("\n  "));
}

#[test]
fn every_file_says_what_it_owns() {
    let faults = sources(&["runtime", "macros", "tests", "examples", "benches", "fuzz"])
        .into_iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| source.path);
    report(
        "the first line of a file is `//! `: what it owns, then what it must not do",
        faults.collect(),
    );
}

#[test]
fn no_file_is_too_long() {
    let faults = sources(&["runtime", "macros", "tests", "examples", "benches", "fuzz"])
        .into_iter()
        .map(|source| (source.text.lines().count(), source.path))
        .filter(|(lines, _)| *lines > MAX_LINES)
        .map(|(lines, path)| format!("{path}: {lines} lines"));
    report(&format!("a file has at most {MAX_LINES} lines"), faults.collect());
}

#[test]
fn no_file_is_a_drawer() {
    let drawers = ["util", "utils", "helper", "helpers", "common", "misc"];
    let faults = sources(&["runtime", "macros", "tests", "examples", "benches", "fuzz"])
        .into_iter()
        .map(|source| source.path)
        .filter(|path| path.trim_end_matches(".rs").split('/').any(|part| drawers.contains(&part)));
    report("a file is named by the concept it holds", faults.collect());
}

#[test]
fn no_test_is_ignored() {
    let attribute = concat!("#[", "ignore");
    let faults = sources(&["runtime", "macros", "tests", "examples"])
        .into_iter()
        .filter(|source| source.code().contains(attribute))
        .map(|source| source.path);
    report("a known failure stands in a list and must fail; nothing is ignored", faults.collect());
}

#[test]
fn layers_import_downwards() {
    let ranks = BTreeMap::from(LAYERS);
    let exported = exported_names();
    let mut faults = Vec::new();
    for source in sources(&["runtime/src"]) {
        let Some(layer) = source.layer() else { continue };
        let Some(rank) = ranks.get(layer) else {
            faults.push(format!("{}: `{layer}` is not a layer", source.path));
            continue;
        };
        for name in crate_paths(&source.code()) {
            let target = exported.get(&name).unwrap_or(&name);
            let allowed = target == layer || ranks.get(target.as_str()).is_some_and(|it| it < rank);
            if !allowed {
                faults
                    .push(format!("{}: `{layer}` uses `crate::{name}` of `{target}`", source.path));
            }
        }
    }
    report("a layer imports only from lower layers", faults);
}

/// The names that lib.rs re-exports, with the module each comes from.
fn exported_names() -> BTreeMap<String, String> {
    let lib = sources(&["runtime/src"])
        .into_iter()
        .find(|source| source.path == "runtime/src/lib.rs")
        .expect("the runtime has a lib.rs");
    let code = lib.code();
    let mut names = BTreeMap::new();
    for statement in code.split("use ").skip(1).filter_map(|rest| rest.split(';').next()) {
        let Some((module, rest)) = statement.split_once("::") else { continue };
        for name in rest.split(|char: char| !is_name(char)) {
            names.insert(name.to_owned(), module.to_owned());
        }
    }
    // What is left of a path is its last name: modules in between may be called like a layer.
    names.retain(|name, module| !name.is_empty() && is_layer(module) && !is_layer(name));
    names
}

/// The first segment of every path that starts at the crate root: `a` and `b` for `crate::a::X`
/// and `crate::{b::Y}`; also of `super::` paths that spell out a layer.
fn crate_paths(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(group_heads(group)),
            None => names.extend([head(rest)]),
        }
    }
    for (at, _) in code.match_indices("super::") {
        let name = head(&code[at + "super::".len()..]);
        // A submodule may carry a layer's name; only the root's modules are layers.
        if is_layer(&name) && code[..at].ends_with("super::") {
            names.insert(name);
        }
    }
    names.remove("");
    names
}

/// The first segments of the paths in `{a::X, b::{Y, Z}}`, given what follows the brace.
fn group_heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let mut depth = 0;
    let mut start = true;
    for (at, char) in group.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            char if start && is_name(char) => {
                heads.push(head(&group[at..]));
                start = false;
            }
            _ => {}
        }
    }
    heads
}

fn is_layer(name: &str) -> bool {
    LAYERS.iter().any(|(layer, _)| *layer == name)
}

fn head(path: &str) -> String {
    path.chars().take_while(|char| is_name(*char)).collect()
}

fn is_name(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

#[test]
fn unsafe_code_stands_where_architecture_says() {
    let listed: BTreeSet<String> = table_paths("Unsafe code").into_iter().collect();
    let mut allowed = BTreeSet::new();
    for source in sources(&["runtime/src", "macros/src"]) {
        let code = source.code();
        for (at, _) in code.match_indices("unsafe_code") {
            let before = code[..at].trim_end();
            // Else the lint itself: `#![deny(unsafe_code)]`.
            if !before.ends_with("allow(") && !before.ends_with("expect(") {
                continue;
            }
            let inner = code[..at].rsplit('#').next().is_some_and(|it| it.starts_with('!'));
            allowed.insert(match inner {
                true => source.path.clone(),
                false => module_file(&source.path, &code[at..]),
            });
        }
    }
    // Tests may drive what is unsafe anywhere.
    allowed.retain(|path| !path.ends_with("/tests/") && !path.ends_with("/tests.rs"));
    let missing = allowed.difference(&listed).map(|path| format!("not in the table: {path}"));
    let stale = listed.difference(&allowed).map(|path| format!("only in the table: {path}"));
    report(
        "modules that allow unsafe code are those of ARCHITECTURE.md's table",
        missing.chain(stale).collect(),
    );
}

/// The file or folder of the module declared right after an attribute in `path`.
fn module_file(path: &str, after: &str) -> String {
    let name = after
        .split_once("mod ")
        .map(|(_, rest)| head(rest))
        .unwrap_or_else(|| panic!("{path}: unsafe code is allowed for a module, as a whole"));
    let folder = match path.rsplit_once('/') {
        Some((folder, "mod.rs" | "lib.rs")) => folder.to_owned(),
        _ => path.trim_end_matches(".rs").to_owned(),
    };
    let file = format!("{folder}/{name}.rs");
    match root().join(&file).exists() {
        true => file,
        false => format!("{folder}/{name}/"),
    }
}

#[test]
fn the_code_map_is_complete() {
    let listed: BTreeSet<String> = table_paths("Code map").into_iter().collect();
    let files: Vec<String> = sources(&["runtime/src", "macros/src"])
        .into_iter()
        .map(|source| source.path)
        .filter(|path| !path.ends_with("/lib.rs") && !path.ends_with("/mod.rs"))
        .filter(|path| !path.ends_with("/tests.rs") && !path.contains("/tests/"))
        .collect();
    let missing = files
        .iter()
        .filter(|path| !listed.contains(*path))
        .map(|path| format!("not in the code map: {path}"));
    let stale = listed
        .iter()
        .filter(|path| !root().join(path).exists())
        .map(|path| format!("only in the code map: {path}"));
    report(
        "ARCHITECTURE.md's code map lists every file but those of tests",
        missing.chain(stale).collect(),
    );
}

#[test]
fn the_readme_shows_the_example() {
    let example = read("examples/concat.rs");
    let code = example.split_once("\n\n").expect("docs, then code").1;
    assert!(read("README.md").contains(code), "README.md shows examples/concat.rs as it is");
}

/// The paths in the first column of the tables in a section of ARCHITECTURE.md. A path relative
/// to the section's current folder (`### runtime/src/gc/`) is completed.
fn table_paths(section: &str) -> Vec<String> {
    let text = read("ARCHITECTURE.md");
    let (_, rest) = text
        .split_once(&format!("\n## {section}\n"))
        .unwrap_or_else(|| panic!("ARCHITECTURE.md has no section `{section}`"));
    let body = rest.split("\n## ").next().unwrap_or(rest);
    let mut folder = "";
    let mut paths = Vec::new();
    for line in body.lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            folder = heading.split('`').nth(1).unwrap_or("");
        } else if let Some(row) = line.strip_prefix("| `") {
            let cell = row.split('|').next().unwrap_or(row);
            // Files of one row are separated by backticks: `a.rs` `b.rs`.
            for path in format!("`{cell}").split('`').skip(1).step_by(2) {
                paths.push(format!("{folder}{path}"));
            }
        }
    }
    assert!(!paths.is_empty(), "section `{section}` of ARCHITECTURE.md has a table of paths");
    paths
}
