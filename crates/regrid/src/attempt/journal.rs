//! The journal of an output in the making: where each finished chunk lies, so that a later attempt can take it over.
//!
//! It is only ever appended to, one record in one write, so that a process that is killed leaves whole records and perhaps
//! one torn at the end. Nothing of a record is believed: a chunk counts as finished if the bytes at its place have its
//! length and checksum. So it does not matter what HDF5 had still to write when it was killed, nor whether its file opens.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use libdeflater::Crc;

/// How a journal of any layout begins; the rest of the line is the layout's number.
const KIND: &[u8] = b"regrid journal ";
/// How one of this layout does. The first layout named chunks by when they were made.
const MAGIC: &[u8] = b"regrid journal 2\n";
/// Bytes of a record, without what it carries.
const RECORD: usize = 48;
/// Chunks of so few bytes are kept in the journal itself: HDF5 puts small pieces together where only it knows.
const SMALL: usize = 4096;
/// The place of a chunk that the journal carries.
const HERE: u64 = u64::MAX;

/// A finished chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    /// The attempt that wrote it.
    pub(crate) attempt: u32,
    /// Which field of the output.
    pub(crate) field: u32,
    /// Which of the field's chunks, by its number in the file: never by when a plan makes it, which the next plan may not.
    pub(crate) chunk: u64,
    /// Where it is in the attempt's file, or where else.
    places: [u64; 2],
    len: u64,
    crc: u32,
}

impl Record {
    fn bytes(&self) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        bytes[..4].copy_from_slice(&self.attempt.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.field.to_le_bytes());
        for (at, number) in [self.chunk, self.places[0], self.places[1], self.len]
            .into_iter()
            .enumerate()
        {
            bytes[8 + 8 * at..16 + 8 * at].copy_from_slice(&number.to_le_bytes());
        }
        bytes[40..44].copy_from_slice(&self.crc.to_le_bytes());
        let own = crc(&bytes[..44]);
        bytes[44..].copy_from_slice(&own.to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8; RECORD]) -> Option<Self> {
        let short = |at: usize| bytes[at..at + 4].try_into().map(u32::from_le_bytes).ok();
        let long = |at: usize| bytes[at..at + 8].try_into().map(u64::from_le_bytes).ok();
        if short(44)? != crc(&bytes[..44]) {
            return None;
        }
        Some(Self {
            attempt: short(0)?,
            field: short(4)?,
            chunk: long(8)?,
            places: [long(16)?, long(24)?],
            len: long(32)?,
            crc: short(40)?,
        })
    }

    /// The chunk's bytes, out of the journal or out of the file of its attempt; nothing unless they are what was written.
    pub(crate) fn chunk(&self, journal: &Path, file: &Path) -> Option<Vec<u8>> {
        let (path, places) = match self.places {
            [HERE, place] => (journal, [place, place]),
            places => (file, places),
        };
        let mut file = File::open(path).ok()?;
        let end = file.metadata().ok()?.len();
        let mut bytes = Vec::new();
        places.into_iter().find_map(|place| {
            if place.checked_add(self.len)? > end {
                return None;
            }
            bytes.resize(usize::try_from(self.len).ok()?, 0);
            file.seek(SeekFrom::Start(place)).ok()?;
            file.read_exact(&mut bytes).ok()?;
            (crc(&bytes) == self.crc).then(|| std::mem::take(&mut bytes))
        })
    }
}

pub(crate) fn crc(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// A journal that is written.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    /// Where the next record goes.
    end: u64,
}

/// What a journal that was found holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing that could be read.
    Nothing,
    /// Chunks of this request.
    Own(Vec<Record>),
    /// Chunks of another request.
    Others {
        /// What it was of.
        request: String,
    },
    /// What another version of this library wrote, in a layout that is not read here.
    OtherLayout,
}

impl Journal {
    /// A journal in a file that is open for reading and writing.
    pub(super) fn new(file: File) -> Self {
        Self { file, end: 0 }
    }

    /// Reads what an earlier attempt left; what is torn at the end is written over.
    pub(super) fn find(&mut self, request: &str) -> std::io::Result<Found> {
        let mut all = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut all)?;
        if is_of_other_layout(&all) {
            return Ok(Found::OtherLayout);
        }
        let Some((theirs, start)) = header(&all) else {
            return Ok(Found::Nothing);
        };
        if theirs != request {
            return Ok(Found::Others { request: theirs });
        }
        let mut records = Vec::new();
        let mut at = start;
        while let Some(bytes) = all.get(at..at + RECORD)
            && let Ok(bytes) = bytes.try_into()
            && let Some(record) = Record::read(bytes)
        {
            let carried = match record.places[0] {
                HERE => record.len as usize,
                _ => 0,
            };
            if all.len() < at + RECORD + carried {
                break;
            }
            at += RECORD + carried;
            records.push(record);
        }
        self.end = at as u64;
        self.file.set_len(self.end)?;
        Ok(Found::Own(records))
    }

    /// Begins it anew.
    pub(super) fn begin(&mut self, request: &str) -> std::io::Result<()> {
        let mut start = MAGIC.to_vec();
        start.extend((request.len() as u64).to_le_bytes());
        start.extend(request.as_bytes());
        start.extend(crc(request.as_bytes()).to_le_bytes());
        self.file.set_len(0)?;
        self.end = 0;
        self.append(&start)
    }

    /// Notes a chunk that was stored at one of two places.
    pub(super) fn note(
        &mut self,
        (attempt, field, chunk): (u32, u32, u64),
        places: [u64; 2],
        (bytes, crc): (&[u8], u32),
    ) -> std::io::Result<()> {
        let here = bytes.len() < SMALL;
        let record = Record {
            attempt,
            field,
            chunk,
            places: match here {
                true => [HERE, self.end + RECORD as u64],
                false => places,
            },
            len: bytes.len() as u64,
            crc,
        };
        let mut entry = record.bytes().to_vec();
        if here {
            entry.extend(bytes);
        }
        self.append(&entry)
    }

    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(bytes)?;
        self.end += bytes.len() as u64;
        Ok(())
    }
}

/// Whether this is a journal, but not one of this layout.
fn is_of_other_layout(all: &[u8]) -> bool {
    all.starts_with(KIND) && all.contains(&b'\n') && !all.starts_with(MAGIC)
}

/// The request that a journal is of, and where its records start.
fn header(all: &[u8]) -> Option<(String, usize)> {
    let rest = all.strip_prefix(MAGIC)?;
    let (len, rest) = rest.split_first_chunk::<8>()?;
    let len = usize::try_from(u64::from_le_bytes(*len)).ok()?;
    let (text, rest) = rest.split_at_checked(len)?;
    let sum = rest.first_chunk::<4>()?;
    (u32::from_le_bytes(*sum) == crc(text)).then_some(())?;
    let start = MAGIC.len() + 8 + len + 4;
    Some((String::from_utf8(text.to_vec()).ok()?, start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path) -> Journal {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .unwrap();
        Journal::new(file)
    }

    #[test]
    fn a_torn_journal_gives_what_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (path, file) = (folder.path().join("journal"), folder.path().join("part"));
        let large: Vec<u8> = (0..20_000_u32).map(|i| ((i * i) >> 3) as u8).collect();
        std::fs::write(&file, [&[0; 100][..], &large].concat()).unwrap();
        let mut journal = open(&path);
        assert_eq!(journal.find("a").unwrap(), Found::Nothing);
        journal.begin("a").unwrap();
        journal
            .note((1, 0, 0), [100, 7], (&large, crc(&large)))
            .unwrap();
        journal
            .note((1, 0, 1), [7, 100], (&large, crc(&large)))
            .unwrap();
        journal
            .note((1, 1, 5), [9, 9], (b"few", crc(b"few")))
            .unwrap();
        journal
            .note((1, 1, 6), [7, 8], (&large, crc(&large)))
            .unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let records = match open(&path).find("a").unwrap() {
                Found::Own(records) => records,
                Found::Nothing => Vec::new(),
                other => panic!("{other:?}"),
            };
            for (i, record) in records.iter().enumerate() {
                let chunk = record.chunk(&path, &file);
                match i {
                    0 | 1 => assert_eq!(chunk.as_ref(), Some(&large)),
                    2 => assert_eq!(chunk.as_deref(), Some(&b"few"[..])),
                    // It is not where it was said to be.
                    _ => assert_eq!(chunk, None),
                }
            }
            if cut == whole.len() {
                assert_eq!(records.len(), 4);
            }
        }
        let others = Found::Others {
            request: "a".into(),
        };
        assert_eq!(open(&path).find("b").unwrap(), others);
    }

    #[test]
    fn a_journal_of_another_layout_is_told_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        for layout in ["1", "10", "3 or so"] {
            let text = format!("regrid journal {layout}\nand what this may be");
            std::fs::write(&path, &text).unwrap();
            assert_eq!(open(&path).find("a").unwrap(), Found::OtherLayout);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        // Torn before it says so: it tells of nothing.
        std::fs::write(&path, "regrid journal 1").unwrap();
        assert_eq!(open(&path).find("a").unwrap(), Found::Nothing);
    }
}
