"""Corrections of labels with the fitted face: self-occluded points, and outlines that are not manual annotations."""

from dataclasses import replace

import numpy as np
from tqdm import tqdm

from rdrface.datasets.records import SELF_OCCLUDED, UNKNOWN, FaceRecords
from rdrface.face_rendering.head import Head
from rdrface.face_rendering.self_occlusion import self_occluded_landmarks
from rdrface.landmarks import CONTOUR, INNER
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import EXPRESSION, IDENTITY, POSE

MIN_YAW_DEG = 45.0
"""|yaw| in degrees from which points are marked as self-occluded. Below it, annotators disagree about most of them."""

FITTED_OUTLINE = "300w_lp"
"""Source whose visible outline is taken from a fitted model. It is 4 % of the face size away from manual annotations,
and beyond 60 degrees of yaw 7 % away from the outline of MERL-RAV's annotators. Its absolute jawline is correct."""


def with_self_occlusion(records: FaceRecords, model: FaceModel, progress: bool | None = None) -> FaceRecords:
    """Mark inner points that the fitted head hides as `SELF_OCCLUDED`. Their positions do not change.

    Only faces with |yaw| >= `MIN_YAW_DEG` and without any annotated state change: annotated visibility is more reliable
    than the fit. Points 0-16 do not change either, because the visible outline is visible by definition. The criterion
    is `self_occluded_landmarks`, which follows human annotators, and not `FaceRecords.hidden`: on the mesh, the inner
    corners of a closed mouth are behind the lips at any yaw.

    Args:
        records: N fitted faces.
        model: the face model of the fits.
        progress: show a progress bar; None shows it on a terminal only.

    Raises:
        ValueError: the records have no fits.
    """
    if records.Q is None:
        raise ValueError("self-occlusion needs fits, but the records have none; run rdrface.fitting.fit_records first")
    yaw = np.rad2deg(records.Q[:, POSE][:, 1])
    chosen = np.flatnonzero((records.state == UNKNOWN).all(axis=1) & (np.abs(yaw) >= MIN_YAW_DEG))
    if not len(chosen):
        return records
    head = Head.of(model)
    state = records.state.copy()
    for i in tqdm(chosen, unit="face", desc="self-occlusion", disable=None if progress is None else not progress):
        q = records.Q[i]
        hidden = self_occluded_landmarks(head, q, model.shape(q[None, IDENTITY], q[None, EXPRESSION])[0])
        state[i, INNER[hidden[INNER]]] = SELF_OCCLUDED
    return replace(records, state=state)


def without_fitted_outline(records: FaceRecords) -> FaceRecords:
    """Remove the positions of points 0-16 of faces of `FITTED_OUTLINE` whose jawline is labeled separately."""
    if records.jawline_contour is None:
        return records
    has_jawline = np.isfinite(records.jawline_contour).all(axis=(1, 2))
    fitted = np.array([name.startswith(FITTED_OUTLINE) for name in records.source.tolist()])
    points = records.points.copy()
    points[np.ix_(np.flatnonzero(has_jawline & fitted), CONTOUR)] = np.nan
    return replace(records, points=points)
