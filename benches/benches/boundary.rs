//! What a call across the boundary costs: ns per call, the loop inside the guest for Wasm -> host.

use criterion::{Criterion, criterion_group, criterion_main};
use hostref::{
    Caller, Engine, ExternRef, Instance, Linker, Module, New, RootScope, Rooted, Store, TypedFunc,
    host_module,
};

struct Count(i32);

struct Host;

#[host_module(name = "macro")]
impl Host {
    fn add(a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    fn one(a: &Count) -> i32 {
        a.0
    }

    fn two(a: &Count, b: &Count) -> i32 {
        a.0 + b.0
    }

    fn bump(a: &mut Count) {
        a.0 += 1;
    }

    fn fresh() -> New<Count> {
        New(Count(1))
    }
}

const GUEST: &str = r#"
    (module
        (import "host" "nop" (func $nop))
        (import "host" "add" (func $add (param i32 i32) (result i32)))
        (import "host" "mutate" (func $mutate))
        (import "host" "pass" (func $pass (param externref)))
        (import "host" "one" (func $one (param externref) (result i32)))
        (import "host" "fresh" (func $fresh (result externref)))
        (import "macro" "add" (func $macro_add (param i32 i32) (result i32)))
        (import "macro" "one" (func $macro_one (param externref) (result i32)))
        (import "macro" "two" (func $macro_two (param externref externref) (result i32)))
        (import "macro" "bump" (func $macro_bump (param externref)))
        (import "macro" "fresh" (func $macro_fresh (result externref)))
        (func (export "macro_add") (param $n i32)
            (loop (drop (call $macro_add (local.get $n) (i32.const 3)))
                (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
        (func (export "macro_one") (param $r externref) (param $n i32)
            (loop (drop (call $macro_one (local.get $r)))
                (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
        (func (export "macro_two") (param $r externref) (param $n i32)
            (loop (drop (call $macro_two (local.get $r) (local.get $r)))
                (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
        (func (export "macro_bump") (param $r externref) (param $n i32)
            (loop (call $macro_bump (local.get $r))
                (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
        (func (export "macro_fresh") (param $n i32)
            (loop (drop (call $macro_fresh))
                (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
        (func (export "empty"))
        (func (export "mix") (param i32 i64) (result f32) (f32.const 1))
        (func (export "refs") (param externref externref) (result externref) (local.get 0))
        (func (export "loop_nop") (param $n i32)
            (loop (call $nop)
                (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
        (func (export "loop_add") (param $n i32)
            (loop (drop (call $add (local.get $n) (i32.const 3)))
                (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
        (func (export "loop_mutate") (param $n i32)
            (loop (call $mutate)
                (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
        (func (export "loop_pass") (param $r externref) (param $n i32)
            (loop (call $pass (local.get $r))
                (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
        (func (export "loop_one") (param $r externref) (param $n i32)
            (loop (drop (call $one (local.get $r)))
                (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
        (func (export "loop_fresh") (param $n i32)
            (loop (drop (call $fresh))
                (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
"#;

struct Setup {
    store: Store<u64>,
    instance: Instance,
}

fn setup() -> Setup {
    let engine = Engine::default();
    let module = Module::new(&engine, GUEST).unwrap();
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "nop", || {}).unwrap();
    linker.func_wrap("host", "add", |a: i32, b: i32| a.wrapping_add(b)).unwrap();
    linker
        .func_wrap("host", "mutate", |mut caller: Caller<'_, u64>| *caller.data_mut() += 1)
        .unwrap();
    linker.func_wrap("host", "pass", |_: Rooted<ExternRef>| {}).unwrap();
    linker
        .func_wrap("host", "one", |caller: Caller<'_, u64>, r: Rooted<ExternRef<Count>>| {
            Ok::<i32, hostref::Error>(r.data(&caller)?.0)
        })
        .unwrap();
    linker
        .func_wrap("host", "fresh", |caller: Caller<'_, u64>| {
            ExternRef::new_typed(caller, Count(1))
        })
        .unwrap();
    Host::add_to_linker(&mut linker).unwrap();
    let mut store = Store::new(&engine, 0);
    let instance = linker.instantiate(&mut store, &module).unwrap();
    Setup { store, instance }
}

const BATCH: i32 = 1000;

fn boundary(c: &mut Criterion) {
    let Setup { mut store, instance } = setup();
    let mut group = c.benchmark_group("host to wasm");
    let empty: TypedFunc<(), ()> = instance.get_typed_func(&mut store, "empty").unwrap();
    group.bench_function("typed, nothing", |b| b.iter(|| empty.call(&mut store, ()).unwrap()));
    let mix: TypedFunc<(i32, i64), f32> = instance.get_typed_func(&mut store, "mix").unwrap();
    group.bench_function("typed (i32 i64) -> f32", |b| {
        b.iter(|| mix.call(&mut store, (1, 2)).unwrap());
    });
    let refs: TypedFunc<(Rooted<ExternRef>, Rooted<ExternRef>), Rooted<ExternRef>> =
        instance.get_typed_func(&mut store, "refs").unwrap();
    let object = ExternRef::new(&mut store, Count(1)).unwrap();
    group.bench_function("typed, two externrefs, one back", |b| {
        b.iter(|| {
            let mut scope = RootScope::new(&mut store);
            refs.call(&mut scope, (object, object)).unwrap();
        });
    });
    let untyped = instance.get_func(&mut store, "mix").unwrap();
    group.bench_function("untyped (i32 i64) -> f32", |b| {
        let mut results = [hostref::Val::I32(0)];
        b.iter(|| {
            untyped.call(&mut store, &[1.into(), 2i64.into()], &mut results).unwrap();
        });
    });
    group.bench_function("ExternRef::new in a scope", |b| {
        b.iter(|| {
            let mut scope = RootScope::new(&mut store);
            ExternRef::new(&mut scope, Count(1)).unwrap();
        });
    });
    group.finish();

    let mut group = c.benchmark_group("wasm to host");
    group.throughput(criterion::Throughput::Elements(BATCH as u64));
    for name in ["loop_nop", "loop_add", "loop_mutate", "loop_fresh", "macro_add", "macro_fresh"] {
        let run: TypedFunc<i32, ()> = instance.get_typed_func(&mut store, name).unwrap();
        group.bench_function(name, |b| b.iter(|| run.call(&mut store, BATCH).unwrap()));
    }
    for name in ["loop_pass", "loop_one", "macro_one", "macro_two", "macro_bump"] {
        let run: TypedFunc<(Rooted<ExternRef>, i32), ()> =
            instance.get_typed_func(&mut store, name).unwrap();
        group.bench_function(name, |b| b.iter(|| run.call(&mut store, (object, BATCH)).unwrap()));
    }
    group.finish();
}

criterion_group!(benches, boundary);
criterion_main!(benches);
