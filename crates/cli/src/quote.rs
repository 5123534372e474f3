//! A command line as one line of text that a shell reads back as the same words.

use std::ffi::{OsStr, OsString};

/// The words of a command, quoted where a shell would take them for something else.
pub(crate) fn command(words: &[OsString]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    words.join(" ")
}

/// One word: as it is, in single quotes, or, with bytes that do not print, in the `$'...'` of bash and zsh.
fn quoted(word: &OsStr) -> String {
    match word.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(is_plain) => text.to_owned(),
        Some(text) if !text.chars().any(char::is_control) => {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
        _ => {
            let mut escaped = String::from("$'");
            for &byte in word.as_encoded_bytes() {
                match byte {
                    b'\'' | b'\\' => escaped.extend(['\\', char::from(byte)]),
                    b' '..=b'~' => escaped.push(char::from(byte)),
                    _ => escaped += &format!("\\x{byte:02x}"),
                }
            }
            escaped + "'"
        }
    }
}

/// Whether a character means itself in every shell.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "_-+=:,./@%^".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        let words = [
            "regrid",
            "a b.nc",
            "--lat=-10:10:1",
            "",
            "it's",
            "*.nc",
            "a\nb",
        ];
        let words: Vec<OsString> = words.iter().map(Into::into).collect();
        assert_eq!(
            command(&words),
            r"regrid 'a b.nc' --lat=-10:10:1 '' 'it'\''s' '*.nc' $'a\x0ab'"
        );
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_no_text_are_escaped() {
        use std::os::unix::ffi::OsStrExt;
        let word = OsStr::from_bytes(b"caf\xe9's.nc").to_owned();
        assert_eq!(command(&[word]), r"$'caf\xe9\'s.nc'");
    }
}
