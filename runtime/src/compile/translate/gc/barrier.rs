//! What the collector must know of stores of references. Today's collector visits everything at each
//! collection, so there is nothing to tell it.

use cranelift_codegen::ir::Value;

use crate::compile::translate::Translator;

impl Translator<'_> {
    /// `value` was stored at the address `slot`, in the object `holder` or, without one, in a table
    /// or a global.
    #[expect(clippy::unused_self, reason = "the place for a barrier")]
    pub(in crate::compile::translate) fn reference_written(
        &mut self,
        _holder: Option<Value>,
        _slot: Value,
        _value: Value,
    ) {
    }
}
