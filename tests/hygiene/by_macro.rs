//! Blocks and structs that a `macro_rules!` makes, from types, names and literals that its caller gives.

use ::renamed::{host_module, wasm_exports};

macro_rules! host {
    ($(#[$attr:meta])* $name:ident as $module:literal: $($function:ident($($param:ident: $ty:ty),*) -> $result:ty;)*) => {
        $(#[$attr])*
        pub(crate) struct $name;

        #[host_module(name = $module, crate = ::renamed)]
        impl $name {
            $(
                /// From the macro.
                fn $function($($param: $ty),*) -> $result {
                    let _ = ($($param,)*);
                    <$result as ::std::default::Default>::default()
                }
            )*
        }
    };
}

macro_rules! guest {
    ($name:ident { $($field:ident: $ty:ty),* $(,)? }) => {
        /// From the macro.
        #[wasm_exports(crate = ::renamed)]
        pub(crate) struct $name {
            $(
                /// From the macro.
                pub(crate) $field: $ty,
            )*
        }
    };
}

host! {
    /// One.
    One as "one":
    add(a: i32, b: i32) -> i32;
    length(text: &::std::string::String) -> u64;
}

host! {
    /// Another.
    Other as "other":
    nothing() -> ();
}

guest!(Guest { run: fn(n: i32) -> i32, memory: ::renamed::Memory });
guest!(More { run: ::std::option::Option<fn()> });

#[test]
fn they_link_and_run() {
    let engine: ::renamed::Engine = ::std::default::Default::default();
    let mut linker = ::renamed::Linker::new(&engine);
    ::std::assert!(One::add_to_linker(&mut linker).is_ok());
    ::std::assert!(Other::add_to_linker(&mut linker).is_ok());
    let source = r#"(module
        (import "one" "add" (func $add (param i32 i32) (result i32)))
        (import "other" "nothing" (func))
        (memory (export "memory") 1)
        (func (export "run") (param i32) (result i32)
            (call $add (local.get 0) (i32.const 1))))"#;
    let module = ::renamed::Module::new(&engine, source).unwrap();
    let mut store = ::renamed::Store::new(&engine, ());
    let guest = Guest::instantiate(&mut store, &module, &linker).unwrap();
    ::std::assert_eq!(guest.call_run(&mut store, 5).unwrap(), 0);
    ::std::assert_eq!(guest.memory().size(&store), 1);
    let more = More::new(&mut store, &guest.instance());
    ::std::assert!(more.is_err(), "the same export has another type");
}
