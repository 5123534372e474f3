//! How fast do libdeflate and ISA-L compress and decompress chunks of fields, at each level, and how small do they become?
//!
//! ```text
//! cargo bench -p benches --bench codecs [-- DATA...] [--runs N]
//! ```
//! One thread, chunks of one step of 361 x 720 cells, shuffled as HDF5 does it. Millions of bytes of values a second, the median of some
//! runs in turns; the size is the part that is left. Every stream is decompressed by both before the clock runs. Codecs as the libraries
//! have them: what the crate does beside, storing what is noise, is not in it. Without ISA-L its rows and its column are left out.

use std::hint::black_box;

use anyhow::{Context, ensure};
use benches::igzip::Igzip;
use benches::memory::{pack, weather};
use benches::plain::Packing;
use benches::stopwatch::in_turns;
use libdeflater::{CompressionLvl, Compressor, Decompressor};
use regrid::{Grid, Method, Regridder};

const STEPS: usize = 8;

/// One kind of data: its chunks, shuffled.
struct Data {
    name: &'static str,
    chunks: Vec<Vec<u8>>,
}

enum Codec {
    Libdeflate(Compressor),
    Isal(Igzip),
}

impl Codec {
    fn deflate(&mut self, bytes: &[u8], out: &mut [u8]) -> anyhow::Result<usize> {
        match self {
            Self::Libdeflate(codec) => Ok(codec.zlib_compress(bytes, out)?),
            Self::Isal(codec) => codec.deflate(bytes, out).context("no room"),
        }
    }
}

fn main() -> anyhow::Result<()> {
    let mut only: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let mut runs = 5;
    if let Some(at) = only.iter().position(|a| a == "--runs") {
        runs = only.get(at + 1).context("a number")?.parse()?;
        only.drain(at..=at + 1);
    }
    for data in all_data()? {
        if only.is_empty() || only.iter().any(|o| data.name.contains(o.as_str())) {
            report(&data, runs)?;
        }
    }
    Ok(())
}

fn report(data: &Data, runs: usize) -> anyhow::Result<()> {
    let bytes: usize = data.chunks.iter().map(Vec::len).sum();
    let longest = data.chunks.iter().map(Vec::len).max().unwrap_or_default();
    let mut codecs = Vec::new();
    for level in 1..=9 {
        let known = CompressionLvl::new(level).ok().context("a level")?;
        codecs.push((
            format!("libdeflate {level}"),
            Codec::Libdeflate(Compressor::new(known)),
        ));
    }
    for level in 0..4 {
        if let Some(codec) = Igzip::new(level) {
            codecs.push((format!("ISA-L {level}"), Codec::Isal(codec)));
        }
    }
    let mut isal = Igzip::new(0);
    let mut libdeflate = Decompressor::new();

    // The answers first.
    let mut streams: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut room = vec![0; 2 * longest + 1024];
    let mut out = vec![0; longest];
    for (name, codec) in &mut codecs {
        let mut made = Vec::new();
        for chunk in &data.chunks {
            let len = codec.deflate(chunk, &mut room)?;
            let stream = room[..len].to_vec();
            let out = &mut out[..chunk.len()];
            out.fill(0);
            ensure!(
                libdeflate.zlib_decompress(&stream, out)? == chunk.len() && out == chunk,
                "{name}: libdeflate reads something else"
            );
            if let Some(isal) = &mut isal {
                out.fill(0);
                ensure!(
                    isal.inflate(&stream, out) == Some(chunk.len()) && out == chunk,
                    "{name}: ISA-L reads something else"
                );
            }
            made.push(stream);
        }
        streams.push(made);
    }

    let sizes: Vec<f64> = streams
        .iter()
        .map(|made| made.iter().map(Vec::len).sum::<usize>() as f64 / bytes as f64)
        .collect();
    let names: Vec<String> = codecs.iter().map(|(name, _)| name.clone()).collect();
    let rate = |[median, _]: [std::time::Duration; 2]| bytes as f64 / median.as_secs_f64() / 1e6;

    let mut works: Vec<Box<dyn FnMut()>> = Vec::new();
    for (_, codec) in &mut codecs {
        let mut room = vec![0; 2 * longest + 1024];
        works.push(Box::new(move || {
            for chunk in &data.chunks {
                black_box(codec.deflate(chunk, &mut room).expect("it did before"));
            }
        }));
    }
    let deflate = in_turns(runs, &mut works);
    drop(works);

    let out = std::cell::RefCell::new(out);
    let libdeflate = std::cell::RefCell::new(libdeflate);
    let mut works: Vec<Box<dyn FnMut()>> = Vec::new();
    for made in &streams {
        works.push(Box::new(|| {
            for (stream, chunk) in made.iter().zip(&data.chunks) {
                let out = &mut out.borrow_mut()[..chunk.len()];
                let mut libdeflate = libdeflate.borrow_mut();
                black_box(libdeflate.zlib_decompress(stream, out)).expect("it did before");
            }
        }));
    }
    let by_libdeflate = in_turns(runs, &mut works);
    drop(works);

    let by_isal = isal.map(|isal| {
        let isal = std::cell::RefCell::new(isal);
        let mut works: Vec<Box<dyn FnMut()>> = Vec::new();
        for made in &streams {
            works.push(Box::new(|| {
                for (stream, chunk) in made.iter().zip(&data.chunks) {
                    let out = &mut out.borrow_mut()[..chunk.len()];
                    black_box(isal.borrow_mut().inflate(stream, out));
                }
            }));
        }
        in_turns(runs, &mut works)
    });

    println!("\n{}, {:.1} MB\n", data.name, bytes as f64 / 1e6);
    print!("| codec, level | deflate | size | inflate, libdeflate |");
    println!("{}", by_isal.as_ref().map_or("", |_| " inflate, ISA-L |"));
    println!("{}|", "| --- ".repeat(4 + usize::from(by_isal.is_some())));
    for (i, name) in names.iter().enumerate() {
        print!(
            "| {name} | {:.0} | {:.3} | {:.0} |",
            rate(deflate[i]),
            sizes[i],
            rate(by_libdeflate[i])
        );
        match &by_isal {
            Some(times) => println!(" {:.0} |", rate(times[i])),
            None => println!(),
        }
    }
    Ok(())
}

/// Fields of several kinds, the same ones every time.
fn all_data() -> anyhow::Result<Vec<Data>> {
    let globe = Grid::regular(-90.0..=90.0, 0.25, 0.0..=359.75, 0.25)?;
    let half = Grid::named("r720x361")?;
    let (rows, columns) = half.shape();
    let plane = rows * columns;
    let source = weather(STEPS, &globe);
    let mut result = vec![0.0_f32; STEPS * plane];
    Regridder::new(&globe, &half, Method::Linear)?.apply_to(&source, &mut result)?;

    // The constants of Knuth's MMIX generator.
    let mut seed = 2017_u64;
    let mut noise = move || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 11) as f64 / (1_u64 << 53) as f64
    };
    let land = |i: usize| {
        let (row, column) = ((i / columns) % rows, i % columns);
        let wave = |x: usize, length: f64| (x as f64 / length).sin();
        wave(row, 23.0) + wave(column, 41.0) + wave(row + column, 17.0) > 0.6
    };
    let smooth = |i: usize| {
        let (step, row, column) = (i / plane, (i / columns) % rows, i % columns);
        let (y, x) = (row as f64 / rows as f64, column as f64 / columns as f64);
        let turn = std::f64::consts::TAU;
        273.0
            + 30.0 * (turn * y / 2.0).sin()
            + 6.0 * (turn * (3.0 * x + 0.01 * step as f64)).sin() * (turn * y).cos()
    };
    let all = 0..STEPS * plane;
    let rough: Vec<f32> = all.clone().map(|i| (smooth(i) + noise()) as f32).collect();
    let sea: Vec<f32> = all
        .clone()
        .map(|i| {
            // As satellites have it, to a hundredth.
            let to_hundredths = ((smooth(i) + 0.3 * noise()) * 100.0).round() / 100.0;
            if land(i) { 1e20 } else { to_hundredths as f32 }
        })
        .collect();
    let ocean: Vec<f64> = all
        .clone()
        .map(|i| match land(i) {
            true => 1e20,
            false => f64::from((smooth(i) + 0.1 * noise()) as f32),
        })
        .collect();
    let doubles: Vec<f64> = all.clone().map(smooth).collect();
    let packing = Packing {
        factor: 0.005,
        offset: 270.0,
        missing: -32767,
    };
    let packed = pack(&rough, packing);

    let chunks = |bytes: Vec<u8>, size: usize| -> Vec<Vec<u8>> {
        bytes
            .chunks_exact(plane * size)
            .map(|chunk| shuffled(chunk, size))
            .collect()
    };
    let floats = |values: &[f32]| -> Vec<Vec<u8>> {
        chunks(values.iter().flat_map(|x| x.to_le_bytes()).collect(), 4)
    };
    let wide = |values: &[f64]| -> Vec<Vec<u8>> {
        chunks(values.iter().flat_map(|x| x.to_le_bytes()).collect(), 8)
    };
    let data = |name, chunks| Data { name, chunks };
    Ok(vec![
        data("J1's result, float32", floats(&result)),
        data("noise in every bit below a kelvin, float32", floats(&rough)),
        data("sea surface with land, hundredths, float32", floats(&sea)),
        data("packed, 16 bits", {
            chunks(packed.iter().flat_map(|x| x.to_le_bytes()).collect(), 2)
        }),
        data("ocean with land, 32-bit floats as float64", wide(&ocean)),
        data("smooth, float64", wide(&doubles)),
    ])
}

/// First bytes first, as HDF5's shuffle filter has them.
fn shuffled(bytes: &[u8], size: usize) -> Vec<u8> {
    (0..size)
        .flat_map(|byte| bytes[byte..].iter().step_by(size).copied())
        .collect()
}
