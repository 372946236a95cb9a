"""Kills `rdrface annotate` at random moments and compares the rows with those of an undisturbed run.

python benchmarks/collection/interruptions.py WORK [--crops N] [--photos DIR] [--engine local|ray] [--kills N]

WORK gets the crops, which later calls use again, and the outputs. Options after -- are passed to `rdrface annotate`,
for example -- --workers 2 --weights lite. Linux only: worker processes are found in /proc.
"""

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from crops import write_crops

_WORKERS = {"local": "spawn_main", "ray": "ray::MapWorker"}
"""What the command lines of the workers contain."""


class Run:
    """A process of `rdrface annotate` in a session of its own.

    Args:
        crops: the input.
        out: the output.
        engine: "local" or "ray".
        options: further options.
    """

    def __init__(self, crops: Path, out: Path, engine: str, options: list[str]) -> None:
        words = ["annotate", str(crops), str(out), "--engine", engine, *options]
        self._engine = engine
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rdrface", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def kill_after(self, seconds: float) -> bool:
        """Kill a worker at half the time, and the main process at the end; whether the main process still ran."""
        time.sleep(seconds / 2)
        found = self._workers()
        if found:
            os.kill(random.choice(found), signal.SIGKILL)
        time.sleep(seconds / 2)
        is_running = self._process.poll() is None
        self._process.kill()
        self._process.communicate()
        return is_running

    def finish(self) -> tuple[str, float]:
        """The standard output and the seconds of a run that is not killed."""
        text, errors = self._process.communicate()
        if self._process.returncode:
            raise RuntimeError(f"rdrface annotate ended with exit status {self._process.returncode}:\n{errors}")
        return text, time.monotonic() - self._started

    def _workers(self) -> list[int]:
        """Process ids of the workers: descendants of the main process with the right command line."""
        parents, found = {}, []
        for path in Path("/proc").iterdir():
            try:
                number = int(path.name)
                parents[number] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
                if _WORKERS[self._engine] in (path / "cmdline").read_bytes().decode(errors="replace"):
                    found.append(number)
            except (OSError, ValueError):
                continue
        return [number for number in found if self._is_descendant(number, parents)]

    def _is_descendant(self, number: int, parents: dict[int, int]) -> bool:
        while number > 1 and number != self._process.pid:
            number = parents.get(number, 0)
        return number == self._process.pid


def largest_difference(first: pa.Table, second: pa.Table) -> float:
    """Largest difference of a number in two tables of the same rows."""
    largest = 0.0
    for field in first.schema:
        columns = [table[field.name].combine_chunks() for table in (first, second)]
        if pa.types.is_fixed_size_list(field.type):
            columns = [column.drop_null().flatten() for column in columns]
        elif not pa.types.is_floating(field.type):
            continue
        a, b = (column.drop_null().to_numpy().astype(np.float64) for column in columns)
        if a.shape != b.shape:
            return float("inf")
        largest = max(largest, float(np.abs(a - b).max(initial=0.0)))
    return largest


def main() -> int:
    """Run and print; the exit status is 1 if the rows differ."""
    options = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, metavar="WORK", help="folder for the crops and the outputs")
    parser.add_argument("--crops", type=int, default=10_000, metavar="N", help="number of crops (default: 10000)")
    parser.add_argument("--side", type=int, default=320, metavar="PIXELS", help="of the crops (default: 320)")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="photos to crop (default: the astronaut)")
    parser.add_argument("--engine", choices=_WORKERS, default="local")
    parser.add_argument("--kills", type=int, default=3, metavar="N", help="kills of the main process (default: 3)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills (default: 0)")
    args = parser.parse_args(sys.argv[1 : len(sys.argv) - len(options) - 1] if options else None)

    crops = args.work / f"crops-{args.crops}-{args.side}{'' if args.photos is None else f'-{args.photos.name}'}"
    photos = (
        [] if args.photos is None else sorted(p for p in args.photos.rglob("*") if re.search(r"\.(jpe?g|png)$", p.name))
    )
    write_crops(crops, args.crops, args.side, photos)
    whole, disturbed = args.work / f"whole-{args.engine}.parquet", args.work / f"disturbed-{args.engine}.parquet"
    for path in (whole, disturbed):
        path.unlink(missing_ok=True)
        shutil.rmtree(path.with_name(f"{path.stem}.partial.parquet"), ignore_errors=True)

    text, seconds = Run(crops, whole, args.engine, options).finish()
    print(text.rstrip().replace(f"{args.work}/", ""))
    rng = random.Random(args.seed)
    random.seed(args.seed)
    for i in range(args.kills):
        moment = rng.uniform(0.05, 0.9 / args.kills) * seconds
        is_killed = Run(crops, disturbed, args.engine, options).kill_after(moment)
        parts = list(disturbed.with_name(f"{disturbed.stem}.partial.parquet").glob("part-*"))
        print(f"kill {i + 1}: {'after' if is_killed else 'too late,'} {moment:.1f} s, {len(parts)} chunks done")
    Run(crops, disturbed, args.engine, options).finish()

    tables = [pq.read_table(path) for path in (whole, disturbed)]
    is_equal = tables[0].equals(tables[1], check_metadata=True)
    keys = [table.select(["image_index", "image", "status", "face_index"]) for table in tables]
    print(f"rows: {len(tables[0])} undisturbed, {len(tables[1])} with kills")
    print(f"the same photos and faces: {keys[0] == keys[1]}")
    print(f"largest difference of a number: {largest_difference(*tables):g}, all rows equal: {is_equal}")
    return 0 if is_equal else 1


if __name__ == "__main__":
    sys.exit(main())
