//! The built command, and the repository's data to give to it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// `regrid`, without arguments yet.
///
/// Without HDF5's locks: a test's file that is being written while another test starts a command is open in that command too, and
/// stays locked as long as it runs.
pub(crate) fn regrid() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_regrid"));
    command.env("HDF5_USE_FILE_LOCKING", "FALSE");
    command
}

#[allow(dead_code, reason = "some tests make their own files")]
/// A file of the repository: one made for tests, or one of the examples.
pub(crate) fn data(name: &str) -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = crates.join("../regrid/tests/data").join(name);
    if own.exists() {
        own
    } else {
        crates.join("../../examples/data").join(name)
    }
}
