#![allow(unused)]

use hostref::{Instance, Result, Store, wasm_exports};

struct Text(String);

#[wasm_exports]
struct Guest {
    run: fn(times: i32, text: Text),
}

fn call(store: &mut Store<()>, instance: &Instance, text: Text) -> Result<()> {
    let guest = Guest::new(&mut *store, instance)?;
    guest.call_run(store, 1, text)
}

fn main() {}
