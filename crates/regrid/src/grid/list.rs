//! Lists of points in text: one a line, latitude before longitude, perhaps with a name.

use super::Grid;
use crate::error::Error;

/// Which field of a line is what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Columns {
    latitude: usize,
    longitude: usize,
    name: Option<usize>,
}

impl Grid {
    /// The points that a text lists: a line each, fields between commas, semicolons, tabs or blanks.
    ///
    /// The first line may say which field is what (`name,lat,lon`); without it latitude comes first, longitude second, and
    /// what follows is the point's name. Empty lines and those that begin with `#` do not count. A field in double quotes
    /// may hold anything.
    /// - Units: degrees north, degrees east of any turn.
    ///
    /// # Errors
    /// [`Error::PointsLine`] with the line at fault; [`Error::EmptyAxis`] without points; as [`Grid::points`].
    ///
    /// ```
    /// let towns = regrid::Grid::listed("name,latitude,longitude\nLondon,51.5,-0.1\nParis,48.9,2.4\n")?;
    /// assert_eq!(towns.centres(), [(51.5, -0.1), (48.9, 2.4)]);
    /// # Ok::<(), regrid::Error>(())
    /// ```
    pub fn listed(text: &str) -> Result<Self, Error> {
        let text = text.trim_start_matches('\u{feff}');
        let lines = text
            .lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line.trim()));
        let mut lines = lines
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(at, line)| (at, fields(line)))
            .peekable();
        let first = lines
            .peek()
            .map(|(_, fields)| fields.as_slice())
            .unwrap_or_default();
        let header = header(first);
        let columns = header.unwrap_or(Columns {
            latitude: 0,
            longitude: 1,
            name: None,
        });
        if header.is_some() {
            lines.next();
        }
        let (mut latitudes, mut longitudes, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for (line, fields) in lines {
            let number = |column: usize, what: &str| {
                let field = fields.get(column).map(String::as_str).unwrap_or_default();
                let number = field.parse::<f64>().ok().filter(|x| x.is_finite());
                number.ok_or_else(|| Error::PointsLine {
                    line,
                    reason: format!("{field:?} is no {what}"),
                })
            };
            let (latitude, longitude) = (
                number(columns.latitude, "latitude")?,
                number(columns.longitude, "longitude")?,
            );
            if latitude.abs() > 90.0 {
                let reason = format!("latitude {latitude} lies beyond a pole");
                return Err(Error::PointsLine { line, reason });
            }
            latitudes.push(latitude);
            longitudes.push(longitude);
            names.push(match (header, columns.name) {
                (Some(_), Some(name)) => fields.get(name).cloned().unwrap_or_default(),
                (Some(_), None) => String::new(),
                (None, _) => fields.get(2..).unwrap_or_default().join(" "),
            });
        }
        let grid = Self::points(latitudes, longitudes)?;
        if names.iter().all(String::is_empty) {
            return Ok(grid);
        }
        grid.with_names(names)
    }
}

/// What the fields of a first line say of the others, if they do.
fn header(fields: &[String]) -> Option<Columns> {
    let of = |names: &[&str]| {
        let known = |field: &String| names.contains(&field.to_ascii_lowercase().as_str());
        fields.iter().position(known)
    };
    Some(Columns {
        latitude: of(&["latitude", "lat", "y"])?,
        longitude: of(&["longitude", "lon", "lng", "long", "x"])?,
        name: of(&["name", "station", "station_name", "site", "id"]),
    })
}

/// The fields of a line, between whichever separator it has.
fn fields(line: &str) -> Vec<String> {
    let outside = |separator: char| {
        let mut quoted = false;
        line.chars().any(|c| {
            quoted ^= c == '"';
            c == separator && !quoted
        })
    };
    let separator = [',', ';', '\t'].into_iter().find(|&c| outside(c));
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        let ends = match separator {
            Some(separator) => c == separator,
            None => c.is_whitespace(),
        };
        match c {
            '"' => quoted = !quoted,
            _ if ends && !quoted => fields.push(String::new()),
            _ => fields
                .last_mut()
                .expect("there is one from the start")
                .push(c),
        }
    }
    let mut fields: Vec<String> = fields.iter().map(|field| field.trim().to_owned()).collect();
    if separator.is_none() {
        fields.retain(|field| !field.is_empty());
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::Layout;

    fn names(grid: &Grid) -> Option<Vec<String>> {
        match &grid.layout {
            Layout::Points { names, .. } => names.clone(),
            _ => None,
        }
    }

    #[test]
    fn separators_headers_and_names_in_any_manner() {
        let expected = [(51.5, -0.1), (-33.9, 151.2)];
        for text in [
            "51.5 -0.1\n-33.9 151.2",
            "# towns\n51.5,-0.1\n\n-33.9, 151.2\n",
            "lon;lat\n-0.1;51.5\n151.2;-33.9",
            "\u{feff}Latitude\tLongitude\r\n51.5\t-0.1\r\n-33.9\t151.2\r\n",
        ] {
            let grid = Grid::listed(text).unwrap();
            assert_eq!(grid.centres(), expected, "{text:?}");
            assert_eq!(names(&grid), None);
        }
        for text in [
            "51.5,-0.1,\"London, town\"\n-33.9,151.2,Sydney",
            "station,lat,lon\n\"London, town\",51.5,-0.1\nSydney,-33.9,151.2",
        ] {
            let grid = Grid::listed(text).unwrap();
            assert_eq!(grid.centres(), expected, "{text:?}");
            assert_eq!(names(&grid).unwrap(), ["London, town", "Sydney"]);
        }
        let grid = Grid::listed("51.5 -0.1 St Paul's\n-33.9 151.2 Sydney").unwrap();
        assert_eq!(names(&grid).unwrap(), ["St Paul's", "Sydney"]);
    }

    #[test]
    fn a_line_at_fault_is_told() {
        for (text, line, said) in [
            ("1 2\n3", 2, "longitude"),
            ("a,b\n1,2", 1, "latitude"),
            ("lat,lon\n1,2\n\n95,2", 4, "pole"),
            ("1 nan", 1, "longitude"),
        ] {
            match Grid::listed(text) {
                Err(Error::PointsLine { line: at, reason }) => {
                    assert!(
                        at == line && reason.contains(said),
                        "{text:?}: {at} {reason}"
                    );
                }
                other => panic!("{text:?}: {other:?}"),
            }
        }
        assert!(matches!(
            Grid::listed("# nothing\n"),
            Err(Error::EmptyAxis { .. })
        ));
    }
}
