//! Objects that methods make and drop, and collections among it.

use super::*;

struct Bytes;

struct Chunk {
    alive: Arc<AtomicUsize>,
    _data: [u8; 4096],
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

#[host_module(name = "bytes", state = Arc<AtomicUsize>)]
impl Bytes {
    fn chunk(cx: &mut Caller<'_, Arc<AtomicUsize>>) -> New<Chunk> {
        let alive = cx.data().clone();
        alive.fetch_add(1, Ordering::Relaxed);
        New(Chunk { alive, _data: [0; 4096] })
    }
    fn small() -> New<u64> {
        New(1)
    }
}

#[test]
fn a_loop_over_new_objects_runs_in_bounded_memory() {
    let engine = Engine::new(Config::new().gc_heap_limit(1 << 20)).unwrap();
    let mut linker = Linker::new(&engine);
    Bytes::add_to_linker(&mut linker).unwrap();
    let alive: Arc<AtomicUsize> = Arc::default();
    let mut store = Store::new(&engine, alive.clone());
    let instance = guest(
        &mut store,
        &linker,
        r#"(module
            (import "bytes" "chunk" (func $chunk (result externref)))
            (import "bytes" "small" (func $small (result externref)))
            (func (export "run") (param i32)
                (loop
                    (drop (call $chunk))
                    (drop (call $small))
                    (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#,
    );
    let run = instance.get_typed_func::<i32, ()>(&mut store, "run").unwrap();
    run.call(&mut store, 100_000).unwrap();
    let left = alive.load(Ordering::Relaxed);
    assert!(left < 10_000, "{left} objects are alive");
    store.gc();
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

#[test]
fn a_full_heap_traps_and_says_what_had_no_room() {
    let engine = Engine::new(Config::new().gc_heap_limit(1 << 20)).unwrap();
    let mut linker = Linker::new(&engine);
    Bytes::add_to_linker(&mut linker).unwrap();
    let mut store = Store::new(&engine, Arc::default());
    let instance = guest(
        &mut store,
        &linker,
        r#"(module
            (import "bytes" "small" (func $small (result externref)))
            (table $t 1 externref)
            (func (export "run")
                (loop
                    (drop (table.grow $t (call $small) (i32.const 1)))
                    (br 0))))"#,
    );
    let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
    let message = chain(&run.call(&mut store, ()).unwrap_err());
    assert!(
        message.contains(
            "host function `bytes::small`: no room for a new `u64`, even after a collection"
        ),
        "{message}"
    );
}
