//! A program on hostref: the same log as the model's, from what really happens.

use std::sync::{Arc, Mutex};

use hostref::{
    AsContextMut, Caller, Engine, Error, ExnRef, Extern, ExternRef, Func, HeapType, Instance,
    ManuallyRooted, Module, Result, RootScope, Rooted, Store, StoreContextMut, Tag,
    ThrownException, Trap, Val, ValType,
};

use super::host::HostFn;
use super::program::{Arg, FUEL, Program, Step, Type};
use crate::engines::hostref::{prepare, trap_name};

type Object = Rooted<ExternRef>;
type Context<'a> = StoreContextMut<'a, Host>;

/// What the store holds.
pub struct Host {
    instances: Option<Instances>,
    /// How many functions the program has.
    functions: usize,
    /// Those before this one are in the second instance.
    split: usize,
    payloads: Vec<Vec<Type>>,
    kept: Vec<ManuallyRooted<ExternRef>>,
    census: Census,
    log: Vec<String>,
    /// Whether a call ran out of stack, which the model does not know.
    exhausted: bool,
}

/// What a run shows.
pub struct Observed {
    pub log: Vec<String>,
    /// The log is not the model's: a call ran out of stack.
    pub exhausted: bool,
    /// What is wrong with the drops of objects.
    pub drops: Vec<String>,
}

/// The instances of a program's modules.
#[derive(Clone, Copy)]
struct Instances {
    /// It has the state.
    first: Instance,
    second: Option<Instance>,
}

/// How often each object was dropped.
#[derive(Clone, Default)]
struct Census(Arc<Mutex<Vec<u32>>>);

/// A host object.
struct Counted {
    number: usize,
    census: Census,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.census.0.lock().expect("nobody panics with it")[self.number] += 1;
    }
}

impl Census {
    fn object(&self) -> Counted {
        let mut drops = self.0.lock().expect("nobody panics with it");
        drops.push(0);
        Counted { number: drops.len() - 1, census: self.clone() }
    }

    /// The objects that were not dropped.
    fn alive(&self) -> std::collections::BTreeSet<u32> {
        let drops = self.0.lock().expect("nobody panics with it");
        drops.iter().zip(0..).filter(|(drops, _)| **drops == 0).map(|(_, number)| number).collect()
    }
}

/// Runs the modules of a program.
pub fn run(engine: &Engine, program: &Program, modules: &[Vec<u8>]) -> Observed {
    let census = Census::default();
    let host = Host {
        instances: None,
        functions: program.functions.len(),
        split: program.shape.split,
        payloads: program.shape.tags.clone(),
        kept: Vec::new(),
        census: census.clone(),
        log: Vec::new(),
        exhausted: false,
    };
    let mut store = Store::new(engine, host);
    prepare(&mut store);
    if let Err(error) = steps(&mut store, program, modules) {
        store.data_mut().log.push(format!("refused: {error:#}"));
    }
    let log = std::mem::take(&mut store.data_mut().log);
    let exhausted = store.data().exhausted;
    drop(store);
    let drops = census.0.lock().expect("nobody panics with it");
    let wrong = drops.iter().enumerate().filter(|(_, drops)| **drops != 1);
    let wrong = wrong.map(|(number, drops)| format!("object {number} was dropped {drops} times"));
    Observed { log, exhausted, drops: wrong.collect() }
}

fn steps(store: &mut Store<Host>, program: &Program, modules: &[Vec<u8>]) -> Result<()> {
    let first = instantiate(store, program, &modules[0], None)?;
    let second = match modules.get(1) {
        Some(module) => Some(instantiate(store, program, module, Some(first))?),
        None => None,
    };
    store.data_mut().instances = Some(Instances { first, second });
    for (number, step) in program.steps.iter().enumerate() {
        store.engine().increment_epoch();
        store.data_mut().log.push(format!("step {number}"));
        let mut scope = RootScope::new(&mut *store);
        self::step(&mut scope.as_context_mut(), first, step)?;
        drop(scope);
        store.gc();
        let alive = store.data().census.alive();
        store.data_mut().log.push(format!("alive {alive:?}"));
    }
    Ok(())
}

/// An instance of a module with host functions, and with what `first` exports.
fn instantiate(
    store: &mut Store<Host>,
    program: &Program,
    wasm: &[u8],
    first: Option<Instance>,
) -> Result<Instance> {
    let module = Module::new(store.engine(), wasm)?;
    let mut externs = Vec::new();
    for (index, import) in module.imports().enumerate() {
        externs.push(match HostFn::ALL.get(index) {
            Some(host) => {
                let ty = import.ty().func().expect("functions are imported").clone();
                let dynamic = program.dynamic >> index & 1 == 1;
                Extern::Func(define(store, *host, ty, dynamic))
            }
            None => {
                let first = first.expect("only the second module imports more");
                first.get_export(&mut *store, import.name()).expect("the first exports all")
            }
        });
    }
    Instance::new(store, &module, &externs)
}

fn step(store: &mut Context<'_>, instance: Instance, step: &Step) -> Result<()> {
    let table = |store: &mut Context<'_>, index: usize| {
        instance.get_table(store, &format!("table{index}")).expect("it is exported")
    };
    let global = |store: &mut Context<'_>, index: usize| {
        instance.get_global(store, &format!("global{index}")).expect("it is exported")
    };
    let element = |store: &mut Context<'_>, index: usize, arg: &Arg| {
        let ty = table(store, index).ty(&*store).element().clone();
        arg_val(store, arg, &ValType::Ref(ty)).map(|val| val.ref_().expect("a reference"))
    };
    let entry = match step {
        Step::Call(function, args) => call_step(store, instance, *function, args)?,
        Step::SetTable(index, at, arg) => {
            let value = element(store, *index, arg)?;
            let done = table(store, *index).set(&mut *store, u64::from(*at), value).is_ok();
            format!("set {done}")
        }
        Step::GrowTable(index, delta, arg) => {
            let value = element(store, *index, arg)?;
            let done = table(store, *index).grow(&mut *store, u64::from(*delta), value).is_ok();
            format!("grown {done}")
        }
        Step::FillTable(index, start, arg, len) => {
            let value = element(store, *index, arg)?;
            let (start, len) = (u64::from(*start), u64::from(*len));
            let done = table(store, *index).fill(&mut *store, start, value, len).is_ok();
            format!("filled {done}")
        }
        Step::SetGlobal(index, arg) => {
            let global = global(store, *index);
            let value = arg_val(store, arg, global.ty(&*store).content())?;
            return global.set(store, value);
        }
        Step::ReadTable(index, at) => match table(store, *index).get(&mut *store, u64::from(*at)) {
            Some(element) => text(store, element.into()),
            None => "nothing".to_owned(),
        },
        Step::ReadGlobal(index) => {
            let value = global(store, *index).get(&mut *store);
            text(store, value)
        }
    };
    store.data_mut().log.push(entry);
    Ok(())
}

fn call_step(
    store: &mut Context<'_>,
    instance: Instance,
    function: usize,
    args: &[Arg],
) -> Result<String> {
    let func = func(store, function);
    let ty = func.ty(&*store);
    let mut params = Vec::new();
    for (arg, ty) in args.iter().zip(ty.params()) {
        params.push(arg_val(store, arg, &ty)?);
    }
    let fuel = instance.get_global(&mut *store, "fuel").expect("it is exported");
    fuel.set(&mut *store, Val::I32(FUEL))?;
    let mut results = vec![Val::I32(0); ty.results().len()];
    Ok(match func.call(&mut *store, &params, &mut results) {
        Ok(()) => match results.first() {
            Some(result) => format!("returned {}", text(store, *result)),
            None => "returned nothing".to_owned(),
        },
        Err(error) => failure(store, &error),
    })
}

fn failure(store: &mut Context<'_>, error: &Error) -> String {
    if let Some(thrown) = error.downcast_ref::<ThrownException>() {
        let exception = thrown.exn_ref(&mut *store).expect("it is of this store");
        return format!("threw {}", text(store, Val::ExnRef(Some(exception))));
    }
    note_exhausted(store, Some(error));
    match error.downcast_ref::<Trap>() {
        Some(trap) => format!("trapped: {}", trap_name(*trap)),
        None if error.root_cause().to_string() == FAILURE => "host error".to_owned(),
        None => format!("failed: {error:#}"),
    }
}

fn note_exhausted(store: &mut Context<'_>, error: Option<&Error>) {
    let trap = error.and_then(|error| error.downcast_ref::<Trap>());
    store.data_mut().exhausted |= trap == Some(&Trap::StackOverflow);
}

/// The error of the host function that fails.
const FAILURE: &str = "the host function fails";

fn func(store: &mut Context<'_>, function: usize) -> Func {
    let Instances { first, second } = store.data().instances.expect("calls come afterwards");
    let instance = match second {
        Some(second) if function < store.data().split => second,
        _ => first,
    };
    instance.get_func(store, &format!("f{function}")).expect("it is exported")
}

fn tag(store: &mut Context<'_>, tag: usize) -> Tag {
    let Instances { first, .. } = store.data().instances.expect("tags are there afterwards");
    first.get_tag(store, &format!("tag{tag}")).expect("it is exported")
}

fn make(store: &mut Context<'_>) -> Result<Object> {
    let object = store.data().census.object();
    match object.number % 4 {
        // Their size counts, which makes collections more frequent.
        0 => Ok(ExternRef::new_with_external_bytes(store, object, 1 << 16)?.to_untyped()),
        1 => Ok(ExternRef::new_typed(store, object)?.to_untyped()),
        _ => ExternRef::new(store, object),
    }
}

fn arg_val(store: &mut Context<'_>, arg: &Arg, ty: &ValType) -> Result<Val> {
    Ok(match (arg, ty) {
        (Arg::Int(value), _) => Val::I32(*value),
        (Arg::Null, ValType::Ref(ty)) => Val::null_ref(ty.heap_type()),
        (Arg::Fresh, _) => Val::ExternRef(Some(make(store)?)),
        (Arg::Func(function), _) => Val::FuncRef(Some(func(store, *function))),
        (Arg::Exception(tag), _) => {
            let object = make(store)?;
            Val::ExnRef(Some(exception(store, *tag, Some(object))?))
        }
        (arg, ty) => panic!("{arg:?} is planned for {ty}"),
    })
}

/// An exception with `object` wherever there is room for it.
fn exception(
    store: &mut Context<'_>,
    index: usize,
    object: Option<Object>,
) -> Result<Rooted<ExnRef>> {
    let fields: Vec<Val> = store.data().payloads[index]
        .iter()
        .map(|ty| match ty {
            Type::Extern => Val::ExternRef(object),
            Type::Int => Val::I32(7),
            Type::Exn => Val::null_ref(&HeapType::Exn),
            _ => Val::null_func_ref(),
        })
        .collect();
    let tag = tag(store, index);
    ExnRef::new(store, &tag, &fields)
}

/// A value in the log. An object that was dropped is not found alive.
fn text(store: &mut Context<'_>, val: Val) -> String {
    match val {
        Val::I32(value) => value.to_string(),
        Val::ExternRef(Some(object)) => {
            let data = object.data(&*store).expect("it is rooted");
            let object = data.downcast_ref::<Counted>().expect("all objects are alike");
            let drops = object.census.0.lock().expect("nobody panics with it")[object.number];
            assert_eq!(drops, 0, "object {} is gone", object.number);
            format!("object {}", object.number)
        }
        Val::FuncRef(Some(func)) => func_text(store, func),
        Val::ExnRef(Some(exception)) => {
            let found = exception.tag(&*store).expect("it is rooted");
            let tags = 0..store.data().payloads.len();
            let tag = tags.into_iter().find(|index| tag(store, *index) == found);
            let fields: Vec<Val> = exception.fields(&mut *store).expect("it is rooted").collect();
            let fields: Vec<String> = fields.into_iter().map(|field| text(store, field)).collect();
            format!("tag{} ({})", tag.expect("all tags are exported"), fields.join(", "))
        }
        Val::FuncRef(None) | Val::ExternRef(None) | Val::ExnRef(None) => "null".to_owned(),
        val => panic!("programs have no such value: {val:?}"),
    }
}

/// The function's name. A reference to it is another one in each instance.
fn func_text(store: &mut Context<'_>, func: Func) -> String {
    let Instances { first, second } = store.data().instances.expect("calls come afterwards");
    let raw = func.to_raw(&*store);
    for instance in std::iter::once(first).chain(second) {
        for number in 0..store.data().functions {
            let name = format!("f{number}");
            let known = instance.get_func(&mut *store, &name);
            if known.is_some_and(|known| known.to_raw(&*store) == raw) {
                return name;
            }
        }
    }
    panic!("all functions are exported")
}

/// A host function: over dynamically typed values, or with its signature in Rust.
fn define(store: &mut Store<Host>, host: HostFn, ty: hostref::FuncType, dynamic: bool) -> Func {
    match host {
        HostFn::Make if !dynamic => {
            Func::wrap(store, |mut caller: Caller<'_, Host>| make(&mut caller.as_context_mut()))
        }
        HostFn::Pass if !dynamic => Func::wrap(store, |object: Option<Object>| object),
        HostFn::Choose if !dynamic => Func::wrap(
            store,
            |mut caller: Caller<'_, Host>,
             first: Option<Object>,
             second: Option<Object>,
             choice| { choose(&mut caller.as_context_mut(), first, second, choice) },
        ),
        HostFn::Keep if !dynamic => Func::wrap(
            store,
            |mut caller: Caller<'_, Host>, object: Option<ManuallyRooted<ExternRef>>| {
                caller.data_mut().kept.extend(object);
            },
        ),
        HostFn::Call if !dynamic => Func::wrap(
            store,
            |mut caller: Caller<'_, Host>, function: i32, object: Option<Object>| {
                call_back(&mut caller.as_context_mut(), function as usize, object)
            },
        ),
        _ => Func::new(store, ty, move |mut caller: Caller<'_, Host>, params, results| {
            let result = answer(&mut caller.as_context_mut(), host, params)?;
            results.iter_mut().zip(result).for_each(|(slot, result)| *slot = result);
            Ok(())
        }),
    }
}

fn choose(
    store: &mut Context<'_>,
    first: Option<Object>,
    second: Option<Object>,
    choice: i32,
) -> Result<Option<Object>> {
    make(store)?;
    Ok(if choice == 0 { second } else { first })
}

/// Calls a function through its type in Rust.
fn call_back(
    store: &mut Context<'_>,
    function: usize,
    object: Option<Object>,
) -> Result<Option<Object>> {
    let func = func(store, function).typed::<Option<Object>, Option<Object>>(&*store)?;
    let outcome = func.call(&mut *store, object);
    note_exhausted(store, outcome.as_ref().err());
    outcome
}

fn answer(store: &mut Context<'_>, host: HostFn, params: &[Val]) -> Result<Option<Val>> {
    let object = |index: usize| params[index].unwrap_externref().copied();
    let number = |index: usize| params[index].unwrap_i32() as usize;
    Ok(match host {
        HostFn::Make => Some(Val::ExternRef(Some(make(store)?))),
        HostFn::Pass | HostFn::PassFunc | HostFn::PassExn => Some(params[0]),
        HostFn::Choose => {
            let choice = params[2].unwrap_i32();
            Some(Val::ExternRef(choose(store, object(0), object(1), choice)?))
        }
        HostFn::Note | HostFn::NoteFunc | HostFn::NoteSimple | HostFn::NoteExn => {
            let entry = format!("note {}", text(store, params[0]));
            store.data_mut().log.push(entry);
            None
        }
        HostFn::Keep | HostFn::Kept | HostFn::Release => return keeping(store, host, params[0]),
        HostFn::Collect => {
            store.gc();
            None
        }
        HostFn::Throw => {
            let exception = exception(store, number(0), object(1))?;
            return store.throw(exception);
        }
        HostFn::Call => Some(Val::ExternRef(call_back(store, number(0), object(1))?)),
        HostFn::CallCatch => Some(Val::ExternRef(match call_back(store, number(0), object(1)) {
            Ok(object) => object,
            Err(error) => first_object(store, &error)?,
        })),
        HostFn::Fail => return Err(Error::msg(FAILURE)),
    })
}

/// The host functions with which guests use the list of kept objects.
fn keeping(store: &mut Context<'_>, host: HostFn, param: Val) -> Result<Option<Val>> {
    if host == HostFn::Keep {
        if let Some(object) = param.unwrap_externref() {
            let object = object.to_manually_rooted(&mut *store)?;
            store.data_mut().kept.push(object);
        }
        return Ok(None);
    }
    let index = param.unwrap_i32() as usize;
    let there = index < store.data().kept.len();
    let object = there.then(|| store.data_mut().kept.remove(index));
    if host == HostFn::Release {
        return Ok(None);
    }
    let rooted = object.as_ref().map(|object| object.to_rooted(&mut *store));
    if let Some(object) = object {
        store.data_mut().kept.insert(index, object);
    }
    Ok(Some(Val::ExternRef(rooted)))
}

/// The first object of the exception, if the error is one.
fn first_object(store: &mut Context<'_>, error: &Error) -> Result<Option<Object>> {
    let Some(thrown) = error.downcast_ref::<ThrownException>() else { return Ok(None) };
    let objects = thrown.fields(store)?.filter_map(|field| match field {
        Val::ExternRef(object) => object,
        _ => None,
    });
    Ok({ objects }.next())
}
