//! References to structs, arrays and `i31`s across the boundary: in host functions, exports, globals and
//! tables, as `WasmTy`s and through the macros; and types that Rust types define.

mod support;

use hostref::__private::{
    GcArray, GcDefinition, GcStruct, GcType, GcTypeKey, StructWriter, array_type, new_array,
    struct_type,
};
use hostref::{
    AnyRef, ArrayRef, ArrayRefPre, ArrayType, AsContext, Caller, Engine, EqRef, ExternRef,
    FieldType, Func, FuncType, Global, HeapType, I31, Linker, ManuallyRooted, Module, Mutability,
    NoExn, NoExtern, NoFunc, NoneRef, Ref, RefType, Result, Rooted, StorageType, Store, StructRef,
    Table, Val, ValType, WasmTy, host_module, wasm_exports,
};
use support::{Mode, both_modes, export, instantiate};

both_modes! {
    references_pass_through_host_functions,
    references_pass_through_closures,
    globals_and_tables_hold_references,
    null_is_refused_where_none_is_expected,
    concrete_types_are_compared_when_linking,
    recursive_types_are_one_type,
    defined_arrays,
    writers_check_every_field,
    values_convert,
}

/// `(struct (field i32) (field (mut f64)))`
struct Point;

impl GcType for Point {
    const NAME: &'static str = "$Point";

    fn define(definition: &mut GcDefinition) {
        definition.field::<i32>("number", Mutability::Const);
        definition.field::<f64>("weight", Mutability::Var);
    }
}

impl GcStruct for Point {}

/// `(struct (field i32) (field (mut (ref null $List))))`
struct List;

impl GcType for List {
    const NAME: &'static str = "$List";

    fn define(definition: &mut GcDefinition) {
        definition.field::<i32>("number", Mutability::Const);
        definition.field::<Option<Rooted<StructRef<List>>>>("other", Mutability::Var);
    }
}

impl GcStruct for List {}

/// `(array (mut i8))`
struct Bytes;

impl GcType for Bytes {
    const NAME: &'static str = "$Bytes";

    fn define(definition: &mut GcDefinition) {
        definition.element::<u8>(Mutability::Var);
    }
}

impl GcArray for Bytes {}

struct Shapes;

#[host_module(name = "shapes", state = (), check = "tests/guests/objects.wat")]
impl Shapes {
    fn any(any: Option<Rooted<AnyRef>>) -> Option<Rooted<AnyRef>> {
        any
    }

    fn eq(eq: Rooted<EqRef>) -> Rooted<EqRef> {
        eq
    }

    fn r#struct(
        a: Option<Rooted<StructRef>>,
        b: ManuallyRooted<StructRef>,
    ) -> Option<ManuallyRooted<StructRef>> {
        a.map(|_| b)
    }

    fn array(_a: Option<ManuallyRooted<ArrayRef>>, b: Rooted<ArrayRef>) -> Rooted<ArrayRef> {
        b
    }

    fn i31(a: Option<I31>, b: I31) -> Option<I31> {
        a.and(Some(I31::wrapping_i32(-b.get_i32())))
    }

    fn nothing(
        any: Option<NoneRef>,
        object: Option<NoExtern>,
        func: Option<NoFunc>,
        exn: Option<NoExn>,
    ) -> Option<NoneRef> {
        assert!(object.is_none() && func.is_none() && exn.is_none());
        any
    }

    fn point(
        cx: &mut Caller<'_, ()>,
        a: Rooted<StructRef<Point>>,
        b: Option<Rooted<StructRef<Point>>>,
    ) -> Result<Rooted<StructRef<Point>>> {
        assert!(b.is_none());
        let y: f64 = a.field_typed(&mut *cx, 1)?;
        a.set_field_typed(cx, 1, y * 2.0)?;
        Ok(a)
    }

    fn length(cx: &mut Caller<'_, ()>, list: Option<Rooted<StructRef<List>>>) -> Result<i32> {
        let (mut next, mut length) = (list, 0);
        while let Some(list) = next {
            length += 1;
            assert_eq!(list.field_typed::<i32>(&mut *cx, 0)?, length);
            next = list.field_typed(&mut *cx, 1)?;
        }
        Ok(length)
    }

    fn bytes(
        cx: &mut Caller<'_, ()>,
        bytes: Rooted<ArrayRef<Bytes>>,
    ) -> Result<Option<Rooted<ArrayRef<Bytes>>>> {
        bytes.copy_from_slice(&mut *cx, 0, b"he")?;
        Ok(Some(bytes))
    }

    fn new(cx: &mut Caller<'_, ()>, x: i32) -> Result<Rooted<StructRef<Point>>> {
        StructWriter::<Point, ()>::new(cx)?.field(x)?.field(0.5)?.finish()
    }
}

#[wasm_exports(rename_all = "kebab-case", check = "tests/guests/objects.wat")]
struct Guest {
    make: fn(x: i32, y: f64) -> Rooted<StructRef<Point>>,
    x: fn(point: Option<Rooted<StructRef<Point>>>) -> i32,
    same: fn(any: Option<Rooted<AnyRef>>) -> Option<Rooted<AnyRef>>,
    eq: fn(eq: Rooted<EqRef>) -> Option<Rooted<EqRef>>,
    r#struct: fn(object: Option<ManuallyRooted<StructRef>>) -> Option<Rooted<StructRef>>,
    array: fn(array: Rooted<ArrayRef>) -> Option<ManuallyRooted<ArrayRef>>,
    i31: fn(small: Option<I31>) -> Option<I31>,
    small: fn(small: I31) -> i32,
    nothing: fn(null: Option<NoneRef>) -> Option<NoneRef>,
    point: fn(point: Rooted<StructRef<Point>>) -> Rooted<StructRef<Point>>,
    null_point: fn() -> Rooted<StructRef<Point>>,
    length: fn(length: i32) -> i32,
    bytes: fn(len: i32) -> Option<Rooted<ArrayRef<Bytes>>>,
    new_x: fn(x: i32) -> i32,
    kept: Global<Option<Rooted<StructRef<Point>>>>,
    any: Global<Option<Rooted<AnyRef>>>,
    structs: Table,
}

const WAT: &str = include_str!("guests/objects.wat");

fn guest(mode: Mode) -> Result<(Store<()>, Guest)> {
    let mut store = mode.store();
    let module = Module::new(store.engine(), WAT)?;
    let mut linker = Linker::new(store.engine());
    Shapes::add_to_linker(&mut linker)?;
    let guest = Guest::instantiate(&mut store, &module, &linker)?;
    Ok((store, guest))
}

/// The text of an error with its causes.
fn text<T>(result: Result<T>) -> String {
    format!("{:#}", result.err().expect("an error"))
}

fn point(store: &mut Store<()>, x: i32, y: f64) -> Result<Rooted<StructRef<Point>>> {
    StructWriter::<Point, ()>::new(store)?.field(x)?.field(y)?.finish()
}

fn references_pass_through_host_functions(mode: Mode) -> Result<()> {
    let (mut store, guest) = guest(mode)?;
    let made = guest.call_make(&mut store, 3, 1.5)?;
    assert_eq!(guest.call_x(&mut store, Some(made))?, 3);
    let again = guest.call_point(&mut store, made)?;
    assert!(Rooted::ref_eq(&store, &made, &again)?);
    assert_eq!(made.field_typed::<f64>(&mut store, 1)?, 3.0);
    let any = guest.call_same(&mut store, Some(made.to_anyref()))?.expect("the same");
    assert!(Rooted::ref_eq(&store, &any, &made)?);
    assert!(guest.call_same(&mut store, None)?.is_none());
    let eq = guest.call_eq(&mut store, made.to_eqref())?.expect("the same");
    assert!(eq.is_struct(&store)?);
    let object: Rooted<StructRef> = made.to_anyref().downcast(&store)?;
    let untyped = made.to_manually_rooted(&mut store)?.to_structref().to_rooted(&mut store);
    assert!(Rooted::ref_eq(&store, &object, &untyped)?);
    let kept = made.to_structref().to_manually_rooted(&mut store)?;
    let same = guest.call_struct(&mut store, Some(kept))?.expect("the same");
    assert!(Rooted::ref_eq(&store, &same, &made)?);
    let bytes = guest.call_bytes(&mut store, 3)?.expect("an array");
    let mut copy = [0_u8; 3];
    bytes.copy_to_slice(&store, 0, &mut copy)?;
    assert_eq!(&copy, b"he\x07");
    let array: Rooted<ArrayRef> = bytes.to_anyref().downcast(&store)?;
    let kept = guest.call_array(&mut store, array)?.expect("the same");
    assert_eq!(kept.len(&store)?, 3);
    assert_eq!(guest.call_i31(&mut store, I31::new_i32(-5))?, I31::new_i32(5));
    assert_eq!(guest.call_small(&mut store, I31::wrapping_i32(-7))?, -7);
    assert_eq!(guest.call_nothing(&mut store, NoneRef::null())?, None);
    assert_eq!(guest.call_length(&mut store, 100)?, 100);
    assert_eq!(guest.call_new_x(&mut store, 11)?, 11);
    let ours = point(&mut store, 12, 0.0)?;
    assert_eq!(guest.call_x(&mut store, Some(ours))?, 12);
    Ok(())
}

fn references_pass_through_closures(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    /// Calls a host function that returns what it gets.
    fn identity<T: WasmTy>(store: &mut Store<()>, value: T) -> Result<T> {
        let func = Func::wrap(&mut *store, |value: T| value);
        func.typed::<T, T>(&*store)?.call(store, value)
    }
    let made = point(&mut store, 3, 1.5)?;
    let any: Rooted<AnyRef> = identity(&mut store, made.to_anyref())?;
    let eq: Rooted<EqRef> = identity(&mut store, made.to_eqref())?;
    let object = eq.unwrap_struct(&store)?;
    let object: Rooted<StructRef> = identity(&mut store, object)?;
    let typed: Option<Rooted<StructRef<Point>>> = identity(&mut store, Some(made))?;
    for handle in [any, eq.to_anyref(), object.to_anyref(), typed.unwrap().to_anyref()] {
        assert!(Rooted::ref_eq(&store, &handle, &made)?);
    }
    assert_eq!(identity(&mut store, I31::wrapping_u32(5))?.get_u32(), 5);
    assert!(identity(&mut store, None::<I31>)?.is_none());
    assert!(identity(&mut store, None::<NoFunc>)?.is_none());
    assert!(identity(&mut store, None::<Rooted<ArrayRef<Bytes>>>)?.is_none());
    // Functions over values have the types that they were made with.
    let ty = ValType::Ref(RefType::new(
        false,
        HeapType::ConcreteStruct(struct_type::<Point>(store.engine())),
    ));
    let ty = FuncType::new(store.engine(), [ty.clone()], [ty]);
    let func = Func::new(&mut store, ty, |_, params, results| {
        results[0] = params[0];
        Ok(())
    });
    let typed = func.typed::<Rooted<StructRef<Point>>, Rooted<StructRef<Point>>>(&store)?;
    let same = typed.call(&mut store, made)?;
    assert!(Rooted::ref_eq(&store, &same, &made)?);
    let checked = func.typed::<Rooted<AnyRef>, Rooted<AnyRef>>(&store)?;
    let same = checked.call(&mut store, any)?;
    assert!(Rooted::ref_eq(&store, &same, &made)?);
    let five = AnyRef::from_i31(&mut store, I31::wrapping_u32(5));
    let wrong = text(checked.call(&mut store, five));
    assert!(
        wrong.contains("expected (ref (struct (field i32) (field (mut f64)))), found (ref i31)"),
        "{wrong}"
    );
    Ok(())
}

fn globals_and_tables_hold_references(mode: Mode) -> Result<()> {
    let (mut store, guest) = guest(mode)?;
    let made = point(&mut store, 3, 1.5)?;
    let kept = guest.kept();
    kept.set(&mut store, Some(made))?;
    store.gc();
    let found = kept.get(&mut store)?.expect("the point");
    assert!(Rooted::ref_eq(&store, &found, &made)?);
    guest.any().set(&mut store, Some(made.to_anyref()))?;
    guest.structs().set(&mut store, 1, made.into())?;
    let five = AnyRef::from_i31(&mut store, I31::wrapping_u32(5));
    let wrong = guest.structs().set(&mut store, 0, five.into());
    assert!(text(wrong).contains("expected structref, found (ref i31)"));
    store.gc();
    let Some(Ref::Any(Some(found))) = guest.structs().get(&mut store, 1) else {
        panic!("a struct")
    };
    assert!(Rooted::ref_eq(&store, &found, &made)?);
    let untyped = guest.instance().get_global(&mut store, "any").unwrap();
    let error = untyped.typed::<Option<Rooted<StructRef>>>(&store);
    assert_eq!(text(error), "expected a global of type structref, found (global (mut anyref))");
    Ok(())
}

fn null_is_refused_where_none_is_expected(mode: Mode) -> Result<()> {
    let (mut store, guest) = guest(mode)?;
    let null = text(guest.call_null_point(&mut store));
    assert!(null.contains("expected a non-null reference to `"), "{null}");
    assert!(null.ends_with("Point`, found null"), "{null}");
    let mut linker = Linker::new(store.engine());
    linker.func_wrap("", "struct", |_: Rooted<StructRef>| ())?;
    linker.func_wrap("", "i31", |_: I31| ())?;
    let module = Module::new(
        store.engine(),
        r#"(module
        (import "" "struct" (func $struct (param structref)))
        (import "" "i31" (func $i31 (param i31ref)))
        (func (export "struct") (call $struct (ref.null none)))
        (func (export "i31") (call $i31 (ref.null i31))))"#,
    )?;
    let instance = linker.instantiate(&mut store, &module)?;
    for name in ["struct", "i31"] {
        let call = export::<(), ()>(&mut store, instance, name)?;
        let error = text(call.call(&mut store, ()));
        let expected = format!(
            "parameter 0 of ::{name}: expected a non-null reference to `{name}`, found null"
        );
        assert!(error.contains(&expected), "{error}");
    }
    Ok(())
}

fn concrete_types_are_compared_when_linking(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let link = |store: &mut Store<()>, imports: &str| -> Result<()> {
        let mut linker = Linker::new(store.engine());
        linker.func_wrap("", "point", |point: Option<Rooted<StructRef<Point>>>| point)?;
        let types = "(type $point (struct (field i32) (field (mut f64)))) (type $other (struct (field i64)))";
        let module = Module::new(store.engine(), format!("(module {types} {imports})"))?;
        linker.instantiate(store, &module).map(drop)
    };
    // What is passed may be narrower, what is expected wider.
    for (param, result) in [
        ("(ref null $point)", "(ref null $point)"),
        ("(ref $point)", "structref"),
        ("nullref", "eqref"),
        ("(ref $point)", "anyref"),
    ] {
        let import = format!(r#"(import "" "point" (func (param {param}) (result {result})))"#);
        link(&mut store, &import)?;
    }
    for (param, result) in [
        ("structref", "structref"),
        ("anyref", "anyref"),
        ("(ref null $other)", "anyref"),
        ("(ref $point)", "(ref $point)"),
        ("(ref $point)", "(ref null $other)"),
        ("(ref $point)", "arrayref"),
        ("externref", "anyref"),
    ] {
        let import = format!(r#"(import "" "point" (func (param {param}) (result {result})))"#);
        let error = text(link(&mut store, &import));
        let found = "found (func (param (ref null (struct (field i32) (field (mut f64))))) \
                     (result (ref null (struct (field i32) (field (mut f64))))))";
        assert!(error.contains(found), "{param}, {result}: {error}");
    }
    Ok(())
}

/// `(rec (type $Tree (struct (field (ref null $Branch)))) (type $Branch (array (mut (ref null $Tree)))))`
struct Tree;
struct Branch;

impl GcType for Tree {
    const NAME: &'static str = "$Tree";

    fn define(definition: &mut GcDefinition) {
        definition.field::<Option<Rooted<ArrayRef<Branch>>>>("other", Mutability::Const);
    }

    fn group() -> Vec<&'static GcTypeKey> {
        vec![GcTypeKey::of::<Tree>(), GcTypeKey::of::<Branch>()]
    }
}

impl GcType for Branch {
    const NAME: &'static str = "$Branch";

    fn define(definition: &mut GcDefinition) {
        definition.element::<Option<Rooted<StructRef<Tree>>>>(Mutability::Var);
    }

    fn group() -> Vec<&'static GcTypeKey> {
        Tree::group()
    }
}

impl GcStruct for Tree {}
impl GcArray for Branch {}

fn recursive_types_are_one_type(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let wat = r#"(module
        (rec
            (type $tree (struct (field (ref null $branch))))
            (type $branch (array (mut (ref null $tree)))))
        (func $count (export "count") (param $tree (ref $tree)) (result i32)
            (local $branch (ref null $branch)) (local $sum i32) (local $at i32)
            (local.set $branch (struct.get $tree 0 (local.get $tree)))
            (if (ref.is_null (local.get $branch)) (then (return (i32.const 1))))
            (loop $more
                (if (i32.lt_u (local.get $at) (array.len (local.get $branch)))
                    (then
                        (local.set $sum (i32.add (local.get $sum)
                            (call $count (ref.as_non_null
                                (array.get $branch (local.get $branch) (local.get $at))))))
                        (local.set $at (i32.add (local.get $at) (i32.const 1)))
                        (br $more))))
            (local.get $sum)))"#;
    let guest = instantiate(&mut store, wat, &[])?;
    let count = export::<Rooted<StructRef<Tree>>, i32>(&mut store, guest, "count")?;
    let mut tree = StructWriter::<Tree, ()>::new(&mut store)?
        .field(None::<Rooted<ArrayRef<Branch>>>)?
        .finish()?;
    for _ in 0..5 {
        let branch = new_array::<Branch, _>(&mut store, [Some(tree), Some(tree)].into_iter())?;
        store.gc();
        tree = StructWriter::<Tree, ()>::new(&mut store)?.field(Some(branch))?.finish()?;
    }
    assert_eq!(count.call(&mut store, tree)?, 32);
    let branch: Rooted<ArrayRef<Branch>> = tree.field_typed(&mut store, 0)?;
    let twig: Rooted<StructRef<Tree>> = branch.get_typed(&mut store, 1)?;
    assert_eq!(count.call(&mut store, twig)?, 16);
    assert_eq!(branch.ty(&store)?, array_type::<Branch>(store.engine()));
    // Two engines know the same types, each its own.
    let other = Engine::default();
    assert_ne!(struct_type::<Tree>(&other), struct_type::<Tree>(store.engine()));
    Ok(())
}

fn defined_arrays(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let text_of = |store: &mut Store<()>, bytes: Rooted<ArrayRef<Bytes>>| -> Result<Vec<u8>> {
        let mut copy = vec![0; bytes.len(&*store)? as usize];
        bytes.copy_to_slice(&*store, 0, &mut copy)?;
        Ok(copy)
    };
    let bytes = new_array::<Bytes, u8>(&mut store, b"hello".iter().copied())?;
    store.gc();
    assert_eq!(text_of(&mut store, bytes)?, b"hello");
    let wrong = new_array::<Bytes, i32>(&mut store, [1].into_iter());
    assert_eq!(text(wrong), "element 0: type mismatch: expected i32, found i8");
    /// An iterator that lies about its length.
    struct Liar(usize, usize);
    impl Iterator for Liar {
        type Item = u8;
        fn next(&mut self) -> Option<u8> {
            self.1 = self.1.checked_sub(1)?;
            Some(7)
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            (self.0, Some(self.0))
        }
    }
    impl ExactSizeIterator for Liar {}
    let short = new_array::<Bytes, u8>(&mut store, Liar(3, 2));
    assert_eq!(text(short), "the iterator has fewer elements than it said");
    let long = new_array::<Bytes, u8>(&mut store, Liar(2, 3))?;
    assert_eq!(text_of(&mut store, long)?, [7, 7]);
    let same = ArrayType::new(store.engine(), FieldType::new(Mutability::Var, StorageType::I8));
    assert_eq!(array_type::<Bytes>(store.engine()), same);
    let pre = ArrayRefPre::new(&mut store, same);
    let untyped = ArrayRef::new_from_slice(&mut store, &pre, b"text")?;
    let typed: Rooted<ArrayRef<Bytes>> = untyped.downcast(&store)?;
    assert_eq!(text_of(&mut store, typed)?, b"text");
    let wrong = text(untyped.downcast::<ArrayRef<Branch>>(&store));
    assert!(wrong.starts_with("expected a reference to `(array (mut (ref null (struct"), "{wrong}");
    Ok(())
}

fn writers_check_every_field(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let writer = StructWriter::<Point, ()>::new(&mut store)?.field(1_i64);
    assert_eq!(text(writer), "field 0: type mismatch: expected i64, found i32");
    let writer = StructWriter::<Point, ()>::new(&mut store)?.field(1)?;
    assert_eq!(text(writer.finish()), "expected 2 fields, found 1");
    let writer = StructWriter::<Point, ()>::new(&mut store)?.field(1)?.field(1.0)?.field(1);
    assert_eq!(text(writer), "field 2: the struct has 2 fields, and no field 2");
    let object = ExternRef::new(&mut store, 1)?;
    let point = point(&mut store, 1, 1.0)?;
    let writer = StructWriter::<List, ()>::new(&mut store)?.field(1)?;
    let writer = writer.field(Some(point));
    let wrong = text(writer);
    assert!(wrong.starts_with("field 1: type mismatch: expected (ref null (struct"), "{wrong}");
    let writer = StructWriter::<List, ()>::new(&mut store)?.field(1)?.field(object);
    assert!(text(writer).ends_with("found (ref extern)"));
    store.gc();
    Ok(())
}

fn values_convert(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let point = point(&mut store, 1, 1.0)?;
    let bytes = new_array::<Bytes, u8>(&mut store, b"text".iter().copied())?;
    let any = |val: Val| *val.unwrap_anyref().expect("not null");
    for (val, handle) in [
        (Val::from(point), point.to_anyref()),
        (Val::from(Some(point.to_eqref())), point.to_anyref()),
        (Val::from(bytes), bytes.to_anyref()),
        (Ref::from(bytes).into(), bytes.to_anyref()),
        (Ref::from(Some(point.to_anyref())).into(), point.to_anyref()),
    ] {
        assert!(Rooted::ref_eq(&store, &any(val), &handle)?);
    }
    assert!(Val::from(None::<Rooted<StructRef>>).unwrap_anyref().is_none());
    assert!(Ref::from(None::<Rooted<ArrayRef>>).is_null());
    assert_eq!(
        <Rooted<StructRef<Point>>>::valtype(),
        ValType::Ref(RefType::new(false, HeapType::Struct))
    );
    assert_eq!(<Option<Rooted<EqRef>>>::valtype(), ValType::EQREF);
    assert_eq!(<Option<NoFunc>>::valtype(), ValType::NULLFUNCREF);
    Ok(())
}

#[test]
fn signatures_name_the_types() {
    let signature = |name| Shapes::SIGNATURES.function(name).unwrap().to_string();
    assert_eq!(signature("any"), "(func (param anyref) (result anyref))");
    assert_eq!(signature("eq"), "(func (param (ref eq)) (result (ref eq)))");
    assert_eq!(signature("struct"), "(func (param structref (ref struct)) (result structref))");
    assert_eq!(signature("i31"), "(func (param i31ref (ref i31)) (result i31ref))");
    assert_eq!(
        signature("nothing"),
        "(func (param nullref nullexternref nullfuncref nullexnref) (result nullref))"
    );
    assert_eq!(
        signature("point"),
        "(func (param (ref $Point) (ref null $Point)) (result (ref $Point)))"
    );
    assert_eq!(signature("bytes"), "(func (param (ref $Bytes)) (result (ref null $Bytes)))");
}

/// Two types that mention each other, but each says that it is a group by itself.
struct Left;
struct Right;

impl GcType for Left {
    const NAME: &'static str = "$Left";

    fn define(definition: &mut GcDefinition) {
        definition.field::<Option<Rooted<StructRef<Right>>>>("other", Mutability::Const);
    }
}

impl GcType for Right {
    const NAME: &'static str = "$Right";

    fn define(definition: &mut GcDefinition) {
        definition.field::<Option<Rooted<StructRef<Left>>>>("other", Mutability::Const);
    }
}

impl GcStruct for Left {}
impl GcStruct for Right {}

#[test]
#[should_panic(expected = "refer to each other: they must be declared as one recursion group")]
fn types_that_mention_each_other_are_one_group() {
    struct_type::<Left>(&Engine::default());
}

#[test]
fn an_as_context_is_enough_to_look() -> Result<()> {
    fn kind(store: impl AsContext, any: Rooted<AnyRef>) -> Result<HeapType> {
        any.ty(store)
    }
    let mut store = Store::<()>::default();
    let five = AnyRef::from_i31(&mut store, I31::wrapping_u32(5));
    assert_eq!(kind(&store, five)?, HeapType::I31);
    Ok(())
}

/// A type that claims another one for its group, which is a group by itself.
struct Claim;

impl GcType for Claim {
    const NAME: &'static str = "$Claim";

    fn define(definition: &mut GcDefinition) {
        definition.field::<Option<Rooted<StructRef<Point>>>>("other", Mutability::Const);
    }

    fn group() -> Vec<&'static GcTypeKey> {
        vec![GcTypeKey::of::<Claim>(), GcTypeKey::of::<Point>()]
    }
}

impl GcStruct for Claim {}

#[test]
#[should_panic(expected = "Point` is already defined in another way")]
fn a_type_is_of_one_group() {
    let engine = Engine::default();
    struct_type::<Point>(&engine);
    struct_type::<Claim>(&engine);
}
