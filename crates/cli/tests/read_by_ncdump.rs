//! `ncdump`, which knows nothing of how outputs are made, reads them: at every kind of level, in whole chunks and in parts of
//! chunks at the edge, several fields, points, packed sources.

mod command;
mod sources;

use std::path::Path;
use std::process::Command;

use command::regrid;
use netcdf::{AttributeValue, Options};
use sources::{alone, noise};

/// A source of a field of noise and a packed one.
fn source(path: &Path) {
    noise(path, Options::NETCDF4, 3, 18, 36);
    let mut file = netcdf::append(path).unwrap();
    let mut packed = file
        .add_variable::<i16>("packed", &["time", "lat", "lon"])
        .unwrap();
    packed.set_chunking(&[3, 5, 7]).unwrap();
    packed.set_compression(4, true).unwrap();
    packed.set_fill_value(-999_i16).unwrap();
    packed.put_attribute("scale_factor", 0.01_f32).unwrap();
    packed.put_attribute("add_offset", 273.15_f32).unwrap();
    let values: Vec<i16> = (0..3 * 18 * 36)
        .map(|i| if i % 50 == 0 { -999 } else { i % 700 })
        .collect();
    packed.put_values(&values, ..).unwrap();
}

/// What `ncdump` prints; it has nothing to complain of.
fn ncdump(options: &[&str], path: &Path) -> String {
    let done = Command::new("ncdump").args(options).arg(path).output();
    let done = done.expect("scripts/setup.sh installs ncdump");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.is_empty(), "{path:?}: {said}");
    String::from_utf8(done.stdout).unwrap()
}

/// The values of a variable in what was printed; none where one is missing.
fn printed(text: &str, name: &str) -> Vec<Option<f64>> {
    let (_, rest) = text.split_once(&format!("\n {name} =")).unwrap();
    let (list, _) = rest.split_once(';').unwrap();
    let value = |word: &str| match word.trim() {
        "_" | "NaN" | "NaNf" => None,
        number => Some(number.parse().unwrap()),
    };
    list.split(',').map(value).collect()
}

/// Compares all values of an output with what is printed of it.
fn compare(path: &Path, context: &str) {
    let header = ncdump(&["-h", "-s"], path);
    for part in [":history = ", "Conventions", "packed:_FillValue"] {
        assert!(header.contains(part), "{context}: {part}: {header}");
    }
    let text = ncdump(&["-p", "9,17"], path);
    let file = netcdf::open(path).unwrap();
    for variable in file.variables() {
        let name = &variable.name();
        let fill = match variable.attribute_value("_FillValue") {
            Some(Ok(AttributeValue::Float(fill))) => fill.into(),
            Some(Ok(AttributeValue::Double(fill))) => fill,
            Some(other) => panic!("{context}: {other:?}"),
            None => f64::NAN,
        };
        let values: Vec<f64> = variable.get_values(..).unwrap();
        let found = printed(&text, name);
        assert_eq!(values.len(), found.len(), "{context}: {name}");
        for (value, found) in values.into_iter().zip(found) {
            let same = match found {
                None => value == fill || value.is_nan(),
                // Nine digits tell one single-precision number from another.
                Some(found) => value != fill && (value - found).abs() <= 1e-8 * value.abs(),
            };
            assert!(same, "{context}: {name}: {value} and {found:?}");
        }
    }
}

#[test]
fn outputs_of_every_kind() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let [input, output] = ["in.nc", "out.nc"].map(|name| folder.path().join(name));
    source(&input);
    for words in [
        "--grid 9 --deflate 0",
        "--grid 9",
        "--grid 9 --deflate 9",
        "--grid 9 --deflate 0 --chunk 7x11",
        "--grid 9 --chunk 7x11",
        "--grid 9 --deflate 9 --chunk 7x11",
        "--lat=-40:40:10 --lon=170:190:2.5 --chunk 4x4",
        "--points 51.5,-0.1/48.9,2.4/-33.9,151.2",
        "--points 51.5,-0.1/48.9,2.4/-33.9,151.2 --deflate 9",
        "--grid 9 --method area-weighted -j 1",
    ] {
        let done = regrid()
            .arg(&input)
            .arg("-o")
            .arg(&output)
            .args(["--force", "--quiet"])
            .args(words.split(' '))
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{words}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        compare(&output, words);
    }
}
