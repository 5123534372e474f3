//! Text in a drawing: how wide it is, how it is shortened, and how XML wants it.

use std::fmt;

use unicode_width::UnicodeWidthChar;

/// Pixels that a letter takes at most on average, in any of the fonts that a viewer may have; wide letters take two.
const LETTER: f64 = 7.0;
/// Longer text loses its middle; the whole one shows when the pointer rests on it.
const LETTERS: usize = 48;

/// How many letters wide.
fn letters(c: char) -> usize {
    c.width().unwrap_or(1)
}

/// About how many pixels a text takes.
pub(super) fn width(text: &str) -> f64 {
    text.chars().map(letters).sum::<usize>() as f64 * LETTER
}

/// A text without its middle if it is long: what tells labels apart stands at their ends. It has one line.
pub(super) fn shortened(text: &str) -> String {
    let line: String = text
        .chars()
        .filter(|c| *c != '\r')
        .map(|c| if c == '\n' || c == '\t' { ' ' } else { c })
        .collect();
    if line.chars().map(letters).sum::<usize>() <= LETTERS {
        return line;
    }
    let fits = |room: usize, letters_of: &mut dyn Iterator<Item = char>| {
        let mut used = 0;
        letters_of
            .take_while(|c| {
                used += letters(*c);
                used <= room
            })
            .count()
    };
    let start = fits(LETTERS / 3, &mut line.chars());
    let end = fits(LETTERS - 1 - LETTERS / 3, &mut line.chars().rev());
    let count = line.chars().count();
    line.chars()
        .take(start)
        .chain(['…'])
        .chain(line.chars().skip(count - end))
        .collect()
}

/// Text as XML wants it.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\n' | '\t' => write!(f, "{c}")?,
                '\r' => {}
                // XML knows no other control characters, and not these two.
                c if c.is_control() || c == '\u{fffe}' || c == '\u{ffff}' => {
                    f.write_str("\u{fffd}")?
                }
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_loses_its_middle_by_width_rather_than_by_count() {
        let label = "regrid surface_temperature of the year 2020 [0..6, 100..200]";
        assert_eq!(
            shortened(label),
            "regrid surface_t… the year 2020 [0..6, 100..200]"
        );
        let wide = "気".repeat(40);
        assert_eq!(
            shortened(&wide),
            format!("{}…{}", "気".repeat(8), "気".repeat(15))
        );
        assert_eq!((width("気温"), width("aa")), (4.0 * LETTER, 2.0 * LETTER));
        assert_eq!(shortened("two\r\nlines"), "two lines");
    }
}
