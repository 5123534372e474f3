//! Between grids of any kind too, a result is the same to the bit however it is cut and computed; each time is what it is
//! by itself; the order of dimensions moves values and changes none.

mod fields;
#[allow(dead_code, reason = "other tests need more of the grids")]
mod layouts;
mod sources;

use delayed::Run;
use fields::noise;
use layouts::{Layout, any_layout, any_method, catalogue};
use ndarray::{ArrayD, Axis};
use proptest::prelude::*;
use regrid::{Error, Field, Fill, LazyField, Pole, Request, Values};
use sources::steps;

fn compute(field: &LazyField, threads: usize) -> Field {
    Run::new().threads(threads).compute(&field.whole()).unwrap()
}

/// The bits of values of any type, all NaN being one.
fn bits<'a>(values: impl IntoIterator<Item = &'a f64>) -> Vec<u64> {
    let bits = |x: &f64| if x.is_nan() { u64::MAX } else { x.to_bits() };
    values.into_iter().map(bits).collect()
}

fn doubles(field: &Field) -> ArrayD<f64> {
    field.values.to_f64().unwrap()
}

fn build(source: sources::MemoryFile, request: &Request) -> Result<LazyField, Error> {
    let fields = request.clone().params(["t"]).build(&catalogue(source))?;
    Ok(fields[0].clone())
}

/// A field (time, level, plane) with its dimensions in another order.
fn file(
    layout: &Layout,
    field: &ArrayD<f64>,
    order: &[usize],
    chunk: Option<&[usize]>,
    single: bool,
) -> sources::MemoryFile {
    let mut names = vec!["time", "level"];
    names.extend(layout.dimensions());
    let names: Vec<&str> = order.iter().map(|&d| names[d]).collect();
    let values = field
        .clone()
        .permuted_axes(order)
        .as_standard_layout()
        .into_owned();
    let values = if single {
        Values::F32(values.mapv(|x| x as f32))
    } else {
        Values::F64(values)
    };
    layout
        .file(&names, values, chunk)
        .with_axis(
            "time",
            "hours since 2000-01-01",
            &steps(0.0, 1.0, field.shape()[0]),
        )
        .with_axis("level", "hPa", &steps(1000.0, -100.0, field.shape()[1]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn changes_no_bit(
        source in any_layout(),
        target in any_layout(),
        method in any_method(),
        pole in prop::sample::select(vec![Pole::Mean, Pole::None, Pole::Nearest]),
        fill in prop::sample::select(vec![None, None, Some(Fill::InverseDistance), Some(Fill::Creep { levels: 2 })]),
        min_valid in prop_oneof![Just(0.0), Just(1.0), 0.1..0.9f64],
        missing in prop::sample::select(vec![0.0, 0.1, 0.4]),
        cut in (1_usize..6, 1_usize..6),
        storage in prop::collection::vec(1_usize..6, 4),
        order in Just(vec![0, 1, 2, 3]).prop_shuffle(),
        single in any::<bool>(),
        threads in 2_usize..4,
        seed in any::<u64>(),
    ) {
        let (times, levels) = (3, 2);
        let order: Vec<usize> = order.into_iter().filter(|&d| d < 2 + source.shape().len()).collect();
        let shape = [&[times, levels], source.shape().as_slice()].concat();
        let field = noise(&shape, seed, missing).mapv(f64::from);
        let natural: Vec<usize> = (0..shape.len()).collect();
        let mut request = Request::new(&target.grid()).method(method).pole(pole).min_valid(min_valid);
        if let Some(fill) = fill {
            request = request.fill(fill);
        }
        let whole = request.clone().chunk(usize::MAX, usize::MAX);
        let whole = match build(file(&source, &field, &natural, None, single), &whole) {
            Err(Error::Combination { .. }) => return Ok(()),
            whole => compute(&whole.unwrap(), 1),
        };
        let cut = request.clone().chunk(cut.0, cut.1);
        let cut = build(file(&source, &field, &order, Some(&storage[..order.len()]), single), &cut).unwrap();
        let cut = compute(&cut, threads);

        // Where each dimension of the whole is in the shuffled result.
        let place = |name: &str| cut.meta.dimensions.iter().position(|d| d.name == name).unwrap();
        let back: Vec<usize> = whole.meta.dimensions.iter().map(|d| place(&d.name)).collect();
        let ordered = doubles(&cut).permuted_axes(back);
        let values = doubles(&whole);
        prop_assert_eq!(ordered.shape(), values.shape());
        prop_assert_eq!(bits(&ordered), bits(&values));

        // The dimensions off the plane keep their order, and each plane is what it is by itself.
        let off_plane = |names: Vec<String>| -> Vec<String> {
            names.into_iter().filter(|n| n == "time" || n == "level").collect()
        };
        let names = |d: &[&str]| d.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
        let before: Vec<&str> = order.iter().map(|&d| ["time", "level", "", ""][d]).collect();
        let after = cut.meta.dimensions.iter().map(|d| d.name.clone()).collect();
        prop_assert_eq!(off_plane(after), off_plane(names(&before)));
        let (time, level) = (1, 1);
        let plane = field.index_axis(Axis(0), time).index_axis(Axis(0), level).to_owned();
        let plane = if single { Values::F32(plane.mapv(|x| x as f32)) } else { Values::F64(plane) };
        let alone = build(source.file(source.dimensions(), plane, None), &request).unwrap();
        let among = values.index_axis(Axis(0), time);
        let among = among.index_axis(Axis(0), level);
        prop_assert_eq!(bits(&among), bits(&doubles(&compute(&alone, 1))));
    }
}
