//! `#[host_module]`: what each kind of parameter, result and receiver does, and what a guest's
//! mistakes get.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hostref::{
    AsContextMut, Caller, Config, Engine, Error, Extern, ExternRef, Func, Instance, Linker,
    ManuallyRooted, Module, New, Result, Rooted, Store, Val, WasmTy, host_module,
};

/// Instantiates `wat` with the definitions of `linker`.
fn guest<T>(store: &mut Store<T>, linker: &Linker<T>, wat: &str) -> Instance {
    let module = Module::new(store.engine(), wat).unwrap();
    linker.instantiate(store, &module).unwrap()
}

/// Calls the host function `module::name` as a guest would, through an instance that imports it.
fn call<T>(
    store: &mut Store<T>,
    linker: &Linker<T>,
    import: &str,
    params: &[Val],
    results: usize,
) -> Result<Vec<Val>> {
    let wat = format!("(module {import} (export \"f\" (func 0)))");
    let instance = guest(store, linker, &wat);
    let func = instance.get_func(&mut *store, "f").unwrap();
    let mut values = vec![Val::I32(0); results];
    func.call(&mut *store, params, &mut values)?;
    Ok(values)
}

/// The messages of an error, outermost first.
fn chain(error: &Error) -> String {
    format!("{error:#}")
}

fn extern_val<T: 'static>(object: Rooted<ExternRef<T>>) -> Val
where
    T: std::any::Any + Send + Sync,
{
    Val::from(object.to_untyped())
}

/// The null reference.
const NULL: Val = Val::ExternRef(None);

/// A host object with a number in it.
#[derive(Debug, PartialEq)]
struct Counter(i64);

/// Another type of host object.
#[derive(Debug, PartialEq)]
struct Text(String);

mod values {
    use super::*;

    struct Echo;

    #[host_module(name = "echo")]
    impl Echo {
        fn i32(v: i32) -> i32 {
            v
        }
        fn u32(v: u32) -> u32 {
            v
        }
        fn i64(v: i64) -> i64 {
            v
        }
        fn u64(v: u64) -> u64 {
            v
        }
        fn f32(v: f32) -> f32 {
            v
        }
        fn f64(v: f64) -> f64 {
            v
        }
        fn i8(v: i8) -> i8 {
            v
        }
        fn u8(v: u8) -> u8 {
            v
        }
        fn i16(v: i16) -> i16 {
            v
        }
        fn u16(v: u16) -> u16 {
            v
        }
        fn bool(v: bool) -> bool {
            v
        }
        fn char(v: char) -> char {
            v
        }
        fn several(a: i32, b: i64, c: f32, d: f64) -> (f64, f32, i64, i32) {
            (d, c, b, a)
        }
        fn nothing() {}
    }

    fn echo(name: &str, ty: &str, value: Val) -> Result<Val> {
        let engine = Engine::default();
        let mut linker = Linker::new(&engine);
        Echo::add_to_linker(&mut linker)?;
        let mut store = Store::new(&engine, ());
        let import = format!("(import \"echo\" \"{name}\" (func (param {ty}) (result {ty})))");
        Ok(call(&mut store, &linker, &import, &[value], 1)?.remove(0))
    }

    #[test]
    fn numbers_travel_unchanged() {
        for (name, value) in [("i32", -1), ("u32", -1), ("i8", -128), ("i16", -32768)] {
            assert_eq!(echo(name, "i32", Val::I32(value)).unwrap().unwrap_i32(), value);
        }
        for (name, value) in [("u8", 255), ("u16", 65535), ("bool", 1), ("char", 0x10ffff)] {
            assert_eq!(echo(name, "i32", Val::I32(value)).unwrap().unwrap_i32(), value);
        }
        for name in ["i64", "u64"] {
            assert_eq!(echo(name, "i64", Val::I64(i64::MIN)).unwrap().unwrap_i64(), i64::MIN);
        }
        assert_eq!(
            echo("f32", "f32", Val::F32(0x7fa0_0000)).unwrap().unwrap_f32().to_bits(),
            0x7fa0_0000
        );
        assert_eq!(echo("f64", "f64", Val::F64(1 << 63)).unwrap().unwrap_f64().to_bits(), 1 << 63);
    }

    #[test]
    fn a_number_out_of_range_traps_and_is_named() {
        for (name, value, expected) in [
            ("i8", 128, "parameter `v` of `echo::i8`: expected an `i8`, found 128"),
            ("u8", -1, "parameter `v` of `echo::u8`: expected a `u8`, found 4294967295"),
            ("i16", 32768, "expected an `i16`, found 32768"),
            ("u16", 65536, "expected a `u16`, found 65536"),
            ("bool", 2, "parameter `v` of `echo::bool`: expected a `bool`, 0 or 1, found 2"),
            ("char", 0xd800, "a Unicode scalar value, found 55296"),
        ] {
            let message = chain(&echo(name, "i32", Val::I32(value)).unwrap_err());
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn several_results_come_in_order() {
        let engine = Engine::default();
        let mut linker = Linker::new(&engine);
        Echo::add_to_linker(&mut linker).unwrap();
        let mut store = Store::new(&engine, ());
        let import = r#"(import "echo" "several"
            (func (param i32 i64 f32 f64) (result f64 f32 i64 i32)))"#;
        let params = [Val::I32(1), Val::I64(2), Val::from(3.0_f32), Val::from(4.0_f64)];
        let results = call(&mut store, &linker, import, &params, 4).unwrap();
        assert_eq!(results[0].unwrap_f64(), 4.0);
        assert_eq!(results[1].unwrap_f32(), 3.0);
        assert_eq!(results[2].unwrap_i64(), 2);
        assert_eq!(results[3].unwrap_i32(), 1);
        let none = call(&mut store, &linker, r#"(import "echo" "nothing" (func))"#, &[], 0);
        assert!(none.unwrap().is_empty());
    }

    #[derive(WasmTy, Clone, Copy, Debug, PartialEq)]
    struct Meters(f64);

    #[derive(WasmTy)]
    struct Handle {
        raw: u16,
    }

    #[derive(WasmTy, Clone, Copy, Debug, PartialEq)]
    #[repr(u8)]
    enum Color {
        Red = 1,
        Green,
        Blue = 200,
    }

    #[derive(WasmTy)]
    #[repr(i64)]
    enum Wide {
        Low = i64::MIN,
        High = i64::MAX,
    }

    struct Derived;

    #[host_module(name = "derived")]
    impl Derived {
        fn double(length: Meters) -> Meters {
            Meters(length.0 * 2.0)
        }
        fn next(handle: Handle) -> Handle {
            Handle { raw: handle.raw + 1 }
        }
        fn paint(color: Color) -> Color {
            match color {
                Color::Red => Color::Green,
                Color::Green => Color::Blue,
                Color::Blue => Color::Red,
            }
        }
        fn flip(wide: Wide) -> Wide {
            match wide {
                Wide::Low => Wide::High,
                Wide::High => Wide::Low,
            }
        }
    }

    fn derived(name: &str, ty: &str, value: Val) -> Result<Val> {
        let engine = Engine::default();
        let mut linker = Linker::new(&engine);
        Derived::add_to_linker(&mut linker)?;
        let mut store = Store::new(&engine, ());
        let import = format!("(import \"derived\" \"{name}\" (func (param {ty}) (result {ty})))");
        Ok(call(&mut store, &linker, &import, &[value], 1)?.remove(0))
    }

    #[test]
    fn derived_newtypes_and_enums_travel_as_their_inner_type() {
        assert_eq!(derived("double", "f64", Val::from(1.5_f64)).unwrap().unwrap_f64(), 3.0);
        assert_eq!(derived("next", "i32", Val::I32(7)).unwrap().unwrap_i32(), 8);
        assert_eq!(derived("paint", "i32", Val::I32(2)).unwrap().unwrap_i32(), 200);
        assert_eq!(derived("flip", "i64", Val::I64(i64::MIN)).unwrap().unwrap_i64(), i64::MAX);
    }

    #[test]
    fn an_unknown_discriminant_traps_and_is_named() {
        let message = chain(&derived("paint", "i32", Val::I32(3)).unwrap_err());
        assert!(
            message.contains(
                "parameter `color` of `derived::paint`: 3 is no `Color`; it has 1 = Red, \
                 2 = Green, 200 = Blue"
            ),
            "{message}"
        );
        let message = chain(&derived("paint", "i32", Val::I32(256)).unwrap_err());
        assert!(message.contains("expected a `u8`, found 256"), "{message}");
        let message = chain(&derived("next", "i32", Val::I32(-1)).unwrap_err());
        assert!(message.contains("parameter `handle` of `derived::next`"), "{message}");
    }
}

mod objects {
    use super::*;

    #[host_module(name = "counter", receiver = "object")]
    impl Counter {
        fn new(start: i64) -> New<Counter> {
            New(Counter(start))
        }
        fn get(&self) -> i64 {
            self.0
        }
        fn add(&mut self, by: &Counter) -> i64 {
            self.0 += by.0;
            self.0
        }
        fn swap(a: &mut Counter, b: &mut Counter) {
            std::mem::swap(a, b);
        }
        fn sum(a: &Counter, b: &Counter) -> i64 {
            a.0 + b.0
        }
        fn get_or(counter: Option<&Counter>, default: i64) -> i64 {
            counter.map_or(default, |counter| counter.0)
        }
        fn reset(counter: Option<&mut Counter>) -> bool {
            counter.map(|counter| counter.0 = 0).is_some()
        }
        fn positive(start: i64) -> Option<New<Counter>> {
            (start > 0).then(|| New(Counter(start)))
        }
        fn flagged(a: &mut Counter, b: &mut Counter, flag: bool) {
            (a.0, b.0) = (flag.into(), flag.into());
        }
        fn same(self: &Self, other: &Self) -> bool {
            std::ptr::eq(self, other)
        }
    }

    /// The exports of the functions above, as a guest has them.
    pub(super) const IMPORTS: &str = r#"
        (func (export "get") (import "counter" "get") (param externref) (result i64))
        (func (export "add") (import "counter" "add") (param externref externref) (result i64))
        (func (export "swap") (import "counter" "swap") (param externref externref))
        (func (export "sum") (import "counter" "sum") (param externref externref) (result i64))
        (func (export "get_or") (import "counter" "get_or") (param externref i64) (result i64))
        (func (export "reset") (import "counter" "reset") (param externref) (result i32))
        (func (export "flagged") (import "counter" "flagged") (param externref externref i32))
        (func (export "same") (import "counter" "same") (param externref externref) (result i32))
    "#;

    struct Fixture {
        store: Store<()>,
        instance: Instance,
    }

    impl Fixture {
        fn new() -> Fixture {
            let engine = Engine::default();
            let mut linker = Linker::new(&engine);
            Counter::add_to_linker(&mut linker).unwrap();
            let mut store = Store::new(&engine, ());
            let instance = guest(&mut store, &linker, &format!("(module {IMPORTS})"));
            Fixture { store, instance }
        }

        fn counter(&mut self, start: i64) -> Rooted<ExternRef<Counter>> {
            ExternRef::new_typed(&mut self.store, Counter(start)).unwrap()
        }

        fn call(&mut self, name: &str, params: &[Val]) -> Result<Val> {
            let func = self.instance.get_func(&mut self.store, name).unwrap();
            let mut results = vec![Val::I32(0); func.ty(&self.store).results().len()];
            func.call(&mut self.store, params, &mut results)?;
            Ok(results.pop().unwrap_or(Val::I32(0)))
        }

        fn refused(&mut self, name: &str, params: &[Val]) -> String {
            chain(&self.call(name, params).unwrap_err())
        }
    }

    #[test]
    fn methods_reach_the_object() {
        let mut fixture = Fixture::new();
        let (a, b) = (fixture.counter(1), fixture.counter(20));
        let (va, vb) = (extern_val(a), extern_val(b));
        assert_eq!(fixture.call("get", &[va]).unwrap().unwrap_i64(), 1);
        assert_eq!(fixture.call("add", &[va, vb]).unwrap().unwrap_i64(), 21);
        assert_eq!(fixture.call("sum", &[va, vb]).unwrap().unwrap_i64(), 41);
        fixture.call("swap", &[va, vb]).unwrap();
        assert_eq!(a.data(&fixture.store).unwrap(), &Counter(20));
        assert_eq!(b.data(&fixture.store).unwrap(), &Counter(21));
        assert_eq!(fixture.call("same", &[va, va]).unwrap().unwrap_i32(), 1);
        assert_eq!(fixture.call("same", &[va, vb]).unwrap().unwrap_i32(), 0);
    }

    #[test]
    fn null_is_none_and_only_where_it_may_be() {
        let mut fixture = Fixture::new();
        let (a, null) = (fixture.counter(5), NULL);
        let va = extern_val(a);
        assert_eq!(fixture.call("get_or", &[va, Val::I64(9)]).unwrap().unwrap_i64(), 5);
        assert_eq!(fixture.call("get_or", &[null, Val::I64(9)]).unwrap().unwrap_i64(), 9);
        assert_eq!(fixture.call("reset", &[null]).unwrap().unwrap_i32(), 0);
        assert_eq!(fixture.call("reset", &[va]).unwrap().unwrap_i32(), 1);
        assert_eq!(a.data(&fixture.store).unwrap(), &Counter(0));
        let message = fixture.refused("add", &[va, null]);
        assert!(
            message.contains(
                "parameter `by` of `counter::add`: expected a host object of type \
                 `host_module::Counter`, found null"
            ),
            "{message}"
        );
        let message = fixture.refused("get", &[null]);
        assert!(message.contains("parameter `self` of `counter::get`"), "{message}");
    }

    #[test]
    fn a_wrong_type_names_both_types() {
        let mut fixture = Fixture::new();
        let text = ExternRef::new_typed(&mut fixture.store, Text("x".into())).unwrap();
        let a = extern_val(fixture.counter(5));
        for (name, params) in
            [("add", vec![a, extern_val(text)]), ("reset", vec![extern_val(text)])]
        {
            let message = fixture.refused(name, &params);
            assert!(
                message.contains(
                    "expected a host object of type `host_module::Counter`, found a host object \
                     of type `host_module::Text`"
                ),
                "{message}"
            );
        }
    }

    #[test]
    fn one_object_twice_is_shared_but_never_mutable() {
        let mut fixture = Fixture::new();
        let counter = fixture.counter(4);
        let value = extern_val(counter);
        assert_eq!(fixture.call("sum", &[value, value]).unwrap().unwrap_i64(), 8);
        let message = fixture.refused("swap", &[value, value]);
        assert!(
            message.contains(
                "parameter `b` of `counter::swap`: the host object of type `host_module::Counter` \
                 is already mutably borrowed by parameter `a` of `counter::swap`"
            ),
            "{message}"
        );
        let message = fixture.refused("add", &[value, value]);
        assert!(
            message.contains("mutably borrowed by parameter `self` of `counter::add`"),
            "{message}"
        );
        // Nothing stays borrowed.
        counter.data_mut(&mut fixture.store).unwrap().0 += 1;
        assert_eq!(fixture.call("get", &[value]).unwrap().unwrap_i64(), 5);
    }

    #[test]
    fn all_arguments_are_converted_before_any_is_borrowed() {
        let mut fixture = Fixture::new();
        let value = extern_val(fixture.counter(4));
        let message = fixture.refused("flagged", &[value, value, Val::I32(7)]);
        assert!(message.contains("parameter `flag`"), "{message}");
        let message = fixture.refused("flagged", &[value, value, Val::I32(1)]);
        assert!(message.contains("parameter `b`"), "{message}");
    }

    #[test]
    fn new_objects_belong_to_the_guest() {
        let engine = Engine::default();
        let mut linker = Linker::new(&engine);
        Counter::add_to_linker(&mut linker).unwrap();
        let mut store = Store::new(&engine, ());
        let import = r#"(import "counter" "new" (func (param i64) (result externref)))"#;
        let results = call(&mut store, &linker, import, &[Val::I64(3)], 1).unwrap();
        let object = results[0].unwrap_externref().copied().unwrap();
        assert_eq!(object.downcast::<Counter>(&store).unwrap().data(&store).unwrap(), &Counter(3));
        let import = r#"(import "counter" "positive" (func (param i64) (result externref)))"#;
        let results = call(&mut store, &linker, import, &[Val::I64(-3)], 1).unwrap();
        assert!(results[0].unwrap_externref().is_none());
        let results = call(&mut store, &linker, import, &[Val::I64(3)], 1).unwrap();
        assert!(results[0].unwrap_externref().is_some());
    }
}

mod state {
    use super::*;

    #[derive(Default)]
    struct App {
        log: Log,
        other: u32,
    }

    #[derive(Default)]
    struct Log {
        lines: Vec<i32>,
    }

    #[host_module(name = "log", receiver = "state", state = App)]
    impl Log {
        fn push(&mut self, line: i32, scale: &Counter) -> u32 {
            self.lines.push(line * scale.0 as i32);
            self.lines.len() as u32
        }
        fn last(&self) -> i32 {
            self.lines.last().copied().unwrap_or(-1)
        }
        fn version() -> i32 {
            7
        }
        fn touch(cx: &mut Caller<'_, App>) -> u32 {
            cx.data_mut().other += 1;
            cx.data().other
        }
    }

    /// Serves any store: the data type is the linker's.
    #[derive(Default)]
    struct Clock(u64);

    #[host_module(receiver = "state")]
    impl Clock {
        fn tick(&mut self) -> u64 {
            self.0 += 1;
            self.0
        }
    }

    #[test]
    fn a_state_receiver_is_reached_through_the_projection() {
        let engine = Engine::default();
        let mut linker = Linker::new(&engine);
        Log::add_to_linker(&mut linker, |app| &mut app.log).unwrap();
        let mut store = Store::new(&engine, App::default());
        let scale = ExternRef::new_typed(&mut store, Counter(10)).unwrap();
        let import = r#"(import "log" "push" (func (param i32 externref) (result i32)))"#;
        for count in 1..3 {
            let params = [Val::I32(count), extern_val(scale)];
            let results = call(&mut store, &linker, import, &params, 1).unwrap();
            assert_eq!(results[0].unwrap_i32(), count);
        }
        assert_eq!(store.data().log.lines, [10, 20]);
        for (name, expected) in [("last", 20), ("version", 7), ("touch", 1)] {
            let import = format!(r#"(import "log" "{name}" (func (result i32)))"#);
            let results = call(&mut store, &linker, &import, &[], 1).unwrap();
            assert_eq!(results[0].unwrap_i32(), expected, "{name}");
        }
        assert_eq!(store.data().other, 1);
    }

    #[test]
    fn a_block_without_a_state_type_serves_stores_of_any() {
        fn run<T: 'static>(data: T, project: fn(&mut T) -> &mut Clock) -> T {
            let engine = Engine::default();
            let mut linker = Linker::new(&engine);
            Clock::add_to_linker(&mut linker, project).unwrap();
            let mut store = Store::new(&engine, data);
            let import = r#"(import "clock" "tick" (func (result i64)))"#;
            for tick in 1..4 {
                let results = call(&mut store, &linker, import, &[], 1).unwrap();
                assert_eq!(results[0].unwrap_i64(), tick);
            }
            store.into_data()
        }
        assert_eq!(run(Clock::default(), |clock| clock).0, 3);
        assert_eq!(run((1, Clock::default()), |pair| &mut pair.1).1.0, 3);
    }
}

mod store_access {
    use super::*;

    #[derive(Default)]
    struct App {
        kept: Option<ManuallyRooted<ExternRef>>,
        calls: u32,
    }

    type Cx<'a> = Caller<'a, App>;
    type Fallible<T> = std::result::Result<T, Error>;

    struct Api;

    #[host_module(name = "api", state = App)]
    impl Api {
        fn keep(cx: &mut Cx<'_>, object: ManuallyRooted<ExternRef>) {
            cx.data_mut().kept = Some(object);
        }
        // The lifetime is behind the alias.
        #[allow(elided_lifetimes_in_paths, reason = "this is what is tested")]
        fn kept(cx: &mut Cx) -> Fallible<Option<Rooted<ExternRef>>> {
            let kept = cx.data_mut().kept.take();
            Ok(kept.map(|kept| kept.to_rooted(cx)))
        }
        fn typed(
            cx: &mut Caller<'_, App>,
            counter: Rooted<ExternRef<Counter>>,
        ) -> Result<Rooted<ExternRef<Counter>>> {
            counter.data_mut(&mut *cx)?.0 += 1;
            Ok(counter)
        }
        fn maybe(counter: Option<Rooted<ExternRef<Counter>>>) -> bool {
            counter.is_some()
        }
        fn untyped(
            object: Rooted<ExternRef>,
            other: Option<Rooted<ExternRef>>,
        ) -> Rooted<ExternRef> {
            other.unwrap_or(object)
        }
        fn make<'a>(
            cx: &'a mut Caller<'_, App>,
            like: &'a Counter,
        ) -> Result<Rooted<ExternRef<Counter>>> {
            cx.data_mut().calls += 1;
            ExternRef::new_typed(cx, Counter(like.0))
        }
        fn several(cx: &mut Cx<'_>) -> (New<Counter>, i32, Option<New<Text>>, New<Text>) {
            cx.data_mut().calls += 1;
            let text = |text: &str| New(Text(text.to_owned()));
            (New(Counter(1)), 2, None, text("four"))
        }
        fn call(cx: &mut Cx<'_>, callback: Func, by: i32) -> Result<i32> {
            callback.typed::<i32, i32>(&*cx)?.call(cx, by)
        }
    }

    fn store(config: &Config) -> (Store<App>, Linker<App>) {
        let engine = Engine::new(config).unwrap();
        let mut linker = Linker::new(&engine);
        Api::add_to_linker(&mut linker).unwrap();
        (Store::new(&engine, App::default()), linker)
    }

    #[test]
    fn references_are_checked_rooted_and_returned() {
        for stress in [false, true] {
            let (mut store, linker) = store(Config::new().gc_stress(stress));
            let counter = ExternRef::new_typed(&mut store, Counter(1)).unwrap();
            let value = extern_val(counter);
            let import = r#"(import "api" "typed" (func (param externref) (result externref)))"#;
            let result = call(&mut store, &linker, import, &[value], 1).unwrap();
            let result = result[0].unwrap_externref().copied().unwrap();
            assert!(Rooted::ref_eq(&store, &result, &counter.to_untyped()).unwrap());
            assert_eq!(counter.data(&store).unwrap(), &Counter(2));

            let import = r#"(import "api" "make" (func (param externref) (result externref)))"#;
            let result = call(&mut store, &linker, import, &[value], 1).unwrap();
            let made = result[0].unwrap_externref().copied().unwrap();
            assert!(!Rooted::ref_eq(&store, &made, &counter.to_untyped()).unwrap());
            assert_eq!(
                made.downcast::<Counter>(&store).unwrap().data(&store).unwrap(),
                &Counter(2)
            );

            let import = r#"(import "api" "maybe" (func (param externref) (result i32)))"#;
            for (value, expected) in [(value, 1), (NULL, 0)] {
                let result = call(&mut store, &linker, import, &[value], 1).unwrap();
                assert_eq!(result[0].unwrap_i32(), expected);
            }
        }
    }

    #[test]
    fn a_typed_reference_of_another_type_is_refused() {
        let (mut store, linker) = store(&Config::new());
        let text = ExternRef::new_typed(&mut store, Text("x".into())).unwrap();
        let import = r#"(import "api" "typed" (func (param externref) (result externref)))"#;
        let error = call(&mut store, &linker, import, &[extern_val(text)], 1).unwrap_err();
        let message = chain(&error);
        assert!(message.contains("parameter `counter` of `api::typed`"), "{message}");
        assert!(message.contains("host_module::Counter") && message.contains("host_module::Text"));
        let error = call(&mut store, &linker, import, &[NULL], 1).unwrap_err();
        assert!(chain(&error).contains("found null"), "{error:#}");
    }

    #[test]
    fn a_manually_rooted_argument_outlives_the_call() {
        let (mut store, linker) = store(Config::new().gc_stress(true));
        let import = r#"(import "api" "keep" (func (param externref)))"#;
        {
            let mut scope = hostref::RootScope::new(&mut store);
            let object = ExternRef::new(&mut scope, 5_u8).unwrap();
            let module = Module::new(
                &scope.as_context_mut().engine(),
                format!("(module {import} (export \"f\" (func 0)))"),
            );
            let instance = linker.instantiate(&mut scope, &module.unwrap()).unwrap();
            let keep = instance.get_func(&mut scope, "f").unwrap();
            keep.call(&mut scope, &[Val::from(object)], &mut []).unwrap();
        }
        store.gc();
        let import = r#"(import "api" "kept" (func (result externref)))"#;
        let result = call(&mut store, &linker, import, &[], 1).unwrap();
        let object = result[0].unwrap_externref().copied().unwrap();
        assert_eq!(object.data(&store).unwrap().downcast_ref(), Some(&5_u8));
        let result = call(&mut store, &linker, import, &[], 1).unwrap();
        assert!(result[0].unwrap_externref().is_none());
    }

    #[test]
    fn several_new_objects_survive_each_others_making() {
        for stress in [false, true] {
            let (mut store, linker) = store(Config::new().gc_stress(stress));
            let import = r#"(import "api" "several"
                (func (result externref i32 externref externref)))"#;
            let results = call(&mut store, &linker, import, &[], 4).unwrap();
            let object = |at: usize| results[at].unwrap_externref().copied();
            let counter = object(0).unwrap().downcast::<Counter>(&store).unwrap();
            assert_eq!(counter.data(&store).unwrap(), &Counter(1));
            assert_eq!(results[1].unwrap_i32(), 2);
            assert!(object(2).is_none());
            let text = object(3).unwrap().downcast::<Text>(&store).unwrap();
            assert_eq!(text.data(&store).unwrap().0, "four");
        }
    }

    #[test]
    fn untyped_references_pass_through() {
        let (mut store, linker) = store(Config::new().gc_stress(true));
        let a = ExternRef::new(&mut store, 1_u8).unwrap();
        let b = ExternRef::new(&mut store, 2_u8).unwrap();
        let import =
            r#"(import "api" "untyped" (func (param externref externref) (result externref)))"#;
        for (second, expected) in [(Val::from(b), b), (NULL, a)] {
            let results = call(&mut store, &linker, import, &[Val::from(a), second], 1).unwrap();
            let result = results[0].unwrap_externref().copied().unwrap();
            assert!(Rooted::ref_eq(&store, &result, &expected).unwrap());
        }
    }

    #[test]
    fn a_method_calls_back_into_the_guest() {
        let (mut store, linker) = store(&Config::new());
        let instance = guest(
            &mut store,
            &linker,
            r#"(module
                (import "api" "call" (func $call (param funcref i32) (result i32)))
                (func $down (export "down") (param i32) (result i32)
                    (if (result i32) (i32.eqz (local.get 0))
                        (then (i32.const 100))
                        (else (i32.add (i32.const 1)
                            (call $call (ref.func $down) (i32.sub (local.get 0) (i32.const 1)))))))
                (elem declare func $down))"#,
        );
        let down = instance.get_typed_func::<i32, i32>(&mut store, "down").unwrap();
        assert_eq!(down.call(&mut store, 20).unwrap(), 120);
    }
}

mod errors {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Refused(i32);

    impl fmt::Display for Refused {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "refused with {}", self.0)
        }
    }

    impl std::error::Error for Refused {}

    type Outcome<T> = std::result::Result<T, Refused>;

    struct Door;

    #[host_module(name = "door")]
    impl Door {
        fn open(key: i32) -> Outcome<New<Counter>> {
            if key == 1 { Ok(New(Counter(1))) } else { Err(Refused(key)) }
        }
        fn break_in(door: &mut Counter) -> i32 {
            door.0 += 1;
            panic!("the alarm is on");
        }
        fn knock(door: &mut Counter) -> Result<()> {
            door.0 += 1;
            Err(Error::msg("nobody is at home"))
        }
        fn count(door: &Counter) -> i64 {
            door.0
        }
    }

    fn fixture() -> (Store<()>, Linker<()>) {
        let engine = Engine::default();
        let mut linker = Linker::new(&engine);
        Door::add_to_linker(&mut linker).unwrap();
        (Store::new(&engine, ()), linker)
    }

    #[test]
    fn an_error_comes_back_itself_with_the_function_as_context() {
        let (mut store, linker) = fixture();
        let import = r#"(import "door" "open" (func (param i32) (result externref)))"#;
        let error = call(&mut store, &linker, import, &[Val::I32(3)], 1).unwrap_err();
        assert_eq!(error.downcast_ref::<Refused>(), Some(&Refused(3)));
        let message = chain(&error);
        assert!(message.contains("host function `door::open`: refused with 3"), "{message}");
        call(&mut store, &linker, import, &[Val::I32(1)], 1).unwrap();
    }

    #[test]
    fn borrows_end_when_a_method_fails_or_panics() {
        let (mut store, linker) = fixture();
        let door = ExternRef::new_typed(&mut store, Counter(0)).unwrap();
        let value = extern_val(door);
        let import = r#"(import "door" "knock" (func (param externref)))"#;
        let error = call(&mut store, &linker, import, &[value], 0).unwrap_err();
        assert!(chain(&error).contains("nobody is at home"));
        assert_eq!(door.data(&store).unwrap(), &Counter(1));

        let import = r#"(import "door" "break_in" (func (param externref) (result i32)))"#;
        let panic = catch_unwind(AssertUnwindSafe(|| {
            let _ = call(&mut store, &linker, import, &[value], 1);
        }));
        let message = *panic.unwrap_err().downcast::<&str>().unwrap();
        assert_eq!(message, "the alarm is on");
        door.data_mut(&mut store).unwrap().0 += 1;
        let import = r#"(import "door" "count" (func (param externref) (result i64)))"#;
        let count = call(&mut store, &linker, import, &[value], 1).unwrap();
        assert_eq!(count[0].unwrap_i64(), 3);
    }

    #[test]
    fn a_name_that_is_taken_is_reported_for_each_function() {
        let (_, mut linker) = fixture();
        let message = chain(&Door::add_to_linker(&mut linker).unwrap_err());
        for name in ["open", "break_in", "knock", "count"] {
            assert!(message.contains(&format!("`door::{name}`")), "{message}");
        }
        linker.allow_shadowing(true);
        Door::add_to_linker(&mut linker).unwrap();
    }

    #[test]
    fn an_import_of_another_type_does_not_link() {
        let (mut store, linker) = fixture();
        let module = Module::new(
            store.engine(),
            r#"(module (import "door" "count" (func (param i32) (result i64))))"#,
        );
        let error = linker.instantiate(&mut store, &module.unwrap()).unwrap_err();
        assert!(chain(&error).contains("door::count"), "{error:#}");
    }
}

mod reentry {
    use super::*;

    struct Api;

    /// Calls the export `name` of the calling guest.
    fn back(
        cx: &mut Caller<'_, ()>,
        name: &str,
        object: Rooted<ExternRef<Counter>>,
    ) -> Result<i64> {
        let export = cx.get_export(name).and_then(Extern::into_func).unwrap();
        export.typed::<Rooted<ExternRef<Counter>>, i64>(&*cx)?.call(cx, object)
    }

    #[host_module(name = "api", state = ())]
    impl Api {
        /// Holds `held` mutably while the guest gets `other`.
        fn with_mut(
            cx: &mut Caller<'_, ()>,
            held: &mut Counter,
            other: Rooted<ExternRef<Counter>>,
        ) -> Result<i64> {
            held.0 += 1;
            let result = back(cx, "read", other);
            held.0 += 1;
            result
        }
        /// Holds `held` while the guest gets `other`.
        fn with_ref(
            cx: &mut Caller<'_, ()>,
            held: &Counter,
            other: Rooted<ExternRef<Counter>>,
        ) -> Result<i64> {
            assert_eq!(other.data(&*cx)?.0 == held.0, other.data_mut(&mut *cx).is_err());
            Ok(back(cx, "read", other)? + held.0)
        }
        fn twice(
            cx: &mut Caller<'_, ()>,
            outer: &Counter,
            other: Rooted<ExternRef<Counter>>,
        ) -> Result<i64> {
            assert_eq!(back(cx, "read", other)?, outer.0);
            // The inner borrow ended: the message must name the outer one.
            back(cx, "bump", other)
        }
        fn read(inner: &Counter) -> i64 {
            inner.0
        }
        fn bump(inner: &mut Counter) -> i64 {
            inner.0 += 1;
            inner.0
        }
        fn collect(cx: &mut Caller<'_, ()>, held: &Tracked) -> i32 {
            cx.as_context_mut().gc();
            cx.as_context_mut().gc();
            held.dropped.load(Ordering::Relaxed) as i32
        }
        fn track() -> New<Tracked> {
            New(Tracked { dropped: DROPPED.with(Arc::clone) })
        }
    }

    thread_local! {
        static DROPPED: Arc<AtomicUsize> = Arc::default();
    }

    struct Tracked {
        dropped: Arc<AtomicUsize>,
    }

    impl Drop for Tracked {
        fn drop(&mut self) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    const GUEST: &str = r#"(module
        (import "api" "with_mut" (func $with_mut (param externref externref) (result i64)))
        (import "api" "with_ref" (func $with_ref (param externref externref) (result i64)))
        (import "api" "twice" (func $twice (param externref externref) (result i64)))
        (import "api" "read" (func $read (param externref) (result i64)))
        (import "api" "bump" (func $bump (param externref) (result i64)))
        (import "api" "track" (func $track (result externref)))
        (import "api" "collect" (func $collect (param externref) (result i32)))
        (func (export "with_mut") (param externref externref) (result i64)
            (call $with_mut (local.get 0) (local.get 1)))
        (func (export "with_ref") (param externref externref) (result i64)
            (call $with_ref (local.get 0) (local.get 1)))
        (func (export "twice") (param externref externref) (result i64)
            (call $twice (local.get 0) (local.get 1)))
        (func (export "read") (param externref) (result i64) (call $read (local.get 0)))
        (func (export "bump") (param externref) (result i64) (call $bump (local.get 0)))
        (func (export "collect") (result i32) (call $collect (call $track))))"#;

    type Two = (Rooted<ExternRef<Counter>>, Rooted<ExternRef<Counter>>);

    fn fixture(config: &Config) -> (Store<()>, Instance) {
        let engine = Engine::new(config).unwrap();
        let mut linker = Linker::new(&engine);
        Api::add_to_linker(&mut linker).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = guest(&mut store, &linker, GUEST);
        (store, instance)
    }

    #[test]
    fn a_borrow_of_an_outer_frame_is_respected_and_named() {
        for stress in [false, true] {
            let (mut store, instance) = fixture(Config::new().gc_stress(stress));
            let a = ExternRef::new_typed(&mut store, Counter(1)).unwrap();
            let b = ExternRef::new_typed(&mut store, Counter(5)).unwrap();
            let run = instance.get_typed_func::<Two, i64>(&mut store, "with_mut").unwrap();
            assert_eq!(run.call(&mut store, (a, b)).unwrap(), 5);
            let message = chain(&run.call(&mut store, (a, a)).unwrap_err());
            assert!(
                message.contains(
                    "parameter `inner` of `api::read`: the host object of type \
                     `host_module::Counter` is already mutably borrowed by parameter `held` of \
                     `api::with_mut`"
                ),
                "{message}"
            );
            assert_eq!(a.data(&store).unwrap(), &Counter(5), "the outer method ran to its end");
        }
    }

    #[test]
    fn shared_borrows_nest_and_refuse_mutation() {
        let (mut store, instance) = fixture(Config::new().gc_stress(true));
        let a = ExternRef::new_typed(&mut store, Counter(1)).unwrap();
        let b = ExternRef::new_typed(&mut store, Counter(5)).unwrap();
        let run = instance.get_typed_func::<Two, i64>(&mut store, "with_ref").unwrap();
        assert_eq!(run.call(&mut store, (a, a)).unwrap(), 2);
        assert_eq!(run.call(&mut store, (a, b)).unwrap(), 6);
        let run = instance.get_typed_func::<Two, i64>(&mut store, "twice").unwrap();
        let message = chain(&run.call(&mut store, (a, a)).unwrap_err());
        assert!(
            message.contains(
                "parameter `inner` of `api::bump`: the host object of type `host_module::Counter` \
                 is already borrowed by parameter `outer` of `api::twice`"
            ),
            "{message}"
        );
        a.data_mut(&mut store).unwrap().0 = 3;
    }

    #[test]
    fn a_borrowed_object_outlives_its_last_reference() {
        let (mut store, instance) = fixture(&Config::new());
        let run = instance.get_typed_func::<(), i32>(&mut store, "collect").unwrap();
        assert_eq!(run.call(&mut store, ()).unwrap(), 0, "not dropped while borrowed");
        store.gc();
        assert_eq!(DROPPED.with(|dropped| dropped.load(Ordering::Relaxed)), 1);
    }
}

mod garbage {
    use super::*;

    struct Bytes;

    struct Chunk {
        alive: Arc<AtomicUsize>,
        _data: [u8; 4096],
    }

    impl Drop for Chunk {
        fn drop(&mut self) {
            self.alive.fetch_sub(1, Ordering::Relaxed);
        }
    }

    #[host_module(name = "bytes", state = Arc<AtomicUsize>)]
    impl Bytes {
        fn chunk(cx: &mut Caller<'_, Arc<AtomicUsize>>) -> New<Chunk> {
            let alive = cx.data().clone();
            alive.fetch_add(1, Ordering::Relaxed);
            New(Chunk { alive, _data: [0; 4096] })
        }
        fn small() -> New<u64> {
            New(1)
        }
    }

    #[test]
    fn a_loop_over_new_objects_runs_in_bounded_memory() {
        let engine = Engine::new(Config::new().gc_heap_limit(1 << 20)).unwrap();
        let mut linker = Linker::new(&engine);
        Bytes::add_to_linker(&mut linker).unwrap();
        let alive: Arc<AtomicUsize> = Arc::default();
        let mut store = Store::new(&engine, alive.clone());
        let instance = guest(
            &mut store,
            &linker,
            r#"(module
                (import "bytes" "chunk" (func $chunk (result externref)))
                (import "bytes" "small" (func $small (result externref)))
                (func (export "run") (param i32)
                    (loop
                        (drop (call $chunk))
                        (drop (call $small))
                        (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#,
        );
        let run = instance.get_typed_func::<i32, ()>(&mut store, "run").unwrap();
        run.call(&mut store, 100_000).unwrap();
        let left = alive.load(Ordering::Relaxed);
        assert!(left < 10_000, "{left} objects are alive");
        store.gc();
        assert_eq!(alive.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_full_heap_traps_and_says_what_had_no_room() {
        let engine = Engine::new(Config::new().gc_heap_limit(1 << 20)).unwrap();
        let mut linker = Linker::new(&engine);
        Bytes::add_to_linker(&mut linker).unwrap();
        let mut store = Store::new(&engine, Arc::default());
        let instance = guest(
            &mut store,
            &linker,
            r#"(module
                (import "bytes" "small" (func $small (result externref)))
                (table $t 1 externref)
                (func (export "run")
                    (loop
                        (drop (table.grow $t (call $small) (i32.const 1)))
                        (br 0))))"#,
        );
        let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
        let message = chain(&run.call(&mut store, ()).unwrap_err());
        assert!(
            message.contains(
                "host function `bytes::small`: no room for a new `u64`, even after a collection"
            ),
            "{message}"
        );
    }
}

mod blocks {
    use super::*;

    struct Mixed;

    #[host_module(rename_all = "camelCase")]
    impl Mixed {
        const FACTOR: i32 = 3;

        fn times_factor(v: i32) -> i32 {
            v * Self::FACTOR
        }
        #[host(name = "weird name")]
        fn renamed(r#type: i32) -> i32 {
            r#type + 1
        }
        #[host(skip)]
        fn helper<T: Into<i64>>(v: T) -> i64 {
            v.into()
        }
        #[cfg(any())]
        fn absent(v: DoesNotExist) {}
        #[cfg(all())]
        fn present() -> i64 {
            Self::helper(5)
        }
        #[deprecated]
        fn old() {}
    }

    #[host_module(name = "more", link = "add_more_to_linker")]
    impl Mixed {
        fn sum_of_all(
            a: i32,
            b: i32,
            c: i32,
            d: i32,
            e: i32,
            f: i32,
            g: i32,
            h: i32,
            i: i32,
            j: i32,
            k: i32,
            l: i32,
            m: i32,
            n: i32,
            o: i32,
            p: i64,
        ) -> i64 {
            i64::from(a + b + c + d + e + f + g + h + i + j + k + l + m + n + o) + p
        }
    }

    macro_rules! adder {
        ($ty:ident, $name:literal, $method:ident, $number:ty, $by:expr) => {
            struct $ty;
            #[host_module(name = $name)]
            impl $ty {
                fn $method(value: $number) -> $number {
                    value + $by
                }
            }
        };
    }

    adder!(AddOne, "add-one", add_one, i32, 1);

    #[test]
    fn names_follow_the_keys() {
        let engine = Engine::default();
        let mut linker: Linker<()> = Linker::new(&engine);
        Mixed::add_to_linker(&mut linker).unwrap();
        Mixed::add_more_to_linker(&mut linker).unwrap();
        AddOne::add_to_linker(&mut linker).unwrap();
        let mut names: Vec<_> =
            linker.names().map(|(module, name)| format!("{module} {name}")).collect();
        names.sort();
        let expected = [
            "add-one add_one",
            "mixed old",
            "mixed present",
            "mixed timesFactor",
            "mixed weird name",
            "more sum_of_all",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn sixteen_parameters_arrive_in_order() {
        let engine = Engine::default();
        let mut linker = Linker::new(&engine);
        Mixed::add_more_to_linker(&mut linker).unwrap();
        let mut store = Store::new(&engine, ());
        let types = "i32 ".repeat(15);
        let import =
            format!(r#"(import "more" "sum_of_all" (func (param {types} i64) (result i64)))"#);
        let mut params: Vec<_> = (1..16).map(Val::I32).collect();
        params.push(Val::I64(1000));
        let results = call(&mut store, &linker, &import, &params, 1).unwrap();
        assert_eq!(results[0].unwrap_i64(), 1120);
    }

    #[test]
    fn a_linker_serves_many_stores_on_many_threads() {
        let engine = Engine::default();
        let mut linker: Linker<Cell<u32>> = Linker::new(&engine);
        AddOne::add_to_linker(&mut linker).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut store = Store::new(&engine, Cell::new(0));
                    let import = r#"(import "add-one" "add_one" (func (param i32) (result i32)))"#;
                    let results = call(&mut store, &linker, import, &[Val::I32(1)], 1).unwrap();
                    assert_eq!(results[0].unwrap_i32(), 2);
                });
            }
        });
    }
}
