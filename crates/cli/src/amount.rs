//! Numbers for people: counts with their noun, bytes, durations, lists of names.

use std::time::Duration;

/// `1 file`, `6 files`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    match n {
        1 => format!("1 {noun}"),
        _ => format!("{n} {noun}s"),
    }
}

/// A number of bytes in the unit that leaves one to three digits before the point.
pub(crate) fn bytes(n: u64) -> String {
    if n < 1000 {
        return format!("{n} B");
    }
    let mut value = n as f64;
    let mut unit = "";
    for next in ["kB", "MB", "GB", "TB", "PB", "EB"] {
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    if value < 9.95 {
        format!("{value:.1} {unit}")
    } else {
        format!("{value:.0} {unit}")
    }
}

/// The number of bytes that a text names: a number, with a unit of thousands (`500MB`) or of 1024s (`2GiB`, `2G`), or without.
pub(crate) fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim().to_ascii_lowercase();
    let (prefix, thousand) = match unit.strip_suffix("ib") {
        Some(prefix) if !prefix.is_empty() => (prefix, 1024.0),
        _ => match unit.strip_suffix('b') {
            Some(prefix) => (prefix, 1000.0),
            None => (unit.as_str(), 1024.0),
        },
    };
    let power = ["", "k", "m", "g", "t", "p"]
        .iter()
        .position(|known| *known == prefix)?;
    let bytes = number.parse::<f64>().ok()? * f64::powi(thousand, i32::try_from(power).ok()?);
    (bytes.is_finite() && bytes < 2_f64.powi(63)).then_some(bytes as u64)
}

/// A duration in seconds, from a minute on in minutes and seconds, from an hour on in hours and minutes.
pub(crate) fn duration(took: Duration) -> String {
    let seconds = took.as_secs_f64();
    let whole = seconds.round() as u64;
    match whole {
        0..60 if seconds < 9.995 => format!("{seconds:.2} s"),
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole / 60 % 60),
    }
}

/// Lengths as in `1 x 49 x 64`.
pub(crate) fn shape(lengths: &[usize]) -> String {
    let lengths: Vec<String> = lengths.iter().map(ToString::to_string).collect();
    lengths.join(" x ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("2GiB", Some(2 << 30)),
            ("2G", Some(2 << 30)),
            ("1.5 MiB", Some(3 << 19)),
            ("500MB", Some(500_000_000)),
            ("64m", Some(64 << 20)),
            ("1000", Some(1000)),
            ("7b", Some(7)),
            ("", None),
            ("GiB", None),
            ("1.2.3", None),
            ("5 parsecs", None),
            ("-1", None),
            ("9999999P", None),
        ] {
            assert_eq!(parse_bytes(text), bytes, "{text}");
        }
    }

    #[test]
    fn bytes_keep_two_digits_or_three() {
        for (n, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (9949, "9.9 kB"),
            (9950, "10 kB"),
            (999_499, "999 kB"),
            (999_500, "1.0 MB"),
            (12_345_678, "12 MB"),
            (u64::MAX, "18 EB"),
        ] {
            assert_eq!(bytes(n), text);
        }
    }

    #[test]
    fn durations_change_their_unit_where_the_rounded_number_does() {
        for (seconds, text) in [
            (0.042, "0.04 s"),
            (9.996, "10.0 s"),
            (59.4, "59.4 s"),
            (59.7, "1 min 0 s"),
            (754.0, "12 min 34 s"),
            (3600.0, "1 h 0 min"),
            (90_061.0, "25 h 1 min"),
        ] {
            assert_eq!(duration(Duration::from_secs_f64(seconds)), text);
        }
    }

    #[test]
    fn one_has_no_plural() {
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(0, "file"), "0 files");
    }
}
