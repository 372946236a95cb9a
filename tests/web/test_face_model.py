"""The file of the face model that the page loads."""

import json
from typing import Any

import numpy as np
import pytest

from rdrface.face import packaged_model
from rdrface.morphable.surface import positions
from rdrface.web.face_model import face_model_file, packaged_face_model_file
from rdrface.web.face_surface import MOUTH, SKIN, FaceSurface


@pytest.fixture(scope="module")
def file() -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays of the file."""
    content = packaged_face_model_file()
    assert content[:4] == b"RDRW"
    length = int.from_bytes(content[4:8], "little")
    header = json.loads(content[8 : 8 + length])
    arrays = {}
    for name, entry in header["arrays"].items():
        start, count = 8 + length + entry["offset"], int(np.prod(entry["shape"]))
        arrays[name] = np.frombuffer(content, entry["dtype"], count, start).reshape(entry["shape"])
    return header, arrays


@pytest.fixture(scope="module")
def surface() -> FaceSurface:
    """The surface of the packaged model."""
    return FaceSurface.of(packaged_model())


def test_the_same_model_gives_the_same_file() -> None:
    assert face_model_file(packaged_model()) == packaged_face_model_file()


def test_faces_of_the_file_equal_those_of_the_model(
    file: tuple[dict[str, Any], dict[str, np.ndarray]], surface: FaceSurface
) -> None:
    header, arrays = file
    model = packaged_model()
    rng = np.random.default_rng(0)
    identity, expression = rng.normal(size=50).astype(np.float32), rng.uniform(size=46).astype(np.float32)
    expected = surface.values(model.shape(identity[None], expression[None])[0]) + surface.offset
    got = (
        arrays["mean"]
        + np.tensordot(identity * header["identity_scales"], arrays["identity"], 1)
        + np.tensordot(expression * header["expression_scales"], arrays["expression"], 1)
    )
    np.testing.assert_allclose(got, expected, atol=0.01)  # mm
    assert header["expression_names"] == list(model.expression_names)


def test_landmarks_of_the_file_are_those_of_the_model(
    file: tuple[dict[str, Any], dict[str, np.ndarray]], surface: FaceSurface
) -> None:
    arrays = file[1]
    corners = arrays["mean"][arrays["triangles"][arrays["landmark_triangles"]]]
    got = np.einsum("ni,nic->nc", arrays["landmark_weights"], corners)
    model = packaged_model()
    np.testing.assert_allclose(got, positions(model.mean, model.triangles, model.points["ibug68"]), atol=1e-3)
    assert len(surface.landmarks) == 68


def test_the_surface_is_symmetric(surface: FaceSurface) -> None:
    mean = surface.values(packaged_model().mean) + surface.offset
    np.testing.assert_allclose(mean[surface.mirror], mean * (-1, 1, 1), atol=1e-4)
    np.testing.assert_array_equal(surface.mirror[surface.mirror], np.arange(len(mean)))


def test_the_skin_ends_in_one_smooth_line(surface: FaceSurface) -> None:
    mean = surface.values(packaged_model().mean)
    edges = np.sort(surface.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    edges, counts = np.unique(edges, axis=0, return_counts=True)
    border = edges[(counts == 1) & (surface.part[edges] == SKIN).all(axis=1)]
    # In a closed line, each vertex has two edges.
    assert set(np.bincount(border.ravel())) <= {0, 2}
    directions = np.diff(mean[border], axis=1)[:, 0]
    assert np.linalg.norm(directions, axis=1).max() < 20  # mm


def test_uv_are_inside_the_texture_and_the_mouth_has_its_own_place(surface: FaceSurface) -> None:
    assert (surface.uv > 0).all() and (surface.uv < 1).all()
    mouth = surface.part == MOUTH
    assert surface.uv[mouth, 1].max() < surface.uv[~mouth, 1].min()


def test_triangles_of_the_skin_face_outwards(surface: FaceSurface) -> None:
    mean = surface.values(packaged_model().mean) + surface.offset
    mouth = (surface.part[surface.triangles] == MOUTH).all(axis=1)
    a, b, c = (mean[surface.triangles[mouth, i]] for i in range(3))
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()


def test_the_sheet_between_the_lips_reaches_behind_them(surface: FaceSurface) -> None:
    mouth = surface.part == MOUTH
    outer, lips = (
        (surface.values(packaged_model().mean) + surface.offset)[mouth],
        surface.values(packaged_model().mean)[mouth],
    )
    for axis in (0, 1):  # without the rim, the background shows between the lips and the sheet
        assert outer[:, axis].max() > lips[:, axis].max() + 2  # mm
        assert outer[:, axis].min() < lips[:, axis].min() - 2
