//! Compiles the plain loops that are written in C, as anyone would who wants them fast: for this machine.

fn main() {
    println!("cargo::rerun-if-changed=src/plain.c");
    cc::Build::new()
        .file("src/plain.c")
        // Whatever the profile is.
        .opt_level(3)
        .flag_if_supported("-march=native")
        .compile("benches_plain");
}
