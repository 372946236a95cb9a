"""Annotation schemes: on the outer surface, symmetric, and in anatomical order."""

import numpy as np
import pytest

from rdrface.geometry.mesh import triangle_normals
from rdrface.landmarks import MIRROR
from rdrface.model_building.learn_landmarks import visible_from_front
from rdrface.morphable.model import FaceModel
from rdrface.morphable.schemes import (
    SCHEMES,
    WFLW98_BROWS,
    WFLW98_EVEN,
    WFLW98_MIRROR,
    WFLW98_TO_IBUG68,
    surface_points,
)
from rdrface.morphable.surface import positions

FLIP = np.array([-1, 1, 1], np.float32)


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return FaceModel.load()


def test_every_scheme_is_in_the_face_model(model: FaceModel) -> None:
    sizes = {"ibug68": 68, "inner51": 51, "aflw21": 21, "aflw34": 34, "eye_centers": 2, "ear_lobes": 2, "wflw98": 98}
    for name in SCHEMES:
        points = surface_points(model, name)
        assert len(points) == sizes.get(name, len(points))
        np.testing.assert_allclose(points.barycentric.sum(1), 1, atol=1e-6)
        assert points.barycentric.min() >= 0 and points.triangle.max() < len(model.triangles)
    assert len(surface_points(model, "parallel_lines")) % 17 == 0
    with pytest.raises(ValueError, match="ibug68"):
        surface_points(model, "ibug86")


def test_schemes_are_symmetric(model: FaceModel) -> None:
    at = positions(model.mean, model.triangles, model.points["ibug68"])
    np.testing.assert_allclose(at[MIRROR] * FLIP, at, atol=1e-3)
    lines = positions(model.mean, model.triangles, model.points["parallel_lines"]).reshape(17, -1, 3)
    np.testing.assert_allclose(lines[::-1] * FLIP, lines, atol=1e-3)
    for name in ("eye_centers", "ear_lobes"):
        left, right = positions(model.mean, model.triangles, model.points[name])
        np.testing.assert_allclose(left * FLIP, right, atol=1e-3)


def test_landmarks_are_in_anatomical_order(model: FaceModel) -> None:
    at = positions(model.mean, model.triangles, model.points["ibug68"])
    x, y = at[:, 0], at[:, 1]
    assert (np.diff(x[:17]) > 0).all() and y[8] == y.min()
    assert (np.diff(x[17:27]) > 0).all() and y[17:27].min() > y[36:48].max()
    assert (np.diff(y[27:31]) < 0).all() and (np.diff(x[31:36]) > 0).all() and y[30] > y[33]
    assert x[36] < x[37] < x[38] < x[39] < 0 < x[42] < x[43] < x[44] < x[45]
    assert (y[[37, 38]] > y[[41, 40]] + 4).all()
    assert (np.diff(x[48:55]) > 0).all() and (np.diff(x[60:65]) > 0).all()
    assert (y[[61, 62, 63]] > y[[67, 66, 65]]).all() and (y[[50, 51, 52]] > y[[61, 62, 63]] + 3).all()
    assert x[48] < x[60] and x[64] < x[54] and y[57] < y[66] - 5


def test_wflw98_points_are_in_wflw_order(model: FaceModel) -> None:
    at = positions(model.mean, model.triangles, model.points["wflw98"])
    known = positions(model.mean, model.triangles, model.points["ibug68"])
    np.testing.assert_allclose(at[WFLW98_MIRROR] * FLIP, at, atol=1e-3)
    np.testing.assert_array_equal(at[list(WFLW98_TO_IBUG68)], known[list(WFLW98_TO_IBUG68.values())])
    x, y = at[:, 0], at[:, 1]
    assert (np.diff(x[:33]) > 0).all() and y[16] == y.min()
    contour = np.linalg.norm(np.diff(at[:33], axis=0), axis=1).reshape(16, 2)
    np.testing.assert_allclose(contour[:, 0], contour[:, 1], rtol=0.1)
    for below, above in WFLW98_BROWS.items():
        assert abs(x[below] - x[above]) < 1e-3 and y[above] - y[below] == pytest.approx(7, abs=1e-3)
    assert y[WFLW98_MIRROR[41]] > y[70] and y[38] > y[62]
    # Points between landmarks are evenly spaced along their line, up to the curvature of the surface.
    for line, cuts in WFLW98_EVEN:
        ends = known[[line[0], line[-1]]]
        chain = np.concatenate([ends[:1], at[list(cuts)], ends[1:]])
        steps = np.linalg.norm(np.diff(chain, axis=0), axis=1)
        assert steps.max() < 1.25 * steps.min(), line
    pupils = positions(model.mean, model.triangles, model.points["eye_centers"])
    np.testing.assert_array_equal(at[96:], pupils)


def test_wflw98_lip_points_move_with_their_lip(model: FaceModel) -> None:
    drop = model.reduced(model.points["wflw98"]).expression_basis[model.expression_names.index("jawOpen")][:, 1]
    assert drop[[89, 90, 91]].min() > drop[[88, 92]].max() + 5
    assert drop[[93, 94, 95]].max() < drop[[88, 92]].min() - 5


def test_points_lie_on_the_outer_surface(model: FaceModel) -> None:
    for name in ("ibug68", "parallel_lines", "ear_lobes", "wflw98"):
        points = model.points[name]
        at = positions(model.mean, model.triangles, points)
        normals = triangle_normals(model.mean[model.triangles])[points.triangle]
        visible = visible_from_front(at, model.mean, model.triangles, normals, 0.5)
        assert visible.all(), f"{name}: {np.flatnonzero(~visible)} are not visible from any direction"
