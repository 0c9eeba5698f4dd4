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
//! * the allocation behind a [`Payload`] was made as a `Box<Cell<T>>`, lives and dies with it, and
//!   `vtable` belongs to that very `T`;
//! * a reference to the value is made only by a method that first looks at the borrow word, and its
//!   lifetime is that of a borrow of the [`Payload`] or of a guard that holds the word, [`Borrowed`]
//!   or [`BorrowedMut`]. So a mutable reference is never aliased.

use std::any::{Any, TypeId, type_name};
use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicIsize, AtomicPtr, Ordering};

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
    /// The site of the latest guard that still holds the word; null when there is none.
    holder: AtomicPtr<BorrowSite>,
    vtable: &'static VTable,
    /// All bytes that go when the payload goes.
    bytes: usize,
    frozen: bool,
}

const EXCLUSIVE: isize = -1;

/// What depends on the type.
struct VTable {
    tag: TypeId,
    name: fn() -> &'static str,
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
    Exclusive {
        /// By whom.
        holder: Option<&'static BorrowSite>,
    },
    /// It is borrowed, and was to be borrowed mutably.
    Shared {
        /// By whom, last.
        holder: Option<&'static BorrowSite>,
    },
    /// It may never be borrowed mutably.
    Frozen,
}

/// Who borrows: a parameter of a host function.
#[doc(hidden)]
#[derive(Debug, PartialEq, Eq)]
pub struct BorrowSite {
    module: &'static str,
    function: &'static str,
    parameter: &'static str,
}

impl BorrowSite {
    /// The parameter called `parameter` of the host function `module::function`.
    pub const fn new(
        module: &'static str,
        function: &'static str,
        parameter: &'static str,
    ) -> BorrowSite {
        BorrowSite { module, function, parameter }
    }
}

impl fmt::Display for BorrowSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "parameter `{}` of `{}::{}`", self.parameter, self.module, self.function)
    }
}

impl Payload {
    /// Boxes `value`.
    pub(crate) fn new<T: Any + Send + Sync>(value: T, properties: Properties) -> Payload {
        let header = Header {
            borrow: AtomicIsize::new(0),
            holder: AtomicPtr::new(ptr::null_mut()),
            vtable: &Of::<T>::VTABLE,
            bytes: size_of::<Cell<T>>().saturating_add(properties.external),
            frozen: properties.frozen,
        };
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
        self.header().bytes
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

    /// [`Located`] for a caller that has compared the tag.
    ///
    /// # Safety
    ///
    /// The value must be a `T`.
    #[inline]
    pub(super) unsafe fn located_tagged<T: Any>(&self) -> Located<T> {
        Located { header: self.header, value: PhantomData }
    }

    /// The value, if it is a `T` and not borrowed mutably.
    #[inline]
    pub(crate) fn value<T: Any>(&self) -> Result<Option<&T>, BorrowError> {
        self.check_shared()?;
        if !self.is::<T>() {
            return Ok(None);
        }
        let pointer = value_of::<T>(self.header);
        // SAFETY: the pointer is to our live value of type `T`. No exclusive borrow exists, and none
        // can begin while the result borrows `self`: that takes `&mut Payload`.
        Ok(Some(unsafe { pointer.as_ref() }))
    }

    /// The value for writing, if it is a `T`, not frozen and not borrowed.
    pub(crate) fn value_mut<T: Any>(&mut self) -> Result<Option<&mut T>, BorrowError> {
        self.check_exclusive()?;
        if !self.is::<T>() {
            return Ok(None);
        }
        let mut pointer = value_of::<T>(self.header);
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

    #[inline]
    fn check_shared(&self) -> Result<(), BorrowError> {
        self.header().check_shared()
    }

    #[inline]
    fn check_exclusive(&self) -> Result<(), BorrowError> {
        self.header().check_exclusive()
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

impl Header {
    #[inline]
    fn check_shared(&self) -> Result<(), BorrowError> {
        match self.borrow.load(Ordering::Acquire) {
            EXCLUSIVE => Err(BorrowError::Exclusive { holder: self.holder() }),
            _ => Ok(()),
        }
    }

    #[inline]
    fn check_exclusive(&self) -> Result<(), BorrowError> {
        match self.borrow.load(Ordering::Acquire) {
            _ if self.frozen => Err(BorrowError::Frozen),
            0 => Ok(()),
            EXCLUSIVE => Err(BorrowError::Exclusive { holder: self.holder() }),
            _ => Err(BorrowError::Shared { holder: self.holder() }),
        }
    }

    #[cold]
    fn holder(&self) -> Option<&'static BorrowSite> {
        // SAFETY: the pointer is null or was made of a `&'static BorrowSite`.
        unsafe { self.holder.load(Ordering::Relaxed).as_ref() }
    }

    /// Names the new holder and returns the previous one.
    #[inline]
    fn replace_holder(&self, site: &'static BorrowSite) -> *mut BorrowSite {
        let outer = self.holder.load(Ordering::Relaxed);
        self.holder.store(ptr::from_ref(site).cast_mut(), Ordering::Relaxed);
        outer
    }
}

/// A host value that was found by its reference and is not borrowed yet.
pub(crate) struct Located<T> {
    header: NonNull<Header>,
    value: PhantomData<fn() -> T>,
}

impl<T: Any> Located<T> {
    /// Borrows the value for reading, as `site`.
    ///
    /// # Safety
    ///
    /// No payload may have been dropped since the value was located, and the result must be dropped
    /// before the store is.
    #[inline]
    pub(crate) unsafe fn borrow(
        self,
        site: &'static BorrowSite,
    ) -> Result<Borrowed<T>, BorrowError> {
        // SAFETY: the payload lives, by the caller's duty.
        let header = unsafe { self.header.as_ref() };
        header.check_shared()?;
        header.borrow.store(header.borrow.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        let outer = header.replace_holder(site);
        Ok(Borrowed { header: self.header, outer, value: PhantomData })
    }

    /// Borrows the value for reading and writing, as `site`.
    ///
    /// # Safety
    ///
    /// As for [`Located::borrow`].
    #[inline]
    pub(crate) unsafe fn borrow_mut(
        self,
        site: &'static BorrowSite,
    ) -> Result<BorrowedMut<T>, BorrowError> {
        // SAFETY: the payload lives, by the caller's duty.
        let header = unsafe { self.header.as_ref() };
        header.check_exclusive()?;
        header.borrow.store(EXCLUSIVE, Ordering::Relaxed);
        let outer = header.replace_holder(site);
        Ok(BorrowedMut { header: self.header, outer, value: PhantomData })
    }
}

/// A value borrowed for reading. The payload is kept for as long as this lives.
pub(crate) struct Borrowed<T> {
    header: NonNull<Header>,
    /// Who is the latest holder when this one has gone.
    outer: *mut BorrowSite,
    value: PhantomData<T>,
}

/// A value borrowed for reading and writing, by nobody else.
pub(crate) struct BorrowedMut<T> {
    header: NonNull<Header>,
    outer: *mut BorrowSite,
    value: PhantomData<T>,
}

impl<T> Deref for Borrowed<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the tag was that of `T` when the value was located. The borrow word is held: the
        // payload lives, and no mutable reference to the value exists.
        unsafe { value_of::<T>(self.header).as_ref() }
    }
}

impl<T> Deref for BorrowedMut<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: as in `deref_mut`.
        unsafe { value_of::<T>(self.header).as_ref() }
    }
}

impl<T> DerefMut for BorrowedMut<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the tag was that of `T` when the value was located. The borrow word is held
        // exclusively: the payload lives, and references to the value come from this guard only.
        unsafe { value_of::<T>(self.header).as_mut() }
    }
}

impl<T> Drop for Borrowed<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the payload lives, for the borrow word is held.
        let header = unsafe { self.header.as_ref() };
        header.holder.store(self.outer, Ordering::Relaxed);
        header.borrow.store(header.borrow.load(Ordering::Relaxed) - 1, Ordering::Release);
    }
}

impl<T> Drop for BorrowedMut<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the payload lives, for the borrow word is held.
        let header = unsafe { self.header.as_ref() };
        header.holder.store(self.outer, Ordering::Relaxed);
        header.borrow.store(0, Ordering::Release);
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
        assert!(value_of::<Wide>(payload.header).as_ptr().is_aligned());
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
        let refused = BorrowError::Shared { holder: Some(INNER) };
        assert_eq!(borrow_mut(&payload, INNER).err(), Some(refused));
        assert_eq!(payload.value_mut::<u32>(), Err(refused));
        assert_eq!(payload.value::<u32>(), Ok(Some(&1)));
        drop(inner);
        assert!(payload.is_borrowed());
        let refused = BorrowError::Shared { holder: Some(OUTER) };
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
        let refused = Some(BorrowError::Exclusive { holder: Some(OUTER) });
        assert_eq!(borrow_mut(&payload, INNER).err(), refused);
        assert_eq!(borrow(&payload, INNER).err(), refused);
        assert_eq!(payload.value::<u32>().err(), refused);
        assert!(payload.any().is_err());
        let payload = payload.into_value::<u32>().unwrap_err();
        drop(guard);
        assert_eq!(payload.value::<u32>(), Ok(Some(&2)));
    }

    #[test]
    fn a_frozen_value_is_never_borrowed_mutably() {
        let mut payload = Payload::new(1_u32, Properties { frozen: true, external: 100 });
        assert_eq!(borrow_mut(&payload, OUTER).err(), Some(BorrowError::Frozen));
        assert!(payload.any_mut().is_err());
        assert_eq!(payload.value::<u32>(), Ok(Some(&1)));
        assert!(payload.bytes() > 100);
    }

    #[test]
    fn a_site_names_the_parameter() {
        assert_eq!(OUTER.to_string(), "parameter `a` of `env::outer`");
    }
}
