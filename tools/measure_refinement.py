"""Errors of both outputs after every iteration of the refinement, on the held-out faces of a training.

python tools/measure_refinement.py RUN [--faces FILE] [--limit N]

S_k is the 2D output and S_p the projected 3D output, both compared with the annotated points. "3D" compares the 68
points of the 3D face, jawline convention, with those of the fitted face, x and y only. Percent of the square root of
the landmark box's area, without augmentation.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from rdrface.datasets.crops import PackedCrops
from rdrface.evaluation.tables.tables import Row, Table
from rdrface.network.rdr import RDR
from rdrface.training.augmentation.augment import CropBatch, augment, no_augmentation
from rdrface.training.checkpoint import read_network

BATCH = 64


@torch.no_grad()
def errors(network: RDR, faces: PackedCrops, size: int) -> np.ndarray:
    """Mean errors (K + 1, 3) over faces: S_k, S_p and the 3D face."""
    rng = torch.Generator().manual_seed(0)
    sums = np.zeros((network.iterations + 1, 3))
    for start in range(0, len(faces), BATCH):
        index = np.arange(start, min(start + BATCH, len(faces)))
        batch = augment(CropBatch.of(faces, index), size, no_augmentation(), rng)
        side = (batch.outline.amax(1) - batch.outline.amin(1)).prod(-1).sqrt()
        weight = batch.weight.clone()
        weight[:, :17] *= (~batch.jawline_convention).float().unsqueeze(1)
        every = torch.ones_like(weight)
        for k, step in enumerate(network(batch.crops).steps):
            for column, (points, truth, counted) in enumerate(
                (
                    (step.landmarks, batch.points, weight),
                    (step.projection[..., :2], batch.points, weight),
                    (step.projection_jawline[..., :2], batch.jawline, every),
                )
            ):
                distance = (points - truth).norm(dim=-1) * counted
                sums[k, column] += float((100 * distance.sum(1) / counted.sum(1).clamp(min=1) / side).sum())
    return sums / len(faces)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a training, with check.safetensors")
    parser.add_argument("--faces", type=Path, metavar="FILE", help="packed faces (default: RUN/check.safetensors)")
    parser.add_argument("--limit", type=int, metavar="N", help="use N evenly spaced faces")
    args = parser.parse_args()
    network, size = read_network(args.run)
    faces = PackedCrops.load(args.faces or args.run / "check.safetensors")
    if args.limit is not None and args.limit < len(faces):
        faces = faces.select(np.linspace(0, len(faces) - 1, args.limit).astype(int))
    table = errors(network.eval(), faces, size)
    rows = tuple(Row(f"k = {k}", tuple(float(value) for value in row)) for k, row in enumerate(table))
    title = f"{len(faces)} packed faces, percent of the face's size, by iteration"
    print(Table(title, ("S_k", "S_p", "3D"), rows).to_text())


if __name__ == "__main__":
    main()
