"""Draw the pictures of docs/face_model.md: ``python tools/draw_face_model.py [--out docs/images]``.

A small renderer with a depth buffer, in NumPy: scaled orthography as in the model, smooth shading, landmarks on top.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from rdrface.geometry.rotation import rotation_matrix
from rdrface.geometry.visibility import occluded_by_mesh
from rdrface.landmarks import CLOSED, GROUPS
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import NUM_EXPRESSION, NUM_IDENTITY, ROTATION
from rdrface.morphable.surface import positions

YAWS = (0.0, 45.0, 90.0)
LIGHT = np.array([0.35, 0.45, 0.82])
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


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(V, 3) unit normals, averaged over the triangles around each vertex."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    normals = np.zeros_like(vertices)
    for i in range(3):
        np.add.at(normals, triangles[:, i], np.cross(b - a, c - a))
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def vertex_colors(model: FaceModel) -> np.ndarray:
    """(V, 3) colors: skin, and the eyeballs found as the parts that hang together with the eye centers."""
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
    """Draw a turned mesh.

    Args:
        vertices: (V, 3) mm, already rotated, y up.
        triangles: (F, 3). colors: (V, 3) 0..255.
        box: x0, x1, y0, y1 in mm that the picture shows. scale: pixels per mm.
    """
    fine = scale * 2  # drawn at twice the size and shrunk: smooth edges
    width, height = round((box[1] - box[0]) * fine), round((box[3] - box[2]) * fine)
    x, y = (vertices[:, 0] - box[0]) * fine, (box[3] - vertices[:, 1]) * fine
    shade = np.clip(0.25 + 0.85 * (vertex_normals(vertices, triangles) @ LIGHT), 0.12, 1.05)
    lit = np.clip(colors * shade[:, None], 0, 255)
    image = np.full((height, width, 3), 255.0)
    depth = np.full((height, width), -np.inf)
    for i, j, k in triangles:
        area = (x[j] - x[i]) * (y[k] - y[i]) - (x[k] - x[i]) * (y[j] - y[i])
        if area >= 0:  # y points down here, so a triangle that faces the viewer turns the other way
            continue
        left, right = max(int(np.ceil(min(x[i], x[j], x[k]))), 0), min(int(max(x[i], x[j], x[k])) + 1, width)
        top, bottom = max(int(np.ceil(min(y[i], y[j], y[k]))), 0), min(int(max(y[i], y[j], y[k])) + 1, height)
        if left >= right or top >= bottom:
            continue
        px, py = np.meshgrid(np.arange(left, right), np.arange(top, bottom))
        v = ((px - x[i]) * (y[k] - y[i]) - (x[k] - x[i]) * (py - y[i])) / area
        w = ((x[j] - x[i]) * (py - y[i]) - (px - x[i]) * (y[j] - y[i])) / area
        u = 1 - v - w
        z = u * vertices[i, 2] + v * vertices[j, 2] + w * vertices[k, 2]
        window = (slice(top, bottom), slice(left, right))
        wins = (u >= -1e-9) & (v >= -1e-9) & (w >= -1e-9) & (z > depth[window])
        depth[window][wins] = z[wins]
        image[window][wins] = (u[..., None] * lit[i] + v[..., None] * lit[j] + w[..., None] * lit[k])[wins]
    picture = Image.fromarray(image.astype(np.uint8))
    return picture.resize((width // 2, height // 2), Image.Resampling.LANCZOS)


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
    """One head with its 68 jawline points (those that are seen) and, if wanted, the parallel lines."""
    pose = np.array([[np.radians(pitch), np.radians(yaw), 0, 0, 0, 0, 1]])
    rotation = rotation_matrix(pose[:, ROTATION])[0]
    turned = vertices @ rotation.T
    center = np.array([(turned[:, 0].min() + turned[:, 0].max()) / 2 if box[0] == -box[1] else 0.0, 0.0, 0.0])
    turned = turned - center
    picture = render(turned, model.triangles, vertex_colors(model), box, scale)
    draw = ImageDraw.Draw(picture)

    def seen(name: str) -> tuple[np.ndarray, np.ndarray]:
        points = positions(vertices, model.triangles, model.points[name])
        hidden = occluded_by_mesh(points[None], vertices[None], model.triangles, pose)[0]
        moved = points @ rotation.T - center
        return np.stack([(moved[:, 0] - box[0]) * scale, (box[3] - moved[:, 1]) * scale], 1), ~hidden

    if lines:
        at, visible = seen("parallel_lines")
        for line, shown in zip(at.reshape(17, -1, 2), visible.reshape(17, -1), strict=True):
            for i in range(len(line) - 1):
                if shown[i] and shown[i + 1]:
                    draw.line(
                        [tuple(line[i]), tuple(line[i + 1])], fill=(196, 60, 50), width=max(1, round(scale * 0.6))
                    )
    at, visible = seen("ibug68")
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
    return picture


def sheet(rows: list[list[Image.Image]], titles: list[str], columns: int = 1) -> Image.Image:
    """Rows of pictures with a title each, set in several columns."""
    width, height = sum(p.width for p in rows[0]), rows[0][0].height + 16
    lines = -(-len(rows) // columns)
    page = Image.new("RGB", (width * columns, height * lines), "white")
    draw = ImageDraw.Draw(page)
    for n, (row, title) in enumerate(zip(rows, titles, strict=True)):
        left, top = (n // lines) * width, (n % lines) * height
        draw.text((left + 6, top + 2), title, fill=(0, 0, 0))
        for picture in row:
            page.paste(picture, (left, top + 16))
            left += picture.width
    return page


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    model = FaceModel.load()

    sheet([[panel(model, model.mean, y, scale=2.0, lines=True) for y in YAWS]], ["mean face"]).save(
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
    rows = [[panel(model, person, y, scale=0.75) for y in YAWS] for person in people]
    sheet(rows, [f"random person {i + 1}" for i in range(8)], 2).save(folder / "face_model_people.png", optimize=True)

    alpha = np.zeros((len(EXPRESSIONS), NUM_EXPRESSION), np.float32)
    for i, units in enumerate(EXPRESSIONS.values()):
        for name, strength in units.items():
            alpha[i, model.expression_names.index(name)] = strength
    faces = model.shape(np.zeros((len(alpha), NUM_IDENTITY), np.float32), alpha)
    rows = [[panel(model, face, y, scale=0.75) for y in YAWS] for face in faces]
    sheet(rows, list(EXPRESSIONS), 2).save(folder / "face_model_expressions.png", optimize=True)


if __name__ == "__main__":
    main()
