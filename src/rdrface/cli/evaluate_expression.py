"""`rdrface evaluate expression`: the expression coefficients on any set with 68 points."""

import argparse
from pathlib import Path
from typing import Any, Literal

import numpy as np

from rdrface._version import __version__
from rdrface.datasets.annotations import Annotations
from rdrface.datasets.readers import read_set
from rdrface.datasets.readers.layout import set_in
from rdrface.datasets.records import FaceRecords
from rdrface.errors import ConfigError, DataError
from rdrface.evaluation.predictions.aligning import run_aligner
from rdrface.evaluation.predictions.matching import relative
from rdrface.evaluation.predictions.mirroring import MirroringAligner
from rdrface.evaluation.predictions.own_run import chosen_boxes, name_missed, run_description
from rdrface.evaluation.protocols import expression
from rdrface.evaluation.protocols.sets import own68
from rdrface.evaluation.report.json_report import write_report
from rdrface.evaluation.tables.tables import Table
from rdrface.face import packaged_model
from rdrface.morphable.params import POSE, YAW

Split = Literal["train", "test"]

NAME = "expression"
"""Its name on the command line, where a set's name stands otherwise."""

_OTHERS = ("predictions", "method", "labels", "poses", "plots", "record", "faces")
"""Options of the sets that mean nothing here."""


def run(args: argparse.Namespace) -> int:
    """Print the tables; 0 when every photo could be read, 1 when some could not.

    Raises:
        RdrError: the set, the weights or a file cannot be read, or an option is of the other sets.
    """
    import rdrface

    for option in _OTHERS:
        if getattr(args, option):
            raise ConfigError(f"--{option} does not go with `rdrface evaluate {NAME}`; leave it out")
    if args.json is not None and not args.json.absolute().parent.is_dir():
        raise ConfigError(f"cannot write {args.json}: its folder does not exist; make it first")
    records = read_records(args.folder, args.format, args.split)
    annotations = Annotations.of(records)
    boxes, named = chosen_boxes(args.boxes)
    how = run_description(named, args.weights)
    aligner = rdrface.load(args.weights)
    model = packaged_model()
    predictions, unreadable = run_aligner(aligner, annotations, own68, boxes)
    name_missed(annotations, predictions, unreadable)
    mirrored = None
    if args.mirror:
        mirrored, _ = run_aligner(MirroringAligner(aligner, model), annotations, own68, boxes)
    measured = expression.measure(
        annotations, predictions, model.expression_names, mirrored, _yaw(records), records.eye_aspect
    )
    tables = expression.tables(measured)
    part = str(records.split[0])
    print(f"\nExpression: {len(annotations)} faces of the {part} part, {how['said']}\n")
    print("\n\n".join(table.to_text() for table in tables))
    if args.json is not None:
        write_report(args.json, _report(args.folder, annotations, measured, tables, {"part": part, **how}))
    return 1 if unreadable else 0


def read_records(path: Path, layout: str | None = None, split: Split | None = None) -> FaceRecords:
    """One part of a set, from its folder or from a file of records.

    Args:
        path: a set's folder in its official layout, or an .npz of `rdrface fit`.
        layout: the set's name; None finds it out from the folder.
        split: which part; None is the test part, or the train part where there is no test part.

    Raises:
        ConfigError: a layout for a file.
        DataError: the folder or file cannot be read or holds no faces of that part.
    """
    if split is None:
        try:
            return read_records(path, layout, "test")
        except DataError:
            return read_records(path, layout, "train")
    if not path.exists() and path.suffix == ".npz":
        raise DataError(f"there is no file {path}; wanted a set's folder, or records that `rdrface fit` wrote")
    if not path.is_file():
        return read_set(set_in(path) if layout is None else layout, path, split)
    if layout is not None:
        raise ConfigError(f"{path} is a file; --format is for folders, leave it out")
    records = FaceRecords.load(path)
    records = records.select(records.split == split)
    if not len(records):
        raise DataError(f"{path} holds no {split} faces; choose the other part with --split")
    return records


def _yaw(records: FaceRecords) -> np.ndarray | None:
    # Degrees, of the fitted face, else of the set's own pose.
    if records.Q is not None:
        return np.degrees(records.Q[:, POSE][:, YAW].astype(np.float64))
    return None if records.pose is None else np.degrees(records.pose[:, YAW].astype(np.float64))


def _report(
    root: Path,
    annotations: Annotations,
    measured: expression.MeasuredExpressions,
    tables: list[Table],
    how: dict[str, Any],
) -> dict[str, Any]:
    """One object for JSON: how it was measured, every face, every table."""
    found = measured.predictions.found
    base = root if root.is_dir() else root.parent
    faces = []
    for i, image in enumerate(annotations.image.tolist()):
        face: dict[str, Any] = {
            "image": relative(image, base),
            "source": str(annotations.source[i]),
            "found": bool(found[i]),
            "labels": {
                "eye_aspect": _plain(measured.labels.aspect[i]),
                "lip_gap": _plain(measured.labels.lip_gap[i]),
                "mouth_width": _plain(measured.labels.mouth_width[i]),
                "brow_height": _plain(measured.labels.brow_height[i]),
            },
        }
        if found[i]:
            face["blendshapes"] = dict(zip(measured.names, _plain(measured.coefficients[i]), strict=True))
            face["aspects"] = {name: _plain(values[i]) for name, values in measured.aspects.items()}
            if measured.mirrored is not None:
                face["blendshapes_mirrored"] = dict(zip(measured.names, _plain(measured.mirrored[i]), strict=True))
        faces.append(face)
    return {
        "rdrface": __version__,
        "set": NAME,
        **how,
        "faces": faces,
        "missed": [face["image"] for face in faces if not face["found"]],
        "tables": [table.to_dict() for table in tables],
    }


def _plain(value: Any) -> Any:
    # Six digits, as in the other reports; JSON has no NaN.
    if np.ndim(value):
        return [_plain(part) for part in value]
    return round(float(value), 6) if np.isfinite(value) else None
