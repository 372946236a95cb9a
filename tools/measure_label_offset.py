"""Measures the constant offset between a dataset's annotations and its images, by part of the set.

python tools/measure_label_offset.py SET=DIR [SET=DIR ...] [--method labels|network] [--split train] [--limit N]

labels (default): uses no network. dx is measured from the mirror axis of the mean near-frontal face, dy from the dark
line between closed lips. dy is only meaningful relative to another set; with merl-rav among the sets, the difference is
printed.

network: every face is aligned in the image and in the mirrored image, and the average is compared with the annotations
of the 51 inner points. The average is symmetric, so dx is the offset of the annotations. A network has learned the
vertical offset of its own training annotations, so dy is relative to those.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

import rdrface
from rdrface.cli.script import reports_errors
from rdrface.datasets.readers import SETS, read_set
from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.metrics.annotation_offset import (
    median_offset,
    mirror_averaged_landmarks,
    offsets_by_face,
)
from rdrface.evaluation.metrics.errors import bounding_box_size
from rdrface.evaluation.metrics.image_offset import MIN_FACES, ImageOffset, measure_image_offset
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.fitting.estimated_boxes import with_missing_boxes

REFERENCE = "merl-rav"
"""The set relative to which dy is printed."""


@reports_errors
def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", metavar="SET=DIR", help=f"a set ({', '.join(SETS)}) and its folder")
    parser.add_argument("--method", choices=("labels", "network"), default="labels", help="see above (default: labels)")
    parser.add_argument("--split", choices=("train", "test"), default="train", help="part of the set (default: train)")
    parser.add_argument("--limit", type=int, metavar="N", help="use N evenly spaced faces of each set instead of all")
    parser.add_argument(
        "--weights", type=Path, metavar="W", help="weights for --method network (default: the packaged weights)"
    )
    args = parser.parse_args()
    sets = {}
    for item in args.data:
        name, _, folder = item.partition("=")
        if name not in SETS or not folder:
            parser.error(f"expected SET=DIR with SET one of {', '.join(SETS)}; got {item!r}")
        records = with_missing_boxes(read_set(name, Path(folder), args.split))
        if args.limit is not None and args.limit < len(records):
            records = records.select(np.linspace(0, len(records) - 1, args.limit).astype(int))
        sets[name] = records
    if args.method == "labels":
        print(by_labels(sets).to_text())
        return
    aligner = rdrface.load(args.weights)
    for name, records in sets.items():
        print(by_network(name, records, aligner).to_text())


def by_labels(sets: dict[str, FaceRecords]) -> Table:
    """Offsets of every set, and of every part with enough near-frontal faces."""
    measured: dict[str, ImageOffset] = {}
    for name, records in sets.items():
        for part, group in parts(records):
            offset = measure_image_offset(records.select(group))
            if part == "all" or offset.faces >= MIN_FACES:
                measured[f"{name}, all" if part == "all" else part] = offset
    reference = measured.get(f"{REFERENCE}, all")
    rows = []
    for name, one in measured.items():
        difference = None
        if reference is not None:
            error = np.hypot(one.vertical_error, reference.vertical_error)
            difference = with_error(one.vertical - reference.vertical, error)
        dx, dy = with_error(one.horizontal, one.horizontal_error), with_error(one.vertical, one.vertical_error)
        rows.append(Row(name, (dx, one.faces, dy, difference, one.closed_mouths)))
    return Table(
        "Annotation offset to the right (dx) and down (dy), percent of the face's side sqrt(w h) ± standard error",
        ("dx", "faces", "dy from the dark line", f"dy from {REFERENCE}", "closed lips"),
        tuple(rows),
        (
            "dx: from the mirror axis of the mean near-frontal face.",
            "dy: from the dark line between closed lips to the mean of the inner lip points. Sets differ in where they",
            "annotate the two inner lines of closed lips, so dy is less certain than its standard error.",
        ),
    )


def by_network(name: str, records: FaceRecords, aligner: rdrface.Aligner) -> Table:
    """Median of annotation - prediction for every part of a set."""
    predicted = np.full(records.points.shape, np.nan)
    for i in tqdm(range(len(records)), desc="faces", disable=None):
        predicted[i] = mirror_averaged_landmarks(aligner, str(records.image[i]), records.box[i : i + 1])[0]
    pixels = offsets_by_face(records.points, predicted)
    percent = 100 * pixels / bounding_box_size(records.points)[:, None]
    rows = []
    for part, group in parts(records):
        px, share = median_offset(pixels[group]), median_offset(percent[group])
        dx, dy = (with_error(px.offset[i], px.standard_error[i]) for i in (0, 1))
        dx_share, dy_share = (with_error(share.offset[i], share.standard_error[i]) for i in (0, 1))
        rows.append(Row(part, (dx, dx_share, dy, dy_share, px.faces)))
    return Table(
        f"{name}: annotation - prediction, 51 inner points, median over faces ± standard error",
        ("dx, px", "dx, %", "dy, px", "dy, %", "faces"),
        tuple(rows),
        (
            "px: image pixels, x to the right, y down; %: of sqrt(w h) of the box of the annotated points.",
            "dx is absolute; dy is relative to the annotations that the weights were trained on.",
        ),
    )


def parts(records: FaceRecords) -> Iterator[tuple[str, np.ndarray]]:
    """Each source with the mask (N,) bool of its faces, then "all"."""
    for part in dict.fromkeys(records.source.tolist()):
        yield part, records.source == part
    yield "all", np.ones(len(records), bool)


def with_error(value: float, error: float) -> str | None:
    """A value and its standard error as a cell; None if the value is not finite."""
    return f"{value:+.2f} ± {error:.2f}" if np.isfinite(value) else None


if __name__ == "__main__":
    sys.exit(main())
