//! The tables in the documentation of the macros are true: each row of parameter kinds is a function that a
//! guest calls here, and a row that is added to the documentation without one fails.

use hostref::{
    AnyRef, ArrayRef, Caller, Copied, Engine, EqRef, ExnRef, ExternRef, Func, GcStruct, HostCx,
    HostObject, I31, Linker, ManuallyRooted, Module, Ptr, Result, Rooted, Store, StructRef, Take,
    TypedFunc, V128, WasmTy, host_module, host_trait,
};

#[host_trait]
trait Named {
    fn name(&self) -> String;
}

#[derive(HostObject, Debug)]
#[host_object(cast(dyn Named))]
struct Text(String);

impl Named for Text {
    fn name(&self) -> String {
        self.0.clone()
    }
}

#[derive(WasmTy)]
#[repr(u8)]
enum Color {
    Red = 1,
}

#[derive(GcStruct)]
struct Point {
    x: f64,
}

/// The state of the block: the rows that were called.
#[derive(Default)]
struct Seen(Vec<&'static str>);

struct Rows;

/// Each function checks what it is given and says the first cell of its row, as an object.
#[host_module(name = "rows", state = Seen)]
impl Rows {
    fn numbers(a: i32, b: u32, c: i64, d: u64, e: f32, f: f64) -> Text {
        assert_eq!((a, b, c, d, e, f), (-1, u32::MAX, -2, u64::MAX, 0.5, 1.5));
        row("`i32` `u32` `i64` `u64` `f32` `f64`")
    }

    fn narrow(a: i8, b: u8, c: i16, #[host(wrap)] d: u16) -> Text {
        assert_eq!((a, b, c, d), (-128, 255, -2, 1));
        row("`i8` `u8` `i16` `u16`")
    }

    fn vector(a: V128) -> Text {
        assert_eq!(a.as_u128(), 7);
        row("`V128`")
    }

    fn truth(a: bool, b: char) -> Text {
        assert!(a && b == 'ß');
        row("`bool`, `char`")
    }

    fn derived(color: Color) -> Text {
        let Color::Red = color;
        row("a type with [`#[derive(WasmTy)]`](macro@WasmTy)")
    }

    fn shared(text: &Text) -> Text {
        assert_eq!(text.0, "text");
        row("`&T`")
    }

    fn exclusive(text: &mut Text) -> Text {
        text.0.push('!');
        row("`&mut T`")
    }

    fn taken(text: Take<Text>) -> Text {
        assert_eq!(text.0.0, "text!");
        row("`Take<T>`")
    }

    fn optional(a: Option<&Text>, b: Option<&mut Text>, c: Option<Take<Text>>) -> Text {
        assert!(a.is_some() && b.is_none() && c.is_none());
        row("`Option<&T>`, `Option<&mut T>`, `Option<Take<T>>`")
    }

    fn dynamic(a: &dyn Named, b: Option<&dyn Named>) -> Text {
        assert!(a.name() == "text" && b.is_none());
        row("`&dyn Trait`, `Option<&dyn Trait>`")
    }

    fn typed(
        cx: &mut Caller<'_, Seen>,
        a: Rooted<ExternRef<Text>>,
        b: Option<Rooted<ExternRef<dyn Named>>>,
    ) -> Result<Text> {
        assert!(a.data(&*cx)?.0 == "text" && b.is_none());
        Ok(row("`Rooted<ExternRef<T>>`, also of `dyn Trait`"))
    }

    fn untyped(
        cx: &mut Caller<'_, Seen>,
        a: Rooted<ExternRef>,
        b: ManuallyRooted<ExternRef>,
        c: Option<Rooted<ExternRef>>,
    ) -> Result<Text> {
        assert!(a.data(&*cx)?.is::<Text>() && b.data(&*cx)?.is::<Text>() && c.is_none());
        Ok(row("`Rooted<ExternRef>`, `ManuallyRooted<ExternRef>`"))
    }

    fn exception(
        cx: &mut Caller<'_, Seen>,
        a: Rooted<ExnRef>,
        b: Option<Rooted<ExnRef>>,
    ) -> Result<Text> {
        assert!(a.field(cx, 0)?.unwrap_i32() == 5 && b.is_none());
        Ok(row("`Rooted<ExnRef>`"))
    }

    fn made(
        cx: &mut Caller<'_, Seen>,
        a: Rooted<AnyRef>,
        b: Rooted<EqRef>,
        c: Rooted<StructRef>,
        d: Option<Rooted<ArrayRef>>,
    ) -> Result<Text> {
        assert!(a.is_struct(&*cx)? && Rooted::ref_eq(&*cx, &b, &c.to_eqref())? && d.is_none());
        Ok(row("`Rooted<AnyRef>`, `Rooted<EqRef>`, `Rooted<StructRef>`, `Rooted<ArrayRef>`"))
    }

    fn small(a: I31, b: Option<I31>) -> Text {
        assert!(a.get_i32() == -3 && b.is_none());
        row("`I31`")
    }

    fn handle(cx: &mut Caller<'_, Seen>, a: PointRef, b: Option<PointRef>) -> Result<Text> {
        assert!(a.x(cx)? == 0.25 && b.is_none());
        Ok(row("`PointRef`, the handle of a type with [`#[derive(GcStruct)]`](macro@GcStruct) or \
             [`#[derive(GcArray)]`](macro@GcArray)"))
    }

    fn function(cx: &mut Caller<'_, Seen>, a: Func, b: Option<Func>) -> Result<Text> {
        assert!(a.typed::<i32, i32>(&*cx)?.call(cx, 1)? == 2 && b.is_none());
        Ok(row("`Func`"))
    }

    fn typed_function(
        cx: &mut Caller<'_, Seen>,
        a: TypedFunc<i32, i32>,
        b: Option<TypedFunc<i32, i32>>,
    ) -> Result<Text> {
        assert!(a.call(cx, 1)? == 2 && b.is_none());
        Ok(row("`TypedFunc<P, R>`"))
    }

    fn text(line: &str) -> Text {
        assert_eq!(line, "hello");
        row("`&str`")
    }

    fn slices(from: &[u8], to: &mut [u16]) -> Text {
        to[0] = from.len() as u16;
        row("`&[E]`, `&mut [E]`")
    }

    fn copied(cx: &mut Caller<'_, Seen>, a: Copied<str>, b: Copied<[u8]>) -> Text {
        assert!(cx.data().0.is_empty() && &*a == "hello" && *b == *b"hello");
        row("`Copied<str>`, `Copied<[E]>`")
    }

    fn address(cx: &mut Caller<'_, Seen>, to: Ptr<u16>) -> Result<Text> {
        assert_eq!(to.read(&mut *cx)?, 5);
        to.write(cx, 6)?;
        Ok(row("`Ptr<E>`"))
    }

    fn caller(cx: &mut Caller<'_, Seen>) -> Text {
        assert!(cx.data().0.is_empty());
        row("`cx: &mut Caller<'_, T>`")
    }
}

#[host_module(name = "rows", receiver = "state", link = "add_context_to_linker")]
impl Seen {
    fn context(cx: &mut HostCx<'_, Self>) -> Text {
        assert!(cx.state().0.is_empty());
        row("`cx: &mut HostCx<'_, Self>`")
    }
}

fn row(cell: &str) -> Text {
    Text(cell.to_owned())
}

/// Calls each function, and gives the embedder what it returned.
const GUEST: &str = r#"
    (module
        (type $point (struct (field f64)))
        (type $call (func (param i32) (result i32)))
        (tag $tag (param i32))
        (memory (export "memory") 1)
        (data (i32.const 0) "hello")
        (elem declare func $next)
        (func $next (type $call) (i32.add (local.get 0) (i32.const 1)))
        (func $throw (result exnref) (local $e exnref)
            (block $caught (result i32 exnref)
                (try_table (catch_ref $tag $caught) (throw $tag (i32.const 5)))
                unreachable)
            local.set $e
            drop
            local.get $e)
"#;

/// The arguments of each function, in the text format. `$t` is a text.
const CALLS: [(&str, &str, &str); 24] = [
    (
        "numbers",
        "i32 i32 i64 i64 f32 f64",
        "(i32.const -1) (i32.const -1) (i64.const -2) (i64.const -1) (f32.const 0.5) (f64.const 1.5)",
    ),
    (
        "narrow",
        "i32 i32 i32 i32",
        "(i32.const -128) (i32.const 255) (i32.const -2) (i32.const 65537)",
    ),
    ("vector", "v128", "(v128.const i64x2 7 0)"),
    ("truth", "i32 i32", "(i32.const 1) (i32.const 0xdf)"),
    ("derived", "i32", "(i32.const 1)"),
    ("shared", "externref", "(local.get $t)"),
    ("exclusive", "externref", "(local.get $t)"),
    ("taken", "externref", "(local.get $t)"),
    (
        "optional",
        "externref externref externref",
        "(local.get $t) (ref.null extern) (ref.null extern)",
    ),
    ("dynamic", "externref externref", "(local.get $t) (ref.null extern)"),
    ("typed", "externref externref", "(local.get $t) (ref.null extern)"),
    ("untyped", "externref externref externref", "(local.get $t) (local.get $t) (ref.null extern)"),
    ("exception", "exnref exnref", "(call $throw) (ref.null exn)"),
    (
        "made",
        "anyref eqref structref arrayref",
        "(local.tee $p (struct.new $point (f64.const 1))) (local.get $p) (local.get $p) (ref.null array)",
    ),
    ("small", "i31ref i31ref", "(ref.i31 (i32.const -3)) (ref.null i31)"),
    (
        "handle",
        "(ref null $point) (ref null $point)",
        "(struct.new $point (f64.const 0.25)) (ref.null $point)",
    ),
    ("function", "funcref funcref", "(ref.func $next) (ref.null func)"),
    ("typed_function", "funcref funcref", "(ref.func $next) (ref.null func)"),
    ("text", "i32 i32", "(i32.const 0) (i32.const 5)"),
    ("slices", "i32 i32 i32 i32", "(i32.const 0) (i32.const 5) (i32.const 8) (i32.const 1)"),
    ("copied", "i32 i32 i32 i32", "(i32.const 0) (i32.const 5) (i32.const 0) (i32.const 5)"),
    ("address", "i32", "(i32.const 8)"),
    ("caller", "", ""),
    ("context", "", ""),
];

/// The guest that imports and calls all functions: each export gives the row that its function says.
fn guest() -> String {
    let mut wat = GUEST.to_owned();
    let imports: String = CALLS
        .iter()
        .map(|(name, params, _)| {
            format!(
                "(import \"rows\" \"{name}\" (func ${name} (param {params}) (result externref)))\n"
            )
        })
        .collect();
    let at = wat.find("(tag").expect("the types come first");
    wat.insert_str(at, &imports);
    for (name, _, arguments) in CALLS {
        wat += &format!(
            "(func (export \"{name}\") (param $t externref) (result externref)
                (local $p (ref null $point)) (call ${name} {arguments}))\n"
        );
    }
    wat + ")"
}

/// The first cells of the table of parameters in the documentation of `#[host_module]`.
fn documented() -> Vec<String> {
    let docs = include_str!("../macros/docs/host_module.md");
    let table = docs.split("# Parameters\n").nth(1).expect("there is a section on parameters");
    let rows = table.lines().skip_while(|line| !line.starts_with("|---"));
    let rows = rows.skip(1).map_while(|line| line.strip_prefix("| "));
    rows.map(|row| row.split(" | ").next().expect("a row has cells").to_owned()).collect()
}

#[test]
fn every_kind_of_parameter_is_documented_and_does_what_its_row_says() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    Rows::add_to_linker(&mut linker)?;
    Seen::add_context_to_linker(&mut linker, |seen: &mut Seen| seen)?;
    let mut store = Store::new(&engine, Seen::default());
    let instance = linker.instantiate(&mut store, &Module::new(&engine, guest())?)?;
    let mut called = Vec::new();
    let mut text = ExternRef::object(&mut store, Text("text".to_owned()))?;
    for (name, ..) in CALLS {
        let call = instance
            .get_typed_func::<Rooted<ExternRef<Text>>, Rooted<ExternRef<Text>>>(&mut store, name)?;
        let row = call.call(&mut store, text)?;
        called.push(row.data(&store)?.0.clone());
        if name == "taken" {
            text = ExternRef::object(&mut store, Text("text".to_owned()))?;
        }
    }
    let memory = instance.get_memory(&mut store, "memory").expect("the memory");
    assert_eq!(memory.data(&store)[8..10], [6, 0]);
    let mut documented = documented();
    assert_eq!(documented.len(), CALLS.len());
    documented.sort();
    called.sort();
    assert_eq!(documented, called);
    Ok(())
}
