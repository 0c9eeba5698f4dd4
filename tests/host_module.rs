//! x
use hostref::*;
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
#[test]
fn concat() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module (import "host-string" "concat" (func $c (param externref externref) (result externref)))
      (func (export "run") (param externref externref) (result externref) (call $c (local.get 0) (local.get 1))))"#,
    )?;
    let mut linker = Linker::new(&engine);
    HostString::add_to_linker(&mut linker)?;
    let mut store = Store::new(&engine, ());
    let guest = Guest::instantiate(&mut store, &module, &linker)?;
    let hello = ExternRef::new_typed(&mut store, Text("Hello, ".into()))?;
    let world = ExternRef::new_typed(&mut store, Text("World!".into()))?;
    let out = guest.call_run(&mut store, hello, world)?;
    assert_eq!(out.data(&store)?.0, "Hello, World!");
    Ok(())
}
