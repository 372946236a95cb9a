"""Draws per epoch of each face."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotated import face_points, records_of
from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.packing import pack
from rdrface.errors import ConfigError
from rdrface.morphable.params import POSE
from rdrface.training.face_order import batches
from rdrface.training.oversampling import draws_per_epoch, has_closed_eye, has_open_mouth

SOURCES = ("300w/helen/trainset", "300w_lp/AFW", "merl_rav/left/trainset", "merl_rav/left/trainset/turned")


@pytest.fixture
def faces(tmp_path: Path) -> PackedCrops:
    packed = pack(records_of(tmp_path, 4), 32)
    return replace(
        packed,
        points=np.tile(face_points().astype(np.float32), (4, 1, 1)),
        Q=np.zeros_like(packed.Q),
        source=np.arange(4, dtype=np.int32),
        source_names=SOURCES,
    )


def close_eye(points: np.ndarray, first: int) -> None:
    """Close the eye whose points begin at `first`."""
    points[[first + 1, first + 2, first + 4, first + 5], 1] = points[first, 1]


def test_closed_eyes_are_detected_unless_they_are_far_occluded_or_unknown(faces: PackedCrops) -> None:
    assert not has_closed_eye(faces).any()
    for i in range(4):
        close_eye(faces.points[i], 36)
    assert has_closed_eye(faces).all()
    faces.Q[0, POSE.start + 1] = np.deg2rad(-75)  # the subject looks to the left of the image: the left eye is far
    faces.Q[1, POSE.start + 1] = np.deg2rad(75)
    faces.state[2, 37] = 2
    faces.points[3, 41] = np.nan
    assert has_closed_eye(faces).tolist() == [False, True, False, False]


def test_open_mouths_are_detected_unless_they_are_occluded_or_unknown(faces: PackedCrops) -> None:
    lower = [65, 66, 67]
    assert not has_open_mouth(faces).any()
    faces.points[:, lower, 1] = faces.points[:, [63, 62, 61], 1] + 0.2 * np.abs(
        faces.points[:, 60, :1] - faces.points[:, 64, :1]
    )
    assert not has_open_mouth(faces).any()
    faces.points[:, lower, 1] += 20.0
    faces.state[0, 66] = 2
    faces.points[1, 64] = np.nan
    assert has_open_mouth(faces).tolist() == [False, False, True, True]


def test_factors_are_multiplied_and_the_longest_match_is_used(faces: PackedCrops) -> None:
    assert (draws_per_epoch(faces) == 1).all()
    close_eye(faces.points[0], 42)
    close_eye(faces.points[2], 42)
    factors = {"300w": 2.0, "merl_rav": 3.0, "merl_rav/left/trainset/turned": 0.25}
    assert draws_per_epoch(faces, closed_eye_draws=1.5, source_draws=factors).tolist() == [3.0, 1.0, 4.5, 0.25]


def test_an_entry_for_a_source_without_faces_is_refused(faces: PackedCrops) -> None:
    with pytest.raises(ConfigError, match=r"source_draws has an entry 'merlrav/left'.*300w/helen"):
        draws_per_epoch(faces, source_draws={"300w": 2.0, "merlrav/left": 2.0})
    with pytest.raises(ConfigError, match="no face to draw"):
        draws_per_epoch(faces, source_draws={"300w": 0.0, "300w_lp": 0.0, "merl_rav": 0.0})


def test_each_face_is_drawn_as_often_as_specified() -> None:
    draws = np.array([1.0, 2.0, 0.0, 1.25, 3.5, 0.5])
    order = batches(6, 8, seed=4, draws=draws)
    flat = np.concatenate([next(order) for _ in range(2000)])
    counts = np.bincount(flat, minlength=6)
    np.testing.assert_allclose(counts / counts[0], draws, atol=0.05)
    # The first epoch contains the whole draws of each face, and up to one more draw of the three others.
    first = np.bincount(flat[: 1 + 2 + 1 + 3], minlength=6)
    assert first[2] == 0 and first[4] <= 4 and first[3] <= 2 and first[5] <= 1


def test_with_draws_a_resumed_run_continues_the_order_and_ranks_share_it() -> None:
    draws = np.random.default_rng(0).uniform(0, 3, 11)
    whole = batches(11, 4, seed=3, draws=draws)
    every = [next(whole) for _ in range(60)]
    later = batches(11, 4, seed=3, start=37, draws=draws)
    assert all(np.array_equal(a, next(later)) for a in every[37:])
    ranks = [batches(11, 4, seed=3, rank=rank, world=2, draws=draws) for rank in (0, 1)]
    for both in every:
        one, two = next(ranks[0]), next(ranks[1])
        assert np.array_equal(np.stack([one, two], 1).ravel(), both)


def test_drawing_every_face_once_is_the_order_without_draws() -> None:
    plain, ones = batches(10, 4, seed=3), batches(10, 4, seed=3, draws=np.ones(10))
    first = np.concatenate([next(plain) for _ in range(10)])
    assert np.array_equal(first, np.concatenate([next(ones) for _ in range(10)]))
    expected = [np.random.default_rng([3, epoch]).permutation(10) for epoch in range(4)]
    assert np.array_equal(first, np.concatenate(expected))


@pytest.mark.parametrize("draws", [np.ones(9), np.zeros(10), np.full(10, -1.0), np.full(10, np.nan)])
def test_invalid_draws_are_refused(draws: np.ndarray) -> None:
    with pytest.raises(ValueError, match="draws must be"):
        next(batches(10, 4, seed=3, draws=draws))
