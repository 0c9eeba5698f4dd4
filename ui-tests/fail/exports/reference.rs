#![allow(unused)]

use hostref::{Instance, Result, Store, wasm_exports};

struct Text(String);

#[wasm_exports]
struct Guest {
    run: fn(text: &mut Text),
    maybe: fn(text: Option<&Text>),
    any: for<'a> fn(text: &'a Text),
}

fn call(store: &mut Store<()>, instance: &Instance, text: &mut Text) -> Result<()> {
    let guest = Guest::new(&mut *store, instance)?;
    guest.call_run(store, text)
}

fn main() {}
