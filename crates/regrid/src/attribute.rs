//! Attributes of files and variables, free of any file format: text and lists of numbers under a name.

/// The value of one attribute: text, or numbers of one type.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum AttributeValue {
    /// One text.
    Text(String),
    /// Several texts (netCDF-4 string attributes).
    Texts(Vec<String>),
    /// 8-bit integers.
    I8(Vec<i8>),
    /// Unsigned 8-bit integers.
    U8(Vec<u8>),
    /// 16-bit integers.
    I16(Vec<i16>),
    /// Unsigned 16-bit integers.
    U16(Vec<u16>),
    /// 32-bit integers.
    I32(Vec<i32>),
    /// Unsigned 32-bit integers.
    U32(Vec<u32>),
    /// 64-bit integers.
    I64(Vec<i64>),
    /// Unsigned 64-bit integers.
    U64(Vec<u64>),
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit floats.
    F64(Vec<f64>),
}

impl AttributeValue {
    /// The numbers as doubles; `None` for text.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        Some(match self {
            Self::Text(_) | Self::Texts(_) => return None,
            Self::I8(v) => v.iter().map(|&x| f64::from(x)).collect(),
            Self::U8(v) => v.iter().map(|&x| f64::from(x)).collect(),
            Self::I16(v) => v.iter().map(|&x| f64::from(x)).collect(),
            Self::U16(v) => v.iter().map(|&x| f64::from(x)).collect(),
            Self::I32(v) => v.iter().map(|&x| f64::from(x)).collect(),
            Self::U32(v) => v.iter().map(|&x| f64::from(x)).collect(),
            Self::I64(v) => v.iter().map(|&x| x as f64).collect(),
            Self::U64(v) => v.iter().map(|&x| x as f64).collect(),
            Self::F32(v) => v.iter().map(|&x| f64::from(x)).collect(),
            Self::F64(v) => v.clone(),
        })
    }
}

impl From<&str> for AttributeValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for AttributeValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// The attributes of one variable or file, in their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes(Vec<(String, AttributeValue)>);

impl Attributes {
    /// No attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value under a name.
    pub fn get(&self, name: &str) -> Option<&AttributeValue> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    /// The text under a name, without surrounding blanks; `None` if there is none or it is a number.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            AttributeValue::Text(text) => Some(text.trim()),
            AttributeValue::Texts(texts) if texts.len() == 1 => Some(texts[0].trim()),
            _ => None,
        }
    }

    /// The words of the text under a name.
    pub fn words(&self, name: &str) -> Vec<String> {
        self.text(name)
            .map(|text| text.split_whitespace().map(str::to_owned).collect())
            .unwrap_or_default()
    }

    /// The only number under a name.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.get(name)?.numbers()?.as_slice() {
            [x] => Some(*x),
            _ => None,
        }
    }

    /// Sets a value: in place where the name is known, else at the end.
    pub fn set(&mut self, name: &str, value: impl Into<AttributeValue>) {
        let value = value.into();
        match self.0.iter_mut().find(|(n, _)| n == name) {
            Some(entry) => entry.1 = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Takes a value away.
    pub fn remove(&mut self, name: &str) -> Option<AttributeValue> {
        let at = self.0.iter().position(|(n, _)| n == name)?;
        Some(self.0.remove(at).1)
    }

    /// Whether both are the same, NaN being the same as NaN.
    pub(crate) fn same(&self, other: &Self) -> bool {
        let same = |a: &AttributeValue, b: &AttributeValue| match (a.numbers(), b.numbers()) {
            (Some(x), Some(y)) => {
                x.len() == y.len()
                    && x.iter()
                        .zip(&y)
                        .all(|(x, y)| x == y || (x.is_nan() && y.is_nan()))
            }
            _ => a == b,
        };
        self.0.len() == other.0.len()
            && self
                .iter()
                .zip(other.iter())
                .all(|((m, a), (n, b))| m == n && same(a, b))
    }

    /// Name and value of each attribute, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AttributeValue)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v))
    }
}

impl<N: Into<String>, V: Into<AttributeValue>> FromIterator<(N, V)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        Self(
            entries
                .into_iter()
                .map(|(n, v)| (n.into(), v.into()))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_keeps_the_place_of_a_known_name() {
        let mut attributes: Attributes = [("units", "K"), ("title", "t")].into_iter().collect();
        attributes.set("units", "degC");
        let names: Vec<_> = attributes.iter().map(|(n, _)| n).collect();
        assert_eq!(names, ["units", "title"]);
        assert_eq!(attributes.text("units"), Some("degC"));
        assert_eq!(attributes.number("units"), None);
    }

    #[test]
    fn number_wants_exactly_one() {
        let mut attributes = Attributes::new();
        attributes.set("valid_range", AttributeValue::I16(vec![-3, 4]));
        attributes.set("scale_factor", AttributeValue::F32(vec![0.5]));
        assert_eq!(attributes.number("valid_range"), None);
        assert_eq!(
            attributes.get("valid_range").unwrap().numbers(),
            Some(vec![-3.0, 4.0])
        );
        assert_eq!(attributes.number("scale_factor"), Some(0.5));
    }
}
