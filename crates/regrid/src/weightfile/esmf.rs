//! The format of ESMF, which xESMF uses too.
//!
//! Dimensions `n_a` (source cells), `n_b` (target cells), `n_s` (links), `nv_a`, `nv_b` (corners), `src_grid_rank`,
//! `dst_grid_rank`. For each grid (`_a`, `_b`) `xc`, `yc` (centres), `xv`, `yv` (corners; degrees or radians by their
//! `units`), `mask`, `area` (square radians), `frac`; `src_grid_dims`, `dst_grid_dims` (longitudes first). Then `col` (source
//! cells), `row` (target cells, both from 1) and `S`, the weights. The files of xESMF have `n_s`, `row`, `col` and `S` alone.
//!
//! Source: ESMF Reference Manual, section 12.8 (regrid interpolation weight file format); `xesmf/smm.py` of xESMF 0.9.2.

use super::content::{
    Content, GridNames, Reader, dimension, doubles, integers, method_of, normalization_name,
    normalization_of, variable,
};
use super::links::Links;
use super::record::GridRecord;
use super::scrip;
use crate::error::Error;
use crate::io::Layout;
use crate::scheme::Method;

/// The variables without which a file is none of this format.
pub(super) const MARKS: [&str; 3] = ["S", "row", "col"];

/// Reads a file.
pub(super) fn read(reader: &Reader<'_>) -> Result<Content, Error> {
    let attributes = &reader.meta().attributes;
    let stated = attributes
        .text("ESMF_regrid_method")
        .or_else(|| attributes.text("map_method"))
        .map(str::to_owned);
    let method = stated.as_deref().and_then(method_of);
    let mut content = Content {
        source: reader.grid(&grid("a", "src_grid_dims"))?,
        target: reader.grid(&grid("b", "dst_grid_dims"))?,
        links: Links {
            targets: reader.numbers("row")?,
            sources: reader.numbers("col")?,
            per_link: 1,
            weights: reader.numbers("S")?,
        },
        normalization: normalization_of(None, method),
        method,
        stated,
    };
    reader.own_attributes(&mut content)?;
    content.normalization = normalization_of(attributes.text("normalization"), content.method);
    Ok(content)
}

/// How a grid's variables are called.
fn grid(side: &str, dims: &str) -> GridNames {
    let name = |of: &str| format!("{of}_{side}");
    GridNames {
        size: name("n"),
        per_cell: name("nv"),
        dims: dims.to_owned(),
        centres: [name("yc"), name("xc")],
        corners: [name("yv"), name("xv")],
        mask: name("mask"),
        areas: name("area"),
        fractions: name("frac"),
    }
}

/// The method's name for ESMF, as far as it has one.
fn regrid_method(method: Method) -> Option<&'static str> {
    Some(match method {
        Method::Linear => "Bilinear",
        Method::Nearest => "Nearest source to destination",
        Method::AreaWeighted => "First-order Conservative",
        Method::SecondOrderConservative => "Second-order Conservative",
        _ => return None,
    })
}

/// What a file holds.
pub(super) fn layout(content: &Content, method: Method) -> Result<Layout, Error> {
    let mut layout = Layout::default();
    layout.attributes.set("title", "ESMF regridding weights");
    layout
        .attributes
        .set("normalization", normalization_name(method));
    layout
        .attributes
        .set("map_method", scrip::map_method(method));
    if let Some(name) = regrid_method(method) {
        layout.attributes.set("ESMF_regrid_method", name);
    }
    layout.attributes.set("conventions", "NCAR-CSM");
    for (side, dims, grid) in [("a", "src", &content.source), ("b", "dst", &content.target)] {
        add_grid(&mut layout, side, dims, grid)?;
    }
    let links = content.links.weights.len();
    layout.dimensions.push(dimension("n_s", links));
    let along = ["n_s".to_owned()];
    for (name, addresses) in [
        ("col", &content.links.sources),
        ("row", &content.links.targets),
    ] {
        let values = integers(addresses.iter().map(|&x| x as usize))?;
        layout.variables.push(variable(name, &along, values, ""));
    }
    let weights = doubles(&[links], content.links.weights.clone());
    layout.variables.push(variable("S", &along, weights, ""));
    Ok(layout)
}

fn add_grid(layout: &mut Layout, side: &str, dims: &str, grid: &GridRecord) -> Result<(), Error> {
    let name = |of: &str| format!("{of}_{side}");
    let cells = grid.size.unwrap_or(0);
    let (size, rank) = (name("n"), format!("{dims}_grid_rank"));
    layout.dimensions.push(dimension(&size, cells));
    layout.dimensions.push(dimension(&rank, grid.dims.len()));
    let along = [size.clone()];
    let variables = &mut layout.variables;
    let own_dims = integers(grid.dims.clone())?;
    variables.push(variable(format!("{dims}_grid_dims"), &[rank], own_dims, ""));
    if let Some(centres) = &grid.centres {
        for (of, values) in ["yc", "xc"].iter().zip(centres) {
            let values = doubles(&[cells], values.clone());
            variables.push(variable(name(of), &along, values, "degrees"));
        }
    }
    if let Some((per_cell, places)) = &grid.corners {
        layout.dimensions.push(dimension(name("nv"), *per_cell));
        let both = [size, name("nv")];
        for (of, values) in ["yv", "xv"].iter().zip(places) {
            let values = doubles(&[cells, *per_cell], values.clone());
            variables.push(variable(name(of), &both, values, "degrees"));
        }
    }
    if let Some(mask) = &grid.mask {
        let values = integers(mask.iter().map(|&m| usize::from(m)))?;
        variables.push(variable(name("mask"), &along, values, "unitless"));
    }
    for (of, values, units) in [
        ("area", &grid.areas, "square radians"),
        ("frac", &grid.fractions, "unitless"),
    ] {
        if let Some(values) = values {
            let values = doubles(&[cells], values.clone());
            variables.push(variable(name(of), &along, values, units));
        }
    }
    Ok(())
}
