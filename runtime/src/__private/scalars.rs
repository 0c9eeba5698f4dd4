//! `bool`, `char` and narrow integers as Wasm values, and the error of derived enums. A guest's
//! `i32` that stands for none of their values is refused.

use std::any::type_name;
use std::fmt::{self, Display};

use super::result::HostError;
use crate::api::convert::WasmTy;
use crate::error::{Error, Result};

/// A number that is no value of the wanted type.
#[derive(Debug)]
struct OutOfRange {
    value: i64,
    expected: &'static str,
}

impl Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {}", self.expected, self.value)
    }
}

impl std::error::Error for OutOfRange {}

#[cold]
fn out_of_range(value: i64, expected: &'static str) -> Error {
    OutOfRange { value, expected }.into()
}

macro_rules! narrow {
    ($($rust:ty as $wasm:ty, $expected:literal;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl WasmTy for $rust {
            type Wasm = $wasm;

            #[inline]
            fn into_wasm(self) -> $wasm {
                self.into()
            }

            #[inline]
            fn try_from_wasm(wasm: $wasm) -> Result<$rust> {
                wasm.try_into().map_err(|_| out_of_range(wasm.into(), $expected))
            }
        }
    )*};
}

narrow! {
    i8 as i32, "an `i8`";
    i16 as i32, "an `i16`";
    u8 as u32, "a `u8`";
    u16 as u32, "a `u16`";
    char as u32, "a `char`, a Unicode scalar value";
}

#[diagnostic::do_not_recommend]
impl WasmTy for bool {
    type Wasm = i32;

    #[inline]
    fn into_wasm(self) -> i32 {
        self.into()
    }

    #[inline]
    fn try_from_wasm(wasm: i32) -> Result<bool> {
        match wasm {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(out_of_range(wasm.into(), "a `bool`, 0 or 1")),
        }
    }
}

/// The error of a number that is no discriminant of the enum `name`.
#[cold]
pub fn unknown_discriminant(
    name: &str,
    value: &dyn Display,
    variants: &[(&str, &dyn Display)],
) -> Error {
    let variants: Vec<_> =
        variants.iter().map(|(variant, number)| format!("{number} = {variant}")).collect();
    Error::msg(format!("{value} is no `{name}`; it has {}", variants.join(", ")))
}

/// A type that converts to another, by which it travels.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not convert to `{As}`, by which it shall travel",
    label = "needs `impl From<{Self}> for {As}`"
)]
pub trait ConvertsInto<As> {
    /// Converts.
    #[doc(hidden)]
    fn converted(self) -> As;
}

#[diagnostic::do_not_recommend]
impl<T: Into<As>, As> ConvertsInto<As> for T {
    #[inline]
    fn converted(self) -> As {
        self.into()
    }
}

/// A type that comes back from another, by which it travels.
#[diagnostic::on_unimplemented(
    message = "`{As}` does not convert to `{Self}`, which travels by it",
    label = "needs `impl TryFrom<{As}> for {Self}`, or `From`"
)]
pub trait ConvertsFrom<As>: Sized {
    /// Why it may not.
    type Error;

    /// Converts.
    #[doc(hidden)]
    fn converted_from(value: As) -> Result<Self, Self::Error>;
}

#[diagnostic::do_not_recommend]
impl<T: TryFrom<As>, As> ConvertsFrom<As> for T {
    type Error = T::Error;

    #[inline]
    fn converted_from(value: As) -> Result<T, T::Error> {
        T::try_from(value)
    }
}

/// A value as the Wasm value of the type that it converts to.
#[inline]
pub fn into_wasm_as<T: ConvertsInto<As>, As: WasmTy>(value: T) -> As::Wasm {
    value.converted().into_wasm()
}

/// The value that a Wasm value of another type converts to.
///
/// # Errors
///
/// If the conversion fails.
#[inline]
pub fn try_from_wasm_as<T, As>(wasm: As::Wasm) -> Result<T>
where
    As: WasmTy,
    T: ConvertsFrom<As>,
    T::Error: HostError,
{
    T::converted_from(As::try_from_wasm(wasm)?).map_err(|error| no_value::<T>(error.into_error()))
}

#[cold]
fn no_value<T>(error: Error) -> Error {
    error.context(format!("no value of `{}`", type_name::<T>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: WasmTy + PartialEq + fmt::Debug + Copy>(value: T) {
        assert_eq!(T::try_from_wasm(value.into_wasm()).unwrap(), value, "{}", type_name::<T>());
    }

    #[test]
    fn values_come_back() {
        check(true);
        check(false);
        check('\u{10ffff}');
        check(i8::MIN);
        check(u8::MAX);
        check(i16::MIN);
        check(u16::MAX);
    }

    #[test]
    fn other_numbers_are_refused_and_named() {
        let message = |error: Error| error.to_string();
        assert_eq!(
            message(bool::try_from_wasm(2).unwrap_err()),
            "expected a `bool`, 0 or 1, found 2"
        );
        assert!(char::try_from_wasm(0xd800).is_err());
        assert!(i8::try_from_wasm(-129).is_err());
        assert!(u8::try_from_wasm(256).is_err());
        assert_eq!(
            message(u16::try_from_wasm(u32::MAX).unwrap_err()),
            "expected a `u16`, found 4294967295"
        );
        let error = unknown_discriminant("Color", &7, &[("Red", &1), ("Green", &2)]);
        assert_eq!(message(error), "7 is no `Color`; it has 1 = Red, 2 = Green");
    }
}
