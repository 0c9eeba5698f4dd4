//! Programs as data, and their Wasm.

use std::ops::Range;

use wasm_encoder::{
    CodeSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection,
    Function as Body, FunctionSection, GlobalSection, GlobalType, HeapType, ImportSection,
    InstructionSink, Module, RefType, TableSection, TableType, TagKind, TagSection, TagType,
    TypeSection, ValType,
};

use super::host::HostFn;
use super::model::{Run, Stop, Value};

/// The type of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// No value: the node is a statement.
    Unit,
    Int,
    Extern,
    Func,
    /// `(ref null $simple)`: functions from one externref to one.
    Simple,
    Exn,
}

impl Type {
    pub const REFERENCES: [Type; 4] = [Type::Extern, Type::Func, Type::Simple, Type::Exn];

    pub fn encoded(self) -> ValType {
        match self {
            Type::Unit => panic!("a statement has no value"),
            Type::Int => ValType::I32,
            reference => ValType::Ref(reference.reference()),
        }
    }

    pub fn reference(self) -> RefType {
        match self {
            Type::Extern => RefType::EXTERNREF,
            Type::Func => RefType::FUNCREF,
            Type::Simple => RefType { nullable: true, heap_type: HeapType::Concrete(SIMPLE) },
            Type::Exn => RefType::EXNREF,
            Type::Unit | Type::Int => panic!("{self:?} is no reference"),
        }
    }
}

/// A piece of code: an expression or a statement.
pub trait Node {
    fn emit(&self, code: &mut InstructionSink<'_>);

    /// What it does; the value of a statement is [`Value::Unit`].
    fn eval(&self, run: &mut Run<'_>) -> Result<Value, Stop>;
}

pub type Expr = Box<dyn Node>;

/// The index of the type of functions from one externref to one.
pub const SIMPLE: u32 = 0;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    pub params: Vec<Type>,
    /// At most one.
    pub result: Type,
}

impl Signature {
    pub fn simple() -> Signature {
        Signature { params: vec![Type::Extern], result: Type::Extern }
    }
}

/// A function type, of functions, tags and blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FuncType(pub Vec<Type>, pub Vec<Type>);

pub struct Function {
    pub signature: Signature,
    /// Beyond the parameters.
    pub locals: Vec<Type>,
    pub body: Expr,
    /// Whether shrinking has replaced the body by `unreachable`.
    pub dropped: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Table {
    pub ty: Type,
    pub size: u32,
    pub max: u32,
    /// What the elements are at first, if not null.
    pub initial: Option<usize>,
}

/// What a program has besides functions.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    pub tables: Vec<Table>,
    pub globals: Vec<Type>,
    /// The payloads.
    pub tags: Vec<Vec<Type>>,
    pub signatures: Vec<Signature>,
    /// All function types that are named, [`SIMPLE`] first.
    pub types: Vec<FuncType>,
    /// The functions before this one are in a second module, which imports everything else.
    pub split: usize,
}

/// One of the two modules of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The state, and the functions from [`Shape::split`] on.
    First,
    /// The functions before that.
    Second,
}

/// A value that the host passes.
#[derive(Clone, Debug)]
pub enum Arg {
    Int(i32),
    Null,
    Fresh,
    Func(usize),
    /// An exception of this tag.
    Exception(usize),
}

/// What the host does, one after the other.
#[derive(Clone, Debug)]
pub enum Step {
    Call(usize, Vec<Arg>),
    SetTable(usize, u32, Arg),
    GrowTable(usize, u32, Arg),
    FillTable(usize, u32, Arg, u32),
    SetGlobal(usize, Arg),
    ReadTable(usize, u32),
    ReadGlobal(usize),
}

pub struct Program {
    pub shape: Shape,
    pub functions: Vec<Function>,
    pub steps: Vec<Step>,
    /// Which host functions are defined over dynamically typed values.
    pub dynamic: u64,
}

/// How many functions may be entered in one step.
pub const FUEL: i32 = 60;

impl Shape {
    /// The index of the global that counts down the fuel.
    pub fn fuel(&self) -> u32 {
        self.globals.len() as u32
    }

    /// The index of a type.
    pub fn ty(&mut self, params: Vec<Type>, results: Vec<Type>) -> u32 {
        let ty = FuncType(params, results);
        let known = self.types.iter().position(|known| *known == ty);
        known.unwrap_or_else(|| {
            self.types.push(ty);
            self.types.len() - 1
        }) as u32
    }

    /// The index of a function, in every module that can name it.
    pub fn func_index(&self, function: usize) -> u32 {
        let later = self.signatures.len() - self.split;
        let position = match function.checked_sub(self.split) {
            Some(position) => position,
            None => later + function,
        };
        (HostFn::ALL.len() + position) as u32
    }

    /// The functions that the module with `function` can name.
    pub fn nameable(&self, function: usize) -> Range<usize> {
        let first = if function < self.split { 0 } else { self.split };
        first..self.signatures.len()
    }

    /// The functions of a module.
    pub fn functions(&self, part: Part) -> Range<usize> {
        match part {
            Part::First => self.split..self.signatures.len(),
            Part::Second => 0..self.split,
        }
    }

    fn known_ty(&self, params: &[Type], result: Type) -> u32 {
        let known = self.types.iter().position(|FuncType(known, results)| {
            known == params && results.as_slice() == results_of(&[result])
        });
        known.expect("named before it is encoded") as u32
    }
}

/// No results, or one.
pub fn results_of(result: &[Type; 1]) -> &[Type] {
    if result[0] == Type::Unit { &[] } else { result }
}

impl Program {
    /// The modules: the second one, if there is one, imports everything from the first.
    pub fn encode(&self) -> Vec<Vec<u8>> {
        let second = (self.shape.split > 0).then_some(Part::Second);
        std::iter::once(Part::First).chain(second).map(|part| self.encode_part(part)).collect()
    }

    fn encode_part(&self, part: Part) -> Vec<u8> {
        let mut module = Module::new();
        let mut types = TypeSection::new();
        for FuncType(params, results) in &self.shape.types {
            let encoded = |types: &[Type]| types.iter().map(|ty| ty.encoded()).collect::<Vec<_>>();
            types.ty().function(encoded(params), encoded(results));
        }
        let mut functions = FunctionSection::new();
        let mut code = CodeSection::new();
        for index in self.shape.functions(part) {
            functions.function(self.function_ty(index));
            code.function(&self.functions[index].encode(self.shape.fuel()));
        }
        module.section(&types).section(&self.imports(part)).section(&functions);
        if part == Part::First {
            self.encode_state(&mut module);
        }
        module.section(&self.exports(part)).section(&self.declared(part)).section(&code);
        module.finish()
    }

    fn function_ty(&self, function: usize) -> u32 {
        let Signature { params, result } = &self.shape.signatures[function];
        self.shape.known_ty(params, *result)
    }

    fn imports(&self, part: Part) -> ImportSection {
        let mut imports = ImportSection::new();
        for host in HostFn::ALL {
            let (params, result) = host.signature();
            let ty = self.shape.known_ty(params, result);
            imports.import("host", host.name(), EntityType::Function(ty));
        }
        if part == Part::First {
            return imports;
        }
        for index in self.shape.functions(Part::First) {
            let ty = EntityType::Function(self.function_ty(index));
            imports.import("first", &format!("f{index}"), ty);
        }
        for (index, table) in self.shape.tables.iter().enumerate() {
            imports.import("first", &format!("table{index}"), table.encoded());
        }
        for index in 0..self.shape.tags.len() {
            imports.import("first", &format!("tag{index}"), self.tag_type(index));
        }
        for (index, ty) in self.shape.globals.iter().enumerate() {
            imports.import("first", &format!("global{index}"), global_type(*ty));
        }
        imports.import("first", "fuel", global_type(Type::Int));
        imports
    }

    fn tag_type(&self, tag: usize) -> TagType {
        let func_type_idx = self.shape.known_ty(&self.shape.tags[tag], Type::Unit);
        TagType { kind: TagKind::Exception, func_type_idx }
    }

    fn encode_state(&self, module: &mut Module) {
        let mut tables = TableSection::new();
        for table in &self.shape.tables {
            match table.initial {
                Some(function) => {
                    let initial = ConstExpr::ref_func(self.shape.func_index(function));
                    tables.table_with_init(table.encoded(), &initial)
                }
                None => tables.table(table.encoded()),
            };
        }
        let mut tags = TagSection::new();
        for tag in 0..self.shape.tags.len() {
            tags.tag(self.tag_type(tag));
        }
        let mut globals = GlobalSection::new();
        for ty in &self.shape.globals {
            globals.global(global_type(*ty), &ConstExpr::ref_null(ty.reference().heap_type));
        }
        globals.global(global_type(Type::Int), &ConstExpr::i32_const(FUEL));
        module.section(&tables).section(&tags).section(&globals);
    }

    fn exports(&self, part: Part) -> ExportSection {
        let mut exports = ExportSection::new();
        // Imported ones too: their references differ by instance, and nothing else does.
        for index in self.shape.nameable(self.shape.functions(part).start) {
            let function = self.shape.func_index(index);
            exports.export(&format!("f{index}"), ExportKind::Func, function);
        }
        if part == Part::Second {
            return exports;
        }
        for index in 0..self.shape.tables.len() {
            exports.export(&format!("table{index}"), ExportKind::Table, index as u32);
        }
        for index in 0..self.shape.globals.len() {
            exports.export(&format!("global{index}"), ExportKind::Global, index as u32);
        }
        for index in 0..self.shape.tags.len() {
            exports.export(&format!("tag{index}"), ExportKind::Tag, index as u32);
        }
        exports.export("fuel", ExportKind::Global, self.shape.fuel());
        exports
    }

    /// All functions that can be named may be referred to.
    fn declared(&self, part: Part) -> ElementSection {
        let nameable = self.shape.nameable(self.shape.functions(part).start);
        let functions: Vec<u32> = nameable.map(|index| self.shape.func_index(index)).collect();
        let mut elements = ElementSection::new();
        elements.declared(Elements::Functions(functions.into()));
        elements
    }
}

impl Table {
    fn encoded(&self) -> TableType {
        TableType {
            element_type: self.ty.reference(),
            table64: false,
            minimum: u64::from(self.size),
            maximum: Some(u64::from(self.max)),
            shared: false,
        }
    }
}

fn global_type(ty: Type) -> GlobalType {
    GlobalType { val_type: ty.encoded(), mutable: true, shared: false }
}

impl Function {
    fn encode(&self, fuel: u32) -> Body {
        let mut body = Body::new_with_locals_types(self.locals.iter().map(|ty| ty.encoded()));
        let mut code = body.instructions();
        if self.dropped {
            code.unreachable().end();
            return body;
        }
        code.global_get(fuel).i32_eqz().if_(wasm_encoder::BlockType::Empty).unreachable().end();
        code.global_get(fuel).i32_const(1).i32_sub().global_set(fuel);
        self.body.emit(&mut code);
        code.end();
        body
    }
}
