"""AFLW's 21 points and AFLW-PIFA's 34: definitions, and derivation from the 68 or the mesh (docs/aflw.md)."""

from collections.abc import Mapping

import numpy as np

from rdrface.evaluation.predictions.interpolate import interpolated_landmarks
from rdrface.face import Face
from rdrface.landmarks import GROUPS, NUM_LANDMARKS

_LEFT_EYE, _RIGHT_EYE, _MOUTH = (tuple(GROUPS[name]) for name in ("left_eye", "right_eye", "inner_lip"))

POINTS: Mapping[str, tuple[int, ...]] = {
    "left brow, outer end": (17,),
    "left brow, middle": (19,),
    "left brow, inner end": (21,),
    "right brow, inner end": (22,),
    "right brow, middle": (24,),
    "right brow, outer end": (26,),
    "left eye, outer corner": (36,),
    "left eye, center": _LEFT_EYE,
    "left eye, inner corner": (39,),
    "right eye, inner corner": (42,),
    "right eye, center": _RIGHT_EYE,
    "right eye, outer corner": (45,),
    "left ear lobe": (),
    "nose, left": (31,),
    "nose tip": (30,),
    "nose, right": (35,),
    "right ear lobe": (),
    "mouth, left corner": (48,),
    "mouth center": _MOUTH,
    "mouth, right corner": (54,),
    "chin": (8,),
    **{f"landmark {k}": (k,) for k in (3, 5, 11, 13, 27, 33, 37, 41, 44, 46, 51, 57, 66)},
}
"""The 34 points in order, AFLW's 21 first -> landmarks of the 68 whose mean they are; () for points without any.

Left and right are the image's. The order of the 21 and the means are those of 3DDFA's evaluation code; the other 13
points were chosen by this project.
"""

COUNTS = (21, 34)


def from68(points: np.ndarray, count: int = 21) -> np.ndarray:
    """AFLW's points from the 68: single landmarks or means of several, as defined by `POINTS`.

    Args:
        points: (N, 68, 2).
        count: 21 or 34.

    Returns:
        (N, count, 2) float64; NaN for the ear lobes and where a needed landmark is NaN.

    Raises:
        ValueError: another shape or count.
    """
    points = np.asarray(points, np.float64)
    if points.ndim != 3 or points.shape[1:] != (NUM_LANDMARKS, 2) or count not in COUNTS:
        raise ValueError(f"points must be (N, 68, 2) and count one of {COUNTS}; got {points.shape} and {count}")
    nowhere = np.full((len(points), 2), np.nan)
    landmarks = list(POINTS.values())[:count]
    return np.stack([points[:, list(of)].mean(1) if of else nowhere for of in landmarks], axis=1)


def from68_to_34(points: np.ndarray) -> np.ndarray:
    """(N, 68, 2) -> (N, 34, 2), see `from68`."""
    return from68(points, 34)


def outputs(face: Face, scheme: str = "aflw21") -> dict[str, np.ndarray]:
    """Two outputs at points of the mesh: name -> (21 or 34, 2) image pixels.

    "projection" is the projected point of the mesh. "landmarks" is the same point, moved by the refinement of the
    surrounding landmarks (`rdrface.evaluation.predictions.interpolate`).
    """
    return {
        "landmarks": interpolated_landmarks(face, scheme),
        "projection": face.points(scheme)[:, :2].astype(np.float64),
    }


def outputs34(face: Face) -> dict[str, np.ndarray]:
    """The outputs of a face as 34 points, each (34, 2) image pixels; see `outputs`."""
    return outputs(face, "aflw34")
