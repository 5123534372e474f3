//! Looks for ISA-L, whose igzip compresses at level 1 several times as fast as libdeflate; without it libdeflate does.

#[cfg(feature = "isal")]
use std::path::PathBuf;

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
    println!("cargo::rerun-if-env-changed=PKG_CONFIG_PATH");
    println!("cargo::rerun-if-env-changed=PKG_CONFIG_LIBDIR");
    let wanted = pkg_config::Config::new()
        .atleast_version("2.30")
        .cargo_metadata(false)
        .probe("libisal");
    let lacks = |what: &str| {
        println!(
            "cargo::warning={what}: libdeflate will compress outputs, which takes several times as long at level 1"
        );
    };
    let Ok(found) = wanted else {
        return lacks(
            "pkg-config finds no ISA-L (libisal-dev, isa-l-devel or isa-l in package managers; once it is there, `cargo clean -p regrid`)",
        );
    };
    // What is to run elsewhere must not need it there.
    let all_in_one = cfg!(feature = "static");
    let archive = |path: &PathBuf| path.join("libisal.a").exists();
    if all_in_one && !found.link_paths.iter().any(archive) {
        return lacks("there is no libisal.a to be linked in");
    }
    let kind = if all_in_one { "static=" } else { "" };
    // Before the library that it wants: some linkers mind.
    cc::Build::new()
        .file(shim)
        .includes(&found.include_paths)
        .compile("regrid_igzip");
    for path in &found.link_paths {
        println!("cargo::rustc-link-search=native={}", path.display());
    }
    for lib in &found.libs {
        println!("cargo::rustc-link-lib={kind}{lib}");
    }
    println!("cargo::rustc-cfg=igzip");
}
