"""Options of the detection of faces that `rdrface detect` and `rdrface annotate` share."""

import argparse
from typing import Any, get_args

from rdrface.alignment.selection import DEFAULT_ORDER, MAX_UNCERTAINTY, Order
from rdrface.cli.options import network_arguments
from rdrface.detection.retinaface import MAX_SIDE, MIN_MAX_SIDE, SCORE_THRESHOLD
from rdrface.errors import ConfigError


def add_detection(faces: argparse._ActionsContainer) -> None:
    """Add the options of the detection, None by default."""
    faces.add_argument(
        "--score",
        type=float,
        metavar="S",
        help=f"minimum detector score of a face, 0 to 1 (default: {SCORE_THRESHOLD})",
    )
    faces.add_argument(
        "--max-uncertainty",
        type=_percent_or_none,
        metavar="PERCENT",
        help="drop detections with a larger expected error, in percent of the face size; most of them are not faces; "
        f"'none' keeps all (default: {MAX_UNCERTAINTY:g})",
    )
    faces.add_argument(
        "--max-side",
        type=_side,
        metavar="PIXELS",
        help="longest side of the image for detection; larger images are downscaled; more finds smaller faces and "
        f"takes longer "
        f"(at least {MIN_MAX_SIDE}; default: {MAX_SIDE})",
    )
    faces.add_argument(
        "--order", choices=get_args(Order), help=f"order of the faces of an image (default: {DEFAULT_ORDER})"
    )


def check_detection(args: argparse.Namespace) -> None:
    """Check the values.

    Raises:
        ConfigError: --score is out of range.
    """
    if args.score is not None and not 0 < args.score < 1:
        raise ConfigError(f"--score must be between 0 and 1; got {args.score}")


def load_arguments(args: argparse.Namespace) -> dict[str, Any]:
    """Keyword arguments of `rdrface.load` for these options and those of `rdrface.cli.options.add_network`, without the
    weights; JSON values."""
    limit = MAX_UNCERTAINTY if args.max_uncertainty is None else args.max_uncertainty
    return {
        **network_arguments(args),
        "score_threshold": args.score,
        "max_side": args.max_side,
        "max_uncertainty": limit if limit < float("inf") else None,
        "order": args.order or DEFAULT_ORDER,
    }


def _side(text: str) -> int:
    """A whole number of pixels of at least `MIN_MAX_SIDE`."""
    value = int(text) if text.isdecimal() else 0
    if value < MIN_MAX_SIDE:
        raise argparse.ArgumentTypeError(f"must be a whole number of pixels, {MIN_MAX_SIDE} or more; got {text}")
    return value


def _percent_or_none(text: str) -> float:
    """A positive number; "none" is infinity."""
    if text.lower() == "none":
        return float("inf")
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not value > 0:
        raise argparse.ArgumentTypeError(f"must be a positive number of percent, or none; got {text}")
    return value
