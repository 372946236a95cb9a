"""The background of a head as rings of triangles, from the rim of the head mesh to the edge of the image."""

from dataclasses import dataclass

import numpy as np

from rdrface.geometry.mesh import directed_edges

_SECTORS = 72  # directions in which the outline of the head is sampled
_RINGS = 4  # between the outline of the head and the edge of the image
_START = 0.93  # the background starts behind the head, at this share of the distance from its center to its outline
_STEPS = np.linspace(0, 1, 33)  # sampled positions along a ray
_OUTER_RING = 1.2  # size of the outermost ring in units of the image; it covers the corners between two rays
_DEPTH = 10.0  # depth behind every part of the head, frame units


@dataclass(frozen=True)
class Rim:
    """The open edge of the head mesh: behind the ears and around the neck.

    Attributes:
        vertices: (K,) int, in order around the head.
        angle: (K,) direction of each vertex from the center of the face at roll 0, radians, increasing; x points right
            and y down.
    """

    vertices: np.ndarray
    angle: np.ndarray

    @classmethod
    def of(cls, triangles: np.ndarray, mean: np.ndarray) -> "Rim":
        """Find the rim of a mesh with one opening.

        Args:
            triangles: (F, 3) int.
            mean: (V, 3) vertices, model frame (y up).
        """
        edges = {tuple(edge) for edge in directed_edges(triangles).tolist()}
        # An edge on the border has no triangle on its other side, which would contain it in the opposite direction.
        following = {a: b for a, b in edges if (b, a) not in edges}
        order = [min(following)]
        while following[order[-1]] != order[0]:
            order.append(following[order[-1]])
        vertices = np.array(order)
        away = mean[vertices, :2] - (mean[:, :2].max(axis=0) + mean[:, :2].min(axis=0)) / 2
        angle = np.unwrap(np.arctan2(-away[:, 1], away[:, 0]))
        if angle[-1] < angle[0]:
            vertices, angle = vertices[::-1], np.unwrap(angle[::-1])
        return cls(vertices, np.maximum.accumulate(angle))


def rim_positions(rim: Rim, positions: np.ndarray, roll: float, valid: np.ndarray, distance: float) -> np.ndarray:
    """Positions in the image just outside the head, one for each vertex of the rim.

    Args:
        rim: K vertices.
        positions: (V, 2) float32 packed frame, the vertices of the head in the image.
        roll: roll of the head, radians.
        valid: (4,) xyxy of the image, packed frame.
        distance: distance from the outline of the head, packed frame.

    Returns:
        (K, 2) float32 packed frame, inside the image.
    """
    direction = _directions(rim, roll)
    center = _center(positions)
    radius = _Outline.of(positions, center).radius(direction) + distance
    moved: np.ndarray = (center + radius[:, None] * direction).clip(valid[:2], valid[2:]).astype(np.float32)
    return moved


def background_mesh(
    rim: Rim, start: np.ndarray, after: np.ndarray, roll: float, valid: np.ndarray, new_valid: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Triangles from the rim of a rotated head to the edge of the image. The edge of the image stays at the edge.

    The background is stretched to the space that the rotated head leaves. The stretched background also fills the
    area that the head uncovers, so no part of the face is repeated there.

    Args:
        rim: K vertices.
        start: (K, 2) float32 texture coordinates of the rim, see `rim_positions`.
        after: (V, 3) float32, the rotated head in the new packed frame.
        roll: roll of the head, radians.
        valid: (4,) xyxy of the image, old packed frame.
        new_valid: (4,) xyxy of the image, new packed frame.

    Returns:
        (T, 3, 3) float32 corners of the triangles, new packed frame; (T, 3, 2) float32 texture coordinates.
    """
    direction = _directions(rim, roll)
    edge, new_edge = _image_edge(start, direction, valid, new_valid)
    near = after[rim.vertices]
    exits = _outline_exits(near[:, :2], new_edge, after[:, :2])
    shares = np.linspace(0, 1, _RINGS)[:, None, None]
    texture = (1 - shares) * start + shares * edge
    flat = (1 - shares) * exits + shares * new_edge
    center = (new_valid[:2] + new_valid[2:]) / 2
    flat = np.concatenate([near[None, :, :2], flat, (center + _OUTER_RING * (new_edge - center))[None]])
    texture = np.concatenate([start[None], texture, edge[None]])
    # All rings are behind the head. Their order only matters where they overlap.
    depth = -_DEPTH - np.arange(len(flat), dtype=np.float32)[:, None, None] + np.zeros((1, len(near), 1))
    depth[0, :, 0] = near[:, 2]
    points = np.concatenate([flat, depth], axis=2).astype(np.float32)
    index = _ring_triangles(len(points), len(near))
    return points.reshape(-1, 3)[index], texture.reshape(-1, 2).astype(np.float32)[index]


@dataclass(frozen=True)
class _Outline:
    """Distance of the outermost point from a center, as a function of the direction."""

    center: np.ndarray
    radii: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, center: np.ndarray) -> "_Outline":
        away = points - center
        radii = np.zeros(_SECTORS)
        np.maximum.at(radii, cls._sector(away).astype(int) % _SECTORS, np.hypot(away[:, 0], away[:, 1]))
        return cls(center, radii)

    def radius(self, away: np.ndarray) -> np.ndarray:
        """(...) distance of the outline in the directions `away` (..., 2) of any length."""
        sector = self._sector(away) - 0.5
        low = np.floor(sector)
        share = sector - low
        low = low.astype(int) % _SECTORS
        radius: np.ndarray = (1 - share) * self.radii[low] + share * self.radii[(low + 1) % _SECTORS]
        return radius

    @staticmethod
    def _sector(away: np.ndarray) -> np.ndarray:
        sector: np.ndarray = (np.arctan2(away[..., 1], away[..., 0]) / (2 * np.pi) + 0.5) * _SECTORS
        return sector


def _outline_exits(start: np.ndarray, end: np.ndarray, head: np.ndarray) -> np.ndarray:
    """(K, 2) points slightly before the lines from `start` to `end` leave the outline of the head."""
    center = _center(head)
    outline = _Outline.of(head, center)
    along = start + _STEPS[:, None, None] * (end - start)
    away = along - center
    inside = np.hypot(away[..., 0], away[..., 1]) < _START * outline.radius(away)
    last = np.where(inside, np.arange(len(_STEPS))[:, None], 0).max(axis=0)
    exits: np.ndarray = along[last, np.arange(len(start))]
    return exits


def _center(points: np.ndarray) -> np.ndarray:
    center: np.ndarray = (points[:, :2].max(axis=0) + points[:, :2].min(axis=0)) / 2
    return center


def _directions(rim: Rim, roll: float) -> np.ndarray:
    """(K, 2) unit vectors. A positive roll is counterclockwise as seen, a positive angle is clockwise."""
    angle = rim.angle - roll
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _image_edge(
    start: np.ndarray, direction: np.ndarray, valid: np.ndarray, new_valid: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(K, 2) points where rays from `start` leave the image, and (K, 2) the same points in the new packed frame."""
    space = np.maximum(np.where(direction > 0, valid[2:] - start, start - valid[:2]), 0)
    steps = (space / np.maximum(np.abs(direction), 1e-9)).min(axis=1, keepdims=True)
    edge = start + steps * direction
    share = (edge - valid[:2]) / (valid[2:] - valid[:2])
    return edge, new_valid[:2] + share * (new_valid[2:] - new_valid[:2])


def _ring_triangles(rings: int, count: int) -> np.ndarray:
    """(T, 3) indices into (rings * count) points that form closed rings."""
    ring, i = np.divmod(np.arange((rings - 1) * count), count)
    a, b = ring * count + i, ring * count + (i + 1) % count
    c, d = a + count, b + count
    return np.concatenate([np.stack([a, b, c], axis=1), np.stack([b, d, c], axis=1)])
