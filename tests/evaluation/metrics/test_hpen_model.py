"""The difference between the rotations of two face models."""

from pathlib import Path

import numpy as np
import pytest

from rdrface.evaluation.metrics.errors import geodesic
from rdrface.evaluation.metrics.hpen_model import HpenModel
from rdrface.geometry.rotation import rotation_about
from rdrface.morphable.model import FaceModel

MODEL = FaceModel.load()
NAMES, MIRROR = MODEL.expression_names, MODEL.expression_mirror


def faces(count: int, noise: float = 0.0) -> tuple[HpenModel, np.ndarray, np.ndarray, np.ndarray]:
    """A difference, and HPEN's rotations, rdrface's rotations and the expressions of faces that differ by it."""
    draws = np.random.default_rng(1)
    effect = np.zeros((len(NAMES), 3))
    left = int(np.flatnonzero(np.arange(len(NAMES)) != MIRROR)[0])
    effect[[left, MIRROR[left]]] = [[1, -4, 2], [1, 4, -2]]
    model = HpenModel(np.array([2.0, 0.0, 0.0]), effect)
    hpen, expression = rotation_about(draws.normal(size=(count, 3))), draws.random((count, len(NAMES)))
    expression[:, [-1, MIRROR[-1]]] = 0
    vectors = np.radians(model.constant + expression @ effect + noise * draws.normal(size=(count, 3)))
    return model, hpen, hpen @ rotation_about(vectors), expression


def test_the_difference_is_found_and_removed():
    model, hpen, rotation, expression = faces(300)
    rotation[0] = hpen[0] @ rotation_about(np.array([0, 1.5, 0]))  # an outlier
    expression[1], rotation[1] = np.nan, np.nan  # a face that was not found
    fitted = HpenModel.fit(hpen, rotation, expression, MIRROR, 1e-6)
    np.testing.assert_allclose(fitted.constant, model.constant, atol=1e-3)
    np.testing.assert_allclose(fitted.expression, model.expression, atol=1e-3)
    assert geodesic(fitted.hpen(rotation, expression), hpen)[2:].max() < 0.01
    assert np.isnan(fitted.hpen(rotation, expression)[1]).all()


def test_a_large_penalty_leaves_the_constant_rotation():
    _, hpen, rotation, expression = faces(300)
    strict = HpenModel.fit(hpen, rotation, expression, MIRROR, 1e9)
    constant = HpenModel.fit(hpen, rotation, expression, MIRROR, np.inf)
    np.testing.assert_allclose(strict.constant, constant.constant, atol=1e-3)
    np.testing.assert_allclose(strict.expression, 0, atol=1e-3)
    assert not constant.expression.any()
    np.testing.assert_allclose(constant.constant[1:], 0, atol=1e-12)


def test_files_keep_a_thousandth_of_a_degree(tmp_path: Path):
    model = HpenModel(np.array([1.2344, -2, 0]), np.random.default_rng(0).normal(size=(len(NAMES), 3)))
    model.save(tmp_path / "model.csv", NAMES)
    loaded = HpenModel.load(tmp_path / "model.csv")
    np.testing.assert_allclose(loaded.constant, model.constant, atol=5.1e-4)
    np.testing.assert_allclose(loaded.expression, model.expression, atol=5.1e-4)


def test_the_packaged_difference_is_a_small_rotation():
    packaged = HpenModel.load()
    assert packaged.expression.shape == (len(NAMES), 3)
    assert 0 < np.linalg.norm(packaged.constant) < 10
    with pytest.raises(ValueError):
        packaged.hpen(np.eye(3)[None], np.zeros((1, 45)))
