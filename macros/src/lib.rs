//! The procedural macros of hostref. Depend on `hostref`, which re-exports them.
//!
//! Each macro is a pipeline of files: `parse` reads tokens and attributes into the `model`, `check`
//! applies the rules about the whole, `expand` writes glue. Types are judged by rustc, through the
//! traits of `hostref::__private`; the macros look at syntax only.

mod attr;
mod case;
mod derive;
mod errors;
mod exports;
mod host_module;
mod item;
mod krate;
mod lifetimes;
mod nearest;
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
/// | `link = ".."` | the name of the generated function; a second block on one type needs another | `add_to_linker` |
/// | `crate = path` | where the runtime crate is | `::hostref` |
///
/// A function may carry `#[host(name = "..")]`, which gives it a Wasm name, or `#[host(skip)]`, which
/// leaves it out. `#[cfg]` is respected.
///
/// # Parameters
///
/// First all arguments are converted, from left to right; then all borrows are taken. An argument
/// that does not fit stops the guest with an error that names module, function and parameter.
///
/// | declared | Wasm | accepts |
/// |---|---|---|
/// | `i32` `u32` `i64` `u64` `f32` `f64` `V128` | the same | everything |
/// | `i8` `u8` `i16` `u16` | i32 | what is in range |
/// | `bool`, `char` | i32 | 0 or 1; Unicode scalar values |
/// | a type with [`#[derive(WasmTy)]`](macro@WasmTy) | its inner type | for enums, the discriminants |
/// | `&T` | externref | a host object of type `T` that nobody borrows mutably |
/// | `&mut T` | externref | a host object of type `T` that nobody borrows |
/// | `Option<&T>`, `Option<&mut T>` | externref | the same, or null |
/// | `Rooted<ExternRef<T>>` | externref | a host object of type `T`; an `Option` of it accepts null |
/// | `Rooted<ExternRef>`, `ManuallyRooted<ExternRef>` | externref | any reference; an `Option` of it accepts null |
/// | `Rooted<ExnRef>`, `Option<Rooted<ExnRef>>` | exnref | an exception; or null |
/// | `Func`, `Option<Func>` | funcref | a function; or null |
/// | `cx: &mut Caller<'_, T>` | none | comes first; not beside a `"state"` receiver |
///
/// `T` behind a reference is `Send + Sync + 'static`. No type is recognised by its spelling: aliases
/// and paths work.
///
/// # Results
///
/// `()`, any of the values above, `Rooted` references as they are, `New<T>` for a new object of the
/// guest's, `Option<New<T>>` with null for `None`, and tuples of up to 16 of these for several Wasm
/// results. A `Result` of any of these, with an error that converts to `hostref::Error`, stops the
/// guest on `Err`: the embedder's call returns that very error.
///
/// Borrows end before the result is converted, and also when a function panics.
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
/// `async` functions, `&str` and slices of guest memory, and the keys `memory`, `check`, `errno`,
/// `wrap` and `global`. Using one is an error that says so.
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
/// On the struct, `rename_all = ".."` sets the case of the export names, as in serde, and
/// `crate = path` says where the runtime crate is. On a field, `#[export(name = "..")]` names the
/// export.
///
/// # Types
///
/// Parameters and results are numbers of up to 64 bits, `bool`, `char`, types with
/// [`#[derive(WasmTy)]`](macro@WasmTy), `Rooted<ExternRef<T>>`, `Rooted<ExternRef>`, `ManuallyRooted`
/// references, `Func`, and `Option`s of references. Several results are a tuple. A parameter may also
/// be a `New<T>` or an `Option<New<T>>`: a new object for the guest, which lives for as long as the
/// guest refers to it.
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
/// The derived code is safe. `#[wasm(crate = path)]` says where the runtime crate is, when that is not
/// `::hostref`.
#[proc_macro_derive(WasmTy, attributes(wasm))]
pub fn derive_wasm_ty(item: TokenStream) -> TokenStream {
    derive::wasm_ty::derive(item.into()).into()
}
