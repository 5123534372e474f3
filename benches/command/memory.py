"""How much memory is resident at the most, beside the budget? Jobs whose sources or weights are far larger than what they give.

    make bench-memory
    python benches/command/memory.py --regrid target/release/regrid [few-targets weights]

Each run is a process of its own, `-j 2`; its peak is the system's own account of it. A peak beyond budget + 150 MiB ends the program with
status 1 at the end, but for the one job that is known to need more. Every result is compared, all values of it, with that of a run
without a budget. Sources are made in a temporary folder and removed at the end; with all of them 6 GB of disk do.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from child import apart, axis, run, temporary_folder

NAME = "air_temperature"
MIB = 1 << 20
BESIDE = 150 * MIB


class Source(NamedTuple):
    """A file of one field: its dimensions with their lengths, its storage chunks (none: in one stretch), whether it is packed."""

    shape: dict
    chunks: tuple
    packed: bool = False


class Job(NamedTuple):
    """What is made of a source, within how many MiB (0: no budget)."""

    source: str
    what: str
    options: list
    budget: int
    beyond: bool = False


SOURCES = {
    "steps": Source(dict(time=240, latitude=721, longitude=1440), (1, 721, 1440)),
    "long": Source(dict(time=64, latitude=1440, longitude=2880), (64, 45, 90)),
    "longer": Source(dict(time=256, latitude=1440, longitude=2880), (256, 45, 90)),
    "blocks": Source(dict(time=400, latitude=360, longitude=720), (200, 60, 60)),
    "time last": Source(dict(latitude=360, longitude=720, time=400), (60, 60, 400)),
    "one stretch": Source(dict(latitude=360, longitude=720, time=400), ()),
    "levels": Source(dict(time=40, height=30, latitude=180, longitude=360), (40, 1, 90, 90), packed=True),
    "narrow": Source(dict(time=500, latitude=60, longitude=2880), (500, 20, 40), packed=True),
}
MEAN = ["-m", "mean", "--grid", "10"]
AREA = ["-m", "area-weighted", "--grid"]
LINEAR = ["--grid", "1"]
JOBS = [
    Job("steps", "a point", ["--points", "48.2,16.4"], 50),
    Job("steps", "mean on 10 degrees", MEAN, 50),
    Job("long", "area-weighted on 3 degrees", [*AREA, "3"], 50),
    Job("longer", "area-weighted on 3 degrees", [*AREA, "3"], 200),
    Job("longer", "linear on 1 degree", LINEAR, 200),
    Job("longer", "area-weighted on 3 degrees", [*AREA, "3"], 0),
    Job("longer", "linear on 1 degree", LINEAR, 0),
    Job("blocks", "mean on 10 degrees", MEAN, 20),
    Job("time last", "mean on 10 degrees", MEAN, 20),
    Job("one stretch", "linear on 1 degree", LINEAR, 20),
    Job("levels", "area-weighted on 10 degrees", [*AREA, "10"], 25),
    Job("narrow", "linear on 1 degree, no poles", [*LINEAR, "--pole", "none"], 30),
    # Whole rows of storage chunks go into a pole's mean; a note says that the budget does not hold them.
    Job("narrow", "the same with both poles' means", LINEAR, 30, beyond=True),
]
METHODS = ["nearest", "inverse-distance", "linear", "area-weighted", "second-order-conservative", "mean"]
SIDE = 1000
GRID = "r1414x707"


def make_field(path, source):
    import netCDF4
    import numpy as np

    lengths = source.shape
    rows, columns = lengths["latitude"], lengths["longitude"]
    values = {
        "time": np.arange(lengths["time"], dtype="f8"),
        "height": np.arange(lengths.get("height", 1)) * 100.0,
        "latitude": (np.arange(rows) + 0.5) * 180 / rows - 90,
        "longitude": (np.arange(columns) + 0.5) * 360 / columns,
    }
    units = dict(time="hours since 2000-01-01", height="m", latitude="degrees_north", longitude="degrees_east")
    noise = np.random.default_rng(2017)
    with netCDF4.Dataset(path, "w") as file:
        for name in lengths:
            axis(file, name, values[name], units[name])
        how = dict(zlib=True, complevel=1, shuffle=True, chunksizes=source.chunks) if source.chunks else dict(contiguous=True)
        variable = file.createVariable(NAME, "i2" if source.packed else "f4", tuple(lengths), **how)
        variable.units = "K"
        if source.packed:
            variable.scale_factor, variable.add_offset = np.float32(1 / 64), np.float32(270)
        # Some storage chunks of latitude at a time: whole chunks are written once, and memory stays small.
        at = list(lengths).index("latitude")
        band = source.chunks[at] if source.chunks and at else 20
        for first in range(0, rows, band):
            end = min(first + band, rows)
            shape = [end - first if name == "latitude" else n for name, n in lengths.items()]
            along = [-1 if name == "latitude" else 1 for name in lengths]
            field = 273 + 30 * np.cos(np.radians(values["latitude"][first:end])).reshape(along)
            # In steps of 1/64, so that it compresses as fields do.
            waves = noise.integers(0, 64, shape, dtype="u1") / np.float32(64)
            place = tuple(slice(first, end) if name == "latitude" else slice(None) for name in lengths)
            variable[place] = np.round(field.astype("f4") * 64) / 64 + waves


def make_mesh(path, turned):
    """A plane of its own on the sphere, `turned` degrees from the equator: every cell with a place and four corners."""
    import netCDF4
    import numpy as np

    def places(y, x):
        """Rotated latitudes and longitudes to true ones."""
        y, x, pole = np.radians(y), np.radians(x), np.radians(turned)
        sine = np.sin(y) * np.cos(pole) + np.cos(y) * np.cos(x) * np.sin(pole)
        east = np.arctan2(np.cos(y) * np.sin(x), np.cos(y) * np.cos(x) * np.cos(pole) - np.sin(y) * np.sin(pole))
        return np.degrees(np.arcsin(np.clip(sine, -1, 1))), np.degrees(east) + 180

    edge_y, edge_x = np.linspace(-40, 40, SIDE + 1), np.linspace(-60, 60, SIDE + 1)
    middle = lambda edges: (edges[1:] + edges[:-1]) / 2
    lat, lon = places(*np.meshgrid(middle(edge_y), middle(edge_x), indexing="ij"))
    corner_lat, corner_lon = places(*np.meshgrid(edge_y, edge_x, indexing="ij"))
    corners = lambda a: np.stack([a[:-1, :-1], a[:-1, 1:], a[1:, 1:], a[1:, :-1]], axis=-1)
    with netCDF4.Dataset(path, "w") as file:
        for name, n in (("y", SIDE), ("x", SIDE), ("corner", 4)):
            file.createDimension(name, n)
        for name, places, bounds, units in [
            ("lat", lat, corners(corner_lat), "degrees_north"),
            ("lon", lon, corners(corner_lon), "degrees_east"),
        ]:
            variable = file.createVariable(name, "f8", ("y", "x"))
            variable.units, variable.bounds = units, f"{name}_bounds"
            variable.standard_name = "latitude" if name == "lat" else "longitude"
            variable[:] = places
            file.createVariable(f"{name}_bounds", "f8", ("y", "x", "corner"))[:] = bounds
        variable = file.createVariable(NAME, "f4", ("y", "x"), zlib=True, complevel=1, shuffle=True)
        variable.units, variable.coordinates = "K", "lat lon"
        variable[:] = 273 + 30 * np.cos(np.radians(lat)) + np.sin(np.radians(5 * lon))


def make_plane(path):
    import netCDF4
    import numpy as np

    columns, rows = map(int, GRID[1:].split("x"))
    lat, lon = (np.arange(rows) + 0.5) * 180 / rows - 90, np.arange(columns) * 360 / columns
    with netCDF4.Dataset(path, "w") as file:
        axis(file, "latitude", lat, "degrees_north")
        axis(file, "longitude", lon, "degrees_east")
        variable = file.createVariable(NAME, "f4", ("latitude", "longitude"), zlib=True, complevel=1, shuffle=True)
        variable.units = "K"
        variable[:] = 273 + 30 * np.cos(np.radians(lat))[:, None] + np.sin(np.radians(5 * lon))[None, :]


def check(path, other, extremes):
    """Whether both files have the same values, some of them not missing, and all of these between two extremes."""
    import netCDF4
    import numpy as np

    with netCDF4.Dataset(path) as a, netCDF4.Dataset(other) as b:
        assert a[NAME].shape == b[NAME].shape, f"{a[NAME].shape}, not {b[NAME].shape}"
        there = 0
        for at in range(a[NAME].shape[0]):
            x, y = (np.ma.filled(file[NAME][at].astype("f8"), np.nan) for file in (a, b))
            assert np.array_equal(x, y, equal_nan=True), f"a budget changes the values at {at}"
            x = x[~np.isnan(x)]
            there += x.size
            assert np.all((extremes[0] <= x) & (x <= extremes[1])), f"values out of range at {at}"
        assert there > 0, "all is missing"


def measured(regrid, source, options, budget, folder, extremes):
    """Runs with the budget and without, and compares; gives what the run took, and the MB that `--explain` foresaw."""
    out, free = folder / "out.nc", folder / "free.nc"
    common = [regrid, source, *options, "-j", "2", "--force"]
    within = [*common, *(["--memory", f"{budget}MiB"] if budget else []), "-o", out]
    took = run(*within)
    run(*common, "-o", free)
    apart(check, out, free, extremes)
    explained = subprocess.run([*map(str, within), "--explain"], check=True, capture_output=True, text=True).stdout
    amount, unit = re.search(r"([\d.]+) ([MGT]B) with the program", explained).groups()
    return took, float(amount) * {"MB": 1, "GB": 1e3, "TB": 1e6}[unit]


def few_targets(regrid, folder):
    wrong = []
    print("\n| source | targets | budget | foreseen, MB | resident at the most, MB | budget and 150 MiB, MB | wall, s |\n| --- | --- | --- | --- | --- | --- | --- |")
    for name, made in SOURCES.items():
        source = folder / "source.nc"
        apart(make_field, source, made)
        lengths = " x ".join(f"{n}" if dimension != "height" else f"{n} levels" for dimension, n in made.shape.items())
        stored = f"in chunks of {' x '.join(map(str, made.chunks))}" if made.chunks else "in one stretch"
        for job in JOBS:
            if job.source != name:
                continue
            took, foreseen = measured(regrid, source, job.options, job.budget, folder, (272, 305))
            most = (job.budget * MIB + BESIDE) / 1e6 if job.budget else None
            said = ", with a note" if job.beyond and "note" in took.said else ""
            print(
                f"| {lengths}{', packed' * made.packed}, {stored} | {job.what} | {f'{job.budget} MiB' if most else 'none'} "
                f"| {foreseen:.0f} | {took.memory:.0f}{said} | {f'{most:.0f}' if most else ''} | {took.wall:.1f} |",
                flush=True,
            )
            if most and took.memory > most and not said:
                wrong.append(f"{lengths}, {job.what}: {took.memory:.0f} MB, not {most:.0f}")
        source.unlink()
    return wrong


def weights(regrid, folder):
    wrong = []
    mesh, other, plane = (folder / name for name in ("mesh.nc", "other.nc", "plane.nc"))
    apart(make_mesh, mesh, 40), apart(make_mesh, other, 55), apart(make_plane, plane)
    budget = 8
    most = (budget * MIB + BESIDE) / 1e6
    print(f"\nBudget {budget} MiB, with 150 MiB beside it {most:.0f} MB; resident at the most, MB\n")
    print("| method | mesh to grid | grid to mesh | mesh to mesh |\n| --- | --- | --- | --- |")
    ways = [(mesh, ["--grid", GRID]), (plane, ["--like", mesh]), (other, ["--like", mesh])]
    for method in METHODS:
        peaks = []
        for source, target in ways:
            # Beyond the extremes by as much as slopes may overshoot.
            took, _ = measured(regrid, source, [*target, "-m", method], budget, folder, (270, 306))
            peaks.append(took.memory)
            if took.memory > most:
                wrong.append(f"{method}, {source.stem}: {took.memory:.0f} MB, not {most:.0f}")
        print(f"| {method} | {' | '.join(f'{peak:.0f}' for peak in peaks)} |", flush=True)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", metavar="few-targets|weights")
    parser.add_argument("--regrid", required=True, help="the command that was built")
    parser.add_argument("--folder", help="where the temporary folder is made")
    options = parser.parse_args()
    regrid = Path(options.regrid).resolve()
    wrong = []
    with temporary_folder(options.folder) as folder:
        for name, measure in (("few-targets", few_targets), ("weights", weights)):
            if not options.what or name in options.what:
                wrong += measure(regrid, folder)
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
