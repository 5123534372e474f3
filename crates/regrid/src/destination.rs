//! The place of a file that is being made: it appears complete, under its name, or not at all.

use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use tempfile::{Builder, TempPath};

use crate::error::Error;

/// A file under a temporary name beside its place.
#[derive(Debug)]
pub(crate) struct Destination {
    path: PathBuf,
    overwrite: bool,
    temporary: Mutex<Option<TempPath>>,
    temporary_path: PathBuf,
}

impl Destination {
    /// Takes a place for a file; nothing that is there is touched yet.
    ///
    /// # Errors
    /// [`Error::OutputExists`] if there is something that is not to be replaced, [`Error::File`] if no file can be made there.
    pub(crate) fn new(path: &Path, overwrite: bool) -> Result<Self, Error> {
        if !overwrite && path.symlink_metadata().is_ok() {
            return Err(Error::OutputExists {
                path: path.to_owned(),
            });
        }
        let fault = |source| Error::File {
            action: "write",
            path: path.to_owned(),
            source,
        };
        // A device or a pipe would be replaced by a file of its name.
        let other = path.metadata().is_ok_and(|meta| !meta.is_file());
        if other || path.file_name().is_none() {
            return Err(fault(std::io::Error::other("it is not a file")));
        }
        // Replacing a link replaces what it points to.
        let place = if overwrite {
            path.canonicalize().unwrap_or_else(|_| path.to_owned())
        } else {
            path.to_owned()
        };
        let folder = match place.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let mut builder = Builder::new();
        let prefix = format!(".{name}.");
        builder.prefix(&prefix).suffix(".partial");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // What the user's umask makes of it, as for any file that a program writes.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let temporary = builder.tempfile_in(folder).map_err(fault)?.into_temp_path();
        Ok(Self {
            path: place,
            overwrite,
            temporary_path: temporary.to_path_buf(),
            temporary: Mutex::new(Some(temporary)),
        })
    }

    /// Where the file is until it is complete.
    pub(crate) fn temporary_path(&self) -> &Path {
        &self.temporary_path
    }

    /// Gives the complete file its name.
    pub(crate) fn appear(&self) -> Result<(), Error> {
        let Some(temporary) = self.temporary.lock().take() else {
            return Ok(());
        };
        let done = if self.overwrite {
            temporary.persist(&self.path)
        } else {
            temporary.persist_noclobber(&self.path)
        };
        done.map_err(|fault| match fault.error.kind() {
            std::io::ErrorKind::AlreadyExists => Error::OutputExists {
                path: self.path.clone(),
            },
            _ => Error::File {
                action: "rename the finished output to",
                path: self.path.clone(),
                source: fault.error,
            },
        })
    }
}
