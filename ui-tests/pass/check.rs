//! What `check` accepts. That it agrees with the linker is tested in `tests/check.rs`.

#![allow(dead_code, reason = "most of it is only compared with the guest's file")]

use hostref::{
    ExternRef, Global, Memory, Module, Result, Rooted, Table, host_module, wasm_exports,
};

struct Counter(i64);

type Amount = u64;
type Reference = Option<Rooted<ExternRef>>;

#[host_module(name = "env", receiver = "object", check = "ui-tests/guests/pass.wat")]
impl Counter {
    fn log(code: i32) {
        let _ = code;
    }

    fn bump(&mut self, by: Amount) -> hostref::Result<i64> {
        self.0 += by as i64;
        Ok(self.0)
    }

    fn divide(a: u32, b: u32) -> (u32, u32) {
        (a / b, a % b)
    }

    fn print(line: &str, at: Option<&Counter>) {
        let _ = (line, at);
    }

    fn not_imported(self: &Self) {}

    #[host(global)]
    const LIMIT: f64 = 0.5;
}

#[wasm_exports(check = "ui-tests/guests/pass.wat", rename_all = "kebab-case")]
struct Guest {
    run: fn(n: i32, what: Reference) -> Amount,
    to_start: fn(),
    absent: Option<fn(i64)>,
    table: Table,
    memory: Memory,
    ticks: Global<i32>,
    #[export(alloc = "malloc")]
    say: fn(&str, bool) -> bool,
    no_such_table: Option<Table>,
}

pub(crate) fn main() -> Result<()> {
    let engine = hostref::Engine::default();
    let module = Module::from_file(&engine, "ui-tests/guests/pass.wat")?;
    let mut linker: hostref::Linker<()> = hostref::Linker::new(&engine);
    Counter::add_to_linker(&mut linker)?;
    GuestPre::new(linker.instantiate_pre(&module)?).map(drop)
}
