"""Runs commands as children and asks the system what they took; makes netCDF files and reads them in processes that end."""

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple


class Took(NamedTuple):
    """What a command took: seconds of wall and processor time, the most that was resident in MB, and what it said."""

    wall: float
    cpu: float
    memory: float
    said: str


@contextlib.contextmanager
def temporary_folder(parent):
    """A folder that is gone afterwards, also if the program is told to end: gigabytes are made in it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        yield Path(folder)


def apart(function, *arguments):
    """Calls it in a process of its own: what this one holds would count as the peak memory of the children that it starts."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def run(*command):
    """Runs a command to its end; without success, ours is the end too."""
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        child = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=said)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        words = said.read().decode(errors="replace")
    if child.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed: {words}")
    return Took(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6, words)


def axis(file, name, values, units):
    """Defines a dimension with its coordinate."""
    file.createDimension(name, len(values))
    variable = file.createVariable(name, "f8", (name,))
    variable.units, variable.standard_name = units, name
    variable[:] = values


def plane(file, lat, lon, times, first=0):
    """Defines time, latitude and longitude."""
    import numpy as np

    axis(file, "time", first + np.arange(times, dtype="f8"), "hours since 2000-01-01")
    axis(file, "latitude", lat, "degrees_north")
    axis(file, "longitude", lon, "degrees_east")
