"""Draw the textured 3D face of a photo from three sides in several states: docs/images/scene.jpg.

python tools/draw_scene.py                              # the astronaut of scikit-image
python tools/draw_scene.py photo.jpg sheet.jpg --region head
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import rdrface
from rdrface.cli.script import reports_errors
from rdrface.geometry.mesh import triangle_normals
from rdrface.geometry.rasterize import rasterize
from rdrface.geometry.rotation import rotation_matrix
from rdrface.image import read_image
from rdrface.scene import FaceShape, face_texture

SIDE = 300
"""Pixels of each view."""

SHOWN = {"face": (255.0, (0.0, 15.0, 0.0)), "head": (285.0, (0.0, 38.0, -40.0))}
"""Region -> mm that each view shows, and the point in its middle."""

YAWS = (-60, 0, 60)
"""Degrees."""

STATES = (
    {},
    {"jawOpen": 0.8},
    {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0, "mouthSmileLeft": 0.9, "mouthSmileRight": 0.9},
)
"""Blendshapes of the columns after the first, which has the expression of the photo."""

BACKGROUND = (59, 66, 80)
LIGHT = np.array([-0.3, 0.4, 0.86])


@reports_errors
def main() -> int:
    """Draw the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("image", nargs="?", help="photo (default: the astronaut of scikit-image)")
    parser.add_argument("output", nargs="?", default=Path(__file__).parents[1] / "docs" / "images" / "scene.jpg")
    parser.add_argument("--region", choices=("face", "head"), default="face")
    args = parser.parse_args()
    if args.image is None:
        from skimage.data import astronaut

        image = astronaut()
    else:
        image = read_image(args.image)
    faces = rdrface.load().detect(image)
    if not faces:
        return print("no face", file=sys.stderr) or 1
    shape, texture = FaceShape.of(faces[0], args.region), face_texture(faces[0], image)
    expressions = [faces[0].parameters.expression]
    expressions += [np.array([state.get(name, 0) for name in shape.names], np.float32) for state in STATES]
    shown = SHOWN[args.region]
    views = [
        np.concatenate([view(shape, texture, one, yaw, shown=shown) for one in expressions], axis=1) for yaw in YAWS
    ]
    Image.fromarray(np.concatenate(views)).save(args.output, quality=90)
    print(args.output)
    return 0


def view(
    shape: FaceShape,
    texture: np.ndarray,
    expression: np.ndarray,
    yaw: float,
    side: int = SIDE,
    background: tuple[int, int, int] = BACKGROUND,
    shown: tuple[float, tuple[float, float, float]] = SHOWN["face"],
) -> np.ndarray:
    """(side, side, 3) uint8 image of the face, turned by `yaw` degrees; 2 x 2 samples per pixel."""
    size, scale = 2 * side, 2 * side / shown[0]
    rotation = rotation_matrix(np.radians([0.0, yaw, 0.0])).T
    at = (shape.vertices(expression) - np.array(shown[1])) @ rotation
    pixels = np.stack([size / 2 + scale * at[:, 0], size / 2 - scale * at[:, 1], scale * at[:, 2]], axis=1)
    corners = pixels[shape.surface.triangles]
    front = triangle_normals(corners)[:, 2] < 0
    triangles = shape.surface.triangles[front]
    raster = rasterize(corners[front], size)
    drawn = raster.triangle >= 0
    uv = raster.interpolate(shape.surface.uv[triangles])
    column, row = (uv * len(texture)).astype(int).clip(0, len(texture) - 1).T
    normal = raster.interpolate((shape.normals(expression) @ rotation)[triangles])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    colors = texture[row, column] * (0.78 + 0.27 * np.clip(normal @ LIGHT, 0, 1))[:, None]
    image = np.where(drawn[:, None], colors, background).clip(0, 255).reshape(side, 2, side, 2, 3).mean(axis=(1, 3))
    return np.rint(image).astype(np.uint8)


if __name__ == "__main__":
    sys.exit(main())
