"""The 68 landmarks of iBUG / Multi-PIE: names of their groups, mirror order, lines to draw.

Indices are 0-based. "Left" and "right" are the picture's: index 0 is at the left edge of the picture when the face
looks at us. The 17 contour points exist in two conventions that must never be mixed (supplement, section 3):
``outline``, the visible contour, which slides over the cheek as the head turns, and ``jawline``, the absolute 3D line.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

NUM_LANDMARKS = 68

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
"""Name of a facial part -> its landmark indices."""

CLOSED = frozenset({"left_eye", "right_eye", "outer_lip", "inner_lip"})
"""Groups whose points form a closed line when drawn."""

INNER = np.arange(17, NUM_LANDMARKS)
"""The 51 landmarks that are fixed on the face, whatever the pose (supplement, section 1)."""

CONTOUR = np.arange(17)
"""The 17 landmarks whose place on the face depends on the pose when the convention is ``outline``."""

OUTER_EYE_CORNERS = (36, 45)

EYE_CORNERS = ((36, 39), (42, 45))
"""Of the picture's left and right eye, each from the picture's left to its right."""


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
"""(68,) int: landmark i of the mirrored face is landmark ``MIRROR[i]`` of the face."""
