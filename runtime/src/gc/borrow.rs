//! Who borrows a host value: its borrow state, and the guards that hold it. Knows payloads by their
//! headers only.
//!
//! There are two kinds of guards. Those of a call, [`Borrowed`] and its like, end in the reverse order
//! of their beginning, before the store can be used by another thread; they cost a plain load and a
//! plain store each. Those that are *detached*, [`Detached`] and [`DetachedMut`], may outlive even the
//! store, on another thread; they are counted apart, atomically.
//!
//! Invariants:
//! * a guard's header is live: a payload whose guards have not gone leaves its allocation to the last
//!   of them;
//! * while an exclusive guard of either kind lives, no other guard does.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicIsize, AtomicPtr, AtomicUsize, Ordering};

use super::payload::{Header, HostData, value_of};

/// Why a payload cannot be borrowed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BorrowError {
    /// It is borrowed mutably.
    Exclusive {
        /// By whom.
        holder: Holder,
    },
    /// It is borrowed, and was to be borrowed mutably.
    Shared {
        /// By whom, last.
        holder: Holder,
    },
    /// It may never be borrowed mutably.
    Frozen,
    /// Its value was moved out.
    Taken {
        /// By whom.
        holder: Holder,
    },
}

/// Who borrows a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A parameter of a host function.
    Parameter(&'static BorrowSite),
    /// A detached guard.
    Guard,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Holder::Parameter(site) => site.fmt(f),
            Holder::Guard => f.write_str("a guard of `try_borrow`"),
        }
    }
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

const EXCLUSIVE: isize = -1;
const TAKEN: isize = isize::MIN;

/// In the count of detached guards: the only one is exclusive.
const DETACHED_MUT: usize = 1 << (usize::BITS - 2);
/// In the count of detached guards: the payload has gone.
const ABANDONED: usize = 1 << (usize::BITS - 1);

/// Who borrows a value, as [`BorrowState`] counts them, at one time.
#[derive(Clone, Copy)]
struct Counts {
    calls: isize,
    detached: usize,
}

impl Counts {
    /// Whether the value may be borrowed for reading.
    #[inline]
    fn permit_reading(self) -> bool {
        self.calls >= 0 && self.detached & DETACHED_MUT == 0
    }
}

/// The borrow state of one payload.
pub(super) struct BorrowState {
    /// 0 free, above 0 the number of shared borrows of calls, [`EXCLUSIVE`], [`TAKEN`].
    ///
    /// Only one thread changes it at a time; atomic because others may read the value of a shared
    /// store meanwhile.
    calls: AtomicIsize,
    /// The number of detached guards, or [`DETACHED_MUT`]; and [`ABANDONED`].
    detached: AtomicUsize,
    /// The site of the latest guard that still holds `calls`, or that took the value; null when there
    /// is none.
    holder: AtomicPtr<BorrowSite>,
    frozen: bool,
}

impl BorrowState {
    /// Of a value that nobody borrows.
    pub(super) fn new(frozen: bool) -> BorrowState {
        BorrowState {
            calls: AtomicIsize::new(0),
            detached: AtomicUsize::new(0),
            holder: AtomicPtr::new(ptr::null_mut()),
            frozen,
        }
    }

    /// Who borrows it now.
    #[inline]
    fn counts(&self) -> Counts {
        let detached = self.detached.load(Ordering::Acquire);
        Counts { calls: self.calls.load(Ordering::Acquire), detached }
    }

    /// Whether it may be borrowed for reading.
    #[inline]
    pub(super) fn is_readable(&self) -> bool {
        self.counts().permit_reading()
    }

    /// As [`is_readable`](Self::is_readable); if not, why.
    #[inline]
    pub(super) fn check_shared(&self) -> Result<(), BorrowError> {
        let counts = self.counts();
        if counts.permit_reading() { Ok(()) } else { Err(self.refusal(counts)) }
    }

    /// Whether it may be borrowed for writing.
    #[inline]
    pub(super) fn check_exclusive(&self) -> Result<(), BorrowError> {
        match self.frozen {
            false => self.check_taking(),
            true => Err(self.refusal_to_write()),
        }
    }

    /// Whether it may be moved out.
    #[inline]
    pub(super) fn check_taking(&self) -> Result<(), BorrowError> {
        let counts = self.counts();
        let free = counts.calls == 0 && counts.detached == 0;
        if free { Ok(()) } else { Err(self.refusal(counts)) }
    }

    /// Whether anybody borrows it.
    pub(super) fn is_borrowed(&self) -> bool {
        let calls = self.calls.load(Ordering::Acquire);
        let detached = self.detached.load(Ordering::Acquire);
        (calls != 0 && calls != TAKEN) || detached & !ABANDONED != 0
    }

    /// Whether it was moved out.
    pub(super) fn is_taken(&self) -> bool {
        self.calls.load(Ordering::Acquire) == TAKEN
    }

    /// The payload goes. Whether the allocation is to be freed now; otherwise the last guard does.
    pub(super) fn abandon(&self) -> bool {
        // Without guards none can appear any more, and nobody else looks.
        self.detached.load(Ordering::Acquire) == 0
            || self.detached.fetch_or(ABANDONED, Ordering::AcqRel) == 0
    }

    /// Why it may not be borrowed, given that `counts` forbade it. What they are by now says nothing:
    /// other threads end borrows.
    #[cold]
    fn refusal(&self, Counts { calls, detached }: Counts) -> BorrowError {
        // SAFETY: the pointer is null or was made of a `&'static BorrowSite`.
        let site = unsafe { self.holder.load(Ordering::Relaxed).as_ref() };
        let holder = site.map_or(Holder::Guard, Holder::Parameter);
        match calls {
            TAKEN => BorrowError::Taken { holder },
            EXCLUSIVE => BorrowError::Exclusive { holder },
            _ if detached & DETACHED_MUT != 0 => BorrowError::Exclusive { holder: Holder::Guard },
            0 => BorrowError::Shared { holder: Holder::Guard },
            _ => BorrowError::Shared { holder },
        }
    }

    /// Why a frozen value may not be borrowed for writing.
    #[cold]
    fn refusal_to_write(&self) -> BorrowError {
        match self.counts() {
            taken @ Counts { calls: TAKEN, .. } => self.refusal(taken),
            _ => BorrowError::Frozen,
        }
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
pub(crate) struct LocatedAny {
    header: NonNull<Header>,
}

/// A [`LocatedAny`] of type `T`.
pub(crate) struct Located<T> {
    any: LocatedAny,
    value: PhantomData<fn() -> T>,
}

impl LocatedAny {
    /// The value with this header.
    ///
    /// # Safety
    ///
    /// The header is that of a live payload.
    pub(super) unsafe fn new(header: NonNull<Header>) -> LocatedAny {
        LocatedAny { header }
    }

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
    ) -> Result<BorrowedAny, BorrowError> {
        // SAFETY: the payload lives, by the caller's duty.
        let state = unsafe { &self.header.as_ref().borrow };
        state.check_shared()?;
        state.calls.store(state.calls.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        Ok(BorrowedAny { header: self.header, outer: state.replace_holder(site) })
    }
}

impl<T: Any> Located<T> {
    /// The value with this header.
    ///
    /// # Safety
    ///
    /// The header is that of a live payload with a `T` in it.
    #[inline]
    pub(super) unsafe fn new(header: NonNull<Header>) -> Located<T> {
        Located { any: LocatedAny { header }, value: PhantomData }
    }

    /// Borrows the value for reading, as `site`.
    ///
    /// # Safety
    ///
    /// As for [`LocatedAny::borrow`].
    #[inline]
    pub(crate) unsafe fn borrow(
        self,
        site: &'static BorrowSite,
    ) -> Result<Borrowed<T>, BorrowError> {
        // SAFETY: the duties are the same.
        let any = unsafe { self.any.borrow(site)? };
        Ok(Borrowed { any, value: PhantomData })
    }

    /// Borrows the value for reading and writing, as `site`.
    ///
    /// # Safety
    ///
    /// As for [`LocatedAny::borrow`].
    #[inline]
    pub(crate) unsafe fn borrow_mut(
        self,
        site: &'static BorrowSite,
    ) -> Result<BorrowedMut<T>, BorrowError> {
        // SAFETY: the payload lives, by the caller's duty.
        unsafe { &self.any.header.as_ref().borrow }.check_exclusive()?;
        // SAFETY: the duties are the same.
        unsafe { self.hold(site) }
    }

    /// Borrows the value to move it out, as `site`.
    ///
    /// # Safety
    ///
    /// As for [`LocatedAny::borrow`].
    #[inline]
    pub(crate) unsafe fn borrow_to_take(
        self,
        site: &'static BorrowSite,
    ) -> Result<BorrowedMut<T>, BorrowError> {
        // SAFETY: the payload lives, by the caller's duty.
        unsafe { &self.any.header.as_ref().borrow }.check_taking()?;
        // SAFETY: the duties are the same.
        unsafe { self.hold(site) }
    }

    /// Borrows exclusively what nobody borrows.
    ///
    /// # Safety
    ///
    /// As for [`LocatedAny::borrow`].
    #[inline]
    unsafe fn hold(self, site: &'static BorrowSite) -> Result<BorrowedMut<T>, BorrowError> {
        let header = self.any.header;
        // SAFETY: the payload lives, by the caller's duty.
        let state = unsafe { &header.as_ref().borrow };
        state.calls.store(EXCLUSIVE, Ordering::Relaxed);
        Ok(BorrowedMut { header, outer: state.replace_holder(site), value: PhantomData })
    }

    /// Borrows the value for reading, for as long as the caller likes.
    ///
    /// # Safety
    ///
    /// No payload may have been dropped since the value was located.
    pub(crate) unsafe fn detach(self) -> Result<Detached<T>, BorrowError> {
        // SAFETY: the payload lives, by the caller's duty.
        let state = unsafe { &self.any.header.as_ref().borrow };
        // Calls begin and end under `&mut` of the store only: their count stays as it is.
        let calls = state.calls.load(Ordering::Acquire);
        let counted = state.detached.try_update(Ordering::AcqRel, Ordering::Acquire, |detached| {
            Counts { calls, detached }.permit_reading().then_some(detached + 1)
        });
        match counted {
            Ok(_) => Ok(Detached { header: self.any.header, value: PhantomData }),
            Err(detached) => Err(state.refusal(Counts { calls, detached })),
        }
    }

    /// Borrows the value for reading and writing, for as long as the caller likes.
    ///
    /// # Safety
    ///
    /// No payload may have been dropped since the value was located, and the caller has exclusive
    /// access to the store.
    pub(crate) unsafe fn detach_mut(self) -> Result<DetachedMut<T>, BorrowError> {
        // SAFETY: the payload lives, by the caller's duty.
        let state = unsafe { &self.any.header.as_ref().borrow };
        state.check_exclusive()?;
        state.detached.store(DETACHED_MUT, Ordering::Release);
        Ok(DetachedMut { header: self.any.header, value: PhantomData })
    }
}

/// A value borrowed for reading. The payload is kept for as long as this lives.
pub(crate) struct BorrowedAny {
    header: NonNull<Header>,
    /// Who is the latest holder when this one has gone.
    outer: *mut BorrowSite,
}

/// A [`BorrowedAny`] of type `T`.
pub(crate) struct Borrowed<T> {
    any: BorrowedAny,
    value: PhantomData<T>,
}

/// A value borrowed for reading and writing, by nobody else.
pub(crate) struct BorrowedMut<T> {
    header: NonNull<Header>,
    outer: *mut BorrowSite,
    value: PhantomData<T>,
}

impl Deref for BorrowedAny {
    type Target = HostData;

    #[inline]
    fn deref(&self) -> &HostData {
        // SAFETY: the borrow is held: the payload lives, and no mutable reference to the value exists.
        unsafe { Header::any(self.header).as_ref() }
    }
}

impl<T> Deref for Borrowed<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the tag was that of `T` when the value was located. The borrow is held: the payload
        // lives, and no mutable reference to the value exists.
        unsafe { value_of::<T>(self.any.header).as_ref() }
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
        // SAFETY: the tag was that of `T` when the value was located. The borrow is held exclusively:
        // the payload lives, and references to the value come from this guard only.
        unsafe { value_of::<T>(self.header).as_mut() }
    }
}

impl<T> BorrowedMut<T> {
    /// Moves the value out. The object is from now on one whose value was taken.
    pub(crate) fn take(self) -> T {
        let guard = ManuallyDrop::new(self);
        // SAFETY: the payload lives, for the borrow is held.
        let state = unsafe { &guard.header.as_ref().borrow };
        state.calls.store(TAKEN, Ordering::Release);
        // SAFETY: as in `deref_mut`; `TAKEN` keeps everybody from the value from now on, its
        // destructor included.
        unsafe { value_of::<T>(guard.header).read() }
    }
}

impl Drop for BorrowedAny {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the payload lives, for the borrow is held.
        let state = unsafe { &self.header.as_ref().borrow };
        state.holder.store(self.outer, Ordering::Relaxed);
        state.calls.store(state.calls.load(Ordering::Relaxed) - 1, Ordering::Release);
    }
}

impl<T> Drop for BorrowedMut<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the payload lives, for the borrow is held.
        let state = unsafe { &self.header.as_ref().borrow };
        state.holder.store(self.outer, Ordering::Relaxed);
        state.calls.store(0, Ordering::Release);
    }
}

/// A value borrowed for reading, independently of the store.
pub(crate) struct Detached<T> {
    header: NonNull<Header>,
    value: PhantomData<T>,
}

/// A value borrowed for reading and writing, by nobody else, independently of the store.
pub(crate) struct DetachedMut<T> {
    header: NonNull<Header>,
    value: PhantomData<T>,
}

impl<T> Deref for Detached<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the tag was that of `T` when the value was located. The guard is counted: the
        // allocation lives, and no mutable reference to the value exists.
        unsafe { value_of::<T>(self.header).as_ref() }
    }
}

impl<T> Deref for DetachedMut<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: as in `deref_mut`.
        unsafe { value_of::<T>(self.header).as_ref() }
    }
}

impl<T> DerefMut for DetachedMut<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the tag was that of `T` when the value was located. The guard is counted as the only
        // one: the allocation lives, and references to the value come from this guard only.
        unsafe { value_of::<T>(self.header).as_mut() }
    }
}

impl<T> Drop for Detached<T> {
    fn drop(&mut self) {
        leave(self.header, 1);
    }
}

impl<T> Drop for DetachedMut<T> {
    fn drop(&mut self) {
        leave(self.header, DETACHED_MUT);
    }
}

/// A detached guard that counts as `count` goes.
fn leave(header: NonNull<Header>, count: usize) {
    // SAFETY: the guard is counted, so the allocation lives.
    let before = unsafe { &header.as_ref().borrow }.detached.fetch_sub(count, Ordering::AcqRel);
    if before == ABANDONED | count {
        // SAFETY: the payload has gone, and this was the last guard.
        drop(unsafe { Header::drop_value(header) });
    }
}
