"""The 3D face model: mean, identity and expression bases, triangles, and named points on the surface."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from rdrface.errors import DataError
from rdrface.files import write_aside
from rdrface.morphable.blend import blend

PACKAGED = Path(__file__).parent / "data" / "face_model.safetensors"
FORMAT = "rdrface-face-model-1"

FACE_MODEL_TOLERANCE = 1.0
"""Largest accepted difference in mm between the packaged face model and the one that weights were trained with: two
builds of the same data differ slightly."""

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
    """Points on the surface of the face, independent of its shape.

    Attributes:
        triangle: (N,) int32, indices of the model's triangles.
        barycentric: (N, 3) float32, weights of the triangles' corners; each row sums to 1.
    """

    triangle: np.ndarray
    barycentric: np.ndarray

    def __len__(self) -> int:
        return len(self.triangle)


@dataclass(frozen=True)
class PointModel:
    """The face model reduced to N points.

    Attributes:
        mean: (N, 3) float32 mm.
        identity_basis: (50, N, 3) float32 mm per standard deviation.
        expression_basis: (46, N, 3) float32 mm at strength 1.
    """

    mean: np.ndarray
    identity_basis: np.ndarray
    expression_basis: np.ndarray

    def shape(self, alpha_id: np.ndarray, alpha_exp: np.ndarray) -> np.ndarray:
        """Points of faces, (B, N, 3) mm, from coefficients `alpha_id` (B, 50) and `alpha_exp` (B, 46)."""
        points: np.ndarray = blend(self.mean, self.identity_basis, self.expression_basis, alpha_id, alpha_exp)
        return points


@dataclass(frozen=True)
class FaceModel:
    """A linear 3D face: ``mean + alpha_id * identity_basis + alpha_exp * expression_basis``.

    Frame: millimeters; for a frontal face x points to the right of the image, y up, z towards the viewer. The origin is
    the centroid of the mean face's 68 landmarks, contour on the jawline. The mean face is neutral and exactly
    symmetric; its pupils are 63 mm apart.

    Attributes:
        mean: (V, 3) float32 mm.
        identity_basis: (50, V, 3) float32 mm; coefficients have unit variance over the adults
            that the model was built from.
        expression_basis: (46, V, 3) float32 mm; coefficients nominally in [0, 1].
        triangles: (F, 3) int32, counterclockwise seen from outside.
        uv: (V, 2) float32 texture coordinates.
        expression_names: 46 blendshape names of ARKit; Left and Right are the person's.
        mirror_vertices: (V,) int32, the mirror image of each vertex.
        identity_mirror: (50,) float32, +-1: the mirrored face has identity ``alpha_id * identity_mirror``.
        expression_mirror: (46,) int32: the mirrored face has expression ``alpha_exp[expression_mirror]``.
        points: surface points by annotation scheme, see `rdrface.morphable.schemes`.
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
        """Read a face model; by default the packaged one.

        Raises:
            DataError: the file is missing, damaged, or not a face model.
        """
        path = PACKAGED if path is None else Path(path)
        if not path.is_file():
            raise DataError(
                f"there is no face model at {path}; build the packaged one with: python -m rdrface.model_building.build"
            )
        try:
            with safe_open(path, framework="numpy") as file:
                metadata = json.loads((file.metadata() or {}).get("rdrface", "{}"))
                if metadata.get("format") != FORMAT:
                    raise DataError(
                        f"{path} is not a face model: expected format {FORMAT!r}, got {metadata.get('format')!r}"
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
        """Write the model as safetensors. Bases are stored as float16, which changes shapes by up to 0.01 mm."""
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
        # safetensors writes the entries of the metadata in random order: a single entry makes the file reproducible.
        content = save(dict(sorted(tensors.items())), metadata={"rdrface": json.dumps(metadata)})
        with write_aside(path) as partial:
            partial.write_bytes(content)

    def shape(self, alpha_id: np.ndarray, alpha_exp: np.ndarray) -> np.ndarray:
        """Vertices of faces, (B, V, 3) mm, from coefficients `alpha_id` (B, 50) and `alpha_exp` (B, 46)."""
        vertices: np.ndarray = blend(self.mean, self.identity_basis, self.expression_basis, alpha_id, alpha_exp)
        return vertices

    def corners(self, points: SurfacePoints) -> tuple[PointModel, PointModel, PointModel]:
        """Point models of the first, second and third corners of the triangles under `points`."""
        at = [self.triangles[points.triangle, i] for i in range(3)]
        a, b, c = (PointModel(self.mean[i], self.identity_basis[:, i], self.expression_basis[:, i]) for i in at)
        return a, b, c

    def reduced(self, points: SurfacePoints) -> PointModel:
        """The face model reduced to `points`."""
        weights = points.barycentric
        corners = self.corners(points)

        def mix(name: str) -> np.ndarray:
            return np.asarray(sum(weights[:, i, None] * getattr(corners[i], name) for i in range(3)), np.float32)

        return PointModel(mix("mean"), mix("identity_basis"), mix("expression_basis"))
