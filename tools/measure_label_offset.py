"""How far the labels of sets are displaced from what their photos show, by part of the set.

python tools/measure_label_offset.py SET=DIR [SET=DIR ...] [--method labels|network] [--split train] [--limit N]

labels (default): needs no network. Across (dx) from the mirror axis of the mean near-frontal face, down (dy) from the
dark line between closed lips. dy compares sets with each other; with merl-rav among them its difference is printed too.

network: every face is aligned in its photo and in the mirrored photo, and the average is compared with the labels of
the 51 inner points. Across the average favors no side, so dx is the labels'. Down, a network has learned where its own
training labels lie, so dy only compares the set with those.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

import rdrface
from rdrface.datasets.readers import SETS, read_set
from rdrface.datasets.records import FaceRecords
from rdrface.errors import RdrError
from rdrface.evaluation.metrics.annotation_offset import (
    median_offset,
    mirror_averaged_landmarks,
    offsets_by_face,
)
from rdrface.evaluation.metrics.errors import bounding_box_size
from rdrface.evaluation.metrics.image_offset import MIN_FACES, ImageOffset, measure_image_offset
from rdrface.evaluation.tables.tables import Row, Table

REFERENCE = "merl-rav"
"""The set whose dy counts as 0."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", metavar="SET=DIR", help=f"a set ({', '.join(SETS)}) and its folder")
    parser.add_argument("--method", choices=("labels", "network"), default="labels", help="default: labels")
    parser.add_argument("--split", choices=("train", "test"), default="train", help="part of the set (default: train)")
    parser.add_argument("--limit", type=int, metavar="N", help="an even choice of N faces of each set instead of all")
    parser.add_argument("--weights", type=Path, metavar="W", help="for network: weights (default: the shipped ones)")
    args = parser.parse_args()
    sets = {}
    for item in args.data:
        name, _, folder = item.partition("=")
        if name not in SETS or not folder:
            parser.error(f"wanted SET=DIR with SET one of {', '.join(SETS)}; got {item!r}")
        records = read_set(name, Path(folder), args.split)
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
    """Offsets of every part with enough near-frontal faces, and of every set."""
    measured: dict[str, ImageOffset] = {}
    for name, records in sets.items():
        for part, group in parts(records):
            offset = measure_image_offset(records.select(group))
            if part == "all" or offset.faces >= MIN_FACES:
                measured[f"{name}, all" if part == "all" else part] = offset
    reference = measured.get(f"{REFERENCE}, all")
    rows = []
    for name, one in measured.items():
        beside = None
        if reference is not None:
            beside = within(one.vertical - reference.vertical, np.hypot(one.vertical_error, reference.vertical_error))
        across, down = within(one.horizontal, one.horizontal_error), within(one.vertical, one.vertical_error)
        rows.append(Row(name, (across, one.faces, down, beside, one.closed_mouths)))
    return Table(
        "How far labels lie to the right and down, percent of the face's side sqrt(w h) ± standard error",
        ("dx", "faces", "dy to the dark line", f"dy to {REFERENCE}", "closed lips"),
        tuple(rows),
        (
            "dx: to the mirror axis of the mean near-frontal face.",
            "dy: mean of the inner lip labels to the dark line between closed lips. Sets differ in where they put the",
            "two inner lines of closed lips, so compare dy with care.",
        ),
    )


def by_network(name: str, records: FaceRecords, aligner: rdrface.Aligner) -> Table:
    """Median of label - prediction of every part of a set."""
    predicted = np.full(records.points.shape, np.nan)
    for i in tqdm(range(len(records)), desc="faces", disable=None):
        predicted[i] = mirror_averaged_landmarks(aligner, str(records.image[i]), records.box[i : i + 1])[0]
    pixels = offsets_by_face(records.points, predicted)
    percent = 100 * pixels / bounding_box_size(records.points)[:, None]
    rows = []
    for part, group in parts(records):
        px, share = median_offset(pixels[group]), median_offset(percent[group])
        dx, dy = (within(px.offset[i], px.standard_error[i]) for i in (0, 1))
        dx_share, dy_share = (within(share.offset[i], share.standard_error[i]) for i in (0, 1))
        rows.append(Row(part, (dx, dx_share, dy, dy_share, px.faces)))
    return Table(
        f"{name}: label - prediction of the 51 inner points, median over faces ± standard error",
        ("dx, px", "dx, %", "dy, px", "dy, %", "faces"),
        tuple(rows),
        (
            "px: of the photo, x to the right, y down; %: of sqrt(w h) of the box of the points with a position.",
            "dx is the labels' own; dy is only relative to the labels that the weights were trained on.",
        ),
    )


def parts(records: FaceRecords) -> Iterator[tuple[str, np.ndarray]]:
    """Each source and its faces (N,) bool, then "all"."""
    for part in dict.fromkeys(records.source.tolist()):
        yield part, records.source == part
    yield "all", np.ones(len(records), bool)


def within(value: float, error: float) -> str | None:
    """A value and its standard error as a cell; None where it is not known."""
    return f"{value:+.2f} ± {error:.2f}" if np.isfinite(value) else None


if __name__ == "__main__":
    try:
        main()
    except RdrError as error:
        sys.exit(f"measure_label_offset: {error}")
