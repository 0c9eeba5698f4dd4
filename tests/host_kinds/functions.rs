//! Functions as parameters and results, with and without types.

use super::*;
use hostref::{ExnRef, V128};

struct Apply;

#[host_module(name = "apply", state = Vec<i32>)]
impl Apply {
    fn untyped(cx: &mut Caller<'_, Vec<i32>>, f: Func, n: i32) -> Result<i32> {
        f.typed::<i32, i32>(&*cx)?.call(cx, n)
    }
    fn typed(cx: &mut Caller<'_, Vec<i32>>, f: TypedFunc<i32, i32>, n: i32) -> Result<i32> {
        f.call(cx, n)
    }
    fn maybe(
        cx: &mut Caller<'_, Vec<i32>>,
        f: Option<TypedFunc<i32, i32>>,
        g: Option<Func>,
    ) -> Result<i32> {
        let f = f.map_or(Ok(0), |f| f.call(&mut *cx, 1))?;
        Ok(f + i32::from(g.is_some()))
    }
    fn back(f: TypedFunc<i32, i32>) -> TypedFunc<i32, i32> {
        f
    }
    fn choose(f: Option<Func>) -> Option<Func> {
        f
    }
    fn exception(a: Rooted<ExnRef>, b: Option<Rooted<ExnRef>>) -> (Rooted<ExnRef>, bool) {
        (a, b.is_some())
    }
    fn vector(a: V128, b: V128) -> V128 {
        (a.as_u128() ^ b.as_u128()).into()
    }
}

const WAT: &str = r#"(module
    (func $untyped (import "apply" "untyped") (param funcref i32) (result i32))
    (func $typed (import "apply" "typed") (param funcref i32) (result i32))
    (func $maybe (import "apply" "maybe") (param funcref funcref) (result i32))
    (func $back (import "apply" "back") (param funcref) (result funcref))
    (func $choose (import "apply" "choose") (param funcref) (result funcref))
    (func $exception (import "apply" "exception")
        (param exnref exnref) (result exnref i32))
    (func (export "vector") (import "apply" "vector") (param v128 v128) (result v128))
    (tag $t)
    (func $caught (result exnref)
        (block $h (result exnref) (try_table (catch_all_ref $h) (throw $t)) (unreachable)))
    (func (export "exception") (param $null i32) (result i32)
        (local $flag i32)
        (call $exception (call $caught)
            (if (result exnref) (local.get $null)
                (then (ref.null exn)) (else (call $caught))))
        (local.set $flag)
        (ref.is_null) (local.get $flag) (i32.add))
    (func (export "exception-null") (result exnref i32)
        (call $exception (ref.null exn) (ref.null exn)))
    (table 1 funcref)
    (type $t (func (param i32) (result i32)))
    (func $double (export "double") (type $t) (i32.mul (local.get 0) (i32.const 2)))
    (func $other (export "other"))
    (func (export "untyped") (result i32) (call $untyped (ref.func $double) (i32.const 3)))
    (func (export "typed") (result i32) (call $typed (ref.func $double) (i32.const 4)))
    (func (export "typed-other") (result i32) (call $typed (ref.func $other) (i32.const 4)))
    (func (export "typed-null") (result i32) (call $typed (ref.null func) (i32.const 4)))
    (func (export "maybe") (result i32) (call $maybe (ref.func $double) (ref.null func)))
    (func (export "maybe-not") (result i32) (call $maybe (ref.null func) (ref.func $other)))
    (func (export "back") (result i32)
        (table.set (i32.const 0) (call $choose (call $back (ref.func $double))))
        (call_indirect (type $t) (i32.const 21) (i32.const 0))))"#;

#[test]
fn functions_are_called_and_returned() {
    let (mut store, guest) = guest(&Config::new(), Vec::new(), WAT, Apply::add_to_linker).unwrap();
    for (name, expected) in
        [("untyped", 6), ("typed", 8), ("maybe", 2), ("maybe-not", 1), ("back", 42)]
    {
        assert_eq!(one(&mut store, &guest, name, &[]).unwrap().unwrap_i32(), expected, "{name}");
    }
}

#[test]
fn a_function_of_another_type_is_refused_at_the_boundary() {
    let (mut store, guest) = guest(&Config::new(), Vec::new(), WAT, Apply::add_to_linker).unwrap();
    let message = refused(&mut store, &guest, "typed-other", &[]);
    assert_contains(&message, "parameter `f` of `apply::typed`: type mismatch");
    assert_contains(&message, "expected 1 parameters, found 0");
    let message = refused(&mut store, &guest, "typed-null", &[]);
    assert_contains(&message, "expected a non-null reference to `func`, found null");
}

#[test]
fn typed_functions_travel_in_typed_calls() -> Result<()> {
    let (mut store, guest) = guest(&Config::new(), Vec::new(), WAT, Apply::add_to_linker).unwrap();
    let double = guest.get_typed_func::<i32, i32>(&mut store, "double")?;
    let same = Func::wrap(&mut store, |f: TypedFunc<i32, i32>| f);
    let same = same.typed::<TypedFunc<i32, i32>, TypedFunc<i32, i32>>(&store)?;
    assert_eq!(same.call(&mut store, double)?.call(&mut store, 5)?, 10);
    Ok(())
}

#[test]
fn exceptions_and_vectors_pass_through() {
    let (mut store, guest) = guest(&Config::new(), Vec::new(), WAT, Apply::add_to_linker).unwrap();
    for (null, expected) in [(0, 1), (1, 0)] {
        let flag = one(&mut store, &guest, "exception", &[Val::I32(null)]).unwrap();
        assert_eq!(flag.unwrap_i32(), expected);
    }
    let message = refused(&mut store, &guest, "exception-null", &[]);
    assert_contains(&message, "parameter `a` of `apply::exception`");
    let params = [0x0f0f_u128, 0x00ff].map(|bits| Val::V128(V128::from(bits)));
    let vector = one(&mut store, &guest, "vector", &params).unwrap();
    assert_eq!(vector.unwrap_v128().as_u128(), 0x0ff0);
}
