"""The worked example of docs/finetuning.md: ``python tools/make_setting_example.py HELEN OUT [--faces 300]``.

Turns photos with 68 points (your own copy of 300-W's HELEN, helen/trainset) into a setting of 98 points whose contour
follows another rule: 33 points at equal distances along the annotated outline, as WFLW spaces them, where iBUG has 17.
Brows have 9 points each, eyes 8 and a center, nose and mouth keep iBUG's. The photos are linked, not copied.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline

from rdrface.datasets.readers.images import image_beside
from rdrface.datasets.readers.pts import read_pts


def resampled(line: np.ndarray, count: int) -> np.ndarray:
    """(count, 2) points at equal distances along a smooth line through (n, 2) points, both ends included."""
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1) + 1e-6)])
    curve = CubicSpline(length, line)
    fine = curve(np.linspace(0, length[-1], 40 * count))
    traveled = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))])
    wanted = np.linspace(0, traveled[-1], count)
    return np.stack([np.interp(wanted, traveled, fine[:, axis]) for axis in range(2)], axis=1)


def eye(points: np.ndarray) -> np.ndarray:
    """(8, 2) from iBUG's (6, 2): the two corners and three points per lid, in the same direction."""
    upper, lower = resampled(points[:4], 5), resampled(points[[3, 4, 5, 0]], 5)
    return np.concatenate([upper, lower[1:4]])


def setting98(points: np.ndarray) -> np.ndarray:
    """(98, 2) from iBUG's (68, 2)."""
    left, right = points[36:42], points[42:48]
    parts = [resampled(points[:17], 33), resampled(points[17:22], 9), resampled(points[22:27], 9), points[27:36]]
    parts += [eye(left), eye(right), points[48:68], left.mean(0)[None], right.mean(0)[None]]
    return np.concatenate(parts)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("helen", type=Path, help="folder with photos and 68-point .pts files")
    parser.add_argument("out", type=Path, help="folder to make")
    parser.add_argument("--faces", type=int, default=300, help="how many, chosen at random (default: 300)")
    options = parser.parse_args()
    files = sorted(options.helen.glob("*.pts"))
    chosen = np.random.default_rng(0).permutation(len(files))[: options.faces]
    options.out.mkdir(parents=True, exist_ok=True)
    for file in (files[i] for i in chosen):
        photo = image_beside(file)
        lines = [f"{x:.3f} {y:.3f}" for x, y in setting98(read_pts(file))]
        content = ["version: 1", f"n_points: {len(lines)}", "{", *lines, "}"]
        (options.out / file.name).write_text("\n".join(content) + "\n")
        link = options.out / photo.name
        if not link.exists():
            link.symlink_to(photo.resolve())
    print(f"{len(chosen)} faces with {len(lines)} points each: {options.out}")


if __name__ == "__main__":
    main()
