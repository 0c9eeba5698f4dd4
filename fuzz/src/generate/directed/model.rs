//! What a program means, in plain Rust: values, state, and the log of everything that the host can
//! observe.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::program::{Arg, FUEL, Program, Step, Table, Type};

/// A value.
#[derive(Clone, Debug)]
pub enum Value {
    /// Of a statement.
    Unit,
    Int(i32),
    Null,
    /// A host object, by number.
    Object(u32),
    /// A function of the program.
    Func(usize),
    Exception(Rc<Exception>),
}

#[derive(Clone, Debug)]
pub struct Exception {
    pub tag: usize,
    pub fields: Vec<Value>,
}

/// Why a node has no value.
#[derive(Clone, Debug)]
pub enum Stop {
    Trap(&'static str),
    Throw(Rc<Exception>),
    HostError,
    /// The function is left for another one.
    TailCall(usize, Vec<Value>),
    /// The function returns.
    Return(Value),
}

/// Everything but the locals of the current function.
pub struct Run<'a> {
    pub program: &'a Program,
    pub tables: Vec<Vec<Value>>,
    pub globals: Vec<Value>,
    /// What the host holds on to.
    pub kept: Vec<Value>,
    pub locals: Vec<Value>,
    pub log: Vec<String>,
    made: u32,
    fuel: i32,
}

/// The log of the program: what the host observes, and after every step which objects are alive.
pub fn expected(program: &Program) -> Vec<String> {
    let table =
        |table: &Table| vec![table.initial.map_or(Value::Null, Value::Func); table.size as usize];
    let mut run = Run {
        program,
        tables: program.shape.tables.iter().map(table).collect(),
        globals: vec![Value::Null; program.shape.globals.len()],
        kept: Vec::new(),
        locals: Vec::new(),
        log: Vec::new(),
        made: 0,
        fuel: FUEL,
    };
    for (number, step) in program.steps.iter().enumerate() {
        run.log.push(format!("step {number}"));
        run.step(step);
        let alive = run.alive();
        run.log.push(format!("alive {alive:?}"));
    }
    run.log
}

impl Run<'_> {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Call(function, args) => {
                let params = &self.program.functions[*function].signature.params;
                let args = args.iter().zip(params).map(|(arg, _)| self.arg(arg)).collect();
                self.fuel = FUEL;
                let outcome = self.enter(*function, args);
                self.log.push(outcome_text(&outcome));
            }
            Step::SetTable(table, index, arg) => {
                let value = self.arg(arg);
                let element = self.tables[*table].get_mut(*index as usize);
                let done = element.map(|element| *element = value).is_some();
                self.log.push(format!("set {done}"));
            }
            Step::GrowTable(table, delta, arg) => {
                let value = self.arg(arg);
                let old = self.grow(*table, *delta, value);
                self.log.push(format!("grown {}", old >= 0));
            }
            Step::FillTable(table, start, arg, len) => {
                let value = self.arg(arg);
                let done = self.fill(*table, *start, value, *len).is_ok();
                self.log.push(format!("filled {done}"));
            }
            Step::SetGlobal(global, arg) => self.globals[*global] = self.arg(arg),
            Step::ReadTable(table, index) => {
                let element = self.tables[*table].get(*index as usize);
                let text = element.map_or("nothing".to_owned(), text);
                self.log.push(text);
            }
            Step::ReadGlobal(global) => self.log.push(text(&self.globals[*global])),
        }
    }

    /// The number of a new host object.
    pub fn make(&mut self) -> Value {
        self.made += 1;
        Value::Object(self.made - 1)
    }

    fn arg(&mut self, arg: &Arg) -> Value {
        match arg {
            Arg::Int(value) => Value::Int(*value),
            Arg::Null => Value::Null,
            Arg::Fresh => self.make(),
            Arg::Func(function) => Value::Func(*function),
            Arg::Exception(tag) => {
                let object = self.make();
                Value::Exception(self.host_exception(*tag, &object))
            }
        }
    }

    /// An exception as the host makes it: `object` wherever there is room for it.
    pub fn host_exception(&self, tag: usize, object: &Value) -> Rc<Exception> {
        let fields = self.program.shape.tags[tag].iter().map(|ty| match ty {
            Type::Extern => object.clone(),
            Type::Int => Value::Int(7),
            _ => Value::Null,
        });
        Rc::new(Exception { tag, fields: fields.collect() })
    }

    /// Calls a function.
    pub fn enter(&mut self, function: usize, args: Vec<Value>) -> Result<Value, Stop> {
        let outer = std::mem::take(&mut self.locals);
        let mut next = (function, args);
        let outcome = loop {
            let function = &self.program.functions[next.0];
            if function.dropped || self.fuel == 0 {
                break Err(Stop::Trap("unreachable"));
            }
            self.fuel -= 1;
            let zero = |ty: &Type| if *ty == Type::Int { Value::Int(0) } else { Value::Null };
            self.locals = next.1;
            self.locals.extend(function.locals.iter().map(zero));
            match function.body.eval(self) {
                Err(Stop::TailCall(function, args)) => next = (function, args),
                Err(Stop::Return(value)) => break Ok(value),
                outcome => break outcome,
            }
        };
        self.locals = outer;
        outcome
    }

    /// `table.grow`: the old size or -1.
    pub fn grow(&mut self, table: usize, delta: u32, value: Value) -> i32 {
        let max = self.program.shape.tables[table].max as usize;
        let elements = &mut self.tables[table];
        let old = elements.len();
        if old + delta as usize > max {
            return -1;
        }
        elements.resize(old + delta as usize, value);
        old as i32
    }

    /// `table.fill`.
    pub fn fill(&mut self, table: usize, start: u32, value: Value, len: u32) -> Result<(), Stop> {
        let (start, len) = (start as usize, len as usize);
        let elements = self.tables[table].get_mut(start..start + len);
        elements.ok_or(Stop::Trap("out of bounds table access"))?.fill(value);
        Ok(())
    }

    /// The objects that something outside of calls leads to.
    fn alive(&self) -> BTreeSet<u32> {
        fn visit(value: &Value, alive: &mut BTreeSet<u32>) {
            match value {
                Value::Object(number) => {
                    alive.insert(*number);
                }
                Value::Exception(exception) => {
                    exception.fields.iter().for_each(|field| visit(field, alive));
                }
                _ => {}
            }
        }
        let mut alive = BTreeSet::new();
        let values = self.tables.iter().flatten().chain(&self.globals).chain(&self.kept);
        values.for_each(|value| visit(value, &mut alive));
        alive
    }
}

/// A value in the log.
pub fn text(value: &Value) -> String {
    match value {
        Value::Unit => "nothing".to_owned(),
        Value::Int(value) => value.to_string(),
        Value::Null => "null".to_owned(),
        Value::Object(number) => format!("object {number}"),
        Value::Func(number) => format!("f{number}"),
        Value::Exception(exception) => exception_text(exception),
    }
}

fn exception_text(exception: &Exception) -> String {
    let fields: Vec<String> = exception.fields.iter().map(text).collect();
    format!("tag{} ({})", exception.tag, fields.join(", "))
}

fn outcome_text(outcome: &Result<Value, Stop>) -> String {
    match outcome {
        Ok(value) => format!("returned {}", text(value)),
        Err(Stop::Trap(trap)) => format!("trapped: {trap}"),
        Err(Stop::Throw(exception)) => format!("threw {}", exception_text(exception)),
        Err(Stop::HostError) => "host error".to_owned(),
        Err(stop @ (Stop::TailCall(..) | Stop::Return(_))) => {
            panic!("functions handle {stop:?} themselves")
        }
    }
}
