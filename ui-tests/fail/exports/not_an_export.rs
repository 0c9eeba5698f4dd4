#![allow(unused)]

use hostref::{Instance, Result, Store, wasm_exports};

#[wasm_exports]
struct Guest {
    run: fn(),
    calls: u32,
}

fn call(store: &mut Store<()>, instance: &Instance) -> Result<()> {
    let guest = Guest::new(&mut *store, instance)?;
    guest.call_run(store)
}

fn main() {}
