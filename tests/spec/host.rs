//! The module `host`, which our own scripts import: host functions that collect, make objects, call
//! back, throw, and pass many values. The official suite does not see it.

use anyhow::Context as _;
use hostref::{
    AsContextMut, Caller, ExnRef, ExternRef, Func, FuncType, Linker, ManuallyRooted, Result,
    Rooted, Store, Tag, TagType, ThrownException, Trap, V128, Val, ValType,
};

type Cx<'a> = Caller<'a, ()>;

/// Adds the module to `linker`:
///
/// * `tag`, a tag of `i32 externref`;
/// * `gc` makes garbage and collects; `make` makes an object with a number, `number` gives that of an
///   object, -1 for null;
/// * `call` calls a function and passes on what stops it, `call_ref` and `call_v128` likewise with
///   one value; `swallow` turns an exception into -1; `catch` returns the exception;
/// * `throw` throws an exception, `throw_new` one of `tag`; `trap` ends with `unreachable`;
/// * `add_v128` adds vectors bit by bit, without carry;
/// * `reverse` returns its twenty parameters in the opposite order.
pub(crate) fn define(linker: &mut Linker<()>, store: &mut Store<()>) -> Result<()> {
    let engine = linker.engine().clone();
    let ty = TagType::new(FuncType::new(&engine, [ValType::I32, ValType::EXTERNREF], []));
    let tag = Tag::new(&mut *store, &ty)?;
    linker.define(&*store, "host", "tag", tag)?;

    linker.func_wrap("host", "gc", |mut cx: Cx<'_>| collect(&mut cx))?;
    linker.func_wrap("host", "make", |cx: Cx<'_>, number: u32| ExternRef::new(cx, number))?;
    linker.func_wrap("host", "number", number)?;
    linker.func_wrap("host", "call", |mut cx: Cx<'_>, callee: Func| call(&mut cx, callee))?;
    linker.func_wrap("host", "call_ref", call_ref)?;
    linker.func_wrap("host", "call_v128", |mut cx: Cx<'_>, callee: Func, value: V128| {
        callee.typed::<V128, V128>(&cx)?.call(&mut cx, value)
    })?;
    linker.func_wrap("host", "swallow", |mut cx: Cx<'_>, callee: Func| {
        call(&mut cx, callee)
            .or_else(|error| error.is::<ThrownException>().then_some(-1).ok_or(error))
    })?;
    linker.func_wrap("host", "catch", catch)?;
    linker.func_wrap("host", "throw", |mut cx: Cx<'_>, exception: Rooted<ExnRef>| {
        collect(&mut cx)?;
        cx.throw::<()>(exception)
    })?;
    linker.func_wrap(
        "host",
        "throw_new",
        move |mut cx: Cx<'_>, number: i32, object: Option<Rooted<ExternRef>>| -> Result<i32> {
            let fields = [Val::I32(number), Val::ExternRef(object)];
            let exception = ExnRef::new(&mut cx, &tag, &fields)?;
            cx.throw(exception)
        },
    )?;
    linker
        .func_wrap("host", "trap", || -> Result<()> { Err(Trap::UnreachableCodeReached.into()) })?;
    linker
        .func_wrap("host", "add_v128", |a: V128, b: V128| V128::from(a.as_u128() ^ b.as_u128()))?;
    let types = twenty_types();
    let reversed: Vec<ValType> = types.iter().rev().cloned().collect();
    let ty = FuncType::new(&engine, types, reversed);
    linker.func_new("host", "reverse", ty, |mut cx, params, results| {
        collect(&mut cx)?;
        for (result, param) in results.iter_mut().rev().zip(params) {
            *result = *param;
        }
        Ok(())
    })?;
    Ok(())
}

/// Every type that travels differently, more often than there are registers.
fn twenty_types() -> Vec<ValType> {
    use ValType::{F32, F64, I32, I64, V128};
    let some = [I32, I64, F32, F64, V128, ValType::EXTERNREF];
    let more = [I32, I64, V128, I32, I64, ValType::FUNCREF, I64, I32];
    [&some[..], &some[..], &more[..]].concat()
}

fn collect(cx: &mut Cx<'_>) -> Result<()> {
    for number in 0..3 {
        ExternRef::new(&mut *cx, number)?;
    }
    cx.as_context_mut().gc();
    Ok(())
}

fn number(cx: Cx<'_>, object: Option<Rooted<ExternRef>>) -> Result<i32> {
    let Some(object) = object else { return Ok(-1) };
    let number = object.data(&cx)?.downcast_ref::<u32>().context("an object of `make`")?;
    Ok(number.cast_signed())
}

fn call(cx: &mut Cx<'_>, callee: Func) -> Result<i32> {
    callee.typed::<(), i32>(&*cx)?.call(&mut *cx, ())
}

fn call_ref(
    mut cx: Cx<'_>,
    callee: Func,
    object: Option<Rooted<ExternRef>>,
) -> Result<Option<ManuallyRooted<ExternRef>>> {
    type Object = Option<Rooted<ExternRef>>;
    let returned = callee.typed::<Object, Object>(&cx)?.call(&mut cx, object)?;
    returned.map(|object| object.to_manually_rooted(&mut cx)).transpose()
}

fn catch(mut cx: Cx<'_>, callee: Func) -> Result<Option<Rooted<ExnRef>>> {
    match call(&mut cx, callee) {
        Ok(_) => Ok(None),
        Err(error) => {
            let thrown = error.downcast::<ThrownException>()?;
            collect(&mut cx)?;
            thrown.exn_ref(&mut cx).map(Some)
        }
    }
}
