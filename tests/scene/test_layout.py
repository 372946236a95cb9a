"""The packaged texture layout, and the cut of the mesh."""

import dataclasses

import numpy as np
import pytest

from rdrface.face import packaged_model
from rdrface.geometry.mesh import directed_edges, triangle_normals
from rdrface.scene.layout import layout_of, packaged_layout
from rdrface.scene.surface import packaged_surface


def test_no_two_triangles_of_the_head_share_a_place_in_the_texture():
    model, layout = packaged_model(), packaged_layout()
    corners = layout.uv[model.triangles[~layout.eyes[model.triangles].any(axis=1)]].astype(np.float64)
    edges = corners[:, 1:] - corners[:, :1]
    area = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
    # A map of a disc to a disc without flipped triangles is one-to-one; y points down in the texture.
    assert (area < 0).all()
    assert layout.uv.min() > 0 and layout.uv.max() < 1


def test_a_mirrored_texture_is_the_texture_of_the_mirrored_face():
    model, layout = packaged_model(), packaged_layout()
    np.testing.assert_allclose(layout.uv[model.mirror_vertices], layout.uv * [-1, 1] + [1, 0], atol=1e-5)


def test_the_eyeballs_do_not_touch_the_head():
    layout = packaged_layout()
    from_center = np.linalg.norm(layout.uv - 0.5, axis=1)
    assert from_center[~layout.eyes].max() < 0.49 < from_center[layout.eyes].min()


@pytest.mark.parametrize(("region", "smallest_cosine"), [("face", 0.85), ("head", 0.4)])
def test_the_border_is_one_smooth_line(region, smallest_cosine):
    surface, layout = packaged_surface(region), packaged_layout()
    edges = {tuple(edge) for edge in directed_edges(surface.triangles).tolist()}
    border = dict(edge for edge in edges if edge[::-1] not in edges)
    walked = [next(iter(border))]
    while border[walked[-1]] != walked[0]:
        walked.append(border[walked[-1]])
    assert len(walked) == len(border)
    inside = layout.inside_face if region == "face" else layout.inside_head
    distance = surface.exported(inside[:, None])[walked, 0]
    assert np.abs(distance).max() < 0.51  # mm
    # No teeth: the direction of the line changes little from one edge to the next.
    at = surface.exported(packaged_model().mean)[walked]
    at = at[np.linalg.norm(at - np.roll(at, 1, axis=0), axis=1) > 0.5]
    steps = at - np.roll(at, 1, axis=0)
    steps /= np.linalg.norm(steps, axis=1, keepdims=True)
    cosine = (steps * np.roll(steps, 1, axis=0)).sum(axis=1)
    assert cosine.min() > smallest_cosine


@pytest.mark.parametrize(("region", "count"), [("face", 6000), ("head", 7500)])
def test_every_vertex_is_used_and_triangles_face_outwards(region, count):
    surface = packaged_surface(region)
    assert len(surface.triangles) > count
    assert set(surface.triangles.ravel().tolist()) == set(range(len(surface.ends)))
    normals = triangle_normals(surface.exported(packaged_model().mean)[surface.triangles])
    original = triangle_normals(packaged_model().mean[packaged_model().triangles])
    assert original[:, 2].sum() > normals[:, 2].sum() > 0.85 * original[:, 2].sum()


def test_another_mesh_is_refused():
    model = packaged_model()
    other = dataclasses.replace(model, triangles=model.triangles[:-1])
    with pytest.raises(ValueError, match="another mesh"):
        layout_of(other)
