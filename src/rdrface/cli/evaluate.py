"""`rdrface evaluate`: result tables on a public dataset, for rdrface's weights or for a file of predictions."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from rdrface.cli import evaluate_expression as expression_command
from rdrface.cli import evaluate_held_out as held_out
from rdrface.cli import evaluate_video as video_command
from rdrface.cli.evaluation_run import describe_run, parse_boxes, report_missed
from rdrface.cli.options import add_overwrite, add_precision, add_size, check_output_files, check_suffix, weights_file
from rdrface.datasets.readers import SETS as LAYOUTS
from rdrface.datasets.records import FaceRecords
from rdrface.errors import ConfigError
from rdrface.evaluation.predictions.aligning import run_aligner
from rdrface.evaluation.predictions.face_list import write_face_list
from rdrface.evaluation.predictions.files import PREDICTION_SUFFIXES, read_prediction_file, write_prediction_file
from rdrface.evaluation.predictions.fitted_poses import with_fitted_poses
from rdrface.evaluation.predictions.matching import to_prediction_file, to_predictions
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols.custom_outputs import with_custom_landmarks, with_fitted_note
from rdrface.evaluation.protocols.sets import SETS, EvaluationSet
from rdrface.evaluation.report.json_report import report, write_report
from rdrface.evaluation.report.plots import draw_set, require_matplotlib
from rdrface.evaluation.tables.distribution import distribution_table
from rdrface.runtime.weights import CustomScheme, read_info


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rdrface evaluate`."""
    parser.add_argument(
        "set",
        choices=(*SETS, expression_command.NAME, video_command.NAME),
        help=f"public dataset; '{expression_command.NAME}' measures the expression coefficients on any dataset with 68 "
        f"points, '{video_command.NAME}' the tracker on clips made from photos",
    )
    parser.add_argument(
        "folder", type=Path, nargs="?", metavar="DIR", help="folder of the dataset, in its official layout"
    )
    parser.add_argument(
        "--boxes",
        default="gt",
        metavar="gt|detector|FILE",
        help="boxes to align from: gt, boxes of the annotated landmarks, as in most papers (default); detector, boxes "
        "of detected faces; FILE, boxes from a JSON or CSV file",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--weights",
        type=weights_file,
        metavar="FILE|lite",
        help="weights to measure; lite for the packaged light weights (default: the packaged full weights)",
    )
    source.add_argument(
        "--predictions",
        type=Path,
        metavar="FILE",
        help="measure the predictions in FILE (JSON, CSV, text or npz) instead of running rdrface",
    )
    # Not "auto": the results should not depend on the processor.
    add_precision(parser, default="float32")
    add_size(parser)
    parser.add_argument("--method", default="", metavar="NAME", help="name of the method in the tables")
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="aflw2000-3d only: use the annotations in FILE, AFLW2000-3D-Reannotated.pts68.npy",
    )
    held_out.add_argument(parser)
    parser.add_argument(
        "--poses",
        type=Path,
        metavar="FILE",
        help="take the yaw of each face from FILE, records written by `rdrface fit`, for datasets without poses",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the tables and the errors of every face to FILE"
    )
    parser.add_argument(
        "--plots",
        type=Path,
        metavar="DIR",
        help="draw error curves and the worst faces into DIR (needs rdrface[evaluate])",
    )
    parser.add_argument(
        "--record", type=Path, metavar="FILE", help="write the predictions to FILE (.json, .csv or .npz)"
    )
    parser.add_argument(
        "--faces", type=Path, metavar="FILE", help="write the list of faces for other methods to FILE and stop"
    )
    add_overwrite(parser)
    only = parser.add_argument_group(f"only with {expression_command.NAME}")
    only.add_argument(
        "--format",
        choices=LAYOUTS,
        metavar="NAME",
        help="name of the dataset in DIR (default: recognized by its files)",
    )
    only.add_argument("--split", choices=("train", "test"), help="part of the dataset (default: test)")
    only.add_argument(
        "--mirror",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="also align the mirrored images and compare the coefficients; takes twice the time",
    )
    video_command.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        Exit status: 0 if every image could be read, 1 if some could not.

    Raises:
        RdrError: the dataset, the weights or a file cannot be read or written, options cannot be combined, or --plots
            was given and matplotlib is not installed.
    """
    if args.set == video_command.NAME:
        return video_command.run(args)
    video_command.refuse_options(args)
    if args.folder is None:
        raise ConfigError(f"`rdrface evaluate {args.set}` needs the folder of the dataset: rdrface evaluate SET DIR")
    if args.set == expression_command.NAME:
        if args.held_out is not None:
            raise ConfigError(f"--held-out does not apply to `rdrface evaluate {args.set}`; leave it out")
        return expression_command.run(args)
    if args.format is not None or args.split is not None or not args.mirror:
        raise ConfigError(
            f"--format, --split and --no-mirror are only for `rdrface evaluate {expression_command.NAME}`; leave them "
            f"out for {args.set}"
        )
    if args.plots is not None:
        require_matplotlib()
        if args.plots.exists() and not args.plots.is_dir():
            raise ConfigError(f"--plots must be a folder, but {args.plots} is a file; name another folder")
    check_output_files((args.json, args.record, args.faces), args.overwrite)
    check_suffix("--record", args.record, PREDICTION_SUFFIXES)
    outputs = [path.absolute() for path in (args.json, args.record, args.faces) if path is not None]
    if len({*outputs}) < len(outputs):
        raise ConfigError("--json, --record and --faces must name different files; two of them are the same")
    evaluation_set = SETS[args.set]
    annotations = _annotations(args, evaluation_set)
    if args.faces is not None:
        write_face_list(args.faces, annotations, args.folder)
        print(f"{len(annotations)} faces listed in {args.faces}")
        return 0
    scheme = _scheme(args)
    predictions, unreadable, details = _predictions(args, evaluation_set, annotations, scheme)
    report_missed(annotations, predictions, unreadable)
    errors = evaluation_set.errors(annotations, predictions)
    shares = distribution_table(
        errors,
        predictions.found,
        evaluation_set.limit,
        f"{evaluation_set.title}: distribution of the errors, {evaluation_set.unit}",
    )
    tables = [*evaluation_set.tables(annotations, predictions), shares]
    if args.held_out is not None:
        tables += held_out.held_out_tables(evaluation_set, annotations, predictions, args.held_out)
        # The name only: reports do not contain local paths.
        details["held_out"] = Path(args.held_out).name
    if scheme is not None:
        tables = [with_fitted_note(table, scheme, annotations) for table in tables]
    source = "boxes" if "boxes" in details else "predictions"
    part = "" if args.held_out is None else f", held out by {Path(args.held_out).name}"
    print(f"\n{evaluation_set.title}{part}: {len(annotations)} faces, {source}: {details[source]}\n")
    print("\n\n".join(table.to_text() for table in tables))
    if args.json is not None:
        content = report(args.set, args.folder, annotations, predictions, errors, tables, details)
        write_report(args.json, content)
    if args.record is not None:
        write_prediction_file(args.record, to_prediction_file(annotations, predictions, args.folder))
    if args.plots is not None:
        for path in draw_set(
            args.set,
            evaluation_set.title,
            evaluation_set.limit,
            annotations,
            predictions,
            errors,
            args.plots,
            evaluation_set.unit,
        ):
            print(f"rdrface evaluate: {path}", file=sys.stderr)
    return 1 if unreadable else 0


def _annotations(args: argparse.Namespace, evaluation_set: EvaluationSet) -> FaceRecords:
    if args.held_out is None:
        annotations = evaluation_set.read(args.folder)
    else:
        annotations = held_out.read_held_out(args.set, args.folder, args.held_out)
    if args.labels is not None:
        if args.set != "aflw2000-3d":
            raise ConfigError(
                f"--labels is only for aflw2000-3d, which has two published sets of annotations; leave it out for "
                f"{args.set}"
            )
        from rdrface.datasets.readers.reannotated import reannotated

        annotations = reannotated(annotations, args.labels)
    if args.poses is not None:
        if annotations.angles is not None:
            raise ConfigError(f"--poses is for datasets without head poses; {args.set} has them. Leave it out")
        annotations = with_fitted_poses(annotations, args.poses)
    return annotations


def _scheme(args: argparse.Namespace) -> CustomScheme | None:
    """The scheme of the weights, if they were fine-tuned to the evaluated dataset."""
    if args.weights is None:
        return None
    scheme = read_info(args.weights)[0].custom_scheme
    return scheme if scheme is not None and scheme.format == args.set else None


def _predictions(
    args: argparse.Namespace, evaluation_set: EvaluationSet, annotations: FaceRecords, scheme: CustomScheme | None
) -> tuple[Predictions, dict[str, str], dict[str, Any]]:
    """Predictions, {unreadable image: reason}, and the details of the run for the JSON report."""
    labels = None if args.labels is None else args.labels.name
    if args.predictions is not None:
        if args.size is not None:
            raise ConfigError("--size does not apply to --predictions, which runs no network; leave out one of them")
        if args.boxes != "gt":
            raise ConfigError("--boxes does not apply to --predictions, which has its own boxes; leave out one of them")
        file = read_prediction_file(args.predictions)
        name = args.method or file.method or args.predictions.stem
        predictions, unmatched = to_predictions(file, annotations, evaluation_set.from68, name)
        if unmatched:
            print(
                f"rdrface evaluate: {unmatched} of {len(file)} predictions match no annotated face and are not counted",
                file=sys.stderr,
            )
        return predictions, {}, {"predictions": args.predictions.name, "labels": labels}
    import rdrface

    boxes, boxes_name = parse_boxes(args.boxes)
    aligner = rdrface.load(args.weights, precision=args.precision, size=args.size)
    details = {**describe_run(boxes_name, args.weights, aligner), "labels": labels}
    outputs = evaluation_set.outputs if scheme is None else with_custom_landmarks(evaluation_set.outputs, scheme)
    predictions, unreadable = run_aligner(aligner, annotations, outputs, boxes)
    if args.method:
        predictions = replace(predictions, method=args.method)
    return predictions, unreadable, details
