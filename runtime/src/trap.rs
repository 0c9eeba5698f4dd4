//! Guest faults: one variant per trap of the specification. Knows nothing of how a trap is raised.

use std::fmt;

/// Why a Wasm guest was stopped.
///
/// A trap arrives at the embedder inside a [`hostref::Error`](crate::Error); get it back with
/// `error.downcast_ref::<Trap>()`.
///
/// ```
/// use hostref::Trap;
///
/// let error = hostref::Error::from(Trap::IntegerDivisionByZero);
/// assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::IntegerDivisionByZero));
/// assert_eq!(error.to_string(), "wasm trap: integer divide by zero");
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Trap {
    /// The guest's call stack exceeded `Config::max_wasm_stack` or the thread's own stack.
    StackOverflow = 1,
    /// A load, store or bulk operation outside a linear memory.
    MemoryOutOfBounds,
    /// An atomic access at an address that is not naturally aligned.
    HeapMisaligned,
    /// A table access outside the table.
    TableOutOfBounds,
    /// `call_indirect` met a null table element.
    IndirectCallToNull,
    /// `call_indirect` met a function of another type.
    BadSignature,
    /// An integer division or conversion overflowed.
    IntegerOverflow,
    /// An integer was divided by zero.
    IntegerDivisionByZero,
    /// A NaN was converted to an integer.
    BadConversionToInteger,
    /// The `unreachable` instruction was executed.
    UnreachableCodeReached,
    /// The store's epoch deadline was reached.
    Interrupt,
    /// The store's fuel is used up.
    OutOfFuel,
    /// A null reference was used where an object is needed.
    NullReference,
    /// An array access outside the array.
    ArrayOutOfBounds,
    /// An allocation larger than the heap can ever hold.
    AllocationTooLarge,
    /// A `ref.cast` failed.
    CastFailure,
    /// The GC heap is full and may not grow.
    GcHeapOutOfMemory,
    /// `memory.atomic.wait32` or `memory.atomic.wait64` on a memory that is not shared.
    AtomicWaitNonSharedMemory,
}

impl Trap {
    /// Every trap, in the order of [`Trap::code`].
    pub(crate) const ALL: [Trap; 18] = [
        Trap::StackOverflow,
        Trap::MemoryOutOfBounds,
        Trap::HeapMisaligned,
        Trap::TableOutOfBounds,
        Trap::IndirectCallToNull,
        Trap::BadSignature,
        Trap::IntegerOverflow,
        Trap::IntegerDivisionByZero,
        Trap::BadConversionToInteger,
        Trap::UnreachableCodeReached,
        Trap::Interrupt,
        Trap::OutOfFuel,
        Trap::NullReference,
        Trap::ArrayOutOfBounds,
        Trap::AllocationTooLarge,
        Trap::CastFailure,
        Trap::GcHeapOutOfMemory,
        Trap::AtomicWaitNonSharedMemory,
    ];

    /// The number under which compiled code names this trap; never 0.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// The trap with this [`code`](Trap::code).
    pub(crate) fn from_code(code: u8) -> Option<Trap> {
        Trap::ALL.get(usize::from(code).checked_sub(1)?).copied()
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wasm trap: ")?;
        f.write_str(match self {
            Trap::StackOverflow => "call stack exhausted",
            Trap::MemoryOutOfBounds => "out of bounds memory access",
            Trap::HeapMisaligned => "unaligned atomic",
            Trap::TableOutOfBounds => "undefined element: out of bounds table access",
            Trap::IndirectCallToNull => "uninitialized element",
            Trap::BadSignature => "indirect call type mismatch",
            Trap::IntegerOverflow => "integer overflow",
            Trap::IntegerDivisionByZero => "integer divide by zero",
            Trap::BadConversionToInteger => "invalid conversion to integer",
            Trap::UnreachableCodeReached => "wasm `unreachable` instruction executed",
            Trap::Interrupt => "interrupt",
            Trap::OutOfFuel => "all fuel consumed by WebAssembly",
            Trap::NullReference => "null reference",
            Trap::ArrayOutOfBounds => "out of bounds array access",
            Trap::AllocationTooLarge => "allocation size too large",
            Trap::CastFailure => "cast failure",
            Trap::GcHeapOutOfMemory => "GC heap out of memory",
            Trap::AtomicWaitNonSharedMemory => "expected shared memory",
        })
    }
}

impl std::error::Error for Trap {}

#[cfg(test)]
mod tests {
    use super::Trap;

    #[test]
    fn every_code_names_its_trap() {
        for trap in Trap::ALL {
            assert_eq!(Trap::from_code(trap.code()), Some(trap));
        }
        assert_eq!(Trap::from_code(0), None);
        assert_eq!(Trap::from_code(Trap::ALL.len() as u8 + 1), None);
    }
}
