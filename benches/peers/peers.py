"""From file to file: `regrid` beside CDO, Iris and xarray, in turns, each as a process of its own.

    make bench-peers
    python benches/peers/peers.py --regrid target/release/regrid [--jobs J1 J2] [--runs 5] [--folder DIR]

Every round runs each tool once, so that what else the machine does falls on all of them alike. Wall and processor seconds
and the largest resident memory are the system's own accounts of the finished process. CDO also has a turn with weights that
were made before; Iris with Dask's threads has one for each way to cut the source, the best of which is shown.

The first round warms up, and its results are compared: all values of all steps, to one unit in the last place of 32-bit
floats of some hundred kelvin, with the same values missing. Then each tool opens our result and must see the values in it.
Whatever differs ends the program with status 1 after the last job.

J1: 120 x 721 x 1440 to r720x361, linear. J2: 24 x 600 x 800 to 1000 x 1000 at 0.1 degree, linear. J3: J1 area-weighted.
J5: J1 with 30 % missing. Each with deflate 1 and shuffle in and out, one step a chunk. J1u is J1 without compression. box is
a hundredth of the globe out of J1's source in chunks of 91 x 180 cells, of which the tools cut out what they need.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

GLOBE = dict(steps=120, lat=(-90, 90, 721), lon=(0, 359.75, 1440), target="globe", method="linear", deflate=1)
JOBS = {
    "J1": GLOBE,
    "J2": dict(GLOBE, steps=24, lat=(-30, 89.8, 600), lon=(0, 159.8, 800), target="box"),
    "J3": dict(GLOBE, method="area-weighted"),
    "J5": dict(GLOBE, missing=True),
    "J1u": dict(GLOBE, deflate=0),
    "box": dict(GLOBE, target="hundredth", chunk=(91, 180), around=(19, 57, 9, 29)),
}
TARGETS = {
    "globe": ((-90, 90, 361), (0, 359.5, 720)),
    "box": ((-20.05, 79.85, 1000), (20.05, 119.95, 1000)),
    "hundredth": ((10.125, 27.875, 72), (20.125, 55.875, 144)),
}
NAME = "air_temperature"
# The distance of neighbouring 32-bit floats between 256 and 512: results are rounded once, from sums in another order.
TOLERANCE = 2.0**-15
# Steps of the source that are one chunk of Dask's.
CUTS = (1, 4, 16)
# The most that may be read of the file in the job box, of all its bytes.
BOX_SHARE = 0.15


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

    spec = JOBS[job]
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
    deflate = spec["deflate"]
    variable = file.createVariable(
        NAME, "f4", ("time", "latitude", "longitude"), zlib=deflate > 0, complevel=deflate, shuffle=deflate > 0,
        chunksizes=(1, *spec.get("chunk", (len(lat), len(lon)))), fill_value=1e20 if spec.get("missing") else None,
    )
    variable.units, variable.standard_name = "K", NAME
    return file


def make_source(path, job):
    import numpy as np

    spec = JOBS[job]
    lat, lon = np.linspace(*spec["lat"]), np.linspace(*spec["lon"])
    noise = np.random.default_rng(2017)
    unfinished = path.with_suffix(".part")
    with create(unfinished, job, lat, lon, spec["steps"]) as file:
        for step in range(spec["steps"]):
            field = 240 + 60 * np.cos(np.radians(lat))[:, None] + 8 * np.sin(np.radians(3 * lon + 10 * step))[None, :]
            field += 0.01 * noise.standard_normal(field.shape)
            if spec.get("missing"):
                # In stretches, as land is.
                stretch = (np.arange(field.size) + step * field.size) // 37
                field = np.ma.masked_where((stretch % 10 < 3).reshape(field.shape), field)
            file[NAME][step] = field
    unfinished.rename(path)


def one(tool, job, source, out):
    """One run of a Python tool, in a process that does nothing else."""
    spec = JOBS[job]
    lat, lon = axes(job)
    west, east, south, north = spec.get("around", (0, 360, -90, 90))
    deflate = dict(zlib=True, complevel=1, shuffle=True) if spec["deflate"] else {}
    chunks = (1, len(lat), len(lon))
    if tool.startswith("iris"):
        import contextlib

        import dask
        import iris
        import numpy as np
        from iris.analysis import AreaWeighted, Linear
        from iris.fileformats.netcdf.loader import CHUNK_CONTROL

        iris.FUTURE.save_split_attrs = True
        cut = tool.partition("dask ")[2]
        dask.config.set(scheduler="threads" if cut else "synchronous", num_workers=2)
        with CHUNK_CONTROL.set(NAME, time=int(cut)) if cut else contextlib.nullcontext():
            cube = iris.load_cube(source)
        if "around" in spec:
            within = dict(latitude=lambda y: south <= y <= north, longitude=lambda x: west <= x <= east)
            cube = cube.extract(iris.Constraint(coord_values=within))
        circular = spec["target"] == "globe"
        degrees = dict(units="degrees", coord_system=None)
        target = iris.cube.Cube(
            np.zeros((len(lat), len(lon))),
            dim_coords_and_dims=[
                (iris.coords.DimCoord(lat, standard_name="latitude", **degrees), 0),
                (iris.coords.DimCoord(lon, standard_name="longitude", circular=circular, **degrees), 1),
            ],
        )
        cube.coord("longitude").circular = circular
        if spec["method"] == "area-weighted":
            for axis in ("latitude", "longitude"):
                target.coord(axis).guess_bounds()
                cube.coord(axis).guess_bounds()
            scheme = AreaWeighted(mdtol=1)
        else:
            scheme = Linear(extrapolation_mode="mask")
        iris.save(cube.regrid(target, scheme), out, chunksizes=chunks, **deflate)
    elif tool == "xarray":
        import xarray

        data = xarray.open_dataset(source, chunks={"time": 4})
        if "around" in spec:
            data = data.sel(latitude=slice(south, north), longitude=slice(west, east))
        if spec["target"] == "globe":
            first = data.isel(longitude=[0])
            data = xarray.concat([data, first.assign_coords(longitude=first.longitude + 360)], "longitude")
        result = data.interp(latitude=lat, longitude=lon).astype("f4")
        result.to_netcdf(out, encoding={NAME: dict(chunksizes=chunks, **deflate)})


def grid_description(job, path):
    lat, lon = axes(job)
    numbers = lambda values: " ".join(f"{x:.10g}" for x in values)
    path.write_text(
        f"gridtype = lonlat\nxsize = {len(lon)}\nysize = {len(lat)}\nxvals = {numbers(lon)}\nyvals = {numbers(lat)}\n"
    )


def commands(job, source, folder, regrid):
    """Our command, and the tools with the command of each; the name of the output comes last."""
    spec = JOBS[job]
    linear = spec["method"] == "linear"
    grid = folder / f"{job}.grid"
    apart(grid_description, job, grid)
    ours = [regrid, source, "--grid", grid, "-m", spec["method"], "--deflate", str(spec["deflate"]), "--force", "--quiet"]
    tools = {
        "regrid -j 1": [*ours, "-j", "1", "-o"],
        "regrid -j 2": [*ours, "-j", "2", "-o"],
    }
    if shutil.which("cdo"):
        packing = ["-f", "nc4", "-z", "zip_1"] if spec["deflate"] else ["-f", "nc4"]
        cdo = ["cdo", "-s", "-O", "-P", "2", *packing]
        cut = [f"-sellonlatbox,{','.join(map(str, spec['around']))}"] if "around" in spec else []
        tools["CDO -P 2"] = [*cdo, f"remap{'bil' if linear else 'con'},{grid}", *cut, source]
        weights = folder / f"{job}-weights.nc"
        generate = f"gen{'bil' if linear else 'con'},{grid}"
        # Weights are made for what is missing in the first step, and would hold for no other.
        if not spec.get("missing"):
            timed(["cdo", "-s", "-O", generate, "-seltimestep,1", *cut, source, weights])
            tools["CDO -P 2, weights kept"] = [*cdo, f"remap,{grid},{weights}", *cut, source]
    python = ["iris", *(f"iris, dask {steps}" for steps in CUTS), *(["xarray"] if linear else [])]
    for tool in python:
        tools[tool] = [sys.executable, __file__, "--one", tool, job, source]
    return ours, tools


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


def steps(path):
    """The values of a file, step after step, NaN where they are missing."""
    import netCDF4
    import numpy as np

    with netCDF4.Dataset(path) as file:
        for step in range(len(file.dimensions["time"])):
            yield np.ma.filled(file[NAME][step].astype("f8"), np.nan)


def difference(got, expected):
    """The largest difference between two lists of steps; an error in words if there is anything else to tell them apart."""
    import itertools

    import numpy as np

    largest = 0.0
    for step, (x, y) in enumerate(itertools.zip_longest(got, expected)):
        if x is None or y is None:
            return largest, "another number of steps"
        if x.shape != y.shape:
            return largest, f"another shape: {x.shape}, not {y.shape}"
        if np.any(np.isinf(x)) or np.any(np.isinf(y)):
            return largest, f"an infinite value in step {step}"
        missing = np.isnan(x) != np.isnan(y)
        if np.any(missing):
            return largest, f"{missing.sum()} values of step {step} are missing in one and not in the other"
        apart = np.abs(x - y)[~np.isnan(x)]
        largest = max(largest, float(apart.max(initial=0.0)))
    return largest, None


def compared(got, expected):
    return difference(steps(got), steps(expected))


def against_source(got, source):
    """Our result beside every other cell of the source in both directions, where the globe's targets lie for linear."""
    return difference(steps(got), (values[::2, ::2] for values in steps(source)))


def missing(path):
    import numpy as np

    return sum(int(np.isnan(values).sum()) for values in steps(path))


def seen(tool, path, folder):
    """What a tool sees in a file of ours, beside what is in it."""
    import numpy as np

    if tool == "xarray":
        import xarray

        with xarray.open_dataset(path) as data:
            return difference(iter(data[NAME].values.astype("f8")), steps(path))
    if tool == "iris":
        import iris

        (cube,) = iris.load(path)
        if cube.standard_name != NAME:
            return 0.0, f"its name is {cube.name()}"
        return difference(iter(np.ma.filled(cube.data.astype("f8"), np.nan)), steps(path))
    copy = folder / "copy.nc"
    subprocess.run(["cdo", "-s", "-O", "-f", "nc4", "copy", path, copy], check=True)
    try:
        return compared(copy, path)
    finally:
        copy.unlink()


def opens(job, path, folder):
    """Opens our result by every tool there is, and gives what is wrong with it."""
    wrong = []
    said = subprocess.run(["ncdump", "-h", path], capture_output=True, text=True)
    if said.returncode != 0 or f"float {NAME}(time, latitude, longitude)" not in said.stdout:
        wrong.append(f"{job}: ncdump -h: {said.stderr or said.stdout}")
    if shutil.which("cdo"):
        said = subprocess.run(["cdo", "-s", "infon", path], capture_output=True, text=True)
        if said.returncode != 0 or said.stderr or said.stdout.count(f": {NAME}") != JOBS[job]["steps"]:
            wrong.append(f"{job}: cdo info: {said.stderr or said.stdout}")
    for tool in [*(["cdo"] if shutil.which("cdo") else []), "iris", "xarray"]:
        largest, problem = apart(seen, tool, path, folder)
        if problem or largest > 0:
            wrong.append(f"{job}: {tool} sees other values in our file: {problem or largest}")
    return wrong


def answers(job, tools, ours, folder):
    """Compares all results of a round with ours: the differences by tool, and what is wrong."""
    wrong, apart_by = [], {}
    result = {tool: folder / f"{job}-{number}-out.nc" for number, tool in enumerate(tools)}
    own = result["regrid -j 2"]
    if (JOBS[job]["target"], JOBS[job]["method"]) == ("globe", "linear"):
        largest, problem = apart(against_source, own, folder / f"{job}.nc")
        if problem or largest > 0:
            wrong.append(f"{job}: ours is not the source where its cells are: {problem or largest}")
    elif count := apart(missing, own):
        wrong.append(f"{job}: {count} values of ours are missing")
    for tool in tools:
        reference = own
        # What is missing is a matter of each tool's rules, which we have too. As for CDO, for xarray a target is missing if any of
        # the four cells around it is, with weight or without.
        compat = None if tool.startswith("regrid") else "iris" if tool.startswith("iris") else "cdo"
        if JOBS[job].get("missing") and compat:
            reference = folder / f"{job}-{compat}.nc"
            if not reference.exists():
                timed([*ours, "--compat", compat, "-o", reference])
        apart_by[tool], problem = apart(compared, result[tool], reference)
        if problem or apart_by[tool] > TOLERANCE:
            wrong.append(f"{job}: {tool}: {problem or f'differs from ours by {apart_by[tool]:.3g}'}")
    return apart_by, wrong + opens(job, own, folder)


def report_reads(job, source, ours, folder):
    """Says how much of the source is read, by the run's profile."""
    profile = folder / f"{job}-profile.json"
    timed([*ours, "-o", folder / f"{job}-profiled.nc", "--profile", profile])
    events = json.loads(profile.read_text())["traceEvents"]
    read, size = sum(event.get("args", {}).get("read", 0) for event in events), source.stat().st_size
    print(f"\n{read} of the source's {size} bytes were read: {read / size:.1%}")
    return [f"{job}: {read} of the source's {size} bytes are read"] if not 0 < read <= BOX_SHARE * size else []


def run_job(job, folder, regrid, runs):
    """One job, all tools: prints its table, and gives what is wrong."""
    source = folder / f"{job}.nc"
    if not source.exists():
        apart(make_source, source, job)
    ours, tools = commands(job, source, folder, regrid)
    for old in folder.glob(f"{job}-*.nc"):
        if not old.name.endswith("weights.nc"):
            old.unlink()
    figures = {tool: [] for tool in tools}
    differences, wrong = {}, []
    for turn in range(runs + 1):
        for number, (tool, command) in enumerate(tools.items()):
            out = folder / f"{job}-{number}-out.nc"
            out.unlink(missing_ok=True)
            figure = timed([*command, out])
            if turn:  # the first round warms up
                figures[tool].append(figure)
        if turn == 0:
            differences, wrong = answers(job, tools, ours, folder)
    typical = {tool: statistics.median(wall for wall, _, _ in figures[tool]) for tool in tools}
    cuts = [tool for tool in tools if "dask" in tool]
    best_cut = min(cuts, key=typical.get)
    print(f"\n{job}: {runs} rounds, median (fastest to slowest); load average {os.getloadavg()[0]:.1f}\n")
    print("| tool | wall, s | processor, s | peak memory, MB | largest difference from ours |\n| --- | --- | --- | --- | --- |")
    for tool in tools:
        if tool in cuts and tool != best_cut:
            continue
        name = f"Iris, Dask threads, chunks of {tool.split()[-1]} steps" if tool in cuts else tool.replace("iris", "Iris")
        wall, cpu, memory = zip(*figures[tool])
        print(
            f"| {name} | {typical[tool]:.2f} ({min(wall):.2f} to {max(wall):.2f}) "
            f"| {statistics.median(cpu):.2f} | {max(memory):.0f} | {differences[tool]:.2g} |",
        )
    others = {tool: seconds for tool, seconds in typical.items() if not tool.startswith("regrid")}
    best = min(others, key=others.get)
    one, two = typical["regrid -j 1"], typical["regrid -j 2"]
    print(f"\n{best} takes {others[best] / two:.1f} times as long as -j 2; -j 1 {one / two:.2f} times.", end=" ")
    print("Dask's other cuts: " + ", ".join(f"{typical[tool]:.2f} s ({tool.split()[-1]})" for tool in cuts if tool != best_cut))
    if "around" in JOBS[job]:
        wrong += report_reads(job, source, ours, folder)
    sys.stdout.flush()
    return wrong


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
    wrong = [line for job in options.jobs for line in run_job(job, folder, options.regrid, options.runs)]
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
