//! Compression of chunks: streams of zlib's format, by igzip at level 1 if it is there, else by libdeflate.
//!
//! igzip is four to seven times as fast at level 1, for streams a few hundredths longer; from level 2 on libdeflate's are
//! clearly smaller (docs/benchmarks.md has the figures).
//!
//! libdeflate is kept from dwelling on noise. The low bytes of measured and modelled floats are noise: after shuffling, half
//! of a chunk may be incompressible, and libdeflate takes as long over it as over the rest, if not longer. Shuffling puts
//! these bytes first, so a stream begins with as much as is noise, stored as it is, and the compressor sees only what
//! follows. That makes its level 1 three to four times faster on such data, and the files no larger.
//!
//! # Source
//! RFC 1950 (the stream) and RFC 1951 (section 3.2.4, stored blocks).

use libdeflater::{Adler32, CompressionLvl, Compressor};

#[cfg(igzip)]
use super::igzip::Igzip;
use crate::buffers;

/// Bytes that are judged together: as many as one stored block may have.
const SEGMENT: usize = 65_535;
/// Bits that a byte of noise has at the least, of 8: storing it loses less than a hundredth.
const NOISE_BITS: f64 = 7.93;

/// Compresses chunks, one after another.
pub(super) struct Deflater {
    level: u8,
    codec: Codec,
}

/// Who compresses.
enum Codec {
    #[cfg(igzip)]
    Igzip(Igzip),
    Libdeflate(Libdeflate),
}

impl Deflater {
    /// Levels are those of zlib, 1 to 9.
    pub(super) fn new(level: u8) -> Self {
        let codec = match level {
            #[cfg(igzip)]
            1 => Codec::Igzip(Igzip::new()),
            _ => Codec::Libdeflate(Libdeflate::new(level)),
        };
        Self { level, codec }
    }

    pub(super) fn level(&self) -> u8 {
        self.level
    }

    /// The stream of some bytes; it lies in the buffer, which grows as need be.
    pub(super) fn compress<'a>(&mut self, bytes: &[u8], buffer: &'a mut Vec<u8>) -> &'a [u8] {
        match &mut self.codec {
            #[cfg(igzip)]
            Codec::Igzip(igzip) => igzip.compress(bytes, buffer),
            Codec::Libdeflate(libdeflate) => libdeflate.compress(bytes, buffer),
        }
    }
}

/// libdeflate, for all but noise.
struct Libdeflate(Compressor);

impl Libdeflate {
    fn new(level: u8) -> Self {
        let known = CompressionLvl::new(i32::from(level)).unwrap_or_default();
        Self(Compressor::new(known))
    }

    fn compress<'a>(&mut self, bytes: &[u8], buffer: &'a mut Vec<u8>) -> &'a [u8] {
        let noise: usize = bytes
            .chunks(SEGMENT)
            .take_while(|segment| is_noise(segment))
            .map(<[u8]>::len)
            .sum();
        let (stored, rest) = bytes.split_at(noise);
        let bound = self.0.deflate_compress_bound(rest.len());
        let most = 2 + noise + 5 * noise.div_ceil(SEGMENT) + bound + 4;
        buffers::sized(buffer, most);
        // Deflate with a window of 32 KiB, and check bits that make the pair a multiple of 31.
        let mut at = put(buffer, 0, &[0x78, 0x01]);
        for segment in stored.chunks(SEGMENT) {
            let len = u16::try_from(segment.len()).expect("a segment fits a block");
            let [a, b] = len.to_le_bytes();
            at = put(buffer, at, &[0, a, b, !a, !b]);
            at = put(buffer, at, segment);
        }
        at += self
            .0
            .deflate_compress(rest, &mut buffer[at..])
            .expect("the buffer is as long as it could have to be");
        let mut sum = Adler32::default();
        sum.update(bytes);
        at = put(buffer, at, &sum.sum().to_be_bytes());
        &buffer[..at]
    }
}

/// Puts bytes at a place, and gives the place behind them.
fn put(buffer: &mut [u8], at: usize, bytes: &[u8]) -> usize {
    let end = at + bytes.len();
    buffer[at..end].copy_from_slice(bytes);
    end
}

/// Whether there is nothing to be gained by compressing: all bytes are about as frequent, and nothing comes again.
fn is_noise(segment: &[u8]) -> bool {
    segment.len() >= SEGMENT / 8 && bits_per_byte(segment) >= NOISE_BITS && !repeats(segment)
}

/// The entropy of the bytes by themselves.
fn bits_per_byte(bytes: &[u8]) -> f64 {
    // Several tables, so that one count need not wait for the last.
    let mut counts = [[0_u32; 256]; 4];
    let (fours, rest) = bytes.as_chunks::<4>();
    for four in fours {
        for (table, &byte) in counts.iter_mut().zip(four) {
            table[usize::from(byte)] += 1;
        }
    }
    for &byte in rest {
        counts[0][usize::from(byte)] += 1;
    }
    let total = bytes.len() as f64;
    let share =
        |byte: usize| f64::from(counts.iter().map(|table| table[byte]).sum::<u32>()) / total;
    (0..256)
        .map(share)
        .filter(|&p| p > 0.0)
        .map(|p| -p * p.log2())
        .sum()
}

/// Whether stretches of the segment come again in it, going by a sample.
fn repeats(segment: &[u8]) -> bool {
    /// Places are remembered in steps of so many bytes; as many neighbours are looked up, so that none slips through.
    const STEP: usize = 8;
    /// One look-up every so many bytes.
    const SAMPLE: usize = 1024;
    const SLOTS: usize = 1 << 13;
    let word = |at: usize| {
        let bytes = segment.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let slot = |word: u32| (word.wrapping_mul(0x9E37_79B1) >> 19) as usize % SLOTS;
    // Places in steps, counted from 1.
    let mut seen = [0_u16; SLOTS];
    let (mut samples, mut hits) = (0, 0);
    for at in (0..segment.len()).step_by(STEP) {
        if at % SAMPLE == 0 && at > 0 {
            samples += 1;
            let known = |word: u32| {
                let place = usize::from(seen[slot(word)]);
                place > 0 && self::repeats_at(segment, (place - 1) * STEP, word)
            };
            hits += usize::from((at..at + STEP).filter_map(word).any(known));
        }
        if let Some(word) = word(at) {
            seen[slot(word)] = (at / STEP + 1) as u16;
        }
    }
    hits * 32 > samples
}

fn repeats_at(segment: &[u8], at: usize, word: u32) -> bool {
    segment[at..].starts_with(&word.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use libdeflater::Decompressor;

    fn by_libdeflate(level: u8) -> Deflater {
        Deflater {
            level,
            codec: Codec::Libdeflate(Libdeflate::new(level)),
        }
    }

    fn noise(len: usize) -> Vec<u8> {
        let mut state = 9_u64;
        let next = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        (0..len).map(next).collect()
    }

    fn text(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i / 7 % 50) as u8).collect()
    }

    /// Compresses, checks that it comes back, and gives the length of the stream.
    fn compressed(deflater: &mut Deflater, bytes: &[u8]) -> usize {
        let mut buffer = vec![1; 10];
        let stream = deflater.compress(bytes, &mut buffer).to_vec();
        let mut back = vec![0; bytes.len()];
        let got = Decompressor::new().zlib_decompress(&stream, &mut back);
        assert_eq!(got, Ok(bytes.len()));
        assert!(back == bytes);
        stream.len()
    }

    #[test]
    fn streams_give_their_bytes_back() {
        for mut deflater in [
            by_libdeflate(1),
            Deflater::new(1),
            Deflater::new(6),
            Deflater::new(9),
        ] {
            for noisy in [0, 1, 100, SEGMENT, SEGMENT + 1, 3 * SEGMENT - 1] {
                for plain in [0, 1, 100, SEGMENT, 100_000] {
                    let before = [noise(noisy), text(plain)].concat();
                    let after = [text(plain), noise(noisy)].concat();
                    compressed(&mut deflater, &before);
                    compressed(&mut deflater, &after);
                }
            }
        }
    }

    #[test]
    fn every_deflater_makes_the_same_stream_whatever_came_before() {
        // What begins with the third byte comes again: igzip has to find it, or not, whatever deflater has it.
        let mut deflaters: Vec<_> = (0..8).map(|_| Deflater::new(1)).collect();
        let (mut first, mut other) = (Vec::new(), Vec::new());
        for (i, deflater) in deflaters.iter_mut().enumerate() {
            compressed(deflater, &[text(1000 * i), noise(100 * i)].concat());
        }
        for start in noise(12_000).chunks(6) {
            let bytes = [&start[..2], &start[2..].repeat(150)].concat();
            let (one, rest) = deflaters.split_first_mut().unwrap();
            let first = one.compress(&bytes, &mut first);
            for deflater in rest {
                assert!(deflater.compress(&bytes, &mut other) == first);
            }
        }
    }

    #[test]
    fn noise_is_stored_and_the_rest_compressed() {
        let len = 4 * SEGMENT;
        let got = compressed(&mut by_libdeflate(1), &[noise(len), text(len)].concat());
        assert!((len..len + len / 20).contains(&got), "{got}");
    }

    #[test]
    fn what_is_even_but_repeats_is_no_noise() {
        assert!(is_noise(&noise(SEGMENT)));
        assert!(!is_noise(&text(SEGMENT)));
        assert!(!is_noise(&[]));
        // Every byte as often as any other, all of them in order; and noise that comes again, near or far.
        let ramp: Vec<u8> = (0..SEGMENT).map(|i| i as u8).collect();
        assert!(!is_noise(&ramp));
        for period in [777, 7200, 20_000] {
            let again: Vec<u8> = noise(period).into_iter().cycle().take(SEGMENT).collect();
            assert!(!is_noise(&again), "{period}");
            assert!(compressed(&mut by_libdeflate(1), &again) < SEGMENT / 2);
        }
        // A tenth of it comes again.
        let mut tenth = noise(SEGMENT);
        for at in (20_000..60_000).step_by(1_000) {
            tenth.copy_within(at - 15_000..at - 14_900, at);
        }
        assert!(is_noise(&tenth) || compressed(&mut by_libdeflate(1), &tenth) < SEGMENT);
    }
}
