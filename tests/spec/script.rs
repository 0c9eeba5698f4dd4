//! Executes the directives of one script. Every kind of directive is executed or reported as a
//! failure; none is passed over. Those about threads are in `threads`.

use std::collections::HashMap;

use anyhow::{Context, anyhow, bail, ensure};
use hostref::{
    AsContextMut, Config, Engine, Error, Instance, Linker, Module, Result, RootScope, Store,
    ThrownException, Trap, UpdateDeadline, Val,
};
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::token::Id;
use wast::{QuoteWat, QuoteWatTest, Wast, WastDirective, WastExecute, WastInvoke, WastRet, Wat};

use crate::threads::{self, SharedModule};
use crate::{host, spectest, values};

/// What came of a script.
#[derive(Default)]
pub(crate) struct Report {
    /// Directives that assert something.
    pub(crate) assertions: usize,
    pub(crate) passed: usize,
    /// One text per directive that failed, asserting or not.
    pub(crate) failures: Vec<String>,
}

impl Report {
    /// Adds what came of the directives of another thread.
    pub(crate) fn add(&mut self, other: Report) {
        self.assertions += other.assertions;
        self.passed += other.passed;
        self.failures.extend(other.failures);
    }
}

/// How a script is run.
#[derive(Clone, Default)]
pub(crate) struct Setup {
    pub(crate) config: Config,
    /// Whether the module `host` is there.
    pub(crate) host: bool,
    /// Whether the guest has fuel without end, and every check of its epoch finds the deadline
    /// reached and moves on. The configuration says whether it checks either.
    pub(crate) interrupted: bool,
    /// Whether every module is compiled to bytes first, and loaded from them.
    pub(crate) serialized: bool,
}

/// Runs the script `text` with an engine, a store and a linker of its own.
///
/// # Errors
///
/// If the script cannot be parsed or the engine cannot be set up.
pub(crate) fn run(text: &str, setup: &Setup) -> Result<Report> {
    let mut lexer = Lexer::new(text);
    // Some files name their exports with it.
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer)?;
    let wast = parser::parse::<Wast<'_>>(&buffer)?;
    threads::run(text, setup, &Engine::new(&setup.config)?, wast.directives)
}

/// Whether a directive asserts something.
pub(crate) fn asserts(directive: &WastDirective<'_>) -> bool {
    !matches!(
        directive,
        WastDirective::Module(_)
            | WastDirective::ModuleDefinition(_)
            | WastDirective::ModuleInstance { .. }
            | WastDirective::Register { .. }
            | WastDirective::Invoke(_)
            | WastDirective::Thread(_)
            | WastDirective::Wait { .. }
    )
}

/// The state of the directives of one thread.
pub(crate) struct Script {
    names: Names,
    store: Store<()>,
}

/// What a directive can refer to.
struct Names {
    engine: Engine,
    serialized: bool,
    linker: Linker<()>,
    /// The instance of directives that name none.
    current: Option<Instance>,
    instances: HashMap<String, Instance>,
    /// The module of a `module instance` that names none.
    definition: Option<Module>,
    definitions: HashMap<String, Module>,
    /// What the thread that began this one shares with it.
    shared: Option<SharedModule>,
}

impl Script {
    /// A script with a store and a linker of its own.
    pub(crate) fn new(
        setup: &Setup,
        engine: &Engine,
        shared: Option<SharedModule>,
    ) -> Result<Self> {
        let mut store = Store::new(engine, ());
        if setup.interrupted {
            store.set_fuel(u64::MAX)?;
            store.set_epoch_deadline(0);
            store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Continue(0)));
        }
        let mut linker = spectest::linker(engine, &mut store)?;
        if setup.host {
            host::define(&mut linker, &mut store)?;
        }
        let names = Names {
            engine: engine.clone(),
            serialized: setup.serialized,
            linker,
            current: None,
            instances: HashMap::new(),
            definition: None,
            definitions: HashMap::new(),
            shared,
        };
        Ok(Script { names, store })
    }

    /// The instance `name`, as another thread can use it: its exports must be shared memories.
    pub(crate) fn share(&mut self, name: Id<'_>) -> Result<SharedModule> {
        let instance = self.names.instance(Some(name))?;
        let memories = instance.exports(&mut self.store).map(|export| {
            let name = export.name().to_owned();
            match export.into_extern().into_shared_memory() {
                Some(memory) => Ok((name, memory)),
                None => Err(anyhow!("`{name}` cannot be shared with another thread")),
            }
        });
        Ok(SharedModule {
            name: name.name().to_owned(),
            memories: memories.collect::<Result<_>>()?,
        })
    }

    /// Executes a directive in a root scope of its own, so that the references it made are
    /// garbage afterwards.
    pub(crate) fn directive(&mut self, directive: WastDirective<'_>) -> Result<()> {
        let names = &mut self.names;
        let mut scope = RootScope::new(&mut self.store);
        let cx = &mut scope;
        match directive {
            WastDirective::Module(mut wat) => {
                names.current = None;
                let module = names.module(&mut wat)?;
                names.instantiate(cx, wat.name(), &module)
            }
            WastDirective::ModuleDefinition(mut wat) => names.define(&mut wat),
            WastDirective::ModuleInstance { instance, module, .. } => {
                names.current = None;
                let module = names.definition(module)?.clone();
                names.instantiate(cx, instance, &module)
            }
            WastDirective::Register { name, module, .. } => names.register(cx, name, module),
            WastDirective::Invoke(invoke) => names.invoke(cx, &invoke).map(drop),
            WastDirective::AssertReturn { exec, results, .. } => {
                names.assert_return(cx, exec, &results)
            }
            WastDirective::AssertTrap { exec, message, .. } => {
                assert_trap(names.execute(cx, exec), message)
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                assert_trap(names.invoke(cx, &call), message)
            }
            WastDirective::AssertException { exec, .. } => {
                assert_exception(names.execute(cx, exec))
            }
            WastDirective::AssertUnlinkable { module, message, .. } => {
                names.assert_unlinkable(cx, module, message)
            }
            WastDirective::AssertInvalid { mut module, message, .. }
            | WastDirective::AssertInvalidCustom { mut module, message, .. }
            | WastDirective::AssertMalformed { mut module, message, .. }
            | WastDirective::AssertMalformedCustom { mut module, message, .. } => {
                names.assert_rejected(&mut module, message)
            }
            WastDirective::AssertSuspension { .. } => bail!("stack switching is not supported"),
            WastDirective::Thread(_) | WastDirective::Wait { .. } => {
                unreachable!("`threads` executes the directives about threads")
            }
        }
    }
}

impl Names {
    /// Compiles a module. One that is quoted goes through the text format of `Module::new`.
    fn module(&self, wat: &mut QuoteWat<'_>) -> Result<Module> {
        match wat.to_test()? {
            QuoteWatTest::Binary(bytes) => self.compile(&bytes),
            QuoteWatTest::Text(text) => self.compile(&text),
        }
    }

    fn compile(&self, bytes: &[u8]) -> Result<Module> {
        if !self.serialized {
            return Module::new(&self.engine, bytes);
        }
        let compiled = self.engine.precompile_module(bytes)?;
        // SAFETY: the bytes were made a line ago.
        let module = unsafe { Module::deserialize(&self.engine, &compiled)? };
        ensure!(module.serialize()? == compiled, "a module that was loaded is another one");
        Ok(module)
    }

    fn define(&mut self, wat: &mut QuoteWat<'_>) -> Result<()> {
        let module = self.module(wat)?;
        if let Some(name) = wat.name() {
            self.definitions.insert(name.name().to_owned(), module.clone());
        }
        self.definition = Some(module);
        Ok(())
    }

    fn definition(&self, name: Option<Id<'_>>) -> Result<&Module> {
        match name {
            None => self.definition.as_ref().context("no module was defined"),
            Some(id) => {
                self.definitions.get(id.name()).with_context(|| format!("no module ${}", id.name()))
            }
        }
    }

    fn instantiate(
        &mut self,
        cx: impl AsContextMut<Data = ()>,
        name: Option<Id<'_>>,
        module: &Module,
    ) -> Result<()> {
        let instance = self.linker.instantiate(cx, module)?;
        if let Some(name) = name {
            self.instances.insert(name.name().to_owned(), instance);
        }
        self.current = Some(instance);
        Ok(())
    }

    fn register(
        &mut self,
        cx: impl AsContextMut<Data = ()>,
        name: &str,
        module: Option<Id<'_>>,
    ) -> Result<()> {
        match (&self.shared, module) {
            (Some(shared), Some(module)) if shared.name == module.name() => {
                for (export, memory) in &shared.memories {
                    self.linker.define(&cx, name, export, memory.clone())?;
                }
            }
            _ => {
                let instance = self.instance(module)?;
                self.linker.instance(cx, name, instance)?;
            }
        }
        Ok(())
    }

    fn instance(&self, name: Option<Id<'_>>) -> Result<Instance> {
        match name {
            None => self.current.context("the last module was not instantiated"),
            Some(id) => self
                .instances
                .get(id.name())
                .copied()
                .with_context(|| format!("no instance ${}", id.name())),
        }
    }

    fn execute(
        &self,
        cx: &mut impl AsContextMut<Data = ()>,
        exec: WastExecute<'_>,
    ) -> Result<Vec<Val>> {
        match exec {
            WastExecute::Invoke(invoke) => self.invoke(cx, &invoke),
            WastExecute::Wat(mut module) => {
                let module = self.compile(&module.encode()?)?;
                self.linker.instantiate(cx, &module)?;
                Ok(Vec::new())
            }
            WastExecute::Get { module, global, .. } => {
                let instance = self.instance(module)?;
                let global = instance
                    .get_global(&mut *cx, global)
                    .with_context(|| format!("no global `{global}`"))?;
                Ok(vec![global.get(cx)])
            }
        }
    }

    fn invoke(
        &self,
        cx: &mut impl AsContextMut<Data = ()>,
        invoke: &WastInvoke<'_>,
    ) -> Result<Vec<Val>> {
        let func = self
            .instance(invoke.module)?
            .get_func(&mut *cx, invoke.name)
            .with_context(|| format!("no function `{}`", invoke.name))?;
        let arguments = invoke
            .args
            .iter()
            .map(|argument| values::argument(cx, argument))
            .collect::<Result<Vec<_>>>()?;
        let mut results = vec![Val::I32(0); func.ty(&*cx).results().len()];
        func.call(cx, &arguments, &mut results)?;
        Ok(results)
    }

    fn assert_return(
        &self,
        cx: &mut impl AsContextMut<Data = ()>,
        exec: WastExecute<'_>,
        expected: &[WastRet<'_>],
    ) -> Result<()> {
        let actual = self.execute(cx, exec)?;
        values::check(cx, &actual, expected)
    }

    /// The module must be valid, and its imports unknown or of another type.
    fn assert_unlinkable(
        &self,
        cx: &mut impl AsContextMut<Data = ()>,
        mut module: Wat<'_>,
        message: &str,
    ) -> Result<()> {
        let module = self.compile(&module.encode()?)?;
        match self.linker.instantiate(cx, &module) {
            Ok(_) => Err(anyhow!("linked, expected the error: {message}")),
            Err(error) if format!("{error:#}").contains(message) => Ok(()),
            Err(error) => Err(error.context(format!("expected the error: {message}"))),
        }
    }

    /// The module must be rejected, by the validator alone and on the way to machine code.
    fn assert_rejected(&self, wat: &mut QuoteWat<'_>, message: &str) -> Result<()> {
        match wat.to_test() {
            // The parser of the script found the fault.
            Err(_) => return Ok(()),
            Ok(QuoteWatTest::Text(text)) => {
                if Module::new(&self.engine, text).is_err() {
                    return Ok(());
                }
            }
            Ok(QuoteWatTest::Binary(bytes)) => {
                let valid = Module::validate(&self.engine, &bytes).is_ok();
                let compiled = Module::new(&self.engine, bytes).is_ok();
                match (valid, compiled) {
                    (false, false) => return Ok(()),
                    (true, false) => bail!("only compilation found the fault: {message}"),
                    (false, true) => bail!("only validation found the fault: {message}"),
                    (true, true) => {}
                }
            }
        }
        bail!("accepted, expected the error: {message}")
    }
}

/// Checks that a guest was stopped by the trap that the suite calls `message`.
fn assert_trap(outcome: Result<Vec<Val>>, message: &str) -> Result<()> {
    let expected = trap(message).with_context(|| format!("unknown trap: {message}"))?;
    match outcome {
        Ok(values) => bail!("returned {values:?}, expected the trap: {message}"),
        Err(error) => match error.downcast_ref::<Trap>() {
            Some(actual) if *actual == expected => Ok(()),
            _ => Err(Error::context(error, format!("expected the trap: {message}"))),
        },
    }
}

/// Checks that a guest threw an exception that no guest caught.
fn assert_exception(outcome: Result<Vec<Val>>) -> Result<()> {
    match outcome {
        Ok(values) => bail!("returned {values:?}, expected an exception"),
        Err(error) if error.is::<ThrownException>() => Ok(()),
        Err(error) => Err(Error::context(error, "expected an exception")),
    }
}

fn trap(message: &str) -> Option<Trap> {
    Some(match message {
        "call stack exhausted" => Trap::StackOverflow,
        "cast failure" => Trap::CastFailure,
        "indirect call type mismatch" => Trap::BadSignature,
        "integer divide by zero" => Trap::IntegerDivisionByZero,
        "integer overflow" => Trap::IntegerOverflow,
        "invalid conversion to integer" => Trap::BadConversionToInteger,
        "out of bounds array access" => Trap::ArrayOutOfBounds,
        "out of bounds memory access" => Trap::MemoryOutOfBounds,
        "out of bounds table access" | "undefined element" => Trap::TableOutOfBounds,
        "expected shared memory" => Trap::AtomicWaitNonSharedMemory,
        "unaligned atomic" => Trap::HeapMisaligned,
        "unreachable" => Trap::UnreachableCodeReached,
        // "uninitialized element 2": some name the element.
        _ if message.starts_with("uninitialized element") => Trap::IndirectCallToNull,
        // "null function reference": most name the type.
        _ if message.starts_with("null ") && message.ends_with("reference") => Trap::NullReference,
        _ => return None,
    })
}
