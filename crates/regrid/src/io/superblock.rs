//! How long an HDF5 file must be, by its superblock.
//!
//! # Source
//! HDF5 File Format Specification 3.0, section II.A; the shift for a user block as in the library's `H5F__super_read`.

use super::header::{Header, LengthError};

/// What an HDF5 file begins with, behind a user block if it has one.
pub(super) const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// Looks for the signature at bytes 0, 512, 1024, 2048 and so on, and leaves the header behind it.
pub(super) fn find(header: &mut Header) -> Result<bool, LengthError> {
    let mut position = 0;
    while header.length().saturating_sub(position) >= SIGNATURE.len() as u64 {
        header.seek(position)?;
        if header.bytes()? == SIGNATURE {
            return Ok(true);
        }
        position = if position == 0 { 512 } else { position * 2 };
    }
    Ok(false)
}

/// The stored end of the file in bytes from its start, where the superblock tells; it is read from behind the signature.
///
/// # Errors
/// [`LengthError::Truncated`] if the superblock is not whole, [`LengthError::Malformed`] if it is of an unknown version.
pub(super) fn least_length(header: &mut Header) -> Result<Option<u64>, LengthError> {
    let start = header.position() - SIGNATURE.len() as u64;
    let [version] = header.bytes()?;
    // Both kinds have the size of addresses early and the base address at a fixed place.
    let (before_width, base_at) = match version {
        0 => (4, 24),
        1 => (4, 28),
        2 | 3 => (0, 12),
        _ => return Err(header.malformed("an unknown version of the superblock")),
    };
    header.skip(before_width)?;
    let [width] = header.bytes()?;
    header.seek(start + base_at)?;
    let base = address(header, width)?;
    // Between them: free space (versions 0 and 1) or the superblock's extension.
    address(header, width)?;
    let (Some(base), Some(end)) = (base, address(header, width)?) else {
        return Ok(None);
    };
    // The end counts from where the file began when it was written; a user block put before it later moves both.
    match end
        .checked_sub(base)
        .and_then(|length| length.checked_add(start))
    {
        Some(end) => Ok(Some(end)),
        None => Err(header.malformed("an end before the beginning")),
    }
}

/// A little-endian address of so many bytes; none where it is undefined.
fn address(header: &mut Header, width: u8) -> Result<Option<u64>, LengthError> {
    let (value, undefined) = match width {
        2 => (u16::from_le_bytes(header.bytes()?).into(), u16::MAX.into()),
        4 => (u32::from_le_bytes(header.bytes()?).into(), u32::MAX.into()),
        8 => (u64::from_le_bytes(header.bytes()?), u64::MAX),
        _ => return Err(header.malformed("addresses of an unknown size")),
    };
    Ok((value != undefined).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::SIGNATURE;
    use crate::io::{FileKind, LengthError, check_complete, expected_length};
    use tempfile::TempDir;

    /// A superblock of a version with addresses of 8 bytes.
    fn superblock(version: u8, base: u64, end: u64) -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        let (head, width_at): (&mut [u8], _) = match version {
            0 => (&mut [0; 16], 5),
            1 => (&mut [0; 20], 5),
            _ => (&mut [0; 4], 1),
        };
        head[0] = version;
        head[width_at] = 8;
        bytes.extend_from_slice(head);
        for address in [base, u64::MAX, end, 96] {
            bytes.extend(address.to_le_bytes());
        }
        bytes
    }

    fn check(bytes: &[u8], length: usize) -> Result<FileKind, LengthError> {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("h5");
        let mut bytes = bytes.to_vec();
        bytes.resize(length, 0);
        std::fs::write(&path, bytes).unwrap();
        check_complete(path)
    }

    #[test]
    fn the_stored_end_is_compared_in_every_version() {
        for version in 0..=3 {
            let bytes = superblock(version, 0, 2000);
            assert_eq!(check(&bytes, 2000).unwrap(), FileKind::Hdf5);
            assert_eq!(check(&bytes, 2500).unwrap(), FileKind::Hdf5);
            assert!(matches!(
                check(&bytes, 1999),
                Err(LengthError::Truncated {
                    got: 1999,
                    expected: 2000,
                    ..
                })
            ));
            assert!(matches!(
                check(&bytes, 30),
                Err(LengthError::Truncated { got: 30, .. })
            ));
        }
    }

    #[test]
    fn a_user_block_counts() {
        for (base, end) in [(1024, 3024), (0, 2000)] {
            let mut bytes = vec![b'u'; 1024];
            bytes.extend(superblock(2, base, end));
            assert_eq!(check(&bytes, 3024).unwrap(), FileKind::Hdf5);
            assert!(matches!(
                check(&bytes, 3023),
                Err(LengthError::Truncated { expected: 3024, .. })
            ));
        }
    }

    #[test]
    fn an_undefined_end_is_not_compared() {
        assert_eq!(
            check(&superblock(0, 0, u64::MAX), 100).unwrap(),
            FileKind::Hdf5
        );
    }

    #[test]
    fn broken_rules_are_errors() {
        let malformed =
            |bytes: &[u8]| matches!(check(bytes, 2000), Err(LengthError::Malformed { .. }));
        assert!(malformed(&superblock(4, 0, 2000)));
        assert!(malformed(&superblock(0, 1000, 500)));
        let mut odd = superblock(2, 0, 2000);
        odd[9] = 3;
        assert!(malformed(&odd));
    }

    #[test]
    fn real_files_are_known_by_their_signature() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("real.nc");
        netcdf::create(&path).unwrap().close().unwrap();
        let (kind, expected) = expected_length(&path).unwrap();
        assert_eq!(
            (kind, expected),
            (
                FileKind::Hdf5,
                Some(std::fs::metadata(&path).unwrap().len())
            )
        );
    }
}
