"""Fits the difference between the rotations of HPEN's face model and rdrface's to 300W-LP.

python tools/fit_hpen_model.py DIR [--weights FILE] [--limit N] [-o FILE [--overwrite]]

DIR is the folder of 300W-LP. Every face is aligned in its annotated box, and the difference from its annotated rotation
is fitted as in ``rdrface.evaluation.metrics.hpen_model``. The penalty is chosen by 5-fold cross-validation over people,
because each person has the same fitted face in about 15 images. The table shows the error of the held-out people.
Without -o nothing is written; -o src/rdrface/evaluation/metrics/hpen_model.csv --overwrite replaces the packaged file.
"""

import argparse
import re
import sys
from pathlib import Path

import numpy as np

import rdrface
from rdrface.cli.options import add_overwrite, check_output_files, positive
from rdrface.cli.script import reports_errors
from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.metrics.errors import geodesic
from rdrface.evaluation.metrics.hpen_model import HpenModel
from rdrface.evaluation.predictions.aligning import run_aligner
from rdrface.evaluation.protocols.head_pose import POSE_LIMIT, annotated_rotation
from rdrface.evaluation.protocols.sets import SETS
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.morphable.model import FaceModel

FOLDS = 5
PENALTIES = (1.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
"""In faces, see `HpenModel.fit`."""


@reports_errors
def main() -> None:
    """Fit, print the table, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, metavar="DIR", help="the folder 300W_LP")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights (default: the packaged ones)")
    parser.add_argument("--limit", type=positive, metavar="N", help="use N evenly spaced faces instead of all")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the difference to this CSV file")
    add_overwrite(parser)
    args = parser.parse_args()
    if args.output is not None:
        check_output_files((args.output,), args.overwrite)
    dataset = SETS["300w-lp"]
    faces = dataset.read(args.root)
    if args.limit is not None and args.limit < len(faces):
        faces = faces.select(np.linspace(0, len(faces) - 1, args.limit).astype(int))
    faces = faces.select(np.flatnonzero((np.abs(faces.angles) <= POSE_LIMIT).all(1)))
    predictions, _ = run_aligner(rdrface.load(args.weights), faces, dataset.outputs)
    hpen, model = annotated_rotation(faces), FaceModel.load()
    table, penalty = cross_validated(hpen, predictions.rotation, predictions.expression, model, folds(faces))
    print(table.to_text())
    if args.output is not None:
        fitted = HpenModel.fit(hpen, predictions.rotation, predictions.expression, model.expression_mirror, penalty)
        fitted.save(args.output, model.expression_names)


def folds(faces: FaceRecords) -> np.ndarray:
    """(N,) number of each face's fold; all images of a person, NAME_1.jpg, NAME_2.jpg, ..., are in the same fold."""
    people = [re.sub(r"_\d+$", "", Path(name).stem) for name in faces.image.tolist()]
    names, person = np.unique(people, return_inverse=True)
    return np.random.default_rng(0).permutation(len(names))[person] % FOLDS


def cross_validated(
    hpen: np.ndarray, rotation: np.ndarray, expression: np.ndarray, model: FaceModel, fold: np.ndarray
) -> tuple[Table, float]:
    """Geodesic errors of held-out people for every penalty, and the penalty with the smallest mean.

    Args:
        hpen: (N, 3, 3) annotated rotations.
        rotation: (N, 3, 3) predicted rotations; NaN for faces that were not found.
        expression: (N, 46) predicted coefficients.
        model: face model of the coefficients.
        fold: (N,) see `folds`.
    """

    def held_out(penalty: float) -> float:
        errors = np.empty(len(hpen))
        for number in range(FOLDS):
            inside, outside = fold == number, fold != number
            fitted = HpenModel.fit(
                hpen[outside], rotation[outside], expression[outside], model.expression_mirror, penalty
            )
            errors[inside] = geodesic(fitted.hpen(rotation[inside], expression[inside]), hpen[inside])
        return float(np.nanmean(errors))

    means = {penalty: held_out(penalty) for penalty in PENALTIES}
    best = min(means, key=means.__getitem__)
    rows = (
        Row("no conversion", (float(np.nanmean(geodesic(rotation, hpen))),)),
        Row("constant rotation", (held_out(np.inf),)),
        *(Row(f"constant and alpha_exp, penalty {penalty:g}", (mean,)) for penalty, mean in means.items()),
    )
    found = int(np.isfinite(rotation).all((1, 2)).sum())
    notes = (f"{found} faces; {FOLDS} folds over people. Penalty with the smallest error: {best:g}.",)
    return Table("300W-LP: geodesic error of held-out people, degrees", ("mean",), rows, notes), best


if __name__ == "__main__":
    sys.exit(main())
