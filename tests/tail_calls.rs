//! Chains of tail calls far longer than any stack: each kind of call, with growing and shrinking
//! arguments, between instances, and to host functions. What comes back is checked, so a frame that
//! stayed would show as a stack overflow, and a lost argument as a wrong result.

use hostref::{
    AsContextMut, Engine, ExternRef, Func, Instance, Linker, Module, Result, Store, Val,
};

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

/// As many parameters and results as a function may have, of all types by turns.
const MOST: usize = 1000;

/// A guest whose `run` makes `MOST` arguments of its one parameter, and gets them back as results by
/// a tail call to another function, which gets them by a tail call to the host.
fn wide_guest() -> String {
    let ty = |index: usize| ["i32", "i64", "f32", "f64", "v128", "externref"][index % 6];
    let types: Vec<&str> = (0..MOST).map(ty).collect();
    let types = types.join(" ");
    let arguments: Vec<String> = (0..MOST)
        .map(|index| match ty(index) {
            "v128" => format!("(v128.const i64x2 {index} 1)"),
            "externref" => "(local.get 0)".to_owned(),
            ty => format!("({ty}.const {index})"),
        })
        .collect();
    let arguments = arguments.join(" ");
    let passed: Vec<String> = (0..MOST).map(|index| format!("(local.get {index})")).collect();
    let passed = passed.join(" ");
    let drops = "drop ".repeat(MOST);
    format!(
        r#"(module
            (type $wide (func (param {types}) (result {types})))
            (import "" "same" (func $same (type $wide)))
            (tag $t (param i32 externref))
            (table funcref (elem $same $throw))
            (func $pass (type $wide) (return_call_indirect (type $wide) {passed} (i32.const 0)))
            (func $throw (type $wide) (throw $t (local.get 996) (local.get 995)))
            (func $pass_throw (type $wide)
                (return_call_indirect (type $wide) {passed} (i32.const 1)))
            (func (export "run") (param externref) (result {types})
                (return_call $pass {arguments}))
            (func (export "caught") (param externref) (result i32 externref)
                (try_table (catch $t 0) (call $pass_throw {arguments}) {drops})
                unreachable))"#
    )
}

#[test]
fn the_largest_functions_call_each_other_in_tail_position() -> Result<()> {
    let mut store = Store::new(&Engine::default(), ());
    let module = Module::new(store.engine(), wide_guest())?;
    let import = module.imports().next().expect("one import");
    let ty = import.ty().func().expect("a function").clone();
    let same = Func::new(&mut store, ty, |mut caller, params, results| {
        caller.as_context_mut().gc();
        results.copy_from_slice(params);
        Ok(())
    });
    let instance = Instance::new(&mut store, &module, &[same.into()])?;
    let object = ExternRef::new(&mut store, 77_u32)?;
    let number = |store: &Store<()>, value: &Val| -> Result<Option<u32>> {
        let object = value.unwrap_externref().expect("not null");
        Ok(object.data(store)?.downcast_ref::<u32>().copied())
    };

    let run = instance.get_func(&mut store, "run").expect("an export");
    let mut results = vec![Val::I32(0); MOST];
    run.call(&mut store, &[object.into()], &mut results)?;
    for (index, value) in results.iter().enumerate() {
        match value {
            Val::I32(value) => assert_eq!(*value, index as i32),
            Val::I64(value) => assert_eq!(*value, index as i64),
            Val::F32(bits) => assert_eq!(f32::from_bits(*bits), index as f32),
            Val::F64(bits) => assert_eq!(f64::from_bits(*bits), index as f64),
            Val::V128(value) => assert_eq!(value.as_u128(), 1 << 64 | index as u128),
            value => assert_eq!(number(&store, value)?, Some(77)),
        }
    }

    let caught = instance.get_func(&mut store, "caught").expect("an export");
    caught.call(&mut store, &[object.into()], &mut results[..2])?;
    assert_eq!(results[0].unwrap_i32(), 996);
    assert_eq!(number(&store, &results[1])?, Some(77));
    Ok(())
}
