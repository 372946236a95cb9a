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
        content = obj_bytes(vertices, triangles, uv)
    elif suffix == ".ply":
        content = ply_bytes(vertices, triangles)
    else:
        advice = "; for GLB use `rdrface.scene.write_glb`" if suffix in (".glb", ".gltf") else ""
        raise ValueError(
            f"the name of a mesh file must end in {' or '.join('.' + f for f in FORMATS)}; got {path.name}{advice}"
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


def obj_bytes(
    vertices: np.ndarray,
    triangles: np.ndarray,
    uv: np.ndarray | None = None,
    normals: np.ndarray | None = None,
    material: tuple[str, str] | None = None,
) -> bytes:
    """Content of an OBJ file.

    Args:
        vertices: (V, 3), y up.
        triangles: (F, 3) int, indices of vertices.
        uv: (V, 2) texture coordinates, v up.
        normals: (V, 3).
        material: name of the .mtl file and of the material in it.

    Raises:
        ValueError: the shape of `uv` or `normals` does not fit.
    """
    lines = ["# x right, y up, z towards the viewer"]
    lines += [] if material is None else [f"mtllib {material[0]}"]
    lines += [f"v {x:.4f} {y:.4f} {z:.4f}" for x, y, z in vertices.tolist()]
    if uv is not None:
        if np.shape(uv) != (len(vertices), 2):
            raise ValueError(f"uv must have shape ({len(vertices)}, 2); got {np.shape(uv)}")
        lines += [f"vt {u:.5f} {v:.5f}" for u, v in np.asarray(uv).tolist()]
    if normals is not None:
        if np.shape(normals) != (len(vertices), 3):
            raise ValueError(f"normals must have shape ({len(vertices)}, 3); got {np.shape(normals)}")
        lines += [f"vn {x:.4f} {y:.4f} {z:.4f}" for x, y, z in np.asarray(normals).tolist()]
    lines += [] if material is None else [f"usemtl {material[1]}"]
    # A corner is "vertex", "vertex/uv", "vertex//normal" or "vertex/uv/normal"; OBJ counts from 1.
    corner = "{0}" + ("/{0}" if uv is not None else "/" if normals is not None else "")
    corner += "/{0}" if normals is not None else ""
    corners = [corner.format(i) for i in range(1, len(vertices) + 1)]
    lines += [f"f {corners[a]} {corners[b]} {corners[c]}" for a, b, c in triangles.tolist()]
    # A file name that is not UTF-8 keeps its bytes.
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def ply_bytes(
    vertices: np.ndarray, triangles: np.ndarray, normals: np.ndarray | None = None, colors: np.ndarray | None = None
) -> bytes:
    """Content of a binary PLY file.

    Args:
        vertices: (V, 3), y up.
        triangles: (F, 3) int, indices of vertices.
        normals: (V, 3).
        colors: (V, 3) uint8 RGB.
    """
    fields: list[tuple[str, str, np.ndarray]] = [
        (name, "<f4", vertices[:, i]) for i, name in enumerate(("x", "y", "z"))
    ]
    if normals is not None:
        fields += [(name, "<f4", normals[:, i]) for i, name in enumerate(("nx", "ny", "nz"))]
    if colors is not None:
        fields += [(name, "u1", colors[:, i]) for i, name in enumerate(("red", "green", "blue"))]
    properties = "".join(f"property {'uchar' if kind == 'u1' else 'float'} {name}\n" for name, kind, _ in fields)
    header = (
        "ply\nformat binary_little_endian 1.0\ncomment x right, y up, z towards the viewer\n"
        f"element vertex {len(vertices)}\n{properties}"
        f"element face {len(triangles)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    rows = np.empty(len(vertices), dtype=[(name, kind) for name, kind, _ in fields])
    for name, _, values in fields:
        rows[name] = values
    faces = np.empty(len(triangles), dtype=[("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, triangles
    return header.encode("ascii") + rows.tobytes() + faces.tobytes()
