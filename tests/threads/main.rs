//! Threads: shared memories, atomic operators, waiting and waking. `operators` goes through every
//! atomic operator, `sharing` through what several stores do with one memory, `waiting` through
//! who wakes whom; this file has the types and the links.

mod operators;
mod sharing;
mod waiting;

use hostref::{
    Config, Engine, Extern, ExternType, Instance, LinkError, Linker, Memory, MemoryType, Module,
    Result, SharedMemory, Store,
};

fn config() -> Config {
    let mut config = Config::new();
    config.wasm_threads(true).wasm_custom_page_sizes(true);
    config
}

fn engine() -> Engine {
    Engine::new(&config()).unwrap()
}

/// Engines that do and do not check accesses.
fn engines() -> [Engine; 2] {
    [engine(), Engine::new(config().memory_reservation(0)).unwrap()]
}

fn shared(engine: &Engine, min: u32, max: u32) -> SharedMemory {
    SharedMemory::new(engine, MemoryType::shared(min, max)).unwrap()
}

/// An instance in a store of its own, with `memory` as the only import.
fn instance(module: &Module, memory: &SharedMemory) -> Result<(Store<()>, Instance)> {
    let mut store = Store::new(module.engine(), ());
    let instance = Instance::new(&mut store, module, &[memory.clone().into()])?;
    Ok((store, instance))
}

#[test]
fn without_threads_shared_memories_and_atomic_operators_are_refused() {
    for body in [
        "(memory 1 1 shared)",
        r#"(import "" "" (memory 1 1 shared))"#,
        "(memory 1) (func (drop (i32.atomic.load (i32.const 0))))",
        "(func (atomic.fence))",
    ] {
        let bytes = wat::parse_str(format!("(module {body})")).unwrap();
        Module::new(&engine(), &bytes).unwrap();
        let error = format!("{:#}", Module::new(&Engine::default(), &bytes).unwrap_err());
        assert!(error.contains("threads") && error.contains("at offset 0x"), "{error}");
    }
    let error = SharedMemory::new(&Engine::default(), MemoryType::shared(1, 1)).unwrap_err();
    assert_eq!(error.to_string(), "threads are off in this engine: see `Config::wasm_threads`");
}

#[test]
fn a_shared_memory_without_maximum_is_invalid() {
    // As in the text `(memory 1 shared)`, which the parser refuses by itself.
    let bytes = b"\0asm\x01\0\0\0\x05\x03\x01\x02\x01";
    let error = format!("{:#}", Module::new(&engine(), bytes).unwrap_err());
    assert!(error.contains("shared memory must have maximum size"), "{error}");
    let error = MemoryType::builder().shared(true).min(1).build().unwrap_err().to_string();
    assert_eq!(error, "a shared memory needs a maximum: (memory 1 shared)");
}

#[test]
fn types_say_whether_threads_share() {
    let ty = MemoryType::shared(1, 4);
    assert!(ty.is_shared() && !MemoryType::new(1, Some(4)).is_shared());
    assert_eq!((ty.minimum(), ty.maximum(), ty.is_64()), (1, Some(4), false));
    assert_eq!(ty.to_string(), "(memory 1 4 shared)");
    let mut small = MemoryType::builder();
    let small = small.shared(true).memory64(true).max(Some(9)).page_size_log2(0).build().unwrap();
    assert_eq!(small.to_string(), "(memory i64 0 9 shared (pagesize 1))");

    let engine = engine();
    let memory = shared(&engine, 1, 4);
    assert_eq!(memory.ty(), ty);
    assert_eq!((memory.size(), memory.page_size(), memory.data_size()), (1, 1 << 16, 1 << 16));
    let memory = SharedMemory::new(&engine, small).unwrap();
    assert_eq!(memory.grow(5).unwrap(), 0);
    assert_eq!((memory.size(), memory.data().len()), (5, 5));
}

#[test]
fn either_kind_of_memory_refuses_the_type_of_the_other() {
    let engine = engine();
    let mut store = Store::new(&engine, ());
    let error = Memory::new(&mut store, MemoryType::shared(1, 2)).unwrap_err().to_string();
    assert_eq!(error, "a memory of type (memory 1 2 shared) is made by `SharedMemory::new`");
    let error = SharedMemory::new(&engine, MemoryType::new(1, Some(2))).unwrap_err().to_string();
    assert_eq!(error, "the type of a shared memory says so: (memory 1 2) does not");
    let error = SharedMemory::new(&engine, MemoryType::shared(2, 1)).unwrap_err().to_string();
    assert!(error.contains("memory limits out of range"), "{error}");
}

#[test]
fn handles_go_anywhere() {
    fn anywhere<T: Clone + Send + Sync + 'static>() {}
    anywhere::<SharedMemory>();
    anywhere::<Extern>();
}

#[test]
fn an_exported_shared_memory_is_no_memory_of_the_store() {
    let engine = engine();
    let module = Module::new(&engine, r#"(module (memory (export "m") 1 3 shared))"#).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    assert!(instance.get_memory(&mut store, "m").is_none());
    let export = instance.get_export(&mut store, "m").unwrap();
    assert!(matches!(export.ty(&store), ExternType::Memory(ty) if ty.is_shared()));
    let memory = instance.get_shared_memory(&mut store, "m").unwrap();
    assert!(SharedMemory::same(&memory, &export.into_shared_memory().unwrap()));
    assert!(!SharedMemory::same(&memory, &shared(&engine, 1, 3)));
    // It outlives the store that made it.
    drop((store, module, engine));
    assert_eq!((memory.grow(2).unwrap(), memory.size()), (1, 3));
}

#[test]
fn a_linker_gives_one_memory_to_all_stores() {
    let engine = engine();
    let memory = shared(&engine, 1, 2);
    let mut linker = Linker::new(&engine);
    linker.define(Store::new(&engine, ()), "env", "memory", memory.clone()).unwrap();
    let module = r#"(module (memory (export "memory") (import "env" "memory") 1 2 shared)
        (func (export "grow") (result i32) (memory.grow (i32.const 1))))"#;
    let module = Module::new(&engine, module).unwrap();
    let pre = linker.instantiate_pre(&module).unwrap();
    for result in [1, -1] {
        let mut store = Store::new(&engine, ());
        let instance = pre.instantiate(&mut store).unwrap();
        let grow = instance.get_typed_func::<(), i32>(&mut store, "grow").unwrap();
        assert_eq!(grow.call(&mut store, ()).unwrap(), result);
        for found in [
            instance.get_shared_memory(&mut store, "memory"),
            linker.get(&mut store, "env", "memory").unwrap().into_shared_memory(),
        ] {
            assert!(SharedMemory::same(&found.unwrap(), &memory));
        }
    }
    assert_eq!(memory.size(), 2);
    assert!(memory.grow(1).unwrap_err().to_string().contains("over its maximum or limit"));
}

#[test]
fn imports_match_by_sharing_and_current_size() {
    let engine = engine();
    let mut store = Store::new(&engine, ());
    let memory = shared(&engine, 1, 3);
    let unshared = Memory::new(&mut store, MemoryType::new(1, Some(3))).unwrap();
    let mut import = |ty: &str, item: Extern| {
        let module = Module::new(&engine, format!(r#"(module (import "" "" (memory {ty})))"#));
        Instance::new(&mut store, &module.unwrap(), &[item]).map(drop)
    };
    import("1 3 shared", memory.clone().into()).unwrap();
    import("0 4 shared", memory.clone().into()).unwrap();
    for (ty, item) in [
        ("1 3", Extern::from(memory.clone())),
        ("2 3 shared", memory.clone().into()),
        ("1 2 shared", memory.clone().into()),
        ("i64 1 3 shared", memory.clone().into()),
        ("1 3 shared", unshared.into()),
    ] {
        let error = import(ty, item).unwrap_err();
        assert!(error.is::<LinkError>() && error.to_string().contains("shared)"), "{error}");
    }
    memory.grow(1).unwrap();
    import("2 3 shared", memory.into()).unwrap();
}

#[test]
fn a_memory_of_another_engine_is_refused() {
    let (engine, other) = (engine(), engine());
    let memory = shared(&other, 1, 1);
    let message = "the shared memory belongs to another engine than the store";
    let module = Module::new(&engine, r#"(module (import "" "" (memory 1 1 shared)))"#).unwrap();
    let error = instance(&module, &memory).unwrap_err();
    assert_eq!(error.to_string(), message);
    let store = Store::new(&engine, ());
    let error = Linker::new(&engine).define(&store, "", "", memory).map(drop).unwrap_err();
    assert_eq!(error.to_string(), message);
}

#[test]
fn limits_hold_for_shared_memories() {
    for reservation in [0, 1 << 32] {
        let mut config = config();
        config.memory_limit(2 << 16).memory_reservation(reservation);
        let engine = Engine::new(&config).unwrap();
        let error = SharedMemory::new(&engine, MemoryType::shared(3, 4)).unwrap_err().to_string();
        assert_eq!(error, "a memory of 196608 bytes exceeds the limit of 131072 bytes");
        let memory = shared(&engine, 1, 4);
        assert_eq!(memory.grow(1).unwrap(), 1);
        assert!(memory.grow(1).is_err());
        assert_eq!(memory.size(), 2);
    }
}
