//! Borrows while methods call back into the guest.

use super::*;

struct Api;

/// Calls the export `name` of the calling guest.
fn back(cx: &mut Caller<'_, ()>, name: &str, object: Rooted<ExternRef<Counter>>) -> Result<i64> {
    let export = cx.get_export(name).and_then(Extern::into_func).unwrap();
    export.typed::<Rooted<ExternRef<Counter>>, i64>(&*cx)?.call(cx, object)
}

#[host_module(name = "api", state = ())]
impl Api {
    /// Holds `held` mutably while the guest gets `other`.
    fn with_mut(
        cx: &mut Caller<'_, ()>,
        held: &mut Counter,
        other: Rooted<ExternRef<Counter>>,
    ) -> Result<i64> {
        held.0 += 1;
        let result = back(cx, "read", other);
        held.0 += 1;
        result
    }
    /// Holds `held` while the guest gets `other`.
    fn with_ref(
        cx: &mut Caller<'_, ()>,
        held: &Counter,
        other: Rooted<ExternRef<Counter>>,
    ) -> Result<i64> {
        assert_eq!(other.data(&*cx)?.0 == held.0, other.data_mut(&mut *cx).is_err());
        Ok(back(cx, "read", other)? + held.0)
    }
    fn twice(
        cx: &mut Caller<'_, ()>,
        outer: &Counter,
        other: Rooted<ExternRef<Counter>>,
    ) -> Result<i64> {
        assert_eq!(back(cx, "read", other)?, outer.0);
        // The inner borrow ended: the message must name the outer one.
        back(cx, "bump", other)
    }
    fn read(inner: &Counter) -> i64 {
        inner.0
    }
    fn bump(inner: &mut Counter) -> i64 {
        inner.0 += 1;
        inner.0
    }
    fn collect(cx: &mut Caller<'_, ()>, held: &Tracked) -> i32 {
        cx.as_context_mut().gc();
        cx.as_context_mut().gc();
        held.dropped.load(Ordering::Relaxed) as i32
    }
    fn track() -> New<Tracked> {
        New(Tracked { dropped: DROPPED.with(Arc::clone) })
    }
}

thread_local! {
    static DROPPED: Arc<AtomicUsize> = Arc::default();
}

struct Tracked {
    dropped: Arc<AtomicUsize>,
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

const GUEST: &str = r#"(module
    (import "api" "with_mut" (func $with_mut (param externref externref) (result i64)))
    (import "api" "with_ref" (func $with_ref (param externref externref) (result i64)))
    (import "api" "twice" (func $twice (param externref externref) (result i64)))
    (import "api" "read" (func $read (param externref) (result i64)))
    (import "api" "bump" (func $bump (param externref) (result i64)))
    (import "api" "track" (func $track (result externref)))
    (import "api" "collect" (func $collect (param externref) (result i32)))
    (func (export "with_mut") (param externref externref) (result i64)
        (call $with_mut (local.get 0) (local.get 1)))
    (func (export "with_ref") (param externref externref) (result i64)
        (call $with_ref (local.get 0) (local.get 1)))
    (func (export "twice") (param externref externref) (result i64)
        (call $twice (local.get 0) (local.get 1)))
    (func (export "read") (param externref) (result i64) (call $read (local.get 0)))
    (func (export "bump") (param externref) (result i64) (call $bump (local.get 0)))
    (func (export "collect") (result i32) (call $collect (call $track))))"#;

type Two = (Rooted<ExternRef<Counter>>, Rooted<ExternRef<Counter>>);

fn fixture(config: &Config) -> (Store<()>, Instance) {
    let engine = Engine::new(config).unwrap();
    let mut linker = Linker::new(&engine);
    Api::add_to_linker(&mut linker).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = guest(&mut store, &linker, GUEST);
    (store, instance)
}

#[test]
fn a_borrow_of_an_outer_frame_is_respected_and_named() {
    for stress in [false, true] {
        let (mut store, instance) = fixture(Config::new().gc_stress(stress));
        let a = ExternRef::new_typed(&mut store, Counter(1)).unwrap();
        let b = ExternRef::new_typed(&mut store, Counter(5)).unwrap();
        let run = instance.get_typed_func::<Two, i64>(&mut store, "with_mut").unwrap();
        assert_eq!(run.call(&mut store, (a, b)).unwrap(), 5);
        let message = chain(&run.call(&mut store, (a, a)).unwrap_err());
        assert!(
            message.contains(
                "parameter `inner` of `api::read`: the host object of type \
                 `host_module::Counter` is already mutably borrowed by parameter `held` of \
                 `api::with_mut`"
            ),
            "{message}"
        );
        assert_eq!(a.data(&store).unwrap(), &Counter(5), "the outer method ran to its end");
    }
}

#[test]
fn shared_borrows_nest_and_refuse_mutation() {
    let (mut store, instance) = fixture(Config::new().gc_stress(true));
    let a = ExternRef::new_typed(&mut store, Counter(1)).unwrap();
    let b = ExternRef::new_typed(&mut store, Counter(5)).unwrap();
    let run = instance.get_typed_func::<Two, i64>(&mut store, "with_ref").unwrap();
    assert_eq!(run.call(&mut store, (a, a)).unwrap(), 2);
    assert_eq!(run.call(&mut store, (a, b)).unwrap(), 6);
    let run = instance.get_typed_func::<Two, i64>(&mut store, "twice").unwrap();
    let message = chain(&run.call(&mut store, (a, a)).unwrap_err());
    assert!(
        message.contains(
            "parameter `inner` of `api::bump`: the host object of type `host_module::Counter` \
             is already borrowed by parameter `outer` of `api::twice`"
        ),
        "{message}"
    );
    a.data_mut(&mut store).unwrap().0 = 3;
}

#[test]
fn a_borrowed_object_outlives_its_last_reference() {
    let (mut store, instance) = fixture(&Config::new());
    let run = instance.get_typed_func::<(), i32>(&mut store, "collect").unwrap();
    assert_eq!(run.call(&mut store, ()).unwrap(), 0, "not dropped while borrowed");
    store.gc();
    assert_eq!(DROPPED.with(|dropped| dropped.load(Ordering::Relaxed)), 1);
}
