//! Every atomic operator, in every kind of memory: what it computes, where it traps.

use std::sync::OnceLock;

use hostref::{Engine, Instance, Module, Result, Store, Trap, Val};

use super::engines;

/// What an operator makes of the old value and its operand.
type Rmw = fn(u64, u64) -> u64;

/// An operator over numbers of `ty` bits that accesses `bits` bits of memory.
struct Operator {
    name: String,
    kind: Kind,
    ty: u32,
    bits: u32,
}

#[derive(Clone, Copy)]
enum Kind {
    Load,
    Store,
    /// From the old value and the operand to the new value.
    Rmw(fn(u64, u64) -> u64),
    Cmpxchg,
}

fn operators() -> Vec<Operator> {
    let rmws: [(&str, Rmw); 6] = [
        ("add", u64::wrapping_add),
        ("sub", u64::wrapping_sub),
        ("and", |old, operand| old & operand),
        ("or", |old, operand| old | operand),
        ("xor", |old, operand| old ^ operand),
        ("xchg", |_, operand| operand),
    ];
    let mut operators = Vec::new();
    for (ty, bits) in [(32, 8), (32, 16), (32, 32), (64, 8), (64, 16), (64, 32), (64, 64)] {
        let (width, sign) = match ty == bits {
            true => (String::new(), ""),
            false => (bits.to_string(), "_u"),
        };
        let mut add = |name, kind| operators.push(Operator { name, kind, ty, bits });
        add(format!("i{ty}.atomic.load{width}{sign}"), Kind::Load);
        add(format!("i{ty}.atomic.store{width}"), Kind::Store);
        for (name, rmw) in rmws {
            add(format!("i{ty}.atomic.rmw{width}.{name}{sign}"), Kind::Rmw(rmw));
        }
        add(format!("i{ty}.atomic.rmw{width}.cmpxchg{sign}"), Kind::Cmpxchg);
    }
    assert_eq!(operators.len(), 63);
    operators
}

impl Operator {
    fn operands(&self) -> usize {
        match self.kind {
            Kind::Load => 0,
            Kind::Store | Kind::Rmw(_) => 1,
            Kind::Cmpxchg => 2,
        }
    }

    fn returns(&self) -> bool {
        !matches!(self.kind, Kind::Store)
    }

    fn mask(&self) -> u64 {
        u64::MAX >> (64 - self.bits)
    }

    fn val(&self, value: u64) -> Val {
        match self.ty {
            32 => Val::I32(value as i32),
            _ => Val::I64(value as i64),
        }
    }

    /// The new content of memory.
    fn apply(&self, old: u64, operands: &[u64]) -> u64 {
        let new = match self.kind {
            Kind::Load => old,
            Kind::Store => operands[0],
            Kind::Rmw(rmw) => rmw(old & self.mask(), operands[0]),
            Kind::Cmpxchg if (old ^ operands[0]) & self.mask() == 0 => operands[1],
            Kind::Cmpxchg => old,
        };
        old & !self.mask() | new & self.mask()
    }
}

/// The kinds of memories: one page of 64 KiB, or as many of one byte.
const MEMORIES: [&str; 6] = [
    "1 1",
    "1 2 shared",
    "i64 1 1",
    "i64 1 2 shared",
    "65536 65536 shared (pagesize 1)",
    "i64 65536 65536 (pagesize 1)",
];

const LEN: u64 = 1 << 16;
const FAR: u64 = 24;
const FARTHER: u64 = LEN - 8;

/// A module with `get` and `set`, plain accesses to 8 bytes, and for every operator the functions
/// `run` at an address, `drop` without the result, `far` at an offset that is small enough for the
/// guard, and `farther` at one that is not.
fn guest(memory: &str) -> String {
    let address = if memory.starts_with("i64") { "i64" } else { "i32" };
    let functions: String =
        operators().iter().map(|operator| functions(operator, address)).collect();
    format!(
        r#"(module (memory {memory}) {functions}
            (func (export "get") (param {address}) (result i64) (i64.load (local.get 0)))
            (func (export "set") (param {address} i64) (i64.store (local.get 0) (local.get 1))))"#
    )
}

fn functions(operator: &Operator, address: &str) -> String {
    let Operator { name, kind, ty, .. } = operator;
    let params = format!("i{ty} ").repeat(operator.operands());
    let gets: String =
        (1..=operator.operands()).map(|index| format!("(local.get {index})")).collect();
    let (result, drop) = match kind {
        Kind::Store => (String::new(), ""),
        _ => (format!("(result i{ty})"), "drop"),
    };
    let func = |export: &str, result: &str, offset: u64, end: &str| {
        format!(
            r#"(func (export "{export} {name}") (param {address} {params}) {result}
                ({name} offset={offset} (local.get 0) {gets}) {end})"#
        )
    };
    [
        func("run", &result, 0, ""),
        func("far", &result, FAR, ""),
        func("farther", &result, FARTHER, ""),
        func("drop", "", 0, drop),
    ]
    .concat()
}

struct Guest {
    memory: &'static str,
    store: Store<()>,
    instance: Instance,
}

impl Guest {
    fn new(memory: &'static str, module: &Module) -> Guest {
        let mut store = Store::new(module.engine(), ());
        let instance = Instance::new(&mut store, module, &[]).unwrap();
        Guest { memory, store, instance }
    }

    fn is_64(&self) -> bool {
        self.memory.starts_with("i64")
    }

    fn call(&mut self, name: &str, address: u64, mut operands: Vec<Val>) -> Result<Option<u64>> {
        let address =
            if self.is_64() { Val::I64(address as i64) } else { Val::I32(address as i32) };
        operands.insert(0, address);
        let func = self.instance.get_func(&mut self.store, name).unwrap();
        let mut results = vec![Val::I32(0); func.ty(&self.store).results().len()];
        func.call(&mut self.store, &operands, &mut results)?;
        Ok(results.first().map(|result| match result {
            Val::I32(value) => u64::from(*value as u32),
            value => value.unwrap_i64() as u64,
        }))
    }

    /// Calls the function `name` of an operator.
    fn run(
        &mut self,
        operator: &Operator,
        name: &str,
        address: u64,
        operands: &[u64],
    ) -> Result<Option<u64>> {
        let operands = operands.iter().map(|value| operator.val(*value)).collect();
        self.call(&format!("{name} {}", operator.name), address, operands)
    }

    #[track_caller]
    fn assert_trap(&mut self, operator: &Operator, name: &str, address: u64, trap: Trap) {
        let operands = vec![1; operator.operands()];
        let error = self.run(operator, name, address, &operands).unwrap_err();
        let (name, memory) = (&operator.name, &self.memory);
        assert_eq!(error.downcast_ref(), Some(&trap), "{name} at {address:#x} of {memory}");
    }

    #[track_caller]
    fn assert_fine(&mut self, operator: &Operator, name: &str, address: u64) {
        let operands = vec![1; operator.operands()];
        let outcome = self.run(operator, name, address, &operands);
        let (name, memory) = (&operator.name, &self.memory);
        assert!(outcome.is_ok(), "{name} at {address:#x} of {memory}: {outcome:?}");
    }
}

fn for_every_memory(mut test: impl FnMut(&mut Guest, &Operator)) {
    /// Compiled once for all tests.
    static MODULES: OnceLock<Vec<(&str, Module)>> = OnceLock::new();
    let compile = |engine: &Engine, memory| Module::new(engine, guest(memory)).unwrap();
    let modules = MODULES.get_or_init(|| {
        let all = engines()
            .into_iter()
            .flat_map(|engine| MEMORIES.map(|memory| (memory, compile(&engine, memory))));
        all.collect()
    });
    for (memory, module) in modules {
        let mut guest = Guest::new(memory, module);
        operators().iter().for_each(|operator| test(&mut guest, operator));
    }
}

#[test]
fn each_computes_what_the_specification_says_and_touches_no_other_byte() {
    const NUMBERS: [u64; 4] = [0, u64::MAX, 0x8182_8384_8586_8788, 0x7f01_ff80_c37e_5aa5];
    for_every_memory(|guest, operator| {
        // The last place in the word at 64.
        let size = u64::from(operator.bits / 8);
        let (address, shift) = (72 - size, 8 * (8 - size));
        for (old, operand) in NUMBERS.iter().flat_map(|old| NUMBERS.map(|operand| (*old, operand)))
        {
            let operands = &[operand, !operand][..operator.operands()];
            let loaded = (old >> shift) & operator.mask();
            let new =
                operator.apply(old >> shift, operands) << shift | old & !(operator.mask() << shift);
            // The compiler may choose another instruction if nobody needs the result.
            for (name, result) in [("run", operator.returns().then_some(loaded)), ("drop", None)] {
                guest.call("set", 64, vec![Val::I64(old as i64)]).unwrap();
                let found = guest.run(operator, name, address, operands).unwrap();
                assert_eq!(found, result, "{} {old:x} {operands:x?}", operator.name);
                let found = guest.call("get", 64, Vec::new()).unwrap();
                assert_eq!(found, Some(new), "{} {old:x} {operands:x?}", operator.name);
            }
        }
    });
}

#[test]
fn only_the_low_bits_of_what_is_expected_count() {
    for_every_memory(|guest, operator| {
        if matches!(operator.kind, Kind::Cmpxchg) && operator.bits < operator.ty {
            guest.call("set", 0, vec![Val::I64(0x11)]).unwrap();
            let expected = !operator.mask() | 0x11;
            assert_eq!(guest.run(operator, "run", 0, &[expected, 0x22]).unwrap(), Some(0x11));
            assert_eq!(guest.call("get", 0, Vec::new()).unwrap(), Some(0x22));
        }
    });
}

#[test]
fn each_traps_outside_its_memory_even_if_nobody_needs_the_result() {
    for_every_memory(|guest, operator| {
        let size = u64::from(operator.bits / 8);
        let end = if guest.is_64() { u64::MAX - 7 } else { u64::from(u32::MAX) - 7 };
        for (name, offset) in [("run", 0), ("drop", 0), ("far", FAR), ("farther", FARTHER)] {
            guest.assert_fine(operator, name, 0);
            guest.assert_fine(operator, name, LEN - offset - size);
            for address in [LEN - offset, LEN, 2 * LEN, end] {
                guest.assert_trap(operator, name, address, Trap::MemoryOutOfBounds);
            }
        }
    });
}

#[test]
fn each_traps_at_unaligned_addresses_wherever_they_are() {
    for_every_memory(|guest, operator| {
        let size = u64::from(operator.bits / 8);
        for address in (1..8).chain([LEN - 1, LEN + 1, 3 * LEN - 1]) {
            for (name, offset) in [("run", 0), ("drop", 0), ("far", FAR), ("farther", FARTHER)] {
                if !(address + offset).is_multiple_of(size) {
                    guest.assert_trap(operator, name, address, Trap::HeapMisaligned);
                } else if address < 8 {
                    guest.assert_fine(operator, name, address);
                }
            }
        }
    });
}

#[test]
fn an_offset_makes_an_address_aligned_or_not() {
    for engine in engines() {
        for memory in MEMORIES {
            let address = if memory.starts_with("i64") { "i64" } else { "i32" };
            let module = format!(
                r#"(module (memory {memory})
                    (func (export "f") (param {address}) (result i32)
                        (i32.atomic.rmw.add offset=3 (local.get 0) (i32.const 1))))"#
            );
            let mut store = Store::new(&engine, ());
            let module = Module::new(&engine, module).unwrap();
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let func = instance.get_func(&mut store, "f").unwrap();
            for (at, expected) in [
                (1, Ok(())),
                (LEN as i64 - 7, Ok(())),
                (LEN as i64 - 3, Err(Trap::MemoryOutOfBounds)),
                (0, Err(Trap::HeapMisaligned)),
                (LEN as i64, Err(Trap::HeapMisaligned)),
                // The sum is 2, or has 33 bits.
                (-1, Err(Trap::HeapMisaligned)),
                (-3, Err(Trap::MemoryOutOfBounds)),
            ] {
                let at = if address == "i64" { Val::I64(at) } else { Val::I32(at as i32) };
                let outcome = func.call(&mut store, &[at], &mut [Val::I32(0)]);
                let outcome = outcome.map_err(|error| *error.downcast_ref::<Trap>().unwrap());
                assert_eq!(outcome, expected, "{at:?} of {memory}");
            }
        }
    }
}
