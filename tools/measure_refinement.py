"""Errors of both outputs after every iteration of the refinement.

python tools/measure_refinement.py SET DIR [--held-out CONFIG] [--weights FILE] [--size N] [--limit N]
python tools/measure_refinement.py --packed FILE [--weights FILE|RUN] [--size N] [--limit N]

SET DIR: the errors of `rdrface evaluate SET DIR` for S_k (landmarks) and the projected 3D face S_p (projection) at
every k. Every face is aligned once, in the crop of its annotated box; `rdrface evaluate` aligns a few faces again. A
second table has the mean change of each error from k - 1 to k with its standard error.
--packed: packed faces of a training run. "3D" compares the 68 points of the 3D face, jawline convention, with those of
the fitted face, x and y only. Percent of the square root of the landmark box's area.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from rdrface.cli.evaluate_held_out import read_held_out
from rdrface.cli.options import positive, weights_or_run
from rdrface.cli.script import reports_errors
from rdrface.crop import CropFrame, cut
from rdrface.datasets.crops import PackedCrops
from rdrface.datasets.records import FaceRecords
from rdrface.evaluation.metrics.errors import mean_of_counted
from rdrface.evaluation.metrics.standard_error import mean_error
from rdrface.evaluation.predictions.predictions import Predictions
from rdrface.evaluation.protocols.sets import SETS, own68_jawline
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.image import read_image
from rdrface.loading import weights_path
from rdrface.network.rdr import RDR
from rdrface.runtime.weights import read_info
from rdrface.training.augmentation.augment import augment
from rdrface.training.augmentation.config import no_augmentation
from rdrface.training.augmentation.crop_batch import CropBatch
from rdrface.training.checkpoint import read_network
from rdrface.training.config import check_crop_sizes
from rdrface.training.restore import restore
from rdrface.training.validation import comparable_points

BATCH = 64
DATASETS = ("merl-rav", "300w", "300w-lp", "aflw2000-3d", "cofw68")
"""Datasets whose points are the 68."""

POINTS = ("landmarks", "projection", "landmarks_jawline", "projection_jawline")
"""Attributes of `rdrface.network.rdr.Step`."""


@torch.no_grad()
def predicted_points(network: RDR, faces: FaceRecords, size: int) -> dict[str, np.ndarray]:
    """Points of every iteration on annotated faces: name of `POINTS` -> (K + 1, N, 68, 2) image pixels."""
    parts: list[list[np.ndarray]] = []
    for start in range(0, len(faces), BATCH):
        index = np.arange(start, min(start + BATCH, len(faces)))
        frame = CropFrame.from_boxes(faces.box[index])
        images = [read_image(faces.open_image(name)) for name in faces.image[index].tolist()]
        crops = [cut(image, frame.select(np.array([i])), size) for i, image in enumerate(images)]
        steps = network(torch.from_numpy(np.concatenate(crops))).steps
        points = [[getattr(step, name)[..., :2].numpy() for step in steps] for name in POINTS]
        parts.append([np.stack([frame.to_image(at_k) for at_k in of_name]) for of_name in points])
    return {name: np.concatenate([part[i] for part in parts], axis=1) for i, name in enumerate(POINTS)}


def dataset_tables(name: str, faces: FaceRecords, points: Mapping[str, np.ndarray]) -> list[Table]:
    """Mean errors at every k, and their mean changes.

    Args:
        name: name of the dataset.
        faces: N annotated faces.
        points: see `predicted_points`.
    """
    chosen = SETS[name]
    # The principal output comes first.
    jawline = chosen.outputs is own68_jawline
    names = sorted(points, key=lambda name: "jawline" not in name) if jawline else list(points)
    errors = [
        chosen.errors(faces, Predictions({name: points[name][k] for name in names}))
        for k in range(len(points["landmarks"]))
    ]
    columns = tuple(errors[0])
    rows = [
        Row(f"k = {k}", tuple(mean_of_counted(values) for values in each.values())) for k, each in enumerate(errors)
    ]
    title = f"{chosen.title}, {len(faces)} faces: mean error by iteration"
    changes = []
    for k in range(1, len(errors)):
        means = [mean_error(errors[k][column] - errors[k - 1][column]) for column in columns]
        changes.append(Row(f"k = {k}", tuple(f"{each.mean:+.3f} ± {each.standard_error:.3f}" for each in means)))
    return [
        Table(title, columns, tuple(rows)),
        Table("Mean change from k - 1 to k, with its standard error", columns, tuple(changes)),
    ]


@torch.no_grad()
def packed_errors(network: RDR, faces: PackedCrops, size: int) -> np.ndarray:
    """Mean errors (K + 1, 3) over packed faces: S_k, S_p and the 3D face."""
    rng = torch.Generator().manual_seed(0)
    sums = np.zeros((network.iterations + 1, 3))
    for start in range(0, len(faces), BATCH):
        index = np.arange(start, min(start + BATCH, len(faces)))
        crops, labels = augment(CropBatch.of(faces, index), size, no_augmentation(), rng)
        annotated, weight, side = comparable_points(labels)
        every = torch.ones_like(weight)
        for k, step in enumerate(network(crops).steps):
            for column, (points, truth, counted) in enumerate(
                (
                    (step.landmarks, annotated, weight),
                    (step.projection[..., :2], annotated, weight),
                    (step.projection_jawline[..., :2], labels.jawline, every),
                )
            ):
                distance = (points - truth).norm(dim=-1) * counted
                sums[k, column] += float((100 * distance.sum(1) / counted.sum(1).clamp(min=1) / side).sum())
    return sums / len(faces)


def read_weights(path: Path, size: int | None = None) -> tuple[RDR, int]:
    """Network in evaluation mode and side of its crops in pixels, from a weights file or a training run.

    With `size`, this side and the network for it; the network for the default size if the file has none for it.

    Raises:
        RdrError: the file cannot be read.
    """
    if path.suffix == ".safetensors":
        known = size if size in read_info(path)[0].sizes else None
        network, info = restore(path, known)
        return network, size or info.input_size
    network, trained_size = read_network(path)
    return network.eval(), size or trained_size


def spread(count: int, limit: int | None) -> np.ndarray:
    """Indices of `limit` evenly spaced faces of `count`; all if it is None."""
    return np.arange(count) if limit is None or limit >= count else np.linspace(0, count - 1, limit).astype(int)


@reports_errors
def main() -> int:
    """Print the tables; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", nargs="?", choices=DATASETS, metavar="SET", help=f"dataset: {', '.join(DATASETS)}")
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="folder of the dataset")
    parser.add_argument("--packed", type=Path, metavar="FILE", help="packed faces instead of a dataset")
    parser.add_argument("--held-out", metavar="CONFIG", help="as in `rdrface evaluate`")
    parser.add_argument(
        "--weights",
        type=weights_or_run,
        default=weights_path(None),
        metavar="FILE|RUN",
        help="weights file, lite, or folder of a training run (default: the packaged full weights)",
    )
    parser.add_argument(
        "--size", type=positive, metavar="N", help="side of the crops in pixels (default: that of the weights)"
    )
    parser.add_argument("--limit", type=positive, metavar="N", help="use N evenly spaced faces instead of all")
    args = parser.parse_args()
    given = [args.set, args.folder, args.held_out] if args.packed is not None else []
    if any(value is not None for value in given) or (args.packed is None and args.folder is None):
        parser.error("give either SET and DIR, with or without --held-out, or --packed FILE")
    if args.size is not None:
        check_crop_sizes("--size", (args.size,))
    network, size = read_weights(args.weights, args.size)
    if args.packed is None:
        held_out = args.held_out is not None
        every = read_held_out(args.set, args.folder, args.held_out) if held_out else SETS[args.set].read(args.folder)
        faces = every.select(spread(len(every), args.limit))
        tables = dataset_tables(args.set, faces, predicted_points(network, faces, size))
    else:
        packed = PackedCrops.load(args.packed)
        packed = packed.select(spread(len(packed), args.limit))
        rows = [Row(f"k = {k}", tuple(row)) for k, row in enumerate(packed_errors(network, packed, size).tolist())]
        title = f"{len(packed)} packed faces, percent of the face's size, by iteration"
        tables = [Table(title, ("S_k", "S_p", "3D"), tuple(rows))]
    print("\n\n".join(table.to_text() for table in tables))
    return 0


if __name__ == "__main__":
    sys.exit(main())
