//! What `strict.rs` checks, for objects, guest memory and the flags of functions.

/// Takes the common names.
pub mod api {
    #![allow(dead_code)]

    struct Result;
    struct Option;
    struct String;
    struct Box;
    #[allow(non_camel_case_types)]
    struct str;
    #[allow(non_camel_case_types)]
    struct usize;
    #[allow(non_camel_case_types)]
    struct bool;
    #[allow(non_camel_case_types)]
    struct i32;
    #[allow(non_upper_case_globals)]
    const value: () = ();

    /// A shape.
    #[::renamed::host_trait(crate = ::renamed)]
    pub trait Shape {
        /// Its area.
        fn area(&self) -> f64;
    }

    /// A square.
    #[derive(::renamed::HostObject)]
    #[host_object(crate = ::renamed, frozen, cast(dyn Shape), size = Square::bytes)]
    pub struct Square(f64);

    impl Square {
        fn bytes(&self) -> ::core::primitive::usize {
            0
        }
    }

    impl Shape for Square {
        fn area(&self) -> f64 {
            self.0
        }
    }

    /// A level.
    #[derive(::renamed::WasmTy)]
    #[wasm(crate = ::renamed, try_from = "u8", into = "u8")]
    pub struct Level(u8);

    impl ::std::convert::From<u8> for Level {
        fn from(level: u8) -> Level {
            Level(level)
        }
    }

    impl ::std::convert::From<Level> for u8 {
        fn from(level: Level) -> u8 {
            level.0
        }
    }

    #[::renamed::host_module(receiver = "state", state = Square, memory = "heap", crate = ::renamed)]
    impl Square {
        #[host(global)]
        const SIDES: u8 = 4;

        fn make(side: f64, #[host(wrap)] low: u8, level: Level) -> Square {
            Square(side + (low + level.0) as f64)
        }

        fn several(&mut self, bytes: &mut [u8]) -> (Square, ::renamed::New<Square>) {
            bytes.fill(0);
            (Square(self.0), ::renamed::New(Square(self.0)))
        }

        fn context(cx: &mut ::renamed::HostCx<'_, Self>, shape: &dyn Shape) -> f64 {
            cx.state().0 + shape.area()
        }

        #[host(errno)]
        fn open(bytes: &[u8]) -> ::std::result::Result<(), ::core::primitive::i32> {
            ::std::result::Result::Err(bytes.len() as ::core::primitive::i32)
        }
    }

    /// A point.
    #[derive(::renamed::GcStruct)]
    #[gc(crate = ::renamed, open)]
    pub struct Point {
        /// Where it is.
        pub x: f64,
        #[gc(mut)]
        next: ::std::option::Option<PointRef>,
        level: Level,
    }

    /// A point in the plane.
    #[derive(::renamed::GcStruct)]
    #[gc(crate = ::renamed, group = (Pixel,))]
    pub struct Pixel {
        #[gc(base)]
        point: Point,
        /// Its color.
        #[gc(mut, packed)]
        pub set: ::core::primitive::bool,
    }

    /// Bytes.
    #[derive(::renamed::GcArray)]
    #[gc(crate = ::renamed, mut)]
    pub struct Bytes(::std::boxed::Box<[u8]>);

    /// The guest.
    #[::renamed::wasm_exports(crate = ::renamed)]
    pub struct Guest {
        /// Sends bytes.
        #[export(alloc = "malloc")]
        pub send: fn(bytes: &[u8], n: u32) -> u32,
        /// Counts.
        pub ticks: ::renamed::Global<u32>,
    }
}

/// It links.
#[test]
fn it_links() {
    let engine: ::renamed::Engine = ::std::default::Default::default();
    let mut linker = ::renamed::Linker::new(&engine);
    ::std::assert!(api::Square::add_to_linker(&mut linker, |square| square).is_ok());
}
