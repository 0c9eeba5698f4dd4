//! Host values with their type erased. Owns the one place where a pointer to such a value is made
//! or followed; knows nothing of rows, references or stores.
//!
//! ```text
//!  Payload --> +--------+--------+----------+-------+----- ..
//!              | borrow | vtable | external | frozen| value: T
//!              +--------+--------+----------+-------+----- ..
//! ```
//!
//! A `Box<dyn Any>` would do but for its price: finding out what is in it is an indirect call. Here
//! the host table keeps the `TypeId` beside the pointer, and a typed access is one comparison.
//!
//! Invariants:
//! * the allocation behind a [`Payload`] was made as a `Box<Cell<T>>`, lives and dies with it, and
//!   `vtable` belongs to that very `T`;
//! * a reference to the value is made only by a method that first looks at the borrow word, and its
//!   lifetime is that of a borrow of the [`Payload`]. A pointer from [`Payload::pointer`] is followed
//!   only by a holder of the borrow word. So a mutable reference is never aliased.

use std::any::{Any, TypeId, type_name};
use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicIsize, Ordering};

/// What `data` shows of a value whose type is not named: any value at all.
pub(crate) type HostData = dyn Any + Send + Sync;

/// What is known of a payload besides its value.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Properties {
    /// Bytes that the value owns outside of itself, as far as its maker knows.
    pub(crate) external: usize,
    /// Whether the value is never borrowed mutably.
    pub(crate) frozen: bool,
}

/// An owned host value of some type.
pub(crate) struct Payload {
    header: NonNull<Header>,
    owns: PhantomData<Box<HostData>>,
}

// SAFETY: the value is `Send` (a bound of `Payload::new`), and so is the rest of the allocation.
unsafe impl Send for Payload {}
// SAFETY: the value is `Sync` (a bound of `Payload::new`); `&Payload` gives out `&T` only, and the
// borrow word is atomic.
unsafe impl Sync for Payload {}

/// The part of an allocation that does not depend on the type.
struct Header {
    /// 0 free, above 0 the number of shared borrows, [`EXCLUSIVE`].
    ///
    /// Only one thread changes it at a time; atomic because others may read the value of a shared
    /// store meanwhile.
    borrow: AtomicIsize,
    vtable: &'static VTable,
    properties: Properties,
}

const EXCLUSIVE: isize = -1;

/// What depends on the type.
struct VTable {
    tag: TypeId,
    name: fn() -> &'static str,
    size: usize,
    any: fn(NonNull<Header>) -> NonNull<HostData>,
    /// Frees the allocation with the value in it.
    ///
    /// The header must come from [`Payload::new`] for the same type, and must not be used again.
    free: unsafe fn(NonNull<Header>),
}

#[repr(C)]
struct Cell<T> {
    header: Header,
    value: UnsafeCell<T>,
}

/// Why a payload cannot be borrowed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BorrowError {
    /// It is borrowed mutably.
    Exclusive,
    /// It is borrowed, and was to be borrowed mutably.
    Shared,
    /// It may never be borrowed mutably.
    Frozen,
}

impl Payload {
    /// Boxes `value`.
    pub(crate) fn new<T: Any + Send + Sync>(value: T, properties: Properties) -> Payload {
        let header = Header { borrow: AtomicIsize::new(0), vtable: &Of::<T>::VTABLE, properties };
        let cell = Box::new(Cell { header, value: UnsafeCell::new(value) });
        let header = NonNull::from(Box::leak(cell)).cast::<Header>();
        Payload { header, owns: PhantomData }
    }

    /// The identity of the value's type.
    pub(crate) fn tag(&self) -> TypeId {
        self.vtable().tag
    }

    /// The name of the value's type.
    pub(crate) fn type_name(&self) -> &'static str {
        (self.vtable().name)()
    }

    /// All bytes that go when the payload goes.
    pub(crate) fn bytes(&self) -> usize {
        self.vtable().size.saturating_add(self.header().properties.external)
    }

    /// Whether the value is a `T`.
    pub(crate) fn is<T: Any>(&self) -> bool {
        self.tag() == TypeId::of::<T>()
    }

    /// The value, or the payload back when it is of another type or borrowed.
    pub(crate) fn into_value<T: Any>(self) -> Result<T, Payload> {
        if !self.is::<T>() || self.is_borrowed() {
            return Err(self);
        }
        let payload = ManuallyDrop::new(self);
        // SAFETY: the tag says that the allocation is a `Box<Cell<T>>`; `payload` owns it, nobody
        // borrows it, and `ManuallyDrop` keeps it from being freed again.
        let cell = unsafe { Box::from_raw(payload.header.cast::<Cell<T>>().as_ptr()) };
        Ok(cell.value.into_inner())
    }

    /// Where the value is, for a holder of the borrow word; `None` when it is not a `T`.
    #[inline]
    pub(crate) fn pointer<T: Any>(&self) -> Option<NonNull<T>> {
        self.is::<T>().then(|| self.pointer_tagged())
    }

    /// [`Payload::pointer`] for a caller that has compared the tag: then the pointer is one to a
    /// `T`. Otherwise it points to nothing useful.
    #[inline]
    pub(super) fn pointer_tagged<T: Any>(&self) -> NonNull<T> {
        value_of::<T>(self.header)
    }

    /// The value, if it is a `T` and not borrowed mutably.
    #[inline]
    pub(crate) fn value<T: Any>(&self) -> Result<Option<&T>, BorrowError> {
        self.check_shared()?;
        let Some(pointer) = self.pointer::<T>() else { return Ok(None) };
        // SAFETY: the pointer is to our live value of type `T`. No exclusive borrow exists, and none
        // can begin while the result borrows `self`: that takes `&mut Payload`.
        Ok(Some(unsafe { pointer.as_ref() }))
    }

    /// The value for writing, if it is a `T`, not frozen and not borrowed.
    pub(crate) fn value_mut<T: Any>(&mut self) -> Result<Option<&mut T>, BorrowError> {
        self.check_exclusive()?;
        let Some(mut pointer) = self.pointer::<T>() else { return Ok(None) };
        // SAFETY: the pointer is to our live value of type `T`. No borrow exists, and none can begin
        // while the result borrows `self` mutably.
        Ok(Some(unsafe { pointer.as_mut() }))
    }

    /// The value whatever its type, if it is not borrowed mutably.
    pub(crate) fn any(&self) -> Result<&HostData, BorrowError> {
        self.check_shared()?;
        let pointer = (self.vtable().any)(self.header);
        // SAFETY: as in `value`; the vtable belongs to the value's type.
        Ok(unsafe { pointer.as_ref() })
    }

    /// The value whatever its type, for writing, if it is not frozen and not borrowed.
    pub(crate) fn any_mut(&mut self) -> Result<&mut HostData, BorrowError> {
        self.check_exclusive()?;
        let mut pointer = (self.vtable().any)(self.header);
        // SAFETY: as in `value_mut`; the vtable belongs to the value's type.
        Ok(unsafe { pointer.as_mut() })
    }

    /// Whether anybody holds the borrow word.
    pub(crate) fn is_borrowed(&self) -> bool {
        self.borrow().load(Ordering::Acquire) != 0
    }

    /// Takes a shared hold of the borrow word.
    #[inline]
    pub(crate) fn try_borrow(&mut self) -> Result<(), BorrowError> {
        self.check_shared()?;
        let held = self.borrow().load(Ordering::Relaxed);
        self.borrow().store(held + 1, Ordering::Relaxed);
        Ok(())
    }

    /// Takes the exclusive hold of the borrow word.
    #[inline]
    pub(crate) fn try_borrow_mut(&mut self) -> Result<(), BorrowError> {
        self.check_exclusive()?;
        self.borrow().store(EXCLUSIVE, Ordering::Relaxed);
        Ok(())
    }

    /// Gives one hold back, of whichever kind it was.
    ///
    /// # Panics
    ///
    /// Panics when there is none.
    #[inline]
    pub(crate) fn release(&mut self) {
        let held = self.borrow().load(Ordering::Relaxed);
        assert!(held != 0, "borrow invariant: released more often than held");
        let left = if held == EXCLUSIVE { 0 } else { held - 1 };
        self.borrow().store(left, Ordering::Release);
    }

    #[inline]
    fn check_shared(&self) -> Result<(), BorrowError> {
        match self.borrow().load(Ordering::Acquire) {
            EXCLUSIVE => Err(BorrowError::Exclusive),
            _ => Ok(()),
        }
    }

    #[inline]
    fn check_exclusive(&self) -> Result<(), BorrowError> {
        match self.borrow().load(Ordering::Acquire) {
            _ if self.header().properties.frozen => Err(BorrowError::Frozen),
            0 => Ok(()),
            EXCLUSIVE => Err(BorrowError::Exclusive),
            _ => Err(BorrowError::Shared),
        }
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: `header` points to the live allocation that `self` owns; header fields are never
        // written after `new`, except the atomic.
        unsafe { self.header.as_ref() }
    }

    #[inline]
    fn borrow(&self) -> &AtomicIsize {
        &self.header().borrow
    }

    #[inline]
    fn vtable(&self) -> &'static VTable {
        self.header().vtable
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        let free = self.vtable().free;
        // SAFETY: the header comes from `new` with the vtable of its type, and `self` is going.
        unsafe { free(self.header) }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Payload").field(&self.type_name()).finish()
    }
}

/// Carries the vtable of a type.
struct Of<T>(PhantomData<T>);

impl<T: Any + Send + Sync> Of<T> {
    const VTABLE: VTable = VTable {
        tag: TypeId::of::<T>(),
        name: type_name::<T>,
        size: size_of::<Cell<T>>(),
        any: |header| value_of::<T>(header) as NonNull<HostData>,
        free: free::<T>,
    };
}

/// Where the value of the `Cell<T>` with this header is. Computes an address only.
#[inline]
fn value_of<T>(header: NonNull<Header>) -> NonNull<T> {
    let at = header.as_ptr().cast::<u8>().wrapping_add(std::mem::offset_of!(Cell<T>, value));
    NonNull::new(at.cast::<T>()).expect("a value lies after its header, not at address 0")
}

/// # Safety
///
/// See [`VTable::free`].
unsafe fn free<T>(header: NonNull<Header>) {
    // SAFETY: the caller passes the header of a leaked `Box<Cell<T>>` that nobody uses again.
    drop(unsafe { Box::from_raw(header.cast::<Cell<T>>().as_ptr()) });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn plain<T: Any + Send + Sync>(value: T) -> Payload {
        Payload::new(value, Properties::default())
    }

    #[test]
    fn a_payload_gives_its_value_back_by_type() {
        let payload = plain(String::from("text"));
        assert!(payload.type_name().ends_with("String"));
        assert_eq!(payload.value::<u8>(), Ok(None));
        assert_eq!(payload.value::<String>().unwrap().unwrap(), "text");
        assert_eq!(payload.any().unwrap().downcast_ref::<String>().unwrap(), "text");
        let payload = payload.into_value::<u8>().unwrap_err();
        assert_eq!(payload.into_value::<String>().unwrap(), "text");
    }

    #[test]
    fn values_of_any_alignment_and_size_zero_are_found() {
        #[derive(Clone, Copy, PartialEq, Debug)]
        #[repr(align(128))]
        struct Wide(u8);
        let payload = plain(Wide(7));
        assert_eq!(payload.value::<Wide>().unwrap(), Some(&Wide(7)));
        assert!(payload.pointer::<Wide>().unwrap().as_ptr().is_aligned());
        assert_eq!(plain(()).value::<()>().unwrap(), Some(&()));
    }

    #[test]
    fn the_value_is_dropped_once() {
        let witness = Arc::new(());
        let payload = plain(witness.clone());
        assert_eq!(Arc::strong_count(&witness), 2);
        drop(payload);
        assert_eq!(Arc::strong_count(&witness), 1);
        drop(plain(witness.clone()).into_value::<Arc<()>>().unwrap());
        assert_eq!(Arc::strong_count(&witness), 1);
    }

    #[test]
    fn shared_borrows_exclude_mutation_only() {
        let mut payload = plain(1_u32);
        payload.try_borrow().unwrap();
        payload.try_borrow().unwrap();
        assert_eq!(payload.try_borrow_mut(), Err(BorrowError::Shared));
        assert_eq!(payload.value_mut::<u32>(), Err(BorrowError::Shared));
        assert_eq!(payload.value::<u32>(), Ok(Some(&1)));
        payload.release();
        assert!(payload.is_borrowed());
        payload.release();
        *payload.value_mut::<u32>().unwrap().unwrap() = 2;
        *payload.any_mut().unwrap().downcast_mut::<u32>().unwrap() += 1;
        assert_eq!(payload.value::<u32>(), Ok(Some(&3)));
    }

    #[test]
    fn an_exclusive_borrow_excludes_everything() {
        let mut payload = plain(1_u32);
        payload.try_borrow_mut().unwrap();
        assert_eq!(payload.try_borrow_mut(), Err(BorrowError::Exclusive));
        assert_eq!(payload.try_borrow(), Err(BorrowError::Exclusive));
        assert_eq!(payload.value::<u32>(), Err(BorrowError::Exclusive));
        assert!(payload.any().is_err());
        let mut payload = payload.into_value::<u32>().unwrap_err();
        payload.release();
        assert_eq!(payload.value::<u32>(), Ok(Some(&1)));
    }

    #[test]
    fn a_frozen_value_is_never_borrowed_mutably() {
        let mut payload = Payload::new(1_u32, Properties { frozen: true, external: 100 });
        assert_eq!(payload.try_borrow_mut(), Err(BorrowError::Frozen));
        assert!(payload.any_mut().is_err());
        assert_eq!(payload.value::<u32>(), Ok(Some(&1)));
        assert!(payload.bytes() > 100);
    }
}
