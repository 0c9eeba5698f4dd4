//! `SIGNATURES`: the constants are what the linker checks, and the texts for guest authors are accepted
//! by those who read such texts.

#![allow(unused_variables, non_snake_case, reason = "the names are what is tested")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hostref::{
    Caller, Copied, Engine, ExternRef, Func, Linker, Module, New, Ptr, Result, Rooted,
    SignatureType, Signatures, Take, V128, WasmTy, host_module,
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
    /// Adds.
    fn add(a: i32, b: i32) -> i32 {
        a + b
    }

    fn hypot(a: f64, b: f64) -> f64 {
        a.hypot(b)
    }
}

const ALL: [Signatures; 2] = [Text::SIGNATURES, Math::MATH_SIGNATURES];

#[test]
fn the_import_lines_link() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    Text::add_to_linker(&mut linker)?;
    Math::add_math_to_linker(&mut linker)?;
    for signatures in ALL {
        let memory = "(memory (export \"memory\") 1)";
        let module = Module::new(&engine, format!("(module {} {memory})", signatures.to_wat()))?;
        assert_eq!(module.imports().len(), signatures.functions().len());
        linker.instantiate_pre(&module)?;
    }
    Ok(())
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
