//! A host with state: plug-ins read and write it through `&mut self` methods, several of them run on
//! several threads, and one that hangs is stopped.
//!
//! `cargo run --example plugin`

use std::collections::VecDeque;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hostref::{Config, Engine, Linker, Module, Result, Store, Trap, host_module, wasm_exports};

/// What one plug-in may reach of its host: part of the store's data.
#[derive(Default)]
struct Work {
    requests: VecDeque<i32>,
    answers: Vec<i32>,
}

#[host_module(name = "host", receiver = "state")]
impl Work {
    /// The next request, or -1.
    fn next(&mut self) -> i32 {
        self.requests.pop_front().unwrap_or(-1)
    }

    fn emit(&mut self, answer: i32) {
        self.answers.push(answer);
    }
}

#[wasm_exports]
struct Plugin {
    run: fn() -> i32,
}

/// The data of one plug-in's store.
struct Session {
    name: &'static str,
    work: Work,
}

fn main() -> Result<()> {
    let engine = Engine::new(Config::new().epoch_interruption(true))?;
    let module = Module::new(&engine, include_str!("plugin.wat"))?;
    let mut linker = Linker::new(&engine);
    Work::add_to_linker(&mut linker, |session: &mut Session| &mut session.work)?;
    // Imports and exports are looked up and checked here, once.
    let plugin = PluginPre::new(linker.instantiate_pre(&module)?)?;

    let jobs = [("squares", vec![1, 2, 3]), ("hangs", vec![4, 0, 5]), ("large", vec![100])];
    let (running, ended) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let threads = jobs.map(|(name, requests)| {
            let (plugin, engine, running) = (&plugin, &engine, running.clone());
            scope.spawn(move || {
                let _running = running;
                serve(plugin, engine, name, requests)
            })
        });
        drop(running);
        // The clock: it ticks until every plug-in has ended.
        while ended.recv_timeout(Duration::from_millis(10)) == Err(mpsc::RecvTimeoutError::Timeout)
        {
            engine.increment_epoch();
        }
        for thread in threads {
            println!("{}", thread.join().expect("the plug-in's thread does not panic")?);
        }
        Ok(())
    })
}

/// Runs one plug-in in a store of its own; it may take ten ticks of the clock.
fn serve(
    plugin: &PluginPre<Session>,
    engine: &Engine,
    name: &'static str,
    requests: Vec<i32>,
) -> Result<String> {
    let work = Work { requests: requests.into(), answers: Vec::new() };
    let mut store = Store::new(engine, Session { name, work });
    store.set_epoch_deadline(10);
    let plugin = plugin.instantiate(&mut store)?;
    let outcome = match plugin.call_run(&mut store) {
        Ok(served) => format!("served {served} requests"),
        Err(error) if error.is::<Trap>() => format!("stopped: {}", error.root_cause()),
        Err(error) => return Err(error),
    };
    let Session { name, work } = store.into_data();
    Ok(format!("{name}: {outcome}, answers {:?}", work.answers))
}
