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

#[doc = include_str!("../docs/host_module.md")]
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
/// | `Rooted` and `ManuallyRooted` references, `I31`, handles of types with [`#[derive(GcStruct)]`](macro@GcStruct) or [`#[derive(GcArray)]`](macro@GcArray), `Option`s of them | yes | yes, checked |
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

#[doc = include_str!("../docs/gc_struct.md")]
#[proc_macro_derive(GcStruct, attributes(gc))]
pub fn derive_gc_struct(item: TokenStream) -> TokenStream {
    derive::gc_struct::derive(item.into()).into()
}

#[doc = include_str!("../docs/gc_array.md")]
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
