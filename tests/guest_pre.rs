//! `GuestPre`: names and types are resolved once, and each instance gets its own exports.

use hostref::{Engine, Func, Linker, Module, Result, Store, host_module, wasm_exports};

#[wasm_exports]
struct Guest {
    next: fn() -> i32,
    again: fn(handler: Option<Func>) -> Option<Func>,
    absent: Option<fn()>,
}

struct Env;

#[host_module(name = "env")]
impl Env {
    fn same(f: Option<Func>) -> Option<Func> {
        f
    }
}

#[test]
fn each_instance_has_its_own_functions() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    Env::add_to_linker(&mut linker)?;
    // `again` is an import that is exported: its function is none of the module.
    let module = Module::new(
        &engine,
        r#"(module
            (import "env" "same" (func $same (param funcref) (result funcref)))
            (global $n (mut i32) (i32.const 0))
            (func (export "next") (result i32)
                (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
            (export "again" (func $same)))"#,
    )?;
    let pre = GuestPre::new(linker.instantiate_pre(&module)?)?;
    let mut store = Store::new(&engine, ());
    let (first, second) = (pre.instantiate(&mut store)?, pre.clone().instantiate(&mut store)?);
    assert_eq!(first.call_next(&mut store)?, 1);
    assert_eq!(first.call_next(&mut store)?, 2);
    assert_eq!(second.call_next(&mut store)?, 1);
    assert_ne!(first.instance(), second.instance());
    assert!(first.call_again(&mut store, None)?.is_none() && !first.has_absent());

    let mut other = Store::new(&engine, ());
    let third = pre.instantiate(&mut other)?;
    assert_eq!(third.call_next(&mut other)?, 1);
    Ok(())
}

#[wasm_exports]
struct Narrow {
    make: fn() -> Func,
}

#[test]
fn a_function_of_a_subtype_is_entered_as_what_it_is() -> Result<()> {
    let engine = Engine::default();
    // The provider's function is of a subtype of the type that the guest imports and exports it as.
    let types = r#"
        (type $wide (sub (func (result funcref))))
        (type $narrow (sub $wide (func (result (ref func)))))"#;
    let provider =
        format!("(module {types} (func $make (export \"make\") (type $narrow) (ref.func $make)))");
    let guest = format!(
        "(module {types} (import \"p\" \"make\" (func $make (type $wide)))
            (export \"make\" (func $make)))"
    );
    let (provider, guest) = (Module::new(&engine, provider)?, Module::new(&engine, guest)?);
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    let instance = linker.instantiate(&mut store, &provider)?;
    linker.instance(&mut store, "p", instance)?;
    let pre = NarrowPre::new(linker.instantiate_pre(&guest)?)?;
    let narrow = pre.instantiate(&mut store)?;
    let made = narrow.call_make(&mut store)?;
    assert_eq!(made.ty(&store).results().len(), 1);
    Ok(())
}

#[test]
fn another_engine_is_refused() -> Result<()> {
    let engine = Engine::default();
    let module =
        Module::new(&engine, "(module (func (export \"make\") (result funcref) (ref.null func)))")?;
    let pre = NarrowPre::new(Linker::<()>::new(&engine).instantiate_pre(&module)?)?;
    let mut store = Store::new(&Engine::default(), ());
    let error = pre.instantiate(&mut store).map(drop).unwrap_err().to_string();
    assert!(error.contains("another engine"), "{error}");
    Ok(())
}
