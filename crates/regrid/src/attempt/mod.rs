//! An output in the making, and what earlier attempts left of it.
//!
//! Beside `OUT.nc` stand `.OUT.nc.part1`, the file that is written, and `.OUT.nc.journal`, which says where its finished
//! chunks lie. Both go when `OUT.nc` appears, or when writing fails. A process that is killed leaves them behind: the next
//! one removes them, or, if it is to resume, writes `.OUT.nc.part2` and takes over what is finished. The journal is locked
//! as long as somebody writes.

mod journal;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use tempfile::TempPath;

use crate::destination::Place;
use crate::error::Error;
use journal::{Found, Journal};
pub(crate) use journal::{Record, crc};

/// An output that is being written.
#[derive(Debug)]
pub(crate) struct Attempt {
    place: Place,
    journal: Mutex<Journal>,
    journal_path: PathBuf,
    number: u32,
    /// The files of attempts before it.
    earlier: Vec<PathBuf>,
    /// Whether a later attempt is to find what this one leaves.
    keep: bool,
    /// What earlier attempts finished.
    pub(crate) finished: Vec<Record>,
    done: Mutex<bool>,
}

impl Attempt {
    /// Takes the place of an output; `request` is what it is made of, in words that no other request has.
    ///
    /// # Errors
    /// Those of [`Place::new`]; [`Error::OutputBusy`] if somebody writes it; [`Error::OtherLeftovers`] if there is
    /// something to resume, of another request.
    pub(crate) fn new(
        path: &Path,
        overwrite: bool,
        resume: bool,
        request: &str,
    ) -> Result<Self, Error> {
        let place = Place::new(path, overwrite)?;
        let journal_path = place.beside("journal");
        let fault = |source| Error::File {
            action: "write",
            path: path.to_owned(),
            source,
        };
        let file = locked(&journal_path, path)?;
        let mut journal = Journal::new(file);
        let mut finished = Vec::new();
        // As long as the journal is locked nobody else makes or removes any.
        let mut left = parts(&place);
        let found = match resume {
            true => journal.find(request).map_err(fault)?,
            false => Found::Nothing,
        };
        let others = |difference| Error::OtherLeftovers {
            path: path.to_owned(),
            journal: journal_path.clone(),
            difference,
        };
        match found {
            Found::Own(records) => finished = records,
            Found::Others { request: theirs } => {
                return Err(others(difference(&theirs, request)));
            }
            Found::OtherLayout => {
                return Err(others(": another version of this program wrote it".into()));
            }
            Found::Nothing => {
                if let Err(error) = journal.begin(request) {
                    // Nothing is in it.
                    let _ = fs::remove_file(&journal_path);
                    return Err(fault(error));
                }
                left.retain(|(_, part)| fs::remove_file(part).is_err());
            }
        }
        let last = left.iter().map(|(number, _)| *number).max();
        let last = last.max(finished.iter().map(|record| record.attempt).max());
        let attempt = Self {
            place,
            journal: Mutex::new(journal),
            journal_path,
            number: last.unwrap_or(0).saturating_add(1),
            earlier: left.into_iter().map(|(_, part)| part).collect(),
            keep: resume,
            finished,
            done: Mutex::new(false),
        };
        File::create_new(attempt.part()).map_err(fault)?;
        Ok(attempt)
    }

    /// Whether an output of so many chunks is there because an earlier attempt at the same request has given it its name; then what
    /// that attempt was stopped from removing goes.
    ///
    /// # Errors
    /// Those of [`Place::new`] for a file that is there; [`Error::OutputBusy`], [`Error::File`].
    pub(crate) fn was_completed(path: &Path, request: &str, chunks: usize) -> Result<bool, Error> {
        let place = Place::new(path, true)?;
        let journal_path = place.beside("journal");
        if !path.exists() || !journal_path.exists() {
            return Ok(false);
        }
        let mut journal = Journal::new(locked(&journal_path, path)?);
        let found = journal.find(request).map_err(|source| Error::File {
            action: "write",
            path: path.to_owned(),
            source,
        })?;
        let records = match found {
            Found::Own(records) => records,
            _ => Vec::new(),
        };
        let last = records.iter().map(|record| record.attempt).max();
        // What the last one wrote is where it was unless it has got the name; where that cannot be had in one step, it has both for a
        // moment, with all chunks.
        let part = last.map(|last| place.beside(&format!("part{last}")));
        let finished = || {
            let known: HashSet<_> = records.iter().map(|r| (r.field, r.chunk)).collect();
            known.len() == chunks
        };
        let named = |part: PathBuf| match File::open(part) {
            Ok(file) => cfg!(unix) && finished() && same(&file, path).unwrap_or(false),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        let completed = part.is_some_and(named);
        if completed {
            for (_, part) in parts(&place) {
                let _ = fs::remove_file(part);
            }
            let _ = fs::remove_file(&journal_path);
        }
        Ok(completed)
    }

    /// The file that is written.
    pub(crate) fn part(&self) -> PathBuf {
        self.part_of(self.number)
    }

    fn part_of(&self, number: u32) -> PathBuf {
        self.place.beside(&format!("part{number}"))
    }

    /// The files that are not to outlive the process; none if they are to be found by the next one.
    pub(crate) fn temporary_paths(&self) -> Vec<PathBuf> {
        match self.keep {
            true => Vec::new(),
            false => vec![self.part(), self.journal_path.clone()],
        }
    }

    /// Where the output is to appear.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Notes that a chunk of a field is stored, at one of two places: its bytes and their [sum](crc).
    pub(crate) fn note(
        &self,
        field: u32,
        chunk: u64,
        places: [u64; 2],
        (bytes, crc): (&[u8], u32),
    ) -> Result<(), Error> {
        self.journal
            .lock()
            .note((self.number, field, chunk), places, (bytes, crc))
            .map_err(|source| Error::File {
                action: "write the journal of",
                path: self.place.path.clone(),
                source,
            })
    }

    /// The bytes of a chunk that an earlier attempt finished, if they are as it wrote them.
    pub(crate) fn take_over(&self, record: &Record) -> Option<Vec<u8>> {
        record.chunk(&self.journal_path, &self.part_of(record.attempt))
    }

    /// Gives the complete file its name; what attempts left goes.
    pub(crate) fn appear(&self) -> Result<(), Error> {
        let mut done = self.done.lock();
        if *done {
            return Ok(());
        }
        let part = TempPath::try_from_path(self.part()).map_err(|source| Error::File {
            action: "finish writing",
            path: self.place.path.clone(),
            source,
        })?;
        self.place.give(part, self.keep)?;
        *done = true;
        self.clear();
        Ok(())
    }

    /// Removes what is beside the output; the journal last, since it is the lock.
    fn clear(&self) {
        for part in self.earlier.iter().chain([&self.part()]) {
            let _ = fs::remove_file(part);
        }
        let _ = fs::remove_file(&self.journal_path);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if !*self.done.lock() && !self.keep {
            self.clear();
        }
    }
}

/// The files of attempts beside an output, with their numbers: a look at all of a folder, which may hold a hundred thousand.
fn parts(place: &Place) -> Vec<(u32, PathBuf)> {
    let start = place.beside("part");
    // Names need not be text.
    let start = start.file_name().unwrap_or_default().as_encoded_bytes();
    let number = |entry: fs::DirEntry| {
        let name = entry.file_name();
        let number = name.as_encoded_bytes().strip_prefix(start)?;
        let number = str::from_utf8(number).ok()?.parse().ok()?;
        Some((number, entry.path()))
    };
    let entries = fs::read_dir(place.folder()).into_iter().flatten();
    entries.flatten().filter_map(number).collect()
}

/// Opens the journal, which nobody else has open.
fn locked(journal: &Path, output: &Path) -> Result<File, Error> {
    let fault = |source| Error::File {
        action: "write",
        path: output.to_owned(),
        source,
    };
    loop {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(journal)
            .map_err(fault)?;
        if !lock(&file) {
            return Err(Error::OutputBusy {
                path: output.to_owned(),
            });
        }
        // Whoever had the lock may have finished and removed the file in between.
        if same(&file, journal).map_err(fault)? {
            return Ok(file);
        }
    }
}

#[cfg(unix)]
fn lock(file: &File) -> bool {
    use rustix::fs::{FlockOperation, flock};
    // Some file systems have no locks; there, it is for the user not to write a file twice at once.
    !matches!(
        flock(file, FlockOperation::NonBlockingLockExclusive),
        Err(rustix::io::Errno::WOULDBLOCK)
    )
}

#[cfg(unix)]
fn same(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let own = file.metadata()?;
    Ok(fs::metadata(path).is_ok_and(|there| (there.dev(), there.ino()) == (own.dev(), own.ino())))
}

#[cfg(not(unix))]
fn lock(_: &File) -> bool {
    true
}

#[cfg(not(unix))]
fn same(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

/// How a line of a request begins that says how large chunks are.
pub(crate) const CHUNKS: &str = "chunks of";

/// Where two requests differ first, in words; nothing if they do not.
fn difference(theirs: &str, own: &str) -> String {
    let lines = theirs.lines().zip(own.lines());
    if let Some((there, now)) = lines.into_iter().find(|(there, now)| there != now) {
        // Long lines begin alike.
        let alike = there.chars().zip(now.chars()).take_while(|(a, b)| a == b);
        let alike = alike.count();
        let why = match now.starts_with(CHUNKS) {
            true => {
                " (chunks go by their stated size, by the limit of memory and the number of threads)"
            }
            false => "",
        };
        return format!(
            ": {} there, {} now{why}",
            around(there, alike),
            around(now, alike)
        );
    }
    let [lines, fewer] = [theirs, own].map(|text| text.lines().count());
    let (more, place) = match lines > fewer {
        true => (theirs.lines().nth(fewer), "there"),
        false => (own.lines().nth(lines), "now"),
    };
    more.map_or_else(String::new, |line| {
        format!(": {} only {place}", around(line, 0))
    })
}

/// A part of a line: its first word, and what is around a place.
fn around(line: &str, place: usize) -> String {
    const BEFORE: usize = 24;
    const MOST: usize = 72;
    let kind = line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let from = place.saturating_sub(BEFORE);
    let kind_len = kind.chars().count();
    let (start, from) = match from <= kind_len {
        true => (String::new(), 0),
        false => (format!("{kind} ... "), from),
    };
    let rest: String = line.chars().skip(from).take(MOST).collect();
    let end = if line.chars().count() > from + MOST {
        "..."
    } else {
        ""
    };
    format!("'{start}{rest}{end}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On systems whose names are bytes.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_part_left_of_an_output_whose_name_is_no_text_goes() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &[u8]| folder.path().join(std::ffi::OsStr::from_bytes(name));
        let (output, left) = (name(b"caf\xe9.nc"), name(b".caf\xe9.nc.part1"));
        let others = [name(b".caf\xe8.nc.part1"), name(b".caf\xe9.nc.part1x")];
        for path in others.iter().chain([&left]) {
            fs::write(path, "left").unwrap();
        }
        let attempt = Attempt::new(&output, false, false, "anything").unwrap();
        assert_eq!(fs::read(&left).unwrap(), b"", "it is the new part");
        assert_eq!(attempt.part(), left);
        attempt.appear().unwrap();
        assert!(output.exists() && !left.exists());
        assert!(others.iter().all(|path| path.exists()));
    }

    #[cfg(unix)]
    #[test]
    fn an_output_that_got_its_name_is_complete_though_it_has_both_still() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("o.nc");
        let begin = || Attempt::new(&output, false, true, "anything");
        let attempt = begin().unwrap();
        attempt.note(0, 0, [0; 2], (b"some", 1)).unwrap();
        let part = attempt.part();
        drop(attempt);
        let was_completed =
            |request: &str, chunks| Attempt::was_completed(&output, request, chunks).unwrap();
        assert!(!was_completed("anything", 1));
        // Another's file is no reason to take what is left for done.
        fs::write(&output, "of another").unwrap();
        assert!(!was_completed("anything", 1));
        assert!(part.exists());
        fs::remove_file(&output).unwrap();
        fs::hard_link(&part, &output).unwrap();
        assert!(!was_completed("something else", 1));
        // A name that somebody gave it before it was complete.
        assert!(!was_completed("anything", 2));
        assert!(was_completed("anything", 1));
        let left = fs::read_dir(folder.path()).unwrap();
        assert_eq!(left.count(), 1);
    }

    #[test]
    fn requests_are_told_apart_where_they_differ() {
        let line = |end: &str| {
            format!(
                "deflate 1\nvariable t F32 [\"{}\"] {end}\n",
                "long, ".repeat(20)
            )
        };
        let said = difference(&line("Some([1, 50, 50])"), &line("Some([1, 60, 60])"));
        assert!(said.starts_with(": 'variable t ... "), "{said}");
        assert!(
            said.contains("50, 50])' there") && said.contains("60, 60])' now"),
            "{said}"
        );
        assert_eq!(difference("a b\nc d\n", "a b\n"), ": 'c d' only there");
        assert_eq!(
            difference("a b\n", "a b\ninput x\n"),
            ": 'input x' only now"
        );
        assert_eq!(difference("a", "a"), "");
        let said = difference("chunks of t: [1, 9]\n", "chunks of t: [2, 9]\n");
        let both = ": 'chunks of t: [1, 9]' there, 'chunks of t: [2, 9]' now (chunks go by";
        assert!(said.starts_with(both), "{said}");
    }
}
