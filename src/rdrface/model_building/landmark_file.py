"""Where the 68 points lie, as text: per point three vertices of MakeHuman's base mesh and their weights.

Base mesh numbers do not change when the cut of the face does, so that learned places survive a change of the build.
"""

from pathlib import Path

import numpy as np

from rdrface.errors import DataError
from rdrface.model_building.mesh import FaceMesh
from rdrface.morphable.model import SurfacePoints

LANDMARK_FILE = Path(__file__).parent / "landmarks.csv"
HEADER = "landmark,vertex_a,vertex_b,vertex_c,weight_a,weight_b,weight_c"


def read_landmarks(path: Path, mesh: FaceMesh) -> SurfacePoints:
    """The 68 points on a cut mesh.

    Raises:
        DataError: the file is of another kind, or names triangles that the mesh does not have.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0] != HEADER or len(lines) != 69:
        raise DataError(
            f"{path}: want the header {HEADER!r} and 68 rows; write it with rdrface.model_building.learn_landmarks"
        )
    number = {tuple(sorted(row)): i for i, row in enumerate(mesh.kept[mesh.triangles].tolist())}
    triangle, weights = [], []
    for line in lines[1:]:
        fields = line.split(",")
        vertices = [int(x) for x in fields[1:4]]
        found = number.get(tuple(sorted(vertices)))
        if found is None:
            raise DataError(f"{path}: landmark {fields[0]} lies on a triangle {vertices} that is not on the cut mesh")
        by_vertex = dict(zip(vertices, (float(x) for x in fields[4:7]), strict=True))
        row = np.array([by_vertex[v] for v in mesh.kept[mesh.triangles[found]].tolist()])
        triangle.append(found)
        weights.append(row / row.sum())
    return SurfacePoints(np.array(triangle, np.int32), np.array(weights, np.float32))


def write_landmarks(path: Path, points: SurfacePoints, triangles: np.ndarray, kept: np.ndarray) -> None:
    """Write the 68 points; `triangles` (F, 3) and `kept` (V,) are those of the mesh the points lie on."""
    rows = [HEADER]
    for k in range(len(points)):
        vertices = kept[triangles[points.triangle[k]]].tolist()
        weights = [f"{w:.6f}" for w in points.barycentric[k]]
        rows.append(",".join([str(k), *map(str, vertices), *weights]))
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
