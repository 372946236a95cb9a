"""``rdrface fit``: fits the 3D face to an annotated dataset and writes records for training."""

import argparse
import sys
from pathlib import Path

import numpy as np

from rdrface.cli.options import add_output, add_overwrite, check_output_files, check_suffix
from rdrface.datasets.annotation_offset import parse_offset
from rdrface.datasets.contact_sheet import SHEET_SUFFIXES
from rdrface.datasets.readers import SETS, read_set
from rdrface.errors import ConfigError
from rdrface.fitting.contact_sheet import write_contact_sheet
from rdrface.fitting.dataset import fit_dataset
from rdrface.fitting.estimated_boxes import with_missing_boxes
from rdrface.fitting.observations import MIN_POINTS
from rdrface.fitting.report import fit_report
from rdrface.morphable.model import FaceModel

_SHEET_FACES = 48


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rdrface fit`."""
    parser.add_argument(
        "set", choices=SETS, help="format of the dataset; '300w' reads any folder of 68-point .pts files"
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of the dataset, in its official layout")
    add_output(parser, "FILE.npz", "records to write")
    parser.add_argument(
        "--split", choices=("train", "test"), default="train", help="part of the dataset (default: train)"
    )
    parser.add_argument("--model", type=Path, metavar="FILE", help="face model (default: the packaged one)")
    parser.add_argument("--limit", type=int, metavar="N", help="fit only N faces, evenly spaced in the dataset")
    parser.add_argument(
        "--offset",
        action="append",
        default=[],
        metavar="PART=DX,DY",
        help="annotation offset of a part of the dataset, removed before the fit: to the right and down, in percent of "
        "the face size, e.g. 300w/helen=0.4,0.4 (docs/training.md, Labels); may be repeated",
    )
    parser.add_argument("--worst", type=Path, metavar="SHEET.jpg", help="also write an image of the worst fits")
    add_overwrite(parser)


def run(args: argparse.Namespace) -> int:
    """Fit, write the records and print the report; returns 0, or 1 when faces with too few points were skipped.

    Raises:
        RdrError: the dataset or the face model cannot be read, --offset does not match the dataset, or an output file
            exists and --overwrite is not given.
    """
    check_output_files((args.out, args.worst), args.overwrite)
    check_suffix("--worst", args.worst, SHEET_SUFFIXES)
    if args.limit is not None and args.limit < 1:
        raise ConfigError(f"--limit must be 1 or more; got {args.limit}")
    offset = parse_offset(args.offset)
    records = with_missing_boxes(read_set(args.set, args.folder, args.split))
    result = fit_dataset(records, offset=offset, limit=args.limit, model=FaceModel.load(args.model))
    for image in result.skipped:
        print(f"rdrface fit: skipped {image}: fewer than {MIN_POINTS} points have a position", file=sys.stderr)
    fitted, seconds = result.records, result.seconds
    fitted.save(args.out)
    print(fit_report(fitted))
    print(f"{len(fitted)} faces written to {args.out}, fitted in {seconds:.0f} s ({len(fitted) / seconds:.0f} faces/s)")
    if args.worst is not None:
        assert fitted.residual is not None
        write_contact_sheet(fitted, np.argsort(-fitted.residual)[:_SHEET_FACES], args.worst)
    return 1 if result.skipped else 0
