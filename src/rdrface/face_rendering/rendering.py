"""Rendering of a rotated head and its background."""

import cv2
import numpy as np

from rdrface.datasets.crops import PackedCrops
from rdrface.face_rendering.background_mesh import background_mesh
from rdrface.face_rendering.head import Head
from rdrface.face_rendering.head_texture import Texture, label_corrections, texture_of
from rdrface.geometry.boxes import bounding_boxes, box_size
from rdrface.geometry.mesh import triangle_normals
from rdrface.geometry.rasterize import rasterize, to_pixels
from rdrface.morphable.params import POSE

_MAX_DEVIATION = 0.1  # of the face size; labels farther from the fit are ignored, as in training.batch
_MOUTH_COLOR = np.array([38.0, 14.0, 14.0], np.float32)  # RGB inside an opened mouth
_MAX_STEP = 4  # pixels; a larger step of the texture coordinates between neighbors is the outline of a surface


def render_profiled(
    source: PackedCrops,
    i: int,
    before: np.ndarray,
    after: np.ndarray,
    valid: np.ndarray,
    opens_mouth: bool,
    head: Head,
) -> np.ndarray:
    """Render a face with a new pose.

    Args:
        source: packed faces with fits.
        i: index of the face.
        before: (V, 3) vertices of the fitted head, packed frame.
        after: (V, 3) vertices of the head in the new pose, new packed frame.
        valid: (4,) xyxy of the image, new packed frame.
        opens_mouth: the new expression opens the mouth: its inside is drawn dark.
        head: the prepared face model.

    Returns:
        (S, S, 3) uint8 RGB packed crop.
    """
    return render_textured(source, i, texture_of_face(source, i, before, head), after, valid, float(opens_mouth), head)


def texture_of_face(source: PackedCrops, i: int, before: np.ndarray, head: Head) -> Texture:
    """Texture coordinates of face `i`, for `render_textured`; arguments as in `render_profiled`."""
    positions = before[:, :2] + label_corrections(head, source.Q[i], _deviation(source, i))
    return texture_of(head, before, positions, source.valid[i], source.Q[i, POSE])


def render_textured(
    source: PackedCrops,
    i: int,
    texture: Texture,
    after: np.ndarray,
    valid: np.ndarray,
    mouth_darkness: float,
    head: Head,
) -> np.ndarray:
    """Render a face whose texture coordinates are known; `render_profiled` describes the other arguments.

    Args:
        mouth_darkness: opacity of the dark color inside the mouth, 0 to 1.
    """
    size, triangles, old_valid = source.size, head.model.triangles, source.valid[i]
    roll = float(source.Q[i, POSE][2])
    background, background_texture = background_mesh(head.rim, texture.rim, after, roll, old_valid, valid)

    corners = after[triangles]
    front = triangle_normals(corners)[:, 2] < 0
    drawn = to_pixels(np.concatenate([corners[front], background]), size)
    raster = rasterize(drawn, size)
    # Half a pixel inside the edge of the image, because the packed crop is black outside.
    inset = 1.0 / size
    coordinates = np.concatenate([texture.corners[front], background_texture])
    coordinates = coordinates.clip(old_valid[:2] + inset, old_valid[2:] - inset)
    map_xy = to_pixels(raster.interpolate(coordinates), size).reshape(size, size, 2)
    x, y = np.ascontiguousarray(map_xy.transpose(2, 0, 1))
    image = np.asarray(cv2.remap(source.images[i], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    dark = np.zeros((len(drawn), 3, 1), np.float32)
    if mouth_darkness:
        dark[: front.sum(), :, 0] = mouth_darkness * head.mouth_cavity[triangles[front]]
    dark = raster.interpolate(dark).reshape(size, size, 1)
    return _smooth_outlines(image * (1 - dark) + _MOUTH_COLOR * dark, map_xy)


def _deviation(source: PackedCrops, i: int) -> np.ndarray:
    """(68, 2) annotated minus fitted position; NaN where there is no reliable label."""
    fitted = source.jawline if source.jawline_convention[i] else source.outline
    deviation: np.ndarray = source.points[i] - fitted[i]
    limit = _MAX_DEVIATION * float(box_size(bounding_boxes(source.outline[i : i + 1]))[0])
    deviation[np.linalg.norm(deviation, axis=1) > limit] = np.nan
    return deviation


def _smooth_outlines(image: np.ndarray, map_xy: np.ndarray) -> np.ndarray:
    """Blur the pixels at which the texture coordinates jump: a camera does not draw outlines in steps."""
    jump = np.zeros(image.shape[:2], np.float32)
    for axis in (0, 1):
        step = np.abs(np.diff(map_xy, axis=axis)).max(axis=-1) > _MAX_STEP
        pads = [(0, 0), (0, 0)]
        for side in ((1, 0), (0, 1)):
            pads[axis] = side
            jump = np.maximum(jump, np.pad(step, pads))
    soft = cv2.GaussianBlur(image, (3, 3), 0.8)
    return np.rint(np.where(jump[..., None] > 0, soft, image)).clip(0, 255).astype(np.uint8)
