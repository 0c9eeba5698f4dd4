//! Tests and casts of references beyond the official suite: deep chains of subtypes, types of several
//! modules, functions, host objects that were converted, and references that live across casts.

mod support;

use std::fmt::Write as _;

use anyhow::ensure;
use hostref::{
    AnyRef, Extern, ExternRef, Instance, LinkError, Module, Result, Rooted, Store, Trap, Val,
};
use support::{Mode, World, both_modes, export, instantiate};

both_modes! {
    chains_deeper_than_a_display_are_tested,
    functions_are_cast_too,
    a_converted_host_object_is_nothing_that_guests_make,
    nothing_that_guests_make_passes_for_a_host_object,
    equal_recursion_groups_are_one_type_in_all_modules,
    types_that_differ_do_not_link,
    null_is_cast_as_its_type_says,
    references_are_equal_if_they_are_the_same,
    values_live_across_branches_on_casts,
}

/// Supertypes of the deepest type: more than a display holds.
const DEPTH: usize = 24;

fn chains_deeper_than_a_display_are_tested(mode: Mode) -> Result<()> {
    let mut wat = String::from("(module (type $t0 (sub (struct (field i32))))");
    for n in 1..DEPTH {
        write!(wat, "(type $t{n} (sub $t{} (struct (field i32))))", n - 1)?;
    }
    write!(wat, "(type $leaf (sub final $t{} (struct (field i32))))", DEPTH - 1)?;
    write!(wat, "(type $other (sub $t{} (struct (field i32) (field i32))))", DEPTH - 2)?;
    let names: Vec<String> = (0..DEPTH).map(|n| format!("t{n}")).collect();
    let names: Vec<&str> = names.iter().map(|name| &**name).chain(["leaf", "other"]).collect();
    for name in &names {
        let rest = if *name == "other" { "(i32.const 0)" } else { "" };
        write!(
            wat,
            "(func (export \"new-{name}\") (param i32) (result anyref)
                (struct.new ${name} (local.get 0) {rest}))
            (func (export \"test-{name}\") (param anyref) (result i32)
                (ref.test (ref ${name}) (local.get 0)))
            (func (export \"cast-{name}\") (param anyref) (result i32)
                (struct.get ${name} 0 (ref.cast (ref ${name}) (local.get 0))))
            (func (export \"branch-{name}\") (param anyref) (result i32)
                (block $yes (result (ref ${name}))
                    (drop (br_on_cast $yes anyref (ref ${name}) (local.get 0)))
                    (return (i32.const -1)))
                (struct.get ${name} 0))"
        )?;
    }
    wat.push(')');
    let mut store = mode.store();
    let instance = instantiate(&mut store, &wat, &[])?;
    let is_subtype = |a: usize, b: usize| match (a, b) {
        (a, b) if a == b => true,
        (_, b) if b >= DEPTH => false,
        (a, b) if a <= DEPTH => a > b,
        (_, b) => b <= DEPTH - 2,
    };
    for (a, sub) in names.iter().enumerate() {
        let new = export::<i32, Rooted<AnyRef>>(&mut store, instance, &format!("new-{sub}"))?;
        let object = new.call(&mut store, a as i32)?;
        for (b, sup) in names.iter().enumerate() {
            let expected = is_subtype(a, b);
            let mut call = |what: &str| {
                let name = format!("{what}-{sup}");
                export::<Rooted<AnyRef>, i32>(&mut store, instance, &name)?.call(&mut store, object)
            };
            assert_eq!(call("test")?, expected.into(), "{sub} as {sup}");
            assert_eq!(call("branch")?, if expected { a as i32 } else { -1 }, "{sub} as {sup}");
            match call("cast") {
                Ok(value) => assert!(expected && value == a as i32, "{sub} as {sup}"),
                Err(error) => {
                    assert!(!expected, "{sub} as {sup}");
                    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::CastFailure));
                }
            }
        }
    }
    Ok(())
}

fn functions_are_cast_too(mode: Mode) -> Result<()> {
    let mut wat = String::from("(module (type $f0 (sub (func (result i32))))");
    for n in 1..DEPTH {
        write!(wat, "(type $f{n} (sub $f{} (func (result i32))))", n - 1)?;
    }
    for n in 0..DEPTH {
        write!(
            wat,
            "(func $g{n} (type $f{n}) (i32.const {n})) (elem declare func $g{n})
            (func (export \"get-{n}\") (result funcref) (ref.func $g{n}))
            (func (export \"test-{n}\") (param funcref) (result i32)
                (ref.test (ref null $f{n}) (local.get 0)))
            (func (export \"cast-{n}\") (param funcref) (result i32)
                (call_ref $f{n} (ref.cast (ref $f{n}) (local.get 0))))"
        )?;
    }
    wat.push(')');
    let mut store = mode.store();
    let instance = instantiate(&mut store, &wat, &[])?;
    let call = |store: &mut Store<()>, name: String, argument: Val| -> Result<Val> {
        let func = instance.get_func(&mut *store, &name).expect("an export");
        let mut results = [Val::I32(0)];
        func.call(store, &[argument], &mut results)?;
        Ok(results[0])
    };
    for a in 0..DEPTH {
        let get = instance.get_func(&mut store, &format!("get-{a}")).expect("an export");
        let mut func = [Val::FuncRef(None)];
        get.call(&mut store, &[], &mut func)?;
        for b in 0..DEPTH {
            let is = call(&mut store, format!("test-{b}"), func[0])?.unwrap_i32();
            assert_eq!(is, i32::from(a >= b), "{a} as {b}");
            match call(&mut store, format!("cast-{b}"), func[0]) {
                Ok(result) => assert!(a >= b && result.unwrap_i32() == a as i32),
                Err(error) => {
                    assert!(a < b, "{a} as {b}: {error:#}");
                    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::CastFailure));
                }
            }
        }
    }
    let null = Val::FuncRef(None);
    assert_eq!(call(&mut store, "test-7".into(), null)?.unwrap_i32(), 1);
    let error = call(&mut store, "cast-7".into(), null).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::CastFailure));
    Ok(())
}

fn a_converted_host_object_is_nothing_that_guests_make(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    let result = world.run(
        r#"
        (type $s (sub (struct (field i32))))
        (type $a (array i32))
        (type $f (sub final (struct (field i64))))
        (func (export "run") (result i32)
            (local $host anyref)
            (local.set $host (any.convert_extern (call $make)))
            (call $churn)
            (if (ref.test (ref struct) (local.get $host)) (then (return (i32.const 1))))
            (if (ref.test (ref array) (local.get $host)) (then (return (i32.const 2))))
            (if (ref.test (ref i31) (local.get $host)) (then (return (i32.const 3))))
            (if (ref.test (ref eq) (local.get $host)) (then (return (i32.const 4))))
            (if (ref.test (ref $s) (local.get $host)) (then (return (i32.const 5))))
            (if (ref.test (ref $a) (local.get $host)) (then (return (i32.const 6))))
            (if (ref.test (ref $f) (local.get $host)) (then (return (i32.const 7))))
            (if (ref.test (ref none) (local.get $host)) (then (return (i32.const 8))))
            (if (i32.eqz (ref.test (ref any) (local.get $host)))
                (then (return (i32.const 9))))
            (call $id (extern.convert_any (local.get $host))))"#,
    )?;
    assert_eq!(result, 0, "the number of the object");
    Ok(())
}

fn nothing_that_guests_make_passes_for_a_host_object(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    let guest = world.guest(
        r#"
        (type $words (struct (field i32) (field i32) (field i32) (field i32)))
        (type $numbers (array i32))
        (func (export "struct") (param i32) (result externref)
            (extern.convert_any (struct.new $words
                (local.get 0) (local.get 0) (local.get 0) (local.get 0))))
        (func (export "array") (param i32) (result externref)
            (extern.convert_any (array.new $numbers (local.get 0) (i32.const 4))))
        (func (export "i31") (param i32) (result externref)
            (extern.convert_any (ref.i31 (local.get 0))))
        (func (export "id") (param externref) (result i32) (call $id (local.get 0)))"#,
    )?;
    for _ in 0..8 {
        world.census.root(&mut world.store)?;
    }
    let store = &mut world.store;
    for (name, says) in [("struct", "a struct"), ("array", "an array"), ("i31", "an i31")] {
        let make = export::<i32, Rooted<ExternRef>>(&mut *store, guest, name)?;
        for word in (0..64).chain([u32::MAX as i32, i32::MIN]) {
            let object = make.call(&mut *store, word)?;
            let text = object.data(&*store).unwrap_err().to_string();
            assert!(text.contains("expected a host object") && text.contains(says), "{text}");
            let id = export::<Rooted<ExternRef>, i32>(&mut *store, guest, "id")?;
            let text = format!("{:#}", id.call(&mut *store, object).unwrap_err());
            assert!(text.contains(says), "{text}");
            let typed = export::<i32, Rooted<ExternRef<u32>>>(&mut *store, guest, name)?;
            let text = format!("{:#}", typed.call(&mut *store, word).unwrap_err());
            assert!(text.contains(says), "{text}");
        }
    }
    Ok(())
}

const GROUP: &str = "
    (rec
        (type $list (sub (struct (field $next (ref null $list)) (field $tree (ref null $tree)))))
        (type $tree (sub (struct (field $items (ref null $list)) (field $number i32)))))
    (type $special (sub $tree (struct (field (ref null $list)) (field i32) (field i64))))";

fn equal_recursion_groups_are_one_type_in_all_modules(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let maker = instantiate(
        &mut store,
        &format!(
            "(module (type (array i8)) {GROUP}
                (func (export \"make\") (param i32) (result (ref null $tree))
                    (struct.new $special (ref.null $list) (local.get 0) (i64.const 1))))"
        ),
        &[],
    )?;
    let make = maker.get_func(&mut store, "make").expect("an export");
    let user = instantiate(
        &mut store,
        &format!(
            "(module {GROUP}
                (import \"\" \"make\" (func $make (param i32) (result (ref null $tree))))
                (func (export \"run\") (result i32)
                    (struct.get $tree $number
                        (ref.cast (ref $special) (call $make (i32.const 5))))))"
        ),
        &[Extern::Func(make)],
    )?;
    assert_eq!(export::<(), i32>(&mut store, user, "run")?.call(&mut store, ())?, 5);
    Ok(())
}

fn types_that_differ_do_not_link(mode: Mode) -> Result<()> {
    let engine = mode.engine();
    let mut store = Store::new(&engine, ());
    let exports = "
        (type $a (sub (struct (field i32))))
        (type $b (sub $a (struct (field i32) (field (mut i8)))))";
    let maker = Module::new(
        &engine,
        format!(
            "(module {exports}
                (global (export \"b\") (ref null $b) (ref.null $b))
                (global (export \"var\") (mut (ref null $b)) (ref.null $b))
                (table (export \"table\") 1 (ref null $b))
                (func (export \"f\") (param (ref null $a)) (result (ref null $b)) unreachable))"
        ),
    )?;
    let maker = Instance::new(&mut store, &maker, &[])?;
    let mut links = |name: &str, import: &str| -> Result<bool> {
        let wat = format!("(module {exports} (type $c (struct)) (import \"\" \"\" {import}))");
        let module = Module::new(&engine, wat)?;
        let item = maker.get_export(&mut store, name).expect("an export");
        match Instance::new(&mut store, &module, &[item]) {
            Ok(_) => Ok(true),
            Err(error) if error.is::<LinkError>() => Ok(false),
            Err(error) => Err(error),
        }
    };
    for (name, import, fits) in [
        ("b", "(global (ref null $b))", true),
        ("b", "(global (ref null $a))", true),
        ("b", "(global structref)", true),
        ("b", "(global eqref)", true),
        ("b", "(global anyref)", true),
        ("b", "(global arrayref)", false),
        ("b", "(global i31ref)", false),
        ("b", "(global (ref $b))", false),
        ("b", "(global (ref null $c))", false),
        ("b", "(global externref)", false),
        ("var", "(global (mut (ref null $b)))", true),
        ("var", "(global (mut (ref null $a)))", false),
        ("table", "(table 1 (ref null $b))", true),
        ("table", "(table 1 (ref null $a))", false),
        ("f", "(func (param (ref null $a)) (result (ref null $b)))", true),
        ("f", "(func (param (ref null $b)) (result (ref null $b)))", false),
    ] {
        ensure!(links(name, import)? == fits, "{name} as {import}");
    }
    Ok(())
}

fn null_is_cast_as_its_type_says(mode: Mode) -> Result<()> {
    let targets =
        ["any", "eq", "i31", "struct", "array", "none", "$open", "$closed", "$list"].into_iter();
    let mut wat = String::from(
        "(module (type $open (sub (struct))) (type $closed (struct)) (type $list (array i8))",
    );
    for target in targets.clone() {
        write!(
            wat,
            "(func (export \"{target}\") (param anyref) (result i32)
                (i32.add (ref.test (ref null {target}) (local.get 0))
                    (i32.shl (ref.test (ref {target}) (local.get 0)) (i32.const 1))))
            (func (export \"{target}?\") (param anyref)
                (drop (ref.cast (ref null {target}) (local.get 0))))
            (func (export \"{target}!\") (param anyref)
                (drop (ref.cast (ref {target}) (local.get 0))))"
        )?;
    }
    wat.push(')');
    let mut store = mode.store();
    let instance = instantiate(&mut store, &wat, &[])?;
    for target in targets {
        let test = export::<Option<Rooted<AnyRef>>, i32>(&mut store, instance, target)?;
        assert_eq!(test.call(&mut store, None)?, 1, "{target}");
        let name = format!("{target}?");
        export::<Option<Rooted<AnyRef>>, ()>(&mut store, instance, &name)?
            .call(&mut store, None)?;
        let name = format!("{target}!");
        let cast = export::<Option<Rooted<AnyRef>>, ()>(&mut store, instance, &name)?;
        let error = cast.call(&mut store, None).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::CastFailure), "{target}");
    }
    Ok(())
}

fn references_are_equal_if_they_are_the_same(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    let result = world.run(
        r#"
        (type $s (struct))
        (func (export "run") (result i32)
            (local $a eqref) (local $b eqref)
            (local.set $a (struct.new $s))
            (local.set $b (struct.new $s))
            (call $churn)
            (if (ref.eq (local.get $a) (local.get $b)) (then (return (i32.const 1))))
            (if (i32.eqz (ref.eq (local.get $a) (local.get $a)))
                (then (return (i32.const 2))))
            (if (i32.eqz (ref.eq (ref.i31 (i32.const -1)) (ref.i31 (i32.const 0x7fffffff))))
                (then (return (i32.const 3))))
            (if (ref.eq (ref.i31 (i32.const 0)) (ref.null none))
                (then (return (i32.const 4))))
            (if (ref.eq (local.get $a) (ref.null none)) (then (return (i32.const 5))))
            (i32.const 0))"#,
    )?;
    assert_eq!(result, 0);
    Ok(())
}

fn values_live_across_branches_on_casts(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    let result = world.run(
        r#"
        (type $node (sub (struct (field $next (ref null $node)) (field $value anyref))))
        (type $pair (struct (field i32) (field i32)))
        (func $push (param $list (ref null $node)) (param $value anyref) (result (ref $node))
            (struct.new $node (local.get $list) (local.get $value)))
        (func $value (param $value anyref) (param $other (ref $pair)) (result i32)
            (block $number (result (ref i31))
                (block $pair (result (ref $pair))
                    (block $host (result anyref)
                        (br_on_cast_fail $host anyref eqref (local.get $value))
                        (br_on_cast $number eqref (ref i31))
                        (br_on_cast $pair eqref (ref $pair))
                        (drop)
                        (return (i32.const 1000)))
                    (return (call $id (extern.convert_any)))
                )
                (call $churn)
                (struct.get $pair 1)
                (return (i32.add (struct.get $pair 0 (local.get $other)))))
            (i31.get_s))
        (func (export "run") (result i32)
            (local $list (ref null $node)) (local $kept (ref null $pair)) (local $sum i32)
            (local $n i32)
            (local.set $kept (struct.new $pair (i32.const 100) (i32.const 0)))
            (loop $build
                (local.set $list (call $push (local.get $list) (ref.i31 (local.get $n))))
                (local.set $list (call $push (local.get $list)
                    (struct.new $pair (i32.const 0) (local.get $n))))
                (local.set $list (call $push (local.get $list) (struct.new_default $node)))
                (local.set $n (i32.add (local.get $n) (i32.const 1)))
                (br_if $build (i32.lt_u (local.get $n) (i32.const 10))))
            (local.set $list
                (call $push (local.get $list) (any.convert_extern (call $make))))
            (loop $walk
                (local.set $sum (i32.add (local.get $sum) (call $value
                    (struct.get $node $value (local.get $list))
                    (ref.as_non_null (local.get $kept)))))
                (local.set $list (struct.get $node $next (local.get $list)))
                (br_if $walk (i32.eqz (ref.is_null (local.get $list)))))
            (local.get $sum))"#,
    )?;
    assert_eq!(result, 45 + (45 + 10 * 100) + 10 * 1000);
    Ok(())
}
