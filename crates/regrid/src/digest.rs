//! A number that tells lists of numbers apart: equal lists have one, and others another, but by a chance of one in 2^64.
//!
//! It is for one version of this library to compare with itself; what is kept in files of weights has a
//! [hash](crate::weightfile) that never changes.

/// A digest of what was added so far, in order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Digest(u64);

impl Digest {
    /// Adds a number of up to eight bytes.
    #[inline]
    pub(crate) fn add(&mut self, number: u64) {
        // The digits of the golden ratio, odd. Both halves of the product count: the lower one alone would keep the sign of a
        // double in its highest bit, where that of the next one could undo it.
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let product = u128::from(self.0 ^ number) * u128::from(FACTOR);
        // Noughts, too, are to be counted.
        self.0 = (product as u64 ^ (product >> 64) as u64).wrapping_add(FACTOR);
    }

    /// Adds a text.
    pub(crate) fn add_text(&mut self, text: &str) {
        self.add(text.len() as u64);
        text.bytes().for_each(|byte| self.add(byte.into()));
    }

    /// The number.
    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn digest(numbers: &[u64]) -> u64 {
        let mut digest = Digest::default();
        numbers.iter().for_each(|&number| digest.add(number));
        digest.number()
    }

    #[test]
    fn lists_that_differ_in_a_bit_a_place_or_their_length_differ() {
        let list: Vec<u64> = (0..8).map(|i| f64::from(i).to_bits()).collect();
        let mut seen = HashSet::from([digest(&list)]);
        for at in 0..list.len() {
            for bit in 0..64 {
                let mut other = list.clone();
                other[at] ^= 1 << bit;
                assert!(seen.insert(digest(&other)), "{at} {bit}");
                // With the sign of the one before, whose bit is the highest.
                if at > 0 {
                    other[at - 1] ^= 1 << 63;
                    assert!(
                        seen.insert(digest(&other)),
                        "{at} {bit} and the sign before"
                    );
                }
            }
            assert!(seen.insert(digest(&list[..at])), "{at}");
            let mut swapped = list.clone();
            swapped.swap(at, (at + 1) % list.len());
            assert!(seen.insert(digest(&swapped)), "{at}");
        }
        assert_ne!(digest(&[0]), digest(&[0, 0]));
        let texts = |texts: [&str; 2]| {
            let mut digest = Digest::default();
            texts.iter().for_each(|text| digest.add_text(text));
            digest
        };
        assert_ne!(texts(["ab", "c"]), texts(["a", "bc"]));
    }
}
