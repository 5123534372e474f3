//! The `regrid` command.

fn main() {}
