//! Arrays beyond the official suite: elements of every type near the ends of arrays of many lengths,
//! lengths that no heap has, operations on many elements, and what they cost.

mod support;

use hostref::{AnyRef, Config, Engine, Instance, Result, Rooted, Store, Trap, Val};
use support::{Mode, World, both_modes, export, instantiate};

both_modes! {
    elements_of_every_type_keep_their_values,
    packed_values_are_extended_as_asked,
    sizes_that_no_heap_has_trap,
    bulk_operations_check_and_overlap,
    segments_fill_arrays,
}

fn trap<T: std::fmt::Debug>(result: Result<T>) -> Option<Trap> {
    result.unwrap_err().downcast_ref::<Trap>().copied()
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
            (global $b (ref $b) (array.new_default $b (i32.const 40)))
            (global $r (ref $r) (array.new_default $r (i32.const 40)))
            (global $d (ref $d) (array.new_default $d (i32.const 40)))
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
    for index in 0..40 {
        fill.call(&mut store, (index, index, 1))?;
    }
    let mut model: Vec<i32> = (0..40).collect();
    // Few elements are copied by the code itself, more by a builtin.
    let copies = [
        (1, 0, 4),
        (0, 2, 5),
        (3, 3, 5),
        (40, 0, 0),
        (39, 38, 1),
        (25, 11, 15),
        (24, 23, 16),
        (3, 2, 37),
        (0, 5, 30),
        (0, 0, 40),
    ];
    for (to, from, len) in copies {
        copy.call(&mut store, (to, from, len))?;
        let (to, from, len) = (to as usize, from as usize, len as usize);
        model.copy_within(from..from + len, to);
        for (index, value) in (0..).zip(&model) {
            let (reference, byte, long) = get.call(&mut store, index)?;
            assert_eq!((reference, byte), (*value, *value), "at {index}");
            assert_eq!(long, i64::from(index), "no one copied it");
        }
    }
    fill.call(&mut store, (20, 77, 16))?;
    for (index, expected) in [(19, model[19]), (20, 77), (35, 77), (36, model[36])] {
        assert_eq!(get.call(&mut store, index)?.0, expected);
    }
    for (at, len) in [(40, 1), (41, 0), (1, 40), (-1, 1), (-1, 2), (0, -1), (1, -1)] {
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
