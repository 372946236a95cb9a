"""Where a set's annotators put the jawline, as seen by a trained network:
``python -m rdrface.morphable.jawline DIR --weights W --out FILE``.

`rdrface.morphable.slide` places the 17 jawline points with faces that are fitted to the jawlines themselves: what is
left then is what the face model cannot express. A network is trained on visible outlines, and the jaw that it infers
behind a cheek has errors of its own, the same on most faces. Here the points slide along the surface to their mean
residual on the network's faces instead. Nothing else of the face model moves, and nothing of the network.

The set is the part of AFLW2000-3D that is set aside for this and for reading the final figures.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from rdrface.aligner import Aligner, load
from rdrface.data.readers import read_aflw2000
from rdrface.data.records import FaceRecords
from rdrface.landmarks import CONTOUR, COUNT
from rdrface.morphable import anatomy
from rdrface.morphable.build import Anatomy, assemble
from rdrface.morphable.build_source import data_folder
from rdrface.morphable.landmark_file import JAWLINE_FILE, LANDMARK_FILE, write_landmarks
from rdrface.morphable.model import FaceModel
from rdrface.morphable.schemes import LandmarkModel
from rdrface.morphable.slide import allowed_triangles, mean_offsets, slid, triangle_normals

ROUNDS = 6
"""Slides follow the curved surface in steps."""


def predicted(records: FaceRecords, aligner: Aligner) -> FaceRecords:
    """The records with the network's Q (photo frame) in place of a fitted one."""
    faces = [aligner.align(str(image), records.box[i : i + 1])[0] for i, image in enumerate(records.image.tolist())]
    q = [np.concatenate([face.parameters.identity, face.parameters.pose, face.parameters.expression]) for face in faces]
    return replace(records, Q=np.stack(q).astype(np.float32))


def with_points(records: FaceRecords, model: FaceModel) -> FaceRecords:
    """The records with outline and jawline of their Q on a face model."""
    if records.Q is None:
        raise ValueError("with_points needs records with Q")
    outline, jawline = LandmarkModel.from_face_model(model).outline68(records.Q)
    return replace(records, outline=outline[..., :2], jawline=jawline[..., :2])


def jawline_error(records: FaceRecords) -> np.ndarray:
    """(N,) mean distance of the 17 jawline points from the labels, percent of sqrt(w h) of the labels' box."""
    if records.jawline is None:
        raise ValueError("jawline_error needs records with points")
    side = np.sqrt(np.ptp(records.points, axis=1).prod(axis=1))
    distance = np.linalg.norm(records.jawline - records.points, axis=-1)[:, CONTOUR]
    return 100 * distance.mean(axis=1) / side


def calibrate(records: FaceRecords, body: Anatomy, folder: Path, start: Path, out: Path, rounds: int = ROUNDS) -> None:
    """Slide the jawline points of `start`, a landmark file, to where the labels of `records` (with Q) have them."""
    triangles = body.mesh.triangles
    home = anatomy.place_landmarks(body.mean, triangles, body.mesh.mirror, body.skin)
    allowed = allowed_triangles(body, folder)
    model = assemble(body, folder, start)
    inner = model.points["ibug68"]
    for turn in range(rounds):
        points = model.points["ibug68"]
        records = with_points(records, model)
        print(f"round {turn}: jawline {jawline_error(records).mean():.2f} %", flush=True)
        normals = triangle_normals(body.mean, triangles)[points.triangle]
        offsets = np.zeros((COUNT, 3))
        offsets[CONTOUR] = mean_offsets(records, np.ones((len(records), COUNT), bool), normals)[CONTOUR]
        points = slid(points, offsets, body, home, allowed)
        # The inner points stay to the last digit.
        points.triangle[17:], points.barycentric[17:] = inner.triangle[17:], inner.barycentric[17:]
        # The parallel lines stay: a network has learnt where they lie.
        model = replace(model, points=model.points | {"ibug68": points})
        write_landmarks(out, points, triangles, body.mesh.kept)
    print(f"at the end: jawline {jawline_error(with_points(records, model)).mean():.2f} %; written to {out}")


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m rdrface.morphable.jawline", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="calibration part of AFLW2000-3D")
    parser.add_argument("--weights", type=Path, help="of the network (default: the shipped ones)")
    parser.add_argument("--start", type=Path, default=LANDMARK_FILE, help="landmark file to go on from")
    parser.add_argument("--out", type=Path, default=JAWLINE_FILE)
    options = parser.parse_args(arguments)
    records = predicted(read_aflw2000(options.folder), load(options.weights))
    calibrate(records, Anatomy.prepare(data_folder()), data_folder(), options.start, options.out)


if __name__ == "__main__":
    main()
