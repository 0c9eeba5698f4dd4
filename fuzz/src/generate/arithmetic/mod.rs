//! Our own generator for operators on numbers, vectors and memories: every one of them, nested, with
//! operands at which they change their ways, and with every result visible in the end.

mod operators;

use anyhow::Result;
use wasm_encoder::{
    BlockType, CodeSection, DataSection, ExportKind, ExportSection, Function, FunctionSection,
    InstructionSink, MemArg, MemArgTarget, MemorySection, MemoryType, Module, TypeSection, ValType,
};

use crate::features;
use crate::generate::Generated;
use crate::plan::{Plan, integer};
use crate::random::Random;
use operators::{Extra, Number, Prefix, ROWS, Row};

/// Locals of each type; the first is a parameter.
const LOCALS: u32 = 3;
const TYPES: u32 = Number::ALL.len() as u32;

/// Locals for results that may have any bits, which nothing else sees.
const SCRATCH: [Number; 3] = [Number::F32, Number::F64, Number::V128];

/// The module of these numbers.
pub fn generate(seed: u64, case: u64) -> Result<Generated> {
    let mut random = Random::new(seed, case);
    let functions = 1 + random.below(4) as u32;
    let all: Vec<ValType> = Number::ALL.iter().map(|ty| ty.encoded()).collect();
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function(all.clone(), all);
    let mut function_types = FunctionSection::new();
    let mut memories = MemorySection::new();
    for memory64 in [false, true] {
        let (minimum, maximum) = (1, Some(2));
        memories.memory(MemoryType {
            minimum,
            maximum,
            memory64,
            shared: false,
            page_size_log2: None,
        });
    }
    let mut exports = ExportSection::new();
    exports.export("memory32", ExportKind::Memory, 0).export("memory64", ExportKind::Memory, 1);
    let mut code = CodeSection::new();
    for index in 0..functions {
        function_types.function(0);
        exports.export(&format!("f{index}"), ExportKind::Func, index);
        let mut writer =
            Writer { random: &mut random, index, functions, calls: 1, code: Vec::new() };
        code.function(&writer.function());
    }
    let mut data = DataSection::new();
    data.active(0, &wasm_encoder::ConstExpr::i32_const(0), random.bytes(300));
    data.active(1, &wasm_encoder::ConstExpr::i64_const(0), random.bytes(300));
    module.section(&types).section(&function_types).section(&memories);
    module.section(&exports).section(&code).section(&data);
    let wasm = module.finish();
    let plan = Plan::new(&wasm, random.next(), 0)?;
    Ok(Generated { wasm, plan })
}

impl Number {
    fn encoded(self) -> ValType {
        match self {
            Number::I32 => ValType::I32,
            Number::I64 => ValType::I64,
            Number::F32 => ValType::F32,
            Number::F64 => ValType::F64,
            Number::V128 => ValType::V128,
        }
    }

    fn position(self) -> u32 {
        self as u32
    }

    /// Where the first local of this type is stored, within a function's bytes.
    fn place(self) -> u32 {
        self.position() * LOCALS * 16
    }
}

struct Writer<'a> {
    random: &'a mut Random,
    index: u32,
    functions: u32,
    /// How many calls of the next function are left: each makes all after it run once more.
    calls: u32,
    code: Vec<u8>,
}

impl Writer<'_> {
    fn function(&mut self) -> Function {
        let len = 4 + self.random.below(24);
        self.statements(len, 3);
        for ty in Number::ALL {
            for number in 0..LOCALS {
                let place = 256 * (1 + self.index) + ty.place() + 16 * number;
                self.ins().i32_const(place as i32).local_get(local(ty, number));
                store(&mut self.ins(), ty);
            }
        }
        for ty in Number::ALL {
            self.ins().local_get(local(ty, 1));
        }
        self.ins().end();
        let locals = (1..LOCALS).flat_map(|_| Number::ALL).chain(SCRATCH).map(Number::encoded);
        let mut function = Function::new_with_locals_types(locals);
        function.raw(std::mem::take(&mut self.code));
        function
    }

    fn ins(&mut self) -> InstructionSink<'_> {
        InstructionSink::new(&mut self.code)
    }

    fn statements(&mut self, len: usize, depth: u32) {
        for _ in 0..len {
            self.statement(depth);
        }
    }

    fn statement(&mut self, depth: u32) {
        match self.random.below(16) {
            0 if depth > 0 => {
                self.expr(Number::I32, 2);
                self.ins().if_(BlockType::Empty);
                self.statements(2, depth - 1);
                self.ins().else_();
                self.statements(2, depth - 1);
                self.ins().end();
            }
            1 if depth > 0 => {
                // Until a local is 0, which counts down from less than 4.
                let counter = local(Number::I32, 2);
                self.ins().local_get(counter).i32_const(3).i32_and().local_set(counter);
                self.ins().loop_(BlockType::Empty);
                self.statements(2, 0);
                self.ins().local_get(counter).i32_const(3).i32_and().local_tee(counter);
                self.ins().if_(BlockType::Empty);
                self.ins().local_get(counter).i32_const(1).i32_sub().local_set(counter);
                self.ins().br(1).end().end();
            }
            2 if self.calls > 0 && self.index + 1 < self.functions => {
                self.calls -= 1;
                for ty in Number::ALL {
                    self.expr(ty, 1);
                }
                let next = self.index + 1;
                self.ins().call(next);
                for ty in Number::ALL.into_iter().rev() {
                    self.set(ty);
                }
            }
            3 | 4 => self.bulk(),
            _ => {
                let row = self.row(|_| true);
                self.operator(row, 3);
                for ty in row.results.iter().rev() {
                    self.set(*ty);
                }
            }
        }
    }

    fn set(&mut self, ty: Number) {
        let number = self.random.below(LOCALS as usize) as u32;
        // A loop counts with the last local of this type.
        let number = if ty == Number::I32 { number.min(1) } else { number };
        self.ins().local_set(local(ty, number));
    }

    /// Operators that fit, those that trap seldom.
    fn row(&mut self, fits: impl Fn(&Row) -> bool) -> &'static Row {
        loop {
            let row = self.random.pick(ROWS);
            let proposal = row.prefix == Prefix::Misc && row.first >= 19 && !features::PROPOSALS;
            let rare = row.extra == Extra::Traps && !self.random.one_in(8);
            if fits(row) && !proposal && !rare {
                return row;
            }
        }
    }

    /// One value on the stack.
    fn expr(&mut self, ty: Number, depth: u32) {
        match self.random.below(if depth == 0 { 2 } else { 8 }) {
            0 => self.constant(ty),
            1 => {
                let number = self.random.below(LOCALS as usize) as u32;
                self.ins().local_get(local(ty, number));
            }
            2 => {
                self.expr(ty, depth - 1);
                self.expr(ty, depth - 1);
                self.expr(Number::I32, depth - 1);
                self.ins().typed_select(ty.encoded());
            }
            _ => {
                let row = self.row(|row| row.results == [ty]);
                self.operator(row, depth);
            }
        }
    }

    fn constant(&mut self, ty: Number) {
        let (bits, more) = (integer(self.random), self.random.next());
        let mut code = self.ins();
        match ty {
            Number::I32 => code.i32_const(bits as i32),
            Number::I64 => code.i64_const(bits as i64),
            Number::F32 if more & 3 == 0 => code.f32_const(f32::from_bits(more as u32).into()),
            Number::F32 => code.f32_const((bits as i64 as f32).into()),
            Number::F64 if more & 3 == 0 => code.f64_const(f64::from_bits(more).into()),
            Number::F64 => code.f64_const((bits as i64 as f64).into()),
            Number::V128 => code.v128_const((u128::from(bits) << 64 | u128::from(more)) as i128),
        };
    }

    /// An operator with its operands; its results are on the stack then.
    fn operator(&mut self, row: &Row, depth: u32) {
        let memory = self.random.below(2) as u32;
        let accesses = matches!(row.extra, Extra::Memory | Extra::MemoryLane(_));
        if accesses {
            self.address(memory, depth);
        }
        for param in row.params {
            self.expr(*param, depth.saturating_sub(1));
        }
        let span = (row.last - row.first + 1) as usize;
        let opcode = row.first + self.random.below(span) as u32;
        let mut bytes = Vec::new();
        match row.prefix {
            Prefix::None => bytes.push(opcode as u8),
            Prefix::Misc => bytes.push(0xfc),
            Prefix::Vector => bytes.push(0xfd),
        }
        if row.prefix != Prefix::None {
            leb128(&mut bytes, u64::from(opcode));
        }
        if accesses {
            // Bit 6: the number of the memory follows. The alignment is one byte.
            bytes.extend([0x40, memory as u8]);
            let offset = self.offset(memory);
            leb128(&mut bytes, offset);
        }
        match row.extra {
            Extra::Lane(lanes) | Extra::MemoryLane(lanes) => {
                bytes.push(self.random.below(usize::from(lanes)) as u8);
            }
            Extra::Shuffle => bytes.extend((0..16).map(|_| self.random.below(32) as u8)),
            _ => {}
        }
        self.code.extend(bytes);
        self.canonicalise(row);
    }

    /// `memory.fill` or `memory.copy`, of few bytes and often of a constant number of them.
    fn bulk(&mut self) {
        let (to, from) = (self.random.below(2) as u32, self.random.below(2) as u32);
        let copies = self.random.one_in(2);
        self.address(to, 2);
        match copies {
            true => self.address(from, 2),
            false => self.expr(Number::I32, 1),
        }
        // Of two memories the one with the smaller addresses decides.
        let narrow = to == 0 || (copies && from == 0);
        let ty = if narrow { Number::I32 } else { Number::I64 };
        let len = match self.random.below(8) {
            0 => 0x1_0000 - self.random.below(3),
            1 => 1 << self.random.below(8),
            _ => self.random.below(70),
        };
        let constant = !self.random.one_in(3);
        if !constant {
            self.expr(ty, 1);
        }
        let mut code = self.ins();
        match (narrow, constant) {
            (true, true) => code.i32_const(len as i32),
            (true, false) => code.i32_const(63).i32_and(),
            (false, true) => code.i64_const(len as i64),
            (false, false) => code.i64_const(63).i64_and(),
        };
        match copies {
            true => code.memory_copy(to, from),
            false => code.memory_fill(to),
        };
    }

    /// Mostly inside, at times at the edge or far outside.
    fn address(&mut self, memory: u32, depth: u32) {
        let ty = if memory == 0 { Number::I32 } else { Number::I64 };
        self.expr(ty, depth.saturating_sub(1));
        let edge = self.random.one_in(100);
        let mask = if edge { 0x1_ffff } else { 0x1ff };
        match (memory, self.random.one_in(300)) {
            (_, true) => {}
            (0, _) => {
                self.ins().i32_const(mask).i32_and();
            }
            _ => {
                self.ins().i64_const(mask.into()).i64_and();
            }
        }
    }

    fn offset(&mut self, memory: u32) -> u64 {
        match self.random.below(400) {
            0 => 0xffff - self.random.below(20) as u64,
            1 => u64::from(u32::MAX) - self.random.below(20) as u64,
            2 if memory == 1 => u64::MAX - self.random.below(20) as u64,
            _ => self.random.below(300) as u64,
        }
    }

    /// Gives a result that is not a number bits that both sides agree on.
    fn canonicalise(&mut self, row: &Row) {
        match row.extra {
            Extra::Nan if row.results == [Number::F32] => {
                let scratch = scratch(Number::F32);
                self.ins().local_tee(scratch).f32_const(f32::NAN.into());
                self.ins().local_get(scratch).local_get(scratch).f32_eq().select();
            }
            Extra::Nan => {
                let scratch = scratch(Number::F64);
                self.ins().local_tee(scratch).f64_const(f64::NAN.into());
                self.ins().local_get(scratch).local_get(scratch).f64_eq().select();
            }
            Extra::NanLanes32 | Extra::NanLanes64 => {
                let scratch = scratch(Number::V128);
                let lanes32 = row.extra == Extra::NanLanes32;
                let nan = match lanes32 {
                    true => u128::from(f32::NAN.to_bits()) * (u128::MAX / u128::from(u32::MAX)),
                    false => u128::from(f64::NAN.to_bits()) * (u128::MAX / u128::from(u64::MAX)),
                };
                self.ins().local_tee(scratch).v128_const(nan as i128);
                self.ins().local_get(scratch).local_get(scratch);
                let mut code = self.ins();
                match lanes32 {
                    true => code.f32x4_eq(),
                    false => code.f64x2_eq(),
                };
                self.ins().v128_bitselect();
            }
            _ => {}
        }
    }
}

fn local(ty: Number, number: u32) -> u32 {
    number * TYPES + ty.position()
}

/// The local of this type in [`SCRATCH`].
fn scratch(ty: Number) -> u32 {
    let position = SCRATCH.iter().position(|scratch| *scratch == ty);
    LOCALS * TYPES + position.expect("only floats and vectors need one") as u32
}

fn store(code: &mut InstructionSink<'_>, ty: Number) {
    let target = MemArgTarget::Memory(0);
    let at = MemArg { offset: 0, align: 0, target, ordering: None };
    match ty {
        Number::I32 => code.i32_store(at),
        Number::I64 => code.i64_store(at),
        Number::F32 => code.f32_store(at),
        Number::F64 => code.f64_store(at),
        Number::V128 => code.v128_store(at),
    };
}

fn leb128(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
