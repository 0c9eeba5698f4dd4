//! Host objects by reference, as roots, and what wrong references get.

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
        (start > 0).then_some(New(Counter(start)))
    }
    fn flagged(a: &mut Counter, b: &mut Counter, flag: bool) {
        (a.0, b.0) = (flag.into(), flag.into());
    }
    #[allow(clippy::needless_arbitrary_self_type, reason = "this is what is tested")]
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
    for (name, params) in [("add", vec![a, extern_val(text)]), ("reset", vec![extern_val(text)])] {
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
