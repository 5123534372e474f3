//! Parts of sentences that errors have in common.

/// `variable t in `, before a file's name.
pub(super) fn in_file(variable: Option<&str>) -> String {
    variable.map_or_else(String::new, |variable| format!("{variable} in "))
}

/// `are: a, b`, or that there is nothing.
pub(super) fn are(names: &[String]) -> String {
    if names.is_empty() {
        "is none".into()
    } else {
        format!("are: {}", names.join(", "))
    }
}

/// What a user wrote, in quotes, without the end of what is long: a whole file may have come instead of its name.
pub(super) fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(quoted("r3\"6"), r#""r3\"6""#);
        assert_eq!(quoted(&"é".repeat(60)), format!("{:?}", "é".repeat(60)));
        assert_eq!(quoted(&"é".repeat(61)), format!("{:?}...", "é".repeat(60)));
    }
}
