"""``rdrface fit``: annotated photos in, records with Q out."""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from rdrface.datasets.annotation_offset import parse_offset, without_offset
from rdrface.datasets.readers import SETS, read_set
from rdrface.datasets.sources import check_sources
from rdrface.errors import DataError
from rdrface.fitting.contact_sheet import write_sheet
from rdrface.fitting.fit import fit_records
from rdrface.fitting.observations import MIN_POINTS
from rdrface.fitting.report import fit_report
from rdrface.morphable.model import FaceModel

_SHEET_FACES = 48


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `rdrface fit`."""
    parser.add_argument("set", choices=SETS, help="the set's format; '300w' reads any folder of 68-point .pts files")
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the set lies, in its official layout")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE.npz", help="records to write")
    parser.add_argument("--split", choices=("train", "test"), default="train", help="part of the set (default: train)")
    parser.add_argument("--model", type=Path, metavar="FILE", help="another face model than the packaged one")
    parser.add_argument("--limit", type=int, metavar="N", help="fit only N faces, evenly chosen")
    parser.add_argument(
        "--offset",
        action="append",
        default=[],
        metavar="PART=DX,DY",
        help="how far the labels of a part lie to the right and down, in percent of the face's side; "
        "e.g. 300w/helen=0.4,0.4 (docs/training.md, Labels); may be repeated",
    )
    parser.add_argument("--worst", type=Path, metavar="SHEET.jpg", help="also draw the worst fits into a picture")


def run(args: argparse.Namespace) -> int:
    """Read, fit, write, report; 0 when every face was fitted, 1 when some have too few points.

    Raises:
        RdrError: the set or the face model cannot be read, or --offset is no offset of the set.
    """
    if not args.out.absolute().parent.is_dir():
        raise DataError(f"cannot write {args.out}: its folder does not exist; make it first")
    offset = parse_offset(args.offset)
    records = read_set(args.set, args.folder, args.split)
    check_sources(records.source.tolist(), offset, "--offset")
    records = without_offset(records, offset)
    if args.limit is not None and args.limit < len(records):
        records = records.select(np.linspace(0, len(records) - 1, max(args.limit, 1)).astype(int))
    enough = np.isfinite(records.points).all(axis=-1).sum(axis=1) >= MIN_POINTS
    for image in records.image[~enough].tolist():
        print(f"rdrface fit: {image}: fewer than {MIN_POINTS} points have a position, left out", file=sys.stderr)
    if not enough.any():
        raise DataError(f"no face in {args.folder} has {MIN_POINTS} points with a position")
    model, begin = FaceModel.load(args.model), time.perf_counter()
    fitted = fit_records(records.select(enough), model)
    seconds = time.perf_counter() - begin
    fitted.save(args.out)
    print(fit_report(fitted))
    print(f"{len(fitted)} faces written to {args.out}, fitted in {seconds:.0f} s ({len(fitted) / seconds:.0f} faces/s)")
    if args.worst is not None:
        assert fitted.residual is not None
        write_sheet(fitted, np.argsort(-fitted.residual)[:_SHEET_FACES], args.worst)
    return 0 if enough.all() else 1


def main() -> int:
    """`python -m rdrface.fitting`."""
    parser = argparse.ArgumentParser(prog="python -m rdrface.fitting", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args())
