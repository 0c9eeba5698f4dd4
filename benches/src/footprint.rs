//! Memory that engines take, each in a process of its own: this program calls itself, and the child
//! says how much it has grown.

use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::engines::per_engine;
use crate::measure::Gauge;

/// The subcommand of the child.
pub const COMMAND: &str = "footprint";

const TREES: &str = include_str!("../guests/trees.wat");
const SMALL: &str = include_str!("../guests/small.wat");

/// What a child does.
#[derive(Clone, Copy)]
pub enum Load {
    /// Keeps a tree of `depth` alive and makes 100 MB of garbage beside it: the peak.
    Garbage { depth: u32 },
    /// Keeps `count` instances alive, each in a store of its own: the growth.
    Instances { count: u32 },
}

/// One gauge for each engine: the bytes by which a child grows.
pub fn gauges(load: Load, engines: &[&'static str]) -> Vec<(&'static str, Gauge)> {
    let gauge = |engine: &'static str| -> Gauge { Box::new(move || ask(engine, load)) };
    engines.iter().map(|engine| (*engine, gauge(engine))).collect()
}

fn ask(engine: &str, load: Load) -> Result<f64> {
    let (name, number) = match load {
        Load::Garbage { depth } => ("garbage", depth),
        Load::Instances { count } => ("instances", count),
    };
    let output = Command::new(std::env::current_exe()?)
        .args([COMMAND, engine, name, &number.to_string()])
        .output()?;
    ensure!(output.status.success(), "child: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().parse::<f64>()?)
}

/// The child: prints bytes.
pub fn child(args: &[String]) -> Result<()> {
    let [engine, load, number] = args else { bail!("{COMMAND} ENGINE LOAD NUMBER") };
    let number = number.parse::<u32>()?;
    let load = match load.as_str() {
        "garbage" => Load::Garbage { depth: number },
        "instances" => Load::Instances { count: number },
        other => bail!("no load {other}"),
    };
    let bytes = match (load, engine.as_str()) {
        (Load::Garbage { depth }, engine) => garbage(engine, depth)?,
        (Load::Instances { count }, engine) => instances(engine, count)?,
    };
    println!("{bytes}");
    Ok(())
}

fn garbage(engine: &str, depth: u32) -> Result<u64> {
    const TREES_OF_63_NODES: i32 = 100_000;
    per_engine!(rt in [hostref, wasmtime] {
        if engine == rt::NAME {
            let (mut store, instance) = rt::instance(TREES)?;
            let keep = instance.get_typed_func::<i32, i32>(&mut store, "keep")?;
            let small = instance.get_typed_func::<i32, i32>(&mut store, "depth5")?;
            let before = status("VmRSS")?;
            keep.call(&mut store, depth.cast_signed())?;
            small.call(&mut store, TREES_OF_63_NODES)?;
            return Ok(status("VmHWM")?.saturating_sub(before));
        }
    });
    bail!("no engine {engine}")
}

fn instances(engine: &str, count: u32) -> Result<u64> {
    per_engine!(rt in [hostref, wasmtime, wasmi] {
        if engine == rt::NAME {
            let engine = rt::engine()?;
            let linker = rt::linker(&engine)?;
            let module = rt::Module::new(&engine, SMALL)?;
            let make = || rt::start(&linker, &module);
            let mut all = vec![make()?];
            let before = status("VmRSS")?;
            for _ in 0..count {
                all.push(make()?);
            }
            return Ok(status("VmRSS")?.saturating_sub(before) / u64::from(count));
        }
    });
    bail!("no engine {engine}")
}

/// A line of `/proc/self/status`, in bytes.
fn status(name: &str) -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kib.with_context(|| format!("no {name}"))?.trim().parse::<u64>()? * 1024)
}
