//! Compiling real modules, those that `modules/fetch` has brought, per MB of Wasm, by one thread and by all;
//! and loading them when they were compiled before.

use anyhow::Result;

use crate::engines::per_engine;
use crate::modules;
use crate::suite::Suite;

pub fn run(suite: &mut Suite) -> Result<()> {
    let modules = modules::fetched()?;
    if modules.is_empty() {
        eprintln!("compile: no modules; modules/fetch brings them");
    }
    for (name, wasm) in &modules {
        let megabytes = wasm.len() as f64 / 1e6;
        let title = modules::title(name, wasm);
        suite.time(&format!("{title}, one thread"), "MB", |contest| {
            contest.operations(megabytes).single_turns();
            per_engine!(rt in [hostref, wasmtime, wasmi] {
                let (engine, wasm) = (rt::single_threaded_engine()?, wasm.clone());
                contest.enter(rt::NAME, move |turns| repeat(turns, || {
                    Ok(rt::Module::new(&engine, &wasm)?)
                }));
            });
            Ok(())
        })?;
        suite.time(&format!("{title}, all threads"), "MB", |contest| {
            contest.operations(megabytes).single_turns().wall_clock();
            per_engine!(rt in [hostref, wasmtime] {
                let (engine, wasm) = (rt::engine()?, wasm.clone());
                contest.enter(rt::NAME, move |turns| repeat(turns, || {
                    Ok(rt::Module::new(&engine, &wasm)?)
                }));
            });
            Ok(())
        })?;
        suite.time(&format!("{title}, from serialized form"), "MB", |contest| {
            contest.operations(megabytes);
            per_engine!(rt in [hostref, wasmtime] {
                let engine = rt::engine()?;
                let bytes = rt::Module::new(&engine, wasm)?.serialize()?;
                contest.enter(rt::NAME, move |turns| repeat(turns, || {
                    // SAFETY: the bytes are those of a module that this engine has just serialized.
                    Ok(unsafe { rt::Module::deserialize(&engine, &bytes) }?)
                }));
            });
            Ok(())
        })?;
    }
    Ok(())
}

/// Compiles as often as there are turns.
fn repeat<R>(turns: u32, compile: impl Fn() -> Result<R>) -> Result<u64> {
    for _ in 0..turns {
        compile()?;
    }
    Ok(turns.into())
}
