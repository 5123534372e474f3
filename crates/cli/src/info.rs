//! `regrid info`: what is in files, and what of it can be regridded.

use std::path::PathBuf;

use crate::Result;

/// Prints what is in the files.
pub(crate) fn print(files: &[PathBuf]) -> Result<()> {
    let _ = files;
    Ok(())
}
