//! Which structs `#[wasm_exports]` accepts, also from inside a macro.

#![allow(dead_code, reason = "most methods are only generated")]

use hostref::{
    Engine, ExternRef, Func, Global, Linker, Memory, Module, New, Result, Rooted, Store, Table,
    wasm_exports,
};

struct Text(String);

#[wasm_exports(rename_all = "camelCase")]
#[derive(Clone, Debug)]
pub struct Guest {
    /// Runs.
    pub run_all: fn(a: Rooted<ExternRef<Text>>, b: Option<Rooted<ExternRef>>) -> i64,
    #[export(name = "on-event")]
    on_event: Option<fn(i32, _: bool) -> (i32, Option<Func>)>,
    make: fn(text: New<Text>, more: Option<New<u8>>) -> Rooted<ExternRef<Text>>,
    memory: Memory,
    table: Option<Table>,
    global: Global,
    start: Func,
}

macro_rules! guest {
    ($name:ident, $field:ident: $ty:ty, $export:literal) => {
        #[wasm_exports]
        struct $name {
            #[export(name = $export)]
            $field: $ty,
            memory: Memory,
        }
    };
}

guest!(Small, run: fn(n: i32) -> i32, "run-it");

fn call(guest: &Small, store: &mut Store<()>) -> Result<i32> {
    guest.call_run(store, 1)
}

pub(crate) fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (memory (export "memory") 1)
            (func (export "run-it") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let small = Small::instantiate(&mut store, &module, &Linker::new(&engine))?;
    assert_eq!(call(&small, &mut store)?, 2);
    assert!(GuestPre::new(Linker::<()>::new(&engine).instantiate_pre(&module)?).is_err());
    Ok(())
}
