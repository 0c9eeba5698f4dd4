//! Programs by chance: the shape first, then the bodies, then what the host does.

use std::ops::Range;

use super::host::HostFn;
use super::program::{
    Arg, Expr, FuncType, Function, Part, Program, Shape, Signature, Step, Table, Type, results_of,
};
use super::{FAMILIES, control, moves};
use crate::random::Random;

/// What nodes are made from.
pub struct Builder<'a> {
    pub random: &'a mut Random,
    pub shape: &'a mut Shape,
    /// The function that is being built.
    pub function: usize,
    /// Its parameters and locals.
    pub locals: Vec<Type>,
    /// How many more levels of nodes there may be.
    depth: u32,
}

impl Program {
    /// The program of these numbers.
    pub fn new(seed: u64, case: u64) -> Program {
        let random = &mut Random::new(seed, case);
        let mut shape = shape(random);
        if random.one_in(2) {
            shape.split = random.below(shape.signatures.len());
        }
        let mut functions = Vec::new();
        for index in 0..shape.signatures.len() {
            functions.push(function(random, &mut shape, index));
        }
        for index in 0..shape.tables.len() {
            shape.tables[index].initial = initial(random, &shape, shape.tables[index].ty);
        }
        let steps = (0..4 + random.below(12)).map(|_| step(random, &shape)).collect();
        Program { shape, functions, steps, dynamic: random.next() }
    }
}

fn shape(random: &mut Random) -> Shape {
    let mut shape =
        Shape { types: vec![FuncType(vec![Type::Extern], vec![Type::Extern])], ..Shape::default() };
    for ty in Type::REFERENCES {
        for _ in 0..1 + random.below(2) {
            let size = 1 + random.below(8) as u32;
            let max = size + random.below(20) as u32;
            shape.tables.push(Table { ty, size, max, initial: None });
            shape.globals.push(ty);
        }
    }
    for _ in 0..1 + random.below(4) {
        shape.tags.push(types(random, 4));
    }
    for _ in 0..3 + random.below(8) {
        shape.signatures.push(match random.below(3) {
            0 => Signature::simple(),
            1 => Signature { params: types(random, 4), result: result(random) },
            // More parameters than registers.
            _ => Signature { params: types(random, 24), result: result(random) },
        });
    }
    for host in HostFn::ALL {
        let (params, result) = host.signature();
        shape.ty(params.to_vec(), results_of(&[result]).to_vec());
    }
    for Signature { params, result } in shape.signatures.clone() {
        shape.ty(params, results_of(&[result]).to_vec());
    }
    for payload in shape.tags.clone() {
        shape.ty(payload, Vec::new());
    }
    shape
}

/// The function that all elements of a table are at first, if any.
fn initial(random: &mut Random, shape: &Shape, ty: Type) -> Option<usize> {
    let first = shape.functions(Part::First);
    match ty {
        Type::Simple | Type::Func if !random.one_in(4) => shape.simple(random, first),
        _ => None,
    }
}

fn types(random: &mut Random, most: usize) -> Vec<Type> {
    let len = random.below(most + 1);
    (0..len).map(|_| *random.pick(&VALUES)).collect()
}

/// What parameters and payloads are, mostly host objects.
const VALUES: [Type; 7] =
    [Type::Extern, Type::Extern, Type::Extern, Type::Func, Type::Simple, Type::Exn, Type::Int];

fn result(random: &mut Random) -> Type {
    *random.pick(&[Type::Unit, Type::Extern, Type::Extern, Type::Exn, Type::Simple, Type::Int])
}

fn function(random: &mut Random, shape: &mut Shape, index: usize) -> Function {
    let signature = shape.signatures[index].clone();
    let mut locals = signature.params.clone();
    // Something to move, whatever the parameters are.
    locals.extend([Type::Extern, Type::Extern, Type::Exn]);
    let depth = 3 + random.below(3) as u32;
    let mut builder = Builder { random, shape, function: index, locals, depth };
    let body = control::body(&mut builder, signature.result);
    let locals = builder.locals.split_off(signature.params.len());
    Function { signature, locals, body, dropped: false }
}

fn step(random: &mut Random, shape: &Shape) -> Step {
    let table = random.below(shape.tables.len());
    let global = random.below(shape.globals.len());
    let element = shape.tables[table].ty;
    let size = shape.tables[table].size as usize;
    let outside = usize::from(random.one_in(20));
    let index = random.below(size + outside) as u32;
    match random.below(12) {
        0 => Step::SetTable(table, index, arg(random, shape, element)),
        1 => Step::GrowTable(table, index / 2, arg(random, shape, element)),
        2 => Step::FillTable(table, index, arg(random, shape, element), random.below(4) as u32),
        3 => Step::SetGlobal(global, arg(random, shape, shape.globals[global])),
        4 => Step::ReadTable(table, index),
        5 => Step::ReadGlobal(global),
        _ => {
            let function = random.below(shape.signatures.len());
            let params = &shape.signatures[function].params;
            Step::Call(function, params.iter().map(|ty| arg(random, shape, *ty)).collect())
        }
    }
}

fn arg(random: &mut Random, shape: &Shape, ty: Type) -> Arg {
    if ty == Type::Int {
        return Arg::Int(random.below(10) as i32);
    }
    if random.one_in(6) {
        return Arg::Null;
    }
    match ty {
        Type::Extern => Arg::Fresh,
        Type::Func => Arg::Func(random.below(shape.signatures.len())),
        Type::Simple => {
            let function = shape.simple(random, 0..shape.signatures.len());
            function.map_or(Arg::Null, Arg::Func)
        }
        _ => Arg::Exception(random.below(shape.tags.len())),
    }
}

impl Shape {
    /// One of `functions` of the simple signature, if there is one.
    pub fn simple(&self, random: &mut Random, functions: Range<usize>) -> Option<usize> {
        let simple = Signature::simple();
        let all = functions.filter(|index| self.signatures[*index] == simple);
        let all: Vec<usize> = all.collect();
        (!all.is_empty()).then(|| *random.pick(&all))
    }
}

impl Builder<'_> {
    /// A node of this type.
    pub fn expr(&mut self, ty: Type) -> Expr {
        if self.depth == 0 {
            return moves::leaf(self, ty);
        }
        self.depth -= 1;
        let node = loop {
            let family = *self.random.pick(&FAMILIES);
            if let Some(node) = family(self, ty) {
                break node;
            }
        };
        self.depth += 1;
        node
    }

    /// One node for each type.
    pub fn exprs(&mut self, types: &[Type]) -> Vec<Expr> {
        types.iter().map(|ty| self.expr(*ty)).collect()
    }

    /// A type of references.
    pub fn reference(&mut self) -> Type {
        *self.random.pick(&[Type::Extern, Type::Extern, Type::Func, Type::Simple, Type::Exn])
    }

    /// A new local.
    pub fn local(&mut self, ty: Type) -> u32 {
        self.locals.push(ty);
        self.locals.len() as u32 - 1
    }

    /// A function of the simple signature that can be named here.
    pub fn simple(&mut self) -> Option<usize> {
        let nameable = self.shape.nameable(self.function);
        self.shape.simple(self.random, nameable)
    }

    /// One of the `choices` that fits, by position.
    pub fn find<T>(&mut self, choices: &[T], fits: impl Fn(&T) -> bool) -> Option<usize> {
        let all: Vec<usize> = (0..choices.len()).filter(|index| fits(&choices[*index])).collect();
        (!all.is_empty()).then(|| *self.random.pick(&all))
    }
}
