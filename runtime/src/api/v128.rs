//! `V128`: a vector as the embedder holds it. It has no lanes here: only Wasm says what they are.

use std::fmt;

/// The value of a Wasm `v128`: 128 bits. Lane 0, whatever its width, is in the low bits.
///
/// ```
/// use hostref::{Engine, Func, Result, Store, V128};
///
/// # fn main() -> Result<()> {
/// let mut store = Store::new(&Engine::default(), ());
/// let not = Func::wrap(&mut store, |v: V128| V128::from(!v.as_u128()));
/// let not = not.typed::<V128, V128>(&store)?;
/// assert_eq!(not.call(&mut store, V128::from(0))?, V128::from(u128::MAX));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct V128(u128);

impl V128 {
    /// The bits as a number.
    pub const fn as_u128(&self) -> u128 {
        self.0
    }
}

impl From<u128> for V128 {
    fn from(bits: u128) -> V128 {
        V128(bits)
    }
}

impl From<V128> for u128 {
    fn from(value: V128) -> u128 {
        value.0
    }
}

/// The bits as one hexadecimal number.
impl fmt::Debug for V128 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "V128({:#034x})", self.0)
    }
}
