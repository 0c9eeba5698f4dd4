//! The threads of a script: each executes its directives with a store and a linker of its own, and all
//! use one engine.

use std::collections::HashMap;
use std::thread::{self, Scope, ScopedJoinHandle};

use anyhow::{Context, anyhow, bail};
use hostref::{Engine, Result, SharedMemory};
use wast::token::Id;
use wast::{WastDirective, WastThread};

use crate::script::{self, Report, Script, Setup};

/// An instance of another thread, as far as threads can share it.
#[derive(Clone)]
pub(crate) struct SharedModule {
    pub(crate) name: String,
    /// Its exports.
    pub(crate) memories: Vec<(String, SharedMemory)>,
}

/// Executes `directives` of the script `text`, and those of the threads that they begin. The report is
/// about all of them.
pub(crate) fn run(
    text: &str,
    setup: &Setup,
    engine: &Engine,
    directives: Vec<WastDirective<'_>>,
) -> Result<Report> {
    let run = Run { text, setup, engine };
    thread::scope(|scope| run.directives(scope, directives, None))
}

/// What all threads of a script know.
#[derive(Clone, Copy)]
struct Run<'a> {
    text: &'a str,
    setup: &'a Setup,
    engine: &'a Engine,
}

type Threads<'scope> = HashMap<String, ScopedJoinHandle<'scope, Result<Report>>>;

impl<'a> Run<'a> {
    fn directives<'scope>(
        self,
        scope: &'scope Scope<'scope, 'a>,
        directives: Vec<WastDirective<'a>>,
        shared: Option<SharedModule>,
    ) -> Result<Report> {
        let mut script = Script::new(self.setup, self.engine, shared)?;
        let mut report = Report::default();
        let mut threads = Threads::new();
        for directive in directives {
            let (line, _) = directive.span().linecol_in(self.text);
            let asserts = script::asserts(&directive);
            let outcome = match directive {
                WastDirective::Thread(thread) => {
                    self.begin(scope, thread, &mut script, &mut threads)
                }
                WastDirective::Wait { thread, .. } => wait(thread, &mut threads, &mut report),
                directive => script.directive(directive),
            };
            report.assertions += usize::from(asserts);
            match outcome {
                Ok(()) => report.passed += usize::from(asserts),
                Err(error) => report.failures.push(format!("line {}: {error:#}", line + 1)),
            }
        }
        match threads.into_keys().next() {
            None => Ok(report),
            Some(name) => bail!("nobody waits for the thread ${name}"),
        }
    }

    fn begin<'scope>(
        self,
        scope: &'scope Scope<'scope, 'a>,
        thread: WastThread<'a>,
        script: &mut Script,
        threads: &mut Threads<'scope>,
    ) -> Result<()> {
        let shared = thread.shared_module.map(|name| script.share(name)).transpose()?;
        let name = thread.name.name().to_owned();
        let handle = scope.spawn(move || self.directives(scope, thread.directives, shared));
        match threads.insert(name.clone(), handle) {
            None => Ok(()),
            Some(_) => bail!("a second thread ${name}"),
        }
    }
}

/// Waits for the end of a thread.
fn wait(name: Id<'_>, threads: &mut Threads<'_>, report: &mut Report) -> Result<()> {
    let handle = threads.remove(name.name());
    let handle = handle.with_context(|| format!("no thread ${}", name.name()))?;
    let outcome = handle.join().map_err(|_| anyhow!("the thread ${} panicked", name.name()))?;
    report.add(outcome.with_context(|| format!("in the thread ${}", name.name()))?);
    Ok(())
}
