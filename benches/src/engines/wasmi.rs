//! wasmi as the workloads see it, an interpreter: the floor of what starting costs, and the ceiling of what
//! running does.

use anyhow::Result;
pub use wasmi::{Caller, Config, Engine, ExternRef, Instance, Linker, Module, Store, Val};
use wasmi::{Error, Nullable};

use super::Loop;
use crate::host::{Cell, State, Text, mix6, sum12, weigh};
use crate::measure::Run;
pub use crate::results::WASMI as NAME;

/// An engine with wasmi's default configuration.
pub fn engine() -> Result<Engine> {
    Ok(Engine::default())
}

/// wasmi never uses more than one thread.
pub use engine as single_threaded_engine;

type Cx<'a> = Caller<'a, State>;
type Object = Nullable<ExternRef>;

fn cell<'a>(cx: &'a Cx<'_>, object: &'a Object) -> Result<&'a Cell, Error> {
    let data = object.val().and_then(|object| object.data(cx).downcast_ref());
    data.ok_or_else(|| Error::new("not a cell"))
}

fn text<'a>(cx: &'a Cx<'_>, object: &'a Object) -> Result<&'a Text, Error> {
    let data = object.val().and_then(|object| object.data(cx).downcast_ref());
    data.ok_or_else(|| Error::new("not a text"))
}

/// The host functions. Values of references cannot be written to, so `write` is missing.
pub fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    linker.func_wrap("host", "nop", || {})?;
    linker.func_wrap("host", "add", |a: i32, b: i32| a.wrapping_add(b))?;
    linker.func_wrap("host", "floats", |a: f32, b: f64| f64::from(a) + b)?;
    linker.func_wrap("host", "mix6", mix6)?;
    linker.func_wrap("host", "sum12", sum12)?;
    linker.func_wrap("host", "bump", |mut cx: Cx<'_>, by: i32| {
        cx.data_mut().count += i64::from(by);
    })?;
    linker.func_wrap("host", "cell", |cx: Cx<'_>, value: i32| {
        Nullable::Val(ExternRef::new(cx, Cell(value)))
    })?;
    linker.func_wrap("host", "pass", |_: Object| {})?;
    linker.func_wrap("host", "same", |object: Object| object)?;
    linker.func_wrap("host", "read", |cx: Cx<'_>, object: Object| {
        Ok::<_, Error>(cell(&cx, &object)?.0)
    })?;
    linker.func_wrap("host", "read2", |cx: Cx<'_>, a: Object, b: Object| {
        Ok::<_, Error>(cell(&cx, &a)?.0.wrapping_add(cell(&cx, &b)?.0))
    })?;
    linker.func_wrap("host", "write", |_: Object, _: i32| {
        Err::<(), _>(Error::new("wasmi hands out no mutable host values"))
    })?;
    linker.func_wrap("host", "fresh", |cx: Cx<'_>, value: i32| {
        Nullable::Val(ExternRef::new(cx, Cell(value)))
    })?;
    linker.func_wrap("host", "text", |cx: Cx<'_>, number: i32| {
        Nullable::Val(ExternRef::new(cx, Text::of(number)))
    })?;
    linker.func_wrap("host", "concat", |mut cx: Cx<'_>, a: Object, b: Object| {
        let both = text(&cx, &a)?.concat(text(&cx, &b)?);
        Ok::<_, Error>(Nullable::Val(ExternRef::new(&mut cx, both)))
    })?;
    linker.func_wrap("host", "length", |cx: Cx<'_>, object: Object| {
        Ok::<_, Error>(text(&cx, &object)?.length())
    })?;
    linker.func_wrap("host", "utf8", |cx: Cx<'_>, start: u32, len: u32| {
        let memory = cx.get_export("memory").and_then(|export| export.into_memory());
        let memory = memory.ok_or_else(|| Error::new("no memory"))?;
        let bytes =
            memory.data(&cx).get(start as usize..).and_then(|from| from.get(..len as usize));
        let bytes = bytes.ok_or_else(|| Error::new("outside"))?;
        Ok::<_, Error>(weigh(str::from_utf8(bytes).map_err(|_| Error::new("no text"))?))
    })?;
    linker.func_wrap("host", "fail", || Err::<(), _>(Error::new("the host fails")))?;
    Ok(linker)
}

/// An instance of a guest, in an engine of its own.
pub fn instance(guest: &str) -> Result<(Store<State>, Instance)> {
    let engine = engine()?;
    instance_with(&linker(&engine)?, guest)
}

/// An instance of a guest with other definitions.
pub fn instance_with(linker: &Linker<State>, guest: &str) -> Result<(Store<State>, Instance)> {
    start(linker, &Module::new(linker.engine(), guest)?)
}

/// An instance of a module, in a store of its own.
pub fn start(linker: &Linker<State>, module: &Module) -> Result<(Store<State>, Instance)> {
    let mut store = Store::new(linker.engine(), State::default());
    let instance = linker.instantiate_and_start(&mut store, module)?;
    Ok((store, instance))
}

/// A loop of a guest.
pub fn guest_loop(guest: &str, each: &Loop) -> Result<Run> {
    prepare(instance(guest)?, each)
}

/// A loop of a guest that uses up fuel.
pub fn fuel_loop(guest: &str, each: &Loop) -> Result<Run> {
    let engine = Engine::new(Config::default().consume_fuel(true));
    let (mut store, instance) = instance_with(&linker(&engine)?, guest)?;
    store.set_fuel(u64::MAX)?;
    prepare((store, instance), each)
}

fn prepare((mut store, instance): (Store<State>, Instance), each: &Loop) -> Result<Run> {
    if let Some((export, argument)) = each.setup {
        instance.get_typed_func::<i32, i32>(&store, export)?.call(&mut store, argument)?;
    }
    let run = instance.get_typed_func::<i32, i32>(&store, each.export)?;
    Ok(Box::new(move |turns| {
        let sum = run.call(&mut store, turns.cast_signed())?;
        Ok(sum.cast_unsigned().into())
    }))
}
