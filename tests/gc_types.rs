//! Types of structs and arrays that the host makes: supertypes, recursion groups, matching.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use hostref::{
    AnyRef, ArrayRef, ArrayType, Engine, EqRef, ExternType, FieldType, Finality, FuncType,
    HeapType, ManuallyRooted, Mutability, RecField, RecGroup, RecMember, Ref, RefType, Result,
    Rooted, StorageType, Store, StructRef, StructRefPre, StructType, Val, ValType,
};
use support::{Mode, both_modes, export, instantiate};

both_modes! {
    recursion_groups_are_those_of_guests,
}

#[test]
fn types_and_values_convert_to_what_they_are_a_kind_of() -> Result<()> {
    let mut store = Store::<()>::default();
    let engine = store.engine().clone();
    let func = FuncType::new(&engine, [ValType::I32], []);
    let pair = StructType::new(&engine, [constant(RefType::EXTERNREF), var(ValType::I64)])?;
    let pairs = ArrayType::new(&engine, var(RefType::new(true, pair.clone().into())));
    assert_eq!(
        pairs.to_string(),
        "(array (mut (ref null (struct (field externref) \
        (field (mut i64))))))"
    );
    assert_eq!(HeapType::from(func.clone()), HeapType::ConcreteFunc(func.clone()));
    assert_eq!(HeapType::from(pairs.clone()), HeapType::ConcreteArray(pairs.clone()));

    let pre = StructRefPre::new(&mut store, pair.clone());
    let fields = [Val::null_extern_ref(), Val::I64(1)];
    let made = StructRef::new(&mut store, &pre, &fields)?.to_manually_rooted(&mut store)?;
    let made: ManuallyRooted<EqRef> = made.into();
    let made: ManuallyRooted<AnyRef> = made.into();
    let value = Val::from(made.into_rooted(&mut store));
    assert!(value.matches_ty(&store, &RefType::new(false, pair.into()).into())?);
    assert!(!value.matches_ty(&store, &RefType::new(false, pairs.into()).into())?);
    assert!(!value.matches_ty(&store, &ValType::I64)?);
    assert!(value.unwrap_any_ref().is_some() && value.extern_ref().is_none());

    let reference = value.ref_().expect("a reference");
    assert!(reference.is_any() && reference.is_non_null() && !reference.is_func());
    assert!(reference.matches_ty(&store, &RefType::new(false, HeapType::Struct))?);
    assert!(!Ref::null(&HeapType::Eq).matches_ty(&store, &RefType::new(false, HeapType::Eq))?);
    let ty = ExternType::from(func.clone());
    assert_eq!(ty.unwrap_func(), &func);
    let panic = catch_unwind(AssertUnwindSafe(|| ty.unwrap_memory().minimum())).unwrap_err();
    let text = panic.downcast_ref::<String>().expect("a text");
    assert_eq!(text, "expected the type of a memory, found (func (param i32))");
    Ok(())
}

fn var(ty: impl Into<StorageType>) -> FieldType {
    FieldType::new(Mutability::Var, ty.into())
}

fn constant(ty: impl Into<StorageType>) -> FieldType {
    FieldType::new(Mutability::Const, ty.into())
}

/// The text of an error with its causes.
fn text<T>(result: Result<T>) -> String {
    format!("{:#}", result.err().expect("an error"))
}

/// Members that mention each other in every way are the types of a guest that has the same group.
fn recursion_groups_are_those_of_guests(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let mut group = RecGroup::new(store.engine());
    let [base, object, method, objects] = group.declare();
    group.define_struct(base, [RecField::new(Mutability::Const, method.reference(true))])?;
    let fields = [
        RecField::new(Mutability::Const, method.reference(true)),
        RecField::new(Mutability::Var, objects.reference(true)),
        constant(StorageType::I16).into(),
    ];
    group.define_struct(object, fields)?;
    group.define_func(
        method,
        [base.reference(false), ValType::I32.into()],
        [ValType::I64.into()],
    )?;
    group.define_array(objects, RecField::new(Mutability::Var, object.reference(true)))?;
    group.set_finality(base, Finality::NonFinal)?;
    group.set_supertype(object, base)?;
    let types = group.register()?;
    let guest = r#"(module
        (rec
            (type $base (sub (struct (field (ref null $method)))))
            (type $object (sub final $base (struct
                (field (ref null $method)) (field (mut (ref null $objects))) (field i16))))
            (type $method (func (param (ref $base) i32) (result i64)))
            (type $objects (array (mut (ref null $object)))))
        (func $answer (export "answer") (type $method) (i64.const 42))
        (func (export "make") (result (ref $object))
            (struct.new $object (ref.func $answer) (ref.null $objects) (i32.const 7)))
        (func (export "objects") (result (ref $objects))
            (array.new_default $objects (i32.const 2))))"#;
    let guest = instantiate(&mut store, guest, &[])?;
    let make = export::<(), Rooted<StructRef>>(&mut store, guest, "make")?;
    let made = make.call(&mut store, ())?;
    assert_eq!(HeapType::ConcreteStruct(made.ty(&store)?), types[1]);
    assert!(made.matches_ty(&store, types[0].unwrap_concrete_struct())?);
    let answer = made.field(&mut store, 0)?;
    let answer = answer.unwrap_funcref().expect("a function");
    assert_eq!(HeapType::ConcreteFunc(answer.ty(&store)), types[2]);
    let objects = export::<(), Rooted<ArrayRef>>(&mut store, guest, "objects")?;
    let objects = objects.call(&mut store, ())?;
    assert_eq!(HeapType::ConcreteArray(objects.ty(&store)?), types[3]);
    objects.set(&mut store, 1, made.into())?;
    made.set_field(&mut store, 1, objects.into())?;
    store.gc();
    let again = objects.get_typed::<Rooted<StructRef>>(&mut store, 1)?;
    assert!(Rooted::ref_eq(&store, &again, &made)?);
    Ok(())
}

#[test]
fn wrong_recursion_groups_are_errors() -> Result<()> {
    let (engine, foreign) = (Engine::default(), Engine::default());
    let group = || {
        let mut group = RecGroup::new(&engine);
        let members: [RecMember; 2] = group.declare();
        (group, members)
    };
    let (mut undefined, [first, second]) = group();
    undefined.define_struct(first, [])?;
    assert_eq!(
        text(undefined.set_finality(second, Finality::Final)),
        "member 1 is declared, not defined"
    );
    assert_eq!(text(undefined.define_struct(first, [])), "member 0 is defined already");
    assert_eq!(text(undefined.register()), "member 1 is declared, not defined");
    let mut small = RecGroup::new(&engine);
    let field = RecField::new(Mutability::Const, second.reference(true));
    let [only] = small.declare();
    let error = text(small.define_struct(only, [field.clone()]));
    assert_eq!(error, "field 0: the group has 1 members, and no 1");
    assert!(small.define_struct(second, []).is_err());
    let error = text(small.define_func(only, [StorageType::I8.into()], []));
    assert_eq!(error, "`i8` and `i16` are no types of values");
    let ty = HeapType::ConcreteStruct(StructType::new(&foreign, [])?);
    let field = RecField::new(Mutability::Const, ValType::Ref(RefType::new(true, ty.clone())));
    let error = text(small.define_array(only, field));
    assert_eq!(error, "(ref null (struct)) belongs to another engine");
    small.define_struct(only, [])?;
    assert_eq!(text(small.set_outer_supertype(only, &ty)), "(struct) belongs to another engine");
    assert!(small.set_outer_supertype(only, &HeapType::Struct).is_err());
    // Supertypes that are final, later, of another kind, or no supertypes.
    let (mut group_, [a, b]) = group();
    group_.define_struct(a, [])?;
    group_.define_struct(b, [])?;
    group_.set_supertype(b, a)?;
    assert_eq!(text(group_.register()), "the supertype is final");
    let (mut group_, [a, b]) = group();
    group_.define_struct(a, [])?;
    group_.define_struct(b, [])?;
    group_.set_finality(b, Finality::NonFinal)?;
    group_.set_supertype(a, b)?;
    assert_eq!(text(group_.register()), "a supertype stands before its subtypes");
    let (mut group_, [a, b]) = group();
    group_.define_struct(a, [])?;
    group_.define_array(b, constant(ValType::I32).into())?;
    group_.set_finality(a, Finality::NonFinal)?;
    group_.set_supertype(b, a)?;
    assert_eq!(text(group_.register()), "the supertype is of another kind");
    let (mut group_, [a, b]) = group();
    group_.define_struct(a, [constant(ValType::I32).into()])?;
    group_.define_struct(b, [var(ValType::I32).into()])?;
    group_.set_finality(a, Finality::NonFinal)?;
    group_.set_supertype(b, a)?;
    assert_eq!(text(group_.register()), "the fields do not begin with those of the supertype");
    assert!(RecGroup::new(&engine).register()?.is_empty());
    Ok(())
}

#[test]
fn supertypes_are_compared() -> Result<()> {
    let engine = Engine::default();
    let open = |supertype: Option<&StructType>, fields: Vec<FieldType>| {
        StructType::with_finality_and_supertype(&engine, Finality::NonFinal, supertype, fields)
    };
    let base = open(None, vec![constant(ValType::ANYREF), var(ValType::ANYREF)])?;
    let narrower = open(Some(&base), vec![constant(ValType::EQREF), var(ValType::ANYREF)])?;
    assert!(narrower.matches(&base) && !base.matches(&narrower));
    assert_eq!(narrower.supertype(), Some(base.clone()));
    assert_eq!((base.finality(), base.supertype()), (Finality::NonFinal, None));
    for wrong in [
        vec![],
        vec![constant(ValType::ANYREF)],
        vec![constant(ValType::ANYREF), var(ValType::EQREF)],
        vec![var(ValType::ANYREF), var(ValType::ANYREF)],
        vec![constant(ValType::EXTERNREF), var(ValType::ANYREF)],
        vec![constant(StorageType::I8), var(ValType::ANYREF)],
    ] {
        let error = text(open(Some(&base), wrong));
        assert_eq!(error, "the fields do not begin with those of the supertype");
    }
    let closed = StructType::new(&engine, [])?;
    assert_eq!(text(open(Some(&closed), vec![])), "the supertype is final");
    let elsewhere = StructType::new(&Engine::default(), [])?;
    assert_eq!(
        text(open(Some(&elsewhere), vec![])),
        "the supertype (struct) belongs to another engine"
    );
    // As deep as a module may make them, and no deeper.
    let mut deepest = open(None, vec![])?;
    let error = loop {
        match open(Some(&deepest), vec![]) {
            Ok(ty) => deepest = ty,
            Err(error) => break error,
        }
    };
    assert_eq!(error.to_string(), "the supertype has too many supertypes itself");
    let depth = std::iter::successors(Some(deepest), StructType::supertype).count();
    assert_eq!(depth, 64);
    let many = vec![constant(ValType::I32); 10_001];
    assert_eq!(text(StructType::new(&engine, many)), "a struct has at most 10000 fields");
    let bytes = ArrayType::with_finality_and_supertype(
        &engine,
        Finality::NonFinal,
        None,
        constant(ValType::ANYREF),
    )?;
    let array = |element| {
        ArrayType::with_finality_and_supertype(&engine, Finality::Final, Some(&bytes), element)
    };
    assert!(array(constant(ValType::I31REF))?.matches(&bytes));
    let error = text(array(var(ValType::ANYREF)));
    assert_eq!(error, "the elements do not match those of the supertype");
    Ok(())
}

#[test]
fn types_match_as_the_specification_says() -> Result<()> {
    let engine = Engine::default();
    let object = HeapType::ConcreteStruct(StructType::new(&engine, [])?);
    let array = HeapType::ConcreteArray(ArrayType::new(&engine, constant(ValType::I32)));
    let func = HeapType::ConcreteFunc(FuncType::new(&engine, [], []));
    use HeapType::{
        Any, Array, Eq, Exn, Extern, Func as AnyFunc, I31, NoExn, NoExtern, NoFunc, None, Struct,
    };
    // Each with what it matches besides itself.
    let table = [
        (Any, vec![]),
        (Eq, vec![Any]),
        (I31, vec![Eq, Any]),
        (Struct, vec![Eq, Any]),
        (Array, vec![Eq, Any]),
        (object.clone(), vec![Struct, Eq, Any]),
        (array.clone(), vec![Array, Eq, Any]),
        (None, vec![object, array, I31, Struct, Array, Eq, Any]),
        (AnyFunc, vec![]),
        (func.clone(), vec![AnyFunc]),
        (NoFunc, vec![func, AnyFunc]),
        (Extern, vec![]),
        (NoExtern, vec![Extern]),
        (Exn, vec![]),
        (NoExn, vec![Exn]),
    ];
    let all: Vec<&HeapType> = table.iter().map(|(ty, _)| ty).collect();
    for (ty, supertypes) in &table {
        for other in &all {
            let expected = ty == *other || supertypes.contains(other);
            assert_eq!(ty.matches(other), expected, "{ty} as {other}");
            let reference = |nullable, heap: &HeapType| RefType::new(nullable, heap.clone());
            assert_eq!(reference(false, ty).matches(&reference(true, other)), expected);
            assert!(!reference(true, ty).matches(&reference(false, other)));
        }
        assert!(ty.matches(&ty.top()) && ty.bottom().matches(ty));
        assert_eq!(ty.is_top(), supertypes.is_empty());
        assert_eq!(ty.is_bottom(), matches!(ty, None | NoFunc | NoExtern | NoExn));
    }
    assert!(constant(ValType::I31REF).matches(&constant(ValType::EQREF)));
    assert!(!var(ValType::I31REF).matches(&var(ValType::EQREF)));
    assert!(var(ValType::EQREF).matches(&var(ValType::EQREF)));
    assert!(!constant(StorageType::I8).matches(&constant(ValType::I32)));
    assert!(!var(ValType::I32).matches(&constant(ValType::I32)));
    Ok(())
}
