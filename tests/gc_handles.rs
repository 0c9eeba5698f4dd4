//! Handles of structs, arrays and `i31`s: casts, scopes, stores, a full heap, and what is no host object.

mod support;

use hostref::{
    AnyRef, ArrayRef, ArrayRefPre, ArrayType, Engine, EqRef, ExternRef, FieldType, Finality,
    FuncType, GcHeapOutOfMemory, HeapType, I31, ManuallyRooted, Mutability, RefType, Result,
    RootScope, Rooted, StorageType, Store, StoreLimitsBuilder, StructRef, StructRefPre, StructType,
    Val, ValType,
};
use support::{Census, Mode, both_modes, id};

both_modes! {
    handles_are_cast,
    handles_outlive_no_scope,
    another_store_is_an_error,
    types_of_another_engine_are_an_error,
    a_full_heap_is_an_error,
    limiters_are_asked,
    loops_run_in_bounded_memory,
    objects_of_guests_are_no_host_objects,
    kinds_are_told_apart,
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

fn structs<const N: usize>(store: &mut Store<()>, fields: [FieldType; N]) -> Result<StructRefPre> {
    let ty = StructType::new(store.engine(), fields)?;
    Ok(StructRefPre::new(store, ty))
}

fn arrays(store: &mut Store<()>, element: FieldType) -> ArrayRefPre {
    let ty = ArrayType::new(store.engine(), element);
    ArrayRefPre::new(store, ty)
}

fn handles_are_cast(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let pre = structs(&mut store, [constant(ValType::I32)])?;
    let object = StructRef::new(&mut store, &pre, &[Val::I32(7)])?;
    let pre = arrays(&mut store, constant(ValType::I32));
    let array = ArrayRef::new(&mut store, &pre, &Val::I32(7), 1)?;
    let host = ExternRef::new(&mut store, "text")?;
    let host = AnyRef::convert_extern(&mut store, host)?;
    let five = EqRef::from_i31(&mut store, I31::wrapping_i32(-5));
    let all = [object.to_anyref(), array.to_anyref(), host, five.to_anyref()];
    let kinds = all.map(|any| {
        let eq = any.as_eqref(&store).unwrap();
        let deep = |eq: Rooted<EqRef>| {
            let (a, b) = (eq.as_struct(&store).unwrap(), eq.as_array(&store).unwrap());
            (a.is_some(), b.is_some(), eq.as_i31(&store).unwrap().map(|it| it.get_i32()))
        };
        (any.is_eqref(&store).unwrap(), eq.map(deep))
    });
    assert_eq!(
        kinds,
        [
            (true, Some((true, false, None))),
            (true, Some((false, true, None))),
            (false, None),
            (true, Some((false, false, Some(-5)))),
        ]
    );
    // However many fields a struct has, even none.
    let empty = structs(&mut store, [])?;
    let wide = structs(&mut store, [(); 100].map(|()| constant(ValType::ANYREF)))?;
    for (pre, fields) in [(empty, 0), (wide, 100)] {
        let object = StructRef::new(&mut store, &pre, &vec![Val::null_any_ref(); fields])?;
        let any = object.to_anyref();
        assert!(any.is_struct(&store)? && any.is_eqref(&store)? && !any.is_array(&store)?);
    }
    let back = object.to_eqref().to_anyref().unwrap_eqref(&store)?.unwrap_struct(&store)?;
    assert!(Rooted::rooted_eq(back, object));
    assert!(Rooted::ref_eq(&store, &all[0], &object.to_eqref())?);
    assert!(!Rooted::ref_eq(&store, &all[0], &array)?);
    // Both kinds of handles, by one name.
    let kept: ManuallyRooted<AnyRef> = object.to_manually_rooted(&mut store)?.into();
    let kept: ManuallyRooted<StructRef> = kept.downcast(&store)?;
    assert_eq!(kept.field_typed::<i32>(&mut store, 0)?, 7);
    let error = kept.downcast::<ArrayRef>(&store);
    let expected = "expected a reference to `array`, found one to `(struct (field i32))`";
    assert_eq!(text(error), expected);
    assert_eq!(text(all[0].downcast::<ArrayRef>(&store)), expected);
    assert_eq!(
        text(host.downcast::<EqRef>(&store)),
        "expected a reference to `eq`, found one to `any`"
    );
    let as_any: Rooted<AnyRef> = array.into();
    let as_eq: Rooted<EqRef> = array.into();
    assert!(Rooted::ref_eq(&store, &as_any, &as_eq)?);
    Ok(())
}

fn handles_outlive_no_scope(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let pre = structs(&mut store, [var(ValType::ANYREF)])?;
    let bytes = arrays(&mut store, var(StorageType::I8));
    let (object, array, any, content) = {
        let mut scope = RootScope::new(&mut store);
        let array = ArrayRef::new_from_slice(&mut scope, &bytes, b"text")?;
        let object = StructRef::new(&mut scope, &pre, &[array.into()])?;
        let content = object.field(&mut scope, 0)?;
        (object, array, object.to_anyref(), content)
    };
    let live = StructRef::new(&mut store, &pre, &[Val::null_any_ref()])?;
    let unrooted = "a reference was used after it had been unrooted";
    assert_eq!(text(object.field(&mut store, 0)), unrooted);
    assert_eq!(text(object.fields(&mut store).map(drop)), unrooted);
    assert_eq!(text(object.set_field(&mut store, 0, live.into())), unrooted);
    assert_eq!(text(object.ty(&store)), unrooted);
    assert_eq!(text(array.len(&store)), unrooted);
    assert_eq!(text(array.copy_to_slice(&store, 0, &mut [0_u8])), unrooted);
    assert_eq!(text(array.copy_from_slice(&mut store, 0, &[0_u8])), unrooted);
    assert_eq!(text(any.is_struct(&store)), unrooted);
    assert_eq!(text(any.downcast::<StructRef>(&store)), unrooted);
    let set = format!("field 0: {unrooted}");
    assert_eq!(text(live.set_field(&mut store, 0, content)), set);
    assert_eq!(text(live.set_field_typed(&mut store, 0, any)), set);
    assert_eq!(text(StructRef::new(&mut store, &pre, &[content])), set);
    // A cast of a manual root lasts no longer than that.
    let manual = live.to_manually_rooted(&mut store)?;
    let cast = manual.as_eqref(&store)?.unwrap();
    assert!(cast.is_struct(&store)?);
    manual.unroot(&mut store);
    assert_eq!(text(cast.is_struct(&store)), unrooted);
    Ok(())
}

fn another_store_is_an_error(mode: Mode) -> Result<()> {
    let engine = mode.engine();
    let (mut store, mut other) = (Store::new(&engine, ()), Store::new(&engine, ()));
    let pre = structs(&mut store, [var(ValType::ANYREF)])?;
    // What is known of a type serves all stores of the engine.
    let ours = StructRef::new(&mut store, &pre, &[Val::null_any_ref()])?;
    let theirs = StructRef::new(&mut other, &pre, &[Val::null_any_ref()])?;
    let wrong = "a reference was used with another store than its own";
    assert_eq!(text(theirs.field(&mut store, 0)), wrong);
    assert_eq!(text(theirs.is_struct(&store)), wrong);
    let field = format!("field 0: {wrong}");
    assert_eq!(text(ours.set_field(&mut store, 0, theirs.into())), field);
    assert_eq!(text(ours.set_field_typed(&mut store, 0, theirs)), field);
    assert_eq!(text(StructRef::new(&mut store, &pre, &[theirs.into()])), field);
    let pre = arrays(&mut store, var(ValType::ANYREF));
    assert_eq!(
        text(ArrayRef::new(&mut store, &pre, &theirs.into(), 1)),
        format!("element: {wrong}")
    );
    Ok(())
}

fn types_of_another_engine_are_an_error(mode: Mode) -> Result<()> {
    let (mut store, foreign) = (mode.store(), Engine::default());
    let ty = StructType::new(&foreign, [var(ValType::I32)])?;
    let pre = StructRefPre::new(&mut store, ty.clone());
    assert_eq!(
        text(StructRef::new(&mut store, &pre, &[Val::I32(0)])),
        "the type of the struct belongs to another engine than the store's"
    );
    let pre = ArrayRefPre::new(&mut store, ArrayType::new(&foreign, var(ValType::I32)));
    assert_eq!(
        text(ArrayRef::new(&mut store, &pre, &Val::I32(0), 1)),
        "the type of the array belongs to another engine than the store's"
    );
    let to_foreign = ValType::Ref(RefType::new(true, HeapType::ConcreteStruct(ty.clone())));
    assert_eq!(
        text(StructType::new(store.engine(), [constant(ValType::I32), var(to_foreign)])),
        "field 1: (ref null (struct (field (mut i32)))) belongs to another engine"
    );
    let own = StructRefPre::new(&mut store, StructType::new(&mode.engine(), [])?);
    assert!(StructRef::new(&mut store, &own, &[]).is_err());
    let own = structs(&mut store, [var(ValType::I32)])?;
    let object = StructRef::new(&mut store, &own, &[Val::I32(1)])?;
    assert!(!object.matches_ty(&store, &ty)?, "the same type, but elsewhere");
    assert!(!object.to_anyref().matches_ty(&store, &HeapType::ConcreteStruct(ty))?);
    assert!(object.to_anyref().matches_ty(&store, &HeapType::Struct)?);
    Ok(())
}

fn a_full_heap_is_an_error(mode: Mode) -> Result<()> {
    let mut config = mode.config();
    config.gc_heap_limit(1 << 20);
    let mut store = Store::new(&Engine::new(&config)?, ());
    let small = structs(&mut store, [var(ValType::I64)])?;
    let bytes = arrays(&mut store, var(StorageType::I8));
    let fill = |scope: &mut RootScope<&mut Store<()>>| loop {
        match StructRef::new(&mut *scope, &small, &[Val::I64(0)]) {
            Ok(_) => continue,
            Err(error) => break error,
        }
    };
    let mut scope = RootScope::new(&mut store);
    assert!(fill(&mut scope).is::<GcHeapOutOfMemory<()>>());
    let full = ArrayRef::new_from_slice(&mut scope, &bytes, &[0_u8; 100_000]).unwrap_err();
    assert!(full.is::<GcHeapOutOfMemory<()>>());
    drop(scope);
    // The garbage of the scope makes room again, for a while.
    let mut scope = RootScope::new(&mut store);
    ArrayRef::new_from_slice(&mut scope, &bytes, &[0_u8; 500_000])?;
    for len in [2 << 20, u32::MAX] {
        let error = ArrayRef::new(&mut scope, &bytes, &Val::I32(1), len).unwrap_err();
        assert!(error.is::<GcHeapOutOfMemory<()>>(), "more than the heap may ever hold");
    }
    Ok(())
}

fn limiters_are_asked(mode: Mode) -> Result<()> {
    let limits = StoreLimitsBuilder::new().memory_size(1 << 20).build();
    let mut store = Store::new(&mode.engine(), limits);
    store.limiter(|limits| limits);
    let bytes = ArrayType::new(store.engine(), FieldType::new(Mutability::Var, StorageType::I8));
    let bytes = ArrayRefPre::new(&mut store, bytes);
    let text = ArrayRef::new_from_slice(&mut store, &bytes, &[7_u8; 500_000])?;
    let full = ArrayRef::new_from_slice(&mut store, &bytes, &[8_u8; 700_000]).unwrap_err();
    assert!(full.is::<GcHeapOutOfMemory<()>>());
    let object = StructType::new(store.engine(), [])?;
    let object = StructRefPre::new(&mut store, object);
    let full = loop {
        match StructRef::new(&mut store, &object, &[]) {
            Ok(_) => continue,
            Err(error) => break error,
        }
    };
    assert!(full.is::<GcHeapOutOfMemory<()>>());
    assert_eq!(text.get_typed::<u8>(&mut store, 499_999)?, 7);
    Ok(())
}

fn loops_run_in_bounded_memory(mode: Mode) -> Result<()> {
    let mut config = mode.config();
    config.gc_heap_limit(64 << 20);
    let mut store = Store::new(&Engine::new(&config)?, ());
    let pre = structs(&mut store, [var(ValType::I64), var(ValType::ANYREF)])?;
    let bytes = arrays(&mut store, var(StorageType::I8));
    let count = if mode == Mode::Stress { 100 } else { 300 };
    for _ in 0..count {
        let mut scope = RootScope::new(&mut store);
        let large = ArrayRef::new(&mut scope, &bytes, &Val::I32(1), 1 << 20)?;
        for number in 0..10 {
            StructRef::new(&mut scope, &pre, &[Val::I64(number), large.into()])?;
        }
    }
    assert!(store.gc_stats().full_collections > 0);
    Ok(())
}

fn objects_of_guests_are_no_host_objects(mode: Mode) -> Result<()> {
    let (mut store, census) = (mode.store(), Census::default());
    let fields = [ValType::I32, ValType::I32, ValType::I64].map(var);
    let pre = structs(&mut store, fields)?;
    let ints = arrays(&mut store, var(ValType::I32));
    let bytes = arrays(&mut store, var(StorageType::I8));
    // Real ones, so that there are rows to be guessed.
    let real: Vec<_> = (0..8).map(|_| census.root(&mut store)).collect::<Result<_>>()?;
    let refused = |store: &mut Store<()>, any: Rooted<AnyRef>, what: &str| -> Result<()> {
        let forged = ExternRef::convert_any(&mut *store, any)?;
        let expected = format!("expected a host object, found {what}");
        assert_eq!(text(forged.data(&*store).map(drop)), expected);
        assert_eq!(text(forged.data_mut(&mut *store).map(drop)), expected);
        let expected = format!("expected a host object of type `i32`, found {what}");
        assert_eq!(text(forged.downcast::<i32>(&*store)), expected);
        Ok(())
    };
    for value in (0..40).chain([-1, i32::MIN, i32::MAX]) {
        let mut scope = RootScope::new(&mut store);
        let long = i64::from(value) << 32 | i64::from(value);
        let values = [Val::I32(value), Val::I32(value), Val::I64(long)];
        let object = StructRef::new(&mut scope, &pre, &values)?.to_manually_rooted(&mut scope)?;
        let array =
            ArrayRef::new(&mut scope, &ints, &Val::I32(value), value.rem_euclid(41) as u32)?;
        let array = array.to_manually_rooted(&mut scope)?;
        let text = ArrayRef::new(&mut scope, &bytes, &Val::I32(value), 41)?;
        let text = text.to_manually_rooted(&mut scope)?;
        drop(scope);
        let object = object.into_rooted(&mut store);
        refused(&mut store, object.to_anyref(), "a struct of a guest")?;
        let array = array.into_rooted(&mut store);
        refused(&mut store, array.to_anyref(), "an array of a guest")?;
        let text = text.into_rooted(&mut store);
        refused(&mut store, text.to_anyref(), "an array of a guest")?;
        let i31 = AnyRef::from_i31(&mut store, I31::wrapping_i32(value));
        refused(&mut store, i31, "an i31")?;
    }
    for (index, real) in real.iter().enumerate() {
        assert_eq!(id(&store, *real)?, index);
    }
    Ok(())
}

fn kinds_are_told_apart(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let base = StructType::with_finality_and_supertype(
        store.engine(),
        Finality::NonFinal,
        None,
        [constant(ValType::I32)],
    )?;
    let derived = StructType::with_finality_and_supertype(
        store.engine(),
        Finality::Final,
        Some(&base),
        [constant(ValType::I32), constant(ValType::I64)],
    )?;
    let pre = StructRefPre::new(&mut store, derived.clone());
    let object = StructRef::new(&mut store, &pre, &[Val::I32(1), Val::I64(2)])?;
    assert_eq!(object.to_anyref().ty(&store)?, HeapType::ConcreteStruct(derived.clone()));
    assert!(object.matches_ty(&store, &base)?);
    assert!(object.to_eqref().matches_ty(&store, &HeapType::ConcreteStruct(base.clone()))?);
    assert!(!object.to_eqref().matches_ty(&store, &HeapType::Array)?);
    let val: Val = object.into();
    assert_eq!(
        val.ty(&store)?,
        ValType::Ref(RefType::new(false, HeapType::ConcreteStruct(derived)))
    );
    let pre = StructRefPre::new(&mut store, base.clone());
    let object = StructRef::new(&mut store, &pre, &[Val::I32(1)])?;
    assert!(!object.matches_ty(&store, &derived_of(&base))?);
    let func = FuncType::new(store.engine(), [], []);
    assert!(!object.to_anyref().matches_ty(&store, &HeapType::ConcreteFunc(func))?);
    Ok(())
}

/// The subtype that some test made of `base`.
fn derived_of(base: &StructType) -> StructType {
    let fields = [constant(ValType::I32), constant(ValType::I64)];
    let finality = Finality::Final;
    StructType::with_finality_and_supertype(base.engine(), finality, Some(base), fields)
        .expect("a subtype")
}
