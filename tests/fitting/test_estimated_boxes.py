"""Estimates of missing boxes."""

from dataclasses import replace

import numpy as np

from annotated import records_of
from rdrface.fitting.estimated_boxes import with_missing_boxes


def test_only_missing_boxes_are_estimated(tmp_path):
    records = records_of(tmp_path, 3)
    box = records.box.copy()
    box[1] = np.nan
    completed = with_missing_boxes(replace(records, box=box))
    np.testing.assert_array_equal(completed.box[[0, 2]], records.box[[0, 2]])
    np.testing.assert_allclose(completed.box[1], records.box[1], atol=0.2 * (box[0, 2] - box[0, 0]))
    assert with_missing_boxes(records) is records
