//! Numbers from the head of a file that may be cut short, damaged or hostile.
//!
//! Nothing here trusts a length: reading or skipping past the end is an error before it is attempted, and no more
//! memory is asked for than the file is long.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A file whose length does not agree with its header, or whose header makes no sense.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LengthError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file ends before its contents do: an interrupted copy or download, or a full disk.
    #[error("{} is cut short: it has {got} bytes, expected at least {expected}", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        got: u64,
        /// The least length in bytes that its header implies.
        expected: u64,
    },
    /// The header breaks the rules of its format.
    #[error("the header of {} is damaged: {what} at byte {offset}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
        /// Where the header was being read.
        offset: u64,
    },
}

/// A file read from its start, never past its end.
#[derive(Debug)]
pub(super) struct Header {
    path: PathBuf,
    reader: BufReader<File>,
    position: u64,
    length: u64,
}

impl Header {
    pub(super) fn open(path: &Path) -> Result<Self, LengthError> {
        let failed = |source| LengthError::Io {
            path: path.into(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        Ok(Self {
            path: path.into(),
            reader: BufReader::new(file),
            position: 0,
            length,
        })
    }

    /// The whole file's length in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Where the next byte comes from.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Goes to a place within the file.
    pub(super) fn seek(&mut self, position: u64) -> Result<(), LengthError> {
        self.require(position)?;
        self.reader
            .seek(SeekFrom::Start(position))
            .map_err(|source| self.io(source))?;
        self.position = position;
        Ok(())
    }

    /// Passes over bytes that must be there.
    pub(super) fn skip(&mut self, bytes: u64) -> Result<(), LengthError> {
        let end = self.position.saturating_add(bytes);
        self.require(end)?;
        // Within a file that a system can hold, the distance fits.
        self.reader
            .seek_relative(bytes as i64)
            .map_err(|source| self.io(source))?;
        self.position = end;
        Ok(())
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], LengthError> {
        let end = self.position.saturating_add(N as u64);
        self.require(end)?;
        let mut bytes = [0; N];
        self.reader
            .read_exact(&mut bytes)
            .map_err(|source| self.io(source))?;
        self.position = end;
        Ok(bytes)
    }

    /// So many bytes; none are asked for that the file does not have.
    pub(super) fn text(&mut self, bytes: u64) -> Result<Vec<u8>, LengthError> {
        let end = self.position.saturating_add(bytes);
        self.require(end)?;
        let mut text = vec![0; usize::try_from(bytes).unwrap_or(0)];
        self.reader
            .read_exact(&mut text)
            .map_err(|source| self.io(source))?;
        self.position = end;
        Ok(text)
    }

    /// Fails unless the file has this many bytes.
    pub(super) fn require(&self, expected: u64) -> Result<(), LengthError> {
        if expected <= self.length {
            return Ok(());
        }
        Err(LengthError::Truncated {
            path: self.path.clone(),
            got: self.length,
            expected,
        })
    }

    pub(super) fn malformed(&self, what: &'static str) -> LengthError {
        LengthError::Malformed {
            path: self.path.clone(),
            what,
            offset: self.position,
        }
    }

    fn io(&self, source: io::Error) -> LengthError {
        LengthError::Io {
            path: self.path.clone(),
            source,
        }
    }
}
