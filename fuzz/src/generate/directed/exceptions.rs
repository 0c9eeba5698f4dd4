//! Exceptions with references in them: thrown, caught by tag or all, thrown again.

use std::rc::Rc;

use wasm_encoder::{BlockType, Catch, InstructionSink};

use super::build::Builder;
use super::control::block_type;
use super::model::{Exception, Run, Stop, Value};
use super::moves::emit;
use super::program::{Expr, Node, Type};

struct Throw {
    tag: u32,
    fields: Vec<Expr>,
}

struct Rethrow(Expr);

struct Try {
    ty: Type,
    body: Expr,
    /// The first that fits catches.
    handlers: Vec<Handler>,
}

struct Handler {
    /// Without one it catches everything.
    tag: Option<u32>,
    /// The locals that take the payload, and the exception.
    fields: Vec<u32>,
    exception: Option<u32>,
    /// The type of the block that the handler's values arrive in.
    block: BlockType,
    body: Expr,
}

/// A node of this family.
pub fn node(builder: &mut Builder<'_>, ty: Type) -> Option<Expr> {
    Some(match builder.random.below(24) {
        // These never come back: they stand for nodes of any type.
        0 | 1 => Box::new(throw(builder)),
        2 if builder.random.one_in(3) => Box::new(Rethrow(builder.expr(Type::Exn))),
        _ => {
            let body = builder.expr(ty);
            let handlers = (0..1 + builder.random.below(2)).map(|_| handler(builder, ty)).collect();
            Box::new(Try { ty, body, handlers })
        }
    })
}

fn throw(builder: &mut Builder<'_>) -> Throw {
    let tag = builder.random.below(builder.shape.tags.len());
    let payload = builder.shape.tags[tag].clone();
    Throw { tag: tag as u32, fields: builder.exprs(&payload) }
}

fn handler(builder: &mut Builder<'_>, ty: Type) -> Handler {
    let tag = (!builder.random.one_in(3)).then(|| builder.random.below(builder.shape.tags.len()));
    let payload = tag.map_or(Vec::new(), |tag| builder.shape.tags[tag].clone());
    let fields: Vec<u32> = payload.iter().map(|ty| builder.local(*ty)).collect();
    let exception = builder.random.one_in(2).then(|| builder.local(Type::Exn));
    let mut results = payload;
    results.extend(exception.map(|_| Type::Exn));
    let block = match results.as_slice() {
        [] => BlockType::Empty,
        results => BlockType::FunctionType(builder.shape.ty(Vec::new(), results.to_vec())),
    };
    let body = builder.expr(ty);
    Handler { tag: tag.map(|tag| tag as u32), fields, exception, block, body }
}

impl Handler {
    fn clause(&self, label: u32) -> Catch {
        match (self.tag, self.exception) {
            (Some(tag), None) => Catch::One { tag, label },
            (Some(tag), Some(_)) => Catch::OneRef { tag, label },
            (None, None) => Catch::All { label },
            (None, Some(_)) => Catch::AllRef { label },
        }
    }
}

impl Node for Throw {
    fn emit(&self, code: &mut InstructionSink<'_>) {
        self.fields.iter().for_each(|field| field.emit(code));
        code.throw(self.tag);
    }

    fn eval(&self, run: &mut Run<'_>) -> Result<Value, Stop> {
        let fields = self.fields.iter().map(|field| field.eval(run)).collect::<Result<_, _>>()?;
        Err(Stop::Throw(Rc::new(Exception { tag: self.tag as usize, fields })))
    }
}

impl Node for Rethrow {
    fn emit(&self, code: &mut InstructionSink<'_>) {
        emit(&self.0, code).throw_ref();
    }

    fn eval(&self, run: &mut Run<'_>) -> Result<Value, Stop> {
        match self.0.eval(run)? {
            Value::Exception(exception) => Err(Stop::Throw(exception)),
            _ => Err(Stop::Trap("null reference")),
        }
    }
}

impl Node for Try {
    fn emit(&self, code: &mut InstructionSink<'_>) {
        // One block for each handler inside one for the value; the innermost is for the first.
        code.block(block_type(self.ty));
        for handler in self.handlers.iter().rev() {
            code.block(handler.block);
        }
        let clauses = self.handlers.iter().zip(0..).map(|(handler, label)| handler.clause(label));
        let clauses: Vec<Catch> = clauses.collect();
        code.try_table(block_type(self.ty), clauses);
        emit(&self.body, code).end().br(self.handlers.len() as u32);
        for (handler, done) in self.handlers.iter().zip((0..self.handlers.len() as u32).rev()) {
            code.end();
            if let Some(local) = handler.exception {
                code.local_set(local);
            }
            for local in handler.fields.iter().rev() {
                code.local_set(*local);
            }
            emit(&handler.body, code).br(done);
        }
        code.end();
    }

    fn eval(&self, run: &mut Run<'_>) -> Result<Value, Stop> {
        let exception = match self.body.eval(run) {
            Err(Stop::Throw(exception)) => exception,
            outcome => return outcome,
        };
        let fits = |handler: &&Handler| handler.tag.is_none_or(|tag| tag as usize == exception.tag);
        let Some(handler) = self.handlers.iter().find(fits) else {
            return Err(Stop::Throw(exception));
        };
        for (local, field) in handler.fields.iter().zip(&exception.fields) {
            run.locals[*local as usize] = field.clone();
        }
        if let Some(local) = handler.exception {
            run.locals[local as usize] = Value::Exception(exception);
        }
        handler.body.eval(run)
    }
}
