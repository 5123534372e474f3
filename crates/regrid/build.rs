//! Looks for ISA-L, whose igzip compresses at level 1 several times as fast as libdeflate; without it libdeflate does.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(igzip)");
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "isal")]
    isal();
}

#[cfg(feature = "isal")]
fn isal() {
    let shim = "src/io/netcdf/igzip.c";
    println!("cargo::rerun-if-changed={shim}");
    let wanted = pkg_config::Config::new()
        .atleast_version("2.30")
        .cargo_metadata(false)
        .probe("libisal");
    let Ok(found) = wanted else {
        println!(
            "cargo::warning=pkg-config finds no ISA-L (libisal-dev, isa-l-devel or isa-l in package managers): \
             libdeflate will compress outputs, which takes several times as long at level 1"
        );
        return;
    };
    // Before the library that it wants: some linkers mind.
    cc::Build::new()
        .file(shim)
        .includes(&found.include_paths)
        .compile("regrid_igzip");
    for path in &found.link_paths {
        println!("cargo::rustc-link-search=native={}", path.display());
    }
    for lib in &found.libs {
        println!("cargo::rustc-link-lib={lib}");
    }
    println!("cargo::rustc-cfg=igzip");
}
