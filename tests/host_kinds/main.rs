//! `#[host_module]`: one test at least for each kind of parameter and result of the macro's tables that
//! `host_module` has none for.

mod contexts;
mod derived;
mod dynamic;
mod functions;
mod guards;
mod memory;
mod numbers;

use hostref::{
    AsContext, Caller, Config, Copied, Engine, Error, ExternRef, Func, HostCx, HostObject,
    Instance, LinkError, Linker, Module, New, Ptr, Result, Rooted, Store, Take, TypedFunc, Val,
    WasmTy, host_module, host_trait,
};

/// A store with data `data` and an instance of `wat` with the definitions of `link`.
fn guest<T: 'static>(
    config: &Config,
    data: T,
    wat: &str,
    link: impl FnOnce(&mut Linker<T>) -> Result<()>,
) -> Result<(Store<T>, Instance)> {
    let engine = Engine::new(config)?;
    let mut linker = Linker::new(&engine);
    link(&mut linker)?;
    let mut store = Store::new(&engine, data);
    let module = Module::new(&engine, wat)?;
    let instance = linker.instantiate(&mut store, &module)?;
    Ok((store, instance))
}

/// Calls an export.
fn call<T: 'static>(
    store: &mut Store<T>,
    instance: &Instance,
    name: &str,
    params: &[Val],
) -> Result<Vec<Val>> {
    let func = instance.get_func(&mut *store, name).unwrap_or_else(|| panic!("no `{name}`"));
    let mut results = vec![Val::I32(0); func.ty(&*store).results().len()];
    func.call(&mut *store, params, &mut results)?;
    Ok(results)
}

/// The only result of a call.
fn one<T: 'static>(
    store: &mut Store<T>,
    instance: &Instance,
    name: &str,
    params: &[Val],
) -> Result<Val> {
    Ok(call(store, instance, name, params)?.remove(0))
}

/// The messages of a call that fails.
fn refused<T: 'static>(
    store: &mut Store<T>,
    instance: &Instance,
    name: &str,
    params: &[Val],
) -> String {
    chain(&call(store, instance, name, params).expect_err("the call is refused"))
}

/// The messages of an error, outermost first.
fn chain(error: &Error) -> String {
    format!("{error:#}")
}

#[track_caller]
fn assert_contains(text: &str, part: &str) {
    assert!(text.contains(part), "{text}\n  does not contain\n{part}");
}
