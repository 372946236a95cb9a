"""`rdrface evaluate`: the tables of a public set, from its official folder and a weights file."""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from rdrface.data.readers import read_set
from rdrface.data.records import FaceRecords
from rdrface.errors import PhotoError
from rdrface.evaluation.plots import draw_set, require_matplotlib
from rdrface.evaluation.predictions import Predictions
from rdrface.evaluation.protocols import aflw2000_3d, merl_rav, w300
from rdrface.evaluation.tables import Table

Protocol = Callable[[FaceRecords, Predictions], list[Table]]

SAME_FACE = 0.3
"""Least overlap (intersection over union) of a detected face's landmark box with the true one. Landmark boxes of one
face overlap far more, those of neighbours in a crowd hardly at all."""

PROTOCOLS: dict[str, Protocol] = {"aflw2000-3d": aflw2000_3d, "merl-rav": merl_rav, "300w": w300}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `rdrface evaluate`."""
    parser.add_argument("set", choices=tuple(PROTOCOLS), help="the public set")
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the set lies, in its official layout")
    parser.add_argument(
        "--boxes",
        choices=("gt", "detector"),
        default="gt",
        help="gt: the boxes of the true landmarks, as most papers do (default); detector: find the faces first",
    )
    parser.add_argument("--weights", type=Path, help="weights to measure (default: the shipped ones)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the tables to FILE")
    parser.add_argument(
        "--plots", type=Path, metavar="DIR", help="also write curves to DIR as PNG files (rdrface[plots])"
    )


def run(args: argparse.Namespace) -> int:
    """Print the tables; 0 when every photo could be read, 1 when some could not.

    Raises:
        RdrError: the set or the weights cannot be read, or --plots has no matplotlib.
    """
    import rdrface

    if args.plots is not None:
        require_matplotlib()
    records = read_for(args.set, args.folder)
    predictions, unreadable = predict(rdrface.load(args.weights), records, args.boxes)
    missed = np.flatnonzero(~predictions.found)
    for i in missed.tolist():
        image = str(records.image[i])
        print(f"rdrface evaluate: {unreadable.get(image, f'{image}: face not found')}", file=sys.stderr)
    tables = PROTOCOLS[args.set](records, predictions)
    print(f"\n{len(records)} faces, boxes: {'true landmarks' if args.boxes == 'gt' else 'detector'}\n")
    print("\n\n".join(table.to_text() for table in tables))
    if args.json is not None:
        content = {
            "set": args.set,
            "boxes": args.boxes,
            "weights": None if args.weights is None else args.weights.name,
            "faces": len(records),
            "missed": [str(records.image[i]) for i in missed],
            "tables": [table.to_dict() for table in tables],
        }
        args.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    if args.plots is not None:
        for path in draw_set(args.set, records, predictions, args.plots):
            print(f"rdrface evaluate: {path}", file=sys.stderr)
    return 1 if unreadable else 0


def read_for(name: str, folder: Path) -> FaceRecords:
    """The faces that a set's protocol is about: the test part, of 300-W every part that is there."""
    if name == "300w":
        from rdrface.data.readers import read_w300

        return read_w300(folder)
    return read_set(name, folder, "test")


def predict(aligner: Any, records: FaceRecords, boxes: str = "gt") -> tuple[Predictions, dict[str, str]]:
    """Run an aligner on every face of the records.

    Args:
        aligner: `rdrface.Aligner`: its `align(photo, boxes)` or `detect(photo)` gives a list of `rdrface.Face`.
        records: N annotated faces.
        boxes: 'gt' aligns the records' own boxes; 'detector' takes, for every annotated face, the detected face whose
            box overlaps it most, at least by `SAME_FACE`.

    Returns:
        The predictions in the order of the records, NaN where no face was found, and {photo: reason} of the photos that
        could not be read.
    """
    predictions = Predictions.empty(len(records))
    unreadable: dict[str, str] = {}
    faces_of: dict[str, list[int]] = defaultdict(list)
    for i, image in enumerate(records.image.tolist()):
        faces_of[image].append(i)
    # disable=None: no bar where the output is no terminal.
    for image, index in tqdm(faces_of.items(), desc="photos", disable=None):
        try:
            if boxes == "gt":
                pairs = list(zip(index, aligner.align(image, records.box[index]), strict=True))
            else:
                pairs = _matched(index, records.box[index], aligner.detect(image))
        except PhotoError as error:
            unreadable[image] = str(error)
            continue
        for i, face in pairs:
            predictions.landmarks[i] = face.landmarks
            predictions.absolute[i] = face.landmarks_jawline
            predictions.projection[i] = face.projection
            predictions.jawline[i] = face.landmarks_3d[:, :2]
            predictions.visible[i] = face.visible
            predictions.error[i] = face.confidence.error_percent
            predictions.rotation[i] = face.pose.rotation
    return predictions, unreadable


def _matched(index: list[int], true_boxes: np.ndarray, faces: list[Any]) -> list[tuple[int, Any]]:
    # Best overlap first, so that no detected face serves two annotated ones.
    if not faces:
        return []
    # By the boxes that were looked in, not by the landmarks: a badly aligned face is an error, not a missed one.
    overlap = overlaps(true_boxes, np.stack([face.box for face in faces]))
    pairs = []
    while overlap.size and overlap.max() >= SAME_FACE:
        row, column = np.unravel_index(int(overlap.argmax()), overlap.shape)
        pairs.append((index[row], faces[column]))
        overlap[row] = overlap[:, column] = 0
    return pairs


def overlaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(n, m) intersection over union of boxes (n, 4) and (m, 4), xyxy."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = (high - low).clip(0).prod(-1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).clip(0).prod(-1) for boxes in (first, second)]
    return shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9)
