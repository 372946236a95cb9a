"""Which part of a photo each triangle of the fitted head takes its texture from, hidden parts included."""

from dataclasses import dataclass

import cv2
import numpy as np

from rdrface.geometry.camera import project
from rdrface.geometry.contour import points_on_lines, slide_contour_line
from rdrface.geometry.rasterize import rasterize, to_pixels
from rdrface.morphable.landmark_model import LandmarkModel, shapes68
from rdrface.morphable.model import FaceModel
from rdrface.morphable.params import NUM_IDENTITY, NUM_POSE, PITCH, POSE, ROLL, SCALE, YAW, expression_index
from rdrface.training.face_profiling.background_mesh import Rim, rim_places

_SIZE = 192  # side of the z-buffer that says what the photo shows
_THICK = 2.5  # mm by which something must be in front of a vertex to hide it
_RIM = 0.2  # cosine: steeper surfaces are stretched too much, and a small error of the fit puts them on the background
_MIRROR_RIM = 0.35  # the same for the side that lends its texture
_BESIDE = 12.0  # mm outside the head's outline: mostly hair; it becomes the back of the head
_SMOOTHING = 60  # rounds in which texture places flow into hidden parts
_REACH = 25.0  # mm over which the correction of one landmark fades to a third
_OPEN = 0.5  # jawOpen of the shape on which landmarks' distances are taken: the lips are apart there


@dataclass(frozen=True)
class Head:
    """The face model with what texturing needs to know about it.

    Attributes:
        model, landmarks: the face model and its reduction to landmarks.
        neighbors: (V, D) int32, the vertices joined to each by an edge, filled up with itself.
        sack: (V,) bool, inside of the mouth.
        membrane: (K, V') float32, weights that span the K vertices of the sack between the lips, see `with_membrane`.
        lips: (V',) int, the vertices that they are spanned between.
        rim: the open edge of the mesh.
        open_shape: (V, 3) float32 mm, the mean face with its mouth open.
    """

    model: FaceModel
    landmarks: LandmarkModel
    neighbors: np.ndarray
    sack: np.ndarray
    membrane: np.ndarray
    lips: np.ndarray
    rim: Rim
    open_shape: np.ndarray

    @classmethod
    def of(cls, model: FaceModel) -> "Head":
        """Prepare a face model; takes about a second."""
        neighbors = _neighbors(model.triangles, len(model.mean))
        exp = np.zeros((1, len(model.expression_names)), np.float32)
        exp[0, model.expression_names.index("jawOpen")] = _OPEN
        shape = model.shape(np.zeros((1, NUM_IDENTITY), np.float32), exp)[0]
        sack = _sack(model, neighbors)
        membrane, lips = _membrane(sack, neighbors)
        return cls(
            model=model,
            landmarks=LandmarkModel.from_face_model(model),
            neighbors=neighbors,
            sack=sack,
            membrane=membrane,
            lips=lips,
            rim=Rim.of(model.triangles, model.mean),
            open_shape=shape,
        )

    def with_membrane(self, vertices: np.ndarray) -> np.ndarray:
        """(V, 3) vertices with the inside of the mouth stretched flat between the lips.

        Teeth stand close behind the lips. On the model's deep sack the teeth of a photo would come to lie far back in
        the throat and vanish as soon as the head turns.
        """
        result = vertices.copy()
        result[self.sack] = self.membrane @ vertices[self.lips]
        return result


@dataclass(frozen=True)
class Texture:
    """Where the triangles of a head find their texture.

    Attributes:
        places: (F, 3, 2) float32, window frame, of the three corners.
        rim: (K, 2) float32, of the vertices of the head's rim.
    """

    places: np.ndarray
    rim: np.ndarray


def texture_of(head: Head, vertices: np.ndarray, places: np.ndarray, frame: np.ndarray, pose: np.ndarray) -> Texture:
    """Texture places of a head as a photo shows it.

    Triangles that the photo does not show take the texture of the other side of the face where that is shown, else
    the places are spread smoothly from their surroundings: stretched texture.

    Args:
        head: the prepared face model.
        vertices: (V, 3) float32 window frame, the head as it lies in the photo.
        places: (V, 2) float32 window frame, where the photo shows the vertices: the same but for corrections.
        frame: (4,) xyxy of the photo, window frame.
        pose: (7,) P of the head in the photo.
    """
    triangles, mirror = head.model.triangles, head.model.mirror_vertices
    facing, visible = _visibility(vertices, triangles, float(pose[SCALE]))
    visible &= ((places > frame[:2]) & (places < frame[2:])).all(axis=1)
    seen = visible & (facing > _RIM)
    lends = visible & (facing > _MIRROR_RIM)
    away = (~visible | (facing < 0))[triangles].all(axis=1)
    mirrored = away & lends[mirror][triangles].all(axis=1) & ~head.sack[triangles].any(axis=1)
    rim = head.rim.vertices
    outside = rim_places(head.rim, places, float(pose[ROLL]), frame, _BESIDE * float(pose[SCALE]))
    outside = np.where(visible[rim, None], places[rim], outside)
    pinned, known = places.copy(), seen.copy()
    pinned[rim], known[rim] = outside, True
    spread = _spread(pinned, known, head.neighbors)
    corners = spread[triangles]
    corners[mirrored] = places[mirror][triangles[mirrored]]
    return Texture(corners, outside)


def corrections(head: Head, q: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """How far the photo's features lie from the fitted face, between the landmarks.

    Args:
        head: the prepared face model.
        q: (103,) float32 Q of the fit; it says where the outline lies on the face.
        deviation: (68, 2) float32, labeled minus fitted position; NaN where there is none.

    Returns:
        (V, 2) float32: the deviation at every vertex, exact at the landmarks, fading away from them.
    """
    known = np.isfinite(deviation).all(axis=1)
    if not known.any():
        return np.zeros((len(head.open_shape), 2), np.float32)
    # Distances are taken on one open-mouthed face for all, so that touching lips and lids pull apart.
    plain = np.zeros((1, len(q)), np.float32)
    plain[0, expression_index("jawOpen", head.model.expression_names)] = _OPEN
    points, lines, _ = shapes68(head.landmarks.buffers(), plain)
    _, here, normals = shapes68(head.landmarks.buffers(), q[None])
    contour = points_on_lines(lines, slide_contour_line(here, normals, q[None, POSE]))
    at = np.concatenate([contour[0], points[0, 17:]])[known]
    kernel = np.exp(-_distances(at, at) / _REACH)
    weights = np.linalg.solve(kernel + 1e-3 * np.eye(len(at)), deviation[known])
    return (np.exp(-_distances(head.open_shape, at) / _REACH) @ weights).astype(np.float32)


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    square = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T
    return np.sqrt(np.maximum(square, 0))


def _visibility(vertices: np.ndarray, triangles: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Cosine between normal and viewer (V,), and whether nothing is in front (V,), for vertices of a window frame."""
    corners = vertices[triangles]
    ab, ac = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    # The picture's y points down, which turns the orientation round.
    normals = np.cross(ac, ab)
    summed = np.stack(
        [np.bincount(triangles.ravel(), np.repeat(normals[:, i], 3), len(vertices)) for i in range(3)], axis=1
    )
    facing = summed[:, 2] / np.maximum(np.linalg.norm(summed, axis=1), 1e-12)
    pixels = to_pixels(corners[normals[:, 2] > 0], _SIZE)
    depth = rasterize(pixels, _SIZE).depth.reshape(_SIZE, _SIZE)
    # The lowest of 3 x 3 pixels: on a slope the neighboring pixel is no occluder.
    nearest = cv2.erode(np.maximum(depth, np.float32(-1e6)), np.ones((3, 3), np.uint8))
    at = to_pixels(vertices, _SIZE)
    column, row = np.rint(at[:, :2]).astype(int).clip(0, _SIZE - 1).T
    return facing, at[:, 2] > nearest[row, column] - _THICK * scale * _SIZE / 2


def _spread(places: np.ndarray, known: np.ndarray, neighbors: np.ndarray) -> np.ndarray:
    """(V, 2) places; those of the others flow in from the known ones along the edges."""
    result, reached = np.where(known[:, None], places, 0).astype(np.float32), known.copy()
    todo = np.flatnonzero(~known)
    while len(todo):
        weight = reached[neighbors[todo]].astype(np.float32)
        total = weight.sum(axis=1)
        new = total > 0
        if not new.any():
            break  # no edge joins the rest to anything known: an eye behind a closed lid
        result[todo[new]] = np.einsum("vd,vdc->vc", weight[new], result[neighbors[todo[new]]]) / total[new, None]
        reached[todo[new]] = True
        todo = todo[~new]
    flowing = np.flatnonzero(reached & ~known)
    beside = neighbors[flowing].T
    for _ in range(_SMOOTHING):
        total = result[beside[0]]
        for one in beside[1:]:
            total += result[one]
        result[flowing] = total / len(beside)
    return np.where(reached[:, None], result, places)


def _neighbors(triangles: np.ndarray, count: int) -> np.ndarray:
    edges = triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    edges = np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)
    degree = np.bincount(edges[:, 0], minlength=count)
    result = np.repeat(np.arange(count, dtype=np.int32)[:, None], degree.max(), axis=1)
    result[edges[:, 0], np.arange(len(edges)) - np.repeat(np.cumsum(degree) - degree, degree)] = edges[:, 1]
    return result


def _sack(model: FaceModel, neighbors: np.ndarray) -> np.ndarray:
    """(V,) bool: the largest connected part that no view of the face with its mouth shut shows."""
    shown = np.zeros(len(model.mean), bool)
    pose = np.zeros((1, NUM_POSE), np.float32)
    pose[0, SCALE] = 0.006
    for pitch in (-0.8, 0.0, 0.8):
        for yaw in (0.0, 0.8, 1.5):
            pose[0, [PITCH, YAW]] = pitch, yaw
            view = project(model.mean[None], pose)[0]
            facing, visible = _visibility(view, model.triangles, 0.006)
            shown |= visible & (facing > 0.1)
    shown |= shown[model.mirror_vertices]
    label = np.where(shown, -1, np.arange(len(shown)))
    while True:
        beside = np.where(label[neighbors] >= 0, label[neighbors], len(label)).min(axis=1)
        lower = np.where(label >= 0, np.minimum(label, beside), -1)
        if (lower == label).all():
            break
        label = lower
    return label == np.bincount(label[label >= 0]).argmax()


def _membrane(sack: np.ndarray, neighbors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (K, L) of the L vertices around the sack for its K vertices: each the mean of those it is joined to."""
    inner = np.flatnonzero(sack)
    lips = np.flatnonzero(~sack & sack[neighbors].any(axis=1))
    number = np.full(len(sack), -1)
    number[inner], number[lips] = np.arange(len(inner)), np.arange(len(lips))
    laplacian, coupling = np.zeros((len(inner), len(inner))), np.zeros((len(inner), len(lips)))
    for row, vertex in enumerate(inner):
        for other in set(neighbors[vertex].tolist()) - {int(vertex)}:
            laplacian[row, row] += 1
            if sack[other]:
                laplacian[row, number[other]] -= 1
            else:
                coupling[row, number[other]] += 1
    return np.linalg.solve(laplacian, coupling).astype(np.float32), lips
