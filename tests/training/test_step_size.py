"""The crop size of each step."""

import numpy as np
import pytest

from rdrface.training.config import StageConfig
from rdrface.training.step_size import crop_size


def test_all_sizes_are_drawn_equally_often_and_only_seed_and_step_determine_them() -> None:
    stage = StageConfig("joint", 1, crop_sizes=[128, 192, 256])
    sizes = [crop_size(stage, 3, step) for step in range(600)]
    counts = [sizes.count(size) for size in stage.crop_sizes]
    assert sum(counts) == 600 and min(counts) > 160
    assert sizes == [crop_size(stage, 3, step) for step in range(600)]
    assert sizes != [crop_size(stage, 4, step) for step in range(600)]


def test_sizes_are_drawn_with_their_frequencies() -> None:
    stage = StageConfig("joint", 1, crop_sizes=[64, 96, 128], crop_size_draws=[3, 0, 1])
    sizes = np.array([crop_size(stage, 0, step) for step in range(400)])
    assert not (sizes == 96).any()
    assert (sizes == 64).mean() == pytest.approx(0.75, abs=0.07)


def test_a_single_size_needs_no_random_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np.random, "default_rng", None)
    assert crop_size(StageConfig("joint", 1, crop_sizes=[96]), 0, 0) == 96
