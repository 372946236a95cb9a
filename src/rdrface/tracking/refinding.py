"""People who are found again after an occlusion or a cut."""

from collections.abc import Sequence

import numpy as np

from rdrface.face import Face
from rdrface.tracking.track import Track

REACH, SPEED = 0.8, 1.5
"""Distance in face sizes at which a lost face is expected: at once, and more per second since it was lost."""

SAME_PERSON = 1.5
"""Distance of the identity coefficients at which two faces with similar yaw are as likely of one person as of two. In
renderings of 40 photos of 300W-LP whose yaw differs by less than 15 degrees, it is 0.8 for one person and 2.2 for two
(medians), and the order is right for 95 % of the pairs; for a difference of 35 degrees or more, for 62 %."""

SIMILAR_YAW = 25.0
"""Degrees: the identity coefficients of views that differ more are not compared."""

IDENTITY_RANGE = (-0.5, 1.0)
"""Range of the cost of the identity of a person who was lost by an occlusion: position and size count more."""

CERTAIN_ERROR = 2.0
"""Expected error, percent of the face size, up to which the identity coefficients count fully. Those of a face that is
still half hidden are wrong; as in `IdentityAverage`, they count less with the square of the error."""

SAME_AFTER_CUT = 1.3
"""Distance of the identity coefficients above which a face after a cut is another person's: position and size do not
count there."""

MAX_COST = 1.0
"""Maximum cost of a person who is found again."""


def find_again(faces: Sequence[Face], lost: Sequence[Track], time: float) -> list[Track | None]:
    """Assign new faces to lost people, the best pair first.

    Args:
        faces: n new faces.
        lost: the people who are missing.
        time: seconds.

    Returns:
        For each face one of `lost`, or None if it is a new person.
    """
    found: list[Track | None] = [None] * len(faces)
    if not faces or not lost:
        return found
    costs = np.array([[_cost(face, track, time) for track in lost] for face in faces])
    for flat in np.argsort(costs, axis=None, kind="stable"):
        i, j = np.unravel_index(flat, costs.shape)
        if costs[i, j] > MAX_COST:
            break
        if found[i] is None and lost[j] not in found:
            found[i] = lost[j]
    return found


def _cost(face: Face, track: Track, time: float) -> float:
    """Cost of the hypothesis that the face is that of the lost person; below `MAX_COST` if it is likely."""
    difference = float(np.linalg.norm(face.parameters.identity - track.identity.mean))
    turn = abs(face.pose.yaw - track.smoothed.pose.yaw) / SIMILAR_YAW
    size = (face.size + track.size) / 2
    distance = float(np.linalg.norm(face.landmarks.mean(axis=0) - track.landmarks.mean(axis=0))) / size
    if track.lost_by_cut:
        # The distance only orders people who look alike.
        return difference / SAME_AFTER_CUT + 0.01 * distance if turn < 1 else np.inf
    growth = abs(np.log(face.size / track.size)) / np.log(2)
    certainty = (CERTAIN_ERROR / max(face.expected_error, CERTAIN_ERROR)) ** 2
    identity = float(np.clip(difference - SAME_PERSON, *IDENTITY_RANGE)) * max(1 - turn, 0.0) * certainty
    return distance / (REACH + SPEED * (time - track.time)) + float(growth) + identity
