//! `#[derive(GcStruct)]` and `#[derive(GcArray)]`: objects go to guests and come back, with fields of all
//! kinds, and their types are those of the guest. All of it with `gc_stress`, too.

use hostref::{
    AnyRef, Caller, Config, Engine, ExternRef, Func, GcArray, GcStruct, Global, I31, Instance,
    Linker, Module, Result, RootScope, Rooted, Store, StructRef, TypedFunc, V128, WasmTy,
    host_module, wasm_exports,
};

/// Runs a test in an engine that collects when it must, and in one that collects all the time.
fn in_both(test: impl Fn(&Engine) -> Result<()>) -> Result<()> {
    let mut stress = Config::new();
    stress.gc_stress(true);
    test(&Engine::default())?;
    test(&Engine::new(&stress)?)
}

fn instance<T: 'static>(store: &mut Store<T>, wat: &str) -> Result<Instance> {
    let module = Module::new(&store.engine().clone(), wat)?;
    Instance::new(store, &module, &[])
}

#[track_caller]
fn assert_fails<T>(result: Result<T>, part: &str) {
    let error = result.map(drop).expect_err("the call fails");
    let text = format!("{error:#}");
    assert!(text.contains(part), "{text}\n  does not contain\n{part}");
}

#[derive(GcStruct, Clone, Debug, PartialEq)]
struct Point {
    x: f64,
    #[gc(mut)]
    y: f64,
}

struct Geometry;

#[host_module(name = "geometry", state = ())]
impl Geometry {
    fn mirror(cx: &mut Caller<'_, ()>, point: PointRef) -> Result<PointRef> {
        let (x, y) = (point.x(&mut *cx)?, point.y(&mut *cx)?);
        point.set_y(&mut *cx, 0.0)?;
        PointRef::new(cx, Point { x: -x, y })
    }

    fn pass(point: Option<PointRef>) -> (i32, Option<PointRef>) {
        (point.is_some().into(), point)
    }

    fn apply(
        cx: &mut Caller<'_, ()>,
        function: TypedFunc<PointRef, PointRef>,
        point: Rooted<StructRef<Point>>,
    ) -> Result<PointRef> {
        function.call(cx, point.into())
    }
}

#[wasm_exports]
struct Guest {
    run: fn(point: PointRef) -> PointRef,
    maybe: fn(point: Option<PointRef>) -> Option<PointRef>,
}

const GEOMETRY: &str = r#"
    (module
        (type $point (struct (field f64) (field (mut f64))))
        (type $function (func (param (ref $point)) (result (ref $point))))
        (import "geometry" "mirror" (func $mirror (param (ref null $point)) (result (ref $point))))
        (import "geometry" "pass" (func $pass (param (ref null $point)) (result i32 (ref null $point))))
        (import "geometry" "apply"
            (func $apply (param (ref null $function) (ref $point)) (result (ref $point))))
        (elem declare func $same)
        (func $same (type $function) (local.get 0))
        (func (export "run") (param $p (ref $point)) (result (ref null $point))
            (local $q (ref null $point))
            (local.set $q (call $mirror
                (call $apply (ref.func $same) (local.get $p))))
            (struct.set $point 1 (local.get $q)
                (f64.add
                    (struct.get $point 1 (local.get $q))
                    (struct.get $point 1 (local.get $p))))
            (local.get $q))
        (func (export "maybe") (param (ref null $point)) (result (ref null $point))
            (local $q (ref null $point))
            (call $pass (local.get 0))
            (local.set $q)
            (if (result (ref null $point))
                (then (local.get $q))
                (else (struct.new $point (f64.const 5) (f64.const 6))))))
"#;

#[test]
fn structs_go_to_the_host_and_back() -> Result<()> {
    in_both(|engine| {
        let module = Module::new(engine, GEOMETRY)?;
        let mut linker = Linker::new(engine);
        Geometry::add_to_linker(&mut linker)?;
        let mut store = Store::new(engine, ());
        let guest = Guest::instantiate(&mut store, &module, &linker)?;
        let point = PointRef::new(&mut store, Point { x: 1.0, y: 2.0 })?;
        let mirrored = guest.call_run(&mut store, point)?;
        assert_eq!(mirrored.load(&mut store)?, Point { x: -1.0, y: 2.0 });
        assert_eq!(point.load(&mut store)?, Point { x: 1.0, y: 0.0 });
        let same = guest.call_maybe(&mut store, Some(point))?.expect("the point itself");
        assert!(Rooted::ref_eq(&store, &*same, &*point)?);
        let made = guest.call_maybe(&mut store, None)?.expect("a new point");
        assert_eq!(made.load(&mut store)?, Point { x: 5.0, y: 6.0 });
        Ok(())
    })
}

#[test]
fn a_guest_of_another_type_does_not_link() -> Result<()> {
    let engine = Engine::default();
    let mut linker: Linker<()> = Linker::new(&engine);
    Geometry::add_to_linker(&mut linker)?;
    let module = |ty: &str, param: &str| {
        let wat = format!(
            r#"(module (type $point {ty})
                (import "geometry" "mirror" (func (param {param}) (result {param}))))"#
        );
        linker.instantiate_pre(&Module::new(&engine, wat)?)
    };
    module("(struct (field f64) (field (mut f64)))", "(ref null $point)")?;
    for other in [
        "(struct (field f64) (field f64))",
        "(struct (field f64))",
        "(struct (field f64) (field (mut f32)))",
        "(sub (struct (field f64) (field (mut f64))))",
        "(array (mut f64))",
    ] {
        assert_fails(module(other, "(ref null $point)"), "geometry::mirror");
    }
    assert_fails(module("(struct)", "structref"), "geometry::mirror");
    Ok(())
}

#[derive(WasmTy, Clone, Copy, Debug, PartialEq)]
#[repr(i8)]
enum Sign {
    Minus = -1,
    Plus = 1,
}

#[derive(WasmTy, Clone, Copy, Debug, PartialEq)]
struct Meters(f32);

#[derive(GcStruct)]
struct Everything {
    a: i8,
    #[gc(mut)]
    b: u8,
    c: i16,
    #[gc(mut)]
    d: u16,
    #[gc(mut)]
    e: i32,
    f: u64,
    g: f32,
    h: V128,
    #[gc(mut, packed)]
    i: bool,
    j: bool,
    k: char,
    #[gc(mut, packed)]
    l: Sign,
    m: Sign,
    n: Meters,
    o: Rooted<ExternRef<String>>,
    #[gc(mut)]
    p: Option<Rooted<ExternRef>>,
    #[gc(mut)]
    q: Option<Func>,
    #[gc(mut)]
    r: Rooted<AnyRef>,
    #[gc(mut)]
    s: Option<I31>,
    t: PointRef,
    #[gc(mut)]
    u: Option<PointRef>,
    #[gc(mut)]
    r#type: Option<EverythingRef>,
}

const EVERYTHING: &str = r#"
    (module
        (type $point (struct (field f64) (field (mut f64))))
        (type $every (struct
            (field i8) (field (mut i8)) (field i16) (field (mut i16)) (field (mut i32)) (field i64)
            (field f32) (field v128) (field (mut i8)) (field i32) (field i32) (field (mut i8)) (field i32)
            (field f32) (field (ref extern)) (field (mut externref)) (field (mut funcref))
            (field (mut (ref any))) (field (mut i31ref)) (field (ref $point))
            (field (mut (ref null $point))) (field (mut (ref null $every)))))
        (func (export "sum") (param (ref $every)) (result i32)
            (i32.add
                (i32.add (struct.get_s $every 0 (local.get 0)) (struct.get_u $every 1 (local.get 0)))
                (i32.add (struct.get_s $every 2 (local.get 0)) (struct.get_u $every 3 (local.get 0)))))
        (func (export "spoil") (param (ref $every))
            (struct.set $every 11 (local.get 0) (i32.const 0))
            (struct.set $every 8 (local.get 0) (i32.const 2))
            (struct.set $every 21 (local.get 0) (local.get 0))))
"#;

fn everything(store: &mut Store<()>) -> Result<Everything> {
    let text = ExternRef::new_typed(&mut *store, "text".to_owned())?;
    let t = PointRef::new(&mut *store, Point { x: 1.0, y: 2.0 })?;
    Ok(Everything {
        a: -1,
        b: 255,
        c: -2,
        d: 65535,
        e: i32::MIN,
        f: u64::MAX,
        g: 0.5,
        h: V128::from(u128::MAX - 1),
        i: true,
        j: true,
        k: 'ß',
        l: Sign::Minus,
        m: Sign::Minus,
        n: Meters(1.5),
        o: text,
        p: Some(text.to_untyped()),
        q: Some(Func::wrap(&mut *store, || 7)),
        r: t.to_anyref(),
        s: Some(I31::wrapping_i32(-5)),
        t,
        u: Some(t),
        r#type: None,
    })
}

#[test]
fn fields_of_all_kinds_keep_their_values() -> Result<()> {
    in_both(|engine| {
        let mut store = Store::new(engine, ());
        let value = everything(&mut store)?;
        let every = EverythingRef::new(&mut store, value)?;
        store.gc();
        let cx = &mut store;
        assert_eq!((every.a(&mut *cx)?, every.b(&mut *cx)?), (-1, 255));
        assert_eq!((every.c(&mut *cx)?, every.d(&mut *cx)?), (-2, 65535));
        assert_eq!((every.e(&mut *cx)?, every.f(&mut *cx)?), (i32::MIN, u64::MAX));
        assert_eq!(every.h(&mut *cx)?.as_u128(), u128::MAX - 1);
        assert!(every.i(&mut *cx)? && every.j(&mut *cx)?);
        assert_eq!((every.k(&mut *cx)?, every.n(&mut *cx)?), ('ß', Meters(1.5)));
        assert_eq!((every.l(&mut *cx)?, every.m(&mut *cx)?), (Sign::Minus, Sign::Minus));
        let text = every.o(&mut *cx)?;
        assert_eq!(text.data(&*cx)?, "text");
        let seven = every.q(&mut *cx)?.expect("a function").typed::<(), i32>(&*cx)?;
        assert_eq!(seven.call(&mut *cx, ())?, 7);
        assert_eq!(every.s(&mut *cx)?.map(|i31| i31.get_i32()), Some(-5));
        assert_eq!(every.t(&mut *cx)?.y(&mut *cx)?, 2.0);

        every.set_type(&mut *cx, Some(every))?;
        every.set_b(&mut *cx, 3)?;
        every.set_l(&mut *cx, Sign::Plus)?;
        every.set_i(&mut *cx, false)?;
        every.set_p(&mut *cx, None)?;
        every.set_u(&mut *cx, None)?;
        let fresh = PointRef::new(&mut *cx, Point { x: 9.0, y: 9.0 })?;
        every.set_r(&mut *cx, fresh.to_anyref())?;
        cx.gc();
        let whole = every.r#type(&mut *cx)?.expect("itself").load(&mut *cx)?;
        assert_eq!((whole.b, whole.l, whole.i), (3, Sign::Plus, false));
        assert!(whole.p.is_none() && whole.u.is_none());
        let nine: PointRef = whole.r.downcast::<StructRef<Point>>(&*cx)?.into();
        assert_eq!(nine.x(&mut *cx)?, 9.0);
        Ok(())
    })
}

#[test]
fn a_guest_sees_the_same_fields_and_its_values_are_checked() -> Result<()> {
    in_both(|engine| {
        let mut store = Store::new(engine, ());
        let instance = instance(&mut store, EVERYTHING)?;
        let value = everything(&mut store)?;
        let every = EverythingRef::new(&mut store, value)?;
        let sum = instance.get_typed_func::<EverythingRef, i32>(&mut store, "sum")?;
        assert_eq!(sum.call(&mut store, every)?, -1 + 255 - 2 + 65535);
        let spoil = instance.get_typed_func::<EverythingRef, ()>(&mut store, "spoil")?;
        spoil.call(&mut store, every)?;
        assert_fails(every.l(&mut store), "`l`: 0 is no `Sign`; it has -1 = Minus, 1 = Plus");
        assert_fails(every.i(&mut store), "`i`: expected a `bool`");
        assert_fails(every.load(&mut store), "`i`: expected a `bool`");
        assert!(every.r#type(&mut store)?.is_some());
        Ok(())
    })
}

#[test]
fn handles_end_with_their_scope_and_belong_to_their_store() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut other = Store::new(&engine, ());
    let (ended, kept) = {
        let mut scope = RootScope::new(&mut store);
        let point = PointRef::new(&mut scope, Point { x: 1.0, y: 1.0 })?;
        (point, point.to_manually_rooted(&mut scope)?)
    };
    assert_fails(ended.x(&mut store), "`x`");
    assert_fails(ended.set_y(&mut store, 0.0), "`y`");
    let point = PointRef::from(kept.to_rooted(&mut store));
    assert_eq!(point.x(&mut store)?, 1.0);
    assert_fails(point.x(&mut other), "`x`");
    let value =
        Node { value: 1, next: Some(NodeRef::new(&mut other, Node { value: 2, next: None })?) };
    assert_fails(NodeRef::new(&mut store, value), "field 1");
    Ok(())
}

#[derive(GcStruct)]
struct Node {
    value: i32,
    #[gc(mut)]
    next: Option<NodeRef>,
}

#[test]
fn a_type_may_mention_itself() -> Result<()> {
    in_both(|engine| {
        let mut store = Store::new(engine, ());
        let instance = instance(
            &mut store,
            r#"(module
                (type $node (struct (field i32) (field (mut (ref null $node)))))
                (global (export "head") (mut (ref null $node)) (ref.null $node))
                (func (export "sum") (param $at (ref null $node)) (result i32)
                    (local $sum i32)
                    (block $end (loop $next
                        (br_if $end (ref.is_null (local.get $at)))
                        (local.set $sum (i32.add (local.get $sum) (struct.get $node 0 (local.get $at))))
                        (local.set $at (struct.get $node 1 (local.get $at)))
                        (br $next)))
                    (local.get $sum)))"#,
        )?;
        let mut head = None;
        for value in 1..=100 {
            head = Some(NodeRef::new(&mut store, Node { value, next: head })?);
        }
        let sum = instance.get_typed_func::<Option<NodeRef>, i32>(&mut store, "sum")?;
        assert_eq!(sum.call(&mut store, head)?, 5050);
        let global = instance.get_global(&mut store, "head").expect("a global");
        let global: Global<Option<NodeRef>> = global.typed(&store)?;
        global.set(&mut store, head)?;
        let first = global.get(&mut store)?.expect("the head");
        assert_eq!(first.value(&mut store)?, 100);
        Ok(())
    })
}

#[derive(GcStruct)]
#[gc(group = (Tree, Children))]
struct Tree {
    label: u16,
    children: ChildrenRef,
}

#[derive(GcArray)]
#[gc(mut, group = (Tree, Children))]
struct Children(Box<[Option<TreeRef>]>);

#[test]
fn types_that_mention_each_other_are_a_group() -> Result<()> {
    in_both(|engine| {
        let mut store = Store::new(engine, ());
        let instance = instance(
            &mut store,
            r#"(module
                (rec
                    (type $tree (struct (field i16) (field (ref $children))))
                    (type $children (array (mut (ref null $tree)))))
                (func (export "first") (param (ref $tree)) (result (ref null $tree))
                    (array.get $children (struct.get $tree 1 (local.get 0)) (i32.const 0))))"#,
        )?;
        let none = ChildrenRef::new(&mut store, Children(Box::new([])))?;
        let leaf = TreeRef::new(&mut store, Tree { label: 1, children: none })?;
        let children = ChildrenRef::new(&mut store, Children(Box::new([Some(leaf), None])))?;
        let root = TreeRef::new(&mut store, Tree { label: 2, children })?;
        let first = instance.get_typed_func::<TreeRef, Option<TreeRef>>(&mut store, "first")?;
        let found = first.call(&mut store, root)?.expect("a child");
        assert_eq!(found.label(&mut store)?, 1);
        children.set(&mut store, 0, Some(root))?;
        let Children(all) = children.load(&mut store)?;
        assert!(all[1].is_none());
        assert_eq!(all[0].expect("the root").label(&mut store)?, 2);
        Ok(())
    })
}

#[derive(GcStruct, Debug, PartialEq)]
#[gc(open)]
struct Shape {
    id: u32,
    #[gc(mut)]
    hidden: bool,
}

#[derive(GcStruct, Debug, PartialEq)]
#[gc(open)]
struct Circle {
    /// What it has of a shape.
    #[gc(base)]
    shape: Shape,
    radius: f64,
}

#[derive(GcStruct, Debug, PartialEq)]
#[gc(handle = Ball)]
struct BallOf {
    #[gc(base)]
    circle: Circle,
    #[gc(mut)]
    weight: f32,
}

#[test]
fn a_type_may_extend_another() -> Result<()> {
    in_both(|engine| {
        let mut store = Store::new(engine, ());
        let instance = instance(
            &mut store,
            r#"(module
                (type $shape (sub (struct (field i32) (field (mut i32)))))
                (type $circle (sub $shape (struct (field i32) (field (mut i32)) (field f64))))
                (type $ball (sub final $circle
                    (struct (field i32) (field (mut i32)) (field f64) (field (mut f32)))))
                (func (export "radius") (param (ref $shape)) (result f64)
                    (struct.get $circle 2 (ref.cast (ref $circle) (local.get 0))))
                (func (export "as-shape") (param (ref $ball)) (result (ref $shape)) (local.get 0)))"#,
        )?;
        let value = || BallOf {
            circle: Circle { shape: Shape { id: 7, hidden: false }, radius: 2.5 },
            weight: 0.5,
        };
        let ball = Ball::new(&mut store, value())?;
        let radius = instance.get_typed_func::<ShapeRef, f64>(&mut store, "radius")?;
        let circle = ball.circle(&store)?;
        let shape = circle.shape(&store)?;
        assert_eq!(radius.call(&mut store, shape)?, 2.5);
        assert_eq!((shape.id(&mut store)?, circle.radius(&mut store)?), (7, 2.5));
        shape.set_hidden(&mut store, true)?;
        ball.set_weight(&mut store, 4.0)?;
        let mut expected = value();
        (expected.circle.shape.hidden, expected.weight) = (true, 4.0);
        assert_eq!(ball.load(&mut store)?, expected);

        let up = instance.get_typed_func::<Ball, ShapeRef>(&mut store, "as-shape")?;
        let shape = up.call(&mut store, ball)?;
        let down = Ball::from(shape.downcast::<StructRef<BallOf>>(&store)?);
        assert!(Rooted::ref_eq(&store, &*down, &*ball)?);
        let plain = ShapeRef::new(&mut store, Shape { id: 1, hidden: false })?;
        assert_fails(radius.call(&mut store, plain), "cast failure");
        assert_fails(plain.downcast::<StructRef<Circle>>(&store), "expected a reference to");
        Ok(())
    })
}

#[derive(GcArray, Debug, PartialEq)]
#[gc(mut)]
struct Bytes(Vec<u8>);

#[derive(GcArray)]
struct Names {
    all: Vec<Rooted<ExternRef<String>>>,
}

#[derive(GcArray)]
#[gc(mut, packed)]
struct Bits(Vec<bool>);

#[derive(GcArray)]
struct Samples(Vec<f64>);

#[test]
fn arrays_are_copied_whole_and_by_element() -> Result<()> {
    in_both(|engine| {
        let mut store = Store::new(engine, ());
        let instance = instance(
            &mut store,
            r#"(module
                (type $bytes (array (mut i8)))
                (type $samples (array f64))
                (func (export "bump") (param $a (ref $bytes)) (result (ref null $bytes))
                    (array.set $bytes (local.get $a) (i32.const 0)
                        (i32.add (array.get_u $bytes (local.get $a) (i32.const 0)) (i32.const 1)))
                    (local.get $a))
                (func (export "last") (param $a (ref $samples)) (result f64)
                    (array.get $samples (local.get $a)
                        (i32.sub (array.len (local.get $a)) (i32.const 1)))))"#,
        )?;
        let bytes = BytesRef::from_slice(&mut store, b"hello")?;
        let bump = instance.get_typed_func::<BytesRef, BytesRef>(&mut store, "bump")?;
        let bumped = bump.call(&mut store, bytes)?;
        assert_eq!(bumped.load(&mut store)?, Bytes(b"iello".to_vec()));
        bytes.set(&mut store, 4, b'!')?;
        assert_eq!((bytes.len(&store)?, bytes.get(&mut store, 4)?), (5, b'!'));
        let mut part = [0; 3];
        bytes.copy_to_slice(&store, 2, &mut part)?;
        assert_eq!(&part, b"ll!");
        bytes.copy_from_slice(&mut store, 0, b"j")?;
        assert_eq!(bytes.get(&mut store, 0)?, b'j');
        assert_fails(bytes.get(&mut store, 5), "5 elements, and no element 5");

        let many: Vec<f64> = (0..1000).map(f64::from).collect();
        let samples = SamplesRef::from_slice(&mut store, &many)?;
        let last = instance.get_typed_func::<SamplesRef, f64>(&mut store, "last")?;
        assert_eq!(last.call(&mut store, samples)?, 999.0);
        assert_eq!(samples.load(&mut store)?.0, many);
        assert_fails(samples.copy_from_slice(&mut store, 0, &[1.0]), "immutable");
        // Whatever takes any array takes it without its type.
        let arrays = [bytes.to_arrayref(), samples.to_arrayref()];
        assert_eq!([arrays[0].len(&store)?, arrays[1].len(&store)?], [5, 1000]);
        assert_eq!(arrays[1].get(&mut store, 7)?.unwrap_f64(), 7.0);

        let bits = BitsRef::new(&mut store, Bits(vec![true, false]))?;
        bits.set(&mut store, 1, true)?;
        assert_eq!(bits.load(&mut store)?.0, [true, true]);
        Ok(())
    })
}

#[test]
fn arrays_of_references_keep_what_they_lead_to() -> Result<()> {
    in_both(|engine| {
        let mut store = Store::new(engine, ());
        let kept = {
            let mut scope = RootScope::new(&mut store);
            let all = ["a", "b", "c"].map(str::to_owned);
            let all = all.into_iter().map(|text| ExternRef::new_typed(&mut scope, text));
            let all = all.collect::<Result<Vec<_>>>()?;
            NamesRef::new(&mut scope, Names { all })?.to_manually_rooted(&mut scope)?
        };
        store.gc();
        let names = NamesRef::from(kept.to_rooted(&mut store));
        assert_eq!(names.get(&mut store, 1)?.data(&store)?, "b");
        let all = names.load(&mut store)?.all;
        let all = all.iter().map(|text| text.data(&store).map(String::as_str));
        assert_eq!(all.collect::<Result<Vec<_>>>()?, ["a", "b", "c"]);
        Ok(())
    })
}

#[test]
fn signatures_name_the_types_that_rust_types_declare() {
    let wat = Geometry::SIGNATURES.to_wat();
    assert!(wat.contains("(param $point (ref null $Point)) (result (ref null $Point))"), "{wat}");
    assert!(wat.contains("(result i32 (ref null $Point))"), "{wat}");
    let mirror = Geometry::SIGNATURES.function("mirror").expect("a function");
    assert_eq!(mirror.to_string(), "(func (param (ref $Point)) (result (ref $Point)))");
}

#[derive(GcStruct)]
struct Left {
    right: Option<RightRef>,
}

#[derive(GcStruct)]
struct Right {
    left: Option<LeftRef>,
}

#[test]
#[should_panic(expected = "refer to each other")]
fn types_that_mention_each_other_without_a_group_are_reported() {
    let mut store = Store::new(&Engine::default(), ());
    let right = RightRef::new(&mut store, Right { left: None }).unwrap();
    let _ = LeftRef::new(&mut store, Left { right: Some(right) });
}
