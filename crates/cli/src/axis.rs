//! One axis of a target grid as it is typed: `START:STOP:STEP`, a list with commas, one number.

use std::fmt;
use std::str::FromStr;

use regrid::Grid;

/// The points of an axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TypedAxis {
    /// From `start` to `stop`.
    Range { start: f64, stop: f64, step: f64 },
    /// These.
    List(Vec<f64>),
}

/// A text that is no axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotAnAxis {
    /// A part is not a number.
    NotANumber(String),
    /// Too few or too many colons.
    Parts(usize),
}

impl FromStr for TypedAxis {
    type Err = NotAnAxis;

    fn from_str(text: &str) -> Result<Self, NotAnAxis> {
        let number = |part: &str| {
            let number = part.trim().parse::<f64>().ok().filter(|x| x.is_finite());
            number.ok_or_else(|| NotAnAxis::NotANumber(part.trim().to_owned()))
        };
        let separator = if text.contains(':') { ':' } else { ',' };
        let numbers: Vec<f64> = text
            .split(separator)
            .map(number)
            .collect::<Result<_, _>>()?;
        match (separator, numbers.as_slice()) {
            (':', &[start, stop, step]) => Ok(Self::Range { start, stop, step }),
            (':', parts) => Err(NotAnAxis::Parts(parts.len())),
            _ => Ok(Self::List(numbers)),
        }
    }
}

impl TypedAxis {
    /// The points as latitudes.
    pub(crate) fn latitudes(self) -> Result<Vec<f64>, regrid::Error> {
        match self {
            Self::List(points) => Ok(points),
            // The library makes points of both axes at once: the other one is a single point.
            Self::Range { start, stop, step } => {
                let grid = Grid::regular(start..=stop, step, 0.0..=0.0, 1.0)?;
                Ok(grid.axes().unwrap().0.centres().to_vec())
            }
        }
    }

    /// The points as longitudes.
    pub(crate) fn longitudes(self) -> Result<Vec<f64>, regrid::Error> {
        match self {
            Self::List(points) => Ok(points),
            Self::Range { start, stop, step } => {
                let grid = Grid::regular(0.0..=0.0, 1.0, start..=stop, step)?;
                Ok(grid.axes().unwrap().1.centres().to_vec())
            }
        }
    }
}

impl fmt::Display for NotAnAxis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANumber(part) => write!(f, "'{part}' is not a number")?,
            Self::Parts(got) => write!(f, "{got} parts between colons")?,
        }
        f.write_str(", expected START:STOP:STEP, a list with commas or one number")
    }
}

impl std::error::Error for NotAnAxis {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_lists_and_single_numbers_are_axes() {
        let axis = |text: &str| text.parse::<TypedAxis>().unwrap();
        let (start, stop, step) = (-10.0, 10.0, 2.5);
        assert_eq!(axis("-10:10:2.5"), TypedAxis::Range { start, stop, step });
        assert_eq!(axis("1, -2.5,3e1"), TypedAxis::List(vec![1.0, -2.5, 30.0]));
        assert_eq!(axis("7"), TypedAxis::List(vec![7.0]));
        assert_eq!(
            axis("60:15:15").latitudes().unwrap(),
            [60.0, 45.0, 30.0, 15.0]
        );
        assert_eq!(
            axis("350:370:10").longitudes().unwrap(),
            [350.0, 360.0, 370.0]
        );
    }

    #[test]
    fn other_texts_are_refused_with_the_part_at_fault() {
        for (text, part) in [("10:x:1", "x"), ("1,,2", ""), ("", ""), ("nan", "nan")] {
            let refused = NotAnAxis::NotANumber(part.into());
            assert_eq!(text.parse::<TypedAxis>(), Err(refused));
        }
        assert_eq!("1:2".parse::<TypedAxis>(), Err(NotAnAxis::Parts(2)));
        assert_eq!("1:2:3:4".parse::<TypedAxis>(), Err(NotAnAxis::Parts(4)));
    }
}
