//! One newtype per index space of a module, so that a table index is never taken for a memory's.

use serde::{Deserialize, Serialize};

macro_rules! index {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub(crate) struct $name(pub(crate) u32);

        #[allow(dead_code, reason = "every index space has the same methods")]
        impl $name {
            /// The position in a `Vec` of this index space.
            pub(crate) fn index(self) -> usize {
                self.0 as usize
            }

            /// The index of position `index`.
            pub(crate) fn new(index: usize) -> Self {
                $name(u32::try_from(index).expect("validated: index spaces are limited to u32"))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    )*};
}

index! {
    /// A type of the module's type section.
    TypeIndex
    /// A function: imported ones first, then defined ones.
    FuncIndex
    /// A defined function: [`FuncIndex`] less the number of imported functions.
    DefinedFuncIndex
    /// A table: imported ones first.
    TableIndex
    /// A linear memory: imported ones first.
    MemoryIndex
    /// A global: imported ones first.
    GlobalIndex
    /// A tag: imported ones first.
    TagIndex
    /// A slot for the function record of a function whose reference can be observed.
    FuncRefIndex
}
