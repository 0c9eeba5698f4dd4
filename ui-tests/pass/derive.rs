//! What `#[derive(WasmTy)]`, `#[derive(GcStruct)]` and `#[derive(GcArray)]` accept.

use std::convert::Infallible;

use hostref::{
    Engine, ExternRef, Func, GcArray, GcStruct, Result, Rooted, Store, StructRef, TypedFunc, WasmTy,
};

type Number = u64;

#[derive(WasmTy)]
struct Tuple(u32);

#[derive(WasmTy)]
struct Named {
    inner: Tuple,
}

#[derive(WasmTy, Clone, Copy)]
pub(crate) struct Alias(pub(crate) Number);

#[derive(WasmTy)]
struct Object(Rooted<ExternRef<String>>);

#[derive(WasmTy)]
struct Handler(Option<Func>);

#[derive(WasmTy, Clone, Copy, Debug, PartialEq)]
#[repr(i64)]
enum Wide {
    Lowest = i64::MIN,
    #[cfg(any())]
    Gone,
    Highest = i64::MAX,
}

const BASE: u8 = 40;

#[derive(WasmTy, Clone, Copy, Debug, PartialEq)]
#[repr(u8, align(2))]
enum Computed {
    First = BASE + 1,
    Second,
}

#[derive(WasmTy)]
#[wasm(try_from = "std::primitive::i32", into = "i32")]
enum Sign {
    Plus,
    Minus { by: i32 },
}

impl TryFrom<i32> for Sign {
    type Error = Infallible;

    fn try_from(value: i32) -> Result<Sign, Infallible> {
        Ok(if value < 0 { Sign::Minus { by: -value } } else { Sign::Plus })
    }
}

impl From<Sign> for i32 {
    fn from(sign: Sign) -> i32 {
        match sign {
            Sign::Plus => 1,
            Sign::Minus { by } => -by,
        }
    }
}

/// Aliases and paths may stand in fields, and macros may write them.
type Next = Option<self::LinkRef>;

#[derive(GcStruct)]
#[gc(open)]
struct Link {
    value: std::primitive::i64,
    #[gc(mut)]
    next: Next,
    handler: Option<TypedFunc<i32, i32>>,
    any: Option<Rooted<StructRef>>,
}

#[derive(GcStruct)]
struct Unit;

#[derive(GcArray)]
#[gc(handle = Chain)]
struct Links {
    all: std::vec::Vec<LinkRef>,
}

macro_rules! cells {
    ($($name:ident: $ty:ty;)*) => {$(
        #[derive(GcStruct)]
        pub(crate) struct $name {
            #[gc(mut)]
            value: $ty,
        }
    )*};
}

cells! {
    Cell: f32;
    Cells: Option<CellRef>;
}

fn objects(store: &mut Store<()>) -> Result<()> {
    let link = Link { value: 1, next: None, handler: None, any: None };
    let first = LinkRef::new(&mut *store, link)?;
    first.set_next(&mut *store, Some(first))?;
    let chain = Chain::new(&mut *store, Links { all: vec![first, first] })?;
    let again = chain.get(&mut *store, 1)?.next(&mut *store)?.expect("itself");
    assert!(Rooted::ref_eq(&*store, &*again, &*first)?);
    let Unit = UnitRef::new(&mut *store, Unit)?.load(&mut *store)?;
    let cell = CellRef::new(&mut *store, Cell { value: 0.5 })?;
    let cells = CellsRef::new(&mut *store, Cells { value: None })?;
    cells.set_value(&mut *store, Some(cell))?;
    assert_eq!(cells.load(&mut *store)?.value.expect("a cell").value(store)?, 0.5);
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    let mut store = Store::new(&Engine::default(), ());
    let sum = Func::wrap(&mut store, |a: Tuple, b: Named, c: Alias| {
        Alias(u64::from(a.0) + u64::from(b.inner.0) + c.0)
    });
    let typed = sum.typed::<(u32, Named, u64), Alias>(&store)?;
    let five = typed.call(&mut store, (1, Named { inner: Tuple(2) }, 2))?;
    assert_eq!(five.0, 5);

    let object = ExternRef::new_typed(&mut store, "object".to_owned())?;
    let same = Func::wrap(&mut store, |object: Object, handler: Handler| {
        if handler.0.is_none() { Ok(object) } else { Err(hostref::Error::msg("no handler wanted")) }
    });
    let same = same.typed::<(Object, Handler), Object>(&store)?;
    let found = same.call(&mut store, (Object(object), Handler(None)))?.0;
    assert!(Rooted::ref_eq(&store, &found.to_untyped(), &object.to_untyped())?);

    objects(&mut store)?;

    assert_eq!(Wide::try_from_wasm(i64::MAX)?, Wide::Highest);
    assert_eq!(Wide::Lowest.into_wasm(), i64::MIN);
    assert_eq!(Computed::try_from_wasm(42)?, Computed::Second);
    assert_eq!(Computed::First.into_wasm(), 41);
    assert_eq!(Sign::try_from_wasm(-3)?.into_wasm(), -3);
    assert_eq!(Sign::Plus.into_wasm(), 1);
    Ok(())
}
