//! Pictures of graphs and profiles of runs, as files: complete or not there.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use delayed::{Graph, Profile};

use crate::Result;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::room::folder;

/// What there is to be shown.
#[derive(Debug)]
pub(crate) enum Drawn<'a> {
    /// A graph, as a drawing (`.svg`) or as DOT text.
    Graph(&'a Graph),
    /// What a run did, as a page or else as a trace.
    Profile(&'a Profile, bool),
}

/// The refusal to replace a file.
pub(crate) fn exists(path: &Path) -> Failure {
    Failure::failed(format!("{} exists already", path.display())).hint("--force replaces it")
}

/// Writes a file that shows something.
pub(crate) fn draw(
    shown: &Drawn<'_>,
    path: &Path,
    force: bool,
    interrupt: &Interrupt,
) -> Result<()> {
    let what = match shown {
        Drawn::Graph(_) => "graph",
        Drawn::Profile(..) => "profile",
    };
    let failed = |error: io::Error| {
        Failure::system(
            &format!("cannot write the {what} {}", path.display()),
            &error,
        )
    };
    if !force && path.symlink_metadata().is_ok() {
        return Err(exists(path));
    }
    // Replacing a link replaces what it points to.
    let place: PathBuf = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if place.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    let prefix = format!(".regrid-{what}.");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".partial");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // What the user's umask makes of it, as for any file that a program writes.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let file = interrupt
        .making(|| builder.tempfile_in(folder(&place)))
        .map_err(failed)?;
    match shown {
        Drawn::Graph(graph) => {
            let svg = path
                .extension()
                .is_some_and(|ending| ending.eq_ignore_ascii_case("svg"));
            let mut text = io::BufWriter::new(file.as_file());
            let drawn = match svg {
                true => write!(text, "{}", graph.svg()),
                false => write!(text, "{}", graph.dot()),
            };
            drawn.and_then(|()| text.flush()).map_err(failed)?;
        }
        Drawn::Profile(profile, page) => {
            let written = match page {
                true => profile.write_html(file.path()),
                false => profile.write_trace(file.path()),
            };
            written.map_err(|error| {
                Failure::failed(format!(
                    "cannot write the {what} {}: {error}",
                    path.display()
                ))
            })?;
        }
    }
    let named = interrupt.naming(file, |file| match force {
        true => file.persist(&place),
        false => file.persist_noclobber(&place),
    });
    match named {
        Ok(_) => Ok(()),
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Err(exists(path)),
        Err(e) => Err(failed(e.error)),
    }
}
