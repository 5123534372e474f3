//! Files: what they say about themselves, before a format library opens them.

mod classic;
mod header;
mod length;
mod superblock;

pub use header::LengthError;
pub use length::{FileKind, check_complete, expected_length};
