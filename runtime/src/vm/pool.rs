//! Reservations between two uses. Mapping address space and taking page faults costs more than all
//! the rest of instantiation, so they are cleared, kept and lent again. Knows nothing of what is
//! stored in them.
//!
//! Invariant: of an idle reservation the pages of `accessible` are zeros, and no other page is
//! accessible.

use std::ops::Range;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::image::MemoryImage;
use super::reservation::{Reservation, page_align};
use crate::error::Result;

/// The most reservations that wait for their next use; more are unmapped.
const MAX_IDLE: usize = 256;

/// Up to so many bytes are cleared by writing zeros to all of them, which costs less than to find out
/// what has been touched.
const CLEAR_ALL: usize = 64 << 10;

/// The most bytes that are cleared by writing zeros to what has been touched. That keeps the pages; to
/// give them back and take the faults again costs many times as much.
const KEEP: usize = 512 << 10;

/// The most bytes of pages that all idle reservations together keep.
const MAX_KEPT: usize = 16 << 20;

/// Idle reservations: those of an engine, or of one kind for all engines.
#[derive(Debug, Default)]
pub(crate) struct ReservationPool {
    idle: Mutex<IdleReservations>,
}

#[derive(Debug, Default)]
struct IdleReservations {
    /// The one that was used last stands last: its pages are the likeliest to be in a cache.
    all: Vec<Idle>,
    /// Bytes of pages that they keep.
    kept: usize,
}

#[derive(Debug)]
struct Idle {
    reservation: Reservation,
    accessible: Range<usize>,
    kept: usize,
}

/// A reservation of a pool, for one use.
#[derive(Debug)]
pub(crate) struct Loan {
    pool: Arc<ReservationPool>,
    /// `None` only while it goes back.
    reservation: Option<Reservation>,
    base: NonNull<u8>,
    /// Whole pages.
    accessible: Range<usize>,
    /// All that was made accessible besides lies in here: before `accessible`, and behind it.
    besides: [Range<usize>; 2],
    /// Where in `accessible` an image is mapped; empty if none is.
    image: Range<usize>,
    /// Whether these ranges are the truth. When the kernel refuses to take pages back they are not,
    /// and the reservation is unmapped instead of used again.
    is_known: bool,
}

// SAFETY: the base is that of the reservation, which the loan owns and any thread may use.
unsafe impl Send for Loan {}
// SAFETY: through `&Loan` only the bounds can be read.
unsafe impl Sync for Loan {}

impl Loan {
    /// A reservation of at least `len` bytes of which exactly the pages of `accessible` can be read
    /// and written. They are zeros.
    ///
    /// # Errors
    ///
    /// If the address space or the kernel's limits are used up.
    ///
    /// # Panics
    ///
    /// If `accessible` does not lie in the reservation.
    pub(crate) fn new(
        pool: &Arc<ReservationPool>,
        len: usize,
        accessible: Range<usize>,
    ) -> Result<Loan> {
        let len = page_align(len.max(1));
        let accessible = accessible.start..page_align(accessible.end);
        let mut loan = match pool.take(len, &accessible) {
            Some(Idle { reservation, accessible, .. }) => {
                Loan::of(pool.clone(), reservation, accessible)
            }
            None => Loan::of(pool.clone(), pool.map(len)?, accessible.start..accessible.start),
        };
        let fitted = loan.make_accessible(accessible);
        loan.is_known = fitted.is_ok();
        fitted.map(|()| loan)
    }

    fn of(pool: Arc<ReservationPool>, reservation: Reservation, accessible: Range<usize>) -> Loan {
        let base = reservation.base();
        let besides = [0..0, 0..0];
        let (image, is_known) = (0..0, true);
        Loan { pool, reservation: Some(reservation), base, accessible, besides, image, is_known }
    }

    /// The first byte.
    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// The number of reserved bytes.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.reservation.as_ref().map_or(0, Reservation::len)
    }

    /// Makes the accessible pages end at `end`, which is not before they do; new ones are zeros.
    ///
    /// # Errors
    ///
    /// If the kernel refuses; what is accessible is then as before.
    ///
    /// # Panics
    ///
    /// If `end` is outside the reservation.
    pub(crate) fn extend(&mut self, end: usize) -> Result<()> {
        let (old, end) = (self.accessible.end, page_align(end));
        assert!(
            end >= old && self.besides.iter().all(Range::is_empty),
            "what is accessible is one range"
        );
        let reservation = self.reservation_mut();
        if let Err(error) = reservation.commit(old..end) {
            // The kernel may have opened some of the pages before it gave up.
            self.is_known = reservation.decommit(old..end).is_ok();
            return Err(error);
        }
        self.accessible.end = end;
        Ok(())
    }

    /// Makes the pages of `range` accessible as well, for this use; new ones are zeros.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    ///
    /// # Panics
    ///
    /// If `range` is outside the reservation, or does not begin with a page.
    pub(crate) fn commit(&mut self, range: Range<usize>) -> Result<()> {
        let end = page_align(range.end);
        let before = range.start..end.min(self.accessible.start);
        let behind = range.start.max(self.accessible.end)..end;
        for (side, new) in [before, behind].into_iter().enumerate() {
            if new.is_empty() {
                continue;
            }
            // Noted first: the kernel may open some pages and then give up.
            let noted = &mut self.besides[side];
            *noted = match Range::is_empty(noted) {
                true => new.clone(),
                false => noted.start.min(new.start)..noted.end.max(new.end),
            };
            self.reservation_mut().commit(new)?;
        }
        Ok(())
    }

    /// Shows the content of `image` at its place, for this use. What was there is gone.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    ///
    /// # Panics
    ///
    /// If the place is not accessible, or there is an image already.
    pub(crate) fn map(&mut self, image: &MemoryImage) -> Result<()> {
        let range = image.range();
        let accessible = self.accessible.start <= range.start && range.end <= self.accessible.end;
        assert!(accessible && self.image.is_empty(), "an image has its place to itself");
        self.image = range;
        let mapped = self.reservation_mut().map(image);
        self.is_known &= mapped.is_ok();
        mapped
    }

    /// Gives the accessible pages of `range` back; they read as zeros from now on.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    ///
    /// # Panics
    ///
    /// If `range` is outside the reservation.
    pub(crate) fn reset(&mut self, range: Range<usize>) -> Result<()> {
        self.reservation_mut().reset(range)
    }

    /// Makes exactly `wanted` accessible, where the present pages are zeros.
    fn make_accessible(&mut self, wanted: Range<usize>) -> Result<()> {
        if self.accessible.start != wanted.start {
            let present = std::mem::replace(&mut self.accessible, wanted.start..wanted.start);
            self.reservation_mut().decommit(present)?;
        }
        if self.accessible.end > wanted.end {
            let rest = wanted.end..self.accessible.end;
            self.reservation_mut().decommit(rest)?;
            self.accessible.end = wanted.end;
        }
        self.extend(wanted.end)
    }

    fn reservation_mut(&mut self) -> &mut Reservation {
        self.reservation.as_mut().expect("a loan has its reservation until it goes back")
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let reservation = self.reservation.take();
        let mut reservation = reservation.expect("a loan has its reservation until it goes back");
        let mut besides = self.besides.iter().filter(|range| !range.is_empty());
        if self.is_known
            && besides.all(|range| reservation.decommit(range.clone()).is_ok())
            && reservation.renew(self.image.clone()).is_ok()
        {
            self.pool.take_back(reservation, self.accessible.clone());
        }
    }
}

impl ReservationPool {
    /// An idle reservation of `len` bytes, one with the same pages `accessible` if possible.
    fn take(&self, len: usize, accessible: &Range<usize>) -> Option<Idle> {
        let mut idle = self.idle();
        let fits = |it: &Idle| it.reservation.len() == len;
        let same = idle.all.iter().rposition(|it| fits(it) && it.accessible == *accessible);
        let position = same.or_else(|| idle.all.iter().rposition(fits))?;
        let taken = idle.all.remove(position);
        idle.kept -= taken.kept;
        Some(taken)
    }

    /// A new reservation, for which idle ones give way if they must.
    fn map(&self, len: usize) -> Result<Reservation> {
        Reservation::new(len).or_else(|_| {
            let idle = std::mem::take(&mut *self.idle());
            drop(idle);
            Reservation::new(len)
        })
    }

    /// Clears a reservation and keeps it for its next use.
    fn take_back(&self, mut reservation: Reservation, accessible: Range<usize>) {
        let room = {
            let idle = self.idle();
            if idle.all.len() >= MAX_IDLE {
                return;
            }
            MAX_KEPT.saturating_sub(idle.kept)
        };
        // Not under the lock: clearing takes longer than all else.
        let cleared = clear(&mut reservation, accessible.clone(), room.min(KEEP));
        // What is not known to be clear is never used again.
        if let Ok(kept) = cleared {
            let mut idle = self.idle();
            idle.kept += kept;
            idle.all.push(Idle { reservation, accessible, kept });
        }
    }

    fn idle(&self) -> MutexGuard<'_, IdleReservations> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the accessible pages zeros, and returns how many bytes of them the process keeps: at most
/// `keep`.
fn clear(reservation: &mut Reservation, accessible: Range<usize>, keep: usize) -> Result<usize> {
    if accessible.len() <= CLEAR_ALL.min(keep) {
        let kept = accessible.len();
        reservation.fill_zero(accessible);
        return Ok(kept);
    }
    match reservation.touched(accessible.clone(), keep) {
        Some(touched) => {
            let kept = touched.iter().map(ExactSizeIterator::len).sum();
            touched.into_iter().for_each(|range| reservation.fill_zero(range));
            Ok(kept)
        }
        None => reservation.reset(accessible).map(|()| 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGES: usize = 64 << 10;

    fn bytes(loan: &mut Loan) -> &mut [u8] {
        assert_eq!(loan.accessible.start, 0);
        // SAFETY: these bytes are accessible, and the loan is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(loan.base().as_ptr(), loan.accessible.end) }
    }

    fn idle(pool: &ReservationPool) -> usize {
        pool.idle().all.len()
    }

    #[test]
    fn a_reservation_is_lent_again_and_nothing_is_left_in_it() {
        let pool = Arc::new(ReservationPool::default());
        for (len, step) in [(PAGES, 1), (KEEP, 1), (2 * KEEP, 1), (8 * KEEP, KEEP - 1)] {
            let mut loan = Loan::new(&pool, 1 << 30, 0..len).unwrap();
            let base = loan.base();
            bytes(&mut loan).iter_mut().step_by(step).for_each(|byte| *byte = 7);
            drop(loan);
            assert_eq!(idle(&pool), 1);
            let mut again = Loan::new(&pool, 1 << 30, 0..len).unwrap();
            assert_eq!((again.base(), idle(&pool)), (base, 0));
            assert!(bytes(&mut again).iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn the_next_use_may_have_another_size() {
        let pool = Arc::new(ReservationPool::default());
        let sizes = [PAGES, 3 * PAGES, 0, 2 * PAGES, PAGES + 1];
        for size in sizes {
            let mut loan = Loan::new(&pool, 1 << 30, 0..size).unwrap();
            assert_eq!(loan.accessible, 0..page_align(size));
            assert!(bytes(&mut loan).iter().all(|byte| *byte == 0));
            bytes(&mut loan).fill(7);
            loan.extend(size + PAGES).unwrap();
            assert!(bytes(&mut loan)[page_align(size)..].iter().all(|byte| *byte == 0));
        }
        drop(Loan::new(&pool, 1 << 30, PAGES..2 * PAGES).unwrap());
        assert_eq!(idle(&pool), 1);
        drop(Loan::new(&pool, 1 << 20, 0..PAGES).unwrap());
        assert_eq!(idle(&pool), 2);
    }

    #[test]
    fn idle_reservations_and_their_pages_are_limited() {
        let pool = Arc::new(ReservationPool::default());
        let loans: Vec<_> =
            (0..MAX_IDLE + 8).map(|_| Loan::new(&pool, 1 << 20, 0..CLEAR_ALL).unwrap()).collect();
        drop(loans);
        assert_eq!((idle(&pool), pool.idle().kept), (MAX_IDLE, MAX_KEPT));
        let loans: Vec<_> =
            (0..MAX_IDLE).map(|_| Loan::new(&pool, 1 << 20, 0..CLEAR_ALL).unwrap()).collect();
        assert_eq!((idle(&pool), pool.idle().kept, loans.len()), (0, 0, MAX_IDLE));
    }

    #[test]
    fn what_was_accessible_besides_is_not_for_the_next_use() {
        let pool = Arc::new(ReservationPool::default());
        let mut loan = Loan::new(&pool, 1 << 30, PAGES..2 * PAGES).unwrap();
        let far = 1 << 29;
        for at in [far, far + 4 * PAGES, 2 * PAGES, 0] {
            loan.commit(at..at + PAGES).unwrap();
            // SAFETY: it was committed a line ago.
            unsafe { loan.base().as_ptr().wrapping_add(at).write(7) };
        }
        drop(loan);
        let mut loan = Loan::new(&pool, 1 << 30, PAGES..2 * PAGES).unwrap();
        assert_eq!(idle(&pool), 0);
        for at in [far, 0] {
            loan.commit(at..at + PAGES).unwrap();
            // SAFETY: as above.
            assert_eq!(unsafe { loan.base().as_ptr().wrapping_add(at).read() }, 0);
        }
    }

    #[test]
    fn idle_reservations_give_way_to_what_does_not_fit_otherwise() {
        let pool = Arc::new(ReservationPool::default());
        drop(Loan::new(&pool, 1 << 20, 0..PAGES).unwrap());
        assert!(Loan::new(&pool, 1 << 60, 0..PAGES).is_err());
        assert_eq!(idle(&pool), 0);
    }
}
