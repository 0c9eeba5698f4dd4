#![allow(unused)]

use hostref::{Take, WasmTy, host_module};

#[derive(Clone, Copy, WasmTy)]
#[repr(i32)]
enum Level {
    Low,
    High,
}

#[derive(WasmTy)]
struct Id(u64);

struct Env;

#[host_module(name = "env")]
impl Env {
    fn log(level: &Level) {}

    fn count(id: &mut Id) {}

    fn maybe(level: Option<&Level>, id: Option<Id>) {}

    fn own(id: Take<Id>) {}
}

fn main() {}
