//! Objects at the ends of what is possible: chains that are as deep as they are long, arrays that are
//! large or empty, and operations on many elements at once, young and old.

use hostref::{AsContextMut, Caller, Config, Engine, Func, Instance, Module, Result, Store, Trap};

mod support;

use support::Mode;

fn instantiate(store: &mut Store<()>, wat: &str) -> Result<Instance> {
    let module = Module::new(store.engine(), wat)?;
    Instance::new(store, &module, &[])
}

fn call(store: &mut Store<()>, instance: Instance, name: &str, arg: i32) -> Result<i32> {
    instance.get_typed_func::<i32, i32>(&mut *store, name)?.call(store, arg)
}

/// Nothing in the collector may recurse: a list is as deep as it is long.
#[test]
fn a_long_list_needs_no_stack() {
    const STACK: usize = 256 << 10;
    const LENGTH: i32 = 1_000_000;
    let guest = r#"(module
        (type $node (struct (field (mut (ref null $node))) (field i32)))
        (global $list (mut (ref null $node)) (ref.null $node))
        (func (export "build") (param $n i32) (result i32)
            (loop
                (global.set $list (struct.new $node (global.get $list) (local.get $n)))
                (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (i32.const 0))
        ;; The sum of the values, counted from the other end after the list was turned over.
        (func (export "turn") (param $sum i32) (result i32)
            (local $from (ref null $node)) (local $to (ref null $node)) (local $next (ref null $node))
            (local.set $from (global.get $list))
            (loop
                (local.set $next (struct.get $node 0 (local.get $from)))
                (struct.set $node 0 (local.get $from) (local.get $to))
                (local.set $sum (i32.add (local.get $sum) (struct.get $node 1 (local.get $from))))
                (local.set $to (local.get $from))
                (br_if 0 (i32.eqz (ref.is_null (local.tee $from (local.get $next))))))
            (global.set $list (local.get $to))
            (local.get $sum)))"#;
    let run = move || -> Result<()> {
        let mut config = Config::new();
        config.max_wasm_stack(STACK / 4);
        let mut store = Store::new(&Engine::new(&config)?, ());
        let instance = instantiate(&mut store, guest)?;
        call(&mut store, instance, "build", LENGTH)?;
        let expected = (1..=LENGTH).fold(0, i32::wrapping_add);
        for _ in 0..2 {
            assert_eq!(call(&mut store, instance, "turn", 0)?, expected);
            store.gc();
        }
        assert!(store.gc_stats().live_bytes >= 16 * LENGTH as usize);
        Ok(())
    };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(run).unwrap();
    thread.join().expect("the stack is deep enough").unwrap();
}

/// What `array.copy` and `array.fill` do to references, young and old, in arrays young, old and large:
/// after each a collection moves what they wrote.
fn many_references_are_written(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let module = Module::new(
        store.engine(),
        r#"(module
            (import "" "gc" (func $gc))
            (type $box (struct (field i32)))
            (type $refs (array (mut (ref null $box))))
            (func $make (param i32) (result (ref $box)) (struct.new $box (local.get 0)))
            ;; The sum of all elements but those that are null.
            (func $sum (param $a (ref $refs)) (result i32) (local $i i32) (local $sum i32)
                (local $box (ref null $box))
                (loop
                    (if (i32.lt_u (local.get $i) (array.len (local.get $a))) (then
                        (local.set $box (array.get $refs (local.get $a) (local.get $i)))
                        (if (i32.eqz (ref.is_null (local.get $box))) (then
                            (local.set $sum (i32.add (local.get $sum)
                                (struct.get $box 0 (local.get $box))))))
                        (local.set $i (i32.add (local.get $i) (i32.const 1)))
                        (br 1))))
                (local.get $sum))
            ;; `old` says which of target, source and elements are old; `len` elements are filled, then
            ;; copied by one place within the array, and to another array.
            (func (export "run") (param $old i32) (param $size i32) (param $len i32) (result i32)
                (local $to (ref $refs)) (local $from (ref $refs)) (local $box (ref $box))
                (local.set $to (array.new_default $refs (local.get $size)))
                (if (i32.and (local.get $old) (i32.const 1)) (then (call $gc)))
                (local.set $from (array.new_default $refs (local.get $size)))
                (if (i32.and (local.get $old) (i32.const 2)) (then (call $gc)))
                (local.set $box (call $make (i32.const 3)))
                (if (i32.and (local.get $old) (i32.const 4)) (then (call $gc)))
                (array.fill $refs (local.get $from) (i32.const 1) (local.get $box)
                    (local.get $len))
                (array.copy $refs $refs (local.get $from) (i32.const 2)
                    (local.get $from) (i32.const 1) (local.get $len))
                (array.copy $refs $refs (local.get $to) (i32.const 0)
                    (local.get $from) (i32.const 1) (local.get $len))
                (array.set $refs (local.get $from) (i32.const 0) (call $make (i32.const 100)))
                (call $gc)
                (drop (call $make (i32.const 77)))
                (call $gc)
                (i32.add (call $sum (local.get $from)) (call $sum (local.get $to)))))"#,
    )?;
    let gc = Func::wrap(&mut store, |mut caller: Caller<'_, ()>| caller.as_context_mut().gc());
    let instance = Instance::new(&mut store, &module, &[gc.into()])?;
    let run = instance.get_typed_func::<(i32, i32, i32), i32>(&mut store, "run")?;
    for old in 0..8 {
        for (size, len) in [(20, 0), (20, 1), (20, 15), (20, 16), (20, 17), (9000, 8990)] {
            let sum = run.call(&mut store, (old, size, len))?;
            let copied = if len == 0 { 0 } else { 3 };
            assert_eq!(sum, 2 * 3 * len + copied + 100, "{old:03b}, {len} of {size}");
        }
    }
    Ok(())
}

/// Fills of every element size start at any element and end at any.
fn many_numbers_are_filled(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    for (element, ty, value) in [
        ("i8", "i32", "(i32.const 0xf123_45a7)"),
        ("i16", "i32", "(i32.const 0x1234_89ab)"),
        ("i32", "i32", "(i32.const 0x1234_5678)"),
        ("i64", "i64", "(i64.const 0x0102_0304_0506_0708)"),
        ("f32", "f32", "(f32.const 1.5)"),
        ("f64", "f64", "(f64.const -2.25)"),
        ("v128", "v128", "(v128.const i64x2 0x0102_0304_0506_0708 0x1112_1314_1516_1718)"),
    ] {
        let packed = if element.starts_with("i8") || element == "i16" { "_u" } else { "" };
        let compare = match ty {
            "v128" => "(i8x16.all_true (i8x16.eq (local.get $x) (local.get $y)))".to_owned(),
            ty => format!("({ty}.eq (local.get $x) (local.get $y))"),
        };
        let instance = instantiate(
            &mut store,
            &format!(
                r#"(module (type $a (array (mut {element})))
                ;; The number of elements that are filled, if all others are zero.
                (func (export "run") (param $at i32) (param $len i32) (result i32)
                    (local $a (ref $a)) (local $i i32) (local $count i32)
                    (local $x {ty}) (local $y {ty}) (local $zero {ty})
                    (local.set $a (array.new_default $a (i32.const 3000)))
                    (array.fill $a (local.get $a) (local.get $at) {value} (local.get $len))
                    (array.set $a (local.get $a) (i32.const 0) {value})
                    (loop
                        (local.set $x (array.get{packed} $a (local.get $a) (local.get $i)))
                        (local.set $y (array.get{packed} $a (local.get $a) (i32.const 0)))
                        (if (i32.and (i32.ge_u (local.get $i) (local.get $at))
                            (i32.lt_u (local.get $i) (i32.add (local.get $at) (local.get $len))))
                            (then (local.set $count (i32.add (local.get $count) {compare})))
                            (else (if {compare}
                                (then (if (local.get $i) (then (unreachable)))))))
                        (br_if 0 (i32.lt_u
                            (local.tee $i (i32.add (local.get $i) (i32.const 1)))
                            (i32.const 3000))))
                    (local.get $count)))"#
            ),
        )?;
        let run = instance.get_typed_func::<(i32, i32), i32>(&mut store, "run")?;
        for (at, len) in [(1, 0), (1, 15), (3, 16), (2, 17), (5, 255), (7, 1023), (1, 2999)] {
            assert_eq!(run.call(&mut store, (at, len))?, len, "{element} from {at}");
        }
    }
    Ok(())
}

fn empty_arrays_are_arrays(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let instance = instantiate(
        &mut store,
        r#"(module
            (type $b (array (mut i8)))
            (type $r (array (mut anyref)))
            (data $d "x")
            (elem $e anyref (ref.i31 (i32.const 1)))
            (func (export "run") (param $at i32) (result i32) (local $b (ref $b)) (local $r (ref $r))
                (local.set $b (array.new_data $b $d (i32.const 1) (i32.const 0)))
                (local.set $r (array.new_elem $r $e (i32.const 1) (i32.const 0)))
                (array.fill $b (local.get $b) (local.get $at) (i32.const 7) (i32.const 0))
                (array.copy $b $b (local.get $b) (local.get $at)
                    (array.new_fixed $b 0) (i32.const 0) (i32.const 0))
                (array.init_data $b $d (local.get $b) (local.get $at) (i32.const 1) (i32.const 0))
                (array.fill $r (local.get $r) (local.get $at) (local.get $r) (i32.const 0))
                (array.copy $r $r (local.get $r) (local.get $at)
                    (array.new $r (local.get $r) (i32.const 0)) (i32.const 0) (i32.const 0))
                (array.init_elem $r $e (local.get $r) (local.get $at) (i32.const 1) (i32.const 0))
                (i32.add (array.len (local.get $b)) (array.len (local.get $r)))))"#,
    )?;
    assert_eq!(call(&mut store, instance, "run", 0)?, 0);
    let outside = call(&mut store, instance, "run", 1).unwrap_err();
    assert_eq!(outside.downcast_ref(), Some(&Trap::ArrayOutOfBounds));
    Ok(())
}

/// The heap has no room for another large array, or almost: a trap, again and again, and the store goes
/// on.
fn a_heap_full_of_large_arrays_traps(mode: Mode) -> Result<()> {
    let mut config = mode.config();
    config.gc_heap_limit(8 << 20);
    let mut store = Store::new(&Engine::new(&config)?, ());
    let instance = instantiate(
        &mut store,
        r#"(module
            (type $b (array (mut i8)))
            (global $kept (mut (ref null $b)) (ref.null $b))
            (func (export "keep") (param i32) (result i32)
                (global.set $kept (array.new_default $b (local.get 0)))
                (array.len (global.get $kept)))
            (func (export "litter") (param i32) (result i32)
                (array.len (array.new $b (i32.const 1) (local.get 0)))))"#,
    )?;
    let most = (8 << 20) - (64 << 10);
    for _ in 0..3 {
        assert_eq!(call(&mut store, instance, "keep", 0)?, 0);
        assert_eq!(call(&mut store, instance, "keep", most)?, most);
        for len in [most, 1 << 20, 8 << 20, i32::MAX, -1, -8] {
            let full = call(&mut store, instance, "litter", len).unwrap_err();
            let trap = full.downcast_ref::<Trap>();
            let expected = [Trap::GcHeapOutOfMemory, Trap::AllocationTooLarge];
            assert!(trap.is_some_and(|trap| expected.contains(trap)), "{len}: {full:?}");
        }
        assert_eq!(call(&mut store, instance, "keep", 1)?, 1);
        assert_eq!(call(&mut store, instance, "litter", 1 << 20)?, 1 << 20);
    }
    Ok(())
}

support::both_modes! {
    many_references_are_written,
    many_numbers_are_filled,
    empty_arrays_are_arrays,
    a_heap_full_of_large_arrays_traps,
}
