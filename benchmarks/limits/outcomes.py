"""Errors, expected errors and detections of faces, and their rows in the tables."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from annotated_photos import WRONG, error_percent
from held_out_faces import HeldOutFace
from matching import match

from rdrface.aligner import Aligner
from rdrface.alignment.selection import MAX_UNCERTAINTY
from rdrface.drawing.faces import UNCERTAIN
from rdrface.evaluation.tables.tables import Cell, Row, Table

COLUMNS = (
    "faces",
    "NME",
    "relative",
    "median",
    "90th",
    "wrong, %",
    "expected",
    f"exp. > {UNCERTAIN:g}, %",
    f"exp. > {MAX_UNCERTAINTY:g}, %",
    "wrong marked, %",
    "found, %",
)

NOTES = f"""\
NME, median, 90th (percentile): mean error of the counted points of a face, percent of the face size, aligned from the
true box. relative: NME divided by that of the first row. wrong: error above {WRONG:g} %. expected: mean of
Face.expected_error; drawings mark faces above {UNCERTAIN:g} %, detect drops those above {MAX_UNCERTAINTY:g} %.
wrong marked: share of the wrong faces with an expected error above {UNCERTAIN:g} %.
found: by the detector, in one search of the upright image."""
"""Explanation of `COLUMNS`."""


@dataclass(frozen=True)
class Outcomes:
    """Results for N faces.

    Attributes:
        error: (N,) mean error of the counted points, percent of the face size, aligned from the true box.
        expected: (N,) `Face.expected_error`, percent of the face size.
        found: (N,) bool, True if the detector finds the face.
    """

    error: np.ndarray
    expected: np.ndarray
    found: np.ndarray

    def select(self, chosen: np.ndarray) -> "Outcomes":
        """The faces at `chosen`, (N,) bool."""
        return Outcomes(self.error[chosen], self.expected[chosen], self.found[chosen])

    def __len__(self) -> int:
        return len(self.error)


def measure(
    aligner: Aligner,
    faces: Iterable[HeldOutFace],
    change: Callable[[HeldOutFace, np.random.Generator], HeldOutFace] | None = None,
    seed: int = 0,
) -> Outcomes:
    """Align and detect every face.

    Args:
        aligner: the network and the detector.
        faces: N faces.
        change: applied to each face first, with a random generator of its own: the same for every `change`.
        seed: of the generators.
    """
    errors, expected, found = [], [], []
    for i, face in enumerate(faces):
        changed = face if change is None else change(face, np.random.default_rng([seed, i]))
        (aligned,) = aligner.align(changed.pixels, changed.box[None])
        counted = np.flatnonzero(np.isfinite(changed.points).all(axis=1))
        errors.append(error_percent(aligned.landmarks, changed.points, changed.size, counted))
        expected.append(aligned.expected_error)
        found.append(match(changed.box, aligner.detector.detect(changed.pixels)) is not None)
    return Outcomes(np.array(errors), np.array(expected), np.array(found, bool))


def table(title: str, rows: Iterable[tuple[str, Outcomes]], notes: tuple[str, ...] = ()) -> Table:
    """Table with one row per group of faces or degradation; groups without faces have dashes."""
    listed = list(rows)
    first = _mean(listed[0][1].error)
    return Table(title, COLUMNS, tuple(Row(name, cells(outcomes, first)) for name, outcomes in listed), notes)


def cells(outcomes: Outcomes, first: float | None) -> tuple[Cell, ...]:
    """Cells of one row.

    Args:
        outcomes: of the faces of the row.
        first: mean error of the first row.
    """
    if not len(outcomes):
        return (0, *(None,) * (len(COLUMNS) - 1))
    error, expected = outcomes.error, outcomes.expected
    is_wrong = error > WRONG
    marked = expected > UNCERTAIN
    return (
        len(outcomes),
        _mean(error),
        None if not first else float(error.mean()) / first,
        float(np.median(error)),
        float(np.percentile(error, 90)),
        _percent(is_wrong),
        _mean(expected),
        _percent(marked),
        _percent(expected > MAX_UNCERTAINTY),
        _percent(marked[is_wrong]),
        _percent(outcomes.found),
    )


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def _percent(chosen: np.ndarray) -> str | None:
    return f"{100 * chosen.mean():.1f}" if len(chosen) else None
