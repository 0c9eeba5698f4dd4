//! Whether costs grow with what is alive or loaded: each workload again at ten times as much.

use std::hint::black_box;

use anyhow::Result;

use crate::engines::per_engine;
use crate::host::{Cell, State};
use crate::results::NATIVE;
use crate::suite::{Contest, Suite};

const CALLS_IN: &str = include_str!("../../guests/calls_in.wat");
const CALLS_OUT: &str = include_str!("../../guests/calls_out.wat");
const SMALL: &str = include_str!("../../guests/small.wat");
const TREES: &str = include_str!("../../guests/trees.wat");

const STEPS: [u32; 4] = [1, 10, 100, 1000];

pub fn run(suite: &mut Suite) -> Result<()> {
    for roots in [1, 10, 100, 1000, 10_000, 100_000] {
        suite.time(&format!("reference in and out, {roots} roots"), "call", |contest| {
            beside_roots(contest, roots)
        })?;
    }
    for count in STEPS {
        suite.time(&format!("call in, {count} instances"), "call", |contest| {
            beside_instances(contest, count)
        })?;
    }
    for count in STEPS {
        suite.time(&format!("call out, {count} modules"), "call", |contest| {
            beside_modules(contest, count)
        })?;
    }
    for count in STEPS {
        suite.time(&format!("call out, {count} host functions"), "call", |contest| {
            beside_host_functions(contest, count)
        })?;
    }
    for count in STEPS {
        suite.time(&format!("trap, {count} modules"), "trap", |contest| {
            traps_beside_modules(contest, count)
        })?;
    }
    for functions in [10, 100, 1000, 10_000] {
        suite.time(&format!("compile, {functions} functions"), "function", |contest| {
            compile(contest, functions)
        })?;
    }
    for (nodes, depth) in [("1 K", 9), ("16 K", 13), ("262 K", 17), ("4.2 M", 21)] {
        suite.time(&format!("garbage, {nodes} nodes alive"), "node", |contest| {
            garbage(contest, depth)
        })?;
    }
    Ok(())
}

/// A call with a reference, while the host holds `roots` others.
fn beside_roots(contest: &mut Contest, roots: u32) -> Result<()> {
    per_engine!(rt in [hostref, wasmtime] {
        type Object = Option<rt::Rooted<rt::ExternRef>>;
        let (mut store, instance) = rt::instance(CALLS_IN)?;
        let func = instance.get_typed_func::<Object, Object>(&mut store, "one")?;
        let mut object = None;
        for _ in 0..roots {
            object = Some(rt::ExternRef::new(&mut store, Cell(1))?);
        }
        contest.enter(rt::NAME, move |turns| {
            for _ in 0..turns {
                let mut scope = rt::RootScope::new(&mut store);
                black_box(func.call(&mut scope, object)?);
            }
            Ok(turns.into())
        });
    });
    Ok(())
}

/// A typed call into the last of `count` instances of one store.
fn beside_instances(contest: &mut Contest, count: u32) -> Result<()> {
    per_engine!(rt in [hostref, wasmtime] {
        let linker = rt::linker(&rt::engine()?)?;
        let linked = linker.instantiate_pre(&rt::Module::new(linker.engine(), SMALL)?)?;
        let mut store = rt::Store::new(linker.engine(), State::default());
        let mut latest = linked.instantiate(&mut store)?;
        for _ in 1..count {
            latest = linked.instantiate(&mut store)?;
        }
        let run = latest.get_typed_func::<i32, i32>(&mut store, "run")?;
        contest.enter(rt::NAME, move |turns| {
            let mut sum = 0_u64;
            for _ in 0..turns {
                sum = sum.wrapping_add(run.call(&mut store, 2)?.cast_unsigned().into());
            }
            Ok(sum)
        });
    });
    Ok(())
}

/// Modules that differ, all alive in one engine.
macro_rules! modules {
    ($rt:ident, $engine:expr, $count:expr) => {{
        let mut modules = Vec::new();
        for number in 0..$count {
            let text =
                format!("(module (func (export \"run\") (result i32) (i32.const {number})))");
            modules.push($rt::Module::new($engine, text)?);
        }
        modules
    }};
}

/// Calls of a host function while the engine has `count` other modules.
fn beside_modules(contest: &mut Contest, count: u32) -> Result<()> {
    per_engine!(rt in [hostref, wasmtime] {
        let linker = rt::linker(&rt::engine()?)?;
        let modules = modules!(rt, linker.engine(), count);
        let (mut store, instance) = rt::instance_with(&linker, CALLS_OUT)?;
        let run = instance.get_typed_func::<i32, i32>(&mut store, "read")?;
        contest.enter(rt::NAME, move |turns| {
            black_box(&modules);
            Ok(run.call(&mut store, turns.cast_signed())?.cast_unsigned().into())
        });
    });
    Ok(())
}

/// Traps while the engine has `count` other modules: finding out what a code address belongs to.
fn traps_beside_modules(contest: &mut Contest, count: u32) -> Result<()> {
    per_engine!(rt in [hostref, wasmtime] {
        let linker = rt::linker(&rt::engine()?)?;
        let modules = modules!(rt, linker.engine(), count);
        let (mut store, instance) =
            rt::instance_with(&linker, "(module (func (export \"run\") unreachable))")?;
        let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
        contest.enter(rt::NAME, move |turns| {
            black_box(&modules);
            Ok((0..turns).filter(|_| run.call(&mut store, ()).is_err()).count() as u64)
        });
    });
    Ok(())
}

/// A loop over the last of `count` host functions that a guest imports.
fn beside_host_functions(contest: &mut Contest, count: u32) -> Result<()> {
    let imports: String = (0..count)
        .map(|number| format!("(import \"many\" \"f{number}\" (func (param i32) (result i32)))"))
        .collect();
    let last = count - 1;
    let guest = format!(
        "(module {imports}
            (func (export \"run\") (param $n i32) (result i32) (local $sum i32)
                (loop $next
                    (local.set $sum (i32.add (local.get $sum) (call {last} (local.get $n))))
                    (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (local.get $sum)))"
    );
    per_engine!(rt in [hostref, wasmtime] {
        let mut linker = rt::linker(&rt::engine()?)?;
        for number in 0..count {
            linker.func_wrap("many", &format!("f{number}"), |n: i32| n ^ 0x55)?;
        }
        let (mut store, instance) = rt::instance_with(&linker, &guest)?;
        let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
        contest.enter(rt::NAME, move |turns| {
            Ok(run.call(&mut store, turns.cast_signed())?.cast_unsigned().into())
        });
    });
    let call: fn(i32) -> i32 = black_box(|n| n ^ 0x55);
    contest.enter(NATIVE, move |turns| {
        let sum = (1..=turns).fold(0_i32, |sum, n| sum.wrapping_add(call(n.cast_signed())));
        Ok(sum.cast_unsigned().into())
    });
    Ok(())
}

/// Compiles as many functions of the same shape in one module.
fn compile(contest: &mut Contest, functions: u32) -> Result<()> {
    let body = |number: u32| {
        format!(
            "(func (export \"f{number}\") (param $n i32) (result i32) (local $sum i32)
                (loop $next
                    (local.set $sum (i32.xor (i32.const {number}) (i32.add (local.get $sum)
                        (i32.load (i32.and (local.get $n) (i32.const 0xfffc))))))
                    (i32.store (i32.const {number}) (local.get $sum))
                    (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (local.get $sum))"
        )
    };
    let functions_text: String = (0..functions).map(body).collect();
    let wasm = wat::parse_str(format!("(module (memory 1) {functions_text})"))?;
    contest.operations(functions.into()).single_turns();
    per_engine!(rt in [hostref, wasmtime] {
        let (engine, wasm) = (rt::single_threaded_engine()?, wasm.clone());
        contest.enter(rt::NAME, move |turns| {
            for _ in 0..turns {
                black_box(rt::Module::new(&engine, &wasm)?);
            }
            Ok(turns.into())
        });
    });
    Ok(())
}

/// Trees of 63 nodes that die at once, beside a tree of `depth` that lives.
fn garbage(contest: &mut Contest, depth: i32) -> Result<()> {
    contest.operations(63.0);
    per_engine!(rt in [hostref, wasmtime] {
        let (mut store, instance) = rt::instance(TREES)?;
        instance.get_typed_func::<i32, i32>(&mut store, "keep")?.call(&mut store, depth)?;
        let run = instance.get_typed_func::<i32, i32>(&mut store, "depth5")?;
        contest.enter(rt::NAME, move |turns| {
            Ok(run.call(&mut store, turns.cast_signed())?.cast_unsigned().into())
        });
    });
    Ok(())
}
