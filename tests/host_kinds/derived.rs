//! `#[derive(HostObject)]`: names, frozen objects, bytes owned, and where the properties come from.

use super::*;

#[derive(HostObject)]
#[host_object(name = "palette", frozen, size = Palette::bytes)]
struct Palette(Vec<u8>);

impl Palette {
    fn bytes(&self) -> usize {
        self.0.capacity()
    }
}

#[derive(HostObject)]
struct Brush(u32);

type Result16 = Result<(i32, New<Palette>, Option<New<Brush>>, i64)>;

struct Paint;

#[host_module(name = "paint")]
impl Paint {
    fn bare(len: u32) -> Palette {
        Palette(vec![1; len as usize])
    }
    fn fallible(len: u32) -> Result<Palette> {
        if len == 0 { Err(Error::msg("empty")) } else { Ok(Palette(vec![1; len as usize])) }
    }
    fn wrapped() -> New<Palette> {
        New(Palette(vec![2]))
    }
    fn maybe(some: bool) -> Option<New<Palette>> {
        some.then(|| New(Palette(vec![3])))
    }
    fn several() -> (Brush, Palette) {
        (Brush(1), Palette(vec![4]))
    }
    fn aliased() -> Result16 {
        Ok((7, New(Palette(vec![5])), None, 8))
    }
    fn size(palette: &Palette) -> u32 {
        palette.0.len() as u32
    }
    fn brush(brush: &mut Brush) -> u32 {
        brush.0 += 1;
        brush.0
    }
    fn consume(palette: Take<Palette>) -> u32 {
        palette.0.0.len() as u32
    }
    fn both(palette: Take<Palette>, brush: &mut Brush, other: &Palette) -> u32 {
        palette.0.0.len() as u32 + brush.0 + other.0.len() as u32
    }
    fn maybe_take(brush: Option<Take<Brush>>) -> bool {
        brush.is_some()
    }
}

const WAT: &str = r#"(module
    (func (export "bare") (import "paint" "bare") (param i32) (result externref))
    (func (export "fallible") (import "paint" "fallible") (param i32) (result externref))
    (func (export "wrapped") (import "paint" "wrapped") (result externref))
    (func (export "maybe") (import "paint" "maybe") (param i32) (result externref))
    (func (export "several") (import "paint" "several") (result externref externref))
    (func (export "aliased") (import "paint" "aliased") (result i32 externref externref i64))
    (func (export "size") (import "paint" "size") (param externref) (result i32))
    (func (export "brush") (import "paint" "brush") (param externref) (result i32))
    (func (export "consume") (import "paint" "consume") (param externref) (result i32))
    (func (export "both") (import "paint" "both") (param externref externref externref) (result i32))
    (func (export "maybe-take") (import "paint" "maybe_take") (param externref) (result i32)))"#;

fn paint(stress: bool) -> (Store<()>, Instance) {
    guest(Config::new().gc_stress(stress), (), WAT, Paint::add_to_linker).unwrap()
}

fn frozen(store: &mut Store<()>, value: &Val) -> bool {
    let object = *value.unwrap_externref().expect("not null");
    match object.data_mut(&mut *store) {
        Ok(_) => false,
        Err(error) => {
            let expected =
                "the host object of type `palette` is frozen and cannot be borrowed mutably";
            assert_eq!(error.to_string(), expected);
            true
        }
    }
}

#[test]
fn every_way_to_make_an_object_gives_it_its_properties() {
    for stress in [false, true] {
        let (mut store, guest) = paint(stress);
        let store = &mut store;
        for (name, params) in [
            ("bare", vec![Val::I32(3)]),
            ("fallible", vec![Val::I32(3)]),
            ("wrapped", vec![]),
            ("maybe", vec![Val::I32(1)]),
        ] {
            let object = one(store, &guest, name, &params).unwrap();
            assert!(frozen(store, &object), "{name}");
            assert!(one(store, &guest, "size", &[object]).unwrap().unwrap_i32() > 0);
        }
        let several = call(store, &guest, "several", &[]).unwrap();
        assert!(!frozen(store, &several[0]) && frozen(store, &several[1]));
        let aliased = call(store, &guest, "aliased", &[]).unwrap();
        assert!(frozen(store, &aliased[1]) && aliased[2].unwrap_externref().is_none());
        assert_eq!((aliased[0].unwrap_i32(), aliased[3].unwrap_i64()), (7, 8));
        let object = ExternRef::object(&mut *store, Palette(vec![1, 2])).unwrap();
        assert!(frozen(store, &Val::from(object.to_untyped())));
        let plain = ExternRef::new_typed(&mut *store, Palette(vec![1, 2])).unwrap();
        assert!(plain.data_mut(&mut *store).is_ok(), "a plain object has no properties");
        assert_contains(&refused(store, &guest, "fallible", &[Val::I32(0)]), "empty");
        assert!(one(store, &guest, "maybe", &[Val::I32(0)]).unwrap().unwrap_externref().is_none());
    }
}

#[test]
fn bytes_that_objects_own_are_counted() {
    let mut config = Config::new();
    config.host_memory_limit(Some(1 << 20));
    let (mut store, guest) = guest(&config, (), WAT, Paint::add_to_linker).unwrap();
    for _ in 0..100 {
        call(&mut store, &guest, "bare", &[Val::I32(100 << 10)]).ok();
        let _ = hostref::RootScope::new(&mut store);
    }
    let message = refused(&mut store, &guest, "bare", &[Val::I32(2 << 20)]);
    assert_contains(&message, "no room for a new `host_kinds::derived::Palette`");
}

#[test]
fn taking_leaves_an_object_that_says_who_took_it() {
    for stress in [false, true] {
        let (mut store, guest) = paint(stress);
        let store = &mut store;
        let palette = one(store, &guest, "bare", &[Val::I32(5)]).unwrap();
        assert_eq!(one(store, &guest, "consume", &[palette]).unwrap().unwrap_i32(), 5);
        for name in ["consume", "size"] {
            let message = refused(store, &guest, name, &[palette]);
            assert_contains(&message, &format!("parameter `palette` of `paint::{name}`"));
            assert_contains(
                &message,
                "was already taken by parameter `palette` of `paint::consume`",
            );
        }
        let object = *palette.unwrap_externref().unwrap();
        assert!(object.data(&*store).unwrap_err().to_string().contains("already taken"));
        store.gc();
        assert_eq!(
            one(store, &guest, "maybe-take", &[Val::ExternRef(None)]).unwrap().unwrap_i32(),
            0
        );
    }
}

#[test]
fn a_call_that_is_refused_takes_nothing() {
    let (mut store, guest) = paint(false);
    let store = &mut store;
    let palette = one(store, &guest, "bare", &[Val::I32(5)]).unwrap();
    let brush = ExternRef::object(&mut *store, Brush(3)).unwrap();
    let value = Val::from(brush.to_untyped());
    let message = refused(store, &guest, "both", &[palette, value, palette]);
    assert_contains(&message, "parameter `other` of `paint::both`");
    assert_contains(&message, "already mutably borrowed by parameter `palette` of `paint::both`");
    assert_eq!(one(store, &guest, "size", &[palette]).unwrap().unwrap_i32(), 5);
    let held = brush.try_borrow(&*store).unwrap();
    let other = one(store, &guest, "bare", &[Val::I32(1)]).unwrap();
    let message = refused(store, &guest, "both", &[palette, value, other]);
    assert_contains(&message, "already borrowed by a guard of `try_borrow`");
    drop(held);
    let sum = one(store, &guest, "both", &[palette, value, other]).unwrap();
    assert_eq!(sum.unwrap_i32(), 9);
    assert_eq!(one(store, &guest, "brush", &[value]).unwrap().unwrap_i32(), 4);
    assert_eq!(one(store, &guest, "maybe-take", &[value]).unwrap().unwrap_i32(), 1);
}

#[test]
fn the_derive_says_what_it_was_told() {
    assert_eq!((Palette::NAME, Palette::FROZEN), ("palette", true));
    assert_eq!((Brush::NAME, Brush::FROZEN), ("Brush", false));
    assert_eq!(Palette(Vec::with_capacity(10)).external_bytes(), 10);
    assert_eq!(Brush(0).external_bytes(), 0);
}
