//! What the data segments of a module put into the memories of each instance, where that is the same for
//! all: known once, and not segment by segment for every instance.

use std::ops::Range;
use std::sync::Arc;

use super::memory::Memory;
use crate::vm::image::MemoryImage;
use crate::vm::pool::ReservationPool;
use crate::wasm::index::MemoryIndex;
use crate::wasm::module::{DataSegment, ModuleInfo, Offset, SegmentMode};

/// A memory with so many bytes of data gets them as an image, of which only what an instance writes to is
/// ever copied. Fewer are copied as fast, and an image takes an open file.
const MIN_IMAGE: usize = 16 << 10;

/// An image may be so many times as large as the data in it.
const MAX_SPARSE: usize = 4;

/// The active data segments of a module.
#[derive(Debug)]
pub(crate) struct InitialData {
    memories: Box<[MemoryData]>,
}

/// The data of one memory.
#[derive(Debug)]
struct MemoryData {
    /// The memory's index.
    memory: usize,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// Where in the memory, and where in the module's data.
    Parts(Box<[(usize, Range<usize>)]>),
    /// What the memory is made with.
    Image(Arc<MemoryImage>),
}

impl InitialData {
    /// That of a module with these segments, which are ranges of `data`, and memories with reservations of
    /// `pool`; `None` if it depends on imports, or if a segment does not fit into the least that its memory
    /// may be.
    pub(crate) fn new(
        pool: &Arc<ReservationPool>,
        info: &ModuleInfo,
        data: &[u8],
    ) -> Option<InitialData> {
        let mut parts = vec![Vec::new(); info.memories.len()];
        for segment in &info.data {
            if let SegmentMode::Active { target, offset } = &segment.mode {
                let memory = target.index();
                parts[memory].push(part(info, memory, offset, segment)?);
            }
        }
        let parts = parts.into_iter().enumerate().filter(|(_, parts)| !parts.is_empty());
        let memories = parts.map(|(memory, parts)| {
            let content = match image(pool, &parts, data) {
                Some(image) => Content::Image(Arc::new(image)),
                None => Content::Parts(parts.into()),
            };
            MemoryData { memory, content }
        });
        Some(InitialData { memories: memories.collect() })
    }

    /// The image that a memory is to be made with.
    pub(super) fn image(&self, memory: MemoryIndex) -> Option<&Arc<MemoryImage>> {
        let data = self.memories.iter().find(|data| data.memory == memory.index())?;
        match &data.content {
            Content::Image(image) => Some(image),
            Content::Parts(_) => None,
        }
    }

    /// Puts the data, ranges of `data`, into the new memories of an instance, whose `positions` these are,
    /// but for what they were made with.
    pub(super) fn apply(&self, data: &[u8], memories: &mut [Memory], positions: &[usize]) {
        for MemoryData { memory, content } in &self.memories {
            let Content::Parts(parts) = content else { continue };
            let bytes = memories[positions[*memory]].data_mut();
            for (at, range) in parts {
                bytes[*at..][..range.len()].copy_from_slice(&data[range.clone()]);
            }
        }
    }

    /// Takes out of the new memories of an instance what they were made with: it is not to have its data.
    pub(super) fn withdraw(&self, memories: &mut [Memory], positions: &[usize]) {
        for MemoryData { memory, content } in &self.memories {
            let Content::Image(image) = content else { continue };
            let bytes = memories[positions[*memory]].data_mut();
            let Range { start, end } = image.range();
            let end = end.min(bytes.len());
            bytes[start..end].fill(0);
        }
    }
}

/// Where a segment is, if that is known: the memory is the module's own, nobody else's too, and never so
/// small that the segment does not fit.
fn part(
    info: &ModuleInfo,
    memory: usize,
    offset: &Offset,
    segment: &DataSegment,
) -> Option<(usize, Range<usize>)> {
    let ty = &info.memories[memory];
    if memory < info.imported_memories as usize || ty.shared {
        return None;
    }
    let Offset::Fixed(at) = *offset else { return None };
    let size = ty.limits.min.checked_mul(1 << ty.page_size_log2)?;
    let end = at.checked_add(segment.bytes.len() as u64)?;
    (end <= size).then_some((usize::try_from(at).ok()?, segment.bytes.clone()))
}

/// The image of a memory with these parts, ranges of `data`, if it is worth it and the system can.
fn image(
    pool: &Arc<ReservationPool>,
    parts: &[(usize, Range<usize>)],
    data: &[u8],
) -> Option<MemoryImage> {
    let bytes: usize = parts.iter().map(|(_, range)| range.len()).sum();
    let start = parts.iter().map(|(at, _)| *at).min()?;
    let end = parts.iter().map(|(at, range)| at + range.len()).max()?;
    if bytes < MIN_IMAGE || (end - start) / MAX_SPARSE > bytes {
        return None;
    }
    let parts = parts.iter().map(|(at, range)| (*at, &data[range.clone()]));
    MemoryImage::new(pool, start..end, parts).ok()
}
