//! What it costs to begin: engines, small modules, stores, instances, and the memory of many that live.

use anyhow::Result;

use crate::engines::{per_engine, wasmtime as pooled};
use crate::footprint::{self, Load};
use crate::host::State;
use crate::modules;
use crate::results::{HOSTREF, Unit, WASMI, WASMTIME};
use crate::suite::{Contest, Suite};

const SMALL: &str = include_str!("../../guests/small.wat");
const BARE: &str = include_str!("../../guests/bare.wat");
const POOLED: &str = "wasmtime pooled";

pub fn run(suite: &mut Suite) -> Result<()> {
    suite.time("engine", "engine", |contest| {
        per_engine!(rt in [hostref, wasmtime, wasmi] {
            contest.enter(rt::NAME, |turns| repeat(turns, rt::engine));
        });
        Ok(())
    })?;
    // The work of other threads would not be counted.
    suite.time("small module, one thread", "module", |contest| {
        let wasm = wat::parse_str(SMALL)?;
        per_engine!(rt in [hostref, wasmtime, wasmi] {
            let (engine, wasm) = (rt::single_threaded_engine()?, wasm.clone());
            contest.enter(rt::NAME, move |turns| {
                repeat(turns, || Ok(rt::Module::new(&engine, &wasm)?))
            });
        });
        Ok(())
    })?;
    suite.time("store", "store", |contest| {
        per_engine!(rt in [hostref, wasmtime, wasmi] {
            let engine = rt::engine()?;
            contest.enter(rt::NAME, move |turns| {
                repeat(turns, || Ok(rt::Store::new(&engine, State::default())))
            });
        });
        Ok(())
    })?;
    for (name, guest) in [("without memory", BARE), ("small", SMALL)] {
        suite.time(&format!("store and instance, {name}"), "instance", |contest| {
            begin(contest, guest, false)
        })?;
        suite.time(&format!("store, instance and call, {name}"), "instance", |contest| {
            begin(contest, guest, true)
        })?;
    }
    for (name, wasm) in modules::fetched()? {
        suite.time(
            &format!("store and instance, {}", modules::title(&name, &wasm)),
            "instance",
            |contest| begin_real(contest, &wasm),
        )?;
    }
    suite.gauge("memory of 1,000 live instances", Unit::Bytes, "instance", || {
        Ok(footprint::gauges(Load::Instances { count: 1000 }, &[HOSTREF, WASMTIME, WASMI]))
    })
}

/// Enters an engine that links ahead of time.
macro_rules! enter_begin {
    ($contest:ident, $rt:ident, $name:expr, $engine:expr, $guest:ident, $call:ident) => {
        let linker = $rt::linker(&$engine)?;
        let module = $rt::Module::new(linker.engine(), $guest)?;
        let linked = linker.instantiate_pre(&module)?;
        $contest.enter($name, move |turns| {
            repeat(turns, || {
                let mut store = $rt::Store::new(linked.module().engine(), State::default());
                let instance = linked.instantiate(&mut store)?;
                if $call {
                    instance.get_typed_func::<i32, i32>(&mut store, "run")?.call(&mut store, 3)?;
                }
                Ok(store)
            })
        });
    };
}
/// A store with an instance of a module whose imports were found before; called once or not.
fn begin(contest: &mut Contest, guest: &str, call: bool) -> Result<()> {
    per_engine!(rt in [hostref, wasmtime] {
        enter_begin!(contest, rt, rt::NAME, rt::engine()?, guest, call);
    });
    enter_begin!(contest, pooled, POOLED, pooled_engine()?, guest, call);
    per_engine!(rt in [wasmi] {
        let engine = rt::engine()?;
        let linker = rt::linker(&engine)?;
        let module = rt::Module::new(&engine, guest)?;
        contest.enter(rt::NAME, move |turns| repeat(turns, || {
            let (mut store, instance) = rt::start(&linker, &module)?;
            if call {
                instance.get_typed_func::<i32, i32>(&store, "run")?.call(&mut store, 3)?;
            }
            Ok(store)
        }));
    });
    Ok(())
}

/// A store with an instance of a module that was not written for this, and cannot call its imports. Those
/// that import more than functions have no part in it.
fn begin_real(contest: &mut Contest, wasm: &[u8]) -> Result<()> {
    per_engine!(rt in [hostref, wasmtime] {
        let engine = rt::engine()?;
        let module = rt::Module::new(&engine, wasm)?;
        if module.imports().any(|import| import.ty().func().is_none()) {
            return Ok(());
        }
        let mut linker = rt::Linker::<State>::new(&engine);
        linker.define_unknown_imports_as_traps(&module)?;
        let linked = linker.instantiate_pre(&module)?;
        contest.enter(rt::NAME, move |turns| repeat(turns, || {
            let mut store = rt::Store::new(linked.module().engine(), State::default());
            linked.instantiate(&mut store)?;
            Ok(store)
        }));
    });
    Ok(())
}

/// Wasmtime with slots for instances set aside ahead of time.
fn pooled_engine() -> Result<pooled::Engine> {
    let mut config = pooled::config();
    config.allocation_strategy(wasmtime::InstanceAllocationStrategy::pooling());
    Ok(pooled::Engine::new(&config)?)
}

/// Makes and drops as many as there are turns.
fn repeat<R>(turns: u32, make: impl Fn() -> Result<R>) -> Result<u64> {
    for _ in 0..turns {
        make()?;
    }
    Ok(turns.into())
}
