//! Regridding of weather and climate fields.
