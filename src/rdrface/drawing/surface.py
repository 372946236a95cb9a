"""The surface of the 3D face, translucent: smooth shading, a fine grid and a thin border.

The surface is rasterized with a z-buffer on a layer of its own, at a higher resolution than the image for small faces
and at a lower one for very large faces. Normals and grid coordinates are interpolated for each pixel, so no triangle
is visible.
"""

import numpy as np
from PIL import Image, ImageFilter

from rdrface.drawing.face_region import FaceRegion, packaged_region
from rdrface.face import Face
from rdrface.geometry.mesh import triangle_normals, vertex_normals
from rdrface.geometry.rasterize import Raster, rasterize
from rdrface.geometry.smoothstep import smoothstep

TINT = np.array([104, 190, 255], np.float32)
"""RGB of the surface."""

LINES = np.array([228, 244, 255], np.float32)
"""RGB of the grid and the border."""

_LIGHT = np.array([-0.35, -0.45, 0.82], np.float32)
"""Direction of the light, image axes (x right, y down, z towards the viewer): from above, over the left shoulder."""

_GRID_SPACING = 12.0
"""mm on the mean face between two lines of the grid."""

_GRID = 0.42
_BORDER = 0.75
"""Opacity of the lines."""

_LAYER_SIDE = 600
"""Approximate number of pixels of the layer's longer side; smaller for faces that need more than `_MAX_SCALE`."""

_MAX_LAYER_SIDE = 900
_SOFTENED = 0.8  # layer pixels; for outlines of faces that are larger than the layer
_MAX_SCALE = 4
_MAX_COORDINATE = 1e6  # pixels; float32 is too coarse beyond
_MAX_TESTS = 12_000_000
"""Maximum number of pixels in all bounding boxes of triangles. A face of ordinary shape needs at most 8 million."""


def draw_surface(canvas: np.ndarray, face: Face, opacity: float) -> None:
    """Draw the face region of `face.mesh()` on a (H, W, 3) uint8 canvas.

    A mesh that is not finite, or crumpled beyond any face, is not drawn.

    Args:
        canvas: RGB; changed in place.
        face: a face.
        opacity: 0..1.
    """
    with np.errstate(all="ignore"):
        mesh = face.mesh()
        vertices = mesh.vertices.astype(np.float64)
    if not (np.abs(vertices) < _MAX_COORDINATE).all():
        return
    region = packaged_region() if face.model is None else FaceRegion.of(face.model)
    at = vertices[np.unique(region.triangles), :2]
    limit = np.array(canvas.shape[1::-1])
    low = np.floor(at.min(axis=0) - 2).clip(0, limit).astype(int)
    high = np.ceil(at.max(axis=0) + 2).clip(0, limit).astype(int)
    width, height = (high - low).tolist()
    if width <= 0 or height <= 0:
        return
    scale = _scale(max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # From image to layer pixels; the centers of the first pixels of both are at 0.
    vertices[:, :2] = (vertices[:, :2] - low + 0.5) * scale - 0.5
    vertices[:, 2] *= scale
    line = max(0.8, face.size / 300) * scale
    layer = _layer(vertices, mesh.triangles, region, size, line, scale)
    # Premultiplied: the black of the empty pixels must not darken the outlines.
    drawn = Image.fromarray(layer).convert("RGBa")
    if scale >= 1:
        reduced = drawn.resize((width, height), Image.Resampling.BOX)
    else:
        reduced = drawn.filter(ImageFilter.BoxBlur(_SOFTENED)).resize((width, height), Image.Resampling.BICUBIC)
    part = canvas[low[1] : high[1], low[0] : high[0]]
    part[:] = _over(np.asarray(reduced), part, opacity)


def _over(layer: np.ndarray, part: np.ndarray, opacity: float) -> np.ndarray:
    """The image (H, W, 3) uint8 under a premultiplied layer (H, W, 4) uint8."""
    color, alpha = layer[..., :3].astype(np.float32), layer[..., 3:].astype(np.float32)
    blended = part * (1 - alpha * np.float32(opacity / 255)) + color * np.float32(opacity)
    rounded: np.ndarray = np.rint(blended).clip(0, 255).astype(np.uint8)
    return rounded


def _scale(side: int) -> float:
    """Layer pixels per image pixel; at least 2 if the face is not very large, for smooth outlines."""
    if 2 * side > _MAX_LAYER_SIDE:
        return _MAX_LAYER_SIDE / side
    # Whole numbers, because the reduction to the image is exact then.
    return float(np.clip(round(_LAYER_SIDE / side), 2, _MAX_SCALE))


def _layer(
    vertices: np.ndarray,
    triangles: np.ndarray,
    region: FaceRegion,
    size: tuple[int, int],
    line: float,
    scale: float,
) -> np.ndarray:
    """The surface as an image.

    Args:
        vertices: (V, 3) layer pixels.
        triangles: (F, 3) int, all triangles of the mesh; the normals near the border depend on those outside.
        region: the part to draw.
        size: width and height of the layer.
        line: width of the lines, layer pixels.
        scale: layer pixels per image pixel.

    Returns:
        (height, width, 4) uint8 RGBA.
    """
    width, height = size
    layer = np.zeros((width * height, 4), np.uint8)
    corners = vertices[region.triangles]
    facing = triangle_normals(corners)[:, 2] < 0
    shown, corners = region.triangles[facing], corners[facing]
    extent = np.ptp(corners[..., :2].clip(0, size), axis=1) + 1
    if len(shown) and extent.prod(axis=1).sum() <= _MAX_TESTS:
        raster = rasterize(corners, size)
        pixel = np.flatnonzero(raster.triangle >= 0)
        front = Raster(raster.triangle[pixel], raster.weights[pixel], raster.depth[pixel])
        # The y axis of the image points down, so the normals point inwards: negate them.
        normals = -vertex_normals(vertices, triangles)
        values = np.concatenate([normals, region.mean, region.grid], axis=1).astype(np.float32)
        normal, position, grid = np.split(front.interpolate(values[shown]), (3, 6), axis=1)
        slopes = np.concatenate([region.grid, region.inside(region.mean)[:, None]], axis=1)
        slope = _slope(slopes[shown], corners)[front.triangle]
        inside = region.inside(position) / slope[:, 2]
        lines = np.maximum(_grid(grid, slope[:, :2], line, scale), _BORDER * np.clip(1.5 * line - inside, 0, 1))
        layer[pixel] = _translucent(normal, lines, np.clip(inside + 0.5, 0, 1))
    return layer.reshape(height, width, 4)


def _slope(values: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """(F, C) change of values (F, 3, C) on triangles (F, 3, 3), per pixel, in the direction of the steepest ascent."""
    ab, ac = corners[:, 1, :2] - corners[:, 0, :2], corners[:, 2, :2] - corners[:, 0, :2]
    first, second = values[:, 1] - values[:, 0], values[:, 2] - values[:, 0]
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    x = first * ac[:, 1, None] - second * ab[:, 1, None]
    y = second * ab[:, 0, None] - first * ac[:, 0, None]
    slope: np.ndarray = np.hypot(x, y) / np.maximum(np.abs(area), 1e-9)[:, None]
    return np.asarray(np.maximum(slope, 1e-6), np.float32)


def _grid(grid: np.ndarray, slope: np.ndarray, line: float, scale: float) -> np.ndarray:
    """(P,) opacity of the grid lines. They fade where they would be closer than a few pixels of the image."""
    spacing = np.float32(_GRID_SPACING)
    distance = np.abs(grid - np.rint(grid / spacing) * spacing) / slope
    covered = np.clip(np.float32(line / 2 + 0.5) - distance, 0, 1)
    gap = spacing / slope / np.float32(scale)
    shown = covered * smoothstep((gap - 3) / 4)
    opacity: np.ndarray = np.float32(_GRID) * np.maximum(shown[:, 0], shown[:, 1])
    return opacity


def _translucent(normal: np.ndarray, lines: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(P, 4) RGBA of a surface with lines.

    Args:
        normal: (P, 3) towards the outside, image axes; its length does not matter.
        lines: (P,) opacity of the lines.
        inside: (P,) share of the pixel inside the border.
    """
    x, y, z = normal.T
    length = np.maximum(np.sqrt(x * x + y * y + z * z), 1e-6)
    light = np.clip((normal @ _LIGHT) / length, 0, 1)
    highlight = np.square(np.square(np.square(np.square(light))))
    # Less of the image shows through where the surface turns away, as through glass.
    surface = 0.20 + 0.45 * np.square(1 - np.clip(z / length, 0, 1))
    lit = (0.2 + 0.8 * light - 0.5 * highlight)[:, None] * TINT
    color = lit + (0.5 * highlight)[:, None] * LINES
    below = surface * (1 - lines)
    alpha = below + lines
    mixed = (color * below[:, None] + LINES * lines[:, None]) / alpha[:, None]
    colors = np.concatenate([mixed, 255 * (alpha * inside)[:, None]], axis=1)
    return np.asarray(np.rint(colors), np.uint8)
