//! Host values with their type erased. Owns the one place where a pointer to such a value is made
//! or followed; knows nothing of rows, references or stores.
//!
//! ```text
//!  Payload --> +--------+--------+-------+--------+----- ..
//!              | borrow | vtable | bytes | frozen | value: T
//!              +--------+--------+-------+--------+----- ..
//! ```
//!
//! A `Box<dyn Any>` would do but for its price: finding out what is in it is an indirect call. Here
//! the host table keeps the `TypeId` beside the pointer, and a typed access is one comparison.
//!
//! Invariants:
//! * the allocation behind a [`Payload`] is that of a `Box<Cell<T>>`, and `vtable` belongs to that
//!   very `T`. It is left with the payload, or by the last detached guard if that goes later;
//! * a reference to the value is made only by a method that first looks at the borrow state, and its
//!   lifetime is that of a borrow of the [`Payload`] or of a guard of `borrow.rs`. So a mutable
//!   reference is never aliased, and none leads to a value that was taken.

use std::alloc::Layout;
use std::any::{Any, TypeId, type_name};
use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, needs_drop};
use std::ptr::NonNull;

use super::blocks::{Block, Blocks};
use super::borrow::{BorrowError, BorrowState, Located, LocatedAny};
use super::object_kind::ObjectKind;

/// What `data` shows of a value whose type is not named: any value at all.
pub(crate) type HostData = dyn Any + Send + Sync;

/// What is known of a payload besides its value.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Properties {
    /// Bytes that the value owns outside of itself, as far as its maker knows.
    pub(crate) external: usize,
    /// Whether the value is never borrowed mutably.
    pub(crate) frozen: bool,
    /// What the derive macro knows of its type; `None` for a plain object.
    pub(crate) kind: Option<&'static ObjectKind>,
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
pub(super) struct Header {
    pub(super) borrow: BorrowState,
    vtable: &'static VTable,
    /// All bytes that go when the payload goes.
    bytes: usize,
    kind: Option<&'static ObjectKind>,
}

/// What depends on the type.
struct VTable {
    tag: TypeId,
    name: fn() -> &'static str,
    any: fn(NonNull<Header>) -> NonNull<HostData>,
    /// The layout of the allocation.
    layout: Layout,
    /// Drops the value; `None` where that does nothing.
    ///
    /// The header must come from [`Payload::new`] for the same type, and nobody may use the value again.
    drop: Option<unsafe fn(NonNull<Header>)>,
}

#[repr(C)]
struct Cell<T> {
    header: Header,
    value: UnsafeCell<T>,
}

impl Payload {
    /// Boxes `value`, in one of `blocks` if possible.
    #[inline]
    pub(super) fn new<T: Any + Send + Sync>(
        value: T,
        properties: Properties,
        blocks: &mut Blocks,
    ) -> Payload {
        let header = Header {
            borrow: BorrowState::new(properties.frozen),
            vtable: &Of::<T>::VTABLE,
            bytes: size_of::<Cell<T>>().saturating_add(properties.external),
            kind: properties.kind,
        };
        let cell = blocks.take(Layout::new::<Cell<T>>()).into_raw().cast::<Cell<T>>();
        // SAFETY: the block has the layout of a `Cell<T>`, and is ours.
        unsafe { cell.write(Cell { header, value: UnsafeCell::new(value) }) };
        Payload { header: cell.cast(), owns: PhantomData }
    }

    /// The identity of the value's type.
    pub(crate) fn tag(&self) -> TypeId {
        self.vtable().tag
    }

    /// What messages call the value's type.
    pub(crate) fn type_name(&self) -> &'static str {
        self.header().type_name()
    }

    /// Drops the value. Returns the allocation, unless a detached guard has it still.
    ///
    /// # Panics
    ///
    /// If the value's destructor panics; the allocation is freed then.
    pub(crate) fn drop_value(self) -> Option<Block> {
        let payload = ManuallyDrop::new(self);
        if !payload.header().borrow.abandon() {
            return None;
        }
        // SAFETY: the payload is gone, and no guard is left.
        Some(unsafe { Header::drop_value(payload.header) })
    }

    /// All bytes that go when the payload goes.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.header().bytes
    }

    /// Whether the value is a `T`.
    pub(crate) fn is<T: Any>(&self) -> bool {
        self.tag() == TypeId::of::<T>()
    }

    /// The value, or the payload back when it is of another type or borrowed.
    pub(crate) fn into_value<T: Any>(self) -> Result<T, Payload> {
        if !self.is::<T>() || self.header().borrow.check_taking().is_err() {
            return Err(self);
        }
        let payload = ManuallyDrop::new(self);
        // SAFETY: the tag says that the allocation is that of a `Box<Cell<T>>`; `payload` owns it,
        // nobody borrows it, and `ManuallyDrop` keeps it from being freed again.
        let cell = unsafe { Box::from_raw(payload.header.cast::<Cell<T>>().as_ptr()) };
        Ok(cell.value.into_inner())
    }

    /// [`Located`] for a caller that has compared the tag.
    ///
    /// # Safety
    ///
    /// The value must be a `T`.
    #[inline]
    pub(super) unsafe fn located_tagged<T: Any>(&self) -> Located<T> {
        // SAFETY: the caller has compared the tag, and the header is that of a live payload.
        unsafe { Located::new(self.header) }
    }

    /// The value, if it is not borrowed mutably, for a caller that has compared the tag.
    ///
    /// # Safety
    ///
    /// The value must be a `T`.
    #[inline]
    pub(super) unsafe fn value_tagged<T: Any>(&self) -> Option<&T> {
        if !self.header().borrow.is_readable() {
            return None;
        }
        // SAFETY: the value is a `T`, by the caller's duty.
        let pointer = unsafe { value_of::<T>(self.header) };
        // SAFETY: as in `value`.
        Some(unsafe { pointer.as_ref() })
    }

    /// The value, to be borrowed without naming its type.
    pub(super) fn located(&self) -> LocatedAny {
        // SAFETY: the header is that of a live payload.
        unsafe { LocatedAny::new(self.header) }
    }

    /// What the derive macro knows of the value's type.
    pub(crate) fn kind(&self) -> Option<&'static ObjectKind> {
        self.header().kind
    }

    /// The value, if it is a `T` and not borrowed mutably.
    #[inline]
    pub(crate) fn value<T: Any>(&self) -> Result<Option<&T>, BorrowError> {
        self.header().borrow.check_shared()?;
        if !self.is::<T>() {
            return Ok(None);
        }
        // SAFETY: the tag was compared just above.
        let pointer = unsafe { value_of::<T>(self.header) };
        // SAFETY: the pointer is to our live value of type `T`. No exclusive borrow exists, and none
        // can begin while the result borrows `self`: that takes `&mut Payload`.
        Ok(Some(unsafe { pointer.as_ref() }))
    }

    /// The value for writing, if it is a `T`, not frozen and not borrowed.
    pub(crate) fn value_mut<T: Any>(&mut self) -> Result<Option<&mut T>, BorrowError> {
        self.header().borrow.check_exclusive()?;
        if !self.is::<T>() {
            return Ok(None);
        }
        // SAFETY: the tag was compared just above.
        let mut pointer = unsafe { value_of::<T>(self.header) };
        // SAFETY: the pointer is to our live value of type `T`. No borrow exists, and none can begin
        // while the result borrows `self` mutably.
        Ok(Some(unsafe { pointer.as_mut() }))
    }

    /// The value whatever its type, if it is not borrowed mutably.
    #[inline]
    pub(crate) fn any(&self) -> Option<&HostData> {
        if !self.header().borrow.is_readable() {
            return None;
        }
        let pointer = (self.vtable().any)(self.header);
        // SAFETY: as in `value`; the vtable belongs to the value's type.
        Some(unsafe { pointer.as_ref() })
    }

    /// Whether the value may be read, and if not, why.
    pub(crate) fn check_shared(&self) -> Result<(), BorrowError> {
        self.header().borrow.check_shared()
    }

    /// The value whatever its type, for writing, if it is not frozen and not borrowed.
    pub(crate) fn any_mut(&mut self) -> Result<&mut HostData, BorrowError> {
        self.header().borrow.check_exclusive()?;
        let mut pointer = (self.vtable().any)(self.header);
        // SAFETY: as in `value_mut`; the vtable belongs to the value's type.
        Ok(unsafe { pointer.as_mut() })
    }

    /// Whether anybody borrows the value.
    pub(crate) fn is_borrowed(&self) -> bool {
        self.header().borrow.is_borrowed()
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: `header` points to the live allocation that `self` owns; header fields are never
        // written after `new`, except atomics.
        unsafe { self.header.as_ref() }
    }

    #[inline]
    fn vtable(&self) -> &'static VTable {
        self.header().vtable
    }
}

impl Header {
    /// The value, whatever its type.
    #[inline]
    pub(super) fn any(this: NonNull<Header>) -> NonNull<HostData> {
        // SAFETY: whoever has a header's address has it of a live payload.
        (unsafe { this.as_ref() }.vtable.any)(this)
    }

    /// What messages call the value's type.
    pub(super) fn type_name(&self) -> &'static str {
        self.kind.map_or_else(|| (self.vtable.name)(), |kind| kind.name())
    }

    /// Drops the value, unless it was taken, and returns the allocation.
    ///
    /// # Safety
    ///
    /// The payload is gone, and nobody uses the header again.
    pub(super) unsafe fn drop_value(this: NonNull<Header>) -> Block {
        // SAFETY: the header is still live.
        let header = unsafe { this.as_ref() };
        let VTable { layout, drop, .. } = *header.vtable;
        let drop = drop.filter(|_| !header.borrow.is_taken());
        // SAFETY: the allocation is one of this layout, and nobody uses it again by the caller's duty.
        // It is freed if the destructor panics.
        let block = unsafe { Block::new(this.cast(), layout) };
        if let Some(drop) = drop {
            // SAFETY: the header comes from `Payload::new` with the vtable of its type; the value is
            // there, and goes now.
            unsafe { drop(this) };
        }
        block
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        if self.header().borrow.abandon() {
            // SAFETY: `self` is going, and no guard is left.
            drop(unsafe { Header::drop_value(self.header) });
        }
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
        // SAFETY: the vtable is that of headers of `T`s.
        any: |header| unsafe { value_of::<T>(header) } as NonNull<HostData>,
        layout: Layout::new::<Cell<T>>(),
        drop: if needs_drop::<T>() { Some(drop_value::<T>) } else { None },
    };
}

/// Where the value of the `Cell<T>` with this header is. Computes an address only.
///
/// # Safety
///
/// The header is that of a `Cell<T>` that has not been freed.
#[inline]
pub(super) unsafe fn value_of<T>(header: NonNull<Header>) -> NonNull<T> {
    let offset = std::mem::offset_of!(Cell<T>, value);
    // SAFETY: the value lies in the same allocation, by the caller's duty.
    unsafe { header.byte_add(offset) }.cast()
}

/// # Safety
///
/// See [`VTable::drop`].
unsafe fn drop_value<T>(header: NonNull<Header>) {
    // SAFETY: the header is that of a `T`, by the caller's duty.
    let value = unsafe { value_of::<T>(header) };
    // SAFETY: nobody uses the value again, by the caller's duty.
    unsafe { value.drop_in_place() }
}

#[cfg(test)]
mod tests {
    use super::super::borrow::{BorrowSite, Borrowed, BorrowedMut, Holder};
    use super::*;
    use std::sync::Arc;

    fn plain<T: Any + Send + Sync>(value: T) -> Payload {
        Payload::new(value, Properties::default(), &mut Blocks::default())
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
        // SAFETY: the payload's value is a `Wide`.
        assert!(unsafe { value_of::<Wide>(payload.header) }.as_ptr().is_aligned());
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

    const OUTER: &BorrowSite = &BorrowSite::new("env", "outer", "a");
    const INNER: &BorrowSite = &BorrowSite::new("env", "inner", "b");

    /// Borrows for reading; the payload outlives the guard in every test.
    fn borrow(payload: &Payload, site: &'static BorrowSite) -> Result<Borrowed<u32>, BorrowError> {
        // SAFETY: as said above, and the tests' values are `u32`s.
        unsafe { payload.located_tagged::<u32>().borrow(site) }
    }

    /// Borrows for writing; the payload outlives the guard in every test.
    fn borrow_mut(
        payload: &Payload,
        site: &'static BorrowSite,
    ) -> Result<BorrowedMut<u32>, BorrowError> {
        // SAFETY: as said above, and the tests' values are `u32`s.
        unsafe { payload.located_tagged::<u32>().borrow_mut(site) }
    }

    #[test]
    fn shared_borrows_exclude_mutation_only() {
        let mut payload = plain(1_u32);
        let outer = borrow(&payload, OUTER).ok().unwrap();
        let inner = borrow(&payload, INNER).ok().unwrap();
        assert_eq!((*outer, *inner), (1, 1));
        let refused = BorrowError::Shared { holder: Holder::Parameter(INNER) };
        assert_eq!(borrow_mut(&payload, INNER).err(), Some(refused));
        assert_eq!(payload.value_mut::<u32>(), Err(refused));
        assert_eq!(payload.value::<u32>(), Ok(Some(&1)));
        drop(inner);
        assert!(payload.is_borrowed());
        let refused = BorrowError::Shared { holder: Holder::Parameter(OUTER) };
        assert_eq!(payload.value_mut::<u32>(), Err(refused));
        drop(outer);
        *payload.value_mut::<u32>().unwrap().unwrap() = 2;
        *payload.any_mut().unwrap().downcast_mut::<u32>().unwrap() += 1;
        assert_eq!(payload.value::<u32>(), Ok(Some(&3)));
    }

    #[test]
    fn an_exclusive_borrow_excludes_everything() {
        let payload = plain(1_u32);
        let mut guard = borrow_mut(&payload, OUTER).ok().unwrap();
        *guard += 1;
        let refused = Some(BorrowError::Exclusive { holder: Holder::Parameter(OUTER) });
        assert_eq!(borrow_mut(&payload, INNER).err(), refused);
        assert_eq!(borrow(&payload, INNER).err(), refused);
        assert_eq!(payload.value::<u32>().err(), refused);
        assert!(payload.any().is_none());
        let payload = payload.into_value::<u32>().unwrap_err();
        drop(guard);
        assert_eq!(payload.value::<u32>(), Ok(Some(&2)));
    }

    #[test]
    fn a_frozen_value_is_never_borrowed_mutably() {
        let mut payload = Payload::new(
            1_u32,
            Properties { frozen: true, external: 100, ..Properties::default() },
            &mut Blocks::default(),
        );
        assert_eq!(borrow_mut(&payload, OUTER).err(), Some(BorrowError::Frozen));
        assert!(payload.any_mut().is_err());
        assert_eq!(payload.value::<u32>(), Ok(Some(&1)));
        assert!(payload.bytes() > 100);
    }

    #[test]
    fn a_value_that_was_taken_is_gone_for_good() {
        let witness = Arc::new(());
        let mut payload = plain(witness.clone());
        // SAFETY: the payload outlives the guard, and the value is an `Arc<()>`.
        let guard = unsafe { payload.located_tagged::<Arc<()>>().borrow_to_take(OUTER) };
        let taken = guard.ok().unwrap().take();
        let refused = BorrowError::Taken { holder: Holder::Parameter(OUTER) };
        assert_eq!(payload.value::<Arc<()>>().err(), Some(refused));
        assert_eq!(payload.value_mut::<Arc<()>>().err(), Some(refused));
        assert!(!payload.is_borrowed());
        let payload = payload.into_value::<Arc<()>>().unwrap_err();
        drop(payload);
        assert_eq!(Arc::strong_count(&witness), 2, "the destructor runs where the value is");
        drop(taken);
        assert_eq!(Arc::strong_count(&witness), 1);
    }

    #[test]
    fn detached_guards_exclude_and_outlive() {
        let witness = Arc::new(());
        let mut payload = plain(witness.clone());
        // SAFETY: the payload lives, and the value is an `Arc<()>`.
        let detach = |payload: &Payload| unsafe { payload.located_tagged::<Arc<()>>().detach() };
        let (a, b) = (detach(&payload).ok().unwrap(), detach(&payload).ok().unwrap());
        let refused = BorrowError::Shared { holder: Holder::Guard };
        assert_eq!(payload.value_mut::<Arc<()>>().err(), Some(refused));
        assert!(payload.value::<Arc<()>>().is_ok() && payload.is_borrowed());
        drop((a, b));
        // SAFETY: as above, with exclusive access.
        let guard = unsafe { payload.located_tagged::<Arc<()>>().detach_mut() }.ok().unwrap();
        let refused = BorrowError::Exclusive { holder: Holder::Guard };
        assert_eq!(payload.value::<Arc<()>>().err(), Some(refused));
        assert_eq!(detach(&payload).err(), Some(refused));
        drop(payload);
        assert_eq!(Arc::strong_count(&witness), 2, "the guard keeps the value");
        assert_eq!(Arc::strong_count(&guard), 2);
        drop(guard);
        assert_eq!(Arc::strong_count(&witness), 1);
    }

    #[test]
    fn a_site_names_the_parameter() {
        assert_eq!(OUTER.to_string(), "parameter `a` of `env::outer`");
    }
}
