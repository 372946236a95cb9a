"""Text file of the 68 surface points: for each point three vertices of MakeHuman's base mesh and their weights.

The vertices are numbered as in the base mesh, not as in the cut mesh, so the file stays valid when the cut changes.
"""

from pathlib import Path

import numpy as np

from rdrface.errors import DataError
from rdrface.files import read_text, write_aside
from rdrface.landmarks import NUM_LANDMARKS
from rdrface.model_building.mesh import FaceMesh
from rdrface.morphable.model import SurfacePoints

LANDMARK_FILE = Path(__file__).parent / "landmarks.csv"
"""The learned points of the packaged face model."""

HEADER = "landmark,vertex_a,vertex_b,vertex_c,weight_a,weight_b,weight_c"
"""First line of a landmark file."""


def read_landmarks(path: Path, mesh: FaceMesh) -> SurfacePoints:
    """Read the 68 points as surface points of a cut mesh.

    Args:
        path: landmark file.
        mesh: the cut mesh.

    Raises:
        DataError: the file is not a landmark file, or a point is on a triangle that is not part of the mesh.
    """
    lines = read_text(path, "landmark file").splitlines()
    if not lines or lines[0] != HEADER or len(lines) != 1 + NUM_LANDMARKS:
        raise DataError(
            f"{path} is not a landmark file: expected the header {HEADER!r} and 68 rows; write one with "
            "python -m rdrface.model_building.learn_landmarks"
        )
    number = {tuple(sorted(row)): i for i, row in enumerate(mesh.kept[mesh.triangles].tolist())}
    triangle, weights = [], []
    for line in lines[1:]:
        fields = line.split(",")
        vertices = [int(x) for x in fields[1:4]]
        found = number.get(tuple(sorted(vertices)))
        if found is None:
            raise DataError(
                f"{path}: landmark {fields[0]} is on triangle {vertices}, which is not part of the cut mesh; learn the "
                "landmarks again with python -m rdrface.model_building.learn_landmarks"
            )
        by_vertex = dict(zip(vertices, (float(x) for x in fields[4:7]), strict=True))
        row = np.array([by_vertex[v] for v in mesh.kept[mesh.triangles[found]].tolist()])
        triangle.append(found)
        weights.append(row / row.sum())
    return SurfacePoints(np.array(triangle, np.int32), np.array(weights, np.float32))


def write_landmarks(path: Path, points: SurfacePoints, triangles: np.ndarray, kept: np.ndarray) -> None:
    """Write the 68 points.

    Args:
        path: landmark file to write.
        points: the 68 points.
        triangles: (F, 3) vertex indices of the cut mesh.
        kept: (V,) index of each vertex in the base mesh.
    """
    rows = [HEADER]
    for k in range(len(points)):
        vertices = kept[triangles[points.triangle[k]]].tolist()
        weights = [f"{w:.6f}" for w in points.barycentric[k]]
        rows.append(",".join([str(k), *map(str, vertices), *weights]))
    with write_aside(path) as partial:
        partial.write_text("\n".join(rows) + "\n", encoding="utf-8")
