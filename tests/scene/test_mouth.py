"""The inside of the mouth: teeth of constant size, and a dark cavity."""

import dataclasses

import numpy as np
import pytest

from painted_face import painted
from rdrface.face import packaged_model
from rdrface.scene.layout import packaged_layout
from rdrface.scene.mouth import EDGE, GUMS, Mouth
from rdrface.scene.surface import packaged_surface
from rdrface.scene.texture import face_texture, texels_of
from some_face import some_face


def mouth() -> Mouth:
    return Mouth.of(packaged_model(), packaged_layout().mouth_cavity)


def shape(**strengths: float) -> np.ndarray:
    surface, names = packaged_surface("face"), packaged_model().expression_names
    return surface.mean + sum(surface.expression_basis[names.index(name)] * one for name, one in strengths.items())


@pytest.mark.parametrize("is_upper", [True, False])
def test_jaw_open_does_not_stretch_the_teeth(is_upper):
    teeth = mouth()
    front = (np.abs(packaged_model().mean[:, 0]) < 12) & (teeth.is_upper == is_upper)
    triangles = packaged_model().triangles
    triangles = triangles[np.isin(teeth.row, (GUMS, EDGE))[triangles].all(axis=1) & front[triangles].all(axis=1)]
    assert len(triangles) >= 4

    def lengths(vertices):
        return np.linalg.norm(vertices[triangles] - vertices[np.roll(triangles, 1, axis=1)], axis=2)

    assert np.abs(lengths(shape(jawOpen=1.0)) - lengths(shape())).max() < 5  # mm; the lower lip moves by 40


def test_only_the_jaw_moves_the_lower_teeth():
    teeth, basis = mouth(), packaged_surface("face").expression_basis
    front = (teeth.row == EDGE) & ~teeth.is_upper & (np.abs(packaged_model().mean[:, 0]) < 12)
    moved = np.abs(basis[:, front]).max(axis=(1, 2))
    names = {name for name, one in zip(packaged_model().expression_names, moved, strict=True) if one > 0}
    assert names == {"jawForward", "jawLeft", "jawOpen", "jawRight"}


def test_closed_lips_hide_the_teeth():
    # Seen from the front, the edges of the upper teeth are behind the lower lip.
    teeth, at = mouth(), shape()
    lip = at[teeth.lips]
    lower = lip[~teeth.is_upper[teeth.lips]]
    for x, _, z in at[(teeth.row == EDGE) & teeth.is_upper & (np.abs(at[:, 0]) < 12)]:
        assert z < np.interp(x, *lower[np.argsort(lower[:, 0])][:, [0, 2]].T) - 1


@pytest.mark.parametrize("yaw", [0.0, 0.7])
def test_a_closed_mouth_gets_drawn_teeth_in_a_dark_cavity(yaw):
    face = some_face((256, 256), 240, (0.0, yaw, 0.0))
    image = painted(face, np.full((len(packaged_model().mean), 3), [200, 150, 120]), 512, (0, 255, 0))
    texels = texels_of(512)
    colors = face_texture(face, image, 512).reshape(-1, 3)[texels.index].astype(float)
    places = texels.places
    tooth = colors[places.front & (np.abs(places.height - 0.5) < 0.15) & (places.along < 12)]
    assert np.median(tooth.min(axis=1)) > 130  # bright and nearly white, not skin
    deep = colors[~places.front & (places.inside > 0.99) & (places.depth > 0.95) & (places.tongue == 0)]
    assert len(deep) > 50 and deep.max() < 60


def test_teeth_that_the_image_shows_are_those_of_the_texture():
    names = packaged_model().expression_names
    face = some_face((256, 256), 240, (0.0, 0.0, 0.0))
    face = dataclasses.replace(face, uncertainty=np.ones(68, np.float32))
    smile = ("mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight")
    face.parameters.expression[[names.index(name) for name in smile]] = 1
    colors = np.full((len(packaged_model().mean), 3), [200, 150, 120])
    # The model's own cavity, which `painted` draws, is at the same place in the image.
    colors[packaged_layout().mouth_cavity] = [90, 120, 230]
    texture = face_texture(face, painted(face, colors, 512, (0, 255, 0)), 512)
    texels = texels_of(512)
    places = texels.places
    upper = places.front & places.is_upper & (np.abs(places.height - 0.6) < 0.1) & (places.along < 8)
    median = np.median(texture.reshape(-1, 3)[texels.index][upper], axis=0)
    assert median[2] > median[0] + 80
