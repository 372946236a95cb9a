"""A clip of a moving rectangle with the landmarks of an invented face, for tests without photos and networks."""

import numpy as np

from annotated import face_points
from rdrface.evaluation.clips.clip import Clip


def invented_clip(kind: str = "pan", count: int = 40, people: int = 1) -> Clip:
    """A clip of gray frames, 64 x 48 pixels; people are 200 pixels apart in the truth."""
    shift = 60 * np.sin(2 * np.pi * np.arange(count) / 45)
    landmarks = np.stack([face_points(center=(200.0 * (1 + k), 100.0), side=100.0) for k in range(people)])
    moved = landmarks + np.stack([shift, 0 * shift], axis=1)[:, None, None]
    return Clip(
        kind=kind,
        photo="a.png",
        width=64,
        height=48,
        times=np.arange(count) / 30,
        landmarks=moved,
        hidden=np.zeros(moved.shape[:3], bool),
        covered=np.zeros(moved.shape[:2]),
        closing=np.zeros(count),
        frames=lambda: iter([np.full((48, 64, 3), i, np.uint8) for i in range(count)]),
    )
