//! Where an output goes: its folder, and the room on the disk, where the system tells it.

use std::path::Path;

use crate::amount::bytes;

/// What to say if an output may be larger than the room there is; `most` is its size before compression.
pub(crate) fn note(output: &Path, most: u64, deflate: u8) -> Option<String> {
    let free = free(output)?;
    if most <= free {
        return None;
    }
    let size = match deflate {
        0 => format!("takes {}", bytes(most)),
        _ => format!("may take up to {}", bytes(most)),
    };
    Some(format!(
        "{} {size}, but {} are free where it goes",
        output.display(),
        bytes(free)
    ))
}

/// The folder that a file is in, or will be.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Bytes that this user may write beside a path.
#[cfg(unix)]
fn free(output: &Path) -> Option<u64> {
    // A link that is there is written through.
    let place = output.canonicalize().unwrap_or_else(|_| output.to_owned());
    let told = rustix::fs::statvfs(folder(&place)).ok()?;
    // Some file systems do not tell.
    (told.f_blocks > 0).then(|| told.f_bavail.saturating_mul(told.f_frsize))
}

#[cfg(not(unix))]
fn free(_: &Path) -> Option<u64> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_what_does_not_fit_is_worth_a_note() {
        let folder = tempfile::TempDir::new().unwrap();
        let output = folder.path().join("out.nc");
        let free = free(&output).unwrap();
        assert_eq!(note(&output, free / 2, 1), None);
        let said = note(&output, u64::MAX, 1).unwrap();
        assert!(said.contains("out.nc may take up to 18 EB, but "), "{said}");
        let said = note(&output, u64::MAX, 0).unwrap();
        assert!(said.contains("out.nc takes 18 EB, but "), "{said}");
        // Of a folder that is not there nothing is known: that is another error's to say.
        assert_eq!(note(&output.join("no").join("o.nc"), u64::MAX, 1), None);
        assert!(super::free(Path::new("bare.nc")).is_some());
    }
}
