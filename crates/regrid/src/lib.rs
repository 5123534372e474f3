//! Regridding of weather and climate fields.

pub mod time;
