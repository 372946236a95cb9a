"""Faces that the default detector loses against a search at full resolution in float32, by precision."""

from collections.abc import Sequence

import numpy as np
from annotated_photos import Annotated
from coarse_pass import FullResolution, matched

from rdrface.detection.retinaface import RetinaFace, weights
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.runtime.precision import Precision
from rdrface.runtime.session import open_graph

PRECISIONS: tuple[Precision, ...] = ("float32", "int8")


def measure(faces: Sequence[Annotated]) -> list[Table]:
    """Table with one row per precision, of the photos at their own size."""
    full = FullResolution(open_graph(weights(), threads=1))
    expected = is_found(full, faces)
    rows = []
    for precision in PRECISIONS:
        found = is_found(RetinaFace(open_graph(weights(precision), threads=1, precision=precision)), faces)
        lost, gained = int((expected & ~found).sum()), int((found & ~expected).sum())
        share = 100 * lost / max(1, int(expected.sum()))
        rows.append(Row(precision, (len(faces), int(expected.sum()), lost, share, gained)))
    return [
        Table(
            "Faces detected by precision",
            ("faces", "full", "lost", "lost, %", "gained"),
            tuple(rows),
            ("full: faces detected at full resolution in float32; lost, gained: against these.",),
        )
    ]


def is_found(detector: RetinaFace, faces: Sequence[Annotated]) -> np.ndarray:
    """(n,) bool: which faces have a detection."""
    return np.array([bool(matched(face.box[None], detector.detect(face.pixels).boxes)[0]) for face in faces])
