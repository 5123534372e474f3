"""How much faster is `regrid` from file to file on two threads than on one, and than the machine lets two processes be at once?

    make bench-threads
    python benches/peers/threads.py --regrid target/release/regrid [--jobs J1 J2] [--runs 15] [--folder DIR]

The jobs are those of peers.py. Each round runs one on one thread, on two threads, and twice at once on one thread each, every time to
new outputs. Two processes share nothing but the machine: what they gain over one after the other is all that two cores give to such work,
loading, memory, disk and clock included. A short job depends on the moment; so the median of many rounds counts.
"""

import argparse
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from peers import JOBS, apart, commands, make_source


def wall(outputs, commands):
    """Seconds until all commands are done that were started together."""
    for output in outputs:
        output.unlink(missing_ok=True)
    start = time.perf_counter()
    children = [subprocess.Popen([*map(str, command), str(output)]) for command, output in zip(commands, outputs)]
    assert all(child.wait() == 0 for child in children), "a run failed"
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--regrid", required=True, help="the command that was built")
    parser.add_argument("--jobs", nargs="+", default=["J1", "J2", "J1u", "J3"], choices=[job for job in JOBS if job != "box"])
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--folder", help="where sources are, or are made")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(options.folder or made)
        print("| job | 1 thread, s | 2 threads, s | times as fast | two processes at once, s | times as fast as one after the other |")
        print("| --- | --- | --- | --- | --- | --- |")
        for job in options.jobs:
            source = folder / f"{job}.nc"
            if not source.exists():
                apart(make_source, source, job)
            ours = commands(job, source, folder, Path(options.regrid).resolve())[1]
            one, two = ours["regrid -j 1"], ours["regrid -j 2"]
            outputs = [folder / f"{job}-threads{number}.nc" for number in (1, 2)]
            walls = []
            for _ in range(options.runs + 1):
                walls.append((wall(outputs[:1], [one]), wall(outputs[:1], [two]), wall(outputs, [one, one])))
            # The first round warms up.
            alone, both, pair = (statistics.median(column) for column in zip(*walls[1:]))
            spread = lambda column: f"({min(w[column] for w in walls[1:]):.2f} to {max(w[column] for w in walls[1:]):.2f})"
            print(
                f"| {job} | {alone:.3f} {spread(0)} | {both:.3f} {spread(1)} | {alone / both:.2f} "
                f"| {pair:.3f} {spread(2)} | {2 * alone / pair:.2f} |",
                flush=True,
            )
            for output in outputs:
                output.unlink()


if __name__ == "__main__":
    main()
