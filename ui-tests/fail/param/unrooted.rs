#![allow(unused)]

use hostref::{AnyRef, ExternRef, StructRef, host_module};

struct Text(String);

struct Env;

#[host_module(name = "env")]
impl Env {
    fn log(text: ExternRef<Text>) {}

    fn record(any: StructRef) {}

    fn maybe(any: Option<AnyRef>) {}
}

fn main() {}
