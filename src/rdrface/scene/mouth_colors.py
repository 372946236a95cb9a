"""Texture of the inside of the mouth: the teeth that the image shows, completed by drawn ones, in a dark cavity."""

from dataclasses import dataclass

import numpy as np

from rdrface.face import packaged_model
from rdrface.scene.layout import packaged_layout
from rdrface.scene.mouth import BACK, EDGE, Mouth

_CAVITY = np.array([58, 22, 23], np.float32)
_GUMS = np.array([150, 84, 80], np.float32)
_TONGUE = np.array([112, 54, 54], np.float32)
_TOOTH = np.array([216, 204, 186], np.float32)
"""RGB in the light of a well lit face."""

_TEETH_LIGHT = 0.5
"""Exponent of the brightness for teeth, which are bright in dark faces too."""

_INNER_WALL = 0.6
"""How much of the color of the cavity the walls between the lips and the gums have; the rest is that of the lips."""

_TONGUE_WIDTH = 16.0
"""mm from the middle within which the tongue is."""

_DEEP = 0.5
"""Brightness of the back of the mouth, relative to `_CAVITY`."""

_UPPER_TEETH, _LOWER_TEETH = (0.0, 8.4, 14.8, 19.6, 23.5), (0.0, 5.4, 11.0, 16.2, 20.5, 24.0)
"""x in mm of the gaps between the teeth."""

_GUMS_SHARE, _EDGE_SHARE = 0.2, 0.94
"""Where the gums end and where the edges of the teeth are, between the rows of vertices 0 and 1."""

_ROUNDED = 0.16
"""How much shorter a tooth is at its sides, in the same units."""

_GAP = 0.3
"""mm, half the width of the dark line between two teeth."""

_TYPICAL = 65
"""Percentile of the visible part of the teeth that gives the color of drawn parts; there is lip and shadow too."""

_SHADE = 0.85
"""Brightness of a drawn tooth at the gums and at its edge, relative to its middle."""

_MIN_SHOWN = 0.08
"""Fraction of a row of teeth that the image must show; the teeth are drawn if it shows less."""


@dataclass(frozen=True)
class MouthPlaces:
    """Places inside the mouth of the pixels of a texture (K,); for pixels outside the mouth without meaning.

    Attributes:
        front: bool, on the front of the teeth, or on the gums.
        is_upper: bool.
        along: float32, mm from the middle of the face.
        height: float32, 0 at the upper end of the gums (lower end of the lower ones), 1 at the edge of the teeth.
        depth: float32, 0 at the edge of the teeth, 1 deep inside.
        inside: float32, 0 on the lips, rising to 1 at the gums.
        tongue: float32, 1 on the tongue.
    """

    front: np.ndarray
    is_upper: np.ndarray
    along: np.ndarray
    height: np.ndarray
    depth: np.ndarray
    inside: np.ndarray
    tongue: np.ndarray

    @classmethod
    def of(cls, corners: np.ndarray, weights: np.ndarray) -> "MouthPlaces":
        """Places of pixels, from the vertices of their triangles (K, 3) and barycentric weights (K, 3)."""
        model = packaged_model()
        mouth = Mouth.of(model, packaged_layout().mouth_cavity)

        def of(values: np.ndarray) -> np.ndarray:
            interpolated: np.ndarray = np.einsum("ki,ki->k", weights, values.astype(np.float32)[corners])
            return interpolated

        row = mouth.row[corners]
        is_deep = np.zeros(len(mouth.row), bool)
        is_deep[mouth.cavity] = mouth.share[:, 0] < 1
        inside = np.zeros(len(mouth.row))
        inside[mouth.cavity] = _INNER_WALL
        inside[is_deep | (mouth.row > 0)] = 1
        front = ((row > 0) & (row < BACK)).all(axis=1)
        return cls(
            front=front,
            is_upper=mouth.is_upper[corners[:, 0]],
            along=np.abs(of(model.mean[:, 0])),
            height=of(mouth.row == EDGE),
            depth=of(is_deep & (mouth.row != EDGE)),
            inside=np.where(front, 1, of(inside)),
            tongue=of((mouth.row == BACK) & ~mouth.is_upper & (np.abs(model.mean[:, 0]) < _TONGUE_WIDTH)),
        )


def mouth_colors(
    places: MouthPlaces, index: np.ndarray, seen: np.ndarray, shown: np.ndarray, light: float
) -> np.ndarray:
    """Colors of the inside of the mouth.

    Args:
        places: of the pixels of the mesh.
        index: (K,) int, rows of these pixels in the texture.
        seen: (S, S, 3) float32 RGB of the image, on the texture.
        shown: (S, S) float32, 1 where the image shows teeth.
        light: brightness of the face, 1 for a well lit one.

    Returns:
        (S, S, 3) float32; undefined outside the mouth.
    """
    colors = light * _CAVITY * (1 + (_DEEP - 1) * places.depth.clip(0, 1)[:, None])
    colors += places.tongue.clip(0, 1)[:, None] * (light * _TONGUE - colors)
    for is_upper in (True, False):
        row = np.flatnonzero(places.front & (places.is_upper == is_upper))
        at = index[row]
        weight, photo = shown.reshape(-1)[at], seen.reshape(-1, 3)[at]
        tooth = light**_TEETH_LIGHT * _TOOTH
        if (weight > 0.5).sum() >= _MIN_SHOWN * len(row):
            tooth = np.percentile(photo[weight > 0.5], _TYPICAL, axis=0)
        drawn = _drawn(places, row, _UPPER_TEETH if is_upper else _LOWER_TEETH, tooth, light)
        colors[row] = drawn + weight[:, None] * (photo - drawn)
    result = np.zeros_like(seen)
    result.reshape(-1, 3)[index] = colors
    return result


def _drawn(
    places: MouthPlaces, row: np.ndarray, gaps: tuple[float, ...], tooth_color: np.ndarray, light: float
) -> np.ndarray:
    """(N, 3) float32 drawn teeth, gums and the dark below the edge of the teeth."""
    along, height = places.along[row], places.height[row]
    tooth = np.searchsorted(gaps, along, side="right").clip(1, len(gaps) - 1)
    low, high = np.array(gaps)[tooth - 1], np.array(gaps)[tooth]
    side = np.abs(2 * (along - low) / (high - low) - 1).clip(0, 1)
    from_gap = np.minimum(along - low, high - along)
    edge = _EDGE_SHARE - _ROUNDED * side**4
    gums = _GUMS_SHARE + 0.5 * _ROUNDED * side**3
    shade = (1 - 0.02 * along) * (_SHADE + (1 - _SHADE) * np.sin(np.pi * height.clip(0, 1)))
    shade *= 1 - 0.5 * (1 - from_gap / _GAP).clip(0, 1)
    colors = tooth_color * shade[:, None]
    colors += ((gums - height) / 0.08 + 0.5).clip(0, 1)[:, None] * (
        light * _GUMS * (1 - 0.02 * along)[:, None] - colors
    )
    colors += ((height - edge) / 0.06 + 0.5).clip(0, 1)[:, None] * (light * _CAVITY - colors)
    return np.asarray(colors, np.float32)
