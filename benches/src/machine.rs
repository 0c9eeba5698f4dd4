//! Where and with what a run was made.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::results::{Results, Row};

/// A run's rows with all that belongs to them.
pub fn results(quick: bool, rows: Vec<Row>) -> Result<Results> {
    Ok(Results {
        date: output("date", &["--utc", "+%Y-%m-%d"])?,
        machine: format!("{}, {} cores, Linux {}", cpu()?, cores()?, output("uname", &["-r"])?),
        versions: versions()?,
        quick,
        rows,
    })
}

fn output(program: &str, args: &[&str]) -> Result<String> {
    let output = Command::new(program).args(args).output().with_context(|| program.to_owned())?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The model's name, and whether the machine is a virtual one.
fn cpu() -> Result<String> {
    let info = fs::read_to_string("/proc/cpuinfo")?;
    let field = |name: &str| {
        info.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            (key.trim() == name).then(|| value.trim())
        })
    };
    let model = field("model name").unwrap_or("unknown processor");
    let virtual_machine = field("flags").is_some_and(|flags| flags.contains("hypervisor"));
    Ok(format!("{model}{}", if virtual_machine { " (virtual machine)" } else { "" }))
}

fn cores() -> Result<usize> {
    Ok(std::thread::available_parallelism()?.get())
}

/// Versions by the lock file that this program was built from.
fn versions() -> Result<Vec<String>> {
    const LOCK: &str = include_str!("../Cargo.lock");
    let mut versions = Vec::new();
    for name in ["hostref", "cranelift-codegen", "wasmtime", "wasmi"] {
        let entry = LOCK
            .split("[[package]]")
            .filter(|entry| entry.lines().any(|line| line == format!("name = \"{name}\"")));
        for entry in entry {
            let version = entry.lines().find_map(|line| line.strip_prefix("version = "));
            versions.push(format!("{name} {}", version.context("no version")?.trim_matches('"')));
        }
    }
    versions.push(output("rustc", &["--version"])?);
    Ok(versions)
}
