//! hostref as the workloads see it: host functions twice, by macro and by `func_wrap`.

use anyhow::Result;
pub use hostref::{
    Caller, Config, Engine, ExternRef, Instance, Linker, Module, RootScope, Rooted, Store, Val,
};
use hostref::{Error, New, host_module};

use super::Loop;
use crate::host::{Cell, State, Text, mix6, sum12, weigh};
use crate::measure::Run;
pub use crate::results::HOSTREF as NAME;

/// The configuration of all workloads: the default.
pub fn config() -> Config {
    Config::new()
}

/// An engine with the configuration of all workloads.
pub fn engine() -> Result<Engine> {
    Engine::new(&config())
}

/// An engine whose errors have backtraces of the guest, or not.
pub fn engine_with_backtraces(enable: bool) -> Result<Engine> {
    Engine::new(config().wasm_backtrace(enable))
}

/// An engine that compiles in the thread that asks for it.
pub fn single_threaded_engine() -> Result<Engine> {
    Engine::new(config().parallel_compilation(false))
}

struct Host;

#[host_module(name = "host")]
impl Host {
    fn nop() {}

    fn add(a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    fn floats(a: f32, b: f64) -> f64 {
        f64::from(a) + b
    }

    fn mix6(a: i32, b: i64, c: f32, d: f64, e: i32, f: i64) -> i64 {
        mix6(a, b, c, d, e, f)
    }

    #[expect(clippy::too_many_arguments, reason = "their cost is the question")]
    #[rustfmt::skip]
    fn sum12(
        a: i32, b: i32, c: i32, d: i32, e: i32, f: i32,
        g: i32, h: i32, i: i32, j: i32, k: i32, l: i32,
    ) -> i32 {
        sum12(a, b, c, d, e, f, g, h, i, j, k, l)
    }

    fn cell(value: i32) -> New<Cell> {
        New(Cell(value))
    }

    fn pass(_: Rooted<ExternRef>) {}

    fn same(object: Rooted<ExternRef>) -> Rooted<ExternRef> {
        object
    }

    fn read(cell: &Cell) -> i32 {
        cell.0
    }

    fn read2(a: &Cell, b: &Cell) -> i32 {
        a.0.wrapping_add(b.0)
    }

    fn write(cell: &mut Cell, by: i32) {
        cell.0 = cell.0.wrapping_add(by);
    }

    fn fresh(value: i32) -> New<Cell> {
        New(Cell(value))
    }

    fn text(number: i32) -> New<Text> {
        New(Text::of(number))
    }

    fn concat(a: &Text, b: &Text) -> New<Text> {
        New(a.concat(b))
    }

    fn length(text: &Text) -> i32 {
        text.length()
    }

    fn utf8(text: &str) -> i32 {
        weigh(text)
    }

    fn fail() -> Result<(), Error> {
        Err(Error::msg("the host fails"))
    }
}

#[host_module(name = "host", receiver = "state")]
impl State {
    fn bump(&mut self, by: i32) {
        self.count += i64::from(by);
    }
}

/// The host functions by macro.
pub fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    Host::add_to_linker(&mut linker)?;
    State::add_to_linker(&mut linker, |state| state)?;
    Ok(linker)
}

type Cx<'a> = Caller<'a, State>;
type Object<T> = Rooted<ExternRef<T>>;

/// The host functions by hand.
pub fn func_wrap_linker(engine: &Engine) -> Result<Linker<State>> {
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
        ExternRef::new_typed(cx, Cell(value))
    })?;
    linker.func_wrap("host", "pass", |_: Rooted<ExternRef>| {})?;
    linker.func_wrap("host", "same", |object: Rooted<ExternRef>| object)?;
    linker.func_wrap("host", "read", |cx: Cx<'_>, cell: Object<Cell>| {
        Ok::<_, Error>(cell.data(&cx)?.0)
    })?;
    linker.func_wrap("host", "read2", |cx: Cx<'_>, a: Object<Cell>, b: Object<Cell>| {
        Ok::<_, Error>(a.data(&cx)?.0.wrapping_add(b.data(&cx)?.0))
    })?;
    linker.func_wrap("host", "write", |mut cx: Cx<'_>, cell: Object<Cell>, by: i32| {
        let cell = cell.data_mut(&mut cx)?;
        cell.0 = cell.0.wrapping_add(by);
        Ok::<_, Error>(())
    })?;
    linker.func_wrap("host", "fresh", |cx: Cx<'_>, value: i32| {
        ExternRef::new_typed(cx, Cell(value))
    })?;
    linker.func_wrap("host", "text", |cx: Cx<'_>, number: i32| {
        ExternRef::new_typed(cx, Text::of(number))
    })?;
    linker.func_wrap("host", "concat", |mut cx: Cx<'_>, a: Object<Text>, b: Object<Text>| {
        let both = a.data(&cx)?.concat(b.data(&cx)?);
        ExternRef::new_typed(&mut cx, both)
    })?;
    linker.func_wrap("host", "length", |cx: Cx<'_>, text: Object<Text>| {
        Ok::<_, Error>(text.data(&cx)?.length())
    })?;
    linker.func_wrap("host", "utf8", |mut cx: Cx<'_>, start: u32, len: u32| {
        let memory = cx.get_export("memory").and_then(|export| export.into_memory());
        let memory = memory.ok_or_else(|| Error::msg("no memory"))?;
        let bytes =
            memory.data(&cx).get(start as usize..).and_then(|from| from.get(..len as usize));
        Ok::<_, Error>(weigh(str::from_utf8(bytes.ok_or_else(|| Error::msg("outside"))?)?))
    })?;
    linker.func_wrap("host", "fail", || Err::<(), _>(Error::msg("the host fails")))?;
    Ok(linker)
}

/// An instance of a guest, in an engine of its own.
pub fn instance(guest: &str) -> Result<(Store<State>, Instance)> {
    let engine = engine()?;
    instance_with(&linker(&engine)?, guest)
}

/// An instance of a guest with other definitions than those of the macros.
pub fn instance_with(linker: &Linker<State>, guest: &str) -> Result<(Store<State>, Instance)> {
    start(linker, &Module::new(linker.engine(), guest)?)
}

/// An instance of a module, in a store of its own.
pub fn start(linker: &Linker<State>, module: &Module) -> Result<(Store<State>, Instance)> {
    let mut store = Store::new(linker.engine(), State::default());
    let instance = linker.instantiate(&mut store, module)?;
    Ok((store, instance))
}

/// A loop of a guest, with the host functions of the macros.
pub fn guest_loop(guest: &str, each: &Loop) -> Result<Run> {
    prepare(instance(guest)?, each)
}

/// A loop of a guest, with the host functions made by hand.
pub fn func_wrap_loop(guest: &str, each: &Loop) -> Result<Run> {
    prepare(instance_with(&func_wrap_linker(&engine()?)?, guest)?, each)
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
