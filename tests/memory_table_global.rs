//! Memories, tables and globals as the embedder uses them, alone and shared between instances, and
//! how segments and the start function fill them.

use hostref::{
    Caller, Config, Engine, Extern, ExternRef, Func, FuncType, Global, GlobalType, HeapType,
    Instance, Memory, MemoryAccessError, MemoryType, Module, Mutability, Ref, RefType, Rooted,
    Store, Table, TableType, Trap, Val, ValType,
};

fn store() -> Store<()> {
    Store::new(&Engine::default(), ())
}

fn instance<T: 'static>(
    store: &mut Store<T>,
    wat: &str,
    imports: &[Extern],
) -> hostref::Result<Instance> {
    let module = Module::new(store.engine(), wat)?;
    Instance::new(store, &module, imports)
}

#[test]
fn memory_access_outside_is_an_error_that_changes_nothing() {
    let mut store = store();
    let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
    memory.write(&mut store, 65_532, &[1, 2, 3, 4]).unwrap();
    let mut buffer = [9; 4];
    memory.read(&store, 65_532, &mut buffer).unwrap();
    assert_eq!(buffer, [1, 2, 3, 4]);
    for offset in [65_533, 65_536, usize::MAX - 1, usize::MAX] {
        let error: MemoryAccessError = memory.read(&store, offset, &mut buffer).unwrap_err();
        assert_eq!(error.to_string(), "out of bounds memory access");
        assert!(memory.write(&mut store, offset, &[7; 4]).is_err());
    }
    assert_eq!(buffer, [1, 2, 3, 4]);
    assert_eq!(memory.data(&store)[65_530..], [0, 0, 1, 2, 3, 4]);
    memory.write(&mut store, 65_536, &[]).expect("nothing fits at the very end");
    assert!(memory.write(&mut store, 65_537, &[]).is_err());
}

#[test]
fn memory_types_are_checked() {
    let mut store = store();
    for ty in [
        MemoryType::new(65_537, None),
        MemoryType::new(1, Some(65_537)),
        MemoryType::new(2, Some(1)),
    ] {
        let error = Memory::new(&mut store, ty).unwrap_err();
        assert!(error.to_string().contains("out of range"), "{error}");
    }
    let memory = Memory::new(&mut store, MemoryType::new(0, Some(0))).unwrap();
    assert_eq!((memory.size(&store), memory.data_size(&store)), (0, 0));
    assert!(memory.data(&store).is_empty());
    assert!(memory.grow(&mut store, 1).is_err());
    assert_eq!(memory.grow(&mut store, 0).unwrap(), 0);
}

#[test]
fn a_memory_grows_to_its_maximum_and_keeps_its_content() {
    let mut store = store();
    let memory = Memory::new(&mut store, MemoryType::new(1, Some(4))).unwrap();
    memory.data_mut(&mut store)[65_535] = 5;
    assert_eq!(memory.grow(&mut store, 2).unwrap(), 1);
    assert_eq!((memory.size(&store), memory.data_size(&store)), (3, 3 << 16));
    assert_eq!(memory.data(&store)[65_535..65_537], [5, 0]);
    for delta in [2, 1 << 16, u64::MAX, u64::MAX - 2] {
        assert!(memory.grow(&mut store, delta).is_err(), "{delta}");
    }
    assert_eq!(memory.grow(&mut store, 1).unwrap(), 3);
    assert_eq!(memory.ty(&store), MemoryType::new(1, Some(4)));
}

#[test]
fn a_guest_and_the_embedder_see_each_other_grow_a_memory() {
    let mut store = store();
    let memory = Memory::new(&mut store, MemoryType::new(1, Some(10))).unwrap();
    let wat = r#"(module
        (import "" "memory" (memory 1 10))
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "size") (result i32) (memory.size))
        (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0))))"#;
    let one = instance(&mut store, wat, &[memory.into()]).unwrap();
    let two = instance(&mut store, wat, &[memory.into()]).unwrap();
    let grow = one.get_typed_func::<i32, i32>(&mut store, "grow").unwrap();
    let load = two.get_typed_func::<u32, u32>(&mut store, "load").unwrap();
    let size = two.get_typed_func::<(), u32>(&mut store, "size").unwrap();
    let trap = load.call(&mut store, 65_536).unwrap_err();
    assert_eq!(trap.downcast_ref(), Some(&Trap::MemoryOutOfBounds));
    assert_eq!(grow.call(&mut store, 1).unwrap(), 1);
    memory.write(&mut store, 65_536, &[42]).unwrap();
    assert_eq!(load.call(&mut store, 65_536).unwrap(), 42);
    memory.grow(&mut store, 3).unwrap();
    assert_eq!(size.call(&mut store, ()).unwrap(), 5);
    assert_eq!(load.call(&mut store, (5 << 16) - 1).unwrap(), 0);
    assert_eq!(grow.call(&mut store, 6).unwrap(), -1);
    assert_eq!(grow.call(&mut store, -1).unwrap(), -1);
    assert_eq!(memory.size(&store), 5);
}

#[test]
fn the_configured_limit_stops_growth_by_guest_and_embedder() {
    let engine = Engine::new(Config::new().memory_limit(3 << 16).table_limit(5)).unwrap();
    let mut store = Store::new(&engine, ());
    let wat = r#"(module
        (memory (export "memory") 1)
        (table (export "table") 1 externref)
        (func (export "memory_grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "table_grow") (param i32) (result i32)
            (table.grow (ref.null extern) (local.get 0))))"#;
    let guest = instance(&mut store, wat, &[]).unwrap();
    let memory = guest.get_memory(&mut store, "memory").unwrap();
    let table = guest.get_table(&mut store, "table").unwrap();
    for (name, too_many, rest) in [("memory_grow", 3, 2), ("table_grow", 5, 4)] {
        let grow = guest.get_typed_func::<i32, i32>(&mut store, name).unwrap();
        assert_eq!(grow.call(&mut store, too_many).unwrap(), -1, "{name}");
        assert_eq!(grow.call(&mut store, rest).unwrap(), 1, "{name}");
        assert_eq!(grow.call(&mut store, 1).unwrap(), -1, "{name}");
    }
    assert!(memory.grow(&mut store, 1).is_err());
    assert!(table.grow(&mut store, 1, Ref::Extern(None)).is_err());
    assert!(Memory::new(&mut store, MemoryType::new(4, None)).is_err());
    let ty = TableType::new(RefType::EXTERNREF, 6, None);
    assert!(Table::new(&mut store, ty, Ref::Extern(None)).is_err());
}

#[test]
fn memory_and_data_of_the_store_can_be_used_together() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, Vec::<u8>::new());
    let copy = Func::wrap(&mut store, |mut caller: Caller<'_, Vec<u8>>, at: u32, len: u32| {
        let memory = caller.get_export("memory").and_then(Extern::into_memory).unwrap();
        let (bytes, data) = memory.data_and_store_mut(&mut caller);
        let range = at as usize..(at + len) as usize;
        data.extend_from_slice(&bytes[range.clone()]);
        bytes[range].fill(b'.');
    });
    let wat = r#"(module
        (import "" "copy" (func $copy (param i32 i32)))
        (memory (export "memory") 1)
        (data (i32.const 16) "hello")
        (func (export "run") (result i32)
            (call $copy (i32.const 16) (i32.const 5)) (i32.load8_u (i32.const 20))))"#;
    let guest = instance(&mut store, wat, &[copy.into()]).unwrap();
    let run = guest.get_typed_func::<(), u32>(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, ()).unwrap(), u32::from(b'.'));
    assert_eq!(store.data(), b"hello");
}

#[test]
fn a_table_checks_types_and_bounds() {
    let mut store = store();
    let ty = TableType::new(RefType::EXTERNREF, 2, Some(4));
    let table = Table::new(&mut store, ty, Ref::Extern(None)).unwrap();
    let object = ExternRef::new(&mut store, "object").unwrap();
    let func = Func::wrap(&mut store, || {});
    table.set(&mut store, 1, object.into()).unwrap();
    for outcome in [
        table.set(&mut store, 2, object.into()),
        table.set(&mut store, u64::MAX, object.into()),
        table.fill(&mut store, 1, object.into(), 2),
        table.fill(&mut store, 1, object.into(), u64::MAX),
        Table::copy(&mut store, &table, 0, &table, 1, 2),
    ] {
        assert_eq!(outcome.unwrap_err().downcast_ref(), Some(&Trap::TableOutOfBounds));
    }
    let error = table.set(&mut store, 0, Ref::Func(Some(func))).unwrap_err();
    assert!(error.to_string().contains("expected externref"), "{error}");
    assert!(table.set(&mut store, 0, Ref::Func(None)).is_err());
    assert!(table.get(&mut store, 0).unwrap().is_null());
    assert!(table.get(&mut store, 2).is_none());

    assert_eq!(table.grow(&mut store, 2, object.into()).unwrap(), 2);
    assert!(table.grow(&mut store, 1, object.into()).is_err());
    assert!(table.grow(&mut store, u64::MAX, object.into()).is_err());
    let Some(Ref::Extern(Some(found))) = table.get(&mut store, 3) else { panic!("an object") };
    assert!(Rooted::ref_eq(&store, &found, &object).unwrap());
    Table::copy(&mut store, &table, 0, &table, 1, 3).unwrap();
    let nulls: Vec<_> =
        (0..4).map(|index| table.get(&mut store, index).unwrap().is_null()).collect();
    assert_eq!(nulls, [false; 4]);
}

#[test]
fn a_table_type_is_checked() {
    let mut store = store();
    let ty = TableType::new(RefType::EXTERNREF, 5, Some(2));
    assert!(Table::new(&mut store, ty, Ref::Extern(None)).is_err());
    let ty = TableType::new(RefType::new(false, HeapType::Extern), 1, None);
    let error = Table::new(&mut store, ty, Ref::Extern(None)).unwrap_err();
    assert!(format!("{error:#}").contains("(ref extern)"), "{error:#}");
}

#[test]
fn a_table_of_one_function_type_takes_functions_of_that_type() {
    let mut store = store();
    let engine = store.engine();
    let unary = FuncType::new(engine, [ValType::I32], []);
    let element = RefType::new(true, HeapType::ConcreteFunc(unary));
    let table = Table::new(&mut store, TableType::new(element, 1, None), Ref::Func(None)).unwrap();
    let fits = Func::wrap(&mut store, |_: i32| {});
    let other = Func::wrap(&mut store, |_: i64| {});
    table.set(&mut store, 0, Ref::Func(Some(fits))).unwrap();
    assert!(table.set(&mut store, 0, Ref::Func(Some(other))).is_err());
    table.set(&mut store, 0, Ref::Func(None)).unwrap();
    let untyped = TableType::new(RefType::FUNCREF, 1, None);
    let untyped = Table::new(&mut store, untyped, Ref::Func(Some(other))).unwrap();
    Table::copy(&mut store, &untyped, 0, &table, 0, 1).unwrap();
    assert!(Table::copy(&mut store, &table, 0, &untyped, 0, 1).is_err());
}

#[test]
fn a_guest_calls_what_the_embedder_put_into_its_table() {
    let mut store = store();
    let wat = r#"(module
        (type $t (func (param i32) (result i32)))
        (table (export "table") 1 funcref)
        (func (export "call") (param i32 i32) (result i32)
            (call_indirect (type $t) (local.get 1) (local.get 0))))"#;
    let guest = instance(&mut store, wat, &[]).unwrap();
    let table = guest.get_table(&mut store, "table").unwrap();
    let call = guest.get_typed_func::<(i32, i32), i32>(&mut store, "call").unwrap();
    let outcome = call.call(&mut store, (0, 5)).unwrap_err();
    assert_eq!(outcome.downcast_ref(), Some(&Trap::IndirectCallToNull));
    let outcome = call.call(&mut store, (200, 5)).unwrap_err();
    assert_eq!(outcome.downcast_ref(), Some(&Trap::TableOutOfBounds));
    // Growing moves the elements; the guest follows.
    for i in 0..200 {
        let add = Func::wrap(&mut store, move |value: i32| value + i);
        table.grow(&mut store, 1, Ref::Func(Some(add))).unwrap();
        assert_eq!(call.call(&mut store, (i + 1, 5)).unwrap(), 5 + i);
    }
    let error = call.call(&mut store, (0, 5)).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Trap::IndirectCallToNull));
}

#[test]
fn a_global_checks_type_and_mutability() {
    let mut store = store();
    let ty = GlobalType::new(ValType::F64, Mutability::Const);
    let fixed = Global::new(&mut store, ty.clone(), Val::F64(2.5_f64.to_bits())).unwrap();
    assert_eq!(fixed.get(&mut store).unwrap_f64(), 2.5);
    assert_eq!(fixed.ty(&store), ty);
    assert!(fixed.set(&mut store, Val::F64(0)).unwrap_err().to_string().contains("immutable"));
    assert!(Global::new(&mut store, ty, Val::F32(0)).is_err());
    let ty = GlobalType::new(ValType::EXTERNREF, Mutability::Var);
    let global = Global::new(&mut store, ty, Val::ExternRef(None)).unwrap();
    assert!(global.set(&mut store, Val::FuncRef(None)).is_err());
    let object = ExternRef::new(&mut store, 3_u8).unwrap();
    global.set(&mut store, object.into()).unwrap();
    store.gc();
    let Val::ExternRef(Some(found)) = global.get(&mut store) else { panic!("an object") };
    assert_eq!(found.data(&store).unwrap().downcast_ref(), Some(&3_u8));
}

#[test]
fn instances_share_a_global() {
    let mut store = store();
    for (wasm, values) in [
        ("i32", [Val::I32(-1), Val::I32(7)]),
        ("i64", [Val::I64(i64::MIN), Val::I64(1 << 40)]),
        ("f32", [Val::F32(0x7fc0_0001), Val::F32(1)]),
        ("f64", [Val::F64(0x7ff8_0000_0000_0001), Val::F64(1 << 60)]),
    ] {
        let wat = format!(
            r#"(module
                (import "" "g" (global $g (mut {wasm})))
                (func (export "swap") (param {wasm}) (result {wasm})
                    (global.get $g) (global.set $g (local.get 0))))"#
        );
        let ty = GlobalType::new(values[0].ty(&store).unwrap(), Mutability::Var);
        let global = Global::new(&mut store, ty, values[0]).unwrap();
        let guests = [0; 2].map(|_| instance(&mut store, &wat, &[global.into()]).unwrap());
        for (step, guest) in guests.iter().enumerate() {
            let swap = guest.get_func(&mut store, "swap").unwrap();
            let mut old = [Val::I32(0)];
            swap.call(&mut store, &[values[1 - step]], &mut old).unwrap();
            let (old, expected) = (format!("{:?}", old[0]), format!("{:?}", values[step]));
            assert_eq!(old, expected);
        }
    }
}

#[test]
fn segments_before_the_one_that_does_not_fit_stay_written() {
    let mut store = store();
    let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
    let ty = TableType::new(RefType::FUNCREF, 3, None);
    let table = Table::new(&mut store, ty, Ref::Func(None)).unwrap();
    let wat = r#"(module
        (import "" "memory" (memory 1))
        (import "" "table" (table 3 funcref))
        (func $f (result i32) (i32.const 11))
        (elem (i32.const 0) func $f)
        (data (i32.const 0) "kept")
        (data (i32.const 65533) "over")
        (data (i32.const 8) "late")
        (start $begin)
        (func $begin (i32.store8 (i32.const 16) (i32.const 1))))"#;
    let error = instance(&mut store, wat, &[memory.into(), table.into()]).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Trap::MemoryOutOfBounds));
    assert_eq!(memory.data(&store)[..12], *b"kept\0\0\0\0\0\0\0\0");
    assert_eq!(memory.data(&store)[65_533..], [0; 3]);
    assert_eq!(memory.data(&store)[16], 0, "the start function did not run");
    // The function of the instance that failed is alive in the table.
    let Some(Ref::Func(Some(func))) = table.get(&mut store, 0) else { panic!("a function") };
    let func = func.typed::<(), i32>(&store).unwrap();
    assert_eq!(func.call(&mut store, ()).unwrap(), 11);

    let wat = r#"(module
        (import "" "memory" (memory 1))
        (import "" "table" (table 3 funcref))
        (func $g)
        (elem (i32.const 1) func $g)
        (elem (i32.const 2) func $g $g)
        (data (i32.const 0) "lost"))"#;
    let error = instance(&mut store, wat, &[memory.into(), table.into()]).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Trap::TableOutOfBounds));
    assert_eq!(memory.data(&store)[..4], *b"kept");
    assert!(!table.get(&mut store, 1).unwrap().is_null());
    assert!(table.get(&mut store, 2).unwrap().is_null());
}

#[test]
fn an_active_segment_is_dropped_once_it_is_written() {
    let mut store = store();
    let wat = r#"(module
        (memory 1)
        (table 2 funcref)
        (data $active (i32.const 0) "x")
        (data $passive "y")
        (elem $once (i32.const 0) func 0)
        (func (export "active") (memory.init $active
            (i32.const 0) (i32.const 0) (i32.const 1)))
        (func (export "passive") (memory.init $passive
            (i32.const 0) (i32.const 0) (i32.const 1)))
        (func (export "element") (table.init $once
            (i32.const 1) (i32.const 0) (i32.const 1))))"#;
    let guest = instance(&mut store, wat, &[]).unwrap();
    let call = |store: &mut Store<()>, name: &str| {
        guest.get_func(&mut *store, name).unwrap().call(store, &[], &mut [])
    };
    call(&mut store, "passive").unwrap();
    let error = call(&mut store, "active").unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Trap::MemoryOutOfBounds));
    let error = call(&mut store, "element").unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Trap::TableOutOfBounds));
}

#[test]
fn the_start_function_runs_once_after_the_segments_and_may_be_imported() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, Vec::new());
    let wat = r#"(module
        (import "" "seen" (func $seen (param i32)))
        (memory 1)
        (data (i32.const 4) "\2a")
        (func $begin (call $seen (i32.load8_u (i32.const 4))))
        (start $begin))"#;
    let seen = Func::wrap(&mut store, |mut caller: Caller<'_, Vec<i32>>, value: i32| {
        caller.data_mut().push(value);
    });
    instance(&mut store, wat, &[seen.into()]).unwrap();
    assert_eq!(store.data(), &[42]);
    let begin = Func::wrap(&mut store, |mut caller: Caller<'_, Vec<i32>>| {
        caller.data_mut().push(1);
    });
    let wat = r#"(module (import "" "begin" (func $begin)) (start $begin))"#;
    instance(&mut store, wat, &[begin.into()]).unwrap();
    assert_eq!(store.data(), &[42, 1]);
}

#[test]
fn small_bulk_operations_overlap_and_write_nothing_if_they_trap() {
    for reservation in [1 << 32, 0] {
        let engine = Engine::new(Config::new().memory_reservation(reservation)).unwrap();
        for len in [1_usize, 2, 3, 7, 8, 13, 16, 20, 33, 63, 64, 65] {
            let mut store = Store::new(&engine, ());
            let wat = format!(
                r#"(module (memory (export "m") 1)
                    (func (export "copy") (param i32 i32)
                        (memory.copy (local.get 0) (local.get 1) (i32.const {len})))
                    (func (export "fill") (param i32 i32)
                        (memory.fill (local.get 0) (local.get 1) (i32.const {len}))))"#
            );
            let instance = instance(&mut store, &wat, &[]).unwrap();
            let memory = instance.get_memory(&mut store, "m").unwrap();
            let copy = instance.get_typed_func::<(u32, u32), ()>(&mut store, "copy").unwrap();
            let fill = instance.get_typed_func::<(u32, u32), ()>(&mut store, "fill").unwrap();
            let last = 65_536 - len;
            let mut model: Vec<u8> = (0..65_536_u32).map(|at| (at * 31 % 251) as u8).collect();
            memory.data_mut(&mut store).copy_from_slice(&model);
            for (to, from) in [(5, 0), (0, 5), (100, 103), (last, 7), (300, last), (9, 9)] {
                copy.call(&mut store, (to as u32, from as u32)).unwrap();
                model.copy_within(from..from + len, to);
            }
            for (at, byte) in [(200, 0x1ab_u32), (last, 0xff)] {
                fill.call(&mut store, (at as u32, byte)).unwrap();
                model[at..at + len].fill(byte as u8);
            }
            let outside = [last as u32 + 1, 65_536, u32::MAX];
            for at in outside {
                let errors = [
                    copy.call(&mut store, (at, 0)).unwrap_err(),
                    copy.call(&mut store, (0, at)).unwrap_err(),
                    fill.call(&mut store, (at, 7)).unwrap_err(),
                ];
                for error in errors {
                    assert_eq!(error.downcast_ref(), Some(&Trap::MemoryOutOfBounds));
                }
            }
            assert!(memory.data(&store) == model, "{len} bytes");
        }
    }
}
