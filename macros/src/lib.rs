//! The procedural macros of hostref. Depend on `hostref`, which re-exports them.
//!
//! Each macro is a pipeline of files: `parse` reads tokens and attributes into the `model`, `check`
//! applies the rules about the whole, `expand` writes glue. Types are judged by rustc, through the
//! traits of `hostref::__private`; the macros look at syntax only.

mod attr;
mod case;
mod cfgs;
mod derive;
mod errors;
mod exports;
mod guest;
mod host_module;
mod host_trait;
mod item;
mod krate;
mod lifetimes;
mod nearest;
#[cfg(test)]
mod snapshots;
mod spans;

use proc_macro::TokenStream;

/// Turns the functions of an inherent impl block into functions that a Wasm guest imports.
///
/// The block stays as it is. Beside it appears `Self::add_to_linker`, which defines every function
/// of the block in a `hostref::Linker`.
///
/// ```
/// use hostref::{
///     Engine, ExternRef, Linker, Module, New, Result, Rooted, Store, host_module, wasm_exports,
/// };
///
/// pub struct Text(String);
///
/// struct HostString;
///
/// #[host_module(name = "host-string")]
/// impl HostString {
///     fn concat(a: &Text, b: &Text) -> New<Text> {
///         New(Text(format!("{}{}", a.0, b.0)))
///     }
/// }
///
/// #[wasm_exports]
/// struct Guest {
///     run: fn(a: Rooted<ExternRef<Text>>, b: Rooted<ExternRef<Text>>) -> Rooted<ExternRef<Text>>,
/// }
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"
///     (module
///         (import "host-string" "concat"
///             (func $concat (param externref externref) (result externref)))
///         (func (export "run") (param externref externref) (result externref)
///             (call $concat (local.get 0) (local.get 1))))
/// "#)?;
/// let mut linker = Linker::new(&engine);
/// HostString::add_to_linker(&mut linker)?;
///
/// let mut store = Store::new(&engine, ());
/// let guest = Guest::instantiate(&mut store, &module, &linker)?;
/// let hello = ExternRef::new_typed(&mut store, Text("Hello, ".into()))?;
/// let world = ExternRef::new_typed(&mut store, Text("World!".into()))?;
/// let both = guest.call_run(&mut store, hello, world)?;
/// assert_eq!(both.data(&store)?.0, "Hello, World!");
/// # Ok(())
/// # }
/// ```
///
/// # Keys of the block
///
/// | key | meaning | default |
/// |---|---|---|
/// | `name = ".."` | the module name that guests import from | the type's name in kebab-case |
/// | `receiver = "object"` | `&self` is the first Wasm parameter, an externref to a `Self` | none |
/// | `receiver = "state"` | `&self` is a part of the store's data, found by a function given to `add_to_linker` | none |
/// | `state = T` | the type of the store's data; needed when a function takes `cx: &mut Caller<'_, T>` | any type |
/// | `rename_all = ".."` | the case of the Wasm names, as in serde | as written |
/// | `check = ".."` | a guest, `.wat` or `.wasm`, that the block is compared with at compile time | none |
/// | `memory = ".."` | the export of the calling instance that text and slices lie in | `"memory"` |
/// | `link = ".."` | the name of the generated function; a second block on one type needs another | `add_to_linker` |
/// | `crate = path` | where the runtime crate is | `::hostref` |
///
/// A function may carry `#[host(name = "..")]`, which gives it a Wasm name, `#[host(skip)]`, which leaves
/// it out, or `#[host(errno)]`, which passes its `Result<(), E>` as one number: 0 for `Ok`, otherwise
/// what `E` converts to, an `i32` other than 0. A constant with `#[host(global)]` is an immutable global.
/// `#[cfg]` on functions and on parameters is respected: a parameter that is configured out is absent in
/// Wasm too.
///
/// Beside `add_to_linker` stands the constant `SIGNATURES`, a `hostref::Signatures`: names, Wasm types
/// and documentation, and the declarations that guests import with, in the text format, in Rust and in
/// C. With `link = "add_math_to_linker"` it is `MATH_SIGNATURES`. What `check` compares is in the
/// documentation of the crate hostref.
///
/// # Parameters
///
/// First all arguments are converted, from left to right; then all borrows are taken. An argument
/// that does not fit stops the guest with an error that names module, function and parameter.
///
/// | declared | Wasm | accepts |
/// |---|---|---|
/// | `i32` `u32` `i64` `u64` `f32` `f64` | the same | everything |
/// | `i8` `u8` `i16` `u16` | i32 | what is in range; with `#[host(wrap)]` before the parameter the lower bits of anything |
/// | `V128` | v128 | everything |
/// | `bool`, `char` | i32 | 0 or 1; Unicode scalar values |
/// | a type with [`#[derive(WasmTy)]`](macro@WasmTy) | its inner type | what the derive accepts |
/// | `&T` | externref | a host object of type `T` that nobody borrows mutably |
/// | `&mut T` | externref | a host object of type `T` that is not frozen and that nobody borrows |
/// | `Take<T>` | externref | the same, frozen or not; it is moved out, and later uses are errors |
/// | `Option<&T>`, `Option<&mut T>`, `Option<Take<T>>` | externref | the same, or null |
/// | `&dyn Trait`, `Option<&dyn Trait>` | externref | a host object whose type says `cast(dyn Trait)`; see [`host_trait`] |
/// | `Rooted<ExternRef<T>>`, also of `dyn Trait` | externref | a host object of type `T`, not borrowed; an `Option` of it accepts null |
/// | `Rooted<ExternRef>`, `ManuallyRooted<ExternRef>` | externref | any reference; an `Option` of it accepts null |
/// | `Rooted<ExnRef>`, `AnyRef`, `EqRef`, `StructRef`, `ArrayRef` | exnref, anyref, .. | an exception, what guests make; an `Option` of it accepts null |
/// | `I31`, `Option<NoneRef>` | i31ref, nullref | an integer of 31 bits, also as an `Option`; null |
/// | `Func` | funcref | a function; an `Option` of it accepts null |
/// | `TypedFunc<P, R>` | funcref | a function of that type; an `Option` of it accepts null |
/// | `&str` | address, length | UTF-8 in the guest's memory |
/// | `&[E]`, `&mut [E]` | address, length | numbers in the guest's memory; a `&mut` overlaps nothing |
/// | `Copied<str>`, `Copied<[E]>` | address, length | the same, copied |
/// | `Ptr<E>` | address | any; `read(cx)` and `write(cx, value)` check it |
/// | `cx: &mut Caller<'_, T>` | none | comes first; not beside a `"state"` receiver or a slice |
/// | `cx: &mut HostCx<'_, Self>` | none | likewise, in a store with data of any type |
///
/// `T` behind a reference is `Send + Sync + 'static`. `E` is a number type. No type is recognised by its
/// spelling: aliases and paths work.
///
/// Addresses and lengths are i32, and i64 when the calling instance's memory has 64-bit addresses.
/// A module that imports such a function and does not export the memory does not link.
///
/// # Results
///
/// `()`, any of the values above, `Rooted` references as they are, `New<T>` for a new object of the
/// guest's, `Option<New<T>>` with null for `None`, a type with
/// [`#[derive(HostObject)]`](macro@HostObject) as it is, and tuples of up to 16 of these for several Wasm
/// results. A `Result` of any of these, with an error that converts to `hostref::Error`, stops the
/// guest on `Err`: the embedder's call returns that very error.
///
/// Borrows end before the result is converted, and also when a function panics.
///
/// # Guest memory
///
/// ```
/// use hostref::{Engine, Linker, Module, Result, Store, host_module};
///
/// struct Text;
///
/// #[host_module(name = "text")]
/// impl Text {
///     #[host(global)]
///     const MOST: u32 = 1024;
///
///     fn words(text: &str) -> u32 {
///         text.split_whitespace().count() as u32
///     }
///
///     fn shout(text: &mut [u8]) {
///         text.make_ascii_uppercase();
///     }
///
///     #[host(errno)]
///     fn copy(from: &[u8], to: &mut [u8]) -> Result<(), i32> {
///         let to = to.get_mut(..from.len()).ok_or(34)?;
///         to.copy_from_slice(from);
///         Ok(())
///     }
/// }
///
/// # fn main() -> hostref::Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"
///     (module
///         (import "text" "words" (func $words (param i32 i32) (result i32)))
///         (import "text" "shout" (func $shout (param i32 i32)))
///         (import "text" "copy" (func $copy (param i32 i32 i32 i32) (result i32)))
///         (import "text" "MOST" (global $most i32))
///         (memory (export "memory") 1)
///         (data (i32.const 0) "to be or not")
///         (func (export "run") (result i32 i32)
///             (call $shout (i32.const 0) (i32.const 5))
///             (call $words (i32.const 0) (i32.const 12))
///             (call $copy (i32.const 0) (i32.const 12) (i32.const 64) (i32.const 4)))
///         (func (export "overlap")
///             (drop (call $copy (i32.const 0) (i32.const 4) (i32.const 2) (i32.const 4)))))
/// "#)?;
/// let mut linker = Linker::new(&engine);
/// Text::add_to_linker(&mut linker)?;
/// let mut store = Store::new(&engine, ());
/// let instance = linker.instantiate(&mut store, &module)?;
/// let run = instance.get_typed_func::<(), (u32, i32)>(&mut store, "run")?;
/// assert_eq!(run.call(&mut store, ())?, (4, 34));
/// let memory = instance.get_memory(&mut store, "memory").unwrap();
/// assert_eq!(&memory.data(&store)[..12], b"TO BE or not");
/// let overlap = instance.get_typed_func::<(), ()>(&mut store, "overlap")?;
/// let error = overlap.call(&mut store, ()).unwrap_err();
/// assert!(format!("{error:#}").contains("parameter `to` of `text::copy`"));
/// # Ok(())
/// # }
/// ```
///
/// # Exceptions
///
/// A function throws by returning what `Caller::throw` returns; a guest further out may catch it.
///
/// ```
/// use hostref::{
///     Caller, Engine, ExnRef, FuncType, Linker, Module, Result, Store, Tag, TagType, Val, ValType,
///     host_module, wasm_exports,
/// };
///
/// struct Files;
///
/// #[host_module(name = "files", state = Option<Tag>)]
/// impl Files {
///     fn size(cx: &mut Caller<'_, Option<Tag>>, file: i32) -> Result<i64> {
///         if file == 0 {
///             return Ok(4096);
///         }
///         let not_found = cx.data().expect("the tag was made with the store");
///         let exception = ExnRef::new(&mut *cx, &not_found, &[Val::I32(file)])?;
///         cx.throw(exception)
///     }
/// }
///
/// #[wasm_exports]
/// struct Guest {
///     size_or_none: fn(file: i32) -> i64,
/// }
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let mut store = Store::new(&engine, None);
/// let ty = TagType::new(FuncType::new(&engine, [ValType::I32], []));
/// let not_found = Tag::new(&mut store, &ty)?;
/// *store.data_mut() = Some(not_found);
/// let mut linker = Linker::new(&engine);
/// Files::add_to_linker(&mut linker)?;
/// linker.define(&store, "files", "not_found", not_found)?;
/// let module = Module::new(&engine, r#"
///     (module
///         (import "files" "not_found" (tag $not_found (param i32)))
///         (import "files" "size" (func $size (param i32) (result i64)))
///         (func (export "size_or_none") (param i32) (result i64)
///             (block $none (result i32)
///                 (return (try_table (result i64) (catch $not_found $none)
///                     (call $size (local.get 0)))))
///             drop
///             (i64.const -1)))
/// "#)?;
/// let guest = Guest::instantiate(&mut store, &module, &linker)?;
/// assert_eq!(guest.call_size_or_none(&mut store, 0)?, 4096);
/// assert_eq!(guest.call_size_or_none(&mut store, 7)?, -1);
/// # Ok(())
/// # }
/// ```
///
/// # Objects
///
/// ```
/// use hostref::{Engine, Linker, Module, New, Result, Store, host_module};
///
/// struct Counter(i64);
///
/// #[host_module(receiver = "object")]
/// impl Counter {
///     fn new(start: i64) -> New<Counter> {
///         New(Counter(start))
///     }
///
///     /// In Wasm: `(func (param externref i64) (result i64))`.
///     fn add(&mut self, by: i64) -> i64 {
///         self.0 += by;
///         self.0
///     }
///
///     fn swap(a: &mut Counter, b: &mut Counter) {
///         std::mem::swap(a, b);
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let mut linker = Linker::new(&engine);
/// Counter::add_to_linker(&mut linker)?;
/// let module = Module::new(&engine, r#"
///     (module
///         (import "counter" "new" (func $new (param i64) (result externref)))
///         (import "counter" "swap" (func $swap (param externref externref)))
///         (func (export "run") (local $a externref)
///             (local.set $a (call $new (i64.const 1)))
///             (call $swap (local.get $a) (local.get $a))))
/// "#)?;
/// let mut store = Store::new(&engine, ());
/// let instance = linker.instantiate(&mut store, &module)?;
/// let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
/// let error = run.call(&mut store, ()).unwrap_err();
/// let message = format!("{error:#}");
/// assert!(message.contains("parameter `b` of `counter::swap`"));
/// assert!(message.contains("is already mutably borrowed by parameter `a` of `counter::swap`"));
/// # Ok(())
/// # }
/// ```
///
/// # State
///
/// ```
/// use hostref::{Engine, Linker, Module, Result, Store, host_module};
///
/// #[derive(Default)]
/// struct App {
///     log: Log,
/// }
///
/// #[derive(Default)]
/// struct Log(Vec<i32>);
///
/// #[host_module(receiver = "state")]
/// impl Log {
///     fn push(&mut self, code: i32) {
///         self.0.push(code);
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let mut linker = Linker::new(&engine);
/// Log::add_to_linker(&mut linker, |app: &mut App| &mut app.log)?;
/// let module = Module::new(&engine, r#"
///     (module
///         (import "log" "push" (func $push (param i32)))
///         (func (export "run") (call $push (i32.const 7))))
/// "#)?;
/// let mut store = Store::new(&engine, App::default());
/// let instance = linker.instantiate(&mut store, &module)?;
/// instance.get_typed_func::<(), ()>(&mut store, "run")?.call(&mut store, ())?;
/// assert_eq!(store.data().log.0, [7]);
/// # Ok(())
/// # }
/// ```
///
/// # The store
///
/// A function that takes `cx` runs in a root scope and may do what the embedder may: reach the
/// store's data, make objects, call functions of the guest.
///
/// ```
/// use hostref::{Caller, Func, Result, host_module};
///
/// struct Events;
///
/// #[host_module(name = "events", state = u32)]
/// impl Events {
///     fn fire(cx: &mut Caller<'_, u32>, handler: Func, code: i32) -> Result<i32> {
///         *cx.data_mut() += 1;
///         handler.typed::<i32, i32>(&*cx)?.call(cx, code)
///     }
/// }
/// # fn main() {}
/// ```
///
/// # What does not work yet
///
/// `async` functions. Using one is an error that says so.
#[proc_macro_attribute]
pub fn host_module(arguments: TokenStream, item: TokenStream) -> TokenStream {
    host_module::host_module(arguments.into(), item.into()).into()
}

/// Turns a struct of function types into the typed exports of a Wasm guest.
///
/// Each field declares one export. The struct stays one of that name and visibility; in place of its
/// fields it gets a method for each, as visible as the field:
///
/// | field | methods |
/// |---|---|
/// | `run: fn(a: A, b: B) -> R` | `call_run(&self, store, a: A, b: B) -> hostref::Result<R>` |
/// | `run: Option<fn(a: A) -> R>` | `call_run(..) -> hostref::Result<Option<R>>` and `has_run(&self) -> bool` |
/// | `memory: Memory`, also `SharedMemory`, `Table`, `Global`, `Tag`, `Func` and `Option`s of them | `memory(&self) -> Memory` |
/// | `ticks: Global<i32>`, a global of that type | `ticks(&self) -> Global<i32>` |
///
/// and three ways to be made:
///
/// * `Guest::new(&mut store, &instance)`;
/// * `Guest::instantiate(&mut store, &module, &linker)`;
/// * `GuestPre::new(linker.instantiate_pre(&module)?)`, which finds and checks everything once, and
///   then `pre.instantiate(&mut store)` for each instance.
///
/// Each reports *all* exports that are missing or of another type, in one error. `guest.instance()`
/// gives the instance back.
///
/// ```
/// use hostref::{Engine, Linker, Memory, Module, Result, Store, wasm_exports};
///
/// #[wasm_exports(rename_all = "kebab-case")]
/// struct Guest {
///     /// Adds two numbers.
///     add_numbers: fn(a: i32, b: i32) -> i32,
///     #[export(name = "on-exit")]
///     exit: Option<fn(code: i32)>,
///     memory: Memory,
/// }
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"
///     (module
///         (memory (export "memory") 1)
///         (func (export "add-numbers") (param i32 i32) (result i32)
///             (i32.add (local.get 0) (local.get 1))))
/// "#)?;
/// let linker = Linker::new(&engine);
/// let pre = GuestPre::new(linker.instantiate_pre(&module)?)?;
///
/// let mut store = Store::new(&engine, ());
/// let guest = pre.instantiate(&mut store)?;
/// assert_eq!(guest.call_add_numbers(&mut store, 2, 3)?, 5);
/// assert!(!guest.has_exit());
/// assert_eq!(guest.call_exit(&mut store, 0)?, None);
/// assert_eq!(guest.memory().data_size(&store), 65536);
///
/// let other = Module::new(&engine, r#"
///     (module
///         (func (export "add-number") (param i32 i32) (result i32) (i32.const 0))
///         (func (export "memory")))
/// "#)?;
/// let error = GuestPre::new(linker.instantiate_pre(&other)?).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the guest does not export what `Guest` declares:\n  \
///      `add-numbers`: expected a function, found no export of that name; a similar name is `add-number`\n  \
///      `memory`: expected a memory, found (func)",
/// );
/// # Ok(())
/// # }
/// ```
///
/// # Keys
///
/// On the struct, `rename_all = ".."` sets the case of the export names, as in serde;
/// `check = "guest.wat"` has the exports of that file compared at compile time, as in
/// [`host_module`](macro@host_module); and `crate = path` says where the runtime crate is. On a field, `#[export(name = "..")]` names the export, `#[export(alloc = "..")]` names the
/// guest's allocator, for functions that take text or bytes, and a `#[cfg]` makes it conditional.
///
/// # Types
///
/// | declared | parameter | result |
/// |---|---|---|
/// | numbers of up to 64 bits, `V128`, `bool`, `char`, types with [`#[derive(WasmTy)]`](macro@WasmTy) | yes | yes, checked |
/// | `Rooted` and `ManuallyRooted` references, `Option`s of them | yes | yes, checked |
/// | `Func`, `TypedFunc<P, R>`, `Option`s of them | yes | yes, checked |
/// | `New<T>`, `Option<New<T>>`: a new object that lives while the guest refers to it | yes | no |
/// | a tuple: several Wasm values | no | yes |
/// | `&str`, `&[u8]`: an address and a length in the guest's memory | with `alloc` | no |
///
/// With `alloc` each call asks the guest's allocator, a function from a size to an address, for room in
/// the exported `memory` and copies the argument there. The guest owns the room.
///
/// ```
/// use hostref::{Engine, Global, Linker, Module, Result, Store, wasm_exports};
///
/// #[wasm_exports]
/// struct Guest {
///     #[export(alloc = "malloc")]
///     sum: fn(bytes: &[u8]) -> u32,
///     next: Global<u32>,
/// }
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"
///     (module
///         (memory (export "memory") 1)
///         (global $next (export "next") (mut i32) (i32.const 1024))
///         (func (export "malloc") (param i32) (result i32)
///             (global.get $next)
///             (global.set $next (i32.add (global.get $next) (local.get 0))))
///         (func (export "sum") (param $at i32) (param $len i32) (result i32)
///             (i32.add
///                 (i32.load8_u (local.get $at))
///                 (i32.load8_u offset=1 (local.get $at)))))
/// "#)?;
/// let mut store = Store::new(&engine, ());
/// let guest = Guest::instantiate(&mut store, &module, &Linker::new(&engine))?;
/// assert_eq!(guest.call_sum(&mut store, &[40, 2])?, 42);
/// assert_eq!(guest.next().get(&mut store)?, 1026);
/// # Ok(())
/// # }
/// ```
///
/// A reference is checked on the way back: one of another type than declared, or null where the type
/// has no null, is an error that names the export.
#[proc_macro_attribute]
pub fn wasm_exports(arguments: TokenStream, item: TokenStream) -> TokenStream {
    exports::wasm_exports(arguments.into(), item.into()).into()
}

/// Lets a type of your own stand for a Wasm value: in host functions, in exports, in typed calls.
///
/// A struct of one field travels as that field. An enum without data travels as its discriminant; its
/// type must be fixed with `#[repr(..)]` as one of `i8` to `i64` and `u8` to `u64`, and a number that
/// is no discriminant is refused and named.
///
/// ```
/// use hostref::{Engine, Func, Result, Store, WasmTy};
///
/// #[derive(WasmTy, Clone, Copy, Debug, PartialEq)]
/// struct Celsius(f64);
///
/// #[derive(WasmTy, Clone, Copy, Debug, PartialEq)]
/// #[repr(u8)]
/// enum Color {
///     Red = 1,
///     Green,
/// }
///
/// # fn main() -> Result<()> {
/// let mut store = Store::new(&Engine::default(), ());
/// let paint = Func::wrap(&mut store, |at: Celsius| match at.0 < 10.0 {
///     true => Color::Green,
///     false => Color::Red,
/// });
/// let typed = paint.typed::<Celsius, Color>(&store)?;
/// assert_eq!(typed.call(&mut store, Celsius(21.5))?, Color::Red);
/// let number = paint.typed::<f64, i32>(&store)?;
/// assert_eq!(number.call(&mut store, -3.0)?, 2);
/// assert_eq!(
///     Color::try_from_wasm(7).unwrap_err().to_string(),
///     "7 is no `Color`; it has 1 = Red, 2 = Green",
/// );
/// # Ok(())
/// # }
/// ```
///
/// Any other type travels as one that it converts to and from, as in serde: with
/// `#[wasm(try_from = "..", into = "..")]`. An error of the conversion stops the guest, and comes back to
/// the embedder.
///
/// ```
/// use hostref::{Error, Result, WasmTy};
///
/// #[derive(WasmTy, Debug, PartialEq)]
/// #[wasm(try_from = "i32", into = "i32")]
/// struct Percent {
///     value: u8,
/// }
///
/// impl TryFrom<i32> for Percent {
///     type Error = Error;
///
///     fn try_from(value: i32) -> Result<Percent> {
///         let value = u8::try_from(value).ok().filter(|value| *value <= 100);
///         value.map(|value| Percent { value }).ok_or_else(|| Error::msg("more than 100%"))
///     }
/// }
///
/// impl From<Percent> for i32 {
///     fn from(percent: Percent) -> i32 {
///         percent.value.into()
///     }
/// }
///
/// assert_eq!(Percent::try_from_wasm(7).unwrap(), Percent { value: 7 });
/// assert!(Percent::try_from_wasm(101).is_err());
/// ```
///
/// The derived code is safe. `#[wasm(crate = path)]` says where the runtime crate is, when that is not
/// `::hostref`.
#[proc_macro_derive(WasmTy, attributes(wasm))]
pub fn derive_wasm_ty(item: TokenStream) -> TokenStream {
    derive::wasm_ty::derive(item.into()).into()
}

/// Gives a type of host objects a name and properties.
///
/// Every `Send + Sync + 'static` type can be a host object without deriving anything. This is for types
/// that want more, said by `#[host_object(..)]`:
///
/// | key | meaning | default |
/// |---|---|---|
/// | `name = ".."` | what messages call the type | the type's name |
/// | `frozen` | its objects are never borrowed mutably, by nobody | they may be |
/// | `cast(dyn Trait, ..)` | functions may take its objects as `&dyn Trait`; see [`host_trait`] | none |
/// | `size = path` | a function from `&Self` to the bytes that the value owns besides itself, when the object is made; they count towards the next collection and `Config::host_memory_limit` | 0 |
/// | `crate = path` | where the runtime crate is | `::hostref` |
///
/// A type that derives it may be the result of a [`#[host_module]`](macro@host_module) function as it
/// is, in tuples and `Result`s too.
///
/// An object gets its properties when it is made, by `ExternRef::object`, as the result of such a
/// function, bare or in `New`. `ExternRef::new` and the like make plain objects, whatever their
/// type derives.
///
/// ```
/// use hostref::{Engine, ExternRef, HostObject, Linker, Module, Result, Store, host_module, host_trait};
///
/// #[host_trait]
/// trait Shape {
///     fn area(&self) -> f64;
/// }
///
/// #[derive(HostObject)]
/// #[host_object(frozen, cast(dyn Shape))]
/// struct Square(f64);
///
/// #[derive(HostObject)]
/// #[host_object(cast(dyn Shape), size = Polygon::bytes)]
/// struct Polygon(Vec<(f64, f64)>);
///
/// impl Polygon {
///     fn bytes(&self) -> usize {
///         self.0.capacity() * size_of::<(f64, f64)>()
///     }
/// }
/// # impl Shape for Square {
/// #     fn area(&self) -> f64 {
/// #         self.0 * self.0
/// #     }
/// # }
/// # impl Shape for Polygon {
/// #     fn area(&self) -> f64 {
/// #         let next = self.0.iter().cycle().skip(1);
/// #         self.0.iter().zip(next).map(|(a, b)| a.0 * b.1 - a.1 * b.0).sum::<f64>() / 2.0
/// #     }
/// # }
///
/// #[host_module(receiver = "object")]
/// impl Square {
///     fn new(side: f64) -> Square {
///         Square(side)
///     }
///
///     fn area(shape: &dyn Shape) -> f64 {
///         shape.area()
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"
///     (module
///         (import "square" "new" (func $new (param f64) (result externref)))
///         (import "square" "area" (func $area (param externref) (result f64)))
///         (func (export "run") (param externref) (result f64)
///             (f64.add
///                 (call $area (call $new (f64.const 2)))
///                 (call $area (local.get 0)))))
/// "#)?;
/// let mut linker = Linker::new(&engine);
/// Square::add_to_linker(&mut linker)?;
/// let mut store = Store::new(&engine, ());
/// let instance = linker.instantiate(&mut store, &module)?;
/// let triangle = Polygon(vec![(0.0, 0.0), (2.0, 0.0), (0.0, 1.0)]);
/// let triangle = ExternRef::object(&mut store, triangle)?;
/// let run = instance.get_typed_func(&mut store, "run")?;
/// let area: f64 = run.call(&mut store, triangle.to_untyped())?;
/// assert_eq!(area, 5.0);
/// # Ok(())
/// # }
/// ```
#[proc_macro_derive(HostObject, attributes(host_object))]
pub fn derive_host_object(item: TokenStream) -> TokenStream {
    derive::host_object::derive(item.into()).into()
}

/// GCSTRUCT_DOCS
#[proc_macro_derive(GcStruct, attributes(gc))]
pub fn derive_gc_struct(item: TokenStream) -> TokenStream {
    derive::gc_struct::derive(item.into()).into()
}

/// GCARRAY_DOCS
#[proc_macro_derive(GcArray, attributes(gc))]
pub fn derive_gc_array(item: TokenStream) -> TokenStream {
    derive::gc_array::derive(item.into()).into()
}

/// Lets guests pass objects as `&dyn Trait`.
///
/// The trait stays as it is; it is one of which trait objects can be made. Functions of a
/// [`#[host_module]`](macro@host_module) may then take `&dyn Trait`, `Option<&dyn Trait>` and
/// `Rooted<ExternRef<dyn Trait>>`, from objects of all types that say `cast(dyn Trait)`: see
/// [`#[derive(HostObject)]`](macro@HostObject).
///
/// ```
/// use hostref::{ExternRef, HostObject, Result, Rooted, Store, host_trait};
///
/// #[host_trait]
/// trait Named {
///     fn name(&self) -> String;
/// }
///
/// #[derive(HostObject)]
/// #[host_object(cast(dyn Named))]
/// struct User(String);
///
/// impl Named for User {
///     fn name(&self) -> String {
///         self.0.clone()
///     }
/// }
/// # fn main() {}
/// ```
///
/// Its only key is `crate = path`, which says where the runtime crate is.
#[proc_macro_attribute]
pub fn host_trait(arguments: TokenStream, item: TokenStream) -> TokenStream {
    host_trait::host_trait(arguments.into(), item.into()).into()
}
