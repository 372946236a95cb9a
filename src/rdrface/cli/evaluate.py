"""`rdrface evaluate`: the tables of a public set, from its official folder and weights or anybody's predictions."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from rdrface.cli import evaluate_expression as expression_command
from rdrface.datasets.readers import SETS as LAYOUTS
from rdrface.datasets.records import FaceRecords
from rdrface.errors import ConfigError
from rdrface.evaluation.predictions.aligning import run_aligner
from rdrface.evaluation.predictions.files import read_prediction_file, write_prediction_file
from rdrface.evaluation.predictions.fitted_poses import with_fitted_poses
from rdrface.evaluation.predictions.matching import assign, entries_of, write_face_list
from rdrface.evaluation.predictions.own_run import chosen_boxes, name_missed, run_description
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols.sets import SETS, EvaluationSet
from rdrface.evaluation.report.json_report import report, write_report
from rdrface.evaluation.report.plots import draw_set, require_matplotlib
from rdrface.evaluation.tables.distribution import distribution_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `rdrface evaluate`."""
    parser.add_argument(
        "set",
        choices=(*SETS, expression_command.NAME),
        help=f"the public set; '{expression_command.NAME}': the expression coefficients, any set of 68 points",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the set lies, in its official layout")
    parser.add_argument(
        "--boxes",
        default="gt",
        metavar="gt|detector|FILE",
        help="gt: the boxes of the true landmarks, as most papers do (default); detector: find the faces first; "
        "FILE: a file of boxes, JSON or CSV",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--weights", type=Path, metavar="W", help="weights to measure (default: the shipped ones)")
    what.add_argument(
        "--predictions", type=Path, metavar="FILE", help="measure these predictions instead: JSON, CSV, text or npz"
    )
    parser.add_argument("--method", default="", metavar="NAME", help="name of the method in the tables")
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="aflw2000-3d only: other labels, AFLW2000-3D-Reannotated.pts68.npy"
    )
    parser.add_argument(
        "--poses", type=Path, metavar="FILE", help="records of `rdrface fit`: bins by yaw for a set without poses"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write tables and every face's errors to FILE")
    parser.add_argument(
        "--plots", type=Path, metavar="DIR", help="also draw curves and the worst faces into DIR (rdrface[evaluate])"
    )
    parser.add_argument("--record", type=Path, metavar="FILE", help="also write the predictions: .json, .csv or .npz")
    parser.add_argument(
        "--faces", type=Path, metavar="FILE", help="write the list of faces for other methods to FILE, and do no more"
    )
    only = parser.add_argument_group(f"only with {expression_command.NAME}")
    only.add_argument(
        "--format", choices=LAYOUTS, metavar="NAME", help="the set in DIR (default: found from its files)"
    )
    only.add_argument("--split", choices=("train", "test"), help="part of the set (default: test)")
    only.add_argument(
        "--mirror",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="also align the mirrored photos and compare; doubles the time",
    )


def run(args: argparse.Namespace) -> int:
    """Print the tables; 0 when every photo could be read, 1 when some could not.

    Raises:
        RdrError: the set, the weights or a file cannot be read, or --plots has no matplotlib.
    """
    if args.set == expression_command.NAME:
        return expression_command.run(args)
    if args.format is not None or args.split is not None or not args.mirror:
        raise ConfigError(f"--format, --split and --no-mirror are for {expression_command.NAME}; got set {args.set}")
    if args.plots is not None:
        require_matplotlib()
    for path in (args.json, args.record, args.faces):
        if path is not None and not path.absolute().parent.is_dir():
            raise ConfigError(f"cannot write {path}: its folder does not exist; make it first")
    chosen = SETS[args.set]
    annotations = _annotations(args, chosen)
    if args.faces is not None:
        write_face_list(args.faces, annotations, args.folder)
        print(f"{len(annotations)} faces listed in {args.faces}")
        return 0
    predictions, unreadable, how = _predictions(args, chosen, annotations)
    name_missed(annotations, predictions, unreadable)
    errors = chosen.errors(annotations, predictions)
    shares = distribution_table(
        errors, predictions.found, chosen.limit, f"{chosen.title}: how the errors are distributed, {chosen.unit}"
    )
    tables = [*chosen.tables(annotations, predictions), shares]
    print(f"\n{chosen.title}: {len(annotations)} faces, {how['said']}\n")
    print("\n\n".join(table.to_text() for table in tables))
    if args.json is not None:
        content = report(args.set, args.folder, annotations, predictions, errors, tables, how)
        write_report(args.json, content)
    if args.record is not None:
        write_prediction_file(args.record, entries_of(annotations, predictions, args.folder))
    if args.plots is not None:
        for path in draw_set(
            args.set, chosen.title, chosen.limit, annotations, predictions, errors, args.plots, chosen.unit
        ):
            print(f"rdrface evaluate: {path}", file=sys.stderr)
    return 1 if unreadable else 0


def _annotations(args: argparse.Namespace, chosen: EvaluationSet) -> FaceRecords:
    annotations = chosen.read(args.folder)
    if args.labels is not None:
        if args.set != "aflw2000-3d":
            raise ConfigError(f"--labels is for aflw2000-3d, whose labels were published twice; got it for {args.set}")
        from rdrface.datasets.readers.reannotated import reannotated

        annotations = reannotated(annotations, args.labels)
    if args.poses is not None:
        annotations = with_fitted_poses(annotations, args.poses)
    return annotations


def _predictions(
    args: argparse.Namespace, chosen: EvaluationSet, annotations: FaceRecords
) -> tuple[Predictions, dict[str, str], dict[str, Any]]:
    labels = None if args.labels is None else args.labels.name
    if args.predictions is not None:
        if args.boxes != "gt":
            raise ConfigError("--boxes is for our own aligner; a file of predictions brings its own faces")
        faces = read_prediction_file(args.predictions)
        name = args.method or faces.method or args.predictions.stem
        predictions, others = assign(faces, annotations, chosen.from68, name)
        if others:
            print(
                f"rdrface evaluate: {others} of {len(faces)} predictions are of no annotated face, not counted",
                file=sys.stderr,
            )
        how = {"said": f"predictions: {args.predictions.name}", "predictions": args.predictions.name, "labels": labels}
        return predictions, {}, how
    import rdrface

    boxes, named = chosen_boxes(args.boxes)
    how = {**run_description(named, args.weights), "labels": labels}
    predictions, unreadable = run_aligner(rdrface.load(args.weights), annotations, chosen.outputs, boxes)
    if args.method:
        predictions = replace(predictions, method=args.method)
    return predictions, unreadable, how
