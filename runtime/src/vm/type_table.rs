//! The types of an engine as compiled code and the collector read them: `abi::layout::type_display`
//! says how they lie. Knows no types, only their numbers.
//!
//! Invariant: the table never moves, and an entry is written once, before `len` says that it is
//! there and before its number is given out.

use std::marker::PhantomData;
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use anyhow::ensure;

use super::pool::{Loan, ReservationPool};
use crate::abi::gc_layout::ObjectLayout;
use crate::abi::layout::type_display;
use crate::abi::shape::{EncodedShape, Shape};
use crate::error::Result;

/// One entry as it lies in memory.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Entry {
    display: [u32; type_display::INLINE],
    shape: EncodedShape,
}

const _: () = assert!(size_of::<Entry>() == 1 << type_display::STRIDE_LOG2);

/// What a table may come to need.
const SIZE: usize = type_display::MAX_TYPES * size_of::<Entry>();

/// How many bytes of it are accessible from the start.
const FIRST: usize = 4 << 10;

/// How many bytes more become accessible at a time.
const CHUNK: usize = 64 << 10;

/// The reservations of tables that are gone. They belong to no engine: each has but one table.
static IDLE: LazyLock<Arc<ReservationPool>> = LazyLock::new(Arc::default);

/// The table. Clones are the same table, which lives as long as one of them.
#[derive(Clone, Debug)]
pub(crate) struct TypeTable(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    base: NonNull<Entry>,
    /// The number of entries.
    len: AtomicUsize,
    memory: Mutex<Memory>,
}

/// What only adding entries touches.
#[derive(Debug)]
struct Memory {
    entries: Loan,
    accessible: usize,
    /// The bitmaps of references that entries do not have room for. Entries know their addresses.
    bitmaps: Vec<Box<[u64]>>,
}

// SAFETY: `base` is that of the reservation, which lives in the same value and which any thread may
// use; entries are written under the lock, before `len` lets others read them, and never again.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl TypeTable {
    /// A table without entries, with room for all that an engine may have.
    ///
    /// # Errors
    ///
    /// If the address space is used up.
    pub(crate) fn new() -> Result<TypeTable> {
        let entries = Loan::new(&IDLE, SIZE, 0..FIRST, None)?;
        let base = entries.base().cast();
        let memory = Memory { entries, accessible: FIRST, bitmaps: Vec::new() };
        Ok(TypeTable(Arc::new(Shared { base, len: AtomicUsize::new(0), memory: memory.into() })))
    }

    /// The address of the first entry.
    pub(crate) fn base(&self) -> *const u32 {
        self.0.base.as_ptr().cast_const().cast()
    }

    /// The number of entries.
    pub(crate) fn len(&self) -> usize {
        self.0.len.load(Ordering::Acquire)
    }

    /// Adds the entry of the next number: the kind and the supertypes of its type down to the type
    /// itself, and the layout of its objects.
    ///
    /// # Errors
    ///
    /// If the table is full, or memory is short; nothing is added then.
    pub(crate) fn push(
        &self,
        display: impl Iterator<Item = u32>,
        layout: &ObjectLayout,
    ) -> Result<()> {
        let mut memory = self.0.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let len = self.len();
        let most = type_display::MAX_TYPES;
        ensure!(len < most, "an engine has room for {most} types");
        memory.commit((len + 1) * size_of::<Entry>())?;
        let shape = EncodedShape::new(layout, |bits| {
            let address = bits.as_ptr().expose_provenance();
            memory.bitmaps.push(bits);
            address
        });
        let mut entry = Entry { display: [type_display::NONE; type_display::INLINE], shape };
        entry.display.iter_mut().zip(display).for_each(|(slot, id)| *slot = id);
        // SAFETY: the entry lies in the part of the reservation that was made accessible, the
        // reservation starts at a page, the lock keeps other writers away, and nobody reads an entry
        // that `len` does not count yet.
        unsafe { self.0.base.add(len).write(entry) };
        self.0.len.store(len + 1, Ordering::Release);
        Ok(())
    }

    /// The shape of the objects of type `number`, as [`Shapes::get`].
    #[inline]
    pub(crate) fn shape(&self, number: u32) -> Shape<'_> {
        self.shapes().get(number)
    }

    /// The shapes of all types that there are now.
    #[inline]
    pub(crate) fn shapes(&self) -> Shapes<'_> {
        Shapes { base: self.0.base, len: self.len(), _table: PhantomData }
    }
}

/// The shapes of the types of a table, for who looks up many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shapes<'a> {
    base: NonNull<Entry>,
    len: usize,
    _table: PhantomData<&'a TypeTable>,
}

impl<'a> Shapes<'a> {
    /// The shape of the objects of type `number`.
    ///
    /// # Panics
    ///
    /// If there is no such type: the number was not read from an object.
    #[inline(always)]
    pub(crate) fn get(self, number: u32) -> Shape<'a> {
        self.entry(number).shape.decode(|address, words| {
            let bits = std::ptr::with_exposed_provenance::<u64>(address);
            // SAFETY: `push` encoded the address and the length of a bitmap, which lives on the heap
            // as long as the table and is never written again.
            unsafe { slice::from_raw_parts(bits, words) }
        })
    }

    #[inline(always)]
    fn entry(self, number: u32) -> &'a Entry {
        if number as usize >= self.len {
            unknown(number);
        }
        // SAFETY: `len` counts the entry, so it was written and is never written again.
        unsafe { self.base.add(number as usize).as_ref() }
    }
}

#[cold]
#[inline(never)]
fn unknown(number: u32) -> ! {
    panic!("heap invariant: {number} is no type's number")
}

impl Memory {
    /// Makes the first `end` bytes accessible.
    fn commit(&mut self, end: usize) -> Result<()> {
        if end > self.accessible {
            let accessible = end.next_multiple_of(CHUNK).min(SIZE);
            self.entries.extend(accessible)?;
            self.accessible = accessible;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::gc_layout::{Storage, StructLayout};
    use crate::abi::shape::References;

    #[test]
    fn entries_stay_where_they_are() {
        let table = TypeTable::new().unwrap();
        let base = table.base();
        for id in 0..10_000 {
            table.push([7, id].into_iter(), &ObjectLayout::Func).unwrap();
        }
        assert_eq!((table.base(), table.len()), (base, 10_000));
        assert_eq!(table.shapes().entry(9_999).display[..3], [7, 9_999, type_display::NONE]);
        assert_eq!(table.shape(9_999), Shape::None);
    }

    #[test]
    fn deeper_displays_are_cut() {
        let table = TypeTable::new().unwrap();
        table.push(0..20, &ObjectLayout::Func).unwrap();
        assert_eq!(table.shapes().entry(0).display, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    }

    #[test]
    fn long_bitmaps_stay_where_they_are() {
        let table = TypeTable::new().unwrap();
        for count in 1..500 {
            let layout = StructLayout::new(std::iter::repeat_n(Storage::Reference, count));
            table.push([].into_iter(), &ObjectLayout::Struct(layout)).unwrap();
        }
        for count in 1..500_u32 {
            let Shape::Struct { size, references } = table.shape(count - 1) else {
                panic!("a struct")
            };
            assert_eq!(size, (8 + 4 * count).next_multiple_of(8));
            assert_eq!(matches!(references, References::Short(_)), count <= 64);
            assert!(references.offsets().eq((8..).step_by(4).take(count as usize)));
        }
    }

    #[test]
    #[should_panic(expected = "no type's number")]
    fn numbers_that_were_not_given_out_have_no_shape() {
        TypeTable::new().unwrap().shape(0);
    }
}
