//! `check = ".."`: what the macros accept against a guest's file is what the linker accepts. What they
//! refuse is in `ui-tests/fail/check`.

use hostref::{
    Caller, Engine, ExternRef, Func, Global, Linker, Memory, Module, New, Result, Rooted, Store,
    Table, host_module, wasm_exports,
};

#[derive(Default)]
struct App {
    log: Log,
    notified: u32,
}

#[derive(Default)]
struct Log(Vec<i32>);

struct Counter(i64);

type Amount = u32;
type Shared<'a> = &'a Counter;
type Cx<'a> = &'a mut Caller<'a, App>;

#[host_module(receiver = "object", state = App, check = "tests/guests/checked.wat")]
impl Counter {
    fn new(start: i64) -> New<Counter> {
        New(Counter(start))
    }

    fn add(&mut self, by: Amount) -> Result<i64> {
        self.0 += i64::from(by);
        Ok(self.0)
    }

    fn both(a: Shared, b: Option<&Counter>) -> (bool, i64) {
        (b.is_some(), a.0)
    }

    fn notify(cx: Cx, handler: Option<Func>, _ratio: f32, _exact: f64) {
        cx.data_mut().notified += u32::from(handler.is_some());
    }

    fn opaque(_: Option<Func>) {}

    fn sum(a: i32, #[cfg(any())] gone: &Counter, b: char) -> i32 {
        a + b as i32
    }

    #[host(errno)]
    fn print(line: &str) -> std::result::Result<(), i32> {
        if line == "\0\0\0" { Ok(()) } else { Err(1) }
    }

    #[host(global)]
    const LIMIT: i64 = 7;

    fn not_imported(_: &Counter) {}
}

#[host_module(receiver = "state", link = "add_log_to_linker", check = "tests/guests/checked.wat")]
impl Log {
    fn push(&mut self, line: i32) {
        self.0.push(line);
    }
}

#[wasm_exports(check = "tests/guests/checked.wat")]
struct Guest {
    run: fn(start: u64) -> i64,
    tick: Option<fn(i32)>,
    absent: Option<fn(i32)>,
    keep: fn(Option<Rooted<ExternRef<Counter>>>) -> Rooted<ExternRef<Counter>>,
    memory: Memory,
    table: Option<Table>,
    limit: Global<i32>,
    #[export(alloc = "malloc")]
    say: fn(text: &str, times: u8) -> u32,
    #[cfg(any())]
    #[export(alloc = "no_such")]
    never_said: fn(text: &str),
    none: Option<Memory>,
    #[cfg(any())]
    not_there: fn(),
}

#[test]
fn what_is_checked_links_and_runs() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    Counter::add_to_linker(&mut linker)?;
    Log::add_log_to_linker(&mut linker, |app: &mut App| &mut app.log)?;
    let module = Module::from_file(&engine, "tests/guests/checked.wat")?;
    let pre = GuestPre::new(linker.instantiate_pre(&module)?)?;
    let mut store = Store::new(&engine, App::default());
    let guest = pre.instantiate(&mut store)?;
    assert_eq!(guest.call_run(&mut store, 3)?, 6);
    guest.call_tick(&mut store, 9)?;
    assert_eq!(store.data().log.0, [42, 9]);
    assert_eq!(store.data().notified, 1);
    assert!(!guest.has_absent() && guest.none().is_none() && guest.table().is_some());
    assert_eq!(guest.call_say(&mut store, "hey", 2)?, u32::from(b'h'));
    assert_eq!(guest.limit().get(&mut store)?, 7);
    let counter = ExternRef::new_typed(&mut store, Counter(1))?;
    assert_eq!(guest.call_keep(&mut store, Some(counter))?.data(&store)?.0, 1);
    Ok(())
}

#[test]
fn a_parameter_that_is_configured_out_is_absent() {
    let sum = Counter::SIGNATURES.function("sum").expect("it is there");
    assert_eq!(sum.to_string(), "(func (param i32 i32) (result i32))");
    assert_eq!(sum.params().len(), 2);
}

struct Wide;

/// Addresses are compared without a word about their width: the guest's memory decides.
#[host_module(check = "tests/guests/wide.wat")]
impl Wide {
    fn print(line: &str) -> u32 {
        line.len() as u32
    }
}

#[test]
fn memories_may_have_wide_addresses() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    Wide::add_to_linker(&mut linker)?;
    let module = Module::from_file(&engine, "tests/guests/wide.wat")?;
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module)?;
    let run = instance.get_typed_func::<(), u32>(&mut store, "run")?;
    assert_eq!(run.call(&mut store, ())?, 2);
    Ok(())
}
