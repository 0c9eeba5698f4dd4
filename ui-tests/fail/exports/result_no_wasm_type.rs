#![allow(unused)]

use hostref::{Instance, Result, Store, wasm_exports};

#[wasm_exports]
struct Guest {
    name: fn() -> String,
}

fn call(store: &mut Store<()>, instance: &Instance) -> Result<String> {
    let guest = Guest::new(&mut *store, instance)?;
    guest.call_name(store)
}

fn main() {}
