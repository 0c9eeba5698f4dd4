//! Reservations between two uses. Mapping address space and taking page faults costs more than all
//! the rest of instantiation, so they are cleared, kept and lent again. Knows nothing of what is
//! stored in them.
//!
//! Invariant: of an idle reservation the pages of `accessible` hold the image that is noted at its place
//! and zeros elsewhere, and no other page is accessible. The image is alive: one that goes has its idle
//! reservations unmapped.

use std::ops::Range;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::image::MemoryImage;
use super::reservation::{Reservation, page_align};
use crate::error::Result;

/// The most reservations that wait for their next use; more are unmapped.
const MAX_IDLE: usize = 256;

/// Up to so many bytes are cleared by writing zeros to all of them, which costs less than to find out
/// what has been touched.
const CLEAR_ALL: usize = 64 << 10;

/// The most bytes that are cleared by writing to what has been touched. That keeps the pages; to give
/// them back and take the faults again costs many times as much.
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
    shown: Option<Shown>,
    kept: usize,
}

/// An image that an idle reservation shows, and where.
#[derive(Debug)]
struct Shown {
    image: Weak<MemoryImage>,
    range: Range<usize>,
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
    /// What is mapped at its place in `accessible`.
    image: Option<Arc<MemoryImage>>,
    /// Whether all this is the truth. When the kernel refuses to take pages back it is not, and the
    /// reservation is unmapped instead of used again.
    is_known: bool,
}

// SAFETY: the base is that of the reservation, which the loan owns and any thread may use.
unsafe impl Send for Loan {}
// SAFETY: through `&Loan` only the bounds can be read.
unsafe impl Sync for Loan {}

impl Loan {
    /// A reservation of at least `len` bytes of which exactly the pages of `accessible` can be read
    /// and written. They hold `image` at its place, and zeros elsewhere.
    ///
    /// # Errors
    ///
    /// If the address space or the kernel's limits are used up.
    ///
    /// # Panics
    ///
    /// If `accessible` does not lie in the reservation, or the image not in `accessible`, or it is of
    /// another pool.
    pub(crate) fn new(
        pool: &Arc<ReservationPool>,
        len: usize,
        accessible: Range<usize>,
        image: Option<&Arc<MemoryImage>>,
    ) -> Result<Loan> {
        let len = page_align(len.max(1));
        let accessible = accessible.start..page_align(accessible.end);
        if let Some(image) = image {
            let Range { start, end } = image.range();
            assert!(accessible.start <= start && end <= accessible.end, "an image inside");
            assert!(image.is_of(pool), "an image of the pool's");
        }
        let idle = match pool.take(len, &accessible, image) {
            Some(idle) => idle,
            None => Idle::new(pool.map(len)?, accessible.start),
        };
        let Idle { reservation, accessible: present, shown, .. } = idle;
        let mut loan = Loan {
            pool: pool.clone(),
            base: reservation.base(),
            reservation: Some(reservation),
            accessible: present,
            besides: [0..0, 0..0],
            image: image.cloned(),
            is_known: true,
        };
        let fitted = loan.fit(accessible, shown, image);
        loan.is_known = fitted.is_ok();
        fitted.map(|()| loan)
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
            self.is_known &= reservation.decommit(old..end).is_ok();
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

    /// Makes exactly `wanted` accessible, with `image` in it. The present pages are zeros but for what is
    /// shown.
    fn fit(
        &mut self,
        wanted: Range<usize>,
        shown: Option<Shown>,
        image: Option<&Arc<MemoryImage>>,
    ) -> Result<()> {
        let stays = wanted.start == self.accessible.start
            && matches!((&shown, image), (Some(shown), Some(image)) if shown.is(image));
        if let Some(Shown { range, .. }) = shown.filter(|_| !stays) {
            self.reservation_mut().renew(range)?;
        }
        self.make_accessible(wanted)?;
        match image.filter(|_| !stays) {
            Some(image) => self.reservation_mut().map(image),
            None => Ok(()),
        }
    }

    /// Makes exactly `wanted` accessible.
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
        if self.is_known && besides.all(|range| reservation.decommit(range.clone()).is_ok()) {
            self.pool.take_back(reservation, self.accessible.clone(), self.image.as_ref());
        }
    }
}

impl Idle {
    /// A new reservation: nothing is accessible yet, from `start` on.
    fn new(reservation: Reservation, start: usize) -> Idle {
        Idle { reservation, accessible: start..start, shown: None, kept: 0 }
    }

    /// What it shows to who wants `image`, or none.
    fn shows(&self, image: Option<&Arc<MemoryImage>>) -> Shows {
        match (&self.shown, image) {
            (None, _) => Shows::Nothing,
            (Some(shown), Some(image)) if shown.is(image) => Shows::It,
            (Some(_), _) => Shows::Another,
        }
    }
}

/// What an idle reservation shows: the later of these, the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shows {
    Another,
    Nothing,
    It,
}

impl Shown {
    fn new(image: &Arc<MemoryImage>) -> Shown {
        Shown { image: Arc::downgrade(image), range: image.range() }
    }

    fn is(&self, image: &MemoryImage) -> bool {
        // The address is not used again as long as there is a reference, even if a weak one.
        std::ptr::eq(self.image.as_ptr(), image)
    }
}

impl ReservationPool {
    /// The idle reservation of `len` bytes that is most like what is wanted. One that shows another image
    /// stays there for it while there is room for more.
    fn take(
        &self,
        len: usize,
        accessible: &Range<usize>,
        image: Option<&Arc<MemoryImage>>,
    ) -> Option<Idle> {
        let mut idle = self.idle();
        let worst = if idle.all.len() < MAX_IDLE { Shows::Nothing } else { Shows::Another };
        let candidates = idle
            .all
            .iter()
            .enumerate()
            .filter(|(_, it)| it.reservation.len() == len && it.shows(image) >= worst);
        let likeness = |it: &Idle| (it.shows(image), it.accessible == *accessible);
        let (position, _) = candidates.max_by_key(|(_, it)| likeness(it))?;
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
    fn take_back(
        &self,
        mut reservation: Reservation,
        accessible: Range<usize>,
        image: Option<&Arc<MemoryImage>>,
    ) {
        let room = {
            let idle = self.idle();
            if idle.all.len() >= MAX_IDLE {
                return;
            }
            MAX_KEPT.saturating_sub(idle.kept)
        };
        // Not under the lock: clearing takes longer than all else.
        let shown = image.map(Arc::as_ref);
        let cleared = clear(&mut reservation, accessible.clone(), shown, room.min(KEEP));
        // What is not known to be clear is never used again.
        if let Ok(kept) = cleared {
            let mut idle = self.idle();
            idle.kept += kept;
            idle.all.push(Idle { reservation, accessible, shown: image.map(Shown::new), kept });
        }
    }

    /// Unmaps the idle reservations that show `image`, which no loan does.
    pub(super) fn forget(&self, image: &MemoryImage) {
        let is_shown = |it: &mut Idle| it.shown.as_ref().is_some_and(|shown| shown.is(image));
        let mut idle = self.idle();
        let gone: Vec<Idle> = idle.all.extract_if(.., is_shown).collect();
        idle.kept -= gone.iter().map(|it| it.kept).sum::<usize>();
        // Unmapping takes long.
        drop(idle);
        drop(gone);
    }

    fn idle(&self) -> MutexGuard<'_, IdleReservations> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the accessible pages what they are to be at first, and returns how many bytes of them the process
/// keeps for this reservation: at most `keep`.
fn clear(
    reservation: &mut Reservation,
    accessible: Range<usize>,
    image: Option<&MemoryImage>,
    keep: usize,
) -> Result<usize> {
    if image.is_none() && accessible.len() <= CLEAR_ALL.min(keep) {
        let kept = accessible.len();
        reservation.fill_zero(accessible);
        return Ok(kept);
    }
    let Some(touched) = reservation.touched(accessible.clone(), keep) else {
        return reservation.reset(accessible).map(|()| 0);
    };
    let mut kept = 0;
    for range in touched {
        kept += range.len();
        clear_touched(reservation, range, image)?;
    }
    Ok(kept)
}

/// Writes to the pages of `range` what they are to be at first.
fn clear_touched(
    reservation: &mut Reservation,
    range: Range<usize>,
    image: Option<&MemoryImage>,
) -> Result<()> {
    let shown = image.map_or(0..0, MemoryImage::range);
    let start = shown.start.clamp(range.start, range.end);
    let within = start..shown.end.clamp(start, range.end);
    reservation.fill_zero(range.start..within.start);
    reservation.fill_zero(within.end..range.end);
    match image {
        Some(image) if !within.is_empty() => reservation.fill_from(image, within),
        _ => Ok(()),
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
            let mut loan = Loan::new(&pool, 1 << 30, 0..len, None).unwrap();
            let base = loan.base();
            bytes(&mut loan).iter_mut().step_by(step).for_each(|byte| *byte = 7);
            drop(loan);
            assert_eq!(idle(&pool), 1);
            let mut again = Loan::new(&pool, 1 << 30, 0..len, None).unwrap();
            assert_eq!((again.base(), idle(&pool)), (base, 0));
            assert!(bytes(&mut again).iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn the_next_use_may_have_another_size() {
        let pool = Arc::new(ReservationPool::default());
        let sizes = [PAGES, 3 * PAGES, 0, 2 * PAGES, PAGES + 1];
        for size in sizes {
            let mut loan = Loan::new(&pool, 1 << 30, 0..size, None).unwrap();
            assert_eq!(loan.accessible, 0..page_align(size));
            assert!(bytes(&mut loan).iter().all(|byte| *byte == 0));
            bytes(&mut loan).fill(7);
            loan.extend(size + PAGES).unwrap();
            assert!(bytes(&mut loan)[page_align(size)..].iter().all(|byte| *byte == 0));
        }
        drop(Loan::new(&pool, 1 << 30, PAGES..2 * PAGES, None).unwrap());
        assert_eq!(idle(&pool), 1);
        drop(Loan::new(&pool, 1 << 20, 0..PAGES, None).unwrap());
        assert_eq!(idle(&pool), 2);
    }

    #[test]
    fn idle_reservations_and_their_pages_are_limited() {
        let pool = Arc::new(ReservationPool::default());
        let loans: Vec<_> = (0..MAX_IDLE + 8)
            .map(|_| Loan::new(&pool, 1 << 20, 0..CLEAR_ALL, None).unwrap())
            .collect();
        drop(loans);
        assert_eq!((idle(&pool), pool.idle().kept), (MAX_IDLE, MAX_KEPT));
        let loans: Vec<_> =
            (0..MAX_IDLE).map(|_| Loan::new(&pool, 1 << 20, 0..CLEAR_ALL, None).unwrap()).collect();
        assert_eq!((idle(&pool), pool.idle().kept, loans.len()), (0, 0, MAX_IDLE));
    }

    #[test]
    fn what_was_accessible_besides_is_not_for_the_next_use() {
        let pool = Arc::new(ReservationPool::default());
        let mut loan = Loan::new(&pool, 1 << 30, PAGES..2 * PAGES, None).unwrap();
        let far = 1 << 29;
        for at in [far, far + 4 * PAGES, 2 * PAGES, 0] {
            loan.commit(at..at + PAGES).unwrap();
            // SAFETY: it was committed a line ago.
            unsafe { loan.base().as_ptr().wrapping_add(at).write(7) };
        }
        drop(loan);
        let mut loan = Loan::new(&pool, 1 << 30, PAGES..2 * PAGES, None).unwrap();
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
        drop(Loan::new(&pool, 1 << 20, 0..PAGES, None).unwrap());
        assert!(Loan::new(&pool, 1 << 60, 0..PAGES, None).is_err());
        assert_eq!(idle(&pool), 0);
    }

    fn image(pool: &Arc<ReservationPool>, at: usize, byte: u8) -> Arc<MemoryImage> {
        let part = vec![byte; 3 * PAGES - 100];
        Arc::new(MemoryImage::new(pool, at..at + part.len(), [(at, &*part)].into_iter()).unwrap())
    }

    /// What `size` accessible bytes with `image` are at first.
    fn expected(size: usize, image: Option<&Arc<MemoryImage>>) -> Vec<u8> {
        let mut bytes = vec![0; size];
        if let Some(image) = image {
            image.read(image.range().start, &mut bytes[image.range()]).unwrap();
        }
        bytes
    }

    #[test]
    fn an_image_is_shown_again_as_it_was() {
        let pool = Arc::new(ReservationPool::default());
        let image = image(&pool, 2 * PAGES + 7, 9);
        let (first, size) = (image.range().start, 16 * PAGES);
        let nothing: &[usize] = &[];
        let around = [first - 1, first, first + PAGES, image.range().end - 1, image.range().end];
        let everything: Vec<usize> = (0..size).collect();
        let scattered: Vec<usize> = (0..size).step_by(2 * 4096).collect();
        for written in [nothing, &around, nothing, &everything, &around, &scattered, nothing] {
            let mut loan = Loan::new(&pool, 1 << 30, 0..size, Some(&image)).unwrap();
            assert_eq!((idle(&pool), pool.idle().kept), (0, 0));
            assert!(bytes(&mut loan) == expected(size, Some(&image)));
            loan.extend(size + PAGES).unwrap();
            let bytes = bytes(&mut loan);
            written.iter().for_each(|at| bytes[*at] = 7);
            bytes[size..].fill(7);
        }
        assert_eq!(idle(&pool), 1);
    }

    #[test]
    fn what_was_only_read_is_not_kept() {
        let pool = Arc::new(ReservationPool::default());
        let image = image(&pool, PAGES, 9);
        let size = 8 * PAGES;
        let mut loan = Loan::new(&pool, 1 << 30, 0..size, Some(&image)).unwrap();
        assert!(bytes(&mut loan) == expected(size, Some(&image)));
        drop(loan);
        assert_eq!((idle(&pool), pool.idle().kept), (1, 0));
    }

    #[test]
    fn who_wants_no_image_or_another_one_gets_that() {
        // While there is room each has a reservation of its own, and else all have the same.
        for (others, own) in [(0, 3), (MAX_IDLE - 1, 1)] {
            let pool = Arc::new(ReservationPool::default());
            let other = |_| Loan::new(&pool, 1 << 20, 0..0, None).unwrap();
            drop((0..others).map(other).collect::<Vec<_>>());
            let images = [image(&pool, 0, 1), image(&pool, PAGES, 2)];
            let wanted = [None, Some(&images[0]), Some(&images[1])];
            for turn in [0, 1, 2, 0, 2, 1, 0, 0, 1, 1, 2, 2, 0] {
                for size in [4 * PAGES, 24 * PAGES, 5 * PAGES] {
                    let mut loan = Loan::new(&pool, 1 << 30, 0..size, wanted[turn]).unwrap();
                    assert!(bytes(&mut loan) == expected(size, wanted[turn]), "{turn} {size}");
                    bytes(&mut loan).fill(7);
                }
                // One that begins elsewhere.
                let loan = Loan::new(&pool, 1 << 30, PAGES..2 * PAGES, None).unwrap();
                let start = loan.base().as_ptr().wrapping_add(PAGES);
                // SAFETY: these bytes are accessible, and the loan is not used otherwise.
                let bytes = unsafe { std::slice::from_raw_parts(start, PAGES) };
                assert!(bytes.iter().all(|byte| *byte == 0));
            }
            assert_eq!(idle(&pool), others + own);
        }
    }

    #[test]
    fn what_shows_the_same_is_taken_first_and_then_what_shows_nothing() {
        let pool = Arc::new(ReservationPool::default());
        let images = [image(&pool, 0, 1), image(&pool, PAGES, 2)];
        let size = 8 * PAGES;
        let take = |image| Loan::new(&pool, 1 << 30, 0..size, image).unwrap();
        let loans = [take(Some(&images[0])), take(Some(&images[1])), take(None)];
        let bases = loans.each_ref().map(Loan::base);
        drop(loans);
        let (two, one) = (take(Some(&images[1])), take(Some(&images[0])));
        assert_eq!([one.base(), two.base(), take(None).base()], bases);
        drop(one);
        let again = take(Some(&images[1]));
        assert_eq!(again.base(), bases[2]);
    }

    #[test]
    fn an_image_is_gone_with_its_last_loan() {
        let pool = Arc::new(ReservationPool::default());
        let [image, kept] = [image(&pool, 0, 1), image(&pool, 0, 2)];
        let take = |image| Loan::new(&pool, 1 << 30, 0..4 * PAGES, image).unwrap();
        let mut loans = [take(Some(&image)), take(Some(&image)), take(Some(&kept))];
        bytes(&mut loans[1]).fill(7);
        let [one, mut other, third] = loans;
        drop((one, third));
        assert_eq!(idle(&pool), 2);
        drop(image);
        assert_eq!(idle(&pool), 2);
        assert!(bytes(&mut other).iter().all(|byte| *byte == 7));
        drop(other);
        assert_eq!((idle(&pool), pool.idle().kept), (1, 0));
        drop(kept);
        assert_eq!(idle(&pool), 0);
    }
}
