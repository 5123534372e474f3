//! How does one file get onto another grid?
//!
//! `cargo run --release --example regrid_one_file [INPUT [OUTPUT]]`

use anyhow::Context;
use regrid::{Catalogue, Grid, Request, Write};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let input = arguments
        .next()
        .unwrap_or("examples/data/A1B_north_america.nc".into());
    let output = match arguments.next() {
        Some(path) => path.into(),
        None => examples::output_folder("regrid_one_file")?.join("out.nc"),
    };

    let files = Catalogue::open([&input])?;
    let source = files
        .variables()
        .first()
        .context("no variable of the input lies on a grid")?
        .grid();
    let (rows, columns) = source.axes().expect("the file's grid is rectilinear");
    let (rows, columns) = (rows.centres(), columns.centres());
    let target = Grid::regular(
        rows[0]..=rows[rows.len() - 1],
        0.5,
        columns[0]..=columns[columns.len() - 1],
        0.5,
    )?;
    let fields = Request::new(&target).build(&files)?;
    Write::new(&output)
        .overwrite(true)
        .plan(&fields)?
        .run(&delayed::Run::new())?;

    println!("from  {}: {source}", input.display());
    println!("to    {}: {target}", output.display());
    for field in &fields {
        println!(
            "      {} {:?} in {} chunks",
            field.meta().name,
            field.meta().shape(),
            field.chunks().len()
        );
    }
    Ok(())
}
