//! What the benchmarks share: made fields in memory, plain loops as rivals, how answers are compared, a stopwatch. The benchmarks stand beside this
//! crate's manifest, one file a question.

pub mod answers;
pub mod hollow;
pub mod igzip;
pub mod memory;
pub mod plain;
pub mod stopwatch;
