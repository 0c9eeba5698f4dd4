//! Memories with 64-bit addresses, tables with 64-bit indices and pages of one byte, at their edges
//! and at the host boundary: what the official suite does not cover.

use hostref::{
    Config, Engine, Instance, Linker, Memory, MemoryType, Module, Ref, RefType, Result, Store,
    Table, TableType, Trap, TypedFunc, Val, WasmParams, WasmResults,
};

const PAGE: u64 = 64 << 10;

struct Guest {
    store: Store<()>,
    instance: Instance,
}

impl Guest {
    fn new(config: &Config, text: &str) -> Result<Guest> {
        let engine = Engine::new(config)?;
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &Module::new(&engine, text)?, &[])?;
        Ok(Guest { store, instance })
    }

    fn func<P: WasmParams, R: WasmResults>(&mut self, name: &str) -> TypedFunc<P, R> {
        self.instance.get_typed_func(&mut self.store, name).unwrap()
    }

    /// Calls `name`; a trap is returned, any other error is a panic.
    fn call<P: WasmParams, R: WasmResults>(&mut self, name: &str, params: P) -> Result<R, Trap> {
        let func = self.func::<P, R>(name);
        func.call(&mut self.store, params).map_err(|error| *error.downcast_ref::<Trap>().unwrap())
    }
}

/// Loads and stores of every size with this offset, for addresses of type `index`.
fn accesses(memory: &str, index: &str, offset: u64) -> String {
    let mut text = format!("(module (memory (export \"memory\") {memory})");
    for (size, load, store) in [
        (1, "i64.load8_u", "i64.store8"),
        (2, "i64.load16_u", "i64.store16"),
        (4, "i64.load32_u", "i64.store32"),
        (8, "i64.load", "i64.store"),
    ] {
        text += &format!(
            "(func (export \"load{size}\") (param {index}) (result i64)
                ({load} offset={offset} (local.get 0)))
             (func (export \"store{size}\") (param {index} i64)
                ({store} offset={offset} (local.get 0) (local.get 1)))"
        );
    }
    text += &format!(
        "(func (export \"load16\") (param {index}) (result i64)
            (i64x2.extract_lane 1 (v128.load offset={offset} (local.get 0))))
         (func (export \"size\") (result {index}) (memory.size))
         (func (export \"grow\") (param {index}) (result {index}) (memory.grow (local.get 0))))"
    );
    text
}

#[test]
fn accesses_end_where_the_memory_ends() -> Result<()> {
    // Offsets within the guard, at its edge, and beyond it.
    for offset in [0, 1, 4095, PAGE - 16, PAGE - 15, PAGE, 2 * PAGE - 20] {
        let mut guest = Guest::new(&Config::new(), &accesses("i64 2", "i64", offset))?;
        for size in [1, 2, 4, 8, 16] {
            let last = 2 * PAGE - offset - size;
            let load = format!("load{size}");
            assert_eq!(guest.call(&load, last), Ok(0_i64), "{offset} {size}");
            for address in [last + 1, last + size, u64::MAX, u64::MAX - offset, 1 << 63, 1 << 32] {
                let outcome = guest.call::<u64, i64>(&load, address);
                assert_eq!(outcome, Err(Trap::MemoryOutOfBounds), "{offset} {size} {address}");
            }
        }
        for size in [1_u64, 2, 4, 8] {
            let last = 2 * PAGE - offset - size;
            let (load, store) = (format!("load{size}"), format!("store{size}"));
            assert_eq!(guest.call(&store, (last, 0x5a_i64)), Ok(()));
            assert_eq!(guest.call(&load, last), Ok(0x5a_i64));
            assert_eq!(guest.call(&store, (last, 0_i64)), Ok(()));
            for address in [last + 1, u64::MAX - offset, u64::MAX] {
                let outcome = guest.call::<(u64, i64), ()>(&store, (address, -1));
                assert_eq!(outcome, Err(Trap::MemoryOutOfBounds), "{offset} {size} {address}");
            }
        }
        let memory = guest.instance.get_memory(&mut guest.store, "memory").unwrap();
        assert!(memory.data(&guest.store).iter().all(|byte| *byte == 0));
    }
    Ok(())
}

#[test]
fn offsets_that_wrap_around_are_outside() -> Result<()> {
    for offset in [1 << 32, 1 << 63, u64::MAX - 7, u64::MAX] {
        let mut guest = Guest::new(&Config::new(), &accesses("i64 1", "i64", offset))?;
        for address in [0, 1, 8, 16, offset.wrapping_neg(), u64::MAX] {
            for size in [1, 8, 16] {
                let outcome = guest.call::<u64, i64>(&format!("load{size}"), address);
                assert_eq!(outcome, Err(Trap::MemoryOutOfBounds), "{offset} {size} {address}");
            }
        }
    }
    Ok(())
}

#[test]
fn an_empty_memory_has_no_address() -> Result<()> {
    for (memory, index_is_64) in
        [("i64 0", true), ("i64 0 (pagesize 1)", true), ("0 (pagesize 1)", false)]
    {
        let index = if index_is_64 { "i64" } else { "i32" };
        let mut config = Config::new();
        config.wasm_custom_page_sizes(true);
        let mut guest = Guest::new(&config, &accesses(memory, index, 0))?;
        let outcome = match index_is_64 {
            true => guest.call::<u64, i64>("load1", 0),
            false => guest.call::<u32, i64>("load1", 0),
        };
        assert_eq!(outcome, Err(Trap::MemoryOutOfBounds), "{memory}");
    }
    Ok(())
}

#[test]
fn a_grown_memory_is_checked_against_its_new_length() -> Result<()> {
    let mut guest = Guest::new(&Config::new(), &accesses("i64 1 3", "i64", 0))?;
    assert_eq!(guest.call::<u64, i64>("load8", PAGE), Err(Trap::MemoryOutOfBounds));
    assert_eq!(guest.call("grow", 1_u64), Ok(1_u64));
    assert_eq!(guest.call::<u64, i64>("load8", PAGE), Ok(0));
    assert_eq!(guest.call("grow", 2_u64), Ok(u64::MAX));
    assert_eq!(guest.call("grow", u64::MAX), Ok(u64::MAX));
    assert_eq!(guest.call("grow", 1_u64 << 48), Ok(u64::MAX));
    let memory = guest.instance.get_memory(&mut guest.store, "memory").unwrap();
    assert_eq!(memory.grow(&mut guest.store, 1)?, 2);
    assert_eq!(guest.call("size", ()), Ok(3_u64));
    assert_eq!(guest.call::<u64, i64>("load8", 3 * PAGE - 8), Ok(0));
    Ok(())
}

#[test]
fn a_memory_beyond_4_gib_needs_a_limit_that_allows_it() -> Result<()> {
    const PAGES: u64 = (4 << 30) / PAGE + 1;
    let text = accesses(&format!("i64 1 {}", 1_u64 << 40), "i64", 8);
    let mut guest = Guest::new(&Config::new(), &text)?;
    assert_eq!(guest.call("grow", PAGES - 1), Ok(u64::MAX));

    let mut guest = Guest::new(Config::new().memory_limit(5 << 30), &text)?;
    assert_eq!(guest.call("grow", PAGES - 1), Ok(1_u64));
    let last = PAGES * PAGE - 16;
    assert_eq!(guest.call("store8", (last, -2_i64)), Ok(()));
    assert_eq!(guest.call("load8", last), Ok(-2_i64));
    assert_eq!(guest.call::<u64, i64>("load8", last + 1), Err(Trap::MemoryOutOfBounds));
    let memory = guest.instance.get_memory(&mut guest.store, "memory").unwrap();
    assert_eq!(memory.data(&guest.store)[(4 << 30) + 65_528], 0xfe);

    // No limit: the reservation has one all the same.
    let mut guest = Guest::new(Config::new().memory_limit(u64::MAX), &text)?;
    assert_eq!(guest.call("grow", 1_u64 << 30), Ok(u64::MAX));
    let large = format!("(module (memory i64 {}))", 1_u64 << 40);
    assert!(Guest::new(Config::new().memory_limit(u64::MAX), &large).is_err());
    assert!(Guest::new(&Config::new(), &large).is_err());
    Ok(())
}

#[test]
fn bulk_operations_take_the_widths_of_their_memories() -> Result<()> {
    let text = r#"(module
        (memory $wide (export "wide") i64 1)
        (memory $narrow (export "narrow") 1)
        (data $data "0123456789")
        (func (export "init") (param i64 i32 i32)
            (memory.init $wide $data (local.get 0) (local.get 1) (local.get 2)))
        (func (export "fill") (param i64 i32 i64)
            (memory.fill $wide (local.get 0) (local.get 1) (local.get 2)))
        (func (export "out") (param i32 i64 i32)
            (memory.copy $narrow $wide (local.get 0) (local.get 1) (local.get 2)))
        (func (export "in") (param i64 i32 i32)
            (memory.copy $wide $narrow (local.get 0) (local.get 1) (local.get 2)))
        (func (export "move") (param i64 i64 i64)
            (memory.copy $wide $wide (local.get 0) (local.get 1) (local.get 2))))"#;
    let mut guest = Guest::new(&Config::new(), text)?;
    let outside: Result<(), _> = Err(Trap::MemoryOutOfBounds);
    assert_eq!(guest.call("init", (8_u64, 0_u32, 10_u32)), Ok(()));
    assert_eq!(guest.call("init", ((1_u64 << 32) + 8, 0_u32, 10_u32)), outside);
    assert_eq!(guest.call("fill", (18_u64, 33_u32, 2_u64)), Ok(()));
    assert_eq!(guest.call("fill", (0_u64, 33_u32, (1_u64 << 32) + 1)), outside);
    assert_eq!(guest.call("fill", (u64::MAX, 33_u32, 2_u64)), outside);
    assert_eq!(guest.call("out", (0_u32, 8_u64, 12_u32)), Ok(()));
    assert_eq!(guest.call("out", (0_u32, (1_u64 << 32) + 8, 12_u32)), outside);
    assert_eq!(guest.call("out", (u32::MAX, 8_u64, 12_u32)), outside);
    assert_eq!(guest.call("in", (100_u64, 0_u32, 12_u32)), Ok(()));
    assert_eq!(guest.call("move", (106_u64, 100_u64, 6_u64)), Ok(()));
    assert_eq!(guest.call("move", (0_u64, 1_u64 << 63, 1_u64 << 63)), outside);
    let memory = |guest: &mut Guest, name: &str| {
        let memory = guest.instance.get_memory(&mut guest.store, name).unwrap();
        memory.data(&guest.store).to_vec()
    };
    assert_eq!(memory(&mut guest, "narrow")[..12], *b"0123456789!!");
    assert_eq!(memory(&mut guest, "wide")[100..112], *b"012345012345");
    Ok(())
}

#[test]
fn tables_take_64_bit_indices() -> Result<()> {
    let text = r#"(module
        (type $f (func (result i32)))
        (table $t (export "table") i64 3 5 funcref)
        (table $u (export "small") 3 funcref)
        (elem (table $t) (i64.const 1) func $one)
        (elem $passive func $one $one)
        (func $one (type $f) (i32.const 1))
        (func (export "call") (param i64) (result i32) (call_indirect $t (type $f) (local.get 0)))
        (func (export "set") (param i64) (table.set $t (local.get 0) (ref.func $one)))
        (func (export "size") (result i64) (table.size $t))
        (func (export "grow") (param i64) (result i64)
            (table.grow $t (ref.null func) (local.get 0)))
        (func (export "fill") (param i64 i64)
            (table.fill $t (local.get 0) (ref.func $one) (local.get 1)))
        (func (export "init") (param i64 i32 i32)
            (table.init $t $passive (local.get 0) (local.get 1) (local.get 2)))
        (func (export "copy") (param i32 i64 i32)
            (table.copy $u $t (local.get 0) (local.get 1) (local.get 2))))"#;
    let mut guest = Guest::new(&Config::new(), text)?;
    let outside = Trap::TableOutOfBounds;
    assert_eq!(guest.call("call", 1_u64), Ok(1));
    assert_eq!(guest.call::<u64, i32>("call", 0), Err(Trap::IndirectCallToNull));
    for index in [3, (1 << 32) + 1, 1 << 61, u64::MAX] {
        assert_eq!(guest.call::<u64, i32>("call", index), Err(outside));
        assert_eq!(guest.call::<u64, ()>("set", index), Err(outside));
    }
    assert_eq!(guest.call("grow", 1_u64), Ok(3_u64));
    assert_eq!(guest.call("grow", 2_u64), Ok(u64::MAX));
    assert_eq!(guest.call("grow", u64::MAX), Ok(u64::MAX));
    assert_eq!(guest.call("size", ()), Ok(4_u64));
    assert_eq!(guest.call("fill", (3_u64, 1_u64)), Ok(()));
    assert_eq!(guest.call::<_, ()>("fill", (3_u64, (1_u64 << 32) + 1)), Err(outside));
    assert_eq!(guest.call::<_, ()>("init", (1_u64 << 32, 0_u32, 2_u32)), Err(outside));
    assert_eq!(guest.call("init", (0_u64, 0_u32, 1_u32)), Ok(()));
    assert_eq!(guest.call("call", 3_u64), Ok(1));
    assert_eq!(guest.call("call", 0_u64), Ok(1));
    assert_eq!(guest.call("copy", (0_u32, 3_u64, 1_u32)), Ok(()));
    assert_eq!(guest.call::<_, ()>("copy", (0_u32, (1_u64 << 32) + 3, 1_u32)), Err(outside));
    let table = guest.instance.get_table(&mut guest.store, "table").unwrap();
    assert!(table.ty(&guest.store).is_64());
    assert_eq!(table.ty(&guest.store).to_string(), "(table i64 3 5 funcref)");
    Ok(())
}

#[test]
fn widths_are_part_of_the_types_that_link() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::<()>::new(&engine);
    let wide = Memory::new(&mut store, MemoryType::new64(1, Some(2)))?;
    let narrow = Memory::new(&mut store, MemoryType::new(1, Some(2)))?;
    linker.define(&mut store, "host", "wide", wide)?;
    linker.define(&mut store, "host", "narrow", narrow)?;
    let null = Ref::Func(None);
    let ty = TableType::new64(RefType::FUNCREF, 1, Some(1 << 40));
    let table = Table::new(&mut store, ty, null)?;
    linker.define(&mut store, "host", "table", table)?;
    let mut links = |import: &str| {
        let text = format!("(module (import \"host\" {import}))");
        linker.instantiate(&mut store, &Module::new(&engine, text).unwrap()).is_ok()
    };
    assert!(links(r#""wide" (memory i64 1)"#));
    assert!(!links(r#""wide" (memory 1)"#));
    assert!(links(r#""narrow" (memory 1)"#));
    assert!(!links(r#""narrow" (memory i64 1)"#));
    assert!(links(r#""table" (table i64 1 funcref)"#));
    assert!(!links(r#""table" (table 1 funcref)"#));
    assert_eq!(wide.ty(&store).to_string(), "(memory i64 1 2)");
    assert_eq!(wide.grow(&mut store, 1)?, 1);
    assert!(wide.grow(&mut store, 1).is_err());
    Ok(())
}

#[test]
fn an_embedders_memory_has_valid_limits() {
    let mut store = Store::new(&Engine::default(), ());
    let mut fails = |ty| Memory::new(&mut store, ty).is_err();
    assert!(!fails(MemoryType::new64(0, Some(1 << 48))));
    assert!(fails(MemoryType::new64(0, Some((1 << 48) + 1))));
    assert!(fails(MemoryType::new64(2, Some(1))));
    assert!(fails(MemoryType::new64(u64::MAX, None)));
    assert!(MemoryType::builder().page_size_log2(3).build().is_err());
    assert!(MemoryType::builder().page_size_log2(17).build().is_err());
    let most = u64::from(u32::MAX);
    assert!(MemoryType::builder().page_size_log2(0).max(Some(most)).build().is_ok());
    assert!(MemoryType::builder().page_size_log2(0).max(Some(most + 1)).build().is_err());
    let mut bytes = MemoryType::builder();
    assert!(bytes.memory64(true).page_size_log2(0).max(Some(u64::MAX)).build().is_ok());
}

#[test]
fn memories_of_bytes_end_at_any_byte() -> Result<()> {
    let mut config = Config::new();
    config.wasm_custom_page_sizes(true);
    for len in [17_u64, 4095, 4096, 4097, 70_000] {
        for offset in [0_u64, 1, 9] {
            let memory = format!("{len} 80000 (pagesize 1)");
            let mut narrow = Guest::new(&config, &accesses(&memory, "i32", offset))?;
            let mut wide = Guest::new(&config, &accesses(&format!("i64 {memory}"), "i64", offset))?;
            for size in [1, 2, 4, 8, 16_u64] {
                if size + offset > len {
                    continue;
                }
                let (load, last) = (format!("load{size}"), len - offset - size);
                assert_eq!(wide.call(&load, last), Ok(0_i64));
                assert_eq!(narrow.call(&load, last as u32), Ok(0_i64));
                let outside = Err(Trap::MemoryOutOfBounds);
                assert_eq!(wide.call::<u64, i64>(&load, last + 1), outside, "{len} {size}");
                assert_eq!(wide.call::<u64, i64>(&load, u64::MAX), outside);
                assert_eq!(narrow.call::<u32, i64>(&load, last as u32 + 1), outside);
                assert_eq!(narrow.call::<u32, i64>(&load, u32::MAX), outside);
            }
            assert_eq!(narrow.call("grow", 3_u32), Ok(len as u32));
            assert_eq!(narrow.call("size", ()), Ok(len as u32 + 3));
            let last = (len + 3 - offset - 8) as u32;
            assert_eq!(narrow.call("store8", (last, -1_i64)), Ok(()));
            let outcome = narrow.call::<_, ()>("store8", (last + 1, -1_i64));
            assert_eq!(outcome, Err(Trap::MemoryOutOfBounds));
            assert_eq!(narrow.call("grow", 80_000_u32), Ok(u32::MAX));
            let memory = narrow.instance.get_memory(&mut narrow.store, "memory").unwrap();
            assert_eq!(memory.page_size(&narrow.store), 1);
            assert_eq!(memory.data_size(&narrow.store) as u64, len + 3);
            // What lies behind the end is zero when the memory grows over it.
            memory.grow(&mut narrow.store, 100)?;
            let data = memory.data(&narrow.store);
            assert!(data[len as usize + 3..].iter().all(|byte| *byte == 0));
        }
    }
    Ok(())
}

#[test]
fn addresses_of_wide_memories_are_values_like_others() -> Result<()> {
    let mut guest = Guest::new(&Config::new(), &accesses("i64 1", "i64", 0))?;
    let size = guest.instance.get_func(&mut guest.store, "size").unwrap();
    let mut results = [Val::I32(0)];
    size.call(&mut guest.store, &[], &mut results)?;
    assert_eq!(results[0].unwrap_i64(), 1);
    Ok(())
}
