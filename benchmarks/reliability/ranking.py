"""Which of several detections of a face is kept: the error of the kept face, by the rank that decides.

python benchmarks/reliability/ranking.py SET DIR [--rotated] [--count N] [--seed N]

Only photos in which a detection is dropped as a duplicate are counted, or which were also searched after quarter turns.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
from annotated_photos import READERS, WRONG, Annotated, error_percent, landmarks_of, match, read_faces
from rotation import rotated
from tqdm import tqdm

import rdrface
from rdrface.alignment import selection
from rdrface.alignment.duplicates import lowest_ranked, without_duplicates
from rdrface.alignment.selection import MAX_UNCERTAINTY
from rdrface.cli.script import reports_errors
from rdrface.errors import DataError
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.face import Face


def by(rank: Callable[[Face], float]) -> Callable[[Sequence[Face]], list[Face]]:
    """The faces that are kept by a rank."""
    return lambda faces: lowest_ranked(faces, [rank(face) for face in faces])


RULES: dict[str, Callable[[Sequence[Face]], list[Face]]] = {
    "detector's score": by(lambda face: -face.score),
    "expected error": by(lambda face: face.expected_error),
    "expected error / score": by(lambda face: face.expected_error / face.score),
    "expected error / square of the score": by(lambda face: face.expected_error / face.score**2),
    "rdrface: / score, upside down only if clearly better": without_duplicates,
}
"""Row of the table -> the faces that are kept of those found in one photo."""


@contextmanager
def recorded() -> Iterator[list[list[Face]]]:
    """Record the faces that `rdrface.Aligner.detect` finds before duplicates are removed: one list for each pass."""
    passes: list[list[Face]] = []

    def record(faces: Sequence[Face]) -> list[Face]:
        passes.append(list(faces))
        return without_duplicates(faces)

    with patch.object(selection, "without_duplicates", record):
        yield passes


@reports_errors
def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=tuple(READERS), help="name of the set")
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of the set, in its official layout")
    parser.add_argument("--rotated", action="store_true", help="rotate every photo by a random angle")
    parser.add_argument("--count", type=int, default=0, metavar="N", help="number of faces (default: all)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the choice and the angles (default: 0)")
    args = parser.parse_args()
    aligner = rdrface.load(max_uncertainty=None)
    rng = np.random.default_rng(args.seed)
    errors: dict[str, list[float]] = {name: [] for name in RULES}
    total = 0
    with recorded() as passes:
        for photo in tqdm(read_faces(args.set, args.folder, args.count, args.seed), disable=None):
            pixels, points = photo.pixels, photo.points
            if args.rotated:
                pixels, points = rotated(pixels, points, rng.uniform(-180, 180))
            passes.clear()
            aligner.detect(pixels)
            total += 1
            if len(passes) == 1 and len(without_duplicates(passes[0])) == len(passes[0]):
                continue
            for name, rule in RULES.items():
                kept = [face for face in rule(passes[-1]) if face.expected_error <= MAX_UNCERTAINTY]
                errors[name].append(error(match(points, kept), points, photo))
    print(table(errors, f"{args.set}{', rotated' if args.rotated else ''}", total).to_text())


def error(face: Face | None, points: np.ndarray, photo: Annotated) -> float:
    """Mean error of the inner points (68, 2) in percent of the face's size; NaN without a face."""
    if face is None:
        return np.nan
    return error_percent(landmarks_of(face, photo.contour), points, photo.size)


def table(errors: dict[str, list[float]], name: str, total: int) -> Table:
    """The table.

    Args:
        errors: rule -> error of each counted photo; NaN where the face was not found.
        name: name of the set.
        total: number of photos.

    Raises:
        DataError: no photo is counted.
    """
    count = len(next(iter(errors.values())))
    if not count:
        raise DataError(f"in none of the {total} photos of {name} was a face found several times")
    rows = []
    for rule, values in errors.items():
        known = np.array(values)[np.isfinite(values)]
        rows.append(Row(rule, (float(known.mean()), int((known > WRONG).sum()), count - len(known))))
    title = f"{name}: {count} of {total} photos in which a face was found several times; error of the inner points"
    return Table(title, ("mean error", f"above {WRONG:g} %", "not found"), tuple(rows))


if __name__ == "__main__":
    sys.exit(main())
