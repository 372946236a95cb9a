"""``rdrface finetune DIR``: fits custom landmarks to annotated photos (``pip install rdrface[train]``)."""

import argparse
from pathlib import Path

from rdrface.cli.options import add_output, add_overwrite, positive, refuse_existing, weights_file
from rdrface.finetuning.finetune import MINUTES, fine_tune, weights_path
from rdrface.loading import PACKAGED_WEIGHTS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``rdrface finetune``."""
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="photos, each with a .pts file of the same name (docs/finetuning.md)"
    )
    add_output(parser, "OUT", "output folder; the weights file is OUT/weights/NAME.safetensors")
    parser.add_argument(
        "--name", default="custom", help="name of the annotation scheme and of the weights file (default: custom)"
    )
    parser.add_argument(
        "--origin",
        type=int,
        choices=(0, 1),
        default=1,
        help="coordinate of the first pixel in the .pts files (default: 1, as in 300-W)",
    )
    parser.add_argument(
        "--from",
        dest="weights",
        type=weights_file,
        default=PACKAGED_WEIGHTS,
        metavar="WEIGHTS",
        help="NAME.safetensors, the folder of a training run, or lite for the packaged light weights (default: the "
        "packaged full weights)",
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
    add_overwrite(parser)


def run(args: argparse.Namespace) -> int:
    """Fine-tune and write the weights; returns 0.

    Raises:
        RdrError: an option, the images, their annotations or the weights cannot be used.
    """
    refuse_existing((weights_path(args.out, args.name),), args.overwrite)
    fine_tune(args.weights, args.folder, args.out, args.name, args.minutes, args.origin, size=args.size)
    return 0
