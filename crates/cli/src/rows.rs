//! Lines of text in two aligned columns, and where they go.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use crate::Result;
use crate::failure::Failure;

/// Labels and what they stand for, one a line; a repeated label is shown once.
#[derive(Debug, Default)]
pub(crate) struct Rows(Vec<(String, String)>);

impl Rows {
    /// Adds a line.
    pub(crate) fn add(&mut self, label: impl Into<String>, text: impl Into<String>) {
        self.0.push((label.into(), text.into()));
    }

    /// The lines, each after `indent` spaces.
    pub(crate) fn text(&self, indent: usize) -> String {
        let width = self.0.iter().map(|(l, _)| l.chars().count()).max();
        let width = width.unwrap_or(0);
        let mut text = String::new();
        let mut before = "";
        for (label, what) in &self.0 {
            let shown = if label == before { "" } else { label };
            let line = format!("{:indent$}{shown:width$}  {what}", "");
            let _ = writeln!(text, "{}", line.trim_end());
            before = label;
        }
        text
    }
}

/// Writes a text to standard output. A reader that has seen enough is no failure.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::system("cannot write to standard output", &error))
        }
        _ => Ok(()),
    }
}

/// Writes a text to standard error, if anyone listens there.
pub(crate) fn say(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_aligned_and_not_repeated() {
        let mut rows = Rows::default();
        rows.add("fields", "a");
        rows.add("fields", "b");
        rows.add("é", "c");
        assert_eq!(rows.text(2), "  fields  a\n          b\n  é       c\n");
    }
}
