"""Draw faces on their image: landmarks, the 3D surface, and the axes of the head.

Each element is drawn on a layer, which has a higher resolution for small faces, and blended into a copy of the image:
lines are smooth and in proportion for faces from 40 to 4,000 pixels.
"""

from collections.abc import Callable, Iterable
from functools import partial

import cv2
import numpy as np

from rdrface.face import Face, Mesh
from rdrface.geometry.mesh import front_triangles, vertex_normals
from rdrface.image import ImageSource, read_image
from rdrface.landmarks import CLOSED, GROUPS

COLORS = {
    "contour": (120, 220, 255),
    "left_brow": (255, 196, 84),
    "right_brow": (255, 196, 84),
    "nose_ridge": (140, 235, 140),
    "nose_base": (140, 235, 140),
    "left_eye": (110, 160, 255),
    "right_eye": (110, 160, 255),
    "outer_lip": (255, 110, 130),
    "inner_lip": (255, 160, 190),
}
"""Group of landmarks -> RGB."""

SURFACE = (150, 205, 240)
AXES = {"x": (240, 70, 70), "y": (70, 210, 90), "z": (80, 120, 255)}
"""x to the right of the image when the face looks at the viewer, y up, z out of the face."""

_HALO = (15, 20, 30)
_LIGHT = np.array([-0.35, -0.45, 0.82])
"""Direction of the light, image axes (x right, y down, z towards the viewer): from above, over the left shoulder."""
_SUBPIXEL = 4
"""OpenCV takes fixed-point coordinates with this many binary digits."""


_MAX_UNIT = 1000.0
"""Pixels: OpenCV accepts line widths up to 32,767."""


def draw(
    image: ImageSource, faces: Iterable[Face], *, landmarks: bool = True, mesh: bool = False, axes: bool = False
) -> np.ndarray:
    """Draw faces on their image.

    Args:
        image: a path, a PIL image or an array (`rdrface.image.read_image`); an array is not changed.
        faces: faces of that image.
        landmarks: draw the 68 refined points with lines; points that are probably hidden are hollow.
        mesh: draw the surface of the 3D face, shaded and translucent.
        axes: draw the x, y and z axes of the head in red, green and blue, from the tip of the nose.

    Returns:
        (H, W, 3) uint8 RGB, a new array.

    Raises:
        ImageError: the image cannot be read.
        TypeError: `faces` contains something else than faces.
        ValueError: the landmarks of a face are not finite.
    """
    canvas = read_image(image).copy()
    if isinstance(faces, Face):
        raise TypeError("draw takes a list of faces; got one Face: put it in a list")
    faces = list(faces)
    for face in faces:
        if not isinstance(face, Face):
            raise TypeError(f"faces must contain rdrface.Face objects; got {type(face).__name__}")
        if not np.isfinite(face.landmarks).all():
            raise ValueError("the landmarks of a face are NaN or infinite, so it cannot be drawn")
    # Small faces last: they are rarely behind larger ones.
    for face in sorted(faces, key=lambda one: -one.size):
        if mesh:
            surface = face.mesh()
            _blend_layer(canvas, surface.vertices[:, :2], face.size, partial(_surface, mesh=surface))
        if landmarks:
            _blend_layer(canvas, face.landmarks, face.size, partial(_landmarks, face=face))
        if axes:
            ends = _axis_ends(face)
            _blend_layer(canvas, ends, face.size, partial(_axes, ends=ends))
    return canvas


class _Layer:
    """A transparent layer over a part of the image, at `scale` times the resolution of the image."""

    def __init__(self, origin: np.ndarray, size: tuple[int, int], scale: int, face_size: float) -> None:
        self.origin = origin
        self.scale = scale
        self.unit = min(max(face_size / 100, 0.35) * scale, _MAX_UNIT)
        """One percent of the face's size, in layer pixels."""
        self.color = np.zeros((size[1] * scale, size[0] * scale, 3), np.uint8)
        self.alpha = np.zeros(self.color.shape[:2], np.uint8)

    def to_layer(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) image pixels -> fixed-point layer pixels."""
        at = (points - self.origin + 0.5) * self.scale - 0.5
        fixed: np.ndarray = np.rint(np.clip(at, -1e6, 1e6) * (1 << _SUBPIXEL)).astype(np.int32)
        return fixed

    def line(self, points: np.ndarray, color: tuple[int, int, int], width: float, alpha: int, closed: bool) -> None:
        """Draw a line through points (n, 2) in fixed-point layer pixels."""
        thickness = max(1, round(width * self.unit))
        cv2.polylines(self.color, [points], closed, color, thickness, cv2.LINE_AA, _SUBPIXEL)
        cv2.polylines(self.alpha, [points], closed, alpha, thickness, cv2.LINE_AA, _SUBPIXEL)

    def disc(self, at: np.ndarray, radius: float, color: tuple[int, int, int], ring: float = 0.0) -> None:
        """Draw a disc, or a ring whose line has the width `ring`."""
        thickness = max(1, round(ring * self.unit)) if ring else cv2.FILLED
        fixed = round(radius * self.unit * (1 << _SUBPIXEL))
        for canvas, value in ((self.color, color), (self.alpha, 255)):
            cv2.circle(canvas, at.tolist(), fixed, value, thickness, cv2.LINE_AA, _SUBPIXEL)


def _blend_layer(canvas: np.ndarray, points: np.ndarray, face_size: float, draw: Callable[[_Layer], None]) -> None:
    """Draw on a layer around `points` and blend it into the canvas."""
    limit = np.array(canvas.shape[1::-1])
    margin = 0.08 * face_size + 4
    low = np.clip(np.floor(points.min(axis=0) - margin), 0, limit).astype(int)
    high = np.clip(np.ceil(points.max(axis=0) + margin), 0, limit).astype(int)
    width, height = (high - low).tolist()
    if width <= 0 or height <= 0:
        return
    scale = int(np.clip(np.ceil(1200 / max(width, height)), 1, 4))
    layer = _Layer(low, (width, height), scale, face_size)
    draw(layer)
    # Colors must be weighted by alpha before they are averaged, or the layer's black background would darken the edges.
    alpha = np.repeat(layer.alpha.astype(np.float32)[..., None] / 255, 3, axis=2)
    weighted = np.stack([layer.color * alpha, alpha])
    if scale > 1:
        small = [cv2.resize(one, (width, height), interpolation=cv2.INTER_AREA) for one in weighted]
        weighted = np.stack(small)
    part = canvas[low[1] : high[1], low[0] : high[0]]
    part[:] = np.rint(part * (1 - weighted[1]) + weighted[0]).astype(np.uint8)


def _landmarks(layer: _Layer, face: Face) -> None:
    at = layer.to_layer(face.landmarks)
    for width, dark in ((1.7, True), (0.85, False)):
        for name, indices in GROUPS.items():
            color = _HALO if dark else COLORS[name]
            layer.line(at[list(indices)], color, width, 110 if dark else 215, name in CLOSED)
    for name, indices in GROUPS.items():
        for i in indices:
            if face.visibility[i] > 0.5:
                layer.disc(at[i], 1.35, _HALO)
                layer.disc(at[i], 1.0, COLORS[name])
            else:
                layer.disc(at[i], 1.25, _HALO)
                layer.disc(at[i], 0.95, COLORS[name], ring=0.45)


def _surface(layer: _Layer, mesh: Mesh) -> None:
    corners = mesh.vertices[mesh.triangles].astype(np.float64)
    # The y axis of the image points down, so the normals point inwards: negate them.
    smooth = -vertex_normals(mesh.vertices.astype(np.float64), mesh.triangles)
    shade = smooth[mesh.triangles].mean(axis=1)
    light = np.clip(shade @ _LIGHT, 0, 1)
    brightness = 0.30 + 0.62 * light + 0.35 * light**24
    colors = np.clip(brightness[:, None] * np.array(SURFACE), 0, 255)

    polygons = layer.to_layer(corners[..., :2])
    for i in front_triangles(corners):
        cv2.fillConvexPoly(layer.color, polygons[i], colors[i].tolist(), cv2.LINE_8, _SUBPIXEL)
        # More transparent where the surface turns away, so that the outline of the face stays visible.
        cv2.fillConvexPoly(layer.alpha, polygons[i], 90 + 80 * float(shade[i, 2].clip(0, 1)), cv2.LINE_8, _SUBPIXEL)


def _axis_ends(face: Face) -> np.ndarray:
    """(4, 2): the tip of the nose and the ends of x, y and z, image pixels."""
    start = face.landmarks_3d[30, :2]
    directions = face.pose.rotation.T[:, :2] * np.array([1, -1])
    return np.concatenate([start[None], start + directions * (0.55 * face.size)]).astype(np.float64)


def _axes(layer: _Layer, ends: np.ndarray) -> None:
    at = layer.to_layer(ends)
    for width, dark in ((3.0, True), (1.7, False)):
        for i, color in enumerate(AXES.values(), start=1):
            layer.line(at[[0, i]], _HALO if dark else color, width, 150 if dark else 255, False)
    for i, (name, color) in enumerate(AXES.items(), start=1):
        outward = ends[i] - ends[0]
        length = float(np.linalg.norm(outward))
        if length < 1e-6:
            continue
        center = layer.to_layer(ends[i] + outward / length * (4.5 * layer.unit / layer.scale)) / (1 << _SUBPIXEL)
        scale = layer.unit * 0.26
        thickness = max(1, round(layer.unit * 0.6))
        (w, h), _ = cv2.getTextSize(name, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
        corner = (round(float(center[0]) - w / 2), round(float(center[1]) + h / 2))
        for extra, tone, alpha in ((max(2, thickness), _HALO, 150), (0, color, 255)):
            for canvas, value in ((layer.color, tone), (layer.alpha, alpha)):
                cv2.putText(
                    canvas, name, corner, cv2.FONT_HERSHEY_SIMPLEX, scale, value, thickness + extra, cv2.LINE_AA
                )
