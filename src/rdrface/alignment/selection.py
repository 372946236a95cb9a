"""Selection and order of the faces that are returned for an image."""

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import numpy as np

from rdrface.alignment.duplicates import without_duplicates
from rdrface.face import Face

MAX_UNCERTAINTY = 10.0
"""Default maximum of `Face.expected_error`, percent of the face size, of a detected face. Fewer than 0.1 % of the true
faces of MERL-RAV and none of those of 300-W are above it (docs/reliability.md)."""

Order = Literal["score", "size", "left_to_right"]
"""Orders of the faces of an image: by decreasing detector score, by decreasing size, or by the x of their centers.
Faces with equal keys stay in the order of the detector."""

DEFAULT_ORDER: Order = "score"

_KEYS: dict[Order, Callable[[Face], float]] = {
    "score": lambda face: -face.score,
    "size": lambda face: -face.size,
    "left_to_right": lambda face: float(face.landmarks[:, 0].mean()),
}


def check_selection(max_uncertainty: float | None, order: Order) -> None:
    """Check the two arguments of `select`.

    Raises:
        ValueError: `max_uncertainty` is not a positive number or None, or `order` is unknown.
    """
    is_number = isinstance(max_uncertainty, int | float | np.number) and not isinstance(max_uncertainty, bool)
    if max_uncertainty is not None and not (is_number and max_uncertainty > 0):
        raise ValueError(
            "max_uncertainty must be a positive number, in percent of the face size: 10 means 10 %, None keeps all; "
            f"got {max_uncertainty!r}"
        )
    if order not in get_args(Order):
        raise ValueError(f"order must be one of {', '.join(get_args(Order))}; got {order!r}")


def select(faces: Sequence[Face], max_uncertainty: float | None, order: Order) -> tuple[list[Face], list[Face]]:
    """Remove duplicates and separate the uncertain faces.

    Args:
        faces: all faces found in one image.
        max_uncertainty: maximum `Face.expected_error` of a face that is kept, percent of the face size; None keeps all.
        order: order of the kept faces.

    Returns:
        The kept faces, and the dropped ones.
    """
    unique = without_duplicates(faces)
    limit = np.inf if max_uncertainty is None else max_uncertainty
    dropped = [face for face in unique if face.expected_error > limit]
    kept = [face for face in unique if not face.expected_error > limit]
    return sorted(kept, key=_KEYS[order]), dropped
