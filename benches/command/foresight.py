"""How well does `--explain` foresee the most memory? Random requests on files of many kinds, each explained and then run.

    make bench-foresight
    python benches/command/foresight.py --regrid target/release/regrid [--jobs 200] [--seed 2017] [--threads 1,2]

What was foreseen is the line `with the program` of `--explain`, a figure and, of several threads, from where to where it may go; what was found is
the system's own account of the process. Prints each request whose peak is more than a tenth off the figure, and a table of how many there were. Files are made in a temporary folder and removed at the
end, 0.6 GB of them.
"""

import argparse
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from child import apart, axis, run, temporary_folder

UNITS = {"kB": 1e-3, "MB": 1, "GB": 1e3, "TB": 1e6}


class Variable(NamedTuple):
    """Of a file: its type, its storage chunks (none: in one stretch), its filters, whether it is packed."""

    type: str
    chunks: tuple = ()
    filters: dict = {}
    packed: bool = False


DEFLATE = dict(zlib=True, complevel=1, shuffle=True)
GLOBE = dict(time=60, latitude=361, longitude=720)
REGION = dict(time=40, latitude=400, longitude=600)
LEVELS = dict(time=12, height=10, latitude=180, longitude=360)
STEP = (1, 361, 720)

# For each kind its dimensions, its variables, and how it is stored.
KINDS = {
    "a chunk a step": (GLOBE, [Variable("f4", STEP, DEFLATE)]),
    "packed": (GLOBE, [Variable("i2", (4, 91, 180), DEFLATE, True)]),
    "packed, a chunk a step": (GLOBE, [Variable("i2", STEP, DEFLATE, True)]),
    "doubles": (GLOBE, [Variable("f8", (1, 181, 360), DEFLATE)]),
    "chunks that reach beyond": (GLOBE, [Variable("f4", (7, 100, 100), DEFLATE)]),
    "checksums, not compressed": (GLOBE, [Variable("f4", (2, 120, 240), dict(fletcher32=True))]),
    "big-endian": (GLOBE, [Variable(">f4", STEP, DEFLATE)]),
    "big-endian, packed": (GLOBE, [Variable(">i2", (10, 91, 90), DEFLATE, True)]),
    "one stretch": (GLOBE, [Variable("f4")]),
    "classic": (GLOBE, [Variable("f4"), Variable("i2", packed=True)]),
    "chunks, not compressed": (GLOBE, [Variable("f4", (1, 91, 180))]),
    "several types": (GLOBE, [Variable("f4", STEP, DEFLATE), Variable("f8", (5, 91, 90), DEFLATE), Variable("i2", (60, 45, 45), DEFLATE, True)]),
    "a large chunk beside small ones": (GLOBE, [Variable("f4", (60, 181, 180), DEFLATE), Variable("f4", (1, 91, 90), DEFLATE)]),
    "long chunks": (GLOBE, [Variable("f4", (60, 46, 90), DEFLATE)]),
    "a region": (REGION, [Variable("f4", (1, 400, 600), DEFLATE)]),
    "levels": (LEVELS, [Variable("f4", (1, 1, 180, 360), DEFLATE), Variable("i2", (12, 1, 90, 90), DEFLATE, True)]),
    "many variables": (dict(time=6, latitude=361, longitude=720), [Variable("f4", STEP, DEFLATE)] * 10),
    "little": (dict(time=8, latitude=181, longitude=360), [Variable("f4", (1, 181, 360), DEFLATE)]),
    "small chunks": (GLOBE, [Variable("f4", (1, 60, 60), DEFLATE)]),
}
METHODS = ["linear"] * 4 + ["area-weighted"] * 3 + ["nearest", "cubic", "mean", "max", "second-order-conservative", "inverse-distance"]
TARGETS = [
    ["--grid", "1"],
    ["--grid", "0.5"],
    ["--grid", "r720x361"],
    ["--grid", "2"],
    ["--grid", "5"],
    ["--lat=10.05:49.95:0.1", "--lon", "10.05:59.95:0.1"],
    ["--lat=-30.1:29.9:0.2", "--lon", "20.1:79.9:0.2"],
]


def make(path, kind):
    import netCDF4
    import numpy as np

    lengths, variables = KINDS[kind]
    rows, columns = lengths["latitude"], lengths["longitude"]
    if kind == "a region":
        latitudes, longitudes = 5 + np.arange(rows) * 0.12, 5 + np.arange(columns) * 0.12
    else:
        latitudes = np.linspace(-90, 90, rows) if rows % 2 else (np.arange(rows) + 0.5) * 180 / rows - 90
        longitudes = np.arange(columns) * 360 / columns
    values = dict(time=np.arange(lengths["time"]), height=np.arange(lengths.get("height", 1)) * 100.0, latitude=latitudes, longitude=longitudes)
    units = dict(time="hours since 2000-01-01", height="m", latitude="degrees_north", longitude="degrees_east")
    noise = np.random.default_rng(2017)
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_OFFSET" if kind == "classic" else "NETCDF4") as file:
        for name in lengths:
            axis(file, name, values[name], units[name])
        for number, made in enumerate(variables):
            stored = dict(chunksizes=made.chunks, **made.filters) if made.chunks else {} if kind == "classic" else dict(contiguous=True)
            variable = file.createVariable(f"field_{number}", np.dtype(made.type), tuple(lengths), **stored, endian="big" if ">" in made.type else "native")
            variable.units = "K"
            if made.packed:
                variable.scale_factor, variable.add_offset = np.float32(1 / 64), np.float32(270)
            # Rounded to 1/64, so that it compresses as fields do.
            waves = noise.integers(0, 64, tuple(lengths.values()), dtype="u1") / np.float32(64)
            variable[:] = np.round((273 + 30 * np.cos(np.radians(latitudes)))[:, None] * 64) / 64 + waves


def request(dice, source, threads):
    """A request of the many that users may make, by the throw of dice."""
    method = dice.choice(METHODS)
    options = ["-m", method, *dice.choice(TARGETS), "--deflate", dice.choice("011124"), "-j", dice.choice(threads)]
    if (budget := dice.choice([0, 0, 0, 20, 50, 100])) > 0:
        options += ["--memory", f"{budget}MiB"]
    if dice.random() < 0.15:
        options += ["--chunk", dice.choice(["50x100", "100x100", "200x400"])]
    if dice.random() < 0.1:
        options += ["--report"]
    if dice.random() < 0.1:
        options += ["--times", "2000-01-01T00:30/2000-01-01T04:30/PT1H", "--time-method", "linear"]
    if dice.random() < 0.1:
        options += ["--pole", "none"]
    return [source, *options]


class Foreseen(NamedTuple):
    """The most memory, MB: as it is most often, and from where to where it may go."""

    usual: float
    least: float
    most: float

    def off(self, found):
        return found / self.usual - 1

    def in_range(self, found):
        """Whether it is not more than a tenth out of the range."""
        return 0.9 * self.least <= found <= 1.1 * self.most


AMOUNT = r"([\d.]+ [kMGT]B)"


def foreseen(regrid, words):
    said = subprocess.run([regrid, *map(str, words), "--explain"], check=True, capture_output=True, text=True).stdout
    told = re.search(rf"{AMOUNT} with the program and its planning(?: \({AMOUNT} to {AMOUNT})?", said)
    usual, *span = [float(text.split()[0]) * UNITS[text.split()[1]] for text in told.groups() if text]
    return Foreseen(usual, *(span or [usual, usual]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--regrid", required=True, help="the command that was built")
    parser.add_argument("--folder", help="where the temporary folder is made")
    parser.add_argument("--keep", help="a folder that keeps the files, made once")
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2017)
    parser.add_argument("--threads", default="1,2", help="by comma")
    parser.add_argument("--all", action="store_true", help="print all requests")
    options = parser.parse_args()
    regrid, dice = Path(options.regrid).resolve(), random.Random(options.seed)
    threads = options.threads.split(",")
    # For each number of threads: by how much each was off, and how many were in the range.
    off, in_range = {each: [] for each in threads}, {each: 0 for each in threads}
    with temporary_folder(options.folder) as folder:
        files = Path(options.keep) if options.keep else folder
        for kind in KINDS:
            if not (files / f"{kind}.nc").exists():
                apart(make, files / f"{kind}.nc", kind)
        for _ in range(options.jobs):
            kind = dice.choice(list(KINDS))
            words = request(dice, files / f"{kind}.nc", threads)
            words += ["-o", folder / "out.nc", "--force", "--quiet"]
            expected, found = foreseen(regrid, words), run(regrid, *words).memory
            each = words[words.index("-j") + 1]
            off[each].append(expected.off(found))
            in_range[each] += expected.in_range(found)
            if options.all or abs(off[each][-1]) > 0.1:
                said = " ".join(map(str, words[1:-4]))
                print(f"{off[each][-1]:+.0%}: {expected.usual:.0f} MB foreseen ({expected.least:.0f} to {expected.most:.0f}), {found:.0f} found: {kind}, {said}", flush=True)
    print("\n| threads | requests | within 5 % | within 10 % | least, most off | within 10 % of the range |\n| --- | --- | --- | --- | --- | --- |")
    for each, parts in off.items():
        within = lambda most: sum(abs(part) <= most for part in parts)
        print(f"| {each} | {len(parts)} | {within(0.05)} | {within(0.1)} | {min(parts):+.0%} {max(parts):+.0%} | {in_range[each]} |" if parts else f"| {each} | 0 |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
