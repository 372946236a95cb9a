"""The texture of a face from its image: hidden parts are mirrored, and what is hidden on both sides is filled in."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rdrface.face import Face, packaged_model
from rdrface.geometry.mesh import vertex_normals
from rdrface.geometry.rasterize import rasterize
from rdrface.geometry.smoothstep import smoothstep
from rdrface.scene.eyes import eye_colors
from rdrface.scene.layout import packaged_layout
from rdrface.scene.mouth_colors import MouthPlaces, mouth_colors
from rdrface.scene.photo_colors import PhotoColors
from rdrface.scene.placement import millimeter, positions_in_image
from rdrface.scene.pull_push import pull_push
from rdrface.scene.surface import surface_of

SIZES = (256, 512, 1024, 2048)
SIZE = 1024
"""Side of the texture in pixels: about 4 pixels per mm on the face."""

_STEEP, _FRONTAL = 0.15, 0.5
"""Cosines of the angle between the surface and the viewing direction. Steeper parts of the surface are not used: the
texture would be stretched, and a small error of the fit would take it from the background."""

_STEEP_MIRRORED, _FRONTAL_MIRRORED = 0.3, 0.6
"""The same for texture that is mirrored to the other side of the face."""

_PREFERENCE = 0.8
"""By how much these cosines rise per unit by which the other side of the face is less steep."""

_BETTER = 0.03, 0.15
"""Differences of the cosines of the other side and of this side between which the mirrored texture fades in."""

_FACING_EYES = 0.15, 0.45
"""Cosines between which the image of an eyeball fades in."""

_COMPARED = 96
"""Width in pixels, at a size of 1024, of the neighborhood in which the lighting of both sides is compared."""

_MAX_DIFFERENCE = 60
"""Limit of the difference of the lighting, in levels of 0..255."""

_MIN_COMPARED = 0.08
"""Share of a neighborhood that must be visible on both sides; the comparison fades out below."""

_BEHIND, _BEHIND_LIDS, _BEHIND_LIPS = 6.0, 0.8, 2.0
"""mm behind the visible surface at which a point of the skin, of an eyeball, or of the mouth cavity is hidden."""

_MARGIN, _MARGIN_PIXELS, _MARGIN_ERROR = 1.6, 1.2, 0.5
"""Distance from the outline of the head, and from surfaces that hide others, within which the image is not used: mm,
image pixels, and in units of the face's expected error. The largest one counts. The fit is not more exact, and the
background or the other surface would show."""

_FARTHEST = 1e9
"""Pixels; beyond, float32 could not be used."""

_FEATHER = 9
"""Width in pixels, at a size of 1024, over which visible parts fade at the borders of hidden parts."""

_FEATHER_THIN = 5
"""The same on the eyeballs and inside the mouth, of which only small parts are visible."""

_INSIDE = 0.3
"""`Texels.mouth` beyond which a pixel is inside the mouth."""

_INNER_LIPS = 2
"""Rings of vertices around the mouth cavity that belong to the inner side of the lips. In front of it, the image
usually shows teeth."""


@dataclass(frozen=True)
class Texels:
    """The pixels of the texture that belong to the mesh.

    Attributes:
        size: side of the texture, pixels.
        index: (K,) int, indices into the rows of the texture, one after the other.
        corners: (K, 3) int, vertices of the triangle of each pixel.
        weights: (K, 3) float32, barycentric weights.
        mouth: (K,) float32, 1 inside the mouth, 0 outside, with a transition at the lips.
        lips: (K,) float32, the same with the inner side of the lips.
        eyes: (K,) bool, on the eyeballs.
        places: places inside the mouth.
    """

    size: int
    index: np.ndarray
    corners: np.ndarray
    weights: np.ndarray
    mouth: np.ndarray
    lips: np.ndarray
    eyes: np.ndarray
    places: MouthPlaces

    def of(self, values: np.ndarray) -> np.ndarray:
        """(K, C) float32 values of the pixels, from those of the vertices (V, C)."""
        interpolated: np.ndarray = np.einsum("ki,kic->kc", self.weights, values.astype(np.float32)[self.corners])
        return interpolated

    def image(self, values: np.ndarray) -> np.ndarray:
        """(size, size, C) or (size, size) float32 image of values of the pixels (K, C) or (K,); 0 elsewhere."""
        image = np.zeros((self.size**2, *values.shape[1:]), np.float32)
        image[self.index] = values
        return image.reshape(self.size, self.size, *values.shape[1:])


def face_texture(face: Face, image: np.ndarray, size: int = SIZE, origin: tuple[float, float] = (0, 0)) -> np.ndarray:
    """Texture of a face in the layout of `rdrface.scene.layout`.

    Each pixel of the texture is taken from the image where the surface is visible and not too steep. Elsewhere it is
    taken from the other side of the face, with the difference of the lighting removed. What is hidden on both sides is
    filled in smoothly. Glasses, hands and hair in front of the face are part of the texture.

    Args:
        face: the face.
        image: (H, W, 3) uint8 RGB, the image of the face or a part of it.
        size: side of the texture in pixels, one of `SIZES`.
        origin: x and y of the first pixel of `image`, if it is a part of the image.

    Returns:
        (size, size, 3) uint8 RGB.

    Raises:
        ValueError: another size, another shape of the image, or a face that is not finite or has no positive scale or a
            face model with another mesh.
    """
    if isinstance(size, float) or size not in SIZES:
        raise ValueError(f"size must be one of {', '.join(map(str, SIZES))}; got {size!r}")
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(f"image must be (H, W, 3) uint8 RGB; got shape {image.shape}, dtype {image.dtype}")
    surface = surface_of(face.model, "head")
    triangles = packaged_model().triangles
    at = positions_in_image(face, surface) - [*origin, 0]
    if not (np.abs(at) < _FARTHEST).all() or millimeter(face) <= 0:  # NaN, too
        raise ValueError(
            f"the face has no position in an image: it must be finite, with a scale above 0; got {millimeter(face):g} "
            f"pixels per mm and coordinates of up to {np.abs(at).max():g} pixels"
        )
    texels = texels_of(size)
    # The y axis of the image points down, so the normals point inwards: negate them.
    facing = -texels.of(vertex_normals(at, triangles)[:, 2:])[:, 0]
    margin = max(_MARGIN * millimeter(face), _MARGIN_PIXELS, _MARGIN_ERROR * face.expected_error / 100 * face.size)
    photo = PhotoColors.of(image, at, triangles, millimeter(face), size / 220, margin)
    # On a slope, the surface within the margin is nearer without hiding anything.
    slope = np.sqrt(1 - facing.clip(0, 1) ** 2) / facing.clip(0.1, 1)
    behind = _BEHIND + slope * margin / millimeter(face)
    behind = np.where(texels.eyes, _BEHIND_LIDS, np.where(texels.mouth > 0, _BEHIND_LIPS, behind))
    colors, is_shown = photo.sample(texels.of(at), behind, has_margin=~texels.eyes)
    shown = _feathered(texels, is_shown)

    is_skin = ~texels.eyes & (texels.lips < _INSIDE)
    quality = shown * facing.clip(0, None)
    better = texels.image(quality)[:, ::-1].reshape(-1)[texels.index] - quality
    steep = facing - _PREFERENCE * better.clip(0, None)
    direct = texels.image(shown * smoothstep(steep, _STEEP, _FRONTAL) * is_skin)
    mirrorable = texels.image(shown * smoothstep(facing, _STEEP_MIRRORED, _FRONTAL_MIRRORED) * is_skin)[:, ::-1]
    seen = texels.image(colors)
    mirrored = seen[:, ::-1] + _lighting(seen, direct * mirrorable)
    filled = (1 - direct) * mirrorable * texels.image(smoothstep(better, *_BETTER))
    mixed = direct[..., None] * seen + filled[..., None] * mirrored
    skin = pull_push(mixed / np.maximum(direct + filled, 1e-6)[..., None], direct + filled)

    inside = texels.image(texels.places.inside)[..., None]
    teeth = texels.image(shown * texels.places.front)
    skin += inside * (mouth_colors(texels.places, texels.index, seen, teeth, _brightness(skin, direct)) - skin)
    is_eye = texels.image(texels.eyes.astype(np.float32))
    eyes = eye_colors(seen, texels.image(shown * smoothstep(facing, *_FACING_EYES) * texels.eyes), is_eye)
    textured = np.where(is_eye[..., None] > 0, eyes, skin)
    covered = texels.image(np.ones(len(texels.index), np.float32))
    complete: np.ndarray = np.rint(pull_push(textured, covered)).clip(0, 255).astype(np.uint8)
    return complete


@lru_cache(maxsize=2)
def texels_of(size: int) -> Texels:
    """The pixels of a texture of this size."""
    model, layout = packaged_model(), packaged_layout()
    corners = np.empty((len(model.triangles), 3, 3), np.float32)
    corners[..., :2] = (layout.uv * size - 0.5)[model.triangles]
    # Front and back of the eyeballs have the same texture: the front counts.
    corners[..., 2] = model.mean[model.triangles, 2]
    raster = rasterize(corners, size)
    index = np.flatnonzero(raster.triangle >= 0)
    vertices, weights = model.triangles[raster.triangle[index]], raster.weights[index]
    lips = layout.mouth_cavity.copy()
    for _ in range(_INNER_LIPS):
        lips[model.triangles[lips[model.triangles].any(axis=1)]] = True
    mouth, inner = (np.einsum("ki,ki->k", weights, part[vertices]) for part in (layout.mouth_cavity, lips))
    return Texels(
        size, index, vertices, weights, mouth, inner, layout.eyes[vertices[:, 0]], MouthPlaces.of(vertices, weights)
    )


def _lighting(seen: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(S, S, 3) smooth difference between both sides of the face, 0 far from where both are visible."""
    width = max(1, _COMPARED * len(seen) // 1024) | 1
    share = _blurred(weights, width)
    difference = _blurred((seen - seen[:, ::-1]) * weights[..., None], width)
    limited: np.ndarray = difference / np.maximum(share, _MIN_COMPARED)[..., None]
    return limited.clip(-_MAX_DIFFERENCE, _MAX_DIFFERENCE)


def _feathered(texels: Texels, is_shown: np.ndarray) -> np.ndarray:
    """(K,) float32: 1 where the surface is visible, falling to 0 before the border of a hidden part."""
    outside = texels.image(np.ones(len(texels.index), np.float32)) == 0
    visible = texels.image(is_shown.astype(np.float32))
    # The border of the island is not the border of a hidden part.
    visible[outside] = pull_push(visible[..., None], (~outside).astype(np.float32))[outside, 0]
    is_thin = texels.eyes | (texels.mouth >= _INSIDE)
    result = np.empty(len(texels.index), np.float32)
    for feather, part in ((_FEATHER, ~is_thin), (_FEATHER_THIN, is_thin)):
        width = max(1, feather * texels.size // 1024) | 1
        mean = _blurred(visible, width)
        result[part] = smoothstep(mean.reshape(-1)[texels.index[part]], 0.5, 1.0)
    return result


def _blurred(image: np.ndarray, width: int) -> np.ndarray:
    """Mean of about `width` x `width` pixels of (S, S) or (S, S, C), smoothly weighted."""
    for _ in range(2):
        for _ in range(2):
            image = _box_blur(image, width).swapaxes(0, 1)
    return image


def _box_blur(image: np.ndarray, width: int) -> np.ndarray:
    """Mean of `width` pixels of each column of (S, W) or (S, W, C)."""
    half = width // 2
    padding = [(half + 1, half), *[(0, 0)] * (image.ndim - 1)]
    total = np.cumsum(np.pad(image, padding, mode="edge"), axis=0, dtype=np.float64)
    blurred: np.ndarray = ((total[width:] - total[:-width]) / width).astype(np.float32)
    return blurred


def _brightness(colors: np.ndarray, weights: np.ndarray) -> float:
    """Mean brightness of an image (S, S, 3), relative to that of a well lit face."""
    total = float(weights.sum())
    mean = float((colors.mean(axis=2) * weights).sum() / total) if total > 0 else 150.0
    return min(max(mean / 150, 0.2), 1.2)
