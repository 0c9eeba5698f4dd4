//! `#[wasm_exports]`: what each kind of field becomes, and how guests that do not fit are reported.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hostref::{
    Config, Engine, Error, ExternRef, Func, Global, Instance, Linker, Memory, Module, New, Result,
    Rooted, SharedMemory, Store, Table, Trap, Val, WasmTy, host_module, wasm_exports,
};

/// A host object.
#[derive(Debug, PartialEq)]
struct Text(String);

impl Text {
    fn new(text: &str) -> Text {
        Text(text.to_owned())
    }
}

/// A store with an instance of `wat`, which imports nothing.
fn instance(config: &Config, wat: &str) -> (Store<()>, Instance) {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    (store, instance)
}

fn chain(error: &Error) -> String {
    format!("{error:#}")
}

fn is<T: Any>(object: &Rooted<ExternRef>, store: &Store<()>) -> bool {
    object.data(store).unwrap().is::<T>()
}

#[derive(WasmTy, Clone, Copy, Debug, PartialEq)]
#[repr(i32)]
enum Mood {
    Calm = 1,
    Loud = 5,
}

#[derive(WasmTy, Clone, Copy, Debug, PartialEq)]
struct Celsius(f32);

mod calls {
    use super::*;

    const WAT: &str = r#"(module
        (func (export "id-i32") (param i32) (result i32) (local.get 0))
        (func (export "swap") (param i64 f64) (result f64 i64) (local.get 1) (local.get 0))
        (func (export "nothing"))
        (func (export "boom") (unreachable))
        (func (export "flip") (param i32) (result i32) (i32.eqz (local.get 0)))
        (func (export "id-char") (param i32) (result i32) (local.get 0))
        (func (export "id-f32") (param f32) (result f32) (local.get 0))
        (func (export "first") (param externref externref) (result externref) (local.get 0))
        (func (export "maybe") (param externref) (result externref) (local.get 0))
        (func (export "type") (result funcref) (ref.func 0)))"#;

    /// A guest with something of everything.
    #[wasm_exports(rename_all = "kebab-case")]
    struct Guest {
        /// Gives its argument back.
        id_i32: fn(value: i32) -> i32,
        swap: fn(i64, f64) -> (f64, i64),
        nothing: fn(),
        boom: fn(),
        flip: fn(value: bool) -> bool,
        id_char: fn(value: char) -> char,
        id_f32: fn(Celsius) -> Celsius,
        first:
            fn(a: Rooted<ExternRef<Text>>, b: Option<Rooted<ExternRef>>) -> Rooted<ExternRef<Text>>,
        maybe: fn(object: Option<Rooted<ExternRef<Text>>>) -> Option<Rooted<ExternRef<Text>>>,
        r#type: fn() -> Func,
    }

    #[wasm_exports(rename_all = "kebab-case")]
    struct Moods {
        id_i32: fn(mood: Mood) -> Mood,
    }

    #[wasm_exports]
    struct Making {
        first: fn(text: New<Text>, other: Option<New<u8>>) -> Rooted<ExternRef<Text>>,
        maybe: fn(text: Option<New<Text>>) -> Option<Rooted<ExternRef>>,
    }

    #[wasm_exports]
    struct Narrow {
        #[export(name = "id-i32")]
        as_bool: fn(value: i32) -> bool,
        maybe: fn(object: Option<Rooted<ExternRef>>) -> Rooted<ExternRef<Text>>,
    }

    #[test]
    fn values_go_in_and_come_back() -> Result<()> {
        let (mut store, instance) = instance(&Config::new(), WAT);
        let guest = Guest::new(&mut store, &instance)?;
        assert_eq!(guest.call_id_i32(&mut store, -7)?, -7);
        assert_eq!(guest.call_swap(&mut store, 1, 2.5)?, (2.5, 1));
        guest.call_nothing(&mut store)?;
        assert!(guest.call_flip(&mut store, false)?);
        assert_eq!(guest.call_id_char(&mut store, 'ß')?, 'ß');
        assert_eq!(guest.call_id_f32(&mut store, Celsius(21.5))?, Celsius(21.5));
        let own = guest.call_type(&mut store)?.typed::<i32, i32>(&store)?;
        assert_eq!(own.call(&mut store, 9)?, 9);
        let moods = Moods::new(&mut store, &guest.instance())?;
        assert_eq!(moods.call_id_i32(&mut store, Mood::Loud)?, Mood::Loud);
        assert_eq!(moods.call_id_i32(&mut store, Mood::Calm)?, Mood::Calm);
        Ok(())
    }

    #[test]
    fn references_go_in_and_come_back() -> Result<()> {
        for stress in [false, true] {
            let (mut store, instance) = instance(Config::new().gc_stress(stress), WAT);
            let guest = Guest::new(&mut store, &instance)?;
            let text = ExternRef::new_typed(&mut store, Text::new("a"))?;
            let other = ExternRef::new(&mut store, 1_u8)?;
            let first = guest.call_first(&mut store, text, Some(other))?;
            assert_eq!(first.data(&store)?, &Text::new("a"));
            assert_eq!(guest.call_first(&mut store, text, None)?.data(&store)?, &Text::new("a"));
            assert!(guest.call_maybe(&mut store, None)?.is_none());
            assert!(guest.call_maybe(&mut store, Some(text))?.is_some());
        }
        Ok(())
    }

    #[test]
    fn new_arguments_are_boxed_for_the_call() -> Result<()> {
        for stress in [false, true] {
            let (mut store, instance) = instance(Config::new().gc_stress(stress), WAT);
            let guest = Making::new(&mut store, &instance)?;
            let made = guest.call_first(&mut store, New(Text::new("new")), Some(New(1)))?;
            assert_eq!(made.data(&store)?, &Text::new("new"));
            let made = guest.call_maybe(&mut store, Some(New(Text::new("new"))))?.unwrap();
            assert!(is::<Text>(&made, &store));
            assert!(guest.call_maybe(&mut store, None)?.is_none());
        }
        Ok(())
    }

    #[test]
    fn new_arguments_stay_no_longer_than_the_guest_needs_them() -> Result<()> {
        struct Tracked(Arc<AtomicUsize>);
        impl Drop for Tracked {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        #[wasm_exports]
        struct Sink {
            sink: fn(object: New<Tracked>),
        }
        let (mut store, instance) =
            instance(&Config::new(), r#"(module (func (export "sink") (param externref)))"#);
        let guest = Sink::new(&mut store, &instance)?;
        let dropped: Arc<AtomicUsize> = Arc::default();
        for _ in 0..10 {
            guest.call_sink(&mut store, New(Tracked(dropped.clone())))?;
        }
        store.gc();
        assert_eq!(dropped.load(Ordering::Relaxed), 10, "no scope keeps them");
        Ok(())
    }

    #[test]
    fn a_result_that_does_not_fit_is_an_error_that_names_the_export() -> Result<()> {
        let (mut store, instance) = instance(&Config::new(), WAT);
        let guest = Narrow::new(&mut store, &instance)?;
        assert!(guest.call_as_bool(&mut store, 1)?);
        let message = chain(&guest.call_as_bool(&mut store, 7).unwrap_err());
        assert!(message.contains("the export `id-i32`"), "{message}");
        assert!(message.contains("expected a `bool`, 0 or 1, found 7"), "{message}");
        let message = chain(&guest.call_maybe(&mut store, None).unwrap_err());
        assert!(message.contains("the export `maybe`") && message.contains("null"), "{message}");
        let number = ExternRef::new(&mut store, 1_u8)?;
        let message = chain(&guest.call_maybe(&mut store, Some(number)).unwrap_err());
        assert!(message.contains("exports::Text") && message.contains("u8"), "{message}");
        let moods = Moods::new(&mut store, &instance)?;
        assert_eq!(moods.call_id_i32(&mut store, Mood::Calm)?, Mood::Calm);
        Ok(())
    }

    #[test]
    fn a_trap_is_the_error_itself() {
        let (mut store, instance) = instance(&Config::new(), WAT);
        let guest = Guest::new(&mut store, &instance).unwrap();
        let error = guest.call_boom(&mut store).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::UnreachableCodeReached));
        guest.call_nothing(&mut store).unwrap();
    }
}

mod optional {
    use super::*;

    #[wasm_exports]
    struct Plugin {
        run: fn() -> i32,
        #[export(name = "on-event")]
        on_event: Option<fn(code: i32) -> i32>,
        memory: Option<Memory>,
    }

    #[test]
    fn an_optional_export_may_be_absent() -> Result<()> {
        let (mut store, instance) = instance(
            &Config::new(),
            r#"(module (func (export "run") (result i32) (i32.const 1)))"#,
        );
        let plugin = Plugin::new(&mut store, &instance)?;
        assert_eq!(plugin.call_run(&mut store)?, 1);
        assert!(!plugin.has_on_event());
        assert_eq!(plugin.call_on_event(&mut store, 3)?, None);
        assert!(plugin.memory().is_none());
        Ok(())
    }

    #[wasm_exports]
    struct Threaded {
        memory: SharedMemory,
    }

    #[test]
    fn a_shared_memory_is_no_memory() -> Result<()> {
        let mut config = Config::new();
        config.wasm_threads(true);
        let shared = r#"(module (memory (export "memory") 1 2 shared))"#;
        let (mut store, threaded) = instance(&config, shared);
        assert_eq!(Threaded::new(&mut store, &threaded)?.memory().size(), 1);
        let error = Plugin::new(&mut store, &threaded).map(drop).unwrap_err().to_string();
        assert!(error.contains("expected a memory, found (memory 1 2 shared)"), "{error}");

        let (mut store, other) = instance(&config, r#"(module (memory (export "memory") 1 2))"#);
        let error = Threaded::new(&mut store, &other).map(drop).unwrap_err().to_string();
        assert!(error.contains("expected a shared memory, found (memory 1 2)"), "{error}");
        Ok(())
    }

    #[test]
    fn an_optional_export_may_be_there() -> Result<()> {
        let (mut store, instance) = instance(
            &Config::new(),
            r#"(module
                (memory (export "memory") 1)
                (func (export "run") (result i32) (i32.const 1))
                (func (export "on-event") (param i32) (result i32) (local.get 0)))"#,
        );
        let plugin = Plugin::new(&mut store, &instance)?;
        assert!(plugin.has_on_event());
        assert_eq!(plugin.call_on_event(&mut store, 3)?, Some(3));
        assert!(plugin.memory().is_some());
        Ok(())
    }

    #[test]
    fn an_optional_export_must_have_its_type() {
        let (mut store, instance) = instance(
            &Config::new(),
            r#"(module
                (func (export "memory"))
                (func (export "run") (result i32) (i32.const 1))
                (func (export "on-event") (param i64) (result i32) (i32.const 0)))"#,
        );
        let message = chain(&Plugin::new(&mut store, &instance).err().unwrap());
        assert_eq!(
            message,
            "the guest does not export what `Plugin` declares:\n  \
             `on-event`: parameter 0: expected i32, found i64; the export is \
             (func (param i64) (result i32))\n  \
             `memory`: expected a memory, found (func)"
        );
    }
}

mod items {
    use super::*;

    #[wasm_exports]
    struct Things {
        memory: Memory,
        table: Table,
        counter: Global,
        start: Func,
    }

    #[test]
    fn accessors_give_the_handles() -> Result<()> {
        let (mut store, instance) = instance(
            &Config::new(),
            r#"(module
                (memory (export "memory") 1)
                (data (i32.const 0) "hi")
                (table (export "table") 3 funcref)
                (global (export "counter") (mut i32) (i32.const 7))
                (func (export "start") (global.set 0 (i32.const 8))))"#,
        );
        let things = Things::new(&mut store, &instance)?;
        assert_eq!(&things.memory().data(&store)[..2], b"hi");
        assert_eq!(things.table().size(&store), 3);
        assert_eq!(things.counter().get(&mut store).unwrap_i32(), 7);
        things.start().call(&mut store, &[], &mut [])?;
        assert_eq!(things.counter().get(&mut store).unwrap_i32(), 8);
        Ok(())
    }
}

mod binding {
    use super::*;

    #[wasm_exports]
    pub struct Wanted {
        pub run: fn(a: i32) -> i64,
        pub stop: fn(),
        pub status: fn() -> i32,
        pub take: fn(object: Rooted<ExternRef<Text>>),
        pub memory: Memory,
        pub good: fn(),
    }

    const WAT: &str = r#"(module
        (func (export "run") (param i64) (result i64) (local.get 0))
        (func (export "stopp"))
        (global (export "status") i32 (i32.const 1))
        (func (export "take") (param funcref))
        (func (export "good")))"#;

    const REPORT: &str = "the guest does not export what `Wanted` declares:\n  \
        `run`: parameter 0: expected i32, found i64; the export is (func (param i64) (result i64))\n  \
        `stop`: expected a function, found no export of that name; a similar name is `stopp`\n  \
        `status`: expected a function, found (global i32)\n  \
        `take`: parameter 0: expected (ref extern), found funcref; the export is (func (param funcref))\n  \
        `memory`: expected a memory, found no export of that name";

    #[test]
    fn every_mistake_is_in_one_error() {
        let (mut store, instance) = instance(&Config::new(), WAT);
        let error = Wanted::new(&mut store, &instance).err().unwrap();
        assert_eq!(chain(&error), REPORT);
        let engine = store.engine();
        let module = Module::new(engine, WAT).unwrap();
        let linker = Linker::new(engine);
        let error = Wanted::instantiate(&mut store, &module, &linker).err().unwrap();
        assert_eq!(chain(&error), REPORT);
        let pre = linker.instantiate_pre(&module).unwrap();
        let error = WantedPre::new(pre).err().unwrap();
        assert_eq!(chain(&error), REPORT);
    }

    #[test]
    fn missing_imports_are_reported_by_the_linker() {
        let engine = Engine::default();
        let module = Module::new(&engine, r#"(module (import "a" "b" (func)))"#).unwrap();
        let mut store = Store::new(&engine, ());
        let error = Wanted::instantiate(&mut store, &module, &Linker::new(&engine)).err().unwrap();
        assert!(chain(&error).contains("`a::b`"), "{error:#}");
    }
}

mod pre {
    use super::*;

    #[derive(Default)]
    struct Host {
        sum: i32,
    }

    #[host_module(name = "host", receiver = "state")]
    impl Host {
        fn add(&mut self, value: i32) -> i32 {
            self.sum += value;
            self.sum
        }
    }

    #[wasm_exports]
    struct Plugin {
        run: fn(value: i32) -> i32,
    }

    const WAT: &str = r#"(module
        (import "host" "add" (func $add (param i32) (result i32)))
        (func (export "run") (param i32) (result i32) (call $add (local.get 0))))"#;

    fn plugin(engine: &Engine) -> Result<PluginPre<Host>> {
        let mut linker = Linker::new(engine);
        Host::add_to_linker(&mut linker, |host| host)?;
        PluginPre::new(linker.instantiate_pre(&Module::new(engine, WAT)?)?)
    }

    #[test]
    fn one_pre_serves_many_stores_on_many_threads() -> Result<()> {
        let engine = Engine::default();
        let pre = plugin(&engine)?;
        std::thread::scope(|scope| {
            for start in 0..4 {
                let (pre, engine) = (&pre, &engine);
                scope.spawn(move || {
                    let mut store = Store::new(engine, Host { sum: start });
                    let first = pre.instantiate(&mut store).unwrap();
                    let second = pre.instantiate(&mut store).unwrap();
                    assert_eq!(first.call_run(&mut store, 10).unwrap(), start + 10);
                    assert_eq!(second.call_run(&mut store, 5).unwrap(), start + 15);
                });
            }
        });
        Ok(())
    }

    #[test]
    fn a_guest_of_another_store_is_refused() -> Result<()> {
        let engine = Engine::default();
        let pre = plugin(&engine)?;
        let mut store = Store::new(&engine, Host::default());
        let mut other = Store::new(&engine, Host::default());
        let guest = pre.instantiate(&mut store)?;
        assert!(guest.call_run(&mut other, 1).is_err());
        assert_eq!(guest.call_run(&mut store, 1)?, 1);
        Ok(())
    }
}

mod visibility {
    mod inner {
        use hostref::wasm_exports;

        #[wasm_exports]
        #[derive(Clone, Debug)]
        pub(super) struct Guest {
            pub(super) shown: fn() -> i32,
            hidden: fn() -> i32,
        }

        impl Guest {
            pub(super) fn both(
                &self,
                mut store: impl hostref::AsContextMut,
            ) -> hostref::Result<i32> {
                Ok(self.call_shown(&mut store)? + self.call_hidden(&mut store)?)
            }
        }
    }

    #[test]
    fn methods_are_as_visible_as_their_fields() -> super::Result<()> {
        let (mut store, instance) = super::instance(
            &super::Config::new(),
            r#"(module
                (func (export "shown") (result i32) (i32.const 1))
                (func (export "hidden") (result i32) (i32.const 2)))"#,
        );
        let guest = inner::Guest::new(&mut store, &instance)?.clone();
        assert_eq!(guest.call_shown(&mut store)?, 1);
        assert_eq!(guest.both(&mut store)?, 3);
        Ok(())
    }
}

#[test]
fn two_structs_describe_one_instance() -> Result<()> {
    #[wasm_exports]
    struct Left {
        a: fn() -> i32,
    }
    #[wasm_exports]
    struct Right {
        b: fn() -> i32,
    }
    let (mut store, instance) = instance(
        &Config::new(),
        r#"(module
            (func (export "a") (result i32) (i32.const 1))
            (func (export "b") (result i32) (i32.const 2)))"#,
    );
    let left = Left::new(&mut store, &instance)?;
    let right = Right::new(&mut store, &left.instance())?;
    assert_eq!((left.call_a(&mut store)?, right.call_b(&mut store)?), (1, 2));
    let untyped = right.instance().get_func(&mut store, "a").unwrap();
    let mut results = [Val::I32(0)];
    untyped.call(&mut store, &[], &mut results)?;
    assert_eq!(results[0].unwrap_i32(), 1);
    Ok(())
}
