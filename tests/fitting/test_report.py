"""The report of a fit and the checks that it prints."""

import numpy as np
import pytest

from mean_faces import write_pts_folder
from rdrface.datasets.readers import read_set
from rdrface.fitting.fit import fit_records
from rdrface.fitting.report import doubtful_labels, fit_report, wrong_yaw_signs
from rdrface.morphable.model import FaceModel


def test_yaw_signs_are_compared_with_the_folders_of_merl_rav():
    source = np.array(
        [
            "merl_rav/left/trainset",
            "merl_rav/right/trainset",
            "merl_rav/lefthalf/testset",
            "merl_rav/frontal/trainset",
            "300w/afw",
        ]
    )
    np.testing.assert_array_equal(
        wrong_yaw_signs(source, np.array([50.0, 50.0, -30.0, -20.0, -20.0])), [False, True, True, False, False]
    )


def test_an_annotation_far_from_the_fit_is_doubtful(tmp_path):
    write_pts_folder(tmp_path)
    records = fit_records(read_set("300w", tmp_path, "train"), FaceModel.load(), progress=False)
    assert not doubtful_labels(records).any()
    records.points[1, 54] = (0, 90)
    records.points[0, 3] = np.nan
    np.testing.assert_array_equal(np.argwhere(doubtful_labels(records)), [[1, 54]])


def test_the_report_lists_residuals_by_source_and_yaw_and_the_worst_faces(tmp_path):
    write_pts_folder(tmp_path)
    records = fit_records(read_set("300w", tmp_path, "train"), FaceModel.load(), progress=False)
    report = fit_report(records, worst=1)
    for text in (
        records.source[0],
        "|yaw| [0,30]",
        "|yaw| (30,60]",
        "Worst 1 fits",
        records.image[np.argmax(records.residual)],
    ):
        assert text in report


def test_reports_need_fitted_records(tmp_path):
    write_pts_folder(tmp_path)
    records = read_set("300w", tmp_path, "train")
    with pytest.raises(ValueError, match="fitted"):
        fit_report(records)
    with pytest.raises(ValueError, match="fitted"):
        doubtful_labels(records)
