"""The worked example of docs/finetuning.md: ``python tools/make_custom_landmarks_example.py HELEN OUT [--faces 300]``.

Converts images with 68 points (your own copy of 300-W's HELEN, helen/trainset) to an annotation scheme of 98 points
with a different contour: 33 points at equal distances along the annotated outline, as in WFLW, instead of iBUG's 17.
Each eyebrow gets 9 points, each eye 8 points and its center; nose and mouth are unchanged. The images are linked, not
copied.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline

from rdrface.cli.script import reports_errors
from rdrface.datasets.readers.images import image_beside
from rdrface.datasets.readers.pts import read_pts


def resampled(line: np.ndarray, count: int) -> np.ndarray:
    """(count, 2) points at equal distances along a smooth line through points (n, 2), both ends included."""
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1) + 1e-6)])
    curve = CubicSpline(length, line)
    fine = curve(np.linspace(0, length[-1], 40 * count))
    arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))])
    stops = np.linspace(0, arc[-1], count)
    return np.stack([np.interp(stops, arc, fine[:, axis]) for axis in range(2)], axis=1)


def eye(points: np.ndarray) -> np.ndarray:
    """(8, 2) from iBUG's (6, 2): the two corners and three points per eyelid, in the same direction."""
    upper, lower = resampled(points[:4], 5), resampled(points[[3, 4, 5, 0]], 5)
    return np.concatenate([upper, lower[1:4]])


def scheme98(points: np.ndarray) -> np.ndarray:
    """(98, 2) from iBUG's (68, 2)."""
    left, right = points[36:42], points[42:48]
    parts = [resampled(points[:17], 33), resampled(points[17:22], 9), resampled(points[22:27], 9), points[27:36]]
    parts += [eye(left), eye(right), points[48:68], left.mean(0)[None], right.mean(0)[None]]
    return np.concatenate(parts)


@reports_errors
def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("helen", type=Path, help="folder with images and 68-point .pts files")
    parser.add_argument("out", type=Path, help="folder to create")
    parser.add_argument("--faces", type=int, default=300, help="number of faces, chosen at random; default: 300")
    options = parser.parse_args()
    files = sorted(options.helen.glob("*.pts"))
    if not files:
        parser.error(f"{options.helen} contains no .pts files; expected the folder helen/trainset of 300-W")
    order = np.random.default_rng(0).permutation(len(files))[: options.faces]
    options.out.mkdir(parents=True, exist_ok=True)
    for file in (files[i] for i in order):
        image = image_beside(file)
        lines = [f"{x:.3f} {y:.3f}" for x, y in scheme98(read_pts(file))]
        content = ["version: 1", f"n_points: {len(lines)}", "{", *lines, "}"]
        (options.out / file.name).write_text("\n".join(content) + "\n")
        link = options.out / image.name
        if not link.exists():
            link.symlink_to(image.resolve())
    print(f"{len(order)} faces with {len(lines)} points each: {options.out}")


if __name__ == "__main__":
    sys.exit(main())
