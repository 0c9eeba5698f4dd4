//! References to host values: what is behind one, types of references, raw bits, and what happens
//! when there is no room for more.

mod support;

use std::any::Any;

use hostref::{
    AsContextMut, Config, Engine, ExternRef, Func, GcHeapOutOfMemory, ManuallyRooted, Result,
    RootScope, Rooted, Store,
};
use support::{Census, Counted, Mode, both_modes, export, id, instantiate};

both_modes! {
    any_value_that_may_cross_threads_can_be_referred_to,
    a_changed_value_stays_changed,
    a_typed_reference_is_made_from_an_untyped_one_of_that_type_only,
    a_typed_reference_converts_back,
    a_type_mismatch_names_both_types,
    a_mismatch_at_the_boundary_names_function_parameter_and_types,
    a_null_at_the_boundary_names_function_and_parameter,
    raw_bits_lead_back_to_the_object,
    null_bits_are_no_reference,
    a_full_heap_gives_the_value_back_and_has_room_after_a_collection,
    a_full_heap_of_reachable_objects_stays_usable,
    host_memory_has_a_limit,
    external_bytes_make_collections_come_sooner,
    a_value_larger_than_every_limit_comes_back,
    objects_near_the_heap_limit_come_and_go_without_asking,
}

fn any_value_that_may_cross_threads_can_be_referred_to(mode: Mode) -> Result<()> {
    #[derive(Debug, PartialEq)]
    #[repr(align(64))]
    struct Aligned(u8);
    let mut store = mode.store();
    let unit = ExternRef::new_typed(&mut store, ())?;
    let aligned = ExternRef::new_typed(&mut store, Aligned(1))?;
    let large = ExternRef::new_typed(&mut store, [7_u8; 10_000])?;
    let text = ExternRef::new(&mut store, String::from("text"))?;
    let function = ExternRef::new_typed::<fn(u8) -> u8>(&mut store, |x| x + 1)?;
    let boxed: Box<dyn Any + Send + Sync> = Box::new(5_u8);
    let boxed = ExternRef::new(&mut store, boxed)?;
    store.gc();
    assert_eq!(unit.data(&store)?, &());
    assert_eq!(aligned.data(&store)?, &Aligned(1));
    assert!(std::ptr::from_ref(aligned.data(&store)?).is_aligned());
    assert_eq!(large.data(&store)?, &[7; 10_000]);
    assert_eq!(text.data(&store)?.downcast_ref::<String>().unwrap(), "text");
    assert_eq!(function.data(&store)?(1), 2);
    assert!(!boxed.data(&store)?.is::<u8>(), "a boxed value is a box");
    assert!(boxed.data(&store)?.is::<Box<dyn Any + Send + Sync>>());
    Ok(())
}

fn a_changed_value_stays_changed(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let untyped = ExternRef::new(&mut store, vec![1])?;
    let typed = untyped.downcast::<Vec<i32>>(&store)?;
    untyped.data_mut(&mut store)?.downcast_mut::<Vec<i32>>().unwrap().push(2);
    store.gc();
    typed.data_mut(&mut store)?.push(3);
    store.gc();
    assert_eq!(untyped.data(&store)?.downcast_ref::<Vec<i32>>(), Some(&vec![1, 2, 3]));
    Ok(())
}

fn a_typed_reference_is_made_from_an_untyped_one_of_that_type_only(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let number = ExternRef::new(&mut store, 7_u32)?;
    assert_eq!(*number.downcast::<u32>(&store)?.data(&store)?, 7);
    assert!(number.downcast::<i32>(&store).is_err(), "no conversions");
    assert!(number.downcast::<Box<u32>>(&store).is_err(), "no unboxing");
    let manual = number.to_manually_rooted(&mut store)?.downcast::<u32>(&store)?;
    store.gc();
    assert_eq!(*manual.data(&store)?, 7);
    let manual = number.to_manually_rooted(&mut store)?;
    assert!(manual.downcast::<u64>(&store).is_err());
    Ok(())
}

fn a_typed_reference_converts_back(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let typed = ExternRef::new_typed(&mut store, 7)?;
    let untyped: Rooted<ExternRef> = typed.into();
    assert!(Rooted::rooted_eq(untyped, typed.to_untyped()));
    let manual: ManuallyRooted<ExternRef> = typed.to_manually_rooted(&mut store)?.to_untyped();
    assert!(Rooted::ref_eq(&store, &untyped, &manual)?);
    Ok(())
}

fn a_type_mismatch_names_both_types(mode: Mode) -> Result<()> {
    let mut store = mode.store();
    let text = ExternRef::new(&mut store, String::new())?;
    let error = text.downcast::<Counted>(&store).unwrap_err().to_string();
    assert!(error.contains("Counted") && error.contains("String"), "{error}");
    Ok(())
}

const PASSES_ON: &str = r#"(module
    (import "" "take" (func $take (param i32 externref)))
    (func (export "run") (param externref) (call $take (i32.const 0) (local.get 0))))"#;

fn refusal(mode: Mode, argument: Option<&'static str>) -> Result<String> {
    let engine = mode.engine();
    let mut linker = hostref::Linker::new(&engine);
    linker.func_wrap("env", "take", |_: i32, _: Rooted<ExternRef<u32>>| {})?;
    linker.alias_module("env", "")?;
    let mut store = Store::new(&engine, ());
    let module = hostref::Module::new(&engine, PASSES_ON)?;
    let guest = linker.instantiate(&mut store, &module)?;
    let run = export::<Option<Rooted<ExternRef>>, ()>(&mut store, guest, "run")?;
    let argument = argument.map(|text| ExternRef::new(&mut store, text)).transpose()?;
    Ok(format!("{:#}", run.call(&mut store, argument).unwrap_err()))
}

fn a_mismatch_at_the_boundary_names_function_parameter_and_types(mode: Mode) -> Result<()> {
    let error = refusal(mode, Some("text"))?;
    for part in ["env::take", "parameter 1", "`u32`", "`&str`"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let mut store = mode.store();
    let text = ExternRef::new(&mut store, "text")?;
    let make = Func::wrap(&mut store, move || text);
    let make = make.typed::<(), Rooted<ExternRef<u32>>>(&store)?;
    let error = format!("{:#}", make.call(&mut store, ()).unwrap_err());
    for part in ["result 0", "`u32`", "`&str`"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    Ok(())
}

fn a_null_at_the_boundary_names_function_and_parameter(mode: Mode) -> Result<()> {
    let error = refusal(mode, None)?;
    for part in ["env::take", "parameter 1", "`u32`", "null"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    Ok(())
}

fn raw_bits_lead_back_to_the_object(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    let root = census.root(&mut store)?;
    for _ in 0..3 {
        store.gc();
        // SAFETY: nothing happens to the store in between.
        let again = unsafe {
            let raw = root.to_raw(&mut store)?;
            ExternRef::from_raw(&mut store, raw)
        };
        let again = again.expect("an object is not null");
        assert!(Rooted::ref_eq(&store, &root, &again)?);
        assert_eq!(id(&store, again)?, 0);
    }
    Ok(())
}

fn null_bits_are_no_reference(mode: Mode) -> Result<()> {
    // SAFETY: null is good in every store.
    assert!(unsafe { ExternRef::from_raw(&mut mode.store(), 0) }.is_none());
    Ok(())
}

/// A store whose engine has one more setting.
fn limited(mode: Mode, limit: impl FnOnce(&mut Config)) -> Result<Store<()>> {
    let mut config = mode.config();
    limit(&mut config);
    Ok(Store::new(&Engine::new(&config)?, ()))
}

/// Makes objects until there is no room; gives the one back that found none.
fn fill(census: &Census, mut store: impl AsContextMut) -> Result<Counted> {
    loop {
        let Err(error) = census.root(&mut store) else { continue };
        assert!(error.is::<GcHeapOutOfMemory<Counted>>(), "{error:#}");
        return Ok(error.downcast::<GcHeapOutOfMemory<Counted>>()?.into_inner());
    }
}

fn a_full_heap_gives_the_value_back_and_has_room_after_a_collection(mode: Mode) -> Result<()> {
    let mut store = limited(mode, |config| _ = config.gc_heap_limit(4096))?;
    let census = Census::default();
    let kept = census.root(&mut store)?;
    let refused = {
        let mut scope = RootScope::new(&mut store);
        let refused = fill(&census, &mut scope)?;
        assert!(census.live() > 50, "16 bytes are enough for an object");
        // Reachable objects leave no room, collected or not.
        scope.as_context_mut().gc();
        let error = ExternRef::new(&mut scope, refused).unwrap_err();
        error.downcast::<GcHeapOutOfMemory<Counted>>()?.into_inner()
    };
    store.gc();
    assert_eq!(census.live(), 2, "what is kept and what was refused");
    let number = refused.id;
    let root = ExternRef::new(&mut store, refused)?;
    assert_eq!((id(&store, root)?, id(&store, kept)?), (number, 0));
    Ok(())
}

fn a_full_heap_of_reachable_objects_stays_usable(mode: Mode) -> Result<()> {
    let mut store = limited(mode, |config| _ = config.gc_heap_limit(4096))?;
    let census = Census::default();
    let mut kept = Vec::new();
    let refused = loop {
        match ExternRef::new_manually_rooted(&mut store, census.object()) {
            Ok(root) => kept.push(root),
            Err(error) => break error,
        }
    };
    drop(refused);
    let guest = instantiate(
        &mut store,
        r#"(module (func (export "same") (param externref) (result externref) (local.get 0)))"#,
        &[],
    )?;
    let same = export::<Rooted<ExternRef>, Rooted<ExternRef>>(&mut store, guest, "same")?;
    for (number, root) in kept.iter().enumerate() {
        let mut scope = RootScope::new(&mut store);
        let root = root.to_rooted(&mut scope);
        let back = same.call(&mut scope, root)?;
        assert_eq!(id(&scope, back)?, number);
    }
    kept.remove(0).unroot(&mut store);
    store.gc();
    assert!(census.root(&mut store).is_ok(), "one went, one comes");
    assert!(census.root(&mut store).is_err());
    Ok(())
}

fn host_memory_has_a_limit(mode: Mode) -> Result<()> {
    let mut store = limited(mode, |config| _ = config.host_memory_limit(Some(1 << 20)))?;
    let mut scope = RootScope::new(&mut store);
    let half = |scope: &mut RootScope<&mut Store<()>>| {
        ExternRef::new_with_external_bytes(scope, vec![0_u8; 600 << 10], 600 << 10)
    };
    half(&mut scope)?;
    let error = half(&mut scope).unwrap_err();
    let value = error.downcast::<GcHeapOutOfMemory<Vec<u8>>>()?.into_inner();
    assert_eq!(value.len(), 600 << 10);
    assert!(ExternRef::new(&mut scope, 1).is_ok(), "small ones still fit");
    drop(scope);
    store.gc();
    let mut scope = RootScope::new(&mut store);
    half(&mut scope)?;
    Ok(())
}

fn external_bytes_make_collections_come_sooner(mode: Mode) -> Result<()> {
    let (census, mut store) = (Census::default(), mode.store());
    for _ in 0..1000 {
        let mut scope = RootScope::new(&mut store);
        ExternRef::new_with_external_bytes(&mut scope, census.object(), 1 << 20)?;
    }
    assert!(census.peak() < 10, "{} MiB at a time", census.peak());
    Ok(())
}

fn a_value_larger_than_every_limit_comes_back(mode: Mode) -> Result<()> {
    let census = Census::default();
    let mut store = limited(mode, |config| _ = config.host_memory_limit(Some(1 << 20)))?;
    let error = ExternRef::new_with_external_bytes(&mut store, census.object(), usize::MAX);
    assert!(error.unwrap_err().is::<GcHeapOutOfMemory<Counted>>());
    store.gc();
    assert_eq!(census.live(), 0);
    // Without a limit the number is only a hint, and nothing overflows.
    let mut store = mode.store();
    for _ in 0..3 {
        let mut scope = RootScope::new(&mut store);
        ExternRef::new_with_external_bytes(&mut scope, census.object(), usize::MAX)?;
    }
    assert!(census.live() <= 1);
    Ok(())
}

fn objects_near_the_heap_limit_come_and_go_without_asking(mode: Mode) -> Result<()> {
    let mut store = limited(mode, |config| {
        config.gc_heap_limit(64 << 10).host_memory_limit(Some(8 << 20));
    })?;
    for number in 0..20_000_u32 {
        let mut scope = RootScope::new(&mut store);
        let root = ExternRef::new_with_external_bytes(&mut scope, number, 1 << 16)?;
        assert_eq!(*root.data(&scope)?, number);
    }
    Ok(())
}
