"""Synthetic faces with exact labels, rendered with the face model: for tests, tutorials and the tiny configuration.

The images look like dolls, so a network trained on them does not work on photos. They are sufficient to check that
training runs, resumes and reduces the error on a machine without datasets.
"""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from rdrface.datasets.records import SELF_OCCLUDED, VISIBLE, FaceRecords
from rdrface.files import write_aside
from rdrface.geometry.boxes import bounding_boxes
from rdrface.geometry.camera import project, transform_pose
from rdrface.geometry.contour import points_on_lines, slide_contour_line
from rdrface.geometry.mesh import flat_shading, front_triangles
from rdrface.geometry.visibility import occluded_by_mesh
from rdrface.landmarks import GROUPS, NUM_CONTOUR
from rdrface.morphable.landmark_model import LandmarkModel, shapes68
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION, IDENTITY, NUM_EXPRESSION, NUM_IDENTITY, NUM_PARAMETERS, POSE, SCALE

SIDE = 160
"""Side of a synthetic image in pixels."""

_BROW, _EYE = (60, 40, 30), (240, 240, 240)
_PARTS = {
    "left_brow": _BROW,
    "right_brow": _BROW,
    "left_eye": _EYE,
    "right_eye": _EYE,
    "outer_lip": (170, 70, 70),
    "inner_lip": (90, 30, 30),
}
"""RGB of the facial features, in drawing order."""

_SUBPIXEL = 4
"""Binary digits of OpenCV's fixed-point coordinates."""


def random_parameters(count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw random face parameters for images of `SIDE` pixels.

    Args:
        count: N.
        rng: random number generator.

    Returns:
        (N, 103) float32 Q: yaw up to profile, moderate pitch and roll, a few expressions per face.
    """
    q = np.zeros((count, NUM_PARAMETERS), np.float32)
    pose = q[:, POSE]  # a view of q
    q[:, IDENTITY] = rng.normal(0, 0.8, (count, NUM_IDENTITY))
    pose[:, 0] = rng.normal(0, 0.15, count)  # pitch
    pose[:, 1] = rng.uniform(-1.4, 1.4, count)  # yaw
    pose[:, 2] = rng.normal(0, 0.15, count)  # roll
    pose[:, SCALE] = SIDE * rng.uniform(0.0042, 0.0052, count)
    q[:, EXPRESSION] = rng.uniform(0, 0.7, (count, NUM_EXPRESSION)) * (rng.random((count, NUM_EXPRESSION)) < 0.1)
    return q


def draw_faces(folder: Path, count: int, seed: int = 0) -> FaceRecords:
    """Draw random faces and write them to a folder.

    Args:
        folder: destination of ``face_00000.png`` and so on, `SIDE` pixels each; created if missing.
        count: N.
        seed: seed of the random number generator.

    Returns:
        N records with points, states and all fields of a fit.
    """
    rng = np.random.default_rng(seed)
    model = FaceModel.load()
    landmarks = LandmarkModel.from_face_model(model)
    q = random_parameters(count, rng)
    # Center the landmarks of each face in its image, with a small random shift.
    outline, _ = landmarks.outline68(q)
    middle = SIDE / 2 + rng.normal(0, 3, (count, 2)) - (outline[..., :2].min(1) + outline[..., :2].max(1)) / 2
    q = _shifted(q, middle.astype(np.float32))
    outline, jawline = landmarks.outline68(q)
    vertices = model.shape(q[:, IDENTITY], q[:, EXPRESSION])
    # The occlusion test needs the same points on the surface of the face, in millimeters.
    surface, lines, normals = shapes68(landmarks.buffers(), q)
    contour = points_on_lines(lines, slide_contour_line(lines, normals, q[:, POSE]))
    surface = np.concatenate([contour, surface[:, NUM_CONTOUR:]], axis=1)
    hidden = occluded_by_mesh(surface, vertices, model.triangles, q[:, POSE], bias=3.0)

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for i in range(count):
        path = folder / f"face_{i:05d}.png"
        projected = project(vertices[i : i + 1], q[i : i + 1, POSE])[0]
        image = _draw(projected[model.triangles], outline[i], hidden[i], rng)
        with write_aside(path) as partial:
            Image.fromarray(image).save(partial)
        paths.append(str(path))
    points = outline[..., :2].astype(np.float32)
    return FaceRecords(
        image=np.array(paths),
        points=points,
        state=np.where(hidden, SELF_OCCLUDED, VISIBLE).astype(np.int8),
        contour=np.full(count, "outline"),
        box=bounding_boxes(points),
        source=np.full(count, "synthetic"),
        is_test=np.zeros(count, bool),
        Q=q,
        outline=points,
        jawline=jawline[..., :2].astype(np.float32),
        hidden=hidden,
        residual=np.zeros(count, np.float32),
    )


def _shifted(q: np.ndarray, shift: np.ndarray) -> np.ndarray:
    moved = q.copy()
    ones = np.ones(len(q), np.float32)
    moved[:, POSE] = transform_pose(q[:, POSE], ones, 0 * ones, shift)
    return moved


def _draw(corners: np.ndarray, outline: np.ndarray, hidden: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one image (SIDE, SIDE, 3) uint8 of a mesh (F, 3, 3) and its landmarks (68, 3); `hidden` is (68,) bool."""
    image = _background(rng)
    _draw_skin(image, corners, rng)
    for part, color in _PARTS.items():
        group = list(GROUPS[part])
        if hidden[group].any():
            continue
        line = _fixed_point(outline[group, :2])
        if part.endswith("brow"):
            cv2.polylines(image, [line], False, color, 2, cv2.LINE_AA, shift=_SUBPIXEL)
        else:
            cv2.fillPoly(image, [line], color, cv2.LINE_AA, shift=_SUBPIXEL)
    noisy = image.astype(np.float32) + rng.normal(0, 4, image.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def _background(rng: np.random.Generator) -> np.ndarray:
    top, bottom = rng.uniform(0, 255, (2, 3))
    fade = np.linspace(0, 1, SIDE)[:, None, None]
    gradient = np.broadcast_to(top * (1 - fade) + bottom * fade, (SIDE, SIDE, 3))
    return np.ascontiguousarray(gradient.astype(np.uint8))


def _draw_skin(image: np.ndarray, corners: np.ndarray, rng: np.random.Generator) -> None:
    light = rng.normal(0, 0.5, 3) + np.array([0, -0.3, 1.2])
    shade = flat_shading(corners, light, ambient=0.35, diffuse=0.65)
    skin = np.array([225, 180, 150]) * rng.uniform(0.35, 1.1)
    colors = np.clip(skin * shade[:, None], 0, 255)
    polygons = _fixed_point(corners[..., :2])
    for i in front_triangles(corners):
        cv2.fillConvexPoly(image, polygons[i], colors[i].tolist(), cv2.LINE_AA, shift=_SUBPIXEL)


def _fixed_point(points: np.ndarray) -> np.ndarray:
    return np.round(points * (1 << _SUBPIXEL)).astype(np.int32)
