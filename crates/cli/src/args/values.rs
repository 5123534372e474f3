//! What single options say: amounts, shares, names of files.

use std::path::Path;

use crate::Result;
use crate::amount::parse_bytes;
use crate::failure::Failure;

/// Less is no sensible limit.
const LEAST_MEMORY: u64 = 1 << 20;

/// Refuses names of files with other endings than two that are known.
pub(super) fn check_ending(cannot: &str, path: &Path, known: [&str; 2]) -> Result<()> {
    let ending = path.extension().unwrap_or_default();
    if known.iter().any(|known| ending.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    let [one, other] = known;
    Err(Failure::usage(format!(
        "{cannot} {}: only names that end in .{one} or .{other} are known",
        path.display()
    )))
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share lies between 0 and 1".into()),
    }
}

pub(super) fn error_limit(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(limit) if limit >= 0.0 => Ok(limit),
        _ => Err("a relative error is a number from 0 on, as in 1e-6".into()),
    }
}

/// A number of bytes, as in `2GiB`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let refused = || "a size is a number and a unit, as in 2GiB, 500MB or 64M".to_owned();
    match parse_bytes(text) {
        Some(bytes) if bytes >= LEAST_MEMORY => Ok(bytes),
        Some(_) => Err(format!("at least {}MiB are needed", LEAST_MEMORY >> 20)),
        None => Err(refused()),
    }
}

/// Rows and columns, as in `180x360`.
pub(super) fn chunk(text: &str) -> Result<(usize, usize), String> {
    let parts = text.split_once('x');
    let number = |text: &str| text.parse::<usize>().ok().filter(|&n| n > 0);
    parts
        .and_then(|(rows, columns)| Some((number(rows)?, number(columns)?)))
        .ok_or_else(|| "expected ROWSxCOLUMNS, both at least 1, as in 180x360".into())
}
