#!/usr/bin/env bash
# Sets up what building needs and the machine lacks: a C compiler and the netCDF library with its headers.
# Finds the package manager (apt, dnf, brew); elsewhere it says what to install. Does nothing where all is there.
set -euo pipefail

have_netcdf() { command -v nc-config >/dev/null && [ -f "$(nc-config --includedir)/netcdf.h" ]; }
have_compiler() { command -v cc >/dev/null; }
have_ncdump() { command -v ncdump >/dev/null; }

if ! command -v cargo >/dev/null; then
    echo "setup: no Rust toolchain found (cargo). Install one from https://rustup.rs, then run this again." >&2
    exit 1
fi
if have_netcdf && have_compiler && have_ncdump; then
    exit 0
fi

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else
        echo "setup: this needs root and there is no sudo; as root, run: $*" >&2
        exit 1
    fi
}

if command -v apt-get >/dev/null; then
    echo "setup: installing gcc, libnetcdf-dev and netcdf-bin with apt-get"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        gcc libc6-dev libnetcdf-dev netcdf-bin >/dev/null
elif command -v dnf >/dev/null; then
    echo "setup: installing gcc, netcdf-devel and netcdf with dnf"
    as_root dnf install -y -q gcc netcdf-devel netcdf
elif command -v brew >/dev/null; then
    echo "setup: installing netcdf with brew"
    brew install --quiet netcdf
else
    echo "setup: no apt-get, dnf or brew here. Install a C compiler and the netCDF-C library (4.7 or newer," >&2
    echo "       with headers, nc-config and ncdump) by this system's own means, then run this again." >&2
    exit 1
fi

if ! have_netcdf || ! have_compiler; then
    echo "setup: netCDF or a C compiler is still missing after the installation:" >&2
    echo "       nc-config: $(command -v nc-config || echo none), cc: $(command -v cc || echo none)" >&2
    exit 1
fi
