//! Which blocks `#[host_module]` accepts, and with which keys: paths, instances of generic types, several
//! blocks for one type, blocks in functions and in other modules, blocks that a macro writes.

use hostref::{Caller, Engine, HostCx, Linker, New, Result, host_module};

mod types {
    #[derive(Default)]
    pub struct Stack<T>(pub Vec<T>);

    pub struct HTTPClient2;
}

#[derive(Default)]
struct App {
    log: Log<String>,
    bytes: types::Stack<u8>,
}

#[derive(Default)]
struct Log<T>(Vec<T>);

#[host_module(name = "stack", receiver = "object")]
impl types::Stack<i64> {
    fn new() -> New<Self> {
        New(Self::default())
    }

    fn push(&mut self, value: i64) {
        self.0.push(value);
    }

    fn same(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

#[host_module(name = "bytes", receiver = "state", memory = "heap")]
impl types::Stack<u8> {
    fn push(&mut self, values: &[u8]) {
        self.0.extend_from_slice(values);
    }

    // Functions that do not use the receiver may stand beside those that do.
    fn largest() -> u8 {
        u8::MAX
    }
}

#[host_module(receiver = "state", state = App)]
impl Log<String> {
    fn push(&mut self, line: &str) {
        self.0.push(line.to_owned());
    }

    fn len(cx: &mut Caller<'_, App>) -> u32 {
        cx.data().log.0.len() as u32
    }
}

#[host_module(
    name = "log",
    receiver = "state",
    rename_all = "SCREAMING_SNAKE_CASE",
    link = "add_more_to_linker"
)]
impl Log<String> {
    fn most_recent(cx: &mut HostCx<'_, Self>) -> u32 {
        cx.state().0.last().map_or(0, |line| line.len() as u32)
    }
}

mod elsewhere {
    #[hostref::host_module(crate = hostref)]
    impl super::types::HTTPClient2 {
        pub(crate) fn status(code: i32) -> bool {
            code == 200
        }
    }
}

macro_rules! objects {
    ($($name:ident { $($field:ident: $ty:ty),* })*) => {$(
        #[derive(Default)]
        struct $name {
            $($field: $ty),*
        }

        #[host_module(receiver = "object")]
        impl $name {
            fn make() -> New<$name> {
                New($name::default())
            }

            $(
                fn $field(&self) -> $ty {
                    self.$field
                }
            )*
        }
    )*};
}

objects! {
    Point { x: i32, y: i32 }
    Flag { set: bool }
}

macro_rules! functions {
    ($ty:ident, $module:literal, $data:ty, $($name:ident($($param:ident: $of:ty),*) -> $result:ty $body:block)*) => {
        struct $ty;

        #[host_module(name = $module, state = $data)]
        impl $ty {
            $(
                fn $name($($param: $of),*) -> $result $body
            )*
        }
    };
}

functions! {
    ByMacro, "by-macro", App,
    sum(a: i32, b: &Point) -> i32 { a + b.x + b.y }
    lines(cx: &mut Caller<'_, App>) -> u32 { cx.data().log.0.len() as u32 }
}

pub(crate) fn main() -> Result<()> {
    struct Local;

    #[host_module]
    impl Local {
        fn twice(n: i32) -> i32 {
            n * 2
        }
    }

    let mut linker = Linker::new(&Engine::default());
    types::Stack::<i64>::add_to_linker(&mut linker)?;
    types::Stack::<u8>::add_to_linker(&mut linker, |app: &mut App| &mut app.bytes)?;
    Log::add_to_linker(&mut linker, |app| &mut app.log)?;
    Log::add_more_to_linker(&mut linker, |app| &mut app.log)?;
    types::HTTPClient2::add_to_linker(&mut linker)?;
    Point::add_to_linker(&mut linker)?;
    Flag::add_to_linker(&mut linker)?;
    ByMacro::add_to_linker(&mut linker)?;
    Local::add_to_linker(&mut linker)?;
    assert_eq!(types::HTTPClient2::SIGNATURES.module(), "http-client2");
    assert_eq!(Log::MORE_SIGNATURES.functions()[0].name(), "MOST_RECENT");
    assert!(Flag::SIGNATURES.to_wat().contains(r#"(import "flag" "set""#));
    Ok(())
}
