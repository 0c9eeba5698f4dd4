//! `try_borrow` and `try_borrow_mut`: borrows that leave the store free.

use super::*;

#[derive(Debug)]
struct List(Vec<i32>);

struct Lists;

#[host_module(name = "lists", state = ())]
impl Lists {
    fn len(list: &List) -> u32 {
        list.0.len() as u32
    }
    fn push(list: &mut List, item: i32) {
        list.0.push(item);
    }
    /// Calls the guest for each item.
    fn each(
        cx: &mut Caller<'_, ()>,
        list: Rooted<ExternRef<List>>,
        f: TypedFunc<i32, ()>,
    ) -> Result<()> {
        let items = list.try_borrow(&*cx)?;
        for item in &items.0 {
            f.call(&mut *cx, *item)?;
        }
        Ok(())
    }
    /// Calls the guest while the list is its own.
    fn alone(
        cx: &mut Caller<'_, ()>,
        list: Rooted<ExternRef<List>>,
        f: TypedFunc<i32, ()>,
    ) -> Result<()> {
        let mut items = list.try_borrow_mut(&mut *cx)?;
        items.0.clear();
        f.call(&mut *cx, 0)
    }
}

const WAT: &str = r#"(module
    (func $len (import "lists" "len") (param externref) (result i32))
    (func $push (import "lists" "push") (param externref i32))
    (func $each (import "lists" "each") (param externref funcref))
    (func $alone (import "lists" "alone") (param externref funcref))
    (global $list (mut externref) (ref.null extern))
    (global $sum (export "sum") (mut i32) (i32.const 0))
    (func $add (export "add") (param i32)
        (drop (call $len (global.get $list)))
        (global.set $sum (i32.add (global.get $sum) (local.get 0))))
    (func $grow (export "grow") (param i32) (call $push (global.get $list) (local.get 0)))
    (func (export "each-add") (param externref)
        (global.set $list (local.get 0))
        (call $each (local.get 0) (ref.func $add)))
    (func (export "each-grow") (param externref)
        (global.set $list (local.get 0))
        (call $each (local.get 0) (ref.func $grow)))
    (func (export "alone-add") (param externref)
        (global.set $list (local.get 0))
        (call $alone (local.get 0) (ref.func $add))))"#;

fn lists(stress: bool) -> (Store<()>, Instance, Rooted<ExternRef<List>>, Val) {
    let (mut store, guest) =
        guest(Config::new().gc_stress(stress), (), WAT, Lists::add_to_linker).unwrap();
    let list = ExternRef::new_typed(&mut store, List(vec![1, 2, 3])).unwrap();
    (store, guest, list, Val::from(list.to_untyped()))
}

#[test]
fn the_guest_runs_while_the_host_borrows() {
    for stress in [false, true] {
        let (mut store, guest, list, value) = lists(stress);
        call(&mut store, &guest, "each-add", &[value]).unwrap();
        let sum = guest.get_global(&mut store, "sum").unwrap();
        assert_eq!(sum.get(&mut store).unwrap_i32(), 6);
        let message = refused(&mut store, &guest, "each-grow", &[value]);
        assert_contains(&message, "parameter `list` of `lists::push`");
        assert_contains(&message, "already borrowed by a guard of `try_borrow`");
        let message = refused(&mut store, &guest, "alone-add", &[value]);
        assert_contains(&message, "already mutably borrowed by a guard of `try_borrow`");
        assert!(list.data_mut(&mut store).is_ok(), "guards end with the frames that made them");
    }
}

#[test]
fn guards_exclude_each_other() -> Result<()> {
    let (mut store, _, list, _) = lists(false);
    let (a, b) = (list.try_borrow(&store)?, list.try_borrow(&store)?);
    assert_eq!(a.0, b.0);
    assert!(list.try_borrow_mut(&mut store).is_err() && list.data_mut(&mut store).is_err());
    assert_eq!(list.data(&store)?.0, [1, 2, 3]);
    drop((a, b));
    let mut only = list.try_borrow_mut(&mut store)?;
    only.0.push(4);
    for error in [list.try_borrow(&store).err(), list.try_borrow_mut(&mut store).err()] {
        assert_contains(&error.unwrap().to_string(), "already mutably borrowed by a guard");
    }
    assert!(list.data(&store).is_err());
    assert_eq!(format!("{only:?}"), "List([1, 2, 3, 4])");
    Ok(())
}

#[test]
fn a_guard_outlives_reference_and_store() -> Result<()> {
    let (mut store, _, list, _) = lists(true);
    let scoped = {
        let mut scope = hostref::RootScope::new(&mut store);
        let object = ExternRef::new_typed(&mut scope, List(vec![9]))?;
        object.try_borrow(&scope)?
    };
    store.gc();
    store.gc();
    assert_eq!(scoped.0, [9]);
    drop(scoped);
    store.gc();
    let mut kept = list.try_borrow_mut(&mut store)?;
    drop(store);
    kept.0.push(4);
    assert_eq!(kept.0, [1, 2, 3, 4]);
    Ok(())
}

#[test]
fn a_store_may_go_to_another_thread_while_a_guard_stays() -> Result<()> {
    let (mut store, _, list, _) = lists(false);
    let guard = list.try_borrow(&store)?;
    std::thread::scope(|scope| {
        let store = &mut store;
        scope.spawn(move || {
            for _ in 0..1000 {
                assert_eq!(list.try_borrow(&*store).unwrap().0.len(), 3);
                assert!(list.try_borrow_mut(&mut *store).is_err());
            }
        });
        for _ in 0..1000 {
            assert_eq!(guard.0.len(), 3);
        }
    });
    drop(guard);
    assert!(list.try_borrow_mut(&mut store).is_ok());
    Ok(())
}
