"""Compares the speed of rdrface and MediaPipe's face mesh on one core, on the same image of 640 x 480 pixels.

python benchmarks/speed/compare.py -o FOLDER [--repeats N] [--precision P] [--size N]

Both run in one process each, bound to the same core. They are timed alternately, a few calls of one and then a few of
the other, so that both meet the same load and clock rate. Prints medians and their ratios. MediaPipe's environment is
created in FOLDER if it is missing; --mediapipe-python takes the Python of an existing one.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
BASELINES = HERE.parent / "baselines"
sys.path.append(str(BASELINES))

from methods import Method  # noqa: E402
from run_recorder import environment  # noqa: E402

from rdrface.cli.script import reports_errors  # noqa: E402
from rdrface.evaluation.speed import sample_image  # noqa: E402

ROUNDS = 10
"""Number of times that each side has its turn for each row."""

PAIRS = (
    ("default, image", "image"),
    ("lite, image", "image"),
    ("default, video", "video"),
    ("lite, video", "video"),
)
"""Rows of rdrface, and those of MediaPipe that they are compared with."""

MEDIAPIPE_ONLY = ("image, refined", "video, refined")
"""Rows of MediaPipe without a ratio: 478 points with irises, instead of 468."""


@dataclass(frozen=True)
class Ratio:
    """Median times of two rows, ms, and the first over the second."""

    rdrface_ms: float
    mediapipe_ms: float

    @property
    def ratio(self) -> float:
        """rdrface's time over MediaPipe's."""
        return self.rdrface_ms / self.mediapipe_ms


class Side:
    """A process that times its rows on request, see sides.py.

    Attributes:
        name: software and version.
        rows: names of its rows.
        missing: row -> reason for rows that it cannot measure.
    """

    def __init__(self, command: list[str]) -> None:
        # A file: MediaPipe may print more warnings than a pipe holds.
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        try:
            opened = self._answer()
        except BaseException:
            self.close()
            raise
        self.name: str = opened["name"]
        self.rows: list[str] = opened["rows"]
        self.missing: dict[str, str] = opened["missing"]

    def time(self, row: str, count: int) -> list[float]:
        """Seconds of `count` calls."""
        assert self._process.stdin is not None
        print(row, count, file=self._process.stdin, flush=True)
        seconds: list[float] = self._answer()
        return seconds

    def __enter__(self) -> "Side":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def _answer(self) -> object:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            errors = self._errors.read().strip().splitlines() or [f"exit status {self._process.returncode}"]
            raise SystemExit(f"compare.py: a side failed: {errors[-1]}")
        return json.loads(line)


@reports_errors
def main() -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("-o", "--out", type=Path, metavar="FOLDER", help="folder for MediaPipe's environment")
    where.add_argument("--mediapipe-python", type=Path, metavar="PYTHON", help="Python of an existing environment")
    parser.add_argument("--repeats", type=int, default=100, metavar="N", help="calls per row (default: 100)")
    parser.add_argument("--precision", metavar="P", help="precision of rdrface.load (default: its default)")
    parser.add_argument("--size", metavar="N", help="crop size of rdrface.load, pixels (default: its default)")
    args = parser.parse_args()
    if args.repeats < ROUNDS:
        parser.error(f"--repeats must be at least {ROUNDS}")
    python = args.mediapipe_python or environment(
        Method("MediaPipe", HERE / "mediapipe_side.py", BASELINES / "mediapipe.txt"), args.out / "mediapipe"
    )
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image.npy"
        np.save(image, sample_image()[0])
        ours = [sys.executable, str(HERE / "rdrface_side.py"), str(image)]
        ours += [] if args.precision is None else ["--precision", args.precision]
        ours += [] if args.size is None else ["--size", args.size]
        other = [str(python), str(HERE / "mediapipe_side.py"), str(image)]
        with Side(ours) as rdrface, Side(other) as mediapipe:
            print(f"{rdrface.name}; {mediapipe.name}; one core, one face in 640 x 480 pixels, medians of", end=" ")
            print(f"{args.repeats} calls")
            print(table(rdrface, mediapipe, args.repeats))
    return 0


def table(rdrface: Side, mediapipe: Side, repeats: int) -> str:
    """Measure all rows; returns a Markdown table, and a line for each row that cannot be measured."""
    lines = ["| rdrface | ms | MediaPipe | ms | ratio |", "|---|---|---|---|---|"]
    for row, other in PAIRS:
        if row in rdrface.rows:
            found = measure(rdrface, row, mediapipe, other, repeats)
            lines.append(f"| {row} | {found.rdrface_ms:.1f} | {other} | {found.mediapipe_ms:.1f} | {found.ratio:.1f} |")
        else:
            lines.append(f"| {row} | - | {other} | | - |")
    for row in MEDIAPIPE_ONLY:
        lines.append(f"| | | {row} | {1000 * statistics.median(mediapipe.time(row, repeats)):.1f} | |")
    return "\n".join(lines + [f"{row} not measured: {reason}" for row, reason in rdrface.missing.items()])


def measure(rdrface: Side, row: str, mediapipe: Side, other: str, repeats: int) -> Ratio:
    """Time two rows alternately, in `ROUNDS` turns each."""
    first: list[float] = []
    second: list[float] = []
    for _ in range(ROUNDS):
        first += rdrface.time(row, repeats // ROUNDS)
        second += mediapipe.time(other, repeats // ROUNDS)
    return Ratio(1000 * statistics.median(first), 1000 * statistics.median(second))


if __name__ == "__main__":
    sys.exit(main())
