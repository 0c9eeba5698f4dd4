//! What the collector must know of the objects of a type, and how the type table holds that: 16 bytes
//! behind the display. The only place that knows the encoding.

use super::gc_layout::{ObjectLayout, Storage};
use super::object::{FIELDS, OBJECT_ALIGN};

/// The objects of a type, for the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape<'a> {
    /// There are none, or the type is a reserved one and its objects describe themselves.
    None,
    Struct {
        /// Bytes of an object.
        size: u32,
        references: References<'a>,
    },
    Array {
        /// Bytes from the start of the object to the first element.
        first: u32,
        /// Binary logarithm of an element's size.
        size_log2: u32,
        /// Whether elements are references.
        references: bool,
    },
}

/// Which words of a struct are references: bit `i` is for the one `4 * i` bytes behind the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum References<'a> {
    Short(u64),
    Long(&'a [u64]),
}

impl References<'_> {
    /// The offsets of the references from the start of the object.
    pub(crate) fn offsets(self) -> impl Iterator<Item = u32> {
        let words = match self {
            References::Short(_) => 1,
            References::Long(bits) => bits.len(),
        };
        let bits = move |at: usize| match self {
            References::Short(bits) => bits,
            References::Long(bits) => bits[at],
        };
        let (mut at, mut left) = (0, bits(0));
        std::iter::from_fn(move || {
            while left == 0 {
                at += 1;
                if at >= words {
                    return None;
                }
                left = bits(at);
            }
            let bit = left.trailing_zeros();
            left &= left - 1;
            Some(FIELDS + 4 * (at as u32 * u64::BITS + bit))
        })
    }
}

/// Bytes of an array of `len` elements that exists: its size was checked when it was made.
pub(crate) fn array_size(first: u32, size_log2: u32, len: u32) -> u32 {
    (first + (len << size_log2)).next_multiple_of(OBJECT_ALIGN)
}

/// A [`Shape`] in the type table.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct EncodedShape {
    kind: Kind,
    /// Bytes of a struct; the offset of an array's first element.
    size: u32,
    /// The bits of `References::Short`, the address of `References::Long` with the number of words
    /// in its upper 16 bits, or what an array's elements are.
    detail: u64,
}

const _: () = assert!(size_of::<EncodedShape>() == 16);

#[derive(Clone, Copy, Debug)]
#[repr(u32)]
enum Kind {
    None,
    Struct,
    LongStruct,
    Array,
}

/// Where an address in `detail` ends. User addresses have at most 47 bits, or 48.
const ADDRESS_BITS: u32 = 48;
/// The bit in an array's `detail` that says that elements are references.
const ELEMENT_REFERENCES: u64 = 1 << 8;

impl EncodedShape {
    /// The shape of a type without objects.
    pub(crate) const NONE: EncodedShape = EncodedShape { kind: Kind::None, size: 0, detail: 0 };

    /// The shape of the objects with this layout. `keep` is given a bitmap that does not fit, and
    /// returns the address where it stays as long as the shape is used.
    pub(crate) fn new(
        layout: &ObjectLayout,
        keep: impl FnOnce(Box<[u64]>) -> usize,
    ) -> EncodedShape {
        match layout {
            ObjectLayout::Func => EncodedShape::NONE,
            ObjectLayout::Struct(layout) => {
                let (bits, size) = (layout.reference_bits(), layout.size);
                if let [] | [_] = *bits {
                    let detail = bits.first().copied().unwrap_or(0);
                    return EncodedShape { kind: Kind::Struct, size, detail };
                }
                let words = bits.len() as u64;
                let address = keep(bits.into()) as u64;
                assert!(address >> ADDRESS_BITS == 0 && words >> 16 == 0, "both fit one word");
                let detail = address | words << ADDRESS_BITS;
                EncodedShape { kind: Kind::LongStruct, size, detail }
            }
            ObjectLayout::Array(layout) => {
                let is_reference = layout.element == Storage::Reference;
                let references = if is_reference { ELEMENT_REFERENCES } else { 0 };
                let detail = u64::from(layout.element.size_log2()) | references;
                EncodedShape { kind: Kind::Array, size: layout.first(), detail }
            }
        }
    }

    /// What it says. `kept` returns the words, so many, that lie at an address that `keep` gave.
    #[inline(always)]
    pub(crate) fn decode<'a>(&self, kept: impl FnOnce(usize, usize) -> &'a [u64]) -> Shape<'a> {
        match self.kind {
            Kind::None => Shape::None,
            Kind::Struct => {
                Shape::Struct { size: self.size, references: References::Short(self.detail) }
            }
            Kind::LongStruct => {
                let address = self.detail & ((1 << ADDRESS_BITS) - 1);
                let bits = kept(address as usize, (self.detail >> ADDRESS_BITS) as usize);
                Shape::Struct { size: self.size, references: References::Long(bits) }
            }
            Kind::Array => Shape::Array {
                first: self.size,
                size_log2: self.detail as u32 & 0xff,
                references: self.detail & ELEMENT_REFERENCES != 0,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::gc_layout::{ArrayLayout, StructLayout};
    use crate::abi::signature::LoweredType;

    #[test]
    fn a_bitmap_names_words_behind_the_header() {
        let short = References::Short(0b1001);
        assert_eq!(short.offsets().collect::<Vec<_>>(), [8, 20]);
        let long = References::Long(&[0, 1 << 63, 1]);
        assert_eq!(long.offsets().collect::<Vec<_>>(), [8 + 4 * 127, 8 + 4 * 128]);
        assert_eq!(References::Short(0).offsets().count(), 0);
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let layout = StructLayout::new(std::iter::repeat_n(Storage::Reference, 100));
        let size = layout.size;
        let mut kept = Box::default();
        let encoded = EncodedShape::new(&ObjectLayout::Struct(layout), |bits| {
            kept = bits;
            0x7fff_0000_0008
        });
        let shape = encoded.decode(|address, words| {
            assert_eq!((address, words), (0x7fff_0000_0008, 2));
            &kept
        });
        let references = References::Long(&[u64::MAX, (1 << 36) - 1]);
        assert_eq!(shape, Shape::Struct { size, references });
        let never = |_: usize, _: usize| -> &[u64] { panic!("nothing was kept") };
        for (element, references) in
            [(Storage::Reference, true), (Storage::Plain(LoweredType::F32), false)]
        {
            let layout = ObjectLayout::Array(ArrayLayout { element });
            let shape = EncodedShape::new(&layout, |_| panic!("fits")).decode(never);
            assert_eq!(shape, Shape::Array { first: 12, size_log2: 2, references });
        }
        assert_eq!(EncodedShape::new(&ObjectLayout::Func, |_| 0).decode(never), Shape::None);
        assert_eq!(array_size(12, 0, 5), 24);
    }
}
