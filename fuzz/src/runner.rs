//! The loop over cases.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;

use crate::compare::{Verdict, compare, oddity};
use crate::engines::hostref::Mode;
use crate::engines::observation::Observation;
use crate::engines::{hostref, wasmtime};
use crate::generate::{arithmetic, directed, smith};
use crate::options::{Kind, Options};
use crate::plan::Plan;
use crate::statistics::Statistics;
use crate::value::{Outcome, Text};
use crate::watchdog::Watchdog;
use crate::{failure, shrink};

/// Engines remember the types of all modules; after so many cases they are made anew.
const CASES_PER_ENGINE: u64 = 2_000;

/// Runs cases until the time is up; returns how many failed.
pub fn run(options: &Options) -> Result<u64> {
    std::fs::create_dir_all(&options.failures)?;
    let watchdog = Watchdog::start(options.seed);
    let start = Instant::now();
    let mut statistics = Statistics::default();
    let mut engines = Engines::new();
    let mut case = options.only.unwrap_or(options.from);
    loop {
        watchdog.next(case);
        failure::note_current(options, case)?;
        match options.kind_of(case) {
            Kind::Directed => directed_case(options, case, &engines, &mut statistics)?,
            Kind::Mutated => mutated_case(options, case, &engines, &mut statistics)?,
            kind => compared_case(options, kind, case, &engines, &mut statistics)?,
        }
        case += 1;
        if options.only.is_some() || start.elapsed() >= options.time {
            break;
        }
        if case.is_multiple_of(CASES_PER_ENGINE) {
            engines = Engines::new();
        }
    }
    println!("seed {}, cases {} to {}", options.seed, options.from, case - 1);
    println!("{statistics}");
    Ok(statistics.failures)
}

/// The engines that all cases share.
struct Engines {
    hostref: Vec<(Mode, ::hostref::Engine)>,
    /// Without and with optimisation.
    wasmtime: [::wasmtime::Engine; 2],
}

impl Engines {
    fn new() -> Engines {
        Engines {
            hostref: Mode::ALL.into_iter().map(|mode| (mode, hostref::engine(mode))).collect(),
            wasmtime: [wasmtime::engine(false), wasmtime::engine(true)],
        }
    }

    fn hostref(&self, mode: Mode) -> &::hostref::Engine {
        let (_, engine) = self.hostref.iter().find(|(known, _)| *known == mode).expect("all modes");
        engine
    }

    fn ours(&self, mode: Mode, wasm: &[u8], plan: &Arc<Plan>) -> Observation {
        guarded(|| hostref::run(self.hostref(mode), wasm, plan))
    }

    fn theirs(&self, case: u64, wasm: &[u8], plan: &Arc<Plan>) -> Observation {
        guarded(|| wasmtime::run(&self.wasmtime[(case / 4 % 2) as usize], wasm, plan))
    }

    fn verdict(&self, case: u64, mode: Mode, wasm: &[u8], plan: &Arc<Plan>) -> Verdict {
        compare(&self.ours(mode, wasm, plan), &self.theirs(case, wasm, plan))
    }
}

/// A panic is an outcome that equals no other.
fn guarded(run: impl FnOnce() -> Observation) -> Observation {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|panic| Observation::refused(Outcome::Panicked(Text(panic_text(&*panic)))))
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    format!("panic: {}", text.unwrap_or_default())
}

fn compared_case(
    options: &Options,
    kind: Kind,
    case: u64,
    engines: &Engines,
    statistics: &mut Statistics,
) -> Result<()> {
    let generate = match kind {
        Kind::Smith => smith::generate,
        _ => arithmetic::generate,
    };
    let generated = match generate(options.seed, case) {
        Ok(generated) => generated,
        Err(reason) => {
            statistics.not_made(&reason);
            return Ok(());
        }
    };
    let mode = options.mode_of(case);
    let plan = Arc::new(generated.plan);
    let ours = engines.ours(mode, &generated.wasm, &plan);
    let theirs = engines.theirs(case, &generated.wasm, &plan);
    statistics.ran(kind, mode, &ours);
    match compare(&ours, &theirs) {
        Verdict::Same => {}
        Verdict::Excused(reason) => statistics.excused(reason),
        Verdict::Different(_) if let Some(reason) = oddity(&generated.wasm) => {
            statistics.excused(reason);
        }
        Verdict::Different(difference) => {
            statistics.failures += 1;
            let fails = |wasm: &[u8], plan: &Arc<Plan>| {
                matches!(engines.verdict(case, mode, wasm, plan), Verdict::Different(_))
            };
            let (wasm, plan) = shrink::shrink(&generated.wasm, &plan, fails)?;
            let mut report = format!("seed {}, case {case}, {mode:?}: {difference}", options.seed);
            report += &format!("\nshrunk: {:?}\n", engines.verdict(case, mode, &wasm, &plan));
            report += &format!("calls: {:?}\nmodes that fail:", plan.calls);
            for mode in Mode::ALL {
                if let Verdict::Different(_) = engines.verdict(case, mode, &wasm, &plan) {
                    report += &format!(" {mode:?}");
                }
            }
            let path = failure::write(options, &case.to_string(), &wasm, &report)?;
            println!("{report}\nmodule: {}\n", path.display());
        }
    }
    Ok(())
}

/// A module with some bytes changed: both sides accept it, or neither does.
fn mutated_case(
    options: &Options,
    case: u64,
    engines: &Engines,
    statistics: &mut Statistics,
) -> Result<()> {
    let wasm = match smith::mutated(options.seed, case) {
        Ok(wasm) => wasm,
        Err(reason) => {
            statistics.not_made(&reason);
            return Ok(());
        }
    };
    let mode = options.mode_of(case);
    let ours = guarded(|| hostref::compile(engines.hostref(mode), &wasm));
    let theirs = guarded(|| wasmtime::compile(&engines.wasmtime[0], &wasm));
    statistics.ran(Kind::Mutated, mode, &ours);
    match compare(&ours, &theirs) {
        Verdict::Same => {}
        Verdict::Excused(reason) => statistics.excused(reason),
        Verdict::Different(difference) => {
            statistics.failures += 1;
            let report = format!("seed {}, case {case}, {mode:?}: {difference}", options.seed);
            let path = failure::write(options, &case.to_string(), &wasm, &report)?;
            println!("{report}\nmodule: {}\n", path.display());
        }
    }
    Ok(())
}

fn directed_case(
    options: &Options,
    case: u64,
    engines: &Engines,
    statistics: &mut Statistics,
) -> Result<()> {
    let mut program = directed::Program::new(options.seed, case);
    let mode = options.mode_of(case);
    let verdict = |program: &directed::Program, mode: Mode| {
        let (modules, expected) = (program.encode(), directed::expected(program));
        let run = || directed::run(engines.hostref(mode), program, &modules);
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(ours) => directed::compare(&ours, &expected),
            Err(panic) => Verdict::Different(panic_text(&*panic)),
        }
    };
    let fails =
        |program: &directed::Program, mode| matches!(verdict(program, mode), Verdict::Different(_));
    statistics.ran_directed(mode, &directed::expected(&program));
    let difference = match verdict(&program, mode) {
        Verdict::Same => return Ok(()),
        Verdict::Excused(reason) => {
            statistics.excused(reason);
            return Ok(());
        }
        Verdict::Different(difference) => difference,
    };
    statistics.failures += 1;
    directed::shrink(&mut program, |program| fails(program, mode));
    let mut report = format!("seed {}, case {case}, {mode:?}: {difference}\n", options.seed);
    report += &format!("shrunk: {:?}\nsteps: {:?}\n", verdict(&program, mode), program.steps);
    let modes: Vec<Mode> = Mode::ALL.into_iter().filter(|mode| fails(&program, *mode)).collect();
    report += &format!("modes that fail: {modes:?}\n");
    for (part, module) in program.encode().iter().enumerate() {
        let path = failure::write(options, &format!("{case}-{part}"), module, &report)?;
        report += &format!("module: {}\n", path.display());
    }
    println!("{report}");
    Ok(())
}
