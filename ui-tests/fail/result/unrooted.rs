#![allow(unused)]

use hostref::{ExternRef, Result, StructRef, host_module};

struct Text(String);

struct Env;

#[host_module(name = "env")]
impl Env {
    fn text() -> ExternRef<Text> {
        panic!()
    }

    fn record() -> Result<Option<StructRef>> {
        panic!()
    }
}

fn main() {}
