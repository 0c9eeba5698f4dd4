//! Operations on ranges of memories or tables: what is common to them. What they do is told by their
//! operators.

use cranelift_codegen::ir::{InstBuilder, Value};

use super::Translator;
use crate::abi::builtins::Builtin;

impl Translator<'_> {
    /// Emits `operate`, which is given the addresses of ranges. If not all of them exist, or have to be
    /// paid for, then `builtin` does everything.
    ///
    /// `outside` says of each range whether it does not exist; `inside`, compiled where they all do,
    /// gives their addresses, and a condition without which `builtin` has to do everything too.
    pub(super) fn bulk_operation<const N: usize>(
        &mut self,
        builtin: Builtin,
        args: &[Value],
        outside: impl FnOnce(&mut Self) -> [Value; N],
        inside: impl FnOnce(&mut Self, [Value; N]) -> ([Value; N], Option<Value>),
        operate: impl FnOnce(&mut Self, [Value; N]),
    ) {
        if self.env.tunables.consume_fuel {
            self.call_builtin(builtin, args);
            return;
        }
        let outside = outside(self);
        let any_outside = outside.into_iter().reduce(|a, b| self.builder.ins().bor(a, b));
        let any_outside = any_outside.expect("a bulk operation has a range");
        let [careful, all_inside, done] = [(); 3].map(|()| self.next_block());
        self.set_cold(careful);
        self.builder.ins().brif(any_outside, careful, &[], all_inside, &[]);
        self.builder.seal_block(all_inside);
        self.builder.switch_to_block(careful);
        self.call_builtin(builtin, args);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(all_inside);
        let (addresses, condition) = inside(self, outside);
        if let Some(condition) = condition {
            let direct = self.next_block();
            self.builder.ins().brif(condition, direct, &[], careful, &[]);
            self.builder.seal_block(direct);
            self.builder.switch_to_block(direct);
        }
        self.builder.seal_block(careful);
        operate(self, addresses);
        self.builder.ins().jump(done, &[]);
        self.builder.seal_block(done);
        self.builder.switch_to_block(done);
    }
}
