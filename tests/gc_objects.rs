//! Structs, arrays and constants beyond the official suite: large objects, every kind of field and
//! element near its limits, sizes that no heap has, and references on all ways through a guest.

mod support;

use std::fmt::Write as _;

use hostref::{
    AnyRef, Config, Engine, ExnRef, HeapType, Instance, Module, Ref, Result, Rooted, Store,
    ThrownException, Trap, Val, ValType,
};
use support::{Mode, World, both_modes, export, instantiate};

both_modes! {
    structs_have_references_far_behind,
    a_large_struct_is_made_of_its_operands,
    every_field_keeps_its_value,
    elements_of_every_type_keep_their_values,
    packed_values_are_extended_as_asked,
    sizes_that_no_heap_has_trap,
    bulk_operations_check_and_overlap,
    segments_fill_arrays,
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

/// An element type; code that makes an element of the `i32` on the stack, and the converse.
const ELEMENTS: [(&str, &str, &str); 9] = [
    ("i8", "", "array.get_u"),
    ("i16", "", "array.get_u"),
    ("i32", "", "array.get"),
    ("i64", "i64.extend_i32_u", "i32.wrap_i64 array.get"),
    ("f32", "f32.convert_i32_u", "i32.trunc_f32_u array.get"),
    ("f64", "f64.convert_i32_u", "i32.trunc_f64_u array.get"),
    ("v128", "i32x4.splat", "i32x4.extract_lane_3 array.get"),
    ("(ref null i31)", "ref.i31", "i31.get_u array.get"),
    ("(ref null $box)", "struct.new $box", "struct.get_box array.get"),
];

fn elements_of_every_type_keep_their_values(mode: Mode) -> Result<()> {
    for (ty, make, get) in ELEMENTS {
        let (convert, get) = get.split_once(' ').unwrap_or(("", get));
        let convert = match convert {
            "i32x4.extract_lane_3" => "i32x4.extract_lane 3",
            "struct.get_box" => "struct.get $box 0",
            other => other,
        };
        let wat = format!(
            "(type $box (struct (field i32)))
            (type $a (array (mut {ty})))
            (func $get (param $a (ref $a)) (param $i i32) (result i32)
                local.get $a local.get $i {get} $a {convert})
            (func $set (param $a (ref $a)) (param $i i32) (param $v i32)
                local.get $a local.get $i local.get $v {make} array.set $a)
            (func (export \"get\") (param (ref null $a)) (param i32)
                local.get 0 local.get 1 {get} $a drop)
            ;; Every element of a new array has the value, and keeps what it is set to.
            (func (export \"run\") (param $len i32) (result i32)
                (local $a (ref $a)) (local $i i32)
                (local.set $a (array.new $a (i32.const 77) {make} (local.get $len)))
                (if (i32.ne (array.len (local.get $a)) (local.get $len))
                    (then (return (i32.const -1))))
                (call $churn)
                (if (i32.eqz (local.get $len)) (then (return (i32.const 0))))
                (loop $all
                    (if (i32.ne (call $get (local.get $a) (local.get $i)) (i32.const 77))
                        (then (return (i32.const -2))))
                    (call $set (local.get $a) (local.get $i)
                        (i32.and (local.get $i) (i32.const 127)))
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br_if $all (i32.lt_u (local.get $i) (local.get $len))))
                (call $churn)
                (loop $back
                    (local.set $i (i32.sub (local.get $i) (i32.const 1)))
                    (if (i32.ne (call $get (local.get $a) (local.get $i))
                            (i32.and (local.get $i) (i32.const 127)))
                        (then (return (i32.const -3))))
                    (br_if $back (local.get $i)))
                (i32.const 0))
            (func (export \"default\") (param $len i32) (result (ref $a))
                (array.new_default $a (local.get $len)))
            (func (export \"is-default\") (param $a (ref $a)) (result i32)
                {is_default})",
            is_default = match ty {
                "(ref null i31)" | "(ref null $box)" => {
                    "(ref.is_null (array.get $a (local.get $a)
                        (i32.sub (array.len (local.get $a)) (i32.const 1))))"
                }
                _ => {
                    "(i32.eqz (call $get (local.get $a)
                        (i32.sub (array.len (local.get $a)) (i32.const 1))))"
                }
            },
        );
        // The last operand of `array.new` stands behind the value's own code.
        let wat = wat.replace(
            &format!("(array.new $a (i32.const 77) {make} (local.get $len))"),
            &format!("i32.const 77 {make} local.get $len array.new $a (local.set $a)"),
        );
        let wat = wat
            .replace("(local.set $a i32.const 77", "i32.const 77")
            .replace("array.new $a (local.set $a))", "array.new $a local.set $a");
        let mut world = World::new(mode)?;
        let guest = world.guest(&wat)?;
        let store = &mut world.store;
        let run = export::<i32, i32>(&mut *store, guest, "run")?;
        let large = if mode == Mode::Stress { 4100 } else { 40_000 };
        for len in [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 100, 1000, large] {
            if mode == Mode::Stress && ty == "(ref null $box)" && len > 100 {
                continue;
            }
            assert_eq!(run.call(&mut *store, len)?, 0, "{len} of {ty}");
        }
        let default = export::<i32, Rooted<AnyRef>>(&mut *store, guest, "default")?;
        let is_default = guest.get_func(&mut *store, "is-default").expect("an export");
        let get = guest.get_func(&mut *store, "get").expect("an export");
        for len in [1, 2, 6, 40, 3000, large] {
            let array = default.call(&mut *store, len)?;
            let mut is = [Val::I32(0)];
            is_default.call(&mut *store, &[array.into()], &mut is)?;
            assert_eq!(is[0].unwrap_i32(), 1, "{len} of {ty}");
            for index in [len, len + 1, -1, i32::MIN] {
                let result = get.call(&mut *store, &[array.into(), index.into()], &mut []);
                assert_eq!(trap(result), Some(Trap::ArrayOutOfBounds), "{index} of {len} {ty}");
            }
        }
        let result = get.call(&mut *store, &[Val::AnyRef(None), 0.into()], &mut []);
        assert_eq!(trap(result), Some(Trap::NullReference));
    }
    Ok(())
}

fn packed_values_are_extended_as_asked(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let instance = instantiate(
        &mut store,
        r#"(module
            (type $s (struct (field i8) (field i16)))
            (type $b (array i8)) (type $h (array i16))
            (func (export "all") (param i32) (result i32 i32 i32 i32 i32 i32 i32 i32)
                (local $s (ref $s)) (local $b (ref $b)) (local $h (ref $h))
                (local.set $s (struct.new $s (local.get 0) (local.get 0)))
                (local.set $b (array.new $b (local.get 0) (i32.const 3)))
                (local.set $h (array.new_fixed $h 2 (i32.const 0) (local.get 0)))
                (struct.get_s $s 0 (local.get $s)) (struct.get_u $s 0 (local.get $s))
                (struct.get_s $s 1 (local.get $s)) (struct.get_u $s 1 (local.get $s))
                (array.get_s $b (local.get $b) (i32.const 2))
                (array.get_u $b (local.get $b) (i32.const 2))
                (array.get_s $h (local.get $h) (i32.const 1))
                (array.get_u $h (local.get $h) (i32.const 1)))
            (func (export "i31") (param i32) (result i32 i32)
                (i31.get_s (ref.i31 (local.get 0))) (i31.get_u (ref.i31 (local.get 0)))))"#,
        &[],
    )?;
    type All = (i32, i32, i32, i32, i32, i32, i32, i32);
    let all = export::<i32, All>(&mut store, instance, "all")?;
    let i31 = export::<i32, (i32, i32)>(&mut store, instance, "i31")?;
    for value in [0, 1, 127, 128, 255, 256, 32767, 32768, 65535, 65536, -1, i32::MIN, i32::MAX] {
        let (bs, bu) = (i32::from(value as i8), i32::from(value as u8));
        let (hs, hu) = (i32::from(value as i16), i32::from(value as u16));
        assert_eq!(all.call(&mut store, value)?, (bs, bu, hs, hu, bs, bu, hs, hu), "{value}");
        assert_eq!(i31.call(&mut store, value)?, (value << 1 >> 1, value & i32::MAX), "{value}");
    }
    Ok(())
}

fn sizes_that_no_heap_has_trap(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    for ty in ["i8", "i16", "i32", "i64", "v128", "anyref", "funcref"] {
        let instance = instantiate(
            &mut store,
            &format!(
                "(module (type $a (array {ty}))
                    (func (export \"default\") (param i32)
                        (drop (array.new_default $a (local.get 0))))
                    (func (export \"constant\") (param i32)
                        (drop (array.new_default $a (i32.const -1)))))"
            ),
            &[],
        )?;
        for name in ["default", "constant"] {
            let make = export::<i32, ()>(&mut store, instance, name)?;
            for len in [-1, -2, -8, -20, i32::MIN, i32::MAX] {
                let found = trap(make.call(&mut store, len));
                let known = [Some(Trap::AllocationTooLarge), Some(Trap::GcHeapOutOfMemory)];
                assert!(known.contains(&found), "{len} of {ty}: {found:?}");
            }
        }
        // Where the size of a vector or a pointer wraps around 32 bits.
        let make = export::<i32, ()>(&mut store, instance, "default")?;
        for len in [1 << 28, 1 << 29, 1 << 30, (1 << 28) - 1, (1 << 29) - 2, (1 << 30) - 3] {
            let bytes = match ty {
                "i8" => 1_u64,
                "i16" => 2,
                "i32" | "anyref" => 4,
                "v128" => 16,
                _ => 8,
            } * len as u64;
            if bytes >= 1 << 30 {
                assert!(make.call(&mut store, len).is_err(), "{len} of {ty}");
            }
        }
    }
    Ok(())
}

fn bulk_operations_check_and_overlap(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let instance = instantiate(
        &mut store,
        r#"(module
            (type $b (array (mut i8)))
            (type $r (array (mut (ref null i31))))
            (type $d (array (mut i64)))
            (global $b (ref $b) (array.new_default $b (i32.const 8)))
            (global $r (ref $r) (array.new_default $r (i32.const 8)))
            (global $d (ref $d) (array.new_default $d (i32.const 8)))
            (func (export "copy") (param $to i32) (param $from i32) (param $len i32)
                (array.copy $r $r (global.get $r) (local.get $to)
                    (global.get $r) (local.get $from) (local.get $len))
                (array.copy $b $b (global.get $b) (local.get $to)
                    (global.get $b) (local.get $from) (local.get $len)))
            (func (export "fill") (param $at i32) (param $value i32) (param $len i32)
                (array.fill $r (global.get $r) (local.get $at) (ref.i31 (local.get $value))
                    (local.get $len))
                (array.fill $b (global.get $b) (local.get $at) (local.get $value)
                    (local.get $len))
                (array.fill $d (global.get $d) (local.get $at)
                    (i64.extend_i32_s (local.get $value)) (local.get $len)))
            (func (export "get") (param i32) (result i32 i32 i64)
                (i31.get_u (array.get $r (global.get $r) (local.get 0)))
                (array.get_u $b (global.get $b) (local.get 0))
                (array.get $d (global.get $d) (local.get 0))))"#,
        &[],
    )?;
    type Triple = (i32, i32, i32);
    let copy = export::<Triple, ()>(&mut store, instance, "copy")?;
    let fill = export::<Triple, ()>(&mut store, instance, "fill")?;
    let get = export::<i32, (i32, i32, i64)>(&mut store, instance, "get")?;
    for index in 0..8 {
        fill.call(&mut store, (index, index, 1))?;
    }
    let mut model: Vec<i32> = (0..8).collect();
    for (to, from, len) in [(1, 0, 4), (0, 2, 5), (3, 3, 5), (8, 0, 0), (7, 6, 1), (0, 0, 8)] {
        copy.call(&mut store, (to, from, len))?;
        let (to, from, len) = (to as usize, from as usize, len as usize);
        model.copy_within(from..from + len, to);
        for (index, value) in (0..).zip(&model) {
            let (reference, byte, long) = get.call(&mut store, index)?;
            assert_eq!((reference, byte), (*value, *value), "at {index}");
            assert_eq!(long, i64::from(index), "no one copied it");
        }
    }
    for (at, len) in [(8, 1), (9, 0), (1, 8), (-1, 1), (-1, 2), (0, -1), (1, -1)] {
        assert_eq!(trap(fill.call(&mut store, (at, 0, len))), Some(Trap::ArrayOutOfBounds));
        assert_eq!(trap(copy.call(&mut store, (at, 0, len))), Some(Trap::ArrayOutOfBounds));
        assert_eq!(trap(copy.call(&mut store, (0, at, len))), Some(Trap::ArrayOutOfBounds));
    }
    Ok(())
}

fn segments_fill_arrays(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    let result = world.run(
        r#"
        (type $h (array (mut i16)))
        (type $box (struct (field i32)))
        (type $r (array (mut (ref null $box))))
        (data $d "\00\01\02\03\04\05\06")
        (elem $e (ref null $box) (struct.new $box (i32.const 4)) (ref.null $box)
            (struct.new $box (i32.const 6)))
        (func (export "run") (result i32) (local $h (ref $h)) (local $r (ref $r))
            (local.set $h (array.new_data $h $d (i32.const 1) (i32.const 3)))
            (local.set $r (array.new_elem $r $e (i32.const 0) (i32.const 3)))
            (call $churn)
            (array.init_data $h $d (local.get $h) (i32.const 0) (i32.const 0) (i32.const 1))
            (array.init_elem $r $e (local.get $r) (i32.const 1) (i32.const 2) (i32.const 1))
            (data.drop $d) (elem.drop $e)
            (call $churn)
            (array.init_data $h $d (local.get $h) (i32.const 3) (i32.const 0) (i32.const 0))
            (array.init_elem $r $e (local.get $r) (i32.const 3) (i32.const 0) (i32.const 0))
            (if (i32.ne (array.get_u $h (local.get $h) (i32.const 0)) (i32.const 0x100))
                (then (return (i32.const 1))))
            (if (i32.ne (array.get_u $h (local.get $h) (i32.const 2)) (i32.const 0x605))
                (then (return (i32.const 2))))
            (i32.add (struct.get $box 0 (array.get $r (local.get $r) (i32.const 0)))
                (struct.get $box 0 (array.get $r (local.get $r) (i32.const 1)))))"#,
    )?;
    assert_eq!(result, 10);
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
    config.gc_heap_limit(if mode == Mode::Stress { 64 << 10 } else { 4 << 20 });
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
    let rounds = if mode == Mode::Stress { 200 } else { 20_000 };
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

#[test]
fn long_operations_cost_fuel() {
    let engine = Engine::new(Config::new().consume_fuel(true)).unwrap();
    let mut store = Store::new(&engine, ());
    store.set_fuel(1000).unwrap();
    let instance = instantiate(
        &mut store,
        r#"(module (type $a (array (mut i8)))
            (func (export "new") (param i32) (result anyref)
                (array.new_default $a (local.get 0)))
            (func (export "fill") (param anyref)
                (array.fill $a (ref.cast (ref $a) (local.get 0)) (i32.const 0) (i32.const 1)
                    (array.len (ref.cast (ref $a) (local.get 0))))))"#,
        &[],
    )
    .unwrap();
    let new = export::<i32, Rooted<AnyRef>>(&mut store, instance, "new").unwrap();
    let fill = export::<Rooted<AnyRef>, ()>(&mut store, instance, "fill").unwrap();
    store.set_fuel(100_000).unwrap();
    let array = new.call(&mut store, 1 << 20).unwrap();
    assert!(store.get_fuel().unwrap() < 40_000, "16 bytes cost one unit");
    assert_eq!(trap(fill.call(&mut store, array)), Some(Trap::OutOfFuel));
    let _: Instance = instance;
}
