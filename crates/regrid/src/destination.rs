//! The place of a file that is being made: it appears complete, under its name, or not at all.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use tempfile::{Builder, TempPath};

use crate::error::Error;

/// A place for a file.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    overwrite: bool,
}

impl Place {
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
        // A device or a pipe would be replaced by a file of its name.
        let other = path.metadata().is_ok_and(|meta| !meta.is_file());
        let name = path.as_os_str().as_encoded_bytes();
        let folder = name.ends_with(b"/") || name.ends_with(b"/.") || path.file_name().is_none();
        if other || folder {
            return Err(Error::File {
                action: "write",
                path: path.to_owned(),
                source: std::io::Error::other("it is not a file"),
            });
        }
        // Replacing a link replaces what it points to.
        let path = if overwrite {
            path.canonicalize().unwrap_or_else(|_| path.to_owned())
        } else {
            path.to_owned()
        };
        Ok(Self { path, overwrite })
    }

    /// Where it is to appear.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that it is in.
    pub(crate) fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// A hidden file beside it, by what its name ends in.
    pub(crate) fn beside(&self, ending: &str) -> PathBuf {
        let mut name = OsString::from(".");
        name.push(self.path.file_name().unwrap_or_default());
        name.push(".");
        name.push(ending);
        self.folder().join(name)
    }

    /// Gives a complete file the name; if that fails the file goes, or stays where it is to be kept.
    pub(crate) fn give(&self, file: TempPath, keep: bool) -> Result<(), Error> {
        let done = if self.overwrite {
            file.persist(&self.path)
        } else {
            file.persist_noclobber(&self.path)
        };
        done.map_err(|fault| {
            if keep {
                // It does not fail where files are only renamed and removed.
                let _ = fault.path.keep();
            }
            match fault.error.kind() {
                std::io::ErrorKind::AlreadyExists => Error::OutputExists {
                    path: self.path.clone(),
                },
                _ => Error::File {
                    action: "rename the finished output to",
                    path: self.path.clone(),
                    source: fault.error,
                },
            }
        })
    }
}

/// A file under a temporary name beside its place.
#[derive(Debug)]
pub(crate) struct Destination {
    place: Place,
    temporary: Mutex<Option<TempPath>>,
    temporary_path: PathBuf,
}

impl Destination {
    /// Takes a place for a file; nothing that is there is touched yet.
    ///
    /// # Errors
    /// As [`Place::new`].
    pub(crate) fn new(path: &Path, overwrite: bool) -> Result<Self, Error> {
        let place = Place::new(path, overwrite)?;
        let name = place.path.file_name().unwrap_or_default().to_string_lossy();
        let mut builder = Builder::new();
        let prefix = format!(".{name}.");
        builder.prefix(&prefix).suffix(".partial");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // What the user's umask makes of it, as for any file that a program writes.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let made = builder.tempfile_in(place.folder());
        let temporary = made
            .map_err(|source| Error::File {
                action: "write",
                path: path.to_owned(),
                source,
            })?
            .into_temp_path();
        Ok(Self {
            place,
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
        match self.temporary.lock().take() {
            Some(temporary) => self.place.give(temporary, false),
            None => Ok(()),
        }
    }
}
