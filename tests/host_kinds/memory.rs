//! Text, slices, copies and addresses in the memory of the calling instance.

use super::*;

struct Text;

#[host_module(name = "text", state = Vec<String>)]
impl Text {
    fn len(text: &str) -> u32 {
        text.chars().count() as u32
    }
    fn sum(numbers: &[u32]) -> u64 {
        numbers.iter().copied().map(u64::from).sum()
    }
    fn doubles(numbers: &[f64]) -> f64 {
        numbers.iter().sum()
    }
    fn upper(text: &mut [u8]) {
        text.make_ascii_uppercase();
    }
    fn copy(from: &[u8], to: &mut [u8]) -> u32 {
        let len = from.len().min(to.len());
        to[..len].copy_from_slice(&from[..len]);
        len as u32
    }
    fn same(a: &str, b: &str) -> bool {
        a == b
    }
    fn swap(a: &mut [u16], b: &mut [u16]) {
        a.swap_with_slice(b);
    }
    fn log(cx: &mut Caller<'_, Vec<String>>, text: Copied<str>, numbers: Copied<[i32]>) {
        cx.data_mut().push(format!("{}: {:?}", &*text, &*numbers));
    }
    fn bump(cx: &mut Caller<'_, Vec<String>>, at: Ptr<i32>) -> Result<i32> {
        let old = at.read(&*cx)?;
        at.write(cx, old + 1)?;
        Ok(old)
    }
    fn beside_objects(text: &str, object: &mut String, more: Option<&mut String>) {
        object.push_str(text);
        if let Some(more) = more {
            more.push_str(text);
        }
    }
}

const IMPORTS: &str = r#"
    (func $len (export "len") (import "text" "len") (param i32 i32) (result i32))
    (func (export "sum") (import "text" "sum") (param i32 i32) (result i64))
    (func (export "doubles") (import "text" "doubles") (param i32 i32) (result f64))
    (func (export "upper") (import "text" "upper") (param i32 i32))
    (func (export "copy") (import "text" "copy") (param i32 i32 i32 i32) (result i32))
    (func (export "same") (import "text" "same") (param i32 i32 i32 i32) (result i32))
    (func (export "swap") (import "text" "swap") (param i32 i32 i32 i32))
    (func (export "log") (import "text" "log") (param i32 i32 i32 i32))
    (func (export "bump") (import "text" "bump") (param i32) (result i32))
    (func (export "beside") (import "text" "beside_objects") (param i32 i32 externref externref))
"#;

/// A guest with `h`, `ä` and `!` at 8, an invalid byte at 16, and numbers at 32. It calls through
/// functions of its own, so that it is the calling instance.
fn wat() -> String {
    let mut wat = String::from("(module ");
    wat += &IMPORTS.replace("(export \"", "(;\"").replace("\") (import", "\";) (import");
    wat += r#"(memory (export "memory") 1)
        (data (i32.const 8) "h\c3\a4!")
        (data (i32.const 16) "\ff")
        (data (i32.const 32) "\01\00\00\00\02\00\00\00\03\00\00\00\00\00\00\00")"#;
    let types = [
        ("len", 2, "i32"),
        ("sum", 2, "i64"),
        ("doubles", 2, "f64"),
        ("upper", 2, ""),
        ("copy", 4, "i32"),
        ("same", 4, "i32"),
        ("swap", 4, ""),
        ("log", 4, ""),
        ("bump", 1, "i32"),
    ];
    for (index, (name, params, result)) in types.iter().enumerate() {
        let result = if result.is_empty() { "" } else { &format!("(result {result})") };
        let args: String = (0..*params).map(|at| format!("(local.get {at})")).collect();
        wat += &format!(
            "(func (export \"{name}\") (param {}) {result} (call {index} {args}))",
            "i32 ".repeat(*params)
        );
    }
    wat + r#"(func (export "beside") (param i32 i32 externref externref)
        (call 9 (local.get 0) (local.get 1) (local.get 2) (local.get 3))))"#
}

fn text() -> (Store<Vec<String>>, Instance) {
    guest(&Config::new(), Vec::new(), &wat(), Text::add_to_linker).unwrap()
}

fn vals(numbers: &[i32]) -> Vec<Val> {
    numbers.iter().map(|number| Val::I32(*number)).collect()
}

#[test]
fn slices_are_views_of_the_memory() {
    let (mut store, guest) = text();
    let store = &mut store;
    assert_eq!(one(store, &guest, "len", &vals(&[8, 4])).unwrap().unwrap_i32(), 3);
    assert_eq!(one(store, &guest, "len", &vals(&[8, 0])).unwrap().unwrap_i32(), 0);
    assert_eq!(one(store, &guest, "sum", &vals(&[32, 3])).unwrap().unwrap_i64(), 6);
    call(store, &guest, "upper", &vals(&[8, 1])).unwrap();
    let memory = guest.get_memory(&mut *store, "memory").unwrap();
    assert_eq!(memory.data(&*store)[8], b'H');
    assert_eq!(one(store, &guest, "copy", &vals(&[8, 4, 100, 9])).unwrap().unwrap_i32(), 4);
    assert_eq!(&memory.data(&*store)[100..105], b"H\xc3\xa4!\0");
    assert_eq!(one(store, &guest, "same", &vals(&[8, 4, 100, 4])).unwrap().unwrap_i32(), 1);
    call(store, &guest, "swap", &vals(&[32, 2, 36, 2])).unwrap();
    assert_eq!(memory.data(&*store)[32], 2);
    assert_eq!(one(store, &guest, "doubles", &vals(&[40, 0])).unwrap().unwrap_f64(), 0.0);
}

#[test]
fn ranges_are_checked() {
    let (mut store, guest) = text();
    let store = &mut store;
    for (name, params, part) in [
        ("len", [65533, 4], "parameter `text` of `text::len`: out of bounds: 4 `u8` at 0xfffd"),
        ("len", [-1, 1], "out of bounds"),
        ("len", [0, -1], "out of bounds"),
        ("sum", [0, 0x4000_0001], "out of bounds"),
        ("len", [65537, 0], "out of bounds"),
        ("sum", [34, 1], "misaligned: a `u32` lies at a multiple of 4, and 0x22 is none"),
        ("doubles", [36, 0], "misaligned"),
        ("len", [16, 1], "parameter `text` of `text::len`: expected text in UTF-8"),
        ("upper", [65536, 1], "out of bounds"),
    ] {
        assert_contains(&refused(store, &guest, name, &vals(&params)), part);
    }
    assert_eq!(one(store, &guest, "len", &vals(&[65536, 0])).unwrap().unwrap_i32(), 0);
}

#[test]
fn what_is_written_overlaps_nothing() {
    let (mut store, guest) = text();
    let store = &mut store;
    let message = refused(store, &guest, "copy", &vals(&[8, 4, 11, 4]));
    assert_contains(
        &message,
        "parameter `to` of `text::copy`: the bytes 0xb..0xf of the memory overlap 0x8..0xc, which \
         are borrowed by parameter `from` of `text::copy`, and one of the two is mutable",
    );
    assert_contains(&refused(store, &guest, "swap", &vals(&[32, 2, 34, 1])), "overlap");
    call(store, &guest, "copy", &vals(&[8, 4, 12, 4])).unwrap();
    call(store, &guest, "copy", &vals(&[8, 4, 9, 0])).unwrap();
    assert_eq!(one(store, &guest, "same", &vals(&[8, 4, 8, 4])).unwrap().unwrap_i32(), 1);
}

#[test]
fn copies_and_addresses_stand_beside_the_caller() {
    let (mut store, guest) = text();
    call(&mut store, &guest, "log", &vals(&[8, 4, 32, 2])).unwrap();
    assert_eq!(store.data(), &["hä!: [1, 2]"]);
    assert_eq!(one(&mut store, &guest, "bump", &vals(&[32])).unwrap().unwrap_i32(), 1);
    assert_eq!(one(&mut store, &guest, "bump", &vals(&[32])).unwrap().unwrap_i32(), 2);
    let message = refused(&mut store, &guest, "bump", &vals(&[33]));
    assert_contains(&message, "host function `text::bump`: misaligned");
    let message = refused(&mut store, &guest, "bump", &vals(&[-4]));
    assert_contains(&message, "out of bounds: 1 `i32` at 0xfffffffc");
    let message = refused(&mut store, &guest, "log", &vals(&[8, 4, 33, 2]));
    assert_contains(&message, "parameter `numbers` of `text::log`: misaligned");
}

#[test]
fn slices_stand_beside_objects() {
    let (mut store, guest) = text();
    let object = ExternRef::new_typed(&mut store, String::from("a")).unwrap();
    let value = Val::from(object.to_untyped());
    let params = [Val::I32(8), Val::I32(4), value, Val::ExternRef(None)];
    call(&mut store, &guest, "beside", &params).unwrap();
    assert_eq!(object.data(&store).unwrap(), "ahä!");
    let message = refused(&mut store, &guest, "beside", &[params[0], params[1], value, value]);
    assert_contains(&message, "already mutably borrowed by parameter `object`");
}

#[test]
fn a_module_without_the_memory_does_not_link() {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    Text::add_to_linker(&mut linker).unwrap();
    let module = Module::new(
        &engine,
        r#"(module
            (import "text" "len" (func (param i32 i32) (result i32)))
            (import "text" "bump" (func (param i32) (result i32)))
            (import "text" "lem" (func))
            (memory (export "memry") 1))"#,
    );
    let error = linker.instantiate_pre(&module.unwrap()).unwrap_err();
    assert_eq!(error.downcast_ref::<LinkError>().unwrap().problems().len(), 3);
    let message = chain(&error);
    assert_contains(
        &message,
        "`text::len` uses the memory of the module that imports it, which exports no memory \
         `memory`; a similar name is `memry`",
    );
    assert_contains(&message, "`text::bump` uses the memory");
    assert_contains(&message, "a similar name is `text::len`");
}

#[test]
fn a_caller_without_the_memory_is_refused() {
    let (mut store, owner) = text();
    // The function is called through a table, by an instance that exports no memory.
    let module = Module::new(
        store.engine(),
        r#"(module
            (type $len (func (param i32 i32) (result i32)))
            (table (export "t") 1 funcref)
            (func (export "run") (result i32)
                (call_indirect (type $len) (i32.const 0) (i32.const 0) (i32.const 0))))"#,
    );
    let instance = Instance::new(&mut store, &module.unwrap(), &[]).unwrap();
    let mut linker = Linker::new(store.engine());
    Text::add_to_linker(&mut linker).unwrap();
    let len = linker.get(&mut store, "text", "len").and_then(|it| it.into_func()).unwrap();
    let table = instance.get_table(&mut store, "t").unwrap();
    table.set(&mut store, 0, len.into()).unwrap();
    let message = refused(&mut store, &instance, "run", &[]);
    assert_contains(
        &message,
        "parameter `text` of `text::len`: the calling instance exports no memory",
    );
    let mut results = [Val::I32(0)];
    let error = len.call(&mut store, &vals(&[0, 0]), &mut results).unwrap_err();
    assert_contains(&chain(&error), "there is no calling instance");
    let _ = owner;
}

#[test]
fn a_64_bit_memory_has_64_bit_addresses() {
    let mut config = Config::new();
    config.wasm_memory64(true);
    let wat = r#"(module
        (import "text" "len" (func $len (param i64 i64) (result i32)))
        (import "text" "copy" (func $copy (param i64 i64 i64 i64) (result i32)))
        (import "text" "bump" (func $bump (param i64) (result i32)))
        (memory (export "memory") i64 1)
        (data (i64.const 8) "text")
        (func (export "len") (param i64 i64) (result i32) (call $len (local.get 0) (local.get 1)))
        (func (export "copy") (result i32)
            (call $copy (i64.const 8) (i64.const 4) (i64.const 16) (i64.const 4)))
        (func (export "bump") (result i32) (call $bump (i64.const 16))))"#;
    let (mut store, instance) = guest(&config, Vec::new(), wat, Text::add_to_linker).unwrap();
    let params = [Val::I64(8), Val::I64(4)];
    assert_eq!(one(&mut store, &instance, "len", &params).unwrap().unwrap_i32(), 4);
    assert_eq!(one(&mut store, &instance, "copy", &[]).unwrap().unwrap_i32(), 4);
    let old = i32::from_le_bytes(*b"text");
    assert_eq!(one(&mut store, &instance, "bump", &[]).unwrap().unwrap_i32(), old);
    for params in [[Val::I64(-1), Val::I64(2)], [Val::I64(1 << 32), Val::I64(1)]] {
        assert_contains(&refused(&mut store, &instance, "len", &params), "out of bounds");
    }
    let wat = r#"(module
        (import "text" "len" (func $len (param i32 i32) (result i32)))
        (memory (export "memory") i64 1))"#;
    let error = guest(&config, Vec::new(), wat, Text::add_to_linker).err().unwrap();
    assert_contains(
        &chain(&error),
        "expected (func (param i32 i32) (result i32)), found (func (param i64 i64)",
    );
}

struct Other;

#[host_module(name = "other", memory = "heap")]
impl Other {
    fn first(bytes: &[u8]) -> u8 {
        bytes[0]
    }
}

#[test]
fn another_memory_can_be_named() {
    let wat = r#"(module
        (import "other" "first" (func $first (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (memory (export "heap") 1)
        (data (memory 1) (i32.const 0) "x")
        (func (export "run") (result i32) (call $first (i32.const 0) (i32.const 1))))"#;
    let (mut store, instance) = guest(&Config::new(), (), wat, Other::add_to_linker).unwrap();
    let byte = one(&mut store, &instance, "run", &[]).unwrap().unwrap_i32();
    assert_eq!(byte, i32::from(b'x'));
}

#[test]
fn a_shared_memory_is_copied_and_never_borrowed() {
    let mut config = Config::new();
    config.wasm_threads(true);
    let wat = r#"(module
        (import "text" "len" (func $len (param i32 i32) (result i32)))
        (import "text" "upper" (func $upper (param i32 i32)))
        (import "text" "log" (func $log (param i32 i32 i32 i32)))
        (import "text" "bump" (func $bump (param i32) (result i32)))
        (memory (export "memory") 1 1 shared)
        (data (i32.const 0) "text\07\00\00\00")
        (func (export "len") (result i32) (call $len (i32.const 0) (i32.const 4)))
        (func (export "upper") (call $upper (i32.const 0) (i32.const 4)))
        (func (export "log") (call $log (i32.const 0) (i32.const 4) (i32.const 4) (i32.const 1)))
        (func (export "bump") (result i32)
            (drop (call $bump (i32.const 4)))
            (call $bump (i32.const 4))))"#;
    let (mut store, guest) = guest(&config, Vec::new(), wat, Text::add_to_linker).unwrap();
    for name in ["len", "upper"] {
        let message = refused(&mut store, &guest, name, &[]);
        assert_contains(&message, "parameter `text` of `text::");
        assert_contains(&message, "a shared memory cannot be borrowed");
    }
    call(&mut store, &guest, "log", &[]).unwrap();
    assert_eq!(store.data(), &["text: [7]"]);
    assert_eq!(one(&mut store, &guest, "bump", &[]).unwrap().unwrap_i32(), 8);
}
