"""Mesh files: Wavefront OBJ and Stanford PLY.

In the files, y points up and z towards the viewer, as other programs expect: the face is upright and looks out of the
screen. In images y points down, so y is negated by default. The triangles are then counterclockwise as seen from
outside.
"""

from pathlib import Path

import numpy as np

from rdrface.files import write_aside

FORMATS = ("obj", "ply")


def write_mesh(
    path: Path | str, vertices: np.ndarray, triangles: np.ndarray, uv: np.ndarray | None = None, *, y_down: bool = True
) -> None:
    """Write a mesh file; an existing file is replaced once the new one is complete.

    Args:
        path: ``NAME.obj``, or ``NAME.ply`` for binary PLY.
        vertices: (V, 3).
        triangles: (F, 3) int, indices of vertices.
        uv: (V, 2) texture coordinates; written to OBJ only.
        y_down: the y axis of `vertices` points down, as in `Face.mesh`, so y is negated in the file.

    Raises:
        ValueError: another suffix, wrong shapes, vertices that are not finite, or indices without a vertex.
        DataError: the folder does not exist, or the file cannot be written.
    """
    path = Path(path)
    vertices, triangles = _check(vertices, triangles)
    if y_down:
        vertices = vertices * np.array([1, -1, 1], np.float32)
    suffix = path.suffix.lower()
    if suffix == ".obj":
        content = _obj(vertices, triangles, uv)
    elif suffix == ".ply":
        content = _ply(vertices, triangles)
    else:
        raise ValueError(
            f"the name of a mesh file must end in {' or '.join('.' + f for f in FORMATS)}; got {path.name}"
        )
    with write_aside(path) as partial:
        partial.write_bytes(content)


def _check(vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    vertices, triangles = np.asarray(vertices, np.float32), np.asarray(triangles, np.int32)
    if vertices.ndim != 2 or vertices.shape[1] != 3 or not np.isfinite(vertices).all():
        raise ValueError(f"vertices must be finite and have shape (V, 3); got shape {vertices.shape}")
    if triangles.ndim != 2 or triangles.shape[1] != 3:
        raise ValueError(f"triangles must have shape (F, 3); got {triangles.shape}")
    if triangles.size and (triangles.min() < 0 or triangles.max() >= len(vertices)):
        raise ValueError(f"triangles use vertex {int(triangles.max())}, but there are only {len(vertices)} vertices")
    return vertices, triangles


def _obj(vertices: np.ndarray, triangles: np.ndarray, uv: np.ndarray | None) -> bytes:
    lines = ["# x right, y up, z towards the viewer"]
    lines += [f"v {x:.4f} {y:.4f} {z:.4f}" for x, y, z in vertices.tolist()]
    # OBJ counts from 1.
    if uv is None:
        lines += [f"f {a} {b} {c}" for a, b, c in (triangles + 1).tolist()]
    else:
        if np.shape(uv) != (len(vertices), 2):
            raise ValueError(f"uv must have shape ({len(vertices)}, 2); got {np.shape(uv)}")
        lines += [f"vt {u:.5f} {v:.5f}" for u, v in np.asarray(uv).tolist()]
        lines += [f"f {a}/{a} {b}/{b} {c}/{c}" for a, b, c in (triangles + 1).tolist()]
    return ("\n".join(lines) + "\n").encode("ascii")


def _ply(vertices: np.ndarray, triangles: np.ndarray) -> bytes:
    header = (
        "ply\nformat binary_little_endian 1.0\ncomment x right, y up, z towards the viewer\n"
        f"element vertex {len(vertices)}\nproperty float x\nproperty float y\nproperty float z\n"
        f"element face {len(triangles)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    faces = np.empty(len(triangles), dtype=[("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, triangles
    return header.encode("ascii") + vertices.astype("<f4").tobytes() + faces.tobytes()
