//! Several blocks, names, links and where the macro may stand.

use super::*;

struct Mixed;

#[host_module(rename_all = "camelCase")]
impl Mixed {
    const FACTOR: i32 = 3;

    fn times_factor(v: i32) -> i32 {
        v * Self::FACTOR
    }
    #[host(name = "weird name")]
    fn renamed(r#type: i32) -> i32 {
        r#type + 1
    }
    #[host(skip)]
    fn helper<T: Into<i64>>(v: T) -> i64 {
        v.into()
    }
    #[cfg(any())]
    fn absent(v: DoesNotExist) {}
    #[cfg(not(any()))]
    fn present() -> i64 {
        Self::helper(5)
    }
    #[deprecated]
    fn old() {}
}

#[host_module(name = "more", link = "add_more_to_linker")]
impl Mixed {
    #[allow(clippy::too_many_arguments, reason = "the most there can be")]
    fn sum_of_all(
        a: i32,
        b: i32,
        c: i32,
        d: i32,
        e: i32,
        f: i32,
        g: i32,
        h: i32,
        i: i32,
        j: i32,
        k: i32,
        l: i32,
        m: i32,
        n: i32,
        o: i32,
        p: i64,
    ) -> i64 {
        i64::from(a + b + c + d + e + f + g + h + i + j + k + l + m + n + o) + p
    }
}

macro_rules! adder {
    ($ty:ident, $name:literal, $method:ident, $number:ty, $by:expr) => {
        struct $ty;
        #[host_module(name = $name)]
        impl $ty {
            fn $method(value: $number) -> $number {
                value + $by
            }
        }
    };
}

adder!(AddOne, "add-one", add_one, i32, 1);

#[test]
fn names_follow_the_keys() {
    let engine = Engine::default();
    let mut linker: Linker<()> = Linker::new(&engine);
    Mixed::add_to_linker(&mut linker).unwrap();
    Mixed::add_more_to_linker(&mut linker).unwrap();
    AddOne::add_to_linker(&mut linker).unwrap();
    let mut names: Vec<_> =
        linker.names().map(|(module, name)| format!("{module} {name}")).collect();
    names.sort();
    let expected = [
        "add-one add_one",
        "mixed old",
        "mixed present",
        "mixed timesFactor",
        "mixed weird name",
        "more sum_of_all",
    ];
    assert_eq!(names, expected);
}

#[test]
fn sixteen_parameters_arrive_in_order() {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    Mixed::add_more_to_linker(&mut linker).unwrap();
    let mut store = Store::new(&engine, ());
    let types = "i32 ".repeat(15);
    let import = format!(r#"(import "more" "sum_of_all" (func (param {types} i64) (result i64)))"#);
    let mut params: Vec<_> = (1..16).map(Val::I32).collect();
    params.push(Val::I64(1000));
    let results = call(&mut store, &linker, &import, &params, 1).unwrap();
    assert_eq!(results[0].unwrap_i64(), 1120);
}

#[test]
fn a_linker_serves_many_stores_on_many_threads() {
    let engine = Engine::default();
    let mut linker: Linker<Cell<u32>> = Linker::new(&engine);
    AddOne::add_to_linker(&mut linker).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut store = Store::new(&engine, Cell::new(0));
                let import = r#"(import "add-one" "add_one" (func (param i32) (result i32)))"#;
                let results = call(&mut store, &linker, import, &[Val::I32(1)], 1).unwrap();
                assert_eq!(results[0].unwrap_i32(), 2);
            });
        }
    });
}
