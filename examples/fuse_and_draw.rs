//! What do fusing, order and measured time look like?
//!
//! ```text
//! cargo run --release -p examples --example fuse_and_draw [FOLDER]
//! ```
//! Writes the pictures of `docs/graphs.md` into `FOLDER` (without one, beside what cargo builds) and prints what `explain` and `lint`
//! say of the graphs in them.

use std::{env, path::PathBuf, sync::Arc};

use delayed::{
    Colour, Delayed, Graph, Passes, Profile, Run, Scheduler, apply, compute, delayed, value,
};

const CELLS: usize = 40_000;
const BYTES: u64 = 8 * CELLS as u64;

/// Each field is read, cut into tiles, each tile regridded, and the tiles of all fields joined.
fn regrid(fields: usize, tiles: usize) -> Delayed<f64> {
    let weights = value(Arc::new([0.5, 0.25])).named("weights");
    let joined: Vec<Delayed<f64>> = (0..fields)
        .map(|field| {
            let open = delayed(move || field as f64)
                .named(("open", field))
                .group("open")
                .bytes(64);
            let read = open
                .map(|x| vec![*x; CELLS])
                .named(("read", field))
                .group("read")
                .bytes(BYTES);
            let tiles: Vec<_> = (0..tiles)
                .map(|tile| {
                    apply((&read, &weights), move |(cells, weights)| {
                        smooth(cells, weights, 2 + tile)
                    })
                    .named(format!(
                        "regrid field {field} [{}..{}, 0..100]",
                        tile * 100,
                        (tile + 1) * 100
                    ))
                    .group("regrid")
                    .bytes(BYTES / 2)
                })
                .collect();
            apply(tiles, |tiles| {
                tiles.into_iter().map(|tile| tile[0]).sum::<f64>()
            })
            .named(("join", field))
            .group("join")
            .bytes(8)
        })
        .collect();
    apply(joined, |joined| joined.into_iter().sum::<f64>())
        .named("mean")
        .bytes(8)
}

/// The longer the more `rounds`.
fn smooth(cells: &[f64], weights: &[f64; 2], rounds: usize) -> Vec<f64> {
    let mut cells = cells.to_vec();
    for _ in 0..rounds {
        for i in 1..cells.len() {
            cells[i] = weights[0] * cells[i] + weights[1] * cells[i - 1];
        }
    }
    cells
}

fn main() -> anyhow::Result<()> {
    let folder = match env::args_os().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => examples::output_folder("fuse_and_draw")?,
    };
    let mean = regrid(2, 3);
    let graph = Graph::of(&mean);
    graph.write_svg(folder.join("groups.svg"))?;
    graph
        .svg()
        .colour(Colour::Order)
        .write(folder.join("order.svg"))?;
    graph
        .svg()
        .colour(Colour::Bytes)
        .write(folder.join("bytes.svg"))?;
    graph
        .optimize(Passes::default())
        .write_svg(folder.join("fused.svg"))?;
    println!("{}", graph.explain());

    // Ten thousand tiles are too many to draw one by one.
    let many = Graph::of(regrid(100, 100));
    many.write_svg(folder.join("synopsis.svg"))?;
    println!("{}", many.explain());

    let profile = Profile::new();
    let value = Run::new().observe(profile.clone()).compute(&mean)?;
    graph
        .svg()
        .colour(Colour::Time(profile.clone()))
        .write(folder.join("time.svg"))?;
    graph
        .svg()
        .colour(Colour::Worker(profile.clone()))
        .write(folder.join("workers.svg"))?;
    profile.write_html(examples::output_folder("fuse_and_draw")?.join("profile.html"))?;

    // The passes and the order change no value.
    let again = Run::new()
        .scheduler(Scheduler::Sequential)
        .passes(Passes::NONE)
        .compute(&mean)?;
    assert_eq!(value, again);

    let table = [0.0; 1000];
    let lookups: Vec<_> = (0..3)
        .map(|i| delayed(move || table[i]).named(("look up", i)))
        .collect();
    for lint in Graph::of(&lookups).lint() {
        println!("lint: {lint}");
    }
    let _: Vec<f64> = compute(&lookups)?;
    println!("pictures in {}", folder.display());
    Ok(())
}
