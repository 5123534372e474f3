//! Grids of every kind, as they stand in files.

use std::sync::Arc;

use delayed::Run;
use ndarray::{ArrayD, IxDyn};
use proptest::prelude::*;
use regrid::{
    AttributeValue, Catalogue, DataType, Error, Field, Grid, Method, Request, RotatedPole,
    SourceFile, Values,
};

use crate::sources::MemoryFile;

/// Centres along one coordinate, and the cells' bounds where the file has them.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    pub(crate) centres: Vec<f64>,
    pub(crate) bounds: Option<Vec<[f64; 2]>>,
}

/// The coordinates of a grid.
#[derive(Debug, Clone)]
pub(crate) enum Layout {
    Rectilinear {
        latitudes: Axis,
        longitudes: Axis,
    },
    Rotated {
        pole: RotatedPole,
        latitudes: Axis,
        longitudes: Axis,
    },
    Projected {
        mapping: &'static str,
        y: Vec<f64>,
        x: Vec<f64>,
    },
    Curvilinear {
        shape: [usize; 2],
        latitudes: Vec<f64>,
        longitudes: Vec<f64>,
        corners: Option<[Vec<f64>; 2]>,
    },
    Points {
        latitudes: Vec<f64>,
        longitudes: Vec<f64>,
    },
}

impl Axis {
    /// Cells between edges, with their bounds or without.
    pub(crate) fn between(edges: &[f64], with_bounds: bool) -> Self {
        let bounds: Vec<[f64; 2]> = edges.windows(2).map(|e| [e[0], e[1]]).collect();
        Self {
            centres: bounds.iter().map(|b| (b[0] + b[1]) / 2.0).collect(),
            bounds: with_bounds.then_some(bounds),
        }
    }

    /// The same cells from the other end.
    pub(crate) fn reversed(&self) -> Self {
        let turned = |b: &[f64; 2]| [b[1], b[0]];
        Self {
            centres: self.centres.iter().rev().copied().collect(),
            bounds: self
                .bounds
                .as_ref()
                .map(|b| b.iter().rev().map(turned).collect()),
        }
    }

    /// The same cells, each so much further on.
    pub(crate) fn shifted(&self, by: impl Fn(usize) -> f64) -> Self {
        let shifted = |(i, b): (usize, &[f64; 2])| b.map(|x| x + by(i));
        Self {
            centres: self
                .centres
                .iter()
                .enumerate()
                .map(|(i, c)| c + by(i))
                .collect(),
            bounds: self
                .bounds
                .as_ref()
                .map(|b| b.iter().enumerate().map(shifted).collect()),
        }
    }

    fn write(
        &self,
        file: MemoryFile,
        name: &str,
        attributes: &[(&str, AttributeValue)],
    ) -> MemoryFile {
        let n = self.centres.len();
        let mut attributes = attributes.to_vec();
        let bounds_name = format!("{name}_bnds");
        if self.bounds.is_some() {
            attributes.push(("bounds", bounds_name.as_str().into()));
        }
        let file = file.with(
            name,
            &[name],
            doubles(&[n], self.centres.clone()),
            None,
            &attributes,
        );
        match &self.bounds {
            Some(bounds) => file.with(
                &bounds_name,
                &[name, "two"],
                doubles(&[n, 2], bounds.concat()),
                None,
                &[],
            ),
            None => file,
        }
    }
}

pub(crate) fn doubles(shape: &[usize], values: Vec<f64>) -> Values {
    Values::F64(ArrayD::from_shape_vec(IxDyn(shape), values).unwrap())
}

impl Layout {
    /// The names of the horizontal dimensions.
    pub(crate) fn dimensions(&self) -> &'static [&'static str] {
        match self {
            Self::Rectilinear { .. } => &["lat", "lon"],
            Self::Points { .. } => &["station"],
            _ => &["y", "x"],
        }
    }

    pub(crate) fn shape(&self) -> Vec<usize> {
        match self {
            Self::Rectilinear {
                latitudes,
                longitudes,
            }
            | Self::Rotated {
                latitudes,
                longitudes,
                ..
            } => vec![latitudes.centres.len(), longitudes.centres.len()],
            Self::Projected { y, x, .. } => vec![y.len(), x.len()],
            Self::Curvilinear { shape, .. } => shape.to_vec(),
            Self::Points { latitudes, .. } => vec![latitudes.len()],
        }
    }

    pub(crate) fn cells(&self) -> usize {
        self.shape().iter().product()
    }

    pub(crate) fn is_list(&self) -> bool {
        matches!(self, Self::Points { .. })
    }

    /// Writes the coordinates, and a variable `t` along some dimensions.
    pub(crate) fn file(
        &self,
        dimensions: &[&str],
        values: Values,
        chunk: Option<&[usize]>,
    ) -> MemoryFile {
        let file = MemoryFile::new("memory.nc");
        let north = [("units", "degrees_north".into())];
        let east = [("units", "degrees_east".into())];
        let [y, x] = match self.dimensions() {
            &[y, x] => [y, x],
            _ => ["", "station"],
        };
        let standard = |name: &str, units: &str| {
            [
                ("standard_name", AttributeValue::from(name)),
                ("units", units.into()),
            ]
        };
        let number = |x: f64| AttributeValue::F64(vec![x]);
        let (file, attributes): (_, Vec<(&str, AttributeValue)>) = match self {
            Self::Rectilinear {
                latitudes,
                longitudes,
            } => {
                let file = latitudes.write(file, y, &north);
                (longitudes.write(file, x, &east), vec![])
            }
            Self::Rotated {
                pole,
                latitudes,
                longitudes,
            } => {
                let file = latitudes.write(file, y, &standard("grid_latitude", "degrees"));
                let file = longitudes.write(file, x, &standard("grid_longitude", "degrees"));
                let mapping = [
                    ("grid_mapping_name", "rotated_latitude_longitude".into()),
                    ("grid_north_pole_latitude", number(pole.latitude)),
                    ("grid_north_pole_longitude", number(pole.longitude)),
                    (
                        "north_pole_grid_longitude",
                        number(pole.north_pole_longitude),
                    ),
                ];
                (
                    file.with("crs", &[], doubles(&[], vec![0.0]), None, &mapping),
                    vec![("grid_mapping", "crs".into())],
                )
            }
            Self::Projected {
                mapping,
                y: ys,
                x: xs,
            } => {
                let axis = |centres: &[f64]| Axis {
                    centres: centres.to_vec(),
                    bounds: None,
                };
                let file = axis(ys).write(file, y, &standard("projection_y_coordinate", "m"));
                let file = axis(xs).write(file, x, &standard("projection_x_coordinate", "m"));
                let mapping = [
                    ("grid_mapping_name", (*mapping).into()),
                    ("latitude_of_projection_origin", number(90.0)),
                    ("longitude_of_projection_origin", number(10.0)),
                    ("straight_vertical_longitude_from_pole", number(10.0)),
                    ("standard_parallel", number(70.0)),
                ];
                (
                    file.with("crs", &[], doubles(&[], vec![0.0]), None, &mapping),
                    vec![("grid_mapping", "crs".into())],
                )
            }
            Self::Curvilinear {
                shape,
                latitudes,
                longitudes,
                corners,
            } => {
                let mut file = file;
                let coordinates = [
                    ("nav_lat", latitudes, "degrees_north"),
                    ("nav_lon", longitudes, "degrees_east"),
                ];
                for (at, (name, values, units)) in coordinates.into_iter().enumerate() {
                    let bounds = format!("{name}_bnds");
                    let mut attributes = vec![("units", AttributeValue::from(units))];
                    if corners.is_some() {
                        attributes.push(("bounds", bounds.as_str().into()));
                    }
                    file = file.with(
                        name,
                        &[y, x],
                        doubles(shape, values.clone()),
                        None,
                        &attributes,
                    );
                    if let Some(corners) = corners {
                        let shape = [shape[0], shape[1], 4];
                        file = file.with(
                            &bounds,
                            &[y, x, "four"],
                            doubles(&shape, corners[at].clone()),
                            None,
                            &[],
                        );
                    }
                }
                (file, vec![("coordinates", "nav_lat nav_lon".into())])
            }
            Self::Points {
                latitudes,
                longitudes,
            } => {
                let n = latitudes.len();
                let file = file.with("lat", &[x], doubles(&[n], latitudes.clone()), None, &north);
                let file = file.with("lon", &[x], doubles(&[n], longitudes.clone()), None, &east);
                (file, vec![("coordinates", "lat lon".into())])
            }
        };
        file.with("t", dimensions, values, chunk, &attributes)
    }

    /// A catalogue of a file with one field on the horizontal dimensions alone.
    pub(crate) fn catalogue(&self, values: Vec<f64>) -> Catalogue {
        catalogue(self.file(self.dimensions(), doubles(&self.shape(), values), None))
    }

    /// The grid that is read of the file.
    pub(crate) fn grid(&self) -> Grid {
        let catalogue = self.catalogue(vec![0.0; self.cells()]);
        catalogue.variable("t").unwrap().grid().clone()
    }
}

pub(crate) fn catalogue(file: MemoryFile) -> Catalogue {
    Catalogue::from_files(vec![Arc::new(file) as Arc<dyn SourceFile>]).unwrap()
}

/// The values of one field, regridded.
pub(crate) fn regrid(source: &Catalogue, request: &Request) -> Result<Vec<f64>, Error> {
    Ok(numbers(&field(source, request)?))
}

pub(crate) fn field(source: &Catalogue, request: &Request) -> Result<Field, Error> {
    let fields = request.clone().params(["t"]).build(source)?;
    Ok(Run::new().threads(1).compute(&fields[0].whole())?)
}

/// Values as doubles, missing ones NaN.
pub(crate) fn numbers(field: &Field) -> Vec<f64> {
    let fill = match (&field.meta.fill_value, field.values.data_type()) {
        (_, DataType::F32 | DataType::F64) => f64::NAN,
        (AttributeValue::I32(fill), _) => f64::from(fill[0]),
        (other, _) => panic!("no test has integers like {other:?}"),
    };
    let values = field.values.to_f64().unwrap();
    values
        .iter()
        .map(|&x| if x == fill { f64::NAN } else { x })
        .collect()
}

/// The numbers of a seed, from 0 to 1.
pub(crate) fn random(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Doubles of reproducible noise, a share of them missing.
pub(crate) fn values(n: usize, seed: u64, missing: f64) -> Vec<f64> {
    let mut next = random(seed);
    (0..n)
        .map(|_| {
            let value = 250.0 + 50.0 * next();
            if next() < missing { f64::NAN } else { value }
        })
        .collect()
}

/// Edges that cut a stretch into `n` uneven cells.
fn edges(from: f64, to: f64, n: usize, unevenness: f64, seed: u64) -> Vec<f64> {
    let mut next = random(seed);
    let step = (to - from) / n as f64;
    (0..=n)
        .map(|i| match i {
            0 => from,
            _ if i == n => to,
            _ => from + step * (i as f64 + unevenness * (next() - 0.5)),
        })
        .collect()
}

/// Latitudes: global or of a band, even or uneven, either way round, with bounds or without.
pub(crate) fn latitudes() -> impl Strategy<Value = Axis> {
    let band = prop_oneof![
        Just((-90.0, 90.0)),
        (-85.0..40.0f64, 10.0..45.0f64).prop_map(|(south, height)| (south, south + height))
    ];
    (
        band,
        2..9_usize,
        0.0..0.7f64,
        any::<(u64, bool, bool, bool)>(),
    )
        .prop_map(|((south, north), n, uneven, (seed, even, bounds, falls))| {
            let uneven = if even { 0.0 } else { uneven };
            let axis = Axis::between(&edges(south, north, n, uneven, seed), bounds);
            if falls { axis.reversed() } else { axis }
        })
}

/// Longitudes that go round, from anywhere on, in any range of numbers.
pub(crate) fn round() -> impl Strategy<Value = Axis> {
    (
        3..14_usize,
        -400.0..400.0f64,
        0.0..0.7f64,
        any::<(u64, bool, bool)>(),
        0..3_u8,
    )
        .prop_map(|(n, west, uneven, (seed, bounds, falls), range)| {
            // Only bounds tell that uneven columns go round.
            let uneven = if bounds { uneven } else { 0.0 };
            let axis = Axis::between(&edges(west, west + 360.0, n, uneven, seed), bounds);
            let axis = if falls { axis.reversed() } else { axis };
            in_range(&axis, range)
        })
}

/// Longitudes of a part of the globe.
pub(crate) fn part() -> impl Strategy<Value = Axis> {
    (
        2..10_usize,
        -400.0..400.0f64,
        5.0..170.0f64,
        0.0..0.7f64,
        any::<(u64, bool, bool)>(),
        0..3_u8,
    )
        .prop_map(|(n, west, width, uneven, (seed, bounds, falls), range)| {
            let axis = Axis::between(&edges(west, west + width, n, uneven, seed), bounds);
            let axis = if falls { axis.reversed() } else { axis };
            in_range(&axis, range)
        })
}

/// Longitudes as they are, from 0 to 360, or from -180 to 180, with a jump wherever that falls.
fn in_range(axis: &Axis, range: u8) -> Axis {
    let low = match range {
        // Nothing tells which way round two columns lie.
        _ if axis.centres.len() < 3 => return axis.clone(),
        0 => return axis.clone(),
        1 => 0.0,
        _ => -180.0,
    };
    axis.shifted(|i| -360.0 * ((axis.centres[i] - low) / 360.0).floor())
}

pub(crate) fn longitudes() -> impl Strategy<Value = Axis> {
    prop_oneof![round(), part()]
}

pub(crate) fn rectilinear() -> impl Strategy<Value = Layout> {
    (latitudes(), longitudes()).prop_map(|(latitudes, longitudes)| Layout::Rectilinear {
        latitudes,
        longitudes,
    })
}

/// The whole globe by rows and columns.
pub(crate) fn globe() -> impl Strategy<Value = Layout> {
    (2..9_usize, 0.0..0.7f64, any::<(u64, bool)>(), round()).prop_map(
        |(n, uneven, (seed, falls), longitudes)| {
            let latitudes = Axis::between(&edges(-90.0, 90.0, n, uneven, seed), true);
            Layout::Rectilinear {
                latitudes: if falls {
                    latitudes.reversed()
                } else {
                    latitudes
                },
                longitudes,
            }
        },
    )
}

fn pole() -> impl Strategy<Value = RotatedPole> {
    (-90.0..90.0f64, -180.0..180.0f64, -180.0..180.0f64).prop_map(|(latitude, longitude, own)| {
        RotatedPole {
            latitude,
            longitude,
            north_pole_longitude: own,
        }
    })
}

pub(crate) fn rotated() -> impl Strategy<Value = Layout> {
    (pole(), latitudes(), longitudes()).prop_map(|(pole, latitudes, longitudes)| Layout::Rotated {
        pole,
        latitudes,
        longitudes,
    })
}

pub(crate) fn projected() -> impl Strategy<Value = Layout> {
    let axis = || {
        (
            2..9_usize,
            -3e6..1e6f64,
            5e5..4e6f64,
            0.0..0.7f64,
            any::<(u64, bool)>(),
        )
            .prop_map(|(n, from, width, uneven, (seed, falls))| {
                let axis = Axis::between(&edges(from, from + width, n, uneven, seed), false);
                if falls {
                    axis.reversed().centres
                } else {
                    axis.centres
                }
            })
    };
    let mapping = prop::sample::select(vec!["polar_stereographic", "lambert_azimuthal_equal_area"]);
    (mapping, axis(), axis()).prop_map(|(mapping, y, x)| Layout::Projected { mapping, y, x })
}

/// A mesh of quadrilaterals: rows and columns about a pole of their own, told cell by cell.
pub(crate) fn curvilinear() -> impl Strategy<Value = Layout> {
    let axes = prop_oneof![
        (2..7_usize, 2..8_usize, 10.0..50.0f64, 10.0..100.0f64),
        (3..7_usize, 6..12_usize, Just(180.0), Just(360.0)),
    ];
    let with_corners = any::<bool>();
    (pole(), axes, any::<u64>(), with_corners)
        .prop_map(|(pole, axes, seed, corners)| mesh(pole, axes, seed, corners))
}

/// The same all round the globe, with corners.
pub(crate) fn mesh_globe() -> impl Strategy<Value = Layout> {
    (pole(), 3..7_usize, 6..12_usize, any::<u64>()).prop_map(|(pole, rows, columns, seed)| {
        mesh(pole, (rows, columns, 180.0, 360.0), seed, true)
    })
}

fn mesh(
    pole: RotatedPole,
    (rows, columns, height, width): (usize, usize, f64, f64),
    seed: u64,
    corners: bool,
) -> Layout {
    let y = edges(-height / 2.0, height / 2.0, rows, 0.3, seed);
    let x = edges(-width / 2.0, width / 2.0, columns, 0.3, seed ^ 1);
    let middle = |e: &[f64], i: usize| (e[i] + e[i + 1]) / 2.0;
    let cells = || (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c)));
    let (latitudes, longitudes) = cells()
        .map(|(r, c)| pole.to_geographic(middle(&y, r), middle(&x, c)))
        .unzip();
    let around = |(r, c)| [(r, c), (r, c + 1), (r + 1, c + 1), (r + 1, c)];
    let corners = corners.then(|| {
        let corners = cells().flat_map(around);
        let (latitudes, longitudes) = corners.map(|(r, c)| pole.to_geographic(y[r], x[c])).unzip();
        [latitudes, longitudes]
    });
    Layout::Curvilinear {
        shape: [rows, columns],
        latitudes,
        longitudes,
        corners,
    }
}

pub(crate) fn points() -> impl Strategy<Value = Layout> {
    prop::collection::vec((-1.0..1.0f64, -400.0..400.0f64), 1..40).prop_map(|places| {
        let (latitudes, longitudes) = places
            .into_iter()
            .map(|(sin, longitude)| (sin.asin().to_degrees(), longitude))
            .unzip();
        Layout::Points {
            latitudes,
            longitudes,
        }
    })
}

/// Any kind of grid.
pub(crate) fn any_layout() -> impl Strategy<Value = Layout> {
    prop_oneof![
        2 => rectilinear(),
        1 => rotated(),
        1 => projected(),
        1 => curvilinear(),
        1 => points(),
    ]
}

pub(crate) fn any_method() -> impl Strategy<Value = Method> {
    let all: Vec<Method> = Method::NAMES.iter().map(|&(_, method)| method).collect();
    prop::sample::select(all)
}
