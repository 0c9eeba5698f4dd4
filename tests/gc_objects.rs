//! Structs and constants beyond the official suite: large objects, every kind of field, references on
//! all ways through a guest, a full heap, and objects in the API.

mod support;

use std::fmt::Write as _;

use hostref::{
    Config, Engine, ExnRef, HeapType, Module, Ref, Result, Rooted, Store, ThrownException, Trap,
    Val, ValType,
};
use support::{Mode, World, both_modes, export, instantiate};

both_modes! {
    structs_have_references_far_behind,
    a_large_struct_is_made_of_its_operands,
    every_field_keeps_its_value,
    constants_make_objects,
    old_objects_keep_young_ones,
    references_pass_exceptions_and_tail_calls,
    a_full_heap_is_a_trap_and_garbage_is_not,
    globals_and_tables_hold_objects,
    types_are_named,
}

fn trap<T: std::fmt::Debug>(result: Result<T>) -> Option<Trap> {
    result.unwrap_err().downcast_ref::<Trap>().copied()
}

fn structs_have_references_far_behind(mode: Mode) -> Result<()> {
    // 41 words are more than the short bitmap has, 4200 are a large object, and 9000 of them reach
    // beyond what null faults for.
    for fields in [41, 4200, 9000] {
        let wat = format!(
            "(type $leaf (struct (field i32)))
            (type $s (struct {} (field $a (mut (ref null $leaf))) (field $b (mut i8))
                (field $c (mut (ref null $leaf)))))
            (func (export \"run\") (param $n i32) (result i32) (local $s (ref null $s))
                (local.set $s (struct.new_default $s))
                (if (i32.eqz (ref.is_null (struct.get $s $c (local.get $s))))
                    (then (return (i32.const -1))))
                (if (i64.ne (struct.get $s 0 (local.get $s))
                        (struct.get $s {} (local.get $s)))
                    (then (return (i32.const -2))))
                (struct.set $s $c (local.get $s) (struct.new $leaf (local.get $n)))
                (struct.set $s $a (local.get $s) (struct.new $leaf (i32.const 100)))
                (struct.set $s $b (local.get $s) (i32.const 0x1ff))
                (call $churn)
                (i32.add (struct.get_s $s $b (local.get $s))
                    (i32.add (struct.get $leaf 0 (struct.get $s $a (local.get $s)))
                        (struct.get $leaf 0 (struct.get $s $c (local.get $s))))))
            (func (export \"last\") (param (ref null $s)) (result i32)
                (struct.get_u $s $b (local.get 0)))
            (func (export \"set-last\") (param (ref null $s))
                (struct.set $s $c (local.get 0) (ref.null $leaf)))
            (func (export \"first\") (param (ref null $s)) (result i64)
                (struct.get $s 0 (local.get 0)))",
            "(field (mut i64))".repeat(fields),
            fields - 1,
        );
        let mut world = World::new(mode)?;
        let guest = world.guest(&wat)?;
        let store = &mut world.store;
        let run = export::<i32, i32>(&mut *store, guest, "run")?;
        assert_eq!(run.call(&mut *store, 7)?, 106, "{fields} fields");
        let null = [Val::AnyRef(None)];
        for name in ["first", "last", "set-last"] {
            let func = guest.get_func(&mut *store, name).expect("an export");
            let mut results = vec![Val::I32(0); func.ty(&*store).results().len()];
            let result = func.call(&mut *store, &null, &mut results);
            assert_eq!(trap(result), Some(Trap::NullReference), "{name} of {fields} fields");
        }
    }
    Ok(())
}

fn a_large_struct_is_made_of_its_operands(mode: Mode) -> Result<()> {
    const FIELDS: usize = 4100;
    let mut operands = String::new();
    for n in 0..FIELDS {
        write!(operands, "(i64.const {n})")?;
    }
    let mut world = World::new(mode)?;
    let result = world.run(&format!(
        "(type $leaf (struct (field i32)))
        (type $s (struct {} (field (ref $leaf))))
        (func (export \"run\") (result i32) (local $s (ref null $s))
            (local.set $s (struct.new $s {operands} (struct.new $leaf (i32.const 5))))
            (call $churn)
            (i32.add (i32.wrap_i64 (struct.get $s {} (local.get $s)))
                (struct.get $leaf 0 (struct.get $s {FIELDS} (local.get $s)))))",
        "(field i64)".repeat(FIELDS),
        FIELDS - 1,
    ))?;
    assert_eq!(result, FIELDS as i32 - 1 + 5);
    // As many elements, in an array.
    let result = world.run(&format!(
        "(type $a (array i64))
        (func (export \"run\") (result i32) (local $a (ref null $a))
            (local.set $a (array.new_fixed $a {FIELDS} {operands}))
            (call $churn)
            (i32.wrap_i64 (array.get $a (local.get $a) (i32.const {}))))",
        FIELDS - 1,
    ))?;
    assert_eq!(result, FIELDS as i32 - 1);
    Ok(())
}

fn every_field_keeps_its_value(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    let result = world.run(
        r#"
        (type $s (struct (field (mut i8)) (field (mut i64)) (field (mut i16)) (field (mut f32))
            (field (mut externref)) (field (mut f64)) (field (mut funcref)) (field (mut v128))
            (field (mut i8)) (field (mut anyref))))
        (func $f (export "f"))
        (func $check (param $s (ref $s)) (result i32)
            (if (i32.ne (struct.get_u $s 0 (local.get $s)) (i32.const 0xfe))
                (then (return (i32.const 1))))
            (if (i64.ne (struct.get $s 1 (local.get $s)) (i64.const -2))
                (then (return (i32.const 2))))
            (if (i32.ne (struct.get_u $s 2 (local.get $s)) (i32.const 0xfffd))
                (then (return (i32.const 3))))
            (if (f32.ne (struct.get $s 3 (local.get $s)) (f32.const 1.5))
                (then (return (i32.const 4))))
            (if (i32.ne (call $id (struct.get $s 4 (local.get $s))) (i32.const 0))
                (then (return (i32.const 5))))
            (if (f64.ne (struct.get $s 5 (local.get $s)) (f64.const -0.25))
                (then (return (i32.const 6))))
            (if (ref.is_null (struct.get $s 6 (local.get $s)))
                (then (return (i32.const 7))))
            (if (i64.ne (i64x2.extract_lane 1 (struct.get $s 7 (local.get $s))) (i64.const 9))
                (then (return (i32.const 8))))
            (if (i32.ne (struct.get_s $s 8 (local.get $s)) (i32.const -128))
                (then (return (i32.const 9))))
            (if (i32.ne (i31.get_s (ref.cast (ref i31) (struct.get $s 9 (local.get $s))))
                    (i32.const -5))
                (then (return (i32.const 10))))
            (i32.const 0))
        (func (export "run") (result i32) (local $s (ref null $s)) (local $r i32)
            (local.set $s (struct.new $s (i32.const -2) (i64.const -2) (i32.const -3)
                (f32.const 1.5) (call $make) (f64.const -0.25) (ref.func $f)
                (v128.const i64x2 8 9) (i32.const 128) (ref.i31 (i32.const -5))))
            (call $churn)
            (local.set $r (call $check (ref.as_non_null (local.get $s))))
            (if (local.get $r) (then (return (local.get $r))))
            (local.set $s (struct.new_default $s))
            (struct.set $s 9 (local.get $s) (ref.i31 (i32.const -5)))
            (struct.set $s 0 (local.get $s) (i32.const 0x7fe))
            (struct.set $s 8 (local.get $s) (i32.const -128))
            (struct.set $s 2 (local.get $s) (i32.const 0x7fffd))
            (struct.set $s 1 (local.get $s) (i64.const -2))
            (struct.set $s 3 (local.get $s) (f32.const 1.5))
            (struct.set $s 5 (local.get $s) (f64.const -0.25))
            (struct.set $s 6 (local.get $s) (ref.func $f))
            (struct.set $s 7 (local.get $s) (v128.const i64x2 8 9))
            (if (i32.ne (call $id (struct.get $s 4 (local.get $s))) (i32.const -1))
                (then (return (i32.const 11))))
            (struct.set $s 4 (local.get $s) (call $make))
            (i32.mul (i32.const 100) (i32.ne (i32.const 5) (call $check
                (ref.as_non_null (local.get $s))))))"#,
    )?;
    // The second object is number 1: that is what the check finds wrong with the second struct.
    assert_eq!(result, 0);
    Ok(())
}

fn constants_make_objects(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    let guest = world.guest(
        r#"
        (type $leaf (struct (field i32) (field i64)))
        (type $list (array (ref null $leaf)))
        (type $tree (struct (field (ref null $leaf)) (field (ref $list)) (field i8)))
        (type $bytes (array i8))
        (type $vectors (array v128))
        (global $shared (ref $leaf) (struct.new $leaf (i32.const 1) (i64.const 2)))
        (global $tree (ref $tree) (struct.new $tree
            (struct.new $leaf (i32.const 10) (i64.const 20))
            (array.new_fixed $list 3 (struct.new $leaf (i32.const 100) (i64.const 0))
                (global.get $shared) (struct.new_default $leaf))
            (i32.const 511)))
        (global $many (ref $list)
            (array.new $list (struct.new $leaf (i32.const 1000) (i64.const 0)) (i32.const 50)))
        (global $bytes (ref $bytes) (array.new $bytes (i32.const 255) (i32.const 7)))
        (global $vectors (ref $vectors) (array.new $vectors (v128.const i32x4 1 2 3 4)
            (i32.const 3)))
        (global $small anyref (ref.i31 (i32.const -3)))
        (global $outside externref (extern.convert_any (array.new_default $bytes (i32.const 2))))
        (global $inside anyref (any.convert_extern (global.get $outside)))
        (table $t 3 (ref $leaf) (struct.new $leaf (i32.const 5) (i64.const 6)))
        (elem (table $t) (i32.const 1) (ref $leaf) (struct.new $leaf (i32.const 7) (i64.const 8))
            (struct.new $leaf (i32.const 9) (i64.const 0)))
        (func $leaf (param (ref null $leaf)) (result i32) (struct.get $leaf 0 (local.get 0)))
        (func (export "run") (result i32)
            (call $churn)
            (call $leaf (struct.get $tree 0 (global.get $tree)))
            (call $leaf (array.get $list (struct.get $tree 1 (global.get $tree))
                (i32.const 0)))
            i32.add
            (call $leaf (array.get $list (struct.get $tree 1 (global.get $tree))
                (i32.const 1)))
            i32.add
            (struct.get_s $tree 2 (global.get $tree))
            i32.add
            (call $leaf (array.get $list (global.get $many) (i32.const 49)))
            i32.add
            (array.get_s $bytes (global.get $bytes) (i32.const 6))
            i32.add
            (i32x4.extract_lane 2 (array.get $vectors (global.get $vectors) (i32.const 2)))
            i32.add
            (i31.get_s (ref.cast (ref i31) (global.get $small)))
            i32.add
            (array.len (ref.cast (ref array) (global.get $inside)))
            i32.add
            (call $leaf (table.get $t (i32.const 0)))
            i32.add
            (call $leaf (table.get $t (i32.const 1)))
            i32.add
            (call $leaf (table.get $t (i32.const 2)))
            i32.add)"#,
    )?;
    let run = export::<(), i32>(&mut world.store, guest, "run")?;
    for _ in 0..3 {
        let expected = 10 + 100 + 1 - 1 + 1000 - 1 + 3 - 3 + 2 + 5 + 7 + 9;
        assert_eq!(run.call(&mut world.store, ())?, expected);
    }
    Ok(())
}

/// Every instruction that writes references to objects, with objects that are old and references to
/// ones that are young; then garbage until the nursery is full.
fn old_objects_keep_young_ones(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    let nulls = "(ref.null $box)".repeat(9000);
    let guest = world.guest(&format!(
        r#"
        (type $box (struct (field i32)))
        (type $holder (struct (field (mut (ref null $box))) (field i8) (field (mut eqref))))
        (type $list (array (mut (ref null $box))))
        (type $bytes (array (mut i8)))
        (type $wide (struct {wide}))
        (global $holder (mut (ref null $holder)) (ref.null $holder))
        (global $list (mut (ref null $list)) (ref.null $list))
        (global $large (mut (ref null $list)) (ref.null $list))
        (global $young (mut (ref null $list)) (ref.null $list))
        (global $filled (mut (ref null $list)) (ref.null $list))
        (global $fixed (mut (ref null $list)) (ref.null $list))
        (global $wide (mut (ref null $wide)) (ref.null $wide))
        (elem $e (ref null $box) (struct.new $box (i32.const 60)))
        (func $box (param i32) (result (ref $box)) (struct.new $box (local.get 0)))
        (func $value (param (ref null $box)) (result i32) (struct.get $box 0 (local.get 0)))
        (func $at (param (ref null $list)) (param i32) (result i32)
            (call $value (array.get $list (local.get 0) (local.get 1))))
        (func (export "make")
            (global.set $holder (struct.new_default $holder))
            (global.set $list (array.new_default $list (i32.const 10)))
            (call $churn))
        (func (export "write")
            (struct.set $holder 0 (global.get $holder) (call $box (i32.const 1)))
            (struct.set $holder 2 (global.get $holder) (call $box (i32.const 2)))
            (array.set $list (global.get $list) (i32.const 0) (call $box (i32.const 10)))
            (array.fill $list (global.get $list) (i32.const 1) (call $box (i32.const 20))
                (i32.const 3))
            (global.set $young (array.new_fixed $list 2 (call $box (i32.const 30))
                (call $box (i32.const 40))))
            (array.copy $list $list (global.get $list) (i32.const 4)
                (global.get $young) (i32.const 0) (i32.const 2))
            (array.copy $list $list (global.get $list) (i32.const 6)
                (global.get $list) (i32.const 4) (i32.const 2))
            (array.init_elem $list $e (global.get $list) (i32.const 8)
                (i32.const 0) (i32.const 1))
            (global.set $filled (array.new $list (call $box (i32.const 50)) (i32.const 10000)))
            (global.set $large (array.new_default $list (i32.const 10000)))
            (array.set $list (global.get $large) (i32.const 9999) (call $box (i32.const 70)))
            (global.set $fixed (array.new_fixed $list 9001
                (struct.new $box (i32.const 80)) {nulls}))
            (global.set $wide (struct.new $wide {nulls} (struct.new $box (i32.const 90)))))
        (func (export "litter") (param i32)
            (loop $on
                (drop (array.new_default $bytes (i32.const 1000)))
                (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                (br_if $on (local.get 0))))
        (func (export "read") (result i32)
            (call $value (struct.get $holder 0 (global.get $holder)))
            (call $value (ref.cast (ref $box) (struct.get $holder 2 (global.get $holder))))
            i32.add
            (call $at (global.get $list) (i32.const 0)) i32.add
            (call $at (global.get $list) (i32.const 3)) i32.add
            (call $at (global.get $list) (i32.const 4)) i32.add
            (call $at (global.get $list) (i32.const 7)) i32.add
            (call $at (global.get $list) (i32.const 8)) i32.add
            (call $at (global.get $filled) (i32.const 9999)) i32.add
            (call $at (global.get $large) (i32.const 9999)) i32.add
            (call $at (global.get $fixed) (i32.const 0)) i32.add
            (call $value (struct.get $wide 9000 (global.get $wide))) i32.add)"#,
        wide = "(field (ref null $box))".repeat(9001),
    ))?;
    let store = &mut world.store;
    let litter = export::<i32, ()>(&mut *store, guest, "litter")?;
    for round in 0..3 {
        export::<(), ()>(&mut *store, guest, "make")?.call(&mut *store, ())?;
        export::<(), ()>(&mut *store, guest, "write")?.call(&mut *store, ())?;
        litter.call(&mut *store, if mode == Mode::Stress { 5 } else { 5000 })?;
        let sum = export::<(), i32>(&mut *store, guest, "read")?.call(&mut *store, ())?;
        assert_eq!(sum, 1 + 2 + 10 + 20 + 30 + 40 + 60 + 50 + 70 + 80 + 90, "round {round}");
    }
    Ok(())
}

fn references_pass_exceptions_and_tail_calls(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    let guest = world.guest(
        r#"
        (type $box (struct (field i32)))
        (tag $t (export "t") (param (ref $box) i32 anyref))
        (func $throw (param $box (ref $box))
            (call $churn)
            (throw $t (local.get $box) (i32.const 3)
                (struct.new $box (i32.const 10))))
        (func $count (param $n i32) (param $a (ref $box)) (param $b (ref null $box))
            (param $c eqref) (param $d anyref) (param $e (ref $box)) (param $f (ref $box))
            (param $g (ref $box)) (param $h (ref $box)) (result i32)
            (if (i32.eqz (local.get $n))
                (then (return (i32.add (struct.get $box 0 (local.get $a))
                    (i32.add (struct.get $box 0 (local.get $h))
                        (struct.get $box 0 (ref.cast (ref $box) (local.get $d))))))))
            (call $churn)
            (return_call $count (i32.sub (local.get $n) (i32.const 1))
                (local.get $a) (local.get $b) (local.get $c) (local.get $d)
                (struct.new $box (local.get $n)) (local.get $e) (local.get $f) (local.get $g))
            )
        (func (export "run") (result i32) (local $box (ref $box)) (local $kept (ref $box))
            (local.set $kept (struct.new $box (i32.const 1000)))
            (local.set $box (struct.new $box (i32.const 100)))
            (block $caught (result (ref $box) i32 anyref)
                (try_table (catch $t $caught) (call $throw (local.get $box)))
                (unreachable))
            (call $churn)
            (struct.get $box 0 (ref.cast (ref $box)))
            i32.add
            (local.set $box (ref.cast (ref $box) (struct.new $box)))
            (struct.get $box 0)
            (i32.add (struct.get $box 0 (local.get $box)))
            (i32.add (struct.get $box 0 (local.get $kept))))
        (func (export "tail") (result i32)
            (return_call $count (i32.const 20) (struct.new $box (i32.const 1000)) (ref.null none)
                (ref.null none) (struct.new $box (i32.const 100)) (struct.new $box (i32.const 1))
                (struct.new $box (i32.const 2)) (struct.new $box (i32.const 3))
                (struct.new $box (i32.const 4))))
        (func (export "escape") (call $throw (struct.new $box (i32.const 1))))"#,
    )?;
    let store = &mut world.store;
    assert_eq!(export::<(), i32>(&mut *store, guest, "run")?.call(&mut *store, ())?, 1113);
    // The last argument was made when four calls were left.
    assert_eq!(export::<(), i32>(&mut *store, guest, "tail")?.call(&mut *store, ())?, 1104);
    let error = export::<(), ()>(&mut *store, guest, "escape")?.call(&mut *store, ()).unwrap_err();
    let thrown = error.downcast_ref::<ThrownException>().expect("an exception");
    let exception: Rooted<ExnRef> = thrown.exn_ref(&mut *store)?;
    let field = exception.field(&mut *store, 2)?;
    assert!(field.unwrap_anyref().expect("not null").is_struct(&*store)?);
    Ok(())
}

fn a_full_heap_is_a_trap_and_garbage_is_not(mode: Mode) -> Result<()> {
    let mut config = mode.config();
    config.gc_heap_limit(if mode == Mode::Stress { 24 << 10 } else { 4 << 20 });
    let engine = Engine::new(&config)?;
    let mut store = Store::new(&engine, ());
    let instance = instantiate(
        &mut store,
        r#"(module
            (type $node (struct (field (ref null $node)) (field i64)))
            (type $bytes (array i8))
            (func (export "keep") (local $list (ref null $node))
                (loop $forever
                    (local.set $list (struct.new $node (local.get $list) (i64.const 0)))
                    (br $forever)))
            (func (export "forget") (param $n i32) (local $list (ref null $node))
                (loop $on
                    (local.set $list (struct.new $node (ref.null $node) (i64.const 0)))
                    (drop (array.new_default $bytes (i32.const 100)))
                    (drop (array.new $bytes (i32.const 1) (i32.const 10000)))
                    (local.set $n (i32.sub (local.get $n) (i32.const 1)))
                    (br_if $on (local.get $n)))))"#,
        &[],
    )?;
    let rounds = if mode == Mode::Stress { 20 } else { 20_000 };
    for _ in 0..2 {
        export::<i32, ()>(&mut store, instance, "forget")?.call(&mut store, rounds)?;
        let keep = export::<(), ()>(&mut store, instance, "keep")?;
        assert_eq!(trap(keep.call(&mut store, ())), Some(Trap::GcHeapOutOfMemory));
    }
    Ok(())
}

fn globals_and_tables_hold_objects(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let instance = instantiate(
        &mut store,
        r#"(module
            (type $pair (struct (field i32) (field i32)))
            (global (export "g") (mut anyref) (struct.new $pair (i32.const 1) (i32.const 2)))
            (global (export "p") (mut (ref null $pair)) (ref.null $pair))
            (table (export "t") 4 (ref null eq))
            (func (export "first") (param (ref null $pair)) (result i32)
                (struct.get $pair 0 (local.get 0))))"#,
        &[],
    )?;
    let global = instance.get_global(&mut store, "g").expect("an export");
    let pair = instance.get_global(&mut store, "p").expect("an export");
    let table = instance.get_table(&mut store, "t").expect("an export");
    let first = instance.get_func(&mut store, "first").expect("an export");
    let object = global.get(&mut store);
    let reference = *object.unwrap_anyref().expect("not null");
    assert!(reference.is_struct(&store)? && reference.is_eqref(&store)?);
    assert!(!reference.is_array(&store)? && !reference.is_i31(&store)?);
    pair.set(&mut store, object)?;
    table.set(&mut store, 2, Ref::Any(Some(reference)))?;
    table.fill(&mut store, 0, Ref::Any(None), 1)?;
    global.set(&mut store, Val::AnyRef(None))?;
    store.gc();
    let back = table.get(&mut store, 2).expect("within bounds");
    let Ref::Any(Some(back)) = back else { panic!("not null") };
    assert!(Rooted::ref_eq(&store, &reference, &back)?);
    let mut result = [Val::I32(0)];
    let value = pair.get(&mut store);
    first.call(&mut store, &[value], &mut result)?;
    assert_eq!(result[0].unwrap_i32(), 1);
    let error = pair.set(&mut store, Val::ExternRef(None)).unwrap_err();
    assert!(error.to_string().contains("expected (ref null (struct"), "{error}");
    let error = table.set(&mut store, 0, Ref::Extern(None)).unwrap_err();
    assert!(error.to_string().contains("expected eqref"), "{error}");
    Ok(())
}

fn types_are_named(mode: Mode) -> Result<()> {
    let engine = mode.engine();
    let module = Module::new(
        &engine,
        "(module (rec (type $s (sub (struct (field (mut i8)) (field (ref null $s)))))
                (type $a (sub (array (mut (ref $s))))))
            (func (export \"f\") (param (ref $s) (ref null $a) eqref i31ref (ref struct)
                arrayref (ref any) nullref)))",
    )?;
    let ty = module.get_export("f").expect("an export");
    let ty = ty.func().expect("a function").clone();
    assert_eq!(
        ty.to_string(),
        "(func (param (ref (struct (field (mut i8)) (field (ref null (struct ..))))) \
         (ref null (array (mut (ref (struct ..))))) eqref i31ref (ref struct) arrayref (ref any) \
         (ref null none)))"
    );
    let Some(ValType::Ref(first)) = ty.param(0) else { panic!("a reference") };
    assert!(matches!(first.heap_type(), HeapType::ConcreteStruct(s) if s.matches(s)));
    Ok(())
}

#[test]
fn objects_can_be_switched_off() {
    let refuses = |configure: fn(&mut Config), wat: &str| {
        let mut config = Config::new();
        configure(&mut config);
        Module::new(&Engine::new(&config).unwrap(), wat).is_err()
    };
    let structs = "(module (type (struct)))";
    let typed =
        "(module (type $f (func)) (func (param (ref null $f)) (call_ref $f (local.get 0))))";
    assert!(!refuses(|_| {}, structs));
    assert!(refuses(
        |config| {
            config.wasm_gc(false);
        },
        structs
    ));
    assert!(!refuses(
        |config| {
            config.wasm_gc(false);
        },
        typed
    ));
    assert!(refuses(
        |config| {
            config.wasm_function_references(false);
        },
        structs
    ));
    assert!(refuses(
        |config| {
            config.wasm_function_references(false);
        },
        typed
    ));
}
