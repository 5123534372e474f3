#!/usr/bin/env bash
# Sets up what building needs and the machine lacks: a C compiler, the netCDF library with its headers, ncdump,
# and the Rust components that the checks use; and ISA-L, which makes writing faster, if it is to be had.
# Knows apt, dnf and brew; elsewhere it says what to install.
# Says nothing and changes nothing where all is there.
set -euo pipefail

say() { echo "setup: $*" >&2; }

have_compiler() { command -v cc >/dev/null; }
have_netcdf() { command -v nc-config >/dev/null && [ -f "$(nc-config --includedir)/netcdf.h" ]; }
have_ncdump() { command -v ncdump >/dev/null; }
have_isal() { command -v pkg-config >/dev/null && pkg-config --exists libisal; }

missing() {
    local list=""
    have_compiler || list+=", a C compiler (cc)"
    have_netcdf || list+=", the netCDF library with headers (nc-config, netcdf.h)"
    have_ncdump || list+=", ncdump"
    echo "${list#, }"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        say "installing needs root, and there is no sudo. Run this as root: $0"
        exit 1
    fi
}

with_apt() {
    # Another package manager may be at work, on a machine that has just started: wait for it.
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
    # One dead repository among many must not stop us: if it matters, the installation says so.
    as_root "${apt[@]}" update || say "apt-get update failed; trying with the package lists there are"
    as_root "${apt[@]}" install --yes --no-install-recommends "$@" >/dev/null
}
apt_libraries="gcc libc6-dev libnetcdf-dev netcdf-bin" apt_isal="libisal-dev pkg-config"

# Fedora has all of these; on RHEL and its kin netcdf and ISA-L come from EPEL.
with_dnf() { as_root dnf install --assumeyes --quiet "$@" >/dev/null; }
dnf_libraries="gcc netcdf-devel hdf5-devel netcdf" dnf_isal="isa-l-devel pkgconf-pkg-config"

# The compiler comes with the command line tools, which brew itself needs. brew refuses to run as root.
with_brew() { brew install --quiet "$@"; }
brew_libraries="netcdf" brew_isal="isa-l pkgconf"

manager() {
    local name
    for name in apt-get dnf brew; do
        command -v "$name" >/dev/null && echo "${name%-get}" && return
    done
    echo none
}

# Installs a list of packages by this machine's manager.
installed() {
    local packages="$(manager)_$1"
    # The lists are words.
    # shellcheck disable=SC2086
    "with_$(manager)" ${!packages}
}

install_libraries() {
    if [ "$(manager)" = none ]; then
        say "missing: $(missing)"
        say "There is no apt-get, dnf or brew here. Install the above (netCDF-C 4.7 or newer, HDF5 1.10.5 or newer) by this system's own means,"
        say "then run this again."
        exit 1
    fi
    say "missing: $(missing); installing with $(manager)"
    installed libraries || {
        say "$(manager) failed; its message is above. Still missing: $(missing)"
        exit 1
    }
    if [ -n "$(missing)" ]; then
        say "$(manager) is done, but this is still missing: $(missing)"
        exit 1
    fi
}

install_isal() {
    say "missing: ISA-L (pkg-config libisal)"
    # In a shell of its own: without root that ends, and we go on.
    [ "$(manager)" != none ] && (installed isal) && have_isal ||
        say "it is not to be had here; going on without: compressing outputs will take longer"
}

if ! command -v cargo >/dev/null; then
    say "there is no Rust toolchain (cargo). Install one from https://rustup.rs, then run this again."
    exit 1
fi

[ -z "$(missing)" ] || install_libraries
have_isal || install_isal

# Asked to run, as rustup leaves a stand-in for what is not installed.
for component in fmt clippy; do
    cargo "$component" --version >/dev/null 2>&1 && continue
    if command -v rustup >/dev/null; then
        say "adding $component to the Rust toolchain"
        rustup --quiet component add "${component/#fmt/rustfmt}"
    else
        say "there is no cargo $component, which the checks need. Install it the way cargo was installed."
        exit 1
    fi
done
