"""What surrounds a head in a photo, as rings of triangles from the rim of the head's mesh to the photo's frame."""

from dataclasses import dataclass

import numpy as np

_SECTORS = 72
_RINGS = 4  # between the head's outline and the frame
_HIDDEN = 0.93  # share of the way to the head's outline at which the surroundings begin, hidden behind it
_STEPS = np.linspace(0, 1, 33)
_CORNER = 1.2  # the outermost ring, in units of the frame: between two points of the frame lies a corner, cut off
_BEHIND = 10.0  # depth in frame units behind every part of the head


@dataclass(frozen=True)
class Rim:
    """The open edge of the head's mesh: behind the ears and around the neck.

    Attributes:
        vertices: (K,) int, in order around the head.
        angle: (K,) radians, monotone: direction of each from the middle of the face, x right, y down, roll 0.
    """

    vertices: np.ndarray
    angle: np.ndarray

    @classmethod
    def of(cls, triangles: np.ndarray, mean: np.ndarray) -> "Rim":
        """The rim of a mesh (F, 3) with vertices (V, 3) in the model frame that is open in one place."""
        edges = triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
        both = {tuple(edge) for edge in edges.tolist()}
        following = {a: b for a, b in both if (b, a) not in both}
        order = [min(following)]
        while following[order[-1]] != order[0]:
            order.append(following[order[-1]])
        vertices = np.array(order)
        away = mean[vertices, :2] - (mean[:, :2].max(axis=0) + mean[:, :2].min(axis=0)) / 2
        angle = np.unwrap(np.arctan2(-away[:, 1], away[:, 0]))
        if angle[-1] < angle[0]:
            vertices, angle = vertices[::-1], np.unwrap(angle[::-1])
        return cls(vertices, np.maximum.accumulate(angle))


def rim_places(rim: Rim, places: np.ndarray, roll: float, frame: np.ndarray, distance: float) -> np.ndarray:
    """Where the photo shows what lies just outside the head.

    Args:
        rim: K vertices.
        places: (V, 2) float32 window frame, the head in the photo.
        roll: of the head, radians.
        frame: (4,) xyxy of the photo.
        distance: from the head's outline, frame units.

    Returns:
        (K, 2) float32 window frame, inside the photo.
    """
    direction = _directions(rim, roll)
    center = _middle(places)
    radius = _Outline.of(places, center).radius(direction) + distance
    return (center + radius[:, None] * direction).clip(frame[:2], frame[2:]).astype(np.float32)


def background_mesh(
    rim: Rim, start: np.ndarray, after: np.ndarray, roll: float, frame: np.ndarray, new_frame: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Triangles from the rim of a turned head to the frame; what is at the photo's frame stays at the frame.

    The picture between the head's outline and the frame is stretched to what room there is after the turn. What the
    head moves away from is filled by the same stretch, never by a part of the face.

    Args:
        rim: K vertices.
        start: (K, 2) float32, texture places of the rim, see `rim_places`.
        after: (V, 3) float32, the turned head in the result's frame.
        roll: of the head, radians.
        frame: (4,) xyxy of the photo, window frame.
        new_frame: (4,) xyxy that it becomes, result's frame.

    Returns:
        corners (T, 3, 3) float32 in the result's frame, texture places (T, 3, 2) float32.
    """
    direction = _directions(rim, roll)
    edge, new_edge = _edges(start, direction, frame, new_frame)
    near = after[rim.vertices]
    leaves = _leaves(near[:, :2], new_edge, after[:, :2])
    shares = np.linspace(0, 1, _RINGS)[:, None, None]
    texture = (1 - shares) * start + shares * edge
    flat = (1 - shares) * leaves + shares * new_edge
    center = (new_frame[:2] + new_frame[2:]) / 2
    flat = np.concatenate([near[None, :, :2], flat, (center + _CORNER * (new_edge - center))[None]])
    texture = np.concatenate([start[None], texture, edge[None]])
    # Behind the head where the head is; the order among the rings only matters where they overlap.
    depth = -_BEHIND - np.arange(len(flat), dtype=np.float32)[:, None, None] + np.zeros((1, len(near), 1))
    depth[0, :, 0] = near[:, 2]
    points = np.concatenate([flat, depth], axis=2).astype(np.float32)
    index = _ring_triangles(len(points), len(near))
    return points.reshape(-1, 3)[index], texture.reshape(-1, 2).astype(np.float32)[index]


@dataclass(frozen=True)
class _Outline:
    """Distance of the outermost vertex from a center, by direction."""

    center: np.ndarray
    radii: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, center: np.ndarray) -> "_Outline":
        away = points - center
        radii = np.zeros(_SECTORS)
        np.maximum.at(radii, cls._sector(away).astype(int) % _SECTORS, np.hypot(away[:, 0], away[:, 1]))
        return cls(center, radii)

    def radius(self, away: np.ndarray) -> np.ndarray:
        """(..., 2) directions of any length -> (...) distance of the outline."""
        place = self._sector(away) - 0.5
        low = np.floor(place)
        share = place - low
        low = low.astype(int) % _SECTORS
        return (1 - share) * self.radii[low] + share * self.radii[(low + 1) % _SECTORS]

    @staticmethod
    def _sector(away: np.ndarray) -> np.ndarray:
        return (np.arctan2(away[..., 1], away[..., 0]) / (2 * np.pi) + 0.5) * _SECTORS


def _leaves(start: np.ndarray, end: np.ndarray, head: np.ndarray) -> np.ndarray:
    """(K, 2) where ways from start to end leave the head's outline, a little before it."""
    center = _middle(head)
    outline = _Outline.of(head, center)
    along = start + _STEPS[:, None, None] * (end - start)
    away = along - center
    inside = np.hypot(away[..., 0], away[..., 1]) < _HIDDEN * outline.radius(away)
    last = np.where(inside, np.arange(len(_STEPS))[:, None], 0).max(axis=0)
    return along[last, np.arange(len(start))]


def _middle(points: np.ndarray) -> np.ndarray:
    return (points[:, :2].max(axis=0) + points[:, :2].min(axis=0)) / 2


def _directions(rim: Rim, roll: float) -> np.ndarray:
    """(K, 2) unit vectors; a positive roll is counterclockwise as seen, a positive angle clockwise."""
    angle = rim.angle - roll
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _edges(
    start: np.ndarray, direction: np.ndarray, frame: np.ndarray, new_frame: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where rays from the start leave the frame, (K, 2), and the same places on the new frame."""
    room = np.maximum(np.where(direction > 0, frame[2:] - start, start - frame[:2]), 0)
    steps = (room / np.maximum(np.abs(direction), 1e-9)).min(axis=1, keepdims=True)
    edge = start + steps * direction
    share = (edge - frame[:2]) / (frame[2:] - frame[:2])
    return edge, new_frame[:2] + share * (new_frame[2:] - new_frame[:2])


def _ring_triangles(rings: int, count: int) -> np.ndarray:
    """(T, 3) indices into (rings * count) points of closed rings."""
    ring, i = np.divmod(np.arange((rings - 1) * count), count)
    a, b = ring * count + i, ring * count + (i + 1) % count
    c, d = a + count, b + count
    return np.concatenate([np.stack([a, b, c], axis=1), np.stack([b, d, c], axis=1)])
