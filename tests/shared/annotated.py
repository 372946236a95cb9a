"""Invented faces: points, images, annotation files and records."""

from pathlib import Path

import numpy as np
from PIL import Image

from rdrface.datasets.records import FaceRecords


def face_points(seed: int = 0, center: tuple[float, float] = (60.0, 60.0), side: float = 60.0) -> np.ndarray:
    """(68, 2) float64 points of an invented, mirror-symmetric face; a seed other than 0 adds noise."""
    angle = np.pi * np.arange(17) / 16
    contour = np.stack([-np.cos(angle), np.sin(angle) * 1.1 - 0.1], 1) * 0.5
    left = [[-0.4 + 0.08 * i, -0.3 - 0.02 * i * (4 - i)] for i in range(5)]
    right = [[-x, y] for x, y in left[::-1]]
    nose = [[0, -0.15 + 0.08 * i] for i in range(4)] + [[-0.1 + 0.05 * i, 0.15] for i in range(5)]
    eye = np.array([[-0.3, -0.15], [-0.24, -0.18], [-0.18, -0.18], [-0.12, -0.15], [-0.18, -0.12], [-0.24, -0.12]])
    other = (eye * [-1, 1])[[3, 2, 1, 0, 5, 4]]
    lips = [[0.2 * np.cos(a), 0.3 + 0.08 * np.sin(a)] for a in np.pi + 2 * np.pi * np.arange(12) / 12]
    inner = [[0.14 * np.cos(a), 0.3 + 0.03 * np.sin(a)] for a in np.pi + 2 * np.pi * np.arange(8) / 8]
    points = np.concatenate([contour, left, right, nose, eye, other, lips, inner])
    noise = np.random.default_rng(seed).normal(0, 0.002, points.shape) if seed else 0.0
    return (points + noise) * side + np.array(center)


def write_photo(path: Path, size: tuple[int, int] = (120, 120), seed: int = 0) -> None:
    """Write a smooth colored image of `size` (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    small = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).save(path)


def write_pts(path: Path, points: np.ndarray) -> None:
    """Write a .pts file with the numbers unchanged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{x:g} {y:g}" if (x, y) == (-1, -1) else f"{x:.2f} {y:.2f}" for x, y in points]
    path.write_text("version: 1\nn_points: 68\n{\n" + "\n".join(lines) + "\n}\n")


def fgnet_folder(root: Path, names: list[str]) -> np.ndarray:
    """Write FG-NET's layout with the same face in every file; returns its points (68, 2) in FG-NET's order."""
    points = np.stack([30 + 0.9 * np.arange(68), 40 + 0.5 * (np.arange(68) * 37 % 68)], axis=1)
    ibug = face_points()
    points[[7, 67, 41, 27, 29, 34, 32]] = ibug[[8, 30, 33, 36, 39, 42, 45]]
    points[48:60] = ibug[48:60]
    points[[28, 30]] = ibug[[36, 39]].mean(0) + np.array([[0, -2.25], [0, 2.25]])
    points[[33, 35]] = ibug[[42, 45]].mean(0) + np.array([[0, -1.125], [0, 1.125]])
    for name in names:
        write_pts(root / "points" / f"{name}.pts", points)
        write_photo(root / "images" / f"{name.upper()}.JPG")
    return points


def records_of(folder: Path, count: int = 4, fitted: bool = True) -> FaceRecords:
    """`count` invented faces with images in `folder`; `fitted` fills the fields of a fit."""
    rng = np.random.default_rng(5)
    points = np.stack([face_points(i + 1, (55 + 3 * i, 62 - 2 * i), 56 + 4 * i) for i in range(count)])
    for i in range(count):
        write_photo(folder / f"face{i}.png", seed=i)
    box = np.concatenate([points.min(1), points.max(1)], 1)
    Q = rng.normal(0, 0.3, (count, 103))
    Q[:, 50:53] *= 0.5
    Q[:, 56] = 0.5
    fit = {
        "Q": Q,
        "outline": points,
        "jawline": points,
        "hidden": np.zeros((count, 68), bool),
        "residual": np.full(count, 1.5),
    }
    return FaceRecords(
        image=np.array([str(folder / f"face{i}.png") for i in range(count)]),
        points=points,
        state=np.ones((count, 68)),
        contour=np.full(count, "outline"),
        box=box,
        source=np.full(count, "drawn"),
        is_test=np.zeros(count, bool),
        **(fit if fitted else {}),
    )
