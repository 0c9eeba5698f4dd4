//! When to collect, and what: enough between two collections that they cost a constant factor, less
//! near a limit. Knows sizes, no memory.

/// What is not worth a full collection, however little lives: bytes, and nurseries full of objects.
const FULL_MIN: usize = 4 << 20;
const FULL_MIN_NURSERIES: usize = 4;
/// Collections in a row that may leave next to no room before the heap counts as full.
const FUTILE_MAX: u32 = 16;

/// Bytes that the heap and host values occupy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Old and large objects.
    pub(super) heap: usize,
    /// What host values own.
    pub(super) host: usize,
}

impl Sizes {
    fn total(self) -> usize {
        self.heap.saturating_add(self.host)
    }
}

/// The state between two collections.
#[derive(Debug)]
pub(super) struct Pacer {
    /// The most that [`Sizes`] may be.
    limits: Sizes,
    /// What a nursery holds: as much may be spent on host values before a minor collection.
    nursery: usize,
    /// Bytes of host objects and their values that may be made before a collection is due; it is, once
    /// this is not above zero.
    budget: isize,
    /// Whether a collection is due as soon as there is something to collect.
    stress: bool,
    /// The total at which a full collection is due.
    threshold: usize,
    /// Some allocation failed.
    starved: bool,
    /// Collections in a row that left next to no room.
    futile: u32,
}

impl Pacer {
    /// For an empty heap.
    pub(super) fn new(limits: Sizes, nursery: usize, stress: bool) -> Pacer {
        let mut pacer = Pacer {
            limits,
            nursery,
            budget: 0,
            stress: false,
            threshold: 0,
            starved: false,
            futile: 0,
        };
        let empty = Sizes { heap: 0, host: 0 };
        pacer.after_full(empty, nursery);
        pacer.after_any(empty, limits.heap);
        Pacer { stress, ..pacer }
    }

    /// There is a heap from now on.
    pub(super) fn heap_is_made(&mut self) {
        if self.stress {
            self.budget = 0;
        }
    }

    /// Whether host values may not own so many bytes.
    #[inline]
    pub(super) fn exceeds_host_limit(&self, bytes: usize) -> bool {
        bytes > self.limits.host
    }

    /// A host object was made whose value owns `bytes`.
    #[inline]
    pub(super) fn spend(&mut self, bytes: usize) {
        self.budget = self.budget.saturating_sub_unsigned(bytes);
    }

    /// The nursery had no room for the host, which took some elsewhere: a collection is due.
    #[cold]
    pub(super) fn nursery_is_full(&mut self) {
        self.budget = self.budget.min(0);
    }

    /// An allocation failed: a full collection is due.
    #[cold]
    pub(super) fn starve(&mut self) {
        self.starved = true;
        self.nursery_is_full();
    }

    /// There is more room than there was: collecting is worth a try again.
    pub(super) fn relieve(&mut self) {
        self.starved = false;
        self.futile = 0;
    }

    /// Whether the next safepoint should collect.
    #[inline]
    pub(super) fn is_due(&self) -> bool {
        self.budget <= 0
    }

    /// Whether a full collection is due with so much in use.
    pub(super) fn is_full_due(&self, sizes: Sizes) -> bool {
        self.starved || sizes.total() >= self.threshold
    }

    /// Bytes that may be added to so much before a full collection is due.
    pub(super) fn room_until_full(&self, sizes: Sizes) -> usize {
        self.threshold.saturating_sub(sizes.total())
    }

    /// Takes note of a full collection that left so much, with a nursery of that size.
    pub(super) fn after_full(&mut self, left: Sizes, nursery: usize) {
        let heap_room = self.limits.heap.saturating_sub(left.heap);
        let host_room = self.limits.host.saturating_sub(left.host);
        let total = left.total();
        let least = nursery.saturating_mul(FULL_MIN_NURSERIES).max(FULL_MIN);
        let more = total.max(least).min(heap_room / 2).min(host_room / 2).max(1);
        self.threshold = total.saturating_add(more);
        self.starved = false;
    }

    /// Takes note of any collection that left so much, and `room` for objects.
    pub(super) fn after_any(&mut self, left: Sizes, room: usize) {
        let host_room = self.limits.host.saturating_sub(left.host);
        let budget = if self.stress { 0 } else { self.nursery.min(host_room / 2).max(1) };
        self.budget = budget as isize;
        let enough = (self.limits.heap / 32).min(self.nursery / 16);
        self.futile = if room < enough { self.futile + 1 } else { 0 };
    }

    /// Whether the heap has been so full for so long that the guest should get no more of it. Says so
    /// once, then collecting is worth a try again.
    pub(super) fn gives_up(&mut self) -> bool {
        let gives_up = self.futile > FUTILE_MAX;
        if gives_up {
            self.futile = 0;
        }
        gives_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NURSERY: usize = 1 << 20;

    fn pacer(heap: usize, host: usize) -> Pacer {
        Pacer::new(Sizes { heap, host }, NURSERY, false)
    }

    fn heap(heap: usize) -> Sizes {
        Sizes { heap, host: 0 }
    }

    #[test]
    fn a_full_collection_is_due_when_what_survived_has_doubled() {
        let mut pacer = pacer(1 << 30, usize::MAX);
        assert!(!pacer.is_full_due(heap(FULL_MIN - 1)) && pacer.is_full_due(heap(FULL_MIN)));
        pacer.after_full(heap(64 << 20), NURSERY);
        assert!(!pacer.is_full_due(heap((128 << 20) - 1)) && pacer.is_full_due(heap(128 << 20)));
        assert_eq!(pacer.room_until_full(heap(100 << 20)), 28 << 20);
        pacer.after_full(heap(1000 << 20), NURSERY);
        assert!(pacer.is_full_due(heap(1012 << 20)), "half of what is left");
        assert!(pacer.is_full_due(Sizes { heap: 900 << 20, host: 200 << 20 }));
    }

    #[test]
    fn host_values_bring_collections_closer() {
        let mut pacer = pacer(1 << 30, 3 << 20);
        pacer.spend(NURSERY - 1);
        assert!(!pacer.is_due());
        pacer.spend(1);
        assert!(pacer.is_due());
        pacer.after_any(Sizes { heap: 0, host: 2 << 20 }, 1 << 30);
        pacer.spend(NURSERY / 2);
        assert!(pacer.is_due(), "less near the limit");
    }

    #[test]
    fn a_failed_allocation_makes_the_next_collection_a_full_one() {
        let mut pacer = pacer(1 << 30, usize::MAX);
        pacer.starve();
        assert!(pacer.is_due() && pacer.is_full_due(heap(0)));
        pacer.after_full(heap(0), 4 * NURSERY);
        assert!(!pacer.is_full_due(heap(4 * FULL_MIN - 1)));
        pacer.after_any(heap(0), 1 << 30);
        assert!(!pacer.is_due() && !pacer.is_full_due(heap(0)));
    }

    #[test]
    fn a_heap_that_stays_full_is_given_up() {
        let mut pacer = pacer(1 << 30, usize::MAX);
        for _ in 0..FUTILE_MAX {
            pacer.after_any(heap(1 << 30), 1000);
        }
        assert!(!pacer.gives_up());
        pacer.after_any(heap(1 << 30), 1000);
        assert!(pacer.gives_up() && !pacer.gives_up());
        for _ in 0..10 * FUTILE_MAX {
            pacer.after_any(heap(1 << 30), NURSERY / 16);
        }
        assert!(!pacer.gives_up());
    }
}
