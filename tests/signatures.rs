//! `SIGNATURES`: the constants are what the linker checks, and the texts for guest authors are accepted
//! by those who read such texts.

#![allow(unused_variables, non_snake_case, reason = "the names are what is tested")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hostref::{
    AnyRef, Caller, Copied, Engine, ExternRef, Func, GcArray, GcStruct, I31, Linker, Module, New,
    Ptr, Result, Rooted, SignatureType, Signatures, Store, Take, V128, WasmTy, host_module,
    wasm_exports,
};

struct Text(String);

#[derive(WasmTy)]
struct Meters(f64);

type Outcome<T> = std::result::Result<T, std::io::Error>;

#[host_module(name = "every \"form\"", rename_all = "kebab-case", receiver = "object", state = u8)]
impl Text {
    /// Makes one.
    ///
    /// Ends with a backslash \
    fn new() -> New<Text> {
        New(Text(String::new()))
    }

    fn append(&mut self, other: &Text, times: u32) -> Outcome<()> {
        self.0 += &other.0.repeat(times as usize);
        Ok(())
    }

    fn numbers(a: bool, b: i64, c: f32, d: Meters, r#while: char) -> u64 {
        0
    }

    /// Nothing at all.
    fn nothing() {}

    fn several(_: Option<&Text>) -> (i32, Option<New<Text>>) {
        (0, None)
    }

    fn vector(v: V128) -> V128 {
        v
    }

    fn callback(cx: &mut Caller<'_, u8>, f: Option<Func>, g: Func) -> Result<Option<Func>> {
        Ok(f)
    }

    fn roots(a: Rooted<ExternRef<Text>>, b: Option<Rooted<ExternRef>>) -> Rooted<ExternRef<Text>> {
        a
    }

    fn memory(line: &str, out: &mut [u16], #[host(wrap)] code: u8) {}

    fn copied(cx: &mut Caller<'_, u8>, text: Copied<str>, at: Ptr<u32>, _: Take<Text>) {}

    #[host(errno)]
    fn number() -> std::result::Result<(), i32> {
        Ok(())
    }

    #[host(name = "while")]
    fn keyword(int: i32, INT: i32) {}

    #[host(name = "new_")]
    fn nearly_new() {}

    #[cfg(any())]
    fn gone() {}
}

struct Math;

#[host_module(name = "math", link = "add_math_to_linker")]
impl Math {
    /// Ends with a backslash \
    #[host(global)]
    const BASE: f64 = std::f64::consts::E;

    #[host(global, name = "all right\\")]
    const GOOD: bool = true;

    /// Adds.
    fn add(a: i32, b: i32) -> i32 {
        a + b
    }

    fn hypot(a: f64, b: f64) -> f64 {
        a.hypot(b)
    }
}

#[derive(GcStruct)]
struct Point {
    x: f64,
    #[gc(mut, packed)]
    r#type: bool,
}

mod polar {
    use hostref::GcStruct;

    /// Another type of the same name.
    #[derive(GcStruct)]
    pub(super) struct Point {
        pub(super) angle: f32,
    }
}

#[derive(GcStruct)]
#[gc(open)]
struct Shape {
    center: PointRef,
    #[gc(mut)]
    label: Option<Rooted<ExternRef<Text>>>,
}

#[derive(GcStruct)]
struct Polygon {
    #[gc(base)]
    shape: Shape,
    corners: PointsRef,
    next: Option<PolygonRef>,
}

#[derive(GcArray)]
#[gc(mut)]
struct Points(Vec<Option<PointRef>>);

#[derive(GcStruct)]
#[gc(group = (Tree, Branches))]
struct Tree {
    branches: Option<BranchesRef>,
    leaf: Rooted<AnyRef>,
    number: Option<I31>,
    height: u8,
}

#[derive(GcArray)]
#[gc(group = (Tree, Branches), mut, open)]
struct Branches(Vec<Option<TreeRef>>);

struct Shapes;

#[host_module(name = "shapes", rename_all = "kebab-case", state = ())]
impl Shapes {
    fn polygon(
        cx: &mut Caller<'_, ()>,
        corners: PointsRef,
        label: Option<Rooted<ExternRef<Text>>>,
    ) -> Result<PolygonRef> {
        let center = PointRef::new(&mut *cx, Point { x: 0.5, r#type: true })?;
        let shape = Shape { center, label };
        PolygonRef::new(cx, Polygon { shape, corners, next: None })
    }

    fn center(cx: &mut Caller<'_, ()>, shape: ShapeRef) -> Result<PointRef> {
        shape.center(cx)
    }

    fn to_polar(cx: &mut Caller<'_, ()>, point: PointRef) -> Result<polar::PointRef> {
        let x = point.x(&mut *cx)?;
        polar::PointRef::new(cx, polar::Point { angle: x as f32 * 2.0 })
    }

    fn count(cx: &mut Caller<'_, ()>, branches: Option<BranchesRef>) -> Result<(u32, TreeRef)> {
        let count = branches.map_or(Ok(0), |branches| branches.len(&*cx))?;
        let leaf = AnyRef::from_i31(&mut *cx, I31::wrapping_u32(count));
        let tree = Tree { branches, leaf, number: None, height: 1 };
        Ok((count, TreeRef::new(cx, tree)?))
    }
}

const ALL: [Signatures; 3] = [Text::SIGNATURES, Math::MATH_SIGNATURES, Shapes::SIGNATURES];

#[test]
fn the_import_lines_link() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    Text::add_to_linker(&mut linker)?;
    Math::add_math_to_linker(&mut linker)?;
    for signatures in [Text::SIGNATURES, Math::MATH_SIGNATURES] {
        let memory = "(memory (export \"memory\") 1)";
        let module = Module::new(&engine, format!("(module {} {memory})", signatures.to_wat()))?;
        let all = signatures.functions().len() + signatures.globals().len();
        assert_eq!(module.imports().len(), all);
        linker.instantiate_pre(&module)?;
    }
    Ok(())
}

#[test]
fn declared_types_are_defined_before_they_are_mentioned() {
    let wat = Shapes::SIGNATURES.to_wat();
    let definitions: String = wat
        .lines()
        .take_while(|line| !line.starts_with("(import"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(
        definitions,
        r#"
(type $Point (struct (field $x f64) (field $type (mut i8))))
(type $Points (array (mut (ref null $Point))))
(type $Shape (sub (struct (field $center (ref $Point)) (field $label (mut externref)))))
(type $Polygon (sub final $Shape (struct (field $center (ref $Point)) (field $label (mut externref)) (field $corners (ref $Points)) (field $next (ref null $Polygon)))))
(type $Point_2 (struct (field $angle f32)))
(rec
  (type $Tree (struct (field $branches (ref null $Branches)) (field $leaf (ref any)) (field $number i31ref) (field $height i8)))
  (type $Branches (sub (array (mut (ref null $Tree))))))
"#
        .trim_start()
    );
    let polar = r#"(func $to_polar (param $point (ref null $Point)) (result (ref null $Point_2)))"#;
    assert!(wat.contains(polar), "{wat}");
}

#[wasm_exports]
struct ShapesGuest {
    center_of: fn(label: Option<Rooted<ExternRef<Text>>>) -> f64,
    angle: fn(x: f64) -> f32,
    trees: fn() -> (u32, TreeRef),
}

#[test]
fn a_guest_made_from_the_text_links_and_runs() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    Shapes::add_to_linker(&mut linker)?;
    let imports = Shapes::SIGNATURES.to_wat();
    let module = Module::new(
        &engine,
        format!(
            r#"(module
{imports}
(func (export "center_of") (param externref) (result f64) (local $polygon (ref null $Polygon))
    (local.set $polygon
        (call $polygon (array.new_default $Points (i32.const 3)) (local.get 0)))
    (drop (struct.get $Polygon $corners (local.get $polygon)))
    (struct.get $Point $x (call $center (local.get $polygon))))
(func (export "angle") (param f64) (result f32)
    (struct.get $Point_2 $angle
        (call $to_polar (struct.new $Point (local.get 0) (i32.const 1)))))
(func (export "trees") (result i32 (ref null $Tree))
    (call $count (array.new_default $Branches (i32.const 4)))))"#
        ),
    )?;
    let mut store = Store::new(&engine, ());
    let guest = ShapesGuest::instantiate(&mut store, &module, &linker)?;
    assert_eq!(guest.call_center_of(&mut store, None)?, 0.5);
    assert_eq!(guest.call_angle(&mut store, 1.5)?, 3.0);
    let (count, tree) = guest.call_trees(&mut store)?;
    assert_eq!((count, tree.height(&mut store)?), (4, 1));
    assert_eq!(tree.branches(&mut store)?.expect("what was passed").len(&store)?, 4);
    Ok(())
}

/// Mentions types of `Shapes` again, and has functions of the same names.
struct Plots;

#[host_module(name = "plots", rename_all = "kebab-case")]
impl Plots {
    fn center(point: PointRef, polar: polar::PointRef) {}

    fn grow(tree: TreeRef) {}
}

#[test]
fn the_texts_of_several_blocks_join() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    Shapes::add_to_linker(&mut linker)?;
    Plots::add_to_linker(&mut linker)?;
    let all = [Plots::SIGNATURES, Shapes::SIGNATURES];
    let apart: String = all.iter().map(Signatures::to_wat).collect();
    assert!(Module::new(&engine, format!("(module {apart})")).is_err(), "defined twice");
    let wat = Signatures::wat_of(all);
    assert_eq!(wat.matches("(type $Tree ").count(), 1, "{wat}");
    let module = Module::new(&engine, format!("(module {wat})"))?;
    let functions: usize = all.iter().map(|signatures| signatures.functions().len()).sum();
    assert_eq!(module.imports().len(), functions);
    linker.instantiate_pre(&module)?;
    assert_eq!(Signatures::wat_of([]), "");
    Ok(())
}

struct Untold;

#[derive(GcStruct)]
struct Left {
    right: Option<RightRef>,
}

#[derive(GcStruct)]
struct Right {
    left: Option<LeftRef>,
}

#[host_module(name = "untold")]
impl Untold {
    fn pass(left: Option<LeftRef>) {}
}

#[test]
#[should_panic(expected = "`signatures::Left` and a type that it refers to refer to each other")]
fn a_group_that_nobody_declares_is_reported() {
    Untold::pass(None);
    Untold::SIGNATURES.to_wat();
}

#[test]
fn declared_types_are_compared_by_their_rust_types() {
    let result = |name| Shapes::SIGNATURES.function(name).expect("a function").results()[0];
    let declared = |name| match result(name) {
        SignatureType::Declared { nullable: false, ty } => ty,
        other => panic!("{other} is not declared"),
    };
    assert_eq!(declared("center").name(), "$Point");
    assert_eq!(declared("to-polar").name(), "$Point");
    assert_ne!(declared("center"), declared("to-polar"));
    let SignatureType::Declared { ty, .. } =
        Shapes::SIGNATURES.function("to-polar").expect("a function").params()[1].types()[0]
    else {
        panic!("a point is declared");
    };
    assert_eq!(ty, declared("center"));
}

#[test]
fn types_are_those_of_the_rust_types() {
    let text = |name| Text::SIGNATURES.function(name).unwrap().to_string();
    assert_eq!(text("new"), "(func (result (ref extern)))");
    assert_eq!(text("append"), "(func (param (ref extern) (ref extern) i32))");
    assert_eq!(text("numbers"), "(func (param i32 i64 f32 f64 i32) (result i64))");
    assert_eq!(text("several"), "(func (param externref) (result i32 externref))");
    assert_eq!(text("vector"), "(func (param v128) (result v128))");
    assert_eq!(text("callback"), "(func (param funcref (ref func)) (result funcref))");
    assert_eq!(text("roots"), "(func (param (ref extern) externref) (result (ref extern)))");
    assert_eq!(text("memory"), "(func (param i32 i32 i32 i32 i32))");
    assert_eq!(text("copied"), "(func (param i32 i32 i32 (ref extern)))");
    assert_eq!(text("number"), "(func (result i32))");
    assert!(Text::SIGNATURES.function("gone").is_none());
    let add = Math::MATH_SIGNATURES.functions()[0];
    assert_eq!((add.name(), add.docs()), ("add", "Adds."));
    assert_eq!((add.params()[1].name(), add.results()), ("b", &[SignatureType::I32][..]));
    let [base, good] = Math::MATH_SIGNATURES.globals() else { panic!("two globals") };
    assert_eq!((base.name(), base.docs()), ("BASE", "Ends with a backslash \\"));
    assert_eq!((base.to_string(), good.ty()), ("(global f64)".to_owned(), SignatureType::I32));
}

#[test]
fn globals_are_imported_too() {
    let wat = Math::MATH_SIGNATURES.to_wat();
    let base = ";; Ends with a backslash \\\n(import \"math\" \"BASE\" (global $BASE f64))\n";
    assert!(wat.contains(base), "{wat}");
    let header = Math::MATH_SIGNATURES.to_c_header();
    assert!(header.contains("// \"BASE\" (global f64): C cannot"), "{header}");
    assert!(header.contains("// \"all right//\" (global i32): C cannot"), "{header}");
    let rust = Math::MATH_SIGNATURES.to_rust_guest();
    assert!(rust.contains("    // \"BASE\" (global f64): Rust cannot"), "{rust}");
}

/// A folder for what one test compiles.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn the_rust_declarations_compile() {
    let folder = folder("rust_guest");
    for (number, signatures) in ALL.iter().enumerate() {
        let text = signatures.to_rust_guest();
        let source = folder.join(format!("guest{number}.rs"));
        fs::write(&source, format!("#![deny(warnings)]\n\n{text}")).unwrap();
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let output = Command::new(rustc)
            .args(["--edition=2024", "--crate-type=lib", "--emit=metadata", "--out-dir"])
            .args([&folder, &source])
            .output()
            .expect("rustc runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}\n{text}");
    }
    let text = Text::SIGNATURES.to_rust_guest();
    assert!(
        text.contains(
            "    // \"append\" (func (param (ref extern) (ref extern) i32)): Rust cannot"
        )
    );
    let center = "// \"center\" (func (param (ref $Shape)) (result (ref $Point))): Rust cannot";
    assert!(Shapes::SIGNATURES.to_rust_guest().contains(center));
    let memory = "pub unsafe fn memory(line: *const u8, line_len: usize, out: *const u8, out_len: usize, code: i32);";
    assert!(text.contains(memory), "{text}");
    assert!(text.contains("pub safe fn while_2(int: i32, INT: i32);"), "{text}");
}

#[test]
fn the_c_header_compiles() {
    let folder = folder("c_header");
    let compilers = ["clang", "cc", "gcc"];
    let works = |name: &str| Command::new(name).arg("--version").output().is_ok();
    let Some(compiler) = compilers.iter().find(|name| works(name)) else {
        // Said aloud, for then this test is about the text only.
        println!("none of {compilers:?} is installed: the header is not compiled");
        assert!(Math::MATH_SIGNATURES.to_c_header().contains("int32_t add(int32_t a, int32_t b);"));
        return;
    };
    for (number, signatures) in ALL.iter().enumerate() {
        let text = signatures.to_c_header();
        let (header, source) =
            (format!("guest{number}.h"), folder.join(format!("guest{number}.c")));
        fs::write(folder.join(&header), &text).unwrap();
        fs::write(&source, format!("#include \"{header}\"\n#include \"{header}\"\n")).unwrap();
        let output = Command::new(compiler)
            .args(["-std=c11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror"])
            .arg(&source)
            .output()
            .expect("the compiler runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{compiler}: {errors}\n{text}");
    }
    let center = "// \"center\" (func (param (ref $Shape)) (result (ref $Point))): C cannot";
    assert!(Shapes::SIGNATURES.to_c_header().contains(center));
    let text = Text::SIGNATURES.to_c_header();
    assert!(
        text.contains("void memory(const void *line, size_t line_len, const void *out"),
        "{text}"
    );
    assert!(text.contains("void append(hostref_externref self, hostref_externref other, int32_t"));
    assert!(
        text.contains("// \"several\" (func (param externref) (result i32 externref)): C cannot")
    );
}
