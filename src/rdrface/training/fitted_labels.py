"""What a fit tells of labels: hidden points where a set marks none, and an outline that is itself a fit."""

from dataclasses import replace

import numpy as np
from tqdm import tqdm

from rdrface.datasets.records import SELF_OCCLUDED, UNKNOWN, FaceRecords
from rdrface.landmarks import CONTOUR, INNER
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION, IDENTITY, POSE, YAW
from rdrface.training.face_profiling.head_texture import Head
from rdrface.training.face_profiling.self_occlusion import hidden_points

TURNED = 45.0
"""Degrees of |yaw| from which points are marked. On smaller angles annotators differ about most of them."""


def with_hidden_state(records: FaceRecords, model: FaceModel, progress: bool | None = None) -> FaceRecords:
    """Inner points that the fitted head hides become `SELF_OCCLUDED`; their positions stay.

    Only faces turned by `TURNED` or more and without any annotated state are changed: where a set marks visibility, its
    annotators know better. The visible outline is in view by definition, so points 0-16 stay as they are. What is
    hidden is decided by `hidden_points`, as annotators would, not by `FaceRecords.hidden`: on the mesh the inner
    corners of a closed mouth lie behind the lips at any yaw.

    Args:
        records: N fitted faces.
        model: the face model that they were fitted with.
        progress: show a progress bar; None shows it on a terminal only.

    Raises:
        ValueError: the records hold no fit.
    """
    if records.Q is None:
        raise ValueError("only a fit shows what the head hides; run rdrface.fitting.fit_records first")
    yaw = np.rad2deg(records.Q[:, POSE][:, YAW])
    asked = np.flatnonzero((records.state == UNKNOWN).all(axis=1) & (np.abs(yaw) >= TURNED))
    if not len(asked):
        return records
    head = Head.of(model)
    state = records.state.copy()
    for i in tqdm(asked, unit="face", desc="hidden points", disable=None if progress is None else not progress):
        q = records.Q[i]
        hidden = hidden_points(head, q, model.shape(q[None, IDENTITY], q[None, EXPRESSION])[0])
        state[i, INNER[hidden[INNER]]] = SELF_OCCLUDED
    return replace(records, state=state)


FITTED_OUTLINE = "300w_lp"
"""Source whose labels are a fitted model's. Its visible outline is 4 % of the face's size from manual labels, beyond 60
degrees of yaw 7 % from the outline as MERL-RAV's annotators draw it; its absolute jawline has no such fault."""


def without_fitted_outline(records: FaceRecords) -> FaceRecords:
    """Faces of `FITTED_OUTLINE` lose the positions of points 0-16, where the jawline is labeled besides."""
    if records.jawline_contour is None:
        return records
    both = np.isfinite(records.jawline_contour).all(axis=(1, 2))
    chosen = np.flatnonzero(both & np.array([name.startswith(FITTED_OUTLINE) for name in records.source.tolist()]))
    points = records.points.copy()
    points[np.ix_(chosen, CONTOUR)] = np.nan
    return replace(records, points=points)
