"""Normals, mirroring and shading of meshes."""

import numpy as np
import pytest

import ellipsoid
from rdrface.geometry.mesh import (
    cut_mesh,
    flat_shading,
    front_triangles,
    mirror_triangles,
    triangle_normals,
    vertex_normals,
)

TETRAHEDRON = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
TRIANGLES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
"""Counterclockwise seen from outside, y up."""
TO_IMAGE = np.array([1.0, -1.0, 1.0])


def test_triangle_normals_point_outwards_with_twice_the_area():
    normals = triangle_normals(TETRAHEDRON[TRIANGLES])
    np.testing.assert_allclose(normals, [[0, 0, -1], [0, -1, 0], [-1, 0, 0], [1, 1, 1]])
    np.testing.assert_allclose(triangle_normals(TETRAHEDRON[TRIANGLES][None])[0], normals)


def test_triangle_normals_point_inwards_in_image_pixels():
    normals = triangle_normals((TETRAHEDRON * TO_IMAGE)[TRIANGLES])
    np.testing.assert_allclose(normals[3], [-1, 1, -1])


def test_vertex_normals_of_an_ellipsoid_are_its_gradients():
    vertices, triangles = ellipsoid.mesh()
    expected = vertices / ellipsoid.AXES**2
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    # The vertices of a pole share one position, so each has only a part of the triangles around it.
    inner = np.abs(vertices[:, 2]) < 0.999 * ellipsoid.AXES[2]
    assert (np.einsum("vc,vc->v", vertex_normals(vertices, triangles), expected)[inner] > 0.999).all()


def test_a_vertex_without_triangles_has_no_normal():
    vertices = np.concatenate([TETRAHEDRON, [[5, 5, 5]]])
    np.testing.assert_array_equal(vertex_normals(vertices, TRIANGLES)[4], 0)


def test_mirrored_triangles_have_the_mirrored_vertices():
    mirror = np.array([0, 2, 1, 3])
    np.testing.assert_array_equal(mirror_triangles(TRIANGLES, mirror), [0, 2, 1, 3])
    with pytest.raises(KeyError):
        mirror_triangles(TRIANGLES[:2], mirror)


def test_front_triangles_face_the_viewer_and_the_farthest_is_first():
    near, far = np.float64([[0, 0, 5], [0, 4, 5], [4, 0, 5]]), np.float64([[0, 0, 1], [0, 4, 1], [4, 0, 1]])
    back = near[::-1]
    np.testing.assert_array_equal(front_triangles(np.stack([near, back, far])), [2, 0])


def test_flat_shading_is_brightest_towards_the_light_and_ambient_away_from_it():
    facing = np.float64([[0, 0, 0], [0, 4, 0], [4, 0, 0]])
    degenerate = np.zeros((3, 3))
    corners = np.stack([facing, facing[::-1], degenerate])
    np.testing.assert_allclose(flat_shading(corners, np.array([0, 0, 7.0]), 0.3, 0.6), [0.9, 0.3, 0.3])
    tilted = flat_shading(corners, np.array([0, -1.0, 1.0]), 0.0, 1.0)
    np.testing.assert_allclose(tilted[0], np.sqrt(0.5))


def test_a_mesh_is_cut_where_the_distance_is_0():
    vertices = np.array([[0, 0], [2, 0], [2, 2], [0, 2]], float)
    triangles = np.array([[0, 1, 2], [0, 2, 3]])
    ends, share, cut = cut_mesh(triangles, 1.5 - vertices[:, 0])
    at = vertices[ends[:, 0]] + share * (vertices[ends[:, 1]] - vertices[ends[:, 0]])
    corners = at[cut]
    areas = np.linalg.det(corners[:, 1:] - corners[:, :1]) / 2
    assert at[:, 0].max() == 1.5 and (areas > 0).all()
    np.testing.assert_allclose(areas.sum(), 3)
    # The vertices of the cut are shared by the triangles next to it.
    assert len(np.unique(at, axis=0)) == len(at)
