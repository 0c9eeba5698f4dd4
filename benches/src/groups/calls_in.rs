//! Calls from the host into Wasm: what it costs to enter and to leave.

use std::hint::black_box;

use anyhow::Result;

use crate::engines::per_engine;
use crate::host::Cell;
use crate::results::NATIVE;
use crate::suite::{Contest, Suite};

const GUEST: &str = include_str!("../../guests/calls_in.wat");

pub fn run(suite: &mut Suite) -> Result<()> {
    typed(suite)?;
    arities(suite)?;
    references(suite)?;
    untyped(suite)?;
    lookups(suite)
}

/// A result as a number, for checksums.
trait Digest {
    fn digest(self) -> u64;
}

impl Digest for () {
    fn digest(self) -> u64 {
        1
    }
}

impl Digest for i32 {
    fn digest(self) -> u64 {
        self.cast_unsigned().into()
    }
}

impl Digest for f32 {
    fn digest(self) -> u64 {
        self.to_bits().into()
    }
}

impl Digest for (i64, i32) {
    fn digest(self) -> u64 {
        self.0.cast_unsigned() ^ self.1.digest()
    }
}

/// Sums the digests of as many calls as there are turns.
fn repeat<R: Digest>(turns: u32, mut call: impl FnMut() -> Result<R>) -> Result<u64> {
    let mut sum = 0_u64;
    for _ in 0..turns {
        sum = sum.wrapping_add(call()?.digest());
    }
    Ok(sum)
}

/// Enters all engines for typed calls of one export.
macro_rules! typed {
    ($contest:ident, $export:literal, $args:expr => $results:ty) => {
        per_engine!(rt in [hostref, wasmtime, wasmi] {
            let (mut store, instance) = rt::instance(GUEST)?;
            let func = instance.get_typed_func::<_, $results>(&mut store, $export)?;
            $contest.enter(rt::NAME, move |turns| {
                repeat(turns, || Ok(func.call(&mut store, black_box($args))?))
            });
        })
    };
}

fn typed(suite: &mut Suite) -> Result<()> {
    suite.time("nop", "call", |contest| {
        typed!(contest, "nop", () => ());
        let nop: fn() = black_box(|| ());
        contest.enter(NATIVE, move |turns| {
            repeat(turns, || {
                nop();
                Ok(())
            })
        });
        Ok(())
    })?;
    suite.time("(i32 i64) -> f32", "call", |contest| {
        typed!(contest, "mix", (1, 2_i64) => f32);
        let mix: fn(i32, i64) -> f32 = black_box(|a, b| a as f32 + b as f32);
        contest.enter(NATIVE, move |turns| repeat(turns, || Ok(mix(black_box(1), black_box(2)))));
        Ok(())
    })?;
    suite.time("two results", "call", |contest| {
        typed!(contest, "swap", (1, 2_i64) => (i64, i32));
        Ok(())
    })
}

fn arities(suite: &mut Suite) -> Result<()> {
    /// One workload for each row: the export, and its arguments.
    macro_rules! arities {
        ($($export:literal $args:expr;)+) => {$(
            suite.time(concat!("arity ", $export), "call", |contest| {
                typed!(contest, $export, $args => i32);
                Ok(())
            })?;
        )+};
    }
    arities! {
        "i0" ();
        "i1" 1;
        "i2" (1, 2);
        "i3" (1, 2, 3);
        "i4" (1, 2, 3, 4);
        "i5" (1, 2, 3, 4, 5);
        "i6" (1, 2, 3, 4, 5, 6);
        "i7" (1, 2, 3, 4, 5, 6, 7);
        "i8" (1, 2, 3, 4, 5, 6, 7, 8);
        "i9" (1, 2, 3, 4, 5, 6, 7, 8, 9);
        "i10" (1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
        "i11" (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
        "i12" (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
        "i13" (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13);
        "i14" (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14);
        "i15" (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        "i16" (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
    }
    Ok(())
}

fn references(suite: &mut Suite) -> Result<()> {
    suite.time("one externref in and out", "call", |contest| {
        per_engine!(rt in [hostref, wasmtime] {
            type Object = Option<rt::Rooted<rt::ExternRef>>;
            let (mut store, instance) = rt::instance(GUEST)?;
            let func = instance.get_typed_func::<Object, Object>(&mut store, "one")?;
            let object = rt::ExternRef::new(&mut store, Cell(1))?;
            contest.enter(rt::NAME, move |turns| repeat(turns, || {
                let mut scope = rt::RootScope::new(&mut store);
                Ok(i32::from(func.call(&mut scope, Some(object))?.is_some()))
            }));
        });
        Ok(())
    })?;
    suite.time("two externrefs in, one out", "call", |contest| {
        per_engine!(rt in [hostref, wasmtime] {
            type Object = Option<rt::Rooted<rt::ExternRef>>;
            let (mut store, instance) = rt::instance(GUEST)?;
            let func = instance.get_typed_func::<(Object, Object), Object>(&mut store, "two")?;
            let object = Some(rt::ExternRef::new(&mut store, Cell(1))?);
            contest.enter(rt::NAME, move |turns| repeat(turns, || {
                let mut scope = rt::RootScope::new(&mut store);
                Ok(i32::from(func.call(&mut scope, (object, object))?.is_some()))
            }));
        });
        wasmi_references(contest)
    })?;
    suite.time("ExternRef::new in a scope", "object", |contest| {
        per_engine!(rt in [hostref, wasmtime] {
            let (mut store, _) = rt::instance(GUEST)?;
            contest.enter(rt::NAME, move |turns| repeat(turns, || {
                let mut scope = rt::RootScope::new(&mut store);
                black_box(rt::ExternRef::new(&mut scope, Cell(1))?);
                Ok(())
            }));
        });
        contest.enter(NATIVE, |turns| {
            repeat(turns, || {
                drop(black_box(Box::new(Cell(1)) as Box<dyn Send + Sync>));
                Ok(())
            })
        });
        Ok(())
    })?;
    suite.time("ExternRef::data", "access", |contest| {
        {
            let (mut store, _) = crate::engines::hostref::instance(GUEST)?;
            let object = hostref::ExternRef::new(&mut store, Cell(1))?;
            contest.enter(crate::results::HOSTREF, move |turns| {
                repeat(turns, || {
                    Ok(black_box(object)
                        .data(&store)?
                        .downcast_ref::<Cell>()
                        .map_or(0, |cell| cell.0))
                })
            });
        }
        let (mut store, _) = crate::engines::wasmtime::instance(GUEST)?;
        let object = wasmtime::ExternRef::new(&mut store, Cell(1))?;
        contest.enter(crate::results::WASMTIME, move |turns| {
            repeat(turns, || {
                let data = black_box(object).data(&store)?;
                Ok(data.and_then(|data| data.downcast_ref::<Cell>()).map_or(0, |cell| cell.0))
            })
        });
        Ok(())
    })
}

/// wasmi has no scopes: its references live as long as their store.
fn wasmi_references(contest: &mut Contest) -> Result<()> {
    use wasmi::{ExternRef, Nullable};
    type Object = Nullable<ExternRef>;
    let (mut store, instance) = crate::engines::wasmi::instance(GUEST)?;
    let func = instance.get_typed_func::<(Object, Object), Object>(&mut store, "two")?;
    let object = Nullable::Val(ExternRef::new(&mut store, Cell(1)));
    contest.enter(crate::results::WASMI, move |turns| {
        repeat(turns, || Ok(i32::from(!func.call(&mut store, (object, object))?.is_null())))
    });
    Ok(())
}

fn untyped(suite: &mut Suite) -> Result<()> {
    suite.time("untyped (i32 i64) -> f32", "call", |contest| {
        per_engine!(rt in [hostref, wasmtime, wasmi] {
            let (mut store, instance) = rt::instance(GUEST)?;
            let func = instance.get_func(&mut store, "mix").expect("the guest exports it");
            let mut results = [rt::Val::I32(0)];
            contest.enter(rt::NAME, move |turns| repeat(turns, || {
                func.call(&mut store, &[rt::Val::I32(1), rt::Val::I64(2)], &mut results)?;
                Ok(results[0].f32().map_or(0.0, f32::from))
            }));
        });
        Ok(())
    })
}

fn lookups(suite: &mut Suite) -> Result<()> {
    suite.time("get_typed_func and call", "call", |contest| {
        per_engine!(rt in [hostref, wasmtime, wasmi] {
            let (mut store, instance) = rt::instance(GUEST)?;
            contest.enter(rt::NAME, move |turns| repeat(turns, || {
                let func = instance.get_typed_func::<(i32, i64), f32>(&mut store, "mix")?;
                Ok(func.call(&mut store, (1, 2))?)
            }));
        });
        Ok(())
    })
}
