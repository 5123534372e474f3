//! Where the variables of a netCDF classic file lie, by its header, and how long the file must be therefore.
//!
//! Only what these depend on is read; attributes and values are for the format library.
//!
//! # Source
//! NetCDF User's Guide, "File Format Specifications": CDF-1, CDF-2 and CDF-5.

use std::collections::HashMap;

use super::header::{Header, LengthError};

/// Bytes of the numbers that differ between the three formats.
#[derive(Debug, Clone, Copy)]
pub(super) struct Widths {
    count: Width,
    offset: Width,
    /// The largest code of a data type.
    most_type: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    Four,
    Eight,
}

impl Widths {
    pub(super) const CDF1: Self = Self {
        count: Width::Four,
        offset: Width::Four,
        most_type: 6,
    };
    pub(super) const CDF2: Self = Self {
        count: Width::Four,
        offset: Width::Eight,
        most_type: 6,
    };
    pub(super) const CDF5: Self = Self {
        count: Width::Eight,
        offset: Width::Eight,
        most_type: 11,
    };
}

const DIMENSIONS: u32 = 10;
const VARIABLES: u32 = 11;
const ATTRIBUTES: u32 = 12;

/// Longer lists are damage: netCDF-C itself once allowed 1024 dimensions and 8192 variables.
const MOST_ENTRIES: u64 = 1 << 20;

/// Where the values of a variable lie in a file, as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::io) struct Place {
    /// The first byte.
    pub(in crate::io) begin: u64,
    /// Bytes from one record to the next, for a variable that has records.
    pub(in crate::io) record: Option<u64>,
}

/// One variable as far as its place and the file's length depend on it.
struct Variable {
    name: Vec<u8>,
    begin: u64,
    /// Bytes without padding, of the whole variable or of one record.
    size: u64,
    is_record: bool,
}

/// The least length in bytes of a whole file, whose header is read from behind the magic bytes.
///
/// Padding at the end of a variable may be missing. A file whose number of records is open (being streamed) need only hold
/// what comes before the records.
/// # Errors
/// [`LengthError::Truncated`] if the header is not whole, [`LengthError::Malformed`] if it breaks the format's rules.
pub(super) fn least_length(header: &mut Header, widths: Widths) -> Result<u64, LengthError> {
    let records = number_of_records(header, widths)?;
    let variables = variables(header, widths)?;
    furthest_end(&variables, records.unwrap_or(0), header.position())
        .ok_or_else(|| header.malformed("variables larger than any file"))
}

/// Where the values of each variable lie, in a file whose header is read from behind the magic bytes.
///
/// # Errors
/// As [`least_length`].
pub(super) fn places(
    header: &mut Header,
    widths: Widths,
) -> Result<HashMap<Vec<u8>, Place>, LengthError> {
    number_of_records(header, widths)?;
    let variables = variables(header, widths)?;
    let record_size =
        record_size(&variables).ok_or_else(|| header.malformed("records larger than any file"))?;
    let place = |variable: Variable| {
        let place = Place {
            begin: variable.begin,
            record: variable.is_record.then_some(record_size),
        };
        (variable.name, place)
    };
    Ok(variables.into_iter().map(place).collect())
}

/// All that comes after the number of records.
fn variables(header: &mut Header, widths: Widths) -> Result<Vec<Variable>, LengthError> {
    let dimensions = dimensions(header, widths)?;
    attributes(header, widths)?;
    let entries = list(header, widths, VARIABLES)?;
    (0..entries)
        .map(|_| variable(header, widths, &dimensions))
        .collect()
}

/// Bytes from one record to the next; none if no number can tell.
fn record_size(variables: &[Variable]) -> Option<u64> {
    let sizes: Vec<u64> = variables
        .iter()
        .filter(|variable| variable.is_record)
        .map(|variable| variable.size)
        .collect();
    match sizes[..] {
        // A record variable that is alone has no padding between its records.
        [alone] => Some(alone),
        _ => sizes.iter().try_fold(0_u64, |sum, size| {
            sum.checked_add(size.checked_next_multiple_of(4)?)
        }),
    }
}

/// Where the last byte of data or header lies, in a file of this many records; none if no number can tell.
fn furthest_end(variables: &[Variable], records: u64, header_end: u64) -> Option<u64> {
    let record_size = record_size(variables)?;
    let mut furthest = header_end;
    for variable in variables {
        let before = match (variable.is_record, records) {
            (false, _) => 0,
            (true, 0) => continue,
            (true, _) => record_size.checked_mul(records - 1)?,
        };
        if variable.size > 0 {
            furthest = furthest.max(
                variable
                    .begin
                    .checked_add(before)?
                    .checked_add(variable.size)?,
            );
        }
    }
    Some(furthest)
}

/// The number of records; none while a writer streams.
fn number_of_records(header: &mut Header, widths: Widths) -> Result<Option<u64>, LengthError> {
    let records = number(header, widths.count)?;
    let streaming = match widths.count {
        Width::Four => u64::from(u32::MAX),
        Width::Eight => u64::MAX,
    };
    Ok((records != streaming).then_some(records))
}

/// The length of each dimension, 0 for the record dimension.
fn dimensions(header: &mut Header, widths: Widths) -> Result<Vec<u64>, LengthError> {
    let entries = list(header, widths, DIMENSIONS)?;
    let mut lengths = Vec::new();
    for _ in 0..entries {
        skip_name(header, widths)?;
        lengths.push(number(header, widths.count)?);
    }
    Ok(lengths)
}

fn attributes(header: &mut Header, widths: Widths) -> Result<(), LengthError> {
    for _ in 0..list(header, widths, ATTRIBUTES)? {
        skip_name(header, widths)?;
        let width = type_width(header, widths)?;
        let values = number(header, widths.count)?;
        padded(header, values.saturating_mul(width))?;
    }
    Ok(())
}

fn variable(
    header: &mut Header,
    widths: Widths,
    dimensions: &[u64],
) -> Result<Variable, LengthError> {
    let name = name(header, widths)?;
    let rank = number(header, widths.count)?;
    let mut cells = Some(1_u64);
    let mut is_record = false;
    for axis in 0..rank {
        let index = number(header, widths.count)?;
        let length = usize::try_from(index)
            .ok()
            .and_then(|index| dimensions.get(index));
        match length {
            Some(0) if axis == 0 => is_record = true,
            Some(0) => {
                return Err(header.malformed("a record dimension that is not a variable's first"));
            }
            Some(length) => cells = cells.and_then(|cells| cells.checked_mul(*length)),
            None => return Err(header.malformed("a variable on a dimension that is not there")),
        }
    }
    attributes(header, widths)?;
    let width = type_width(header, widths)?;
    // The size in the header cannot be trusted: it is capped where four bytes are too few.
    number(header, widths.count)?;
    let begin = number(header, widths.offset)?;
    let size = cells
        .and_then(|cells| cells.checked_mul(width))
        .ok_or_else(|| header.malformed("a variable larger than any file"))?;
    Ok(Variable {
        name,
        begin,
        size,
        is_record,
    })
}

/// The number of entries of the list that starts here.
fn list(header: &mut Header, widths: Widths, tag: u32) -> Result<u64, LengthError> {
    let got = u32::from_be_bytes(header.bytes()?);
    let entries = number(header, widths.count)?;
    match (got, entries) {
        (0, 0) => Ok(0),
        (got, _) if got != tag => Err(header.malformed("a list of the wrong kind")),
        (_, entries) if entries > MOST_ENTRIES => {
            Err(header.malformed("a list of more than a million entries"))
        }
        (_, entries) => Ok(entries),
    }
}

fn skip_name(header: &mut Header, widths: Widths) -> Result<(), LengthError> {
    let bytes = number(header, widths.count)?;
    padded(header, bytes)
}

fn name(header: &mut Header, widths: Widths) -> Result<Vec<u8>, LengthError> {
    let bytes = number(header, widths.count)?;
    let name = header.text(bytes)?;
    header.skip(bytes.next_multiple_of(4) - bytes)?;
    Ok(name)
}

/// Skips bytes and what fills them up to a multiple of four.
fn padded(header: &mut Header, bytes: u64) -> Result<(), LengthError> {
    header.skip(bytes.checked_next_multiple_of(4).unwrap_or(u64::MAX))
}

/// The bytes of one value of the type whose code comes next.
fn type_width(header: &mut Header, widths: Widths) -> Result<u64, LengthError> {
    let code = u32::from_be_bytes(header.bytes()?);
    match code {
        _ if code > widths.most_type => Err(header.malformed("an unknown data type")),
        1 | 2 | 7 => Ok(1),
        3 | 8 => Ok(2),
        4 | 5 | 9 => Ok(4),
        6 | 10 | 11 => Ok(8),
        _ => Err(header.malformed("an unknown data type")),
    }
}

fn number(header: &mut Header, width: Width) -> Result<u64, LengthError> {
    Ok(match width {
        Width::Four => u32::from_be_bytes(header.bytes()?).into(),
        Width::Eight => u64::from_be_bytes(header.bytes()?),
    })
}

#[cfg(test)]
mod tests {
    use crate::io::{LengthError, check_complete, expected_length};
    use proptest::prelude::*;
    use std::io::Write;
    use tempfile::NamedTempFile;

    fn file(bytes: &[u8]) -> NamedTempFile {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn words(magic: &[u8; 4], words: &[u32]) -> Vec<u8> {
        magic
            .iter()
            .copied()
            .chain(words.iter().flat_map(|word| word.to_be_bytes()))
            .collect()
    }

    /// A CDF-1 header: dimensions t (records) and x; one variable v(dimensions) of a type, its data at byte 1000.
    fn header(records: u32, x: u32, dimensions: &[u32], code: u32) -> Vec<u8> {
        let mut after = vec![records, 10, 2, 1, 0x7400_0000, 0, 1, 0x7800_0000, x, 0, 0];
        after.extend([11, 1, 1, 0x7600_0000, dimensions.len() as u32]);
        after.extend(dimensions);
        after.extend([0, 0, code, 4, 1000]);
        words(b"CDF\x01", &after)
    }

    fn expected(bytes: &[u8]) -> u64 {
        expected_length(file(bytes).path()).unwrap().1.unwrap()
    }

    fn malformed(bytes: &[u8]) -> &'static str {
        match expected_length(file(bytes).path()) {
            Err(LengthError::Malformed { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn sizes_come_from_shapes() {
        let short = 3;
        assert_eq!(expected(&header(0, 5, &[1], short)), 1000 + 10);
        assert_eq!(expected(&header(0, 5, &[1, 1], short)), 1000 + 50);
        assert_eq!(expected(&header(0, 5, &[], short)), 1000 + 2);
        // Alone, so without padding; 7 records of 10 bytes.
        assert_eq!(expected(&header(7, 5, &[0, 1], short)), 1000 + 70);
        assert_eq!(expected(&header(1, 5, &[0, 1], short)), 1000 + 10);
        let none = header(0, 5, &[0, 1], short);
        assert_eq!(expected(&none), none.len() as u64);
        assert_eq!(
            expected(&header(0, u32::MAX, &[1], 6)),
            1000 + 8 * u64::from(u32::MAX)
        );
    }

    #[test]
    fn an_open_number_of_records_counts_none() {
        let streaming = header(u32::MAX, 5, &[0, 1], 3);
        assert_eq!(expected(&streaming), streaming.len() as u64);
        assert!(check_complete(file(&streaming).path()).is_ok());
    }

    #[test]
    fn a_file_without_anything_is_complete() {
        assert_eq!(expected(&words(b"CDF\x01", &[0; 7])), 32);
        assert_eq!(expected(&words(b"CDF\x05", &[0; 11])), 48);
    }

    #[test]
    fn broken_rules_are_errors() {
        assert_eq!(
            malformed(&header(0, 5, &[2], 3)),
            "a variable on a dimension that is not there"
        );
        assert_eq!(
            malformed(&header(0, 5, &[1, 0], 3)),
            "a record dimension that is not a variable's first"
        );
        assert_eq!(malformed(&header(0, 5, &[1], 0)), "an unknown data type");
        assert_eq!(malformed(&header(0, 5, &[1], 7)), "an unknown data type");
        assert_eq!(
            malformed(&header(0, u32::MAX, &[1, 1, 1], 6)),
            "a variable larger than any file"
        );
        assert_eq!(
            malformed(&header(u32::MAX - 1, u32::MAX, &[0, 1, 1], 2)),
            "variables larger than any file"
        );
        assert_eq!(
            malformed(&words(b"CDF\x01", &[0, 11, 1, 0])),
            "a list of the wrong kind"
        );
        assert_eq!(
            malformed(&words(b"CDF\x01", &[0, 10, u32::MAX, 0])),
            "a list of more than a million entries"
        );
    }

    #[test]
    fn lengths_beyond_the_file_are_cuts() {
        let huge = u32::MAX;
        for bytes in [
            words(b"CDF\x01", &[0, 10, 1, huge, 0]),
            words(b"CDF\x05", &[0, 0, 10, 0, 1, huge, huge, 0]),
            words(
                b"CDF\x05",
                &[0, 0, 0, 0, 0, 12, 0, 1, 0, 0, 6, huge, huge, 0],
            ),
            words(b"CDF\x02", &[0, 0, 0, 0, 0, 11, 1, 0, huge, 0]),
        ] {
            assert!(matches!(
                expected_length(file(&bytes).path()),
                Err(LengthError::Malformed { .. } | LengthError::Truncated { .. })
            ));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn no_header_panics(version in prop::sample::select(vec![1_u8, 2, 5]), body in prop::collection::vec(prop_oneof![
            4 => Just(0_u8), 1 => 1..13_u8, 1 => any::<u8>()
        ], 0..400)) {
            let mut bytes = vec![b'C', b'D', b'F', version];
            bytes.extend(body);
            let _ = expected_length(file(&bytes).path());
        }

        #[test]
        fn no_damage_to_a_good_header_panics(at in 4..100_usize, value: u8) {
            let mut bytes = header(3, 5, &[0, 1], 3);
            let at = at % bytes.len();
            bytes[at] = value;
            let _ = check_complete(file(&bytes).path());
        }
    }
}
