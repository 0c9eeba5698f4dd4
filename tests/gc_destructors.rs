//! Destructors of host values do what destructors do: they use other stores, and give up what they
//! hold of their own.

use std::sync::{Arc, Mutex};

use hostref::{
    Config, Engine, ExternRef, GcHeapOutOfMemory, ManuallyRooted, Result, RootScope, Store,
};

mod support;

use support::{Census, Counted, Mode};

/// A value that makes objects in another store, and collects there, when it is dropped.
struct Heir {
    other: Arc<Mutex<Store<()>>>,
    census: Census,
}

impl Drop for Heir {
    fn drop(&mut self) {
        let mut other = self.other.lock().expect("nobody panics");
        let mut scope = RootScope::new(&mut *other);
        let made = self.census.root(&mut scope).expect("there is room");
        assert!(made.data(&scope).is_ok());
        drop(scope);
        other.gc();
    }
}

fn destructors_use_other_stores(mode: Mode) -> Result<()> {
    let census = Census::default();
    let other = Arc::new(Mutex::new(mode.store()));
    let mut store = mode.store();
    for _ in 0..100 {
        let mut scope = RootScope::new(&mut store);
        ExternRef::new(&mut scope, Heir { other: Arc::clone(&other), census: census.clone() })?;
    }
    store.gc();
    assert_eq!((census.dropped(), census.live()), (100, 0));
    ExternRef::new(&mut store, Heir { other: Arc::clone(&other), census: census.clone() })?;
    drop(store);
    assert_eq!((census.dropped(), census.live()), (101, 0));
    Ok(())
}

/// A value that keeps another one of its own store alive.
struct Link(#[expect(dead_code, reason = "held until it is dropped")] Option<Kept>);
type Kept = ManuallyRooted<ExternRef<Link>>;

fn a_chain_of_values_that_hold_each_other_dies_link_by_link(mode: Mode) -> Result<()> {
    const LINKS: usize = 10;
    let mut store = mode.store();
    let mut first: Option<Kept> = None;
    for _ in 0..LINKS {
        let mut scope = RootScope::new(&mut store);
        let link = ExternRef::new_typed(&mut scope, Link(first))?;
        first = Some(link.to_manually_rooted(&mut scope)?);
    }
    store.gc();
    assert_eq!(store.gc_stats().host_objects, LINKS);
    drop(first);
    for left in (0..LINKS).rev() {
        store.gc();
        assert_eq!(store.gc_stats().host_objects, left);
    }
    Ok(())
}

/// Memory that host values own outside of the heap is garbage too: it is found before the limit is
/// reached, and a value over the limit comes back.
fn values_that_own_much_are_collected_in_time(mode: Mode) -> Result<()> {
    let census = Census::default();
    let mut config: Config = mode.config();
    config.host_memory_limit(Some(64 << 20));
    let mut store = Store::new(&Engine::new(&config)?, ());
    for _ in 0..2000 {
        let mut scope = RootScope::new(&mut store);
        ExternRef::new_with_external_bytes(&mut scope, census.object(), 1 << 20)?;
    }
    assert!(census.peak() <= 64, "{} MiB at a time", census.peak());
    let mut kept = Vec::new();
    let refused = loop {
        match ExternRef::new_with_external_bytes(&mut store, census.object(), 1 << 20) {
            Ok(object) => kept.push(object),
            Err(error) => break error,
        }
    };
    let value = refused.downcast::<GcHeapOutOfMemory<Counted>>()?.into_inner();
    assert_eq!(census.live(), kept.len() + 1, "the value came back");
    drop(value);
    assert!((60..64).contains(&kept.len()), "{} MiB fit", kept.len());
    Ok(())
}

support::both_modes! {
    destructors_use_other_stores,
    a_chain_of_values_that_hold_each_other_dies_link_by_link,
    values_that_own_much_are_collected_in_time,
}
