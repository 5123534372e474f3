//! What a task is called: its [`Label`], written for people, and its [`Key`], which tells tasks of one graph apart.
//!
//! Both are cheap to make: text is put together only when someone looks at it.

use std::{
    borrow::{Borrow, Cow},
    fmt,
    panic::Location,
    sync::Arc,
};

/// The text that names a task in pictures, progress and errors.
///
/// Made from a string, from a pair such as `("load", 17)` which is shown as `load 17`, or with [`Label::lazy`].
/// None of the three formats anything until the label is shown; the pair and `&'static str` do not allocate either.
///
/// ```
/// use delayed::Label;
/// assert_eq!(Label::from(("load", 17)).to_string(), "load 17");
/// let (lat, lon) = (10, 20);
/// assert_eq!(Label::lazy(move |f| write!(f, "regrid lat={lat} lon={lon}")).to_string(), "regrid lat=10 lon=20");
/// ```
#[derive(Clone)]
pub struct Label(Text);

type Write = dyn Fn(&mut fmt::Formatter<'_>) -> fmt::Result + Send + Sync;
pub(crate) type WriteNth = dyn Fn(usize, &mut fmt::Formatter<'_>) -> fmt::Result + Send + Sync;

#[derive(Clone)]
enum Text {
    Static(&'static str),
    Numbered(&'static str, u64),
    Owned(Arc<str>),
    Lazy(Arc<Write>),
    /// Of the nth task of a series.
    Nth(Arc<WriteNth>, usize),
    /// A function's type name and the line it was handed over at.
    Function(&'static str, &'static Location<'static>),
}

impl Label {
    /// A label that `write` puts together each time it is shown.
    pub fn lazy(
        write: impl Fn(&mut fmt::Formatter<'_>) -> fmt::Result + Send + Sync + 'static,
    ) -> Self {
        Label(Text::Lazy(Arc::new(write)))
    }

    /// The label of the `n`th of many tasks.
    pub(crate) fn nth(write: Arc<WriteNth>, n: usize) -> Self {
        Label(Text::Nth(write, n))
    }

    /// What labels that differ only by numbers have in common: the text up to the first digit, `#` or `=`.
    pub(crate) fn stem(&self) -> String {
        let text = self.to_string();
        if let Text::Function(..) = &self.0 {
            return text;
        }
        let stem = text
            .find(|c: char| c.is_ascii_digit() || c == '#' || c == '=')
            .map_or(text.as_str(), |end| &text[..end]);
        // "regrid lat=10" is about regridding, not about latitudes.
        let stem = if stem.len() < text.len() && text[stem.len()..].starts_with('=') {
            stem.rsplit_once(' ').map_or(stem, |(stem, _)| stem)
        } else {
            stem
        };
        let stem = stem.trim_end_matches([' ', '-', '_', '[', '(']);
        if stem.is_empty() {
            text
        } else {
            stem.to_string()
        }
    }

    /// The default label: the function's own name, or for a closure the function it stands in and its line.
    pub(crate) fn function(type_name: &'static str, site: &'static Location<'static>) -> Self {
        Label(Text::Function(type_name, site))
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Text::Static(text) => f.write_str(text),
            Text::Numbered(text, number) => write!(f, "{text} {number}"),
            Text::Owned(text) => f.write_str(text),
            Text::Lazy(write) => write(f),
            Text::Nth(write, n) => write(*n, f),
            Text::Function(name, site) => match function_name(name) {
                Some((name, false)) => f.write_str(&name),
                Some((name, true)) => write!(f, "{name}:{}", site.line()),
                None => write!(f, "task:{}", site.line()),
            },
        }
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

impl From<&'static str> for Label {
    fn from(text: &'static str) -> Self {
        Label(Text::Static(text))
    }
}

impl From<String> for Label {
    fn from(text: String) -> Self {
        Label(Text::Owned(text.into()))
    }
}

impl From<Arc<str>> for Label {
    fn from(text: Arc<str>) -> Self {
        Label(Text::Owned(text))
    }
}

impl From<Cow<'static, str>> for Label {
    fn from(text: Cow<'static, str>) -> Self {
        match text {
            Cow::Borrowed(text) => text.into(),
            Cow::Owned(text) => text.into(),
        }
    }
}

impl From<(&'static str, usize)> for Label {
    fn from((text, number): (&'static str, usize)) -> Self {
        Label(Text::Numbered(text, number as u64))
    }
}

/// `demo::plan::build::{{closure}}` is `("build", true)`, `demo::read<f32>` is `("read", false)`; nothing for `fn(&f64) -> f64`.
fn function_name(type_name: &str) -> Option<(String, bool)> {
    let mut depth = 0_i32;
    let mut plain = String::new();
    let mut previous = ' ';
    for c in type_name.chars() {
        match c {
            '<' => depth += 1,
            '>' if previous != '-' => depth -= 1,
            _ if depth == 0 => plain.push(c),
            _ => {}
        }
        previous = c;
    }
    if plain.contains(['(', ' ', '&', '[']) {
        return None;
    }
    let mut closure = false;
    for part in plain.rsplit("::") {
        match part {
            "{{closure}}" => closure = true,
            "" => {}
            name => return Some((name.to_string(), closure)),
        }
    }
    None
}

/// A task's name within one graph: its label, and from the second task of that label on a number (`read`, `read#2`, ...).
///
/// Keys follow the order of execution, so they are the same in every run of the same program.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// The key of the `nth` task (from 1) that bears `label`.
    pub(crate) fn new(label: &str, nth: u32) -> Self {
        // A label that has a '#' of its own always gets a number, so that no two labels can give one key.
        if nth == 1 && !label.contains('#') {
            Key(label.into())
        } else {
            Key(format!("{label}#{nth}").into())
        }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// So that a map by key can be searched for text.
impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_give_their_name_and_closures_the_one_around_them() {
        let some = |name: &str, closure| Some((name.to_string(), closure));
        assert_eq!(function_name("demo::read"), some("read", false));
        assert_eq!(function_name("demo::read<f32>"), some("read", false));
        assert_eq!(
            function_name("demo::plan::build::{{closure}}"),
            some("build", true)
        );
        assert_eq!(
            function_name("demo::main::{{closure}}::{{closure}}"),
            some("main", true)
        );
        assert_eq!(
            function_name("<demo::A as demo::B<u8>>::run::{{closure}}"),
            some("run", true)
        );
        assert_eq!(
            function_name("demo::apply<fn(u8) -> u8>::{{closure}}"),
            some("apply", true)
        );
        assert_eq!(function_name("fn(&f64) -> f64"), None);
    }

    #[test]
    fn stems_are_what_numbered_labels_have_in_common() {
        let stems = [
            "read 17",
            "read",
            "regrid lat=10 lon=20",
            "load-3",
            "chunk[4]",
            "12",
        ]
        .map(|text| Label::from(text).stem());
        assert_eq!(stems, ["read", "read", "regrid", "load", "chunk", "12"]);
    }

    #[test]
    fn equal_labels_get_numbers_and_never_meet_a_label_that_looks_like_one() {
        assert_eq!(Key::new("read", 1).as_str(), "read");
        assert_eq!(Key::new("read", 2).as_str(), "read#2");
        assert_eq!(Key::new("read#2", 1).as_str(), "read#2#1");
    }
}
