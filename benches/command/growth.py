"""What does the command take per output value, per file and per chunk, as these become more and more?

    make bench-growth
    python benches/command/growth.py --regrid target/release/regrid [values files chunks] [--values 1e10] [--chunks 1e6]

Each run is a process of its own, `-j 2`, deflate 1 and shuffle in and out; processor seconds and the largest resident memory are the
system's own account of it. Sources are made in a temporary folder and removed at the end. Every output is checked.

Values, by steps: 181 x 360 cells, 32-bit floats, more and more of them in time, linearly onto 361 x 720; every other target in both
directions lies on a source cell and has its value. Values, by cells: 120 x 721 x 1440 onto finer and finer grids, within the source's
extremes. Files: one step of 36 x 72 cells each, onto every other cell. Chunks: one step of 361 x 720 cells onto a finer and finer
box in chunks of 10 x 10 cells, equal to the result in chunks as they come.
"""

import argparse
import sys
from pathlib import Path

from child import apart, plane, run, temporary_folder

NAME = "air_temperature"
PLANE = 361 * 720


def fields(rows, columns):
    """Sixteen fields of waves and noise; a step takes them in turns, moved along."""
    import numpy as np

    noise = np.random.default_rng(2017)
    lat, lon = np.linspace(-90, 90, rows), np.arange(columns) * 360.0 / columns
    made = []
    for step in range(16):
        field = 240 + 60 * np.cos(np.radians(lat))[:, None] + 8 * np.sin(np.radians(3 * lon + 10 * step))[None, :]
        made.append((field + 0.01 * noise.standard_normal(field.shape)).astype("f4"))
    return lat, lon, lambda step: np.roll(made[step % 16], step // 16, axis=1)


def make_steps(path, rows, columns, steps):
    import netCDF4

    lat, lon, field = fields(rows, columns)
    with netCDF4.Dataset(path, "w") as file:
        plane(file, lat, lon, steps)
        variable = file.createVariable(
            NAME, "f4", ("time", "latitude", "longitude"), zlib=True, complevel=1, shuffle=True,
            chunksizes=(1, rows, columns),
        )
        variable.units = "K"
        for step in range(steps):
            variable[step] = field(step)


def make_files(folder, kind, first, end):
    import netCDF4
    import numpy as np

    folder.mkdir(exist_ok=True)
    lat, lon = np.arange(36) * 5 - 87.5, np.arange(72) * 5.0
    for number in range(first, end):
        with netCDF4.Dataset(folder / f"{number:06}.nc", "w", format=kind) as file:
            plane(file, lat, lon, 1, first=number)
            compressed = dict(zlib=True, complevel=1, shuffle=True) if kind == "NETCDF4" else {}
            variable = file.createVariable(NAME, "f4", ("time", "latitude", "longitude"), **compressed)
            variable.units = "K"
            variable[0] = of_file(number)


def of_file(number):
    import numpy as np

    return (number + np.arange(36)[:, None] / 64 + np.arange(72)[None, :] / 4096).astype("f4")


def check_steps(path, steps):
    """Whether what lies on source cells is what is there, in steps all over the file."""
    import netCDF4
    import numpy as np

    _, _, field = fields(181, 360)
    with netCDF4.Dataset(path) as file:
        assert file[NAME].shape == (steps, 361, 720), file[NAME].shape
        for step in {int(at) for at in np.linspace(0, steps - 1, 50)}:
            got = file[NAME][step]
            assert not np.ma.is_masked(got), f"step {step} has missing values"
            assert np.array_equal(got[::2, ::2], field(step)), f"step {step} is another one"


def check_range(path, shape):
    """Whether all is there, and between the source's extremes."""
    import netCDF4
    import numpy as np

    with netCDF4.Dataset(path) as file:
        assert file[NAME].shape == shape, file[NAME].shape
        for step in (0, shape[0] // 2, shape[0] - 1):
            got = file[NAME][step]
            assert not np.ma.is_masked(got) and got.min() > 231 and got.max() < 309, f"step {step}"


def check_files(path, count):
    import netCDF4
    import numpy as np

    with netCDF4.Dataset(path) as file:
        assert file[NAME].shape == (count, 18, 36), file[NAME].shape
        for number in range(count):
            assert np.array_equal(file[NAME][number], of_file(number)[::2, ::2]), f"file {number} is another one"


def check_same(path, other):
    import netCDF4
    import numpy as np

    with netCDF4.Dataset(path) as a, netCDF4.Dataset(other) as b:
        assert a[NAME].shape == b[NAME].shape and not np.ma.is_masked(a[NAME][:])
        assert np.array_equal(a[NAME][:], b[NAME][:]), "chunks change the result"


def powers(first, most):
    while first <= most:
        yield first
        first *= 10


def values(regrid, folder, most):
    print("\n| output values, by steps | processor time per value, ns | wall, s | peak memory, MB |\n| --- | --- | --- | --- |")
    for wanted in powers(1_000_000, most):
        steps = max(1, round(wanted / PLANE))
        source, out = folder / "steps.nc", folder / "out.nc"
        apart(make_steps, source, 181, 360, steps)
        took = run(regrid, source, "-o", out, "--grid", "r720x361", "-j", "2", "--force", "--quiet")
        apart(check_steps, out, steps)
        print(f"| {steps * PLANE:.1e} | {took.cpu / steps / PLANE * 1e9:.1f} | {took.wall:.2f} | {took.memory:.0f} |", flush=True)
        source.unlink(), out.unlink()
    print("\n| output values, by cells | processor time per value, ns | wall, s | peak memory, MB |\n| --- | --- | --- | --- |")
    source = folder / "cells.nc"
    apart(make_steps, source, 721, 1440, 120)
    for wanted in powers(100_000_000, most):
        rows = round((wanted / 240) ** 0.5)
        out = folder / "out.nc"
        took = run(regrid, source, "-o", out, "--grid", f"r{2 * rows}x{rows}", "-j", "2", "--force", "--quiet")
        apart(check_range, out, (120, rows, 2 * rows))
        count = 240 * rows * rows
        print(f"| {count:.1e} | {took.cpu / count * 1e9:.1f} | {took.wall:.2f} | {took.memory:.0f} |", flush=True)
        out.unlink()
    source.unlink()


def files(regrid, folder, most):
    print("\n| files | format | processor time per file, ms | wall, s | peak memory, MB |\n| --- | --- | --- | --- | --- |")
    for kind in ("NETCDF3_CLASSIC", "NETCDF4"):
        sources, made = folder / kind, 0
        for count in powers(1, most):
            apart(make_files, sources, kind, made, count)
            made = count
            out = folder / "out.nc"
            target = ["--lat", "-87.5:82.5:10", "--lon", "0:350:10"]
            took = run(regrid, sources, "-o", out, *target, "-j", "2", "--force", "--quiet")
            apart(check_files, out, count)
            out.unlink()
            name = "classic" if "CLASSIC" in kind else "netCDF-4"
            print(f"| {count} | {name} | {took.cpu / count * 1e3:.2f} | {took.wall:.2f} | {took.memory:.0f} |", flush=True)


def chunks(regrid, folder, most):
    source, grid = folder / "plane.nc", folder / "box.grid"
    apart(make_steps, source, 361, 720, 1)
    print("\n| chunks | processor time per chunk, us | wall, s | peak memory, MB |\n| --- | --- | --- | --- |")
    for wanted in powers(10, most):
        side = int(wanted**0.5)
        cells, step = side * 10, 60 / (side * 10)
        axis = lambda name: f"{name}size = {cells}\n{name}first = -30\n{name}inc = {step!r}\n"
        grid.write_text("gridtype = lonlat\n" + axis("x") + axis("y"))
        out, whole = folder / "out.nc", folder / "whole.nc"
        common = [regrid, source, "--grid", grid, "-j", "2", "--force", "--quiet"]
        took = run(*common, "--chunk", "10x10", "-o", out)
        run(*common, "-o", whole)
        apart(check_same, out, whole)
        print(f"| {side * side} | {took.cpu / side / side * 1e6:.0f} | {took.wall:.2f} | {took.memory:.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", metavar="values|files|chunks")
    parser.add_argument("--regrid", required=True, help="the command that was built")
    parser.add_argument("--values", type=float, default=1e9, help="the most output values")
    parser.add_argument("--files", type=float, default=1e4, help="the most files")
    parser.add_argument("--chunks", type=float, default=1e5, help="the most chunks")
    parser.add_argument("--folder", help="where the temporary folder is made")
    options = parser.parse_args()
    regrid = Path(options.regrid).resolve()
    with temporary_folder(options.folder) as folder:
        for measure in (values, files, chunks):
            if not options.what or measure.__name__ in options.what:
                measure(regrid, folder, getattr(options, measure.__name__))


if __name__ == "__main__":
    sys.exit(main())
