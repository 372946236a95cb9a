"""Drawn faces with exact labels, from the face model alone: for tests, tutorials and the tiny training configuration.

They look like dolls. A network trained on them learns dolls; that is enough to show that a training runs, resumes and
learns on a machine without any data set.
"""

from pathlib import Path

import cv2
import numpy as np

from rdrface.datasets.records import SELF_OCCLUDED, VISIBLE, FaceRecords
from rdrface.geometry.camera import project, transform_pose
from rdrface.geometry.contour import points_on_lines, slide_contour_line
from rdrface.geometry.visibility import occluded_by_mesh
from rdrface.landmarks import GROUPS
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
    ROLL,
    SCALE,
    YAW,
)

SIDE = 160
"""Pixels of a drawn photo."""


def random_parameters(count: int, rng: np.random.Generator) -> np.ndarray:
    """Plausible Q for photos of `SIDE` pixels.

    Args:
        count: N.
        rng: source of randomness.

    Returns:
        (N, 103) float32: yaw up to profile, moderate pitch and roll, some expressions at a time.
    """
    q = np.zeros((count, NUM_PARAMETERS), np.float32)
    q[:, IDENTITY] = rng.normal(0, 0.8, (count, NUM_IDENTITY))
    pose = q[:, POSE]  # a view
    pose[:, PITCH] = rng.normal(0, 0.15, count)
    pose[:, YAW] = rng.uniform(-1.4, 1.4, count)
    pose[:, ROLL] = rng.normal(0, 0.15, count)
    pose[:, SCALE] = SIDE * rng.uniform(0.0042, 0.0052, count)
    shape = (count, NUM_EXPRESSION)
    q[:, EXPRESSION] = rng.uniform(0, 0.7, shape) * (rng.random(shape) < 0.1)
    return q


def draw_faces(folder: Path, count: int, seed: int = 0) -> FaceRecords:
    """Draw faces into a folder.

    Args:
        folder: made if missing; gets ``face_00000.png`` ... of `SIDE` pixels.
        count: N.
        seed: of everything random.

    Returns:
        Records with points, states and all fields of a fit.
    """
    rng = np.random.default_rng(seed)
    model = FaceModel.load()
    landmarks = LandmarkModel.from_face_model(model)
    q = random_parameters(count, rng)
    # Put each face's landmarks around the middle of its photo.
    outline, _ = landmarks.outline68(q)
    middle = SIDE / 2 + rng.normal(0, 3, (count, 2)) - (outline[..., :2].min(1) + outline[..., :2].max(1)) / 2
    q = _shifted(q, middle.astype(np.float32))
    outline, jawline = landmarks.outline68(q)
    vertices = model.shape(q[:, IDENTITY], q[:, EXPRESSION])
    # The occlusion test wants the same points on the face itself, in millimeters.
    surface, lines, normals = shapes68(landmarks.buffers(), q)
    contour = points_on_lines(lines, slide_contour_line(lines, normals, q[:, POSE]))
    surface = np.concatenate([contour, surface[:, 17:]], axis=1)
    hidden = occluded_by_mesh(surface, vertices, model.triangles, q[:, POSE], bias=3.0)

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for i in range(count):
        path = folder / f"face_{i:05d}.png"
        photo = _draw(project(vertices[i : i + 1], q[i : i + 1, POSE])[0], model.triangles, outline[i], hidden[i], rng)
        cv2.imwrite(str(path), cv2.cvtColor(photo, cv2.COLOR_RGB2BGR))
        paths.append(str(path))
    points = outline[..., :2].astype(np.float32)
    return FaceRecords(
        image=np.array(paths),
        points=points,
        state=np.where(hidden, SELF_OCCLUDED, VISIBLE).astype(np.int8),
        contour=np.full(count, "outline"),
        box=np.concatenate([points.min(1), points.max(1)], axis=1),
        source=np.full(count, "synthetic"),
        split=np.full(count, "train"),
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


def _draw(
    vertices: np.ndarray, triangles: np.ndarray, outline: np.ndarray, hidden: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    top, bottom = rng.uniform(0, 255, (2, 3))
    fade = np.linspace(0, 1, SIDE)[:, None, None]
    photo = np.ascontiguousarray(np.broadcast_to(top * (1 - fade) + bottom * fade, (SIDE, SIDE, 3)).astype(np.uint8))
    corners = vertices[triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    # Image y points down, so outward triangles of the model have normals with negative z here.
    normals /= -np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    light = rng.normal(0, 0.5, 3) + np.array([0, -0.3, 1.2])
    shade = 0.35 + 0.65 * np.clip(normals @ (light / np.linalg.norm(light)), 0, 1)
    skin = np.array([225, 180, 150]) * rng.uniform(0.35, 1.1)
    colors = np.clip(skin * shade[:, None], 0, 255)
    flat = np.round(corners[..., :2] * 16).astype(np.int32)
    for i in np.argsort(corners[..., 2].mean(1)):
        if normals[i, 2] > 0:
            cv2.fillConvexPoly(photo, flat[i], colors[i].tolist(), cv2.LINE_AA, shift=4)
    for part, color in (
        ("left_brow", (60, 40, 30)),
        ("right_brow", (60, 40, 30)),
        ("left_eye", (240, 240, 240)),
        ("right_eye", (240, 240, 240)),
        ("outer_lip", (170, 70, 70)),
        ("inner_lip", (90, 30, 30)),
    ):
        group = list(GROUPS[part])
        if not hidden[group].any():
            line = np.round(outline[group, :2] * 16).astype(np.int32)
            if part.endswith("brow"):
                cv2.polylines(photo, [line], False, color, 2, cv2.LINE_AA, shift=4)
            else:
                cv2.fillPoly(photo, [line], color, cv2.LINE_AA, shift=4)
    noisy = photo.astype(np.float32) + rng.normal(0, 4, photo.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)
