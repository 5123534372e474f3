//! The format of SCRIP, as CDO writes and reads it.
//!
//! Dimensions `src_grid_size`, `dst_grid_size`, `src_grid_rank`, `dst_grid_rank`, `num_links`, `num_wgts`, and where corners are
//! told `src_grid_corners`, `dst_grid_corners`. For each grid (`src_`, `dst_`) `grid_dims` (longitudes first), `grid_center_lat`,
//! `grid_center_lon` and `grid_corner_lat`, `grid_corner_lon` (radians or degrees by their `units`), `grid_imask`, `grid_area`
//! (square radians), `grid_frac`. Then `src_address`, `dst_address` (from 1) and `remap_matrix`: a link's first weight is
//! that of the source's value; the others, where there are any, those of its gradients. Global attributes tell the
//! `normalization` and the `map_method`.
//!
//! Source: Jones (1998), A User's Guide for SCRIP, section 4; the files of CDO 2.1.1.

use super::content::{
    Content, GridNames, Reader, dimension, doubles, integers, method_of, normalization_name,
    normalization_of, variable,
};
use super::links::Links;
use super::record::GridRecord;
use crate::error::Error;
use crate::io::Layout;
use crate::scheme::Method;

/// The variables without which a file is none of this format.
pub(super) const MARKS: [&str; 3] = ["remap_matrix", "src_address", "dst_address"];

/// Reads a file.
pub(super) fn read(reader: &Reader<'_>) -> Result<Content, Error> {
    let attributes = &reader.meta().attributes;
    let stated = attributes.text("map_method").map(str::to_owned);
    let count = reader.len("num_links");
    let weights = reader.numbers("remap_matrix")?;
    let links = Links {
        targets: reader.numbers("dst_address")?,
        sources: reader.numbers("src_address")?,
        per_link: match count {
            Some(count) if count > 0 => weights.len() / count,
            _ => 1,
        },
        weights,
    };
    match links.per_link {
        1 | 4 => {}
        3 => {
            return Err(reader.unusable(
                "its weights are second-order ones of SCRIP (CDO's gencon2), three a link, for slopes along latitude and longitude: \
                 make others with `regrid weights -m second-order-conservative`, or take ESMF's or CDO's first-order ones (gencon)",
            ));
        }
        more => return Err(reader.unusable(format!("it has {more} weights a link, not 1 or 4"))),
    }
    let method = stated.as_deref().and_then(method_of);
    let mut content = Content {
        source: reader.grid(&grid("src"))?,
        target: reader.grid(&grid("dst"))?,
        links,
        normalization: normalization_of(None, method),
        method,
        stated,
    };
    reader.own_attributes(&mut content)?;
    content.normalization = normalization_of(attributes.text("normalization"), content.method);
    Ok(content)
}

/// How a grid's variables are called.
fn grid(side: &str) -> GridNames {
    let name = |of: &str| format!("{side}_grid_{of}");
    GridNames {
        size: name("size"),
        per_cell: name("corners"),
        dims: name("dims"),
        centres: [name("center_lat"), name("center_lon")],
        corners: [name("corner_lat"), name("corner_lon")],
        mask: name("imask"),
        areas: name("area"),
        fractions: name("frac"),
    }
}

/// The method's name for CDO, which sums up the links of any that it does not take for bicubic or second-order.
pub(super) fn map_method(method: Method) -> &'static str {
    match method {
        Method::Nearest => "Nearest neighbor",
        Method::InverseDistance => "Distance weighted avg of nearest neighbors",
        Method::Linear | Method::Cubic => "Bilinear remapping",
        _ => "Conservative remapping",
    }
}

/// What a file holds.
pub(super) fn layout(content: &Content, method: Method) -> Result<Layout, Error> {
    let mut layout = Layout::default();
    layout.attributes.set("title", "SCRIP remapping weights");
    layout
        .attributes
        .set("normalization", normalization_name(method));
    layout.attributes.set("map_method", map_method(method));
    layout.attributes.set("conventions", "SCRIP");
    let links = content.links.weights.len();
    for (side, grid) in [("src", &content.source), ("dst", &content.target)] {
        add_grid(&mut layout, side, grid)?;
    }
    let along = ["num_links".to_owned()];
    layout.dimensions.push(dimension("num_links", links));
    layout.dimensions.push(dimension("num_wgts", 1));
    for (name, addresses) in [
        ("src_address", &content.links.sources),
        ("dst_address", &content.links.targets),
    ] {
        let values = integers(addresses.iter().map(|&x| x as usize))?;
        layout.variables.push(variable(name, &along, values, ""));
    }
    let both = ["num_links".to_owned(), "num_wgts".to_owned()];
    let weights = doubles(&[links, 1], content.links.weights.clone());
    layout
        .variables
        .push(variable("remap_matrix", &both, weights, ""));
    Ok(layout)
}

fn add_grid(layout: &mut Layout, side: &str, grid: &GridRecord) -> Result<(), Error> {
    let name = |of: &str| format!("{side}_grid_{of}");
    let [size, rank, corners] = [name("size"), name("rank"), name("corners")];
    let cells = grid.size.unwrap_or(0);
    layout.dimensions.push(dimension(&size, cells));
    layout.dimensions.push(dimension(&rank, grid.dims.len()));
    let radians = |values: &[f64]| values.iter().map(|x| x.to_radians()).collect();
    let variables = &mut layout.variables;
    variables.push(variable(
        name("dims"),
        &[rank],
        integers(grid.dims.clone())?,
        "",
    ));
    if let Some(centres) = &grid.centres {
        for (axis, values) in ["lat", "lon"].iter().zip(centres) {
            let values = doubles(&[cells], radians(values));
            let own = name(&format!("center_{axis}"));
            variables.push(variable(
                own,
                std::slice::from_ref(&size),
                values,
                "radians",
            ));
        }
    }
    if let Some((per_cell, places)) = &grid.corners {
        layout.dimensions.push(dimension(&corners, *per_cell));
        let both = [size.clone(), corners];
        for (axis, values) in ["lat", "lon"].iter().zip(places) {
            let values = doubles(&[cells, *per_cell], radians(values));
            let own = name(&format!("corner_{axis}"));
            variables.push(variable(own, &both, values, "radians"));
        }
    }
    if let Some(mask) = &grid.mask {
        let values = integers(mask.iter().map(|&m| usize::from(m)))?;
        variables.push(variable(
            name("imask"),
            std::slice::from_ref(&size),
            values,
            "unitless",
        ));
    }
    for (of, values, units) in [
        ("area", &grid.areas, "square radians"),
        ("frac", &grid.fractions, "unitless"),
    ] {
        if let Some(values) = values {
            let values = doubles(&[cells], values.clone());
            variables.push(variable(
                name(of),
                std::slice::from_ref(&size),
                values,
                units,
            ));
        }
    }
    Ok(())
}
