//! The examples stand beside this crate's manifest, one file a question. This library holds what they share, and runs the
//! Rust snippets of the guide and of the front page as documentation tests.

use std::path::PathBuf;
use std::{env, fs, io};

/// The Rust snippets of `README.md`.
#[cfg(doctest)]
#[doc = include_str!(concat!(env!("OUT_DIR"), "/README.md"))]
pub mod readme {}

/// The Rust snippets of `docs/guide.md`.
#[cfg(doctest)]
#[doc = include_str!(concat!(env!("OUT_DIR"), "/guide.md"))]
pub mod guide {}

/// The Rust snippets of `docs/graphs.md`.
#[cfg(doctest)]
#[doc = include_str!(concat!(env!("OUT_DIR"), "/graphs.md"))]
pub mod graphs {}

/// The Rust snippets of `docs/from-dask.md`.
#[cfg(doctest)]
#[doc = include_str!(concat!(env!("OUT_DIR"), "/from-dask.md"))]
pub mod from_dask {}

/// A folder for an example's output among what cargo builds; made if it is not there.
///
/// # Errors
/// What the file system says.
pub fn output_folder(example: &str) -> io::Result<PathBuf> {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let folder = target.join(example);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
