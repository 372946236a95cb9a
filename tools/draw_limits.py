"""Draws the limits of the weights: one photo, degraded in several ways, and how far its landmarks move.

python tools/draw_limits.py docs/images/limits.jpg

The photo is scikit-image's astronaut (NASA, public domain). Every panel shows the degradation, the error that the
network predicts and the distance to the landmarks of the original photo, both in percent of the face's size. The box is
that of the original face, rotated with the photo, so that the panels show the network and not the detector.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from skimage import data

import rdrface
from rdrface.cli.script import reports_errors
from rdrface.drawing import draw
from rdrface.geometry.boxes import box_size

SIDE = 300
"""Side of a panel in pixels."""

COLUMNS = 5

Change = tuple[str, Callable[[np.ndarray], np.ndarray], float]
"""Name of the panel, change of its pixels, rotation in degrees."""


def rotation(angle: float) -> np.ndarray:
    """Matrix (2, 3) that rotates a panel about its center, counterclockwise in the image, degrees."""
    return cv2.getRotationMatrix2D((SIDE / 2 - 0.5, SIDE / 2 - 0.5), angle, 1.0)


def shrunk(face_pixels: float) -> Callable[[np.ndarray], np.ndarray]:
    """Reduce the resolution to that of a photo whose face has this size. The face takes 60 % of a panel."""

    def change(panel: np.ndarray) -> np.ndarray:
        size = max(4, round(face_pixels / 0.6))
        return cv2.resize(cv2.resize(panel, (size, size), interpolation=cv2.INTER_AREA), (SIDE, SIDE))

    return change


def blurred(share: float) -> Callable[[np.ndarray], np.ndarray]:
    """Out of focus: Gaussian blur with this share of the panel's side as standard deviation."""
    return lambda panel: cv2.GaussianBlur(panel, (0, 0), share * SIDE)


def dark(factor: float, noise: float) -> Callable[[np.ndarray], np.ndarray]:
    """Too little light, with sensor noise."""

    def change(panel: np.ndarray) -> np.ndarray:
        grain = np.random.default_rng(0).normal(0, noise, panel.shape)
        return np.clip(panel * factor + grain, 0, 255).astype(np.uint8)

    return change


def covered(x0: float, y0: float, x1: float, y1: float) -> Callable[[np.ndarray], np.ndarray]:
    """A gray rectangle in front of the face; coordinates are shares of the panel's side."""

    def change(panel: np.ndarray) -> np.ndarray:
        panel = panel.copy()
        panel[int(y0 * SIDE) : int(y1 * SIDE), int(x0 * SIDE) : int(x1 * SIDE)] = (96, 92, 88)
        return panel

    return change


def unchanged(panel: np.ndarray) -> np.ndarray:
    """The panel itself."""
    return panel


CHANGES: tuple[Change, ...] = (
    ("original", unchanged, 0),
    ("rotated by 30 degrees", unchanged, 30),
    ("rotated by 60 degrees", unchanged, 60),
    ("rotated by 90 degrees", unchanged, 90),
    ("upside down", unchanged, 180),
    ("face of 40 pixels", shrunk(40), 0),
    ("face of 20 pixels", shrunk(20), 0),
    ("face of 10 pixels", shrunk(10), 0),
    ("out of focus", blurred(0.02), 0),
    ("far out of focus", blurred(0.045), 0),
    ("dark", dark(0.12, 3), 0),
    ("darker", dark(0.05, 5), 0),
    ("mouth and chin covered", covered(0.2, 0.58, 0.8, 1.0), 0),
    ("eyes covered", covered(0.15, 0.2, 0.85, 0.48), 0),
    ("half covered", covered(0.5, 0.0, 1.0, 1.0), 0),
)


def panel_of(photo: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Crop around the face; the side of its box is 60 % of the panel's."""
    center, side = (box[:2] + box[2:]) / 2, box_size(box)
    scale = side / 0.6 / SIDE
    start = center - scale * (SIDE - 1) / 2
    matrix = np.array([[scale, 0, start[0]], [0, scale, start[1]]])
    return cv2.warpAffine(photo, matrix, (SIDE, SIDE), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)


@reports_errors
def main() -> None:
    """Write the image."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="FILE", help="JPEG file to write")
    out = parser.parse_args().out
    photo = data.astronaut()
    aligner = rdrface.load()
    panel = panel_of(photo, aligner.detect(photo)[0].box)
    (original,) = aligner.align(panel, np.array([[0.2, 0.2, 0.8, 0.8]]) * SIDE)
    box = np.concatenate([original.landmarks.min(0), original.landmarks.max(0)])
    size = original.size
    tiles = []
    for name, change, angle in CHANGES:
        matrix = rotation(angle)
        degraded = change(cv2.warpAffine(panel, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE))
        truth = original.landmarks @ matrix[:, :2].T + matrix[:, 2]
        # Crops are square, so the box of the upright face can be used, moved to the rotated one.
        middle = (truth.min(0) + truth.max(0)) / 2
        half = (box[2:] - box[:2]) / 2
        (face,) = aligner.align(degraded, np.concatenate([middle - half, middle + half])[None])
        moved = 100 * np.linalg.norm(face.landmarks - truth, axis=1).mean() / size
        tile = draw(degraded, [face])
        text = f"predicted {face.uncertainty.mean():.1f} %, moved {moved:.1f} %"
        for line, y in ((name, 15), (text, SIDE - 7)):
            cv2.rectangle(tile, (0, y - 15), (SIDE, y + 7), (24, 24, 24), -1)
            cv2.putText(tile, line, (8, y), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
        tiles.append(tile)
        print(f"{name:<24} {text}")
    rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
    out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(out), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 70])


if __name__ == "__main__":
    sys.exit(main())
