//! Regridding of weather and climate fields.

pub mod io;
pub mod time;
