//! Every form of `#[wasm_exports]` that is supported, also from inside a macro.

use hostref::{ExternRef, Func, Global, Memory, New, Rooted, Table, wasm_exports};

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

fn call(guest: &Small, store: &mut hostref::Store<()>) -> hostref::Result<i32> {
    guest.call_run(store, 1)
}

fn main() {
    let _ = call;
}
