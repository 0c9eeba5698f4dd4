//! Calls of every kind: direct, through tables, through typed references, and as tail calls, with
//! few arguments or many.

use wasm_encoder::InstructionSink;

use super::build::Builder;
use super::model::{Run, Stop, Value};
use super::moves;
use super::program::{Expr, Node, SIMPLE, Signature, Type};

struct Call {
    args: Vec<Expr>,
    callee: Callee,
    tail: bool,
}

enum Callee {
    Direct(Target),
    /// An element of a table of functions, called as simple.
    Indirect(u32, u32),
    /// A typed reference to a simple function.
    Reference(Expr),
}

/// A function of the program, and its index in the module.
struct Target {
    function: usize,
    index: u32,
}

impl Target {
    fn new(builder: &Builder<'_>, function: usize) -> Target {
        Target { function, index: builder.shape.func_index(function) }
    }
}

/// A reference to a function.
struct RefFunc(Target);

/// A node of this family.
pub fn node(builder: &mut Builder<'_>, ty: Type) -> Option<Expr> {
    match ty {
        Type::Func if builder.random.one_in(2) => {
            let nameable = builder.shape.nameable(builder.function);
            let function = nameable.start + builder.random.below(nameable.len());
            return Some(Box::new(RefFunc(Target::new(builder, function))));
        }
        Type::Simple if builder.random.one_in(2) => {
            let function = builder.simple()?;
            return Some(Box::new(RefFunc(Target::new(builder, function))));
        }
        _ => {}
    }
    let own = builder.shape.signatures[builder.function].result;
    // A tail call never comes back: it stands for a node of any type.
    let tail = builder.random.one_in(4);
    let wanted = if tail { own } else { ty };
    if wanted == Type::Extern && builder.random.one_in(2) {
        let args = builder.exprs(&[Type::Extern]);
        let tables = builder.shape.tables.clone();
        let callee = match builder.random.below(8) {
            0 | 1 => {
                let table = builder.find(&tables, |table| table.ty == Type::Func)?;
                let index = builder.random.below(tables[table].size as usize) as u32;
                Callee::Indirect(table as u32, index)
            }
            // It may be null.
            2 => Callee::Reference(builder.expr(Type::Simple)),
            _ => {
                let function = builder.simple()?;
                let function = Box::new(RefFunc(Target::new(builder, function)));
                Callee::Reference(moves::or(Type::Simple, builder.expr(Type::Simple), function))
            }
        };
        return Some(Box::new(Call { args, callee, tail }));
    }
    let signatures = builder.shape.signatures.clone();
    let first = builder.function + 1;
    let later = signatures.get(first..)?;
    let function = first + builder.find(later, |signature| signature.result == wanted)?;
    let args = builder.exprs(&signatures[function].params);
    let callee = Callee::Direct(Target::new(builder, function));
    Some(Box::new(Call { args, callee, tail }))
}

impl Node for Call {
    fn emit(&self, code: &mut InstructionSink<'_>) {
        self.args.iter().for_each(|arg| arg.emit(code));
        match (&self.callee, self.tail) {
            (Callee::Direct(target), false) => code.call(target.index),
            (Callee::Direct(target), true) => code.return_call(target.index),
            (Callee::Indirect(table, index), tail) => {
                code.i32_const(*index as i32);
                match tail {
                    false => code.call_indirect(*table, SIMPLE),
                    true => code.return_call_indirect(*table, SIMPLE),
                }
            }
            (Callee::Reference(callee), tail) => {
                callee.emit(code);
                match tail {
                    false => code.call_ref(SIMPLE),
                    true => code.return_call_ref(SIMPLE),
                }
            }
        };
    }

    fn eval(&self, run: &mut Run<'_>) -> Result<Value, Stop> {
        let args = self.args.iter().map(|arg| arg.eval(run)).collect::<Result<Vec<_>, _>>()?;
        let function = match &self.callee {
            Callee::Direct(target) => target.function,
            Callee::Indirect(table, index) => {
                let element = run.tables[*table as usize].get(*index as usize);
                match element.ok_or(Stop::Trap("out of bounds table access"))? {
                    Value::Func(function) => {
                        let signature = &run.program.functions[*function].signature;
                        if *signature != Signature::simple() {
                            return Err(Stop::Trap("indirect call type mismatch"));
                        }
                        *function
                    }
                    _ => return Err(Stop::Trap("uninitialized element")),
                }
            }
            Callee::Reference(callee) => match callee.eval(run)? {
                Value::Func(function) => function,
                _ => return Err(Stop::Trap("null reference")),
            },
        };
        if self.tail {
            return Err(Stop::TailCall(function, args));
        }
        run.enter(function, args)
    }
}

impl Node for RefFunc {
    fn emit(&self, code: &mut InstructionSink<'_>) {
        code.ref_func(self.0.index);
    }

    fn eval(&self, _: &mut Run<'_>) -> Result<Value, Stop> {
        Ok(Value::Func(self.0.function))
    }
}
