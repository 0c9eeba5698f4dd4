//! Filling memory with a pattern that repeats: for elements of arrays. Knows no objects.

use std::slice;

/// Bytes that are copied at a time, once so many are filled. They stay in the first-level cache.
const BLOCK: usize = 4 << 10;
/// Bytes that are filled by stores, before copying is faster.
const FIRST: usize = 256;

/// Fills `bytes` with `pattern`, again and again from the first byte on.
pub(crate) fn fill(bytes: &mut [u8], pattern: u128) {
    let pattern = pattern.to_le_bytes();
    let (mut done, len) = (bytes.len().min(FIRST), bytes.len());
    let (whole, rest) = bytes[..done].as_chunks_mut::<16>();
    whole.fill(pattern);
    rest.copy_from_slice(&pattern[..rest.len()]);
    // A copy uses wider registers than a compiler may take for granted.
    while done < len {
        let (filled, rest) = bytes.split_at_mut(done);
        let count = done.min(BLOCK).min(rest.len());
        rest[..count].copy_from_slice(&filled[..count]);
        done += count;
    }
}

/// [`fill`] for compiled code, which calls it directly: `low` and `high` are the halves of the pattern.
///
/// # Safety
///
/// The `len` bytes at `start` are initialised, and nobody else uses them meanwhile.
pub(crate) unsafe extern "C" fn fill_from_code(start: *mut u8, len: usize, low: u64, high: u64) {
    // SAFETY: the caller's duty.
    let bytes = unsafe { slice::from_raw_parts_mut(start, len) };
    fill(bytes, u128::from(low) | u128::from(high) << 64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_filled_and_no_more() {
        let pattern = 0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100_u128;
        let lengths = (0..600).chain([BLOCK - 1, BLOCK, BLOCK + 9, 5 * BLOCK + 3]);
        for len in lengths {
            let mut bytes = vec![0xff; len + 1];
            fill(&mut bytes[..len], pattern);
            assert!(bytes[..len].iter().zip(0..).all(|(byte, at)| *byte == (at % 16) as u8));
            assert_eq!(bytes[len], 0xff, "{len} bytes");
        }
    }
}
