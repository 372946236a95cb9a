"""Draw Figure 1 of the supplement with our face model, and print the errors of the two contour methods.

    python tools/draw_contour_methods.py [--faces 6] [-o docs/images/contour_methods.png]

The image and the table are those of docs/contour.md.
"""

import argparse
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection

from rdrface.cli.script import reports_errors
from rdrface.geometry.camera import project
from rdrface.geometry.contour import points_on_lines, slide_contour_line, slide_extreme_x, slide_silhouette
from rdrface.geometry.mesh import flat_shading, front_triangles, triangle_normals
from rdrface.geometry.visibility import occluded_by_mesh
from rdrface.morphable.landmark_model import LandmarkModel, shapes68
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import (
    EXPRESSION,
    IDENTITY,
    NUM_EXPRESSION,
    NUM_IDENTITY,
    NUM_PARAMETERS,
    POSE,
)

PITCHES, YAWS = range(-45, 46, 15), range(0, 91, 15)
HARD = (-45, 35)
"""Pitch and yaw in degrees at which extreme x fails."""
DRAWN = {9: "#ffd92f", 11: "#e41a1c", 13: "#ffd92f", 15: "#e41a1c"}
"""Contour landmark -> color of its parallel line, on the far side of the face."""
ORANGE = "#ff7f00"
LIGHT = np.array([-0.25, -0.35, 0.9])
"""Direction of the light, image axes: x right, y down, z towards the viewer."""


def faces(count: int, pitch: float, yaw: float, rng: np.random.Generator | None) -> np.ndarray:
    """(count, 103) Q with random identities and expressions, or of the mean face without `rng`; angles in degrees."""
    q = np.zeros((count, NUM_PARAMETERS), np.float32)
    if rng is not None:
        q[:, IDENTITY] = rng.normal(0, 0.8, (count, NUM_IDENTITY))
        q[:, EXPRESSION] = rng.uniform(0, 0.7, (count, NUM_EXPRESSION)) * (rng.random((count, NUM_EXPRESSION)) < 0.1)
    q[:, POSE] = np.deg2rad(pitch), np.deg2rad(yaw), 0, 0, 0, 0, 1
    return q


def errors(model: FaceModel, landmarks: LandmarkModel, q: np.ndarray) -> np.ndarray:
    """(2,) mean distance in the image, in mm, of extreme x and of the contour line from the exact silhouette.

    The mean is over landmarks 8-16: the chin and the far side. Lines without a visible point are left out.
    """
    _, lines, normals = shapes68(landmarks.buffers(), q)
    pose = q[:, POSE]
    exact = slide_silhouette(lines, normals, pose, model.shape(q[:, IDENTITY], q[:, EXPRESSION]), model.triangles, 2)
    visible = exact < lines.shape[2] - 1
    visible[:, :8] = False
    expected = project(points_on_lines(lines, exact), pose)
    distances = []
    for slide in (slide_extreme_x, slide_contour_line):
        found = project(points_on_lines(lines, slide(lines, normals, pose)), pose)
        distances.append(np.linalg.norm((found - expected)[..., :2], axis=-1)[visible].mean())
    return np.array(distances)


def table(model: FaceModel, landmarks: LandmarkModel, count: int) -> str:
    """The table as Markdown; each cell is "extreme x / contour line"."""
    rng = np.random.default_rng(0)
    lines = ["| pitch \\ yaw | " + " | ".join(f"{yaw}°" for yaw in YAWS) + " |", "|---" * (len(YAWS) + 1) + "|"]
    cells = []
    for pitch in PITCHES:
        row = [errors(model, landmarks, faces(count, pitch, yaw, rng)) for yaw in YAWS]
        cells += row
        lines.append(f"| {pitch}° | " + " | ".join(f"{x:.1f} / {line:.1f}" for x, line in row) + " |")
    x, line = np.mean(cells, axis=0)
    return "\n".join([*lines, "", f"Mean of all cells: extreme x {x:.2f} mm, contour line {line:.2f} mm."])


def draw_face(axes: Axes, model: FaceModel, landmarks: LandmarkModel, q: np.ndarray, by_contour: bool) -> None:
    """Draw a face with parallel lines, landmarks and, for the method of the paper, the contour line."""
    pose = q[:, POSE]
    vertices = model.shape(q[:, IDENTITY], q[:, EXPRESSION])
    projected = project(vertices, pose)[0]
    corners = projected[model.triangles]
    order = front_triangles(corners)
    gray = np.repeat(flat_shading(corners, LIGHT, 0.35, 0.6)[order, None], 3, axis=1)
    polygons = corners[order, :, :2] * (1, -1)  # the y axis of the plot points up
    axes.add_collection(PolyCollection(polygons, facecolors=gray, edgecolors=gray, linewidths=0.3))
    if by_contour:
        segments = contour_segments(model.triangles, triangle_normals(corners)[:, 2] < 0)
        middle = vertices[:, segments].mean(axis=2)
        visible = segments[~occluded_by_mesh(middle, vertices, model.triangles, pose, bias=4)[0]]
        axes.add_collection(LineCollection(projected[visible][..., :2] * (1, -1), colors=ORANGE, linewidths=2))

    _, lines, line_normals = shapes68(landmarks.buffers(), q)
    slide = slide_contour_line if by_contour else slide_extreme_x
    at = project(points_on_lines(lines, slide(lines, line_normals, pose)), pose)[0]
    for k, color in DRAWN.items():
        line = project(lines[:, k], pose)[0]
        axes.plot(line[:, 0], -line[:, 1], color=color, linewidth=1.3)
        axes.plot(at[k, 0], -at[k, 1], "o", color=color, markeredgecolor="black", markersize=7)
    outline = landmarks.outline68(q)[0][0, :, :2] * (1, -1)
    low, high = outline.min(axis=0) - 25, outline.max(axis=0) + 25
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    axes.axis("off")


def contour_segments(triangles: np.ndarray, front: np.ndarray) -> np.ndarray:
    """(K, 2) vertices of the edges between a front triangle and a back triangle or the open border of the mesh."""
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    unique, edge, count = np.unique(edges, axis=0, return_inverse=True, return_counts=True)
    facing = np.bincount(edge.ravel(), weights=np.tile(front, 3), minlength=len(unique))
    return unique[(facing == 1) & (count <= 2)]


def draw(model: FaceModel, landmarks: LandmarkModel, path: Path) -> None:
    """Draw the four faces of Figure 1."""
    panels = (
        (0, 25, False, "extreme x, pitch 0°, yaw 25°"),
        (0, 50, False, "extreme x, pitch 0°, yaw 50°"),
        (HARD[0], HARD[1], False, f"extreme x, pitch {HARD[0]}°, yaw {HARD[1]}°: fails"),
        (HARD[0], HARD[1], True, "contour line (orange), same pose"),
    )
    figure, axes = plt.subplots(1, 4, figsize=(16, 4.6))
    for panel, (pitch, yaw, by_contour, title) in zip(axes, panels, strict=True):
        draw_face(panel, model, landmarks, faces(1, pitch, yaw, None), by_contour)
        panel.set_title(title, fontsize=11)
    figure.tight_layout()
    figure.savefig(path, dpi=90)


@reports_errors
def main() -> None:
    """Draw the image and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=6, help="random faces per cell of the table (default: 6)")
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path("docs/images/contour_methods.png"),
        help="image to write (default: docs/images/contour_methods.png)",
    )
    args = parser.parse_args()
    model = FaceModel.load()
    landmarks = LandmarkModel.from_face_model(model)
    draw(model, landmarks, args.out)
    print(table(model, landmarks, args.faces))


if __name__ == "__main__":
    sys.exit(main())
