"""Draws the picture of docs/drawing.md: what `rdrface.draw` draws on several faces.

python tools/draw_overlay.py docs/images/drawing.jpg

The faces: scikit-image's astronaut (NASA, public domain), renderings of the face model at yaw 40 and 80 degrees, and
the astronaut out of focus, where the expected error is high.

`--module FILE` draws with the function `draw` of another Python file, as in the second picture of that page.
"""

import argparse
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from skimage import data

import rdrface
from draw_face_model import render, vertex_colors
from draw_result import enlarged
from rdrface.cli.script import reports_errors
from rdrface.face import Face, Parameters
from rdrface.geometry.boxes import bounding_boxes
from rdrface.geometry.rotation import rotation_matrix
from rdrface.geometry.visibility import occluded_by_mesh
from rdrface.landmarks import INNER, NUM_LANDMARKS
from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION, IDENTITY, NUM_PARAMETERS, POSE, expression_index

SIDE = 340
"""Side of a panel in pixels."""

BOX = (-112.0, 103.0, -86.0, 129.0)
"""x0, x1, y0, y1 in mm, the part of the view of a rendered face. The jagged neck of the face model is outside."""

QUALITY = 84
"""Of the JPEG file."""

BLUR = 14
"""Radius in pixels of the blur of the last panel."""

EXPRESSION_OF_RENDERING = {"mouthSmileLeft": 0.4, "mouthSmileRight": 0.4, "jawOpen": 0.1}
UNCERTAINTY_OF_RENDERING = 2.0

Draw = Callable[..., np.ndarray]


def rendered(model: FaceModel, yaw: float, seed: int) -> tuple[np.ndarray, Face]:
    """A rendered face (SIDE, SIDE, 3) with yaw in degrees, and its true landmarks and parameters."""
    q = np.zeros((1, NUM_PARAMETERS))
    q[0, IDENTITY] = np.random.default_rng(seed).normal(0, 0.7, IDENTITY.stop)
    for name, strength in EXPRESSION_OF_RENDERING.items():
        q[0, expression_index(name, model.expression_names)] = strength
    scale = SIDE / (BOX[1] - BOX[0])
    rotation = rotation_matrix(np.array([0, np.radians(yaw), 0]))
    # The face is moved back, so that it stays in the middle at every yaw.
    shift = np.array([-30.0 * np.sin(np.radians(yaw)) + 18, 0, 0])
    half = 0.5 / scale
    corner = np.array([-BOX[0] - half, -BOX[3] + half, 0])
    translation = rotation.T @ (shift + corner)
    q[0, POSE] = [0, np.radians(yaw), 0, *translation, scale]
    shape = model.shape(q[:, IDENTITY].astype(np.float32), q[:, EXPRESSION].astype(np.float32))
    image = render(shape[0] @ rotation.T + shift, model.triangles, vertex_colors(model), BOX, scale)
    landmarks = LandmarkModel.from_face_model(model)
    outline, jawline = (points[0].astype(np.float32) for points in landmarks.outline68(q))
    visibility = np.ones(NUM_LANDMARKS, np.float32)
    points = model.reduced(model.points["ibug68"]).shape(q[:, IDENTITY], q[:, EXPRESSION])
    visibility[INNER] = ~occluded_by_mesh(points[:, INNER], shape, model.triangles, q[:, POSE])[0]
    face = Face(
        box=bounding_boxes(outline[None, :, :2])[0],
        score=1.0,
        landmarks=outline[:, :2],
        landmarks_jawline=jawline[:, :2],
        landmarks_3d=jawline,
        projection=outline[:, :2],
        visibility=visibility,
        uncertainty=np.full(NUM_LANDMARKS, UNCERTAINTY_OF_RENDERING, np.float32),
        parameters=Parameters(*(q[0, part].astype(np.float32) for part in (POSE, IDENTITY, EXPRESSION))),
        model=model,
    )
    return np.asarray(image.resize((SIDE, SIDE))), face


def load_draw(path: Path) -> Draw:
    """The function `draw` of a Python file."""
    specification = importlib.util.spec_from_file_location("other_drawing", path)
    if specification is None or specification.loader is None:
        raise SystemExit(f"{path} is not a Python module")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.draw


@reports_errors
def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="FILE", help="JPEG file to write")
    parser.add_argument("--module", type=Path, metavar="FILE", help="draw with the function `draw` of this Python file")
    args = parser.parse_args()
    draw = load_draw(args.module) if args.module else rdrface.draw

    photo = data.astronaut()
    aligner = rdrface.load(max_uncertainty=None)
    panel = enlarged(photo, aligner.detect(photo)[0], SIDE)
    face = aligner.detect(panel)[0]
    blurred = np.asarray(Image.fromarray(panel).filter(ImageFilter.GaussianBlur(BLUR)))
    model = FaceModel.load()
    faces = [
        (panel, face),
        rendered(model, 40, seed=4),
        rendered(model, 80, seed=4),
        (blurred, aligner.align(blurred, face.box[None])[0]),
    ]
    rows = [
        np.hstack([draw(image, [face], axes=True) for image, face in faces]),
        np.hstack([draw(image, [face], mesh=True, axes=True) for image, face in faces]),
    ]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.vstack(rows)).save(args.out, quality=QUALITY)


if __name__ == "__main__":
    sys.exit(main())
