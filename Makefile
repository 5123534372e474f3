# What this repository can do, one line each: `make help`.

# Where rustup puts cargo, for shells that have not read its environment.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: help setup demo test bench bench-peers docs clean
.DEFAULT_GOAL := help

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what the machine lacks: a C compiler, netCDF, ISA-L
	@bash scripts/setup.sh

demo: setup ## regrid six months of three parameters and draw the task graph
	@cargo build --quiet --release --locked --package regrid-cli
	@bash scripts/demo.sh

test: setup ## run all checks: format, clippy, tests, docs, examples, benches build
	@bash scripts/check.sh

bench: setup ## run the benchmarks
	cargo bench --locked --package benches

bench-peers: setup ## from file to file beside Iris, xarray and, if it is installed, CDO
	@cargo build --quiet --release --locked --package regrid-cli
	@test -x target/peers/bin/python || python3 -m venv target/peers
	@target/peers/bin/pip install --quiet -r benches/peers/requirements.txt
	target/peers/bin/python benches/peers/peers.py --regrid target/release/regrid

docs: setup ## build the documentation into target/doc
	cargo doc --workspace --no-deps --locked

clean: ## remove everything that was built
	cargo clean
