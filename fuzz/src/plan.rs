//! What is done with a module: which values its imports have, which exports are called with which
//! arguments, and what host functions answer. Both engines follow the same plan.

use anyhow::{Context as _, Result};
use wasmparser::types::{CoreTypeId, EntityType};
use wasmparser::{
    AbstractHeapType, HeapType, Parser, Payload, RefType, UnpackedIndex, ValType, Validator,
    WasmFeatures,
};

use crate::random::Random;
use crate::value::{Arg, Referent, Type};

/// The name of the global that counts down to the end of a call, where a module has one.
pub const FUEL: &str = "fuel";

/// How host functions of the plan behave, and what is called.
#[derive(Clone, Debug)]
pub struct Plan {
    /// In the order of the module's imports.
    pub imports: Vec<Import>,
    pub calls: Vec<Call>,
    /// What the global [`FUEL`] is set to before each call.
    pub fuel: u32,
    seed: u64,
}

/// What stands for an import.
#[derive(Clone, Debug)]
pub enum Import {
    /// A host function with these results.
    Func(Vec<Type>),
    /// A global with this value.
    Global(Arg),
    /// A table, a memory or a tag, of which the type says everything.
    Plain,
}

/// One call of an export.
#[derive(Clone, Debug)]
pub struct Call {
    pub export: String,
    pub args: Vec<Arg>,
}

/// What a host function does when it is called.
#[derive(Clone, Debug)]
pub enum Answer {
    Return(Vec<Arg>),
    /// It collects garbage before it returns.
    CollectAndReturn(Vec<Arg>),
    /// It makes this call of the plan, whatever comes of it, then returns.
    CallAndReturn(usize, Vec<Arg>),
    /// It makes this call of the plan, and passes on its failure.
    CallAndPass(usize, Vec<Arg>),
    Fail,
}

impl Plan {
    /// A plan for `wasm`; an error if an import is of a type that no plan makes.
    pub fn new(wasm: &[u8], seed: u64, fuel: u32) -> Result<Plan> {
        let types = Validator::new_with_features(WasmFeatures::all()).validate_all(wasm)?;
        let types = types.as_ref();
        let exports: Vec<(String, EntityType)> = types
            .core_exports()
            .context("a module")?
            .map(|(name, ty)| (name.to_owned(), ty))
            .collect();
        let mut planner = Planner { exports, types, random: Random::new(seed, 1), made: 0 };
        let mut imports = Vec::new();
        for ty in import_types(wasm, planner.types)? {
            imports.push(planner.import(ty)?);
        }
        let calls = planner.calls();
        Ok(Plan { imports, calls, fuel, seed })
    }

    /// What the host function for import number `import` does in call number `count`.
    pub fn answer(&self, import: usize, count: usize) -> Answer {
        let Import::Func(results) = &self.imports[import] else {
            panic!("import {import} is a function")
        };
        let mut random = Random::new(self.seed, 1 << 32 | (import as u64) << 16 | count as u64);
        let made = 1_000_000 + (import * 1000 + count * 10) as u32;
        let mut values = Vec::new();
        for (index, ty) in results.iter().enumerate() {
            match value_of(ty, &mut random, made + index as u32, false) {
                Some(value) => values.push(value),
                None => return Answer::Fail,
            }
        }
        let call = random.below(self.calls.len().max(1));
        match random.below(12) {
            0 => Answer::Fail,
            1 | 2 => Answer::CollectAndReturn(values),
            3 if !self.calls.is_empty() => Answer::CallAndReturn(call, values),
            4 if !self.calls.is_empty() => Answer::CallAndPass(call, values),
            _ => Answer::Return(values),
        }
    }
}

/// The types of the imports of a valid module, in order.
fn import_types(wasm: &[u8], types: wasmparser::types::TypesRef<'_>) -> Result<Vec<EntityType>> {
    let mut imports = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::ImportSection(section) = payload? {
            for import in section.into_imports() {
                let ty = types.entity_type_from_import(&import?).context("a valid import")?;
                imports.push(ty);
            }
        }
    }
    Ok(imports)
}

struct Planner<'a> {
    exports: Vec<(String, EntityType)>,
    types: wasmparser::types::TypesRef<'a>,
    random: Random,
    /// The number of the next host object.
    made: u32,
}

impl Planner<'_> {
    fn import(&mut self, ty: EntityType) -> Result<Import> {
        Ok(match ty {
            EntityType::Func(id) | EntityType::FuncExact(id) => {
                let ty = self.types[id].unwrap_func();
                Import::Func(ty.results().iter().map(|ty| self.ty(*ty)).collect())
            }
            EntityType::Global(global) => {
                let ty = self.ty(global.content_type);
                self.made += 1;
                // There is no instance yet whose function it could be.
                let value = value_of(&ty, &mut self.random, self.made, false);
                Import::Global(value.context("a global of a type without values")?)
            }
            EntityType::Table(table) => {
                anyhow::ensure!(table.element_type.is_nullable(), "a table without null");
                Import::Plain
            }
            EntityType::Memory(_) | EntityType::Tag(_) => Import::Plain,
        })
    }

    /// Every exported function, some of them several times, in any order.
    fn calls(&mut self) -> Vec<Call> {
        let functions: Vec<(String, CoreTypeId)> = (self.exports.iter())
            .filter_map(|(name, ty)| match ty {
                EntityType::Func(id) | EntityType::FuncExact(id) => Some((name.clone(), *id)),
                _ => None,
            })
            .collect();
        let mut calls = Vec::new();
        for (export, id) in &functions {
            for _ in 0..1 + self.random.below(3) {
                let params = self.types[*id].unwrap_func().params().to_vec();
                let args: Option<Vec<Arg>> = params.iter().map(|ty| self.arg(*ty)).collect();
                // Without an argument there is no call: the type has no values.
                calls.extend(args.map(|args| Call { export: export.clone(), args }));
            }
        }
        for index in (1..calls.len()).rev() {
            calls.swap(index, self.random.below(index + 1));
        }
        calls.truncate(40);
        calls
    }

    fn arg(&mut self, ty: ValType) -> Option<Arg> {
        let ty = self.ty(ty);
        self.made += 1;
        value_of(&ty, &mut self.random, self.made, true)
    }

    fn ty(&self, ty: ValType) -> Type {
        match ty {
            ValType::I32 => Type::I32,
            ValType::I64 => Type::I64,
            ValType::F32 => Type::F32,
            ValType::F64 => Type::F64,
            ValType::V128 => Type::V128,
            ValType::Ref(ty) => Type::Ref(self.referent(ty), ty.is_nullable()),
        }
    }

    fn referent(&self, ty: RefType) -> Referent {
        match ty.heap_type() {
            HeapType::Abstract { ty: AbstractHeapType::Extern, .. } => Referent::Extern,
            HeapType::Abstract { ty: AbstractHeapType::Func, .. } => {
                Referent::Exported(self.exported(|_| true))
            }
            HeapType::Concrete(UnpackedIndex::Id(expected)) => {
                Referent::Exported(self.exported(|id| id == expected))
            }
            _ => Referent::Other,
        }
    }

    fn exported(&self, accept: impl Fn(CoreTypeId) -> bool) -> Vec<String> {
        let functions = self.exports.iter().filter_map(|(name, ty)| match ty {
            EntityType::Func(id) | EntityType::FuncExact(id) if accept(*id) => Some(name.clone()),
            _ => None,
        });
        functions.collect()
    }
}

/// A value of the type, if there is one. Functions can be had only `after` instantiation.
fn value_of(ty: &Type, random: &mut Random, number: u32, after: bool) -> Option<Arg> {
    Some(match ty {
        Type::I32 => Arg::I32(integer(random) as u32),
        Type::I64 => Arg::I64(integer(random)),
        Type::F32 => Arg::F32(match random.below(3) {
            0 => random.next() as u32,
            1 => (integer(random) as i32 as f32).to_bits(),
            _ => (integer(random) as f32 / 3.0).to_bits(),
        }),
        Type::F64 => Arg::F64(match random.below(3) {
            0 => random.next(),
            1 => (integer(random) as i64 as f64).to_bits(),
            _ => (integer(random) as f64 / 3.0).to_bits(),
        }),
        Type::V128 => Arg::V128(u128::from(integer(random)) << 64 | u128::from(random.next())),
        Type::Ref(_, true) if random.one_in(4) => Arg::Null,
        Type::Ref(Referent::Extern, _) => Arg::Host(number),
        Type::Ref(Referent::Exported(names), _) if after && !names.is_empty() => {
            Arg::Func(random.pick(names).clone())
        }
        Type::Ref(_, nullable) => return nullable.then_some(Arg::Null),
    })
}

/// Numbers at which programs change their ways, more often than others.
pub fn integer(random: &mut Random) -> u64 {
    let near = (random.below(5) as u64).wrapping_sub(2);
    match random.below(4) {
        0 => near,
        1 => (1_u64 << random.below(64)).wrapping_add(near),
        2 => random.next() >> random.below(64),
        _ => random.below(100) as u64,
    }
}
