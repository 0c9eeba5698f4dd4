//! Commands and reactors: what a linker makes of a whole module, by the conventions that toolchains
//! have for programs and libraries. Knows nothing of what such modules import.

use anyhow::{Context as _, bail, ensure};

use super::externs::Extern;
use super::func::Func;
use super::linker::Linker;
use super::module::{ExportType, Module};
use super::store::AsContextMut;
use super::types::ExternType;
use crate::error::Result;

/// The function that runs a command.
const START: &str = "_start";

/// The function that initialises a reactor.
const INITIALIZE: &str = "_initialize";

/// How long an instance of a module lives.
enum Kind {
    /// A program: a call of any of its functions gets an instance of its own.
    Command,
    /// A library: one instance serves all calls.
    Reactor,
}

impl Kind {
    /// What `module` is: a command if it exports `_start`, otherwise a reactor.
    fn of(module: &Module) -> Result<Kind> {
        let exports = |name: &str| match module.get_export(name) {
            Some(ExternType::Func(_)) => Ok(true),
            Some(other) => bail!("expected the export `{name}` to be a function, found {other}"),
            None => Ok(false),
        };
        match (exports(START)?, exports(INITIALIZE)?) {
            (true, true) => bail!("the module exports both `{START}` and `{INITIALIZE}`"),
            (true, false) => Ok(Kind::Command),
            (false, _) => Ok(Kind::Reactor),
        }
    }
}

impl<T: 'static> Linker<T> {
    /// Defines the exports of `module` under `name`, as its kind wants it:
    ///
    /// * Of a *reactor*, a library, there is one instance, made now in `store`. If it exports
    ///   `_initialize`, that is called first. Every module without `_start` is one.
    /// * A *command*, a program, exports `_start`. Each call of one of its functions makes a new
    ///   instance, in the store of the caller, which lives as long as the store. Only functions are
    ///   defined; see [`allow_unknown_exports`](Linker::allow_unknown_exports).
    ///
    /// ```
    /// use hostref::{Engine, Linker, Module, Result, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let engine = Engine::default();
    /// let mut linker = Linker::new(&engine);
    /// let mut store = Store::new(&engine, ());
    /// for (name, entry) in [("program", "_start"), ("library", "_initialize")] {
    ///     let module = Module::new(&engine, format!(r#"
    ///         (module
    ///             (global $calls (mut i32) (i32.const 0))
    ///             (func (export "{entry}"))
    ///             (func (export "calls") (result i32)
    ///                 (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    ///                 (global.get $calls)))
    ///     "#))?;
    ///     linker.module(&mut store, name, &module)?;
    /// }
    /// let mut calls = |name| {
    ///     let calls = linker.get(&mut store, name, "calls").unwrap().into_func().unwrap();
    ///     let calls = calls.typed::<(), i32>(&store)?;
    ///     Ok::<_, hostref::Error>([calls.call(&mut store, ())?, calls.call(&mut store, ())?])
    /// };
    /// assert_eq!(calls("program")?, [1, 1]);
    /// assert_eq!(calls("library")?, [1, 2]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`instantiate`](Linker::instantiate), where that happens now, and
    /// [`instance`](Linker::instance); if `_initialize` fails or is not of type `(func)`; if the module
    /// exports both functions, or something else as one of them; if a command exports what is not a
    /// function.
    pub fn module(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        name: &str,
        module: &Module,
    ) -> Result<&mut Linker<T>> {
        match Kind::of(module)? {
            Kind::Command => self.command(name, module),
            Kind::Reactor => {
                let instance = self.instantiate(&mut store, module)?;
                if instance.get_func(&mut store, INITIALIZE).is_some() {
                    let initialize = instance.get_typed_func::<(), ()>(&mut store, INITIALIZE);
                    initialize
                        .and_then(|initialize| initialize.call(&mut store, ()))
                        .with_context(|| format!("cannot initialise `{name}`"))?;
                }
                self.instance(&mut store, name, instance)
            }
        }
    }

    /// Whether [`module`](Linker::module) leaves out what a command exports besides functions, which is
    /// an error by default. What toolchains export from every program is always left out: the memory
    /// `memory`, the tables `table` and `__indirect_function_table`, and some globals that say where
    /// data lie.
    ///
    /// ```
    /// use hostref::{Engine, Linker, Module, Result, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let engine = Engine::default();
    /// let module = Module::new(&engine, r#"
    ///     (module (func (export "_start")) (memory (export "scratch") 1))
    /// "#)?;
    /// let mut linker = Linker::new(&engine);
    /// let mut store = Store::new(&engine, ());
    /// assert!(linker.module(&mut store, "program", &module).is_err());
    /// linker.allow_unknown_exports(true).module(&mut store, "program", &module)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn allow_unknown_exports(&mut self, allow: bool) -> &mut Linker<T> {
        self.allow_unknown_exports = allow;
        self
    }

    /// The function to call to run what is defined under `module`: the one with the empty name, or else
    /// `_start`, or else one that does nothing.
    ///
    /// ```
    /// use hostref::{Caller, Engine, Linker, Module, Result, Store};
    ///
    /// # fn main() -> Result<()> {
    /// let engine = Engine::default();
    /// let mut linker = Linker::new(&engine);
    /// linker.func_wrap("env", "done", |mut caller: Caller<'_, bool>| *caller.data_mut() = true)?;
    /// let program = Module::new(&engine, r#"
    ///     (module (import "env" "done" (func $done)) (func (export "_start") (call $done)))
    /// "#)?;
    /// let mut store = Store::new(&engine, false);
    /// linker.module(&mut store, "program", &program)?;
    /// let main = linker.get_default(&mut store, "program")?.typed::<(), ()>(&store)?;
    /// main.call(&mut store, ())?;
    /// assert!(store.data());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If what has that name is not a function.
    ///
    /// # Panics
    ///
    /// As [`get`](Linker::get).
    pub fn get_default(
        &self,
        mut store: impl AsContextMut<Data = T>,
        module: &str,
    ) -> Result<Func> {
        for name in ["", START] {
            match self.get(&mut store, module, name) {
                Some(Extern::Func(func)) => return Ok(func),
                Some(_) => bail!("`{module}::{name}` is not a function"),
                None => {}
            }
        }
        Ok(Func::wrap(store, || {}))
    }

    /// Defines the functions of a command.
    fn command(&mut self, name: &str, module: &Module) -> Result<&mut Linker<T>> {
        let is_unknown = |export: &ExportType<'_>| {
            !matches!(export.ty(), ExternType::Func(_)) && !is_of_toolchain(export)
        };
        if let Some(unknown) = module.exports().find(is_unknown) {
            ensure!(
                self.allow_unknown_exports,
                "the command `{name}` exports `{}`, which is not a function: see \
                 `Linker::allow_unknown_exports`",
                unknown.name()
            );
        }
        let command = self.instantiate_pre(module)?;
        for export in module.exports() {
            let ExternType::Func(ty) = export.ty() else { continue };
            let command = command.clone();
            let func = module.get_export_index(export.name()).expect("it is an export");
            self.func_new(name, export.name(), ty, move |mut caller, params, results| {
                let instance = command.instantiate(&mut caller)?;
                let func =
                    instance.get_module_export(&mut caller, &func).and_then(Extern::into_func);
                func.expect("the module exports it").call(&mut caller, params, results)
            })?;
        }
        Ok(self)
    }
}

/// Whether toolchains export this from programs, for nobody in particular.
fn is_of_toolchain(export: &ExportType<'_>) -> bool {
    match export.ty() {
        ExternType::Memory(_) => export.name() == "memory",
        ExternType::Table(_) => ["table", "__indirect_function_table"].contains(&export.name()),
        ExternType::Global(_) => {
            ["__data_end", "__heap_base", "__dso_handle", "__rtti_base"].contains(&export.name())
        }
        ExternType::Func(_) | ExternType::Tag(_) => false,
    }
}
