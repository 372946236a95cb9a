"""`rdrface evaluate expression`: result tables of the expression coefficients on any dataset with 68 points."""

import argparse
from pathlib import Path
from typing import Any, Literal

import numpy as np

from rdrface._version import __version__
from rdrface.cli.evaluation_run import describe_run, parse_boxes, report_missed
from rdrface.cli.options import check_output_files
from rdrface.datasets.readers import read_set
from rdrface.datasets.readers.layout import set_in
from rdrface.datasets.records import FaceRecords
from rdrface.errors import ConfigError, DataError
from rdrface.evaluation.predictions.aligning import run_aligner
from rdrface.evaluation.predictions.matching import relative_name
from rdrface.evaluation.predictions.mirroring import MirroringAligner
from rdrface.evaluation.protocols import expression
from rdrface.evaluation.protocols.sets import SETS, own68
from rdrface.evaluation.report.json_report import write_report
from rdrface.evaluation.tables.tables import Table
from rdrface.face import packaged_model
from rdrface.fitting.estimated_boxes import with_missing_boxes
from rdrface.morphable.params import POSE, YAW

Split = Literal["train", "test"]

NAME = "expression"
"""Name of this command; it takes the place of a dataset's name."""

_UNUSED = ("predictions", "method", "labels", "poses", "plots", "record", "faces")
"""Options of `rdrface evaluate` that do not apply here."""


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        Exit status: 0 if every image could be read, 1 if some could not.

    Raises:
        RdrError: the dataset, the weights or a file cannot be read or written, or an option does not apply.
    """
    import rdrface

    for option in _UNUSED:
        if getattr(args, option):
            raise ConfigError(f"--{option} does not apply to `rdrface evaluate {NAME}`; leave it out")
    check_output_files((args.json,), args.overwrite)
    records = read_records(args.folder, args.format, args.split)
    annotations = records
    boxes, boxes_name = parse_boxes(args.boxes)
    dataset, split = dataset_name(args.folder, args.format), "test" if records.is_test[0] else "train"
    aligner = rdrface.load(args.weights, precision=args.precision, size=args.size)
    details = {"dataset": dataset, "split": split, **describe_run(boxes_name, args.weights, aligner)}
    model = packaged_model()
    predictions, unreadable = run_aligner(aligner, annotations, own68, boxes)
    report_missed(annotations, predictions, unreadable)
    mirrored = None
    if args.mirror:
        mirrored, _ = run_aligner(MirroringAligner(aligner, model), annotations, own68, boxes)
    measured = expression.measure(
        annotations, predictions, model.expression_names, mirrored, _yaw(records), records.eye_aspect
    )
    tables = expression.tables(measured)
    title = SETS[dataset].title if dataset in SETS else dataset
    print(f"\n{title}, expression: {len(annotations)} faces of the {split} part, boxes: {boxes_name}\n")
    print("\n\n".join(table.to_text() for table in tables))
    if args.json is not None:
        write_report(args.json, _report(args.folder, annotations, measured, tables, details))
    return 1 if unreadable else 0


def read_records(path: Path, layout: str | None = None, split: Split | None = None) -> FaceRecords:
    """Read one part of a dataset, from its folder or from a file of records.

    Args:
        path: folder of a dataset in its official layout, or an .npz file written by `rdrface fit`.
        layout: name of the dataset; None recognizes it by the files in the folder.
        split: part of the dataset; None reads the test part, or the train part if there is no test part.

    Raises:
        ConfigError: a layout was given for a file.
        DataError: the folder or file cannot be read, or has no faces of that part.
    """
    if split is None:
        try:
            return read_records(path, layout, "test")
        except DataError:
            return read_records(path, layout, "train")
    if not path.exists() and path.suffix == ".npz":
        raise DataError(
            f"{path} does not exist; expected the folder of a dataset, or a file of records written by `rdrface fit`"
        )
    if not path.is_file():
        return with_missing_boxes(read_set(set_in(path) if layout is None else layout, path, split))
    if layout is not None:
        raise ConfigError(f"--format is only for folders, but {path} is a file; leave it out")
    records = FaceRecords.load(path)
    records = records.select(records.is_test == (split == "test"))
    if not len(records):
        raise DataError(f"{path} has no {split} faces; choose the other part with --split")
    return records


def dataset_name(path: Path, layout: str | None = None) -> str:
    """Name of the dataset in a folder, or of a file of records; arguments as in `read_records`."""
    if path.is_file():
        return path.name
    return set_in(path) if layout is None else layout


def _yaw(records: FaceRecords) -> np.ndarray | None:
    # In degrees, from the fitted face if there is one, otherwise from the annotated pose.
    if records.Q is not None:
        return np.degrees(records.Q[:, POSE][:, YAW].astype(np.float64))
    return None if records.pose is None else np.degrees(records.pose[:, YAW].astype(np.float64))


def _report(
    root: Path,
    annotations: FaceRecords,
    measured: expression.ExpressionResults,
    tables: list[Table],
    details: dict[str, Any],
) -> dict[str, Any]:
    """Content of the JSON report: details of the run, all faces, and all tables."""
    found = measured.predictions.found
    base = root if root.is_dir() else root.parent
    faces = []
    for i, image in enumerate(annotations.image.tolist()):
        face: dict[str, Any] = {
            "image": relative_name(image, base),
            "source": str(annotations.source[i]),
            "found": bool(found[i]),
            "annotated": {
                "eye_aspect": _plain(measured.labels.eye_aspect[i]),
                "lip_gap": _plain(measured.labels.lip_gap[i]),
                "mouth_width": _plain(measured.labels.mouth_width[i]),
                "brow_height": _plain(measured.labels.brow_height[i]),
            },
        }
        if found[i]:
            face["blendshapes"] = dict(zip(measured.names, _plain(measured.coefficients[i]), strict=True))
            face["predicted_eye_aspect"] = {name: _plain(values[i]) for name, values in measured.aspects.items()}
            if measured.mirrored is not None:
                face["blendshapes_mirrored"] = dict(zip(measured.names, _plain(measured.mirrored[i]), strict=True))
        faces.append(face)
    return {
        "rdrface": __version__,
        "set": NAME,
        **details,
        "faces": faces,
        "missed": [face["image"] for face in faces if not face["found"]],
        "tables": [table.to_dict() for table in tables],
    }


def _plain(value: Any) -> Any:
    # Six decimals, as in the reports of the other commands; JSON has no NaN.
    if np.ndim(value):
        return [_plain(part) for part in value]
    return round(float(value), 6) if np.isfinite(value) else None
