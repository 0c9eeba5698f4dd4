//! Random operations on references by host and guest, against a model that knows which objects must
//! be alive: after a collection exactly those are.

mod support;

use std::collections::HashSet;

use hostref::{
    AsContext, AsContextMut, Caller, ExternRef, Global, Instance, Linker, ManuallyRooted, Module,
    Ref, Result, RootScope, Rooted, Store, StoreContextMut, Table, Val, WasmParams, WasmResults,
};
use support::{Census, Mode, both_modes, id};

both_modes! {
    exactly_what_the_model_says_is_alive,
}

type Object = Rooted<ExternRef>;

const GUEST: &str = r#"(module
    (import "" "make" (func $make (result externref)))
    (import "" "steps" (func $steps))
    (table $t (export "table") 6 40 externref)
    (global $a (export "a") (mut externref) (ref.null extern))
    (global $b (export "b") (mut externref) (ref.null extern))
    (func (export "set") (param i32 externref) (table.set $t (local.get 0) (local.get 1)))
    (func (export "fill") (param i32 externref i32)
        (table.fill $t (local.get 0) (local.get 1) (local.get 2)))
    (func (export "copy") (param i32 i32 i32)
        (table.copy $t $t (local.get 0) (local.get 1) (local.get 2)))
    (func (export "grow") (param externref i32) (result i32)
        (table.grow $t (local.get 0) (local.get 1)))
    (func (export "fresh") (param i32) (table.set $t (local.get 0) (call $make)))
    (func (export "swap") (param i32 i32) (local externref)
        (local.set 2 (table.get $t (local.get 0)))
        (drop (call $make))
        (table.set $t (local.get 0) (table.get $t (local.get 1)))
        (table.set $t (local.get 1) (local.get 2)))
    (func (export "rotate") (param i32) (local externref)
        (local.set 1 (global.get $a))
        (global.set $a (global.get $b))
        (drop (call $make))
        (global.set $b (table.get $t (local.get 0)))
        (table.set $t (local.get 0) (local.get 1)))
    (func (export "turn") (param externref externref externref)
        (result externref externref externref)
        (drop (call $make))
        (local.get 2) (local.get 0) (local.get 1))
    (func (export "reenter") (param externref externref)
        (result externref externref externref) (local $own externref)
        (local.set $own (call $make))
        (call $steps)
        (local.get $own)
        (call $steps)
        (local.get 1)
        (local.get 0))
    (func (export "trap") (param externref) (local $own externref)
        (local.set $own (call $make))
        (call $steps)
        (if (ref.is_null (local.get $own)) (then (return)))
        (unreachable)))"#;

/// What must be alive, by object number.
#[derive(Default)]
struct Model {
    census: Census,
    random: Random,
    guest: Option<Guest>,
    table: Vec<Option<usize>>,
    globals: [Option<usize>; 2],
    manual: Vec<(ManuallyRooted<ExternRef>, usize)>,
    /// What open scopes root, innermost last.
    scoped: Vec<(Object, usize)>,
    /// What frames of the guest hold across the call they are in.
    framed: Vec<usize>,
    depth: usize,
    checks: usize,
}

#[derive(Clone, Copy)]
struct Guest {
    instance: Instance,
    table: Table,
    globals: [Global; 2],
}

struct Random(u64);

impl Default for Random {
    fn default() -> Random {
        Random(0x9e37_79b9_7f4a_7c15)
    }
}

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }
}

type Context<'a> = StoreContextMut<'a, Model>;

fn exactly_what_the_model_says_is_alive(mode: Mode) -> Result<()> {
    let engine = mode.engine();
    let mut linker = Linker::new(&engine);
    linker.func_wrap("", "make", |mut caller: Caller<'_, Model>| {
        let object = caller.data_mut().census.object();
        ExternRef::new(caller, object)
    })?;
    linker.func_wrap("", "steps", |mut caller: Caller<'_, Model>| {
        scope(caller.as_context_mut(), 8)
    })?;
    let mut store = Store::new(&engine, Model::default());
    let census = store.data().census.clone();
    let instance = linker.instantiate(&mut store, &Module::new(&engine, GUEST)?)?;
    let table = instance.get_table(&mut store, "table").expect("exported");
    let mut global = |name| instance.get_global(&mut store, name).expect("exported");
    let globals = [global("a"), global("b")];
    store.data_mut().guest = Some(Guest { instance, table, globals });
    store.data_mut().table = vec![None; 6];
    for _ in 0..40 {
        scope(store.as_context_mut(), 40)?;
        check(&mut store.as_context_mut())?;
    }
    assert!(store.data().checks > 100 && census.dropped() > 1_000);
    let live = census.live();
    let manual = std::mem::take(&mut store.data_mut().manual);
    assert!(live > 0 && live <= 40 + 2 + manual.len());
    drop(store);
    assert_eq!(census.live(), 0);
    Ok(())
}

/// Some steps in a scope of their own.
fn scope(mut store: Context<'_>, steps: usize) -> Result<()> {
    if store.data().depth == 5 {
        return Ok(());
    }
    let outer = store.data().scoped.len();
    store.data_mut().depth += 1;
    let mut scope = RootScope::new(store.as_context_mut());
    for _ in 0..steps {
        step(&mut scope.as_context_mut())?;
    }
    drop(scope);
    store.data_mut().depth -= 1;
    let ended = store.data_mut().scoped.split_off(outer);
    assert!(ended.iter().all(|(object, _)| object.data(&store).is_err()));
    Ok(())
}

fn step(store: &mut Context<'_>) -> Result<()> {
    match store.data_mut().random.below(20) {
        0..=2 => new_object(store),
        3..=5 => manual(store),
        6..=8 => host_access(store),
        9..=13 => guest_moves(store),
        14 => guest_grows(store),
        15 => reenter(store),
        16 => trap(store),
        17 => scope(store.as_context_mut(), 6),
        18 => look(store),
        _ => check(store),
    }
}

fn new_object(store: &mut Context<'_>) -> Result<()> {
    let object = store.data().census.object();
    let number = object.id;
    let root = ExternRef::new(store.as_context_mut(), object)?;
    store.data_mut().scoped.push((root, number));
    Ok(())
}

/// A root in any open scope, or null.
fn pick(store: &mut Context<'_>) -> (Option<Object>, Option<usize>) {
    let model = store.data_mut();
    let index = model.random.below(model.scoped.len() + 1);
    match model.scoped.get(index) {
        Some((object, number)) => (Some(*object), Some(*number)),
        None => (None, None),
    }
}

/// Notes a reference that came from a table, a global or a call: it must be to `number`.
fn found(store: &mut Context<'_>, object: Option<Object>, number: Option<usize>) -> Result<()> {
    let actual = object.map(|object| id(store.as_context(), object)).transpose()?;
    assert_eq!(actual, number);
    store.data_mut().scoped.extend(object.zip(number));
    Ok(())
}

fn manual(store: &mut Context<'_>) -> Result<()> {
    let count = store.data().manual.len();
    let (choice, index) = {
        let random = &mut store.data_mut().random;
        (random.below(5), random.below(count.max(1)))
    };
    match choice {
        0 | 1 => {
            if let (Some(object), Some(number)) = pick(store) {
                let manual = object.to_manually_rooted(store.as_context_mut())?;
                store.data_mut().manual.push((manual, number));
            }
        }
        _ if count == 0 => {}
        2 => drop(store.data_mut().manual.swap_remove(index)),
        3 => store.data_mut().manual.swap_remove(index).0.unroot(store.as_context_mut()),
        _ => {
            let (manual, number) = store.data_mut().manual.swap_remove(index);
            let object = manual.into_rooted(store.as_context_mut());
            found(store, Some(object), Some(number))?;
        }
    }
    Ok(())
}

fn host_access(store: &mut Context<'_>) -> Result<()> {
    let guest = store.data().guest.expect("instantiated");
    let (slot, global) = (slot(store), store.data_mut().random.below(2));
    let (object, number) = pick(store);
    match store.data_mut().random.below(4) {
        0 => {
            guest.table.set(store.as_context_mut(), slot as u64, object.into())?;
            store.data_mut().table[slot] = number;
        }
        1 => {
            guest.globals[global].set(store.as_context_mut(), object.into())?;
            store.data_mut().globals[global] = number;
        }
        2 => {
            let element = guest.table.get(store.as_context_mut(), slot as u64);
            let Some(Ref::Extern(object)) = element else { panic!("an externref") };
            let number = store.data().table[slot];
            found(store, object, number)?;
        }
        _ => {
            let value = guest.globals[global].get(store.as_context_mut());
            let number = store.data().globals[global];
            found(store, value.unwrap_externref().copied(), number)?;
        }
    }
    Ok(())
}

fn slot(store: &mut Context<'_>) -> usize {
    let len = store.data().table.len();
    store.data_mut().random.below(len)
}

fn call<P: WasmParams, R: WasmResults>(
    store: &mut Context<'_>,
    name: &str,
    params: P,
) -> Result<R> {
    let instance = store.data().guest.expect("instantiated").instance;
    let func = instance.get_typed_func::<P, R>(store.as_context_mut(), name)?;
    func.call(store.as_context_mut(), params)
}

fn guest_moves(store: &mut Context<'_>) -> Result<()> {
    let (a, b) = (slot(store), slot(store));
    let (object, number) = pick(store);
    match store.data_mut().random.below(7) {
        0 => {
            call::<_, ()>(store, "set", (a as u32, object))?;
            store.data_mut().table[a] = number;
        }
        1 => {
            let len = store.data().table.len() - a;
            let len = store.data_mut().random.below(len.min(4) + 1);
            call::<_, ()>(store, "fill", (a as u32, object, len as u32))?;
            store.data_mut().table[a..a + len].fill(number);
        }
        2 => {
            let len = store.data().table.len() - a.max(b);
            call::<_, ()>(store, "copy", (a as u32, b as u32, len as u32))?;
            store.data_mut().table.copy_within(b..b + len, a);
        }
        3 => {
            let fresh = store.data().census.made();
            call::<_, ()>(store, "fresh", a as u32)?;
            store.data_mut().table[a] = Some(fresh);
        }
        4 => {
            call::<_, ()>(store, "swap", (a as u32, b as u32))?;
            store.data_mut().table.swap(a, b);
        }
        5 => {
            call::<_, ()>(store, "rotate", a as u32)?;
            let model = store.data_mut();
            let [first, second] = model.globals;
            model.globals = [second, model.table[a]];
            model.table[a] = first;
        }
        _ => turn(store, object, number)?,
    }
    Ok(())
}

/// The same through dynamically typed values or through types.
fn turn(store: &mut Context<'_>, first: Option<Object>, number: Option<usize>) -> Result<()> {
    let ((second, two), (third, three)) = (pick(store), pick(store));
    let (x, y, z) = if store.data_mut().random.below(2) == 0 {
        type Three = (Option<Object>, Option<Object>, Option<Object>);
        call::<Three, Three>(store, "turn", (first, second, third))?
    } else {
        let instance = store.data().guest.expect("instantiated").instance;
        let func = instance.get_func(store.as_context_mut(), "turn").expect("exported");
        let mut results = [Val::null_extern_ref(); 3];
        let params = [first, second, third].map(Val::from);
        func.call(store.as_context_mut(), &params, &mut results)?;
        let [x, y, z] = results.map(|result| result.unwrap_externref().copied());
        (x, y, z)
    };
    found(store, x, three)?;
    found(store, y, number)?;
    found(store, z, two)
}

fn guest_grows(store: &mut Context<'_>) -> Result<()> {
    let (object, number) = pick(store);
    let delta = store.data_mut().random.below(4);
    let old = store.data().table.len();
    let outcome: i32 = call(store, "grow", (object, delta as u32))?;
    if old + delta <= 40 {
        assert_eq!(outcome as usize, old);
        store.data_mut().table.resize(old + delta, number);
    } else {
        assert_eq!(outcome, -1);
    }
    Ok(())
}

fn reenter(store: &mut Context<'_>) -> Result<()> {
    type Three = (Option<Object>, Option<Object>, Option<Object>);
    let ((a, one), (b, two)) = (pick(store), pick(store));
    let framed = store.data().framed.len();
    let own = store.data().census.made();
    store.data_mut().framed.extend([Some(own), one, two].into_iter().flatten());
    let (x, y, z) = call::<_, Three>(store, "reenter", (a, b))?;
    store.data_mut().framed.truncate(framed);
    found(store, x, Some(own))?;
    found(store, y, two)?;
    found(store, z, one)
}

fn trap(store: &mut Context<'_>) -> Result<()> {
    let (object, _) = pick(store);
    let framed = store.data().framed.len();
    let own = store.data().census.made();
    store.data_mut().framed.push(own);
    let outcome = call::<_, ()>(store, "trap", object);
    store.data_mut().framed.truncate(framed);
    assert!(outcome.unwrap_err().is::<hostref::Trap>());
    Ok(())
}

/// Every root leads to its object.
fn look(store: &mut Context<'_>) -> Result<()> {
    for (object, number) in &store.data().scoped {
        assert_eq!(id(store.as_context(), *object)?, *number);
    }
    for (manual, number) in &store.data().manual {
        let object = manual.data(store.as_context())?.downcast_ref::<support::Counted>();
        assert_eq!(object.expect("a counted object").id, *number);
    }
    Ok(())
}

/// Collects; then exactly the objects that something leads to are alive.
fn check(store: &mut Context<'_>) -> Result<()> {
    store.gc();
    store.data_mut().checks += 1;
    let model = store.data();
    let mut expected = HashSet::new();
    expected.extend(model.table.iter().chain(&model.globals).flatten().copied());
    expected.extend(model.manual.iter().map(|(_, number)| *number));
    expected.extend(model.scoped.iter().map(|(_, number)| *number));
    expected.extend(&model.framed);
    for number in &expected {
        assert!(!model.census.is_dropped(*number), "{number} is gone");
    }
    assert_eq!(model.census.live(), expected.len());
    look(store)
}
