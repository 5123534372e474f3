//! What some tasks of a run have in common, and what they came to.

use std::time::Duration;

use crate::{counts::Counts, traffic::Traffic};

/// The share of some tasks in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Share {
    /// What they have in common.
    pub name: String,
    /// How many they are.
    pub tasks: usize,
    /// The time of all together.
    pub time: Duration,
    /// Bytes of their values, by what they were said to make.
    pub bytes: u64,
    /// Bytes that they counted as read and written.
    pub traffic: Traffic,
    /// What else they counted.
    pub counts: Counts,
}

impl Share {
    pub(super) fn of(name: String) -> Self {
        Share {
            name,
            tasks: 0,
            time: Duration::ZERO,
            bytes: 0,
            traffic: Traffic::default(),
            counts: Counts::default(),
        }
    }
}
