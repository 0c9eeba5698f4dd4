//! `#[wasm_exports]`: typed globals, functions as values, text and bytes through the guest's allocator.

use hostref::{
    Config, Engine, Error, ExternRef, Func, Global, Instance, Memory, Module, New, Result, Rooted,
    Store, TypedFunc, Val, wasm_exports,
};

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

mod globals {
    use super::*;

    const WAT: &str = r#"(module
        (global (export "ticks") (export "same") (mut i32) (i32.const 7))
        (global (export "limit") f64 (f64.const 1.5))
        (global (export "flag") (mut i32) (i32.const 1))
        (global (export "object") (mut externref) (ref.null extern))
        (global (export "handler") (mut funcref) (ref.null func)))"#;

    #[wasm_exports]
    struct Guest {
        ticks: Global<u32>,
        limit: Global<f64>,
        flag: Global<bool>,
        object: Global<Option<Rooted<ExternRef<String>>>>,
        handler: Global<Option<Func>>,
        absent: Option<Global<i64>>,
        same: Global,
    }

    #[wasm_exports]
    struct Wrong {
        ticks: Global<u64>,
        object: Global<Option<Func>>,
        limits: Global<f64>,
    }

    #[test]
    fn typed_globals_are_read_and_written() -> Result<()> {
        for stress in [false, true] {
            let (mut store, instance) = instance(Config::new().gc_stress(stress), WAT);
            let guest = Guest::new(&mut store, &instance)?;
            assert_eq!(guest.ticks().get(&mut store)?, 7);
            guest.ticks().set(&mut store, u32::MAX)?;
            assert_eq!(guest.same().get(&mut store).unwrap_i32(), -1);
            assert_eq!(guest.limit().get(&mut store)?, 1.5);
            let error = guest.limit().set(&mut store, 2.0).unwrap_err();
            assert_eq!(error.to_string(), "the global is immutable");
            assert!(guest.flag().get(&mut store)?);
            guest.same().set(&mut store, Val::I32(2))?;
            let text = ExternRef::new_typed(&mut store, String::from("text"))?;
            assert!(guest.object().get(&mut store)?.is_none());
            guest.object().set(&mut store, Some(text))?;
            store.gc();
            assert_eq!(guest.object().get(&mut store)?.unwrap().data(&store)?, "text");
            let double = Func::wrap(&mut store, |n: i32| n * 2);
            guest.handler().set(&mut store, Some(double))?;
            assert!(guest.handler().get(&mut store)?.is_some());
            assert!(guest.absent().is_none());
        }
        Ok(())
    }

    #[test]
    fn a_value_that_is_none_of_the_type_is_an_error() -> Result<()> {
        let (mut store, instance) = instance(&Config::new(), WAT);
        let guest = Guest::new(&mut store, &instance)?;
        let flag = instance.get_global(&mut store, "flag").unwrap();
        flag.set(&mut store, Val::I32(2))?;
        let error = guest.flag().get(&mut store).unwrap_err();
        assert!(chain(&error).contains("expected a `bool`, 0 or 1, found 2"), "{error:#}");
        let mut other = Store::new(store.engine(), ());
        assert!(guest.ticks().get(&mut other).is_err());
        Ok(())
    }

    #[test]
    fn other_types_are_reported_with_what_was_found() {
        let (mut store, instance) = instance(&Config::new(), WAT);
        let message = chain(&Wrong::new(&mut store, &instance).err().unwrap());
        assert_eq!(
            message,
            "the guest does not export what `Wrong` declares:\n  \
             `ticks`: expected a global of type i64; the export is (global (mut i32))\n  \
             `object`: expected a global of type funcref; the export is (global (mut externref))\n  \
             `limits`: expected a global, found no export of that name; a similar name is `limit`"
        );
    }
}

mod functions {
    use super::*;

    #[wasm_exports]
    struct Guest {
        pass: fn(f: TypedFunc<i32, i32>) -> TypedFunc<i32, i32>,
        maybe: fn(f: Option<TypedFunc<i32, i32>>) -> Option<TypedFunc<i32, i32>>,
        double: fn() -> TypedFunc<i32, i32>,
        other: fn() -> TypedFunc<i64, i32>,
    }

    #[test]
    fn typed_functions_go_in_and_come_back() -> Result<()> {
        let (mut store, instance) = instance(
            &Config::new(),
            r#"(module
                (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
                (elem declare func $double)
                (func (export "pass") (param funcref) (result funcref) (local.get 0))
                (func (export "maybe") (param funcref) (result funcref) (local.get 0))
                (func (export "double") (result funcref) (ref.func $double))
                (func (export "other") (result funcref) (ref.func $double)))"#,
        );
        let guest = Guest::new(&mut store, &instance)?;
        let double = guest.call_double(&mut store)?;
        let double = guest.call_pass(&mut store, double)?;
        assert_eq!(double.call(&mut store, 21)?, 42);
        assert!(guest.call_maybe(&mut store, None)?.is_none());
        assert!(guest.call_maybe(&mut store, Some(double))?.is_some());
        let message = chain(&guest.call_other(&mut store).unwrap_err());
        assert!(message.contains("the export `other`"), "{message}");
        assert!(message.contains("parameter 0: expected i64, found i32"), "{message}");
        Ok(())
    }
}

mod text {
    use super::*;

    /// A guest that allocates upwards, and sums up bytes.
    const WAT: &str = r#"(module
        (memory (export "memory") 1)
        (global $next (mut i32) (i32.const 64))
        (func (export "malloc") (param i32) (result i32)
            (if (i32.gt_u (local.get 0) (i32.const 60000)) (then (return (i32.const 0))))
            (global.get $next)
            (global.set $next (i32.add (global.get $next) (local.get 0))))
        (func (export "wild") (param i32) (result i32) (i32.const -16))
        (func $sum (export "sum") (export "sum-wild") (param $at i32) (param $len i32) (result i32)
            (local $sum i32)
            (block $end (loop $next
                (br_if $end (i32.eqz (local.get $len)))
                (local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get $at))))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (local.set $len (i32.sub (local.get $len) (i32.const 1)))
                (br $next)))
            (local.get $sum))
        (func (export "both") (param i32 i32 i64 externref i32 i32) (result i32 i64 externref)
            (i32.add (call $sum (local.get 0) (local.get 1)) (call $sum (local.get 4) (local.get 5)))
            (local.get 2)
            (local.get 3)))"#;

    #[wasm_exports]
    struct Guest {
        #[export(alloc = "malloc")]
        sum: fn(bytes: &[u8]) -> i32,
        #[export(alloc = "malloc")]
        both: fn(
            text: &str,
            n: i64,
            object: New<u8>,
            bytes: &[u8],
        ) -> (i32, i64, Rooted<ExternRef<u8>>),
        #[export(alloc = "wild", name = "sum-wild")]
        wild: fn(text: &str) -> i32,
        memory: Memory,
    }

    #[test]
    fn text_and_bytes_are_copied_to_room_of_the_guest_s() -> Result<()> {
        for stress in [false, true] {
            let (mut store, instance) = instance(Config::new().gc_stress(stress), WAT);
            let guest = Guest::new(&mut store, &instance)?;
            assert_eq!(guest.call_sum(&mut store, &[1, 2, 250])?, 253);
            assert_eq!(guest.call_sum(&mut store, &[])?, 0);
            let (sum, n, object) = guest.call_both(&mut store, "\u{1}\u{2}", -5, New(9), &[10])?;
            assert_eq!((sum, n, *object.data(&store)?), (13, -5, 9));
            assert_eq!(&guest.memory().data(&store)[64..70], &[1, 2, 250, 1, 2, 10]);
        }
        Ok(())
    }

    #[test]
    fn an_allocator_that_fails_is_named() -> Result<()> {
        let (mut store, instance) = instance(&Config::new(), WAT);
        let guest = Guest::new(&mut store, &instance)?;
        let message = chain(&guest.call_sum(&mut store, &[0; 60001]).unwrap_err());
        assert_eq!(message, "the export `malloc` found no room for 60001 bytes");
        let message = chain(&guest.call_wild(&mut store, "ab").unwrap_err());
        assert!(message.contains("the export `wild` gave 2 bytes at 0xfffffff0"), "{message}");
        assert!(message.contains("out of bounds memory access"), "{message}");
        Ok(())
    }

    #[test]
    fn a_guest_without_the_allocator_is_reported() {
        let (mut store, instance) = instance(
            &Config::new(),
            r#"(module
                (func (export "malloc") (param i64) (result i32) (i32.const 0))
                (func (export "sum") (param i32) (result i32) (i32.const 0))
                (func (export "sum-wild") (param i32 i32) (result i32) (i32.const 0))
                (func (export "both") (param i32 i32 i64 externref i32 i32)
                    (result i32 i64 externref) (unreachable)))"#,
        );
        let message = chain(&Guest::new(&mut store, &instance).err().unwrap());
        for part in [
            "`sum`: expected 2 parameters, found 1",
            "`malloc`: parameter 0: expected i32, found i64",
            "`wild`: expected a function, found no export of that name",
            "`memory`: expected a memory, found no export of that name",
        ] {
            assert!(message.contains(part), "{message}");
        }
    }
}
