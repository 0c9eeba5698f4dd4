//! What parameters may be besides those that `object.rs` has: guest memory, contexts, functions, wrapped
//! integers.

#![allow(unused, reason = "functions are linked, not called: `tests/host_kinds` does that")]

use hostref::{
    Caller, Copied, Func, Global, HostCx, Ptr, TypedFunc, WasmTy, host_module, wasm_exports,
};

struct Env;

struct View<'a>(&'a [u8]);

struct Wrapper<T>(T);

type Boxed = Wrapper<Vec<u8>>;

type Bytes<'a> = &'a [u8];

#[derive(WasmTy)]
#[wasm(try_from = "u8", into = "u8")]
struct Level(u8);

impl TryFrom<u8> for Level {
    type Error = std::num::TryFromIntError;

    fn try_from(level: u8) -> Result<Level, Self::Error> {
        Ok(Level(level))
    }
}

impl From<Level> for u8 {
    fn from(level: Level) -> u8 {
        level.0
    }
}

#[host_module(name = "env", state = (), memory = "heap")]
impl Env {
    #[host(global)]
    const MOST: u32 = 7;

    fn text(line: &str, bytes: Bytes, out: &mut [f32]) {}
    fn named<'a>(line: &'a str, more: &'a [i64]) -> u32 {
        (line.len() + more.len()) as u32
    }
    // An object that borrows something borrows it for ever.
    fn borrowing(view: &View<'_>, other: &View) -> u32 {
        view.0.len() as u32
    }
    fn of_any_type(
        a: &Boxed,
        b: &mut Wrapper<Option<Env>>,
        c: &(i32, String),
        d: &std::sync::Arc<std::sync::Mutex<Env>>,
        e: &Box<dyn std::any::Any + Send + Sync>,
        f: &Box<dyn Fn(i32) -> i32 + Send + Sync>,
        g: &fn(i32) -> i32,
        h: &(),
        i: &Vec<u8>,
        j: &mut String,
    ) -> i32 {
        f(g(c.0))
    }
    fn copied(cx: &mut Caller<'_, ()>, line: Copied<str>, at: Ptr<u16>) -> hostref::Result<u16> {
        at.read(cx)
    }
    fn library(cx: &mut HostCx<'_, ()>, bytes: Copied<[u8]>, f: TypedFunc<i32, ()>) {}
    fn functions(f: Option<TypedFunc<(), ()>>, g: Option<Func>) -> Option<TypedFunc<(), ()>> {
        f
    }
    fn low(#[host(wrap)] a: u8, #[host(wrap)] b: i16, level: Level) -> Level {
        level
    }
    #[host(errno)]
    fn open(path: &str) -> Result<(), i32> {
        Err(2)
    }
}

#[wasm_exports]
struct Guest {
    #[export(alloc = "malloc")]
    send: fn(text: &str, n: i32, bytes: &[u8]) -> (i32, i64),
    #[export(alloc = "other_malloc", name = "send-more")]
    more: fn(&str),
    handler: fn(f: TypedFunc<i32, i32>) -> Option<TypedFunc<i32, i32>>,
    ticks: Global<u32>,
    limit: Option<Global<f64>>,
}

fn call(guest: &Guest, store: &mut hostref::Store<()>) -> hostref::Result<i32> {
    guest.ticks().set(&mut *store, 1)?;
    guest.call_more(&mut *store, "text")?;
    Ok(guest.call_send(store, "text", 1, b"bytes")?.0)
}

pub(crate) fn main() -> hostref::Result<()> {
    let _ = call;
    let mut linker = hostref::Linker::new(&hostref::Engine::default());
    Env::add_to_linker(&mut linker)
}
