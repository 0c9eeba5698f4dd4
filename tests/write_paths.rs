//! Every way in which a reference gets into a table, a global, a segment or an exception: the object is
//! young, what it is written to is not, and a collection of the nursery comes next. Under `gc_stress`
//! the heap checker also sees that the write was logged.

mod support;

use hostref::{
    AsContextMut, Caller, ExnRef, ExternRef, Func, FuncType, Global, GlobalType, Instance, Module,
    Mutability, Ref, RefType, Result, RootScope, Rooted, Store, Table, TableType, Tag, TagType,
    Val, ValType,
};
use support::{Census, Mode, both_modes, export, id, instantiate};

both_modes! {
    compiled_code_sets_tables,
    compiled_code_sets_globals,
    compiled_code_throws,
    young_references_replace_young_ones,
    guests_fill_tables,
    guests_copy_tables,
    guests_init_tables,
    guests_grow_tables,
    hosts_set_tables,
    hosts_grow_tables,
    hosts_copy_tables,
    hosts_set_globals,
    hosts_make_globals_and_tables,
    hosts_make_exceptions,
    instances_begin_with_references,
    segments_keep_references_until_dropped,
    guests_write_all_over_large_tables,
    guests_and_hosts_write_in_turns,
    guests_write_to_old_objects,
    guests_make_large_objects,
    a_guest_that_keeps_everything_runs_out_of_memory,
}

/// A store with garbage enough for everything that was made before to be old, and a function that
/// makes objects.
struct Fixture {
    store: Store<()>,
    census: Census,
    make: Func,
}

impl Fixture {
    fn new(mode: Mode) -> Fixture {
        let (mut store, census) = (mode.store(), Census::default());
        let counting = census.clone();
        let make = Func::wrap(&mut store, move |caller: Caller<'_, ()>| counting.root(caller));
        Fixture { store, census, make }
    }

    /// A guest with `fields` that imports the function as `$make`.
    fn guest(&mut self, fields: &str) -> Result<Instance> {
        let wat =
            format!(r#"(module (import "" "make" (func $make (result externref))) {fields})"#);
        instantiate(&mut self.store, &wat, &[self.make.into()])
    }

    /// Runs the guest's `run`, which leaves the newest object in the table `t`, at 5.
    fn runs(&mut self, fields: &str) -> Result<()> {
        let guest = self.guest(fields)?;
        let table = guest.get_table(&mut self.store, "t").expect("exported");
        for _ in 0..3 {
            export::<(), ()>(&mut self.store, guest, "run")?.call(&mut self.store, ())?;
            self.has_newest(table, 5)?;
        }
        Ok(())
    }

    /// Element `index` is the newest object, after collections of both kinds.
    fn has_newest(&mut self, table: Table, index: u64) -> Result<()> {
        for _ in 0..2 {
            self.fill_nursery()?;
            let mut scope = RootScope::new(&mut self.store);
            let element = table.get(&mut scope, index);
            let Some(Ref::Extern(Some(object))) = element else { panic!("an object") };
            assert_eq!(id(&scope, object)?, self.census.made() - 1);
            scope.as_context_mut().gc();
        }
        Ok(())
    }

    /// Makes garbage until there has been a collection of the nursery.
    fn fill_nursery(&mut self) -> Result<()> {
        let before = self.store.gc_stats().minor_collections;
        while self.store.gc_stats().minor_collections == before {
            let mut scope = RootScope::new(&mut self.store);
            for _ in 0..1000 {
                ExternRef::new(&mut scope, ())?;
            }
        }
        Ok(())
    }

    /// Calls `write` with the newest object, which is rooted for so long only.
    fn with_object(
        &mut self,
        write: impl FnOnce(&mut RootScope<&mut Store<()>>, Rooted<ExternRef>) -> Result<()>,
    ) -> Result<()> {
        let mut scope = RootScope::new(&mut self.store);
        let object = self.census.root(&mut scope)?;
        write(&mut scope, object)
    }

    fn table(&mut self) -> Result<Table> {
        let ty = TableType::new(RefType::EXTERNREF, 10, None);
        Table::new(&mut self.store, ty, Ref::Extern(None))
    }

    fn global_is_newest(&mut self, global: Global) -> Result<()> {
        self.fill_nursery()?;
        let mut scope = RootScope::new(&mut self.store);
        let value = global.get(&mut scope);
        let object = *value.unwrap_externref().expect("an object");
        assert_eq!(id(&scope, object)?, self.census.made() - 1);
        Ok(())
    }
}

const TABLE: &str = r#"(table $t (export "t") 10 externref)"#;

fn compiled_code_sets_tables(mode: Mode) -> Result<()> {
    let run = r#"(func (export "run") (table.set $t (i32.const 5) (call $make)))"#;
    Fixture::new(mode).runs(&format!("{TABLE} {run}"))
}

fn compiled_code_sets_globals(mode: Mode) -> Result<()> {
    let mut fixture = Fixture::new(mode);
    let guest = fixture.guest(
        r#"(global $g (export "g") (mut externref) (ref.null extern))
           (func (export "run") (global.set $g (call $make)))"#,
    )?;
    let global = guest.get_global(&mut fixture.store, "g").expect("exported");
    for _ in 0..3 {
        export::<(), ()>(&mut fixture.store, guest, "run")?.call(&mut fixture.store, ())?;
        fixture.global_is_newest(global)?;
    }
    Ok(())
}

/// A place is looked at by the next collection however often, and by whatever, it was replaced before.
fn young_references_replace_young_ones(mode: Mode) -> Result<()> {
    let run = r#"
        (global $g (mut externref) (ref.null extern))
        (func (export "run")
            (table.set $t (i32.const 5) (call $make))
            (table.set $t (i32.const 5) (call $make))
            (table.fill $t (i32.const 4) (call $make) (i32.const 3))
            (global.set $g (call $make))
            (global.set $g (call $make))
            (table.set $t (i32.const 0) (global.get $g))
            (table.copy $t $t (i32.const 5) (i32.const 0) (i32.const 1))
            (table.set $t (i32.const 5) (ref.null extern))
            (table.set $t (i32.const 5) (call $make))
            (table.fill $t (i32.const 5) (table.get $t (i32.const 5)) (i32.const 2)))"#;
    Fixture::new(mode).runs(&format!("{TABLE} {run}"))
}

fn compiled_code_throws(mode: Mode) -> Result<()> {
    // The exception is what leads to the object while the guest makes more of them.
    let run = r#"
        (tag $e (param externref i32))
        (func $throw (throw $e (call $make) (i32.const 7)))
        (func (export "run") (local $caught exnref) (local $object externref)
            (local.set $caught (block $h (result exnref)
                (try_table (catch_all_ref $h) (call $throw)) (unreachable)))
            (block $h (result externref i32)
                (try_table (catch $e $h) (throw_ref (local.get $caught))) (unreachable))
            (drop) (local.set $object)
            (table.set $t (i32.const 5) (local.get $object)))"#;
    Fixture::new(mode).runs(&format!("{TABLE} {run}"))
}

fn guests_fill_tables(mode: Mode) -> Result<()> {
    let run = r#"(func (export "run") (table.fill $t (i32.const 3) (call $make) (i32.const 4)))"#;
    Fixture::new(mode).runs(&format!("{TABLE} {run}"))
}

fn guests_copy_tables(mode: Mode) -> Result<()> {
    let within = r#"(func (export "run")
        (table.set $t (i32.const 2) (call $make))
        (table.copy $t $t (i32.const 5) (i32.const 2) (i32.const 1))
        (table.set $t (i32.const 2) (ref.null extern)))"#;
    Fixture::new(mode).runs(&format!("{TABLE} {within}"))?;
    let between = r#"(table $other 10 externref)
        (func (export "run")
            (table.set $other (i32.const 2) (call $make))
            (table.copy $t $other (i32.const 5) (i32.const 2) (i32.const 1))
            (table.set $other (i32.const 2) (ref.null extern)))"#;
    Fixture::new(mode).runs(&format!("{TABLE} {between}"))
}

fn guests_grow_tables(mode: Mode) -> Result<()> {
    let run = r#"(table $t (export "t") 5 externref)
        (table $other 5 externref)
        (type $box (struct (field externref)))
        (table $boxes 5 (ref null $box))
        (func (export "run")
            (drop (table.grow $t (call $make) (i32.const 1)))
            (table.set $t (i32.const 5) (table.get $t (i32.sub (table.size $t) (i32.const 1))))
            ;; Young elements, and then more until the table has moved.
            (table.set $t (i32.const 5) (call $make))
            ;; A struct is young under stress too, where host objects are old when they arrive.
            (table.set $boxes (i32.const 4) (struct.new $box (call $make)))
            GROW GROW GROW GROW
            (table.set $t (i32.const 5) (struct.get $box 0 (table.get $boxes (i32.const 4)))))"#;
    // Turn about, so that neither can grow in place for long.
    let grow = "(drop (table.grow $t (ref.null extern) (i32.const 500)))
        (drop (table.grow $boxes (ref.null $box) (i32.const 500)))
        (drop (table.grow $other (ref.null extern) (i32.const 500)))";
    Fixture::new(mode).runs(&run.replace("GROW", grow))
}

fn hosts_set_tables(mode: Mode) -> Result<()> {
    let mut fixture = Fixture::new(mode);
    let table = fixture.table()?;
    fixture.with_object(|store, object| table.set(store, 5, object.into()))?;
    fixture.has_newest(table, 5)?;
    fixture.with_object(|store, object| table.fill(store, 4, object.into(), 3))?;
    fixture.has_newest(table, 5)
}

fn hosts_grow_tables(mode: Mode) -> Result<()> {
    let mut fixture = Fixture::new(mode);
    let table = fixture.table()?;
    fixture.with_object(|store, object| table.grow(store, 1, object.into()).map(drop))?;
    fixture.has_newest(table, 10)
}

fn hosts_copy_tables(mode: Mode) -> Result<()> {
    let mut fixture = Fixture::new(mode);
    let (table, other) = (fixture.table()?, fixture.table()?);
    fixture.with_object(|store, object| {
        other.set(&mut *store, 2, object.into())?;
        Table::copy(&mut *store, &table, 5, &other, 2, 1)?;
        other.set(store, 2, Ref::Extern(None))
    })?;
    fixture.has_newest(table, 5)
}

fn hosts_set_globals(mode: Mode) -> Result<()> {
    let mut fixture = Fixture::new(mode);
    let ty = GlobalType::new(ValType::EXTERNREF, Mutability::Var);
    let global = Global::new(&mut fixture.store, ty, Val::ExternRef(None))?;
    for _ in 0..3 {
        fixture.with_object(|store, object| global.set(store, object.into()))?;
        fixture.global_is_newest(global)?;
    }
    Ok(())
}

fn hosts_make_globals_and_tables(mode: Mode) -> Result<()> {
    let mut fixture = Fixture::new(mode);
    let mut made = None;
    fixture.with_object(|store, object| {
        let ty = GlobalType::new(ValType::EXTERNREF, Mutability::Const);
        made = Some(Global::new(store, ty, object.into())?);
        Ok(())
    })?;
    fixture.global_is_newest(made.expect("made above"))?;
    let mut made = None;
    fixture.with_object(|store, object| {
        let ty = TableType::new(RefType::EXTERNREF, 10, None);
        made = Some(Table::new(store, ty, object.into())?);
        Ok(())
    })?;
    fixture.has_newest(made.expect("made above"), 9)
}

fn hosts_make_exceptions(mode: Mode) -> Result<()> {
    let mut fixture = Fixture::new(mode);
    let engine = fixture.store.engine().clone();
    let ty = FuncType::new(&engine, [ValType::EXTERNREF], []);
    let tag = Tag::new(&mut fixture.store, &TagType::new(ty))?;
    // More than the nursery holds: the last exceptions are old from the beginning.
    let mut scope = RootScope::new(&mut fixture.store);
    let mut all = Vec::new();
    for _ in 0..if mode == Mode::Stress { 50 } else { 40_000 } {
        let object = ExternRef::new(&mut scope, all.len())?;
        all.push(ExnRef::new(&mut scope, &tag, &[object.into()])?);
    }
    for _ in 0..2 {
        for (at, exception) in all.iter().enumerate().rev().step_by(7) {
            let field = exception.field(&mut scope, 0)?;
            let object = *field.unwrap_externref().expect("an object");
            assert_eq!(object.data(&scope)?.downcast_ref::<usize>(), Some(&at));
        }
        scope.as_context_mut().gc();
    }
    Ok(())
}

const INITIAL: &str = r#"(module
    (import "" "object" (global $object externref))
    (global (export "g") externref (global.get $object))
    (table $t (export "t") 10 externref (global.get $object))
    (table $u (export "u") 10 externref)
    (elem (table $u) (i32.const 5) externref (global.get $object))
    (elem $passive externref (global.get $object) (global.get $object))
    (func (export "init")
        (table.init $u $passive (i32.const 7) (i32.const 1) (i32.const 1)))
    (func (export "drop") (elem.drop $passive)))"#;

/// An instance of [`INITIAL`], whose object nothing else leads to.
fn initial(fixture: &mut Fixture) -> Result<Instance> {
    let mut made = None;
    let module = Module::new(fixture.store.engine(), INITIAL)?;
    fixture.with_object(|store, object| {
        let ty = GlobalType::new(ValType::EXTERNREF, Mutability::Const);
        let global = Global::new(&mut *store, ty, object.into())?;
        made = Some(Instance::new(store, &module, &[global.into()])?);
        Ok(())
    })?;
    Ok(made.expect("made above"))
}

fn instances_begin_with_references(mode: Mode) -> Result<()> {
    let mut fixture = Fixture::new(mode);
    let guest = initial(&mut fixture)?;
    let global = guest.get_global(&mut fixture.store, "g").expect("exported");
    fixture.global_is_newest(global)?;
    for (table, at) in [("t", 0), ("t", 9), ("u", 5)] {
        let table = guest.get_table(&mut fixture.store, table).expect("exported");
        fixture.has_newest(table, at)?;
    }
    Ok(())
}

/// Elements far apart share no marks: each write is seen wherever it goes, how often the table is
/// written between two collections, and after it has grown in place or moved.
fn guests_write_all_over_large_tables(mode: Mode) -> Result<()> {
    let mut fixture = Fixture::new(mode);
    let guest = fixture.guest(
        r#"(table $t (export "t") 1000 externref)
           (table $other 1000 externref)
           (func (export "set") (param i32) (table.set $t (local.get 0) (call $make)))
           (func (export "fill") (param i32 i32)
               (table.fill $t (local.get 0) (call $make) (local.get 1)))
           (func (export "move") (param i32 i32 i32)
               (table.copy $t $t (local.get 0) (local.get 1) (local.get 2)))
           (func (export "exchange") (param i32 i32)
               (table.copy $other $t (local.get 0) (local.get 0) (local.get 1))
               (table.copy $t $other (local.get 0) (local.get 0) (local.get 1)))
           (func (export "grow") (param i32)
               (drop (table.grow $t (call $make) (local.get 0))))"#,
    )?;
    let store = &mut fixture.store;
    let table = guest.get_table(&mut *store, "t").expect("exported");
    let set = export::<i32, ()>(&mut *store, guest, "set")?;
    let grow = export::<i32, ()>(&mut *store, guest, "grow")?;
    let fill = export::<(i32, i32), ()>(&mut *store, guest, "fill")?;
    let exchange = export::<(i32, i32), ()>(&mut *store, guest, "exchange")?;
    let copy = export::<(i32, i32, i32), ()>(&mut *store, guest, "move")?;
    let mut model: Vec<Option<usize>> = vec![None; 1000];
    let mut random = 0x9e37_79b9_u32;
    let mut below = |bound: usize| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as usize % bound
    };
    for step in 0..if mode == Mode::Stress { 150 } else { 1500 } {
        let (at, len) = (below(900), below(100));
        let newest = fixture.census.made();
        let store = &mut fixture.store;
        match below(6) {
            0 | 1 => {
                set.call(&mut *store, at as i32)?;
                model[at] = Some(newest);
            }
            2 => {
                fill.call(&mut *store, (at as i32, len as i32))?;
                model[at..at + len].fill(Some(newest));
            }
            3 => {
                let from = below(900);
                copy.call(&mut *store, (at as i32, from as i32, len as i32))?;
                model.copy_within(from..from + len, at);
            }
            4 => exchange.call(&mut *store, (at as i32, len as i32))?,
            _ => {
                grow.call(&mut *store, (len / 9) as i32)?;
                model.resize(model.len() + len / 9, Some(newest));
                set.call(&mut *store, model.len() as i32 - 1)?;
                *model.last_mut().expect("not empty") = Some(fixture.census.made() - 1);
            }
        }
        if step % 40 == 39 {
            fixture.fill_nursery()?;
        }
    }
    fixture.fill_nursery()?;
    for (at, expected) in model.iter().enumerate() {
        let mut scope = RootScope::new(&mut fixture.store);
        let element = table.get(&mut scope, at as u64);
        let Some(Ref::Extern(element)) = element else { panic!("element {at}: {element:?}") };
        let found = element.map(|object| id(&scope, object)).transpose()?;
        assert_eq!(found, *expected, "element {at}");
    }
    Ok(())
}

/// A guest whose places are of all kinds: imported, exported, and known to nobody else.
const PLACES: &str = r#"(module
    (import "" "make" (func $make (result externref)))
    (import "" "g" (global $0 (mut externref)))
    (import "" "t" (table $3 2 externref))
    (global $1 (export "g") (mut externref) (ref.null extern))
    (global $2 (mut externref) (ref.null extern))
    (table $4 (export "t") 2 externref)
    (table $5 300 externref)
    (func (export "set") (param $place i32) (param $at i32)
        (block $p5 (block $p4 (block $p3 (block $p2 (block $p1 (block $p0
            (br_table $p0 $p1 $p2 $p3 $p4 $p5 (local.get $place)))
            (return (global.set $0 (call $make))))
            (return (global.set $1 (call $make))))
            (return (global.set $2 (call $make))))
            (return (table.set $3 (i32.and (local.get $at) (i32.const 1)) (call $make))))
            (return (table.set $4 (i32.and (local.get $at) (i32.const 1)) (call $make))))
        (table.set $5 (local.get $at) (call $make)))
    (func (export "get") (param $place i32) (param $at i32) (result externref)
        (block $p5 (block $p4 (block $p3 (block $p2 (block $p1 (block $p0
            (br_table $p0 $p1 $p2 $p3 $p4 $p5 (local.get $place)))
            (return (global.get $0)))
            (return (global.get $1)))
            (return (global.get $2)))
            (return (table.get $3 (i32.and (local.get $at) (i32.const 1)))))
            (return (table.get $4 (i32.and (local.get $at) (i32.const 1)))))
        (table.get $5 (local.get $at))))"#;

/// Definitions of several instances and of the host are in the same lists, in any order.
fn guests_and_hosts_write_in_turns(mode: Mode) -> Result<()> {
    let mut fixture = Fixture::new(mode);
    let ty = GlobalType::new(ValType::EXTERNREF, Mutability::Var);
    let mut global = Global::new(&mut fixture.store, ty, Val::ExternRef(None))?;
    let mut table = fixture.table()?;
    let (host_global, host_table) = (global, table);
    let (mut sets, mut gets) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        // Each guest imports what the one before it exports.
        let store = &mut fixture.store;
        let imports = [fixture.make.into(), global.into(), table.into()];
        let guest = instantiate(&mut *store, PLACES, &imports)?;
        global = guest.get_global(&mut *store, "g").expect("exported");
        table = guest.get_table(&mut *store, "t").expect("exported");
        sets.push(export::<(i32, i32), ()>(&mut *store, guest, "set")?);
        let get = export::<(i32, i32), Option<Rooted<ExternRef>>>(&mut *store, guest, "get")?;
        gets.push(get);
    }
    // By guest, place and index; guests share what one exports and the next one imports.
    let mut model = std::collections::BTreeMap::new();
    let place = |guest: usize, place: usize, at: usize| match place {
        0 => (guest, 1, 0),
        1 => (guest + 1, 1, 0),
        3 => (guest, 4, at & 1),
        4 => (guest + 1, 4, at & 1),
        2 => (guest, 2, 0),
        _ => (guest, 5, at),
    };
    let mut random = 0x2545_f491_u32;
    let mut below = |bound: usize| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as usize % bound
    };
    for step in 0..if mode == Mode::Stress { 200 } else { 2000 } {
        let (guest, kind, at) = (below(3), below(8), below(300));
        let newest = fixture.census.made();
        match kind {
            6 => {
                fixture.with_object(|store, object| host_global.set(store, object.into()))?;
                model.insert((0, 1, 0), newest);
            }
            7 => {
                let at = at & 1;
                fixture
                    .with_object(|store, object| host_table.set(store, at as u64, object.into()))?;
                model.insert((0, 4, at), newest);
            }
            _ => {
                sets[guest].call(&mut fixture.store, (kind as i32, at as i32))?;
                model.insert(place(guest, kind, at), newest);
            }
        }
        if step % 50 == 49 {
            fixture.fill_nursery()?;
        }
    }
    fixture.fill_nursery()?;
    for (guest, get) in gets.iter().enumerate() {
        for (kind, at) in
            (0..5).flat_map(|kind| [(kind, 0), (kind, 1)]).chain((0..300).map(|at| (5, at)))
        {
            let mut scope = RootScope::new(&mut fixture.store);
            let found = get.call(&mut scope, (kind as i32, at as i32))?;
            let found = found.map(|object| id(&scope, object)).transpose()?;
            let expected = model.get(&place(guest, kind, at)).copied();
            assert_eq!(found, expected, "guest {guest}, place {kind}, {at}");
        }
    }
    Ok(())
}

fn guests_init_tables(mode: Mode) -> Result<()> {
    let mut fixture = Fixture::new(mode);
    let guest = initial(&mut fixture)?;
    // At once, while the segment's object is young.
    export::<(), ()>(&mut fixture.store, guest, "init")?.call(&mut fixture.store, ())?;
    let table = guest.get_table(&mut fixture.store, "u").expect("exported");
    fixture.has_newest(table, 7)
}

fn segments_keep_references_until_dropped(mode: Mode) -> Result<()> {
    let mut fixture = Fixture::new(mode);
    let guest = initial(&mut fixture)?;
    let call = |fixture: &mut Fixture, name| -> Result<()> {
        export::<(), ()>(&mut fixture.store, guest, name)?.call(&mut fixture.store, ())
    };
    fixture.fill_nursery()?;
    call(&mut fixture, "init")?;
    let table = guest.get_table(&mut fixture.store, "u").expect("exported");
    fixture.has_newest(table, 7)?;
    // Dropped while its slots are logged.
    let another = initial(&mut fixture)?;
    export::<(), ()>(&mut fixture.store, another, "drop")?.call(&mut fixture.store, ())?;
    fixture.fill_nursery()?;
    fixture.store.gc();
    Ok(())
}

const OBJECTS: &str = r#"
    (type $box (struct (field $value (mut externref))))
    (type $array (array (mut externref)))
    (global $box (mut (ref null $box)) (ref.null $box))
    (global $array (mut (ref null $array)) (ref.null $array))
    (func (export "begin") (param $len i32)
        (global.set $box (struct.new_default $box))
        (global.set $array (array.new_default $array (local.get $len))))
    (func (export "set")
        (struct.set $box $value (global.get $box) (call $make))
        (array.set $array (global.get $array) (i32.const 1) (call $make))
        (array.fill $array (global.get $array) (i32.const 2) (call $make) (i32.const 2))
        (array.copy $array $array
            (global.get $array) (i32.const 4) (global.get $array) (i32.const 1) (i32.const 2)))
    (func (export "get") (param $at i32) (result externref)
        (if (result externref) (i32.eqz (local.get $at))
            (then (struct.get $box $value (global.get $box)))
            (else (array.get $array (global.get $array) (local.get $at)))))"#;

/// The numbers of the objects in the box and the array of [`OBJECTS`].
fn objects(fixture: &mut Fixture, guest: Instance) -> Result<Vec<usize>> {
    let get = export::<u32, Option<Rooted<ExternRef>>>(&mut fixture.store, guest, "get")?;
    let mut scope = RootScope::new(&mut fixture.store);
    let mut ids = Vec::new();
    for at in 0..6 {
        let object = get.call(&mut scope, at)?.expect("an object");
        ids.push(id(&scope, object)?);
    }
    Ok(ids)
}

fn writes_to_objects(mode: Mode, len: u32) -> Result<()> {
    let mut fixture = Fixture::new(mode);
    let guest = fixture.guest(OBJECTS)?;
    export::<u32, ()>(&mut fixture.store, guest, "begin")?.call(&mut fixture.store, len)?;
    for round in 0..3 {
        // What is written to is old by now.
        fixture.fill_nursery()?;
        export::<(), ()>(&mut fixture.store, guest, "set")?.call(&mut fixture.store, ())?;
        let first = round * 3;
        let expected = [0, 1, 2, 2, 1, 2].map(|object| first + object);
        for _ in 0..2 {
            fixture.fill_nursery()?;
            assert_eq!(objects(&mut fixture, guest)?, expected);
            fixture.store.gc();
        }
    }
    Ok(())
}

fn guests_write_to_old_objects(mode: Mode) -> Result<()> {
    writes_to_objects(mode, 6)
}

fn guests_make_large_objects(mode: Mode) -> Result<()> {
    writes_to_objects(mode, 100_000)
}

fn a_guest_that_keeps_everything_runs_out_of_memory(mode: Mode) -> Result<()> {
    let limit = if mode == Mode::Stress { 16 << 10 } else { 8 << 20 };
    let engine = hostref::Engine::new(mode.config().gc_heap_limit(limit))?;
    let mut store = Store::new(&engine, ());
    let guest = instantiate(
        &mut store,
        r#"(module
            (type $node (struct (field (ref null $node)) (field i32)))
            (type $bytes (array (mut i8)))
            (type $list (struct (field (ref null $list)) (field (ref $bytes))))
            (global $nodes (mut (ref null $node)) (ref.null $node))
            (global $list (mut (ref null $list)) (ref.null $list))
            (func (export "small")
                (loop
                    (global.set $nodes (struct.new $node (global.get $nodes) (i32.const 1)))
                    (br 0)))
            (func (export "large") (param $len i32)
                (loop
                    (global.set $list (struct.new $list (global.get $list)
                        (array.new_default $bytes (local.get $len))))
                    (br 0)))
            (func (export "forget")
                (global.set $nodes (ref.null $node))
                (global.set $list (ref.null $list))))"#,
        &[],
    )?;
    for round in 0..3 {
        let error = match round {
            0 | 2 => export::<(), ()>(&mut store, guest, "small")?.call(&mut store, ()),
            _ => {
                let len = if mode == Mode::Stress { 1000 } else { 100_000 };
                export::<u32, ()>(&mut store, guest, "large")?.call(&mut store, len)
            }
        };
        let error = error.expect_err("the heap has a limit");
        assert_eq!(error.downcast_ref(), Some(&hostref::Trap::GcHeapOutOfMemory), "{error:?}");
        let stats = store.gc_stats();
        assert!(stats.heap_bytes <= limit && stats.heap_bytes > limit / 2, "{stats:?}");
        if mode == Mode::Normal {
            assert!(stats.full_collections < 60 * (round + 1), "{stats:?}");
        }
        export::<(), ()>(&mut store, guest, "forget")?.call(&mut store, ())?;
        store.gc();
        assert_eq!(store.gc_stats().heap_bytes, 0);
    }
    Ok(())
}
