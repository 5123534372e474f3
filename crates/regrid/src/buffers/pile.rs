//! Which of the buffers that nobody uses serves whom: by their sizes alone.

use std::mem;

/// Bytes of one buffer below which the allocator does as well.
pub(super) const SMALL: usize = 64 << 10;

/// Bytes of an array from which on it fills large pages, nearly: on most machines these have 2 MiB.
pub(super) const LARGE: usize = 7 << 18;

/// What has room for so many bytes.
pub(super) trait Room {
    fn room(&self) -> usize;
}

impl<T> Room for Vec<T> {
    fn room(&self) -> usize {
        self.capacity() * size_of::<T>()
    }
}

/// Buffers of one type, the last one given the last.
#[derive(Debug)]
pub(super) struct Pile<B>(Vec<B>);

impl<B> Pile<B> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn put(&mut self, buffer: B) {
        self.0.push(buffer);
    }

    /// The oldest, which is the least likely to be still warm.
    pub(super) fn oldest(&mut self) -> Option<B> {
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }

    pub(super) fn all(&mut self) -> Vec<B> {
        mem::take(&mut self.0)
    }
}

impl<B: Room> Pile<B> {
    /// The smallest with room for so many bytes, unless it is much too large; of equals the one that was given last, which is the
    /// warmest.
    pub(super) fn fitting(&mut self, bytes: usize) -> Option<B> {
        let fits = |buffer: &B| (bytes..=2 * bytes).contains(&buffer.room());
        let numbered = self.0.iter().enumerate().rev();
        let (at, _) = numbered
            .filter(|(_, buffer)| fits(buffer))
            .min_by_key(|(_, buffer)| buffer.room())?;
        Some(self.0.remove(at))
    }

    /// The largest that is too small for so many bytes by less than half: who comes to need more will not take it again.
    pub(super) fn outgrown(&mut self, bytes: usize) -> Option<B> {
        let outgrown = |buffer: &B| (bytes / 2..bytes).contains(&buffer.room());
        let numbered = self.0.iter().enumerate();
        let (at, _) = numbered
            .filter(|(_, buffer)| outgrown(buffer))
            .max_by_key(|(_, buffer)| buffer.room())?;
        Some(self.0.swap_remove(at))
    }

    #[cfg(test)]
    pub(super) fn rooms(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().map(Room::room)
    }
}

/// Room for that many bytes and a few more: there are few sizes, so that a buffer serves others that need about as many.
pub(super) fn ample(bytes: usize) -> usize {
    match bytes {
        ..SMALL => bytes,
        _ => bytes.next_multiple_of(bytes.next_power_of_two() / 16),
    }
}
