"""The 3D face model: mean, identity and expression bases, triangles, and named points on the surface."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from rdrface.errors import DataError
from rdrface.morphable.blend import blend

PACKAGED = Path(__file__).parent / "data" / "face_model.safetensors"
FORMAT = "rdrface-face-model-1"

FACE_MODEL_TOLERANCE = 1.0
"""mm. The face model that weights were trained with and the packaged one may differ by this much, as two builds do."""

_ARRAYS = {
    "mean": np.float32,
    "identity_basis": np.float32,
    "expression_basis": np.float32,
    "triangles": np.int32,
    "uv": np.float32,
    "mirror_vertices": np.int32,
    "identity_mirror": np.float32,
    "expression_mirror": np.int32,
}


@dataclass(frozen=True)
class SurfacePoints:
    """Points on the surface of the face, whatever its shape.

    Attributes:
        triangle: (N,) int32, index into the model's triangles.
        barycentric: (N, 3) float32, weights of the triangle's three corners; each row sums to 1.
    """

    triangle: np.ndarray
    barycentric: np.ndarray

    def __len__(self) -> int:
        return len(self.triangle)


@dataclass(frozen=True)
class PointModel:
    """The face model at N points only.

    Attributes:
        mean: (N, 3) float32 mm.
        identity_basis: (50, N, 3) float32 mm per standard deviation.
        expression_basis: (46, N, 3) float32 mm at strength 1.
    """

    mean: np.ndarray
    identity_basis: np.ndarray
    expression_basis: np.ndarray

    def shape(self, alpha_id: np.ndarray, alpha_exp: np.ndarray) -> np.ndarray:
        """(B, N, 3) mm: the points of faces with coefficients `alpha_id` (B, 50) and `alpha_exp` (B, 46)."""
        return blend(self.mean, self.identity_basis, self.expression_basis, alpha_id, alpha_exp)


@dataclass(frozen=True)
class FaceModel:
    """A linear 3D face: ``mean + alpha_id * identity_basis + alpha_exp * expression_basis``.

    Frame: millimeters, x to the right of the picture when the face looks at us, y up, z towards the viewer; the origin
    is the centroid of the mean face's 68 jawline points. The mean face is neutral, exactly symmetric, and its pupils
    are 63 mm apart.

    Attributes:
        mean: (V, 3) float32 mm.
        identity_basis: (50, V, 3) float32 mm; coefficients have unit variance over the adults it was built from.
        expression_basis: (46, V, 3) float32 mm; coefficients nominally in [0, 1].
        triangles: (F, 3) int32, counterclockwise seen from outside.
        uv: (V, 2) float32 texture coordinates.
        expression_names: 46 names, those of ARKit; Left and Right are the subject's, as there.
        mirror_vertices: (V,) int32, the vertex on the other side.
        identity_mirror: (50,) float32 of +-1: the mirrored face has identity ``alpha_id * identity_mirror``.
        expression_mirror: (46,) int32: the mirrored face has expression ``alpha_exp[expression_mirror]``.
        points: named points on the surface, see `rdrface.morphable.schemes`.
    """

    mean: np.ndarray
    identity_basis: np.ndarray
    expression_basis: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    expression_names: tuple[str, ...]
    mirror_vertices: np.ndarray
    identity_mirror: np.ndarray
    expression_mirror: np.ndarray
    points: dict[str, SurfacePoints]

    @classmethod
    def load(cls, path: str | Path | None = None) -> "FaceModel":
        """Read a face model; the packaged one without a `path`.

        Raises:
            DataError: the file is missing, damaged, or not a face model.
        """
        path = PACKAGED if path is None else Path(path)
        if not path.is_file():
            raise DataError(
                f"no face model at {path}; build the packaged one with: python -m rdrface.model_building.build"
            )
        try:
            with safe_open(path, framework="numpy") as file:
                metadata = json.loads((file.metadata() or {}).get("rdrface", "{}"))
                if metadata.get("format") != FORMAT:
                    raise DataError(
                        f"{path} is not a face model: want format {FORMAT!r}, got {metadata.get('format')!r}"
                    )
                arrays = {name: file.get_tensor(name).astype(kind) for name, kind in _ARRAYS.items()}
                points = {
                    key.removeprefix("points.").removesuffix(".triangle"): SurfacePoints(
                        file.get_tensor(key), file.get_tensor(key.replace(".triangle", ".barycentric"))
                    )
                    for key in sorted(file.keys())
                    if key.startswith("points.") and key.endswith(".triangle")
                }
        except SafetensorError as error:
            raise DataError(f"{path} is damaged or not a face model: {error}") from error
        return cls(**arrays, expression_names=tuple(metadata["expression_names"]), points=points)

    def save(self, path: str | Path) -> None:
        """Write the model as safetensors; the bases as float16: what is read again can differ by 0.01 mm."""
        tensors = {name: np.ascontiguousarray(getattr(self, name), kind) for name, kind in _ARRAYS.items()}
        for name in ("identity_basis", "expression_basis"):
            tensors[name] = tensors[name].astype(np.float16)
        for name, surface in self.points.items():
            tensors[f"points.{name}.triangle"] = np.ascontiguousarray(surface.triangle, np.int32)
            tensors[f"points.{name}.barycentric"] = np.ascontiguousarray(surface.barycentric, np.float32)
        metadata = {
            "format": FORMAT,
            "expression_names": self.expression_names,
            "license": "CC0-1.0 data of MakeHuman (mpfb2) and faceunits01",
        }
        # One entry, since safetensors writes several in random order; the same model must give the same bytes.
        content = save(dict(sorted(tensors.items())), metadata={"rdrface": json.dumps(metadata)})
        Path(path).write_bytes(content)

    def shape(self, alpha_id: np.ndarray, alpha_exp: np.ndarray) -> np.ndarray:
        """(B, V, 3) mm: vertices of faces with coefficients `alpha_id` (B, 50) and `alpha_exp` (B, 46)."""
        return blend(self.mean, self.identity_basis, self.expression_basis, alpha_id, alpha_exp)

    def corners(self, points: SurfacePoints) -> tuple[PointModel, PointModel, PointModel]:
        """The models of the three corners of each point's triangle; their cross product is the surface normal."""
        at = [self.triangles[points.triangle, i] for i in range(3)]
        a, b, c = (PointModel(self.mean[i], self.identity_basis[:, i], self.expression_basis[:, i]) for i in at)
        return a, b, c

    def reduced(self, points: SurfacePoints) -> PointModel:
        """The face model at `points` only."""
        weights = points.barycentric
        corners = self.corners(points)

        def mix(name: str) -> np.ndarray:
            return np.asarray(sum(weights[:, i, None] * getattr(corners[i], name) for i in range(3)), np.float32)

        return PointModel(mix("mean"), mix("identity_basis"), mix("expression_basis"))
