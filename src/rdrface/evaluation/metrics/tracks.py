"""Matching of tracked faces with true faces, and the errors of tracks: lost, false, switched, fragmented.

The counts are those of CLEAR MOT (Bernardin and Stiefelhagen, Evaluating Multiple Object Tracking Performance,
EURASIP 2008) with landmarks instead of boxes, and in addition a number that passes from one person to another.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MAX_DISTANCE = 0.3
"""Largest mean distance between the landmarks of a prediction and of a true face that are matched, face sizes."""


@dataclass(frozen=True)
class Matches:
    """Predictions matched with the K true faces of T frames.

    Attributes:
        index: (T, K) int, index of the prediction in its frame; -1 if there is none.
        false: (T,) int, number of predictions that match no true face.
    """

    index: np.ndarray
    false: np.ndarray

    @property
    def found(self) -> np.ndarray:
        """(T, K) bool."""
        found: np.ndarray = self.index >= 0
        return found


def match_faces(predicted: Sequence[np.ndarray], truth: np.ndarray, size: np.ndarray) -> Matches:
    """Match predictions with true faces, the nearest pair first.

    Args:
        predicted: landmarks (n, 68, 2) of the n faces of each of T frames.
        truth: (T, K, 68, 2) landmarks, hidden ones included; NaN for absent people.
        size: (T, K) face size, pixels.
    """
    frames, people = truth.shape[:2]
    index = np.full((frames, people), -1)
    false = np.zeros(frames, int)
    for t, faces in enumerate(predicted):
        false[t] = len(faces)
        if not len(faces):
            continue
        distance = np.linalg.norm(faces[:, None] - truth[t], axis=-1).mean(axis=-1) / size[t]
        distance = np.where(np.isfinite(distance), distance, np.inf)
        while distance.min() <= MAX_DISTANCE:
            row, column = np.unravel_index(distance.argmin(), distance.shape)
            index[t, column] = row
            false[t] -= 1
            distance[row], distance[:, column] = np.inf, np.inf
    return Matches(index, false)


def count_switches(ids: np.ndarray) -> int:
    """Number of times a person gets another number, or a number that belonged to another person.

    Args:
        ids: (T, K) int, number of the track that each person is matched with; 0 where there is none.
    """
    owner: dict[int, int] = {}
    last: dict[int, int] = {}
    switches = 0
    for row in ids.tolist():
        for person, number in enumerate(row):
            if not number:
                continue
            has_other = person in last and last[person] != number
            was_other = owner.get(number, person) != person
            switches += has_other or was_other
            owner[number], last[person] = person, number
    return switches


def count_fragments(found: np.ndarray, counted: np.ndarray) -> int:
    """Number of interruptions: a person is found, then lost although visible, then found again.

    Args:
        found: (T, K) bool.
        counted: (T, K) bool, frames in which the person must be found; an interruption needs one such frame.
    """
    fragments = 0
    for person in range(found.shape[1]):
        was_found, is_lost = False, False
        for now, visible in zip(found[:, person].tolist(), counted[:, person].tolist(), strict=True):
            if now:
                fragments += is_lost
                was_found, is_lost = True, False
            elif visible and was_found:
                is_lost = True
    return fragments
