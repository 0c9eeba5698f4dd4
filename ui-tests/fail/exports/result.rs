#![allow(unused)]

use hostref::{Instance, Result, Store, wasm_exports};

#[wasm_exports]
struct Guest {
    run: fn(n: i32) -> Result<i64>,
}

fn call(store: &mut Store<()>, instance: &Instance) -> Result<i64> {
    let guest = Guest::new(&mut *store, instance)?;
    guest.call_run(store, 1)
}

fn main() {}
