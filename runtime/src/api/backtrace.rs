//! Backtraces taken by a host function, rather than by a failure.

use super::engine::DEFAULT_MAX_FRAMES;
use super::store::AsContext;
use crate::instance::backtrace::WasmBacktrace;
use crate::instance::call;

impl WasmBacktrace {
    /// The Wasm functions that have called the host function which is running; empty outside host
    /// functions, and when [`Config::wasm_backtrace`](crate::Config::wasm_backtrace) is off.
    ///
    /// ```
    /// use hostref::{Caller, Engine, Func, Instance, Module, Result, Store, WasmBacktrace};
    ///
    /// # fn main() -> Result<()> {
    /// let engine = Engine::default();
    /// let mut store = Store::new(&engine, String::new());
    /// let who = Func::wrap(&mut store, |mut caller: Caller<'_, String>| {
    ///     let backtrace = WasmBacktrace::capture(&caller);
    ///     let name = backtrace.frames()[0].func_name().unwrap_or("?").to_owned();
    ///     *caller.data_mut() = name;
    /// });
    /// let module = Module::new(&engine, r#"
    ///     (module (import "" "who" (func $who)) (func $me (export "run") (call $who)))
    /// "#)?;
    /// let instance = Instance::new(&mut store, &module, &[who.into()])?;
    /// instance.get_typed_func::<(), ()>(&mut store, "run")?.call(&mut store, ())?;
    /// assert_eq!(store.data(), "me");
    /// # Ok(())
    /// # }
    /// ```
    pub fn capture(store: impl AsContext) -> WasmBacktrace {
        let store = store.as_context();
        match store.inner().engine.settings.backtrace_limit {
            0 => WasmBacktrace::new(Vec::new(), 0),
            limit => call::capture_backtrace(store.inner(), limit),
        }
    }

    /// As [`capture`](WasmBacktrace::capture), even if the configuration says that there are no
    /// backtraces.
    pub fn force_capture(store: impl AsContext) -> WasmBacktrace {
        let store = store.as_context();
        let limit = match store.inner().engine.settings.backtrace_limit {
            0 => DEFAULT_MAX_FRAMES.get(),
            limit => limit,
        };
        call::capture_backtrace(store.inner(), limit)
    }
}
