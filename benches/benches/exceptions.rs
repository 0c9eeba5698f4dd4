//! What exceptions cost: throwing over some frames, `try_table` around calls that do not throw, and
//! the calls that are compared with them. The loops run in the guest: ns per turn, the loop included.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hostref::{
    Caller, Engine, ExnRef, FuncType, Linker, Module, Store, Tag, TagType, TypedFunc, Val, ValType,
};

/// `turns` is the number of turns; what each computes goes to a global, so that it is computed.
const GUEST: &str = r#"
    (module
        (import "host" "tag" (tag $t (param i32)))
        (import "host" "throw" (func $host_throw (param i32)))
        (type $f (func (param i32) (result i32)))
        (type $hop (func (param i32 i32) (result i32)))
        (table $hops funcref (elem $hop))
        (elem declare func $maybe)
        (global $sink (mut i32) (i32.const 0))

        (func $maybe (type $f)
            (if (i32.lt_s (local.get 0) (i32.const 0)) (then (throw $t (local.get 0))))
            (i32.add (local.get 0) (i32.const 1)))
        (func $throw (param i32) (throw $t (local.get 0)))
        (func $deep (param $frames i32) (param $throws i32)
            (if (i32.eqz (local.get $frames)) (then
                (if (local.get $throws) (then (throw $t (local.get $throws))))
                (return)))
            (call $deep (i32.sub (local.get $frames) (i32.const 1)) (local.get $throws))
            (global.set $sink (local.get $throws)))
        (func $hop (type $hop)
            (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
            (return_call_indirect $hops (type $hop)
                (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (local.get 0))
                (i32.const 0)))

        (func (export "thrown in the same function") (param $turns i32)
            (loop $next
                (block $caught (result i32)
                    (try_table (catch $t $caught) (throw $t (local.get $turns)))
                    unreachable)
                (global.set $sink)
                (br_if $next (local.tee $turns (i32.sub (local.get $turns) (i32.const 1))))))
        (func (export "thrown in the same function, with its reference") (param $turns i32)
            (loop $next
                (block $caught (result i32 exnref)
                    (try_table (catch_ref $t $caught) (throw $t (local.get $turns)))
                    unreachable)
                drop
                (global.set $sink)
                (br_if $next (local.tee $turns (i32.sub (local.get $turns) (i32.const 1))))))
        (func (export "thrown over 1 frame") (param $turns i32)
            (loop $next
                (block $caught (result i32)
                    (try_table (catch $t $caught) (call $throw (local.get $turns)))
                    unreachable)
                (global.set $sink)
                (br_if $next (local.tee $turns (i32.sub (local.get $turns) (i32.const 1))))))
        (func (export "thrown over 10 frames") (param $turns i32)
            (loop $next
                (block $caught (result i32)
                    (try_table (catch $t $caught) (call $deep (i32.const 9) (local.get $turns)))
                    unreachable)
                (global.set $sink)
                (br_if $next (local.tee $turns (i32.sub (local.get $turns) (i32.const 1))))))
        (func (export "returned over 10 frames") (param $turns i32)
            (loop $next
                (call $deep (i32.const 9) (i32.const 0))
                (br_if $next (local.tee $turns (i32.sub (local.get $turns) (i32.const 1))))))
        (func (export "thrown by the host") (param $turns i32)
            (loop $next
                (block $caught (result i32)
                    (try_table (catch $t $caught) (call $host_throw (local.get $turns)))
                    unreachable)
                (global.set $sink)
                (br_if $next (local.tee $turns (i32.sub (local.get $turns) (i32.const 1))))))

        (func (export "call") (param $turns i32) (local $sum i32)
            (loop $next
                (local.set $sum (i32.add (local.get $sum) (call $maybe (local.get $turns))))
                (br_if $next (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
            (global.set $sink (local.get $sum)))
        (func (export "call in try_table") (param $turns i32) (local $sum i32)
            (block $caught (result i32)
                (loop $next
                    (local.set $sum (i32.add (local.get $sum)
                        (try_table (result i32) (catch $t $caught)
                            (call $maybe (local.get $turns)))))
                    (br_if $next
                        (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
                (i32.const 0))
            (global.set $sink (i32.add (local.get $sum))))
        (func (export "return_call_indirect") (param $turns i32)
            (global.set $sink (call $hop (local.get $turns) (i32.const 0))))
        (func (export "ref.func and call_ref") (param $turns i32) (local $sum i32)
            (loop $next
                (local.set $sum (call_ref $f (local.get $sum) (ref.func $maybe)))
                (br_if $next (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
            (global.set $sink (local.get $sum))))
"#;

const TURNS: i32 = 1000;

fn exceptions(c: &mut Criterion) {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let ty = TagType::new(FuncType::new(&engine, [ValType::I32], []));
    let tag = Tag::new(&mut store, &ty).unwrap();
    let mut linker = Linker::new(&engine);
    linker.define(&store, "host", "tag", tag).unwrap();
    let throw = move |mut caller: Caller<'_, ()>, number: i32| -> hostref::Result<()> {
        let exception = ExnRef::new(&mut caller, &tag, &[Val::I32(number)])?;
        caller.throw(exception)
    };
    linker.func_wrap("host", "throw", throw).unwrap();
    let module = Module::new(&engine, GUEST).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();

    let mut group = c.benchmark_group("exceptions");
    group.throughput(Throughput::Elements(TURNS as u64));
    let names: Vec<String> = module.exports().map(|export| export.name().to_owned()).collect();
    for name in names {
        let run: TypedFunc<i32, ()> = instance.get_typed_func(&mut store, &name).unwrap();
        group.bench_function(&name, |b| b.iter(|| run.call(&mut store, TURNS).unwrap()));
    }
    group.finish();
}

criterion_group!(benches, exceptions);
criterion_main!(benches);
