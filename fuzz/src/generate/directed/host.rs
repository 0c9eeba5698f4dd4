//! Calls of host functions: they make, take, return, keep and release references, collect, throw,
//! and call back. What they do on the real side stands in `side.rs`.

use std::rc::Rc;

use wasm_encoder::InstructionSink;

use super::build::Builder;
use super::model::{Exception, Run, Stop, Value, text};
use super::program::{Expr, Node, Type};

/// The host functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostFn {
    /// A new object.
    Make,
    /// Its argument.
    Pass,
    /// The second argument if the third is 0, else the first; makes an object on the way.
    Choose,
    PassFunc,
    PassExn,
    /// Writes an argument into the log.
    Note,
    NoteFunc,
    NoteSimple,
    NoteExn,
    /// Roots an object beyond the call.
    Keep,
    /// The object kept under this number, or null.
    Kept,
    /// Lets go of it.
    Release,
    Collect,
    /// Throws an exception of the tag of this number, with the object in it.
    Throw,
    /// Calls the function of this number with the object.
    Call,
    /// As `Call`; a failure becomes the first object of the exception, or null.
    CallCatch,
    Fail,
}

impl HostFn {
    pub const ALL: [HostFn; 17] = [
        HostFn::Make,
        HostFn::Pass,
        HostFn::Choose,
        HostFn::PassFunc,
        HostFn::PassExn,
        HostFn::Note,
        HostFn::NoteFunc,
        HostFn::NoteSimple,
        HostFn::NoteExn,
        HostFn::Keep,
        HostFn::Kept,
        HostFn::Release,
        HostFn::Collect,
        HostFn::Throw,
        HostFn::Call,
        HostFn::CallCatch,
        HostFn::Fail,
    ];

    pub fn name(self) -> &'static str {
        match self {
            HostFn::Make => "make",
            HostFn::Pass => "pass",
            HostFn::Choose => "choose",
            HostFn::PassFunc => "pass-func",
            HostFn::PassExn => "pass-exn",
            HostFn::Note => "note",
            HostFn::NoteFunc => "note-func",
            HostFn::NoteSimple => "note-simple",
            HostFn::NoteExn => "note-exn",
            HostFn::Keep => "keep",
            HostFn::Kept => "kept",
            HostFn::Release => "release",
            HostFn::Collect => "collect",
            HostFn::Throw => "throw",
            HostFn::Call => "call",
            HostFn::CallCatch => "call-catch",
            HostFn::Fail => "fail",
        }
    }

    pub fn signature(self) -> (&'static [Type], Type) {
        use Type::{Exn, Extern, Func, Int, Simple, Unit};
        match self {
            HostFn::Make => (&[], Extern),
            HostFn::Pass => (&[Extern], Extern),
            HostFn::Choose => (&[Extern, Extern, Int], Extern),
            HostFn::PassFunc => (&[Func], Func),
            HostFn::PassExn => (&[Exn], Exn),
            HostFn::Note | HostFn::Keep => (&[Extern], Unit),
            HostFn::NoteFunc => (&[Func], Unit),
            HostFn::NoteSimple => (&[Simple], Unit),
            HostFn::NoteExn => (&[Exn], Unit),
            HostFn::Kept => (&[Int], Extern),
            HostFn::Release => (&[Int], Unit),
            HostFn::Collect | HostFn::Fail => (&[], Unit),
            HostFn::Throw => (&[Int, Extern], Unit),
            HostFn::Call | HostFn::CallCatch => (&[Int, Extern], Extern),
        }
    }
}

struct HostCall {
    callee: HostFn,
    args: Vec<Expr>,
}

/// An `i32`, where a host function needs a number in a range.
struct Number(i32);

/// A node of this family.
pub fn node(builder: &mut Builder<'_>, ty: Type) -> Option<Expr> {
    let callee = *builder.random.pick(&HostFn::ALL);
    let (params, result) = callee.signature();
    let rare = matches!(callee, HostFn::Fail) && !builder.random.one_in(8);
    if result != ty || rare {
        return None;
    }
    let number = match callee {
        HostFn::Throw => Some(builder.random.below(builder.shape.tags.len())),
        HostFn::Call | HostFn::CallCatch => {
            let all = 0..builder.shape.signatures.len();
            Some(builder.shape.simple(builder.random, all)?)
        }
        _ => None,
    };
    let mut args = Vec::new();
    for (index, param) in params.iter().enumerate() {
        args.push(match number {
            Some(number) if index == 0 => Box::new(Number(number as i32)),
            _ => builder.expr(*param),
        });
    }
    Some(Box::new(HostCall { callee, args }))
}

impl Node for Number {
    fn emit(&self, code: &mut InstructionSink<'_>) {
        code.i32_const(self.0);
    }

    fn eval(&self, _: &mut Run<'_>) -> Result<Value, Stop> {
        Ok(Value::Int(self.0))
    }
}

impl Node for HostCall {
    fn emit(&self, code: &mut InstructionSink<'_>) {
        self.args.iter().for_each(|arg| arg.emit(code));
        let index = HostFn::ALL.iter().position(|host| *host == self.callee).expect("in the list");
        code.call(index as u32);
    }

    fn eval(&self, run: &mut Run<'_>) -> Result<Value, Stop> {
        let args = self.args.iter().map(|arg| arg.eval(run)).collect::<Result<Vec<_>, _>>()?;
        Ok(match (self.callee, args.as_slice()) {
            (HostFn::Make, []) => run.make(),
            (HostFn::Pass | HostFn::PassFunc | HostFn::PassExn, [value]) => value.clone(),
            (HostFn::Choose, [first, second, choice]) => {
                run.make();
                if number(choice) == 0 { second.clone() } else { first.clone() }
            }
            (HostFn::Note | HostFn::NoteFunc | HostFn::NoteSimple | HostFn::NoteExn, [value]) => {
                run.log.push(format!("note {}", text(value)));
                Value::Unit
            }
            (HostFn::Keep, [value]) => {
                if !matches!(value, Value::Null) {
                    run.kept.push(value.clone());
                }
                Value::Unit
            }
            (HostFn::Kept, [index]) => match run.kept.get(number(index) as usize) {
                Some(value) => value.clone(),
                None => Value::Null,
            },
            (HostFn::Release, [index]) => {
                if (number(index) as usize) < run.kept.len() {
                    run.kept.remove(number(index) as usize);
                }
                Value::Unit
            }
            (HostFn::Collect, []) => Value::Unit,
            (HostFn::Throw, [tag, object]) => {
                return Err(Stop::Throw(run.host_exception(number(tag) as usize, object)));
            }
            (HostFn::Call, [function, object]) => {
                run.enter(number(function) as usize, vec![object.clone()])?
            }
            (HostFn::CallCatch, [function, object]) => {
                match run.enter(number(function) as usize, vec![object.clone()]) {
                    Ok(value) => value,
                    Err(Stop::Throw(exception)) => first_object(&exception),
                    Err(_) => Value::Null,
                }
            }
            (HostFn::Fail, []) => return Err(Stop::HostError),
            (callee, args) => panic!("{callee:?} is called with {args:?}"),
        })
    }
}

fn number(value: &Value) -> i32 {
    match value {
        Value::Int(number) => *number,
        value => panic!("expected an i32, found {value:?}"),
    }
}

fn first_object(exception: &Rc<Exception>) -> Value {
    let mut objects = exception.fields.iter().filter(|field| matches!(field, Value::Object(_)));
    objects.next().cloned().unwrap_or(Value::Null)
}
