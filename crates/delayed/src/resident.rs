//! The memory that this process has, where the system tells it.

/// Bytes that this process has in memory: now, and at the most so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resident {
    /// What there is now.
    pub now: u64,
    /// The most that there was.
    pub most: u64,
}

impl Resident {
    /// What Linux tells of this process; nothing elsewhere.
    pub fn of_process() -> Option<Self> {
        Self::read(&std::fs::read_to_string("/proc/self/status").ok()?)
    }

    fn read(status: &str) -> Option<Self> {
        let field = |name: &str| -> Option<u64> {
            let mut words = status
                .lines()
                .find_map(|l| l.strip_prefix(name))?
                .split_whitespace();
            Some(words.next()?.parse::<u64>().ok()? * 1024)
        };
        Some(Self {
            now: field("VmRSS:")?,
            most: field("VmHWM:")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_and_the_present_are_told_apart() {
        let status = "Name:\tregrid\nVmPeak:\t  9000 kB\nVmHWM:\t    12 kB\nVmRSS:\t     7 kB\nThreads:\t2\n";
        let read = Resident::read(status);
        assert_eq!(
            read,
            Some(Resident {
                now: 7 * 1024,
                most: 12 * 1024
            })
        );
        assert_eq!(Resident::read("Name:\tregrid\n"), None);
    }
}
