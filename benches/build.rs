//! Compiles what is written in C: the plain loops, as anyone would who wants them fast, for this machine; and the way to ISA-L, if it
//! is there.

fn main() {
    println!("cargo::rerun-if-changed=src/plain.c");
    cc::Build::new()
        .file("src/plain.c")
        // Whatever the profile is.
        .opt_level(3)
        .flag_if_supported("-march=native")
        .compile("benches_plain");
    isal();
}

fn isal() {
    println!("cargo::rustc-check-cfg=cfg(igzip)");
    println!("cargo::rerun-if-changed=src/igzip.c");
    let wanted = pkg_config::Config::new()
        .atleast_version("2.30")
        .cargo_metadata(false)
        .probe("libisal");
    // Without it there is a column less.
    let Ok(found) = wanted else { return };
    // Before the library that it wants: some linkers mind.
    cc::Build::new()
        .file("src/igzip.c")
        .includes(&found.include_paths)
        .compile("benches_igzip");
    for path in &found.link_paths {
        println!("cargo::rustc-link-search=native={}", path.display());
    }
    for lib in &found.libs {
        println!("cargo::rustc-link-lib={lib}");
    }
    println!("cargo::rustc-cfg=igzip");
}
