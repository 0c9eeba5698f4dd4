//! The Rust functions that compiled code calls: their names, signatures and whether they fail.
//! One table; `compile` makes a trampoline for each row, `builtins` fills in the addresses.

use serde::{Deserialize, Serialize};

use super::signature::LoweredType::{self, I32, I64};

/// How a builtin ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It always returns.
    Returns,
    /// It returns, perhaps with `VmStore::unwinding` set: its trampoline tests the flag.
    MayFail,
    /// It never returns.
    Diverges,
}

/// The signature of a builtin, without `store` and `vmctx`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BuiltinSig {
    pub(crate) params: &'static [LoweredType],
    pub(crate) result: Option<LoweredType>,
    pub(crate) ending: Ending,
}

macro_rules! builtins {
    ($($(#[$doc:meta])* $name:ident($($param:expr),*) $(-> $result:expr)?, $ending:ident;)*) => {
        /// A function that compiled code calls.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[repr(u8)]
        pub(crate) enum Builtin { $($(#[$doc])* $name),* }

        impl Builtin {
            /// Every builtin, in the order of its number.
            pub(crate) const ALL: &'static [Builtin] = &[$(Builtin::$name),*];

            /// What it takes and returns.
            pub(crate) fn sig(self) -> BuiltinSig {
                match self {$(
                    Builtin::$name => BuiltinSig {
                        params: &[$($param),*],
                        result: [$($result)?].first().copied(),
                        ending: Ending::$ending,
                    },
                )*}
            }
        }
    };
}

builtins! {
    /// `raise_trap(trap code)`: starts unwinding for a trap found by compiled code.
    RaiseTrap(I32), Diverges;
    /// `raise()`: starts unwinding for the failure already recorded in the store.
    Raise(), Diverges;
    /// `new_epoch()`: the epoch deadline was reached. A safepoint.
    NewEpoch(), MayFail;
    /// `memory_grow(memory, pages) -> old pages or -1`
    MemoryGrow(I32, I64) -> I64, MayFail;
    /// `memory_copy(to memory, from memory, to, from, len)`
    MemoryCopy(I32, I32, I64, I64, I64), MayFail;
    /// `memory_fill(memory, at, byte, len)`
    MemoryFill(I32, I64, I32, I64), MayFail;
    /// `memory_init(memory, data segment, to, from, len)`
    MemoryInit(I32, I32, I64, I64, I64), MayFail;
    /// `memory_atomic_notify(memory, index, offset, count) -> number of threads woken`
    MemoryAtomicNotify(I32, I64, I64, I32) -> I32, MayFail;
    /// `memory_atomic_wait32(memory, index, offset, expected, nanoseconds) -> how it ended`
    MemoryAtomicWait32(I32, I64, I64, I32, I64) -> I32, MayFail;
    /// `memory_atomic_wait64(memory, index, offset, expected, nanoseconds) -> how it ended`
    MemoryAtomicWait64(I32, I64, I64, I64, I64) -> I32, MayFail;
    /// `data_drop(data segment)`
    DataDrop(I32), Returns;
    /// `table_grow_func(table, elements, function reference) -> old size or -1`
    TableGrowFunc(I32, I64, I64) -> I64, MayFail;
    /// `table_grow_gc(table, elements, reference) -> old size or -1`
    TableGrowGc(I32, I64, I32) -> I64, MayFail;
    /// `table_fill_func(table, at, function reference, len)`
    TableFillFunc(I32, I64, I64, I64), MayFail;
    /// `table_fill_gc(table, at, reference, len)`
    TableFillGc(I32, I64, I32, I64), MayFail;
    /// `table_copy(to table, from table, to, from, len)`
    TableCopy(I32, I32, I64, I64, I64), MayFail;
    /// `table_init(table, element segment, to, from, len)`
    TableInit(I32, I32, I64, I64, I64), MayFail;
    /// `elem_drop(element segment)`
    ElemDrop(I32), Returns;
    /// `throw(exception)`: continues at the handler of an exception, which is not null.
    Throw(I32), Diverges;
    /// `gc_alloc(bytes) -> reference`: room for a young object of at most [`LARGE_OBJECT`] bytes, in
    /// which nothing is initialised. A safepoint.
    ///
    /// [`LARGE_OBJECT`]: crate::abi::object::LARGE_OBJECT
    GcAlloc(I32) -> I32, MayFail;
    /// `gc_alloc_large(type id, bytes) -> reference`: an object of more bytes, of zeros but for its
    /// header, which is old: references that are written to it are logged. A safepoint.
    GcAllocLarge(I32, I32) -> I32, MayFail;
    /// `remember_slot(address)`: an old object holds a young reference there.
    RememberSlot(I64), Returns;
    /// `array_new(type id, len) -> reference`: an array of zeros or nulls. A safepoint.
    ArrayNew(I32, I32) -> I32, MayFail;
    /// `array_new_data(type id, data segment, from, len) -> reference`. A safepoint.
    ArrayNewData(I32, I32, I32, I32) -> I32, MayFail;
    /// `array_new_elem(type id, element segment, from, len) -> reference`. A safepoint.
    ArrayNewElem(I32, I32, I32, I32) -> I32, MayFail;
    /// `array_fill(array, at, low bits, high bits, len)`
    ArrayFill(I32, I32, I64, I64, I32), MayFail;
    /// `array_copy(to array, to, from array, from, len)`
    ArrayCopy(I32, I32, I32, I32, I32), MayFail;
    /// `array_init_data(array, data segment, to, from, len)`
    ArrayInitData(I32, I32, I32, I32, I32), MayFail;
    /// `array_init_elem(array, element segment, to, from, len)`
    ArrayInitElem(I32, I32, I32, I32, I32), MayFail;
    /// `is_subtype(type id, type id of the supertype) -> 0 or 1`
    IsSubtype(I32, I32) -> I32, Returns;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_positions_and_results_are_optional() {
        for (position, builtin) in Builtin::ALL.iter().enumerate() {
            assert_eq!(*builtin as usize, position);
        }
        assert_eq!(Builtin::MemoryGrow.sig().result, Some(I64));
        assert_eq!(Builtin::DataDrop.sig().result, None);
    }
}
