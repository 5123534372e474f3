"""From file to file: `regrid` beside CDO, Iris and xarray, in turns, each as a process of its own.

    make bench-peers
    python benches/peers/peers.py --regrid target/release/regrid [--jobs J1 J2] [--runs 5] [--folder DIR]

Every round runs each tool once, so that what else the machine does falls on all of them alike. Wall and processor seconds
and the largest resident memory are the system's own accounts of the finished process. Each result is compared with ours.

J1: 120 x 721 x 1440 to r720x361, linear. J2: 24 x 600 x 800 to 1000 x 1000 at 0.1 degree, linear. J3: J1 area-weighted. Each
with deflate 1 and shuffle in and out, one step a chunk; J1u is J1 without compression.
"""

import argparse
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

JOBS = {
    "J1": dict(steps=120, lat=(-90, 90, 721), lon=(0, 359.75, 1440), target="globe", method="linear", deflate=1),
    "J2": dict(steps=24, lat=(-30, 89.8, 600), lon=(0, 159.8, 800), target="box", method="linear", deflate=1),
    "J3": dict(steps=120, lat=(-90, 90, 721), lon=(0, 359.75, 1440), target="globe", method="area-weighted", deflate=1),
    "J1u": dict(steps=120, lat=(-90, 90, 721), lon=(0, 359.75, 1440), target="globe", method="linear", deflate=0),
}
TARGETS = {"globe": ((-90, 90, 361), (0, 359.5, 720)), "box": ((-20.05, 79.85, 1000), (20.05, 119.95, 1000))}
NAME = "air_temperature"


def apart(function, *arguments):
    """Calls it in a process of its own: what this one holds would count as the peak memory of the tools that it starts."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def axes(job):
    import numpy as np

    return [np.linspace(*axis) for axis in TARGETS[JOBS[job]["target"]]]


def create(path, job, lat, lon, steps):
    """A file with its coordinates, and the variable still empty."""
    import netCDF4
    import numpy as np

    file = netCDF4.Dataset(path, "w")
    for name, values, units in [
        ("time", np.arange(steps) * 6.0, "hours since 2000-01-01"),
        ("latitude", lat, "degrees_north"),
        ("longitude", lon, "degrees_east"),
    ]:
        file.createDimension(name, len(values))
        axis = file.createVariable(name, "f8", (name,))
        axis.units, axis.standard_name = units, name
        axis[:] = values
    deflate = JOBS[job]["deflate"]
    variable = file.createVariable(
        NAME, "f4", ("time", "latitude", "longitude"), zlib=deflate > 0, complevel=deflate, shuffle=deflate > 0,
        chunksizes=(1, len(lat), len(lon)),
    )
    variable.units, variable.standard_name = "K", NAME
    return file


def make_source(path, job):
    import numpy as np

    spec = JOBS[job]
    lat, lon = np.linspace(*spec["lat"]), np.linspace(*spec["lon"])
    noise = np.random.default_rng(2017)
    with create(path, job, lat, lon, spec["steps"]) as file:
        for step in range(spec["steps"]):
            field = 240 + 60 * np.cos(np.radians(lat))[:, None] + 8 * np.sin(np.radians(3 * lon + 10 * step))[None, :]
            file[NAME][step] = field + 0.01 * noise.standard_normal(field.shape)


def one(tool, job, source, out):
    """One run of a Python tool, in a process that does nothing else."""
    spec = JOBS[job]
    lat, lon = axes(job)
    if tool.startswith("iris"):
        import dask
        import iris
        from iris.analysis import AreaWeighted, Linear

        iris.FUTURE.save_split_attrs = True
        dask.config.set(scheduler="threads" if "dask" in tool else "synchronous", num_workers=2)
        cube = iris.load_cube(source)
        degrees = dict(units="degrees", coord_system=None)
        target = iris.cube.Cube(
            __import__("numpy").zeros((len(lat), len(lon))),
            dim_coords_and_dims=[
                (iris.coords.DimCoord(lat, standard_name="latitude", **degrees), 0),
                (iris.coords.DimCoord(lon, standard_name="longitude", circular=spec["target"] == "globe", **degrees), 1),
            ],
        )
        cube.coord("longitude").circular = spec["target"] == "globe"
        if spec["method"] == "area-weighted":
            for axis in ("latitude", "longitude"):
                target.coord(axis).guess_bounds()
                cube.coord(axis).guess_bounds()
            scheme = AreaWeighted(mdtol=1)
        else:
            scheme = Linear(extrapolation_mode="mask")
        result = cube.regrid(target, scheme)
        deflate = dict(zlib=True, complevel=1, shuffle=True) if spec["deflate"] else {}
        iris.save(result, out, chunksizes=(1, len(lat), len(lon)), **deflate)
    elif tool == "xarray":
        import xarray

        data = xarray.open_dataset(source, chunks={"time": 4})
        if spec["target"] == "globe":
            first = data.isel(longitude=[0])
            data = xarray.concat([data, first.assign_coords(longitude=first.longitude + 360)], "longitude")
        result = data.interp(latitude=lat, longitude=lon).astype("f4")
        deflate = dict(zlib=True, complevel=1, shuffle=True) if spec["deflate"] else {}
        result.to_netcdf(out, encoding={NAME: dict(chunksizes=(1, len(lat), len(lon)), **deflate)})


def grid_description(job, path):
    lat, lon = axes(job)
    numbers = lambda values: " ".join(f"{x:.10g}" for x in values)
    path.write_text(
        f"gridtype = lonlat\nxsize = {len(lon)}\nysize = {len(lat)}\nxvals = {numbers(lon)}\nyvals = {numbers(lat)}\n"
    )


def commands(job, source, folder, regrid):
    """The tools with the command of each, by the name of its output."""
    spec = JOBS[job]
    grid = folder / f"{job}.grid"
    apart(grid_description, job, grid)
    ours = [regrid, source, "--grid", grid, "-m", spec["method"], "--deflate", str(spec["deflate"]), "--force", "--quiet"]
    rivals = {
        "regrid -j 1": [*ours, "-j", "1", "-o"],
        "regrid -j 2": [*ours, "-j", "2", "-o"],
    }
    if shutil.which("cdo"):
        operator = "remapbil" if spec["method"] == "linear" else "remapcon"
        packing = ["-f", "nc4", "-z", "zip_1"] if spec["deflate"] else ["-f", "nc4"]
        rivals["CDO -P 2"] = ["cdo", "-s", "-O", "-P", "2", *packing, f"{operator},{grid}", source]
    me = [sys.executable, __file__]
    for tool in ["iris", "iris, dask threads", "xarray"]:
        if tool == "xarray" and spec["method"] != "linear":
            continue
        rivals[tool] = [*me, "--one", tool, job, source]
    return rivals


def timed(command):
    start = time.perf_counter()
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{command[0]} failed: {said.decode()}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def differences(ours, theirs):
    import netCDF4
    import numpy as np

    with netCDF4.Dataset(ours) as a, netCDF4.Dataset(theirs) as b:
        largest = 0.0
        for step in (0, -1):
            x, y = (np.ma.filled(f[NAME][step].astype("f8"), np.nan) for f in (a, b))
            if np.any(np.isfinite(x) & np.isfinite(y)):
                largest = max(largest, np.nanmax(np.abs(x - y)))
        return largest


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--regrid", help="the command that was built")
    parser.add_argument("--jobs", nargs="+", default=list(JOBS), choices=list(JOBS))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", default="target/peers-data")
    options = parser.parse_args()
    if options.one:
        tool, job, source, out = options.one
        return one(tool, job, source, out)
    folder = Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    for job in options.jobs:
        source = folder / f"{job}.nc"
        if not source.exists():
            apart(make_source, source, job)
        tools = commands(job, source, folder, options.regrid)
        figures = {tool: [] for tool in tools}
        for turn in range(options.runs + 1):
            for number, (tool, command) in enumerate(tools.items()):
                out = folder / f"{job}-{number}-out.nc"
                out.unlink(missing_ok=True)
                figure = timed([*command, out])
                if turn:  # the first round warms up
                    figures[tool].append(figure)
        print(f"\n{job}: {options.runs} rounds, median (fastest to slowest); load average {os.getloadavg()[0]:.1f}")
        print("| tool | wall, s | processor, s | peak memory, MB | largest difference from ours |\n| --- | --- | --- | --- | --- |")
        for number, tool in enumerate(tools):
            wall, cpu, memory = zip(*figures[tool])
            other = apart(differences, folder / f"{job}-1-out.nc", folder / f"{job}-{number}-out.nc")
            print(
                f"| {tool} | {statistics.median(wall):.2f} ({min(wall):.2f} to {max(wall):.2f}) "
                f"| {statistics.median(cpu):.2f} | {max(memory):.0f} | {other:.2g} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
