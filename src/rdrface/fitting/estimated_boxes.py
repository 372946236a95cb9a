"""Estimated boxes of the 68 landmarks for datasets in which not all of the 68 are annotated."""

from dataclasses import replace

import numpy as np

from rdrface.datasets.records import FaceRecords
from rdrface.fitting.landmark_box import landmark_box_of


def with_landmark_boxes(records: FaceRecords, scheme: str) -> FaceRecords:
    """Replace the boxes by estimates of the box of the 68 landmarks (`rdrface.fitting.landmark_box`).

    Args:
        records: N faces with P points.
        scheme: annotation scheme of the P points, e.g. "aflw21".

    Returns:
        The records with new boxes; faces with too few points for an estimate keep their box.
    """
    estimate = landmark_box_of(records.points, records.state, scheme)
    return replace(records, box=np.where(np.isfinite(estimate), estimate, records.box))


def with_missing_boxes(records: FaceRecords) -> FaceRecords:
    """Estimate the box of each face whose box is NaN, and keep the other boxes.

    FG-NET, for example, annotates 19 of the 68 landmarks, so its reader has no box of the 68.

    Args:
        records: N faces with the 68 landmarks.
    """
    missing = np.isnan(records.box).any(axis=1)
    if not missing.any():
        return records
    box = records.box.copy()
    box[missing] = with_landmark_boxes(records.select(missing), "ibug68").box
    return replace(records, box=box)
