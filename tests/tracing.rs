//! The feature `tracing`: calls of a macro's functions stand in spans, which end however the call does.

use std::fmt;
use std::sync::{Arc, Mutex};

use hostref::{Engine, Linker, Module, Result, Store, host_module, wasm_exports};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Writes down which spans begin and end, with their fields.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<(Vec<String>, Vec<String>)>>);

impl Notes {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().1)
    }
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        *self.0 += &format!(" {}={value:?}", field.name());
    }
}

impl Subscriber for Notes {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = span.metadata().name().to_owned();
        span.record(&mut Fields(&mut text));
        let names = &mut self.0.lock().unwrap().0;
        names.push(text);
        Id::from_u64(names.len() as u64)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, id: &Id) {
        self.note("begin", id);
    }

    fn exit(&self, id: &Id) {
        self.note("end", id);
    }
}

impl Notes {
    fn note(&self, what: &str, id: &Id) {
        let (names, notes) = &mut *self.0.lock().unwrap();
        notes.push(format!("{what} {}", names[id.into_u64() as usize - 1]));
    }
}

struct Env;

#[host_module(name = "env")]
impl Env {
    fn check(number: i32) -> Result<i32> {
        match number {
            0 => Err(hostref::Error::msg("zero")),
            -1 => panic!("negative"),
            _ => Ok(number),
        }
    }
}

#[wasm_exports]
struct Guest {
    run: fn(i32) -> i32,
}

#[test]
fn spans_begin_and_end() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    Env::add_to_linker(&mut linker)?;
    let module = Module::new(
        &engine,
        r#"(module
            (import "env" "check" (func $check (param i32) (result i32)))
            (func (export "run") (param i32) (result i32) (call $check (local.get 0))))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let guest = Guest::instantiate(&mut store, &module, &linker)?;
    let notes = Notes::default();
    let _default = tracing::subscriber::set_default(notes.clone());

    let expected = [
        "begin export name=\"run\"",
        "begin host function module=\"env\" name=\"check\"",
        "end host function module=\"env\" name=\"check\"",
        "end export name=\"run\"",
    ];
    assert_eq!(guest.call_run(&mut store, 7)?, 7);
    assert_eq!(notes.take(), expected);
    guest.call_run(&mut store, 0).unwrap_err();
    assert_eq!(notes.take(), expected);
    let call = std::panic::AssertUnwindSafe(|| guest.call_run(&mut store, -1));
    std::panic::catch_unwind(call).unwrap_err();
    assert_eq!(notes.take(), expected);
    Ok(())
}
