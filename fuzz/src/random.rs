//! Pseudo-random numbers from a seed: the same everywhere and for ever, so that a case is its seed
//! and its number.

/// A generator of the SplitMix64 family.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The numbers of `stream` within `seed`: streams are independent of each other.
    pub fn new(seed: u64, stream: u64) -> Random {
        let mut random = Random(seed);
        let mixed = random.next() ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Random(mixed)
    }

    /// Any number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number under `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 1) as usize % bound
    }

    /// True once in `of` times.
    pub fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    /// One of `choices`, which are not empty.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// `len` bytes.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let words = (0..len.div_ceil(8)).flat_map(|_| self.next().to_le_bytes());
        words.take(len).collect()
    }
}
