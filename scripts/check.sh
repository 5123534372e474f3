#!/usr/bin/env bash
# All checks, in the order in which they fail fastest. Stops at the first that fails.
set -euo pipefail
cd "$(dirname "$0")/.."

# A run that starts from nothing and is not followed by another has no use for what incremental compilation keeps, gigabytes of it.
if [ "${CI:-}" = true ]; then export CARGO_INCREMENTAL=0; fi

step() {
    printf '\n=== %s (after %d s)\n' "$1" "$SECONDS"
    shift
    "$@"
}

docs() { RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked; }

# Cargo's own list of examples, so that none is forgotten: it gives it to whoever asks for an example without a name.
example_names() {
    local answer
    answer=$(cargo run --quiet --locked --package examples --example 2>&1 || true)
    case $answer in
        *"Available examples:"*) sed -n '/^Available examples:/,$ s/^    //p' <<<"$answer" ;;
        *"No examples available."*) ;;
        *) echo "$answer" >&2 && return 1 ;;
    esac
}

examples() {
    local name names
    names=$(example_names)
    cargo build --release --locked --package examples --examples
    for name in $names; do
        echo "--- $name"
        cargo run --quiet --release --locked --package examples --example "$name"
    done
}

# The models of the scheduler's protocols (crates/delayed/src/scheduler/README.md) and of handles, under every order of events that loom finds. Loom builds
# the crate with another --cfg, so it has a folder of its own beside the usual one.
loom() {
    RUSTFLAGS="--cfg loom" cargo test --package delayed --release --lib models --locked \
        --target-dir "${CARGO_TARGET_DIR:-target}/loom"
}

step "format" cargo fmt --all --check
step "clippy, warnings denied" cargo clippy --workspace --all-targets --locked -- -D warnings
step "tests: unit, integration, documentation" cargo test --workspace --locked
step "documentation, warnings denied" docs
step "loom models" loom
step "examples" examples
step "benches build" cargo bench --package benches --no-run --locked

printf '\nall checks passed in %d s\n' "$SECONDS"
