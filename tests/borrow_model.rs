//! Random trees of re-entrant calls against a model of who borrows what: each host function borrows
//! objects in several ways, calls the guest back while it holds them or their guards, fails or panics at
//! random; what is refused, and whom the message names, is what the model says.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hostref::{
    Caller, Config, Engine, Error, ExternRef, Instance, Linker, Module, Result, Rooted, Store, Val,
    host_module,
};

/// One object: how often it was changed.
struct Cell(u64);

/// What the plan says of one call: how two objects are borrowed, what happens inside, how it ends.
#[derive(Clone, Debug)]
struct Node {
    form: usize,
    objects: [usize; 2],
    children: Vec<Node>,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Return,
    Fail,
    Panic,
}

/// How the two objects of a call are borrowed: by parameters, and by guards.
const FORMS: [(&str, [Mode; 2]); 6] = [
    ("shared", [Mode::Shared, Mode::Shared]),
    ("mixed", [Mode::Shared, Mode::Exclusive]),
    ("exclusive", [Mode::Exclusive, Mode::Exclusive]),
    ("rooted", [Mode::None, Mode::Shared]),
    ("guard", [Mode::Guard, Mode::Shared]),
    ("guard_mut", [Mode::GuardMut, Mode::None]),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    None,
    Shared,
    Exclusive,
    Guard,
    GuardMut,
}

impl Mode {
    fn excludes(self, other: Mode) -> bool {
        let exclusive = |mode| matches!(mode, Mode::Exclusive | Mode::GuardMut);
        self != Mode::None && other != Mode::None && (exclusive(self) || exclusive(other))
    }
}

/// The store's data: the calls to make, and what went wrong.
#[derive(Default)]
struct Plan {
    /// The calls that are running, with the position of their next child.
    stack: Vec<Node>,
    objects: Vec<Rooted<ExternRef<Cell>>>,
    /// What the model says is borrowed: object, how, by which function's which parameter.
    held: Vec<(usize, Mode, &'static str)>,
    faults: Vec<String>,
    refusals: usize,
}

struct Borrows;

type Cx<'a> = Caller<'a, Plan>;
type Object = Rooted<ExternRef<Cell>>;

#[host_module(name = "b", state = Plan)]
impl Borrows {
    fn shared(cx: &mut Cx<'_>, a: &Cell, b: &Cell) -> Result<()> {
        let before = (a.0, b.0);
        let result = inside(cx);
        assert_eq!((a.0, b.0), before, "what is shared does not change");
        result
    }
    fn mixed(cx: &mut Cx<'_>, a: &Cell, b: &mut Cell) -> Result<()> {
        let before = a.0;
        b.0 += 1;
        let changed = b.0;
        let result = inside(cx);
        assert_eq!((a.0, b.0), (before, changed));
        result
    }
    fn exclusive(cx: &mut Cx<'_>, a: &mut Cell, b: &mut Cell) -> Result<()> {
        (a.0, b.0) = (a.0 + 1, b.0 + 1);
        let changed = (a.0, b.0);
        let result = inside(cx);
        assert_eq!((a.0, b.0), changed, "what is exclusive is nobody else's");
        result
    }
    fn rooted(cx: &mut Cx<'_>, a: Object, b: &Cell) -> Result<()> {
        let before = b.0;
        let result = inside(cx);
        assert_eq!(b.0, before);
        let _ = a;
        result
    }
    fn guard(cx: &mut Cx<'_>, a: Object, b: &Cell) -> Result<()> {
        let guard = a.try_borrow(&*cx)?;
        let before = (guard.0, b.0);
        let result = inside(cx);
        assert_eq!((guard.0, b.0), before);
        result
    }
    fn guard_mut(cx: &mut Cx<'_>, a: Object, b: Object) -> Result<()> {
        let mut guard = a.try_borrow_mut(&mut *cx)?;
        guard.0 += 1;
        let changed = guard.0;
        let result = inside(cx);
        assert_eq!(guard.0, changed);
        let _ = b;
        result
    }
}

/// The body of every call: makes the calls of its children, each through the guest, and ends as
/// planned.
fn inside(cx: &mut Cx<'_>) -> Result<()> {
    let node = cx.data().stack.last().expect("the model entered the call").clone();
    for child in &node.children {
        step(cx, child);
    }
    match node.end {
        End::Return => Ok(()),
        End::Fail => Err(Error::msg("planned failure")),
        End::Panic => panic!("planned panic"),
    }
}

/// Makes the call `node` and compares with what the model says.
fn step(cx: &mut Cx<'_>, node: &Node) {
    let (name, modes) = FORMS[node.form];
    let expected = expected_refusal(&cx.data().held, node);
    let before = cx.data().held.len();
    if expected.is_none() {
        let names = parameters(node.form);
        for at in 0..2 {
            cx.data_mut().held.push((node.objects[at], modes[at], names[at]));
        }
    }
    cx.data_mut().stack.push(node.clone());
    let params = node.objects.map(|at| Val::from(cx.data().objects[at].to_untyped()));
    let func = cx.get_export(name).and_then(|export| export.into_func()).expect("an export");
    let outcome = catch_unwind(AssertUnwindSafe(|| func.call(&mut *cx, &params, &mut [])));
    let data = cx.data_mut();
    data.stack.pop();
    data.held.truncate(before);
    let found = match outcome {
        Ok(Ok(())) => "returned".to_owned(),
        Ok(Err(error)) => format!("{error:#}"),
        Err(_) => "panicked".to_owned(),
    };
    let right = match (&expected, node.end) {
        (Some(parts), _) => parts.iter().all(|part| found.contains(part.as_str())),
        (None, End::Return) => found == "returned",
        (None, End::Fail) => found.contains("planned failure"),
        (None, End::Panic) => found == "panicked",
    };
    data.refusals += usize::from(expected.is_some());
    if !right {
        data.faults.push(format!("{node:?}: expected {expected:?}, found {found}"));
    }
}

fn parameters(form: usize) -> [&'static str; 2] {
    match FORMS[form].0 {
        "shared" => ["parameter `a` of `b::shared`", "parameter `b` of `b::shared`"],
        "mixed" => ["parameter `a` of `b::mixed`", "parameter `b` of `b::mixed`"],
        "exclusive" => ["parameter `a` of `b::exclusive`", "parameter `b` of `b::exclusive`"],
        "rooted" => ["", "parameter `b` of `b::rooted`"],
        "guard" => ["a guard of `try_borrow`", "parameter `b` of `b::guard`"],
        _ => ["a guard of `try_borrow`", ""],
    }
}

/// Parts of the message with which the call is refused: parameters first, in order, then guards.
fn expected_refusal(held: &[(usize, Mode, &str)], node: &Node) -> Option<Vec<String>> {
    let modes = FORMS[node.form].1;
    let names = parameters(node.form);
    let is_guard = |mode| matches!(mode, Mode::Guard | Mode::GuardMut);
    let mut held: Vec<(usize, Mode, &str)> = held.to_vec();
    let mut order = [0, 1];
    order.sort_by_key(|at| is_guard(modes[*at]));
    for at in order {
        let (object, mode) = (node.objects[at], modes[at]);
        let conflicts =
            || held.iter().rev().filter(|(other, by, _)| *other == object && by.excludes(mode));
        if conflicts().next().is_some() {
            let mut parts = vec!["already".to_owned()];
            if !is_guard(mode) {
                parts.push(names[at].to_owned());
            }
            // Whoever holds the object is named: the latest parameter, or else a guard.
            let call = conflicts().find(|(_, by, _)| !is_guard(*by));
            let latest = held.iter().rev().find(|(other, by, _)| {
                *other == object && matches!(by, Mode::Shared | Mode::Exclusive)
            });
            let guarded = conflicts().any(|(_, by, _)| *by == Mode::GuardMut);
            match (guarded, call.and(latest)) {
                (false, Some((_, _, name))) => parts.push((*name).to_owned()),
                _ => parts.push("a guard of `try_borrow`".to_owned()),
            }
            return Some(parts);
        }
        held.push((object, mode, names[at]));
    }
    None
}

/// A small generator of its own, so that a failure names its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn node(&mut self, depth: u64, objects: u64) -> Node {
        let children = if depth == 0 { 0 } else { self.below(4) };
        Node {
            form: self.below(FORMS.len() as u64) as usize,
            objects: [self.below(objects) as usize, self.below(objects) as usize],
            end: match self.below(12) {
                0 => End::Fail,
                1 => End::Panic,
                _ => End::Return,
            },
            children: (0..children).map(|_| self.node(depth - 1, objects)).collect(),
        }
    }
}

fn guest(engine: &Engine) -> (Store<Plan>, Instance) {
    let mut wat = String::from("(module ");
    for (name, _) in FORMS {
        wat += &format!("(import \"b\" \"{name}\" (func ${name} (param externref externref)))");
    }
    wat += "(import \"b\" \"root\" (func $root))";
    for (name, _) in FORMS {
        wat += &format!(
            "(func (export \"{name}\") (param externref externref) \
             (call ${name} (local.get 0) (local.get 1)))"
        );
    }
    wat += "(func (export \"run\") (call $root)))";
    let mut linker = Linker::new(engine);
    Borrows::add_to_linker(&mut linker).unwrap();
    linker
        .func_wrap("b", "root", |mut cx: Cx<'_>| {
            let root = cx.data().stack.last().expect("the root").clone();
            root.children.iter().for_each(|child| step(&mut cx, child));
        })
        .unwrap();
    let mut store = Store::new(engine, Plan::default());
    let module = Module::new(engine, wat).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    (store, instance)
}

fn run(seed: u64, stress: bool) -> usize {
    let engine = Engine::new(Config::new().gc_stress(stress)).unwrap();
    let (mut store, instance) = guest(&engine);
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let objects = 2 + random.below(4);
    for _ in 0..objects {
        let object = ExternRef::new_typed(&mut store, Cell(0)).unwrap();
        store.data_mut().objects.push(object);
    }
    let children = (0..4).map(|_| random.node(3, objects)).collect();
    let root = Node { form: 0, objects: [0, 0], children, end: End::Return };
    store.data_mut().stack.push(root);
    let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
    run.call(&mut store, ()).unwrap();
    let faults = std::mem::take(&mut store.data_mut().faults);
    assert!(faults.is_empty(), "seed {seed}, stress {stress}:\n{}", faults.join("\n"));
    for object in store.data().objects.clone() {
        object.data_mut(&mut store).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    store.data().refusals
}

#[test]
fn random_call_trees_borrow_as_the_model_says() {
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let refusals = catch_unwind(|| (1..=150).map(|seed| run(seed, seed % 3 == 0)).sum::<usize>());
    std::panic::set_hook(quiet);
    let refusals = match refusals {
        Ok(refusals) => refusals,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    assert!(refusals > 500, "{refusals} refusals: the trees borrow too little");
}
