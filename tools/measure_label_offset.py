"""How far the labels of a set lie beside the places that its photos show, by part of the set.

python tools/measure_label_offset.py SET DIR [--split train] [--limit N] [--weights W]

Every face is aligned in its photo and in the mirrored photo, and the average is compared with the labels of the 51
inner points. Across (dx) the average favours no side, so dx is the labels'. Down (dy) there is no such trick: a
network has learnt where its own training labels lie, so dy only compares the set with those.
"""

import argparse
from pathlib import Path

import numpy as np
from tqdm import tqdm

import rdrface
from rdrface.data.readers import SETS, read_set
from rdrface.evaluation.label_shift import balanced_landmarks, shifts, summary
from rdrface.evaluation.metrics import box_size
from rdrface.evaluation.tables import Row, Table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=SETS)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--split", choices=("train", "test"), default="test", help="part of the set (default: test)")
    parser.add_argument("--limit", type=int, metavar="N", help="an even choice of N faces instead of all")
    parser.add_argument("--weights", type=Path, metavar="W", help="weights to align with (default: the shipped ones)")
    args = parser.parse_args()

    records = read_set(args.set, args.folder, args.split)
    if args.limit is not None and args.limit < len(records):
        records = records.select(np.linspace(0, len(records) - 1, args.limit).astype(int))
    aligner = rdrface.load(args.weights)
    predicted = np.full(records.points.shape, np.nan)
    for i in tqdm(range(len(records)), desc="faces", disable=None):
        predicted[i] = balanced_landmarks(aligner, str(records.image[i]), records.box[i : i + 1])[0]

    pixels = shifts(records.points, predicted)
    percent = 100 * pixels / box_size(records.points)[:, None]
    parts = dict.fromkeys(records.source.tolist())
    groups = [(part, records.source == part) for part in parts] + [("all", np.ones(len(records), bool))]
    rows = []
    for name, group in groups:
        px, share = summary(pixels[group]), summary(percent[group])
        dx, dy = (f"{px.offset[i]:+.2f} ± {px.error[i]:.2f}" for i in (0, 1))
        dx_share, dy_share = (f"{share.offset[i]:+.2f} ± {share.error[i]:.2f}" for i in (0, 1))
        rows.append(Row(name, (dx, dx_share, dy, dy_share, px.faces)))
    table = Table(
        f"{args.set}: label - prediction of the 51 inner points, median over faces ± standard error",
        ("dx, px", "dx, %", "dy, px", "dy, %", "faces"),
        tuple(rows),
        (
            "px: of the photo, x to the right, y down; %: of sqrt(w h) of the box of the points with a position.",
            "dx is the labels' own; dy is only relative to the labels that the weights were trained on.",
        ),
    )
    print(table.to_text())


if __name__ == "__main__":
    main()
