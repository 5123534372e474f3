"""How well does `--explain` foresee the most memory of the jobs from file to file?

    make bench-foresight
    python benches/peers/foreseen.py --regrid target/release/regrid [--runs 20] [--threads 1,2] [--folder DIR]

The jobs are those of peers.py; J4, which is J1 with the nearest cell; and J1 with a budget and J3 with a report. Each is explained, and run
twenty times on one thread and on two. Ends with status 1 if the peaks of more than one run in a hundred are more than a tenth off.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from peers import JOBS, apart, grid_description, make_source

sys.path.append(str(Path(__file__).parents[1] / "command"))
from child import run  # noqa: E402
from foresight import foreseen  # noqa: E402

# The job whose source it has, and what it asks for otherwise.
VARIANTS = {
    **{job: (job, []) for job in JOBS},
    "J4": ("J1", ["-m", "nearest"]),
    "J1, `--memory 64MiB`": ("J1", ["--memory", "64MiB"]),
    "J3, `--report`": ("J3", ["--report"]),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--regrid", required=True, help="the command that was built")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--threads", default="1,2", help="by comma")
    parser.add_argument("--folder", help="where sources are, or are made")
    options = parser.parse_args()
    regrid, threads = Path(options.regrid).resolve(), options.threads.split(",")
    runs, within, in_range = 0, 0, 0
    print("| job |" + "".join(f" {each} threads: foreseen, MB | found |" for each in threads))
    print("| --- |" + " --- | --- |" * len(threads))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(options.folder or made)
        folder.mkdir(parents=True, exist_ok=True)
        for name, (job, more) in VARIANTS.items():
            source, grid = folder / f"{job}.nc", folder / f"{job}.grid"
            if not source.exists():
                apart(make_source, source, job)
            apart(grid_description, job, grid)
            method = [] if "-m" in more else ["-m", JOBS[job]["method"]]
            words = [source, "--grid", grid, *method, "--deflate", JOBS[job]["deflate"], *more, "-o", Path(made) / "out.nc", "--force"]
            row = f"| {name} |"
            for each in threads:
                command = [*words, "--quiet", "-j", each]
                expected = foreseen(regrid, command)
                found = [run(regrid, *command).memory for _ in range(options.runs)]
                runs += len(found)
                within += sum(abs(expected.off(peak)) <= 0.1 for peak in found)
                in_range += sum(expected.in_range(peak) for peak in found)
                row += f" {expected.usual:.0f} ({expected.least:.0f} to {expected.most:.0f}) | {min(found):.0f} to {max(found):.0f} |"
            print(row, flush=True)
    print(f"\n{within} of {runs} runs within a tenth of the figure, {in_range} of the range")
    return int(within < 0.99 * runs)


if __name__ == "__main__":
    sys.exit(main())
