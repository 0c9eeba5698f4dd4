//! A Kotlin program on Wasm GC, with its standard library: it prints what it prints elsewhere.
//! `tests/guests/build.sh` compiles it, says where it is and runs this test.

use std::time::Instant;

use anyhow::bail;
use hostref::{
    Caller, Config, Engine, Linker, Memory, Module, Result, Store, host_module, wasm_exports,
};

/// What the program wrote, and the state of its random numbers.
struct World {
    output: Vec<u8>,
    random: u64,
}

/// The three functions of WASI preview 1 that Kotlin's library imports.
struct Wasi;

const SUCCESS: i32 = 0;
const EBADF: i32 = 8;
const ENOSYS: i32 = 52;

#[host_module(name = "wasi_snapshot_preview1", state = World)]
impl Wasi {
    fn fd_write(
        cx: &mut Caller<'_, World>,
        fd: i32,
        buffers: u32,
        count: u32,
        written: u32,
    ) -> Result<i32> {
        if fd != 1 {
            return Ok(EBADF);
        }
        let memory = memory(cx)?;
        let mut total = 0;
        for buffer in 0..count {
            let at = word(memory, cx, buffers + 8 * buffer)?;
            let len = word(memory, cx, buffers + 8 * buffer + 4)?;
            let mut bytes = vec![0; len as usize];
            memory.read(&*cx, at as usize, &mut bytes)?;
            cx.data_mut().output.append(&mut bytes);
            total += len;
        }
        memory.write(cx, written as usize, &total.to_le_bytes())?;
        Ok(SUCCESS)
    }

    fn poll_oneoff(_subscriptions: u32, _events: u32, _count: u32, _stored: u32) -> i32 {
        ENOSYS
    }

    fn random_get(cx: &mut Caller<'_, World>, at: u32, len: u32) -> Result<i32> {
        let memory = memory(cx)?;
        for at in at..at + len {
            let random = cx.data().random;
            cx.data_mut().random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            memory.write(&mut *cx, at as usize, &[(random >> 56) as u8])?;
        }
        Ok(SUCCESS)
    }
}

fn memory(cx: &mut Caller<'_, World>) -> Result<Memory> {
    match cx.get_export("memory").and_then(|export| export.into_memory()) {
        Some(memory) => Ok(memory),
        None => bail!("the program exports no memory"),
    }
}

fn word(memory: Memory, cx: &Caller<'_, World>, at: u32) -> Result<u32> {
    let mut bytes = [0; 4];
    memory.read(cx, at as usize, &mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

#[wasm_exports]
struct Program {
    #[export(name = "_start")]
    start: fn(),
}

/// Compiles the program, runs it three times, and reports the times.
fn runs(config: &Config, runs: u32) -> Result<()> {
    let path = std::env::var_os("HOSTREF_KOTLIN_GUEST")
        .expect("HOSTREF_KOTLIN_GUEST names the compiled program: see tests/guests/build.sh");
    let engine = Engine::new(config)?;
    let begin = Instant::now();
    let module = Module::from_file(&engine, path)?;
    println!("compiled in {:?}", begin.elapsed());
    let mut linker = Linker::new(&engine);
    Wasi::add_to_linker(&mut linker)?;
    for _ in 0..runs {
        let mut store = Store::new(&engine, World { output: Vec::new(), random: 1 });
        let program = Program::instantiate(&mut store, &module, &linker)?;
        let begin = Instant::now();
        program.call_start(&mut store)?;
        println!("ran in {:?}", begin.elapsed());
        let output = String::from_utf8(store.into_data().output)?;
        assert_eq!(output, include_str!("guests/inventory.kt.expected"));
    }
    Ok(())
}

#[test]
fn a_kotlin_program_prints_what_it_prints_elsewhere() -> Result<()> {
    runs(&Config::new(), 3)
}

#[test]
fn a_kotlin_program_runs_with_checked_memories() -> Result<()> {
    runs(Config::new().memory_reservation(1 << 20), 1)
}
