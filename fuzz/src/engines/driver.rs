//! One run of a module by its plan. Compiled once for each side: `api` has that side's types under
//! their common names, and what the sides do differently.

use std::ffi::c_void;
use std::sync::Arc;

use super::api::{
    self, AsContext, AsContextMut, Caller, Engine, Error, Extern, ExternRef, ExternType, Func,
    FuncType, Global, Instance, Memory, Module, Ref, Result, RootScope, Rooted, SharedMemory,
    Store, Table, Tag, Val,
};
use crate::engines::observation::{HostCall, Observation, State};
use crate::limits;
use crate::plan::{Answer, Call, FUEL, Import, Plan};
use crate::value::{Arg, Exception, Outcome, Text, Value};

/// How many calls of host functions are compared.
const HOST_CALLS: usize = 1_000;

/// What the store holds for host functions.
pub struct Host {
    pub plan: Arc<Plan>,
    pub calls: Vec<HostCall>,
    pub depth: usize,
    pub names: Names,
    /// Whatever the side needs.
    #[allow(dead_code, reason = "hostref needs nothing")]
    pub extra: api::Extra,
}

/// The payload of host objects.
pub struct Object(pub u32);

/// Exported functions and tags, by identity.
#[derive(Default)]
pub struct Names {
    instance: Option<Instance>,
    funcs: Vec<(usize, String)>,
    tags: Vec<(Tag, String)>,
}

/// Compiles the module, which need not be valid.
pub fn compile(engine: &Engine, wasm: &[u8]) -> Observation {
    Observation::refused(match Module::new(engine, wasm) {
        Ok(_) => Outcome::Returned(Vec::new()),
        Err(error) => refusal(&error),
    })
}

/// Runs the module by the plan.
pub fn run(engine: &Engine, wasm: &[u8], plan: &Arc<Plan>) -> Observation {
    let module = match Module::new(engine, wasm) {
        Ok(module) => module,
        Err(error) => return Observation::refused(refusal(&error)),
    };
    let host = Host {
        plan: plan.clone(),
        calls: Vec::new(),
        depth: 0,
        names: Names::default(),
        extra: api::extra(),
    };
    let mut store = Store::new(engine, host);
    api::prepare(&mut store);
    let instance = imports(&mut store, &module)
        .and_then(|imports| Instance::new(&mut store, &module, &imports));
    let start = match &instance {
        Ok(_) => Outcome::Returned(Vec::new()),
        Err(error) => failure(&mut store, error),
    };
    let mut observation = Observation::refused(start);
    if let Ok(instance) = instance {
        store.data_mut().names = names(&mut store, instance);
        for call in &plan.calls {
            let mut scope = RootScope::new(&mut store);
            api::before_call(&mut scope.as_context_mut());
            refuel(&mut scope, instance, plan);
            observation.calls.push(make_call(&mut scope.as_context_mut(), call));
        }
        observation.end = end(&mut store, instance);
    }
    observation.host_calls = std::mem::take(&mut store.data_mut().calls);
    observation
}

fn refusal(error: &Error) -> Outcome {
    Outcome::Refused(Text(format!("{error:#}")))
}

/// Gives each call the same number of steps, where the module counts them.
fn refuel(mut store: impl AsContextMut, instance: Instance, plan: &Plan) {
    if let Some(fuel) = instance.get_global(&mut store, FUEL) {
        fuel.set(store, Val::I32(plan.fuel as i32)).expect("the fuel is a mutable i32");
    }
}

/// What is imported, as the plan says.
fn imports(store: &mut Store<Host>, module: &Module) -> Result<Vec<Extern>> {
    let plan = store.data().plan.clone();
    let types: Vec<ExternType> = module.imports().map(|import| import.ty()).collect();
    let mut imports = Vec::new();
    for (index, (ty, import)) in types.into_iter().zip(&plan.imports).enumerate() {
        imports.push(match (ty, import) {
            (ExternType::Func(ty), Import::Func(_)) => Extern::Func(host_func(store, index, ty)),
            (ExternType::Global(ty), Import::Global(value)) => {
                let value = val(&mut store.as_context_mut(), value, ty.content());
                Extern::Global(Global::new(&mut *store, ty, value)?)
            }
            (ExternType::Table(ty), _) => {
                let null = Ref::null(ty.element().heap_type());
                Extern::Table(Table::new(&mut *store, ty, null)?)
            }
            (ExternType::Memory(ty), _) if ty.is_shared() => {
                Extern::SharedMemory(SharedMemory::new(store.engine(), ty)?)
            }
            (ExternType::Memory(ty), _) => Extern::Memory(Memory::new(&mut *store, ty)?),
            (ExternType::Tag(ty), _) => Extern::Tag(Tag::new(&mut *store, &ty)?),
            (ty, import) => panic!("import {index} is {ty:?}, planned as {import:?}"),
        });
    }
    Ok(imports)
}

/// A host function that does what the plan says.
fn host_func(store: &mut Store<Host>, import: usize, ty: FuncType) -> Func {
    let result_types: Vec<_> = ty.results().collect();
    Func::new(store, ty, move |mut caller: Caller<'_, Host>, params, results| {
        let args = params.iter().map(|param| value(&mut caller.as_context_mut(), *param, 0));
        let args = args.collect();
        let host = caller.data_mut();
        let count = host.calls.len();
        if count < HOST_CALLS {
            host.calls.push(HostCall { import, args });
        }
        let plan = host.plan.clone();
        let values = match plan.answer(import, count) {
            Answer::Return(values) => values,
            Answer::CollectAndReturn(values) => {
                api::collect(&mut caller.as_context_mut())?;
                values
            }
            Answer::CallAndReturn(call, values) => {
                if let Err(error) = nested_call(&mut caller, &plan.calls[call]) {
                    // Looking at an exception takes it back.
                    api::thrown(&mut caller.as_context_mut(), &error);
                }
                values
            }
            Answer::CallAndPass(call, values) => {
                nested_call(&mut caller, &plan.calls[call])?;
                values
            }
            Answer::Fail => return Err(Error::msg(format!("host function {import} fails"))),
        };
        for ((result, value), ty) in results.iter_mut().zip(&values).zip(&result_types) {
            *result = val(&mut caller.as_context_mut(), value, ty);
        }
        Ok(())
    })
}

fn nested_call(caller: &mut Caller<'_, Host>, call: &Call) -> Result<()> {
    if caller.data().depth == limits::HOST_DEPTH || caller.data().names.instance.is_none() {
        return Ok(());
    }
    caller.data_mut().depth += 1;
    let outcome = enter(&mut caller.as_context_mut(), call);
    caller.data_mut().depth -= 1;
    outcome.map(drop)
}

fn enter(store: &mut api::Context<'_, Host>, call: &Call) -> Result<Vec<Val>> {
    let instance = store.data().names.instance.expect("calls are made after instantiation");
    let func = instance.get_func(&mut *store, &call.export).expect("planned exports exist");
    let ty = func.ty(&mut *store);
    let args: Vec<Val> =
        call.args.iter().zip(ty.params()).map(|(arg, ty)| val(store, arg, &ty)).collect();
    let mut results = vec![Val::I32(0); ty.results().len()];
    func.call(store, &args, &mut results)?;
    Ok(results)
}

fn make_call(store: &mut api::Context<'_, Host>, call: &Call) -> Outcome {
    match enter(store, call) {
        Ok(results) => {
            Outcome::Returned(results.into_iter().map(|result| value(store, result, 0)).collect())
        }
        Err(error) => failure(store, &error),
    }
}

/// The failure of a call or of an instantiation.
fn failure(mut store: impl AsContextMut<Data = Host>, error: &Error) -> Outcome {
    let mut store = store.as_context_mut();
    if let Some(thrown) = api::thrown(&mut store, error) {
        return Outcome::Threw(exception(&mut store, thrown, 0));
    }
    if let Some(trap) = error.downcast_ref::<api::Trap>() {
        return Outcome::Trapped(api::trap_name(*trap));
    }
    let text = error.root_cause().to_string();
    match text.starts_with("host function ") {
        true => Outcome::HostError(text),
        false => refusal(error),
    }
}

/// The value for an argument of type `ty`.
fn val(store: &mut api::Context<'_, Host>, arg: &Arg, ty: &api::ValType) -> Val {
    match arg {
        Arg::I32(value) => Val::I32(*value as i32),
        Arg::I64(value) => Val::I64(*value as i64),
        Arg::F32(bits) => Val::F32(*bits),
        Arg::F64(bits) => Val::F64(*bits),
        Arg::V128(bits) => Val::V128((*bits).into()),
        Arg::Null => {
            let api::ValType::Ref(ty) = ty else { panic!("null is planned for {ty:?}") };
            Val::null_ref(ty.heap_type())
        }
        Arg::Host(number) => {
            let object = ExternRef::new(store, Object(*number)).expect("the heap has room");
            Val::ExternRef(Some(object))
        }
        Arg::Func(name) => {
            let instance = store.data().names.instance.expect("planned for after instantiation");
            Val::FuncRef(Some(instance.get_func(store, name).expect("planned exports exist")))
        }
    }
}

/// What is compared of a value; `depth` is how many exceptions it is inside of.
fn value(store: &mut api::Context<'_, Host>, val: Val, depth: usize) -> Value {
    match val {
        Val::I32(value) => Value::I32(value as u32),
        Val::I64(value) => Value::I64(value as u64),
        Val::F32(bits) => Value::f32(bits),
        Val::F64(bits) => Value::f64(bits),
        Val::V128(bits) => Value::V128(bits.into()),
        Val::FuncRef(Some(func)) => Value::Func(func_name(store, &func)),
        Val::ExternRef(Some(object)) => object_value(store, object),
        Val::ExnRef(Some(_)) if depth > 2 => Value::Other("an exception deep inside"),
        Val::ExnRef(Some(thrown)) => {
            Value::Exception(Box::new(exception(store, thrown, depth + 1)))
        }
        Val::FuncRef(None) | Val::ExternRef(None) | Val::ExnRef(None) => Value::Null,
        other => api::other_value(other),
    }
}

fn object_value(store: &mut api::Context<'_, Host>, object: Rooted<ExternRef>) -> Value {
    match api::data(store, &object) {
        Some(data) => Value::Host(data.downcast_ref::<Object>().expect("all objects are alike").0),
        None => Value::Other("an externref that is no host object"),
    }
}

fn exception(
    store: &mut api::Context<'_, Host>,
    thrown: Rooted<api::ExnRef>,
    depth: usize,
) -> Exception {
    let tag = thrown.tag(&mut *store).expect("it is rooted");
    let tags = &store.data().names.tags;
    let known = tags.iter().find(|(known, _)| Tag::eq(known, &tag, store.as_context()));
    let tag = known.map(|(_, name)| name.clone());
    let fields: Vec<Val> = thrown.fields(&mut *store).expect("it is rooted").collect();
    let fields = fields.into_iter().map(|field| value(store, field, depth)).collect();
    Exception { tag, fields }
}

fn func_name(store: &mut api::Context<'_, Host>, func: &Func) -> Option<String> {
    let raw: *mut c_void = func.to_raw(&mut *store);
    let names = &store.data().names.funcs;
    names.iter().find(|(known, _)| *known == raw as usize).map(|(_, name)| name.clone())
}

/// The first name of every exported function and tag.
fn names(store: &mut Store<Host>, instance: Instance) -> Names {
    let mut names = Names { instance: Some(instance), ..Names::default() };
    for (name, export) in exports(store, instance) {
        match export {
            Extern::Func(func) => {
                let raw = func.to_raw(&mut *store) as usize;
                if names.funcs.iter().all(|(known, _)| *known != raw) {
                    names.funcs.push((raw, name));
                }
            }
            Extern::Tag(tag)
                if names.tags.iter().all(|(known, _)| !Tag::eq(known, &tag, &*store)) =>
            {
                names.tags.push((tag, name));
            }
            _ => {}
        }
    }
    names
}

/// The bytes of a memory that nobody else uses at the moment.
#[allow(unsafe_code, reason = "the bytes of a shared memory can be had as cells only")]
fn copy(memory: &SharedMemory) -> Vec<u8> {
    // SAFETY: the cell is alive, and no thread writes to it: waiting guests have been waited for.
    memory.data().iter().map(|cell| unsafe { *cell.get() }).collect()
}

fn exports(store: &mut Store<Host>, instance: Instance) -> Vec<(String, Extern)> {
    let exports = instance.exports(store);
    exports.map(|export| (export.name().to_owned(), export.into_extern())).collect()
}

/// The state of all exports.
fn end(store: &mut Store<Host>, instance: Instance) -> Vec<(String, State)> {
    let mut states = Vec::new();
    for (name, export) in exports(store, instance) {
        let mut scope = RootScope::new(&mut *store);
        let mut scope = scope.as_context_mut();
        let state = match export {
            Extern::Global(global) => {
                let val = global.get(&mut scope);
                State::Global(value(&mut scope, val, 0))
            }
            Extern::Table(table) => {
                let elements = (0..table.size(&scope)).map(|index| {
                    let element = table.get(&mut scope, index).expect("within its size");
                    value(&mut scope, element.into(), 0)
                });
                State::Table(elements.collect())
            }
            Extern::Memory(memory) => State::memory(memory.data(&scope)),
            Extern::SharedMemory(memory) => State::memory(&copy(&memory)),
            _ => continue,
        };
        states.push((name, state));
    }
    states
}
