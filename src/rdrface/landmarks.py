"""The 68 landmarks of iBUG / Multi-PIE: groups, mirror permutation, and lines to draw.

Indices are 0-based. Left and right are those of the image: landmark 0 is the leftmost one of a frontal face. The 17
contour landmarks follow one of two conventions, which must never be mixed (supplement, section 3): ``outline`` is the
visible contour, which slides over the cheek as the head turns; ``jawline`` is the absolute 3D jawline.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

NUM_LANDMARKS = 68

NUM_CONTOUR = 17
"""Number of contour landmarks; they come first."""

CHIN = 8
"""Index of the middle contour landmark."""

GROUPS: Mapping[str, range] = MappingProxyType(
    {
        "contour": range(17),
        "left_brow": range(17, 22),
        "right_brow": range(22, 27),
        "nose_ridge": range(27, 31),
        "nose_base": range(31, 36),
        "left_eye": range(36, 42),
        "right_eye": range(42, 48),
        "outer_lip": range(48, 60),
        "inner_lip": range(60, 68),
    }
)
"""Name of a part of the face -> indices of its landmarks."""

CLOSED = frozenset({"left_eye", "right_eye", "outer_lip", "inner_lip"})
"""Groups that are drawn as closed lines."""

INNER = np.arange(NUM_CONTOUR, NUM_LANDMARKS)
"""(51,) indices of the landmarks whose position on the face does not depend on the pose (supplement, section 1)."""

CONTOUR = np.arange(NUM_CONTOUR)
"""(17,) indices of the landmarks whose position on the face depends on the pose in the ``outline`` convention."""

EYES = np.arange(36, 48)
"""(12,) indices of the landmarks of both eyes."""

MOUTH = np.arange(48, NUM_LANDMARKS)
"""(20,) indices of the landmarks of the lips."""

OUTER_EYE_CORNERS = (36, 45)
"""Indices of the landmarks whose distance is the inter-ocular distance."""

EYE_CORNERS = ((36, 39), (42, 45))
"""Corners of the left and the right eye, each from left to right."""


def _mirror() -> np.ndarray:
    pairs = [(i, 16 - i) for i in range(8)]
    pairs += [(17 + i, 26 - i) for i in range(5)]
    pairs += [(31, 35), (32, 34)]
    pairs += [(36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)]
    pairs += [(48, 54), (49, 53), (50, 52), (55, 59), (56, 58)]
    pairs += [(60, 64), (61, 63), (65, 67)]
    order = np.arange(NUM_LANDMARKS)
    for a, b in pairs:
        order[a], order[b] = b, a
    order.setflags(write=False)
    return order


MIRROR = _mirror()
"""(68,) int: landmark i of the mirrored face is landmark ``MIRROR[i]`` of the original face."""
