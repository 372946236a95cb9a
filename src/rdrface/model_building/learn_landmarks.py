"""Learn where annotators put the 68 points: ``python -m rdrface.model_building.learn_landmarks --data ROOT --out FILE``.

Alternates fitting many labeled training faces and sliding each inner point along the surface of the mean face to its
mean residual, the same on both sides. Inner points learn from the training parts of MERL-RAV and 300-W only. The
jawline points learn from AFLW2000-3D's jawlines (``--jawline``: the part of it set aside for that), nothing else does.
No point moves further than `FURTHEST` from where anatomy puts it.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from rdrface.datasets.readers import read_aflw2000, read_merl_rav, read_w300
from rdrface.datasets.records import VISIBLE, FaceRecords
from rdrface.fitting import fit_records
from rdrface.geometry.rotation import rotation_matrix
from rdrface.geometry.visibility import facing, occluded_by_mesh
from rdrface.landmarks import CONTOUR, INNER, MIRROR
from rdrface.model_building import anatomy
from rdrface.model_building.build import Anatomy, assemble
from rdrface.model_building.landmark_file import LANDMARK_FILE, write_landmarks
from rdrface.model_building.source import data_folder, read_target
from rdrface.morphable.model import SurfacePoints
from rdrface.morphable.params import POSE, ROTATION, SCALE
from rdrface.morphable.surface import nearest, nearest_on_midline, positions

FURTHEST = 10.0
"""mm: no point moves further from its anatomical place."""

ROBUST = 4.0
"""mm: a face whose residual is much larger than this counts little."""

FLIP = np.array([-1.0, 1.0, 1.0])


def training_faces(root: Path, per_side: int, seed: int = 0) -> FaceRecords:
    """Training faces spread over yaw: `per_side` of each of MERL-RAV's five sides, and of 300-W's parts."""
    rng = np.random.default_rng(seed)
    merl = read_merl_rav(root / "merl_rav", "train")
    chosen = []
    for source in np.unique(merl.source):
        index = np.flatnonzero((merl.source == source) & (np.isfinite(merl.points).all(2).sum(1) >= 12))
        chosen.append(rng.permutation(index)[:per_side])
    parts = [merl.select(np.sort(np.concatenate(chosen)))]
    for part in ("afw", "helen/trainset", "lfpw/trainset"):
        faces = read_w300(root / "300w" / part)
        parts.append(faces.select(np.sort(rng.permutation(len(faces))[: per_side * 2 // 3])))
    return FaceRecords.concat(parts)


def triangle_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(F, 3) outward normals, not of unit length."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    return np.cross(b - a, c - a)


def visible_somewhere(
    points: np.ndarray, vertices: np.ndarray, triangles: np.ndarray, normals: np.ndarray, bias: float
) -> np.ndarray:
    """(N,) bool: does some viewer in front of the face see the points (N, 3) with the given surface normals (N, 3)?"""
    seen = np.zeros(len(points), bool)
    for pitch in (-0.6, -0.3, 0.0, 0.3, 0.6):
        for yaw in (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5):
            pose = np.array([[pitch, yaw, 0, 0, 0, 0, 1]])
            hidden = occluded_by_mesh(points[None], vertices[None], triangles, pose, bias)[0]
            seen |= ~hidden & (facing(normals[None], pose)[0] > 0.15)
    return seen


def allowed_triangles(body: Anatomy, folder: Path) -> np.ndarray:
    """(68, F) bool: where each point may lie. Upper and lower lip touch, so each lip's points keep to their own."""
    triangles = body.mesh.triangles
    centers = body.mean[triangles].mean(1)
    # No mouth sack, no inside of lids.
    outer = visible_somewhere(centers, body.mean, triangles, triangle_normals(body.mean, triangles), 0.5) & body.skin
    outer |= outer[mirror_triangles(triangles, body.mesh.mirror)]
    path = folder / "faceunits01" / "targets" / "faceunits" / "jawOpen.target"
    drop = -read_target(path, body.mesh.kept)[:, 1][triangles].mean(1)
    lower = drop > 0.4 * drop.max()
    allowed = np.repeat(outer[None], 68, axis=0)
    allowed[[49, 50, 51, 52, 53, 61, 62, 63]] &= ~lower
    allowed[[55, 56, 57, 58, 59, 65, 66, 67]] &= lower
    return allowed


def mirror_triangles(triangles: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """(F,) index of each triangle's mirror."""
    number = {tuple(row): i for i, row in enumerate(np.sort(triangles, 1).tolist())}
    return np.array([number[tuple(row)] for row in np.sort(mirror[triangles], 1).tolist()])


def mean_offsets(fitted: FaceRecords, usable: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Where labels lie relative to the fitted points, on average, along the surface.

    Args:
        fitted: N faces after `fit_records`; labels and fitted points of the same contour convention are compared.
        usable: (N, 68) bool, labels that count.
        normals: (68, 3) normals of the mean face.

    Returns:
        (68, 3) mm, tangential, symmetric.
    """
    if fitted.Q is None or fitted.jawline is None or fitted.outline is None:
        raise ValueError("mean_offsets needs fitted records")
    rows = rotation_matrix(fitted.Q[:, POSE][:, ROTATION].astype(np.float64))[:, :2]
    follows = (fitted.contour == "outline")[:, None, None]
    residual = (fitted.points - np.where(follows, fitted.outline, fitted.jawline)) * (1, -1)
    residual = np.where(usable[..., None], residual, 0) / fitted.Q[:, POSE][:, None, [SCALE]]
    weight = usable / (1 + (np.linalg.norm(residual, axis=-1) / ROBUST) ** 2)
    a = np.einsum("nk,nri,nrj->kij", weight, rows, rows)
    b = np.einsum("nk,nri,nkr->ki", weight, rows, residual)
    a, b = a + a[MIRROR] * FLIP[:, None] * FLIP, b + b[MIRROR] * FLIP
    unit = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    project = np.eye(3) - unit[:, :, None] * unit[:, None]
    # Moves along the normal are no slides: a stiff term holds them at nothing.
    stiff = a + (1e3 * np.trace(a, axis1=1, axis2=2)[:, None, None] + 1) * (np.eye(3) - project)
    stiff += 0.02 * np.trace(a, axis1=1, axis2=2)[:, None, None] * np.eye(3) + 1e-9 * np.eye(3)
    return np.einsum(
        "kij,kj->ki", project, np.linalg.solve(stiff, np.einsum("kij,kj->ki", project, b)[..., None])[..., 0]
    )


def slid(
    points: SurfacePoints, offsets: np.ndarray, body: Anatomy, home: SurfacePoints, allowed: np.ndarray
) -> SurfacePoints:
    """The points moved by `offsets` (68, 3) mm on the mean face: symmetric, in sight, not too far from `home`.

    A point that would go out of sight moves half as far, or not at all, or starts again from `home`.
    """
    triangles, mirror = body.mesh.triangles, body.mesh.mirror
    origin = positions(body.mean, triangles, home)
    chosen = home
    for share in (0.0, 0.5, 1.0):
        away = positions(body.mean, triangles, points) + share * offsets - origin
        far = np.linalg.norm(away, axis=1, keepdims=True)
        wanted = origin + away * np.minimum(1, FURTHEST / np.maximum(far, 1e-9))
        found = [
            (nearest_on_midline if MIRROR[k] == k else nearest)(body.mean, triangles, wanted[k : k + 1], allowed[k])
            for k in range(68)
        ]
        triangle = np.concatenate([p.triangle for p in found])
        moved = SurfacePoints(triangle, np.concatenate([p.barycentric for p in found]))
        at = positions(body.mean, triangles, moved)
        seen = visible_somewhere(at, body.mean, triangles, triangle_normals(body.mean, triangles)[triangle], 1.0)
        chosen = SurfacePoints(
            np.where(seen, moved.triangle, chosen.triangle),
            np.where(seen[:, None], moved.barycentric, chosen.barycentric),
        )
    return anatomy.symmetrized(chosen, triangles, mirror)


def slide(
    body: Anatomy,
    folder: Path,
    faces: FaceRecords,
    jawlines: FaceRecords | None,
    rounds: int,
    start: Path | None,
    out: Path,
) -> None:
    """Learn the 68 points; see the module. `start`: a landmark file to go on from, None for anatomy; `out`: written
    after every round."""
    triangles, mirror = body.mesh.triangles, body.mesh.mirror
    home = anatomy.place_landmarks(body.mean, triangles, mirror, body.skin)
    allowed = allowed_triangles(body, folder)
    model = assemble(body, folder, start)
    for turn in range(rounds):
        points = model.points["ibug68"]
        normals = triangle_normals(body.mean, triangles)[points.triangle]
        offsets = np.zeros((68, 3))
        fitted = fit_records(faces, model)
        usable = np.isfinite(faces.points).all(2) & ((faces.state == VISIBLE) | (faces.state == 0))
        usable &= ~np.asarray(fitted.hidden, bool)
        offsets[INNER] = mean_offsets(fitted, usable, normals)[INNER]
        if jawlines is not None:
            fitted_jaws = fit_records(jawlines, model)
            offsets[CONTOUR] = mean_offsets(fitted_jaws, np.ones((len(jawlines), 68), bool), normals)[CONTOUR]
        residual = float(np.median(np.asarray(fitted.residual)))
        jaw = f", of jawlines {np.median(np.asarray(fitted_jaws.residual)):.3f} %" if jawlines is not None else ""
        size = np.linalg.norm(offsets, axis=1)
        slides = f"mean slide {size.mean():.2f} mm, largest {size.max():.2f} (point {size.argmax()})"
        print(f"round {turn}: median residual {residual:.3f} %{jaw}; {slides}", flush=True)
        points = slid(points, offsets * 1.3, body, home, allowed)
        model = replace(model, points=body.all_points(points))
        write_landmarks(out, points, triangles, body.mesh.kept)
    moved = positions(body.mean, triangles, model.points["ibug68"]) - positions(body.mean, triangles, home)
    for k in [*range(8, 17), *range(22, 31), 33, 34, 35, *range(42, 48), *range(51, 58), *range(62, 67)]:
        print(f"point {k}: moved by {np.round(moved[k], 1).tolist()} mm")


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m rdrface.model_building.learn_landmarks", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with merl_rav and 300w")
    parser.add_argument("--jawline", type=Path, help="calibration part of AFLW2000-3D")
    parser.add_argument("--out", type=Path, default=LANDMARK_FILE)
    parser.add_argument("--start", type=Path, help="landmark file to go on from (anatomy)")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--faces-per-side", type=int, default=400)
    options = parser.parse_args(arguments)
    folder = data_folder()
    body = Anatomy.prepare(folder)
    faces = training_faces(options.data, options.faces_per_side)
    jawlines = read_aflw2000(options.jawline) if options.jawline else None
    slide(body, folder, faces, jawlines, options.rounds, options.start, options.out)


if __name__ == "__main__":
    main()
