"""Draw the images of docs/face_model.md: ``python tools/draw_face_model.py [--out docs/images]``.

The projection is scaled orthographic, as in the camera model of rdrface.
"""

import argparse
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from rdrface.cli.script import reports_errors
from rdrface.geometry.mesh import triangle_normals, vertex_normals
from rdrface.geometry.rasterize import rasterize
from rdrface.geometry.rotation import rotation_matrix
from rdrface.geometry.visibility import occluded_by_mesh
from rdrface.landmarks import CLOSED, GROUPS, NUM_CONTOUR
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import NUM_EXPRESSION, NUM_IDENTITY
from rdrface.morphable.surface import positions

YAWS_DEG = (0.0, 45.0, 90.0)
LIGHT = np.array([0.35, 0.45, 0.82])
"""Direction of the light, axes of the face model: x right, y up, z towards the viewer."""
SKIN, WHITE, IRIS = (226, 196, 176), (240, 238, 234), (86, 68, 52)
EXPRESSIONS: dict[str, dict[str, float]] = {
    "jawOpen 0.6": {"jawOpen": 0.6},
    "smile": {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "cheekSquintLeft": 0.5, "cheekSquintRight": 0.5},
    "eyeBlink 1": {"eyeBlinkLeft": 1, "eyeBlinkRight": 1},
    "mouthPucker 1": {"mouthPucker": 1},
    "surprise": {"jawOpen": 0.4, "browInnerUp": 1, "browOuterUpLeft": 1, "browOuterUpRight": 1, "eyeWideLeft": 1,
                 "eyeWideRight": 1},
    "anger": {"browDownLeft": 1, "browDownRight": 1, "mouthPressLeft": 1, "mouthPressRight": 1, "noseSneerLeft": 0.8,
              "noseSneerRight": 0.8},
    "mouthLeft 1, jawLeft 1": {"mouthLeft": 1, "jawLeft": 1},
    "mouthFrown 1": {"mouthFrownLeft": 1, "mouthFrownRight": 1},
}  # fmt: skip


def vertex_colors(model: FaceModel) -> np.ndarray:
    """(V, 3) colors: skin, and eyeballs, which are the parts of the mesh connected to the eye centers."""
    colors = np.tile(np.array(SKIN, float), (len(model.mean), 1))
    for triangle in model.points["eye_centers"].triangle:
        ball = np.zeros(len(model.mean), bool)
        ball[model.triangles[triangle]] = True
        while (grown := ball[model.triangles].any(1)).any():
            before = ball.sum()
            ball[model.triangles[grown]] = True
            if ball.sum() == before:
                break
        colors[ball] = WHITE
        pupil = model.mean[model.triangles[triangle]].mean(0)
        colors[ball & (np.linalg.norm(model.mean - pupil, axis=1) < 6)] = IRIS
    return colors


def render(
    vertices: np.ndarray,
    triangles: np.ndarray,
    colors: np.ndarray,
    box: tuple[float, float, float, float],
    scale: float,
) -> Image.Image:
    """Draw a mesh with smooth shading.

    Args:
        vertices: (V, 3) mm, rotated to the view, y up.
        triangles: (F, 3) int.
        colors: (V, 3) 0..255.
        box: x0, x1, y0, y1 in mm, the part of the view to draw.
        scale: pixels per mm.
    """
    fine = scale * 2  # twice the size, reduced at the end: smooth edges
    width, height = round((box[1] - box[0]) * fine), round((box[3] - box[2]) * fine)
    size = max(width, height)
    shade = np.clip(0.25 + 0.85 * (vertex_normals(vertices, triangles) @ LIGHT), 0.12, 1.05)
    lit = np.clip(colors * shade[:, None], 0, 255)
    pixels = (vertices - (box[0], box[3], 0)) * (fine, -fine, fine)
    front = triangles[triangle_normals(pixels[triangles])[:, 2] < 0]
    raster = rasterize(pixels[front], size)
    shown = np.where(raster.triangle[:, None] >= 0, raster.interpolate(lit[front]), 255)
    image = Image.fromarray(shown.reshape(size, size, 3)[:height, :width].astype(np.uint8))
    return image.resize((width // 2, height // 2), Image.Resampling.LANCZOS)


def panel(
    model: FaceModel,
    vertices: np.ndarray,
    yaw: float,
    pitch: float = 0.0,
    scale: float = 1.0,
    lines: bool = False,
    box: tuple[float, float, float, float] = (-112.0, 112.0, -112.0, 165.0),
    numbers: bool = False,
) -> Image.Image:
    """Draw a head with its visible landmarks in the jawline convention.

    Args:
        model: the face model.
        vertices: (V, 3) mm.
        yaw, pitch: degrees.
        scale: pixels per mm.
        lines: draw the parallel lines too.
        box: x0, x1, y0, y1 in mm; a box that is symmetric in x is centered on the head.
        numbers: write the number of each landmark.
    """
    pose = np.array([[np.radians(pitch), np.radians(yaw), 0, 0, 0, 0, 1]])
    rotation = rotation_matrix(pose[:, :3])[0]
    rotated = vertices @ rotation.T
    center = np.array([(rotated[:, 0].min() + rotated[:, 0].max()) / 2 if box[0] == -box[1] else 0.0, 0.0, 0.0])
    image = render(rotated - center, model.triangles, vertex_colors(model), box, scale)
    draw = ImageDraw.Draw(image)

    def pixels(name: str) -> tuple[np.ndarray, np.ndarray]:
        """(n, 2) pixels of points of the model, (n,) bool whether they are visible."""
        points = positions(vertices, model.triangles, model.points[name])
        hidden = occluded_by_mesh(points[None], vertices[None], model.triangles, pose)[0]
        moved = points @ rotation.T - center
        return np.stack([(moved[:, 0] - box[0]) * scale, (box[3] - moved[:, 1]) * scale], 1), ~hidden

    if lines:
        at, visible = pixels("parallel_lines")
        for line, shown in zip(at.reshape(NUM_CONTOUR, -1, 2), visible.reshape(NUM_CONTOUR, -1), strict=True):
            for i in range(len(line) - 1):
                if shown[i] and shown[i + 1]:
                    draw.line(
                        [tuple(line[i]), tuple(line[i + 1])], fill=(196, 60, 50), width=max(1, round(scale * 0.6))
                    )
    at, visible = pixels("ibug68")
    radius = max(1.2, scale * 1.1)
    for name, group in GROUPS.items():
        chain = [*group, group[0]] if name in CLOSED else list(group)
        for i, j in pairwise(chain):
            if visible[i] and visible[j] and name != "contour":
                draw.line([tuple(at[i]), tuple(at[j])], fill=(60, 110, 190), width=1)
    for k in np.flatnonzero(visible):
        px, py = at[k]
        draw.ellipse([px - radius, py - radius, px + radius, py + radius], fill=(25, 70, 170))
        if numbers:
            draw.text((px + radius, py - radius), str(k), fill=(0, 0, 0))
    return image


def sheet(rows: list[list[Image.Image]], titles: list[str], columns: int = 1) -> Image.Image:
    """Arrange rows of images, each with a title, in several columns."""
    width, height = sum(p.width for p in rows[0]), rows[0][0].height + 16
    lines = -(-len(rows) // columns)
    page = Image.new("RGB", (width * columns, height * lines), "white")
    draw = ImageDraw.Draw(page)
    for n, (row, title) in enumerate(zip(rows, titles, strict=True)):
        left, top = (n // lines) * width, (n % lines) * height
        draw.text((left + 6, top + 2), title, fill=(0, 0, 0))
        for image in row:
            page.paste(image, (left, top + 16))
            left += image.width
    return page


@reports_errors
def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path("docs/images"), help="folder to write to (default: docs/images)"
    )
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    model = FaceModel.load()

    sheet([[panel(model, model.mean, y, scale=2.0, lines=True) for y in YAWS_DEG]], ["mean face"]).save(
        folder / "face_model.png", optimize=True
    )
    eyes, mouth = (6.0, 66.0, 22.0, 72.0), (-34.0, 34.0, -56.0, 2.0)
    close = [panel(model, model.mean, 0, scale=8.0, box=box, numbers=True) for box in (eyes, mouth)]
    page = Image.new("RGB", (close[0].width + close[1].width, max(p.height for p in close)), "white")
    page.paste(close[0], (0, 0))
    page.paste(close[1], (close[0].width, 0))
    page.save(folder / "face_model_close.png", optimize=True)

    rng = np.random.default_rng(5)
    people = model.shape(
        rng.normal(0, 1, (8, NUM_IDENTITY)).astype(np.float32), np.zeros((8, NUM_EXPRESSION), np.float32)
    )
    rows = [[panel(model, person, y, scale=0.75) for y in YAWS_DEG] for person in people]
    sheet(rows, [f"random person {i + 1}" for i in range(8)], 2).save(folder / "face_model_people.png", optimize=True)

    alpha = np.zeros((len(EXPRESSIONS), NUM_EXPRESSION), np.float32)
    for i, units in enumerate(EXPRESSIONS.values()):
        for name, strength in units.items():
            alpha[i, model.expression_names.index(name)] = strength
    faces = model.shape(np.zeros((len(alpha), NUM_IDENTITY), np.float32), alpha)
    rows = [[panel(model, face, y, scale=0.75) for y in YAWS_DEG] for face in faces]
    sheet(rows, list(EXPRESSIONS), 2).save(folder / "face_model_expressions.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
