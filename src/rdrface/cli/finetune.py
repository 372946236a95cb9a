"""``rdrface finetune DIR``: fits custom landmarks to annotated photos (``pip install rdrface[train]``)."""

import argparse
from pathlib import Path

from rdrface.cli.options import add_output, add_overwrite, positive, refuse_existing, weights_or_run
from rdrface.finetuning.finetune import MINUTES, check_name, fine_tune, sheet_path, weights_path
from rdrface.finetuning.formats import FORMATS, PTS, default_name
from rdrface.loading import PACKAGED_WEIGHTS
from rdrface.training.export import replaced_files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``rdrface finetune``."""
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="photos and their annotations, see --format (docs/finetuning.md)"
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default=PTS,
        help="format of the annotations: a .pts file of the same name next to each photo (default), or a public "
        "dataset in its official layout",
    )
    add_output(parser, "OUT", "output folder; the weights file is OUT/weights/NAME.safetensors")
    parser.add_argument(
        "--name",
        help="name of the annotation scheme and of the weights file (default: custom; with --format, the dataset's "
        "name, aflw2000 for aflw2000-3d)",
    )
    parser.add_argument(
        "--origin",
        type=int,
        choices=(0, 1),
        help="coordinate of the first pixel in .pts files (default: 1, as in 300-W)",
    )
    parser.add_argument(
        "--from",
        dest="weights",
        type=weights_or_run,
        default=PACKAGED_WEIGHTS,
        metavar="WEIGHTS",
        help="NAME.safetensors, the folder of a training run or of a downloaded model, or lite for the packaged light "
        "weights (default: the packaged full weights)",
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=MINUTES,
        metavar="M",
        help=f"time limit for drawing augmented views of the faces (default: {MINUTES:g})",
    )
    parser.add_argument(
        "--size",
        type=positive,
        metavar="N",
        help="side of the crops in pixels, one of those of WEIGHTS (default: its default); the new weights have only "
        "this size",
    )
    parser.add_argument(
        "--folds",
        type=int,
        metavar="K",
        help="measure by K-fold cross-validation, then fit the weights to all photos; takes K more times --minutes "
        "(default: hold out a tenth of the photos)",
    )
    add_overwrite(parser)


def run(args: argparse.Namespace) -> int:
    """Fine-tune and write the weights; returns 0.

    Raises:
        RdrError: an option, the images, their annotations or the weights cannot be used.
    """
    name = default_name(args.format) if args.name is None else args.name
    check_name(name)
    weights = weights_path(args.out, name)
    refuse_existing([weights, *replaced_files(weights), sheet_path(args.out, name)], args.overwrite)
    fine_tune(
        args.weights,
        args.folder,
        args.out,
        name,
        args.minutes,
        args.origin,
        size=args.size,
        annotation_format=args.format,
        folds=args.folds,
    )
    return 0
