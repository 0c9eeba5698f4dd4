//! Exceptions through the macros: as parameters and results of host functions and exports, and
//! thrown by host functions.

mod support;

use hostref::{
    AsContextMut, Caller, ExnRef, ExternRef, FuncType, Linker, ManuallyRooted, Module, Result,
    Rooted, Store, Tag, TagType, ThrownException, Val, ValType, host_module, wasm_exports,
};
use support::{Mode, both_modes};

both_modes! {
    host_functions_take_and_return_exceptions,
    exports_take_and_return_exceptions,
    host_functions_throw,
    what_a_guest_throws_comes_out_of_an_export,
    null_is_refused_where_none_is_expected,
}

/// What the store holds for [`Errors`].
#[derive(Default)]
struct State {
    failed: Option<Tag>,
    kept: Option<ManuallyRooted<ExnRef>>,
}

/// A file that can be read once.
struct File {
    reads: i32,
}

struct Errors;

#[host_module(name = "errors", state = State)]
impl Errors {
    /// Both directions, nullable, among other values.
    fn pass(
        number: i32,
        exception: Option<Rooted<ExnRef>>,
        other: Rooted<ExnRef>,
    ) -> (Option<Rooted<ExnRef>>, i32, Rooted<ExnRef>) {
        (exception, number + 1, other)
    }

    fn keep(cx: &mut Caller<'_, State>, exception: Rooted<ExnRef>) -> Result<()> {
        let exception = exception.to_manually_rooted(&mut *cx)?;
        cx.data_mut().kept = Some(exception);
        cx.as_context_mut().gc();
        Ok(())
    }

    fn kept(cx: &mut Caller<'_, State>) -> Result<Option<Rooted<ExnRef>>> {
        let kept = cx.data_mut().kept.take();
        Ok(kept.map(|kept| kept.to_rooted(cx)))
    }

    fn code(cx: &mut Caller<'_, State>, exception: Rooted<ExnRef>) -> Result<i32> {
        Ok(exception.field(cx, 0)?.unwrap_i32())
    }

    fn throw(cx: &mut Caller<'_, State>, exception: Rooted<ExnRef>) -> Result<i32> {
        cx.as_context_mut().gc();
        cx.throw(exception)
    }

    /// Throws beside an object that is borrowed meanwhile.
    fn read(cx: &mut Caller<'_, State>, file: &mut File) -> Result<i32> {
        file.reads += 1;
        if file.reads == 1 {
            return Ok(100);
        }
        let failed = cx.data().failed.expect("the tag is there");
        let reads = Val::I32(file.reads);
        let message = ExternRef::new(&mut *cx, "no more".to_owned())?;
        let exception = ExnRef::new(&mut *cx, &failed, &[reads, message.into()])?;
        cx.throw(exception)
    }

    fn message(text: &String) -> i32 {
        text.len() as i32
    }
}

#[wasm_exports]
struct Guest {
    pass: fn(
        number: i32,
        exception: Option<Rooted<ExnRef>>,
        other: Rooted<ExnRef>,
    ) -> (Option<Rooted<ExnRef>>, i32, Rooted<ExnRef>),
    caught: fn(exception: Rooted<ExnRef>) -> i32,
    kept: fn(exception: Rooted<ExnRef>) -> Rooted<ExnRef>,
    read: fn(file: Rooted<ExternRef<File>>) -> (i32, i32),
    thrower: fn(code: i32),
    null: fn() -> Rooted<ExnRef>,
    failed: Tag,
    missing: Option<Tag>,
    pass_null: fn(),
}

const GUEST: &str = r#"(module
    (import "errors" "failed" (tag $failed (param i32 externref)))
    (export "failed" (tag $failed))
    (import "errors" "pass"
        (func $pass (param i32 exnref (ref exn)) (result exnref i32 (ref exn))))
    (import "errors" "keep" (func $keep (param exnref)))
    (import "errors" "kept" (func $kept (result exnref)))
    (import "errors" "code" (func $code (param exnref) (result i32)))
    (import "errors" "throw" (func $throw (param exnref) (result i32)))
    (import "errors" "read" (func $read (param externref) (result i32)))
    (import "errors" "message" (func $message (param externref) (result i32)))
    (func (export "pass") (param i32 exnref (ref exn)) (result exnref i32 (ref exn))
        (call $pass (local.get 0) (local.get 1) (local.get 2)))
    (func (export "caught") (param exnref) (result i32)
        (block $failed (result i32 externref)
            (block $other
                (try_table (catch $failed $failed) (catch_all $other)
                    (drop (call $throw (local.get 0))))
                unreachable)
            (return (i32.const -1)))
        drop)
    (func (export "kept") (param exnref) (result exnref)
        (call $keep (local.get 0))
        (call $kept))
    (func (export "read") (param externref) (result i32 i32)
        (block $failed (result i32 externref)
            (return
                (try_table (result i32) (catch $failed $failed) (call $read (local.get 0)))
                (i32.const 0)))
        (call $message))
    (func (export "thrower") (param i32) (throw $failed (local.get 0) (ref.null extern)))
    (func (export "null") (result exnref) (ref.null exn))
    (func (export "pass_null") (drop (call $code (ref.null exn)))))"#;

/// A guest, and the tag that it shares with the host.
fn guest(mode: Mode) -> Result<(Store<State>, Guest, Tag)> {
    let engine = mode.engine();
    let mut store = Store::new(&engine, State::default());
    let ty = FuncType::new(&engine, [ValType::I32, ValType::EXTERNREF], []);
    let failed = Tag::new(&mut store, &TagType::new(ty))?;
    store.data_mut().failed = Some(failed);
    let mut linker = Linker::new(&engine);
    Errors::add_to_linker(&mut linker)?;
    linker.define(&store, "errors", "failed", failed)?;
    let module = Module::new(&engine, GUEST)?;
    let guest = Guest::instantiate(&mut store, &module, &linker)?;
    Ok((store, guest, failed))
}

fn exception(store: &mut Store<State>, tag: &Tag, code: i32) -> Result<Rooted<ExnRef>> {
    ExnRef::new(store, tag, &[Val::I32(code), Val::ExternRef(None)])
}

fn host_functions_take_and_return_exceptions(mode: Mode) -> Result<()> {
    let (mut store, guest, failed) = guest(mode)?;
    let first = exception(&mut store, &failed, 1)?;
    let second = exception(&mut store, &failed, 2)?;
    let (nullable, number, other) = guest.call_pass(&mut store, 5, Some(first), second)?;
    assert!(Rooted::ref_eq(&store, &nullable.expect("not null"), &first)?);
    assert_eq!(number, 6);
    assert!(Rooted::ref_eq(&store, &other, &second)?);
    let (nullable, ..) = guest.call_pass(&mut store, 5, None, second)?;
    assert!(nullable.is_none());
    Ok(())
}

fn exports_take_and_return_exceptions(mode: Mode) -> Result<()> {
    let (mut store, guest, failed) = guest(mode)?;
    let given = exception(&mut store, &failed, 7)?;
    let kept = guest.call_kept(&mut store, given)?;
    assert!(Rooted::ref_eq(&store, &given, &kept)?);
    assert_eq!(kept.field(&mut store, 0)?.unwrap_i32(), 7);
    Ok(())
}

fn host_functions_throw(mode: Mode) -> Result<()> {
    let (mut store, guest, failed) = guest(mode)?;
    let own = exception(&mut store, &failed, 30)?;
    assert_eq!(guest.call_caught(&mut store, own)?, 30);
    let ty = FuncType::new(&store.engine().clone(), [], []);
    let other = Tag::new(&mut store, &TagType::new(ty))?;
    let other = ExnRef::new(&mut store, &other, &[])?;
    assert_eq!(guest.call_caught(&mut store, other)?, -1);

    let file = ExternRef::new_typed(&mut store, File { reads: 0 })?;
    assert_eq!(guest.call_read(&mut store, file)?, (100, 0));
    for reads in 2..5 {
        assert_eq!(guest.call_read(&mut store, file)?, (reads, 7));
    }
    // The borrow ended with each call, thrown or not.
    assert_eq!(file.data_mut(&mut store)?.reads, 4);
    Ok(())
}

fn what_a_guest_throws_comes_out_of_an_export(mode: Mode) -> Result<()> {
    let (mut store, guest, failed) = guest(mode)?;
    let error = guest.call_thrower(&mut store, 9).unwrap_err();
    let thrown = error.downcast_ref::<ThrownException>().expect("an exception");
    assert_eq!(thrown.tag(&store)?, failed);
    assert_eq!(guest.failed(), failed);
    assert!(guest.missing().is_none());
    assert_eq!(thrown.field(&mut store, 0)?.unwrap_i32(), 9);
    Ok(())
}

fn null_is_refused_where_none_is_expected(mode: Mode) -> Result<()> {
    let (mut store, guest, _) = guest(mode)?;
    let error = guest.call_null(&mut store).unwrap_err();
    assert!(format!("{error:#}").contains("`null`"), "{error:#}");
    assert!(format!("{error:#}").contains("found null"), "{error:#}");
    let error = guest.call_pass_null(&mut store).unwrap_err();
    assert!(format!("{error:#}").contains("errors::code"), "{error:#}");
    assert!(format!("{error:#}").contains("found null"), "{error:#}");
    Ok(())
}
