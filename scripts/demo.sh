#!/usr/bin/env bash
# Shows the `regrid` command at work: three parameters in six monthly files, onto a grid of half a degree.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
demo=$target/demo
mkdir -p "$demo"

command=(
    "$target/release/regrid" examples/data/season/*.nc
    -o "$demo/season.nc" --grid 0.5 --chunk 100x100 --graph "$demo/graph.svg" --force
)

echo "Six months of a seasonal forecast, three parameters, from 1.25 x 1.875 degrees to 0.5 x 0.5:"
echo
echo "  ${command[*]}"
echo

TIMEFORMAT="Done in %R s (%U s of processor time)."
# The time goes where the rest of the text goes, what the command itself complains of stays where it was.
{ time "${command[@]}" 2>&3; } 3>&2 2>&1

echo
echo "output:  $demo/season.nc ($(($(wc -c <"$demo/season.nc") / 1000)) kB)"
echo "graph:   $demo/graph.svg ($(($(wc -c <"$demo/graph.svg") / 1000)) kB; open it in a browser)"

if command -v ncdump >/dev/null; then
    echo
    echo "What is in the output (ncdump -h, first 40 lines):"
    # sed reads to the end, where head would break the pipe.
    ncdump -h "$demo/season.nc" | sed -n '1,40 s/^/  /p'
fi
