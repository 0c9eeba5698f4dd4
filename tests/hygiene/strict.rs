//! Nothing in scope, common names taken, the runtime under another name.

#![allow(dead_code, reason = "most names are here to be in the way")]

struct Result;
struct Option;
struct String;
struct Vec;
struct Box;
#[allow(non_camel_case_types)]
struct i32;
struct D;
struct T;
#[allow(non_upper_case_globals)]
const linker: () = ();
#[allow(non_upper_case_globals)]
const store: () = ();
#[allow(non_upper_case_globals)]
const module: () = ();

/// The state.
#[derive(::std::default::Default)]
pub struct App {
    /// What was logged.
    pub log: Log,
}

/// A log.
#[derive(::std::default::Default)]
pub struct Log(::std::vec::Vec<u32>);

/// A color.
#[derive(::renamed::WasmTy, ::std::clone::Clone, ::std::marker::Copy)]
#[wasm(crate = ::renamed)]
#[repr(u8)]
pub enum Color {
    /// Red.
    Red,
    /// Green.
    Green,
}

/// A length.
#[derive(::renamed::WasmTy)]
#[wasm(crate = ::renamed)]
pub struct Meters(f64);

#[::renamed::host_module(receiver = "state", state = App, crate = ::renamed)]
impl Log {
    fn push(&mut self, line: u32, color: Color) -> ::renamed::New<Meters> {
        self.0.push(line + color as u32);
        ::renamed::New(Meters(1.5))
    }

    fn make(_: Meters) -> ::std::result::Result<u32, ::std::fmt::Error> {
        ::std::result::Result::Err(::std::fmt::Error)
    }
}

/// The guest.
#[::renamed::wasm_exports(crate = ::renamed)]
pub struct Guest {
    /// Runs.
    pub run: fn(color: Color, n: u32) -> Color,
    /// May be told.
    pub tell: ::std::option::Option<fn(u32)>,
    pub(crate) stop: fn(),
    /// The memory.
    pub memory: ::std::option::Option<::renamed::Memory>,
}

/// What is generated works all the same.
#[test]
fn it_links() {
    let engine: ::renamed::Engine = ::std::default::Default::default();
    let mut definitions = ::renamed::Linker::new(&engine);
    ::std::assert!(Log::add_to_linker(&mut definitions, |app: &mut App| &mut app.log).is_ok());
    ::std::assert_eq!(Log::SIGNATURES.functions().len(), 2);
}
