//! Text between double quotes, as DOT and JSON want it.

use std::fmt::{self, Write};

/// Writes `text` in quotes; what would end it early gets a backslash, and other letters what `instead` gives for them, if anything.
pub(crate) fn quoted(
    f: &mut fmt::Formatter<'_>,
    text: &str,
    instead: impl Fn(char) -> Option<String>,
) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            c => match instead(c) {
                Some(text) => f.write_str(&text)?,
                None => f.write_char(c)?,
            },
        }
    }
    f.write_char('"')
}
