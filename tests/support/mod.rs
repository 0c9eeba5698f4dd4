//! What tests of references share: both modes of collecting, and host objects that count their
//! drops. Knows no test.

#![allow(dead_code, reason = "no test needs all of it")]

use std::sync::{Arc, Mutex, MutexGuard};

use hostref::{
    AsContext, AsContextMut, Caller, Config, Engine, Extern, ExternRef, Instance, Linker, Module,
    Result, Rooted, Store, TypedFunc, WasmParams, WasmResults,
};

/// When collections happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// When they are worth their time.
    Normal,
    /// At every safepoint.
    Stress,
}

impl Mode {
    /// Settings for an engine that collects so.
    pub fn config(self) -> Config {
        let mut config = Config::new();
        config.gc_stress(self == Mode::Stress);
        config
    }

    pub fn engine(self) -> Engine {
        Engine::new(&self.config()).expect("default settings make an engine")
    }

    pub fn store(self) -> Store<()> {
        Store::new(&self.engine(), ())
    }
}

/// Makes two tests of each named function, which takes a [`Mode`] and returns a `Result<()>`.
macro_rules! both_modes {
    ($($name:ident,)*) => {
        mod normal {
            $(#[test] fn $name() -> hostref::Result<()> { super::$name(crate::support::Mode::Normal) })*
        }
        mod gc_stress {
            $(#[test] fn $name() -> hostref::Result<()> { super::$name(crate::support::Mode::Stress) })*
        }
    };
}
pub(crate) use both_modes;

/// Counts objects and their drops.
#[derive(Clone, Debug, Default)]
pub struct Census(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    dropped: Vec<bool>,
    live: usize,
    peak: usize,
}

/// A host object that a census counts.
#[derive(Debug)]
pub struct Counted {
    pub id: usize,
    census: Census,
}

impl Census {
    /// A new object. Objects are numbered from 0.
    pub fn object(&self) -> Counted {
        let mut counts = self.counts();
        let id = counts.dropped.len();
        counts.dropped.push(false);
        counts.live += 1;
        counts.peak = counts.peak.max(counts.live);
        Counted { id, census: self.clone() }
    }

    /// A new object in a store, rooted in the current scope.
    pub fn root(&self, store: impl AsContextMut) -> Result<Rooted<ExternRef>> {
        ExternRef::new(store, self.object())
    }

    /// The number of objects so far, which is the next object's.
    pub fn made(&self) -> usize {
        self.counts().dropped.len()
    }

    pub fn live(&self) -> usize {
        self.counts().live
    }

    pub fn dropped(&self) -> usize {
        let counts = self.counts();
        counts.dropped.len() - counts.live
    }

    /// The most objects that were alive at one time.
    pub fn peak(&self) -> usize {
        self.counts().peak
    }

    pub fn is_dropped(&self, id: usize) -> bool {
        self.counts().dropped[id]
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().expect("counting does not panic")
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.census.counts();
        counts.live -= 1;
        let twice = std::mem::replace(&mut counts.dropped[self.id], true);
        drop(counts);
        assert!(!twice, "object {} was dropped twice", self.id);
    }
}

/// The number of the counted object behind `reference`.
pub fn id(store: impl AsContext, reference: Rooted<ExternRef>) -> Result<usize> {
    let object = reference.data(&store)?.downcast_ref::<Counted>();
    Ok(object.expect("a counted object").id)
}

/// An instance of the module `wat`.
pub fn instantiate<T: 'static>(
    store: &mut Store<T>,
    wat: &str,
    imports: &[Extern],
) -> Result<Instance> {
    let module = Module::new(store.engine(), wat)?;
    Instance::new(store, &module, imports)
}

/// An exported function.
pub fn export<P: WasmParams, R: WasmResults>(
    store: impl AsContextMut,
    instance: Instance,
    name: &str,
) -> Result<TypedFunc<P, R>> {
    instance.get_typed_func(store, name)
}

/// A store with host functions for guests, in the linker under `""`:
///
/// * `make` returns a new counted object;
/// * `churn` makes garbage and collects;
/// * `id` returns an object's number, -1 for null.
#[derive(Debug)]
pub struct World {
    pub store: Store<()>,
    pub linker: Linker<()>,
    pub census: Census,
}

/// The imports of a guest of a [`World`].
pub const IMPORTS: &str = r#"
    (import "" "make" (func $make (result externref)))
    (import "" "churn" (func $churn))
    (import "" "id" (func $id (param externref) (result i32)))"#;

impl World {
    pub fn new(mode: Mode) -> Result<World> {
        World::with(&mode.engine())
    }

    pub fn with(engine: &Engine) -> Result<World> {
        let census = Census::default();
        let mut linker = Linker::new(engine);
        let counting = census.clone();
        linker.func_wrap("", "make", move |caller: Caller<'_, ()>| counting.root(caller))?;
        linker.func_wrap("", "churn", |mut caller: Caller<'_, ()>| -> Result<()> {
            for number in 0..3 {
                ExternRef::new(&mut caller, number)?;
            }
            caller.as_context_mut().gc();
            Ok(())
        })?;
        linker.func_wrap(
            "",
            "id",
            |caller: Caller<'_, ()>, object: Option<Rooted<ExternRef>>| -> Result<i32> {
                object.map_or(Ok(-1), |object| Ok(id(&caller, object)? as i32))
            },
        )?;
        Ok(World { store: Store::new(engine, ()), linker, census })
    }

    /// An instance of the module with these fields after the [`IMPORTS`].
    pub fn guest(&mut self, fields: &str) -> Result<Instance> {
        let module = Module::new(self.store.engine(), format!("(module {IMPORTS} {fields})"))?;
        self.linker.instantiate(&mut self.store, &module)
    }

    /// Calls the exported function of such a module in a scope of its own.
    pub fn run(&mut self, fields: &str) -> Result<i32> {
        let guest = self.guest(fields)?;
        export::<(), i32>(&mut self.store, guest, "run")?.call(&mut self.store, ())
    }
}
