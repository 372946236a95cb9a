import argparse
from pathlib import Path

import cv2
import numpy as np
import pytest

from rdrface.cli import fit as command
from rdrface.datasets.records import FaceRecords
from rdrface.errors import ConfigError, DataError
from rdrface.fitting.contact_sheet import write_contact_sheet
from rdrface.fitting.report import doubtful_labels, fit_report, wrong_yaw_signs
from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FaceModel


def pts_folder(folder: Path) -> np.ndarray:
    """Two photos of the mean face with 1-based .pts files beside them; the points (2, 68, 2), 0-based."""
    q = np.zeros((2, 103), np.float32)
    q[:, 51], q[:, 53:55], q[:, 56] = (0.2, -0.6), (110, -100), 0.6
    points = LandmarkModel.from_face_model(FaceModel.load()).outline68(q)[0][..., :2]
    for i, face in enumerate(points):
        cv2.imwrite(str(folder / f"face{i}.png"), np.full((120, 140, 3), 90, np.uint8))
        rows = "\n".join(f"{x + 1:.3f} {y + 1:.3f}" for x, y in face)
        (folder / f"face{i}.pts").write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")
    return points


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(words)


def test_the_command_writes_records_a_report_and_a_sheet(tmp_path, capsys):
    points = pts_folder(tmp_path)
    out, sheet = tmp_path / "fit.npz", tmp_path / "worst.png"
    assert command.run(parse("300w", str(tmp_path), "-o", str(out), "--worst", str(sheet))) == 0
    records = FaceRecords.load(out)
    assert np.linalg.norm(records.outline - points, axis=-1).mean() < 1
    printed = capsys.readouterr().out
    assert "median" in printed
    assert str(records.image[np.argmax(records.residual)]) in printed
    assert cv2.imread(str(sheet)).shape == (240, 2 * 240, 3)


def test_an_output_folder_that_does_not_exist_is_named_before_the_work(tmp_path):
    pts_folder(tmp_path)
    with pytest.raises(DataError, match="folder does not exist"):
        command.run(parse("300w", str(tmp_path), "-o", str(tmp_path / "nowhere" / "fit.npz")))


def test_labels_that_lie_beside_the_photo_are_moved_back(tmp_path):
    points = pts_folder(tmp_path)
    out = tmp_path / "fit.npz"
    part = f"300w/{tmp_path.name}"
    assert command.run(parse("300w", str(tmp_path), "-o", str(out), "--offset", f"{part}=1.5,-2")) == 0
    side = np.sqrt(np.ptp(points, axis=1).prod(axis=1))
    move = np.array([0.015, -0.02]) * side[:, None, None]
    np.testing.assert_allclose(FaceRecords.load(out).points, points - move, atol=2e-3)
    with pytest.raises(ConfigError, match=f"--offset has an entry 'afw'.*{part}"):
        command.run(parse("300w", str(tmp_path), "-o", str(out), "--offset", "afw=1,1"))


def test_limit_takes_fewer_faces(tmp_path):
    pts_folder(tmp_path)
    out = tmp_path / "fit.npz"
    assert command.run(parse("300w", str(tmp_path), "-o", str(out), "--limit", "1")) == 0
    assert len(FaceRecords.load(out)) == 1


def test_yaw_signs_are_checked_against_the_folders():
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


def test_a_label_written_down_elsewhere_is_doubtful(tmp_path):
    pts_folder(tmp_path)
    out = tmp_path / "fit.npz"
    command.run(parse("300w", str(tmp_path), "-o", str(out)))
    records = FaceRecords.load(out)
    assert not doubtful_labels(records).any()
    records.points[1, 54] = (0, 90)
    records.points[0, 3] = np.nan
    np.testing.assert_array_equal(np.argwhere(doubtful_labels(records)), [[1, 54]])


def test_reports_and_sheets_want_fitted_records(tmp_path):
    points = pts_folder(tmp_path)
    raw = FaceRecords(
        image=np.array(["a", "b"]),
        points=points,
        state=np.ones((2, 68)),
        contour=np.full(2, "outline"),
        box=np.ones((2, 4)),
        source=np.full(2, "s"),
        split=np.full(2, "train"),
    )
    with pytest.raises(ValueError, match="fitted"):
        fit_report(raw)
    with pytest.raises(ValueError, match="fitted"):
        write_contact_sheet(raw, np.array([0]), tmp_path / "x.png")
