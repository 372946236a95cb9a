"""Textures: visible parts are those of the image, hidden parts are mirrored, and no background gets in."""

from dataclasses import replace

import numpy as np
import pytest

from painted_face import painted
from rdrface.face import packaged_model
from rdrface.scene.layout import packaged_layout
from rdrface.scene.surface import packaged_surface
from rdrface.scene.texture import face_texture
from some_face import some_face

GREEN = (0, 255, 0)
SIDE = 512


def vertex_colors(texture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Exported vertices of the skin in front: their indices in the face model (-1 on the border), and colors."""
    surface, layout = packaged_surface("face"), packaged_layout()
    vertex = np.where(surface.ends[:, 0] == surface.ends[:, 1], surface.ends[:, 0], -1)
    skin = (vertex >= 0) & ~layout.eyes[vertex] & ~layout.mouth_cavity[vertex]
    column, row = (surface.uv[skin] * len(texture)).astype(int).T
    return vertex[skin], texture[row, column].astype(float)


def outer(vertex: np.ndarray) -> np.ndarray:
    """Vertices that are visible from the front: not inside the eye sockets, the nostrils or the lips."""
    mean = packaged_model().mean[vertex]
    return (np.abs(mean[:, 1] - 43) > 18) & (np.hypot(mean[:, 0], mean[:, 1] + 22) > 34)


def face_at(yaw: float):
    return some_face((SIDE / 2, SIDE / 2), 240, (0.0, yaw, 0.0))


@pytest.mark.parametrize("yaw", [0.0, 0.6, -1.2])
def test_the_background_does_not_bleed_into_the_face(yaw):
    face = face_at(yaw)
    skin = np.full((len(packaged_model().mean), 3), [200, 150, 120])
    texture = face_texture(face, painted(face, skin, SIDE, GREEN), 512)
    vertex, colors = vertex_colors(texture)
    assert np.abs(colors[outer(vertex)] - [200, 150, 120]).max() < 25


@pytest.mark.parametrize("yaw", [0.6, -0.8])
def test_the_hidden_side_shows_the_mirrored_pattern_without_a_seam(yaw):
    mean = packaged_model().mean
    stripes = 120 + 70 * np.sin(mean[:, 1:2] / 12) * np.ones((1, 3))
    face = face_at(yaw)
    texture = face_texture(face, painted(face, stripes, SIDE, GREEN), 512)
    vertex, colors = vertex_colors(texture)
    # Hidden: the side that is turned away, in front of the ears.
    hidden = outer(vertex) & (mean[vertex, 0] * yaw > 20 * abs(yaw)) & (mean[vertex, 2] > -45)
    assert hidden.sum() > 100
    error = np.abs(colors[hidden].mean(axis=1) - stripes[vertex[hidden], 0])
    assert np.median(error) < 12 and np.percentile(error, 95) < 45


def test_a_difference_of_the_lighting_leaves_no_step_at_the_middle():
    mean = packaged_model().mean
    face = face_at(0.7)
    light = np.where(mean[:, :1] > 0, 170, 130) * np.ones((1, 3))
    texture = face_texture(face, painted(face, light, SIDE, GREEN), 512).astype(float)
    # On the forehead, where the texture crosses the middle of the face.
    surface = packaged_surface("face")
    forehead = np.argmin(np.linalg.norm(surface.exported(mean) - [0, 75, 25], axis=1))
    row = int(surface.uv[forehead, 1] * 512)
    step = np.abs(np.diff(texture[row - 4 : row + 4, 150:362].mean(axis=(0, 2))))
    assert step.max() < 15


def test_a_part_of_the_image_gives_the_same_texture():
    face = some_face((SIDE / 2, SIDE / 2), 150, (0.0, 0.3, 0.0))
    mean = packaged_model().mean
    image = painted(face, 120 + 70 * np.sin(mean / 9), SIDE, GREEN)
    whole = face_texture(face, image, 256).astype(int)
    part = face_texture(face, image[40:480, 30:490], 256, origin=(30, 40)).astype(int)
    assert np.abs(whole - part).mean() < 0.5


def test_a_face_partly_outside_the_image_has_a_complete_texture():
    face = face_at(0.0)
    skin = np.full((len(packaged_model().mean), 3), [200, 150, 120])
    image = painted(face, skin, SIDE, GREEN)[:, : SIDE // 2 - 30]
    vertex, colors = vertex_colors(face_texture(face, np.ascontiguousarray(image), 256))
    assert np.abs(colors[outer(vertex)] - [200, 150, 120]).max() < 30


def test_an_image_without_any_visible_part_does_not_fail():
    texture = face_texture(face_at(0.0), np.zeros((4, 4, 3), np.uint8), 256, origin=(5000, 5000))
    assert texture.shape == (256, 256, 3)


def test_wrong_arguments_are_explained():
    image = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match="size must be one of 256, 512, 1024, 2048; got 300"):
        face_texture(face_at(0.0), image, 300)
    with pytest.raises(ValueError, match="uint8 RGB; got shape"):
        face_texture(face_at(0.0), image[..., 0])


def test_a_large_expected_error_needs_no_more_memory():
    face = some_face()
    face = replace(face, uncertainty=np.full(68, 1e6, np.float32))
    assert face_texture(face, np.zeros((240, 320, 3), np.uint8), 256).shape == (256, 256, 3)


@pytest.mark.parametrize("change", [{"scale": 0.0}, {"scale": -1.0}, {"identity": np.nan}])
def test_a_face_without_a_position_is_an_error(change):
    parameters = some_face().parameters
    pose, identity = parameters.pose.copy(), np.full(50, change.get("identity", 0), np.float32)
    pose[6] = change.get("scale", 1.0)
    face = replace(some_face(), parameters=replace(parameters, pose=pose, identity=identity))
    with pytest.raises(ValueError, match="the face has no position in an image"):
        face_texture(face, np.zeros((240, 320, 3), np.uint8), 256)
