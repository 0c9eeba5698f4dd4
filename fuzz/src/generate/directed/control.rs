//! Sequences, conditions, loops, returns: what puts collections between the moves of a reference.

use wasm_encoder::{BlockType, InstructionSink};

use super::build::Builder;
use super::model::{Run, Stop, Value};
use super::moves::emit;
use super::program::{Expr, Node, Type};

enum Control {
    /// Statements, and what they end with.
    Sequence(Vec<Expr>, Expr),
    /// Type, condition, both branches.
    If(Type, Expr, Expr, Expr),
    /// Counter, rounds, body.
    Loop(u32, i32, Expr),
    /// The value, if the function has one.
    Return(Expr),
    Unreachable,
}

/// The body of a function.
pub fn body(builder: &mut Builder<'_>, ty: Type) -> Expr {
    let len = 2 + builder.random.below(5);
    sequence(builder, len, ty)
}

fn sequence(builder: &mut Builder<'_>, len: usize, ty: Type) -> Expr {
    let statements = (0..len).map(|_| builder.expr(Type::Unit)).collect();
    Box::new(Control::Sequence(statements, builder.expr(ty)))
}

/// A node of this family.
pub fn node(builder: &mut Builder<'_>, ty: Type) -> Option<Expr> {
    Some(match builder.random.below(20) {
        0..=6 => {
            let len = 1 + builder.random.below(3);
            sequence(builder, len, ty)
        }
        7..=12 => {
            Box::new(Control::If(ty, builder.expr(Type::Int), builder.expr(ty), builder.expr(ty)))
        }
        13..=17 if ty == Type::Unit => {
            let rounds = 1 + builder.random.below(3) as i32;
            let body = builder.expr(Type::Unit);
            // After the body, which must not touch the counter.
            Box::new(Control::Loop(builder.local(Type::Int), rounds, body))
        }
        18 if builder.random.one_in(4) => {
            let result = builder.shape.signatures[builder.function].result;
            Box::new(Control::Return(builder.expr(result)))
        }
        19 if builder.random.one_in(20) => Box::new(Control::Unreachable),
        _ => return None,
    })
}

/// The type of a block with the value of a node of type `ty`.
pub fn block_type(ty: Type) -> BlockType {
    if ty == Type::Unit { BlockType::Empty } else { BlockType::Result(ty.encoded()) }
}

impl Node for Control {
    fn emit(&self, code: &mut InstructionSink<'_>) {
        match self {
            Control::Sequence(statements, last) => {
                statements.iter().for_each(|statement| statement.emit(code));
                last.emit(code);
            }
            Control::If(ty, condition, yes, no) => {
                emit(yes, emit(condition, code).if_(block_type(*ty))).else_();
                emit(no, code).end();
            }
            Control::Loop(counter, rounds, body) => {
                code.i32_const(*rounds).local_set(*counter).loop_(BlockType::Empty);
                body.emit(code);
                code.local_get(*counter).i32_const(1).i32_sub().local_tee(*counter).br_if(0).end();
            }
            Control::Return(value) => {
                emit(value, code).return_();
            }
            Control::Unreachable => {
                code.unreachable();
            }
        }
    }

    fn eval(&self, run: &mut Run<'_>) -> Result<Value, Stop> {
        match self {
            Control::Sequence(statements, last) => {
                for statement in statements {
                    statement.eval(run)?;
                }
                last.eval(run)
            }
            Control::If(_, condition, yes, no) => match condition.eval(run)? {
                Value::Int(0) => no.eval(run),
                _ => yes.eval(run),
            },
            Control::Loop(counter, rounds, body) => {
                // What a handler finds if the first round throws.
                run.locals[*counter as usize] = Value::Int(*rounds);
                for left in (0..*rounds).rev() {
                    body.eval(run)?;
                    run.locals[*counter as usize] = Value::Int(left);
                }
                Ok(Value::Unit)
            }
            Control::Return(value) => {
                let value = value.eval(run)?;
                Err(Stop::Return(value))
            }
            Control::Unreachable => Err(Stop::Trap("unreachable")),
        }
    }
}
