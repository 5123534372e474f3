"""Weights exchanged with xESMF: its own code reads, applies and writes them, the command reads and applies its files.

    pip install numpy scipy xarray netCDF4 sparse numba cf_xarray shapely && pip install --no-deps xesmf
    python with_xesmf.py REGRID INPUT.nc VARIABLE [GRID...]

ESMF itself, which xESMF needs only to make weights, is not called and may be missing. The input has no missing values.
"""

import subprocess
import sys
import tempfile
import types
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import xarray as xr


class NoEsmf(types.ModuleType):
    """Stands in for the classes of ESMF that xESMF derives its own from when it is loaded."""

    Grid, LocStream, Mesh = (type(name, (), {}) for name in ("Grid", "LocStream", "Mesh"))

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock()


try:
    import esmpy  # noqa: F401
except ImportError:
    sys.modules["esmpy"] = NoEsmf("esmpy")

from xesmf.frontend import BaseRegridder  # noqa: E402
from xesmf.smm import apply_weights, read_weights  # noqa: E402

METHODS = ["linear", "nearest", "cubic", "area-weighted", "second-order-conservative", "inverse-distance", "mean"]


def main(regrid, source, name, *grids):
    def run(*arguments):
        subprocess.run([regrid, *map(str, arguments), "--force", "--quiet"], check=True)

    def values(path):
        with xr.open_dataset(path, decode_times=False) as file:
            return np.ascontiguousarray(file[name].values)

    folder = Path(tempfile.mkdtemp())
    before = values(source).astype("f8")
    assert not np.isnan(before).any(), "the input has missing values"
    shape_in = before.shape[-2:]
    for grid in grids or ["r72x36", "n32"]:
        for method in METHODS:
            weights, direct, theirs, back = (folder / f"{part}.nc" for part in ("weights", "direct", "theirs", "back"))
            run("weights", source, "-o", weights, "--format", "esmf", "--grid", grid, "-m", method, "-v", name)
            run(source, "-o", direct, "--grid", grid, "-m", method, "-v", name)
            ours = values(direct)
            shape_out = ours.shape[-2:]
            matrix = read_weights(weights, shape_in[0] * shape_in[1], shape_out[0] * shape_out[1])
            applied = apply_weights(matrix.data.reshape((*shape_out, *shape_in)), before, shape_in, shape_out)
            regridder = object.__new__(BaseRegridder)
            regridder.weights, regridder.filename = matrix, theirs
            regridder.to_netcdf(theirs)
            run(source, "-o", back, "--grid", grid, "-m", method, "-v", name, "--weights", theirs)
            by_xesmf, by_us = (float(np.abs(x - ours).max()) for x in (applied, values(back)))
            print(f"{grid:8} {method:26} our weights by xESMF {by_xesmf:.1e}   its file by us {by_us:.1e}")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
