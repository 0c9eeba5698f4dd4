//! What a heap has done and holds, for embedders and tests.

use std::time::{Duration, Instant};

/// What the collector of one store has done so far, and what its heap holds:
/// [`Store::gc_stats`](crate::Store::gc_stats).
///
/// Young objects die in *minor* collections, which are short however large the heap is; old ones in
/// *full* collections, which look at everything that lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct GcStats {
    /// Minor collections, those included with which full ones begin.
    pub minor_collections: u64,
    /// Full collections.
    pub full_collections: u64,
    /// Bytes of objects that were young when a minor collection found them alive, in all.
    pub promoted_bytes: u64,
    /// Time spent in minor collections.
    pub minor_time: Duration,
    /// Time spent in full collections, without the minor ones with which they begin.
    pub full_time: Duration,
    /// The longest minor collection.
    pub longest_minor_pause: Duration,
    /// The longest full collection, without the minor one with which it began.
    pub longest_full_pause: Duration,
    /// Bytes of objects in the heap, those included that have died since the collection that would
    /// have found out.
    pub heap_bytes: usize,
    /// Bytes of objects that the latest full collection found alive.
    pub live_bytes: usize,
    /// Bytes of memory that stand ready for objects. What has never been used costs no memory.
    pub committed_bytes: usize,
    /// Host objects whose value has not been dropped, nor is about to be.
    pub host_objects: usize,
    /// Host objects that were found dead and whose value is still to be dropped.
    pub host_objects_dead: usize,
    /// Bytes that host values own as far as they say so, with their type and their own size.
    pub host_bytes: usize,
    /// References that handles in root scopes hold.
    pub scoped_roots: usize,
    /// References that manually rooted handles hold.
    pub owned_roots: usize,
}

impl GcStats {
    /// Takes note of a minor collection that began at `start`.
    pub(super) fn minor(&mut self, start: Instant, promoted: u32) {
        let time = start.elapsed();
        self.minor_collections += 1;
        self.promoted_bytes += u64::from(promoted);
        self.minor_time += time;
        self.longest_minor_pause = self.longest_minor_pause.max(time);
    }

    /// Takes note of a full collection that began at `start`.
    pub(super) fn full(&mut self, start: Instant, live: usize) {
        let time = start.elapsed();
        self.full_collections += 1;
        self.live_bytes = live;
        self.full_time += time;
        self.longest_full_pause = self.longest_full_pause.max(time);
    }
}
