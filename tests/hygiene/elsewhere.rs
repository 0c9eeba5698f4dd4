//! The macros and the types of their blocks by other paths: re-exported, renamed, in another module.

mod api {
    //! What a crate of one's own may offer.

    pub(crate) use ::renamed::{
        ExternRef, Linker, New, Rooted, host_module as functions, wasm_exports as exports,
    };

    pub(crate) mod runtime {
        //! The runtime, re-exported.

        pub(crate) use ::renamed::*;
    }
}

mod types {
    //! The types of the block in the module above.

    /// A name.
    pub(crate) struct Name(pub(crate) ::std::string::String);

    /// Names.
    pub(crate) struct Names;

    pub(crate) type Held = super::api::Rooted<super::api::ExternRef<Name>>;
}

use self::api::runtime as rt;
use self::types::Held as Handle;

#[api::functions(name = "names", crate = rt)]
impl types::Names {
    /// Makes a name of a number.
    fn make(number: u64) -> api::New<types::Name> {
        api::New(types::Name(::std::string::ToString::to_string(&number)))
    }

    fn same(a: Handle, b: &types::Name) -> bool {
        let _ = a;
        b.0.is_empty()
    }
}

#[api::exports(crate = self::api::runtime)]
struct Guest {
    keep: fn(name: Handle) -> ::std::option::Option<Handle>,
}

#[test]
fn they_link() {
    let engine: rt::Engine = ::std::default::Default::default();
    let mut linker: api::Linker<()> = api::Linker::new(&engine);
    ::std::assert!(types::Names::add_to_linker(&mut linker).is_ok());
    let same = types::Names::SIGNATURES.function("same").unwrap();
    ::std::assert_eq!(
        ::std::string::ToString::to_string(same),
        "(func (param (ref extern) (ref extern)) (result i32))"
    );
    let source =
        "(module (func (export \"keep\") (param externref) (result externref) (local.get 0)))";
    let module = rt::Module::new(&engine, source).unwrap();
    let mut store = rt::Store::new(&engine, ());
    let guest = Guest::instantiate(&mut store, &module, &linker).unwrap();
    let name = types::Name(::std::string::String::new());
    let name = rt::ExternRef::new_typed(&mut store, name).unwrap();
    ::std::assert!(guest.call_keep(&mut store, name).unwrap().is_some());
}
