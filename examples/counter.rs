//! Objects with `&mut self` methods, and what happens when a guest passes one object twice where
//! the method needs two: an error that names both parameters instead of undefined behaviour.
//!
//! `cargo run --example counter`

use hostref::{
    Engine, ExternRef, Linker, Module, New, Result, Rooted, Store, host_module, wasm_exports,
};

pub struct Counter {
    value: i64,
}

#[host_module(name = "counters", receiver = "object")]
impl Counter {
    fn create(value: i64) -> New<Counter> {
        New(Counter { value })
    }

    fn add(&mut self, by: i64) -> i64 {
        self.value += by;
        self.value
    }

    /// Moves the value of `from` into `into`.
    fn merge(into: &mut Counter, from: &mut Counter) {
        into.value += std::mem::take(&mut from.value);
    }
}

#[wasm_exports]
struct Guest {
    start: fn(at: i64),
    count: fn(n: i32) -> i64,
    merge: fn(into: Rooted<ExternRef<Counter>>, from: Rooted<ExternRef<Counter>>),
    mine: fn() -> Rooted<ExternRef<Counter>>,
}

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(&engine, include_str!("counter.wat"))?;
    let mut linker = Linker::new(&engine);
    Counter::add_to_linker(&mut linker)?;
    let mut store = Store::new(&engine, ());
    let guest = Guest::instantiate(&mut store, &module, &linker)?;

    guest.call_start(&mut store, 40)?;
    println!("counted to {}", guest.call_count(&mut store, 2)?);

    let mine = guest.call_mine(&mut store)?;
    let other = ExternRef::new_typed(&mut store, Counter { value: 100 })?;
    guest.call_merge(&mut store, mine, other)?;
    println!("merged: {} and {}", mine.data(&store)?.value, other.data(&store)?.value);

    let error = guest.call_merge(&mut store, mine, mine).expect_err("one object, borrowed twice");
    println!("refused: {}", error.root_cause());
    println!("still {}", mine.data(&store)?.value);
    Ok(())
}
