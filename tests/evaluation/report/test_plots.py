"""Plots are written, are pictures, and their absence of matplotlib is told before anything is measured."""

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

CERTAINTY = ["roc", "visible", "error", "risk"]


@pytest.fixture(autouse=True)
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing is most of the time here."""
    monkeypatch.setattr(curves, "DPI", 50)


def faces(count: int = 12, points: int = 68, yaw: bool = True) -> tuple[FaceRecords, Predictions]:
    """Random points; nothing is found in the first photo, and the last has no known yaw."""
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 100, (count, points, 2))
    angles = np.zeros((count, 3))
    angles[:, 1] = np.linspace(-100, 85, count)
    angles[-1] = np.nan
    annotations = FaceRecords(
        image=np.array([f"{i}.jpg" for i in range(count)]),
        points=places,
        state=rng.integers(1, 4, (count, points)),
        box=np.tile([0, 0, 100, 100], (count, 1)),
        source=np.full(count, "merl_rav/frontal/testset"),
        is_test=np.ones(count, bool),
        angles=angles if yaw else None,
        open_image=lambda image: np.full((100, 100, 3), 90, np.uint8),
    )
    said = {
        "visibility": rng.random((count, points)),
        "uncertainty": rng.uniform(0.5, 10, (count, points)),
        "rotation": np.tile(np.eye(3), (count, 1, 1)),
    }
    outputs = {name: places + rng.normal(0, 2, places.shape) for name in ("2D, outline", "3D, outline")}
    for values in (*said.values(), *outputs.values()):
        values[0] = np.nan
    return annotations, Predictions(outputs, **said)


def errors_of(annotations: FaceRecords, predictions: Predictions) -> dict[str, np.ndarray]:
    return {
        name: np.linalg.norm(values - annotations.points, axis=-1).mean(1)
        for name, values in predictions.outputs.items()
    }


def stems(paths: list[Path]) -> list[str]:
    for path in paths:
        picture = cv2.imread(str(path))
        assert picture.shape[0] > 200 and picture.shape[1] > 250
        assert 5 < picture.std() < 120, "neither empty nor noise"
    return [path.stem for path in paths]


def test_everything_there_is(tmp_path: Path) -> None:
    annotations, predictions = faces()
    errors = errors_of(annotations, predictions)
    written = draw_set("merl-rav", "MERL-RAV", 7, annotations, predictions, errors, tmp_path / "new" / "folder")
    assert stems(written) == ["cumulative", "by_yaw", "by_landmark", "worst", *CERTAINTY]
    assert {path.parent for path in written} == {tmp_path / "new" / "folder"}


def test_sets_without_poses_and_methods_without_certainty(tmp_path: Path) -> None:
    annotations, predictions = faces(yaw=False)
    errors = errors_of(annotations, predictions)
    plain = Predictions({"": predictions.landmarks}, method="other")
    drawn = draw_set("merl-rav", "MERL-RAV", 7, annotations, plain, {"": errors["2D, outline"]}, tmp_path)
    assert stems(drawn) == ["cumulative", "by_landmark", "worst"]
    drawn = draw_set("wflw", "WFLW", 10, annotations, predictions, errors, tmp_path)
    assert stems(drawn) == ["cumulative", "by_landmark", "worst"], "certainty is MERL-RAV's"


def test_sets_of_head_poses_have_no_landmarks_to_draw(tmp_path: Path) -> None:
    annotations, predictions = faces(points=0)
    errors = {"rotation": np.append(np.nan, np.linspace(1, 20, len(annotations) - 1))}
    drawn = draw_set("biwi", "BIWI", 10, annotations, predictions, errors, tmp_path, "degrees")
    assert stems(drawn) == ["cumulative", "by_yaw", "worst"]
    assert draw_set("biwi", "BIWI", 10, annotations, predictions, {}, tmp_path) == []


def test_a_set_where_nothing_was_found_is_drawn_empty(tmp_path: Path) -> None:
    annotations, predictions = faces(3)
    nothing = np.full((3, 68), np.nan)
    predictions = Predictions({"2D": np.full((3, 68, 2), np.nan)}, visibility=nothing, uncertainty=nothing)
    errors = {"2D": np.full(3, np.nan)}
    written = draw_set("merl-rav", "MERL-RAV", 7, annotations, predictions, errors, tmp_path)
    assert stems(written) == ["cumulative", "by_yaw", "by_landmark", "worst", *CERTAINTY]


def test_the_same_numbers_give_the_same_files(tmp_path: Path) -> None:
    annotations, predictions = faces()
    errors = errors_of(annotations, predictions)
    first, second = (
        draw_set("merl-rav", "MERL-RAV", 7, annotations, predictions, errors, tmp_path / name) for name in "ab"
    )
    for a, b in zip(first, second, strict=True):
        assert a.read_bytes() == b.read_bytes(), a.name


def test_the_principal_output_is_the_one_on_the_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    annotations, predictions = faces()
    shown: list[tuple[float, str]] = []
    for name in ("draw_cumulative", "draw_by_yaw", "draw_by_landmark"):
        monkeypatch.setattr(plots, name, lambda *said: None)
    monkeypatch.setattr(plots, "draw_worst", lambda a, p, errors, path, name, unit: shown.append((errors[1], name)))
    errors = errors_of(annotations, predictions)
    turned = dict(reversed(errors.items()))
    draw_set("wflw", "WFLW", 10, annotations, predictions, turned, tmp_path)
    draw_set(
        "wflw",
        "WFLW",
        10,
        annotations,
        predictions,
        {"all": errors["3D, outline"], "few": errors["2D, outline"]},
        tmp_path,
    )
    assert shown == [
        (errors["2D, outline"][1], "WFLW, rdrface, 2D, outline"),
        (errors["3D, outline"][1], "WFLW, rdrface, all"),
    ]


def test_area_and_failures_stand_in_the_legend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    axes = _kept(monkeypatch)
    errors = {"2D": np.array([2.0, np.nan, 4.0, 12.0]), "nothing": np.full(4, np.nan)}
    draw_cumulative(
        errors, tmp_path / "c.png", "made", 8, np.array([True, False, True, True]), "% of the eyes' distance"
    )
    (drawn,) = axes
    texts = [text.get_text() for text in drawn.get_legend().get_texts()]
    assert texts[1].split() == ["2D", "6.00", "31.2", "%", "50.0", "%", "3"] and len(texts) == 2
    assert "1 not found" in drawn.get_legend().get_title().get_text()
    assert drawn.get_xlabel().endswith("% of the eyes' distance")
    _, curve, limit = drawn.get_lines()
    assert curve.get_ydata().tolist() == [0, 25, 50, 75, 75] and limit.get_xdata()[0] == 8


def test_bins_by_yaw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    axes = _kept(monkeypatch)
    yaw = np.array([-95.0, -81.0, 5.0, 5.0, 5.0, 90.0, np.nan, 45.0])
    errors = {"2D": np.array([4.0, 6.0, 1.0, 2.0, 6.0, 7.0, 50.0, np.nan])}
    draw_by_yaw(errors, yaw, np.array([True] * 7 + [False]), tmp_path / "y.png", "made")
    panel, counts = axes
    assert panel.get_xlim() == (-92, 92), "left and right are drawn alike"
    lines = {line.get_label(): line.get_ydata() for line in panel.get_lines()}
    for name, wanted in (("median, 10° bins", {0: 5, 9: 2, 17: 7}), ("mean, 10° bins", {0: 5, 9: 3, 17: 7})):
        assert {i: value for i, value in enumerate(lines[name].tolist()) if np.isfinite(value)} == wanted
    np.testing.assert_array_equal(lines["median of the other side"], lines["median, 10° bins"][::-1])
    rug = next(each for each in panel.collections if each.get_label() == "a face not found")
    assert rug.get_offsets()[:, 0].tolist() == [45]
    assert [text.get_text() for text in counts.texts] == ["2", "3", "1", "1"]


def test_circles_have_the_radius_of_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    axes = _kept(monkeypatch)
    points = np.tile([[10.0, 10], [60, 10], [10, 60], [60, 60], [35, 35]], (3, 1, 1))
    points[2, 1] = np.nan
    annotations = FaceRecords(
        image=np.array(["a", "b", "c"]),
        points=points,
        state=np.ones((3, 5)),
        box=np.tile([10, 10, 60, 60], (3, 1)),
        source=np.full(3, "made"),
        is_test=np.ones(3, bool),
    )
    # The method does not have the last point, and did not find the second face.
    said = points + np.array([[3, 4], [0, 1], [0, 0], [2, 0], [0, 0]])
    said[:, 4], said[1] = np.nan, np.nan
    said[2, 1] = 0
    draw_by_landmark(annotations, Predictions({"2D": said}), tmp_path / "l.png", "made")
    drawn = axes[0]
    circles = next(each for each in drawn.collections if each.get_array() is not None)
    radii = circles.get_array().tolist()
    # Largest first, percent of a box of 50 pixels; the face whose second point is unknown counts for the others.
    assert radii == pytest.approx([10, 4, 2, 0])
    boxes = [path.get_extents() for path in circles.get_paths()]
    assert [box.width / 2 for box in boxes] == pytest.approx(radii)
    assert [(box.x0 + box.x1) / 2 for box in boxes] == pytest.approx([-50, 50, 50, -50])
    assert "2 faces" in drawn.get_title()


def test_errors_of_landmarks_in_units_of_the_sets_own_normalizer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    axes = _kept(monkeypatch)
    annotations, predictions = faces()
    brought = FaceRecords(**{**vars(annotations), "normalizer": np.full(len(annotations), 200.0)})
    for each in (annotations, brought):
        draw_by_landmark(each, predictions, tmp_path / "l.png", "made")
    own, other = (each for each in axes if "landmark" in each.get_title())
    assert "annotated points" in own.get_xlabel() and "the set's normalizer" in other.get_xlabel()
    radii = [next(c for c in each.collections if c.get_array() is not None).get_array().max() for each in (own, other)]
    assert radii[0] / radii[1] == pytest.approx(2, rel=0.1), "the points lie in a box of about 100 pixels"


def test_missing_matplotlib_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
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
