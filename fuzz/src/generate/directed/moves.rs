//! Nodes that only move references: locals, globals, tables, null, selection.

use wasm_encoder::{BlockType, InstructionSink};

use super::build::Builder;
use super::model::{Run, Stop, Value};
use super::program::{Expr, Node, Type};

enum Move {
    Int(i32),
    Null(Type),
    Local(u32),
    SetLocal(u32, Expr),
    Tee(u32, Expr),
    Global(u32),
    SetGlobal(u32, Expr),
    Element(u32, u32),
    SetElement(u32, u32, Expr),
    /// Table, start, value, length.
    Fill(u32, u32, Expr, u32),
    /// Table, destination, source, length.
    Copy(u32, u32, u32, u32),
    /// The old size or -1.
    Grow(u32, Expr, u32),
    Drop(Expr),
    IsNull(Expr),
    /// Type, both values, condition.
    Select(Type, Expr, Expr, Expr),
    /// The first, or if it is null the second.
    Or(Type, Expr, Expr),
    /// Traps if it is null.
    NonNull(Expr),
}

/// A node of this family.
pub fn node(builder: &mut Builder<'_>, ty: Type) -> Option<Expr> {
    let node = match ty {
        Type::Unit => statement(builder),
        Type::Int => match builder.random.below(3) {
            0 => Move::Int(builder.random.below(4) as i32),
            1 => {
                let ty = builder.reference();
                Move::IsNull(builder.expr(ty))
            }
            _ => {
                let (table, ty) = table(builder);
                let delta = builder.random.below(4) as u32;
                Move::Grow(table, builder.expr(ty), delta)
            }
        },
        reference => value(builder, reference)?,
    };
    Some(Box::new(node))
}

/// The first reference, or if it is null the second.
pub fn or(ty: Type, first: Expr, second: Expr) -> Expr {
    Box::new(Move::Or(ty, first, second))
}

/// A node without nodes inside.
pub fn leaf(builder: &mut Builder<'_>, ty: Type) -> Expr {
    let locals = builder.locals.clone();
    let local = builder.find(&locals, |local| *local == ty);
    Box::new(match (ty, local) {
        // A statement that does nothing.
        (Type::Unit, _) => Move::Drop(Box::new(Move::Int(0))),
        (_, Some(local)) if !builder.random.one_in(8) => Move::Local(local as u32),
        (Type::Int, _) => Move::Int(builder.random.below(4) as i32),
        (reference, _) => Move::Null(reference),
    })
}

fn value(builder: &mut Builder<'_>, ty: Type) -> Option<Move> {
    let (locals, globals, tables) =
        (builder.locals.clone(), builder.shape.globals.clone(), builder.shape.tables.clone());
    Some(match builder.random.below(8) {
        0 => Move::Local(builder.find(&locals, |local| *local == ty)? as u32),
        1 => {
            let local = builder.find(&locals, |local| *local == ty)? as u32;
            Move::Tee(local, builder.expr(ty))
        }
        2 => Move::Global(builder.find(&globals, |global| *global == ty)? as u32),
        3 | 4 => {
            let table = builder.find(&tables, |table| table.ty == ty)? as u32;
            Move::Element(table, index(builder, table))
        }
        5 => Move::Select(ty, builder.expr(ty), builder.expr(ty), builder.expr(Type::Int)),
        6 => Move::Or(ty, builder.expr(ty), builder.expr(ty)),
        _ if builder.random.one_in(12) => Move::NonNull(builder.expr(ty)),
        _ => return None,
    })
}

fn statement(builder: &mut Builder<'_>) -> Move {
    let (table, ty) = table(builder);
    let (first, second) = (index(builder, table), index(builder, table));
    let len = builder.random.below(3) as u32;
    match builder.random.below(9) {
        0 | 1 => Move::SetElement(table, first, builder.expr(ty)),
        2 => Move::Fill(table, within(builder, table, first, len), builder.expr(ty), len),
        3 => {
            let to = within(builder, table, first, len);
            Move::Copy(table, to, within(builder, table, second, len), len)
        }
        4 | 5 => {
            let global = builder.random.below(builder.shape.globals.len());
            let ty = builder.shape.globals[global];
            Move::SetGlobal(global as u32, builder.expr(ty))
        }
        6 => {
            let ty = builder.reference();
            Move::Drop(builder.expr(ty))
        }
        _ => {
            let ty = builder.reference();
            let locals = builder.locals.clone();
            let local = builder.find(&locals, |local| *local == ty);
            let local = local.map_or_else(|| builder.local(ty), |local| local as u32);
            Move::SetLocal(local, builder.expr(ty))
        }
    }
}

fn table(builder: &mut Builder<'_>) -> (u32, Type) {
    let table = builder.random.below(builder.shape.tables.len());
    (table as u32, builder.shape.tables[table].ty)
}

/// A place in a table, now and then outside.
fn index(builder: &mut Builder<'_>, table: u32) -> u32 {
    let size = builder.shape.tables[table as usize].size as usize;
    let outside = usize::from(builder.random.one_in(200));
    builder.random.below(size + 3 * outside) as u32
}

/// The start of a range of `len` elements, now and then one that goes too far.
fn within(builder: &mut Builder<'_>, table: u32, start: u32, len: u32) -> u32 {
    let size = builder.shape.tables[table as usize].size;
    if builder.random.one_in(100) { start } else { start.min(size.saturating_sub(len)) }
}

impl Node for Move {
    fn emit(&self, code: &mut InstructionSink<'_>) {
        let int = |value: u32| value as i32;
        match self {
            Move::Int(value) => code.i32_const(*value),
            Move::Null(ty) => code.ref_null(ty.reference().heap_type),
            Move::Local(local) => code.local_get(*local),
            Move::Global(global) => code.global_get(*global),
            Move::Element(table, index) => code.i32_const(int(*index)).table_get(*table),
            Move::SetLocal(local, value) => emit(value, code).local_set(*local),
            Move::Tee(local, value) => emit(value, code).local_tee(*local),
            Move::SetGlobal(global, value) => emit(value, code).global_set(*global),
            Move::SetElement(table, index, value) => {
                emit(value, code.i32_const(int(*index))).table_set(*table)
            }
            Move::Fill(table, start, value, len) => {
                emit(value, code.i32_const(int(*start))).i32_const(int(*len)).table_fill(*table)
            }
            Move::Copy(table, to, from, len) => {
                code.i32_const(int(*to)).i32_const(int(*from)).i32_const(int(*len));
                code.table_copy(*table, *table)
            }
            Move::Grow(table, value, delta) => {
                emit(value, code).i32_const(int(*delta)).table_grow(*table)
            }
            Move::Drop(value) => emit(value, code).drop(),
            Move::IsNull(value) => emit(value, code).ref_is_null(),
            Move::Select(ty, first, second, condition) => {
                emit(condition, emit(second, emit(first, code))).typed_select(ty.encoded())
            }
            Move::Or(ty, first, second) => {
                code.block(BlockType::Result(ty.encoded()));
                code.block(BlockType::Empty);
                emit(first, code).br_on_null(0).br(1).end();
                emit(second, code).end()
            }
            Move::NonNull(value) => emit(value, code).ref_as_non_null(),
        };
    }

    fn eval(&self, run: &mut Run<'_>) -> Result<Value, Stop> {
        Ok(match self {
            Move::Int(value) => Value::Int(*value),
            Move::Null(_) => Value::Null,
            Move::Local(local) => run.locals[*local as usize].clone(),
            Move::Global(global) => run.globals[*global as usize].clone(),
            Move::SetLocal(local, value) | Move::Tee(local, value) => {
                let value = value.eval(run)?;
                run.locals[*local as usize] = value.clone();
                if matches!(self, Move::Tee(..)) { value } else { Value::Unit }
            }
            Move::SetGlobal(global, value) => {
                run.globals[*global as usize] = value.eval(run)?;
                Value::Unit
            }
            Move::Drop(value) => value.eval(run).map(|_| Value::Unit)?,
            Move::IsNull(value) => Value::Int(is_null(&value.eval(run)?).into()),
            Move::Select(_, first, second, condition) => {
                let (first, second) = (first.eval(run)?, second.eval(run)?);
                let Value::Int(condition) = condition.eval(run)? else { panic!("an i32") };
                if condition == 0 { second } else { first }
            }
            Move::Or(_, first, second) => match first.eval(run)? {
                Value::Null => second.eval(run)?,
                first => first,
            },
            Move::NonNull(value) => match value.eval(run)? {
                Value::Null => return Err(Stop::Trap("null reference")),
                value => value,
            },
            table => return table.eval_table(run),
        })
    }
}

impl Move {
    /// What a node of tables does.
    fn eval_table(&self, run: &mut Run<'_>) -> Result<Value, Stop> {
        let outside = Stop::Trap("out of bounds table access");
        match self {
            Move::Element(table, index) => {
                run.tables[*table as usize].get(*index as usize).cloned().ok_or(outside)
            }
            Move::SetElement(table, index, value) => {
                let value = value.eval(run)?;
                let element = run.tables[*table as usize].get_mut(*index as usize);
                *element.ok_or(outside)? = value;
                Ok(Value::Unit)
            }
            Move::Fill(table, start, value, len) => {
                let value = value.eval(run)?;
                run.fill(*table as usize, *start, value, *len).map(|()| Value::Unit)
            }
            Move::Copy(table, to, from, len) => {
                let elements = &mut run.tables[*table as usize];
                copy(elements, *to, *from, *len).ok_or(outside).map(|()| Value::Unit)
            }
            Move::Grow(table, value, delta) => {
                let value = value.eval(run)?;
                Ok(Value::Int(run.grow(*table as usize, *delta, value)))
            }
            _ => panic!("the others are no nodes of tables"),
        }
    }
}

/// Writes a node; the code goes on after it.
pub fn emit<'a, 'b>(node: &Expr, code: &'a mut InstructionSink<'b>) -> &'a mut InstructionSink<'b> {
    node.emit(code);
    code
}

fn is_null(value: &Value) -> bool {
    matches!(value, Value::Null)
}

fn copy(elements: &mut [Value], to: u32, from: u32, len: u32) -> Option<()> {
    let (to, from, len) = (to as usize, from as usize, len as usize);
    let source = elements.get(from..from + len)?.to_vec();
    elements.get_mut(to..to + len)?.clone_from_slice(&source);
    Some(())
}
