//! `HostCx`: libraries that know a part of the store's data.

use super::*;

#[derive(Default)]
struct Events {
    log: Vec<String>,
}

#[host_module(name = "events", receiver = "state")]
impl Events {
    fn count(&self) -> u32 {
        self.log.len() as u32
    }
    fn emit(cx: &mut HostCx<'_, Self>, text: Copied<str>) {
        cx.state().log.push(text.to_string());
    }
    fn fire(cx: &mut HostCx<'_, Self>, callback: TypedFunc<i32, i32>, n: i32) -> Result<i32> {
        cx.state().log.push(format!("fire {n}"));
        let result = callback.call(&mut *cx, n)?;
        cx.state().log.push(format!("got {result}"));
        Ok(result)
    }
    fn make(cx: &mut HostCx<'_, Self>, n: u32) -> Result<Rooted<ExternRef<u32>>> {
        let object = ExternRef::new_typed(&mut *cx, n)?;
        assert_eq!(*object.data(&*cx)?, n);
        assert!(cx.get_export("memory").is_some() && cx.get_export("nothing").is_none());
        Ok(object)
    }
    fn store_at(cx: &mut HostCx<'_, Self>, at: Ptr<u64>, value: u64) -> Result<u64> {
        at.write(&mut *cx, value)?;
        at.read(cx.as_context())
    }
    fn unit(cx: &mut HostCx<'_, Events>) -> u32 {
        cx.state().log.len() as u32
    }
}

struct Plain;

#[host_module(name = "plain")]
impl Plain {
    fn call(cx: &mut HostCx<'_, ()>, f: TypedFunc<(), ()>) -> Result<()> {
        f.call(cx, ())
    }
}

/// An embedder's data, with the library's in the middle.
struct App {
    before: [u64; 3],
    events: Events,
    after: String,
}

const WAT: &str = r#"(module
    (func $count (import "events" "count") (result i32))
    (func $emit (import "events" "emit") (param i32 i32))
    (func $fire (import "events" "fire") (param funcref i32) (result i32))
    (func $make (import "events" "make") (param i32) (result externref))
    (func $store (import "events" "store_at") (param i32 i64) (result i64))
    (func $unit (import "events" "unit") (result i32))
    (func $call (import "plain" "call") (param funcref))
    (memory (export "memory") 1)
    (data (i32.const 0) "hello")
    (func $again (export "again") (param i32) (result i32)
        (if (result i32) (local.get 0)
            (then (call $fire (ref.func $again) (i32.sub (local.get 0) (i32.const 1))))
            (else (call $count))))
    (func $hello (export "hello") (call $emit (i32.const 0) (i32.const 5)))
    (func (export "run") (result i32)
        (call $hello)
        (call $fire (ref.func $again) (i32.const 2)))
    (func (export "make") (result externref) (call $make (i32.const 9)))
    (func (export "store") (result i64) (call $store (i32.const 16) (i64.const -5)))
    (func (export "call") (result i32) (call $call (ref.func $hello)) (call $unit)))"#;

fn app(stress: bool) -> (Store<App>, Instance) {
    let data = App { before: [1, 2, 3], events: Events::default(), after: "after".into() };
    guest(Config::new().gc_stress(stress), data, WAT, |linker| {
        Events::add_to_linker(linker, |app: &mut App| &mut app.events)?;
        Plain::add_to_linker(linker)
    })
    .unwrap()
}

#[test]
fn a_library_reaches_its_state_and_calls_back() {
    for stress in [false, true] {
        let (mut store, guest) = app(stress);
        assert_eq!(one(&mut store, &guest, "run", &[]).unwrap().unwrap_i32(), 4);
        let log = &store.data().events.log;
        assert_eq!(log[..], ["hello", "fire 2", "fire 1", "fire 0", "got 4", "got 4", "got 4"]);
        let object = one(&mut store, &guest, "make", &[]).unwrap();
        let object = *object.unwrap_externref().unwrap();
        assert_eq!(object.data(&store).unwrap().downcast_ref(), Some(&9_u32));
        assert_eq!(one(&mut store, &guest, "store", &[]).unwrap().unwrap_i64(), -5);
        assert_eq!(store.data().before, [1, 2, 3]);
        assert_eq!(store.data().after, "after");
    }
}

#[test]
fn a_block_without_state_has_a_context_too() {
    let (mut store, guest) = app(false);
    assert_eq!(one(&mut store, &guest, "call", &[]).unwrap().unwrap_i32(), 1);
}

#[test]
fn a_projection_is_a_closure_with_what_it_captured_or_a_function_pointer() {
    const WAT: &str = r#"(module
        (func $count (import "events" "count") (result i32))
        (func $emit (import "events" "emit") (param i32 i32))
        (memory (export "memory") 1)
        (func (export "run") (result i32) (call $emit (i32.const 0) (i32.const 0)) (call $count)))"#;
    fn first(data: &mut [Events; 3]) -> &mut Events {
        &mut data[0]
    }
    let pointer: fn(&mut [Events; 3]) -> &mut Events = first;
    let of_two = |two: usize, pointed: bool| {
        let (mut store, guest) =
            guest(&Config::new(), Default::default(), WAT, |linker| match pointed {
                true => Events::add_to_linker(linker, pointer),
                false => Events::add_to_linker(linker, move |data| &mut data[two]),
            })
            .unwrap();
        assert_eq!(one(&mut store, &guest, "run", &[]).unwrap().unwrap_i32(), 1);
        store.into_data().map(|events: Events| events.log.len())
    };
    assert_eq!(of_two(1, false), [0, 1, 0]);
    assert_eq!(of_two(2, false), [0, 0, 1]);
    assert_eq!(of_two(2, true), [1, 0, 0]);
}
