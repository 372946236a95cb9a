"""The names of packaged weights."""

from pathlib import Path

import pytest

import rdrface
from rdrface import loading
from rdrface.cli.options import weights_file
from rdrface.errors import WeightsError
from rdrface.loading import LITE_WEIGHTS, PACKAGED_WEIGHTS, weights_path


def test_weights_are_named_or_given_by_path() -> None:
    assert weights_path(None) == PACKAGED_WEIGHTS
    assert weights_path("lite") == weights_file("lite") == LITE_WEIGHTS
    assert weights_path("mine.safetensors") == weights_path(Path("mine.safetensors")) == Path("mine.safetensors")
    assert weights_path("./lite") == Path("lite")


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match='weights must be a path, "lite" or None; got 3'):
        weights_path(3)  # type: ignore[arg-type]


def test_missing_light_weights_are_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(loading, "LITE_WEIGHTS", tmp_path / "rdr_lite.safetensors")
    with pytest.raises(WeightsError, match=r"rdr_lite\.safetensors"):
        rdrface.load("lite")


@pytest.mark.skipif(not LITE_WEIGHTS.is_file(), reason="no packaged light weights")
def test_the_packaged_light_weights_find_a_face() -> None:
    data = pytest.importorskip("skimage.data")
    full, lite = (rdrface.load(weights).detect(data.astronaut()) for weights in (None, "lite"))
    assert len(full) == len(lite) == 1
    side = float((full[0].box[2:] - full[0].box[:2]).mean())
    distance = ((full[0].landmarks - lite[0].landmarks) ** 2).sum(1) ** 0.5
    assert distance.mean() < 0.04 * side


def test_a_path_with_a_null_character_is_an_error():
    with pytest.raises(WeightsError, match="contains a null character"):
        rdrface.load("a\0b.safetensors")
