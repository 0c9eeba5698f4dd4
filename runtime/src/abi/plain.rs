//! Long tables of numbers as serde writes them: their bytes, little end first, so that reading them is
//! little more than a copy. Knows nothing of what the numbers mean.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Visitor};
use serde::ser::Serializer;

/// A row of a table: numbers that have as many bytes in every row.
pub(crate) trait Plain: Copy {
    /// The bytes of a row.
    const SIZE: usize;

    fn write(self, out: &mut Vec<u8>);

    /// The row in `bytes`, of which there are [`SIZE`](Plain::SIZE).
    fn read(bytes: &[u8]) -> Self;

    /// All rows in `bytes`, of which there are as many as rows have.
    fn read_all(bytes: &[u8]) -> Box<[Self]> {
        bytes.chunks_exact(Self::SIZE).map(Self::read).collect()
    }
}

impl Plain for u8 {
    const SIZE: usize = 1;

    fn write(self, out: &mut Vec<u8>) {
        out.push(self);
    }

    #[inline]
    fn read(bytes: &[u8]) -> u8 {
        bytes[0]
    }

    fn read_all(bytes: &[u8]) -> Box<[u8]> {
        bytes.into()
    }
}

impl Plain for u32 {
    const SIZE: usize = 4;

    fn write(self, out: &mut Vec<u8>) {
        out.extend(self.to_le_bytes());
    }

    #[inline]
    fn read(bytes: &[u8]) -> u32 {
        u32::from_le_bytes(bytes.try_into().expect("as many bytes as a row has"))
    }
}

impl<A: Plain, B: Plain> Plain for (A, B) {
    const SIZE: usize = A::SIZE + B::SIZE;

    fn write(self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
    }

    #[inline]
    fn read(bytes: &[u8]) -> (A, B) {
        let (first, second) = bytes.split_at(A::SIZE);
        (A::read(first), B::read(second))
    }
}

pub(crate) fn serialize<T: Plain, S: Serializer>(
    table: &[T],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut bytes = Vec::with_capacity(table.len() * T::SIZE);
    table.iter().for_each(|row| row.write(&mut bytes));
    serializer.serialize_bytes(&bytes)
}

pub(crate) fn deserialize<'de, T: Plain, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Box<[T]>, D::Error> {
    deserializer.deserialize_bytes(Rows(PhantomData))
}

struct Rows<T>(PhantomData<T>);

impl<T: Plain> Visitor<'_> for Rows<T> {
    type Value = Box<[T]>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rows of {} bytes", T::SIZE)
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Box<[T]>, E> {
        match bytes.len() % T::SIZE {
            0 => Ok(T::read_all(bytes)),
            _ => Err(E::invalid_length(bytes.len(), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Tables {
        #[serde(with = "super")]
        pairs: Box<[(u32, u8)]>,
        #[serde(with = "super")]
        numbers: Box<[u32]>,
    }

    #[test]
    fn what_is_written_is_read_and_half_a_row_is_an_error() {
        let tables = Tables {
            pairs: Box::new([(1, 2), (u32::MAX, 0xff)]),
            numbers: Box::new([0x0403_0201]),
        };
        let mut bytes = postcard::to_allocvec(&tables).unwrap();
        assert_eq!(bytes[bytes.len() - 5..], [4, 1, 2, 3, 4]);
        assert_eq!(postcard::from_bytes(&bytes), Ok(tables));
        // Ten bytes of pairs become nine; what follows would still be a table.
        bytes[0] -= 1;
        assert!(postcard::from_bytes::<Tables>(&bytes).is_err());
    }
}
