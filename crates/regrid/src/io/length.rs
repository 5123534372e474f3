//! What kind of file it is, and whether all of it is there.
//!
//! netCDF-C reads what a cut classic file lacks as zeros, without a word; HDF5 notices, but says "HDF error". So the length is
//! checked here, against what the file itself states, before a library opens it.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::Path;

use super::classic::{Place, Widths};
use super::header::{Header, LengthError};
use super::{classic, superblock};

/// The kind of a file by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// netCDF classic, CDF-1.
    Classic,
    /// netCDF with 64-bit offsets, CDF-2.
    Offset64,
    /// netCDF with 64-bit data, CDF-5.
    Cdf5,
    /// HDF5, of which netCDF-4 is a use.
    Hdf5,
    /// None of these.
    Unknown,
}

impl FileKind {
    /// Looks at the first bytes of a file, and for HDF5 behind a user block too.
    ///
    /// # Errors
    /// [`LengthError::Io`] if it cannot be read.
    pub fn of(path: impl AsRef<Path>) -> Result<Self, LengthError> {
        Self::of_header(&mut Header::open(path.as_ref())?)
    }

    /// The widths of a classic file's numbers; none for other files.
    fn classic(self) -> Option<Widths> {
        match self {
            Self::Classic => Some(Widths::CDF1),
            Self::Offset64 => Some(Widths::CDF2),
            Self::Cdf5 => Some(Widths::CDF5),
            Self::Hdf5 | Self::Unknown => None,
        }
    }

    /// Leaves the header just behind the magic bytes.
    fn of_header(header: &mut Header) -> Result<Self, LengthError> {
        if header.length() >= 4 {
            match &header.bytes()? {
                b"CDF\x01" => return Ok(Self::Classic),
                b"CDF\x02" => return Ok(Self::Offset64),
                b"CDF\x05" => return Ok(Self::Cdf5),
                _ => {}
            }
        }
        Ok(if superblock::find(header)? {
            Self::Hdf5
        } else {
            Self::Unknown
        })
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Classic => "netCDF classic",
            Self::Offset64 => "netCDF 64-bit offset",
            Self::Cdf5 => "netCDF 64-bit data",
            Self::Hdf5 => "netCDF-4 (HDF5)",
            Self::Unknown => "unknown",
        })
    }
}

/// The kind of a file, and the least length in bytes that its header implies; none where the header does not tell.
///
/// # Errors
/// [`LengthError::Io`] if it cannot be read, [`LengthError::Truncated`] if not even the header is whole,
/// [`LengthError::Malformed`] if the header makes no sense.
pub fn expected_length(path: impl AsRef<Path>) -> Result<(FileKind, Option<u64>), LengthError> {
    length_of(&mut Header::open(path.as_ref())?)
}

/// The kind of a file that is not shorter than its header implies.
///
/// A file of unknown kind passes: it is for the format library to refuse.
///
/// # Errors
/// [`LengthError::Truncated`] with both lengths if it is shorter; else as [`expected_length`].
pub fn check_complete(path: impl AsRef<Path>) -> Result<FileKind, LengthError> {
    // A pipe would be waited for.
    if fs::metadata(&path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir()) {
        return Ok(FileKind::Unknown);
    }
    let mut header = Header::open(path.as_ref())?;
    let (kind, expected) = length_of(&mut header)?;
    header.require(expected.unwrap_or(0))?;
    Ok(kind)
}

/// Where the variables of a classic file lie, by name; none for a file of another kind.
///
/// # Errors
/// As [`expected_length`].
pub(super) fn places(path: &Path) -> Result<Option<HashMap<Vec<u8>, Place>>, LengthError> {
    let mut header = Header::open(path)?;
    let widths = FileKind::of_header(&mut header)?.classic();
    widths
        .map(|widths| classic::places(&mut header, widths))
        .transpose()
}

fn length_of(header: &mut Header) -> Result<(FileKind, Option<u64>), LengthError> {
    let kind = FileKind::of_header(header)?;
    let expected = match (kind.classic(), kind) {
        (Some(widths), _) => Some(classic::least_length(header, widths)?),
        (None, FileKind::Hdf5) => superblock::least_length(header)?,
        (None, _) => None,
    };
    Ok((kind, expected))
}

#[cfg(test)]
mod tests {
    use super::*;
    use netcdf::Options;
    use std::fs::OpenOptions;
    use std::path::PathBuf;
    use tempfile::TempDir;

    const KINDS: [(FileKind, Options); 4] = [
        (FileKind::Classic, Options::empty()),
        (FileKind::Offset64, Options::_64BIT_OFFSET),
        (FileKind::Cdf5, Options::_64BIT_DATA),
        (FileKind::Hdf5, Options::NETCDF4),
    ];

    /// A file with fixed variables and, for each of `records`, a record variable of that many bytes a step.
    fn file(folder: &TempDir, options: &Options, records: &[usize]) -> PathBuf {
        let path = folder
            .path()
            .join(format!("{}-{}.nc", options.bits(), records.len()));
        let mut file =
            netcdf::create_with(&path, Options::from_bits_retain(options.bits())).unwrap();
        file.add_attribute("title", "odd").unwrap();
        file.add_unlimited_dimension("time").unwrap();
        file.add_dimension("lat", 5).unwrap();
        file.add_variable::<f64>("lat", &["lat"]).unwrap();
        for (index, &bytes) in records.iter().enumerate() {
            let dimension = format!("bytes{index}");
            file.add_dimension(&dimension, bytes).unwrap();
            let mut record = file
                .add_variable::<i8>(&format!("record{index}"), &["time", &dimension])
                .unwrap();
            record.put_attribute("units", "1").unwrap();
        }
        // Last in the header; in the file before the records.
        file.add_variable::<i8>("flags", &["lat"]).unwrap();
        file.enddef().unwrap();
        file.variable_mut("lat")
            .unwrap()
            .put_values(&[0.5; 5], ..)
            .unwrap();
        file.variable_mut("flags")
            .unwrap()
            .put_values(&[1_i8; 5], ..)
            .unwrap();
        for (index, &bytes) in records.iter().enumerate() {
            let mut record = file.variable_mut(&format!("record{index}")).unwrap();
            for step in 0..3 {
                record.put_values(&vec![7_i8; bytes], (step, ..)).unwrap();
            }
        }
        file.close().unwrap();
        path
    }

    #[test]
    fn whole_files_are_as_long_as_expected() {
        let folder = TempDir::new().unwrap();
        for (kind, options) in KINDS {
            for records in [&[][..], &[4], &[5], &[7, 3], &[1, 2, 6]] {
                let path = file(&folder, &options, records);
                let got = std::fs::metadata(&path).unwrap().len();
                let (found, expected) = expected_length(&path).unwrap();
                let expected = expected.unwrap();
                assert_eq!(found, kind);
                assert!(
                    (expected..expected + 4).contains(&got),
                    "{kind} {records:?}: {got} bytes, expected {expected}"
                );
                assert_eq!(check_complete(&path).unwrap(), kind);
            }
        }
    }

    #[test]
    fn every_cut_is_noticed() {
        let folder = TempDir::new().unwrap();
        for (kind, options) in KINDS {
            let path = file(&folder, &options, &[7, 3]);
            let expected = expected_length(&path).unwrap().1.unwrap();
            let cut = OpenOptions::new().write(true).open(&path).unwrap();
            for length in (8..expected).rev() {
                cut.set_len(length).unwrap();
                match check_complete(&path) {
                    Err(LengthError::Truncated {
                        got,
                        expected: least,
                        ..
                    }) => {
                        assert_eq!(got, length);
                        assert!(
                            length < least && least <= expected,
                            "{kind} cut at {length}: {least}"
                        );
                    }
                    other => panic!("{kind} cut at {length}: {other:?}"),
                }
            }
        }
    }

    #[test]
    fn both_lengths_are_told() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("cut.nc");
        std::fs::write(&path, b"CDF\x01\0\0").unwrap();
        let error = check_complete(&path).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "{} is cut short: it has 6 bytes, expected at least 8",
                path.display()
            )
        );
    }

    #[test]
    fn other_files_are_not_our_business() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("other");
        for bytes in [
            &b""[..],
            b"CD",
            b"CDF\x03aaaaaaaa",
            b"GRIB\0\0\0\x02",
            &[0; 5000],
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(check_complete(&path).unwrap(), FileKind::Unknown);
            assert_eq!(expected_length(&path).unwrap().1, None);
        }
        assert!(matches!(
            FileKind::of(folder.path().join("none")),
            Err(LengthError::Io { .. })
        ));
    }
}
