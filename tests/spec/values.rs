//! Arguments and expected results of a script.

use anyhow::bail;
use hostref::{AnyRef, AsContextMut, ExternRef, Result, Val};
use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::token::{F32, F64};
use wast::{WastArg, WastRet};

/// The value of an argument. A `ref.extern n` is a fresh host object holding `n`, and a `ref.host n`
/// the same in the hierarchy of `any`.
pub(crate) fn argument(cx: &mut impl AsContextMut, argument: &WastArg<'_>) -> Result<Val> {
    let WastArg::Core(argument) = argument else { bail!("not an argument of a core module") };
    Ok(match argument {
        WastArgCore::I32(value) => Val::I32(*value),
        WastArgCore::I64(value) => Val::I64(*value),
        WastArgCore::F32(value) => Val::F32(value.bits),
        WastArgCore::F64(value) => Val::F64(value.bits),
        WastArgCore::V128(value) => u128::from_le_bytes(value.to_le_bytes()).into(),
        WastArgCore::RefExtern(value) => Val::ExternRef(Some(ExternRef::new(cx, *value)?)),
        WastArgCore::RefNull(heap) => null(heap)?,
        WastArgCore::RefHost(value) => {
            let object = ExternRef::new(&mut *cx, *value)?;
            Val::AnyRef(Some(AnyRef::convert_extern(cx, object)?))
        }
    })
}

fn null(heap: &HeapType<'_>) -> Result<Val> {
    use AbstractHeapType::{
        Any, Array, Eq, Exn, Extern, Func, I31, NoExn, NoExtern, NoFunc, None, Struct,
    };
    Ok(match heap {
        HeapType::Abstract { ty: Func | NoFunc, .. } => Val::null_func_ref(),
        HeapType::Abstract { ty: Extern | NoExtern, .. } => Val::null_extern_ref(),
        HeapType::Abstract { ty: Exn | NoExn, .. } => Val::ExnRef(Option::None),
        HeapType::Abstract { ty: Any | Eq | I31 | Struct | Array | None, .. } => {
            Val::AnyRef(Option::None)
        }
        heap => bail!("no module says what {heap:?} is"),
    })
}

/// Checks `actual` against the results of an `assert_return`.
///
/// # Errors
///
/// If they differ; the text shows both.
pub(crate) fn check(
    cx: &mut impl AsContextMut,
    actual: &[Val],
    expected: &[WastRet<'_>],
) -> Result<()> {
    if actual.len() != expected.len() {
        bail!("{} results, expected {}", actual.len(), expected.len());
    }
    for (actual, expected) in actual.iter().zip(expected) {
        let WastRet::Core(expected) = expected else { bail!("not a result of a core module") };
        if !matches(cx, actual, expected)? {
            bail!("result {actual:?}, expected {expected:?}");
        }
    }
    Ok(())
}

fn matches(cx: &mut impl AsContextMut, actual: &Val, expected: &WastRetCore<'_>) -> Result<bool> {
    Ok(match (actual, expected) {
        (Val::I32(actual), WastRetCore::I32(expected)) => actual == expected,
        (Val::I64(actual), WastRetCore::I64(expected)) => actual == expected,
        (Val::F32(actual), WastRetCore::F32(expected)) => f32_matches(*actual, expected),
        (Val::F64(actual), WastRetCore::F64(expected)) => f64_matches(*actual, expected),
        (
            Val::FuncRef(None) | Val::ExternRef(None) | Val::ExnRef(None) | Val::AnyRef(None),
            WastRetCore::RefNull(None),
        ) => true,
        (Val::V128(actual), WastRetCore::V128(expected)) => {
            v128_matches(actual.as_u128().to_le_bytes(), expected)
        }
        (Val::FuncRef(None), WastRetCore::RefNull(Some(heap))) => {
            matches!(null(heap)?, Val::FuncRef(_))
        }
        (Val::ExternRef(None), WastRetCore::RefNull(Some(heap))) => {
            matches!(null(heap)?, Val::ExternRef(_))
        }
        (Val::ExnRef(None), WastRetCore::RefNull(Some(heap))) => {
            matches!(null(heap)?, Val::ExnRef(_))
        }
        (Val::AnyRef(None), WastRetCore::RefNull(Some(heap))) => {
            matches!(null(heap)?, Val::AnyRef(_))
        }
        (Val::FuncRef(Some(_)), WastRetCore::RefFunc(None)) => true,
        (Val::AnyRef(Some(_)), WastRetCore::RefAny) => true,
        (Val::AnyRef(Some(actual)), WastRetCore::RefEq) => actual.is_eqref(cx)?,
        (Val::AnyRef(Some(actual)), WastRetCore::RefArray) => actual.is_array(cx)?,
        (Val::AnyRef(Some(actual)), WastRetCore::RefStruct) => actual.is_struct(cx)?,
        (Val::AnyRef(Some(actual)), WastRetCore::RefI31) => actual.is_i31(cx)?,
        (Val::AnyRef(Some(actual)), WastRetCore::RefHost(expected)) => {
            let object = ExternRef::convert_any(&mut *cx, *actual)?;
            object.data(cx.as_context())?.downcast_ref::<u32>() == Some(expected)
        }
        (Val::ExternRef(Some(_)), WastRetCore::RefExtern(None)) => true,
        (Val::ExternRef(Some(actual)), WastRetCore::RefExtern(Some(expected))) => {
            actual.data(cx.as_context())?.downcast_ref::<u32>() == Some(expected)
        }
        (actual, WastRetCore::Either(cases)) => {
            for case in cases {
                if matches(cx, actual, case)? {
                    return Ok(true);
                }
            }
            false
        }
        _ => false,
    })
}

fn v128_matches(actual: [u8; 16], expected: &V128Pattern) -> bool {
    /// Lane 0 first.
    fn lanes<const N: usize>(bytes: &[u8; 16]) -> impl Iterator<Item = [u8; N]> {
        bytes.as_chunks::<N>().0.iter().copied()
    }
    match expected {
        V128Pattern::I8x16(all) => lanes(&actual).map(i8::from_le_bytes).eq(all.iter().copied()),
        V128Pattern::I16x8(all) => lanes(&actual).map(i16::from_le_bytes).eq(all.iter().copied()),
        V128Pattern::I32x4(all) => lanes(&actual).map(i32::from_le_bytes).eq(all.iter().copied()),
        V128Pattern::I64x2(all) => lanes(&actual).map(i64::from_le_bytes).eq(all.iter().copied()),
        V128Pattern::F32x4(all) => {
            lanes(&actual).zip(all).all(|(lane, one)| f32_matches(u32::from_le_bytes(lane), one))
        }
        V128Pattern::F64x2(all) => {
            lanes(&actual).zip(all).all(|(lane, one)| f64_matches(u64::from_le_bytes(lane), one))
        }
    }
}

fn f32_matches(bits: u32, expected: &NanPattern<F32>) -> bool {
    const QUIET_NAN: u32 = 0x7fc0_0000;
    match expected {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff == QUIET_NAN,
        NanPattern::ArithmeticNan => bits & QUIET_NAN == QUIET_NAN,
        NanPattern::Value(value) => bits == value.bits,
    }
}

fn f64_matches(bits: u64, expected: &NanPattern<F64>) -> bool {
    const QUIET_NAN: u64 = 0x7ff8_0000_0000_0000;
    match expected {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff_ffff_ffff == QUIET_NAN,
        NanPattern::ArithmeticNan => bits & QUIET_NAN == QUIET_NAN,
        NanPattern::Value(value) => bits == value.bits,
    }
}
