//! The one type that the `netcdf` crate leaves to its users: bytes of text.

/// A byte of an `NC_CHAR` variable.
#[repr(transparent)]
#[derive(Debug, Clone, Copy)]
pub(super) struct Char(pub(super) u8);

#[expect(
    unsafe_code,
    reason = "the crate's type description is an unsafe trait"
)]
// SAFETY: `Char` is a transparent wrapper of one byte, without padding, drop or alignment of its own, which is what the
// library reads and writes for NC_CHAR.
unsafe impl netcdf::NcTypeDescriptor for Char {
    fn type_descriptor() -> netcdf::types::NcVariableType {
        netcdf::types::NcVariableType::Char
    }
}
