//! What the collector costs: allocation, pauses by the size of what lives, full collections. Times are
//! of the best of several rounds; pauses are those that the store itself has measured.

use std::time::{Duration, Instant};

use hostref::{Caller, Config, Engine, ExternRef, Instance, Linker, Module, Result, Store};

const GUEST: &str = r#"
    (module
        (import "host" "fresh" (func $fresh (result externref)))
        (type $pair (struct (field i32) (field i32)))
        (type $node (struct (field $next (mut (ref null $node))) (field i32)))
        (type $tree (struct (field (ref null $tree)) (field (ref null $tree))))
        (type $refs (array (mut (ref null $node))))
        (global $live (mut (ref null $node)) (ref.null $node))
        (global $array (mut (ref null $refs)) (ref.null $refs))
        (func (export "externs") (param $n i32)
            (loop (drop (call $fresh))
                (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
        (func (export "pairs") (param $n i32)
            (loop (drop (struct.new $pair (local.get $n) (i32.const 7)))
                (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
        (func (export "live") (param $n i32)
            (global.set $live (ref.null $node))
            (loop (global.set $live (struct.new $node (global.get $live) (local.get $n)))
                (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
        (func (export "array") (param $n i32)
            (global.set $array (array.new_default $refs (local.get $n))))
        ;; Writes of young references to an old array.
        (func (export "writes") (param $n i32) (local $len i32)
            (local.set $len (array.len (global.get $array)))
            (loop
                (array.set $refs (global.get $array) (i32.rem_u (local.get $n) (local.get $len))
                    (struct.new $node (ref.null $node) (local.get $n)))
                (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
        (func $build (param $depth i32) (result (ref null $tree))
            (if (result (ref null $tree)) (i32.eqz (local.get $depth))
                (then (ref.null $tree))
                (else (struct.new $tree
                    (call $build (i32.sub (local.get $depth) (i32.const 1)))
                    (call $build (i32.sub (local.get $depth) (i32.const 1)))))))
        (func (export "trees") (param $n i32) (param $depth i32)
            (loop (drop (call $build (local.get $depth)))
                (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"#;

struct Guest {
    store: Store<()>,
    instance: Instance,
}

impl Guest {
    fn new(config: &Config) -> Result<Guest> {
        let engine = Engine::new(config)?;
        let mut linker = Linker::new(&engine);
        linker.func_wrap("host", "fresh", |caller: Caller<'_, ()>| ExternRef::new(caller, 1_u32))?;
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &Module::new(&engine, GUEST)?)?;
        Ok(Guest { store, instance })
    }

    fn call(&mut self, name: &str, n: u32) -> Result<Duration> {
        let func = self.instance.get_typed_func::<u32, ()>(&mut self.store, name)?;
        let start = Instant::now();
        func.call(&mut self.store, n)?;
        Ok(start.elapsed())
    }

    fn trees(&mut self, n: u32, depth: u32) -> Result<Duration> {
        let func = self.instance.get_typed_func::<(u32, u32), ()>(&mut self.store, "trees")?;
        let start = Instant::now();
        func.call(&mut self.store, (n, depth))?;
        Ok(start.elapsed())
    }
}

/// The least of several durations, divided by `count`, in nanoseconds.
fn best(count: u32, mut run: impl FnMut() -> Result<Duration>) -> Result<f64> {
    let mut least = Duration::MAX;
    for _ in 0..7 {
        least = least.min(run()?);
    }
    Ok(least.as_nanos() as f64 / f64::from(count))
}

fn allocation(config: &Config) -> Result<()> {
    let mut guest = Guest::new(config)?;
    let n = 1_000_000;
    println!("fresh externref, dropped   {:7.2} ns", best(n, || guest.call("externs", n))?);
    println!("struct of 2 x i32, dropped {:7.2} ns", best(n, || guest.call("pairs", n))?);
    println!("struct kept in a list      {:7.2} ns", best(n, || guest.call("live", n))?);
    guest.call("live", 1)?;
    println!("trees of depth 5, per node {:7.2} ns", best(31 * 20_000, || guest.trees(20_000, 5))?);
    println!("tree of depth 16, per node {:7.2} ns", best(65_535 * 10, || guest.trees(10, 16))?);
    for len in [100, 100_000] {
        guest.call("array", len)?;
        guest.store.gc();
        let time = best(n, || guest.call("writes", n))?;
        println!("young into old array[{len:6}] {time:5.2} ns");
    }
    Ok(())
}

fn pauses(config: &Config) -> Result<()> {
    println!("live objects | pairs beside | minor mean |   longest | full       |    MB/s");
    for live in [1_000, 10_000, 100_000, 1_000_000, 10_000_000] {
        let mut guest = Guest::new(config)?;
        guest.call("live", live)?;
        guest.store.gc();
        let before = guest.store.gc_stats();
        guest.store.gc();
        let full = guest.store.gc_stats();
        let time = full.full_time - before.full_time;
        let speed = full.live_bytes as f64 / 1e6 / time.as_secs_f64();
        let pairs = best(5_000_000, || guest.call("pairs", 5_000_000))?;
        let after = guest.store.gc_stats();
        let count = (after.minor_collections - full.minor_collections).max(1) as u32;
        let mean = (after.minor_time - full.minor_time) / count;
        println!(
            "{live:12} | {pairs:9.2} ns | {mean:10.1?} | {:9.1?} | {time:10.1?} | {speed:7.0}",
            after.longest_minor_pause,
        );
    }
    Ok(())
}

fn main() -> Result<()> {
    for size in [512 << 10, 1 << 20, 2 << 20, 4 << 20] {
        let mut config = Config::new();
        config.gc_nursery_size(size);
        println!("nursery of {} KiB", size >> 10);
        allocation(&config)?;
        if size == 1 << 20 {
            pauses(&config)?;
        }
    }
    Ok(())
}
