//! Runs generated modules on hostref and on a second opinion, and reports where they differ. See
//! README.md.

mod compare;
mod engines;
mod failure;
mod features;
mod generate;
mod limits;
mod options;
mod plan;
mod random;
mod rewrite;
mod runner;
mod shrink;
mod statistics;
mod value;
mod watchdog;

use std::process::ExitCode;

use options::{Options, USAGE};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error:#}\n{USAGE}");
            return ExitCode::FAILURE;
        }
    };
    let thread = std::thread::Builder::new()
        .name("cases".into())
        .stack_size(limits::THREAD_STACK_BYTES)
        .spawn(move || runner::run(&options))
        .expect("a thread for the cases");
    match thread.join() {
        Ok(Ok(0)) => ExitCode::SUCCESS,
        Ok(Ok(_)) => ExitCode::FAILURE,
        Ok(Err(error)) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
