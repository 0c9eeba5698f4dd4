//! `#[host_module]`: what each kind of parameter, result and receiver does, and what a guest's
//! mistakes get.

mod blocks;
mod errors;
mod garbage;
mod objects;
mod reentry;
mod state;
mod store_access;
mod values;

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hostref::{
    AsContextMut, Caller, Config, Engine, Error, Extern, ExternRef, Func, Instance, Linker,
    ManuallyRooted, Module, New, Result, Rooted, Store, Val, WasmTy, host_module,
};

/// Instantiates `wat` with the definitions of `linker`.
fn guest<T>(store: &mut Store<T>, linker: &Linker<T>, wat: &str) -> Instance {
    let module = Module::new(store.engine(), wat).unwrap();
    linker.instantiate(store, &module).unwrap()
}

/// Calls the host function `module::name` as a guest would, through an instance that imports it.
fn call<T>(
    store: &mut Store<T>,
    linker: &Linker<T>,
    import: &str,
    params: &[Val],
    results: usize,
) -> Result<Vec<Val>> {
    let wat = format!("(module {import} (export \"f\" (func 0)))");
    let instance = guest(store, linker, &wat);
    let func = instance.get_func(&mut *store, "f").unwrap();
    let mut values = vec![Val::I32(0); results];
    func.call(&mut *store, params, &mut values)?;
    Ok(values)
}

/// The messages of an error, outermost first.
fn chain(error: &Error) -> String {
    format!("{error:#}")
}

fn extern_val<T: std::any::Any + Send + Sync>(object: Rooted<ExternRef<T>>) -> Val {
    Val::from(object.to_untyped())
}

/// The null reference.
const NULL: Val = Val::ExternRef(None);

/// A host object with a number in it.
#[derive(Debug, PartialEq)]
struct Counter(i64);

/// Another type of host object.
#[derive(Debug, PartialEq)]
struct Text(String);
