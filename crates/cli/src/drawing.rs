//! The picture of a graph, as a file: complete or not there.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use delayed::Graph;

use crate::Result;
use crate::failure::Failure;
use crate::interrupt::Interrupt;

/// Writes a graph as a drawing (`.svg`) or as DOT text.
pub(crate) fn draw(graph: &Graph, path: &Path, force: bool, interrupt: &Interrupt) -> Result<()> {
    let failed = |error: io::Error| {
        Failure::system(
            &format!("cannot write the graph {}", path.display()),
            &error,
        )
    };
    let exists = || {
        Failure::failed(format!("{} exists already", path.display())).hint("--force replaces it")
    };
    if !force && path.symlink_metadata().is_ok() {
        return Err(exists());
    }
    // Replacing a link replaces what it points to.
    let place: PathBuf = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if place.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    let folder = match place.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".regrid-graph.").suffix(".partial");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // What the user's umask makes of it, as for any file that a program writes.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let file = interrupt
        .making(|| builder.tempfile_in(folder))
        .map_err(failed)?;
    let mut text = io::BufWriter::new(file.as_file());
    let svg = path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("svg"));
    let drawn = if svg {
        write!(text, "{}", graph.svg())
    } else {
        write!(text, "{}", graph.dot())
    };
    drawn.and_then(|()| text.flush()).map_err(failed)?;
    drop(text);
    let named = if force {
        file.persist(&place)
    } else {
        file.persist_noclobber(&place)
    };
    match named {
        Ok(_) => Ok(()),
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Err(exists()),
        Err(e) => Err(failed(e.error)),
    }
}
