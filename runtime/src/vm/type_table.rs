//! The displays of an engine's types as compiled code reads them: `abi::layout::type_display` says
//! how they lie. Knows no types, only their numbers.
//!
//! Invariant: the table never moves, and an entry is written once, before its number is given out.

use anyhow::ensure;

use super::reservation::Reservation;
use crate::abi::layout::type_display;
use crate::error::Result;

/// One entry as it lies in memory.
type Entry = [u32; type_display::INLINE];
const _: () = assert!(size_of::<Entry>() == 1 << type_display::STRIDE_LOG2);

/// How many bytes of the table become accessible at a time.
const CHUNK: usize = 64 << 10;

/// The table of displays.
#[derive(Debug)]
pub(crate) struct TypeTable {
    reservation: Reservation,
    committed: usize,
    len: usize,
}

impl TypeTable {
    /// A table without entries, with room for all that an engine may have.
    ///
    /// # Errors
    ///
    /// If the address space is used up.
    pub(crate) fn new() -> Result<TypeTable> {
        let reservation = Reservation::new(type_display::MAX_TYPES * size_of::<Entry>())?;
        Ok(TypeTable { reservation, committed: 0, len: 0 })
    }

    /// The address of the first entry.
    pub(crate) fn base(&self) -> *const u32 {
        self.reservation.base().as_ptr().cast_const().cast()
    }

    /// The number of entries.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds the entry of the next type, whose supertypes from the root down to itself are
    /// `display`.
    ///
    /// # Errors
    ///
    /// If the table is full, or memory is short; nothing is added then.
    pub(crate) fn push(&mut self, display: impl Iterator<Item = u32>) -> Result<()> {
        let most = type_display::MAX_TYPES;
        ensure!(self.len < most, "an engine has room for {most} types");
        let end = (self.len + 1) * size_of::<Entry>();
        if end > self.committed {
            let committed = end.next_multiple_of(CHUNK).min(self.reservation.len());
            self.reservation.commit(self.committed..committed)?;
            self.committed = committed;
        }
        let mut entry: Entry = [type_display::NONE; type_display::INLINE];
        entry.iter_mut().zip(display).for_each(|(slot, id)| *slot = id);
        let table = self.reservation.base().cast::<Entry>();
        // SAFETY: the entry lies in the part of the reservation that was made accessible, the
        // reservation starts at a page, and nobody knows the entry's number yet, so nobody reads it.
        unsafe { table.add(self.len).write(entry) };
        self.len += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stay_where_they_are() {
        let mut table = TypeTable::new().unwrap();
        let base = table.base();
        for id in 0..10_000 {
            table.push([7, id].into_iter()).unwrap();
        }
        assert_eq!((table.base(), table.len()), (base, 10_000));
        let entry = base.wrapping_add(9_999 * type_display::INLINE);
        // SAFETY: the last entry was written above.
        let entry = unsafe { entry.cast::<Entry>().read() };
        assert_eq!(entry[..3], [7, 9_999, type_display::NONE]);
    }

    #[test]
    fn deeper_displays_are_cut() {
        let mut table = TypeTable::new().unwrap();
        table.push(0..20).unwrap();
        // SAFETY: the first entry was written above.
        let entry = unsafe { table.base().cast::<Entry>().read() };
        assert_eq!(entry, [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}
