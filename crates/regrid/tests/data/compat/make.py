"""Makes the sources and the answers of this folder: Iris 3.14.1, CDO 2.1.1, netCDF4, numpy; `python make.py`, here.

Each answer is what the tool named in `decided_by` gives for `source_file` on the axes of the answer itself.
"""
import subprocess
import warnings

import iris
import netCDF4
import numpy as np
from iris.analysis import AreaWeighted, Linear, Nearest

# What is in the way afterwards.
FOLDER = __import__("tempfile").mkdtemp()

warnings.filterwarnings("ignore")
FILL = -999.0


def bounds(centres):
    middles = (centres[1:] + centres[:-1]) / 2
    first, last = 2 * centres[0] - middles[0], 2 * centres[-1] - middles[-1]
    edges = np.concatenate([[first], middles, [last]])
    return np.stack([edges[:-1], edges[1:]], 1)


def write(path, lat, lon, values, name, attributes):
    file = netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC")
    file.setncatts(attributes)
    file.createDimension("bnds", 2)
    for axis, centres, units, word in (
        ("lat", lat, "degrees_north", "latitude"),
        ("lon", lon, "degrees_east", "longitude"),
    ):
        file.createDimension(axis, len(centres))
        variable = file.createVariable(axis, "f8", (axis,))
        variable.setncatts({"units": units, "standard_name": word, "bounds": axis + "_bnds"})
        variable[:] = centres
        limits = bounds(np.asarray(centres, float))
        file.createVariable(axis + "_bnds", "f8", (axis, "bnds"))[:] = (
            np.clip(limits, -90, 90) if axis == "lat" else limits
        )
    variable = file.createVariable(name, "f8", ("lat", "lon"), fill_value=FILL)
    variable.units = "K"
    variable[:] = values
    file.close()


def source(name, lat, lon, missing):
    y, x = np.meshgrid(np.radians(lat), np.radians(lon), indexing="ij")
    values = np.ma.array(280 + 20 * np.cos(y) + 5 * np.sin(2 * x + y) + 3 * np.cos(3 * y))
    for place in missing:
        values[place] = np.ma.masked
    write(name + ".nc", lat, lon, values, "t", {})


rows, columns = np.arange(0, 50, 10.0), np.arange(0, 60, 10.0)
source("reg", rows, columns, [(2, 3), (0, 0), (4, 5)])
source("reg_down", rows[::-1], columns, [(2, 3), (0, 0), (4, 5)])
rows = np.arange(-75, 90, 30.0)
source("globe", rows, np.arange(0, 360, 45.0), [(2, 3), (3, 7), (2, 0)])
source("globe_180", rows, np.arange(-180, 180, 45.0), [(2, 3), (3, 7), (2, 0)])

# On centres and edges of cells, between them, and beyond.
GRIDS = {
    "halves": (np.arange(-5, 50, 5.0), np.arange(-5, 60, 5.0)),
    # Without ties for the nearest.
    "askew": (np.arange(-6, 50, 4.3), np.arange(-7, 60, 4.7)),
    "global": (np.arange(-85, 90, 10.0), np.arange(0, 360, 22.5)),
    "global_askew": (np.arange(-86, 90, 9.1), np.arange(3.7, 360, 20.0)),
}
for name, (lat, lon) in GRIDS.items():
    write(f"{FOLDER}/{name}.nc", lat, lon, np.zeros((len(lat), len(lon))), "t", {})


def case(name, of, grid, options, tool, call, values, tolerance=1e-9):
    attributes = {
        "source_file": of + ".nc",
        "options": options,
        "decided_by": tool,
        "decided_call": call,
        "tolerance": tolerance,
    }
    write(f"case-{name}.nc", *GRIDS[grid], values, "expected", attributes)


def by_iris(name, of, grid, options, scheme, call):
    target = iris.load_cube(f"{FOLDER}/{grid}.nc")
    values = iris.load_cube(of + ".nc").regrid(target, scheme).data
    case("iris-" + name, of, grid, "--compat iris " + options, "Iris 3.14.1", call, values)


def by_cdo(name, of, grid, options, operator, tolerance=1e-9):
    call = f"cdo -b F64 {operator},TARGET"
    out = f"{FOLDER}/answer.nc"
    subprocess.run(["cdo", "-s", "-b", "F64", f"{operator},{FOLDER}/{grid}.nc", of + ".nc", out], check=True)
    with netCDF4.Dataset(out) as file:
        values = file["t"][:]
    case("cdo-" + name, of, grid, "--compat cdo " + options, "CDO 2.1.1", call, values, tolerance)

by_iris("linear", "reg", "halves", "-m linear", Linear(), "Linear()")
by_iris("linear-globe", "globe_180", "global", "-m linear", Linear(), "Linear()")
by_iris("nearest", "reg", "halves", "-m nearest", Nearest(), "Nearest()")
by_iris("area", "reg", "halves", "-m area-weighted", AreaWeighted(), "AreaWeighted()")
# Cells exactly at the limit are dropped, up to the rounding of Iris's sums: the limit is moved by more than that.
for least, mdtol in (("0.5", 0.5 - 1e-9), ("1", 0.0), ("0.25", 0.75 - 1e-9)):
    by_iris(
        f"area-{least}",
        "reg",
        "halves",
        f"-m area-weighted --min-valid {least}",
        AreaWeighted(mdtol=mdtol),
        f"AreaWeighted(mdtol={mdtol})",
    )
by_iris("area-globe", "globe", "global_askew", "-m area-weighted", AreaWeighted(), "AreaWeighted()")

for of, grid in (("reg", "halves"), ("reg_down", "halves"), ("globe", "global"), ("globe_180", "global")):
    by_cdo(f"linear-{of}", of, grid, "-m linear", "remapbil")
    # Values differ where slopes read a missing neighbour or end with the grid: there the mask is compared alone.
    by_cdo(f"cubic-{of}", of, grid, "-m cubic", "remapbic", 1e3)
for of, grid in (("reg", "askew"), ("globe", "global_askew")):
    by_cdo(f"nearest-{of}", of, grid, "-m nearest", "remapnn")
    # CDO measures along the chord, which on cells this large is seen: the mask is compared alone.
    by_cdo(f"distance-{of}", of, grid, "-m inverse-distance", "remapdis", 1e3)
    by_cdo(f"area-{of}", of, grid, "-m area-weighted", "remapcon")
    by_cdo(f"largest-{of}", of, grid, "-m mode", "remaplaf")
