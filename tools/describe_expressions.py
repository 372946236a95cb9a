"""Movements of the mean face by each of the 46 expression coefficients at strength 1, in millimeters.

python tools/describe_expressions.py [--model FILE]

Prints three tables: the largest movement of a landmark and of the whole surface; changes of eyes, mouth, brows and jaw;
and pairs of coefficients that move the landmarks in similar or opposite directions. Sides are the subject's. A
one-sided coefficient is measured on its side, a two-sided one on the left.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from rdrface.cli.script import reports_errors
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.landmarks import GROUPS
from rdrface.morphable.model import FaceModel

CHIN, UPPER_LIP, LOWER_LIP = 8, 62, 66

LIDS = {"Right": ((37, 41), (38, 40)), "Left": ((43, 47), (44, 46))}
"""The subject's eye -> two pairs of an upper and a lower lid point."""

OUTER_BROW = {"Right": (17, 18), "Left": (25, 26)}
INNER_BROW = {"Right": (20, 21), "Left": (22, 23)}
MOUTH_CORNER = {"Right": 48, "Left": 54}
NOSTRIL = {"Right": 31, "Left": 35}
"""The subject's side -> landmarks."""

X, Y, Z = 0, 1, 2

SIMILAR = 0.8
"""Absolute cosine between the movements of two coefficients, from which the pair is listed."""


@reports_errors
def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, metavar="FILE", help="face model (default: the packaged one)")
    model = FaceModel.load(parser.parse_args().model)
    points = model.reduced(model.points["ibug68"])
    mean, moves = points.mean.astype(np.float64), points.expression_basis.astype(np.float64)
    surface = np.linalg.norm(model.expression_basis, axis=2).max(1)
    print(movements(model.expression_names, moves, surface).to_text())
    print()
    print(changes(model.expression_names, mean, moves).to_text())
    print()
    print(similar(model.expression_names, moves).to_text())


def movements(names: tuple[str, ...], moves: np.ndarray, surface: np.ndarray) -> Table:
    """The landmark with the largest movement, its movement, and the largest movement of the surface."""
    rows = []
    for name, move, most in zip(names, moves, surface, strict=True):
        point = int(np.linalg.norm(move, axis=1).argmax())
        cells = (point, *(float(v) for v in move[point]), float(np.linalg.norm(move[point])), float(most))
        rows.append(Row(name, cells))
    return Table(
        "Largest movement at strength 1, mm: x to the image's right, y up, z towards the viewer",
        ("landmark", "x", "y", "z", "length", "of the surface"),
        tuple(rows),
    )


def changes(names: tuple[str, ...], mean: np.ndarray, moves: np.ndarray) -> Table:
    """Changes of eyes, mouth, brows and jaw."""
    measures = _measures()
    rows = []
    for name, move in zip(names, moves, strict=True):
        side = "Right" if name.endswith("Right") else "Left"
        rows.append(Row(name, tuple(f"{f(mean + move, side) - f(mean, side):+.1f}" for f in measures.values())))
    rows.insert(0, Row("neutral face", tuple(f"{f(mean, 'Left'):.1f}" for f in measures.values())))
    return Table(
        "Changes at strength 1, mm",
        tuple(measures),
        tuple(rows),
        (
            "lids: vertical aperture of the eye. gap: of the inner lips, vertical. width: of the mouth. left: to the",
            "subject's left. forward: towards the viewer. The others are heights; brow in, brow out: inner and outer",
            "points of a brow; corner: of the mouth. First row: lengths and positions of the neutral face.",
        ),
    )


def similar(names: tuple[str, ...], moves: np.ndarray) -> Table:
    """Pairs of coefficients that move the 68 landmarks in nearly the same or nearly opposite directions."""
    flat = moves.reshape(len(names), -1)
    unit = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    cosine = unit @ unit.T
    pairs = [(i, j) for i in range(len(names)) for j in range(i + 1, len(names)) if abs(cosine[i, j]) >= SIMILAR]
    pairs.sort(key=lambda pair: -abs(cosine[pair]).round(6))
    return Table(
        "Expression coefficients with similar or opposite movements of the 68 landmarks: cosine, "
        f"{SIMILAR} or more in absolute value",
        ("cosine",),
        tuple(Row(f"{names[i]}, {names[j]}", (float(cosine[i, j]),)) for i, j in pairs),
    )


def _measures() -> dict[str, Callable[[np.ndarray, str], float]]:
    def lids(shape: np.ndarray, side: str) -> float:
        return float(np.mean([shape[upper, Y] - shape[lower, Y] for upper, lower in LIDS[side]]))

    def lower_lid(shape: np.ndarray, side: str) -> float:
        return float(np.mean([shape[lower, Y] for _, lower in LIDS[side]]))

    def height(shape: np.ndarray, points: int | tuple[int, ...]) -> float:
        return float(np.mean(shape[np.array(points), Y]))

    mouth = np.array([*GROUPS["outer_lip"], *GROUPS["inner_lip"]])
    return {
        "lids": lids,
        "lower lid": lower_lid,
        "brow in": lambda shape, side: height(shape, INNER_BROW[side]),
        "brow out": lambda shape, side: height(shape, OUTER_BROW[side]),
        "nostril": lambda shape, side: height(shape, NOSTRIL[side]),
        "gap": lambda shape, side: float(shape[UPPER_LIP, Y] - shape[LOWER_LIP, Y]),
        "width": lambda shape, side: float(shape[MOUTH_CORNER["Left"], X] - shape[MOUTH_CORNER["Right"], X]),
        "corner": lambda shape, side: height(shape, MOUTH_CORNER[side]),
        "mouth left": lambda shape, side: float(shape[mouth, X].mean()),
        "mouth forward": lambda shape, side: float(shape[mouth, Z].mean()),
        "chin": lambda shape, side: height(shape, CHIN),
        "chin left": lambda shape, side: float(shape[CHIN, X]),
        "chin forward": lambda shape, side: float(shape[CHIN, Z]),
    }


if __name__ == "__main__":
    sys.exit(main())
