//! `Result`s, panics and the errors that the embedder sees.

use super::*;

#[derive(Debug, PartialEq)]
struct Refused(i32);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused with {}", self.0)
    }
}

impl std::error::Error for Refused {}

type Outcome<T> = std::result::Result<T, Refused>;

struct Door;

#[host_module(name = "door")]
impl Door {
    fn open(key: i32) -> Outcome<New<Counter>> {
        if key == 1 { Ok(New(Counter(1))) } else { Err(Refused(key)) }
    }
    fn break_in(door: &mut Counter) -> i32 {
        door.0 += 1;
        panic!("the alarm is on");
    }
    fn knock(door: &mut Counter) -> Result<()> {
        door.0 += 1;
        Err(Error::msg("nobody is at home"))
    }
    fn count(door: &Counter) -> i64 {
        door.0
    }
}

fn fixture() -> (Store<()>, Linker<()>) {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    Door::add_to_linker(&mut linker).unwrap();
    (Store::new(&engine, ()), linker)
}

#[test]
fn an_error_comes_back_itself_with_the_function_as_context() {
    let (mut store, linker) = fixture();
    let import = r#"(import "door" "open" (func (param i32) (result externref)))"#;
    let error = call(&mut store, &linker, import, &[Val::I32(3)], 1).unwrap_err();
    assert_eq!(error.downcast_ref::<Refused>(), Some(&Refused(3)));
    let message = chain(&error);
    assert!(message.contains("host function `door::open`: refused with 3"), "{message}");
    call(&mut store, &linker, import, &[Val::I32(1)], 1).unwrap();
}

#[test]
fn borrows_end_when_a_method_fails_or_panics() {
    let (mut store, linker) = fixture();
    let door = ExternRef::new_typed(&mut store, Counter(0)).unwrap();
    let value = extern_val(door);
    let import = r#"(import "door" "knock" (func (param externref)))"#;
    let error = call(&mut store, &linker, import, &[value], 0).unwrap_err();
    assert!(chain(&error).contains("nobody is at home"));
    assert_eq!(door.data(&store).unwrap(), &Counter(1));

    let import = r#"(import "door" "break_in" (func (param externref) (result i32)))"#;
    let panic = catch_unwind(AssertUnwindSafe(|| {
        let _ = call(&mut store, &linker, import, &[value], 1);
    }));
    let message = *panic.unwrap_err().downcast::<&str>().unwrap();
    assert_eq!(message, "the alarm is on");
    door.data_mut(&mut store).unwrap().0 += 1;
    let import = r#"(import "door" "count" (func (param externref) (result i64)))"#;
    let count = call(&mut store, &linker, import, &[value], 1).unwrap();
    assert_eq!(count[0].unwrap_i64(), 3);
}

#[test]
fn a_name_that_is_taken_is_reported_for_each_function() {
    let (_, mut linker) = fixture();
    let message = chain(&Door::add_to_linker(&mut linker).unwrap_err());
    for name in ["open", "break_in", "knock", "count"] {
        assert!(message.contains(&format!("`door::{name}`")), "{message}");
    }
    linker.allow_shadowing(true);
    Door::add_to_linker(&mut linker).unwrap();
}

#[test]
fn an_import_of_another_type_does_not_link() {
    let (mut store, linker) = fixture();
    let module = Module::new(
        store.engine(),
        r#"(module (import "door" "count" (func (param i32) (result i64))))"#,
    );
    let error = linker.instantiate(&mut store, &module.unwrap()).unwrap_err();
    assert!(chain(&error).contains("door::count"), "{error:#}");
}
