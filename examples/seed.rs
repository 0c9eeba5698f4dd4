//! The externref example that embedders know from Wasmtime's documentation, on hostref with the
//! untyped API: apart from the crate's name the calls are the same, and here it links and runs.
//!
//! One line differs for a reason that lies in the original: it boxes the concatenation as a `String`
//! and then asks for a `Cow<str>`, which no runtime can answer. Here both are `Cow<str>`.
//!
//! `cargo run --example seed` prints `Hello, World!`.

use std::borrow::Cow;

use hostref::*;

fn main() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());

    // Host strings for guests.
    let mut linker = Linker::new(&engine);
    linker.func_wrap(
        "host-string",
        "new",
        |caller: Caller<'_, ()>| -> Result<Rooted<ExternRef>> {
            ExternRef::new(caller, Cow::from(""))
        },
    )?;
    linker.func_wrap(
        "host-string",
        "concat",
        |mut caller: Caller<'_, ()>,
         a: Rooted<ExternRef>,
         b: Rooted<ExternRef>|
         -> Result<Rooted<ExternRef>> {
            let mut s = a
                .data(&caller)?
                .downcast_ref::<Cow<str>>()
                .ok_or_else(|| Error::msg("externref was not a string"))?
                .clone()
                .into_owned();
            let b = b
                .data(&caller)?
                .downcast_ref::<Cow<str>>()
                .ok_or_else(|| Error::msg("externref was not a string"))?;
            s.push_str(b);
            ExternRef::new(&mut caller, Cow::<str>::from(s))
        },
    )?;

    // A guest that uses them.
    let module = Module::new(
        &engine,
        r#"
            (module
                (import "host-string" "concat" (func $concat (param externref externref)
                                                             (result externref)))
                (func (export "run") (param externref externref) (result externref)
                    local.get 0
                    local.get 1
                    call $concat
                )
            )
        "#,
    )?;

    let hello = ExternRef::new(&mut store, Cow::from("Hello, "))?;
    let world = ExternRef::new(&mut store, Cow::from("World!"))?;

    let instance = linker.instantiate(&mut store, &module)?;
    let result = instance
        .get_typed_func::<(Rooted<ExternRef>, Rooted<ExternRef>), Rooted<ExternRef>>(
            &mut store, "run",
        )?
        .call(&mut store, (hello, world))?;

    let result = result.data(&store)?.downcast_ref::<Cow<str>>().unwrap();
    assert_eq!(result, "Hello, World!");
    println!("{result}");
    Ok(())
}
