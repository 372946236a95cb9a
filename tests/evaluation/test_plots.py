"""Plots are written, are pictures, and their absence of matplotlib is told before anything is measured."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

from rdrface.data.records import FaceRecords
from rdrface.errors import ConfigError
from rdrface.evaluation import plots
from rdrface.evaluation.command import PROTOCOLS
from rdrface.evaluation.plots import SETS, draw_cumulative, draw_set, require_matplotlib
from rdrface.evaluation.predictions import Predictions


@pytest.fixture(autouse=True)
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing is most of the time here."""
    monkeypatch.setattr(plots, "DPI", 50)


def faces(count: int = 12) -> tuple[FaceRecords, Predictions]:
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 100, (count, 68, 2))
    state = rng.integers(1, 4, (count, 68))
    records = FaceRecords(
        image=np.array([f"{i}.jpg" for i in range(count)]),
        points=points,
        state=state,
        contour=np.full(count, "outline"),
        box=np.tile([0, 0, 100, 100], (count, 1)),
        source=np.full(count, "merl_rav/frontal/testset"),
        split=np.full(count, "test"),
    )
    predictions = Predictions.empty(count)
    for name in ("landmarks", "absolute", "projection", "jawline"):
        getattr(predictions, name)[1:] = points[1:] + rng.normal(0, 2, points[1:].shape)
    predictions.visible[1:] = rng.random((count - 1, 68))
    predictions.error[1:] = rng.uniform(0.5, 10, (count - 1, 68))
    return records, predictions


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_every_set_has_its_plots(name: str, tmp_path: Path) -> None:
    assert set(SETS) == set(PROTOCOLS)
    written = draw_set(name, *faces(), tmp_path / "new" / "folder")
    stems = ["cumulative"] + (["roc", "visible", "error", "risk"] if name == "merl-rav" else [])
    assert [path.stem for path in written] == stems
    for path in written:
        picture = cv2.imread(str(path))
        assert picture.shape[0] > 200 and picture.shape[1] > 300
        assert 5 < picture.std() < 120, "neither empty nor noise"


def test_the_same_numbers_give_the_same_file(tmp_path: Path) -> None:
    errors = {"2D": np.array([1.0, np.nan, 3.0, 2.0]), "nothing": np.full(4, np.nan)}
    for stem in ("a", "b"):
        draw_cumulative(errors, tmp_path / f"{stem}.png", "made", missed=1)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_set_where_nothing_was_found_is_drawn_empty(tmp_path: Path) -> None:
    records, _ = faces(2)
    assert len(draw_set("merl-rav", records, Predictions.empty(2), tmp_path)) == 5


def test_missing_matplotlib_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    require_matplotlib()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'rdrface\[plots\]'"):
        plots.require_matplotlib()
