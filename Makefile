# What this repository can do, one line each: `make help`.

# Where rustup puts cargo, for shells that have not read its environment.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: help setup demo test bench measured bench-peers bench-threads bench-growth bench-memory bench-foresight docs clean
.DEFAULT_GOAL := help

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what the machine lacks: a C compiler, netCDF, ISA-L
	@bash scripts/setup.sh

demo: setup ## regrid six months of three parameters and draw the task graph
	@cargo build --quiet --release --locked --package regrid-cli
	@bash scripts/demo.sh

test: setup ## run all checks: format, clippy, tests, docs, examples, benches build
	@bash scripts/check.sh

bench: setup ## run the benchmarks in memory, of task graphs and of codecs
	cargo bench --locked --package benches

# The command that is measured, and a Python of its own with what makes and reads files.
measured: setup
	@cargo build --quiet --release --locked --package regrid-cli
	@test -x target/peers/bin/python || python3 -m venv target/peers
	@target/peers/bin/pip install --quiet -r benches/peers/requirements.txt

bench-peers: measured ## from file to file beside Iris, xarray and, if it is installed, CDO
	target/peers/bin/python -B benches/peers/peers.py --regrid target/release/regrid

bench-threads: measured ## from file to file on one thread, on two, and as two processes at once
	target/peers/bin/python -B benches/peers/threads.py --regrid target/release/regrid

bench-growth: measured ## time per value, per file and per chunk, as these become many
	target/peers/bin/python -B benches/command/growth.py --regrid target/release/regrid

bench-memory: measured ## the most memory of few targets and of weights, beside the budget
	target/peers/bin/python -B benches/command/memory.py --regrid target/release/regrid

bench-foresight: measured ## the most memory of random requests, as --explain foresees it and as it is
	target/peers/bin/python -B benches/command/foresight.py --regrid target/release/regrid

docs: setup ## build the documentation into target/doc
	cargo doc --workspace --no-deps --locked

clean: ## remove everything that was built
	cargo clean
