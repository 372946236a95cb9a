"""Figure 1 of the supplement with our face model, and a table: how far off are the two ways to find the contour?

    python tools/draw_contour_methods.py [--faces 6] [-o docs/images/contour_methods.png]

draws the picture and prints the table of docs/contour.md.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection

from rdrface.geometry.camera import project
from rdrface.geometry.contour import points_on_lines, slide_contour_line, slide_extreme_x, slide_silhouette
from rdrface.geometry.visibility import occluded_by_mesh
from rdrface.morphable.landmark_model import LandmarkModel, shapes68
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import (
    EXPRESSION,
    IDENTITY,
    NUM_EXPRESSION,
    NUM_IDENTITY,
    NUM_PARAMETERS,
    PITCH,
    POSE,
    SCALE,
    YAW,
)

PITCHES, YAWS = range(-45, 46, 15), range(0, 91, 15)
HARD = (-45, 35)
"""Pitch and yaw, degrees, at which extreme x fails."""
DRAWN = {9: "#ffd92f", 11: "#e41a1c", 13: "#ffd92f", 15: "#e41a1c"}
"""Contour landmark -> color of its parallel line, on the side turned away."""
ORANGE = "#ff7f00"


def faces(count: int, pitch: float, yaw: float, rng: np.random.Generator | None) -> np.ndarray:
    """(count, 103) Q with random identities and expressions (the mean face without `rng`), angles in degrees."""
    q = np.zeros((count, NUM_PARAMETERS), np.float32)
    if rng is not None:
        q[:, IDENTITY] = rng.normal(0, 0.8, (count, NUM_IDENTITY))
        shape = (count, NUM_EXPRESSION)
        q[:, EXPRESSION] = rng.uniform(0, 0.7, shape) * (rng.random(shape) < 0.1)
    pose = q[:, POSE]  # a view
    pose[:, PITCH], pose[:, YAW], pose[:, SCALE] = np.deg2rad(pitch), np.deg2rad(yaw), 1
    return q


def errors(model: FaceModel, landmarks: LandmarkModel, q: np.ndarray) -> np.ndarray:
    """(2,) mean distance in the picture, mm, of extreme x and of the contour line to the exact silhouette.

    Landmarks 8-16 count: the chin and the side turned away. Lines that are nowhere visible have no exact place.
    """
    _, lines, normals = shapes68(landmarks.buffers(), q)
    pose = q[:, POSE]
    exact = slide_silhouette(lines, normals, pose, model.shape(q[:, IDENTITY], q[:, EXPRESSION]), model.triangles, 2)
    visible = exact < lines.shape[2] - 1
    visible[:, :8] = False
    goal = project(points_on_lines(lines, exact), pose)
    distances = []
    for slide in (slide_extreme_x, slide_contour_line):
        found = project(points_on_lines(lines, slide(lines, normals, pose)), pose)
        distances.append(np.linalg.norm((found - goal)[..., :2], axis=-1)[visible].mean())
    return np.array(distances)


def table(model: FaceModel, landmarks: LandmarkModel, count: int) -> str:
    """The table as Markdown, "extreme x / contour line" in every cell."""
    rng = np.random.default_rng(0)
    lines = ["| pitch \\ yaw | " + " | ".join(f"{yaw}°" for yaw in YAWS) + " |", "|---" * (len(YAWS) + 1) + "|"]
    every = []
    for pitch in PITCHES:
        row = [errors(model, landmarks, faces(count, pitch, yaw, rng)) for yaw in YAWS]
        every += row
        lines.append(f"| {pitch}° | " + " | ".join(f"{x:.1f} / {line:.1f}" for x, line in row) + " |")
    x, line = np.mean(every, axis=0)
    return "\n".join([*lines, "", f"Mean of all cells: extreme x {x:.2f} mm, contour line {line:.2f} mm."])


def draw_face(axes: Axes, model: FaceModel, landmarks: LandmarkModel, q: np.ndarray, by_contour: bool) -> None:
    """One face with parallel lines, landmarks and, for the paper's method, the contour line."""
    pose = q[:, POSE]
    vertices = model.shape(q[:, IDENTITY], q[:, EXPRESSION])
    seen = project(vertices, pose)[0] * (1, -1, 1)
    corners = seen[model.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    front = np.flatnonzero(normals[:, 2] > 0)
    order = front[np.argsort(corners[front, :, 2].mean(axis=1))]
    shade = 0.35 + 0.6 * np.clip(normals[order] @ np.array([-0.25, 0.35, 0.9]), 0, 1)
    gray = np.repeat(shade[:, None], 3, axis=1)
    axes.add_collection(PolyCollection(corners[order, :, :2], facecolors=gray, edgecolors=gray, linewidths=0.3))
    if by_contour:
        segments = contour_segments(model.triangles, normals[:, 2] > 0)
        middle = vertices[:, segments].mean(axis=2)
        shown = segments[~occluded_by_mesh(middle, vertices, model.triangles, pose, bias=4)[0]]
        axes.add_collection(LineCollection(seen[shown][..., :2], colors=ORANGE, linewidths=2))

    _, lines, line_normals = shapes68(landmarks.buffers(), q)
    slide = slide_contour_line if by_contour else slide_extreme_x
    at = project(points_on_lines(lines, slide(lines, line_normals, pose)), pose)[0]
    for k, color in DRAWN.items():
        line = project(lines[:, k], pose)[0]
        axes.plot(line[:, 0], -line[:, 1], color=color, linewidth=1.3)
        axes.plot(at[k, 0], -at[k, 1], "o", color=color, markeredgecolor="black", markersize=7)
    shown = landmarks.outline68(q)[0][0, :, :2] * (1, -1)
    low, high = shown.min(axis=0) - 25, shown.max(axis=0) + 25
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    axes.axis("off")


def contour_segments(triangles: np.ndarray, front: np.ndarray) -> np.ndarray:
    """(K, 2) vertices of the edges between a triangle that faces us and one that does not, or the open border."""
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    unique, which, count = np.unique(edges, axis=0, return_inverse=True, return_counts=True)
    facing = np.bincount(which.ravel(), weights=np.tile(front, 3), minlength=len(unique))
    return unique[(facing == 1) & (count <= 2)]


def draw(model: FaceModel, landmarks: LandmarkModel, path: Path) -> None:
    """The four faces of Figure 1."""
    panels = (
        (0, 25, False, "extreme x, pitch 0°, yaw 25°"),
        (0, 50, False, "extreme x, pitch 0°, yaw 50°"),
        (HARD[0], HARD[1], False, f"extreme x, pitch {HARD[0]}°, yaw {HARD[1]}°: fails"),
        (HARD[0], HARD[1], True, "contour line (orange), same pose"),
    )
    figure, axes = plt.subplots(1, 4, figsize=(16, 4.6))
    for place, (pitch, yaw, by_contour, title) in zip(axes, panels, strict=True):
        draw_face(place, model, landmarks, faces(1, pitch, yaw, None), by_contour)
        place.set_title(title, fontsize=11)
    figure.tight_layout()
    figure.savefig(path, dpi=90)


def main() -> None:
    """Draw the picture, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=6, help="random faces per cell of the table")
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/images/contour_methods.png"))
    args = parser.parse_args()
    model = FaceModel.load()
    landmarks = LandmarkModel.from_face_model(model)
    draw(model, landmarks, args.out)
    print(table(model, landmarks, args.faces))


if __name__ == "__main__":
    main()
