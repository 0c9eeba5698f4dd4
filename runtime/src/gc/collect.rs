//! One collection from the beginning to the end: what is collected, who is asked for roots, what is
//! accounted and checked.

use std::time::Instant;

use super::GcStore;
use super::check::Checker;
use super::full::Full;
use super::large::LargeObjects;
use super::mark_bits::MarkBits;
use super::minor::Minor;
use super::space::COMMIT_UNIT;
use super::written;
use crate::abi::object::{OBJECT_ALIGN, YOUNG_END};
use crate::vm::context::VmHeap;

/// Places outside of this module that hold references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Roots {
    /// Frames of compiled code, and what is on its way through them. Every collection visits them.
    Frames,
    /// Tables, globals and passive segments: those that hold young references are in the store
    /// buffer, so only a full collection visits them.
    Definitions,
}

/// Calls its second argument with every place of a kind that holds a reference, null and i31
/// included, each once; it may replace the reference.
pub(crate) type VisitRoots<'a> = dyn FnMut(Roots, &mut dyn FnMut(&mut u32)) + 'a;

/// Why a collection is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is due: [`GcStore::should_collect`].
    Due,
    /// Somebody asked for a full one.
    Asked,
    /// The nursery has no room for so many bytes.
    Small(u32),
    /// Large objects have no room for so many bytes, or should not take it yet.
    Large(u32),
}

/// What the place of the nursery is filled with after a collection, under stress: no reference to an
/// object, no type, no i31.
const POISON: u8 = 0x5a;

impl GcStore {
    /// Empties the nursery, and if that is wanted or due collects everything: moves all objects that
    /// the roots lead to and forgets the others. `visit_roots` shows every place outside of this
    /// module that holds a reference; roots held by Rust handles are known here.
    ///
    /// The payloads of forgotten host objects wait in [`GcStore::take_dead`].
    pub(crate) fn collect(&mut self, heap: &VmHeap, why: Why, visit_roots: &mut VisitRoots<'_>) {
        if self.space.base().is_null() {
            // There has never been an object.
            self.pacer.after_full(self.sizes(), self.nursery.size() as usize);
        } else {
            self.minor(heap, visit_roots);
            if self.wants_full(heap, why) {
                self.full(heap, visit_roots);
            }
        }
        self.pacer.after_any(self.sizes(), self.room(heap) as usize);
    }

    fn wants_full(&self, heap: &VmHeap, why: Why) -> bool {
        let sizes = self.sizes();
        let needed = match why {
            Why::Asked => return true,
            Why::Due => false,
            Why::Small(size) => size > self.nursery.room(heap),
            Why::Large(size) => self.wants_full_for_large(heap, size),
        };
        needed || self.stress || self.pacer.is_full_due(sizes)
    }

    /// Whether there should be a full collection before a large object is made.
    pub(crate) fn wants_full_for_large(&self, heap: &VmHeap, size: u32) -> bool {
        let footprint = LargeObjects::footprint(size).unwrap_or(u32::MAX);
        let mut sizes = self.sizes();
        sizes.heap += footprint as usize;
        self.stress || footprint > self.room(heap) || self.pacer.is_full_due(sizes)
    }

    /// Whether the heap has been full for so long that an allocation should fail rather than collect
    /// again.
    pub(crate) fn gives_up(&mut self) -> bool {
        self.pacer.gives_up()
    }

    /// Moves what lives in the nursery to the old objects.
    fn minor(&mut self, heap: &VmHeap, visit_roots: &mut VisitRoots<'_>) {
        let start = Instant::now();
        if self.checks() {
            let (nursery, old) = (self.nursery.objects(heap), self.old.objects());
            let (memory, shapes) = (self.space.memory(), self.types.shapes());
            Checker::new(memory, shapes, nursery, old, &self.large, &self.hosts).before_minor(
                &self.buffer,
                heap,
                visit_roots,
            );
        }
        let (nursery, top) = (self.nursery.objects(heap), self.old.top());
        let (memory, shapes) = (self.space.memory(), self.types.shapes());
        let mut minor = Minor::new(memory, shapes, &mut self.hosts, nursery.clone(), top);
        self.buffer.drain(|reference| minor.evacuate(reference));
        written::drain(heap, |reference| minor.evacuate(reference));
        self.roots.visit_young(|slot| minor.root(slot));
        visit_roots(Roots::Frames, &mut |slot| minor.root(slot));
        self.old.set_top(minor.finish());
        if self.stress {
            self.space.fill(nursery, POISON);
        }
        let promoted = self.old.top() - top;
        self.empty_nursery(heap, promoted);
        self.stats.get_or_insert_default().minor(start, promoted);
        self.check_after(heap, visit_roots);
    }

    /// Makes the nursery ready for new objects, of which `live` bytes have been moved away.
    fn empty_nursery(&mut self, heap: &VmHeap, live: u32) {
        let size = self.nursery.wanted_size(heap, live);
        if self.space.commit_young(YOUNG_END - size) {
            self.nursery.resize(size);
        }
        self.nursery.clear(heap);
        self.fit_nursery(heap);
    }

    /// Marks everything that lives and slides the old objects together. The nursery is empty.
    fn full(&mut self, heap: &VmHeap, visit_roots: &mut VisitRoots<'_>) {
        let start = Instant::now();
        self.roots.trim();
        let before = self.old.top();
        let first = self.first_offset();
        let Some(bits) = MarkBits::new(before) else { return };
        let (memory, shapes, large) = (self.space.memory(), self.types.shapes(), &self.large);
        let mut full =
            Full::new(memory, shapes, &mut self.hosts, large, bits, self.mark_stack_limit);
        self.roots.visit(&mut |slot| full.mark_root(*slot));
        for kind in [Roots::Frames, Roots::Definitions] {
            visit_roots(kind, &mut |slot| full.mark_root(*slot));
        }
        full.finish_marking();
        let placement = full.place(first);
        self.roots.visit(&mut |slot| full.update(slot));
        for kind in [Roots::Frames, Roots::Definitions] {
            visit_roots(kind, &mut |slot| full.update(slot));
        }
        full.slide(&placement);
        self.old.set_objects(placement);
        self.large.sweep(&mut self.space);
        let sizes = self.sizes();
        self.pacer.after_full(sizes, self.nursery.size() as usize);
        self.give_back(before);
        self.fit_nursery(heap);
        self.stats.get_or_insert_default().full(start, sizes.heap);
        self.check_after(heap, visit_roots);
    }

    /// Where the first old object goes. Under stress it changes each time, so that all objects move.
    fn first_offset(&mut self) -> u32 {
        let lifted = self.stress && self.old.objects().start == YOUNG_END;
        let has_room = self.old.top() + OBJECT_ALIGN <= self.space.old_end();
        if lifted && has_room { YOUNG_END + OBJECT_ALIGN } else { YOUNG_END }
    }

    /// Gives memory back that old objects have occupied before, and will not again until the next full
    /// collection.
    fn give_back(&mut self, top_before: u32) {
        let room = self.pacer.room_until_full(self.sizes()).min(u32::MAX as usize) as u32;
        let kept = self.old.top().saturating_add(room).saturating_add(self.nursery.size());
        let Some(kept) = kept.checked_next_multiple_of(COMMIT_UNIT) else { return };
        let end = top_before.next_multiple_of(COMMIT_UNIT).min(self.space.old_end());
        if kept < end {
            self.space.discard(kept..end);
        }
    }

    fn checks(&self) -> bool {
        self.stress || cfg!(test)
    }

    fn check_after(&mut self, heap: &VmHeap, visit_roots: &mut VisitRoots<'_>) {
        if self.checks() {
            let (nursery, old) = (self.nursery.objects(heap), self.old.objects());
            let (memory, shapes) = (self.space.memory(), self.types.shapes());
            Checker::new(memory, shapes, nursery, old, &self.large, &self.hosts).after(
                &self.hosts,
                &mut self.roots,
                visit_roots,
            );
        }
    }
}
