//! A guest joins two strings of the host: objects go in and out typed.
//!
//! `cargo run --example concat` prints `Hello, World!`.

use hostref::{
    Engine, ExternRef, Linker, Module, New, Result, Rooted, Store, host_module, wasm_exports,
};

pub struct Text(String);

struct HostString;

#[host_module(name = "host-string")]
impl HostString {
    fn new() -> New<Text> {
        New(Text(String::new()))
    }

    fn concat(a: &Text, b: &Text) -> New<Text> {
        New(Text(format!("{}{}", a.0, b.0)))
    }
}

#[wasm_exports]
struct Guest {
    run: fn(a: Rooted<ExternRef<Text>>, b: Rooted<ExternRef<Text>>) -> Rooted<ExternRef<Text>>,
}

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(&engine, include_str!("concat.wat"))?;
    let mut linker = Linker::new(&engine);
    HostString::add_to_linker(&mut linker)?;
    let mut store = Store::new(&engine, ());
    let guest = Guest::instantiate(&mut store, &module, &linker)?;
    let hello = ExternRef::new_typed(&mut store, Text("Hello, ".into()))?;
    let world = ExternRef::new_typed(&mut store, Text("World!".into()))?;
    let out = guest.call_run(&mut store, hello, world)?;
    println!("{}", out.data(&store)?.0);
    Ok(())
}
