"""Eye aspect of invented eyes."""

import numpy as np
import pytest

from annotated import face_points
from rdrface.geometry.eyes import eye_aspect


def test_eye_aspect_is_lid_aperture_over_eye_width():
    points = np.stack([face_points()] * 2)
    # The invented eyes have a width of 0.18 and an aperture of 0.06.
    np.testing.assert_allclose(eye_aspect(points), 1 / 3)
    points[0, [43, 44]] = points[0, [47, 46]]
    np.testing.assert_allclose(eye_aspect(points), [[1 / 3, 0], [1 / 3, 1 / 3]], atol=1e-9)


def test_eye_aspect_does_not_depend_on_rotation_and_scale():
    rotation = np.array([[0.6, -0.8], [0.8, 0.6]])
    np.testing.assert_allclose(eye_aspect(face_points()[None] @ rotation * 3 + 40), 1 / 3)


@pytest.mark.parametrize(("point", "eye"), [(36, 0), (40, 0), (44, 1), (45, 1)])
def test_eye_aspect_is_nan_without_a_point_of_the_eye(point, eye):
    points = face_points()[None]
    points[0, point] = np.nan
    aspect = eye_aspect(points)[0]
    assert np.isnan(aspect[eye]) and np.isfinite(aspect[1 - eye])


def test_eye_aspect_is_nan_for_coinciding_corners_and_other_shapes_are_refused():
    points = face_points()[None]
    points[0, 39] = points[0, 36]
    assert np.isnan(eye_aspect(points)[0, 0])
    with pytest.raises(ValueError, match=r"shape \(N, 68, 2\), got \(68, 2\)"):
        eye_aspect(points[0])
