//! Fields and elements in the hands of the host: making structs and arrays, reading and writing their
//! parts, by `Val`, by Rust type, and many at once.

mod support;

use hostref::{
    AnyRef, ArrayRef, ArrayRefPre, ArrayType, AsContext, AsContextMut, EqRef, ExternRef, FieldType,
    Func, GcField, GcNumber, HeapType, I31, Mutability, RefType, Result, RootScope, Rooted,
    StorageType, Store, StructRef, StructRefPre, StructType, V128, Val, ValType,
};
use support::{Census, Mode, both_modes, export, id, instantiate};

both_modes! {
    fields_of_every_type,
    fields_by_rust_type,
    packed_fields_wrap,
    wrong_fields_are_named,
    immutable_parts_stay,
    references_in_fields,
    elements_of_every_type,
    wrong_elements_are_named,
    numbers_are_copied_in_and_out,
    wrong_copies_are_refused,
    new_arrays_are_filled,
    guests_see_what_hosts_make,
    hosts_write_to_old_objects,
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

/// Moves everything, and makes what was young old.
fn collect(mut store: impl AsContextMut) {
    store.as_context_mut().gc();
}

fn fields_of_every_type(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let func = Func::wrap(&mut store, || 7_i32);
    let object = ExternRef::new(&mut store, "text")?;
    let five = AnyRef::from_i31(&mut store, I31::wrapping_u32(5));
    let types = [
        StorageType::I8,
        StorageType::I16,
        ValType::I32.into(),
        ValType::I64.into(),
        ValType::F32.into(),
        ValType::F64.into(),
        ValType::V128.into(),
        ValType::FUNCREF.into(),
        ValType::EXTERNREF.into(),
        ValType::ANYREF.into(),
        ValType::I31REF.into(),
    ];
    let pre = structs(&mut store, types.map(var))?;
    let values = [
        Val::I32(0x81),
        Val::I32(0x8001),
        Val::I32(-3),
        Val::I64(i64::MIN),
        Val::F32(1.5_f32.to_bits()),
        Val::F64((-0.0_f64).to_bits()),
        Val::V128(u128::MAX.into()),
        func.into(),
        object.into(),
        five.into(),
        five.into(),
    ];
    let made = StructRef::new(&mut store, &pre, &values)?;
    collect(&mut store);
    let read: Vec<Val> = made.fields(&mut store)?.collect();
    assert_eq!(made.fields(&mut store)?.len(), values.len());
    for (index, (wrote, read)) in values.iter().zip(&read).enumerate().take(7) {
        assert_eq!(format!("{wrote:?}"), format!("{read:?}"), "field {index}");
    }
    let called = read[7].unwrap_funcref().unwrap().typed::<(), i32>(&store)?;
    assert_eq!(called.call(&mut store, ())?, 7);
    assert!(Rooted::ref_eq(&store, read[8].unwrap_externref().unwrap(), &object)?);
    assert_eq!(read[9].unwrap_anyref().unwrap().unwrap_i31(&store)?.get_u32(), 5);
    assert!(Rooted::ref_eq(&store, read[10].unwrap_anyref().unwrap(), &five)?);
    // All of them again, one by one, in the other order.
    let other = StructRef::new(&mut store, &pre, &zeros(&pre))?;
    for (index, value) in read.into_iter().enumerate().rev() {
        other.set_field(&mut store, index, value)?;
    }
    for index in 0..7 {
        let (a, b) = (made.field(&mut store, index)?, other.field(&mut store, index)?);
        assert_eq!(format!("{a:?}"), format!("{b:?}"), "field {index}");
    }
    assert_eq!(made.ty(&store)?, pre.ty());
    assert!(made.matches_ty(&store, &pre.ty())?);
    Ok(())
}

fn zeros(pre: &StructRefPre) -> Vec<Val> {
    let zero = |field: FieldType| field.element_type().unpack().default_value();
    pre.ty().fields().map(|field| zero(field).expect("nullable")).collect()
}

/// Writes and reads the extremes of a type in a field of type `storage`.
fn round_trip<F>(store: &mut Store<()>, storage: StorageType, values: &[F]) -> Result<()>
where
    F: GcField + Copy + PartialEq + std::fmt::Debug,
{
    let pre = structs(store, [var(StorageType::I8), var(storage.clone()), var(StorageType::I8)])?;
    let object = StructRef::new(&mut *store, &pre, &zeros(&pre))?;
    let array = arrays(store, var(storage.clone()));
    let zero = storage.unpack().default_value().expect("a number");
    let array = ArrayRef::new(&mut *store, &array, &zero, 3)?;
    for value in values {
        object.set_field_typed(&mut *store, 1, *value)?;
        array.set_typed(&mut *store, 1, *value)?;
        assert_eq!(object.field_typed::<F>(&mut *store, 1)?, *value);
        assert_eq!(array.get_typed::<F>(&mut *store, 1)?, *value);
    }
    for around in [0, 2] {
        assert_eq!(object.field_typed::<u8>(&mut *store, around as usize)?, 0);
        let element = array.get(&mut *store, around)?;
        assert_eq!(format!("{element:?}"), format!("{zero:?}"), "{storage}");
    }
    Ok(())
}

fn fields_by_rust_type(mode: Mode) -> Result<()> {
    let store = &mut mode.store();
    round_trip(store, StorageType::I8, &[i8::MIN, -1, 0, i8::MAX])?;
    round_trip(store, StorageType::I8, &[0, 0x80, u8::MAX])?;
    round_trip(store, StorageType::I16, &[i16::MIN, -1, 0, i16::MAX])?;
    round_trip(store, StorageType::I16, &[0, 0x8000, u16::MAX])?;
    round_trip(store, ValType::I32.into(), &[i32::MIN, -1, 0, i32::MAX])?;
    round_trip(store, ValType::I32.into(), &[0, u32::MAX])?;
    round_trip(store, ValType::I64.into(), &[i64::MIN, -1, 0, i64::MAX])?;
    round_trip(store, ValType::I64.into(), &[0, u64::MAX])?;
    round_trip(store, ValType::F32.into(), &[f32::MIN, 0.0, f32::INFINITY])?;
    round_trip(store, ValType::F64.into(), &[f64::MIN, 0.0, f64::INFINITY])?;
    round_trip(store, ValType::V128.into(), &[V128::from(0), V128::from(u128::MAX)])?;
    round_trip(store, ValType::I31REF.into(), &[None, Some(I31::wrapping_u32(u32::MAX))])?;
    round_trip(store, ValType::I31REF.into(), &[I31::wrapping_i32(-1), I31::wrapping_u32(0)])
}

fn packed_fields_wrap(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let pre = structs(&mut store, [var(StorageType::I8), var(StorageType::I16)])?;
    let object = StructRef::new(&mut store, &pre, &[Val::I32(-1), Val::I32(-1)])?;
    assert_eq!(object.field(&mut store, 0)?.unwrap_i32(), 0xff);
    assert_eq!(object.field(&mut store, 1)?.unwrap_i32(), 0xffff);
    object.set_field(&mut store, 0, Val::I32(0x1234))?;
    assert_eq!(object.field_typed::<u8>(&mut store, 0)?, 0x34);
    assert_eq!(object.field_typed::<i16>(&mut store, 1)?, -1);
    Ok(())
}

fn wrong_fields_are_named(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let non_null = RefType::new(false, HeapType::Eq);
    let pre = structs(&mut store, [var(ValType::I32), var(ValType::Ref(non_null))])?;
    let five = EqRef::from_i31(&mut store, I31::wrapping_u32(5));
    let object = StructRef::new(&mut store, &pre, &[Val::I32(1), five.into()])?;
    let made = StructRef::new(&mut store, &pre, &[Val::I32(1)]);
    assert_eq!(text(made), "expected 2 fields, found 1");
    let made = StructRef::new(&mut store, &pre, &[Val::I64(1), five.into()]);
    assert_eq!(text(made), "field 0: type mismatch: expected i32, found i64");
    let made = StructRef::new(&mut store, &pre, &[Val::I32(1), Val::null_any_ref()]);
    let expected = "field 1: type mismatch: expected (ref eq), found (ref null none)";
    assert_eq!(text(made), expected);
    let set = object.set_field(&mut store, 0, Val::F32(0));
    assert_eq!(text(set), "field 0: type mismatch: expected i32, found f32");
    let set = object.set_field_typed(&mut store, 0, 1_i64);
    assert_eq!(text(set), "field 0: type mismatch: expected i64, found i32");
    let set = object.set_field_typed(&mut store, 1, None::<Rooted<EqRef>>);
    assert_eq!(text(set), expected);
    let set = object.set_field_typed(&mut store, 1, 1_i32);
    assert_eq!(text(set), "field 1: type mismatch: expected i32, found (ref eq)");
    let get = object.field_typed::<u8>(&mut store, 0);
    assert_eq!(text(get), "field 0: type mismatch: expected i8, found i32");
    let get = object.field_typed::<Rooted<StructRef>>(&mut store, 1);
    assert_eq!(text(get), "field 1: type mismatch: expected structref, found (ref eq)");
    let get = object.field_typed::<Rooted<ExternRef>>(&mut store, 1);
    assert_eq!(text(get), "field 1: type mismatch: expected externref, found (ref eq)");
    let missing = "the struct has 2 fields, and no field 2";
    assert_eq!(text(object.field(&mut store, 2)), missing);
    assert_eq!(text(object.set_field(&mut store, 2, Val::I32(0))), missing);
    assert_eq!(text(object.field_typed::<i32>(&mut store, 2)), missing);
    assert_eq!(text(object.field(&mut store, usize::MAX)).len(), missing.len() + 19);
    // Nothing of that has changed anything.
    assert_eq!(object.field_typed::<i32>(&mut store, 0)?, 1);
    assert_eq!(
        object.field_typed::<Rooted<EqRef>>(&mut store, 1)?.unwrap_i31(&store)?.get_i32(),
        5
    );
    Ok(())
}

fn immutable_parts_stay(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let pre = structs(&mut store, [constant(ValType::I32)])?;
    let object = StructRef::new(&mut store, &pre, &[Val::I32(1)])?;
    assert_eq!(text(object.set_field(&mut store, 0, Val::I32(2))), "field 0: it is immutable");
    assert_eq!(text(object.set_field_typed(&mut store, 0, 2)), "field 0: it is immutable");
    assert_eq!(object.field(&mut store, 0)?.unwrap_i32(), 1);
    let pre = arrays(&mut store, constant(ValType::I32));
    let array = ArrayRef::new(&mut store, &pre, &Val::I32(1), 2)?;
    assert_eq!(text(array.set(&mut store, 1, Val::I32(2))), "element 1: it is immutable");
    assert_eq!(text(array.set_typed(&mut store, 1, 2)), "element 1: it is immutable");
    let copied = array.copy_from_slice(&mut store, 0, &[2, 2]);
    assert_eq!(text(copied), "the elements are immutable");
    assert_eq!(array.get(&mut store, 1)?.unwrap_i32(), 1);
    Ok(())
}

fn references_in_fields(mode: Mode) -> Result<()> {
    let (mut store, census) = (mode.store(), Census::default());
    let leaf = structs(&mut store, [constant(ValType::EXTERNREF)])?;
    let to_leaf = RefType::new(true, HeapType::ConcreteStruct(leaf.ty()));
    let pair = structs(&mut store, [var(ValType::ANYREF), var(ValType::Ref(to_leaf))])?;
    let kept = {
        let mut scope = RootScope::new(&mut store);
        let object = census.root(&mut scope)?;
        let leaf = StructRef::new(&mut scope, &leaf, &[object.into()])?;
        let pair = StructRef::new(&mut scope, &pair, &[leaf.into(), leaf.into()])?;
        pair.to_manually_rooted(&mut scope)?
    };
    for _ in 0..2 {
        collect(&mut store);
        let mut scope = RootScope::new(&mut store);
        assert_eq!(census.live(), 1);
        let any: Rooted<AnyRef> = kept.field_typed(&mut scope, 0)?;
        let leaf: Rooted<StructRef> = kept.field_typed(&mut scope, 1)?;
        assert!(Rooted::ref_eq(&scope, &any, &leaf)?);
        let object: Rooted<ExternRef> = leaf.field_typed(&mut scope, 0)?;
        assert_eq!(id(&scope, object)?, 0);
        // A reference that the type of the field does not promise is looked at.
        kept.set_field_typed(&mut scope, 1, any)?;
        let own = any.unwrap_struct(&scope)?.field(&mut scope, 0)?;
        assert!(own.unwrap_externref().is_some());
    }
    let mut scope = RootScope::new(&mut store);
    let five = AnyRef::from_i31(&mut scope, I31::wrapping_u32(5));
    kept.set_field_typed(&mut scope, 0, five)?;
    assert_eq!(
        text(kept.set_field_typed(&mut scope, 1, five)),
        "field 1: type mismatch: expected (ref null (struct (field externref))), found (ref i31)"
    );
    assert_eq!(
        text(kept.set_field(&mut scope, 1, five.into())),
        "field 1: type mismatch: expected (ref null (struct (field externref))), found (ref i31)"
    );
    kept.set_field_typed(&mut scope, 1, None::<Rooted<AnyRef>>)?;
    assert!(kept.field_typed::<Option<Rooted<StructRef>>>(&mut scope, 1)?.is_none());
    let null = kept.field_typed::<Rooted<StructRef>>(&mut scope, 1);
    assert_eq!(text(null), "field 1: expected a non-null reference to `struct`, found null");
    drop(scope);
    collect(&mut store);
    assert_eq!(census.live(), 0);
    Ok(())
}

fn elements_of_every_type(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let object = ExternRef::new(&mut store, "text")?;
    let func = Func::wrap(&mut store, || 7_i32);
    let five = AnyRef::from_i31(&mut store, I31::wrapping_u32(5));
    let cases: [(StorageType, Val); 9] = [
        (StorageType::I8, Val::I32(0x81)),
        (StorageType::I16, Val::I32(0x8001)),
        (ValType::I32.into(), Val::I32(-3)),
        (ValType::I64.into(), Val::I64(i64::MIN)),
        (ValType::F64.into(), Val::F64(1.5_f64.to_bits())),
        (ValType::V128.into(), Val::V128(u128::MAX.into())),
        (ValType::FUNCREF.into(), func.into()),
        (ValType::EXTERNREF.into(), object.into()),
        (ValType::ANYREF.into(), five.into()),
    ];
    for (storage, value) in cases {
        let pre = arrays(&mut store, var(storage.clone()));
        let mut scope = RootScope::new(&mut store);
        let zero = storage.unpack().default_value().unwrap();
        let array = ArrayRef::new_fixed(&mut scope, &pre, &[zero, value, zero, value])?;
        collect(&mut scope);
        assert_eq!(array.len(&scope)?, 4);
        assert_eq!(array.elems(&mut scope)?.len(), 4);
        array.set(&mut scope, 0, value)?;
        let elements: Vec<Val> = array.elems(&mut scope)?.collect();
        for (index, expected) in [value, value, zero, value].iter().enumerate() {
            let found = array.get(&mut scope, index as u32)?;
            for found in [&found, &elements[index]] {
                assert!(same(&scope, expected, found)?, "{storage}: {expected:?}, {found:?}");
            }
        }
        assert_eq!(array.ty(&scope)?.element_type(), storage);
        assert!(!array.is_empty(&scope)?);
    }
    Ok(())
}

/// Whether two values are the same, or two functions of one type.
fn same(store: impl AsContext, a: &Val, b: &Val) -> Result<bool> {
    Ok(match (a, b) {
        (Val::ExternRef(Some(a)), Val::ExternRef(Some(b))) => Rooted::ref_eq(store, a, b)?,
        (Val::AnyRef(Some(a)), Val::AnyRef(Some(b))) => Rooted::ref_eq(store, a, b)?,
        (Val::FuncRef(Some(a)), Val::FuncRef(Some(b))) => a.ty(&store) == b.ty(&store),
        (a, b) => format!("{a:?}") == format!("{b:?}"),
    })
}

fn wrong_elements_are_named(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let pre = arrays(&mut store, var(ValType::I32));
    let made = ArrayRef::new(&mut store, &pre, &Val::I64(0), 2);
    assert_eq!(text(made), "element: type mismatch: expected i32, found i64");
    let made = ArrayRef::new_fixed(&mut store, &pre, &[Val::I32(0), Val::I64(0)]);
    assert_eq!(text(made), "element 1: type mismatch: expected i32, found i64");
    let array = ArrayRef::new_fixed(&mut store, &pre, &[Val::I32(1), Val::I32(2)])?;
    let missing = "the array has 2 elements, and no element 2";
    assert_eq!(text(array.get(&mut store, 2)), missing);
    assert_eq!(text(array.set(&mut store, 2, Val::I32(0))), missing);
    assert_eq!(text(array.get_typed::<i32>(&mut store, 2)), missing);
    assert_eq!(text(array.set_typed(&mut store, 2, 0)), missing);
    assert!(array.get(&mut store, u32::MAX).is_err());
    let set = array.set(&mut store, 1, Val::null_any_ref());
    assert_eq!(text(set), "element 1: type mismatch: expected i32, found (ref null none)");
    let get = array.get_typed::<f32>(&mut store, 1);
    assert_eq!(text(get), "element 1: type mismatch: expected f32, found i32");
    let empty = ArrayRef::new_fixed(&mut store, &pre, &[])?;
    assert!(empty.is_empty(&store)?);
    assert!(empty.get(&mut store, 0).is_err());
    Ok(())
}

/// Copies the numbers into arrays and out of them, as a whole and in part.
fn copies<N>(store: &mut Store<()>, storage: StorageType, numbers: &[N; 4]) -> Result<()>
where
    N: GcNumber + Default + PartialEq + std::fmt::Debug,
{
    let pre = arrays(store, var(storage));
    let array = ArrayRef::new_from_slice(&mut *store, &pre, numbers)?;
    collect(&mut *store);
    let mut all = [N::default(); 4];
    array.copy_to_slice(&*store, 0, &mut all)?;
    assert_eq!(all, *numbers);
    for (index, number) in numbers.iter().enumerate() {
        assert_eq!(array.get_typed::<N>(&mut *store, index as u32)?, *number);
    }
    array.copy_from_slice(&mut *store, 1, &numbers[..2])?;
    array.copy_to_slice(&*store, 0, &mut all)?;
    assert_eq!(all, [numbers[0], numbers[0], numbers[1], numbers[3]]);
    array.copy_to_slice(&*store, 3, &mut all[..1])?;
    assert_eq!(all[0], numbers[3]);
    array.copy_to_slice(&*store, 4, &mut all[..0])?;
    array.copy_from_slice(&mut *store, 4, &numbers[..0])
}

fn numbers_are_copied_in_and_out(mode: Mode) -> Result<()> {
    let store = &mut mode.store();
    copies(store, StorageType::I8, &[i8::MIN, -1, 0, i8::MAX])?;
    copies(store, StorageType::I8, &[0, 1, 0x80, u8::MAX])?;
    copies(store, StorageType::I16, &[i16::MIN, -1, 0, i16::MAX])?;
    copies(store, StorageType::I16, &[0, 1, 0x8000, u16::MAX])?;
    copies(store, ValType::I32.into(), &[i32::MIN, -1, 0, i32::MAX])?;
    copies(store, ValType::I32.into(), &[0, 1, 1 << 31, u32::MAX])?;
    copies(store, ValType::I64.into(), &[i64::MIN, -1, 0, i64::MAX])?;
    copies(store, ValType::I64.into(), &[0, 1, 1 << 63, u64::MAX])?;
    copies(store, ValType::F32.into(), &[f32::MIN, 0.0, 1.5, f32::INFINITY])?;
    copies(store, ValType::F64.into(), &[f64::MIN, 0.0, 1.5, f64::INFINITY])?;
    // Large arrays lie elsewhere.
    let pre = arrays(store, var(ValType::I32));
    let numbers: Vec<i32> = (0..100_000).collect();
    let array = ArrayRef::new_from_slice(&mut *store, &pre, &numbers)?;
    collect(&mut *store);
    let mut copy = vec![0; numbers.len()];
    array.copy_to_slice(&*store, 0, &mut copy)?;
    assert!(copy == numbers);
    Ok(())
}

fn wrong_copies_are_refused(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let pre = arrays(&mut store, var(ValType::I32));
    let array = ArrayRef::new_from_slice(&mut store, &pre, &[1, 2, 3])?;
    let mismatch = "type mismatch: expected i8, found i32";
    assert_eq!(text(ArrayRef::new_from_slice(&mut store, &pre, &[1_u8])), mismatch);
    assert_eq!(text(array.copy_to_slice(&store, 0, &mut [0_u8])), mismatch);
    assert_eq!(text(array.copy_from_slice(&mut store, 0, &[0_i8])), mismatch);
    let objects = arrays(&mut store, var(ValType::EXTERNREF));
    let objects = ArrayRef::new(&mut store, &objects, &Val::null_extern_ref(), 4)?;
    let mismatch = "type mismatch: expected i32, found externref";
    assert_eq!(text(objects.copy_to_slice(&store, 0, &mut [0_i32])), mismatch);
    assert_eq!(text(objects.copy_from_slice(&mut store, 0, &[0_u32])), mismatch);
    let outside = "the array has 3 elements, and not 2 from element 2 on";
    assert_eq!(text(array.copy_to_slice(&store, 2, &mut [0, 0])), outside);
    assert_eq!(text(array.copy_from_slice(&mut store, 2, &[9, 9])), outside);
    assert!(array.copy_from_slice(&mut store, u32::MAX, &[9, 9]).is_err());
    assert!(array.copy_to_slice::<i32>(&store, 4, &mut []).is_err());
    let mut all = [0; 3];
    array.copy_to_slice(&store, 0, &mut all)?;
    assert_eq!(all, [1, 2, 3]);
    Ok(())
}

fn new_arrays_are_filled(mode: Mode) -> Result<()> {
    let (mut store, census) = (mode.store(), Census::default());
    let pre = arrays(&mut store, var(ValType::EXTERNREF));
    // Small arrays are young, large ones are not.
    for len in [0, 1, 100, 20_000] {
        let mut scope = RootScope::new(&mut store);
        let object = census.root(&mut scope)?;
        let array = ArrayRef::new(&mut scope, &pre, &object.into(), len)?;
        collect(&mut scope);
        for index in [0, len / 2, len.saturating_sub(1)].into_iter().filter(|it| *it < len) {
            let element: Rooted<ExternRef> = array.get_typed(&mut scope, index)?;
            assert_eq!(id(&scope, element)?, census.made() - 1);
        }
        assert_eq!(array.len(&scope)?, len);
    }
    Ok(())
}

/// A guest that makes and takes apart objects of the types `$pair` and `$bytes`.
const GUEST: &str = r#"(module
    (type $pair (struct (field (mut i32)) (field (mut externref))))
    (type $bytes (array (mut i8)))
    (func (export "pair") (param i32 externref) (result (ref $pair))
        (struct.new $pair (local.get 0) (local.get 1)))
    (func (export "number") (param (ref $pair)) (result i32)
        (struct.get $pair 0 (local.get 0)))
    (func (export "object") (param (ref null $pair)) (result externref)
        (struct.get $pair 1 (local.get 0)))
    (func (export "bytes") (param i32 i32) (result (ref $bytes))
        (array.new $bytes (local.get 0) (local.get 1)))
    (func (export "sum") (param (ref $bytes)) (result i32) (local i32 i32)
        (loop $more
            (if (i32.lt_u (local.get 1) (array.len (local.get 0)))
                (then
                    (local.set 2 (i32.add (local.get 2)
                        (array.get_u $bytes (local.get 0) (local.get 1))))
                    (local.set 1 (i32.add (local.get 1) (i32.const 1)))
                    (br $more))))
        (local.get 2)))"#;

fn guests_see_what_hosts_make(mode: Mode) -> Result<()> {
    let (mut store, census) = (mode.store(), Census::default());
    let guest = instantiate(&mut store, GUEST, &[])?;
    let object = census.root(&mut store)?;
    let pre = structs(&mut store, [var(ValType::I32), var(ValType::EXTERNREF)])?;
    let number = export::<Rooted<StructRef>, i32>(&mut store, guest, "number")?;
    let content =
        export::<Rooted<StructRef>, Option<Rooted<ExternRef>>>(&mut store, guest, "object")?;
    let pair = export::<(i32, Rooted<ExternRef>), Rooted<StructRef>>(&mut store, guest, "pair")?;
    let ours = StructRef::new(&mut store, &pre, &[Val::I32(7), object.into()])?;
    let theirs = pair.call(&mut store, (7, object))?;
    assert_eq!(ours.ty(&store)?, theirs.ty(&store)?);
    for made in [ours, theirs] {
        assert_eq!(number.call(&mut store, made)?, 7);
        let found = content.call(&mut store, made)?.expect("an object");
        assert_eq!(id(&store, found)?, 0);
        made.set_field_typed(&mut store, 0, 9)?;
        made.set_field(&mut store, 1, Val::null_extern_ref())?;
        assert_eq!(number.call(&mut store, made)?, 9);
        assert!(content.call(&mut store, made)?.is_none());
    }
    let other = structs(&mut store, [var(ValType::I32)])?;
    let other = StructRef::new(&mut store, &other, &[Val::I32(7)])?;
    let wrong = text(number.call(&mut store, other));
    assert!(wrong.contains("found (ref (struct (field (mut i32))))"), "{wrong}");
    let bytes = arrays(&mut store, var(StorageType::I8));
    let sum = export::<Rooted<ArrayRef>, i32>(&mut store, guest, "sum")?;
    let ours = ArrayRef::new_from_slice(&mut store, &bytes, &[1_u8, 2, 255])?;
    assert_eq!(sum.call(&mut store, ours)?, 258);
    let new = export::<(i32, i32), Rooted<ArrayRef>>(&mut store, guest, "bytes")?;
    let theirs = new.call(&mut store, (-1, 5))?;
    let mut copy = [0_i8; 5];
    theirs.copy_to_slice(&store, 0, &mut copy)?;
    assert_eq!(copy, [-1; 5]);
    Ok(())
}

fn hosts_write_to_old_objects(mode: Mode) -> Result<()> {
    let (mut store, census) = (mode.store(), Census::default());
    let pre = structs(&mut store, [var(ValType::EXTERNREF), var(ValType::EXTERNREF)])?;
    let null = Val::null_extern_ref();
    let object = StructRef::new(&mut store, &pre, &[null, null])?;
    let pre = arrays(&mut store, var(ValType::EXTERNREF));
    let small = ArrayRef::new(&mut store, &pre, &null, 4)?;
    let large = ArrayRef::new(&mut store, &pre, &null, 20_000)?;
    collect(&mut store);
    for _ in 0..3 {
        {
            let mut scope = RootScope::new(&mut store);
            let young = census.root(&mut scope)?;
            object.set_field(&mut scope, 0, young.into())?;
            object.set_field_typed(&mut scope, 1, young)?;
            for (array, last) in [(small, 3), (large, 19_999)] {
                array.set(&mut scope, 0, young.into())?;
                array.set_typed(&mut scope, last, Some(young))?;
            }
        }
        fill_nursery(&mut store)?;
        let mut scope = RootScope::new(&mut store);
        let found = [
            object.field_typed(&mut scope, 0)?,
            object.field_typed(&mut scope, 1)?,
            small.get_typed(&mut scope, 0)?,
            small.get_typed(&mut scope, 3)?,
            large.get_typed(&mut scope, 0)?,
            large.get_typed(&mut scope, 19_999)?,
        ];
        for found in found {
            assert_eq!(id(&scope, found)?, census.made() - 1);
        }
    }
    Ok(())
}

/// Makes garbage until the nursery has been collected.
fn fill_nursery(store: &mut Store<()>) -> Result<()> {
    let before = store.gc_stats().minor_collections;
    while store.gc_stats().minor_collections == before {
        let mut scope = RootScope::new(&mut *store);
        for number in 0..1000 {
            ExternRef::new(&mut scope, number)?;
        }
    }
    Ok(())
}
