//! Guests that trap and hosts that fail, up to the `Err` that the embedder holds, with and without the
//! guest's backtrace.

use std::hint::black_box;

use anyhow::{Result, ensure};

use crate::engines::per_engine;
use crate::suite::{Contest, Suite};

const GUEST: &str = include_str!("../../guests/failures.wat");

pub fn run(suite: &mut Suite) -> Result<()> {
    for (name, export) in [
        ("unreachable", "unreachable"),
        ("division by zero", "divide"),
        ("memory access outside", "outside"),
        ("wrong signature", "signature"),
        ("error of the host", "host"),
        ("unreachable, ten frames deep", "ten_frames"),
    ] {
        suite.time(name, "failure", |contest| compilers(contest, export, true))?;
        suite.time(&format!("{name}, no backtrace"), "failure", |contest| {
            compilers(contest, export, false)?;
            per_engine!(rt in [wasmi] {
                let (mut store, instance) = rt::instance(GUEST)?;
                let func = instance.get_typed_func::<(), ()>(&store, export)?;
                contest.enter(rt::NAME, move |turns| fail(turns, || func.call(&mut store, ())));
            });
            Ok(())
        })?;
    }
    rendered(suite)
}

fn compilers(contest: &mut Contest, export: &str, backtrace: bool) -> Result<()> {
    per_engine!(rt in [hostref, wasmtime] {
        let linker = rt::linker(&rt::engine_with_backtraces(backtrace)?)?;
        let (mut store, instance) = rt::instance_with(&linker, GUEST)?;
        let func = instance.get_typed_func::<(), ()>(&mut store, export)?;
        contest.enter(rt::NAME, move |turns| fail(turns, || func.call(&mut store, ())));
    });
    Ok(())
}

/// What it costs to read what happened, which engines may put off until someone does.
fn rendered(suite: &mut Suite) -> Result<()> {
    suite.time("ten frames, message printed", "failure", |contest| {
        per_engine!(rt in [hostref, wasmtime] {
            let (mut store, instance) = rt::instance(GUEST)?;
            let func = instance.get_typed_func::<(), ()>(&mut store, "ten_frames")?;
            contest.enter(rt::NAME, move |turns| fail(turns, || {
                let result = func.call(&mut store, ());
                result.inspect_err(|error| drop(black_box(format!("{error:?}"))))
            }));
        });
        Ok(())
    })
}

fn fail<E>(turns: u32, mut call: impl FnMut() -> Result<(), E>) -> Result<u64> {
    for _ in 0..turns {
        ensure!(black_box(call()).is_err(), "the guest does not fail");
    }
    Ok(turns.into())
}
