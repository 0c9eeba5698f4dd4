//! Chains of tail calls far longer than any stack: each kind of call, with growing and shrinking
//! arguments, between instances, and to host functions. What comes back is checked, so a frame that
//! stayed would show as a stack overflow, and a lost argument as a wrong result.

use hostref::{Engine, Func, Instance, Linker, Module, Result, Store, Val};

/// Hops of chains that stay in compiled code: a frame of 16 bytes each would be 160 MB.
const HOPS: i64 = 10_000_000;

/// Hops of chains through host functions, which cost more: still hundreds of stacks.
const HOST_HOPS: i64 = 1_000_000;

/// Functions that count down by tail calls and return the sum of what they counted.
const COUNTERS: &str = r#"(module
    (type $f (func (param i64 i64) (result i64)))
    (table $t 2 funcref)
    (elem (table $t) (i32.const 0) func $indirect $even)
    (elem declare func $ref)
    (func $direct (export "direct") (type $f)
        (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
        (return_call $direct
            (i64.sub (local.get 0) (i64.const 1)) (i64.add (local.get 1) (local.get 0))))
    (func $indirect (export "indirect") (type $f)
        (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
        (return_call_indirect $t (type $f)
            (i64.sub (local.get 0) (i64.const 1)) (i64.add (local.get 1) (local.get 0))
            (i32.const 0)))
    (func $ref (export "ref") (type $f)
        (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
        (return_call_ref $f
            (i64.sub (local.get 0) (i64.const 1)) (i64.add (local.get 1) (local.get 0))
            (ref.func $ref)))
    (func $even (export "mutual") (type $f)
        (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
        (return_call $odd
            (i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6) (i64.const 7) (f32.const 8)
            (v128.const i64x2 9 10) (i64.sub (local.get 0) (i64.const 1))
            (i64.add (local.get 1) (local.get 0)) (i64.const 11)))
    (func $odd (param i64 i64 i64 i64 i64 f32 v128 i64 i64 i64) (result i64)
        (if (i64.eqz (local.get 7)) (then (return (local.get 8))))
        ;; With as many arguments again, all on the stack and in other places.
        (return_call $wide
            (local.get 9) (local.get 4) (local.get 3) (local.get 2) (local.get 1) (local.get 0)
            (local.get 6) (local.get 6) (local.get 5) (local.get 5)
            (local.get 9) (local.get 4) (local.get 3) (local.get 2) (local.get 1) (local.get 0)
            (i64.sub (local.get 7) (i64.const 1)) (i64.add (local.get 8) (local.get 7))))
    (func $wide
        (param i64 i64 i64 i64 i64 i64 v128 v128 f32 f32 i64 i64 i64 i64 i64 i64 i64 i64)
        (result i64)
        (if (i64.ne (local.get 15) (i64.const 3)) (then unreachable))
        (if (i64.ne (i64x2.extract_lane 1 (local.get 7)) (i64.const 10)) (then unreachable))
        (return_call_indirect $t (type $f) (local.get 16) (local.get 17) (i32.const 1)))
    ;; Every hop leaves the handler of the frame that it replaces.
    (func $tried (export "tried") (type $f)
        (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
        (block $never
            (try_table (catch_all $never)
                (return_call $tried
                    (i64.sub (local.get 0) (i64.const 1)) (i64.add (local.get 1) (local.get 0)))))
        unreachable))"#;

fn sum(hops: i64) -> i64 {
    hops * (hops + 1) / 2
}

#[test]
fn chains_of_every_kind_of_tail_call_use_one_frame() -> Result<()> {
    let mut store = Store::new(&Engine::default(), ());
    let module = Module::new(store.engine(), COUNTERS)?;
    let instance = Instance::new(&mut store, &module, &[])?;
    let ten = 10 * HOPS;
    let chains =
        [("direct", ten), ("indirect", ten), ("ref", ten), ("mutual", HOPS), ("tried", HOPS)];
    for (name, hops) in chains {
        let count = instance.get_typed_func::<(i64, i64), i64>(&mut store, name)?;
        assert_eq!(count.call(&mut store, (hops, 0))?, sum(hops), "{name}");
    }
    Ok(())
}

/// Two instances that call each other, the one by an import, the other through the table; one side
/// passes more arguments than registers hold.
#[test]
fn chains_between_instances_use_one_frame() -> Result<()> {
    let mut store = Store::new(&Engine::default(), ());
    let mut linker = Linker::new(store.engine());
    let few = Module::new(
        store.engine(),
        r#"(module
            (type $many (func (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64)))
            (table (export "table") 1 funcref)
            (global $own i64 (i64.const 1))
            (func (export "few") (param i64 i64) (result i64)
                (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
                (return_call_indirect (type $many)
                    (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5)
                    (i64.const 6) (i64.const 7) (i64.const 8)
                    (i64.sub (local.get 0) (global.get $own))
                    (i64.add (local.get 1) (local.get 0)) (i32.const 0))))"#,
    )?;
    let many = Module::new(
        store.engine(),
        r#"(module
            (import "few" "few" (func $few (param i64 i64) (result i64)))
            (import "few" "table" (table 1 funcref))
            (elem (i32.const 0) func $many)
            (global $other i64 (i64.const 7))
            (func $many (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64)
                (if (i64.ne (global.get $other) (local.get 6)) (then unreachable))
                (return_call $few (local.get 8) (local.get 9))))"#,
    )?;
    let instance = linker.instantiate(&mut store, &few)?;
    linker.instance(&mut store, "few", instance)?;
    linker.instantiate(&mut store, &many)?;
    let count = instance.get_typed_func::<(i64, i64), i64>(&mut store, "few")?;
    assert_eq!(count.call(&mut store, (HOPS, 0))?, sum(HOPS));
    Ok(())
}

/// A host function in tail position takes the place of its caller and returns to the caller's
/// caller, with more arguments than that one passed.
#[test]
fn host_functions_in_tail_position_use_no_frame_of_the_guest() -> Result<()> {
    let mut store = Store::new(&Engine::default(), ());
    let mut linker = Linker::new(store.engine());
    type Eight = (i64, i64, i64, i64, i64, i64, i64, i64);
    linker.func_wrap(
        "",
        "last",
        |a: i64, b: i64, c: i64, d: i64, e: i64, f: i64, n: i64, sum: i64| -> Eight {
            (sum + n, a, b, c, d, e, f, 8)
        },
    )?;
    let module = Module::new(
        store.engine(),
        r#"(module
            (type $last (func (param i64 i64 i64 i64 i64 i64 i64 i64)
                (result i64 i64 i64 i64 i64 i64 i64 i64)))
            (import "" "last" (func $last (type $last)))
            (table funcref (elem $last))
            (func $tail (param i64 i64) (result i64 i64 i64 i64 i64 i64 i64 i64)
                (return_call $last (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)
                    (i64.const 5) (i64.const 6) (local.get 0) (local.get 1)))
            (func $tail_indirect (param i64 i64) (result i64 i64 i64 i64 i64 i64 i64 i64)
                (return_call_indirect (type $last) (i64.const 1) (i64.const 2) (i64.const 3)
                    (i64.const 4) (i64.const 5) (i64.const 6) (local.get 0) (local.get 1)
                    (i32.const 0)))
            (func (export "count") (param $n i64) (result i64) (local $sum i64)
                (loop $next
                    (if (i32.and (i32.wrap_i64 (local.get $n)) (i32.const 1))
                        (then
                            (call $tail (local.get $n) (local.get $sum))
                            (if (i64.ne (i64.const 8)) (then unreachable))
                            drop drop drop drop drop drop
                            (local.set $sum))
                        (else
                            (call $tail_indirect (local.get $n) (local.get $sum))
                            (if (i64.ne (i64.const 8)) (then unreachable))
                            drop drop drop drop drop drop
                            (local.set $sum)))
                    (br_if $next (i64.ne (i64.const 0)
                        (local.tee $n (i64.sub (local.get $n) (i64.const 1))))))
                (local.get $sum)))"#,
    )?;
    let instance = linker.instantiate(&mut store, &module)?;
    let count = instance.get_typed_func::<i64, i64>(&mut store, "count")?;
    assert_eq!(count.call(&mut store, HOST_HOPS)?, sum(HOST_HOPS));
    Ok(())
}

/// The chain of an embedder's function, called with values whose types are known at run time.
#[test]
fn untyped_calls_start_chains_too() -> Result<()> {
    let mut store = Store::new(&Engine::default(), ());
    let module = Module::new(store.engine(), COUNTERS)?;
    let instance = Instance::new(&mut store, &module, &[])?;
    let count: Func = instance.get_func(&mut store, "mutual").expect("an export");
    let mut results = [Val::I64(0)];
    count.call(&mut store, &[Val::I64(HOPS / 10), Val::I64(0)], &mut results)?;
    assert_eq!(results[0].unwrap_i64(), sum(HOPS / 10));
    Ok(())
}
