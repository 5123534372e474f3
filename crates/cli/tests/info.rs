//! `regrid info` says what is in a file: the whole text.

mod command;

use std::path::Path;

use command::{data, regrid};

fn info(folder: &Path, file: &str) -> String {
    let done = regrid()
        .current_dir(folder)
        .args(["info", file])
        .output()
        .unwrap();
    assert!(done.status.success());
    assert_eq!(String::from_utf8_lossy(&done.stderr), "");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn a_regional_field_with_its_companions() {
    let folder = data("season").parent().unwrap().to_owned();
    let expected = "\
file    A1B_north_america.nc
format  netCDF-4 (HDF5)
size    1.8 MB

air_temperature
  standard name  air_temperature
  units          K
  type           float
  dimensions     time 240, latitude 37, longitude 49
  grid           37 x 49, latitude 15 to 60, longitude 225 to 315
  spacing        latitude 1.25, longitude 1.875
  reach          regional
  times          240 steps, 1860-06-01T00:00:00 to 2099-06-01T00:00:00, 360_day calendar
  storage        chunks of 1 x 37 x 49

Other variables:
  latitude_longitude       int
  time                     double  time 240  [hours since 1970-01-01 00:00:00]
  time_bnds                double  time 240, bnds 2
  latitude                 float  latitude 37  [degrees_north]
  longitude                float  longitude 49  [degrees_east]
  forecast_period          int  time 240  [hours]
  forecast_reference_time  double  [hours since 1970-01-01 00:00:00]
  height                   double  [m]
";
    assert_eq!(info(&folder, "A1B_north_america.nc"), expected);
}

#[test]
fn files_of_one_season_are_one_field() {
    let folder = data("season").parent().unwrap().to_owned();
    let text = info(&folder, "season");
    for line in [
        "files   6",
        "first   season/season_2011-08.nc",
        "last    season/season_2012-01.nc",
        "surface_upwelling_longwave_flux",
        "  dimensions     time 6, latitude 145, longitude 192",
        "  reach          global",
        "  times          6 steps, 2011-08-16T12:00:00 to 2012-01-16T12:00:00, standard calendar",
        "  files          6",
    ] {
        assert!(text.lines().any(|l| l == line), "{line:?} not in\n{text}");
    }
}

#[test]
fn grids_of_other_kinds() {
    let folder = data("rotated_pole.nc").parent().unwrap().to_owned();
    for (file, lines) in [
        (
            "rotated_pole.nc",
            &[
                "  grid           22 x 36, about a pole at 37.5 north, 177.5 east, latitude -22.49 to 23.71, longitude 313.01999 to 390.01999",
                "  spacing        latitude 2.2, longitude 2.2",
                "  reach          regional",
            ][..],
        ),
        (
            "orca2_votemper.nc",
            &[
                "  grid           148 x 180, curvilinear, latitude -78.19058 to 89.6139",
                "  corners        given",
            ],
        ),
    ] {
        let text = info(&folder, file);
        for line in lines {
            assert!(text.lines().any(|l| l == *line), "{line:?} not in\n{text}");
        }
    }
}

#[test]
fn patterns_name_the_files_they_match() {
    let season = data("season");
    let count = |pattern: &str| {
        let done = regrid()
            .arg("info")
            .arg(season.join(pattern))
            .output()
            .unwrap();
        let text = String::from_utf8(done.stdout).unwrap();
        (done.status.success(), text.matches(".nc").count())
    };
    let (ok, files) = count("season_2011-*.nc");
    assert!(ok && files > 0, "{files}");
    let nothing = regrid()
        .arg("info")
        .arg(season.join("*.grib"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&nothing.stderr);
    assert!(
        !nothing.status.success() && said.contains("no file matches"),
        "{said}"
    );
}
