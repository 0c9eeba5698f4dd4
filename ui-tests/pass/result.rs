//! What functions may return.

use std::fmt;

use hostref::{
    AnyRef, Engine, Error, ExnRef, ExternRef, Func, HostObject, Linker, New, Result, Rooted,
    TypedFunc, V128, WasmTy, host_module,
};

struct Text(String);

#[derive(HostObject)]
struct Named(#[allow(dead_code, reason = "it is only made")] u8);

#[derive(WasmTy)]
#[repr(i8)]
enum Order {
    Less = -1,
    Equal,
}

#[derive(Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refused {}

impl From<Refused> for i32 {
    fn from(_: Refused) -> i32 {
        -1
    }
}

type Outcome<T, E = Refused> = std::result::Result<T, E>;
type Pair<T> = (T, T);
type Maybe<T> = Option<T>;

struct Env;

#[host_module]
impl Env {
    fn numbers() -> (i8, u16, i32, u64, f32, f64, bool, char, V128) {
        (-1, 1, 2, 3, 0.5, 1.5, true, 'x', V128::from(1_u128))
    }

    fn sixteen() -> (i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32)
    {
        (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    }

    fn one_in_a_tuple() -> (i32,) {
        (1,)
    }

    fn pair() -> Pair<Order> {
        (Order::Less, Order::Equal)
    }

    fn made(text: &Text) -> New<String> {
        New(text.0.clone())
    }

    fn made_or_null() -> Maybe<New<Text>> {
        None
    }

    fn named() -> Outcome<(Named, New<Text>)> {
        Err(Refused)
    }

    fn fallible(n: i32) -> Outcome<i32> {
        if n == 0 { Err(Refused) } else { Ok(n) }
    }

    fn of_the_standard_library() -> Outcome<(), std::io::Error> {
        Ok(())
    }

    fn of_the_runtime() -> Result<Option<New<Text>>> {
        Err(Error::msg("refused"))
    }

    fn references(
        a: Rooted<ExternRef<Text>>,
        b: Option<Rooted<ExternRef>>,
        c: Option<Rooted<AnyRef>>,
        d: Option<Rooted<ExnRef>>,
        e: TypedFunc<i32, ()>,
    ) -> Result<(
        Rooted<ExternRef<Text>>,
        Option<Rooted<ExternRef>>,
        Option<Rooted<AnyRef>>,
        Option<Rooted<ExnRef>>,
        TypedFunc<i32, ()>,
        Option<Func>,
    )> {
        Ok((a, b, c, d, e, None))
    }

    #[host(errno)]
    fn number() -> Outcome<()> {
        Err(Refused)
    }
}

pub(crate) fn main() -> Result<()> {
    let mut linker: Linker<()> = Linker::new(&Engine::default());
    Env::add_to_linker(&mut linker)?;
    assert_eq!(Env::SIGNATURES.functions().len(), 12);
    Ok(())
}
