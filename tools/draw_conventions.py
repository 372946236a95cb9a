"""Draw the axes of the face model, and positive yaw, pitch and roll.

python tools/draw_conventions.py [-o docs/images/conventions.png]
"""

import argparse
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from rdrface.cli.script import reports_errors
from rdrface.geometry.camera import project
from rdrface.geometry.mesh import flat_shading, front_triangles
from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import NUM_PARAMETERS, POSE

POSES = (
    ("all angles 0", (0, 0, 0)),
    ("yaw +35°\nnose to the right of the image", (0, 35, 0)),
    ("pitch +30°\nnose down", (30, 0, 0)),
    ("roll +25°\ncounterclockwise as seen", (0, 0, 25)),
)
"""Title and pitch, yaw, roll in degrees."""
AXES = (("x", (1, 0, 0), "#d62728"), ("y", (0, 1, 0), "#2ca02c"), ("z", (0, 0, 1), "#1f77b4"))
LENGTH = 105.0  # of an axis, mm
LIGHT = np.array([-0.25, -0.35, 0.9])
"""Direction of the light, image axes: x right, y down, z towards the viewer."""


def draw(axes: Axes, model: FaceModel, angles: tuple[int, int, int]) -> None:
    """Draw the mean face, its axes and its 68 landmarks in the jawline convention."""
    q = np.zeros((1, NUM_PARAMETERS), np.float32)
    q[:, POSE] = *np.deg2rad(angles), 0, 0, 0, 1
    pose = q[:, POSE]
    corners = project(model.mean[None], pose)[0][model.triangles]
    order = front_triangles(corners)
    gray = np.repeat(flat_shading(corners, LIGHT, 0.45, 0.5)[order, None], 3, axis=1)
    axes.add_collection(PolyCollection(corners[order, :, :2], facecolors=gray, edgecolors=gray, linewidths=0.3))
    points = LandmarkModel.from_face_model(model).outline68(q)[1][0]
    axes.plot(points[:, 0], points[:, 1], ".", color="#ff7f00", markersize=3)
    ends = project(np.array([[[0, 0, 0], *(np.array(d) * LENGTH for _, d, _ in AXES)]], np.float32), pose)[0]
    for (name, _, color), end in zip(AXES, ends[1:], strict=True):
        step = end[:2] - ends[0, :2]
        if np.linalg.norm(step) < 5:  # towards the viewer
            axes.plot(*ends[0, :2], "o", color=color, markersize=9, markerfacecolor="white", markeredgewidth=2)
            axes.plot(*ends[0, :2], ".", color=color)
            axes.annotate(name, ends[0, :2] + (6, 14), color=color, fontsize=13, weight="bold")
            continue
        arrow = {"arrowstyle": "-|>", "color": color, "linewidth": 2.2, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", end[:2], ends[0, :2], arrowprops=arrow)
        # Next to the arrow and not at its end: with only a yaw, x and z are on one line.
        step = step / np.linalg.norm(step)
        label = end[:2] + np.array((-step[1], step[0])) * (-12 if name == "x" else 12)
        axes.annotate(name, label, color=color, fontsize=13, weight="bold", ha="center", va="center")
    axes.set(xlim=(-125, 125), ylim=(115, -135), aspect="equal")
    axes.axis("off")


@reports_errors
def main() -> None:
    """Draw the image."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path("docs/images/conventions.png"),
        help="image to write (default: docs/images/conventions.png)",
    )
    args = parser.parse_args()
    model = FaceModel.load()
    figure, panels = plt.subplots(1, len(POSES), figsize=(14, 5))
    for panel, (title, angles) in zip(panels, POSES, strict=True):
        draw(panel, model, angles)
        panel.set_title(title, fontsize=12)
    note = "face model: x to the right of the image, y up, z towards the viewer      image: x right, y down"
    figure.text(0.5, 0.02, note, ha="center", fontsize=11)
    figure.subplots_adjust(left=0.01, right=0.99, top=0.86, bottom=0.08, wspace=0.02)
    figure.savefig(args.out, dpi=80)


if __name__ == "__main__":
    sys.exit(main())
