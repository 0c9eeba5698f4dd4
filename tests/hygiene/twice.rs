//! Several blocks on one type, one name in two modules, two structs of exports, in one file.

use ::renamed::{host_module, wasm_exports};

struct Tools;

#[host_module(name = "a", crate = ::renamed)]
impl Tools {
    fn shared() -> i32 {
        1
    }
}

#[host_module(name = "b", link = "add_b_to_linker", crate = ::renamed)]
impl Tools {
    #[host(name = "shared")]
    fn shared_of_b() -> i32 {
        2
    }
}

/// Other kinds of `self` need other blocks.
#[host_module(name = "c", link = "add_c_to_linker", receiver = "state", crate = ::renamed)]
impl Tools {
    fn touch(&mut self) {}
}

#[wasm_exports(crate = ::renamed)]
struct First {
    run: fn() -> i32,
}

#[wasm_exports(crate = ::renamed)]
struct Second {
    run: ::std::option::Option<fn() -> i32>,
}

#[test]
fn both_are_there() {
    let engine: ::renamed::Engine = ::std::default::Default::default();
    let mut linker = ::renamed::Linker::new(&engine);
    Tools::add_to_linker(&mut linker).unwrap();
    Tools::add_b_to_linker(&mut linker).unwrap();
    Tools::add_c_to_linker(&mut linker, |tools| tools).unwrap();
    let source = r#"(module
        (import "a" "shared" (func $a (result i32)))
        (import "b" "shared" (func $b (result i32)))
        (import "c" "touch" (func $touch))
        (func (export "run") (result i32)
            (call $touch) (i32.sub (call $a) (call $b))))"#;
    let module = ::renamed::Module::new(&engine, source).unwrap();
    let mut store = ::renamed::Store::new(&engine, Tools);
    let first = First::instantiate(&mut store, &module, &linker).unwrap();
    ::std::assert_eq!(first.call_run(&mut store).unwrap(), -1);
    let second = Second::new(&mut store, &first.instance()).unwrap();
    ::std::assert!(second.has_run());
    ::std::assert_eq!(second.call_run(&mut store).unwrap(), ::std::option::Option::Some(-1));
    ::std::assert_eq!(Tools::B_SIGNATURES.module(), "b");
    ::std::assert_eq!(Tools::C_SIGNATURES.functions()[0].params().len(), 0);
}
