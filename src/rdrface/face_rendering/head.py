"""The face model with the parts that texturing needs: the mouth cavity, the open edge, the visible vertices."""

from dataclasses import dataclass

import cv2
import numpy as np

from rdrface.face_rendering.background_mesh import Rim
from rdrface.geometry.camera import project
from rdrface.geometry.mesh import directed_edges, triangle_normals, vertex_normals
from rdrface.geometry.rasterize import rasterize, to_pixels
from rdrface.morphable.landmark_model import LandmarkModel
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import NUM_IDENTITY, NUM_POSE, SCALE

_DEPTH_SIZE = 192  # side of the z-buffer for the visibility of vertices, pixels
_OCCLUDER_DISTANCE = 2.5  # mm by which a surface must be in front of a vertex to hide it
_TYPICAL_SCALE = 0.006  # packed-frame units per mm of a typical face

JAW_OPEN = 0.5
"""jawOpen of `Head.open_shape`."""


@dataclass(frozen=True)
class Head:
    """The face model, prepared for texturing.

    Attributes:
        model: the face model.
        landmarks: the part of the face model that gives the landmarks.
        neighbors: (V, D) int32, vertices that share an edge with each vertex, padded with the vertex itself.
        mouth_cavity: (V,) bool, vertices inside the mouth.
        membrane: (K, L) float32, weights that span the K vertices of the mouth cavity between the L vertices of the
            lips, see `with_membrane`.
        lips: (L,) int, the vertices around the mouth cavity.
        rim: the open edge of the mesh.
        open_shape: (V, 3) float32 mm, the mean face with jawOpen `JAW_OPEN`.
    """

    model: FaceModel
    landmarks: LandmarkModel
    neighbors: np.ndarray
    mouth_cavity: np.ndarray
    membrane: np.ndarray
    lips: np.ndarray
    rim: Rim
    open_shape: np.ndarray

    @classmethod
    def of(cls, model: FaceModel) -> "Head":
        """Prepare a face model; takes about a second."""
        neighbors = _neighbors(model.triangles, len(model.mean))
        expression = np.zeros((1, len(model.expression_names)), np.float32)
        expression[0, model.expression_names.index("jawOpen")] = JAW_OPEN
        mouth_cavity = _mouth_cavity(model, neighbors)
        membrane, lips = _membrane(mouth_cavity, neighbors)
        return cls(
            model=model,
            landmarks=LandmarkModel.from_face_model(model),
            neighbors=neighbors,
            mouth_cavity=mouth_cavity,
            membrane=membrane,
            lips=lips,
            rim=Rim.of(model.triangles, model.mean),
            open_shape=model.shape(np.zeros((1, NUM_IDENTITY), np.float32), expression)[0],
        )

    def with_membrane(self, vertices: np.ndarray) -> np.ndarray:
        """Replace the mouth cavity by a membrane between the lips.

        Teeth are close behind the lips. On the deep cavity of the model, the teeth of an image would be far back in
        the throat and disappear as soon as the head rotates.

        Args:
            vertices: (V, 3).

        Returns:
            (V, 3), a new array.
        """
        result = vertices.copy()
        result[self.mouth_cavity] = self.membrane @ vertices[self.lips]
        return result


def vertex_visibility(vertices: np.ndarray, triangles: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Orientation and visibility of the vertices of a head in a packed crop.

    Args:
        vertices: (V, 3) packed frame, y down.
        triangles: (F, 3) int.
        scale: packed-frame units per mm.

    Returns:
        (V,) cosine of the angle between the normal and the direction to the viewer; (V,) bool, True where no part of
        the head is in front.
    """
    # The y axis points down, so the normals point inwards: negate them.
    facing = -vertex_normals(vertices, triangles)[:, 2]
    corners = vertices[triangles]
    front = triangle_normals(corners)[:, 2] < 0
    depth = rasterize(to_pixels(corners[front], _DEPTH_SIZE), _DEPTH_SIZE).depth.reshape(_DEPTH_SIZE, _DEPTH_SIZE)
    # The farthest of 3 x 3 pixels: on a slope, the neighboring pixel is not an occluder.
    nearest = cv2.erode(np.maximum(depth, np.float32(-1e6)), np.ones((3, 3), np.uint8))
    at = to_pixels(vertices, _DEPTH_SIZE)
    column, row = np.rint(at[:, :2]).astype(int).clip(0, _DEPTH_SIZE - 1).T
    return facing, at[:, 2] > nearest[row, column] - _OCCLUDER_DISTANCE * scale * _DEPTH_SIZE / 2


def _neighbors(triangles: np.ndarray, count: int) -> np.ndarray:
    edges = directed_edges(triangles)
    edges = np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)
    degree = np.bincount(edges[:, 0], minlength=count)
    result = np.repeat(np.arange(count, dtype=np.int32)[:, None], degree.max(), axis=1)
    result[edges[:, 0], np.arange(len(edges)) - np.repeat(np.cumsum(degree) - degree, degree)] = edges[:, 1]
    return result


def _mouth_cavity(model: FaceModel, neighbors: np.ndarray) -> np.ndarray:
    """(V,) bool: the largest connected part that is hidden in all views of the face with a closed mouth."""
    visible_once = np.zeros(len(model.mean), bool)
    pose = np.zeros((1, NUM_POSE), np.float32)
    pose[0, SCALE] = _TYPICAL_SCALE
    for pitch in (-0.8, 0.0, 0.8):
        for yaw in (0.0, 0.8, 1.5):
            pose[0, :2] = pitch, yaw
            view = project(model.mean[None], pose)[0]
            facing, visible = vertex_visibility(view, model.triangles, _TYPICAL_SCALE)
            visible_once |= visible & (facing > 0.1)
    visible_once |= visible_once[model.mirror_vertices]
    # Connected components: every hidden vertex takes the lowest label among its neighbors until nothing changes.
    label = np.where(visible_once, -1, np.arange(len(visible_once)))
    while True:
        lowest = np.where(label[neighbors] >= 0, label[neighbors], len(label)).min(axis=1)
        lower = np.where(label >= 0, np.minimum(label, lowest), -1)
        if (lower == label).all():
            break
        label = lower
    in_largest: np.ndarray = label == np.bincount(label[label >= 0]).argmax()
    return in_largest


def _membrane(mouth_cavity: np.ndarray, neighbors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (K, L) that make each of the K vertices of the cavity the mean of its neighbors; (L,) fixed vertices."""
    inner = np.flatnonzero(mouth_cavity)
    lips = np.flatnonzero(~mouth_cavity & mouth_cavity[neighbors].any(axis=1))
    number = np.full(len(mouth_cavity), -1)
    number[inner], number[lips] = np.arange(len(inner)), np.arange(len(lips))
    laplacian, coupling = np.zeros((len(inner), len(inner))), np.zeros((len(inner), len(lips)))
    for row, vertex in enumerate(inner):
        for other in set(neighbors[vertex].tolist()) - {int(vertex)}:
            laplacian[row, row] += 1
            if mouth_cavity[other]:
                laplacian[row, number[other]] -= 1
            else:
                coupling[row, number[other]] += 1
    return np.linalg.solve(laplacian, coupling).astype(np.float32), lips
