"""Measures what each precision costs in accuracy: the changes against float32 on an annotated dataset.

python benchmarks/precision/measure.py SET DIR [--faces N] [--weights FILE] [--size N]

The faces are aligned from the boxes of their annotations. Prints a table of docs/speed.md; `rdrface bench --precision`
prints the times.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import rdrface
from rdrface.aligner import Aligner
from rdrface.cli.script import reports_errors
from rdrface.datasets.records import FaceRecords
from rdrface.errors import ConfigError
from rdrface.evaluation.predictions.aligning import run_aligner
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols.sets import SETS
from rdrface.face import packaged_model
from rdrface.geometry.boxes import box_size
from rdrface.runtime.precision import PRECISIONS


@dataclass(frozen=True)
class Outputs:
    """Predictions for N faces in one precision.

    Attributes:
        predictions: all outputs.
        error: (N,) mean distance from the annotations, percent of the face size.
    """

    predictions: Predictions
    error: np.ndarray


@reports_errors
def main() -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=("merl-rav", "aflw2000-3d", "300w"), help="name of the set")
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of the set, in its official layout")
    parser.add_argument("--faces", type=int, metavar="N", help="number of faces, spread evenly (default: all)")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights file (default: the packaged one)")
    parser.add_argument("--size", type=int, metavar="N", help="crop size of rdrface.load (default: the file's default)")
    args = parser.parse_args()
    annotations = SETS[args.set].read(args.folder)
    if args.faces is not None:
        annotations = annotations.select(np.linspace(0, len(annotations) - 1, args.faces).astype(int))
    print(f"{SETS[args.set].title}: {len(annotations)} faces\n")
    reference: Outputs | None = None
    for precision in PRECISIONS[1:]:
        try:
            aligner = rdrface.load(args.weights, precision=precision, threads=1, size=args.size)
        except ConfigError as error:
            if precision == "float32":  # the size is not available
                raise
            print(f"{precision:<10}{error}")
            continue
        outputs = align(aligner, annotations, args.set)
        reference = reference or outputs
        print("\n".join(rows(precision, outputs, reference, box_size(annotations.box))), flush=True)
    return 0


def align(aligner: Aligner, annotations: FaceRecords, name: str) -> Outputs:
    """Align all faces of a set from the boxes of their annotations."""
    predictions, _ = run_aligner(aligner, annotations, SETS[name].outputs)
    points = next(iter(predictions.outputs.values()))
    distances = np.linalg.norm(points - annotations.points, axis=-1) / box_size(annotations.box)[:, None]
    return Outputs(predictions, 100 * np.nanmean(distances, axis=1))


def rows(name: str, outputs: Outputs, reference: Outputs, sizes: np.ndarray) -> list[str]:
    """The lines of the table for one precision.

    Args:
        name: the precision.
        outputs: its predictions for N faces.
        reference: those of float32.
        sizes: (N,) face sizes, image pixels.
    """
    now, before = outputs.predictions, reference.predictions
    moved = np.linalg.norm(first(now) - first(before), axis=-1).mean(axis=1) / sizes
    assert now.rotation is not None and before.rotation is not None
    assert now.uncertainty is not None and before.uncertainty is not None
    assert now.visibility is not None and before.visibility is not None
    assert now.expression is not None and before.expression is not None
    cosine = (np.einsum("nij,nij->n", now.rotation, before.rotation) - 1) / 2
    turned = np.degrees(np.arccos(cosine.clip(-1, 1)))
    expected, expected_before = now.uncertainty.mean(axis=1), before.uncertainty.mean(axis=1)
    blinks = [i for i, each in enumerate(packaged_model().expression_names) if each.startswith("eyeBlink")]
    switched = (now.visibility > 0.5) != (before.visibility > 0.5)
    values = {
        "NME, %": f"{outputs.error.mean():.3f} ({outputs.error.mean() - reference.error.mean():+.3f})",
        "landmarks moved, %: mean, 99th percentile": f"{100 * moved.mean():.3f}, {100 * np.percentile(moved, 99):.3f}",
        "pose changed, degrees: mean, 99th percentile": f"{turned.mean():.3f}, {np.percentile(turned, 99):.3f}",
        "expected error, %": f"{expected.mean():.3f} ({(expected - expected_before).mean():+.4f})",
        "visibility changed, mean": f"{np.abs(now.visibility - before.visibility).mean():.4f}",
        "visible or hidden changed, % of points": f"{100 * switched.mean():.2f}",
        "eyeBlink changed, mean (bias)": f"{np.abs(now.expression - before.expression)[:, blinks].mean():.4f} "
        f"({(now.expression - before.expression)[:, blinks].mean():+.4f})",
    }
    return [f"{name:<10}{label:<46}{value}" for label, value in values.items()]


def first(predictions: Predictions) -> np.ndarray:
    """(N, 68, 2) the principal output."""
    return next(iter(predictions.outputs.values()))


if __name__ == "__main__":
    sys.exit(main())
