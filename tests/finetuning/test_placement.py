"""Placement of custom landmarks on the 3D face, and pairs of mirrored landmarks."""

import numpy as np
import pytest

from rdrface.datasets.synthetic import random_parameters
from rdrface.geometry.camera import project
from rdrface.landmarks import MIRROR
from rdrface.morphable.model import FaceModel, SurfacePoints
from rdrface.morphable.surface import positions

pytest.importorskip("scipy")

from rdrface.finetuning.placement import mirror_pairs, place_points


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return FaceModel.load()


@pytest.fixture(scope="module")
def parameters() -> np.ndarray:
    return random_parameters(40, np.random.default_rng(2))


def projected(model: FaceModel, points: SurfacePoints, q: np.ndarray) -> np.ndarray:
    shape = model.reduced(points).shape(q[:, :50], q[:, 57:])
    return project(shape, q[:, 50:57])[..., :2]


def test_placement_recovers_known_surface_points(model: FaceModel, parameters: np.ndarray) -> None:
    known = model.points["ibug68"]
    chosen = [8, 19, 24, 27, 30, 33, 36, 39, 42, 45, 48, 54, 57]
    truth = SurfacePoints(known.triangle[chosen], known.barycentric[chosen])
    labels = projected(model, truth, parameters)
    # Outliers and missing points must not matter.
    labels[::7] += 8.0
    labels[3, :5] = np.nan
    sizes = np.sqrt(np.ptp(projected(model, known, parameters), axis=1).prod(1))
    placement = place_points(model, parameters, labels, sizes)
    found = positions(model.mean, model.triangles, placement.points)
    distance = np.linalg.norm(found - positions(model.mean, model.triangles, truth), axis=1)
    assert np.median(distance) < 1.0, "mm"
    assert distance.max() < 4.0
    assert placement.misfit.max() < 1.0
    assert (placement.visible_share > 0.4).all()


def test_mirror_pairs_are_recovered_in_any_order(model: FaceModel) -> None:
    order = np.random.default_rng(0).permutation(68)
    known = model.points["ibug68"]
    shuffled = SurfacePoints(known.triangle[order], known.barycentric[order])
    pairs, reason = mirror_pairs(model, shuffled)
    assert pairs is not None, reason
    np.testing.assert_array_equal(order[pairs], MIRROR[order])


def test_points_on_one_side_have_no_mirror_image(model: FaceModel) -> None:
    known = model.points["ibug68"]
    left = [36, 37, 38, 48, 17]
    pairs, reason = mirror_pairs(model, SurfacePoints(known.triangle[left], known.barycentric[left]))
    assert pairs is None and "points" in reason


def test_unpaired_points_are_numbered_from_one(model: FaceModel) -> None:
    known = model.points["ibug68"]
    # The nose tip is on the midline; the outer corner of the left eye, the second point, has no partner.
    chosen = [30, 36]
    pairs, reason = mirror_pairs(model, SurfacePoints(known.triangle[chosen], known.barycentric[chosen]))
    assert pairs is None and reason.startswith("points 2 have no partner")
