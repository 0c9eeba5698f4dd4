//! Graphs of objects against a model in plain Rust: random programs make objects of every kind, write
//! references, forget roots and collect; after each step that collects, everything that can be reached
//! is compared. A program that fails is made smaller before it is shown.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::abi::exception::ExnLayout;
use crate::abi::gc_layout::{ArrayLayout, ObjectLayout, Storage, StructLayout};
use crate::abi::object::{ARRAY_LEN, FIRST_TYPE, HEADER_TYPE, LARGE_OBJECT};
use crate::abi::signature::LoweredType;

/// One step. Numbers stand for something that exists when the step is taken, by their remainder.
#[derive(Clone, Copy, Debug)]
enum Step {
    Make(Kind),
    /// Writes a reference into an object: holder, field, value.
    Write(usize, usize, Value),
    /// Roots what a field leads to.
    Read(usize, usize),
    /// Writes a reference into a definition.
    Define(usize, Value),
    /// Forgets all but so many roots.
    Unroot(usize),
    Own(usize),
    Disown(usize),
    Minor,
    Full,
}

#[derive(Clone, Copy, Debug)]
enum Value {
    Null,
    I31(u32),
    Root(usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Pair,
    /// A struct whose references lie beyond a short bitmap.
    Wide,
    References(u32),
    Bytes(u32),
    Exception,
    Host,
}

/// What a reference should lead to: null, an i31, or the object with this number.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expected {
    Null,
    I31(u32),
    Object(usize),
}

/// The types by number, after the reserved ones.
const PAIR: u32 = FIRST_TYPE;
const WIDE: u32 = FIRST_TYPE + 1;
const REFERENCES: u32 = FIRST_TYPE + 2;
const BYTES: u32 = FIRST_TYPE + 3;
const I32: Storage = Storage::Plain(LoweredType::I32);

struct Layouts {
    pair: StructLayout,
    wide: StructLayout,
    references: ArrayLayout,
    bytes: ArrayLayout,
    exception: ExnLayout,
}

impl Layouts {
    fn new() -> Layouts {
        let reference = Storage::Reference;
        let wide = std::iter::repeat_n(I32, 70).chain([reference; 3]);
        let exception = [(LoweredType::I32, false), (LoweredType::I32, true)];
        Layouts {
            pair: StructLayout::new([I32, reference, reference].into_iter()),
            wide: StructLayout::new(wide),
            references: ArrayLayout { element: reference },
            bytes: ArrayLayout { element: Storage::I8 },
            exception: ExnLayout::new(&exception),
        }
    }

    fn table(&self) -> TypeTable {
        let types = TypeTable::new().unwrap();
        let push = |layout: ObjectLayout| types.push([].into_iter(), &layout).unwrap();
        (0..FIRST_TYPE).for_each(|_| push(ObjectLayout::Func));
        push(ObjectLayout::Struct(self.pair.clone()));
        push(ObjectLayout::Struct(self.wide.clone()));
        push(ObjectLayout::Array(self.references));
        push(ObjectLayout::Array(self.bytes));
        types
    }

    fn size(&self, kind: Kind) -> u32 {
        match kind {
            Kind::Pair => self.pair.size,
            Kind::Wide => self.wide.size,
            Kind::References(len) => self.references.size(len).unwrap(),
            Kind::Bytes(len) => self.bytes.size(len).unwrap(),
            Kind::Exception | Kind::Host => panic!("made by the heap itself"),
        }
    }

    /// The offsets of the references of an object.
    fn references(&self, kind: Kind) -> Vec<u32> {
        let of_struct = |layout: &StructLayout| {
            let fields = layout.fields.iter().filter(|field| field.storage == Storage::Reference);
            fields.map(|field| field.offset).collect()
        };
        match kind {
            Kind::Pair => of_struct(&self.pair),
            Kind::Wide => of_struct(&self.wide),
            Kind::References(len) => (0..len).map(|at| self.references.offset(at)).collect(),
            Kind::Exception => vec![self.exception.fields[1].offset],
            Kind::Bytes(_) | Kind::Host => Vec::new(),
        }
    }
}

struct Object {
    kind: Kind,
    fields: Vec<Expected>,
}

const DEFINITIONS: usize = 16;

struct World {
    gc: GcStore,
    vm: VmHeap,
    layouts: Layouts,
    definitions: Box<[u32; DEFINITIONS]>,
    objects: Vec<Object>,
    defined: [Expected; DEFINITIONS],
    roots: Vec<(RootIndex, usize)>,
    scopes: Vec<Scope>,
    owned: Vec<(RootIndex, Liveness, usize)>,
}

impl World {
    fn new(config: &GcConfig, mark_stack_limit: usize) -> World {
        let layouts = Layouts::new();
        let mut gc = GcStore::new(config, layouts.table(), Arc::default());
        gc.mark_stack_limit = mark_stack_limit;
        World {
            gc,
            vm: VmHeap::default(),
            layouts,
            definitions: Box::default(),
            objects: Vec::new(),
            defined: [Expected::Null; DEFINITIONS],
            roots: Vec::new(),
            scopes: Vec::new(),
            owned: Vec::new(),
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Make(kind) => self.make(kind),
            Step::Write(holder, field, value) => self.write(holder, field, value),
            Step::Read(holder, field) => self.read(holder, field),
            Step::Define(at, value) => self.define(at % DEFINITIONS, value),
            Step::Unroot(keep) if !self.roots.is_empty() => {
                let keep = keep % self.roots.len();
                self.gc.exit_scope(self.scopes[keep]);
                self.scopes.truncate(keep);
                self.roots.truncate(keep);
            }
            Step::Own(root) if !self.roots.is_empty() => {
                let (index, id) = self.roots[root % self.roots.len()];
                let (index, liveness) = self.gc.own(self.gc.rooted(index).unwrap());
                self.owned.push((index, liveness, id));
            }
            Step::Disown(at) if !self.owned.is_empty() => {
                let (index, liveness, _) = self.owned.swap_remove(at % self.owned.len());
                self.gc.disown(index, liveness);
            }
            Step::Unroot(_) | Step::Own(_) | Step::Disown(_) => {}
            Step::Minor => self.collect(Why::Due),
            Step::Full => self.collect(Why::Asked),
        }
    }

    fn root(&mut self, reference: GcRef, id: usize) {
        self.scopes.push(self.gc.enter_scope());
        self.roots.push((self.gc.root(reference), id));
    }

    fn make(&mut self, kind: Kind) {
        let id = self.objects.len();
        let at = match kind {
            Kind::Host => {
                let payload = boxed(id);
                self.gc.alloc_host(&self.vm, payload).unwrap().to_raw()
            }
            Kind::Exception => {
                let layout = self.layouts.exception.clone();
                let made = self.gc.alloc_exception(&self.vm, id as u32, &layout);
                made.unwrap().to_raw()
            }
            _ => self.make_typed(kind, id),
        };
        let fields = vec![Expected::Null; self.layouts.references(kind).len()];
        self.objects.push(Object { kind, fields });
        self.root(GcRef::from_raw(at).unwrap(), id);
    }

    /// Makes a struct or an array as compiled code does.
    fn make_typed(&mut self, kind: Kind, id: usize) -> u32 {
        let (size, ty) = (self.layouts.size(kind), type_of(kind));
        let at = if size > LARGE_OBJECT {
            if self.gc.wants_full_for_large(&self.vm, size) {
                self.collect(Why::Large(size));
            }
            self.gc.alloc_large(&self.vm, ty, size).unwrap()
        } else {
            let at = self.gc.alloc_young(&self.vm, size);
            let at = at.unwrap_or_else(|| {
                self.collect(Why::Small(size));
                self.gc.alloc_young(&self.vm, size).unwrap()
            });
            self.gc.space.fill(at..at + size, 0);
            self.gc.space.write(at + HEADER_TYPE, [ty]);
            at
        };
        match kind {
            Kind::Pair | Kind::Wide => self.gc.space.write(at + 8, [id as u32]),
            Kind::References(len) => self.gc.space.write(at + ARRAY_LEN, [len]),
            Kind::Bytes(len) => {
                self.gc.space.write(at + ARRAY_LEN, [len]);
                self.gc.space.fill(at + 12..at + 12 + len, id as u8);
            }
            Kind::Exception | Kind::Host => {}
        }
        at
    }

    /// The bits of a value, and what they should lead to.
    fn value(&self, value: Value) -> (u32, Expected) {
        match value {
            Value::Root(root) if !self.roots.is_empty() => {
                let (index, id) = self.roots[root % self.roots.len()];
                (self.gc.rooted(index).unwrap().to_raw(), Expected::Object(id))
            }
            Value::I31(number) => (number << 1 | 1, Expected::I31(number)),
            _ => (0, Expected::Null),
        }
    }

    /// A rooted object, and a field of it that is a reference.
    fn field(&self, holder: usize, field: usize) -> Option<(GcRef, usize, usize, u32)> {
        let (index, id) = *self.roots.get(holder % self.roots.len().max(1))?;
        let offsets = self.layouts.references(self.objects[id].kind);
        let field = field % offsets.len().max(1);
        let holder = self.gc.rooted(index).unwrap();
        Some((holder, id, field, holder.to_raw() + *offsets.get(field)?))
    }

    fn write(&mut self, holder: usize, field: usize, value: Value) {
        let Some((holder, id, field, at)) = self.field(holder, field) else { return };
        let (raw, expected) = self.value(value);
        self.gc.write_reference(holder, at, raw);
        self.objects[id].fields[field] = expected;
    }

    fn read(&mut self, holder: usize, field: usize) {
        let Some((_, id, field, at)) = self.field(holder, field) else { return };
        let [raw] = self.gc.space.read(at);
        match self.objects[id].fields[field] {
            Expected::Null => assert_eq!(raw, 0),
            Expected::I31(number) => assert_eq!(raw, number << 1 | 1),
            Expected::Object(id) => self.root(GcRef::from_raw(raw).unwrap(), id),
        }
    }

    fn define(&mut self, at: usize, value: Value) {
        let (raw, expected) = self.value(value);
        (self.definitions[at], self.defined[at]) = (raw, expected);
        let address = std::ptr::from_mut(&mut self.definitions[at]).expose_provenance();
        // SAFETY: the definitions outlive the heap, and are not used during a collection.
        unsafe { self.gc.log_young(address, raw) };
    }

    fn collect(&mut self, why: Why) {
        let World { gc, vm, definitions, .. } = self;
        gc.collect(vm, why, &mut |roots, visit| match roots {
            Roots::Frames => {}
            Roots::Definitions => definitions.iter_mut().for_each(visit),
        });
        while self.gc.take_dead().is_some() {}
        self.compare(why == Why::Asked);
    }

    /// Compares all that can be reached, and after a full collection what lives, with the model.
    fn compare(&self, is_full: bool) {
        let mut places: HashMap<usize, u32> = HashMap::new();
        let mut found: HashMap<u32, usize> = HashMap::new();
        let mut work: Vec<(u32, Expected)> = Vec::new();
        let rooted = |index| self.gc.rooted(index).expect("rooted").to_raw();
        work.extend(self.roots.iter().map(|(at, id)| (rooted(*at), Expected::Object(*id))));
        work.extend(self.owned.iter().map(|(at, _, id)| (rooted(*at), Expected::Object(*id))));
        work.extend(self.definitions.iter().copied().zip(self.defined));
        while let Some((raw, expected)) = work.pop() {
            let id = match expected {
                Expected::Null => {
                    assert_eq!(raw, 0);
                    continue;
                }
                Expected::I31(number) => {
                    assert_eq!(raw, number << 1 | 1);
                    continue;
                }
                Expected::Object(id) => id,
            };
            assert_eq!(*found.entry(raw).or_insert(id), id, "two objects in one place");
            match places.insert(id, raw) {
                Some(place) => assert_eq!(place, raw, "one object in two places"),
                None => work.extend(self.compare_object(raw, id)),
            }
        }
        if is_full {
            let size = |id: &usize| match self.objects[*id].kind {
                Kind::Host => EXTERN_SIZE,
                Kind::Exception => self.layouts.exception.size,
                kind => match self.layouts.size(kind) {
                    size if size > LARGE_OBJECT => LargeObjects::footprint(size).unwrap(),
                    size => size,
                },
            };
            let bytes: u32 = places.keys().map(size).sum();
            assert_eq!(self.gc.stats(&self.vm).heap_bytes, bytes as usize, "only these live");
        }
    }

    /// Compares one object, and returns what its fields hold and should lead to.
    fn compare_object(&self, at: u32, id: usize) -> Vec<(u32, Expected)> {
        let object = &self.objects[id];
        let word = |offset: u32| self.gc.space.read::<1>(at + offset)[0];
        match object.kind {
            Kind::Host => {
                assert_eq!(self.gc.host_value(at), Some(&id));
            }
            Kind::Exception => {
                assert_eq!(self.gc.exception_tag(GcRef::from_raw(at).unwrap()), id as u32);
            }
            kind => assert_eq!(word(HEADER_TYPE), type_of(kind)),
        }
        match object.kind {
            Kind::Pair | Kind::Wide => assert_eq!(word(8), id as u32),
            Kind::References(len) => assert_eq!(word(ARRAY_LEN), len),
            Kind::Bytes(len) => {
                assert_eq!(word(ARRAY_LEN), len);
                let whole = (0..len / 4).map(|at| word(12 + at * 4));
                let pattern = u32::from_ne_bytes([id as u8; 4]);
                whole.for_each(|bytes| assert_eq!(bytes, pattern));
            }
            Kind::Exception | Kind::Host => {}
        }
        let offsets = self.layouts.references(object.kind);
        offsets.iter().map(|at| word(*at)).zip(object.fields.iter().copied()).collect()
    }
}

fn type_of(kind: Kind) -> u32 {
    match kind {
        Kind::Pair => PAIR,
        Kind::Wide => WIDE,
        Kind::References(_) => REFERENCES,
        Kind::Bytes(_) => BYTES,
        Kind::Exception | Kind::Host => panic!("made by the heap itself"),
    }
}

fn random_step(random: &mut Random) -> Step {
    let value = |random: &mut Random| match random.below(8) {
        0 => Value::Null,
        1 => Value::I31(random.below(1 << 20) as u32),
        _ => Value::Root(random.below(1000)),
    };
    match random.below(40) {
        0..=12 => Step::Make(match random.below(40) {
            0..=14 => Kind::Pair,
            15..=18 => Kind::Wide,
            19..=24 => Kind::References(random.below(20) as u32),
            25 => Kind::References(random.below(20_000) as u32),
            26..=28 => Kind::Bytes(random.below(200) as u32),
            29 => Kind::Bytes(random.below(100_000) as u32),
            30..=34 => Kind::Exception,
            _ => Kind::Host,
        }),
        13..=25 => Step::Write(random.below(1000), random.below(100), value(random)),
        26..=29 => Step::Read(random.below(1000), random.below(100)),
        30..=32 => Step::Define(random.below(1000), value(random)),
        33 => Step::Unroot(random.below(1000)),
        34 => Step::Own(random.below(1000)),
        35..=36 => Step::Disown(random.below(1000)),
        37..=38 => Step::Minor,
        _ => Step::Full,
    }
}

/// Runs a program; whether it came to its end.
fn passes(config: &GcConfig, stack: usize, steps: &[Step]) -> bool {
    let program = || {
        let mut world = World::new(config, stack);
        steps.iter().for_each(|step| world.take(*step));
        world.collect(Why::Asked);
    };
    catch_unwind(AssertUnwindSafe(program)).is_ok()
}

/// Takes away what is not needed for the program to fail.
fn shrink(config: &GcConfig, stack: usize, mut steps: Vec<Step>) -> Vec<Step> {
    let mut len = steps.len() / 2;
    while len > 0 {
        let mut at = 0;
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + len).min(steps.len()));
            if passes(config, stack, &fewer) {
                at += len;
            } else {
                steps = fewer;
            }
        }
        len /= 2;
    }
    steps
}

#[test]
fn random_graphs_agree_with_the_model() {
    for seed in 1..=48 {
        let mut random = Random(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15));
        let config = GcConfig {
            nursery_size: if seed % 2 == 0 { 64 << 10 } else { 1 << 20 },
            stress: seed % 6 == 0,
            ..GcConfig::default()
        };
        let stack = if seed % 5 == 0 { 2 } else { usize::MAX };
        let steps: Vec<Step> = (0..400).map(|_| random_step(&mut random)).collect();
        if !passes(&config, stack, &steps) {
            let steps = shrink(&config, stack, steps);
            panic!("seed {seed}, mark stack {stack}: {steps:#?}");
        }
    }
}

#[test]
fn long_lists_need_no_deep_stack() {
    let mut world = World::new(&GcConfig::default(), usize::MAX);
    world.take(Step::Make(Kind::Pair));
    for _ in 0..50_000 {
        world.take(Step::Make(Kind::Pair));
        world.take(Step::Write(1, 0, Value::Root(0)));
        world.take(Step::Define(0, Value::Root(1)));
        world.take(Step::Unroot(0));
        let newest = GcRef::from_raw(world.definitions[0]).unwrap();
        world.root(newest, world.objects.len() - 1);
    }
    world.collect(Why::Asked);
}
