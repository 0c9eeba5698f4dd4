//! Tables that say something about places in a text, by code offset. Large modules have a row for every few
//! bytes of their code, and nearly nobody ever looks them up: what is kept of most rows is by how little they
//! differ from the one before. Knows nothing of what the values mean. Reading allocates nothing and takes no
//! lock.

use serde::{Deserialize, Serialize};

use super::plain;

/// How many rows at most are read to find one.
const BLOCK: usize = 32;

/// Rows of an offset and a value, sorted by offset.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OffsetTable {
    /// The first row of each block, and where in `rest` the others are.
    #[serde(with = "plain")]
    blocks: Box<[((u32, u32), u32)]>,
    /// The other rows: by how much offset and value are larger than in the row before.
    #[serde(with = "plain")]
    rest: Box<[u8]>,
}

impl OffsetTable {
    /// A table of `rows`.
    ///
    /// # Panics
    ///
    /// If they are not sorted.
    pub(crate) fn new(rows: impl IntoIterator<Item = (u32, u32)>) -> OffsetTable {
        let (mut blocks, mut rest) = (Vec::new(), Vec::new());
        let mut last = (0, 0);
        for (position, row) in rows.into_iter().enumerate() {
            let more = row.0.checked_sub(last.0).expect("rows are sorted by offset");
            if position.is_multiple_of(BLOCK) {
                let at = u32::try_from(rest.len()).expect("a table is no larger than its text");
                blocks.push((row, at));
            } else {
                write(&mut rest, more);
                write(&mut rest, zigzag(row.1.wrapping_sub(last.1)));
            }
            last = row;
        }
        OffsetTable { blocks: blocks.into(), rest: rest.into() }
    }

    /// The last row whose offset is not greater than `offset`.
    pub(crate) fn find(&self, offset: u32) -> Option<(u32, u32)> {
        let next = self.blocks.partition_point(|(row, _)| row.0 <= offset);
        let (mut row, at) = *self.blocks.get(next.checked_sub(1)?)?;
        let mut rest = self.rest.get(at as usize..)?;
        for _ in 1..BLOCK {
            let Some(following) = read_row(&mut rest, row).filter(|row| row.0 <= offset) else {
                break;
            };
            row = following;
        }
        Some(row)
    }
}

/// The row after `last`; `None` if there is none.
fn read_row(rest: &mut &[u8], last: (u32, u32)) -> Option<(u32, u32)> {
    let offset = last.0.checked_add(read(rest)?)?;
    Some((offset, last.1.wrapping_add(unzigzag(read(rest)?))))
}

/// Appends `number`, 7 bits in each byte, low ones first; all bytes but the last have the highest bit set.
fn write(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Reads what [`write`] wrote; `None` at the end.
fn read(bytes: &mut &[u8]) -> Option<u32> {
    let (mut number, mut shift) = (0, 0);
    loop {
        let byte = *bytes.split_off_first()?;
        number |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(number);
        }
        shift += 7;
    }
}

/// A difference as a number that is small if the difference is, whatever its sign.
fn zigzag(difference: u32) -> u32 {
    let difference = difference.cast_signed();
    (difference << 1 ^ difference >> 31).cast_unsigned()
}

/// The difference of which `number` is the [`zigzag`].
fn unzigzag(number: u32) -> u32 {
    number >> 1 ^ (number & 1).wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks `rows` against a search in themselves.
    fn check(rows: &[(u32, u32)]) {
        let table = OffsetTable::new(rows.iter().copied());
        let around = rows.iter().flat_map(|row| {
            [row.0.saturating_sub(1), row.0, row.0.saturating_add(1), row.0.saturating_add(1000)]
        });
        for offset in around.chain([0, 1, u32::MAX]) {
            let next = rows.partition_point(|row| row.0 <= offset);
            let expected = next.checked_sub(1).map(|position| rows[position]);
            assert_eq!(table.find(offset), expected, "{offset} of {} rows", rows.len());
        }
    }

    #[test]
    fn every_offset_finds_the_last_row_before_it() {
        check(&[]);
        check(&[(0, 0)]);
        check(&[(7, u32::MAX), (7, 3), (u32::MAX, 0)]);
        let far = [0, 1, 127, 128, 16_383, 16_384, 1 << 21, 1 << 28, u32::MAX];
        check(&far.map(|number| (number, number.wrapping_mul(0x9e37_79b9))));
        for count in [BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + 3] {
            let row = |at: usize| (3 + at as u32 * 5, (at as u32 * 77) % 1000);
            check(&(0..count).map(row).collect::<Vec<_>>());
        }
    }

    #[test]
    fn neighbours_take_two_bytes() {
        let table = OffsetTable::new((0..32_000).map(|at| (at * 9, at * 3)));
        assert_eq!((table.blocks.len(), table.rest.len()), (1000, 31_000 * 2));
    }

    #[test]
    fn tables_that_are_cut_off_have_fewer_rows() {
        let whole = OffsetTable::new((0..100).map(|at| (at * 300, at)));
        for len in 0..whole.rest.len() {
            let rest = whole.rest[..len].into();
            let table = OffsetTable { blocks: whole.blocks.clone(), rest };
            for offset in [0, 299, 300, 31 * 300, 99 * 300] {
                let found = table.find(offset).map_or(0, |row| row.0);
                assert!(found <= offset && found.is_multiple_of(300));
            }
        }
        let endless = OffsetTable { blocks: [((5, 1), 0)].into(), rest: [0xff; 20].into() };
        assert_eq!(endless.find(9), Some((5, 1)));
    }

    #[test]
    fn differences_of_either_sign_are_small_numbers() {
        for (difference, number) in [(0, 0), (-1, 1), (1, 2), (i32::MIN, u32::MAX)] {
            assert_eq!(zigzag(difference.cast_unsigned()), number);
            assert_eq!(unzigzag(number), difference.cast_unsigned());
        }
    }
}
