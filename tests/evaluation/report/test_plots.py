"""Figures are written and not empty, and a missing matplotlib is reported before the evaluation."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

from rdrface.datasets.records import FaceRecords
from rdrface.errors import ConfigError
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.report import curves, plots
from rdrface.evaluation.report.curves import draw_cumulative
from rdrface.evaluation.report.plots import draw_by_landmark, draw_by_yaw, draw_set, require_matplotlib

UNCERTAINTY = ["roc", "visibility", "uncertainty", "risk"]


@pytest.fixture(autouse=True)
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Low resolution, because drawing takes most of the time."""
    monkeypatch.setattr(curves, "DPI", 50)


def faces(count: int = 12, points: int = 68, yaw: bool = True) -> tuple[FaceRecords, Predictions]:
    """Random points; the first face is not found, and the last has no yaw."""
    rng = np.random.default_rng(0)
    positions = rng.uniform(0, 100, (count, points, 2))
    angles = np.zeros((count, 3))
    angles[:, 1] = np.linspace(-100, 85, count)
    angles[-1] = np.nan
    annotations = FaceRecords(
        image=np.array([f"{i}.jpg" for i in range(count)]),
        points=positions,
        state=rng.integers(1, 4, (count, points)),
        box=np.tile([0, 0, 100, 100], (count, 1)),
        source=np.full(count, "merl_rav/frontal/testset"),
        is_test=np.ones(count, bool),
        angles=angles if yaw else None,
        open_image=lambda image: np.full((100, 100, 3), 90, np.uint8),
    )
    other = {
        "visibility": rng.random((count, points)),
        "uncertainty": rng.uniform(0.5, 10, (count, points)),
        "rotation": np.tile(np.eye(3), (count, 1, 1)),
    }
    outputs = {name: positions + rng.normal(0, 2, positions.shape) for name in ("landmarks", "projection")}
    for values in (*other.values(), *outputs.values()):
        values[0] = np.nan
    return annotations, Predictions(outputs, **other)


def errors_of(annotations: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    return {
        name: np.linalg.norm(values - annotations.points, axis=-1).mean(1)
        for name, values in predictions.outputs.items()
    }


def stems(paths: list[Path]) -> list[str]:
    for path in paths:
        image = cv2.imread(str(path))
        assert image.shape[0] > 200 and image.shape[1] > 250
        assert 5 < image.std() < 120, "neither empty nor noise"
    return [path.stem for path in paths]


def test_all_figures_of_merl_rav(tmp_path: Path) -> None:
    annotations, predictions = faces()
    errors = errors_of(annotations, predictions)
    written = draw_set("merl-rav", "MERL-RAV", 7, annotations, predictions, errors, tmp_path / "new" / "folder")
    assert stems(written) == ["cumulative", "by_yaw", "by_landmark", "worst", *UNCERTAINTY]
    assert {path.parent for path in written} == {tmp_path / "new" / "folder"}


def test_figures_without_poses_and_without_uncertainty(tmp_path: Path) -> None:
    annotations, predictions = faces(yaw=False)
    errors = errors_of(annotations, predictions)
    plain = Predictions({"": predictions.landmarks}, method="other")
    drawn = draw_set("merl-rav", "MERL-RAV", 7, annotations, plain, {"": errors["landmarks"]}, tmp_path)
    assert stems(drawn) == ["cumulative", "by_landmark", "worst"]
    drawn = draw_set("wflw", "WFLW", 10, annotations, predictions, errors, tmp_path)
    assert stems(drawn) == ["cumulative", "by_landmark", "worst"], "only MERL-RAV has figures of the uncertainty"


def test_sets_without_points_have_no_figure_by_landmark(tmp_path: Path) -> None:
    annotations, predictions = faces(points=0)
    errors = {"rotation": np.append(np.nan, np.linspace(1, 20, len(annotations) - 1))}
    drawn = draw_set("biwi", "BIWI", 10, annotations, predictions, errors, tmp_path, "degrees")
    assert stems(drawn) == ["cumulative", "by_yaw", "worst"]
    assert draw_set("biwi", "BIWI", 10, annotations, predictions, {}, tmp_path) == []


def test_figures_are_written_when_no_face_was_found(tmp_path: Path) -> None:
    annotations, predictions = faces(3)
    missing = np.full((3, 68), np.nan)
    predictions = Predictions({"landmarks": np.full((3, 68, 2), np.nan)}, visibility=missing, uncertainty=missing)
    errors = {"landmarks": np.full(3, np.nan)}
    written = draw_set("merl-rav", "MERL-RAV", 7, annotations, predictions, errors, tmp_path)
    assert stems(written) == ["cumulative", "by_yaw", "by_landmark", "worst", *UNCERTAINTY]


def test_equal_data_give_equal_files(tmp_path: Path) -> None:
    annotations, predictions = faces()
    errors = errors_of(annotations, predictions)
    first, second = (
        draw_set("merl-rav", "MERL-RAV", 7, annotations, predictions, errors, tmp_path / name) for name in "ab"
    )
    for a, b in zip(first, second, strict=True):
        assert a.read_bytes() == b.read_bytes(), a.name


def test_the_sheet_of_worst_faces_shows_the_principal_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    annotations, predictions = faces()
    shown: list[tuple[float, str]] = []
    for name in ("draw_cumulative", "draw_by_yaw", "draw_by_landmark"):
        monkeypatch.setattr(plots, name, lambda *args: None)
    monkeypatch.setattr(plots, "draw_worst", lambda a, p, errors, path, name, unit: shown.append((errors[1], name)))
    errors = errors_of(annotations, predictions)
    reordered = dict(reversed(errors.items()))
    draw_set("wflw", "WFLW", 10, annotations, predictions, reordered, tmp_path)
    draw_set(
        "wflw",
        "WFLW",
        10,
        annotations,
        predictions,
        {"all": errors["projection"], "few": errors["landmarks"]},
        tmp_path,
    )
    assert shown == [
        (errors["landmarks"][1], "WFLW, rdrface, landmarks"),
        (errors["projection"][1], "WFLW, rdrface, all"),
    ]


def test_area_and_failures_are_in_the_legend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    axes = _kept(monkeypatch)
    errors = {"landmarks": np.array([2.0, np.nan, 4.0, 12.0]), "nothing": np.full(4, np.nan)}
    draw_cumulative(
        errors, tmp_path / "c.png", "synthetic", 8, np.array([True, False, True, True]), "% of the eyes' distance"
    )
    (drawn,) = axes
    texts = [text.get_text() for text in drawn.get_legend().get_texts()]
    assert texts[1].split() == ["landmarks", "6.00", "31.2", "%", "50.0", "%", "3"] and len(texts) == 2
    assert "1 faces not found" in drawn.get_legend().get_title().get_text()
    assert drawn.get_xlabel().endswith("% of the eyes' distance")
    _, curve, limit = drawn.get_lines()
    assert curve.get_ydata().tolist() == [0, 25, 50, 75, 75] and limit.get_xdata()[0] == 8


def test_bins_by_yaw_have_mean_median_and_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    axes = _kept(monkeypatch)
    yaw = np.array([-95.0, -81.0, 5.0, 5.0, 5.0, 90.0, np.nan, 45.0])
    errors = {"landmarks": np.array([4.0, 6.0, 1.0, 2.0, 6.0, 7.0, 50.0, np.nan])}
    draw_by_yaw(errors, yaw, np.array([True] * 7 + [False]), tmp_path / "y.png", "synthetic")
    panel, counts = axes
    assert panel.get_xlim() == (-92, 92), "the axis is symmetric"
    lines = {line.get_label(): line.get_ydata() for line in panel.get_lines()}
    for name, expected in (("median, 10° bins", {0: 5, 9: 2, 17: 7}), ("mean, 10° bins", {0: 5, 9: 3, 17: 7})):
        assert {i: value for i, value in enumerate(lines[name].tolist()) if np.isfinite(value)} == expected
    np.testing.assert_array_equal(lines["median, mirrored"], lines["median, 10° bins"][::-1])
    missed = next(each for each in panel.collections if each.get_label() == "face not found")
    assert missed.get_offsets()[:, 0].tolist() == [45]
    assert [text.get_text() for text in counts.texts] == ["2", "3", "1", "1"]


def test_circles_have_the_mean_error_as_radius(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    axes = _kept(monkeypatch)
    points = np.tile([[10.0, 10], [60, 10], [10, 60], [60, 60], [35, 35]], (3, 1, 1))
    points[2, 1] = np.nan
    annotations = FaceRecords(
        image=np.array(["a", "b", "c"]),
        points=points,
        state=np.ones((3, 5)),
        box=np.tile([10, 10, 60, 60], (3, 1)),
        source=np.full(3, "synthetic"),
        is_test=np.ones(3, bool),
    )
    # The method does not have the last point and did not find the second face.
    predicted = points + np.array([[3, 4], [0, 1], [0, 0], [2, 0], [0, 0]])
    predicted[:, 4], predicted[1] = np.nan, np.nan
    predicted[2, 1] = 0
    draw_by_landmark(annotations, Predictions({"landmarks": predicted}), tmp_path / "l.png", "synthetic")
    drawn = axes[0]
    circles = next(each for each in drawn.collections if each.get_array() is not None)
    radii = circles.get_array().tolist()
    # Largest first, percent of a box of 50 pixels; the face whose second point is unknown counts for the others.
    assert radii == pytest.approx([10, 4, 2, 0])
    boxes = [path.get_extents() for path in circles.get_paths()]
    assert [box.width / 2 for box in boxes] == pytest.approx(radii)
    assert [(box.x0 + box.x1) / 2 for box in boxes] == pytest.approx([-50, 50, 50, -50])
    assert "2 faces" in drawn.get_title()


def test_errors_by_landmark_use_the_normalizer_of_the_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    axes = _kept(monkeypatch)
    annotations, predictions = faces()
    with_size = FaceRecords(**{**vars(annotations), "normalizer": np.full(len(annotations), 200.0)})
    for each in (annotations, with_size):
        draw_by_landmark(each, predictions, tmp_path / "l.png", "synthetic")
    own, other = (each for each in axes if "landmark" in each.get_title())
    assert "annotated points" in own.get_xlabel() and "the dataset's normalizer" in other.get_xlabel()
    radii = [next(c for c in each.collections if c.get_array() is not None).get_array().max() for each in (own, other)]
    assert radii[0] / radii[1] == pytest.approx(2, rel=0.1), "the points lie in a box of about 100 pixels"


def test_missing_matplotlib_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    require_matplotlib()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'rdrface\["):
        require_matplotlib()


def _kept(monkeypatch: pytest.MonkeyPatch) -> list:
    """All axes of the figures that are saved from now on."""
    axes: list = []
    for module in (curves, plots):
        monkeypatch.setattr(module, "save", lambda figure, path: axes.extend(figure.axes))
    return axes
