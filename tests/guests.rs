//! Guests compiled from other languages: `tests/guests/README.md` says how.

use hostref::{
    Engine, ExternRef, Linker, Module, New, Result, Rooted, Store, host_module, wasm_exports,
};

/// Lines of a journal, a host object that guests pass around.
struct Journal(Vec<i32>);

struct Journals;

#[host_module(name = "journal")]
impl Journals {
    fn open(lines: i32) -> New<Journal> {
        New(Journal(Vec::with_capacity(lines.max(0) as usize)))
    }

    fn write(journal: &mut Journal, line: i32) {
        journal.0.push(line);
    }

    fn merge(a: &Journal, b: &Journal) -> New<Journal> {
        New(Journal(a.0.iter().chain(&b.0).copied().collect()))
    }

    fn len(journal: &Journal) -> i32 {
        journal.0.len() as i32
    }
}

#[wasm_exports]
struct JournalGuest {
    even_and_odd: fn(count: i32) -> Rooted<ExternRef<Journal>>,
    longer: fn(
        a: Rooted<ExternRef<Journal>>,
        b: Rooted<ExternRef<Journal>>,
    ) -> Rooted<ExternRef<Journal>>,
}

fn keeps_journals(guest: &str) -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    Journals::add_to_linker(&mut linker)?;
    let mut store = Store::new(&engine, ());
    let guest = JournalGuest::instantiate(&mut store, &Module::new(&engine, guest)?, &linker)?;
    let five = guest.call_even_and_odd(&mut store, 5)?;
    assert_eq!(five.data(&store)?.0, [0, 2, 4, 1, 3]);
    let nine = guest.call_even_and_odd(&mut store, 9)?;
    for (a, b) in [(five, nine), (nine, five)] {
        assert_eq!(guest.call_longer(&mut store, a, b)?.data(&store)?.0.len(), 9);
    }
    // Many more than a collection leaves alone.
    for _ in 0..20_000 {
        let mut scope = hostref::RootScope::new(&mut store);
        let three = guest.call_even_and_odd(&mut scope, 3)?;
        assert_eq!(three.data(&scope)?.0, [0, 2, 1]);
    }
    assert_eq!(five.data(&store)?.0, [0, 2, 4, 1, 3]);
    Ok(())
}

#[test]
fn assemblyscript_keeps_host_objects_in_locals() -> Result<()> {
    keeps_journals(include_str!("guests/journal.ts.wat"))
}

#[test]
fn c_keeps_host_objects_in_a_table() -> Result<()> {
    keeps_journals(include_str!("guests/journal.c.wat"))
}

#[wasm_exports]
struct Puzzles {
    queens: fn(size: i32) -> i32,
    expression: fn(depth: i32) -> i32,
}

#[test]
fn moonbit_keeps_its_objects_in_the_collected_heap() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(&engine, include_str!("guests/queens.mbt.wat"))?;
    let mut store = Store::new(&engine, ());
    let puzzles = Puzzles::instantiate(&mut store, &module, &Linker::new(&engine))?;
    assert_eq!(puzzles.call_queens(&mut store, 6)?, 4);
    assert_eq!(puzzles.call_queens(&mut store, 8)?, 92);
    assert_eq!(puzzles.call_expression(&mut store, 15)?, 3);
    Ok(())
}
