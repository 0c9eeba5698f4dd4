//! `cx: &mut Caller` and what methods do with the store.

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
    fn untyped(object: Rooted<ExternRef>, other: Option<Rooted<ExternRef>>) -> Rooted<ExternRef> {
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
        assert_eq!(made.downcast::<Counter>(&store).unwrap().data(&store).unwrap(), &Counter(2));

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
            scope.as_context_mut().engine(),
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
