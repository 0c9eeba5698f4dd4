//! Wasmtime as the workloads see it: its default configuration with the proposals of WebAssembly 3.0.

use anyhow::Result;
pub use wasmtime::{
    Caller, Config, Engine, ExternRef, Instance, Linker, Module, RootScope, Rooted, Store, Val,
};
use wasmtime::{Error, bail};

use super::Loop;
use crate::host::{Cell, State, Text, mix6, sum12, weigh};
use crate::measure::Run;
pub use crate::results::WASMTIME as NAME;

/// The configuration of all workloads: default collector, default optimisation, which is for speed.
pub fn config() -> Config {
    let mut config = Config::new();
    config.wasm_function_references(true).wasm_gc(true).wasm_exceptions(true);
    config
}

/// An engine with the configuration of all workloads.
pub fn engine() -> Result<Engine> {
    Ok(Engine::new(&config())?)
}

/// An engine whose errors have backtraces of the guest, or not.
pub fn engine_with_backtraces(enable: bool) -> Result<Engine> {
    let mut config = config();
    if !enable {
        config.wasm_backtrace_max_frames(None);
    }
    Ok(Engine::new(&config)?)
}

/// An engine that compiles in the thread that asks for it.
pub fn single_threaded_engine() -> Result<Engine> {
    Ok(Engine::new(config().parallel_compilation(false))?)
}

type Cx<'a> = Caller<'a, State>;
type Object = Option<Rooted<ExternRef>>;

fn cell<'a>(cx: &'a Cx<'_>, object: Object) -> Result<&'a Cell, Error> {
    let Some(object) = object else { bail!("null") };
    let data = object.data(cx)?.and_then(|data| data.downcast_ref());
    data.ok_or_else(|| Error::msg("not a cell"))
}

fn text<'a>(cx: &'a Cx<'_>, object: Object) -> Result<&'a Text, Error> {
    let Some(object) = object else { bail!("null") };
    let data = object.data(cx)?.and_then(|data| data.downcast_ref());
    data.ok_or_else(|| Error::msg("not a text"))
}

/// The host functions.
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
        ExternRef::new(cx, Cell(value)).map(Some)
    })?;
    linker.func_wrap("host", "pass", |_: Object| {})?;
    linker.func_wrap("host", "same", |object: Object| object)?;
    linker.func_wrap("host", "read", |cx: Cx<'_>, object: Object| Ok(cell(&cx, object)?.0))?;
    linker.func_wrap("host", "read2", |cx: Cx<'_>, a: Object, b: Object| {
        Ok(cell(&cx, a)?.0.wrapping_add(cell(&cx, b)?.0))
    })?;
    linker.func_wrap("host", "write", |mut cx: Cx<'_>, object: Object, by: i32| {
        let Some(object) = object else { bail!("null") };
        let data = object.data_mut(&mut cx)?.and_then(|data| data.downcast_mut::<Cell>());
        let cell = data.ok_or_else(|| Error::msg("not a cell"))?;
        cell.0 = cell.0.wrapping_add(by);
        Ok(())
    })?;
    linker.func_wrap("host", "fresh", |cx: Cx<'_>, value: i32| {
        ExternRef::new(cx, Cell(value)).map(Some)
    })?;
    linker.func_wrap("host", "text", |cx: Cx<'_>, number: i32| {
        ExternRef::new(cx, Text::of(number)).map(Some)
    })?;
    linker.func_wrap("host", "concat", |mut cx: Cx<'_>, a: Object, b: Object| {
        let both = text(&cx, a)?.concat(text(&cx, b)?);
        ExternRef::new(&mut cx, both).map(Some)
    })?;
    linker.func_wrap("host", "length", |cx: Cx<'_>, object: Object| {
        Ok(text(&cx, object)?.length())
    })?;
    linker.func_wrap("host", "utf8", |mut cx: Cx<'_>, start: u32, len: u32| {
        let memory = cx.get_export("memory").and_then(|export| export.into_memory());
        let memory = memory.ok_or_else(|| Error::msg("no memory"))?;
        let bytes =
            memory.data(&cx).get(start as usize..).and_then(|from| from.get(..len as usize));
        Ok(weigh(str::from_utf8(bytes.ok_or_else(|| Error::msg("outside"))?)?))
    })?;
    linker.func_wrap("host", "fail", || Err::<(), _>(Error::msg("the host fails")))?;
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
    let instance = linker.instantiate(&mut store, module)?;
    Ok((store, instance))
}

/// A loop of a guest.
pub fn guest_loop(guest: &str, each: &Loop) -> Result<Run> {
    prepare(instance(guest)?, each)
}

/// A loop of a guest that uses up fuel.
pub fn fuel_loop(guest: &str, each: &Loop) -> Result<Run> {
    let engine = Engine::new(config().consume_fuel(true))?;
    let (mut store, instance) = instance_with(&linker(&engine)?, guest)?;
    store.set_fuel(u64::MAX)?;
    prepare((store, instance), each)
}

/// A loop of a guest that can be interrupted.
pub fn epoch_loop(guest: &str, each: &Loop) -> Result<Run> {
    let engine = Engine::new(config().epoch_interruption(true))?;
    let (mut store, instance) = instance_with(&linker(&engine)?, guest)?;
    store.set_epoch_deadline(1);
    prepare((store, instance), each)
}

fn prepare((mut store, instance): (Store<State>, Instance), each: &Loop) -> Result<Run> {
    if let Some((export, argument)) = each.setup {
        instance.get_typed_func::<i32, i32>(&mut store, export)?.call(&mut store, argument)?;
    }
    let run = instance.get_typed_func::<i32, i32>(&mut store, each.export)?;
    Ok(Box::new(move |turns| {
        let sum = run.call(&mut store, turns.cast_signed())?;
        Ok(sum.cast_unsigned().into())
    }))
}
